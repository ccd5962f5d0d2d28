//! Whole conversations over a stream in memory: what the extensions say and hear, and facts that come late.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use bytes::{Bytes, BytesMut};
use ids::{InfoHash, PeerId};
use peer_session::{
    ByteBudget, Ended, Extension, Extensions, Greeting, Hello, ListenEnd, Listening, Met, PexRecord, PieceCount,
    Pieces, Progress, Rules, Session, UtPex, Violation,
};
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const TORRENT: InfoHash = InfoHash([7; 20]);

/// Says hello, answers each message with the same bytes reversed, and is done after one.
struct Echo {
    heard: Arc<Mutex<Vec<Bytes>>>,
}

impl Extension for Echo {
    fn name(&self) -> &'static str {
        "xx_echo"
    }

    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes> {
        theirs.client.clone().map(Bytes::from)
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        if payload.is_empty() {
            return Err(Violation::ExtensionMessage { extension: "xx_echo" });
        }
        self.heard.lock().unwrap().push(Bytes::copy_from_slice(payload));
        Ok(Some(payload.iter().rev().copied().collect()))
    }

    fn is_done(&self) -> bool {
        !self.heard.lock().unwrap().is_empty()
    }
}

/// Says "due" each time another second is over, or when it is woken and there is something in `outside`; busy all the time.
struct Timed {
    next: Instant,
    outside: Arc<Mutex<(usize, Option<Waker>)>>,
}

impl Extension for Timed {
    fn name(&self) -> &'static str {
        "xx_timed"
    }

    fn offer(&mut self, _: &ExtensionHandshake) -> Option<Bytes> {
        self.next = Instant::now() + Duration::from_secs(1);
        None
    }

    fn heard(&mut self, _: &[u8]) -> Result<Option<Bytes>, Violation> {
        Ok(None)
    }

    fn wake(&self) -> Option<Instant> {
        Some(if self.outside.lock().unwrap().0 > 0 { self.next - Duration::from_secs(1) } else { self.next })
    }

    fn due(&mut self, now: Instant) -> Option<Bytes> {
        let mut outside = self.outside.lock().unwrap();
        if outside.0 > 0 {
            outside.0 -= 1;
            return Some(Bytes::from("woken"));
        }
        self.next = now + Duration::from_secs(1);
        Some(Bytes::from("due"))
    }

    fn watch(&mut self, waker: &Waker) {
        self.outside.lock().unwrap().1 = Some(waker.clone());
    }

    fn is_done(&self) -> bool {
        false
    }

    fn is_busy(&self) -> bool {
        true
    }
}

fn handshake(id: u8) -> Handshake {
    Handshake { reserved: Reserved::FAST | Reserved::EXTENSION_PROTOCOL, info_hash: TORRENT, peer_id: PeerId([id; 20]) }
}

fn rules(pieces: &PieceCount) -> Rules {
    Rules {
        handshake_timeout: Duration::from_secs(5),
        listening: Listening {
            time: Duration::from_secs(3),
            bytes: 1 << 20,
            message_bytes: 1 << 16,
            pieces: pieces.clone(),
            budget: ByteBudget::new(1 << 20),
        },
        entropy: |bytes| {
            bytes.fill(9);
            Ok(())
        },
        is_ours: Box::new(|id| id == PeerId([3; 20])),
        client: "example".to_owned(),
        secrets: guard::Secrets::default(),
    }
}

/// How our side of a conversation went: how long until the peer had said all of itself, and how what is left ended.
#[derive(Debug, PartialEq)]
struct Went {
    said_after: Duration,
    rest: Option<ListenEnd>,
}

