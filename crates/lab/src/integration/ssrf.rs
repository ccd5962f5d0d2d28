//! A tracker of the wide world, or a torrent's web seed, that aims the command at this machine, at its neighbours and at its
//! cloud's metadata: not one connection may be made, as the victims themselves count.

mod web_seeds;

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use fake_swarm::bencoding::{dictionary, integer, list, string};
use fake_swarm::{ExtensionHandshake, PexList, Request, UdpScript, message};
use serde_json::json;
use xtask::shell::Result;

use super::dns::{self, Answer, parsed};
use super::fakes::{self, Dialled};
use super::namespace::{self, Namespace};
use super::process;
use super::row::Row;
use super::secrets::planted;
use super::torrents;

/// Where the tracker is.
const TRACKER: &str = "11.22.33.44:8080";
/// The same of IPv6.
const TRACKER6: &str = "[2600:1122:3344::44]:8080";
/// A tracker of a private network.
const LOCAL_TRACKER: &str = "10.0.0.1:8080";
/// A peer that may be dialled: the control, without which nothing would be proved.
const PEER: &str = "11.22.33.55:6881";
/// The same of IPv6.
const PEER6: &str = "[2600:1122:3344::55]:6881";
/// A peer of the private network, which its tracker may name.
const LOCAL_PEER: &str = "10.0.0.2:6881";

/// A peer of the wide world that names others (PEX).
const NAMING: &str = "11.22.33.55:6882";

