//! A whole conversation: a peer sends bytes in pieces and with pauses, then closes, resets or is silent. The outcome of the
//! handshake follows from the bytes and the clock alone and comes within the deadline; the messages after it are understood
//! the same in any pieces, and what is kept of a peer is bounded.
//!
//! An input is two bytes of settings (see [`Script::read`]), then the peer's bytes.

use crate::escape::assert_error;
use crate::memory;
use crate::mutator::Mutator;
use crate::source::{Source, pieces};
use bytes::BytesMut;
use ids::{InfoHash, PeerId};
use peer_session::{HandshakeFailure, NotBitTorrent, Pieces, Advertised, HandshakeDone, Violation};
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// Timeout of the handshake: the default of the command.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Memory that a handshake may allocate for each byte sent: the stream's own buffer, which doubles.
const MEETING_TIMES: usize = 4;
/// Memory beside that: a buffer that grows by reads of 2 KiB until 68 bytes are there, and timers.
const MEETING_BESIDE: usize = 16 << 10;
/// Memory for each byte after the handshake: as in the target `extension_handshake`.
const TIMES_THE_INPUT: usize = 32;
/// Memory beside that: 64 names of extensions in a tree, and a client's name.
const BESIDE: usize = 16 << 10;
/// Memory beside that when the number of pieces is unknown: a bit for each of 2^21, allocated again each time the bitfield
/// doubles on its way there.
const UNKNOWN_PIECES: usize = 4 * (1 << 21) / 8;
/// Most bytes of messages before the handshake.
const EARLY: usize = 64 << 10;
/// Pauses in milliseconds, multiples of 7, so that no sum of them is the deadline.
const PAUSES: [u64; 6] = [0, 0, 0, 7, 700, 2_996];

/// How an exchange of handshakes ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Found {
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
    fn of(failure: &HandshakeFailure) -> Self {
        match failure {
            HandshakeFailure::TimedOut { .. } => Self::TimedOut,
            HandshakeFailure::Closed { received: 0 } | HandshakeFailure::Broken { received: 0, .. } => Self::Closed,
            HandshakeFailure::Closed { .. } | HandshakeFailure::Broken { .. } => Self::Short,
            HandshakeFailure::NotBitTorrent(_) => Self::NotBitTorrent,
            HandshakeFailure::WrongInfoHash(_) => Self::WrongInfoHash,
            HandshakeFailure::OwnPeerId(_) => Self::OwnPeerId,
            other => unreachable!("{other}"),
        }
    }
}

/// How the peer ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    Reset,
    Silence,
    /// It had closed before we said anything, and what it had sent is still to be read.
    ClosedBefore,
}

/// A scripted peer, and the handshake that it is asked with.
struct Script<'i> {
    ours: Handshake,
    also: Option<InfoHash>,
    pieces: Option<u32>,
    room: usize,
    end: End,
    wire: &'i [u8],
    /// What is sent, and the pause before it.
    steps: Vec<(Duration, &'i [u8])>,
}

impl<'i> Script<'i> {
    /// The bits of the first byte: two for the end, one each for whether we ask for the peer's torrent, accept it as the other
    /// hash of a hybrid, have its peer id, have a stream that holds 68 bytes only, know that the torrent has 13 pieces.
    /// The second byte seeds splits and pauses.
    fn read(input: &'i [u8]) -> Self {
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
        Self { ours, also, pieces: bit(6).then_some(13), room, end, wire, steps }
    }

    /// Plays the script; never returns.
    async fn play(&self, mut peer: DuplexStream, reset: &Cell<bool>) -> HandshakeDone {
        for (pause, bytes) in &self.steps {
            if !pause.is_zero() {
                sleep_until(Instant::now() + *pause).await;
            }
            if peer.write_all(bytes).await.is_err() {
                break;
            }
        }
        if self.end == End::Silence {
            pending::<()>().await;
        }
        reset.set(self.end == End::Reset);
        drop(peer);
        pending().await
    }
}

/// Our end of the stream, with a reset that the script can set.
struct Ours {
    stream: DuplexStream,
    reset: Rc<Cell<bool>>,
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

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let script = Script::read(input);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let bound = MEETING_TIMES * input.len() + MEETING_BESIDE;
    let result = memory::bounded(bound, || runtime.block_on(meet(&script)));
    verdict(&script, &result);
    if let Ok(HandshakeDone { theirs, surplus, early }) = result {
        let (before, rest) = script.wire.split_at(early);
        let (handshake, after) = rest.split_at(Handshake::LENGTH);
        assert_eq!((theirs.encode().as_slice(), early), (handshake, early_of(script.wire).unwrap_or(0)));
        let said = [before, after].concat();
        assert!(
            surplus.len() >= early && said.starts_with(&surplus),
            "all bytes beside the handshake are kept, and no others"
        );
        listening(&said, script.pieces);
    }
}

