//! nginx in front of opentracker and of files: TLS with every kind of certificate, redirects, gzip.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::scratch::{Scratch, write};
use xtask::shell::Result;

use super::certificates::{Authority, CURRENT, Certificate, EXPIRED, FUTURE};
use super::ports::free_ports;
use super::process::Process;

/// How long nginx may take to listen.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// The user and group `nobody`.
const NOBODY: u32 = 65_534;

/// A running nginx.
pub(super) struct Nginx {
    pub(super) process: Process,
    pub(super) ports: Ports,
    /// The certificate to trust.
    pub(super) root: PathBuf,
    log: PathBuf,
}

/// Where it serves, each on 127.0.0.1.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    /// Plain HTTP: opentracker below `/announce` and below `/PASSKEY/announce`, the files elsewhere, and the redirects.
    pub(super) plain: u16,
    /// Plain HTTP, compressed.
    pub(super) gzip: u16,
    /// Plain HTTP, which ignores ranges.
    pub(super) whole: u16,
    /// TLS with a right certificate.
    pub(super) good: u16,
    /// TLS with a certificate for another name.
    pub(super) wrong_name: u16,
    /// TLS with a certificate of the past.
    pub(super) expired: u16,
    /// TLS with a certificate of the future.
    pub(super) future: u16,
    /// TLS with a certificate of no known authority.
    pub(super) self_signed: u16,
}

/// Redirects in a row that one of the locations makes, at most.
pub(super) const MOST_HOPS: u32 = 6;

impl Nginx {
    /// Makes the certificates, starts nginx and waits until it listens everywhere. It serves the files of `www`, and keeps its own
    /// in a folder of this name.
    pub(super) fn start(scratch: &Scratch, name: &str, tracker: SocketAddr, www: &Path) -> Result<Self> {
        let [plain, gzip, whole, good, wrong_name, expired, future, self_signed] = free_ports()?;
        let ports = Ports { plain, gzip, whole, good, wrong_name, expired, future, self_signed };
        let authority = Authority::new(&scratch.folder(&format!("{name}/certificates"))?)?;
        let folder = scratch.folder(&format!("{name}/nginx"))?;
        let tls = tls_servers(&authority, ports)?;
        for server in &tls {
            // Made by the lab, to be read by the user that nginx runs as.
            readable_by_nobody(&server.certificate.key)?;
        }
        readable_by_nobody(&folder)?;
        let config = folder.join("nginx.conf");
        write(&config, configuration(&folder, tracker, www, ports, &tls))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&config).args(["-e", "stderr"]);
        let mut process = Process::start_as_nobody("nginx", &command, &folder)?;
        for port in [plain, gzip, whole].into_iter().chain(tls.iter().map(|server| server.port)) {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            process.wait_until_listening(address, Instant::now() + UP_WITHIN)?;
        }
        Ok(Self { process, ports, root: authority.root(), log: folder.join("requests") })
    }

    /// One line for each request: port, target, credentials, and how much compression saved.
    pub(super) fn requests(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// A server with TLS.
struct TlsServer {
    port: u16,
    certificate: Certificate,
}

/// Every kind of certificate on its port.
fn tls_servers(authority: &Authority, ports: Ports) -> Result<[TlsServer; 5]> {
    let ours = "IP:127.0.0.1";
    let server = |port, certificate| TlsServer { port, certificate };
    Ok([
        server(ports.good, authority.issue("good", ours, CURRENT)?),
        server(ports.wrong_name, authority.issue("wrong-name", "DNS:other.example", CURRENT)?),
        server(ports.expired, authority.issue("expired", ours, EXPIRED)?),
        server(ports.future, authority.issue("future", ours, FUTURE)?),
        server(ports.self_signed, authority.self_signed("self-signed", "CA:FALSE")?),
    ])
}

/// Gives a file or folder to the user that nginx runs as; only root can, and only then it is another.
fn readable_by_nobody(path: &Path) -> Result {
    let failed = |error| format!("cannot give {} away: {error}", path.display());
    match chown(path, Some(NOBODY), Some(NOBODY)) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(failed),
    }
}

/// The whole configuration. Without a master process there is one process to end.
fn configuration(folder: &Path, tracker: SocketAddr, www: &Path, ports: Ports, tls: &[TlsServer]) -> String {
    let Ports { plain, gzip, whole, good, .. } = ports;
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .concat();
    let proxy = format!(
        "location /announce {{ proxy_pass http://{tracker}; }}\nlocation /scrape {{ proxy_pass http://{tracker}; }}\n\
         location ~ ^/[0-9a-f]+/announce$ {{ rewrite ^ /announce break; proxy_pass http://{tracker}; }}\n\
         root \"{}\";\n",
        www.display()
    );
    let mut servers = format!(
        "server {{ listen 127.0.0.1:{plain}; absolute_redirect off;\n{proxy}{} }}\n\
         server {{ listen 127.0.0.1:{gzip}; gzip on; gzip_min_length 1; gzip_proxied any; gzip_types *;\n{proxy} }}\n\
         server {{ listen 127.0.0.1:{whole}; max_ranges 0;\n{proxy} }}\n",
        redirects(plain, good)
    );
    for TlsServer { port, certificate: Certificate { certificate, key } } in tls {
        let (certificate, key) = (certificate.display(), key.display());
        servers.push_str(&format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n{proxy}\
             location /to-http {{ return 302 http://127.0.0.1:{plain}/announce?from=redirect&$args; }}\n\
             location /files-to-http/ {{ rewrite ^/files-to-http/(.*)$ http://127.0.0.1:{plain}/$1 redirect; }} }}\n"
        ));
    }
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ }}\nhttp {{\n{temporary}\
         log_format lab '$server_port $request_uri credentials=$http_authorization gzip=$gzip_ratio';\n\
         access_log {folder}/requests lab;\n{servers}}}\n"
    )
}

/// The redirects of the plain server, each at a path of its own below `/announce`.
fn redirects(plain: u16, good: u16) -> String {
    // The paths begin as a torrent's own tracker on a local address has to: else they may not be redirected to.
    let to = |path: &str, location: &str| format!("location /announce{path} {{ return 302 {location}; }}\n");
    let mut all = [
        to("/to-https", &format!("https://127.0.0.1:{good}/announce?from=redirect&$args")),
        to("/in-a-circle", "/announce/in-a-circle-too?$args"),
        to("/in-a-circle-too", "/announce/in-a-circle?$args"),
        to("/to-multicast", "http://224.0.0.1/announce?$args"),
        to("/to-unspecified", &format!("http://0.0.0.0:{plain}/announce?$args")),
        to("/to-ftp", "ftp://127.0.0.1/announce?$args"),
    ]
    .concat();
    let files = |path: &str, rule: &str| format!("location /files-{path}/ {{ {rule}; }}\n");
    let to_https = format!("rewrite ^/files-to-https/(.*)$ https://127.0.0.1:{good}/$1 redirect");
    all.push_str(&files("to-https", &to_https));
    all.push_str(&files("moved", "rewrite ^/files-moved/(.*)$ /$1 permanent"));
    all.push_str(&files("in-a-circle", "return 302 $request_uri"));
    all.push_str(&files("to-file", "return 302 file:///etc/passwd"));
    all.push_str(&files("forbidden", "return 403"));
    all.push_str(&to("/hop1", "/announce?$args"));
    (2..=MOST_HOPS)
        .for_each(|hop| all.push_str(&to(&format!("/hop{hop}"), &format!("/announce/hop{}?$args", hop - 1))));
    all
}
