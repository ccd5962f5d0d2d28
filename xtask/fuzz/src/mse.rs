//! Message Stream Encryption: both sides against each other over a line that cuts, flips and inserts bytes, or one side
//! against the input itself. With harmless damage both sides agree, and the payload arrives. With any damage neither side
//! allocates, holds or sends more than its limits.
//!
//! An input is one byte of settings (see [`check`]), then fields, then damage of four bytes each.

use crate::escape::assert_error;
use crate::memory;
use crate::source::{Source, pieces};
use bytes::BytesMut;
use ids::InfoHash;
use mse::{
    Accepted, CryptoMethod, CryptoProvide, Error, Established, Initiator, InitiatorConfig, MAX_INITIAL_PAYLOAD,
    MAX_PAD, Responder, ResponderConfig, Stage,
};

/// Memory that one call may allocate: two ciphers with their key schedules, and the output, at most a key, two pads, the
/// fields and the initial payload, twice over as it grows.
const MEMORY: usize = 4 << 10;
/// Length of the public key.
const KEY: usize = 96;
/// Length of HASH('req1', S), the obscured info-hash, VC, crypto_provide and the length of PadC.
const REQUEST: usize = 20 + 20 + 8 + 4 + 2;
/// Length of VC, crypto_select and the length of PadD.
const REPLY: usize = 8 + 4 + 2;
/// What initiator and responder send after the handshake.
const TAILS: [&[u8]; 2] = [b"the stream of the initiator", b"the stream of the responder"];
/// The info-hash that the initiator asks for.
const SKEY: InfoHash = InfoHash([7; 20]);
/// Most damaged places.
const DAMAGED: usize = 16;

/// Checks the properties above for one input. The bits of its first byte: two for the methods provided, two for those accepted,
/// one for whether the responder does not know the torrent, one each for feeding the input to a responder or to an initiator.
pub fn check(input: &[u8]) {
    let mut source = Source::new(input);
    let bits = source.byte();
    let provide = CryptoProvide([3, 1, 2, 7][usize::from(bits & 3)]);
    let accept: &[CryptoMethod] = match bits >> 2 & 3 {
        0 => &[CryptoMethod::Rc4, CryptoMethod::Plaintext],
        1 => &[CryptoMethod::Plaintext, CryptoMethod::Rc4],
        2 => &[CryptoMethod::Rc4],
        _ => &[CryptoMethod::Plaintext],
    };
    if bits & 0x60 != 0 {
        let (secret, skey) = (source.array(), InfoHash(source.array()));
        let known = if bits & 0x40 != 0 {
            Side::initiator(secret, skey, provide)
        } else {
            Side::responder(secret, skey, accept)
        };
        return alone(known, source.rest());
    }
    let knows = bits & 0x10 == 0;
    let plan = Plan::read(&mut source, provide, accept, knows);
    talk(&plan);
}

/// The settings of two sides, and of the line between them.
struct Plan<'a> {
    provide: CryptoProvide,
    accept: &'a [CryptoMethod],
    knows: bool,
    seeds: [u8; 2],
    /// The lengths of PadA to PadD.
    pads: [usize; 4],
    payload: Vec<u8>,
    damage: Vec<Damage>,
}

/// What happens to a byte of one direction.
#[derive(Clone, Copy)]
struct Damage {
    /// 0 for what the initiator sends, 1 for the responder.
    lane: usize,
    /// The offset in the stream.
    at: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Flip(u8),
    Cut,
    Insert(u8),
}

impl<'a> Plan<'a> {
    fn read(source: &mut Source<'_>, provide: CryptoProvide, accept: &'a [CryptoMethod], knows: bool) -> Self {
        let seeds = source.array();
        let pads = [(); 4].map(|()| usize::from(u16::from_be_bytes(source.array())) % (MAX_PAD + 1));
        let length = usize::from(source.byte());
        let payload = (0..length).map(|n| (n as u8) ^ seeds[0]).collect();
        let damage = source.rest().chunks_exact(4).take(DAMAGED).map(|damage| Damage {
            lane: usize::from(damage[0] & 1),
            at: usize::from(u16::from_be_bytes([damage[1], damage[2]])) % (1 << 11),
            kind: match damage[0] >> 1 & 7 {
                0 => Kind::Cut,
                1 => Kind::Insert(damage[3]),
                _ => Kind::Flip(damage[3].max(1)),
            },
        });
        Self { provide, accept, knows, seeds, pads, payload, damage: damage.collect() }
    }

    /// The pads of a direction, in which any byte is valid, and the length of its handshake without the payload.
    fn free(&self, lane: usize) -> ([std::ops::Range<usize>; 2], usize) {
        let [a, b, c, d] = self.pads;
        if lane == 0 {
            let pad_c = KEY + a + REQUEST;
            let payload = pad_c + c + 2;
            ([KEY..KEY + a, pad_c..pad_c + c], payload)
        } else {
            let pad_d = KEY + b + REPLY;
            ([KEY..KEY + b, pad_d..pad_d + d], pad_d + d)
        }
    }

