//! Web seeds at real servers, each as it answers by default: ranges, names, sizes and bytes that are not the torrent's, TLS,
//! redirects.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xtask::shell::Result;

use super::nginx::Nginx;
use super::row::Row;
use super::secrets::PASSKEY;
use super::section::Lab;
use super::torrents::{Maker, Torrent};
use super::web_servers::{self, WebServer};
use crate::payload;

/// The name of the section.
pub(super) const NAME: &str = "web-seeds";

/// A payload of one file.
const FILE: &str = "one file.bin";
/// A payload whose names are hard to ask for, with pages that servers treat in ways of their own.
const SET: &str = "a set";
/// A payload of many files.
const MANY: &str = "many";
/// How many.
const MANY_FILES: usize = 10_000;

/// The files of the set, with their sizes in bytes. No more than a sample has.
const FILES: &[(&str, usize)] = &[
    ("a.bin", 300_000),
    ("c#d %41+ \u{e9}?.bin", 5000),
    ("empty", 0),
    ("index.html", 3000),
    ("one", 1),
    ("readme.txt", 50_000),
    ("sub dir/x.html", 3001),
];

/// A file that a mirror has in another size, or not at all.
type OtherFile = (&'static str, Option<usize>);

/// Copies of the set on the server, each at a path of its own.
const MIRRORS: &[(&str, &[OtherFile])] =
    &[("behind", &[("a.bin", Some(299_999)), ("readme.txt", Some(60_000))]), ("incomplete", &[("one", None)])];

/// A copy with other bytes of the same size.
const OTHER_BYTES: &str = "other-bytes";

/// All rows, then what nginx has seen.
pub(super) fn run(lab: &Lab) -> Result {
    let scratch = &lab.swarm.scratch;
    let www = scratch.folder("www")?;
    let site = Site::make(www.clone())?;
    let mut nginx = Nginx::start(scratch, NAME, lab.swarm.opentracker.address, &www)?;
    let mut servers = web_servers::start_all(lab.skips, NAME, scratch, &www)?;
    let sets = [ranges(&nginx, &servers, &site), stale(&nginx, &servers, &site), paths(&nginx, &site)?];
    let rows = sets.into_iter().flatten().chain(certificates(&nginx, &site)).chain(redirects(&nginx, &site)).collect();
    let judged = lab.prober.judge("web seeds", &Row::in_both_forms(rows));
    nginx.process.check_alive()?;
    servers.iter_mut().try_for_each(|server| server.process.check_alive())?;
    let mut faults: Vec<String> = judged.err().into_iter().collect();
    faults.extend(seen_by_nginx(&nginx.requests()?));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// What the servers serve, and its torrents.
struct Site {
    www: PathBuf,
    file: Torrent,
    set: Torrent,
    many: Torrent,
}

impl Site {
    fn make(www: PathBuf) -> Result<Self> {
        payload::write_files(&www, &[(FILE, 700_001)])?;
        let of = |folder: &str, files: &[(&str, usize)]| payload::write_files(&www.join(folder), files);
        of(SET, FILES)?;
        for (mirror, others) in MIRRORS {
            let size = |name: &str, size: usize| {
                others.iter().find(|(other, _)| *other == name).map_or(Some(size), |(_, other)| *other)
            };
            let files: Vec<_> = FILES.iter().filter_map(|(name, bytes)| Some((*name, size(name, *bytes)?))).collect();
            of(&format!("{mirror}/{SET}"), &files)?;
        }
        with_other_bytes(&www.join(FILE), &www.join(OTHER_BYTES))?;
        let names: Vec<String> = (0..MANY_FILES).map(|number| format!("{}/{number}", number % 100)).collect();
        of(MANY, &names.iter().map(|name| (name.as_str(), 10)).collect::<Vec<_>>())?;
        let maker = Maker { folder: &www, announce: "http://192.0.2.1/announce" };
        let [file, set, many] = [FILE, SET, MANY].map(|payload| maker.mktorrent(&format!("of {payload}"), payload));
        Ok(Self { file: file?, set: set?, many: many?, www })
    }
}

/// A copy of a file in a folder, each byte another one.
fn with_other_bytes(file: &Path, folder: &Path) -> Result {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let bytes: Vec<u8> = fs::read(file).map_err(failed)?.iter().map(|byte| !byte).collect();
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(folder.join(file.file_name().unwrap_or_default()), bytes).map_err(failed)
}

/// The files of the set that are asked for, each with this status.
fn all(status: &'static str) -> Vec<(&'static str, &'static str)> {
    FILES.iter().filter(|(_, size)| *size > 0).map(|(name, _)| (*name, status)).collect()
}

/// The same, but for some of them.
fn all_but(status: &'static str, others: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let other = |name: &str| others.iter().find(|(other, _)| *other == name).map(|(_, status)| *status);
    all(status).into_iter().map(|(name, status)| (name, other(name).unwrap_or(status))).collect()
}

/// Whether each server honours ranges, for names of every kind; and that a piece of it has the right hash.
fn ranges(nginx: &Nginx, servers: &[WebServer], site: &Site) -> Vec<Row> {
    let nginx = [
        ("nginx", nginx.ports.plain),
        ("nginx with gzip", nginx.ports.gzip),
        ("nginx without ranges", nginx.ports.whole),
    ];
    let others = servers.iter().map(|server| (server.name, server.address.port()));
    let quirks = json!(["number_sign", "percent_sign"]);
    let of = |(name, port): (&str, u16)| {
        let status = if ["python", "nginx without ranges"].contains(&name) { "range_ignored" } else { "ok" };
        let url = format!("http://127.0.0.1:{port}/");
        let complete = json!({"status": status, "complete": true, "proved": null, "quirks": quirks, "url": url});
        let set = Row::new(name, &site.set, 0).web_seed(&url).checks_files(complete.clone(), &all(status));
        let command = Row::new(format!("{name}, web-seeds"), &site.set, 0).by("web-seeds").args(["--web-seed", &url]);
        let mut rows = vec![set, command.checks_files(complete, &all(status))];
        if status == "ok" {
            let proved = json!({"status": "ok", "complete": true, "proved": true});
            let run = Row::new(format!("{name}, proof"), &site.set, 0).web_seed(&url);
            let command = Row::new(format!("{name}, web-seeds --proof"), &site.set, 0).by("web-seeds");
            rows.push(run.args(["--web-seeds", "proof"]).checks(proved.clone()));
            rows.push(command.args(["--proof", "--web-seed", &url]).checks(proved));
        }
        rows
    };
    nginx.into_iter().chain(others).flat_map(of).collect()
}

/// Servers whose files are not, or no longer, those of the torrent.
fn stale(nginx: &Nginx, servers: &[WebServer], site: &Site) -> Vec<Row> {
    let nginx = [("nginx", nginx.ports.plain, "ok"), ("nginx without ranges", nginx.ports.whole, "range_ignored")];
    let status = |name: &str| if name == "python" { "range_ignored" } else { "ok" };
    let others = servers.iter().map(|server| (server.name, server.address.port(), status(server.name)));
    let of = |(name, port, right): (&'static str, u16, &'static str)| {
        let url = |path: &str| format!("http://127.0.0.1:{port}/{path}/");
        let not = |status: &str| json!({"status": status, "complete": false});
        let row = |what: &str, torrent: &Torrent, code: i32, path: &str| {
            Row::new(format!("{name}, {what}"), torrent, code).web_seed(url(path))
        };
        let behind = all_but(right, &[("a.bin", "wrong_size"), ("readme.txt", "wrong_size")]);
        let lies = row("other bytes, proof", &site.file, 1, OTHER_BYTES).args(["--web-seeds", "proof"]);
        let mut rows = vec![
            row("two files behind", &site.set, 1, "behind").checks_files(not("wrong_size"), &behind),
            row("one file missing", &site.set, 1, "incomplete")
                .checks_files(not("missing"), &all_but(right, &[("one", "missing")])),
            row("other bytes", &site.file, 0, OTHER_BYTES).checks(json!({"status": right, "complete": true})),
        ];
        rows.extend((right == "ok").then(|| lies.checks(json!({"status": "wrong_hash", "proved": false}))));
        rows
    };
    nginx.into_iter().chain(others).flat_map(of).collect()
}

/// One file and many, with and without a final slash.
fn paths(nginx: &Nginx, site: &Site) -> Result<Vec<Row>> {
    let port = nginx.ports.plain;
    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let ok = || json!({"status": "ok", "complete": true, "quirks": []});
    let row = |name: &str, torrent: &Torrent, code: i32, path: &str| Row::new(name, torrent, code).web_seed(url(path));
    let maker = Maker { folder: &site.www, announce: "" };
    let own = maker.with_web_seeds("own web seed", FILE, &[&url("")])?;
    let no_slash = json!({"status": "wrong_size", "quirks": ["no_final_slash", "number_sign", "percent_sign"]});
    Ok(vec![
        row("one file, final slash", &site.file, 0, "").checks_files(ok(), &[(FILE, "ok")]),
        row("one file, no final slash", &site.file, 0, "one%20file.bin").checks_files(ok(), &[(FILE, "ok")]),
        row("one file, a blank as it is", &site.file, 0, "one file.bin").checks_files(ok(), &[(FILE, "ok")]),
        row("one file, a folder", &site.file, 1, "a%20set/sub%20dir")
            .checks(json!({"status": "forbidden", "complete": false})),
        row("several files, no final slash", &site.set, 1, "behind").checks(no_slash),
        row("10,000 files", &site.many, 0, "").checks(ok()).sums_up(json!({"web_seeds": {"files_checked": 8}})),
        row("10,000 files, all", &site.many, 0, "")
            .quiet()
            .args(["--web-seeds", "all"])
            // At the usual pace they take 100 s.
            .args(["--limit", "web-seed-requests=0"])
            .checks(ok())
            .sums_up(json!({"web_seeds": {"files_checked": MANY_FILES, "files": MANY_FILES, "complete": 1}})),
        // The torrent's own may not be local.
        Row::new("a torrent's own web seed", &own, 3)
            .args(["--sources", "web-seeds"])
            .checks(json!({"status": "refused_address", "complete": false})),
    ])
}

/// Each kind of certificate.
fn certificates(nginx: &Nginx, site: &Site) -> Vec<Row> {
    let ports = nginx.ports;
    let row = |name: &str, code: i32, port: u16, says: Value| {
        Row::new(name, &site.file, code).web_seed(format!("https://127.0.0.1:{port}/")).checks(says)
    };
    let trusting = |row: Row| row.args(["--tls-ca".to_owned(), nginx.root.display().to_string()]);
    let failed = |status: &str| json!({"status": status, "complete": false});
    let mut rows: Vec<Row> = [
        row("a right certificate", 0, ports.good, json!({"status": "ok", "complete": true})),
        row("a self-signed certificate", 3, ports.self_signed, failed("tls_self_signed")),
        row("another name", 3, ports.wrong_name, failed("tls_wrong_name")),
        row("an expired certificate", 3, ports.expired, failed("tls_expired")),
        row("a certificate of the future", 3, ports.future, failed("tls_not_yet_valid")),
        row("no TLS there", 3, ports.plain, failed("tls_plain_http")),
    ]
    .map(trusting)
    .into();
    rows.push(row("an unknown authority", 3, ports.good, failed("tls_unknown_issuer")));
    rows
}

/// Each kind of redirect, and what is refused; credentials are the user's and stay at their origin.
fn redirects(nginx: &Nginx, site: &Site) -> Vec<Row> {
    let ports = nginx.ports;
    let row = |name: &str, code: i32, url: String, says: Value| {
        let trust = ["--tls-ca".to_owned(), nginx.root.display().to_string()];
        Row::new(name, &site.file, code).web_seed(url).args(trust).checks(says)
    };
    let plain = |path: &str| format!("http://127.0.0.1:{}/files-{path}/", ports.plain);
    let not = |status: &str| json!({"status": status, "complete": false});
    let to = |port: u16, scheme: &str| {
        let target = format!("{scheme}://127.0.0.1:{port}/one%20file.bin");
        json!({"status": "ok", "complete": true, "files": [{"status": "ok", "redirected_to": target}]})
    };
    let secret = format!(
        "http://lab-user-7391:lab-word-5527@127.0.0.1:{}/files-to-https/one%20file.bin?passkey={PASSKEY}",
        ports.plain
    );
    vec![
        row("to https", 0, plain("to-https"), to(ports.good, "https")),
        row("to another path", 0, plain("moved"), to(ports.plain, "http")),
        row("back to http", 1, format!("https://127.0.0.1:{}/files-to-http/", ports.good), not("redirect_downgrade")),
        row("in a circle", 1, plain("in-a-circle"), not("redirect_loop")),
        row("to a file", 1, plain("to-file"), not("redirect")),
        row("forbidden", 1, plain("forbidden"), not("forbidden")),
        row("credentials", 0, secret, json!({"status": "ok", "complete": true})),
    ]
}

/// What must stand in nginx's log, and what must not.
fn seen_by_nginx(requests: &[String]) -> Vec<String> {
    let any = |wanted: &dyn Fn(&str) -> bool| requests.iter().any(|line| wanted(line));
    let has_credentials = |line: &str| line.contains("credentials=Basic ");
    let redirected = |line: &str| line.contains("/files-");
    let checks = [
        (any(&|line| redirected(line) && has_credentials(line)), "no credentials came"),
        (!any(&|line| !redirected(line) && has_credentials(line)), "credentials were sent on to another origin"),
        (!any(&|line| !line.ends_with("gzip=-")), "a reply was compressed"),
    ];
    let faults = checks.iter().filter(|(right, _)| !right).map(|(_, fault)| format!("nginx: {fault}"));
    faults.collect()
}
