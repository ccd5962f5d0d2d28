//! Piece layers that are put together in several conversations at once: what each says and hears, with a clock that is paused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

use bytes::{Bytes, BytesMut};
use ids::InfoHash;
use metainfo::{PieceLayer, PieceLayers};
use peer_session::{
    Assembly, ByteBudget, Extension, HashRequests, LayerAssembly, LayerReport, MetadataLimits, Standing,
};
use peer_wire::{Codec, ExtensionHandshake, HashRange, Message, MetadataMessage};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::{Instant, advance};

const PIECE: u32 = 1 << 15;
const V2: InfoHash = InfoHash([2; 20]);
const V1: InfoHash = InfoHash([1; 20]);
type Row = Vec<[u8; 32]>;

fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(left).chain_update(right).finalize().into()
}

/// All rows of a file's tree, from its piece layer up.
struct Tree(Vec<Row>, u32);

impl Tree {
    fn of(pieces: u32) -> Self {
        let leaf = |at: u32| parent(&[3; 32], &[(pieces + at).to_le_bytes(); 8].concat().try_into().unwrap());
        let mut row: Row = (0..pieces).map(leaf).collect();
        row.resize(pieces.next_power_of_two() as usize, parent(&[0; 32], &[0; 32]));
        let mut rows = vec![row];
        while rows[rows.len() - 1].len() > 1 {
            rows.push(rows[rows.len() - 1].chunks(2).map(|pair| parent(&pair[0], &pair[1])).collect());
        }
        Self(rows, pieces)
    }

    fn layer(&self) -> PieceLayer {
        PieceLayer { root: self.0[self.0.len() - 1][0], pieces: self.1, piece_length: PIECE }
    }

    /// As libtorrent answers.
    fn answer(&self, range: &HashRange) -> Message {
        assert_eq!((range.pieces_root, range.base_layer, range.index % range.length), (self.layer().root, 1, 0));
        assert!(range.length.is_power_of_two() && (2..=512).contains(&range.length));
        let mut hashes = self.0[0][range.index as usize..][..range.length as usize].to_vec();
        for level in range.length.ilog2()..=range.proof_layers {
            hashes.push(self.0[level as usize][range.index as usize >> level ^ 1]);
        }
        Message::Hashes { range: *range, hashes: hashes.as_flattened().to_vec().into() }
    }
}

fn file_layers(trees: &[Tree]) -> PieceLayers {
    trees.iter().map(|tree| (tree.layer().root, tree.0[0][..tree.1 as usize].to_vec())).collect()
}

/// Metadata that is there as soon as one peer has given its only piece.
fn metadata() -> (Assembly<u8>, impl FnOnce()) {
    let assembly = Assembly::new(MetadataLimits::default(), &ByteBudget::new(1000), |_| true);
    let mut giving = assembly.with(99);
    let theirs = ExtensionHandshake { metadata_size: Some(3), ..ExtensionHandshake::default() };
    (assembly, move || {
        giving.offer(&theirs).unwrap();
        let data = MetadataMessage::Data { piece: 0, total_size: Some(3), bytes: b"abc" }.encode();
        giving.heard(&data).unwrap();
    })
}

fn assembly(limits: MetadataLimits, trees: &[Tree]) -> LayerAssembly<u8> {
    let (metadata, give) = metadata();
    give();
    let assembly = LayerAssembly::after(&metadata, limits, &ByteBudget::new(1 << 20));
    assembly.begin(trees.iter().map(Tree::layer).collect(), V2);
    assembly
}

fn join(assembly: &LayerAssembly<u8>, key: u8, info_hash: InfoHash) -> (HashRequests<u8>, Option<HashRange>) {
    let mut requests = assembly.with(key, info_hash);
    let said = requests.offer(&ExtensionHandshake::default());
    (requests, said.map(asked))
}

fn asked(said: Bytes) -> HashRange {
    let Some(Message::HashRequest(range)) = Codec::default().decode(&mut BytesMut::from(said)).unwrap() else {
        panic!()
    };
    range
}

/// What it asks for by itself, if its time has come.
fn due(requests: &mut HashRequests<u8>) -> Option<HashRange> {
    let now = Instant::now();
    requests.wake().filter(|at| *at <= now).and_then(|_| requests.due(now)).map(asked)
}

