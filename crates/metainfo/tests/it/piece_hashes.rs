//! The piece hashes in the fixtures of real programs, against the content they were made from.

use metainfo::{PieceHash, PieceHashes, Torrent};
use std::ops::Range;

/// The content of a file: the fixtures are made from bytes that depend on the size alone (Marsaglia's xorshift32).
fn noise(size: u64) -> impl Iterator<Item = u8> {
    let mut state = u32::try_from(size).unwrap() | 1;
    let step = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(step).take(usize::try_from(size).unwrap())
}

/// The content of all files and padding, and the range of each file in it.
fn content(torrent: &Torrent) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut content, mut files) = (Vec::new(), Vec::new());
    for file in &torrent.files {
        let begin = content.len();
        match file.attributes.padding {
            true => content.resize(begin + usize::try_from(file.length).unwrap(), 0),
            false => content.extend(noise(file.length)),
        }
        if !file.attributes.padding {
            files.push(begin..content.len());
        }
    }
    (content, files)
}

fn check(hash: Option<PieceHash>, piece: &[u8], case: &str) {
    let hash = hash.unwrap_or_else(|| panic!("{case}: no hash"));
    assert!(hash.matches(piece), "{case}");
    let mut other = piece.to_vec();
    other[piece.len() / 2] ^= 1;
    assert!(!hash.matches(&other) && !hash.matches(&piece[1..]), "{case}: another piece");
}

#[test]
fn every_piece_of_the_fixtures_has_the_hash_of_its_content() {
    let (mut v1, mut v2) = (0, 0);
    for (name, bytes) in super::fixtures::bytes("tools") {
        let torrent = Torrent::parse(&bytes).unwrap();
        let hashes = PieceHashes::read(bytes).unwrap();
        let (content, files) = content(&torrent);
        for (index, begin) in (0..torrent.pieces).zip((0..).step_by(torrent.piece_length as usize)) {
            let piece = |end: usize| &content[begin..end.min(begin + torrent.piece_length as usize)];
            if torrent.hashes.v1().is_some() {
                check(hashes.v1(index), piece(content.len()), &format!("v1 piece {index} of {name}"));
                assert_eq!(hashes.get(index), hashes.v1(index));
                v1 += 1;
            }
            if torrent.hashes.v2().is_some() {
                let file = files.iter().find(|file| file.contains(&begin)).unwrap();
                check(hashes.v2(index), piece(file.end), &format!("v2 piece {index} of {name}"));
                v2 += 1;
            }
        }
        assert_eq!((hashes.get(torrent.pieces), hashes.get(u32::MAX)), (None, None), "{name}");
        assert_eq!(hashes.v1(0).is_some(), torrent.hashes.v1().is_some(), "{name}");
        assert_eq!(hashes.v2(0).is_some(), torrent.hashes.v2().is_some(), "{name}");
    }
    assert!(v1 > 90 && v2 > 90, "{v1} and {v2} pieces");
}

#[test]
fn a_missing_piece_layer_leaves_the_pieces_of_other_files() {
    let (root, single) = ("r".repeat(32), "s".repeat(32));
    let file = |length: u32, root: &str| format!("d0:d6:lengthi{length}e11:pieces root32:{root}ee");
    let tree = format!("9:file treed1:a{}1:b{}1:cd0:d6:lengthi0eeee", file(40_000, &root), file(20_000, &single));
    let info = format!("4:infod{tree}12:meta versioni2e4:name1:n12:piece lengthi32768ee");
    let hashes = PieceHashes::read(format!("d{info}e").into_bytes()).unwrap();
    let single = PieceHash::V2 { root: [b's'; 32], leaves: 2 };
    let found: Vec<_> = (0..4).map(|piece| hashes.get(piece)).collect();
    assert_eq!(found, [None, None, Some(single), None]);
    assert!(!single.matches(&[0; 40_000]));
}

#[test]
fn a_file_that_is_not_a_torrent_has_no_hashes() {
    assert_eq!(PieceHashes::read(&b"de"[..]).unwrap_err(), Torrent::parse(b"de").unwrap_err());
}
