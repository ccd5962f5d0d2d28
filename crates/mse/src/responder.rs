//! The side that is connected to.

use crate::fields::{own_pad, pad_length, public_key, take};
use crate::key_agreement::PrivateKey;
use crate::scan::Scan;
use crate::secret::{Ciphers, SharedSecret};
use crate::step::{Step, run};
use crate::{CryptoMethod, CryptoProvide, Error, Established, LengthPrefixedPad, Stage, VC};
use bytes::{Buf, BufMut, BytesMut};
use ids::InfoHash;
use std::{fmt, mem};

/// What a [`Responder`] is to answer.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The torrents it knows.
    pub skeys: &'a [InfoHash],
    /// What it accepts, the method it likes best first.
    pub accept: &'a [CryptoMethod],
    /// 160 random bits, new for every connection.
    pub secret: [u8; 20],
    /// PadB: random bytes, their number random as well, at most [`MAX_PAD`](crate::MAX_PAD).
    pub pad_b: &'a [u8],
    /// The length of PadD in bytes, at most [`MAX_PAD`](crate::MAX_PAD); its bytes are zeros.
    pub pad_d: u16,
}

/// What a [`Responder`] has learned by the end.
#[derive(Debug)]
pub struct Accepted {
    /// Which of its torrents the peer means.
    pub skey: InfoHash,
    /// What the peer provided.
    pub provided: CryptoProvide,
    /// The beginning of the peer's stream, decrypted.
    pub initial_payload: BytesMut,
    /// How it goes on.
    pub established: Established,
}

/// The side that is connected to. Feed [`input`](Self::input), send [`output`](Self::output), and so on in turn.
pub struct Responder {
    ours: Ours,
    state: State,
}

/// What a responder brings with it.
struct Ours {
    skeys: Vec<InfoHash>,
    accept: Vec<CryptoMethod>,
    private_key: PrivateKey,
    /// What is sent once the peer's key is there: our own, and PadB.
    greeting: BytesMut,
    pad_d: u16,
    output: BytesMut,
}

/// What comes next.
#[derive(Default)]
enum State {
    PublicKey,
    Sync {
        scan: Scan<20>,
        secret: SharedSecret,
    },
    InfoHash {
        secret: SharedSecret,
    },
    Negotiation {
        skey: InfoHash,
        ciphers: Ciphers,
    },
    Pad {
        length: usize,
        agreed: Agreed,
    },
    InitialPayload {
        length: usize,
        agreed: Agreed,
    },
    #[default]
    Over,
}

/// What both sides know after the negotiation.
struct Agreed {
    skey: InfoHash,
    provided: CryptoProvide,
    method: CryptoMethod,
    ciphers: Ciphers,
}

impl Responder {
    /// Waits for a handshake. It has nothing to send before it has been fed.
    ///
    /// # Errors
    /// When the terms have too long a pad.
    pub fn new(terms: &Terms<'_>) -> Result<Self, Error> {
        let Terms { skeys, accept, secret, pad_b, pad_d } = *terms;
        own_pad(pad_b.len())?;
        own_pad(pad_d.into())?;
        let private_key = PrivateKey::new(secret);
        let mut greeting = BytesMut::from(&private_key.public_key()[..]);
        greeting.extend_from_slice(pad_b);
        let (skeys, accept, output) = (skeys.to_vec(), accept.to_vec(), BytesMut::new());
        let ours = Ours { skeys, accept, private_key, greeting, pad_d, output };
        Ok(Self { ours, state: State::PublicKey })
    }

    /// Takes the bytes that are to be sent now; often none. The last of them come with the end of the handshake, before
    /// anything that is encrypted with what it came to.
    #[must_use]
    pub fn output(&mut self) -> BytesMut {
        mem::take(&mut self.ours.output)
    }

    /// Takes what it can use off the front of `received`; `None` when more bytes are needed, and then fewer than
    /// [`MAX_INITIAL_PAYLOAD`](crate::MAX_INITIAL_PAYLOAD) stay in the buffer. What follows the handshake stays in the
    /// buffer, and has been decrypted where that was needed.
    ///
    /// # Errors
    /// When this can become no handshake any more, with the first reason. After the end there is only [`Error::Over`].
    pub fn input(&mut self, received: &mut BytesMut) -> Result<Option<Accepted>, Error> {
        run(&mut self.state, |state| self.ours.step(state, received))
    }

