//! Asks a UDP tracker for the peers of a torrent, and announces `stopped`:
//! `cargo run -p tracker-udp --example ask_udp -- udp://tracker.example:6969/announce INFO_HASH`

use ids::PeerId;
use std::error::Error;
use tokio::net::UdpSocket;
use tracker::{Announce, Event, TrackerUrl};
use tracker_udp::Session;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: ask_udp URL INFO_HASH";
    let url: TrackerUrl = args.next().ok_or(usage)?.parse()?;
    let info_hash = args.next().ok_or(usage)?.parse()?;
    let mut entropy = [0; 12];
    getrandom::fill(&mut entropy)?;

    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    // The URL of a UDP tracker always names a port.
    socket.connect(url.authority()).await?;
    // No other program on this machine has this port, so the tracker replaces no other client.
    let port = socket.local_addr()?.port();
    let started = Announce::started(info_hash, PeerId::new(entropy), port, getrandom::u32()?);
    let mut session = Session::new(socket, &url)?;
    let reply = session.announce(&started, getrandom::u32()?).await?;
    println!("{} peers", reply.content.peers.len());
    reply.content.peers.iter().for_each(|peer| println!("{}", peer.address));
    session.announce(&started.with_event(Event::Stopped), getrandom::u32()?).await?;
    Ok(())
}
