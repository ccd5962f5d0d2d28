//! Whole conversations over a stream in memory: what the extensions say and hear, and facts that come late.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use bytes::{Bytes, BytesMut};
use ids::{InfoHash, PeerId};
use peer_session::{
    ByteBudget, Ended, Extension, Extensions, Greeting, Hello, ListenEnd, Listening, PieceCount, Pieces, Progress,
    Rules, Session, Violation,
};
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

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

/// Our side of a conversation with a peer that acts as `peer` does.
async fn converse<P: Future>(
    pieces: &PieceCount,
    extensions: Option<&mut Extensions>,
    peer: impl FnOnce(DuplexStream) -> P,
) -> (Result<Ended, peer_session::Failure>, Progress, P::Output) {
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let (rules, greeting, mut progress) = (rules(pieces), Greeting::new(handshake(1)), Progress::default());
    let session = Session { hello: Hello { greeting: &greeting, peer_id: PeerId([1; 20]) }, rules: &rules, extensions };
    let ours = async {
        let result =
            session.run(&mut ours, pin!(tokio::time::sleep_until(tokio::time::Instant::now())), &mut progress).await;
        drop(ours);
        result
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
    let mut extensions = Extensions::default().with(Box::new(Echo { heard: Arc::clone(&heard) }));
    let (result, progress, said) = converse(&PieceCount::default(), Some(&mut extensions), |mut stream| async move {
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
    assert_eq!(result.unwrap(), Ended::Heard);
    assert_eq!(said, (extended(9, b"peer"), extended(9, b"cba")));
    assert_eq!(
        (heard.lock().unwrap().as_slice(), progress.listened),
        (&[Bytes::from("abc")][..], Some(ListenEnd::Quiet))
    );
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_the_peer_does_not_speak_prolongs_nothing() {
    for theirs in [&b"d1:v4:peere"[..], b"d1:md7:xx_echoi0eee"] {
        let mut extensions = Extensions::default().with(Box::new(Echo { heard: Arc::default() }));
        let begun = tokio::time::Instant::now();
        let (_, progress, ()) = converse(&PieceCount::default(), Some(&mut extensions), |mut stream| async move {
            stream.write_all(&handshake(2).encode()).await.unwrap();
            stream.write_all(&encoded([extended(0, theirs), Message::HaveAll])).await.unwrap();
            while stream.read_buf(&mut BytesMut::new()).await.unwrap() > 0 {}
        })
        .await;
        assert_eq!((progress.listened, begun.elapsed()), (Some(ListenEnd::Quiet), Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_an_extension_cannot_read_ends_the_conversation() {
    let mut extensions = Extensions::default().with(Box::new(Echo { heard: Arc::default() }));
    let (_, progress, ()) = converse(&PieceCount::default(), Some(&mut extensions), |mut stream| async move {
        stream.write_all(&handshake(2).encode()).await.unwrap();
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
