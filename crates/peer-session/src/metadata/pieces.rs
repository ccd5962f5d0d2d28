//! The pieces of one info dictionary, and which peer gave each.

use peer_wire::MetadataMessage;
use std::collections::BTreeSet;

/// An info dictionary of a known size, with the pieces that have come. Donors are numbers of members.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    donors: Vec<Option<usize>>,
    /// The pieces that are neither there nor asked for.
    todo: BTreeSet<u32>,
}

impl Pieces {
    pub(super) fn new(size: u32) -> Self {
        let count = MetadataMessage::pieces(size);
        Self { bytes: vec![0; size as usize], donors: vec![None; count as usize], todo: (0..count).collect() }
    }

    /// The number of pieces that have come.
    pub(super) fn received(&self) -> usize {
        self.donors.iter().flatten().count()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.donors.iter().all(Option::is_some)
    }

    pub(super) fn has(&self, piece: u32) -> bool {
        self.donors.get(piece as usize).is_some_and(Option::is_some)
    }

    /// The first piece that is neither there nor asked for.
    pub(super) fn next(&self) -> Option<u32> {
        self.todo.first().copied()
    }

    /// Notes that a piece is asked for.
    pub(super) fn ask(&mut self, piece: u32) {
        self.todo.remove(&piece);
    }

    /// Notes that a piece is not asked for any longer.
    pub(super) fn restore(&mut self, piece: u32) {
        if (piece as usize) < self.donors.len() && !self.has(piece) {
            self.todo.insert(piece);
        }
    }

    /// The bytes of a piece, which are zeros before it has come.
    pub(super) fn get(&self, piece: u32) -> &[u8] {
        let start = piece as usize * MetadataMessage::PIECE as usize;
        let end = self.bytes.len().min(start + MetadataMessage::PIECE as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Takes in a piece of the right length that is not there yet.
    pub(super) fn put(&mut self, piece: u32, bytes: &[u8], donor: usize) {
        let start = piece as usize * MetadataMessage::PIECE as usize;
        if let Some(place) = self.bytes.get_mut(start..start + bytes.len())
            && let Some(of) = self.donors.get_mut(piece as usize)
            && of.is_none()
        {
            place.copy_from_slice(bytes);
            *of = Some(donor);
            self.todo.remove(&piece);
        }
    }

    /// Forgets the pieces that other members gave, and whatever was asked for.
    pub(super) fn keep_of(&mut self, donor: Option<usize>) {
        for (piece, of) in (0..).zip(&mut self.donors) {
            if of.is_none() || *of != donor {
                *of = None;
                self.todo.insert(piece);
            }
        }
    }

    /// The member that gave all of them, if it is one.
    pub(super) fn only_donor(&self) -> Option<usize> {
        let first = self.donors.first().copied().flatten()?;
        self.donors.iter().all(|donor| *donor == Some(first)).then_some(first)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
