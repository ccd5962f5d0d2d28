//! An initiator and a responder agree on a cipher and talk, in memory: two buffers carry what a connection would.
//! `cargo run -p mse --example in_memory`

use bytes::BytesMut;
use mse::{CryptoMethod, CryptoProvide, Initiator, Offer, Responder, Terms};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut secret, mut other_secret, mut pad_a, mut pad_b) = ([0; 20], [0; 20], [0; 123], [0; 45]);
    getrandom::fill(&mut secret)?;
    getrandom::fill(&mut other_secret)?;
    getrandom::fill(&mut pad_a)?;
    getrandom::fill(&mut pad_b)?;
    let skey = ids::InfoHash([7; 20]);
    let (provide, initial_payload) = (CryptoProvide::EITHER, b"hello");
    let mut initiator = Initiator::new(&Offer { skey, provide, initial_payload, secret, pad_a: &pad_a, pad_c: 6 })?;
    let (skeys, accept) = (&[skey], &[CryptoMethod::Rc4]);
    let mut responder = Responder::new(&Terms { skeys, accept, secret: other_secret, pad_b: &pad_b, pad_d: 78 })?;

    let (mut to_responder, mut to_initiator) = (BytesMut::new(), BytesMut::new());
    let (mut theirs, mut ours) = loop {
        to_responder.unsplit(initiator.output());
        let accepted = responder.input(&mut to_responder)?;
        to_initiator.unsplit(responder.output());
        if let (Some(theirs), Some(ours)) = (accepted, initiator.input(&mut to_initiator)?) {
            break (theirs, ours);
        }
    };
    println!("{provide} was offered, {} was chosen", ours.method);
    println!("the responder reads: {}", theirs.initial_payload.escape_ascii());
    let mut answer = *b"welcome";
    theirs.established.encrypt.apply(&mut answer);
    println!("on the wire: {}", answer.escape_ascii());
    ours.decrypt.apply(&mut answer);
    println!("the initiator reads: {}", answer.escape_ascii());
    Ok(())
}
