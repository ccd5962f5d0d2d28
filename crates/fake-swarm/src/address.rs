//! The addresses that the fake peers live on.

use std::net::Ipv4Addr;

/// Addresses used of each /24: the last octet is never 0 or 255, which address checks may take for a network or a
/// broadcast address.
const HOSTS: u32 = 254;
/// Networks used of 127.0.0.0/8: all but 127.0.0.0/24, where the machine's own services live.
const NETWORKS: u32 = 65_535;

/// The `n`-th address of a peer: 127.0.1.1, 127.0.1.2, … through 127.0.0.0/8, avoiding 127.0.0.0/24 and last octets
/// 0 and 255.
///
/// The first 16,645,890 are distinct; after them the sequence starts again.
///
/// ```
/// assert_eq!(fake_swarm::peer_ip(0), std::net::Ipv4Addr::new(127, 0, 1, 1));
/// ```
#[must_use]
pub fn peer_ip(n: u32) -> Ipv4Addr {
    let network = 1 + (n / HOSTS) % NETWORKS;
    let host = 1 + n % HOSTS;
    Ipv4Addr::from(0x7f00_0000 | (network << 8) | host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn addresses_are_distinct_and_ordinary() {
        let mut seen = HashSet::new();
        for n in 0..200_000 {
            let ip = peer_ip(n);
            let [first, second, third, last] = ip.octets();
            assert_eq!(first, 127, "{ip}");
            assert!((second, third) != (0, 0), "{ip}");
            assert!(last != 0 && last != 255, "{ip}");
            assert!(seen.insert(ip), "{ip} twice");
        }
    }

    #[test]
    fn the_sequence_ends_inside_loopback() {
        assert_eq!(peer_ip(HOSTS * NETWORKS - 1), Ipv4Addr::new(127, 255, 255, 254));
        assert_eq!(peer_ip(HOSTS * NETWORKS), peer_ip(0));
        assert!(peer_ip(u32::MAX).is_loopback());
    }
}
