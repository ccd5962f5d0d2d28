//! Look-ups that fail, hang or change their mind: a resolver that does what a table says.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fake_swarm::bencoding::{dictionary, integer, string};
use serde_json::json;
use xtask::shell::Result;

use super::fakes::{self, Dialled};
use super::interrupt::Running;
use super::namespace::{self, Namespace};
use super::prober::Source;
use super::process;
use super::row::Row;
use super::secrets::planted;
use super::torrents;

/// Where the resolver is; the namespace's `resolv.conf` says so.
const RESOLVER: ([u8; 4], u16) = ([127, 0, 0, 1], 53);

/// A tracker's host.
const HOST: &str = "11.22.33.44";
/// The same of IPv6.
const HOST6: &str = "2600:1122:3344::44";
/// Its port, at every address.
const PORT: u16 = 8080;

/// What a hanging look-up may add to a run that has a deadline of 2 s, and to one that is interrupted.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The names, and what is answered.
fn zone() -> Vec<(&'static str, Answer)> {
    let addresses = |all: &[&str]| Answer::Addresses(parsed(all));
    vec![
        ("both.test", addresses(&[HOST, HOST6])),
        ("four.test", addresses(&[HOST])),
        ("none.test", addresses(&[])),
        ("nxdomain.test", Answer::Failure(3)),
        ("servfail.test", Answer::Failure(2)),
        ("hang.test", Answer::Silence),
        ("local.test", addresses(&["127.0.0.1"])),
        ("mixed.test", addresses(&["127.0.0.1", HOST])),
        // Between the check and the use of the address, for a program that resolves the name twice.
        ("rebind.test", Answer::Changes(parsed(&[HOST]), parsed(&["127.0.0.1"]))),
    ]
}

/// Starts the listeners, runs the rows, and checks which of them were dialled and how often the resolver was asked.
pub(super) fn run(namespace: &Namespace) -> Result {
    parsed(&[HOST, HOST6]).into_iter().try_for_each(namespace::add_address)?;
    let dialled = Dialled::default();
    let no_peers = || dictionary([("interval", integer(60)), ("peers", string(""))]);
    fakes::http(PORT, &dialled, move |_| fakes::ok(no_peers()))?;
    let resolver = Resolver::serve(table(zone()))?;
    namespace.prober.judge("look-ups", &rows(namespace)?)?;
    let local: Vec<SocketAddr> = dialled.all().into_keys().filter(|addr| addr.ip().is_loopback()).collect();
    if !local.is_empty() {
        return Err(format!("a stranger's name led to {local:?}"));
    }
    let asked = resolver.asked("rebind.test");
    if asked != 1 {
        return Err(format!("rebind.test was looked up {asked} times: whose address was checked?"));
    }
    interrupted(namespace, &resolver)
}

/// Every way in which a name resolves.
fn rows(namespace: &Namespace) -> Result<Vec<Row>> {
    let row = |name: &str, code: i32, url: &str| -> Result<Row> {
        let torrent = torrents::invented(&namespace.folder, name, &[&planted(url)])?;
        Ok(Row::new(name, &torrent, code).anywhere())
    };
    let url = |host: &str| format!("http://{host}:{PORT}/announce");
    let at = |family: &str, host: &str| {
        let address = parsed(&[host]).into_iter().map(|ip| SocketAddr::new(ip, PORT).to_string()).next();
        json!({"status": "ok", "family": family, "address": address})
    };
    let unresolved = |status: &str| json!({"status": status, "address": null, "announced_hash": null});
    let hang =
        torrents::invented(&namespace.folder, "hang", &[&planted(&url("hang.test")), &planted(&url("four.test"))])?;
    Ok(vec![
        row("an address of each family", 1, &url("both.test"))?.says(at("ipv4", HOST)).says(at("ipv6", HOST6)),
        row("an address of one family", 1, &url("four.test"))?.says(at("ipv4", HOST)),
        row("no address", 3, &url("none.test"))?.says(unresolved("resolve_failed")),
        row("no such name", 3, &url("nxdomain.test"))?.says(unresolved("resolve_failed")),
        row("no such name, UDP", 3, "udp://nxdomain.test:1/announce")?.says(unresolved("resolve_failed")),
        // This network has no way out, and a resolver of the machine's own that fails says no more than that.
        row("a resolver that fails", 3, &url("servfail.test"))?.says(unresolved("no_route")),
        row("a local address", 3, &format!("http://local.test:{PORT}/secrets"))?
            .says(json!({"status": "refused_address"})),
        row("a local address and a good one", 1, &format!("http://mixed.test:{PORT}/secrets"))?.says(at("ipv4", HOST)),
        row("an answer that changes", 1, &format!("http://rebind.test:{PORT}/secrets"))?.says(at("ipv4", HOST)),
        Row::new("a look-up that hangs, and another tracker", &hang, 1)
            .anywhere()
            .args(["--deadline", "2s"])
            .says(unresolved("interrupted"))
            .says(at("ipv4", HOST))
            .within(Duration::from_secs(2) + AT_ONCE),
    ])
}

