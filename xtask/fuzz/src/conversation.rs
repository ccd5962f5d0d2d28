//! A whole conversation, as `peer_session::Session` holds it: a peer sends bytes in pieces and with pauses, then closes, resets
//! or is silent. The outcome of the handshake follows from the bytes and the clock alone. What came after it is understood as if
//! it had come in one piece, by us and by an extension, and what is kept of a peer is bounded. All ends within the deadlines.
//!
//! An input is two bytes of settings (see [`Script::read`]), then the peer's bytes.

mod echo;
mod script;

use crate::escape::assert_error;
use crate::memory;
use bytes::BytesMut;
use echo::{ECHO, Echo, Heard, UNREADABLE};
use peer_session::{
    Advertised, ByteBudget, Ended, Extensions, Failure, Greeting, HandshakeFailure, Hello, ListenEnd, Listening, Met,
    NotBitTorrent, Oddity, Pieces, Progress, Rules, Session, Violation,
};
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, Reserved};
use script::{End, Found, Ours, Script, TIMEOUT, early_of, expected};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until};

/// Time to listen after it: the default of the command.
const LISTENING: Duration = Duration::from_secs(3);
/// Most bytes read of a peer, but for those of the last read: inputs reach it.
const MOST_BYTES: usize = 256;
/// Bytes of one read.
const READ: usize = 2 << 10;
/// Memory for what is received and kept: less than a bitfield of 2^21 pieces.
const BUDGET: usize = 64 << 10;
/// Memory for each byte sent: as in the target `extension_handshake`, and the buffers of both directions, which double.
const TIMES_THE_INPUT: usize = 48;
/// Memory beside that: 64 names of extensions in a tree, a client's name, a buffer that grows by reads of 2 KiB, and timers.
const BESIDE: usize = 48 << 10;
/// Memory beside that when the number of pieces is unknown: a bit for each of 2^21, allocated again each time the bitfield
/// doubles on its way there.
const UNKNOWN_PIECES: usize = 4 * (1 << 21) / 8;

/// How a conversation ended that did not fail, its rest included.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Why the rest ended, and what had come by then, where extensions waited for more.
    Heard(Option<(ListenEnd, usize)>),
    ShortSecret,
}

/// What came of a conversation.
struct Talk {
    result: Result<Outcome, Failure>,
    progress: Progress,
    heard: Heard,
    /// What was said to the peer, as far as it read.
    said: Vec<u8>,
}

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let script = Script::read(input);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let unknown = if script.pieces.is_none() { UNKNOWN_PIECES } else { 0 };
    let bound = TIMES_THE_INPUT * input.len() + BESIDE + unknown;
    let talk = memory::bounded(bound, || runtime.block_on(converse(&script)));
    assert!(talk.progress.received <= script.wire.len());
    match &talk.result {
        result if script.encrypted => unsecured(result),
        Ok(ended) => {
            let Outcome::Heard(rest) = ended else { panic!("nothing is encrypted") };
            assert_eq!(expected(&script).0, Found::Valid);
            listened(&script, &talk, rest.as_ref());
        }
        Err(Failure::Handshake(failure)) => refused(&script, failure),
        Err(other) => panic!("{other}"),
    }
}

async fn converse(script: &Script<'_>) -> Talk {
    let budget = ByteBudget::new(BUDGET);
    let listening = Listening {
        time: LISTENING,
        bytes: MOST_BYTES,
        message_bytes: Codec::MAX_OTHER,
        pieces: script.pieces.into(),
        budget: budget.clone(),
    };
    let rules = Rules {
        handshake_timeout: TIMEOUT,
        listening,
        entropy: |bytes| {
            bytes.fill(9);
            Ok(())
        },
        is_ours: Box::new(|_| false),
        client: "fuzz".to_owned(),
        secrets: guard::Secrets::default(),
    };
    let greeting = Greeting::new(script.ours);
    let greeting = script.also.into_iter().fold(greeting, Greeting::or);
    let heard = Arc::default();
    let mut extensions = |_: Met<'_>| Extensions::default().with(Box::new(Echo(Arc::clone(&heard))));
    let hello = Hello { greeting: &greeting, peer_id: script.ours.peer_id };
    let session = Session { hello, rules: &rules, extensions: Some(&mut extensions) };
    let (mut progress, mut said) = (Progress::default(), Vec::new());
    let result = hold(script, session, &mut progress, &mut said).await;
    assert_eq!(budget.left(), BUDGET, "what was taken of the budget is given back");
    let heard = std::mem::take(&mut *heard.lock().expect("no panic before"));
    Talk { result, progress, heard, said }
}