fn standings(report: &LayerReport<u8>) -> Vec<(u8, Standing, u32)> {
    report.peers.iter().map(|peer| (peer.key, peer.standing, peer.hashes)).collect()
}

#[test]
fn answers_of_libtorrent_are_understood() {
    let rows = include_str!("../../../fixtures/peer/hash_requests.tsv").lines().skip(1);
    let read = |hex: &str| {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let message = Codec::default().decode(&mut BytesMut::from(&bytes[..])).unwrap().unwrap();
        let mut written = BytesMut::new();
        Codec::default().encode(&message, &mut written).unwrap();
        assert_eq!(written, bytes);
        message
    };
    let mut kinds = Vec::new();
    for row in rows {
        let [_, what, request, answer] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let Message::HashRequest(range) = read(request) else { panic!("{row}") };
        kinds.push(what);
        match read(answer) {
            Message::HashReject(rejected) => assert_eq!((what, rejected), ("unknown", range)),
            Message::Hashes { range: told, hashes } => {
                let layer = PieceLayer { root: range.pieces_root, pieces: 3, piece_length: PIECE };
                assert_eq!((told, range.length, range.base_layer), (range, layer.part_length(), layer.base_layer()));
                assert!(layer.is(&layer.check(0, &hashes).unwrap()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kinds, ["whole", "unknown"].repeat(2));
}

#[tokio::test(start_paused = true)]
async fn several_peers_give_the_parts_of_all_layers() {
    let trees = [Tree::of(2), Tree::of(3), Tree::of(512), Tree::of(1300)];
    let assembly = assembly(MetadataLimits::default(), &trees);
    let (one, first) = join(&assembly, 1, V2);
    let (two, second) = join(&assembly, 2, V2);
    let mut peers = [(one, first), (two, second)];
    let mut asked_of = Vec::new();
    while let Some(at) = (0..2).find(|at| peers[*at].1.is_some()) {
        let at = if peers[1 - at].1.is_some() && asked_of.len() % 2 == 1 { 1 - at } else { at };
        let range = peers[at].1.take().unwrap();
        let tree = trees.iter().find(|tree| tree.layer().root == range.pieces_root).unwrap();
        asked_of.push((range.pieces_root, range.index));
        peers[at].1 = peers[at].0.heard_message(&tree.answer(&range)).map(asked);
    }
    assert_eq!(asked_of.len(), 1 + 1 + 1 + 3);
    let report = assembly.report();
    assert_eq!((report.layers, report.complete, report.bytes), (4, 4, (2 + 3 + 512 + 1300) * 32));
    assert_eq!(report.peers.iter().map(|peer| peer.hashes).sum::<u32>(), 1817);
    assert!(report.elapsed.is_some() && peers[0].0.is_done() && !assembly.is_wanted());
    assembly.complete().await;
    assert_eq!(assembly.take(), file_layers(&trees));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_names_its_peer_and_another_is_asked() {
    let trees = [Tree::of(700)];
    for spoilt in [0, 511, 512] {
        let assembly = assembly(MetadataLimits::default(), &trees);
        let (mut liar, range) = join(&assembly, 1, V2);
        let range = range.unwrap();
        assert_eq!((range.index, range.length, range.proof_layers), (0, 512, 9));
        let Message::Hashes { hashes, .. } = trees[0].answer(&range) else { panic!() };
        let mut wrong = hashes.to_vec();
        wrong[spoilt * 32] ^= 1;
        assert_eq!(liar.heard_message(&Message::Hashes { range, hashes: wrong.into() }), None);
        assert!(liar.is_done() && !liar.is_busy());
        let (mut good, again) = join(&assembly, 2, V2);
        assert_eq!(again, Some(range));
        // An answer that was not asked for says nothing about a peer.
        let other = HashRange { index: 512, ..range };
        assert_eq!(good.heard_message(&trees[0].answer(&other)), None);
        let next = good.heard_message(&trees[0].answer(&range)).map(asked).unwrap();
        assert_eq!(next, other);
        good.heard_message(&trees[0].answer(&next));
        let standings = standings(&assembly.report());
        assert_eq!(standings, [(1, Standing::WrongBytes, 0), (2, Standing::Asked, 700)]);
        assert_eq!(assembly.take(), file_layers(&trees));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_asked_again_for_what_it_rejects() {
    let trees: Vec<Tree> = (2..20).map(Tree::of).collect();
    let assembly = assembly(MetadataLimits::default(), &trees);
    let (mut lacking, mut range) = join(&assembly, 1, V2);
    let mut rejected = Vec::new();
    while let Some(asked_for) = range {
        assert!(!rejected.contains(&asked_for.pieces_root));
        rejected.push(asked_for.pieces_root);
        range = lacking.heard_message(&Message::HashReject(asked_for)).map(asked);
    }
    assert_eq!((rejected.len(), lacking.is_done()), (8, true));
    assert_eq!(standings(&assembly.report()), [(1, Standing::Rejected, 0)]);
    assert!(join(&assembly, 2, V2).1.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_is_asked_of_another_and_the_silent_are_given_up() {
    let trees = [Tree::of(64)];
    let limits = MetadataLimits { peers: 1, ..MetadataLimits::default() };
    let assembly = assembly(limits, &trees);
    let (mut silent, range) = join(&assembly, 1, V2);
    let (mut other, none) = join(&assembly, 2, V2);
    // As long as nothing has come, those that are next are kept, too.
    assert!(range.is_some() && none.is_none() && other.is_busy() && !other.is_done());
    let more: Vec<_> = (10..20).map(|key| join(&assembly, key, V2).0).collect();
    assert_eq!(more.iter().filter(|more| more.is_busy()).count(), 7);
    drop(more);
    advance(limits.hedge - Duration::from_millis(1)).await;
    assert_eq!(due(&mut other), None);
    advance(Duration::from_millis(1)).await;
    assert_eq!(due(&mut other), range);
    advance(limits.timeout - limits.hedge).await;
    assert_eq!(due(&mut silent), None);
    assert!(silent.is_done() && other.is_busy());
    let standings = standings(&assembly.report());
    assert_eq!(standings[..2], [(1, Standing::TimedOut, 0), (2, Standing::Asked, 0)]);
    // One that leaves is replaced at once.
    drop(other);
    assert_eq!(join(&assembly, 3, V2).1, range);
}

#[tokio::test(start_paused = true)]
async fn conversations_wait_while_metadata_is_read_and_no_longer() {
    let trees = [Tree::of(2)];
    let (metadata, give) = metadata();
    let assembly = LayerAssembly::after(&metadata, MetadataLimits::default(), &ByteBudget::new(1 << 20));
    let (requests, none) = join(&assembly, 1, V2);
    let (by_v1, _) = join(&assembly, 2, V1);
    assert!(none.is_none() && requests.is_done() && !requests.is_busy() && assembly.is_wanted());
    give();
    assert!(requests.is_busy() && !requests.is_done() && by_v1.is_busy());
    let mut requests = requests;
    assembly.begin(vec![trees[0].layer()], V2);
    assert!(due(&mut requests).is_some() && requests.is_busy() && by_v1.is_done());
    let report = assembly.report();
    assert_eq!((report.peers.len(), report.v1_peers), (1, 1));
    assembly.cancel();
    assert!(requests.is_done() && assembly.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_has_no_room_waits_and_what_is_too_large_is_not_asked_for() {
    let (metadata, give) = metadata();
    give();
    let (tree, budget) = (Tree::of(64), ByteBudget::new(4000));
    let begin = |bytes: u32, layers: Vec<PieceLayer>| {
        let limits = MetadataLimits { bytes, ..MetadataLimits::default() };
        let assembly = LayerAssembly::after(&metadata, limits, &budget);
        assembly.begin(layers, V2);
        assembly
    };
    assert!(!begin(64 * 32 - 1, vec![tree.layer()]).is_wanted() && !begin(1 << 20, Vec::new()).is_wanted());
    let first = begin(64 * 32, vec![tree.layer()]);
    assert!(budget.left() < 4000);
    let second = begin(64 * 32, vec![tree.layer()]);
    let (mut waiting, none) = join(&second, 1, V2);
    assert!(none.is_none() && waiting.is_busy());
    let _ = first.take();
    assert_eq!(due(&mut waiting), None);
    advance(Duration::from_millis(100)).await;
    assert!(due(&mut waiting).is_some());
    let _ = second.take();
    assert_eq!(budget.left(), 4000);
}