/// Ctrl-C in the middle of a look-up that hangs ends the run at once.
fn interrupted(namespace: &Namespace, resolver: &Resolver) -> Result {
    let url = format!("http://hang.test:{PORT}/announce");
    let torrent = torrents::invented(&namespace.folder, "interrupted", &[&url])?;
    let before = resolver.asked("hang.test");
    let running = Running::start(&mut namespace.prober.command(Source::Any, &torrent))?;
    process::poll(Instant::now() + Duration::from_secs(10), || {
        Ok((resolver.asked("hang.test") > before).then_some(()).ok_or("hang.test is not looked up".to_owned()))
    })?;
    running.interrupt()?;
    match running.wait(AT_ONCE)? {
        Some(130) => Ok(()),
        code => Err(format!("interrupted in a look-up: exit code {code:?}, expected 130")),
    }
}

/// What is answered to a name's questions.
#[derive(Clone)]
pub(super) enum Answer {
    /// These addresses, those of the family that was asked for.
    Addresses(Vec<IpAddr>),
    /// These the first time, and then those.
    Changes(Vec<IpAddr>, Vec<IpAddr>),
    /// This response code (RFC 1035, 4.1.1): 2 server failure, 3 no such name.
    Failure(u8),
    /// Nothing, ever.
    Silence,
}

/// A resolver, which remembers how often it was asked for each name's IPv4 addresses.
#[derive(Clone)]
pub(super) struct Resolver {
    asked: Arc<Mutex<HashMap<String, u64>>>,
}

/// The types of question that have an answer (RFC 1035, 3.2.2; RFC 3596).
const A: u16 = 1;
const AAAA: u16 = 28;

impl Resolver {
    /// A resolver that knows these names and their addresses.
    pub(super) fn start(names: &[(&'static str, &[&str])]) -> Result<Self> {
        Self::serve(table(names.iter().map(|(name, all)| (*name, Answer::Addresses(parsed(all)))).collect()))
    }

    /// A resolver that answers so to each name; there is no other.
    pub(super) fn serve(zone: impl Fn(&str) -> Option<Answer> + Send + 'static) -> Result<Self> {
        let asked: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
        let resolver = Self { asked: Arc::clone(&asked) };
        fakes::serve_datagrams(RESOLVER.into(), move |datagram| {
            let Some((name, kind)) = question(&datagram.bytes) else { return Vec::new() };
            let before = {
                let mut asked = lock(&asked);
                let count = asked.entry(name.clone()).or_default();
                if kind == A {
                    *count += 1;
                }
                *count - u64::from(kind == A)
            };
            match zone(&name).unwrap_or(Answer::Failure(3)) {
                Answer::Silence => Vec::new(),
                Answer::Failure(code) => vec![response(&datagram.bytes, code, kind, &[])],
                Answer::Addresses(all) => vec![response(&datagram.bytes, 0, kind, &all)],
                Answer::Changes(first, _) if before == 0 => vec![response(&datagram.bytes, 0, kind, &first)],
                Answer::Changes(_, then) => vec![response(&datagram.bytes, 0, kind, &then)],
            }
        })?;
        Ok(resolver)
    }

    /// How often a name's IPv4 addresses were asked for.
    pub(super) fn asked(&self, name: &str) -> u64 {
        lock(&self.asked).get(name).copied().unwrap_or_default()
    }

    /// How many names below this one were asked for.
    pub(super) fn names_below(&self, zone: &str) -> usize {
        lock(&self.asked).keys().filter(|name| name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))).count()
    }
}

