//! Info dictionaries that are put together in many conversations at once, with peers in memory and a clock that is paused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "tests may fail loudly"
)]

use bytes::{Bytes, BytesMut};
use ids::{InfoHash, PeerId};
use peer_session::{
    Assembly, ByteBudget, Ended, Extension, Extensions, Greeting, Hello, Listening, Met, MetadataLimits,
    MetadataReport, Progress, Rules, Session, Standing,
};
use peer_wire::{Codec, ExtensionHandshake, Handshake, Message, MetadataMessage, Reserved};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

const MS: Duration = Duration::from_millis(1);
const PIECE: usize = MetadataMessage::PIECE as usize;
/// The id under which peers take our messages of the extension.
const THEIR_ID: u8 = 3;

/// What a peer does with a request.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    /// Sends the piece after this time.
    Good(u32),
    /// Sends other bytes after this time.
    Wrong(u32),
    /// Sends other bytes quickly, and each piece after the first twenty just in time.
    Stalls,
    Silent,
    /// Sends the piece, a few bytes every 100 ms.
    Trickle,
    Reject,
    /// Sends an empty piece, as WebTorrent does.
    Empty,
    Short,
    /// Names another size with the piece.
    OtherTotal,
    Garbage,
    Closes,
    /// Names no size, and is not asked.
    NoSize,
    /// Asks us.
    Asks,
}
use Does::*;

/// A peer of a scenario: when it is connected, what it does, and the bytes by which its size differs from the right one.
#[derive(Clone, Copy)]
struct Peer {
    after: u32,
    does: Does,
    size: i64,
}

fn peers(does: &[Does]) -> Vec<Peer> {
    does.iter().map(|&does| Peer { after: 0, does, size: 0 }).collect()
}

/// Requests that all peers of a scenario have had, and the most pieces that were on the way at once.
#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
}

/// The clock is paused.
fn after(time: Duration) -> Sleep {
    sleep_until(Instant::now() + time)
}

fn info(size: usize) -> Arc<Vec<u8>> {
    Arc::new((0..size).map(|at| (at % 251) as u8 ^ (at / PIECE) as u8).collect())
}

fn handshake(id: u8) -> Handshake {
    let reserved = Reserved::FAST | Reserved::EXTENSION_PROTOCOL;
    Handshake { reserved, info_hash: InfoHash([7; 20]), peer_id: PeerId([id; 20]) }
}

async fn say(stream: &mut DuplexStream, id: u8, payload: Bytes) {
    let mut bytes = BytesMut::new();
    Codec::default().encode(&Message::Extended { id, payload }, &mut bytes).unwrap();
    let _ = stream.write_all(&bytes).await;
}

/// Our next message of the extension, or what we reject; `None` at the end.
async fn next(stream: &mut DuplexStream, buffer: &mut BytesMut) -> Option<Bytes> {
    loop {
        match Codec::default().decode(buffer).unwrap() {
            Some(Message::Extended { id: THEIR_ID, payload }) => return Some(payload),
            Some(Message::Extended { id: 0, payload }) => {
                let ours = ExtensionHandshake::decode(&payload).unwrap();
                assert_eq!((ours.metadata_size, ours.extensions.get("ut_metadata")), (None, Some(&1)));
            }
            Some(_) => {}
            None => (stream.read_buf(buffer).await.ok()? > 0).then_some(())?,
        }
    }
}