/// Addresses besides those that the namespace has.
const NEIGHBOURS: &[&str] = &["10.0.0.3", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"];

/// Addresses that the tracker names and that must not be dialled.
const VICTIMS: &[&str] = &[
    "127.0.0.1:22",
    "10.0.0.3:80",
    "169.254.169.254:80",
    "172.16.0.1:80",
    "192.168.1.1:80",
    "100.64.0.1:80",
    "224.0.0.1:80",
    "255.255.255.255:80",
    "[::1]:80",
    "[fd00::1]:80",
    "[fe80::1]:80",
    "[ff02::1]:80",
    // 127.0.0.1 in NAT64's and in 6to4's clothes.
    "[64:ff9b::7f00:1]:22",
    "[2002:7f00:1::]:22",
];

/// What is no address at all.
const INVALID: &[&str] = &["0.0.0.0:80", "11.22.33.55:0", "[::]:80"];

/// 127.0.0.1 in IPv6's clothes, which is how it is meant and not how it is reported.
const MAPPED: (&str, &str) = ("[::ffff:127.0.0.1]:80", "127.0.0.1:80");

/// Host names, and where they lead; `None` where the name itself is refused: 127.0.0.1 as one number, which old
/// functions take for an address.
const NAMES: &[(&str, Option<&str>)] = &[
    ("evil.test:22", Some("127.0.0.1:22")),
    ("localhost:80", Some("127.0.0.1:80")),
    ("2130706433:22", None),
    ("good.test:6881", Some(PEER)),
];

/// Where it sends us on to, and what is to be said of that.
const REDIRECTS: &[(&str, &str, &str)] = &[
    ("to loopback", "http://127.0.0.1:80", "refused_address"),
    ("to loopback, mapped", "http://[::ffff:127.0.0.1]:22", "refused_address"),
    ("to loopback, as a number", "http://2130706433:22", "redirect"),
    ("to loopback, by name", "http://evil.test:80", "refused_address"),
    ("to the metadata service", "http://169.254.169.254:80", "refused_address"),
    ("to a neighbour", "http://10.0.0.3:80", "refused_address"),
    // Its conversation is one over IPv4, and there is no other family to go on over.
    ("to loopback, IPv6", "http://[::1]:80", "resolve_failed"),
    ("to a good address", "http://11.22.33.55:8080", "ok"),
    ("to a good name", "http://good.test:8080", "ok"),
];

/// Starts the listeners, runs the rows and asks the victims.
pub(super) fn run(namespace: &Namespace) -> Result {
    let of_peers = [TRACKER, TRACKER6, LOCAL_TRACKER, PEER, PEER6, LOCAL_PEER].map(|addr| parse(addr).ip());
    let neighbours = NEIGHBOURS.iter().filter_map(|ip| ip.parse().ok());
    of_peers.into_iter().chain(neighbours).try_for_each(namespace::add_address)?;
    let dialled = Dialled::default();
    [22, 80].iter().try_for_each(|port| fakes::victim(*port, &dialled))?;
    fakes::peer(fakes::everywhere(6881), &dialled)?;
    fakes::talking_peer(fakes::everywhere(6882), lists(), &dialled)?;
    fakes::http(8080, &dialled, answer)?;
    web_seeds::serve(&dialled)?;
    let udp = UdpScript::peers(VICTIMS.iter().chain([&PEER]).map(|addr| parse(addr)));
    fakes::udp(parse(TRACKER), udp)?;
    dns::Resolver::serve(|name| match name {
        "evil.test" => Some(Answer::Addresses(parsed(&["127.0.0.1"]))),
        "good.test" => Some(Answer::Addresses(parsed(&["11.22.33.55"]))),
        "rebind.test" => Some(Answer::Changes(parsed(&["11.22.33.55"]), parsed(&["127.0.0.1"]))),
        _ => None,
    })?;

    let before = opened()?;
    let judged = namespace.prober.judge("trackers that aim", &rows(namespace)?);
    let web_seeds = namespace.prober.judge("web seeds that aim", &web_seeds::rows(namespace)?);
    let magnet = web_seeds::magnet(namespace);
    let seen = no_other_dialled(&dialled, opened()? - before);
    let faults: Vec<String> = [judged, web_seeds, magnet, seen].into_iter().filter_map(Result::err).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// What the victims say, and the kernel, which counted the connections that were begun.
fn no_other_dialled(dialled: &Dialled, opened: u64) -> Result {
    // A listener that was dialled may notice it a moment later.
    let arrived = process::poll(Instant::now() + Duration::from_secs(5), || {
        let noticed: u64 = dialled.all().values().sum();
        let fault = format!("{opened} connections were begun, and {noticed} arrived at a listener");
        Ok((noticed == opened).then_some(()).ok_or(fault))
    });
    verdict(dialled).and(arrived)
}

/// Only trackers, peers and web seeds that may be dialled were, and each of them was.
fn verdict(dialled: &Dialled) -> Result {
    let honest = ["11.22.33.55:8080", TRACKER, TRACKER6, LOCAL_TRACKER, PEER, PEER6, LOCAL_PEER, NAMING];
    let honest: BTreeSet<SocketAddr> = honest.iter().chain(web_seeds::HONEST).map(|addr| parse(addr)).collect();
    let all: BTreeSet<SocketAddr> = dialled.all().into_keys().collect();
    if all != honest {
        return Err(format!("dialled were {all:?}, expected exactly {honest:?}"));
    }
    println!("trackers and web seeds that aim: {} victims, not one connection", VICTIMS.len());
    Ok(())
}

/// The victims at a port that a peer may name, and a good peer.
fn named() -> impl Iterator<Item = SocketAddr> {
    VICTIMS.iter().chain([&PEER]).map(|addr| SocketAddr::new(parse(addr).ip(), 6881))
}

/// What a peer says that names them, under each id that may be meant.
fn lists() -> Vec<u8> {
    let introduction = ExtensionHandshake { m: vec![("ut_pex", 1)], ..Default::default() };
    let list = PexList::naming(named()).payload();
    (1..=10).fold(introduction.message(), |said, id| [said, message::extended(id, &list)].concat())
}

/// What the tracker answers, by the case that its URL names.
fn answer(request: &Request) -> Vec<u8> {
    let case = request.query("case").unwrap_or_default();
    // Our own endpoint, as it sees it.
    let port = request.query("port").and_then(|port| port.parse().ok()).unwrap_or_default();
    let own = SocketAddr::new(request.remote.ip().to_canonical(), port);
    let to = |addrs: &[&str]| fakes::ok(fakes::compact(addrs.iter().map(|addr| parse(addr)).chain([own])));
    match case.as_str() {
        "victims" => to(&[VICTIMS, INVALID, &[MAPPED.0, PEER, PEER6]].concat()),
        "neighbours" => to(&[LOCAL_PEER]),
        "no-peers" => to(&[]),
        "names" => {
            let peers = NAMES.iter().filter_map(|(name, _)| name.split_once(':'));
            let port = |port: &str| integer(port.parse::<u16>().unwrap_or_default());
            let peers = peers.map(|(name, at)| dictionary([("ip", string(name)), ("port", port(at))]));
            fakes::ok(dictionary([("interval", integer(60)), ("peers", list(peers))]))
        }
        _ => {
            let location = case.parse().ok().and_then(|number: usize| REDIRECTS.get(number));
            let (_, location, _) = location.unwrap_or(&("", "", ""));
            let rest = request.target.replacen(&format!("case={case}"), "case=no-peers", 1);
            fakes::found(&format!("{location}{rest}"))
        }
    }
}

/// Every way to aim us.
fn rows(namespace: &Namespace) -> Result<Vec<Row>> {
    let row = |name: &str, code: i32, urls: &[String]| -> Result<Row> {
        let urls: Vec<String> = urls.iter().map(|url| planted(url)).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        Ok(Row::new(name, &torrents::invented(&namespace.folder, name, &urls)?, code).anywhere())
    };
    let url = |tracker: &str, case: &str| format!("http://{tracker}/announce?case={case}");
    let ok = || json!({"status": "ok"});
    let skipping = || json!({"status": "ok", "skipped": {"unspecified": 2, "bad_port": 1}});
    let refused = VICTIMS.iter().chain([&MAPPED.1]).map(|addr| (*addr, "invalid_address"));
    let controls = [(PEER, "ok"), (PEER6, "ok")];
    let v4 = |(addr, _): &(&str, &str)| parse(addr).is_ipv4() && *addr != MAPPED.1;
    let names = NAMES.iter().filter_map(|(_, addr)| *addr);
    let names = names.map(|addr| (addr, if addr == PEER { "ok" } else { "invalid_address" }));
    let mut rows = vec![
        row("compact lists", 0, &[url(TRACKER, "victims")])?.says(skipping()).finds(refused.clone().chain(controls)),
        row("compact lists over IPv6", 0, &[url(TRACKER6, "victims")])?
            .says(skipping())
            .finds(refused.clone().chain(controls)),
        row("a list over UDP", 0, &[format!("udp://{TRACKER}/announce")])?
            .says(ok())
            .finds(refused.clone().filter(v4).chain([(PEER, "ok")])),
        row("host names", 0, &[url(TRACKER, "names")])?
            .says(json!({"status": "ok", "skipped": {"bad_host": 1}}))
            .finds(names),
        // What a tracker of the private network may name, one of the wide world may not, in the same run.
        row("a private network", 0, &[url(LOCAL_TRACKER, "neighbours"), url(TRACKER, "victims")])?
            .says(ok())
            .says(ok())
            .finds(refused.chain(controls).chain([(LOCAL_PEER, "ok")])),
    ];
    let outcome = |peer: SocketAddr| if peer == parse(PEER) { "ok" } else { "invalid_address" };
    // What can never be a peer is not taken.
    let is_taken = |peer: &SocketAddr| !peer.ip().is_multicast() && peer.ip() != Ipv4Addr::BROADCAST;
    let by_pex = named().filter(is_taken).map(|peer| (peer, outcome(peer))).chain([(parse(NAMING), "ok")]);
    rows.push(row("a peer that names others", 0, &[])?.args(["--peer", NAMING]).finds(by_pex));
    for (number, (name, location, status)) in REDIRECTS.iter().enumerate() {
        let code = if *status == "ok" { 1 } else { 3 };
        rows.push(row(name, code, &[url(TRACKER, &number.to_string())])?.says(json!({"status": status})));
        if *location == "http://[::1]:80" {
            let row = row("to loopback, IPv6 from IPv6", 3, &[url(TRACKER6, &number.to_string())])?;
            rows.push(row.says(json!({"status": "refused_address"})));
        }
    }
    Ok(rows)
}

/// TCP connections that were begun in the namespace so far, as the kernel counts them.
fn opened() -> Result<u64> {
    let table = fs::read_to_string("/proc/thread-self/net/snmp").map_err(|error| format!("/proc/net/snmp: {error}"))?;
    let mut lines = table.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let place = names.split(' ').position(|name| name == "ActiveOpens");
    let value = place.and_then(|place| values.split(' ').nth(place)?.parse().ok());
    value.ok_or_else(|| format!("/proc/net/snmp: no ActiveOpens in {names}"))
}

/// An address of the tables above.
fn parse(addr: &str) -> SocketAddr {
    // All of them are parsed by a test.
    addr.parse().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn the_addresses_are_addresses() {
        let trackers = [TRACKER, TRACKER6, LOCAL_TRACKER, PEER, PEER6, LOCAL_PEER, MAPPED.0, MAPPED.1];
        for addr in trackers.iter().chain(VICTIMS).chain(INVALID).chain(web_seeds::HONEST) {
            assert!(addr.parse::<SocketAddr>().is_ok(), "{addr}");
        }
        assert!(NEIGHBOURS.iter().all(|ip| ip.parse::<IpAddr>().is_ok()));
    }

    #[test]
    fn the_kernel_counts() {
        let before = opened().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(opened().unwrap() > before);
    }
}
