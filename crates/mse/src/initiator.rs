//! The side that connects.

use crate::cipher::{Cipher, Ciphers, Established};
use crate::error::{Error, LengthPrefixedPad};
use crate::fields::{own_pad, pad_length, public_key, selected, take};
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

/// The configuration of an [`Initiator`]. More fields may be added.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct InitiatorConfig<'a> {
    /// The torrent's info-hash, for v2 the truncated one. A peer that does not have the torrent cannot answer.
    pub skey: InfoHash,
    /// 160 random bits, new for every connection.
    pub secret: [u8; 20],
    /// The methods that the peer may select from.
    pub provide: CryptoProvide,
    /// Bytes sent along with the negotiation, always encrypted: usually the 68-byte handshake, or none. At most
    /// [`MAX_INITIAL_PAYLOAD`](crate::limits::MAX_INITIAL_PAYLOAD); libtorrent accepts 68.
    pub initial_payload: &'a [u8],
    /// PadA: a random number of random bytes, at most [`MAX_PAD`](crate::limits::MAX_PAD). WebTorrent 1.9 does not answer if
    /// there are none.
    pub pad_a: &'a [u8],
    /// The length of PadC in bytes, at most [`MAX_PAD`](crate::limits::MAX_PAD); its bytes are zeros.
    pub pad_c: u16,
}

impl<'a> InitiatorConfig<'a> {
    /// Provides RC4 only, which all clients accept, without an initial payload and without pads.
    #[must_use]
    pub fn new(skey: InfoHash, secret: [u8; 20]) -> Self {
        Self { skey, secret, provide: CryptoProvide::RC4, initial_payload: &[], pad_a: &[], pad_c: 0 }
    }

    /// With other methods to select from.
    #[must_use]
    pub fn with_provide(self, provide: CryptoProvide) -> Self {
        Self { provide, ..self }
    }

    /// With an initial payload.
    #[must_use]
    pub fn with_initial_payload(self, initial_payload: &'a [u8]) -> Self {
        Self { initial_payload, ..self }
    }

    /// With a PadA, and a PadC of `pad_c` zeros.
    #[must_use]
    pub fn with_pads(self, pad_a: &'a [u8], pad_c: u16) -> Self {
        Self { pad_a, pad_c, ..self }
    }
}

/// The side that connects. Send [`output`](Self::output), feed [`input`](Self::input), and repeat.
pub struct Initiator {
    ours: Ours,
    state: State,
}

/// The initiator's own configuration and output.
struct Ours {
    skey: InfoHash,
    provide: CryptoProvide,
    private_key: PrivateKey,
    /// Sent, encrypted, once there is a key: VC, crypto_provide, PadC, the initial payload.
    request: Vec<u8>,
    output: BytesMut,
    has_short_secret: bool,
}

/// What the initiator waits for.
#[derive(Default)]
enum State {
    PublicKey,
    Sync {
        scan: Scan<8>,
        ciphers: Ciphers,
    },
    Negotiation {
        ciphers: Ciphers,
    },
    Pad {
        length: usize,
        method: CryptoMethod,
        ciphers: Ciphers,
    },
    #[default]
    Over,
}

impl Initiator {
    /// Begins a handshake: its first bytes, the public key and PadA, are in [`output`](Self::output).
    ///
    /// # Errors
    /// Too long a pad or initial payload, or no known method.
    pub fn new(config: &InitiatorConfig<'_>) -> Result<Self, Error> {
        let InitiatorConfig { skey, secret, provide, initial_payload, pad_a, pad_c } = *config;
        own_pad(pad_a.len())?;
        if !provide.is_known() {
            return Err(Error::NothingProvided);
        }
        let private_key = PrivateKey::of_initiator(secret);
        let mut output = BytesMut::from(&private_key.public_key()[..]);
        output.extend_from_slice(pad_a);
        let request = request(provide, pad_c, initial_payload)?;
        let ours = Ours { skey, provide, private_key, request, output, has_short_secret: false };
        Ok(Self { ours, state: State::PublicKey })
    }

    /// The bytes to send now, often none. Each is returned once.
    #[must_use]
    pub fn output(&mut self) -> BytesMut {
        mem::take(&mut self.ours.output)
    }

    /// Takes what it can use off the front of `received`; `None` if more bytes are needed, and then fewer than
    /// [`MAX_PAD`](crate::limits::MAX_PAD) stay in the buffer. Bytes after the handshake stay in the buffer, decrypted if the
    /// stream continues in RC4.
    ///
    /// # Errors
    /// The first reason why the bytes are not a handshake. After success or an error it is [`Error::Over`].
    pub fn input(&mut self, received: &mut BytesMut) -> Result<Option<Established>, Error> {
        run(&mut self.state, |state| self.ours.step(state, received))
    }