    /// Whether both sides have to complete the handshake in spite of the damage.
    fn is_harmless(&self) -> bool {
        self.damage.iter().all(|damage| {
            let (pads, stream) = self.free(damage.lane);
            // A cut or an insertion after the end of the stream changes nothing.
            let all = stream + TAILS[damage.lane].len() + if damage.lane == 0 { self.payload.len() } else { 0 };
            let flips = matches!(damage.kind, Kind::Flip(_));
            damage.at >= all || flips && (damage.at >= stream || pads.iter().any(|pad| pad.contains(&damage.at)))
        })
    }

    /// The stream of a direction, from its byte `from` on, after harmless damage.
    fn received(&self, lane: usize, from: usize, sent: &[u8]) -> Vec<u8> {
        let mut bytes = sent.to_vec();
        for Damage { at, kind, .. } in self.damage.iter().filter(|damage| damage.lane == lane) {
            if let (Kind::Flip(with), Some(byte)) = (*kind, at.checked_sub(from).and_then(|at| bytes.get_mut(at))) {
                *byte ^= with;
            }
        }
        bytes
    }
}

/// One direction of the line.
struct Lane<'p> {
    lane: usize,
    damage: &'p [Damage],
    carried: usize,
    cut: bool,
}

impl Lane<'_> {
    /// The bytes that arrive of those sent.
    fn carry(&mut self, sent: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in sent {
            let mut byte = byte;
            for damage in self.damage.iter().filter(|damage| (damage.lane, damage.at) == (self.lane, self.carried)) {
                match damage.kind {
                    Kind::Flip(with) => byte ^= with,
                    Kind::Cut => self.cut = true,
                    Kind::Insert(other) => out.push(other),
                }
            }
            self.carried += 1;
            if !self.cut {
                out.push(byte);
            }
        }
        out
    }
}

/// One side, with its result and the bytes it has received after that.
struct Side {
    machine: Machine,
    received: BytesMut,
    end: Option<Result<End, Error>>,
    sent: usize,
}

enum Machine {
    Initiator(Initiator),
    Responder(Responder),
}

/// The result of a side that completed the handshake.
struct End {
    established: Established,
    accepted: Option<(InfoHash, CryptoProvide, BytesMut)>,
}

impl Side {
    fn initiator(secret: [u8; 20], skey: InfoHash, provide: CryptoProvide) -> Self {
        let config = InitiatorConfig::new(skey, secret).with_provide(provide).with_pads(&[2; 9], 5);
        let initiator = Initiator::new(&config.with_initial_payload(&[1; 68]));
        Self::new(Machine::Initiator(initiator.expect("a valid config")))
    }

    fn responder(secret: [u8; 20], skey: InfoHash, accept: &[CryptoMethod]) -> Self {
        let skeys = [SKEY, skey];
        let config = ResponderConfig::new(&skeys, secret).with_accept(accept).with_pads(&[3; 9], 5);
        Self::new(Machine::Responder(Responder::new(&config).expect("a valid config")))
    }

    fn new(machine: Machine) -> Self {
        Self { machine, received: BytesMut::new(), end: None, sent: 0 }
    }

    fn stage(&self) -> Stage {
        match &self.machine {
            Machine::Initiator(initiator) => initiator.stage(),
            Machine::Responder(responder) => responder.stage(),
        }
    }

    fn output(&mut self) -> BytesMut {
        let output = match &mut self.machine {
            Machine::Initiator(initiator) => initiator.output(),
            Machine::Responder(responder) => responder.output(),
        };
        self.sent += output.len();
        let most = match &self.machine {
            Machine::Initiator(_) => KEY + REQUEST + 2 * MAX_PAD + 2 + MAX_INITIAL_PAYLOAD,
            Machine::Responder(_) => KEY + REPLY + 2 * MAX_PAD,
        };
        assert!(self.sent <= most, "{} bytes were sent, at most {most} may be", self.sent);
        output
    }

    /// Feeds a piece, behind the bytes that were left of those before.
    fn feed(&mut self, piece: &[u8]) {
        if let Some(Ok(End { established, .. })) = &mut self.end {
            let mut piece = piece.to_vec();
            established.decrypt.apply(&mut piece);
            self.received.extend_from_slice(&piece);
            return;
        }
        self.received.extend_from_slice(piece);
        if self.end.is_some() {
            return;
        }
        let (Self { machine, received, .. }, bound) = (&mut *self, MEMORY);
        let stage = match machine {
            Machine::Initiator(initiator) => initiator.stage(),
            Machine::Responder(responder) => responder.stage(),
        };
        let result = memory::bounded(bound, || match machine {
            Machine::Initiator(initiator) => {
                initiator.input(received).map(|end| end.map(|established| End { established, accepted: None }))
            }
            Machine::Responder(responder) => responder.input(received).map(|end| {
                end.map(|Accepted { skey, provided, initial_payload, established, .. }| End {
                    established,
                    accepted: Some((skey, provided, initial_payload)),
                })
            }),
        });
        match result {
            Ok(None) => self.waits(stage),
            Ok(Some(end)) => self.end = Some(Ok(end)),
            Err(error) => {
                assert_error(&error);
                assert!(error.stage().is_some_and(|at| at >= stage), "{error} while it waited for the {stage}");
                self.end = Some(Err(error));
            }
        }
        if self.end.is_some() {
            assert_eq!(self.stage(), Stage::Over);
            self.is_over();
        }
    }

