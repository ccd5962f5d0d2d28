//! Whether a storer has more peers than its answer holds.

use crate::krpc::Reply;
use crate::software::{Software, Version};
use std::net::SocketAddr;

/// Whether asking once more may bring other peers: the list is as long as the software's longest, and each answer is chosen anew.
pub(super) fn may_have_more(reply: &Reply) -> bool {
    let listed = reply.peers.len() + reply.skipped_peers.total();
    let is_v6 = reply.peers.first().is_some_and(SocketAddr::is_ipv6);
    match reply.version.as_ref().and_then(Version::software) {
        // The same 25 each time.
        Some(Software::Aria2) => false,
        Some(Software::Libtorrent) => listed >= if is_v6 { 25 } else { 100 },
        Some(Software::RTorrent) => listed >= 32,
        Some(Software::Mainline) => listed >= 10,
        // Transmission (50), which does not name itself, and what is built on libtorrent; bittorrent-dht has no longest list.
        _ => matches!(listed, 50 | 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn a_list_is_full_at_the_most_of_its_software_except_aria2s() {
        for (version, count, is_v6, expected) in [
            (Some(&b"LT\x02\x11"[..]), 100, false, true),
            (Some(b"LT\x02\x11"), 99, false, false),
            (Some(b"LT\x02\x11"), 25, false, false),
            (Some(b"LT\x02\x11"), 25, true, true),
            (Some(b"lt\x10\x11"), 32, false, true),
            (Some(b"lt\x10\x11"), 31, false, false),
            (Some(b"RS\0\x05"), 10, false, true),
            (Some(b"A2\0\x03"), 25, false, false),
            (Some(b"A2\0\x03"), 100, false, false),
            (None, 50, false, true),
            (None, 100, false, true),
            (Some(b"XX\0\x05"), 100, false, true),
            (None, 300, false, false),
            (None, 0, false, false),
        ] {
            let mut reply = Reply::new(b"abcd", NodeId([0; 20]));
            reply.version = version.map(Version::new);
            let ip = if is_v6 { "2a00::1" } else { "8.8.8.8" };
            reply.peers = (0..count).map(|n| SocketAddr::new(ip.parse().unwrap(), 1024 + n)).collect();
            assert_eq!(may_have_more(&reply), expected, "{version:?} {count}");
        }
    }
}