/// Our side and the peer's on a stream.
async fn hold(
    script: &Script<'_>,
    session: Session<'_>,
    progress: &mut Progress,
    said: &mut Vec<u8>,
) -> Result<Outcome, Failure> {
    let (ours, mut peer) = tokio::io::duplex(script.room);
    let reset = Rc::new(Cell::new(false));
    let mut stream = Ours { stream: ours, reset: Rc::clone(&reset) };
    let begin = Instant::now();
    let alarm = pin!(sleep_until(begin));
    let rules = session.rules;
    let ours = async {
        let ended = if script.encrypted {
            session.run_encrypted(&mut stream, |_| (), false, alarm, progress).await
        } else {
            session.run(&mut stream, alarm, progress).await
        };
        match ended? {
            Ended::ShortSecret => Ok(Outcome::ShortSecret),
            Ended::Heard(None) => Ok(Outcome::Heard(None)),
            Ended::Heard(Some(mut rest)) => {
                let end = rest.listen(&mut stream, rules).await;
                Ok(Outcome::Heard(Some((end, rest.received()))))
            }
        }
    };
    let result = if script.end == End::ClosedBefore {
        peer.write_all(script.wire).await.expect("there is room");
        drop(peer);
        ours.await
    } else {
        tokio::select! {
            biased;
            result = ours => result,
            () = script.play(peer, &reset, said) => unreachable!("a script never returns"),
        }
    };
    // Timers are rounded to milliseconds.
    let longest = if script.encrypted { 2 * TIMEOUT } else { TIMEOUT + LISTENING };
    assert!(begin.elapsed() <= longest + Duration::from_millis(2));
    result
}

/// Bytes that are no negotiation make no encrypted stream.
fn unsecured(result: &Result<Outcome, Failure>) {
    match result {
        Err(failure @ (Failure::Encryption(_) | Failure::EncryptionTimeout(_))) => drop(assert_error(failure)),
        other => assert!(matches!(other, Ok(Outcome::ShortSecret)), "{other:?}"),
    }
}

/// The failure is the expected one, and its fields agree with the bytes and the clock.
fn refused(script: &Script<'_>, failure: &HandshakeFailure) {
    let (expected, by_then) = expected(script);
    assert_eq!(Found::of(failure), expected, "{failure:?}");
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
    }
}

/// What came beside the handshake was understood in the pieces it came in as it is in one, and why no more was read is right.
fn listened(script: &Script<'_>, talk: &Talk, later: Option<&(ListenEnd, usize)>) {
    let Talk { progress, heard, .. } = talk;
    let Progress { advertised, received, .. } = progress;
    let wire = &script.wire[..*received];
    let early = early_of(wire).expect("messages or nothing before the handshake");
    let (before, rest) = wire.split_at(early);
    let (handshake, after) = rest.split_at(Handshake::LENGTH);
    let theirs = progress.theirs.expect("a handshake");
    assert_eq!(theirs.encode(), *handshake);
    assert!(progress.handshake.is_some_and(|time| time <= TIMEOUT));
    assert!(*received <= MOST_BYTES.max(early + Handshake::LENGTH) + READ);
    kept(advertised, script.pieces);

    let mut expected = (Advertised::default(), Heard::default());
    if early > 0 {
        expected.0.oddities.add(Oddity::MessagesBeforeHandshake);
    }
    // What it says of extensions before ours are named is not acted on.
    let both = [theirs.reserved, script.ours.reserved];
    let is_introduced = both.into_iter().all(|reserved| reserved.contains(Reserved::EXTENSION_PROTOCOL));
    let violation = understood(&[before, after].concat(), script.pieces, is_introduced, &mut expected);
    if violation == Some(UNREADABLE) && !matches!(progress.listened, Some(ListenEnd::Violation(_))) {
        // It came with the handshake, before extensions heard anything.
        return;
    }
    assert_eq!(*advertised, expected.0);
    if let Some((end, received)) = later {
        assert_eq!(progress.listened, Some(ListenEnd::Quiet));
        let after = &script.wire[early + Handshake::LENGTH..*received];
        return rested(script, heard, end, (&[before, after].concat(), is_introduced));
    }
    if let Some(ListenEnd::Violation(_)) = progress.listened {
        // Such a peer may not have been greeted any more.
        expected.1.greeted = heard.greeted;
    }
    assert!(heard.is_end_of(&expected.1), "{heard:?} of {:?}", expected.1);

    let held = advertised.pieces.bytes();
    let is_within = held <= BUDGET && *received <= MOST_BYTES;
    let waits = heard.greeted && heard.messages == 0;
    match progress.listened.clone().expect("it was listened to") {
        ListenEnd::Violation(found) => {
            assert_error(&found);
            assert_eq!(Some(found), violation);
            return;
        }
        ListenEnd::TooMuch { limit } => assert!(limit == MOST_BYTES && *received > limit),
        ListenEnd::Budget => assert!(2 * (*received + READ) + held > BUDGET),
        // One that says all with its handshake is not judged by its length.
        ListenEnd::Quiet => assert!(held <= BUDGET && advertised.is_all_of(&theirs) && !waits),
        ListenEnd::Closed => assert!(is_within && script.end != End::Silence && wire == script.wire),
        ListenEnd::TimeUp => assert!(is_within),
        other => panic!("{other}"),
    }
    assert_eq!(violation, None);
    said(script, &theirs, talk);
}

