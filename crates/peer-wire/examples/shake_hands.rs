//! Exchanges handshakes with one peer and prints its peer id and capabilities; no runtime needed:
//! `cargo run -p peer-wire --example shake_hands -- ADDRESS:PORT INFO_HASH`

use bytes::BytesMut;
use ids::PeerId;
use peer_wire::{Handshake, Reserved};
use std::error::Error;
use std::io::{Read, Write};
use std::{net::TcpStream, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: shake_hands ADDRESS:PORT INFO_HASH";
    let mut stream = TcpStream::connect(args.next().ok_or(usage)?)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut entropy = [0; 12];
    getrandom::fill(&mut entropy)?;
    let info_hash = args.next().ok_or(usage)?.parse()?;
    let ours = Handshake { reserved: Reserved::default(), info_hash, peer_id: PeerId::new(entropy) };
    let theirs = shake_hands(&mut stream, &ours)?;
    println!("{} has {}", theirs.peer_id, theirs.info_hash);
    println!("it speaks: {}", theirs.reserved.names().collect::<Vec<_>>().join(", "));
    Ok(())
}

/// Sends our handshake over any stream and waits for the peer's.
fn shake_hands(stream: &mut (impl Read + Write), ours: &Handshake) -> Result<Handshake, Box<dyn Error>> {
    stream.write_all(&ours.encode())?;
    let (mut received, mut chunk) = (BytesMut::new(), [0; 1024]);
    loop {
        if let Some(theirs) = Handshake::decode(&mut received)? {
            return Ok(theirs);
        }
        match stream.read(&mut chunk)? {
            0 => return Err("closed before the whole handshake was there".into()),
            length => received.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}
