//! opentracker behind nginx: certificates, redirects, gzip.

use serde_json::{Value, json};
use xtask::shell::Result;

use super::counts;
use super::nginx::Nginx;
use super::row::Row;
use super::secrets::PASSKEY;
use super::section::Lab;
use super::torrents::Torrent;

/// All rows, then what nginx and opentracker have seen.
pub(super) fn run(lab: &Lab) -> Result {
    let scratch = &lab.swarm.scratch;
    let mut nginx = Nginx::start(scratch, "proxied", lab.swarm.opentracker.address, &scratch.folder("no-files")?)?;
    let torrent = lab.swarm.torrents.spare()?;
    let judged = [
        lab.prober.judge("certificates", &Row::in_both_forms(certificates(&nginx, torrent))),
        lab.prober.judge("redirects", &Row::in_both_forms(redirects(&nginx, torrent))),
        lab.prober.judge("gzip and passkeys in the path", &Row::in_both_forms(plain(&nginx, torrent))),
    ];
    nginx.process.check_alive()?;
    let mut faults: Vec<String> = judged.into_iter().filter_map(Result::err).collect();
    faults.extend(seen_by_nginx(&nginx.requests()?));
    faults.extend(counts::wait_until_gone(lab.swarm.opentracker.address, &torrent.info_hash).err());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}

/// Each kind of certificate, with and without the authority's.
fn certificates(nginx: &Nginx, torrent: &Torrent) -> Vec<Row> {
    let ports = nginx.ports;
    let url = |port: u16| format!("https://127.0.0.1:{port}/announce");
    let answered = json!({"status": "ok", "http_status": 200, "family": "ipv4"});
    let failed = |status: &str| json!({"status": status, "http_status": null, "family": "ipv4"});
    let trusting = |name: &str, port: u16, code: i32, says: Value| {
        Row::new(name, torrent, code).args(["--tls-ca"]).args([nginx.root.display()]).tracker(url(port)).says(says)
    };
    vec![
        trusting("a right certificate", ports.good, 1, answered),
        trusting("a self-signed certificate", ports.self_signed, 3, failed("tls_self_signed")),
        trusting("another name", ports.wrong_name, 3, failed("tls_wrong_name")),
        trusting("an expired certificate", ports.expired, 3, failed("tls_expired")),
        trusting("a certificate of the future", ports.future, 3, failed("tls_not_yet_valid")),
        trusting("no TLS there", ports.plain, 3, failed("tls_plain_http")),
        Row::new("an unknown authority", torrent, 3).tracker(url(ports.good)).says(failed("tls_unknown_issuer")),
        Row::new("TLS there", torrent, 3)
            .tracker(format!("http://127.0.0.1:{}/announce", ports.good))
            .says(json!({"status": "http_status", "http_status": 400})),
    ]
}

/// Each kind of redirect.
fn redirects(nginx: &Nginx, torrent: &Torrent) -> Vec<Row> {
    let ports = nginx.ports;
    let plain = |path: &str| format!("http://127.0.0.1:{}/announce/{path}", ports.plain);
    let (to, says) = (&nginx.root, |status: &str| json!({"status": status}));
    let row = |name: &str, url: String, code: i32| {
        Row::new(name, torrent, code).args(["--tls-ca"]).args([to.display()]).tracker(url)
    };
    let refused = |path: &str, status: &str| row(path, plain(path), 3).says(says(status));
    let downgrade = format!("https://127.0.0.1:{}/to-http", ports.good);
    vec![
        row("to https", plain("to-https"), 1).says(json!({"status": "ok", "http_status": 200})),
        row("back to http", downgrade, 3).says(says("redirect_downgrade")),
        row("five in a row", plain("hop5"), 1).says(json!({"status": "ok", "http_status": 200})),
        row("six in a row", plain("hop6"), 3).says(says("too_many_redirects")),
        refused("in-a-circle", "redirect_loop"),
        refused("to-multicast", "refused_address"),
        refused("to-unspecified", "refused_address"),
        refused("to-ftp", "redirect"),
    ]
}

/// Compressed replies, and a passkey in the path.
fn plain(nginx: &Nginx, torrent: &Torrent) -> Vec<Row> {
    let ok = || json!({"status": "ok", "http_status": 200, "peers_v6": 0});
    let row = |name: &str, port: u16, path: &str| {
        Row::new(name, torrent, 1).tracker(format!("http://127.0.0.1:{port}/{path}")).says(ok())
    };
    let passkey = format!("{PASSKEY}/announce");
    vec![
        row("gzip", nginx.ports.gzip, "announce"),
        row("a passkey in the path", nginx.ports.plain, &passkey),
        row("a passkey in the path, shown", nginx.ports.plain, &passkey).shows_secrets(),
    ]
}

/// What must stand in nginx's log, and what must not.
fn seen_by_nginx(requests: &[String]) -> Vec<String> {
    let any = |wanted: &dyn Fn(&str) -> bool| requests.iter().any(|line| wanted(line));
    let redirected = |line: &str| line.contains("from=redirect");
    let has_credentials = |line: &str| line.contains("credentials=Basic ");
    let checks = [
        (any(&|line| !line.ends_with("gzip=-")), "no reply was compressed"),
        (any(&|line| line.contains("/announce") && !redirected(line) && has_credentials(line)), "no credentials came"),
        (any(&redirected), "no run followed the redirect to https"),
        (!any(&|line| redirected(line) && has_credentials(line)), "credentials were sent on to another origin"),
        (any(&|line| line.contains("event=stopped")), "no run sent `stopped`"),
    ];
    let faults = checks.iter().filter(|(right, _)| !right).map(|(_, fault)| format!("nginx: {fault}"));
    faults.collect()
}
