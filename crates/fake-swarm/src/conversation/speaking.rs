//! What goes out: encrypted, cut and sent as the script says.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::Stop;
use crate::ledger::{Account, End};
use crate::mse::Rc4;
use crate::peer::{Peer, Step};
use crate::stream::Stream;

/// How much of something endless goes into one write.
const ENDLESS_WRITE: usize = 16_384;

/// The peer's side of a conversation.
pub(super) struct Speaking<'a> {
    stream: &'a Stream,
    script: &'a Peer,
    pub(super) account: &'a Account,
    /// Extension messages that came and were not answered yet.
    pub(super) heard: Option<UnboundedReceiver<Vec<u8>>>,
    cipher: Option<Rc4>,
    /// Bytes of the stream that were sent.
    said: usize,
    /// Bytes that wait for the next write.
    unsaid: Vec<u8>,
}

impl<'a> Speaking<'a> {
    pub(super) fn new(
        stream: &'a Stream,
        script: &'a Peer,
        account: &'a Account,
        heard: Option<UnboundedReceiver<Vec<u8>>>,
    ) -> Self {
        Self { stream, script, account, heard, cipher: None, said: 0, unsaid: Vec::new() }
    }

    /// Puts all to come under this cipher.
    pub(super) fn encrypt_with(&mut self, cipher: Option<Rc4>) {
        self.cipher = cipher;
    }

    /// Says the handshake and what the script has after it.
    pub(super) async fn follow(&mut self, answer: &[u8]) -> Result<Infallible, Stop> {
        self.queue(answer);
        for step in &self.script.after {
            match step {
                Step::Send(bytes) => self.queue(bytes),
                Step::Urgent(byte) => {
                    self.flush().await?;
                    self.stream.send_urgent(*byte);
                }
                Step::Pause(pause) => {
                    self.flush().await?;
                    wait(*pause).await;
                }
                Step::Repeat(bytes, pause) => self.repeat(bytes, *pause).await?,
                Step::Serve(serving) => self.serve(serving).await?,
            }
        }
        self.flush().await?;
        Err(Stop::Script(self.script.ending))
    }

    /// Without end, unless there is nothing to repeat.
    pub(super) async fn repeat(&mut self, bytes: &[u8], pause: Duration) -> Result<(), Stop> {
        let times = if pause.is_zero() { ENDLESS_WRITE / bytes.len().max(1) } else { 1 };
        let bytes = bytes.repeat(times.max(1));
        while !bytes.is_empty() {
            self.queue(&bytes);
            self.flush().await?;
            wait(pause).await;
        }
        Ok(())
    }

    /// Puts the bytes behind those that wait for the next write.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        let before = self.unsaid.len();
        self.unsaid.extend_from_slice(bytes);
        if let (Some(cipher), Some(added)) = (&mut self.cipher, self.unsaid.get_mut(before..)) {
            cipher.apply(added);
        }
    }

    /// Sends what waits, as far as the script lets the stream go.
    pub(super) async fn flush(&mut self) -> Result<(), Stop> {
        let mut bytes = std::mem::take(&mut self.unsaid);
        if self.said == 0 {
            wait(self.script.delay).await;
        }
        let room = self.script.at_most.map_or(usize::MAX, |most| most.saturating_sub(self.said));
        bytes.truncate(room);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            if let Some(pause) = self.script.delivery.pause_at(self.said) {
                wait(pause).await;
            }
            let length = self.script.delivery.next_cut(self.said).saturating_sub(self.said);
            let (piece, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.write(piece).await?;
            self.said += piece.len();
            rest = others;
        }
        if bytes.len() == room { Err(Stop::Script(self.script.ending)) } else { Ok(()) }
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<(), Stop> {
        let failed = |error: io::Error| Stop::Over(End::of(&error));
        while !bytes.is_empty() {
            self.stream.writable().await.map_err(failed)?;
            match self.stream.try_write(bytes) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

/// A pause of zero only lets others have their turn: the timer's grain is a millisecond.
pub(super) async fn wait(pause: Duration) {
    if pause.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(pause).await;
    }
}