    /// Whether the shared secret is known and begins with a zero byte, as one in 256 does. libtorrent (at least up to 2.0.8)
    /// leaves such bytes out of one hash and closes; libTorrent of rTorrent (at least up to 0.13.8) leaves them out of all
    /// hashes and waits for ever. A new connection with another [`InitiatorConfig::secret`] succeeds.
    #[must_use]
    pub fn has_short_secret(&self) -> bool {
        self.ours.has_short_secret
    }

    /// The stage: what it waits for.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.state {
            State::PublicKey => Stage::PublicKey,
            State::Sync { .. } => Stage::Sync,
            State::Negotiation { .. } => Stage::Negotiation,
            State::Pad { .. } => Stage::Pad,
            State::Over => Stage::Over,
        }
    }
}

impl Ours {
    fn step(&mut self, state: State, received: &mut BytesMut) -> Result<Step<State, Established>, Error> {
        match state {
            State::PublicKey => {
                let Some(theirs) = public_key(received)? else { return Ok(Step::Wait(State::PublicKey)) };
                let secret = self.private_key.agree(&theirs)?;
                self.has_short_secret = secret.is_short();
                let mut ciphers = secret.of_initiator(self.skey);
                self.send_request(&secret, &mut ciphers.encrypt);
                let mut mark = VC;
                ciphers.decrypt.apply(&mut mark);
                Ok(Step::Next(State::Sync { scan: Scan::new(mark), ciphers }))
            }
            State::Sync { mut scan, ciphers } => Ok(if scan.find(received)? {
                Step::Next(State::Negotiation { ciphers })
            } else {
                Step::Wait(State::Sync { scan, ciphers })
            }),
            State::Negotiation { mut ciphers } => {
                let Some(mut fields) = take::<6>(received) else {
                    return Ok(Step::Wait(State::Negotiation { ciphers }));
                };
                ciphers.decrypt.apply(&mut fields);
                let mut fields = &fields[..];
                let method = selected(self.provide, fields.get_u32())?;
                let length = pad_length(LengthPrefixedPad::D, fields.get_u16())?;
                Ok(Step::Next(State::Pad { length, method, ciphers }))
            }
            State::Pad { length, method, mut ciphers } => {
                if received.len() < length {
                    return Ok(Step::Wait(State::Pad { length, method, ciphers }));
                }
                ciphers.decrypt.apply(&mut received.split_to(length));
                Ok(Step::Done(Established::new(method, ciphers, received)))
            }
            State::Over => Err(Error::Over),
        }
    }

    /// HASH('req1', S), the obscured info-hash, and the request, encrypted.
    fn send_request(&mut self, secret: &SharedSecret, encrypt: &mut Cipher) {
        let mut request = mem::take(&mut self.request);
        encrypt.apply(&mut request);
        self.output.extend_from_slice(&secret.mark());
        self.output.extend_from_slice(&secret.obscure(self.skey));
        self.output.extend_from_slice(&request);
    }
}

/// VC, crypto_provide, len(PadC), PadC, len(IA), IA.
fn request(provide: CryptoProvide, pad_c: u16, initial_payload: &[u8]) -> Result<Vec<u8>, Error> {
    own_pad(pad_c.into())?;
    let length = initial_payload.len();
    let payload_length = u16::try_from(length).map_err(|_| Error::OwnInitialPayloadTooLong { length })?;
    let mut request = VC.to_vec();
    request.put_u32(provide.0);
    request.put_u16(pad_c);
    request.put_bytes(0, pad_c.into());
    request.put_u16(payload_length);
    request.put_slice(initial_payload);
    Ok(request)
}

