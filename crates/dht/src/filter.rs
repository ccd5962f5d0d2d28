//! The size of a swarm as Bloom filters over addresses (BEP 33).

use bencode::Dict;
use std::fmt;

/// Bytes of a filter. BEP 33: "Each field must be 256 bytes in size".
const BYTES: usize = 256;
/// Bits of a filter, `m` in BEP 33.
const BITS: u32 = 2048;

/// A Bloom filter over the addresses of peers (BEP 33): two bits of 2,048 for each address, whatever its ports. The union of the
/// filters of several nodes counts an address that several have once.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter(pub Box<[u8; 256]>);

/// The two filters that a node answers `scrape` with. Of the nodes measured only libtorrent has them, over the at most 500 peers of a
/// torrent that it keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The addresses of seeds (`BFsd`).
    pub seeds: Filter,
    /// The addresses of the other peers (`BFpe`).
    pub peers: Filter,
}

/// How many addresses are in a filter, estimated. `Display` is `0`, `503 ± 8` or `more than 6000`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The count; 0 for an empty filter. If [`is_more`](Self::is_more), the largest that is trusted.
    pub count: f64,
    /// One standard deviation of the count: 1.6 % of 100, 1.9 % of 1,000, 7 % of 6,000.
    pub error: f64,
    /// Whether there are more addresses than the filter can count.
    pub is_more: bool,
}

impl Filter {
    /// The largest estimate that is trusted. The error grows quickly above, and a filter with nearly all bits set, which a few more
    /// addresses or a forged filter fill, has no estimate at all.
    pub const MAX_ESTIMATE: f64 = 6_000.0;

    /// The filter under a key, if it has its size.
    fn read(values: Dict<'_>, key: &str) -> Option<Self> {
        let bytes: [u8; BYTES] = values.bytes(key).ok()?.try_into().ok()?;
        Some(Self(Box::new(bytes)))
    }

    /// Adds the addresses of another filter. BEP 33: the size of a union is estimated "by ORing the bits of each
    /// filter".
    pub fn union(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(byte, other)| *byte |= other);
    }

    /// Whether no bit is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// How many addresses there are in the filter.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        // BEP 33 has no rule for an empty filter, for which its formula gives half an address.
        if self.is_empty() {
            return Estimate { count: 0.0, error: 0.0, is_more: false };
        }
        let m = f64::from(BITS);
        let zeros = f64::from(self.0.iter().map(|byte| byte.count_zeros()).sum::<u32>());
        // BEP 33: "c = min(m-1,countZeroBits(bloom))", "size = log(c /m) / (k * log(1 - 1/m))"; infinite without a zero.
        let count = (zeros.min(m - 1.0) / m).ln() / (2.0 * (1.0 - 1.0 / m).ln());
        let is_more = count > Self::MAX_ESTIMATE;
        let count = count.min(Self::MAX_ESTIMATE);
        // The variance of the number of zeros, through the slope of the formula: m / 4 * (e^t - 1 - t) for t bits set a bit.
        let load = 2.0 * count / m;
        let error = (m / 4.0 * (load.exp() - 1.0 - load)).sqrt();
        Estimate { count, error, is_more }
    }
}

impl Filters {
    /// The filters in the values of a reply; `None` unless both have their size.
    pub(crate) fn read(values: Dict<'_>) -> Option<Self> {
        Some(Self { seeds: Filter::read(values, "BFsd")?, peers: Filter::read(values, "BFpe")? })
    }

