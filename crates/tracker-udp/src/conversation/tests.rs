//! Requests to a tracker by script, under a paused clock.

use super::*;
use crate::error::Ignored;
use crate::scripted::{Back, Scripted};
use ids::{InfoHash, PeerId};
use proptest::prelude::*;
use std::io;
use std::path::Path;
use tokio::time::timeout;
use tracker::Event;

mod scrapes;

/// The transaction id that the caller gives; later ones count up from it.
const FIRST: u32 = 0xffff_fffe;
const LIMIT: Duration = Duration::from_secs(15);

fn example() -> Announce<'static> {
    Announce::started(InfoHash([1; 20]), PeerId([2; 20]), 50_000, 1)
}

fn conversation<F: FnMut(&[u8]) -> Vec<Back> + Send>(script: F) -> Conversation<Scripted<F>> {
    Conversation::new(Scripted::new(script), "udp://t.example:1/announce".parse().unwrap(), Family::V4)
}

/// Action and transaction id of a request.
fn head(request: &[u8]) -> (u32, u32) {
    let word = |at: usize| u32::from_be_bytes(request[at..at + 4].try_into().unwrap());
    (word(8), word(12))
}

fn datagram(action: u32, transaction: u32, body: &[u8]) -> Vec<u8> {
    [&action.to_be_bytes()[..], &transaction.to_be_bytes(), body].concat()
}

/// The answer of a correct tracker: connection id 7, one peer, and each torrent's first byte as the count of seeds.
fn answer(request: &[u8]) -> Vec<u8> {
    let (action, transaction) = head(request);
    match action {
        0 => datagram(0, transaction, &[0, 0, 0, 0, 0, 0, 0, 7]),
        1 => datagram(1, transaction, b"\0\0\x07\x08\0\0\0\0\0\0\0\x01\x7f\0\0\x01\x1a\xe1"),
        _ => datagram(2, transaction, &asked(request).flat_map(count).collect::<Vec<u8>>()),
    }
}

/// The first byte of each torrent in a scrape, entry by entry.
fn asked(request: &[u8]) -> impl Iterator<Item = u8> {
    request[16..].chunks(20).map(|info_hash| info_hash[0])
}