/// Our side of a conversation with a peer that acts as `peer` does, to its end.
async fn converse<P: Future>(
    pieces: &PieceCount,
    mut extensions: Option<Extensions>,
    peer: impl FnOnce(DuplexStream) -> P,
) -> (Result<Went, peer_session::Failure>, Progress, P::Output) {
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let (rules, greeting, mut progress) = (rules(pieces), Greeting::new(handshake(1)), Progress::default());
    let mut extensions = |_: Met<'_>| extensions.take().unwrap_or_default();
    let hello = Hello { greeting: &greeting, peer_id: PeerId([1; 20]) };
    let session = Session { hello, rules: &rules, extensions: Some(&mut extensions) };
    let begun = Instant::now();
    let ours = async {
        let ended = session.run(&mut ours, pin!(tokio::time::sleep_until(begun)), &mut progress).await;
        let said_after = begun.elapsed();
        let rest = match ended {
            Ok(Ended::Heard(Some(mut rest))) => Some(rest.listen(&mut ours, &rules).await),
            Ok(_) => None,
            Err(failure) => return Err(failure),
        };
        drop(ours);
        Ok(Went { said_after, rest })
    };
    let (result, of_peer) = tokio::join!(ours, peer(theirs));
    (result, progress, of_peer)
}

fn encoded(messages: impl IntoIterator<Item = Message>) -> BytesMut {
    let mut bytes = BytesMut::new();
    messages.into_iter().for_each(|message| Codec::default().encode(&message, &mut bytes).unwrap());
    bytes
}

fn extended(id: u8, payload: &[u8]) -> Message {
    Message::Extended { id, payload: Bytes::copy_from_slice(payload) }
}

