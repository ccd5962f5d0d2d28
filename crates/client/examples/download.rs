//! The facade as it is promised to users; `RUST_LOG=debug` shows each step:
//! `RUST_LOG=debug cargo run -p client --example download` beside an `example.torrent`.

use client::{BitTorrentClient, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    env_logger::init();
    let client = BitTorrentClient::new();
    client.download("example.torrent").await
}
