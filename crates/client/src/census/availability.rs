//! How often the reached peers have each piece, and so how many copies they have together.

use peer_session::Pieces;
use report::{Copies, Role};

/// How many of the peers that were reached have each piece.
#[derive(Debug, Default)]
pub(crate) struct Availability {
    /// By piece, how many peers with a part of the pieces have it. Empty until there is such a peer.
    counts: Vec<u32>,
    /// By piece, how many more may have it: likely seeds that did not say so, and peers that may have been counted already. Empty
    /// until there is one.
    more: Vec<u32>,
    /// `None` while it is unknown; then nothing is counted by piece.
    pieces: Option<u32>,
    /// Pieces that no peer with a part has.
    missing: u32,
    /// Peers that have everything.
    complete: u32,
    /// Peers that have everything and may have been counted already.
    more_complete: u32,
    /// Peers that have some pieces.
    partial: u32,
    /// Peers that have none.
    empty: u32,
    /// Peers that hide what they have.
    super_seeds: u32,
    /// Peers that may have everything for all they said.
    silent: u32,
}

impl Availability {
    /// No peer has been reached yet.
    pub(crate) fn new(pieces: Option<u32>) -> Self {
        Self { pieces, missing: pieces.unwrap_or_default(), ..Self::default() }
    }

    /// The number of pieces has become known. Where a peer with a part of them was counted without it, it is as if it were
    /// unknown still.
    pub(crate) fn learn(&mut self, pieces: Option<u32>) {
        if self.partial == 0 && self.pieces.is_none() {
            (self.pieces, self.missing) = (pieces, pieces.unwrap_or_default());
        }
    }

    /// Adds what one peer has; `true` when it has a piece that no peer had before. Its role decides what it means that it says it has
    /// nothing.
    pub(crate) fn add(&mut self, has: &Pieces, role: Role) -> bool {
        let none_had_all = self.complete == 0;
        match has {
            has if has.is_all(self.pieces) => self.add_complete(),
            // The pieces it has named are a part of what it hides.
            Pieces::Some { .. } if role == Role::SuperSeed => {
                self.super_seeds += 1;
                false
            }
            Pieces::Some { bitfield, .. } if bitfield.count_ones() > 0 => {
                self.partial += 1;
                let Some(pieces) = self.pieces else { return false };
                let before = self.missing;
                self.counts.resize(pieces as usize, 0);
                // Byte by byte, because there may be 2^21 pieces and ten thousand peers.
                for (byte, counts) in bitfield.as_bytes().iter().zip(self.counts.chunks_mut(8)) {
                    for (bit, count) in (0..8).rev().zip(counts) {
                        let has = u32::from(byte >> bit & 1);
                        self.missing -= has & u32::from(*count == 0);
                        *count += has;
                    }
                }
                none_had_all && self.missing < before
            }
            _ => {
                match role {
                    Role::SuperSeed => self.super_seeds += 1,
                    Role::Leech => self.empty += 1,
                    _ => self.silent += 1,
                }
                false
            }
        }
    }

    fn add_complete(&mut self) -> bool {
        self.complete += 1;
        self.complete == 1 && self.missing > 0
    }

    /// A peer with these holes is a likely seed after all.
    pub(crate) fn add_likely(&mut self, holes: &[u32]) {
        self.add_more(holes.iter().copied());
    }

    /// Takes in what a peer has that may have been counted already.
    pub(crate) fn add_maybe(&mut self, has: &Pieces, role: Role) {
        match has {
            _ if role == Role::SuperSeed => self.more_complete += 1,
            has if has.is_all(self.pieces) => self.more_complete += 1,
            Pieces::Some { bitfield, .. } => self.add_more(bitfield.ones()),
            _ => {}
        }
    }

    /// Removes a peer that said nothing.
    pub(crate) fn forget_silent(&mut self) {
        self.silent = self.silent.saturating_sub(1);
    }

    fn add_more(&mut self, pieces: impl Iterator<Item = u32>) {
        self.more.resize(self.pieces.unwrap_or_default() as usize, 0);
        for piece in pieces {
            if let Some(count) = self.more.get_mut(piece as usize) {
                *count += 1;
            }
        }
    }

    /// How many of the peers have said that they have a piece.
    fn count(&self, piece: u32) -> u32 {
        self.complete + self.counts.get(piece as usize).copied().unwrap_or(0)
    }

