//! What a peer can tell of others (BEP 11).

use std::net::{Ipv4Addr, SocketAddr};

use crate::bencoding::{dictionary, integer, list, string};
use crate::pex::PexList;

/// What a list of peers can be instead, by name: none has a peer in it that could be dialled, unless `victim` is dialled, which
/// some name: once is enough. All fit in the 64 KiB that a receiver may allow.
#[must_use]
pub fn pex(victim: SocketAddr) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = malformed();
    all.extend(untrue(victim));
    all
}

type Table = Vec<(&'static str, Vec<u8>)>;

/// What is no list.
fn malformed() -> Table {
    let added = |bytes: &[u8]| dictionary([("added", string(bytes))]);
    vec![
        ("an empty message", Vec::new()),
        ("an empty dictionary", b"de".to_vec()),
        ("a list", list([string("added")])),
        ("noise", vec![0xa5; 500]),
        ("an open dictionary", b"d5:added6:".to_vec()),
        ("lists within lists", [b"d5:added".as_slice(), &[b'l'; 60_000]].concat()),
        ("added of 5 bytes", added(&[1; 5])),
        ("added as a number", dictionary([("added", integer(1))])),
        ("added as a list", dictionary([("added", list([string([1; 6])]))])),
        ("added6 of 17 bytes", dictionary([("added6", string([1; 17]))])),
        ("flags without peers", dictionary([("added", string("")), ("added.f", string([0xff; 500]))])),
        ("a pad", dictionary([("z", string(vec![b'z'; 60_000]))])),
    ]
}

/// Lists of the right form.
fn untrue(victim: SocketAddr) -> Table {
    let naming = |peers: Vec<SocketAddr>| PexList::naming(peers).payload();
    let at = |ip: [u8; 4]| naming(vec![SocketAddr::from((ip, 6881))]);
    let zero = SocketAddr::new(victim.ip(), 0);
    vec![
        ("port 0", naming(vec![zero; 100])),
        ("one victim, 500 times", naming(vec![victim; 500])),
        ("one victim, at 500 ports of the system", naming((1..=500).map(|port| (victim.ip(), port).into()).collect())),
        ("dropped and never added", PexList::default().dropping([victim; 500]).payload()),
        ("added and dropped at once", PexList::naming([zero]).dropping([zero]).payload()),
        ("nowhere", at([0, 0, 0, 0])),
        ("everywhere", at([255, 255, 255, 255])),
        ("a group", at([224, 0, 0, 1])),
        ("IPv4 within IPv6", naming(vec![SocketAddr::from((Ipv4Addr::BROADCAST.to_ipv6_mapped(), 6881))])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn entries_are_distinct_and_fit() {
        let all = pex(([127, 0, 0, 9], 6881).into());
        let names: BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
        let payloads: BTreeSet<_> = all.iter().map(|(_, payload)| payload).collect();
        assert_eq!((names.len(), payloads.len()), (all.len(), all.len()));
        for (name, payload) in all {
            assert!(payload.len() <= 65_000, "{name}: {} bytes", payload.len());
        }
    }
}