/// Extensions went on alone, and understood what they heard. Of what else breaks the protocol nothing is said any more.
fn rested(script: &Script<'_>, heard: &Heard, end: &ListenEnd, (messages, is_introduced): (&[u8], bool)) {
    let mut whole = Default::default();
    let violation = understood(messages, script.pieces, is_introduced, &mut whole);
    assert!(violation.is_some() || heard.is_end_of(&whole.1));
    assert!(*end != ListenEnd::Quiet || heard.messages > 0);
}

/// Understands the messages all at once; gives what breaks the protocol.
fn understood(
    said: &[u8],
    pieces: Option<u32>,
    is_introduced: bool,
    (advertised, heard): &mut (Advertised, Heard),
) -> Option<Violation> {
    let codec = Codec::bounded(pieces, Codec::MAX_OTHER);
    let mut said = BytesMut::from(said);
    loop {
        let message = match codec.decode(&mut said) {
            Ok(message) => message?,
            Err(error) => return Some(error.into()),
        };
        let is_named = advertised.extension.is_some();
        if let Err(violation) = advertised.take(&message, pieces) {
            return Some(violation);
        }
        // It is greeted once, after the first of its extension handshakes.
        if let Some(theirs) = advertised.extension.as_ref().filter(|_| !is_named) {
            heard.greeted = is_introduced && theirs.extensions.get(ECHO).is_some_and(|&id| id != 0);
        }
        match message {
            Message::Extended { id: 1, payload } if payload.is_empty() => return Some(UNREADABLE),
            Message::Extended { id: 1, payload } => {
                heard.messages += 1;
                heard.bytes.extend_from_slice(&payload);
            }
            _ => {}
        }
    }
}

/// What we say is our handshake, then what both sides support, then what the extension says.
fn said(script: &Script<'_>, theirs: &Handshake, talk: &Talk) {
    let ours = Handshake::decode(&mut BytesMut::from(&*talk.said)).expect("a handshake");
    let mut rest = BytesMut::from(talk.said.get(Handshake::LENGTH..).unwrap_or_default());
    assert!(ours.is_none_or(|ours| (ours.info_hash, ours.peer_id) == (script.ours.info_hash, script.ours.peer_id)));
    let mut answers = 0;
    while let Some(message) = Codec::default().decode(&mut rest).expect("messages") {
        match message {
            Message::Extended { id: 0, payload } => {
                let named = ExtensionHandshake::decode(&payload).expect("an extension handshake").extensions;
                assert!(
                    theirs.reserved.contains(Reserved::EXTENSION_PROTOCOL)
                        && named.into_iter().eq([(ECHO.to_owned(), 1)])
                );
            }
            Message::HaveNone => assert!(theirs.reserved.contains(Reserved::FAST)),
            Message::Extended { .. } => answers += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(answers <= talk.heard.messages + usize::from(talk.heard.greeted));
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
