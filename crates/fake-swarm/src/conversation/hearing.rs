//! What comes in: read, decrypted, remembered.

use std::convert::Infallible;
use std::io;

use tokio::sync::mpsc::UnboundedSender;

use super::Stop;
use crate::ending::Ending;
use crate::frames::Frames;
use crate::handshake::HANDSHAKE_LENGTH;
use crate::handshake::PROTOCOL;
use crate::ledger::{Account, End};
use crate::mse::Rc4;
use crate::stream::Stream;

/// Bytes taken from the socket in one read.
const READ_SIZE: usize = 4096;

/// The initiator's side of a conversation.
pub(super) struct Hearing<'a> {
    stream: &'a Stream,
    pub(super) account: &'a Account,
    /// What undoes the encryption of bytes to come.
    cipher: Option<Rc4>,
    /// Whether it is known that bytes are handshake and messages: not while they may be MSE.
    settled: bool,
    /// Bytes that were received and not taken yet.
    pending: Vec<u8>,
    /// The beginning of the handshake, which the messages follow.
    handshake: Vec<u8>,
    frames: Frames,
    /// Where extension messages go.
    extended: Option<UnboundedSender<Vec<u8>>>,
}

impl<'a> Hearing<'a> {
    /// Extension messages are handed to `extended`, if there is one.
    pub(super) fn new(stream: &'a Stream, account: &'a Account, extended: Option<UnboundedSender<Vec<u8>>>) -> Self {
        let (pending, handshake) = Default::default();
        let frames = extended.as_ref().map_or_else(Frames::default, |_| Frames::keeping());
        Self { stream, account, cipher: None, settled: false, pending, handshake, frames, extended }
    }

    /// The first `length` bytes of those not taken, once they have come. They stay there.
    pub(super) async fn until(&mut self, length: usize) -> Result<Vec<u8>, Stop> {
        loop {
            if let Some(bytes) = self.pending.get(..length) {
                return Ok(bytes.to_vec());
            }
            self.more().await?;
        }
    }

    /// Takes exactly `length` bytes.
    pub(super) async fn take(&mut self, length: usize) -> Result<Vec<u8>, Stop> {
        let taken = self.until(length).await?;
        self.pending.drain(..length);
        Ok(taken)
    }

    /// Takes exactly `N` bytes.
    pub(super) async fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.iter_mut().zip(self.take(N).await?).for_each(|(slot, byte)| *slot = byte);
        Ok(array)
    }

    /// Takes all up to the end of this mark, and says how many bytes were before it; `None` if they would be more than
    /// `most`.
    pub(super) async fn take_past(&mut self, mark: &[u8], most: usize) -> Result<Option<usize>, Stop> {
        loop {
            if let Some(before) = self.pending.windows(mark.len()).position(|window| window == mark) {
                self.pending.drain(..before + mark.len());
                return Ok(Some(before).filter(|before| *before <= most));
            }
            if self.pending.len() >= most + mark.len() {
                return Ok(None);
            }
            self.more().await?;
        }
    }

    /// How many received bytes were not taken yet.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// From the bytes pending on, all is handshake and messages.
    pub(super) fn settle(&mut self) {
        if !self.settled {
            self.settled = true;
            self.account.clear(&self.pending);
        }
    }

    /// As [`settle`](Self::settle), with this payload before the bytes pending, and those and all to come under this
    /// cipher.
    pub(super) fn settle_with(&mut self, payload: Vec<u8>, mut cipher: Option<Rc4>) {
        if let Some(cipher) = &mut cipher {
            cipher.apply(&mut self.pending);
        }
        self.pending.splice(..0, payload);
        self.cipher = cipher;
        self.settle();
    }

    /// Takes all that comes, and writes down the messages, until the connection is over or one of them is to close on.
    pub(super) async fn listen(&mut self, closes_on: &[u8]) -> Result<Infallible, Stop> {
        self.settle();
        loop {
            if self.take_messages(closes_on) {
                return Err(Stop::Script(Ending::Closes));
            }
            self.more().await?;
        }
    }

    /// Writes down the messages pending, and says whether one is to close on.
    fn take_messages(&mut self, closes_on: &[u8]) -> bool {
        let mut pending = std::mem::take(&mut self.pending);
        let missing = (HANDSHAKE_LENGTH - self.handshake.len()).min(pending.len());
        self.handshake.extend(pending.drain(..missing));
        if self.handshake.len() < HANDSHAKE_LENGTH || !self.handshake.starts_with(PROTOCOL) {
            return false;
        }
        let messages = self.frames.feed(&pending);
        self.account.messages(&messages);
        if let Some(extended) = &self.extended {
            // They are not waited for once the peer has said everything.
            self.frames.take_extended().into_iter().for_each(|payload| drop(extended.send(payload)));
        }
        messages.iter().any(|message| message.id.is_some_and(|id| closes_on.contains(&id)))
    }

    /// At least one byte more.
    async fn more(&mut self) -> Result<(), Stop> {
        loop {
            self.stream.readable().await.map_err(|error| Stop::Over(End::of(&error)))?;
            // Not held across an await: ten thousand idle peers would hold ten thousand of them.
            let mut chunk = [0; READ_SIZE];
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Err(Stop::Over(End::TheyClosed)),
                Ok(length) => {
                    self.received(chunk.get_mut(..length).unwrap_or_default());
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Stop::Over(End::of(&error))),
            }
        }
    }

    fn received(&mut self, bytes: &mut [u8]) {
        self.account.received(bytes);
        if let Some(cipher) = &mut self.cipher {
            cipher.apply(bytes);
        }
        if self.settled {
            self.account.clear(bytes);
        }
        self.pending.extend_from_slice(bytes);
    }
}
