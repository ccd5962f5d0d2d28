//! An initiator and a responder agree on a cipher and exchange data, with two buffers in place of a connection.
//! `cargo run -p mse --example in_memory`

use bytes::BytesMut;
use mse::{CryptoMethod, CryptoProvide, Initiator, InitiatorConfig, Responder, ResponderConfig};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut secret, mut other_secret, mut pad_a, mut pad_b) = ([0; 20], [0; 20], [0; 123], [0; 45]);
    getrandom::fill(&mut secret)?;
    getrandom::fill(&mut other_secret)?;
    getrandom::fill(&mut pad_a)?;
    getrandom::fill(&mut pad_b)?;
    let skey = ids::InfoHash([7; 20]);
    let provide = CryptoProvide::EITHER;
    let config = InitiatorConfig::new(skey, secret).with_provide(provide).with_initial_payload(b"hello");
    let mut initiator = Initiator::new(&config.with_pads(&pad_a, 6))?;
    let (skeys, accept) = ([skey], [CryptoMethod::Rc4]);
    let config = ResponderConfig::new(&skeys, other_secret).with_accept(&accept);
    let mut responder = Responder::new(&config.with_pads(&pad_b, 78))?;

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