    /// Whether each of these pieces is had by some peer.
    pub(crate) fn has_all_of(&self, pieces: &[u32]) -> bool {
        pieces.iter().all(|&piece| self.count(piece) > 0)
    }

    /// Peers whose pieces are known.
    fn told(&self) -> u32 {
        self.complete + self.partial + self.empty
    }

    /// The pieces that no peer has, in order; `None` when no peer has said anything, when the number of pieces is not known
    /// and no peer has them all, or when a seed that hides what it has may have them.
    pub(crate) fn missing(&self) -> Option<Vec<u32>> {
        let Some(pieces) = self.pieces else { return (self.complete > 0).then(Vec::new) };
        let missing: Vec<u32> = (0..pieces).filter(|&piece| self.count(piece) == 0).collect();
        (self.told() > 0 && (missing.is_empty() || self.super_seeds == 0)).then_some(missing)
    }

    /// Copies of the torrent; `None` when no peer has said which pieces it has. When the number of pieces is not known, only
    /// whole copies can be counted, and only while no peer has a part.
    pub(crate) fn copies(&self) -> Option<Copies> {
        if self.pieces.is_none() && self.partial > 0 {
            return None;
        }
        let more_complete = self.more_complete + self.super_seeds + self.silent.min(1);
        let more = |piece: u32| more_complete + self.more.get(piece as usize).copied().unwrap_or(0);
        let min = self.copies_by(|piece| self.count(piece));
        let max = self.copies_by(|piece| self.count(piece) + more(piece));
        (self.told() + self.super_seeds > 0).then_some(Copies { min, max })
    }

