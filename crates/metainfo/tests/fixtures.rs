//! Torrents made with real tools. The expected values come from libtorrent, not from us; see `fixtures/README.md`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

use metainfo::Torrent;
use std::path::Path;

fn read(name: &str) -> Torrent {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/torrents").join(name);
    Torrent::parse(&std::fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn each_says_what_libtorrent_says() {
    for (name, info_hash, total_size, files, piece_length, pieces, trackers, private) in [
        (
            "libtorrent-v1-folder-passkey.torrent",
            "43bc3ce48da7750225afb47b995d4a69948141b2",
            110_001,
            3,
            32_768,
            4,
            1,
            false,
        ),
        (
            "mktorrent-folder-tiers-private.torrent",
            "7671a0fe2b42dee8cc16c6f9c7d0d38409a28cf1",
            110_001,
            3,
            65_536,
            2,
            3,
            true,
        ),
        ("mktorrent-single.torrent", "38024864b265c068d209d8dd5851a23d0a17c97b", 300_000, 1, 32_768, 10, 1, false),
        (
            "transmission-create-folder-udp-tier.torrent",
            "6ed0f8eb2d2c71fb951ab59b83f95fe5c824fab7",
            110_001,
            3,
            32_768,
            4,
            2,
            false,
        ),
    ] {
        let torrent = read(name);
        assert_eq!(torrent.hashes.primary().to_string(), info_hash, "{name}");
        let urls = torrent.trackers.iter().flatten().count();
        let found =
            (torrent.total_size, torrent.files.len(), torrent.piece_length, torrent.pieces, urls, torrent.private);
        assert_eq!(found, (total_size, files, piece_length, pieces, trackers, private), "{name}");
    }
}

#[test]
fn tiers_and_paths_are_kept() {
    let torrent = read("mktorrent-folder-tiers-private.torrent");
    let tiers: Vec<usize> = torrent.trackers.iter().map(Vec::len).collect();
    assert_eq!(tiers, [2, 1]);
    let paths: Vec<String> =
        torrent.files.iter().map(|file| String::from_utf8(file.path.join(&b'/')).unwrap()).collect();
    for path in ["a.bin", "sub/b.bin", "naïve 日本.txt"] {
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
}
