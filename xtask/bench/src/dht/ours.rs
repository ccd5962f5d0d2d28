//! Our lookup with nothing around it but a socket: no pace, no runtime.

use crate::Result;
use crate::emulator::wait_for;
use crate::lookup::random::Random;
use crate::turn::Turn;
use dht::NodeId;
use dht::krpc::Message;
use dht::lookup::{Family, Lookup, Options, Start};
use guard::AddressPolicy;
use ids::InfoHash;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Instant;

/// A lookup from its start to its end.
pub(crate) fn look_up(turn: &Turn) -> Result {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, turn.port))?;
    socket.set_nonblocking(true)?;
    let mut random = Random(u64::from_be_bytes(turn.target.0[..8].try_into()?));
    let options = Options::new(Family::V4, NodeId(random.bytes()));
    let mut lookup = Lookup::new(InfoHash(turn.target.0), options, Instant::now());
    for (address, id) in &turn.nodes {
        lookup.add_contact(Start { address: *address, id: *id, policy: AddressPolicy::User });
    }
    let mut buffer = vec![0; 1 << 16];
    loop {
        while let Some((to, query)) = lookup.poll_query(Instant::now(), random.bytes()) {
            socket.send_to(&query.encode(), to)?;
        }
        let Some(wake) = lookup.next_wake() else { return Ok(()) };
        wait_for(&socket, wake.saturating_duration_since(Instant::now()))?;
        let (length, from) = match socket.recv_from(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            received => received?,
        };
        // An answer that counts for nothing is no error here: late ones of the lookup before come too.
        match Message::parse(&buffer[..length]) {
            Ok(Message::Reply(reply)) => drop(lookup.reply(Instant::now(), from, &reply)),
            Ok(Message::Error(refusal)) => drop(lookup.refused(Instant::now(), from, &refusal)),
            Ok(Message::Query(_)) | Err(_) => {}
        }
    }
}