/// Counts with this number of seeds.
fn count(seeds: u8) -> [u8; 12] {
    [0, 0, 0, seeds, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// The time of each request, in milliseconds, and its action.
fn sent<F: FnMut(&[u8]) -> Vec<Back> + Send>(conversation: &Conversation<Scripted<F>>) -> Vec<(u128, u32)> {
    conversation.link.datagrams.sent().iter().map(|(at, request)| (at.as_millis(), head(request).0)).collect()
}

#[tokio::test(start_paused = true)]
async fn connect_then_announce() {
    let mut conversation = conversation(|request| vec![Back::After(Duration::from_millis(40), answer(request))]);
    assert!(!conversation.has_announced());
    let reply = conversation.announce(&example(), FIRST, LIMIT).await.unwrap();
    assert_eq!(reply.content.peers.len(), 1);
    assert_eq!((reply.connect, reply.elapsed), (Some(Duration::from_millis(40)), Duration::from_millis(80)));
    assert_eq!((reply.ignored, conversation.has_announced()), (0, true));
    let sent = conversation.link.datagrams.sent();
    assert_eq!(sent[0].1, udp::connect(FIRST));
    let url = "udp://t.example:1/announce".parse().unwrap();
    assert_eq!(sent[1].1, udp::announce(ConnectionId(7), FIRST + 1, &example(), &url));
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_request_is_retransmitted_until_the_deadline() {
    for (seconds, expected) in [
        (15, vec![0, 1500, 4500, 10_500]),
        (60, vec![0, 1500, 4500, 10_500]),
        (u64::MAX, vec![0, 1500, 4500, 10_500]),
        (10, vec![0, 1500, 4500]),
        (4, vec![0, 1500]),
        (1, vec![0]),
    ] {
        let mut conversation = conversation(|_| vec![]);
        let begun = Instant::now();
        let error = conversation.announce(&example(), FIRST, Duration::from_secs(seconds)).await.unwrap_err();
        let seconds = seconds.min(86_400);
        assert_eq!(begun.elapsed(), Duration::from_secs(seconds));
        assert_eq!(error.to_string(), format!("no answer to connect within {seconds} s"));
        assert_eq!((error.code(), conversation.has_announced()), ("timeout", false));
        let sent = conversation.link.datagrams.sent();
        assert!(sent.iter().all(|(_, request)| *request == udp::connect(FIRST)));
        assert_eq!(sent.iter().map(|(at, _)| at.as_millis()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_is_retransmitted_with_waits_of_its_own() {
    let mut losses = vec![true, true, false, true, false].into_iter();
    let mut conversation = conversation(move |request| match losses.next() {
        Some(true) => vec![],
        _ => vec![Back::now(answer(request))],
    });
    let reply = conversation.announce(&example(), FIRST, LIMIT).await.unwrap();
    assert_eq!(sent(&conversation), [(0, 0), (1500, 0), (4500, 0), (4500, 1), (6000, 1)]);
    assert_eq!((reply.connect, reply.elapsed), (Some(Duration::from_millis(4500)), Duration::from_secs(6)));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_accepted() {
    // Each request is sent twice and answered twice; the second answer to the connect comes while the announce waits.
    let mut conversation = conversation(|request| vec![Back::After(Duration::from_secs(2), answer(request))]);
    let reply = conversation.announce(&example(), FIRST, LIMIT).await.unwrap();
    assert_eq!(sent(&conversation), [(0, 0), (1500, 0), (2000, 1), (3500, 1)]);
    assert_eq!((reply.elapsed, reply.ignored), (Duration::from_secs(4), 1));
}

#[tokio::test(start_paused = true)]
async fn a_silent_tracker_may_have_counted_us() {
    let mut conversation = conversation(|request| match head(request) {
        (0, _) => vec![Back::now(answer(request))],
        _ => vec![],
    });
    let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "no answer to announce within 15 s");
    assert!(conversation.has_announced());
}

#[tokio::test(start_paused = true)]
async fn a_connection_id_serves_for_a_minute() {
    let mut conversation = conversation(|request| vec![Back::now(answer(request))]);
    conversation.announce(&example(), 1, LIMIT).await.unwrap();
    tokio::time::advance(Duration::from_millis(59_999)).await;
    let stopped = example().with_event(Event::Stopped);
    let reply = conversation.announce(&stopped, 2, LIMIT).await.unwrap();
    assert_eq!(reply.connect, None);
    tokio::time::advance(Duration::from_millis(1)).await;
    conversation.announce(&stopped, 3, LIMIT).await.unwrap();
    assert_eq!(sent(&conversation), [(0, 0), (0, 1), (59_999, 1), (60_000, 0), (60_000, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_id_that_ends_while_it_is_used_is_replaced() {
    let mut announces = 0;
    let mut conversation = conversation(move |request| {
        let (action, _) = head(request);
        announces += action;
        let silent = action == 1 && (2..4).contains(&announces);
        if silent { vec![] } else { vec![Back::now(answer(request))] }
    });
    conversation.announce(&example(), 1, LIMIT).await.unwrap();
    tokio::time::advance(Duration::from_secs(58)).await;
    let reply = conversation.announce(&example(), 2, LIMIT).await;
    assert_eq!(sent(&conversation)[2..], [(58_000, 1), (59_500, 1), (60_000, 0), (60_000, 1)]);
    assert!(reply.is_ok(), "{reply:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_id_that_is_refused_is_replaced_once() {
    for (reason, connects) in
        [("Connection ID missmatch.\0", 2), ("connection id could not be verified", 2), ("torrent not registered", 1)]
    {
        let mut conversation = conversation(move |request| match head(request) {
            (0, _) => vec![Back::now(answer(request))],
            (_, transaction) => vec![Back::now(datagram(3, transaction, reason.as_bytes()))],
        });
        let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
        assert_eq!(error.to_string(), format!("tracker refuses: {}", reason.trim_end_matches('\0')));
        assert_eq!(error.code(), "failure");
        assert_eq!(sent(&conversation).len(), 2 * connects);
        let transactions: Vec<u32> =
            conversation.link.datagrams.sent().iter().map(|(_, request)| head(request).1).collect();
        assert_eq!(transactions, [FIRST, FIRST + 1, 0, 1][..2 * connects]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_to_connect_is_a_failure() {
    let mut conversation = conversation(|request| vec![Back::now(datagram(3, head(request).1, b"go away"))]);
    let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "tracker refuses: go away");
    assert!(!conversation.has_announced());
}

#[tokio::test(start_paused = true)]
async fn unrelated_datagrams_are_ignored_and_counted_in_the_error() {
    let mut conversation = conversation(|request| {
        let (action, transaction) = head(request);
        if action == 0 {
            return vec![Back::now(answer(request))];
        }
        // Another transaction, another action, no header, and an error to transaction 0.
        let body = &answer(request)[8..];
        let wrong = [datagram(1, transaction ^ 1, body), datagram(2, transaction, body), vec![0; 7], vec![]];
        wrong.into_iter().chain([datagram(3, 0, b"bad \x1b[request")]).map(Back::now).collect()
    });
    let error = conversation.announce(&example(), 5, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer to announce within 1 s, 5 datagrams ignored, the last text: bad \\u{1b}[request"
    );
    let Error::Timeout { stage: Action::Announce, ignored, .. } = error else { panic!("{error}") };
    assert_eq!(ignored, Ignored { count: 5, last_text: Some("bad \x1b[request".to_owned()) });
}

#[tokio::test(start_paused = true)]
async fn ignored_datagrams_do_not_prevent_the_answer() {
    let mut conversation = conversation(|request| {
        let forged = datagram(head(request).0, head(request).1 ^ 1, &[9; 30]);
        vec![Back::now(forged.clone()), Back::now(forged), Back::now(answer(request))]
    });
    let reply = conversation.announce(&example(), FIRST, LIMIT).await.unwrap();
    assert_eq!((reply.content.interval, reply.ignored), (Some(1800), 4));
}

#[tokio::test(start_paused = true)]
async fn a_flood_neither_outlasts_the_deadline_nor_stops_the_retransmissions() {
    let mut conversation = conversation(|_| vec![Back::Flood(b"garbage!".to_vec())]);
    let begun = Instant::now();
    let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
    assert!(begun.elapsed() <= LIMIT + Duration::from_millis(1), "{:?}", begun.elapsed());
    assert_eq!(sent(&conversation).len(), 4);
    assert!(matches!(error, Error::Timeout { ignored: Ignored { count: 14_000.., last_text: None }, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn short_answers_are_final() {
    for (action, body, code, shown) in [
        (0, &b""[..], "bad_reply", "bad reply: answer to connect has 8 of at least 16 bytes"),
        (1, b"abc", "bad_reply", "bad reply: answer to announce has 11 of at least 20 bytes"),
        (
            1,
            b"",
            "failure",
            "tracker refuses: empty answer to announce, as opentracker gives for a torrent that it does not serve",
        ),
    ] {
        let mut conversation = conversation(move |request| match head(request) {
            (asked, transaction) if asked == action => vec![Back::now(datagram(asked, transaction, body))],
            _ => vec![Back::now(answer(request))],
        });
        let begun = Instant::now();
        let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
        assert_eq!((guard::ErrorChain(&error).to_string().as_str(), error.code()), (shown, code));
        assert_eq!(error.is_refusal(), code == "failure");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_icmp_refusal_ends_the_exchange_at_once() {
    let mut conversation = conversation(|_| vec![Back::Error(refused())]);
    let begun = Instant::now();
    let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
    assert_eq!((error.code(), begun.elapsed()), ("connect_refused", Duration::ZERO));
    assert_eq!(sent(&conversation), [(0, 0), (0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_first_icmp_refusal_is_ignored() {
    let mut first = true;
    let mut received = conversation(move |request| {
        let stale = std::mem::replace(&mut first, false);
        if stale { vec![Back::Error(refused())] } else { vec![Back::now(answer(request))] }
    });
    assert!(received.announce(&example(), FIRST, LIMIT).await.is_ok());
    let mut sending = conversation(|request| vec![Back::now(answer(request))]);
    sending.link.datagrams.fail_to_send(refused());
    assert!(sending.announce(&example(), FIRST, LIMIT).await.is_ok());
    assert_eq!(sent(&sending), [(0, 0), (0, 1)]);
    // The second one belongs to this exchange.
    sending.link.datagrams.fail_to_send(refused());
    sending.link.datagrams.fail_to_send(refused());
    let error = sending.announce(&example(), FIRST, LIMIT).await.unwrap_err();
    assert_eq!(error.code(), "connect_refused");
}

#[tokio::test(start_paused = true)]
async fn other_errors_of_the_socket_are_told_apart() {
    for (kind, code) in [
        (io::ErrorKind::HostUnreachable, "connect_unreachable"),
        (io::ErrorKind::NetworkUnreachable, "connect_unreachable"),
        (io::ErrorKind::PermissionDenied, "local_limit"),
    ] {
        let mut conversation = conversation(|_| vec![]);
        conversation.link.datagrams.fail_to_send(kind.into());
        let error = conversation.announce(&example(), FIRST, LIMIT).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exchange_leaves_the_session_usable() {
    let mut conversation = conversation(|request| vec![Back::After(Duration::from_secs(1), answer(request))]);
    // Interrupted while the announce is on its way; its answer comes during the next exchange.
    let interrupted = timeout(Duration::from_millis(1100), conversation.announce(&example(), 1, LIMIT)).await;
    assert!(interrupted.is_err() && conversation.has_announced());
    let stopped = example().with_event(Event::Stopped);
    let reply = conversation.announce(&stopped, 77, LIMIT).await.unwrap();
    assert_eq!((reply.connect, reply.ignored), (None, 1));
    assert_eq!(sent(&conversation), [(0, 0), (1000, 1), (1100, 1)]);
}

/// Replays a recorded datagram to the announce, with the transaction id of the announce unless it was recorded with none.
async fn replay(mut recorded: Vec<u8>) -> Result<Reply<Announced>, Error> {
    let mut conversation = conversation(move |request| match head(request) {
        (1, transaction) => {
            if recorded[4..8] != [0; 4] {
                recorded[4..8].copy_from_slice(&transaction.to_be_bytes());
            }
            vec![Back::now(recorded.clone())]
        }
        _ => vec![Back::now(answer(request))],
    });
    conversation.announce(&example(), 1, LIMIT).await
}

#[tokio::test(start_paused = true)]
async fn recorded_answers_to_an_announce_are_accepted_or_reported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tracker");
    let mut codes: Vec<&'static str> = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for tracker in entries.filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(tracker).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.starts_with("udp_") || name.contains("connect") || name.contains("scrape") {
                continue;
            }
            let recorded = std::fs::read(&path).unwrap();
            let reply = udp::Reply::parse(&recorded).unwrap();
            let (expected, transaction) = (reply.announced(Family::V4), reply.transaction);
            match (expected, replay(recorded.clone()).await) {
                (Ok(expected), Ok(reply)) => {
                    assert_eq!(reply.content, expected, "{}", path.display());
                    codes.push("ok");
                }
                // Torrust sends errors to transaction 0: only its text can be shown.
                (Err(DatagramError::Failure { reason }), Err(error)) if transaction == 0 => {
                    assert!(error.to_string().ends_with(&reason), "{}: {error}", path.display());
                    codes.push(error.code());
                }
                (Err(_), Err(error)) => codes.push(error.code()),
                (expected, found) => panic!("{}: {expected:?}, {found:?}", path.display()),
            }
        }
    }
    let count = |code| codes.iter().filter(|&&found| found == code).count();
    assert_eq!(["ok", "failure", "bad_reply", "timeout"].map(count), EXPECTED);
}

/// Accepted answers, refusals (one of them empty), malformed answers, and errors to an unknown transaction.
const EXPECTED: [usize; 4] = [54, 5, 0, 6];

proptest! {
    #[test]
    fn an_exchange_with_arbitrary_answers_ends_in_time(
        answers in proptest::collection::vec((0..5_u32, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut answers = answers.into_iter();
            let mut conversation = conversation(move |request| {
                let (action, ours, body) = answers.next().unwrap_or_default();
                vec![Back::now(datagram(action, if ours { head(request).1 } else { 3 }, &body))]
            });
            let begun = Instant::now();
            let _ = conversation.announce(&example(), 100, LIMIT).await;
            assert!(begun.elapsed() <= LIMIT);
        });
    }
}
