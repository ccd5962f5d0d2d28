//! What the peers that were reached have between them: how often each piece, and so how many copies.

use crate::said::Pieces;

/// How many of the peers that were reached have each piece.
#[derive(Debug)]
pub(crate) struct Availability {
    /// By piece, what was said piece by piece. Empty until somebody has.
    counts: Vec<u32>,
    /// By piece, how many more there may be: of likely seeds that have not said that they have it, and of peers that may
    /// have been counted already. Empty until there is one.
    more: Vec<u32>,
    /// `None` when nobody knows how many there are; then nothing is counted by piece.
    pieces: Option<u32>,
    /// Pieces that nobody has said to have piece by piece.
    missing: u32,
    /// Peers that have everything.
    complete: u32,
    /// Peers that have everything and may have been counted already.
    more_complete: u32,
    /// Peers that may have everything for all they said: those that said nothing, or that they have nothing.
    silent: u32,
    /// Peers that said which pieces they have, and have some.
    told: u32,
}

/// Copies of the torrent among the peers that were reached: libtorrent's distributed copies, the copies of the rarest
/// piece and the share of the pieces that there are more of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Copies {
    /// As far as the peers said what they have.
    pub min: f64,
    /// If those that are likely seeds have everything, those that may be one client are several, and one of those that say
    /// they have nothing has everything: a super-seeding peer is the only one of its swarm.
    pub max: f64,
}

impl Availability {
    /// Nobody has been reached yet.
    pub(crate) fn new(pieces: Option<u32>) -> Self {
        let missing = pieces.unwrap_or_default();
        Self {
            counts: Vec::new(),
            more: Vec::new(),
            pieces,
            missing,
            complete: 0,
            more_complete: 0,
            silent: 0,
            told: 0,
        }
    }

    /// Takes in what one peer has; `true` when it has a piece that nobody had before.
    pub(crate) fn add(&mut self, has: &Pieces) -> bool {
        let nobody_had = self.complete == 0;
        match has {
            has if has.is_all(self.pieces) => self.add_complete(),
            Pieces::Some { bitfield, .. } if bitfield.count_ones() > 0 => {
                self.told += 1;
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
                nobody_had && self.missing < before
            }
            _ => {
                self.silent += 1;
                false
            }
        }
    }

    fn add_complete(&mut self) -> bool {
        self.told += 1;
        self.complete += 1;
        self.complete == 1 && self.missing > 0
    }

    /// A peer with these holes is a likely seed after all.
    pub(crate) fn add_likely(&mut self, holes: &[u32]) {
        self.add_more(holes.iter().copied());
    }

    /// Takes in what a peer has that may have been counted already.
    pub(crate) fn add_maybe(&mut self, has: &Pieces) {
        match has {
            has if has.is_all(self.pieces) => self.more_complete += 1,
            Pieces::Some { bitfield, .. } => self.add_more(bitfield.ones()),
            _ => {}
        }
    }

    /// Takes back a peer that said nothing.
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

    /// Whether somebody has said to have each of these pieces.
    pub(crate) fn has_all_of(&self, pieces: &[u32]) -> bool {
        pieces.iter().all(|&piece| self.count(piece) > 0)
    }

    /// The pieces that nobody has said to have, in order; `None` when nobody has said anything, or nobody knows which pieces
    /// there are and nobody has them all.
    pub(crate) fn missing(&self) -> Option<Vec<u32>> {
        let Some(pieces) = self.pieces else { return (self.complete > 0).then(Vec::new) };
        (self.told > 0).then(|| (0..pieces).filter(|&piece| self.count(piece) == 0).collect())
    }

