//! Watches a swarm: each report of a tracker or a peer as soon as it is there, then the summary.
//! `cargo run -p client --example watch -- FILE.torrent`

use client::{Config, Event, Swarm, read_torrent};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: watch FILE.torrent")?;
    let config = Config::default();
    let torrent = read_torrent(path, config.deadline).await?;
    let mut swarm = Swarm::new(&torrent, config)?;
    while let Some(event) = swarm.next().await {
        match event {
            Event::Tracker(report) => println!("tracker {}  {}", report.url, report.status),
            Event::Peer(report) => {
                let more = report.client().or_else(|| report.error.clone()).unwrap_or_default();
                println!("peer {}  {}  {more}", report.address, report.outcome);
            }
            Event::Summary(summary) => println!("{} of {} peers shook hands", summary.ok, summary.peers),
            _ => {}
        }
    }
    swarm.shutdown().await;
    Ok(())
}