/// A peer's side of a conversation.
async fn act(mut stream: DuplexStream, peer: Peer, info: Arc<Vec<u8>>, counts: Arc<Counts>) {
    let mut buffer = BytesMut::new();
    stream.write_all(&handshake(2).encode()).await.unwrap();
    while buffer.len() < Handshake::LENGTH {
        stream.read_buf(&mut buffer).await.unwrap();
    }
    Handshake::decode(&mut buffer).unwrap().unwrap();
    // Nothing is asked before both extension handshakes are through.
    let early = timeout(10 * MS, next(&mut stream, &mut buffer)).await;
    assert!(early.is_err());
    let size = u32::try_from(info.len() as i64 + peer.size).unwrap();
    let theirs = ExtensionHandshake {
        extensions: [("ut_metadata".to_owned(), THEIR_ID)].into(),
        metadata_size: Some(size).filter(|_| !matches!(peer.does, NoSize | Asks)),
        ..ExtensionHandshake::default()
    };
    say(&mut stream, 0, theirs.encode()).await;
    if peer.does == Asks {
        say(&mut stream, 1, MetadataMessage::Request { piece: 0 }.encode()).await;
        assert_eq!(next(&mut stream, &mut buffer).await.unwrap(), &b"d8:msg_typei2e5:piecei0ee"[..]);
    }
    while let Some(payload) = next(&mut stream, &mut buffer).await {
        let MetadataMessage::Request { piece } = MetadataMessage::decode(&payload).unwrap() else { panic!() };
        counts.requests.fetch_add(1, Ordering::Relaxed);
        let open = counts.open.fetch_add(1, Ordering::Relaxed) + 1;
        counts.most.fetch_max(open, Ordering::Relaxed);
        let is_over = answer(&mut stream, &mut buffer, (peer.does, size, piece), &info).await;
        counts.open.fetch_sub(1, Ordering::Relaxed);
        if is_over {
            return;
        }
    }
}

/// Answers a request; gives whether the peer leaves.
async fn answer(
    stream: &mut DuplexStream,
    buffer: &mut BytesMut,
    (does, size, piece): (Does, u32, i64),
    info: &[u8],
) -> bool {
    let start = usize::try_from(piece).unwrap() * PIECE;
    let end = (size as usize).min(start + PIECE);
    let mut bytes = info[start.min(info.len())..end.min(info.len())].to_vec();
    bytes.resize(end - start, 1);
    let total_size = Some(i64::from(size));
    let wait = match does {
        Good(ms) | Wrong(ms) => ms * MS,
        Stalls if piece > 19 => 4900 * MS,
        _ => MS,
    };
    // There is never a second request before the answer.
    match timeout(wait, next(stream, buffer)).await {
        Ok(Some(second)) => panic!("{}", second.escape_ascii()),
        Ok(None) => return true,
        Err(_) => {}
    }
    match does {
        Wrong(_) | Stalls => bytes[0] ^= 1,
        Short => drop(bytes.pop()),
        Empty => bytes.clear(),
        _ => {}
    }
    let data = MetadataMessage::Data { piece, total_size, bytes: &bytes };
    match does {
        Silent => assert_eq!(next(stream, buffer).await, None),
        Closes => return true,
        Trickle => {
            let mut wire = BytesMut::new();
            Codec::default().encode(&Message::Extended { id: 1, payload: data.encode() }, &mut wire).unwrap();
            for few in wire.chunks(30) {
                after(100 * MS).await;
                if stream.write_all(few).await.is_err() {
                    return true;
                }
            }
        }
        Reject => say(stream, 1, MetadataMessage::Reject { piece, total_size: None }.encode()).await,
        OtherTotal => {
            let data = MetadataMessage::Data { piece, total_size: Some(1), bytes: &bytes };
            say(stream, 1, data.encode()).await;
        }
        Garbage => say(stream, 1, Bytes::from_static(b"<html>")).await,
        _ => say(stream, 1, data.encode()).await,
    }
    false
}

/// What came of a scenario.
struct Done {
    report: MetadataReport<usize>,
    counts: Arc<Counts>,
    is_right: bool,
    took: Duration,
}

impl Done {
    fn standings(&self) -> Vec<Standing> {
        self.report.peers.iter().map(|peer| peer.standing).collect()
    }
}

fn rules() -> Rules {
    Rules {
        handshake_timeout: Duration::from_secs(5),
        listening: Listening {
            time: Duration::from_secs(3),
            bytes: 1 << 16,
            message_bytes: 1 << 16,
            pieces: None.into(),
            budget: ByteBudget::new(64 << 20),
        },
        entropy: |_| Ok(()),
        is_ours: Box::new(|_| false),
        client: "example".to_owned(),
        secrets: guard::Secrets::default(),
    }
}