    /// What it waits for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.state {
            State::PublicKey => Stage::PublicKey,
            State::Sync { .. } => Stage::Sync,
            State::InfoHash { .. } => Stage::InfoHash,
            State::Negotiation { .. } => Stage::Negotiation,
            State::Pad { .. } => Stage::Pad,
            State::InitialPayload { .. } => Stage::InitialPayload,
            State::Over => Stage::Over,
        }
    }
}

impl Ours {
    fn step(&mut self, state: State, received: &mut BytesMut) -> Result<Step<State, Accepted>, Error> {
        match state {
            State::PublicKey => {
                let Some(theirs) = public_key(received)? else { return Ok(Step::Wait(State::PublicKey)) };
                let secret = self.private_key.agree(&theirs)?;
                self.output.unsplit(self.greeting.split());
                Ok(Step::Next(State::Sync { scan: Scan::new(secret.mark()), secret }))
            }
            State::Sync { mut scan, secret } => Ok(if scan.find(received)? {
                Step::Next(State::InfoHash { secret })
            } else {
                Step::Wait(State::Sync { scan, secret })
            }),
            State::InfoHash { secret } => {
                let Some(obscured) = take(received) else { return Ok(Step::Wait(State::InfoHash { secret })) };
                let skey = secret.find(obscured, &self.skeys).ok_or(Error::UnknownInfoHash)?;
                Ok(Step::Next(State::Negotiation { skey, ciphers: secret.of_responder(skey) }))
            }
            State::Negotiation { skey, ciphers } => self.negotiate(skey, ciphers, received),
            State::Pad { length, mut agreed } => {
                // The length of what follows the pad has no place of its own to wait in.
                if received.len() < length + size_of::<u16>() {
                    return Ok(Step::Wait(State::Pad { length, agreed }));
                }
                let mut fields = received.split_to(length + size_of::<u16>());
                agreed.ciphers.decrypt.apply(&mut fields);
                fields.advance(length);
                Ok(Step::Next(State::InitialPayload { length: fields.get_u16().into(), agreed }))
            }
            State::InitialPayload { length, agreed } => Ok(if received.len() < length {
                Step::Wait(State::InitialPayload { length, agreed })
            } else {
                let initial_payload = received.split_to(length);
                Step::Done(self.accept(agreed, initial_payload, received))
            }),
            State::Over => Err(Error::Over),
        }
    }

    /// VC, crypto_provide, len(PadC).
    fn negotiate(
        &self,
        skey: InfoHash,
        mut ciphers: Ciphers,
        received: &mut BytesMut,
    ) -> Result<Step<State, Accepted>, Error> {
        let Some(mut fields) = take::<14>(received) else {
            return Ok(Step::Wait(State::Negotiation { skey, ciphers }));
        };
        ciphers.decrypt.apply(&mut fields);
        let mut fields = &fields[..];
        let found = fields.get_u64();
        if found != u64::from_be_bytes(VC) {
            return Err(Error::WrongVerificationConstant { found });
        }
        let provided = CryptoProvide(fields.get_u32());
        let length = pad_length(LengthPrefixedPad::C, fields.get_u16())?;
        let method = self.accept.iter().copied().find(|method| provided.contains(*method));
        let method = method.ok_or(Error::NothingInCommon { provided })?;
        Ok(Step::Next(State::Pad { length, agreed: Agreed { skey, provided, method, ciphers } }))
    }

    /// Answers with VC, crypto_select, len(PadD), PadD.
    fn accept(&mut self, agreed: Agreed, mut initial_payload: BytesMut, received: &mut BytesMut) -> Accepted {
        let Agreed { skey, provided, method, mut ciphers } = agreed;
        ciphers.decrypt.apply(&mut initial_payload);
        let mut reply = VC.to_vec();
        reply.put_u32(method.bit());
        reply.put_u16(self.pad_d);
        reply.put_bytes(0, self.pad_d.into());
        ciphers.encrypt.apply(&mut reply);
        self.output.extend_from_slice(&reply);
        Accepted { skey, provided, initial_payload, established: Established::new(method, ciphers, received) }
    }
}

