//! Serves a swarm of good peers and its tracker on loopback until standard input ends, for trying a client by hand:
//! `cargo run --release -p fake-swarm --example swarm -- 1000 /tmp/swarm.torrent`

use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, Peer, TrackerScript, peer_ip};
use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: swarm PEERS FILE.torrent";
    let peers: u32 = args.next().ok_or(usage)?.parse()?;
    let path = args.next().ok_or(usage)?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let tracker = FakeTracker::start(TrackerScript::peers(Vec::<std::net::SocketAddr>::new()))?;
    let url = tracker.announce_url();
    let torrent = SingleFile { announce: Some(&url), ..SingleFile::new("swarm.bin", 1 << 30) };
    let scripts: Vec<_> = (0..peers).map(|n| (peer_ip(n), Peer::default())).collect();
    let swarm = FakeSwarm::start(torrent.info_hash(), &scripts)?;
    tracker.set_script(TrackerScript::peers(swarm.endpoints()));
    std::fs::write(&path, torrent.to_bytes())?;
    println!("{peers} peers and {url} serve {path}; end the input to stop");

    let (ended, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = runtime.block_on(wait);
    println!("{} connections were made", swarm.accepted());
    Ok(())
}
