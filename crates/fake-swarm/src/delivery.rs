//! How a scripted peer's stream is cut into segments.

use std::time::Duration;

/// How a peer's stream is cut into writes, each of which the kernel sends at once unless [`Peer::nagle`](crate::Peer::nagle) is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As the steps say.
    Whole,
    /// Also at these offsets, with a pause before each piece but the first.
    Cut {
        /// Offsets into the stream, in any order.
        at: Vec<usize>,
        /// The pause.
        pause: Duration,
    },
    /// Byte by byte, with a pause before each byte but the stream's first.
    Trickle {
        /// The offset it begins at: 0 for the whole stream, 68 for what follows a plaintext handshake.
        from: usize,
        /// The pause.
        pause: Duration,
    },
}

impl Delivery {
    /// The first cut after this offset; [`usize::MAX`] if there is none.
    pub(crate) fn next_cut(&self, offset: usize) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Cut { at, .. } => at.iter().copied().filter(|cut| *cut > offset).min().unwrap_or(usize::MAX),
            Self::Trickle { from, .. } => offset.saturating_add(1).max(*from),
        }
    }

    /// How long to wait before the byte at this offset, if there is a cut before it.
    pub(crate) fn pause_at(&self, offset: usize) -> Option<Duration> {
        match self {
            Self::Whole => None,
            Self::Cut { at, pause } => (offset > 0 && at.contains(&offset)).then_some(*pause),
            Self::Trickle { from, pause } => (offset > 0 && offset >= *from).then_some(*pause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the pieces of a stream, and whether there is a pause before each.
    fn pieces(delivery: &Delivery, length: usize) -> Vec<(usize, bool)> {
        let (mut pieces, mut said) = (Vec::new(), 0);
        while said < length {
            let end = delivery.next_cut(said).min(length);
            pieces.push((end - said, delivery.pause_at(said).is_some()));
            said = end;
        }
        pieces
    }

    #[test]
    fn deliveries() {
        let pause = Duration::from_secs(1);
        assert_eq!(pieces(&Delivery::Whole, 5), [(5, false)]);
        let cut = Delivery::Cut { at: vec![3, 0, 1, 5, 9, 3], pause };
        assert_eq!(pieces(&cut, 5), [(1, false), (2, true), (2, true)]);
        assert_eq!(pieces(&Delivery::Trickle { from: 0, pause }, 3), [(1, false), (1, true), (1, true)]);
        assert_eq!(pieces(&Delivery::Trickle { from: 3, pause }, 5), [(3, false), (1, true), (1, true)]);
    }
}