/// Shows the stage, not the secret.
impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_INITIAL_PAYLOAD, MAX_PAD};

    const SKEY: InfoHash = InfoHash([7; 20]);

    fn config() -> InitiatorConfig<'static> {
        InitiatorConfig::new(SKEY, [1; 20]).with_provide(CryptoProvide::EITHER)
    }

    /// An initiator that has sent its request, and the ciphers of its peer.
    fn after_request(provide: CryptoProvide) -> (Initiator, Ciphers) {
        let mut initiator = Initiator::new(&InitiatorConfig { provide, ..config() }).unwrap();
        let theirs = PrivateKey::new([2; 20]);
        let key = initiator.output()[..].try_into().unwrap();
        let ciphers = theirs.agree(&key).unwrap().of_responder(SKEY);
        assert!(initiator.input(&mut BytesMut::from(&theirs.public_key()[..])).unwrap().is_none());
        assert_eq!(initiator.stage(), Stage::Sync);
        (initiator, ciphers)
    }

    /// VC, a selection and the length of PadD, encrypted.
    fn reply(ciphers: &mut Ciphers, select: u32, pad_d: u16) -> BytesMut {
        let mut reply = BytesMut::from(&VC[..]);
        reply.put_u32(select);
        reply.put_u16(pad_d);
        ciphers.encrypt.apply(&mut reply);
        reply
    }

    #[test]
    fn a_config_beyond_the_limits_is_refused() {
        let (pad, payload) = ([0; MAX_PAD + 1], [0; MAX_INITIAL_PAYLOAD + 1]);
        let length = MAX_PAD + 1;
        for (config, expected) in [
            (InitiatorConfig { pad_a: &pad[1..], ..config() }, None),
            (InitiatorConfig { pad_a: &pad, ..config() }, Some(Error::OwnPadTooLong { length })),
            (InitiatorConfig { pad_c: 512, ..config() }, None),
            (InitiatorConfig { pad_c: 513, ..config() }, Some(Error::OwnPadTooLong { length })),
            (InitiatorConfig { initial_payload: &payload[1..], ..config() }, None),
            (
                InitiatorConfig { initial_payload: &payload, ..config() },
                Some(Error::OwnInitialPayloadTooLong { length: MAX_INITIAL_PAYLOAD + 1 }),
            ),
            (InitiatorConfig { provide: CryptoProvide(4), ..config() }, Some(Error::NothingProvided)),
        ] {
            assert_eq!(Initiator::new(&config).err(), expected);
        }
    }

    #[test]
    fn a_selection_must_be_one_of_the_provided_methods() {
        for (provide, select, expected) in [
            (CryptoProvide::EITHER, 1, Ok(CryptoMethod::Plaintext)),
            (CryptoProvide::EITHER, 2, Ok(CryptoMethod::Rc4)),
            (CryptoProvide::EITHER, 0, Err(Error::NothingSelected)),
            (CryptoProvide::EITHER, 3, Err(Error::SeveralSelected { select: 3 })),
            (CryptoProvide::RC4, 1, Err(Error::NotOffered { select: 1, provided: CryptoProvide::RC4 })),
        ] {
            let (mut initiator, mut ciphers) = after_request(provide);
            let result = initiator.input(&mut reply(&mut ciphers, select, 0));
            assert_eq!(result.map(|established| established.unwrap().method), expected);
            assert_eq!(initiator.stage(), Stage::Over);
        }
    }

    #[test]
    fn a_pad_of_more_than_512_bytes_is_refused() {
        for (pad_d, expected) in
            [(512, None), (513, Some(Error::PadTooLong { pad: LengthPrefixedPad::D, length: 513 }))]
        {
            let (mut initiator, mut ciphers) = after_request(CryptoProvide::RC4);
            assert_eq!(initiator.input(&mut reply(&mut ciphers, 2, pad_d)).err(), expected);
        }
    }

    #[test]
    fn a_plaintext_handshake_is_recognised_and_kept_in_the_buffer() {
        let mut initiator = Initiator::new(&config()).unwrap();
        let mut received = BytesMut::from(&b"\x13BitTorrent protoco"[..]);
        assert!(initiator.input(&mut received).unwrap().is_none());
        received.extend_from_slice(b"l");
        assert_eq!(initiator.input(&mut received).err(), Some(Error::PlaintextHandshake));
        assert_eq!(&received[..], b"\x13BitTorrent protocol");
    }

    #[test]
    fn a_peer_without_the_torrent_is_noticed_after_the_longest_pad() {
        let (mut initiator, _) = after_request(CryptoProvide::RC4);
        let mut received = BytesMut::from(&[b'x'; 519][..]);
        assert!(initiator.input(&mut received).unwrap().is_none());
        assert_eq!(received.len(), 7);
        received.extend_from_slice(b"x");
        assert_eq!(initiator.input(&mut received).err(), Some(Error::SyncNotFound { scanned: 520 }));
        assert_eq!(initiator.input(&mut received).err(), Some(Error::Over));
    }

    #[test]
    fn debug_hides_the_secret() {
        let initiator = Initiator::new(&config()).unwrap();
        assert_eq!(format!("{initiator:?}"), "Initiator { stage: PublicKey, .. }");
    }

    /// Secrets that differ.
    fn secrets() -> impl Iterator<Item = [u8; 20]> {
        (0..1024_u16).map(|number| {
            let mut secret = [3; 20];
            secret[..2].copy_from_slice(&number.to_be_bytes());
            secret
        })
    }

    #[test]
    fn no_public_key_begins_like_a_plaintext_handshake() {
        let looks_like_one = |key: &[u8]| key[0] == 19;
        assert!(secrets().any(|secret| looks_like_one(&PrivateKey::new(secret).public_key())));
        for secret in secrets() {
            let output = Initiator::new(&InitiatorConfig { secret, ..config() }).unwrap().output();
            assert!(!looks_like_one(&output), "{secret:?}");
        }
    }

    #[test]
    fn about_one_secret_in_256_is_short() {
        let theirs = PrivateKey::new([2; 20]).public_key();
        let is_short = |secret: [u8; 20]| {
            let mut initiator = Initiator::new(&InitiatorConfig { secret, ..config() }).unwrap();
            assert!(!initiator.has_short_secret());
            assert!(initiator.input(&mut BytesMut::from(&theirs[..])).unwrap().is_none());
            initiator.has_short_secret()
        };
        let short = secrets().filter(|&secret| is_short(secret)).count();
        assert!((1..16).contains(&short), "{short}");
    }
}
