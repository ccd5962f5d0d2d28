//! One fake peer on one connection.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Behaviour;
use crate::handshake::{HANDSHAKE_LENGTH, RESERVED, UP_TO_INFO_HASH, asks_for, handshake, peer_id_of, sent_peer_id};
use crate::ledger::{Account, End};

/// How long a connection may last: longer than any deadline of ours, so that it is our side that decides.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two pieces of a split answer, so that they arrive as two.
const PAUSE_BETWEEN_PIECES: Duration = Duration::from_millis(5);
/// Bytes taken from the socket in one read.
const READ_SIZE: usize = 4096;

/// Plays the behaviour to its end.
pub(crate) async fn play(
    stream: TcpStream,
    ip: Ipv4Addr,
    info_hash: &[u8; 20],
    behaviour: &Behaviour,
    account: Account,
) {
    // Each write is a script's decision; the kernel must not wait to merge them. If it will not have it, the bytes
    // are still right.
    let _ = stream.set_nodelay(true);
    let mut peer = Peer { stream, ip, info_hash, account };
    let end = match tokio::time::timeout(PATIENCE, peer.follow(behaviour)).await {
        Ok(Ok(end) | Err(end)) => end,
        Err(_) => End::TimedOut,
    };
    let Peer { stream, account, .. } = peer;
    // The socket goes first: whoever waits for the count may rely on it.
    drop(stream);
    account.close(end);
}

struct Peer<'a> {
    stream: TcpStream,
    ip: Ipv4Addr,
    info_hash: &'a [u8; 20],
    account: Account,
}

impl Peer<'_> {
    /// `Err` is an end that came before the script's.
    async fn follow(&mut self, behaviour: &Behaviour) -> Result<End, End> {
        match behaviour {
            Behaviour::Silent => {}
            // A peer that refuses is dialled on the other port; on this one the closest to it is to close.
            Behaviour::CloseOnAccept | Behaviour::Refuse => self.finish().await?,
            Behaviour::SpeaksFirst => self.say(&self.answer()).await?,
            Behaviour::SpeaksThenResets(length) => {
                self.say(first(&self.answer(), *length)).await?;
                return self.reset();
            }
            Behaviour::CloseAtOnce => {
                self.read(HANDSHAKE_LENGTH).await?;
                self.finish().await?;
            }
            Behaviour::Reset => {
                self.read(HANDSHAKE_LENGTH).await?;
                return self.reset();
            }
            Behaviour::Garbage(bytes) => {
                self.read(HANDSHAKE_LENGTH).await?;
                self.say(bytes).await?;
                self.finish().await?;
            }
            Behaviour::WrongHash => {
                self.read(HANDSHAKE_LENGTH).await?;
                self.say(&handshake(RESERVED, &self.info_hash.map(|byte| !byte), &peer_id_of(self.ip))).await?;
            }
            _ => return self.answer_as(behaviour).await,
        }
        self.listen().await
    }

    /// The behaviours that answer only those who ask for our torrent.
    async fn answer_as(&mut self, behaviour: &Behaviour) -> Result<End, End> {
        let wanted = if *behaviour == Behaviour::After48 { UP_TO_INFO_HASH } else { HANDSHAKE_LENGTH };
        let sent = self.read(wanted).await?;
        if !asks_for(&sent, self.info_hash) {
            self.finish().await?;
            return self.listen().await;
        }
        match behaviour {
            Behaviour::Good { peer_id, reserved } => self.say(&handshake(*reserved, self.info_hash, peer_id)).await?,
            Behaviour::Slow { pause } => self.say_in_pieces(&(1..HANDSHAKE_LENGTH).collect::<Vec<_>>(), *pause).await?,
            Behaviour::Split(offsets) => self.say_in_pieces(offsets, PAUSE_BETWEEN_PIECES).await?,
            Behaviour::Short(length) => {
                self.say(first(&self.answer(), *length)).await?;
                self.finish().await?;
            }
            Behaviour::ShortReset(length) => {
                self.say(first(&self.answer(), *length)).await?;
                return self.reset();
            }
            Behaviour::OwnPeerId => {
                let peer_id = sent_peer_id(&sent).unwrap_or_default();
                self.say(&handshake(RESERVED, self.info_hash, &peer_id)).await?;
            }
            Behaviour::WithMessages(messages) => self.say(&[self.answer(), messages.clone()].concat()).await?,
            _ => self.say(&self.answer()).await?,
        }
        self.listen().await
    }

    fn answer(&self) -> Vec<u8> {
        handshake(RESERVED, self.info_hash, &peer_id_of(self.ip))
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.stream.write_all(bytes).await.map_err(|_| End::TheyReset)
    }

    /// The right answer, cut at the offsets.
    async fn say_in_pieces(&mut self, offsets: &[usize], pause: Duration) -> Result<(), End> {
        let answer = self.answer();
        let mut said = 0;
        for &offset in offsets {
            // An offset at an end or out of order cuts nothing.
            if let Some(piece) = answer.get(said..offset).filter(|piece| !piece.is_empty()) {
                self.say(piece).await?;
                tokio::time::sleep(pause).await;
                said = offset;
            }
        }
        self.say(answer.get(said..).unwrap_or_default()).await
    }

    /// Closes our direction. The other stays open and is read, because closing with bytes unread would reset it.
    async fn finish(&mut self) -> Result<(), End> {
        self.stream.shutdown().await.map_err(|_| End::TheyReset)
    }

    /// Makes the close that follows a reset.
    fn reset(&self) -> Result<End, End> {
        self.stream.set_zero_linger().map(|()| End::WeReset).map_err(|_| End::TheyReset)
    }

    /// Exactly so many bytes, and none beyond them.
    async fn read(&mut self, length: usize) -> Result<Vec<u8>, End> {
        let mut read = Vec::with_capacity(length);
        while read.len() < length {
            let before = read.len();
            self.read_some(&mut read, length - before).await?;
        }
        Ok(read)
    }

    /// Reads until the other side ends the connection.
    async fn listen(&mut self) -> Result<End, End> {
        let mut heard = Vec::new();
        loop {
            heard.clear();
            self.read_some(&mut heard, READ_SIZE).await?;
        }
    }

    /// At least one byte, at most so many, appended.
    async fn read_some(&mut self, into: &mut Vec<u8>, most: usize) -> Result<(), End> {
        loop {
            self.stream.readable().await.map_err(|_| End::TheyReset)?;
            // Not held across an await: ten thousand idle peers would hold ten thousand of them.
            let mut chunk = [0; READ_SIZE];
            let room = chunk.get_mut(..most.min(READ_SIZE)).unwrap_or_default();
            match self.stream.try_read(room) {
                Ok(0) => return Err(End::TheyClosed),
                Ok(length) => {
                    let heard = first(&chunk, length);
                    self.account.received(heard);
                    into.extend_from_slice(heard);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(End::TheyReset),
            }
        }
    }
}

/// The first so many bytes, or all if there are fewer.
fn first(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
