//! Values that a hundred thousand entries share, kept once: an entry has a small index instead of the value.

/// Values by index, each once, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Table<T>(Vec<T>);

/// The sources that named a peer, by index in a table: nearly all peers have one source, and then no allocation.
#[derive(Debug)]
pub(crate) enum NamedBy {
    One(u16),
    /// Two or more, in the order in which they named it.
    Several(Box<[u16]>),
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + PartialEq> Table<T> {
    /// The index of a value, which is added if it is new. A run has fewer values than there are indices, by far: one
    /// source for each of its trackers, one info-hash for each half of a hybrid.
    pub(crate) fn index_of(&mut self, value: &T) -> u16 {
        // The last value is most often the next one, too: a tracker names its peers one after the other.
        let place = self.0.iter().rposition(|known| known == value).unwrap_or_else(|| {
            self.0.push(value.clone());
            self.0.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub(crate) fn get(&self, index: u16) -> Option<&T> {
        self.0.get(usize::from(index))
    }
}

impl NamedBy {
    /// Adds a source; `false` when it was one before.
    pub(crate) fn add(&mut self, source: u16) -> bool {
        let before = self.indices();
        if before.contains(&source) {
            return false;
        }
        *self = Self::Several([before, &[source]].concat().into());
        true
    }

    pub(crate) fn indices(&self) -> &[u16] {
        match self {
            Self::One(source) => std::slice::from_ref(source),
            Self::Several(sources) => sources,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_index_however_often_it_comes() {
        let mut table = Table::default();
        assert_eq!(["a", "b", "a", "b", "c"].map(|value| table.index_of(&value)), [0, 1, 0, 1, 2]);
        assert_eq!([0, 2, 3].map(|index| table.get(index).copied()), [Some("a"), Some("c"), None]);
    }

    #[test]
    fn sources_are_kept_once_and_in_order() {
        let mut named_by = NamedBy::One(7);
        assert_eq!([7, 3, 7, 3, 5].map(|source| named_by.add(source)), [false, true, false, false, true]);
        assert_eq!(named_by.indices(), [7, 3, 5]);
    }
}