async fn meet(script: &Script<'_>) -> Result<HandshakeDone, HandshakeFailure> {
    let (ours, mut peer) = tokio::io::duplex(script.room);
    let reset = Rc::new(Cell::new(false));
    let mut stream = Ours { stream: ours, reset: Rc::clone(&reset) };
    let begin = Instant::now();
    let result = if script.end == End::ClosedBefore {
        peer.write_all(script.wire).await.expect("there is room");
        drop(peer);
        peer_session::handshake(&mut stream, &script.ours, script.also, TIMEOUT).await
    } else {
        let handshake = peer_session::handshake(&mut stream, &script.ours, script.also, TIMEOUT);
        tokio::select! {
            biased;
            result = handshake => result,
            never = script.play(peer, &reset) => Ok(never),
        }
    };
    // Timers are rounded to milliseconds.
    assert!(begin.elapsed() <= TIMEOUT + Duration::from_millis(1));
    result
}

/// The result is the expected one, and its fields agree with the bytes and the clock.
fn verdict(script: &Script<'_>, result: &Result<HandshakeDone, HandshakeFailure>) {
    let (expected, by_then) = expected(script);
    let found = result.as_ref().map_or_else(Found::of, |_| Found::Valid);
    assert_eq!(found, expected, "{result:?}");
    let Err(failure) = result else { return };
    assert_error(failure);
    match failure {
        HandshakeFailure::NotBitTorrent(NotBitTorrent { beginning }) => {
            assert!(beginning.len() <= Handshake::LENGTH && script.wire.starts_with(beginning));
        }
        HandshakeFailure::TimedOut { received, timeout } => assert_eq!((*received, *timeout), (by_then, TIMEOUT)),
        HandshakeFailure::Closed { received } => assert_eq!((*received, script.end), (by_then, End::Close)),
        HandshakeFailure::Broken { received, .. } => {
            assert_eq!(*received, by_then);
            assert!(matches!(script.end, End::Reset | End::ClosedBefore));
        }
        HandshakeFailure::WrongInfoHash(theirs) | HandshakeFailure::OwnPeerId(theirs) => {
            let (_, handshake) = script.wire.split_at(early_of(script.wire).unwrap_or(0));
            assert!(handshake.starts_with(&theirs.encode()) && failure.theirs() == Some(theirs));
        }
        other => panic!("{other}"),
    }
}

/// How the exchange has to end, and how many bytes have arrived by then.
fn expected(script: &Script<'_>) -> (Found, usize) {
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
fn early_of(wire: &[u8]) -> Option<usize> {
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

/// The messages after the handshake are understood the same in any pieces, and within the memory bound.
fn listening(after: &[u8], pieces_there: Option<u32>) {
    let unknown = if pieces_there.is_none() { UNKNOWN_PIECES } else { 0 };
    let mut received = BytesMut::from(after);
    let bound = TIMES_THE_INPUT * after.len() + BESIDE + unknown;
    let mut said = Advertised::default();
    let end = memory::bounded(bound, || understand(&mut received, &mut said, pieces_there));
    kept(&said, pieces_there);
    end.iter().for_each(|violation| drop(assert_error(violation)));
    let mut received = BytesMut::new();
    let mut again = Advertised::default();
    let mut violation = None;
    for piece in pieces(after, 1) {
        received.extend_from_slice(piece);
        let before = again.clone();
        violation = understand(&mut received, &mut again, pieces_there);
        if violation.is_some() {
            assert!(before.extension.is_none() || again.extension.is_some(), "an extension handshake is not forgotten");
            break;
        }
    }
    assert_eq!((again, violation), (said, end));
}

/// Reads every whole message, as the client does.
fn understand(received: &mut BytesMut, said: &mut Advertised, pieces: Option<u32>) -> Option<Violation> {
    let codec = pieces.map_or_else(Codec::default, Codec::for_pieces);
    loop {
        match codec.decode(received) {
            Ok(Some(message)) => {
                if let Err(violation) = said.take(&message, pieces) {
                    return Some(violation);
                }
            }
            Ok(None) => return None,
            Err(error) => return Some(error.into()),
        }
    }
}

/// What is kept of a peer is within its limits, and its counts agree.
fn kept(said: &Advertised, pieces: Option<u32>) {
    if let Some(extension) = &said.extension {
        assert!(extension.extensions.len() <= ExtensionHandshake::MAX_EXTENSIONS && extension.dropped.len() <= 12);
    }
    let Pieces::Some { bitfield, by_have, .. } = &said.pieces else { return };
    let (there, holes) = (bitfield.count_ones(), said.pieces.holes(pieces));
    assert!(*by_have <= there && bitfield.as_bytes().len() < Codec::MAX_FRAME as usize);
    assert!(!said.pieces.is_all(pieces) || holes == 0);
    if let Some(pieces) = pieces {
        assert_eq!((bitfield.pieces(), there + holes), (pieces, pieces));
        assert_eq!(said.pieces.count(pieces), Some(there));
    } else {
        assert!(there + holes <= bitfield.pieces());
    }
}
