//! `bare HOST:PORT INFO-HASH TIMES`: encrypted handshakes by blocking calls and with no timer, to measure this crate's own times
//! beside. Prints how long each took from the connection on, in milliseconds, the shortest first.

use bytes::BytesMut;
use mse::{Initiator, InitiatorConfig};
use peer_wire::{Handshake, Reserved};
use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("HOST:PORT INFO-HASH TIMES");
    let (peer, info_hash, times): (_, ids::InfoHash, usize) = (next()?, next()?.parse()?, next()?.parse()?);
    let mut took = Vec::new();
    for _ in 0..times {
        took.push(once(&peer, info_hash)?.as_secs_f64() * 1e3);
        // Clients refuse an address that comes back sooner.
        std::thread::sleep(Duration::from_millis(1500));
    }
    took.sort_by(f64::total_cmp);
    println!("{}", took.iter().map(|took| format!("{took:.2}")).collect::<Vec<_>>().join(" "));
    Ok(())
}

fn once(peer: &str, info_hash: ids::InfoHash) -> Result<Duration, Box<dyn std::error::Error>> {
    let (mut random, mut secret, mut pad) = ([0; 12], [0; 20], [0; 100]);
    [&mut random[..], &mut secret, &mut pad].into_iter().try_for_each(getrandom::fill)?;
    let reserved = Reserved::EXTENSION_PROTOCOL | Reserved::FAST;
    let ours = Handshake { reserved, info_hash, peer_id: ids::PeerId::new(random) }.encode();
    let config = InitiatorConfig::new(info_hash, secret).with_pads(&pad, 0).with_initial_payload(&ours);
    let mut stream = TcpStream::connect(peer)?;
    let begun = Instant::now();
    stream.set_nodelay(true)?;
    let (mut initiator, mut received) = (Initiator::new(&config)?, BytesMut::new());
    let mut established = loop {
        stream.write_all(&initiator.output())?;
        read(&mut stream, &mut received)?;
        if let Some(established) = initiator.input(&mut received)? {
            break established;
        }
    };
    while received.len() < Handshake::LENGTH {
        let from = received.len();
        read(&mut stream, &mut received)?;
        established.decrypt.apply(received.get_mut(from..).unwrap_or_default());
    }
    let took = begun.elapsed();
    Handshake::decode(&mut received)?.filter(|theirs| theirs.info_hash == info_hash).ok_or("another torrent")?;
    Ok(took)
}

/// Reads what is there, and asks the system to acknowledge it at once.
fn read(stream: &mut TcpStream, into: &mut BytesMut) -> std::io::Result<()> {
    let mut room = [0; 2048];
    let read = stream.read(&mut room)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&*stream).set_tcp_quickack(true)?;
    into.extend_from_slice(room.get(..read).unwrap_or_default());
    if read == 0 { Err(Error::from(ErrorKind::UnexpectedEof)) } else { Ok(()) }
}
