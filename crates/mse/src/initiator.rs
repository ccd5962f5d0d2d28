//! The side that connects.

use crate::fields::{own_pad, pad_length, public_key, take};
use crate::key_agreement::PrivateKey;
use crate::scan::Scan;
use crate::secret::{Ciphers, SharedSecret};
use crate::step::{Step, run};
use crate::{Cipher, CryptoMethod, CryptoProvide, Error, Established, LengthPrefixedPad, Stage, VC};
use bytes::{Buf, BufMut, BytesMut};
use ids::InfoHash;
use std::{fmt, mem};

/// What an [`Initiator`] is to say.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// The torrent's info-hash, for v2 the truncated one. A peer that does not have the torrent cannot answer.
    pub skey: InfoHash,
    /// What the peer may choose from.
    pub provide: CryptoProvide,
    /// What is sent along with the negotiation, always encrypted: usually the 68-byte handshake, or nothing. At most
    /// [`MAX_INITIAL_PAYLOAD`](crate::MAX_INITIAL_PAYLOAD) bytes; libtorrent takes 68.
    pub initial_payload: &'a [u8],
    /// 160 random bits, new for every connection.
    pub secret: [u8; 20],
    /// PadA: random bytes, their number random as well, at most [`MAX_PAD`](crate::MAX_PAD). WebTorrent 1.9 does not
    /// answer when there are none.
    pub pad_a: &'a [u8],
    /// The length of PadC in bytes, at most [`MAX_PAD`](crate::MAX_PAD); its bytes are zeros.
    pub pad_c: u16,
}

/// The side that connects. Send [`output`](Self::output), feed [`input`](Self::input), and so on in turn.
pub struct Initiator {
    ours: Ours,
    state: State,
}

/// What an initiator brings with it.
struct Ours {
    skey: InfoHash,
    provide: CryptoProvide,
    private_key: PrivateKey,
    /// What is sent encrypted once there is a key: VC, crypto_provide, PadC, the initial payload.
    request: Vec<u8>,
    output: BytesMut,
    has_short_secret: bool,
}

