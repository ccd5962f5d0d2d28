//! The side that accepts a connection.

use crate::cipher::{Ciphers, Established};
use crate::error::{Error, LengthPrefixedPad};
use crate::fields::{own_pad, pad_length, public_key, take};
use crate::key_agreement::PrivateKey;
use crate::limits::VC;
use crate::method::{CryptoMethod, CryptoProvide};
use crate::scan::Scan;
use crate::secret::SharedSecret;
use crate::stage::Stage;
use crate::step::{Step, run};
use bytes::{Buf, BufMut, BytesMut};
use ids::InfoHash;
use std::{fmt, mem};

/// The configuration of a [`Responder`]. More fields may be added.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ResponderConfig<'a> {
    /// The info-hashes of the torrents it knows, for v2 the truncated ones.
    pub skeys: &'a [InfoHash],
    /// 160 random bits, new for every connection.
    pub secret: [u8; 20],
    /// The methods it accepts, the preferred one first.
    pub accept: &'a [CryptoMethod],
    /// PadB: a random number of random bytes, at most [`MAX_PAD`](crate::limits::MAX_PAD).
    pub pad_b: &'a [u8],
    /// The length of PadD in bytes, at most [`MAX_PAD`](crate::limits::MAX_PAD); its bytes are zeros.
    pub pad_d: u16,
}

impl<'a> ResponderConfig<'a> {
    /// Accepts both methods, RC4 rather than plaintext, without pads.
    #[must_use]
    pub fn new(skeys: &'a [InfoHash], secret: [u8; 20]) -> Self {
        Self { skeys, secret, accept: &[CryptoMethod::Rc4, CryptoMethod::Plaintext], pad_b: &[], pad_d: 0 }
    }

    /// With other methods to accept, the preferred one first.
    #[must_use]
    pub fn with_accept(self, accept: &'a [CryptoMethod]) -> Self {
        Self { accept, ..self }
    }

    /// With a PadB, and a PadD of `pad_d` zeros.
    #[must_use]
    pub fn with_pads(self, pad_b: &'a [u8], pad_d: u16) -> Self {
        Self { pad_b, pad_d, ..self }
    }
}

/// The result of a [`Responder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// The torrent that the peer named.
    pub skey: InfoHash,
    /// The methods that the peer provided.
    pub provided: CryptoProvide,
    /// The beginning of the peer's stream, decrypted.
    pub initial_payload: BytesMut,
    /// How the stream continues.
    pub established: Established,
}

/// The side that accepts a connection. Feed [`input`](Self::input), send [`output`](Self::output), and repeat.
pub struct Responder {
    ours: Ours,
    state: State,
}

/// The responder's own configuration and output.
struct Ours {
    skeys: Vec<InfoHash>,
    accept: Vec<CryptoMethod>,
    private_key: PrivateKey,
    /// Sent once the peer's key has arrived: our own key, and PadB.
    greeting: BytesMut,
    pad_d: u16,
    output: BytesMut,
}

/// What the responder waits for.
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

/// The result of the negotiation.
struct Agreed {
    skey: InfoHash,
    provided: CryptoProvide,
    method: CryptoMethod,
    ciphers: Ciphers,
}

impl Responder {
    /// Waits for a handshake. It sends nothing before the peer's public key has arrived.
    ///
    /// # Errors
    /// Too long a pad.
    pub fn new(config: &ResponderConfig<'_>) -> Result<Self, Error> {
        let ResponderConfig { skeys, secret, accept, pad_b, pad_d } = *config;
        own_pad(pad_b.len())?;
        own_pad(pad_d.into())?;
        let private_key = PrivateKey::new(secret);
        let mut greeting = BytesMut::from(&private_key.public_key()[..]);
        greeting.extend_from_slice(pad_b);
        let (skeys, accept, output) = (skeys.to_vec(), accept.to_vec(), BytesMut::new());
        let ours = Ours { skeys, accept, private_key, greeting, pad_d, output };
        Ok(Self { ours, state: State::PublicKey })
    }

    /// The bytes to send now, often none. Each is returned once. The last of them are there at the end of the handshake, and
    /// are sent before anything that [`Established::encrypt`] encrypts.
    #[must_use]
    pub fn output(&mut self) -> BytesMut {
        mem::take(&mut self.ours.output)
    }

    /// Takes what it can use off the front of `received`; `None` if more bytes are needed, and then fewer than
    /// [`MAX_INITIAL_PAYLOAD`](crate::limits::MAX_INITIAL_PAYLOAD) stay in the buffer. Bytes after the handshake stay in the
    /// buffer, decrypted if the stream continues in RC4.
    ///
    /// # Errors
    /// The first reason why the bytes are not a handshake. After success or an error it is [`Error::Over`].
    pub fn input(&mut self, received: &mut BytesMut) -> Result<Option<Accepted>, Error> {
        run(&mut self.state, |state| self.ours.step(state, received))
    }

    /// The stage: what it waits for.
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
                // The length of the initial payload is taken along with the pad, so that it needs no state of its own.
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

/// Shows the stage, not the secret.
impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEY: InfoHash = InfoHash([7; 20]);

    fn config() -> ResponderConfig<'static> {
        ResponderConfig::new(&[InfoHash([6; 20]), SKEY], [1; 20])
    }

    /// The bytes of an initiator: its key, then everything else with these values.
    fn opening(skey: InfoHash, vc: u64, provide: u32, pad_c: u16) -> BytesMut {
        let ours = PrivateKey::new([2; 20]);
        let secret = ours.agree(&PrivateKey::new(config().secret).public_key()).unwrap();
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

    /// The torrent and the method that result from these bytes.
    fn answer(config: &ResponderConfig<'_>, mut opening: BytesMut) -> Result<(InfoHash, CryptoMethod), Error> {
        let mut responder = Responder::new(config).unwrap();
        let accepted = responder.input(&mut opening);
        assert_eq!(responder.stage(), Stage::Over);
        assert_eq!(responder.input(&mut opening).err(), Some(Error::Over));
        accepted.map(|accepted| accepted.map(|accepted| (accepted.skey, accepted.established.method)).unwrap())
    }

    #[test]
    fn the_preferred_method_is_selected_of_those_provided() {
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
            let selected = answer(&ResponderConfig { accept, ..config() }, opening(SKEY, 0, provide, 0));
            assert_eq!(selected, expected.map(|method| (SKEY, method)), "{provide:#x} for {accept:?}");
        }
    }

    #[test]
    fn each_fault_of_an_initiator_has_its_own_error() {
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
            assert_eq!(answer(&config(), opening), Err(expected));
        }
        assert_eq!(answer(&config(), opening(SKEY, 0, 2, 512)), Ok((SKEY, CryptoMethod::Rc4)));
    }

    #[test]
    fn a_config_beyond_the_limits_is_refused() {
        let length = 513;
        for (config, expected) in [
            (ResponderConfig { pad_b: &[0; 512], pad_d: 512, ..config() }, None),
            (ResponderConfig { pad_b: &[0; 513], ..config() }, Some(Error::OwnPadTooLong { length })),
            (ResponderConfig { pad_d: 513, ..config() }, Some(Error::OwnPadTooLong { length })),
        ] {
            assert_eq!(Responder::new(&config).err(), expected);
        }
    }

    #[test]
    fn nothing_is_sent_before_the_whole_public_key_has_arrived() {
        let mut responder = Responder::new(&config()).unwrap();
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