    /// A side that waits for more bytes does not go back a stage, and holds no more than its limit.
    fn waits(&self, before: Stage) {
        let stage = self.stage();
        assert!(stage >= before && stage != Stage::Over);
        let most = match &self.machine {
            Machine::Initiator(_) => MAX_PAD,
            Machine::Responder(_) => MAX_INITIAL_PAYLOAD,
        };
        assert!(self.received.len() < most, "{} bytes wait for the {stage}", self.received.len());
    }

    /// After the end each input is refused with `Error::Over`, and not consumed.
    fn is_over(&mut self) {
        let mut more = BytesMut::from(&b"more"[..]);
        let error = match &mut self.machine {
            Machine::Initiator(initiator) => initiator.input(&mut more).err(),
            Machine::Responder(responder) => responder.input(&mut more).err(),
        };
        assert_eq!((error, &more[..]), (Some(Error::Over), &b"more"[..]));
    }
}

/// Feeds the input to one side. The result is unknown; only the limits are checked.
fn alone(mut side: Side, input: &[u8]) {
    side.output();
    for piece in pieces(input, 0) {
        side.feed(piece);
        side.output();
    }
}

fn talk(plan: &Plan<'_>) {
    let [a, b, c, d] = plan.pads;
    let pad = [0x5a; MAX_PAD];
    let initiator = InitiatorConfig::new(SKEY, [plan.seeds[0]; 20]).with_provide(plan.provide);
    let initiator = initiator.with_initial_payload(&plan.payload).with_pads(&pad[..a], c as u16);
    let skeys = [InfoHash([8; 20]), if plan.knows { SKEY } else { InfoHash([9; 20]) }];
    let responder = ResponderConfig::new(&skeys, [plan.seeds[1]; 20]).with_accept(plan.accept);
    let responder = responder.with_pads(&pad[..b], d as u16);
    let mut sides = [
        Side::new(Machine::Initiator(Initiator::new(&initiator).expect("a valid config"))),
        Side::new(Machine::Responder(Responder::new(&responder).expect("a valid config"))),
    ];
    let mut lanes = [0, 1].map(|lane| Lane { lane, damage: &plan.damage, carried: 0, cut: false });
    let mut tails = TAILS.map(<[u8]>::to_vec);
    // Neither side sends more than four times.
    for turn in 0..8 {
        let (from, to) = (turn % 2, 1 - turn % 2);
        let mut sent = sides[from].output().to_vec();
        if let Some(Ok(End { established, .. })) = &mut sides[from].end {
            let mut tail = std::mem::take(&mut tails[from]);
            established.encrypt.apply(&mut tail);
            sent.extend(tail);
        }
        let carried = lanes[from].carry(&sent);
        pieces(&carried, plan.seeds[0].into()).into_iter().for_each(|piece| sides[to].feed(piece));
    }
    judge(plan, &sides);
}

/// With harmless damage both sides agree; without a common method or torrent the responder has the error, and the initiator
/// waits.
fn judge(plan: &Plan<'_>, sides: &[Side; 2]) {
    if !plan.is_harmless() {
        return;
    }
    let [initiator, responder] = sides;
    let method = plan.accept.iter().copied().find(|method| plan.provide.contains(*method));
    let (Some(method), true) = (method, plan.knows) else {
        let expected =
            if plan.knows { Error::NothingInCommon { provided: plan.provide } } else { Error::UnknownInfoHash };
        assert!(matches!(&responder.end, Some(Err(error)) if *error == expected));
        assert!(initiator.end.is_none(), "the responder refused, and sent no reply");
        return;
    };
    let (Some(Ok(ours)), Some(Ok(theirs))) = (&initiator.end, &responder.end) else {
        let errors = sides.each_ref().map(|side| side.end.as_ref().and_then(|end| end.as_ref().err()));
        panic!("the sides do not agree: {errors:?}, {:?} and {:?}", initiator.stage(), responder.stage());
    };
    assert_eq!((ours.established.method, theirs.established.method), (method, method));
    let (skey, provided, payload) = theirs.accepted.as_ref().expect("a responder's end");
    assert_eq!((*skey, *provided), (SKEY, plan.provide));
    let (_, from) = plan.free(0);
    assert_eq!(payload, &plan.received(0, from, &plan.payload));
    assert_eq!(responder.received, plan.received(0, from + plan.payload.len(), TAILS[0]));
    assert_eq!(initiator.received, plan.received(1, plan.free(1).1, TAILS[1]));
}
