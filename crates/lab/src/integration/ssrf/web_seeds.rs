//! Web seeds of a torrent that aim the command at this machine, its neighbours and services that are no web servers. The same
//! by the user's word arrive.

use fake_swarm::Request;
use fake_swarm::torrent::SingleFile;
use serde_json::json;
use xtask::scratch::write;
use xtask::shell::Result;

use super::super::fakes::{self, Dialled};
use super::super::namespace::Namespace;
use super::super::row::Row;
use super::super::torrents::{self, Torrent};

/// The port of web servers at all addresses.
const PORT: u16 = 8081;
/// The port of others, which only the user names.
const OF_USER: u16 = 8082;
/// The port of a service of old, at all addresses.
const SERVICE: u16 = 25;

/// The file.
const FILE: (&str, u64) = ("file", 1_000_000);

/// Connections that arrive: those of the honest web seed, and those of the user's.
pub(super) const HONEST: &[&str] = &[
    "11.22.33.44:8081",
    "11.22.33.55:8081",
    "[2600:1122:3344::55]:8081",
    "10.0.0.2:8082",
    "127.0.0.1:8082",
    "10.0.0.2:25",
];

/// Web seeds of a torrent, and what is to be said of each.
const NAMED: &[(&str, &str)] = &[
    ("http://127.0.0.1/", "refused_address"),
    ("http://127.0.0.1:8081/file", "refused_address"),
    ("https://127.0.0.1/", "refused_address"),
    ("http://127.1.2.3:8081/", "refused_address"),
    ("http://10.0.0.3/", "refused_address"),
    ("http://10.0.0.2:8081/file", "refused_address"),
    ("http://169.254.169.254/latest/meta-data/", "refused_address"),
    ("http://172.16.0.1/", "refused_address"),
    ("http://192.168.1.1/", "refused_address"),
    ("http://100.64.0.1/", "refused_address"),
    ("http://224.0.0.1/", "refused_address"),
    ("http://255.255.255.255/", "refused_address"),
    ("http://0.0.0.0/", "refused_address"),
    ("http://[::1]:8081/", "refused_address"),
    ("http://[fd00::1]/", "refused_address"),
    ("http://[fe80::1]/", "refused_address"),
    // 127.0.0.1 in NAT64's and in 6to4's clothes.
    ("http://[64:ff9b::7f00:1]/", "refused_address"),
    ("http://[2002:7f00:1::]/", "refused_address"),
    ("http://evil.test:8081/", "refused_address"),
    ("http://localhost:8081/", "refused_address"),
    // 127.0.0.1 as one number, which old functions take for an address: in decimal it is no name.
    ("http://2130706433:8081/", "bad_url"),
    ("http://0x7f000001:8081/", "refused_address"),
    ("http://11.22.33.55:22/", "refused_address"),
    ("http://11.22.33.55:25/", "refused_address"),
    ("http://good.test:22/", "refused_address"),
    ("http://user:word@11.22.33.55:8081/file", "bad_url"),
    ("ftp://11.22.33.55:8081/file", "unsupported_scheme"),
    ("file:///etc/passwd", "unsupported_scheme"),
    ("http://11.22.33.55:8081/file", "ok"),
    ("http://[2600:1122:3344::55]:8081/file", "ok"),
    ("http://good.test:8081/other/file", "ok"),
    // Its name leads elsewhere when it is looked up again.
    ("http://rebind.test:8081/file", "ok"),
    ("http://[::ffff:127.0.0.1]/", "refused_address"),
    ("http://[::ffff:10.0.0.3]/", "refused_address"),
];

