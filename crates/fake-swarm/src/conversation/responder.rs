//! The responder's half of Message Stream Encryption, in any of its policies.

use std::time::Duration;

use super::{Conversation, Stop};
use crate::encryption::{Fault, RC4, Responder};
use crate::ending::Ending;
use crate::ledger::Initiated;
use crate::mse::{KEY_LENGTH, Rc4, Secrets, agree, invented, pad_end, private_key, public_key};
use crate::peer::Knows;

/// The most bytes that PadA may have.
const LONGEST_PAD: usize = 512;
/// More than the longest pad and a verification constant together.
const PAST_SYNC: usize = LONGEST_PAD + 100;
/// How much of an endless pad goes into one write.
const ENDLESS_WRITE: usize = 16_384;
/// How a conversation ends with an initiator that gets no answer.
const CLOSES: Stop = Stop::Script(Ending::Closes);

/// What the initiator says under its cipher.
struct Offer {
    provide: u32,
    pad_c: usize,
    initial_payload: Vec<u8>,
}

impl Conversation<'_> {
    /// Returns when the ciphers are agreed. The responder waits for `wanted` bytes of the handshake.
    pub(super) async fn respond(&mut self, responder: &Responder, wanted: usize) -> Result<(), Stop> {
        let shared = self.exchange_keys(responder).await?;
        let pad_a = self.hearing.take_past(&pad_end(&shared), LONGEST_PAD).await?.ok_or(CLOSES)?;
        let mark: [u8; 20] = self.hearing.take_array().await?;
        let mut known = self.hashes().into_iter().map(|info_hash| Secrets { shared, info_hash });
        // The initiator wants a torrent that this peer does not have.
        let secrets = known.find(|secrets| secrets.torrent_mark() == mark).ok_or(CLOSES)?;

        let mut incoming = secrets.initiators();
        let offer = self.offer(&mut incoming).await?;
        let select = responder.select.from(offer.provide);
        self.hearing.account.initiated(Initiated {
            pad_a,
            provide: offer.provide,
            pad_c: offer.pad_c,
            initial_payload: offer.initial_payload.len(),
            select,
        });
        let select = select.ok_or(CLOSES)?;

        let mut outgoing = secrets.responders();
        self.speaking.queue(&answer(responder, select, &mut outgoing));
        if responder.fault == Some(Fault::WrongConstant) {
            self.speaking.flush().await?;
            return Err(Stop::Script(Ending::Stays));
        }
        let encrypted = select & RC4 != 0;
        self.hearing.settle_with(offer.initial_payload, encrypted.then_some(incoming));
        self.speaking.encrypt_with(encrypted.then_some(outgoing));
        if self.hearing.pending() < wanted {
            // The initiator waits for the answer before it says its handshake; otherwise ours goes along with it.
            self.speaking.flush().await?;
        }
        Ok(())
    }

    /// Diffie-Hellman and PadB: the secret shared.
    async fn exchange_keys(&mut self, responder: &Responder) -> Result<[u8; KEY_LENGTH], Stop> {
        let theirs = self.hearing.take_array().await?;
        let (private, shared) = agree(&private_key(self.ip), &theirs, responder.fault == Some(Fault::ShortSecret));
        let (key, pad) = match &responder.fault {
            Some(Fault::Key(key)) => (*key, 0),
            Some(Fault::NoSync) => (public_key(&private), PAST_SYNC),
            _ => (public_key(&private), responder.pad_b),
        };
        self.speaking.queue(&key);
        self.speaking.queue(&invented(&private, pad));
        self.speaking.flush().await?;
        match &responder.fault {
            Some(Fault::Key(_) | Fault::NoSync) => Err(Stop::Script(Ending::Stays)),
            Some(Fault::EndlessPad) => Err(self.pad_endlessly(&invented(&private, ENDLESS_WRITE)).await),
            Some(Fault::ShortSecret | Fault::WrongConstant) | None => Ok(shared),
        }
    }

    async fn pad_endlessly(&mut self, pad: &[u8]) -> Stop {
        let stopped = tokio::select! {
            biased;
            stopped = self.hearing.listen(&[]) => stopped.map(drop),
            stopped = self.speaking.repeat(pad, Duration::ZERO) => stopped,
        };
        stopped.err().unwrap_or(Stop::Script(Ending::Stays))
    }

    /// Reads what the initiator says under its cipher, up to the end of its payload.
    async fn offer(&mut self, cipher: &mut Rc4) -> Result<Offer, Stop> {
        if self.decrypted_array(cipher).await? != [0; 8] {
            return Err(CLOSES);
        }
        let provide = u32::from_be_bytes(self.decrypted_array(cipher).await?);
        let pad_c = usize::from(u16::from_be_bytes(self.decrypted_array(cipher).await?));
        self.decrypted(pad_c, cipher).await?;
        let length = usize::from(u16::from_be_bytes(self.decrypted_array(cipher).await?));
        let initial_payload = self.decrypted(length, cipher).await?;
        Ok(Offer { provide, pad_c, initial_payload })
    }

    /// The next `length` bytes, decrypted.
    async fn decrypted(&mut self, length: usize, cipher: &mut Rc4) -> Result<Vec<u8>, Stop> {
        let mut bytes = self.hearing.take(length).await?;
        cipher.apply(&mut bytes);
        Ok(bytes)
    }

    async fn decrypted_array<const N: usize>(&mut self, cipher: &mut Rc4) -> Result<[u8; N], Stop> {
        let mut bytes = self.hearing.take_array().await?;
        cipher.apply(&mut bytes);
        Ok(bytes)
    }

    /// The info-hashes by which this peer knows its torrent.
    fn hashes(&self) -> Vec<[u8; 20]> {
        match self.script.knows {
            Knows::Hybrid(other) => vec![*self.info_hash, other],
            _ => vec![self.default_hash()],
        }
    }
}

/// The responder's last words before its handshake.
fn answer(responder: &Responder, select: u32, cipher: &mut Rc4) -> Vec<u8> {
    let constant = if responder.fault == Some(Fault::WrongConstant) { [1; 8] } else { [0; 8] };
    let pad_d = vec![0; usize::from(responder.pad_d)];
    let (select, length) = (select.to_be_bytes(), responder.pad_d.to_be_bytes());
    let mut bytes = [constant.as_slice(), &select, &length, &pad_d].concat();
    cipher.apply(&mut bytes);
    bytes
}