/// The next message that we send.
async fn next(stream: &mut DuplexStream, buffer: &mut BytesMut) -> Message {
    loop {
        if let Some(message) = Codec::default().decode(buffer).unwrap() {
            return message;
        }
        assert_ne!(stream.read_buf(buffer).await.unwrap(), 0, "closed before the next message");
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_is_named_says_what_it_offers_and_answers_what_it_hears() {
    let heard = Arc::default();
    let extensions = Extensions::default().with(Box::new(Echo { heard: Arc::clone(&heard) }));
    let (result, progress, said) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
        let mut buffer = BytesMut::new();
        stream.write_all(&handshake(2).encode()).await.unwrap();
        while buffer.len() < Handshake::LENGTH {
            stream.read_buf(&mut buffer).await.unwrap();
        }
        Handshake::decode(&mut buffer).unwrap().unwrap();
        let Message::Extended { id: 0, payload } = next(&mut stream, &mut buffer).await else { panic!() };
        let ours = ExtensionHandshake::decode(&payload).unwrap();
        assert_eq!((ours.extensions.get("xx_echo"), ours.client.as_deref()), (Some(&1), Some("example")));
        assert_eq!(next(&mut stream, &mut buffer).await, Message::HaveNone);
        // A message for an extension that was not named is passed over; all pieces are told, and it is listened to still.
        let theirs = b"d1:md7:xx_echoi9ee1:v4:peere";
        stream.write_all(&encoded([extended(0, theirs), extended(2, b"?"), Message::HaveAll])).await.unwrap();
        let first = next(&mut stream, &mut buffer).await;
        stream.write_all(&encoded([extended(1, b"abc")])).await.unwrap();
        (first, next(&mut stream, &mut buffer).await)
    })
    .await;
    assert_eq!(result.unwrap().rest, Some(ListenEnd::Quiet));
    assert_eq!(said, (extended(9, b"peer"), extended(9, b"cba")));
    assert_eq!(
        (heard.lock().unwrap().as_slice(), progress.listened),
        (&[Bytes::from("abc")][..], Some(ListenEnd::Quiet))
    );
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_the_peer_does_not_speak_prolongs_nothing() {
    for theirs in [&b"d1:v4:peere"[..], b"d1:md7:xx_echoi0eee"] {
        let extensions = Extensions::default().with(Box::new(Echo { heard: Arc::default() }));
        let begun = tokio::time::Instant::now();
        let (_, progress, ()) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
            stream.write_all(&handshake(2).encode()).await.unwrap();
            stream.write_all(&encoded([extended(0, theirs), Message::HaveAll])).await.unwrap();
            while stream.read_buf(&mut BytesMut::new()).await.unwrap() > 0 {}
        })
        .await;
        assert_eq!((progress.listened, begun.elapsed()), (Some(ListenEnd::Quiet), Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_speaks_by_itself_and_keeps_a_peer_as_long_as_it_is_allowed_to() {
    let outside: Arc<Mutex<(usize, Option<Waker>)>> = Arc::default();
    let timed = Timed { next: Instant::now(), outside: Arc::clone(&outside) };
    let extensions = Extensions::default().with(Box::new(timed)).within(Duration::from_millis(2500));
    let begun = Instant::now();
    let (went, _, said) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
        let mut buffer = BytesMut::new();
        stream.write_all(&handshake(2).encode()).await.unwrap();
        stream.write_all(&encoded([extended(0, b"d1:md8:xx_timedi7eee"), Message::HaveAll])).await.unwrap();
        while buffer.len() < Handshake::LENGTH {
            stream.read_buf(&mut buffer).await.unwrap();
        }
        Handshake::decode(&mut buffer).unwrap().unwrap();
        let mut said = Vec::new();
        loop {
            while let Some(message) = Codec::default().decode(&mut buffer).unwrap() {
                if let Message::Extended { id: 7, payload } = message {
                    said.push((begun.elapsed().as_millis(), payload));
                    if said.len() == 2 {
                        tokio::time::sleep_until(Instant::now() + Duration::from_millis(500)).await;
                        let waker = {
                            let mut outside = outside.lock().unwrap();
                            outside.0 = 1;
                            outside.1.take()
                        };
                        waker.unwrap().wake();
                    }
                }
            }
            if stream.read_buf(&mut buffer).await.unwrap() == 0 {
                return said;
            }
        }
    })
    .await;
    let expected = [(1000, "due"), (2000, "due"), (2500, "woken"), (3000, "due"), (4000, "due"), (5000, "due")];
    assert_eq!(said, expected.map(|(at, text)| (at, Bytes::from(text))));
    // It has said all at once, and what an extension does is no part of that.
    assert_eq!(went.unwrap(), Went { said_after: Duration::ZERO, rest: Some(ListenEnd::TimeUp) });
    assert_eq!(begun.elapsed(), Duration::from_millis(5500));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_to_an_extension_of_a_peer_without_the_bit() {
    let heard = Arc::default();
    let extensions = Extensions::default().with(Box::new(Echo { heard: Arc::clone(&heard) }));
    let (_, _, said) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
        let theirs = Handshake { reserved: Reserved::FAST, ..handshake(2) };
        stream.write_all(&theirs.encode()).await.unwrap();
        let messages = [extended(0, b"d1:md7:xx_echoi9ee1:v4:peere"), extended(1, b"abc"), Message::HaveNone];
        stream.write_all(&encoded(messages)).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        said.split_off(Handshake::LENGTH)
    })
    .await;
    assert_eq!(said, encoded([Message::HaveNone]));
}

