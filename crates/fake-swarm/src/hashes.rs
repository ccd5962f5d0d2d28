//! What a peer answers to hash requests (BEP 52), written by hand, and torrents that need them.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::bencoding::{dictionary, integer, list, string};
use crate::message;
use crate::torrent::sha1;

type Hash = [u8; 32];

/// The ids of answers.
const HASHES: u8 = 22;
const HASH_REJECT: u8 = 23;
/// Bytes before the hashes: the request once more.
const HEAD: usize = 48;

/// The merkle tree of a file of several pieces of 16 KiB, from its piece layer up. The file need not exist: its hashes are invented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashTree {
    pieces: usize,
    rows: Vec<Vec<Hash>>,
}

/// What a fake peer does with each hash request. Unless told otherwise it answers as libtorrent does: the hashes and their proof, and a
/// reject for a file that it does not know.
#[derive(Clone, Debug)]
pub struct HashScript {
    trees: Arc<[HashTree]>,
    spoils: bool,
    is_silent: bool,
    delay: Duration,
}

impl HashTree {
    /// Of a file of this many pieces; other `content` makes another file.
    #[must_use]
    pub fn invented(pieces: usize, content: u8) -> Self {
        let leaf = |at: usize| sha256(&[&[content][..], &at.to_be_bytes()].concat());
        let mut row: Vec<Hash> = (0..pieces).map(leaf).collect();
        // Of pieces of one block the padding is zero.
        row.resize(pieces.next_power_of_two(), [0; 32]);
        let mut rows = vec![row];
        while let Some(row) = rows.last().filter(|row| row.len() > 1) {
            rows.push(row.chunks(2).map(|pair| sha256(pair.as_flattened())).collect());
        }
        Self { pieces, rows }
    }

    /// The `pieces root`.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.rows.last().and_then(|row| row.first()).copied().unwrap_or_default()
    }

    /// The piece layer.
    #[must_use]
    pub fn layer(&self) -> &[Hash] {
        self.rows.first().and_then(|row| row.get(..self.pieces)).unwrap_or_default()
    }

    /// What libtorrent sends for a range whose length is a power of two.
    fn answer(&self, index: usize, length: usize, proof_layers: usize) -> Option<Vec<u8>> {
        let mut hashes = self.rows.first()?.get(index..index.checked_add(length)?)?.to_vec();
        for level in usize::try_from(length.checked_ilog2()?).ok()?..=proof_layers {
            hashes.push(*self.rows.get(level)?.get(index >> level ^ 1)?);
        }
        Some(hashes.as_flattened().to_vec())
    }
}

/// The info dictionary of a v2 torrent with these files, in canonical bencode; of a hybrid one, if it is to be one.
#[must_use]
pub fn v2_info(name: &str, trees: &[HashTree], is_hybrid: bool) -> Vec<u8> {
    let length = |tree: &HashTree| integer(i128::try_from(tree.pieces).unwrap_or_default() << 14);
    let path = |at: usize| format!("{at:06}");
    let file = |tree: &HashTree| dictionary([("length", length(tree)), ("pieces root", string(tree.root()))]);
    let files = trees.iter().enumerate().map(|(at, tree)| (path(at), dictionary([("", file(tree))])));
    let mut entries = vec![
        ("file tree", dictionary(files)),
        ("meta version", integer(2)),
        ("name", string(name)),
        ("piece length", integer(1 << 14)),
    ];
    if is_hybrid {
        let file = |(at, tree)| dictionary([("length", length(tree)), ("path", list([string(path(at))]))]);
        let pieces: Vec<u8> = trees.iter().flat_map(HashTree::layer).flat_map(|hash| sha1(hash)).collect();
        entries.extend([("files", list(trees.iter().enumerate().map(file))), ("pieces", string(pieces))]);
    }
    dictionary(entries)
}

/// SHA-256: of an info dictionary, its v2 info-hash.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

