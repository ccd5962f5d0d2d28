//! A scripted peer: what it sends and when, how it ends, and how the exchange of handshakes with it has to end.

use crate::mutator::Mutator;
use crate::source::{Source, pieces};
use bytes::BytesMut;
use ids::{InfoHash, PeerId};
use peer_session::HandshakeFailure;
use peer_wire::{Codec, Handshake, Message, Reserved};
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// Timeout of the handshake: the default of the command.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of messages before the handshake.
const EARLY: usize = 64 << 10;
/// Pauses in milliseconds, multiples of 7, so that no sum of them is a deadline.
const PAUSES: [u64; 6] = [0, 0, 0, 7, 700, 2_996];

/// How the peer ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Close,
    Reset,
    Silence,
    /// It had closed before we said anything, and what it had sent is still to be read.
    ClosedBefore,
}

/// A scripted peer, and the handshake that it is asked with.
pub(super) struct Script<'i> {
    pub(super) ours: Handshake,
    pub(super) also: Option<InfoHash>,
    pub(super) pieces: Option<u32>,
    pub(super) room: usize,
    pub(super) end: End,
    /// Whether we negotiate encryption, of which the peer knows nothing.
    pub(super) encrypted: bool,
    pub(super) wire: &'i [u8],
    /// What is sent, and the pause before it.
    steps: Vec<(Duration, &'i [u8])>,
}

impl<'i> Script<'i> {
    /// The bits of the first byte: two for the end, one each for whether we ask for the peer's torrent, accept it as the other
    /// hash of a hybrid, have its peer id, have a stream that holds 68 bytes only, know that the torrent has 13 pieces,
    /// and negotiate encryption. The second byte seeds splits and pauses; only one in sixteen allows encryption, whose key takes
    /// as long as a hundred conversations.
    pub(super) fn read(input: &'i [u8]) -> Self {
        let mut source = Source::new(input);
        let (bits, seed) = (source.byte(), source.byte());
        let bit = |n: u8| bits & (1 << n) != 0;
        let wire = source.rest();
        let (_, handshake) = wire.split_at(early_of(wire).unwrap_or(0));
        let theirs = Handshake::decode(&mut BytesMut::from(handshake)).ok().flatten();
        let theirs_or = |other| theirs.map_or(other, |theirs: Handshake| theirs.info_hash);
        let ours = Handshake {
            reserved: Reserved::EXTENSION_PROTOCOL | Reserved::FAST,
            info_hash: if bit(2) { theirs_or(InfoHash([1; 20])) } else { InfoHash([1; 20]) },
            peer_id: theirs.filter(|_| bit(4)).map_or(PeerId::new([1; 12]), |theirs| theirs.peer_id),
        };
        let end = [End::Close, End::Reset, End::Silence, End::ClosedBefore][usize::from(bits & 3)];
        let room = if bit(5) { Handshake::LENGTH } else { 1 << 16 };
        let mut random = Mutator::new(seed.into());
        let wire = if end == End::ClosedBefore { &wire[..wire.len().min(room)] } else { wire };
        let mut steps: Vec<_> = pieces(wire, seed.into()).into_iter().map(|piece| (Duration::ZERO, piece)).collect();
        if end == End::ClosedBefore {
            steps = vec![(Duration::ZERO, wire)];
        } else {
            // The last pause is before the end.
            steps.push((Duration::ZERO, &[]));
            steps.iter_mut().for_each(|(pause, _)| *pause = Duration::from_millis(PAUSES[random.below(PAUSES.len())]));
        }
        let also = bit(3).then(|| theirs_or(InfoHash([2; 20])));
        Self { ours, also, pieces: bit(6).then_some(13), room, end, encrypted: bit(7) && seed % 16 == 0, wire, steps }
    }

    /// Plays the script, and keeps what is `said` to the peer; never returns.
    pub(super) async fn play(&self, peer: DuplexStream, reset: &Cell<bool>, said: &mut Vec<u8>) {
        let (mut reads, mut writes) = tokio::io::split(peer);
        let sends = async {
            for (pause, bytes) in &self.steps {
                if !pause.is_zero() {
                    sleep_until(Instant::now() + *pause).await;
                }
                if writes.write_all(bytes).await.is_err() {
                    break;
                }
            }
            if self.end == End::Silence {
                pending::<()>().await;
            }
        };
        let hears = async {
            while reads.read_buf(said).await.is_ok_and(|read| read > 0) {}
            pending::<()>().await;
        };
        tokio::select! { biased; () = hears => {}, () = sends => {} }
        reset.set(self.end == End::Reset);
        drop((reads, writes));
        pending().await
    }
}

