//! Every accepted fixture, taken apart and put together again from its info dictionary alone.

use crate::fixtures;
use bencode::{Document, Limits};
use metainfo::{PieceLayers, Torrent, TorrentFile};

/// What a file has beside its info dictionary, as a magnet link and peers would tell it.
fn put_together(bytes: &[u8]) -> (Torrent, Vec<u8>) {
    let torrent = Torrent::parse(bytes).unwrap();
    let document = Document::parse_lenient(bytes, Limits::TORRENT).unwrap();
    let root = document.root().as_dict().unwrap();
    let layers = root.dict("piece layers").ok().map(|layers| {
        layers.into_iter().map(|(root, layer)| {
            let (hashes, _) = layer.as_bytes().unwrap().as_chunks::<32>();
            (root.try_into().unwrap(), hashes.to_vec())
        })
    });
    let layers: Option<PieceLayers> = layers.map(Iterator::collect);
    let tiers: Vec<Vec<String>> =
        torrent.trackers.iter().map(|tier| tier.iter().map(|tracker| tracker.url.clone()).collect()).collect();
    let file = TorrentFile {
        info: root.get(b"info").unwrap().raw(),
        trackers: &tiers,
        web_seeds: &torrent.details.web_seeds,
        piece_layers: layers.as_ref(),
    };
    let hash = torrent.hashes.primary();
    assert!(torrent.hashes.are_of(file.info));
    let written = file.write().unwrap();
    assert_eq!(file.torrent(&hash.into()).unwrap(), Torrent::parse(&written).unwrap());
    (torrent, written)
}

#[test]
fn every_fixture_is_the_same_torrent_again() {
    let mut found = 0;
    for (name, bytes) in fixtures::bytes("tools").into_iter().chain(fixtures::bytes("odd")) {
        let (torrent, written) = put_together(&bytes);
        let again = Torrent::parse(&written).unwrap();
        assert_eq!((&again.hashes, &again.files), (&torrent.hashes, &torrent.files), "{name}");
        // A URL with blanks around it is malformed, and is written without them.
        let urls =
            |torrent: &Torrent| torrent.trackers.iter().flatten().map(|found| found.url.clone()).collect::<Vec<_>>();
        assert_eq!((urls(&again), again.private), (urls(&torrent), torrent.private), "{name}");
        assert_eq!(again.details.web_seeds, torrent.details.web_seeds, "{name}");
        found += usize::from(torrent.hashes.v2().is_some());
    }
    assert!(found > 5);
}
