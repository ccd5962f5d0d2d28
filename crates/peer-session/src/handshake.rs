//! One exchange of handshakes over any stream (BEP 3).

use crate::alarm::{before, end};
use crate::budget::ByteBudget;
use crate::hello::{Greeting, Hello};
use crate::not_bittorrent::NotBitTorrent;
use crate::read::read_some;
use crate::{dump, early};
use bytes::BytesMut;
use ids::InfoHash;
use peer_wire::Handshake;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

/// A valid exchange of handshakes (BEP 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeDone {
    /// What the peer said.
    pub theirs: Handshake,
    /// Bytes of further messages that came in the same read, and before them of those that came before the handshake.
    pub surplus: BytesMut,
    /// How many bytes came before the handshake: messages that belong behind it.
    pub early: usize,
}

/// Why an exchange gave no valid handshake.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFailure {
    /// The deadline passed first.
    #[error("no complete handshake within {} s, {received} of 68 bytes received", timeout.as_secs_f32())]
    TimedOut {
        /// Bytes received by then, all right so far.
        received: usize,
        /// The deadline.
        timeout: Duration,
    },
    /// The peer closed the connection.
    #[error("closed after {received} of 68 bytes")]
    Closed {
        /// Bytes received before, all right so far.
        received: usize,
    },
    /// The connection broke, usually by a reset.
    #[error("connection broke after {received} of 68 bytes")]
    Broken {
        /// Bytes received before, all right so far.
        received: usize,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Something else than a handshake came, or messages without one.
    #[error(transparent)]
    NotBitTorrent(#[from] NotBitTorrent),
    /// A valid handshake for another torrent.
    #[error("answered for the torrent {}", .0.info_hash)]
    WrongInfoHash(Handshake),
    /// Our own peer id came back.
    #[error("our own peer id came back")]
    OwnPeerId(Handshake),
}

impl HandshakeFailure {
    /// Bytes of the peer's that had arrived.
    #[must_use]
    pub fn received(&self) -> usize {
        match self {
            Self::TimedOut { received, .. } | Self::Closed { received } | Self::Broken { received, .. } => *received,
            Self::NotBitTorrent(NotBitTorrent { beginning }) => beginning.len(),
            Self::WrongInfoHash(_) | Self::OwnPeerId(_) => Handshake::LENGTH,
        }
    }

    /// The handshake that arrived, for what it was.
    #[must_use]
    pub fn theirs(&self) -> Option<&Handshake> {
        match self {
            Self::WrongInfoHash(theirs) | Self::OwnPeerId(theirs) => Some(theirs),
            _ => None,
        }
    }
}

/// Sends our handshake (BEP 3), waits for the peer's, and checks that it is BitTorrent, for the same torrent, and not
/// ourselves. `also` is the other info-hash of a hybrid torrent: BEP 52 lets a peer that knows both answer with it when
/// [`Reserved::V2_UPGRADE`](peer_wire::Reserved::V2_UPGRADE) is set. `timeout` is for the whole exchange. The stream is
/// left open, at the first byte after the peer's handshake but for [`HandshakeDone::surplus`].
///
/// ```
/// use ids::{InfoHash, PeerId};
/// use peer_wire::{Handshake, Reserved};
/// # use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let of = |peer_id| Handshake { reserved: Reserved::default(), info_hash: InfoHash([7; 20]), peer_id };
/// let (ours, theirs) = (of(PeerId::new([0; 12])), of(PeerId(*b"-qB4520-abcdefghijkl")));
/// let (mut stream, mut peer) = tokio::io::duplex(Handshake::LENGTH);
/// peer.write_all(&theirs.encode()).await?;
///
/// let shaken = peer_session::handshake(&mut stream, &ours, None, std::time::Duration::from_secs(5)).await?;
/// assert_eq!(shaken.theirs, theirs);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Why there is no valid handshake.
pub async fn handshake<S>(
    stream: &mut S,
    ours: &Handshake,
    also: Option<InfoHash>,
    timeout: Duration,
) -> Result<HandshakeDone, HandshakeFailure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let alarm = pin!(sleep_until(end(Instant::now(), timeout)));
    let greeting = Greeting { also, ..Greeting::new(*ours) };
    let hello = Hello { greeting: &greeting, peer_id: ours.peer_id };
    let mut surplus = BytesMut::new();
    let theirs = before(alarm, pin!(meet(stream, &hello, &mut surplus, &mut 0))).await;
    judge(theirs, &hello, surplus, timeout)
}

/// The peer's handshake, and how many bytes came before it.
type Theirs = Result<(Handshake, usize), HandshakeFailure>;