/// Holds all conversations until the dictionary is complete or none goes on.
async fn run(info: &Arc<Vec<u8>>, peers: &[Peer], limits: MetadataLimits, budget: &ByteBudget) -> Done {
    let expected = Arc::clone(info);
    let assembly = Assembly::new(limits, budget, move |bytes| bytes == expected.as_slice());
    let (begun, counts, mut tasks) = (Instant::now(), Arc::<Counts>::default(), JoinSet::new());
    for (key, &peer) in peers.iter().enumerate() {
        let (mut ours, theirs) = tokio::io::duplex(1 << 16);
        let (info, counts, assembly) = (Arc::clone(info), Arc::clone(&counts), assembly.clone());
        tasks.spawn(async move {
            after(peer.after * MS).await;
            let ours = async move {
                let (rules, greeting, mut progress) = (rules(), Greeting::new(handshake(1)), Progress::default());
                let hello = Hello { greeting: &greeting, peer_id: PeerId([1; 20]) };
                let all = || Extensions::default().with(Box::new(assembly.with(key))).within(Duration::from_secs(60));
                let mut extensions = |_: Met<'_>| all();
                let session = Session { hello, rules: &rules, extensions: Some(&mut extensions) };
                let ended = session.run(&mut ours, pin!(sleep_until(Instant::now())), &mut progress).await;
                if let Ended::Heard(Some(mut rest)) = ended.unwrap() {
                    rest.listen(&mut ours, &rules).await;
                }
            };
            tokio::join!(ours, act(theirs, peer, info, counts));
        });
    }
    let result = {
        let mut complete = pin!(assembly.complete());
        let all = async { while tasks.join_next().await.transpose().unwrap().is_some() {} };
        tokio::select! {
            biased;
            bytes = &mut complete => Some(bytes),
            () = all => assembly.finished(),
        }
    };
    let took = begun.elapsed();
    let is_right = result.as_deref() == Some(info.as_slice());
    assert_eq!(is_right, assembly.release().is_some());
    let report = assembly.report();
    tasks.shutdown().await;
    drop(assembly);
    Done { report, counts, is_right, took }
}

async fn in_swarm(size: usize, peers: &[Peer]) -> Done {
    let budget = ByteBudget::new(64 << 20);
    let done = run(&info(size), peers, MetadataLimits::default(), &budget).await;
    assert_eq!(budget.left(), 64 << 20, "what was taken of the budget is given back");
    done
}

