//! Properties of an assembly, whatever its peers do: one request at a time for each, several for software that answers all, a bounded
//! number of peers at once, nothing due twice, and one honest peer is enough in the end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

use bytes::Bytes;
use peer_session::{Assembly, ByteBudget, Extension, MetadataLimits, Standing, UtMetadata};
use peer_wire::{ExtensionHandshake, MetadataMessage};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::{Instant, advance};

const PIECE: usize = MetadataMessage::PIECE as usize;
const SIZE: u32 = 4 * MetadataMessage::PIECE + 7;
const BUDGET: usize = 1 << 20;
/// The honest peer that comes last.
const HONEST: usize = 12;

struct Peer {
    extension: UtMetadata<usize>,
    /// The pieces it was asked for and has not answered, and when.
    asked: Vec<(i64, Instant)>,
}

/// The software of a peer: of every third, one that answers all requests; rTorrent answers one.
fn client(who: usize) -> Option<String> {
    [None, Some("libtorrent/2.1.1.0"), Some("libTorrent 0.16.17")][who % 3].map(str::to_owned)
}

struct Swarm {
    assembly: Assembly<usize>,
    budget: ByteBudget,
    peers: Vec<Option<Peer>>,
    info: Vec<u8>,
}

impl Swarm {
    fn new() -> Self {
        let info: Vec<u8> = (0..SIZE).map(|at| (at % 253).to_be_bytes()[3]).collect();
        let (budget, right) = (ByteBudget::new(BUDGET), info.clone());
        let assembly = Assembly::new(MetadataLimits::default(), &budget, move |bytes| bytes == right);
        Self { assembly, budget, peers: (0..=HONEST).map(|_| None).collect(), info }
    }

