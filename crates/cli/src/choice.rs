//! Which of the torrents are left out: those of another shard, and those that a former output has whole.

use crate::former::Former;
use crate::origin::Origin;
use crate::text::grouped;
use client::Config;
use ids::InfoHash;
use std::fmt;
use std::str::FromStr;

/// A part of all torrents, which is the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 1.
    number: u64,
    of: u64,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let (number, of) = text.split_once('/')?;
            let shard = Self { number: number.parse().ok()?, of: of.parse().ok()? };
            (1..=shard.of).contains(&shard.number).then_some(shard)
        };
        parsed().ok_or("expected K/N with K from 1 to N, such as 2/5")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// Whether a torrent with this primary info-hash is in it: a hash is as good as random, and so its first bytes are.
    fn has(self, info_hash: InfoHash) -> bool {
        let number = info_hash.0.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % self.of == self.number - 1
    }
}

/// What is to be left out.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) shard: Option<Shard>,
    pub(crate) former: Option<Former>,
}

impl Choice {
    /// Leaves out what is not wanted, and says how much that is. Files are read for it: nothing else knows their info-hash. One that
    /// cannot be read stays, for its run tells why.
    pub(crate) async fn apply(&self, origins: &mut Vec<Origin>, config: &Config) -> Vec<String> {
        if self.shard.is_none() && self.former.is_none() {
            return Vec::new();
        }
        let (all, mut elsewhere, mut whole) = (origins.len(), 0, 0);
        let mut kept = Vec::with_capacity(all);
        for mut origin in origins.drain(..) {
            let hash = match origin.info_hash() {
                None => origin.read_ahead(config).await,
                known => known,
            };
            let has = |shard: Shard| hash.is_none_or(|hash| shard.has(hash));
            if !self.shard.is_none_or(has) {
                elsewhere += 1;
            } else if hash.is_some_and(|hash| self.former.as_ref().is_some_and(|former| former.whole.contains(&hash))) {
                whole += 1;
            } else {
                kept.push(origin);
            }
        }
        *origins = kept;
        let of_shard = |shard| {
            format!("shard {shard}: {} of {} torrents are left to the others", grouped(elsewhere), grouped(all))
        };
        let resumed = |former: &Former| {
            format!("resumed: {} of {} are in {}", grouped(whole), grouped(all - elsewhere), former.shown)
        };
        self.shard.map(of_shard).into_iter().chain(self.former.as_ref().map(resumed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_all_there_is() {
        let shards: Vec<Shard> = (1..=5).map(|number| format!("{number}/5").parse().unwrap()).collect();
        for number in 0..100_u64 {
            let hash = format!("{number:016x}{:024x}", 7).parse().unwrap();
            let having: Vec<u64> =
                shards.iter().filter(|shard| shard.has(hash)).map(|shard| shard.number - 1).collect();
            assert_eq!(having, [number % 5]);
        }
        assert!("1/1".parse::<Shard>().unwrap().has("ff".repeat(20).parse().unwrap()));
        for wrong in ["", "1", "0/5", "6/5", "1/0", "-1/5", "1/5/5", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
