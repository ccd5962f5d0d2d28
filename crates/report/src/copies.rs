//! Copies of a torrent among the peers that were reached.

use serde::{Serialize, Serializer};

/// Copies of the torrent among the peers that were reached: libtorrent's distributed copies, the copies of the rarest
/// piece and the share of the pieces that there are more of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Copies {
    /// As far as the peers said what they have.
    pub min: f64,
    /// If likely and hidden seeds have everything, those that may be one client are two, and one of those that say nothing
    /// has everything.
    pub max: f64,
}

/// The keys of the copies, in thousandths.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub(crate) struct CopiesKeys {
    /// Distributed copies among the peers that said which pieces they have
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 0)))]
    copies_min: Option<f64>,
    /// The same if likely and hidden seeds have everything, and those that may be one client are two
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 0)))]
    copies_max: Option<f64>,
}

impl CopiesKeys {
    pub(crate) fn serialize<S: Serializer>(copies: &Option<Copies>, serializer: S) -> Result<S::Ok, S::Error> {
        let [copies_min, copies_max] =
            [copies.map(|copies| copies.min), copies.map(|copies| copies.max)].map(|copies| copies.map(thousandths));
        Serialize::serialize(&Self { copies_min, copies_max }, serializer)
    }
}

impl Copies {
    /// In whole thousandths, rounded down, as they are shown and kept: what is less than one copy stays less than one.
    #[must_use]
    pub fn in_thousandths(self) -> Self {
        Self { min: thousandths(self.min), max: thousandths(self.max) }
    }
}

/// Down: what is less than one copy stays less than one.
fn thousandths(copies: f64) -> f64 {
    /// What binary takes from a decimal fraction: 2.3 copies are 2299.9999999999995 thousandths. With at most 2^21 pieces, what
    /// is less than a thousandth differs from it by 4.7e-7 at least; of 100,000 copies binary takes 2e-8.
    const LOST: f64 = 1e-7;
    (copies * 1e3 + LOST).floor() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_rounded_down() {
        for (copies, shown) in [
            (2288.0 / 2289.0, 0.999),
            (1.0 - 1.0 / 2_097_152.0, 0.999),
            (0.0005, 0.0),
            (1.0, 1.0),
            (2.3, 2.3),
            (4.0 + 1.0 / 3.0, 4.333),
            (0.001 + 70.0, 70.001),
        ] {
            assert_eq!(thousandths(copies), shown, "{copies}");
        }
        (0..=1000).map(|n| f64::from(n) / 1e3).for_each(|copies| assert_eq!(thousandths(copies), copies));
    }
}
