//! Magnet links: what is accepted is within the limits, and is the same when it is written in a plain form.

use crate::memory;
use metainfo::{Hashes, Magnet, MagnetError};
use std::fmt::Write;

/// Memory for each byte of the input: a list has twice the capacity it needs, and a tracker takes 32 bytes beside its URL,
/// which is at least one of five bytes of the link.
const TIMES_THE_INPUT: usize = 32;
/// Memory for any input: the diagnostics.
const BESIDE: usize = 16 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let link = String::from_utf8_lossy(input);
    let parsed = memory::bounded(TIMES_THE_INPUT * link.len() + BESIDE, || Magnet::parse(&link));
    match parsed {
        Ok(magnet) => {
            assert!(link.len() <= Magnet::MAX_BYTES);
            assert!(magnet.trackers.len() <= Magnet::MAX_TRACKERS);
            assert!(magnet.peers.len() <= Magnet::MAX_PEERS);
            assert!(magnet.web_seeds.len() <= Magnet::MAX_WEB_SEEDS);
            let plain = written(&magnet);
            // Escapes may make it longer than the limit.
            let again = Magnet::parse(&plain);
            if plain.len() > Magnet::MAX_BYTES {
                assert_eq!(again, Err(MagnetError::TooLong { max: Magnet::MAX_BYTES }));
            } else {
                same(&magnet, &again.expect("a plain form of a valid link is valid"));
            }
        }
        Err(error) => {
            assert_eq!(matches!(error, MagnetError::TooLong { .. }), link.len() > Magnet::MAX_BYTES);
            assert!(!error.to_string().is_empty());
        }
    }
}

fn same(a: &Magnet, b: &Magnet) {
    // The kind of a tracker may depend on blanks around its URL, which are not written.
    let urls = |magnet: &Magnet| magnet.trackers.iter().map(|tracker| tracker.url.clone()).collect::<Vec<_>>();
    assert_eq!((a.hashes, &a.name, urls(a)), (b.hashes, &b.name, urls(b)));
    assert_eq!((&a.peers, &a.web_seeds), (&b.peers, &b.web_seeds));
    assert!(b.diagnostics.is_empty());
}

/// The link with all values escaped, and the fields in another order.
fn written(magnet: &Magnet) -> String {
    let mut link = Magnet::PREFIX.to_owned();
    let mut field = |name: &str, value: &str| {
        link.push_str(name);
        link.push('=');
        value.bytes().for_each(|byte| write!(link, "%{byte:02x}").expect("text takes all that is written"));
        link.push('&');
    };
    magnet.web_seeds.iter().for_each(|url| field("ws", url));
    magnet.peers.iter().for_each(|peer| field("X.PE.3", &peer.to_string()));
    magnet.trackers.iter().for_each(|tracker| field("tr.1", &tracker.url));
    magnet.name.iter().for_each(|name| field("dn", name));
    let (v1, v2) = match magnet.hashes {
        Hashes::V1(v1) => (Some(v1), None),
        Hashes::V2(v2) => (None, Some(v2)),
        Hashes::Hybrid { v1, v2 } => (Some(v1), Some(v2)),
    };
    v1.iter().for_each(|hash| field("xt", &format!("urn:btih:{hash}")));
    v2.iter().for_each(|hash| field("xt", &format!("URN:BTMH:1220{hash}")));
    link
}