#[tokio::test(start_paused = true)]
async fn the_first_list_of_peers_is_waited_for_a_moment() {
    let met =
        |id: &[u8; 20], took| Met { theirs: Handshake { peer_id: PeerId(*id), ..handshake(2) }, took, extension: None };
    for (software, took, expected) in [
        (b"-qB5300-abcdefghijkl", 30, 1330),
        (b"-qB5300-abcdefghijkl", 2000, 2000),
        (b"-TR4140-abcdefghijkl", 30, 830),
        (b"A2-1-37-0-abcdefghij", 30, 330),
        (b"-lt0D80-abcdefghijkl", 30, 0),
        (b"-WW0300-abcdefghijkl", 30, 0),
        (&[b'?'; 20], 0, 1300),
    ] {
        let patience = UtPex::patience(&met(software, Duration::from_millis(took)));
        assert_eq!(patience, Duration::from_millis(expected), "{}", PeerId(*software));
    }
    for (after, expected) in [(Some(900), (1, 900)), (Some(2100), (0, 2000)), (None, (0, 2000))] {
        let record = PexRecord::default();
        let extensions = Extensions::default().with(Box::new(UtPex::new(record.clone())));
        let begun = Instant::now();
        let (went, progress, ()) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
            stream.write_all(&handshake(2).encode()).await.unwrap();
            stream.write_all(&encoded([extended(0, b"d1:md6:ut_pexi1eee"), Message::HaveAll])).await.unwrap();
            if let Some(after) = after {
                tokio::time::sleep_until(begun + Duration::from_millis(after)).await;
                let _ = stream.write_all(&encoded([extended(1, b"d5:added6:abcd\x1a\xe1e")])).await;
            }
            while stream.read_buf(&mut BytesMut::new()).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        let took = begun.elapsed().as_millis().min(2000);
        assert_eq!((record.heard().peers.len(), took), expected);
        assert_eq!(went.unwrap(), Went { said_after: Duration::ZERO, rest: Some(ListenEnd::Quiet) });
        assert_eq!(progress.listened, Some(ListenEnd::Quiet));
    }
}

/// A peer with this id that answers our handshake after `took` and has no piece.
async fn leech(id: &[u8; 20], took: u64, list_after: Option<u64>) -> (Duration, usize) {
    let record = PexRecord::default();
    let extensions = Extensions::default().with(Box::new(UtPex::new(record.clone())));
    let ms = Duration::from_millis;
    let (went, progress, ()) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
        tokio::time::advance(ms(took)).await;
        let words = encoded([extended(0, b"d1:md6:ut_pexi1eee"), Message::HaveNone]);
        let theirs = Handshake { peer_id: PeerId(*id), ..handshake(2) };
        stream.write_all(&[&theirs.encode()[..], &words].concat()).await.unwrap();
        if let Some(after) = list_after {
            tokio::time::sleep_until(Instant::now() + ms(after)).await;
            stream.write_all(&encoded([extended(1, b"d5:added6:abcd\x1a\xe1e")])).await.unwrap();
        }
        while stream.read_buf(&mut BytesMut::new()).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    assert_eq!(progress.listened, Some(ListenEnd::Quiet));
    (went.unwrap().said_after - ms(took), record.heard().peers.len())
}