    /// Adds the addresses of another node's filters.
    pub fn union(&mut self, other: &Self) {
        self.seeds.union(&other.seeds);
        self.peers.union(&other.peers);
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self(Box::new([0; BYTES]))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({})", self.estimate())
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, error, is_more } = self;
        match (is_more, error.round() >= 1.0) {
            (true, _) => write!(f, "more than {count:.0}"),
            (false, true) => write!(f, "{count:.0} ± {error:.0}"),
            (false, false) => write!(f, "{count:.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha1::{Digest, Sha1};
    use std::net::IpAddr;

    /// A filter over addresses, as a node makes it: the reference code of BEP 33.
    fn filter(addresses: impl IntoIterator<Item = IpAddr>) -> Filter {
        let mut filter = Filter::default();
        for address in addresses {
            let hash = match address {
                IpAddr::V4(ip) => Sha1::digest(ip.octets()),
                IpAddr::V6(ip) => Sha1::digest(ip.octets()),
            };
            for index in [u16::from_le_bytes([hash[0], hash[1]]), u16::from_le_bytes([hash[2], hash[3]])] {
                let index = usize::from(index) % 2048;
                filter.0[index / 8] |= 1 << (index % 8);
            }
        }
        filter
    }

    fn numbered(count: u32) -> impl Iterator<Item = IpAddr> {
        (0..count).map(|number| IpAddr::from((0x0a00_0000 + number * 7).to_be_bytes()))
    }

    #[test]
    fn the_test_vector_of_bep_33_gives_its_estimate() {
        // "a bloom filter […] with the IPv4 addresses 192.0.2.0 to 192.0.2.255 and the IPv6 addresses 2001:DB8:: to
        // 2001:DB8::3E7": the size estimate is 1224.9308.
        let v4 = (0..=255).map(|last| IpAddr::from([192, 0, 2, last]));
        let v6 = (0..=0x3e7).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
        let filter = filter(v4.chain(v6));
        assert_eq!(filter.0[..8], [0xf6, 0xc3, 0xf5, 0xea, 0xa0, 0x7f, 0xfd, 0x91]);
        assert!((filter.estimate().count - 1224.9308).abs() < 0.0001, "{}", filter.estimate().count);
    }

    #[test]
    fn estimates_are_within_three_errors_and_shown_with_one() {
        assert_eq!(Filter::default().estimate().to_string(), "0");
        for count in [1, 5, 50, 500, 1000, 2000, 4000, 5000] {
            let estimate = filter(numbered(count)).estimate();
            assert!((estimate.count - f64::from(count)).abs() <= 3.0 * estimate.error + 0.05, "{count}: {estimate:?}");
            assert!(!estimate.is_more);
        }
        assert_eq!(filter(numbered(1)).estimate().to_string(), "1");
        for count in [7_000, 20_000] {
            assert_eq!(filter(numbered(count)).estimate().to_string(), "more than 6000");
        }
        assert_eq!(Filter(Box::new([0xff; BYTES])).estimate().to_string(), "more than 6000");
    }

    #[test]
    fn the_error_is_that_of_the_documentation() {
        for (count, percent) in [(100.0, 1.6), (1000.0, 1.9), (6000.0, 7.0)] {
            let load = 2.0 * count / 2048.0_f64;
            let bits = (2048.0 * (1.0 - (-load).exp())).round();
            let mut filter = Filter::default();
            (0..2048_u16)
                .filter(|bit| f64::from(*bit) < bits)
                .for_each(|bit| filter.0[usize::from(bit / 8)] |= 1 << (bit % 8));
            let Estimate { count, error, .. } = filter.estimate();
            assert!((100.0 * error / count - percent).abs() < 0.1, "{error} of {count}");
        }
    }

    #[test]
    fn a_union_counts_common_addresses_once() {
        let all: Vec<IpAddr> = numbered(300).collect();
        let mut union = filter(all[..200].iter().copied());
        union.union(&filter(all[100..].iter().copied()));
        assert_eq!(union, filter(all));
    }

    proptest! {
        #[test]
        fn any_filter_has_an_estimate(bytes in proptest::collection::vec(any::<u8>(), BYTES)) {
            let Estimate { count, error, .. } = Filter(Box::new(bytes.try_into().unwrap())).estimate();
            prop_assert!((0.0..=Filter::MAX_ESTIMATE).contains(&count) && error.is_finite() && error >= 0.0);
        }
    }
}
