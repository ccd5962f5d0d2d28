//! `bare HOST:PORT INFO-HASH`: an encrypted handshake by blocking calls, to measure the crate beside. Prints its milliseconds.

use mse::{Initiator, InitiatorConfig};
use peer_wire::{Handshake, Reserved};
use std::io::{Read, Write};
use std::{error::Error, net::TcpStream, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut stream = TcpStream::connect(arguments.next().ok_or("which peer?")?)?;
    let (begun, info_hash) = (Instant::now(), arguments.next().ok_or("which torrent?")?.parse()?);
    stream.set_nodelay(true)?;
    let (mut random, mut secret, mut pad) = ([0; 12], [0; 20], [0; 100]);
    [&mut random[..], &mut secret, &mut pad].into_iter().try_for_each(getrandom::fill)?;
    let (reserved, peer_id) = (Reserved::EXTENSION_PROTOCOL | Reserved::FAST, ids::PeerId::new(random));
    let ours = Handshake { reserved, info_hash, peer_id }.encode();
    let config = InitiatorConfig::new(info_hash, secret).with_pads(&pad, 0).with_initial_payload(&ours);
    let (mut initiator, mut established, mut received) = (Initiator::new(&config)?, None, bytes::BytesMut::new());
    while established.is_none() || received.len() < Handshake::LENGTH {
        stream.write_all(&initiator.output())?;
        let mut room = [0; 2048];
        let read = stream.read(&mut room)?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&stream).set_tcp_quickack(true)?;
        let new = room.get_mut(..read).filter(|new| !new.is_empty()).ok_or("it closed")?;
        match &mut established {
            None => received.extend_from_slice(new),
            Some(mse::Established { decrypt, .. }) => {
                decrypt.apply(new);
                received.extend_from_slice(new);
                continue;
            }
        }
        established = initiator.input(&mut received)?;
    }
    println!("{:.2}", begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