/// Sends our handshake and waits for the peer's, without a deadline; counts into `bytes` what comes.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice, and thousands of these wait")]
pub(crate) fn meet<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    hello: &Hello<'_>,
    received: &mut BytesMut,
    bytes: &mut usize,
) -> impl Future<Output = Theirs> {
    async move {
        // A peer that has closed already may still have said something: what it said decides, not our failure to write.
        let written = send(stream, hello).await;
        receive(stream, written, received, bytes, hello.greeting.budget.as_ref()).await
    }
}

/// Writes our handshake, encoded anew for each write: there is hardly ever a second one, and a connection that waits for the
/// answer holds no copy.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, hello: &Hello<'_>) -> io::Result<()> {
    let mut sent = 0;
    while sent < Handshake::LENGTH {
        let write = poll_fn(|context| {
            let bytes = hello.handshake().encode();
            let rest = bytes.get(sent..).unwrap_or_default();
            let write = Pin::new(&mut *stream).poll_write(context, rest);
            if let Poll::Ready(Ok(wrote)) = write {
                dump::sent(rest.get(..wrote).unwrap_or_default());
            }
            write
        });
        match write.await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            wrote => sent += wrote,
        }
    }
    Ok(())
}

/// The second half of [`handshake`], for a stream over which our handshake has gone already. Without a deadline.
pub(crate) async fn answer<S: AsyncRead + Unpin>(
    stream: &mut S,
    hello: &Hello<'_>,
    bytes: &mut usize,
) -> Result<HandshakeDone, HandshakeFailure> {
    let mut received = BytesMut::new();
    let theirs = receive(stream, Ok(()), &mut received, bytes, hello.greeting.budget.as_ref()).await?;
    judge_answer(theirs, hello, received)
}

/// What came of [`meet`]; nothing when `timeout` was over first.
pub(crate) fn judge(
    theirs: Option<Theirs>,
    hello: &Hello<'_>,
    mut received: BytesMut,
    timeout: Duration,
) -> Result<HandshakeDone, HandshakeFailure> {
    match theirs {
        // Messages, and no handshake behind them.
        None if Handshake::decode(&mut received).is_err() => Err(NotBitTorrent::of(&received).into()),
        None => Err(HandshakeFailure::TimedOut { received: received.len(), timeout }),
        Some(theirs) => judge_answer(theirs?, hello, received),
    }
}

fn judge_answer(
    (theirs, early): (Handshake, usize),
    hello: &Hello<'_>,
    surplus: BytesMut,
) -> Result<HandshakeDone, HandshakeFailure> {
    let Greeting { ours, also, .. } = hello.greeting;
    if theirs.info_hash != ours.info_hash && Some(theirs.info_hash) != *also {
        return Err(HandshakeFailure::WrongInfoHash(theirs));
    }
    if theirs.peer_id == hello.peer_id {
        return Err(HandshakeFailure::OwnPeerId(theirs));
    }
    Ok(HandshakeDone { theirs, surplus, early })
}