    /// The copies of the rarest piece, and the share of the pieces that there are more of.
    fn copies_by(&self, count: impl Fn(u32) -> u32) -> f64 {
        // Without a number, the copies are whole ones, and one piece stands for all.
        let pieces = self.pieces.unwrap_or(1);
        let rarest = (0..pieces).map(&count).min().unwrap_or(0);
        let more = (0..pieces).filter(|&piece| count(piece) > rarest).count();
        // At most 2^21 pieces: nothing is lost.
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        f64::from(rarest) + f64::from(more) / f64::from(pieces.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peer_wire::Bitfield;

    fn having(pieces: &[u32]) -> Pieces {
        let mut bitfield = Bitfield::empty(10);
        pieces.iter().for_each(|&piece| assert!(bitfield.set(piece).unwrap()));
        Pieces::Some { bitfield, by_have: 0, by_bitfield: true }
    }

    fn lacking(holes: &[u32]) -> Pieces {
        having(&(0..10).filter(|piece| !holes.contains(piece)).collect::<Vec<_>>())
    }

    /// Peers that say to have nothing have nothing here, and those that say nothing are unknown.
    fn of_so_many(pieces: Option<u32>, peers: &[Pieces]) -> Availability {
        let mut availability = Availability::new(pieces);
        for peer in peers {
            let role = if *peer == Pieces::Unknown { Role::Unknown } else { Role::Leech };
            availability.add(peer, role);
        }
        availability
    }

    fn of(peers: &[Pieces]) -> Availability {
        of_so_many(Some(10), peers)
    }

    #[test]
    fn copies_are_the_rarest_piece_and_the_share_of_the_others() {
        for (peers, min, max) in [
            (vec![Pieces::All], 1.0, 1.0),
            (vec![Pieces::All, Pieces::All, having(&[1, 2, 3])], 2.3, 2.3),
            (vec![having(&[0, 1, 2, 3])], 0.4, 0.4),
            (vec![lacking(&[7]), lacking(&[7, 8])], 0.9, 0.9),
            (vec![lacking(&[7]), lacking(&[3])], 1.8, 1.8),
            (vec![lacking(&[]), Pieces::None], 1.0, 1.0),
            (vec![having(&[0]), Pieces::Unknown, Pieces::Unknown], 0.1, 1.1),
            (vec![Pieces::None, having(&[])], 0.0, 0.0),
        ] {
            assert_eq!(of(&peers).copies(), Some(Copies { min, max }), "{peers:?}");
        }
    }

    #[test]
    fn silence_never_means_that_a_piece_is_missing() {
        for peers in [vec![], vec![Pieces::Unknown]] {
            assert_eq!((of(&peers).copies(), of(&peers).missing()), (None, None), "{peers:?}");
        }
        assert_eq!(of(&[lacking(&[7, 9])]).missing(), Some(vec![7, 9]));
        assert_eq!(of(&[lacking(&[7, 9]), Pieces::All]).missing(), Some(vec![]));
        assert_eq!(of(&[Pieces::None, Pieces::Unknown]).missing(), Some((0..10).collect()));
    }

    #[test]
    fn a_seed_that_hides_what_it_has_may_have_everything() {
        let hidden = |peers: &[Pieces]| {
            let mut availability = of(peers);
            (0..2).for_each(|_| assert!(!availability.add(&Pieces::None, Role::SuperSeed)));
            (availability.copies().map(|copies| (copies.min, copies.max)), availability.missing())
        };
        assert_eq!(hidden(&[]), (Some((0.0, 2.0)), None));
        assert_eq!(hidden(&[having(&[0, 1])]), (Some((0.2, 2.2)), None));
        assert_eq!(hidden(&[Pieces::All]), (Some((1.0, 3.0)), Some(vec![])));
    }

    #[test]
    fn without_a_number_of_pieces_only_whole_copies_are_counted() {
        let part = || Pieces::Some { bitfield: Bitfield::new(b"\xff\xf0", 16).unwrap(), by_have: 0, by_bitfield: true };
        let full = || Pieces::Some { bitfield: Bitfield::full(16), by_have: 0, by_bitfield: true };
        let told = || Pieces::Some { bitfield: Bitfield::full(16), by_have: 16, by_bitfield: false };
        let copies = |min, max| Some(Copies { min, max });
        for (peers, expected) in [
            (vec![], (None, None)),
            (vec![Pieces::Unknown], (None, None)),
            (vec![Pieces::None], (copies(0.0, 0.0), None)),
            (vec![Pieces::All, full()], (copies(2.0, 2.0), Some(vec![]))),
            (vec![Pieces::All, Pieces::None], (copies(1.0, 1.0), Some(vec![]))),
            (vec![Pieces::All, Pieces::Unknown], (copies(1.0, 2.0), Some(vec![]))),
            (vec![Pieces::All, part()], (None, Some(vec![]))),
            (vec![part()], (None, None)),
            (vec![told()], (None, None)),
        ] {
            let found = of_so_many(None, &peers);
            assert_eq!((found.copies(), found.missing()), expected, "{peers:?}");
        }
    }

    #[test]
    fn likely_seeds_make_a_range() {
        let mut availability = of(&[lacking(&[1, 4, 8]), lacking(&[2, 5, 9])]);
        assert!(availability.has_all_of(&[1, 4, 8]) && availability.has_all_of(&[2, 5, 9]));
        availability.add_likely(&[1, 4, 8]);
        availability.add_likely(&[2, 5, 9]);
        assert_eq!(availability.copies(), Some(Copies { min: 1.4, max: 2.0 }));
    }

    #[test]
    fn peers_that_may_be_counted_already_make_a_range() {
        let mut availability = of(&[Pieces::All, having(&[0, 1, 2, 3, 4])]);
        availability.add_maybe(&Pieces::All, Role::Seed);
        availability.add_maybe(&having(&[0, 1, 2, 3, 4]), Role::Leech);
        availability.add_maybe(&Pieces::None, Role::Leech);
        assert_eq!(availability.copies(), Some(Copies { min: 1.5, max: 2.5 }));
        availability.add_maybe(&lacking(&[0, 1, 2, 3, 4]), Role::Leech);
        assert_eq!(availability.copies(), Some(Copies { min: 1.5, max: 3.5 }));
        availability.add_maybe(&Pieces::None, Role::SuperSeed);
        assert_eq!(availability.copies(), Some(Copies { min: 1.5, max: 4.5 }));
    }

    #[test]
    fn a_piece_that_none_had_all_is_news() {
        let mut availability = Availability::new(Some(10));
        let news: Vec<bool> =
            [lacking(&[7]), lacking(&[7, 8]), lacking(&[1]), lacking(&[2]), Pieces::All, Pieces::None]
                .iter()
                .map(|peer| availability.add(peer, Role::Leech))
                .collect();
        assert_eq!(news, [true, false, true, false, false, false]);
    }
}
