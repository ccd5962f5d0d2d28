//! The recorded handshakes in `fixtures/mse`.

use crate::side::{Player, Side};
use ids::InfoHash;
use mse::{CryptoMethod, CryptoProvide, Initiator, InitiatorConfig, Responder, ResponderConfig};
use std::collections::HashMap;

/// Every file, by name.
const FILES: &[(&str, &str)] = &[
    ("plaintext-full-pads-no-payload", include_str!("../../../../fixtures/mse/plaintext-full-pads-no-payload.txt")),
    ("plaintext-no-pads-handshake", include_str!("../../../../fixtures/mse/plaintext-no-pads-handshake.txt")),
    ("rc4-full-pads-handshake", include_str!("../../../../fixtures/mse/rc4-full-pads-handshake.txt")),
    (
        "rc4-key-and-secret-begin-with-zero",
        include_str!("../../../../fixtures/mse/rc4-key-and-secret-begin-with-zero.txt"),
    ),
    ("rc4-no-pads-no-payload", include_str!("../../../../fixtures/mse/rc4-no-pads-no-payload.txt")),
    ("rc4-pad-d-of-265-handshake", include_str!("../../../../fixtures/mse/rc4-pad-d-of-265-handshake.txt")),
];

/// One handshake with the beginning of the stream after it, as both sides send it.
pub(crate) struct Transcript {
    pub(crate) name: &'static str,
    pub(crate) skey: InfoHash,
    pub(crate) method: CryptoMethod,
    pub(crate) initial_payload: Vec<u8>,
    pub(crate) pad_a: Vec<u8>,
    pub(crate) pad_b: Vec<u8>,
    pub(crate) pad_c: u16,
    pub(crate) pad_d: u16,
    provide: CryptoProvide,
    secret_a: [u8; 20],
    secret_b: [u8; 20],
    /// The initiator's bytes: its key and PadA, and its request.
    pub(crate) from_a: Vec<u8>,
    /// The responder's bytes: its key and PadB, and its reply.
    pub(crate) from_b: Vec<u8>,
    pub(crate) after_a: Stream,
    pub(crate) after_b: Stream,
}

/// The stream of one side after the handshake.
pub(crate) struct Stream {
    pub(crate) plain: Vec<u8>,
    pub(crate) sent: Vec<u8>,
}

impl Transcript {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        FILES.iter().map(|(name, text)| Self::parse(name, text))
    }

    pub(crate) fn initiator(&self) -> Player {
        let config = InitiatorConfig::new(self.skey, self.secret_a).with_provide(self.provide);
        let config = config.with_initial_payload(&self.initial_payload).with_pads(&self.pad_a, self.pad_c);
        Player::new(Side::A(Initiator::new(&config).unwrap()))
    }

    pub(crate) fn responder(&self) -> Player {
        let (skeys, accept) = ([InfoHash([0; 20]), self.skey], [self.method]);
        let config = ResponderConfig::new(&skeys, self.secret_b).with_accept(&accept);
        Player::new(Side::B(Responder::new(&config.with_pads(&self.pad_b, self.pad_d)).unwrap()))
    }

    fn parse(name: &'static str, text: &str) -> Self {
        let fields: HashMap<&str, &str> = text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
        let bytes = |field| unhex(fields[field]);
        let number = |field| fields[field].parse::<u16>().unwrap();
        let stream = |plain, sent| Stream { plain: bytes(plain), sent: bytes(sent) };
        Self {
            name,
            skey: fields["skey"].parse().unwrap(),
            method: [CryptoMethod::Plaintext, CryptoMethod::Rc4][usize::from(number("select")) - 1],
            initial_payload: bytes("initial_payload"),
            pad_a: bytes("pad_a"),
            pad_b: bytes("pad_b"),
            pad_c: number("pad_c"),
            pad_d: number("pad_d"),
            provide: CryptoProvide(number("provide").into()),
            secret_a: bytes("secret_a").try_into().unwrap(),
            secret_b: bytes("secret_b").try_into().unwrap(),
            from_a: [bytes("key_a"), bytes("request")].concat(),
            from_b: [bytes("key_b"), bytes("reply")].concat(),
            after_a: stream("after_a", "after_a_sent"),
            after_b: stream("after_b", "after_b_sent"),
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
