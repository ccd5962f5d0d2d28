//! When attempts become overdue, of those that have a time for it.

use std::collections::BTreeMap;

/// How many attempts become overdue at each grain of time: attempts that were begun together share an entry.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    due: BTreeMap<u32, usize>,
    attempts: usize,
    /// The attempts in flight, while the run waits for all of them to be overdue.
    awaited: Option<usize>,
}

impl Timetable {
    /// When the first attempt is overdue, or was.
    pub(crate) fn first(&self) -> Option<u32> {
        self.due.keys().next().copied()
    }

    /// When all attempts are overdue, or have been, if `in_flight` is how many there are; `None` where there is none, or one that has no
    /// time. It is waited for from now on.
    pub(crate) fn all_of(&mut self, in_flight: usize) -> Option<u32> {
        self.awaited = Some(in_flight);
        self.due.keys().next_back().copied().filter(|_| self.attempts >= in_flight)
    }

    /// That is not waited for any more.
    pub(crate) fn ignore(&mut self) {
        self.awaited = None;
    }

    /// An attempt has another time, or none; says whether all that are in flight may be overdue earlier for that.
    pub(crate) fn change(&mut self, from: Option<u32>, to: Option<u32>) -> bool {
        if let Some(from) = from
            && let Some(count) = self.due.get_mut(&from)
        {
            self.attempts -= 1;
            *count -= 1;
            if *count == 0 {
                self.due.remove(&from);
            }
        }
        let Some(to) = to else { return false };
        self.attempts += 1;
        *self.due.entry(to).or_default() += 1;
        self.awaited.is_some_and(|in_flight| self.attempts >= in_flight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_is_that_of_all_when_all_have_one() {
        let mut table = Timetable::default();
        assert_eq!((table.first(), table.all_of(0)), (None, None));
        table.change(None, Some(7));
        assert_eq!((table.first(), table.all_of(2)), (Some(7), None));
        table.change(None, Some(9));
        table.change(None, Some(9));
        assert_eq!((table.first(), table.all_of(3)), (Some(7), Some(9)));
        table.change(Some(7), None);
        assert_eq!((table.first(), table.all_of(2)), (Some(9), Some(9)));
        table.change(Some(9), None);
        table.change(Some(9), Some(4));
        assert_eq!((table.first(), table.all_of(1)), (Some(4), Some(4)));
    }

    #[test]
    fn a_change_is_told_where_all_have_a_time_and_that_is_waited_for() {
        let mut table = Timetable::default();
        assert!(!table.change(None, Some(7)), "nothing is waited for");
        table.all_of(3);
        assert!(!table.change(None, Some(8)) && table.change(None, Some(9)), "the third");
        assert!(table.change(Some(9), Some(5)) && !table.change(Some(8), None));
        table.ignore();
        assert!(!table.change(None, Some(1)));
    }
}
