//! How many attempts may begin before other tasks have a turn.

/// Attempts begun in one turn when nothing else is ready. Beginning all of them first would delay what is taken in meanwhile,
/// and show in every peer's times.
const BURST: usize = 8;
/// While other things are ready, one attempt begins for each two that have ended: the connections in flight then keep this program
/// busy, and not a queue of results. With one for each, those that began while the other side or this program stood still for
/// a moment would stay as many to the end of the run, and every peer would take as long.
const ENDED: usize = 2;

/// Attempts that may begin.
#[derive(Debug)]
pub(crate) struct Turns {
    left: usize,
    /// Attempts that have ended since one more might begin for it.
    ended: usize,
}

impl Default for Turns {
    fn default() -> Self {
        Self { left: BURST, ended: 0 }
    }
}

impl Turns {
    pub(crate) fn is_any_left(&self) -> bool {
        self.left > 0
    }

    /// One has begun.
    pub(crate) fn begun(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// One has ended.
    pub(crate) fn ended(&mut self) {
        self.ended += 1;
        if self.ended == ENDED {
            (self.ended, self.left) = (0, BURST.min(self.left + 1));
        }
    }

    /// Other tasks have had their turn.
    pub(crate) fn waited(&mut self) {
        self.left = BURST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begins all that may begin.
    fn begin(turns: &mut Turns) -> usize {
        std::iter::from_fn(|| turns.is_any_left().then(|| turns.begun())).count()
    }

    /// How many are in flight after rounds in each of which all end, one after the other, and then other tasks have a turn.
    fn in_flight(at_first: usize, rounds: usize) -> usize {
        let (mut in_flight, mut turns) = (at_first, Turns::default());
        for _ in 0..rounds {
            let ending = in_flight;
            for _ in 0..ending {
                turns.ended();
                in_flight += begin(&mut turns);
                in_flight -= 1;
            }
            turns.waited();
            in_flight += begin(&mut turns);
        }
        in_flight
    }

    #[test]
    fn those_that_a_stall_has_put_in_flight_do_not_stay_as_many() {
        assert!((1..=3 * BURST).contains(&in_flight(0, 100)));
        assert!((1..=3 * BURST).contains(&in_flight(1000, 12)));
    }

    #[test]
    fn a_burst_begins_and_no_more_until_others_have_had_a_turn() {
        let mut turns = Turns::default();
        (0..BURST).for_each(|_| turns.begun());
        assert!(!turns.is_any_left());
        turns.ended();
        assert!(!turns.is_any_left());
        turns.ended();
        assert!(turns.is_any_left());
        turns.begun();
        turns.waited();
        assert!(turns.is_any_left());
    }
}