#[tokio::test(start_paused = true)]
async fn two_good_peers_carry_two_silent_ones_and_a_slow_one() {
    for order in [[Silent, Silent, Good(500), Good(20), Good(20)], [Good(20), Silent, Good(20), Good(500), Silent]] {
        let done = in_swarm((1 << 20) + 5, &peers(&order)).await;
        assert!(done.is_right && done.took < 1000 * MS, "{:?}", done.took);
        // Each piece once, and those of the others a few times more.
        assert!(done.counts.requests.load(Ordering::Relaxed) <= 65 + 8, "{:?}", done.counts.requests);
        let given: u32 = done.report.peers.iter().map(|peer| peer.pieces).sum();
        assert!(done.report.received == 65 && given >= 65);
        let silent = done.report.peers.iter().find(|peer| order[peer.key] == Silent).unwrap();
        assert!(silent.asked.is_some() && silent.answered.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_is_overdue_is_asked_of_another_peer() {
    let done = in_swarm(100, &peers(&[Silent, Good(20)])).await;
    let asked = |key: usize| done.report.peers[key].asked.unwrap();
    assert!(done.is_right && asked(1) - asked(0) >= 1000 * MS && done.took < 1050 * MS, "{:?}", done.took);
    // One that refuses, or leaves: at once.
    for first in [Reject, Empty, Short, Garbage, Closes] {
        let done = in_swarm(100, &peers(&[first, Good(20)])).await;
        assert!(done.is_right && done.took < 50 * MS, "{:?}", done.took);
    }
    // After a second two more are asked, and others a second after these.
    let done = in_swarm(100, &peers(&[Silent, Silent, Good(20)])).await;
    assert!(done.is_right && done.took < 1050 * MS, "{:?}", done.took);
    let done = in_swarm(100, &peers(&[Silent, Silent, Silent, Good(20)])).await;
    assert!(done.is_right && done.took > 2000 * MS && done.took < 2100 * MS, "{:?}", done.took);
}

#[tokio::test(start_paused = true)]
async fn many_silent_peers_do_not_keep_a_good_one_out() {
    let silent = |count| std::iter::repeat_n(Silent, count);
    let order: Vec<Does> = silent(20).chain([Good(20)]).chain(silent(8)).collect();
    let done = in_swarm(3 * PIECE, &peers(&order)).await;
    // After a second twice as many are asked, then eight each second, and those that are next do not leave after the linger.
    assert!(done.is_right && done.took > 3000 * MS && done.took < 4200 * MS, "{:?}", done.took);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_too_long_is_given_up_and_a_slow_one_is_heard_beyond_the_linger() {
    let done = in_swarm(5 * PIECE, &peers(&[Silent, Trickle, Good(3000)])).await;
    assert_eq!(done.standings(), [Standing::TimedOut, Standing::TimedOut, Standing::Asked]);
    assert!(done.is_right && done.took > 15_000 * MS && done.took < 16_000 * MS, "{:?}", done.took);
    assert_eq!(done.report.peers[2].slowest, Some(3000 * MS));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_gave_wrong_bytes_is_found_among_others() {
    for (order, wrong) in [
        (&[Wrong(20), Good(20), Good(30)][..], &[0][..]),
        (&[Good(20), Wrong(10), Good(30), Wrong(25), Good(40)], &[1, 3]),
        (&[Wrong(5), Good(20)], &[0]),
        (&[Good(20), Wrong(300)], &[1]),
    ] {
        let done = in_swarm(20 * PIECE + 1, &peers(order)).await;
        let found: Vec<usize> = done
            .report
            .peers
            .iter()
            .filter(|peer| peer.standing == Standing::WrongBytes)
            .map(|peer| peer.key)
            .collect();
        assert!(done.is_right, "{wrong:?}");
        assert_eq!(found, wrong);
        assert!(done.report.wrong_hashes > 0);
    }
    // One that would take minutes for the pieces of the others.
    let done = in_swarm(30 * PIECE, &peers(&[Stalls, Good(20), Good(30)])).await;
    assert_eq!((done.is_right, done.standings()[0]), (true, Standing::WrongBytes));
    assert!(done.took < 7000 * MS, "{:?}", done.took);
    let done = in_swarm(3 * PIECE, &peers(&[Wrong(10), Wrong(20)])).await;
    assert_eq!((done.is_right, done.standings()), (false, vec![Standing::WrongBytes; 2]));
}

#[tokio::test(start_paused = true)]
async fn peers_that_do_not_give_are_named_and_not_asked_again() {
    let order = [Reject, Empty, Short, OtherTotal, Garbage, Closes, NoSize, Asks, Good(10)];
    let done = in_swarm(12 * PIECE, &peers(&order)).await;
    use Standing::{Asked, Rejected, Unreadable, WrongLength, WrongTotal};
    let expected =
        [Rejected, Rejected, WrongLength, WrongTotal, Unreadable, Asked, Standing::NoSize, Standing::NoSize, Asked];
    assert!(done.is_right);
    assert_eq!(done.standings(), expected);
    assert_eq!(done.counts.requests.load(Ordering::Relaxed), 6 + 12);
    assert!(done.report.peers[7].asked_us && done.report.peers.iter().all(|peer| peer.asked_us == (peer.key == 7)));
}

#[tokio::test(start_paused = true)]
async fn another_size_is_tried_when_the_first_is_wrong() {
    let of_size = |does, size| Peer { after: 0, does, size };
    let later = |mut peer: Peer| {
        peer.after = 100;
        peer
    };
    for (first, standing) in [
        (of_size(Good(10), 16_384), Standing::WrongBytes),
        (of_size(Silent, -5), Standing::OtherSize),
        (of_size(Reject, 1 << 20), Standing::Rejected),
        (of_size(Good(10), 1 << 25), Standing::TooLarge),
    ] {
        let done = in_swarm(4 * PIECE, &[first, later(of_size(Good(20), 0))]).await;
        assert_eq!((done.is_right, done.standings()), (true, vec![standing, Standing::Asked]));
        assert_eq!(done.report.size, Some(4 * MetadataMessage::PIECE));
    }
    // One whose pieces never end: another one, which as many name, has its turn after five seconds.
    let done = in_swarm(4 * PIECE, &[of_size(Good(900), 1 << 20), later(of_size(Good(200), 0))]).await;
    assert!(done.is_right && done.took < 6500 * MS, "{:?}", done.took);
    assert_eq!(done.standings(), [Standing::OtherSize, Standing::Asked]);
    // Several, of which none gives a piece, do not have five seconds each.
    let liars = (1..=8).map(|size| of_size(Silent, -size));
    let done = in_swarm(4 * PIECE, &liars.chain([later(of_size(Good(20), 0))]).collect::<Vec<_>>()).await;
    assert!(done.is_right && done.took < 9000 * MS, "{:?}", done.took);
    // One that is never needed.
    let done = in_swarm(4 * PIECE, &[of_size(Good(10), 0), of_size(Good(10), 1)]).await;
    assert_eq!((done.is_right, done.standings()), (true, vec![Standing::Asked, Standing::OtherSize]));
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_is_found_behind_many_that_are_silent() {
    let mut all = peers(&[Silent; 72]);
    all.extend(peers(&[Good(50)]));
    let done = in_swarm(4 * PIECE, &all).await;
    assert!(done.is_right && done.took < Duration::from_secs(12), "{:?}", done.took);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_conversations_share_an_assembly() {
    let good = peers(&[Good(50); 1000]);
    let done = in_swarm(64 * PIECE, &good).await;
    // 64 pieces of 8 peers at a time, 50 ms each.
    assert!(done.is_right && done.took < 600 * MS, "{:?}", done.took);
    assert_eq!((done.counts.most.load(Ordering::Relaxed), done.report.peers.len()), (8, 1000));
    let mixed: Vec<Peer> = good
        .into_iter()
        .enumerate()
        .map(|(at, peer)| Peer { does: [Silent, Reject, Good(50), Closes, Wrong(60)][at % 5], ..peer })
        .collect();
    let done = in_swarm(64 * PIECE, &mixed).await;
    assert!(done.is_right && done.took < Duration::from_secs(20), "{:?}", done.took);
}

/// Conversations without a stream: what is said in them is called by hand.
#[tokio::test(start_paused = true)]
async fn a_peer_that_was_given_up_is_not_asked_in_a_later_conversation() {
    let assembly = Assembly::new(MetadataLimits::default(), &ByteBudget::new(1 << 20), |_| true);
    let theirs = |size| ExtensionHandshake { metadata_size: size, ..ExtensionHandshake::default() };
    let mut first = assembly.with("a");
    assert!(first.offer(&theirs(Some(9))).is_some() && first.is_busy());
    // Of two conversations at once, one is used.
    let mut second = assembly.with("a");
    assert!(second.offer(&theirs(Some(9))).is_none() && second.is_done());
    assert_eq!(first.heard(&MetadataMessage::Reject { piece: 0, total_size: None }.encode()), Ok(None));
    drop((first, second));
    let mut third = assembly.with("a");
    assert!(third.offer(&theirs(Some(9))).is_none() && third.is_done());
    // One that had no metadata the first time may have it now; one that only left may be asked again.
    drop((assembly.with("b").offer(&theirs(None)), assembly.with("c").offer(&theirs(Some(9)))));
    let (mut b, mut c) = (assembly.with("b"), assembly.with("c"));
    assert!(b.offer(&theirs(Some(9))).is_some() && c.offer(&theirs(Some(9))).is_none() && c.is_busy());
    let data = MetadataMessage::Data { piece: 0, total_size: Some(9), bytes: b"d4:info0:" };
    assert_eq!((b.heard(&data.encode()), c.is_busy()), (Ok(None), false));
    assert_eq!(assembly.finished().as_deref(), Some(&b"d4:info0:"[..]));
}

#[tokio::test(start_paused = true)]
async fn answers_of_others_do_not_disturb_a_peer_that_is_asked_alone() {
    let (info, theirs) =
        (info(3 * PIECE), ExtensionHandshake { metadata_size: Some(3 << 14), ..ExtensionHandshake::default() });
    let right = Arc::clone(&info);
    let assembly = Assembly::new(MetadataLimits::default(), &ByteBudget::new(1 << 20), move |bytes| bytes == *right);
    let [mut a, mut b, mut c, mut d] = ["a", "b", "c", "d"].map(|key| assembly.with(key));
    let piece = |payload: Option<Bytes>| {
        payload.map(|payload| MetadataMessage::decode(&payload).unwrap() == MetadataMessage::Request { piece: 2 })
    };
    let data = |at: usize, change: u8| {
        let mut bytes = info[at * PIECE..(at + 1) * PIECE].to_vec();
        bytes[0] ^= change;
        MetadataMessage::Data { piece: at as i64, total_size: None, bytes: &bytes }.encode()
    };
    let asked = [a.offer(&theirs), b.offer(&theirs), c.offer(&theirs), d.offer(&theirs)].map(piece);
    assert_eq!(asked, [Some(false), Some(false), Some(true), None]);
    // The quick one takes over what others are asked for, and leaves the last piece open.
    assert_eq!(a.heard(&data(0, 0)), Ok(None));
    tokio::time::advance(100 * MS).await;
    assert_eq!(piece(a.due(Instant::now())), Some(false));
    assert_eq!(piece(a.heard(&data(1, 0)).unwrap()), Some(true));
    tokio::time::advance(900 * MS).await;
    assert_eq!(piece(d.due(Instant::now())), Some(true));
    // Wrong, and from here on only what the quick one gives counts.
    for (peer, change) in [(&mut c, 1), (&mut d, 2)] {
        assert_eq!(peer.heard(&data(2, change)), Ok(None));
        assert_eq!(assembly.report().wrong_hashes, 1);
    }
    assert_eq!((a.heard(&data(2, 0)), assembly.finished().as_deref()), (Ok(None), Some(info.as_slice())));
    let standings: Vec<Standing> = assembly.report().peers.iter().map(|peer| peer.standing).collect();
    assert_eq!(standings, [Standing::Asked, Standing::Asked, Standing::WrongBytes, Standing::Asked]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_until_there_is_room() {
    let (info, budget) = (info(2 * PIECE), ByteBudget::new(3 * PIECE));
    let other = Assembly::new(MetadataLimits::default(), &budget, |_| true);
    let mut holder = other.with(0);
    let theirs =
        ExtensionHandshake { metadata_size: Some(2 * MetadataMessage::PIECE), ..ExtensionHandshake::default() };
    assert!(holder.offer(&theirs).is_some() && budget.left() == PIECE);
    let release = async {
        after(1000 * MS).await;
        drop(holder);
    };
    let limits = MetadataLimits::default();
    let peers = peers(&[Good(10)]);
    let (done, ()) = tokio::join!(run(&info, &peers, limits, &budget), release);
    assert!(done.is_right && done.report.offered.unwrap() < 100 * MS);
    let began = done.report.began.unwrap();
    assert!(began >= 1000 * MS && began < 1200 * MS && budget.left() == 3 * PIECE, "{began:?}");
}