/// Our end of the stream, with a reset that the script can set.
pub(super) struct Ours {
    pub(super) stream: DuplexStream,
    pub(super) reset: Rc<Cell<bool>>,
}

impl AsyncRead for Ours {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let is_reset = buffer.filled().len() == before && self.reset.get();
        Poll::Ready(if is_reset { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) })
    }
}

impl AsyncWrite for Ours {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How an exchange of handshakes ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    Valid,
    TimedOut,
    /// Closed or reset without a byte.
    Closed,
    /// Closed or reset after some.
    Short,
    NotBitTorrent,
    WrongInfoHash,
    OwnPeerId,
}

impl Found {
    pub(super) fn of(failure: &HandshakeFailure) -> Self {
        match failure {
            HandshakeFailure::TimedOut { .. } => Self::TimedOut,
            HandshakeFailure::Closed { received: 0 } | HandshakeFailure::Broken { received: 0, .. } => Self::Closed,
            HandshakeFailure::Closed { .. } | HandshakeFailure::Broken { .. } => Self::Short,
            HandshakeFailure::NotBitTorrent(_) => Self::NotBitTorrent,
            HandshakeFailure::WrongInfoHash(_) => Self::WrongInfoHash,
            HandshakeFailure::OwnPeerId(_) => Self::OwnPeerId,
        }
    }
}

/// How the exchange has to end, and how many bytes have arrived by then.
pub(super) fn expected(script: &Script<'_>) -> (Found, usize) {
    let mut time = Duration::ZERO;
    let mut received = 0;
    // Messages without a handshake are `NotBitTorrent`, however the connection ends.
    let mut begun_early = false;
    for (pause, bytes) in &script.steps {
        time += *pause;
        if time > TIMEOUT {
            return (if begun_early { Found::NotBitTorrent } else { Found::TimedOut }, received);
        }
        received += bytes.len();
        let so_far = &script.wire[..received];
        let Some(early) = early_of(so_far) else { return (Found::NotBitTorrent, received) };
        let handshake = &so_far[early..];
        if handshake.starts_with(&[PROTOCOL[0]])
            && handshake.iter().zip(PROTOCOL).any(|(found, wanted)| found != wanted)
        {
            return (Found::NotBitTorrent, received);
        }
        begun_early |= early > 0 || so_far.first().is_some_and(|first| *first != PROTOCOL[0]);
        if handshake.starts_with(PROTOCOL) && handshake.len() >= Handshake::LENGTH {
            let (info_hash, peer_id) = (&handshake[28..48], &handshake[48..68]);
            let known = info_hash == script.ours.info_hash.0 || script.also.is_some_and(|also| info_hash == also.0);
            return match (known, peer_id == script.ours.peer_id.0) {
                (false, _) => (Found::WrongInfoHash, received),
                (true, true) => (Found::OwnPeerId, received),
                (true, false) => (Found::Valid, received),
            };
        }
    }
    if begun_early {
        return (Found::NotBitTorrent, received);
    }
    let closed = if received == 0 { Found::Closed } else { Found::Short };
    (if script.end == End::Silence { Found::TimedOut } else { closed }, received)
}

const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// The bytes of whole messages before the handshake, or before a beginning that may be either; `None` when the bytes are
/// neither messages nor a handshake.
pub(super) fn early_of(wire: &[u8]) -> Option<usize> {
    let mut early = 0;
    while let Some(length) = wire.get(early..early + 4).filter(|_| wire[early] != PROTOCOL[0]) {
        let length = usize::try_from(u32::from_be_bytes(length.try_into().expect("four bytes"))).expect("a length");
        let id = wire.get(early + 4);
        if !(1..=EARLY).contains(&length) || id.is_some_and(|id| *id > 23) {
            return None;
        }
        let Some(message) = wire.get(early..early + 4 + length) else { break };
        let read = Codec::new(u32::MAX).decode(&mut BytesMut::from(message));
        if !matches!(read, Ok(Some(message)) if !matches!(message, Message::Unknown { .. })) {
            return None;
        }
        early += message.len();
        if early > EARLY {
            return None;
        }
    }
    Some(early)
}
