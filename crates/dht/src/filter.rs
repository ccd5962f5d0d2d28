//! Counts of a swarm as Bloom filters (BEP 33).

/// Bytes of a filter (BEP 33: 2048 bits).
pub(crate) const BYTES: usize = 256;

/// A Bloom filter over the addresses of peers (BEP 33).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(pub Box<[u8; 256]>);

/// The two filters that a node answers `scrape` with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The addresses of seeds (`BFsd`).
    pub seeds: Filter,
    /// The addresses of peers that are still downloading (`BFpe`).
    pub peers: Filter,
}

/// How many addresses were put into a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimated count; 0 for an empty filter.
    pub count: f64,
    /// One standard deviation of it.
    pub error: f64,
}

impl Default for Filter {
    fn default() -> Self {
        Self(Box::new([0; BYTES]))
    }
}