/// The answers in a table.
fn table(zone: Vec<(&'static str, Answer)>) -> impl Fn(&str) -> Option<Answer> {
    move |name| zone.iter().find(|(known, _)| *known == name).map(|(_, answer)| answer.clone())
}

fn lock(asked: &Mutex<HashMap<String, u64>>) -> MutexGuard<'_, HashMap<String, u64>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name and the type of a query's only question.
fn question(query: &[u8]) -> Option<(String, u16)> {
    let mut labels = Vec::new();
    let mut rest = query.get(12..)?;
    loop {
        let (length, after) = rest.split_first()?;
        let (label, after) = after.split_at_checked(usize::from(*length))?;
        rest = after;
        if label.is_empty() {
            break;
        }
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
    }
    let kind = rest.first_chunk().map(|kind| u16::from_be_bytes(*kind))?;
    Some((labels.join("."), kind))
}

/// The response to a query (RFC 1035, 4.1): its header and question again, then a record for each address.
fn response(query: &[u8], code: u8, kind: u16, addresses: &[IpAddr]) -> Vec<u8> {
    let records: Vec<Vec<u8>> = addresses
        .iter()
        .filter_map(|ip| match (ip, kind) {
            (IpAddr::V4(ip), A) => Some(ip.octets().to_vec()),
            (IpAddr::V6(ip), AAAA) => Some(ip.octets().to_vec()),
            _ => None,
        })
        .collect();
    let count = u16::try_from(records.len()).unwrap_or_default();
    let end = query.get(12..).and_then(|rest| rest.iter().position(|byte| *byte == 0)).unwrap_or_default() + 12 + 5;
    let id = query.get(..2).unwrap_or_default();
    // A response, recursion desired and available; one question, so many answers, nothing else.
    let mut out = [id, &[0x81, 0x80 | code, 0, 1], &count.to_be_bytes(), &[0; 4]].concat();
    out.extend(query.get(12..end).unwrap_or_default());
    for record in records {
        // The name is the question's; class IN, to be kept for no time at all.
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 0]);
        out.extend(u16::try_from(record.len()).unwrap_or_default().to_be_bytes());
        out.extend(record);
    }
    out
}

/// These addresses, all of which are well-formed.
pub(super) fn parsed(all: &[&str]) -> Vec<IpAddr> {
    all.iter().filter_map(|ip| ip.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = b"id\x01\0\0\x01\0\0\0\0\0\x01\x04four\x04Test\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0";

    #[test]
    fn a_question_is_read() {
        assert_eq!(question(QUERY), Some(("four.test".to_owned(), A)));
        for length in 0..25 {
            assert_eq!(question(&QUERY[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_response_has_the_records_of_one_family() {
        let addresses = parsed(&["1.2.3.4", "::1"]);
        let expected = b"id\x81\x80\0\x01\0\x01\0\0\0\0\x04four\x04Test\0\0\x01\0\x01\
            \xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04";
        assert_eq!(response(QUERY, 0, A, &addresses), expected);
        let failure = b"id\x81\x83\0\x01\0\0\0\0\0\0\x04four\x04Test\0\0\x01\0\x01";
        assert_eq!(response(QUERY, 3, A, &[]), failure);
    }
}