#[tokio::test(start_paused = true)]
async fn a_leech_has_said_all_when_it_is_silent_for_half_a_round_trip() {
    let ms = Duration::from_millis;
    for (id, took, quiet) in [
        (b"-qB5300-abcdefghijkl", 0, 50),
        (b"-qB5300-abcdefghijkl", 180, 90),
        (b"-qB5300-abcdefghijkl", 1100, 500),
        // They send in parts.
        (b"-TR4140-abcdefghijkl", 0, 500),
        (b"-lt0D80-abcdefghijkl", 90, 500),
        (b"-KT2640-abcdefghijkl", 90, 500),
    ] {
        assert_eq!(leech(id, took, None).await, (ms(quiet), 0), "{} {took}", PeerId(*id));
    }
    // That does not begin anew with its list of peers, and the list is waited for all the same.
    for after in [10, 900] {
        assert_eq!(leech(b"-qB5300-abcdefghijkl", 30, Some(after)).await, (ms(50), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_to_a_peer_that_says_all_with_its_handshake() {
    for (theirs, speaks) in [(&b"d1:v4:peere"[..], false), (b"d1:md6:ut_pexi1eee", true)] {
        let mut met = None;
        let extensions = Extensions::default().with(Box::new(UtPex::new(PexRecord::default()).waiting(Duration::ZERO)));
        let (mut ours, mut stream) = tokio::io::duplex(1 << 16);
        let (rules, greeting) = (rules(&PieceCount::default()), Greeting::new(handshake(1)));
        let hello = Hello { greeting: &greeting, peer_id: PeerId([1; 20]) };
        let mut extensions = Some(extensions);
        let mut make = |new: Met<'_>| {
            met = new.extension.map(|theirs| theirs.extensions.contains_key("ut_pex"));
            extensions.take().unwrap()
        };
        let session = Session { hello, rules: &rules, extensions: Some(&mut make) };
        let words = encoded([extended(0, theirs), Message::HaveAll]);
        stream.write_all(&[&handshake(2).encode()[..], &words].concat()).await.unwrap();
        let mut progress = Progress::default();
        let ended = session.run(&mut ours, pin!(tokio::time::sleep_until(Instant::now())), &mut progress).await;
        assert!(matches!(ended, Ok(Ended::Heard(None))) && progress.listened == Some(ListenEnd::Quiet));
        drop(ours);
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert_eq!((met, said.len() > Handshake::LENGTH), (Some(speaks), speaks));
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_came_with_the_handshake_is_understood_also_of_a_peer_that_has_said_all() {
    let words = [extended(0, b"d1:v4:peere"), Message::HaveAll, extended(1, b"early"), Message::Unchoke];
    let (_, progress, ()) = converse(&PieceCount::default(), Some(Extensions::default()), |mut stream| async move {
        stream.write_all(&[&handshake(2).encode()[..], &encoded(words)].concat()).await.unwrap();
        while stream.read_buf(&mut BytesMut::new()).await.unwrap() > 0 {}
    })
    .await;
    assert_eq!((progress.advertised.messages, progress.advertised.unchoked), (4, true));
    assert_eq!(progress.listened, Some(ListenEnd::Quiet));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_an_extension_cannot_read_ends_the_conversation() {
    let extensions = Extensions::default().with(Box::new(Echo { heard: Arc::default() }));
    let (_, progress, ()) = converse(&PieceCount::default(), Some(extensions), |mut stream| async move {
        stream.write_all(&handshake(2).encode()).await.unwrap();
        // Not before it can know our ids.
        stream.read_exact(&mut [0; Handshake::LENGTH + 6]).await.unwrap();
        stream.write_all(&encoded([extended(1, b"")])).await.unwrap();
        while stream.read_buf(&mut BytesMut::new()).await.unwrap() > 0 {}
    })
    .await;
    let violation = Violation::ExtensionMessage { extension: "xx_echo" };
    assert_eq!(progress.listened, Some(ListenEnd::Violation(violation)));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_pieces_may_become_known_while_a_peer_is_listened_to() {
    let pieces = PieceCount::default();
    let (_, progress, ()) = converse(&pieces, None, |stream| async {
        let mut stream = stream;
        stream.write_all(&handshake(2).encode()).await.unwrap();
        stream
            .write_all(&encoded([extended(0, b"d1:v4:peere"), Message::Bitfield(vec![0xff, 0xf0].into())]))
            .await
            .unwrap();
        assert!(stream.read_u8().await.is_ok());
        assert!(pieces.learn(12) && !pieces.learn(13) && pieces.get() == Some(12));
        stream.write_all(&encoded([Message::KeepAlive])).await.unwrap();
        while stream.read_buf(&mut BytesMut::new()).await.unwrap() > 0 {}
    })
    .await;
    let Pieces::Some { bitfield, .. } = &progress.advertised.pieces else { panic!("{:?}", progress.advertised) };
    assert_eq!((bitfield.pieces(), bitfield.count_ones()), (12, 12));
    assert_eq!(progress.listened, Some(ListenEnd::Quiet));
}

#[tokio::test(start_paused = true)]
async fn a_peer_id_of_another_connection_of_ours_is_ourselves() {
    let (result, progress, ()) = converse(&PieceCount::default(), None, |mut stream| async move {
        stream.write_all(&handshake(3).encode()).await.unwrap();
    })
    .await;
    assert_eq!(result.unwrap_err().to_string(), "our own peer id came back");
    assert!(progress.theirs.is_some() && progress.listened.is_none());
}
