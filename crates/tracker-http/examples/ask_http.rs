//! Asks an HTTP or HTTPS tracker for the peers of a torrent, and announces `stopped`:
//! `cargo run -p tracker-http --example ask_http -- https://tracker.example/announce INFO_HASH`

use http_exchange::Tls;
use std::error::Error;
use tokio::net::TcpStream;
use tracker::{Announce, Announced, Event, Host, Scheme, TrackerUrl};
use tracker_http::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: ask_http URL INFO_HASH";
    let url: TrackerUrl = args.next().ok_or(usage)?.parse()?;
    let info_hash = args.next().ok_or(usage)?.parse()?;
    let mut entropy = [0; 12];
    getrandom::fill(&mut entropy)?;
    let started = Announce::started(info_hash, ids::PeerId::new(entropy), 50_000, getrandom::u32()?);
    let announced = ask(&url, &started).await?;
    println!("{} peers", announced.peers.len());
    announced.peers.iter().for_each(|peer| println!("{}", peer.address));
    ask(&url, &started.with_event(Event::Stopped)).await?;
    Ok(())
}

/// Connects by the scheme of the URL, and announces.
async fn ask(url: &TrackerUrl, announce: &Announce<'_>) -> Result<Announced, Box<dyn Error>> {
    let stream = match url.host() {
        Host::Ip(ip) => TcpStream::connect((*ip, url.port())).await?,
        Host::Name(name) => TcpStream::connect((name.as_str(), url.port())).await?,
    };
    let client = Client::default();
    if url.scheme() != Scheme::Https {
        return Ok(client.over(stream).await?.announce(url, announce).await?.answer);
    }
    let stream = Tls::default().connect(stream, &url.host().to_string(), client.timeout).await?;
    Ok(client.over(stream).await?.announce(url, announce).await?.answer)
}