/// Without the secret.
impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEY: InfoHash = InfoHash([7; 20]);
    const BOTH: &[CryptoMethod] = &[CryptoMethod::Rc4, CryptoMethod::Plaintext];

    fn terms() -> Terms<'static> {
        Terms { skeys: &[InfoHash([6; 20]), SKEY], accept: BOTH, secret: [1; 20], pad_b: b"", pad_d: 0 }
    }

    /// What an initiator would send: its key, then everything else with this VC, provision and PadC.
    fn opening(skey: InfoHash, vc: u64, provide: u32, pad_c: u16) -> BytesMut {
        let ours = PrivateKey::new([2; 20]);
        let secret = ours.agree(&PrivateKey::new(terms().secret).public_key()).unwrap();
        let mut request = BytesMut::new();
        request.put_u64(vc);
        request.put_u32(provide);
        request.put_u16(pad_c);
        request.put_bytes(0, pad_c.into());
        request.put_u16(0);
        secret.of_initiator(skey).encrypt.apply(&mut request);
        let parts = [&ours.public_key()[..], &secret.mark(), &secret.obscure(skey), &request];
        BytesMut::from(&parts.concat()[..])
    }

    /// The torrent and the method that this opening leads to.
    fn answer(terms: &Terms<'_>, mut opening: BytesMut) -> Result<(InfoHash, CryptoMethod), Error> {
        let mut responder = Responder::new(terms).unwrap();
        let accepted = responder.input(&mut opening);
        assert_eq!(responder.stage(), Stage::Over);
        assert_eq!(responder.input(&mut opening).err(), Some(Error::Over));
        accepted.map(|accepted| accepted.map(|accepted| (accepted.skey, accepted.established.method)).unwrap())
    }

    #[test]
    fn the_method_liked_best_is_selected_of_those_provided() {
        use CryptoMethod::{Plaintext, Rc4};
        let refused = |bits| Err(Error::NothingInCommon { provided: CryptoProvide(bits) });
        for (accept, provide, expected) in [
            (&[Rc4, Plaintext][..], 3, Ok(Rc4)),
            (&[Plaintext, Rc4], 3, Ok(Plaintext)),
            (&[Rc4, Plaintext], 1, Ok(Plaintext)),
            (&[Plaintext, Rc4], 2, Ok(Rc4)),
            (&[Rc4], 0xffff_ffff, Ok(Rc4)),
            (&[Rc4], 1, refused(1)),
            (&[Plaintext], 2, refused(2)),
            (&[Rc4, Plaintext], 0, refused(0)),
            (&[Rc4, Plaintext], 4, refused(4)),
            (&[], 3, refused(3)),
        ] {
            let selected = answer(&Terms { accept, ..terms() }, opening(SKEY, 0, provide, 0));
            assert_eq!(selected, expected.map(|method| (SKEY, method)), "{provide:#x} for {accept:?}");
        }
    }

    #[test]
    fn each_fault_of_an_opening_is_told_apart() {
        let unknown = InfoHash([9; 20]);
        for (opening, expected) in [
            (opening(unknown, 0, 2, 0), Error::UnknownInfoHash),
            (opening(SKEY, 1 << 56, 2, 0), Error::WrongVerificationConstant { found: 1 << 56 }),
            (opening(SKEY, 0, 2, 513), Error::PadTooLong { pad: LengthPrefixedPad::C, length: 513 }),
            (BytesMut::from(&b"\x13BitTorrent protocol"[..]), Error::PlaintextHandshake),
            (BytesMut::from(&[0; 96][..]), Error::PublicKeyTooSmall { key: 0 }),
            (BytesMut::from(&[0xff; 96][..]), Error::PublicKeyTooLarge),
            (BytesMut::from(&[b'x'; 96 + 532][..]), Error::SyncNotFound { scanned: 532 }),
        ] {
            assert_eq!(answer(&terms(), opening), Err(expected));
        }
        assert_eq!(answer(&terms(), opening(SKEY, 0, 2, 512)), Ok((SKEY, CryptoMethod::Rc4)));
    }

    #[test]
    fn terms_have_limits() {
        let length = 513;
        for (terms, expected) in [
            (Terms { pad_b: &[0; 512], pad_d: 512, ..terms() }, None),
            (Terms { pad_b: &[0; 513], ..terms() }, Some(Error::OwnPadTooLong { length })),
            (Terms { pad_d: 513, ..terms() }, Some(Error::OwnPadTooLong { length })),
        ] {
            assert_eq!(Responder::new(&terms).err(), expected);
        }
    }

    #[test]
    fn nothing_is_sent_to_a_peer_that_has_sent_no_key() {
        let mut responder = Responder::new(&terms()).unwrap();
        let mut opening = opening(SKEY, 0, 2, 0);
        let mut received = opening.split_to(95);
        assert!(responder.input(&mut received).unwrap().is_none());
        assert!(responder.output().is_empty());
        assert_eq!(format!("{responder:?}"), "Responder { stage: PublicKey, .. }");
        received.unsplit(opening.split_to(1));
        assert!(responder.input(&mut received).unwrap().is_none());
        assert_eq!((responder.output().len(), responder.stage()), (96, Stage::Sync));
    }
}
