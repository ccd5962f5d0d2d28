//! The real programs among the peers, each with its own address.

use crate::package::{self, Package};
use crate::population::{Kind, Peer};
use crate::{Result, namespace};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long they may take until they listen, and how long they then get to check their files.
const PATIENCE: Duration = Duration::from_secs(20);
const WARM_UP: Duration = Duration::from_secs(3);
/// What a real peer uploads at most, in KiB/s: no contender may be at the end of its download.
const UPLOAD: u32 = 20;

pub(crate) const LIBTORRENT: Package = package::libtorrent(("real.py", include_str!("real.py")));

/// They run; dropping it ends them.
pub(crate) struct Programs(Vec<Child>);

impl Drop for Programs {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts those of the peers that are real in this thread's namespace; the folder has their torrent and its file.
pub(crate) fn start(folder: &Path, peers: &[Peer]) -> Result<Programs> {
    let mut started = Programs(Vec::new());
    let mut sessions = Vec::new();
    for peer in peers.iter().filter(|peer| peer.kind.is_real()) {
        namespace::ip(&format!("address add {}/32 dev net", peer.v4))?;
        let mode = match peer.kind {
            Kind::Transmission => {
                started.0.push(quiet(&mut transmission(folder, peer)?)?);
                continue;
            }
            Kind::Aria2 => {
                started.0.push(quiet(&mut aria2(folder, peer)?)?);
                continue;
            }
            Kind::LibtorrentEncrypted => "encrypted",
            Kind::LibtorrentLeech => "leech",
            _ => "seed",
        };
        sessions.push(format!("{}:{mode}", peer.address));
    }
    started.0.push(libtorrent(folder, &sessions)?);
    let deadline = Instant::now() + PATIENCE;
    for peer in peers.iter().filter(|peer| peer.kind.is_real()) {
        wait_for(peer.address, deadline)?;
    }
    std::thread::sleep(WARM_UP);
    Ok(started)
}

/// A program that ends with this one, however that ends.
fn mortal(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

fn quiet(command: &mut Command) -> Result<Child> {
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// Until something listens there.
fn wait_for(address: SocketAddr, deadline: Instant) -> Result {
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            return Err(format!("nothing listens at {address}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn libtorrent(folder: &Path, sessions: &[String]) -> Result<Child> {
    let (name, text) = LIBTORRENT.script.ok_or("a package without a script")?;
    let script = folder.join(name);
    fs::write(&script, text)?;
    let mut command = Command::new(LIBTORRENT.program);
    command.arg(script).arg(folder.join("silent.torrent")).arg(folder).args(sessions);
    command.env("PYTHONPATH", LIBTORRENT.folder()?);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let stdout = child.stdout.as_mut().ok_or("no stdout")?;
    BufReader::new(stdout.by_ref()).read_line(&mut line)?;
    if line == "ready\n" { Ok(child) } else { Err("the peers of libtorrent did not start".into()) }
}

fn transmission(folder: &Path, peer: &Peer) -> Result<Command> {
    let (home, watched) = (folder.join(peer.v4.to_string()), folder.join(format!("{}-watched", peer.v4)));
    fs::create_dir_all(&home)?;
    fs::create_dir_all(&watched)?;
    fs::copy(folder.join("silent.torrent"), watched.join("it.torrent"))?;
    let settings = serde_json::json!({
        "bind-address-ipv4": peer.v4,
        "peer-port": peer.address.port(),
        "peer-port-random-on-start": false,
        "dht-enabled": false,
        "lpd-enabled": false,
        "pex-enabled": false,
        "utp-enabled": true,
        "port-forwarding-enabled": false,
        "rpc-enabled": false,
        "speed-limit-up-enabled": true,
        "speed-limit-up": UPLOAD,
        "peer-limit-per-torrent": 200,
        "download-dir": folder,
        "watch-dir-enabled": true,
        "watch-dir": watched,
        "start-added-torrents": true,
    });
    fs::write(home.join("settings.json"), settings.to_string())?;
    let mut command = mortal("transmission-daemon");
    command.arg("-f").arg("-g").arg(home).arg("--log-error");
    Ok(command)
}

fn aria2(folder: &Path, peer: &Peer) -> Result<Command> {
    let mut command = mortal("aria2c");
    command
        .args(["--no-conf", "--quiet", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"])
        .args([
            "--enable-peer-exchange=false",
            "--bt-seed-unverified=true",
            "--check-integrity=false",
            "--seed-ratio=0.0",
        ])
        .args(["--file-allocation=none", "--bt-max-peers=0", "--allow-overwrite=true"])
        .arg(format!("--max-upload-limit={UPLOAD}K"))
        .arg(format!("--listen-port={}", peer.address.port()))
        .arg(format!("--dir={}", text(folder)?))
        .arg(folder.join("silent.torrent"));
    Ok(command)
}

/// The path as text, for arguments.
pub(crate) fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().ok_or("a path that is not UTF-8")?.to_owned())
}
