//! What a peer over uTP, or another in its name, can send beside the right packets.

use std::time::Duration;

use crate::raw_utp::packet::UtpPacket;
use crate::raw_utp::script::{UtpQuestion, UtpReply, UtpScript};

/// What this peer can send before each of its answers: the connection must go on, and bring what it brings without.
#[must_use]
pub fn utp(peer: &UtpScript) -> Vec<(&'static str, UtpScript)> {
    let before = |edit: fn(&UtpQuestion) -> Vec<Vec<u8>>| {
        peer.clone().edited(move |question, reply: &mut UtpReply| reply.before = edit(question))
    };
    let one = |edit: fn(&mut UtpPacket)| {
        peer.clone().edited(move |question, reply: &mut UtpReply| {
            let kinds = [UtpPacket::DATA, UtpPacket::FIN, UtpPacket::STATE, UtpPacket::RESET];
            let packets = kinds.into_iter().filter_map(|kind| question.answer(kind)).map(|mut packet| {
                packet.payload = b"forged".to_vec();
                edit(&mut packet);
                packet.to_bytes()
            });
            reply.before = packets.collect();
        })
    };
    vec![
        ("noise of every length", before(noise)),
        ("packets cut off at every length", before(cut)),
        ("extensions without end", before(extensions)),
        ("unknown types and versions", before(unknown)),
        ("the id of no connection", one(|packet| packet.id ^= 0x4000)),
        ("acknowledgements ahead", one(|packet| packet.ack = packet.ack.wrapping_add(16))),
        ("acknowledgements far ahead", one(|packet| packet.ack = packet.ack.wrapping_add(0x7fff))),
        ("acknowledgements far behind", one(|packet| packet.ack = packet.ack.wrapping_sub(0x4000))),
        ("our own packet", before(|question| vec![question.bytes.clone()])),
        (
            "SYNs",
            before(|question| question.answer(UtpPacket::SYN).map(|syn| vec![syn.to_bytes(); 100]).unwrap_or_default()),
        ),
        ("a message of the DHT", before(|_| vec![b"d1:q4:ping1:t4:tttt1:y1:qe".to_vec()])),
        (
            "every packet five times",
            peer.clone().edited(|_, reply| {
                reply.packets = reply.packets.iter().flat_map(|packet| vec![packet.clone(); 5]).collect();
            }),
        ),
        (
            "the last packet first",
            peer.clone().edited(|question, reply| {
                // The SYN-ACK stays the first.
                if question.before > 0 {
                    reply.packets.reverse();
                }
            }),
        ),
        ("the last answer without end", peer.clone().again(Duration::from_millis(1))),
    ]
}

fn noise(_: &UtpQuestion) -> Vec<Vec<u8>> {
    (0..1_500_u32).step_by(7).map(|length| (0..length).map(|at| (at.wrapping_mul(151) % 251) as u8).collect()).collect()
}

fn cut(question: &UtpQuestion) -> Vec<Vec<u8>> {
    let Some(mut data) = question.answer(UtpPacket::DATA) else { return Vec::new() };
    data.extensions = vec![(1, vec![0xff; 4]), (3, vec![0, 0, 0, 15])];
    let bytes = data.to_bytes();
    (0..bytes.len()).filter_map(|length| bytes.get(..length)).map(<[u8]>::to_vec).collect()
}

fn extensions(question: &UtpQuestion) -> Vec<Vec<u8>> {
    let Some(mut state) = question.answer(UtpPacket::RESET) else { return Vec::new() };
    state.extensions = vec![(2, Vec::new()); 700];
    vec![state.to_bytes()]
}

fn unknown(question: &UtpQuestion) -> Vec<Vec<u8>> {
    let Some(packet) = question.answer(UtpPacket::RESET) else { return Vec::new() };
    let kinds = (5..16).map(|kind| UtpPacket { kind, ..packet.clone() });
    let versions = [0, 2, 15].map(|version| UtpPacket { version, ..packet.clone() });
    kinds.chain(versions).map(|packet| packet.to_bytes()).collect()
}