/// What comes next.
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
    /// When the offer has too long a pad or initial payload, or provides no method.
    pub fn new(offer: &Offer<'_>) -> Result<Self, Error> {
        let Offer { skey, provide, initial_payload, secret, pad_a, pad_c } = *offer;
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

    /// Takes the bytes that are to be sent now; often none.
    #[must_use]
    pub fn output(&mut self) -> BytesMut {
        mem::take(&mut self.ours.output)
    }

    /// Takes what it can use off the front of `received`; `None` when more bytes are needed, and then fewer than
    /// [`MAX_PAD`](crate::MAX_PAD) stay in the buffer. What follows the handshake stays in the buffer, and has been
    /// decrypted where that was needed.
    ///
    /// # Errors
    /// When this can become no handshake any more, with the first reason. After the end there is only [`Error::Over`].
    pub fn input(&mut self, received: &mut BytesMut) -> Result<Option<Established>, Error> {
        run(&mut self.state, |state| self.ours.step(state, received))
    }

    /// Whether the shared secret is known and begins with a zero byte, as one in 256 does. libtorrent up to 2.0.8 at least
    /// leaves such bytes out of one hash and closes; libTorrent (rTorrent) up to 0.13.8 at least leaves them out of all and
    /// waits for ever. With another [`Offer::secret`] they will answer.
    #[must_use]
    pub fn has_short_secret(&self) -> bool {
        self.ours.has_short_secret
    }

    /// What it waits for.
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
                let method = self.provide.selected(fields.get_u32())?;
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

/// Without the secret.
impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_INITIAL_PAYLOAD, MAX_PAD};

    const SKEY: InfoHash = InfoHash([7; 20]);

    fn offer() -> Offer<'static> {
        Offer {
            skey: SKEY,
            provide: CryptoProvide::EITHER,
            initial_payload: b"",
            secret: [1; 20],
            pad_a: b"",
            pad_c: 0,
        }
    }

    /// An initiator that has sent its request, and the ciphers of the peer it talks to.
    fn after_request(provide: CryptoProvide) -> (Initiator, Ciphers) {
        let mut initiator = Initiator::new(&Offer { provide, ..offer() }).unwrap();
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
    fn an_offer_has_limits() {
        let (pad, payload) = ([0; MAX_PAD + 1], [0; MAX_INITIAL_PAYLOAD + 1]);
        let length = MAX_PAD + 1;
        for (offer, expected) in [
            (Offer { pad_a: &pad[1..], ..offer() }, None),
            (Offer { pad_a: &pad, ..offer() }, Some(Error::OwnPadTooLong { length })),
            (Offer { pad_c: 512, ..offer() }, None),
            (Offer { pad_c: 513, ..offer() }, Some(Error::OwnPadTooLong { length })),
            (Offer { initial_payload: &payload[1..], ..offer() }, None),
            (
                Offer { initial_payload: &payload, ..offer() },
                Some(Error::OwnInitialPayloadTooLong { length: MAX_INITIAL_PAYLOAD + 1 }),
            ),
            (Offer { provide: CryptoProvide(4), ..offer() }, Some(Error::NothingProvided)),
        ] {
            assert_eq!(Initiator::new(&offer).err(), expected);
        }
    }

    #[test]
    fn a_selection_is_one_of_those_offered() {
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
    fn a_pad_has_at_most_512_bytes() {
        for (pad_d, expected) in
            [(512, None), (513, Some(Error::PadTooLong { pad: LengthPrefixedPad::D, length: 513 }))]
        {
            let (mut initiator, mut ciphers) = after_request(CryptoProvide::RC4);
            assert_eq!(initiator.input(&mut reply(&mut ciphers, 2, pad_d)).err(), expected);
        }
    }

    #[test]
    fn a_peer_that_speaks_plaintext_is_known_by_20_bytes_and_its_bytes_are_kept() {
        let mut initiator = Initiator::new(&offer()).unwrap();
        let mut received = BytesMut::from(&b"\x13BitTorrent protoco"[..]);
        assert!(initiator.input(&mut received).unwrap().is_none());
        received.extend_from_slice(b"l");
        assert_eq!(initiator.input(&mut received).err(), Some(Error::PlaintextHandshake));
        assert_eq!(&received[..], b"\x13BitTorrent protocol");
    }

    #[test]
    fn a_peer_that_does_not_know_the_torrent_is_noticed_at_the_end_of_the_longest_pad() {
        let (mut initiator, _) = after_request(CryptoProvide::RC4);
        let mut received = BytesMut::from(&[b'x'; 519][..]);
        assert!(initiator.input(&mut received).unwrap().is_none());
        assert_eq!(received.len(), 7);
        received.extend_from_slice(b"x");
        assert_eq!(initiator.input(&mut received).err(), Some(Error::SyncNotFound { scanned: 520 }));
        assert_eq!(initiator.input(&mut received).err(), Some(Error::Over));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let initiator = Initiator::new(&offer()).unwrap();
        assert_eq!(format!("{initiator:?}"), "Initiator { stage: PublicKey, .. }");
    }

    /// Different ones.
    fn secrets() -> impl Iterator<Item = [u8; 20]> {
        (0..1024_u16).map(|number| {
            let mut secret = [3; 20];
            secret[..2].copy_from_slice(&number.to_be_bytes());
            secret
        })
    }

    #[test]
    fn no_public_key_looks_like_a_handshake_in_plaintext() {
        let looks_like_one = |key: &[u8]| key[0] == 19;
        assert!(secrets().any(|secret| looks_like_one(&PrivateKey::new(secret).public_key())));
        for secret in secrets() {
            let output = Initiator::new(&Offer { secret, ..offer() }).unwrap().output();
            assert!(!looks_like_one(&output), "{secret:?}");
        }
    }

    #[test]
    fn one_secret_in_256_is_short() {
        let theirs = PrivateKey::new([2; 20]).public_key();
        let is_short = |secret: [u8; 20]| {
            let mut initiator = Initiator::new(&Offer { secret, ..offer() }).unwrap();
            assert!(!initiator.has_short_secret());
            assert!(initiator.input(&mut BytesMut::from(&theirs[..])).unwrap().is_none());
            initiator.has_short_secret()
        };
        let short = secrets().filter(|&secret| is_short(secret)).count();
        assert!((1..16).contains(&short), "{short}");
    }
}