    /// Copies of the torrent; `None` when nobody has said which pieces it has. When nobody knows which pieces there are, only
    /// whole copies can be counted, and only while nobody has a part.
    pub(crate) fn copies(&self) -> Option<Copies> {
        if self.pieces.is_none() && self.told > self.complete {
            return None;
        }
        let more = |piece: u32| self.more_complete + self.more.get(piece as usize).copied().unwrap_or(0);
        let min = self.copies_by(|piece| self.count(piece));
        let max = self.copies_by(|piece| self.count(piece) + more(piece) + self.silent.min(1));
        (self.told > 0).then_some(Copies { min, max })
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

    fn of(peers: &[Pieces]) -> Availability {
        let mut availability = Availability::new(Some(10));
        peers.iter().for_each(|peer| {
            availability.add(peer);
        });
        availability
    }

    #[test]
    fn copies_are_the_rarest_piece_and_the_share_of_the_others() {
        for (peers, min, max) in [
            (vec![Pieces::All], 1.0, 1.0),
            (vec![Pieces::All, Pieces::All, having(&[1, 2, 3])], 2.3, 2.3),
            (vec![having(&[0, 1, 2, 3])], 0.4, 0.4),
            (vec![lacking(&[7]), lacking(&[7, 8])], 0.9, 0.9),
            (vec![lacking(&[7]), lacking(&[3])], 1.8, 1.8),
            (vec![lacking(&[]), Pieces::None], 1.0, 2.0),
            (vec![having(&[0]), Pieces::Unsaid], 0.1, 1.1),
        ] {
            assert_eq!(of(&peers).copies(), Some(Copies { min, max }), "{peers:?}");
        }
    }

    #[test]
    fn those_who_hide_what_they_have_never_mean_that_nobody_has_it() {
        for peers in [vec![], vec![Pieces::None], vec![Pieces::Unsaid, having(&[])]] {
            assert_eq!((of(&peers).copies(), of(&peers).missing()), (None, None), "{peers:?}");
        }
        assert_eq!(of(&[lacking(&[7, 9])]).missing(), Some(vec![7, 9]));
        assert_eq!(of(&[lacking(&[7, 9]), Pieces::All]).missing(), Some(vec![]));
    }

    #[test]
    fn without_a_number_of_pieces_only_whole_copies_are_counted() {
        let of = |peers: &[Pieces]| {
            let mut availability = Availability::new(None);
            peers.iter().for_each(|peer| {
                availability.add(peer);
            });
            (availability.copies(), availability.missing())
        };
        let part = || Pieces::Some { bitfield: Bitfield::new(b"\xff\xf0", 16).unwrap(), by_have: 0, by_bitfield: true };
        let full = || Pieces::Some { bitfield: Bitfield::full(16), by_have: 0, by_bitfield: true };
        let told = || Pieces::Some { bitfield: Bitfield::full(16), by_have: 16, by_bitfield: false };
        let copies = |min, max| Some(Copies { min, max });
        for (peers, expected) in [
            (vec![], (None, None)),
            (vec![Pieces::None, Pieces::Unsaid], (None, None)),
            (vec![Pieces::All, full()], (copies(2.0, 2.0), Some(vec![]))),
            (vec![Pieces::All, Pieces::None], (copies(1.0, 2.0), Some(vec![]))),
            (vec![Pieces::All, part()], (None, Some(vec![]))),
            (vec![part()], (None, None)),
            (vec![told()], (None, None)),
        ] {
            assert_eq!(of(&peers), expected, "{peers:?}");
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
        availability.add_maybe(&Pieces::All);
        availability.add_maybe(&having(&[0, 1, 2, 3, 4]));
        availability.add_maybe(&Pieces::None);
        assert_eq!(availability.copies(), Some(Copies { min: 1.5, max: 2.5 }));
        availability.add_maybe(&lacking(&[0, 1, 2, 3, 4]));
        assert_eq!(availability.copies(), Some(Copies { min: 1.5, max: 3.5 }));
    }

    #[test]
    fn a_piece_that_nobody_had_is_news() {
        let mut availability = Availability::new(Some(10));
        let news: Vec<bool> =
            [lacking(&[7]), lacking(&[7, 8]), lacking(&[1]), lacking(&[2]), Pieces::All, Pieces::None]
                .iter()
                .map(|peer| availability.add(peer))
                .collect();
        assert_eq!(news, [true, false, true, false, false, false]);
    }
}
