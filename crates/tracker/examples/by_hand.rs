//! Prints the URL of an announce, to be fetched by another program, and the peers in the fetched reply:
//! `cargo run -p tracker --example by_hand -- http://tracker.example/announce INFO_HASH [REPLY]`

use ids::PeerId;
use std::error::Error;
use tracker::{Announce, Announced, Scheme, TrackerUrl};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: by_hand URL INFO_HASH [REPLY]";
    let url: TrackerUrl = args.next().ok_or(usage)?.parse()?;
    let info_hash = args.next().ok_or(usage)?.parse()?;
    let announce = Announce::started(info_hash, PeerId::new(*b"asks-by-hand"), 50_000, 1);
    let scheme = match url.scheme() {
        Scheme::Http => "http",
        Scheme::Https => "https",
        _ => return Err("a UDP tracker has no URL that can be fetched".into()),
    };
    println!("{scheme}://{}{}", url.authority(), url.target_with(&announce.query()));
    if let Some(reply) = args.next() {
        let announced = Announced::parse(&std::fs::read(reply)?)?;
        announced.peers.iter().for_each(|peer| println!("{}", peer.address));
    }
    Ok(())
}
