//! Prints a query for the peers of a torrent, to be sent by another program, and what a recorded datagram says:
//! `cargo run -p dht --example read_reply -- INFO_HASH [DATAGRAM]`

use dht::NodeId;
use dht::krpc::{Message, Method, Query};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let info_hash = args.next().ok_or("usage: read_reply INFO_HASH [DATAGRAM]")?.parse()?;
    let id = NodeId::for_address([192, 0, 2, 1].into(), *b"20 bytes of entropy!");
    let method = Method::GetPeers { info_hash, scrape: false };
    println!("{}", Query { transaction: *b"0001", id, method }.encode().escape_ascii());
    let Some(file) = args.next() else { return Ok(()) };
    match Message::parse(&std::fs::read(file)?)? {
        Message::Reply(reply) => {
            let target = NodeId::from(info_hash);
            println!("node {}, {} bits shared", reply.id, target.distance(&reply.id).shared_bits());
            reply.version.iter().for_each(|version| println!("software {version}"));
            reply.nodes.iter().for_each(|node| println!("node {} at {}", node.id, node.address));
            reply.peers.iter().for_each(|peer| println!("peer {peer}"));
        }
        Message::Error(refusal) => println!("{refusal}"),
        Message::Query(query) => println!("asks {}", query.method.escape_ascii()),
    }
    Ok(())
}