    /// Notes what is said to a peer.
    fn said(&mut self, who: usize, said: Option<Bytes>) {
        let Some(said) = said else { return };
        let peer = self.peers[who].as_mut().unwrap();
        match MetadataMessage::decode(&said).unwrap() {
            MetadataMessage::Request { piece } => {
                assert!(peer.asked.len() < if who % 3 == 1 { 8 } else { 1 }, "too many requests at once");
                assert!(peer.asked.iter().all(|(asked, _)| *asked != piece), "asked twice for {piece}");
                peer.asked.push((piece, Instant::now()));
            }
            MetadataMessage::Reject { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn offer(&mut self, who: usize, size: Option<u32>) {
        let mut extension = self.assembly.with(who);
        let theirs = ExtensionHandshake { metadata_size: size, client: client(who), ..ExtensionHandshake::default() };
        let said = extension.offer(&theirs);
        self.peers[who] = Some(Peer { extension, asked: Vec::new() });
        self.said(who, said);
    }

    /// A message of a peer; one that cannot be read ends the conversation.
    fn heard(&mut self, who: usize, message: &[u8]) {
        match self.peers[who].as_mut().unwrap().extension.heard(message) {
            Ok(said) => self.said(who, said),
            Err(_) => self.peers[who] = None,
        }
    }

    /// A piece that was asked for, with another byte if it is wrong.
    fn data(&mut self, who: usize, is_right: bool) {
        let Some((piece, _)) = self.peers[who].as_mut().and_then(|peer| peer.asked.pop()) else { return };
        let start = usize::try_from(piece).unwrap() * PIECE;
        let mut bytes = self.info.get(start..self.info.len().min(start + PIECE)).unwrap_or_default().to_vec();
        if !is_right {
            bytes.first_mut().into_iter().for_each(|byte| *byte ^= 1);
        }
        self.heard(who, &MetadataMessage::Data { piece, total_size: None, bytes: &bytes }.encode());
    }

    fn act(&mut self, who: usize, what: u8, size: u32) {
        let Some(peer) = &mut self.peers[who] else {
            return self.offer(who, [Some(SIZE), Some(SIZE + 1), Some(3), Some(u32::MAX), None][size as usize % 5]);
        };
        match what {
            0..3 => self.data(who, true),
            3 => self.data(who, false),
            4 => {
                let piece = peer.asked.pop().map_or(1, |(piece, _)| piece);
                self.heard(who, &MetadataMessage::Reject { piece, total_size: None }.encode());
            }
            5 => {
                let piece = i64::from(size);
                peer.asked.retain(|(asked, _)| *asked != piece);
                self.heard(who, &MetadataMessage::Data { piece, total_size: None, bytes: b"x" }.encode());
            }
            6 => self.heard(who, &MetadataMessage::Request { piece: i64::from(size) }.encode()),
            7 => self.heard(who, b"?"),
            _ => self.peers[who] = None,
        }
    }

    /// Calls those that are due. Afterwards none is.
    fn due(&mut self) {
        let now = Instant::now();
        for _ in 0..100 {
            let mut is_done = true;
            for who in 0..self.peers.len() {
                let Some(peer) = &mut self.peers[who] else { continue };
                if peer.extension.wake().is_some_and(|wake| wake <= now) {
                    is_done = false;
                    let said = peer.extension.due(now);
                    self.said(who, said);
                }
            }
            if is_done {
                return;
            }
        }
        panic!("due again and again");
    }

    fn check(&self) {
        let asked = self.peers.iter().flatten().filter_map(|peer| peer.asked.last());
        let young = asked.filter(|(_, at)| at.elapsed() < MetadataLimits::default().hedge).count();
        assert!(young <= MetadataLimits::default().peers);
        assert!(self.assembly.finished().is_none_or(|info| info == self.info));
    }
}

fn scenario(acts: &[(usize, u8, u32, u64)]) -> Swarm {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut swarm = Swarm::new();
        for &(who, what, size, wait) in acts {
            swarm.act(who, what, size);
            swarm.check();
            advance(Duration::from_millis(wait * 100)).await;
            swarm.due();
            swarm.check();
        }
        // All that are there now are silent, and one that is honest is enough.
        swarm.offer(HONEST, Some(SIZE));
        for _ in 0..1000 {
            if swarm.assembly.finished().is_some() {
                break;
            }
            swarm.data(HONEST, true);
            swarm.due();
            advance(Duration::from_millis(100)).await;
            swarm.due();
        }
        swarm
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn one_honest_peer_is_enough_in_the_end(acts in vec((0..HONEST, 0..10_u8, 0..9_u32, 0..20_u64), 0..120)) {
        let mut swarm = scenario(&acts);
        let report = swarm.assembly.report();
        prop_assert!(swarm.assembly.release().is_some(), "{report:#?}");
        prop_assert!(report.peers.iter().all(|peer| peer.key != HONEST || peer.standing == Standing::Asked));
        prop_assert_eq!(report.received, MetadataMessage::pieces(SIZE));
        swarm.peers.clear();
        prop_assert_eq!(swarm.budget.left(), BUDGET);
    }
}

#[tokio::test(start_paused = true)]
async fn software_that_answers_all_is_asked_for_more_after_a_quick_answer() {
    const PIECES: usize = 40;
    /// The answers until all is there.
    async fn answers(client: &str, pace: Duration) -> (Vec<usize>, usize) {
        let info: Vec<u8> = (0..PIECES * PIECE).map(|at| (at % 253).to_be_bytes()[7]).collect();
        let (budget, right) = (ByteBudget::new(BUDGET), info.clone());
        let assembly = Assembly::new(MetadataLimits::default(), &budget, move |bytes| bytes == right);
        let mut extension = assembly.with(0);
        let theirs = ExtensionHandshake {
            metadata_size: Some(info.len().try_into().unwrap()),
            client: Some(client.to_owned()),
            ..ExtensionHandshake::default()
        };
        let (mut asked, mut at_once) = (Vec::from_iter(extension.offer(&theirs)), Vec::new());
        while let Some(request) = (!asked.is_empty()).then(|| asked.remove(0)) {
            at_once.push(asked.len() + 1);
            advance(pace).await;
            let MetadataMessage::Request { piece } = MetadataMessage::decode(&request).unwrap() else { panic!() };
            let bytes = &info[usize::try_from(piece).unwrap() * PIECE..][..PIECE];
            asked.extend(extension.heard(&MetadataMessage::Data { piece, total_size: None, bytes }.encode()).unwrap());
            while extension.wake().is_some_and(|wake| wake <= Instant::now()) {
                asked.extend(extension.due(Instant::now()));
            }
        }
        assert_eq!(assembly.finished().map(|found| found.len()), Some(info.len()), "{client}");
        let most = at_once.iter().copied().max().unwrap();
        (at_once[..5].to_vec(), most)
    }
    let (quick, slow) = (Duration::from_millis(20), Duration::from_millis(1500));
    assert_eq!(answers("Transmission 4.1.4", quick).await, (vec![1, 32, 32, 32, 32], 32));
    assert_eq!(answers("Deluge/2.2.0 libtorrent/2.0.11.0", quick).await, (vec![1, 8, 8, 8, 8], 8));
    assert_eq!(answers("qBittorrent/5.1.0", slow).await, (vec![1; 5], 1));
    for client in ["Transmission 3.00", "libTorrent 0.16.17", "unknown 1.0"] {
        assert_eq!(answers(client, quick).await, (vec![1; 5], 1), "{client}");
    }
}

#[tokio::test(start_paused = true)]
async fn overdue_peers_do_not_count_among_those_that_are_kept() {
    let assembly = Assembly::new(MetadataLimits::default(), &ByteBudget::new(1 << 20), |_| true);
    let theirs = ExtensionHandshake { metadata_size: Some(1 << 18), ..ExtensionHandshake::default() };
    // Beside 16, as long as nothing has come, 64 that are next.
    let mut peers: Vec<_> = (0..89).map(|key| assembly.with(key)).collect();
    let kept = |peers: &[UtMetadata<i32>]| peers.iter().filter(|peer| peer.is_busy()).count();
    let asked = peers.iter_mut().filter_map(|peer| peer.offer(&theirs)).count();
    assert_eq!((asked, kept(&peers)), (8, 80));
    advance(Duration::from_secs(1)).await;
    let due = |peer: &UtMetadata<i32>| peer.wake().is_some_and(|wake| wake <= Instant::now());
    let asked = peers.iter_mut().filter_map(|peer| due(peer).then(|| peer.due(Instant::now())).flatten()).count();
    assert_eq!((asked, kept(&peers)), (8, 88));
}
