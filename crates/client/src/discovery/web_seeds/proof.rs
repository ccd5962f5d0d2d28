//! A piece in full, by which a web seed proves that it has the torrent's bytes, and not others of the same size.

use crate::discovery::web_seeds::fault::SkipReason;
use crate::discovery::web_seeds::planned_file::PlannedFile;
use crate::limits::Limits;
use crate::torrent_ref::{Content, Proof};
use metainfo::{PieceHash, PieceHasher};

/// Zeros that are hashed at a time.
const ZEROS: [u8; 4096] = [0; 4096];

/// A piece, and the parts of files that it consists of.
#[derive(Debug)]
pub(crate) struct PlannedProof {
    pub(crate) piece: u32,
    pub(crate) hash: PieceHash,
    /// Bytes of the piece.
    pub(crate) bytes: u64,
    /// In order; or why the piece is not asked for.
    pub(crate) parts: Result<Vec<Part>, SkipReason>,
}

/// A part of a piece.
#[derive(Debug)]
pub(crate) enum Part {
    File(PlannedFile),
    /// A number of zeros: padding (BEP 47), which no server needs to have.
    Zeros(u64),
}

impl PlannedProof {
    pub(crate) fn new(proof: Proof, content: &Content, limits: &Limits) -> Self {
        let Proof { piece, hash } = proof;
        let begins = u64::from(piece) * u64::from(content.piece_length);
        let ends = begins + u64::from(content.piece_length);
        let (mut parts, mut files, mut offset, mut bytes) = (Vec::new(), 0, 0, 0);
        for file in &content.files {
            let (first, last) = (offset, offset + file.length);
            offset = last;
            let count = last.min(ends).saturating_sub(first.max(begins));
            // A piece of v2 has no padding: it ends where its file does (BEP 52).
            if count == 0 || (file.attributes.padding && matches!(hash, PieceHash::V2 { .. })) {
                continue;
            }
            bytes += count;
            if file.attributes.padding {
                parts.push(Part::Zeros(count));
            } else if files < limits.web_seed_files {
                parts.extend(PlannedFile::part(&file, begins.saturating_sub(first), count).map(Part::File));
                files += 1;
            } else {
                let limit = limits.web_seed_files;
                return Self { piece, hash, bytes, parts: Err(SkipReason::ManyFiles { limit }) };
            }
        }
        let limit = limits.proof_bytes;
        let parts = if bytes > limit { Err(SkipReason::LargePiece { bytes, limit }) } else { Ok(parts) };
        Self { piece, hash, bytes, parts }
    }
}

/// Hashes padding.
pub(crate) fn update_with_zeros(hasher: &mut PieceHasher, mut count: u64) {
    while count > 0 {
        let now = ZEROS.get(..usize::try_from(count).unwrap_or(ZEROS.len())).unwrap_or(&ZEROS);
        hasher.update(now);
        count -= now.len() as u64;
    }
}