impl HashScript {
    /// It knows the layers of these files.
    #[must_use]
    pub fn of(trees: impl IntoIterator<Item = HashTree>) -> Self {
        Self { trees: trees.into_iter().collect(), spoils: false, is_silent: false, delay: Duration::ZERO }
    }

    /// Every answer begins with a wrong byte.
    #[must_use]
    pub fn spoilt(self) -> Self {
        Self { spoils: true, ..self }
    }

    /// It says nothing to any request.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// Each answer comes so much later.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// The answer to this request, without its id: the whole message, `None` for silence.
    pub(crate) fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let head = request.get(..HEAD).filter(|_| !self.is_silent)?;
        let (words, _) = head.get(32..)?.as_chunks::<4>();
        let number = |at: usize| words.get(at).map_or(0, |word| u32::from_be_bytes(*word) as usize);
        let tree = self.trees.iter().find(|tree| head.starts_with(&tree.root())).filter(|_| number(0) == 0);
        let Some(mut hashes) = tree.and_then(|tree| tree.answer(number(1), number(2), number(3))) else {
            return Some(message::message(HASH_REJECT, head));
        };
        hashes.iter_mut().take(usize::from(self.spoils)).for_each(|byte| *byte = !*byte);
        Some(message::message(HASHES, &[head, &hashes].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(root: Hash, numbers: [u32; 4]) -> Vec<u8> {
        [&root[..], numbers.map(u32::to_be_bytes).as_flattened()].concat()
    }

    #[test]
    fn answers_have_the_hashes_and_their_uncles() {
        let tree = HashTree::invented(5, 1);
        let script = HashScript::of([tree.clone()]);
        let answer = |numbers| script.answer(&request(tree.root(), numbers)).unwrap();
        let whole = answer([0, 0, 8, 0]);
        assert_eq!((whole[4], &whole[5..37], whole.len()), (22, &tree.root()[..], 53 + 8 * 32));
        assert_eq!(&whole[53..53 + 5 * 32], tree.layer().as_flattened());
        assert_eq!(whole[53 + 5 * 32..], [0; 96]);
        let part = answer([0, 2, 2, 2]);
        let uncles = [tree.rows[1][0], tree.rows[2][1]].concat();
        assert_eq!(part[53..], [tree.layer()[2..4].as_flattened(), &uncles].concat());
        let root = sha256(&[sha256(&[&uncles[..32], &sha256(&part[53..117])].concat()), tree.rows[2][1]].concat());
        assert_eq!(root, tree.root());
    }

    #[test]
    fn what_is_not_there_is_rejected_and_each_script_does_its_own() {
        let tree = HashTree::invented(4, 1);
        let (good, right) = (HashScript::of([tree.clone()]), request(tree.root(), [0, 0, 4, 0]));
        for wrong in
            [request([9; 32], [0, 0, 4, 0]), request(tree.root(), [1, 0, 2, 0]), request(tree.root(), [0, 4, 2, 0])]
        {
            assert_eq!(good.answer(&wrong).unwrap()[4..], [&[23][..], &wrong].concat());
        }
        assert_eq!(good.answer(&right[..47]), None);
        let spoilt = good.clone().spoilt().answer(&right).unwrap();
        assert_eq!(spoilt[53], !good.answer(&right).unwrap()[53]);
        assert_eq!(good.clone().silent().answer(&right), None);
        assert_eq!(good.delayed(Duration::from_secs(1)).delay(), Duration::from_secs(1));
    }

    #[test]
    fn info_dictionaries_are_canonical() {
        let trees = [HashTree::invented(2, 1)];
        let info = v2_info("x", &trees, false).escape_ascii().to_string();
        assert!(info.starts_with("d9:file treed6:000000d0:d6:lengthi32768e11:pieces root32:"), "{info}");
        assert!(info.ends_with("eee12:meta versioni2e4:name1:x12:piece lengthi16384ee"), "{info}");
        let hybrid = v2_info("x", &trees, true).escape_ascii().to_string();
        assert!(hybrid.contains("e5:filesld6:lengthi32768e4:pathl6:000000eee12:meta version"), "{hybrid}");
    }
}
