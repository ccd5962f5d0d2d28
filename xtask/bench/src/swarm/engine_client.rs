//! The engine alone: `client::Swarm` with all its reports, on the runtime that the command uses, without output.

use crate::Result;
use crate::reading::Reading;
use client::{Config, EncryptionPolicy, Event, Outcome, Swarm, TransportPolicy};
use metainfo::Torrent;
use std::time::{Duration, Instant};

/// The argument with which this program starts itself as this client.
pub(crate) const TASK: &str = "engine-client";

/// Runs the engine for one torrent.
pub(crate) fn run(args: &[&str]) -> Result {
    let [torrent, at_once, flags, timeout, transport] = *args else { return Err("wrong arguments".into()) };
    let torrent = Torrent::parse(&std::fs::read(torrent)?)?;
    let transport = match transport {
        "tcp" => TransportPolicy::Tcp,
        "utp" => TransportPolicy::Utp,
        _ => TransportPolicy::Auto,
    };
    let config = config(at_once.parse()?, flags == "lean", Duration::from_millis(timeout.parse()?));
    let config = config.with_transport(transport);
    let reading = runtime()?.block_on(shake(&torrent, config))?;
    println!("{}", { reading }.summary().to_line());
    Ok(())
}

/// A runtime like that of the command.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// `lean` is what the epoll client does: no linger, no encryption, all peers, no pace.
pub(crate) fn config(at_once: usize, lean: bool, timeout: Duration) -> Config {
    let defaults = Config::default()
        .with_dht_bootstrap(Vec::new())
        .with_concurrency(Some(at_once))
        .with_connect_timeout(timeout)
        .with_handshake_timeout(timeout);
    if !lean {
        return defaults;
    }
    defaults.with_linger(Duration::ZERO).with_encryption(EncryptionPolicy::Off).with_max_peers(None).with_rate(0)
}

/// One run, of which every report is taken and dropped.
pub(crate) async fn shake(torrent: &Torrent, config: Config) -> Result<Reading> {
    let begun = Instant::now();
    let mut reading = Reading::default();
    let mut swarm = Swarm::new(torrent, config)?;
    while let Some(event) = swarm.next().await {
        let Event::Peer(report) = std::hint::black_box(event) else { continue };
        match (report.outcome, report.connect, report.handshake) {
            (Outcome::Ok, Some(connect), Some(handshake)) => reading.ok(connect + handshake, begun.elapsed()),
            (Outcome::Ok, ..) => return Err("a valid handshake without its times".into()),
            _ => reading.failed(),
        }
    }
    swarm.shutdown().await;
    Ok(reading)
}