async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    written: io::Result<()>,
    received: &mut BytesMut,
    bytes: &mut usize,
    budget: Option<&ByteBudget>,
) -> Result<(Handshake, usize), HandshakeFailure> {
    loop {
        match Handshake::decode(received) {
            Ok(Some(theirs)) => return Ok((theirs, 0)),
            Ok(None) => {}
            Err(_) => {
                // On the heap, so that those that wait for the first byte do not hold it too.
                let late = Box::pin(early::receive(stream, received, bytes, budget)).await;
                return late.ok_or_else(|| NotBitTorrent::of(received).into());
            }
        }
        match (read_some(stream, received).await, &written) {
            (Ok(read @ 1..), _) => *bytes += read,
            (Ok(0), Ok(())) => return Err(HandshakeFailure::Closed { received: received.len() }),
            (Ok(0), Err(error)) => {
                let source = io::Error::new(error.kind(), error.to_string());
                return Err(HandshakeFailure::Broken { received: received.len(), source });
            }
            (Err(source), _) => return Err(HandshakeFailure::Broken { received: received.len(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::{InfoHash, PeerId};
    use peer_wire::Reserved;
    use tokio::io::AsyncWriteExt;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn of(info_hash: u8, peer_id: u8) -> Handshake {
        Handshake {
            reserved: Reserved::default(),
            info_hash: InfoHash([info_hash; 20]),
            peer_id: PeerId([peer_id; 20]),
        }
    }

    /// Our end of an exchange in which the peer says `pieces`, one write each, and then closes or stays.
    async fn against(pieces: &[&[u8]], stays: bool) -> Result<HandshakeDone, HandshakeFailure> {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let peer = async {
            for piece in pieces {
                theirs.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            if stays { Some(theirs) } else { None }
        };
        let ours_handshake = of(1, 1);
        let (result, _theirs) = tokio::join!(handshake(&mut ours, &ours_handshake, None, TIMEOUT), peer);
        result
    }

    #[tokio::test]
    async fn a_reply_cut_anywhere_is_valid_and_loses_nothing() {
        let mut wire = of(1, 2).encode().to_vec();
        wire.extend_from_slice(b"\0\0\0\x01\x0e");
        for cut in 0..=wire.len() {
            let (first, second) = wire.split_at(cut);
            let shaken = against(&[first, second], true).await.unwrap();
            assert_eq!(shaken.theirs, of(1, 2));
            assert!(b"\0\0\0\x01\x0e".starts_with(&shaken.surplus));
        }
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        assert!(against(&bytes, true).await.is_ok());
    }

    #[tokio::test]
    async fn messages_before_the_handshake_come_out_behind_it() {
        let (early, valid) = (b"\0\0\0\x05\x05\xff\xff\xff\xff", of(1, 2).encode());
        let wire = [&early[..], &valid, b"\0\0\0\x01\x01"].concat();
        let pieces: Vec<&[u8]> = wire.chunks(1).collect();
        for pieces in [vec![&wire[..]], pieces] {
            let shaken = against(&pieces, true).await.unwrap();
            assert_eq!((shaken.theirs, shaken.early), (of(1, 2), early.len()));
            assert!([&early[..], b"\0\0\0\x01\x01"].concat().starts_with(&shaken.surplus));
            assert!(shaken.surplus.starts_with(early));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_failure_is_told_apart() {
        let valid = of(1, 2).encode();
        for (pieces, stays, text) in [
            (vec![], false, "closed after 0 of 68 bytes"),
            (vec![&valid[..40]], false, "closed after 40 of 68 bytes"),
            (vec![], true, "no complete handshake within 5 s, 0 of 68 bytes received"),
            (vec![&valid[..67]], true, "no complete handshake within 5 s, 67 of 68 bytes received"),
            (vec![&of(9, 2).encode()[..]], true, "answered for the torrent 0909090909090909090909090909090909090909"),
            (vec![&of(1, 1).encode()[..]], true, "our own peer id came back"),
            (
                vec![b"HTTP/1.1 400 Bad Request\r\n"],
                false,
                "HTTP instead of BitTorrent, beginning \"HTTP/1.1 400 Bad Request\"",
            ),
            (
                vec![b"\x15\x03\x01\x00\x02\x02\x46"],
                false,
                "TLS instead of BitTorrent, beginning \"\\x15\\x03\\x01\\x00\\x02\\x02F\"",
            ),
            (vec![b"SSH-2.0-x\r\n"], true, "SSH instead of BitTorrent, beginning \"SSH-2.0-x\\r\\n\""),
            (
                vec![b"\x13BitTorrent Protocol"],
                true,
                "something else instead of BitTorrent, beginning \"\\x13BitTorrent Protocol\"",
            ),
            (vec![b"\0\0\0\x01\x0e"], false, "messages without a handshake, beginning \"\\x00\\x00\\x00\\x01\\x0e\""),
            (
                vec![b"\0\0\0\x01\x0e", &valid[..67]],
                true,
                "messages without a handshake, beginning \"\\x00\\x00\\x00\\x01\\x0e\\x13BitTorrent protoco\"",
            ),
            (
                vec![b"\0\0\0\x01\x0e", &of(9, 2).encode()[..]],
                true,
                "answered for the torrent 0909090909090909090909090909090909090909",
            ),
        ] {
            let failure = against(&pieces, stays).await.unwrap_err();
            assert_eq!(failure.to_string(), text);
        }
        let noise: Vec<u8> = (0..96_u8).map(|n| n.wrapping_mul(151).wrapping_add(129)).collect();
        let failure = against(&[&noise], true).await.unwrap_err();
        assert!(failure.to_string().starts_with("high-entropy"), "{failure}");
        let failure = against(&[&[0; 68]], true).await.unwrap_err();
        assert!(failure.to_string().starts_with("something else"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_ends_at_the_deadline_of_the_whole() {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let begin = tokio::time::Instant::now();
        let trickle = async {
            for byte in of(1, 2).encode() {
                tokio::time::advance(Duration::from_secs(1)).await;
                if theirs.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        };
        let ours_handshake = of(1, 1);
        tokio::select! {
            result = handshake(&mut ours, &ours_handshake, None, TIMEOUT) => {
                assert!(matches!(result, Err(HandshakeFailure::TimedOut { .. })), "{result:?}");
            }
            () = trickle => panic!("the trickle outlived the deadline"),
        }
        assert!(begin.elapsed() < TIMEOUT * 2);
    }
}