/// Where a web seed of the wide world redirects to, and what is to be said of that.
const REDIRECTS: &[(&str, &str)] = &[
    ("http://127.0.0.1:8081/file", "refused_address"),
    ("http://[::ffff:127.0.0.1]:8081/file", "refused_address"),
    ("http://[::1]:8081/file", "refused_address"),
    ("http://169.254.169.254/latest/meta-data/", "refused_address"),
    ("http://10.0.0.2:8081/file", "refused_address"),
    ("http://evil.test:8081/file", "refused_address"),
    ("http://2130706433:8081/file", "redirect"),
    ("http://11.22.33.55:22/", "refused_address"),
    ("http://11.22.33.55:25/", "refused_address"),
    ("//10.0.0.2:8081/file", "refused_address"),
    ("file:///etc/passwd", "redirect"),
    ("gopher://11.22.33.55:8081/", "redirect"),
    ("http://11.22.33.55:8081/file", "ok"),
    ("http://good.test:8081/file", "ok"),
    ("/file", "ok"),
];

/// Web seeds that the user names.
const BY_USER: &[&str] = &["http://127.0.0.1:8082/file", "http://10.0.0.2:8082/file", "http://10.0.0.2:25/file"];

/// Starts the web servers.
pub(super) fn serve(dialled: &Dialled) -> Result {
    [PORT, OF_USER, SERVICE].iter().try_for_each(|port| fakes::http(*port, dialled, answer).map(drop))
}

/// The range of the file, or a redirect by number.
fn answer(request: &Request) -> Vec<u8> {
    let number = request.path().strip_prefix("/to/").and_then(|number| number.parse::<usize>().ok());
    if let Some((location, _)) = number.and_then(|number| REDIRECTS.get(number)) {
        return fakes::found(location);
    }
    fakes::end_of_file(FILE.1)
}

/// Every way to aim us with a web seed.
pub(super) fn rows(namespace: &Namespace) -> Result<Vec<Row>> {
    let only = ["--sources", "web-seeds"];
    let torrent = |name: &str, url_list: Vec<&str>| of(namespace, name, url_list);
    let says = |status: &str| json!({"status": status, "complete": status == "ok"});
    // Of those with secrets or with an address in another's clothes, the URL is not shown as it is.
    let with_url = |url: &str, status: &str| match url.contains('@') || url.contains("ffff") {
        true => says(status),
        false => json!({"status": status, "complete": status == "ok", "url": url}),
    };
    let named = torrent("web seeds", NAMED.iter().map(|(url, _)| *url).collect())?;
    let named = Row::new("a torrent's web seeds", &named, 0).anywhere().args(only);
    let mut rows = vec![NAMED.iter().fold(named, |row, (url, status)| row.checks(with_url(url, status)))];
    for (number, (location, status)) in REDIRECTS.iter().enumerate() {
        let url = format!("http://11.22.33.44:{PORT}/to/{number}");
        let code = if *status == "ok" { 0 } else { 1 };
        let row = Row::new(
            format!("a web seed's redirect to {location}"),
            &torrent(&format!("to {number}"), vec![&url])?,
            code,
        );
        rows.push(row.anywhere().args(only).checks(says(status)));
    }
    let by_user = Row::new("the user's web seeds", &torrent("by user", Vec::new())?, 0).anywhere();
    rows.push(BY_USER.iter().fold(by_user, |row, url| row.web_seed(url).checks(with_url(url, "ok"))));
    Ok(rows)
}

/// A magnet link, whose files are not known: no web seed of it is asked.
pub(super) fn magnet(namespace: &Namespace) -> Result {
    let link = format!("magnet:?xt=urn:btih:{:040x}&ws=http://127.0.0.1:{PORT}/file&ws=http://11.22.33.55:22/", 7);
    let mut command = xtask::binary::command(namespace.prober.binary());
    command.args([link.as_str(), "--json", "--sources", "web-seeds"]);
    let report = crate::report::Report::of(&mut command)?;
    let asked = report.lines_of("web_seed").filter(|line| line["status"] != "not_asked").count();
    if asked == 0 { Ok(()) } else { Err(report.told(&["a magnet link's web seed is asked".to_owned()])) }
}

fn of(namespace: &Namespace, name: &str, url_list: Vec<&str>) -> Result<Torrent> {
    let content = SingleFile { url_list, ..SingleFile::new(FILE.0, FILE.1) };
    let file = namespace.folder.join(format!("{name}.torrent"));
    write(&file, content.to_bytes())?;
    Ok(torrents::known(file, &content.info_hash()))
}
