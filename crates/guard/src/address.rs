//! Which addresses may be dialled, depending on the source that named them.
//!
//! An untrusted source must not be able to aim us at internal services: a tracker or torrent could list a router, a cloud
//! metadata service or a printer. So an address that is not on the public internet is dialled only if the user named it,
//! or if the tracker that named it was itself reached in the same network. Loopback addresses are accepted only from a
//! tracker on this machine, which may name other local networks too: a program that runs here reaches them anyway.

use crate::announce_path::is_announce;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// On the public internet.
    Global,
    /// This machine: 127.0.0.0/8, `::1`.
    Loopback,
    /// A private network: RFC 1918, unique local (fc00::/7).
    Private,
    /// One link: 169.254.0.0/16 (cloud metadata services live there), fe80::/10.
    LinkLocal,
    /// A carrier's network, 100.64.0.0/10.
    SharedAddressSpace,
    /// Documentation, benchmarking and unassigned ranges.
    Reserved,
    /// Multicast: not a single host.
    Multicast,
    /// 255.255.255.255: not a single host.
    Broadcast,
    /// 0.0.0.0/8, `::`: not a host.
    Unspecified,
}

impl Scope {
    /// The scope of `ip`. An IPv4 address embedded in IPv6 (mapped, 6to4, NAT64) has the scope of the IPv4 address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => embedded_v4(ip).map_or_else(|| Self::of_v6(ip), Self::of_v4),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [169, 254, ..] => Self::LinkLocal,
            [100, 64..=127, ..] => Self::SharedAddressSpace,
            [255, 255, 255, 255] => Self::Broadcast,
            [224..=239, ..] => Self::Multicast,
            [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [240..=255, ..] => {
                Self::Reserved
            }
            _ => Self::Global,
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xff00..=0xffff, ..] => Self::Multicast,
            // Protocol assignments, Teredo and benchmarking among them; documentation.
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Global,
            _ => Self::Reserved,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Global => "global",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::SharedAddressSpace => "carrier-grade NAT",
            Self::Reserved => "reserved",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Unspecified => "unspecified",
        })
    }
}

/// The local network whose addresses a tracker reached at `ip` may name; [`Scope::Global`] for none. An address of a
/// translator (NAT64, 6to4) counts as global: the IPv4 address in it belongs to the translator's network, not to ours.
fn trusted_scope(ip: IpAddr) -> Scope {
    match ip {
        IpAddr::V6(v6) if is_translated(v6) => Scope::Global,
        ip => Scope::of(ip),
    }
}

fn is_translated(ip: Ipv6Addr) -> bool {
    matches!(ip.segments(), [0x64, 0xff9b, ..] | [0x2002, ..])
}

/// The IPv4 address inside `::ffff:a.b.c.d`, `::a.b.c.d`, 64:ff9b::/96 (NAT64) and 2002::/16 (6to4).
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = ip.to_bits();
    let low = || Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or_default());
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(low()),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(low()),
        [0x2002, high, rest, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(rest))),
        _ => None,
    }
}

/// Which source named an address, and so which addresses it may name. New kinds of sources may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressPolicy {
    /// The user: any host.
    User,
    /// An untrusted source that we are connected to, such as a tracker: global addresses, and local ones only of the
    /// network in which the source was reached; all of them if that is this machine.
    Untrusted {
        /// Where the source was reached.
        reached: Scope,
    },
    /// A peer that we are connected to, by peer exchange (BEP 11): as [`Untrusted`](Self::Untrusted), but none of the
    /// [`WEB_PORTS`](Self::WEB_PORTS).
    Peer {
        /// Where the peer was reached.
        reached: Scope,
    },
    /// The author of a torrent or magnet link, whose own address is unknown: global addresses.
    Author,
}

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing can listen on port 0.
    #[error("port 0")]
    PortZero,
    /// The address is not a single host.
    #[error("{0} address")]
    NotAHost(Scope),
    /// A local address that an untrusted source may not name.
    #[error("{0} address, named by an untrusted source")]
    NotAllowedFromUntrusted(Scope),
    /// An untrusted source may not aim us at other services: mail, SSH, DNS.
    #[error("port below {lowest}, named by an untrusted source")]
    PrivilegedPort {
        /// The lowest port that is accepted, apart from [`AddressPolicy::WEB_PORTS`].
        lowest: u16,
    },
}

impl AddressPolicy {
    /// The policy for the peers of a tracker that was reached at `tracker`.
    #[must_use]
    pub fn for_peers_of(tracker: IpAddr) -> Self {
        Self::Untrusted { reached: trusted_scope(tracker) }
    }

    /// The policy for the peers that a peer at `peer` names.
    #[must_use]
    pub fn for_peers_of_peer(peer: IpAddr) -> Self {
        Self::Peer { reached: trusted_scope(peer) }
    }

    /// The policy for a tracker URL in a torrent: local addresses only if its path is `/announce` (an extension such as
    /// `.php` is allowed) or below it, so that a torrent cannot make us send requests to other services of this machine or
    /// network (libtorrent's rule). The path, which may have a query, is compared by whole segments and as servers may read
    /// it: percent-decoded, with `.` and `..` resolved.
    #[must_use]
    pub fn for_tracker_in_torrent(path: &str) -> Self {
        let reached = if is_announce(path) { Scope::Loopback } else { Scope::Global };
        Self::Untrusted { reached }
    }

    /// The policy for the target of a redirect, a URL with this path, from a tracker reached at `from`. A redirect is
    /// untrusted: it never leads from a public address to a local one, nor from the tracker's own network into another or to
    /// this machine; and within that network only to the paths that [a torrent may name](Self::for_tracker_in_torrent).
    #[must_use]
    pub fn for_redirect(from: IpAddr, path: &str) -> Self {
        let reached = if is_announce(path) { trusted_scope(from) } else { Scope::Global };
        Self::Untrusted { reached }
    }

    /// The policy for a web seed that a torrent or magnet link names, to be checked as [a peer's](Self::check_peer): no local
    /// address, and of the ports below 1024 those of the web only. A web seed has any path, so that no path makes a local one safe.
    #[must_use]
    pub fn for_web_seed_in_torrent() -> Self {
        Self::Untrusted { reached: Scope::Global }
    }

    /// The policy for the target of a redirect from a web seed reached at `from`, which the user may have named: never from a
    /// public address to a local one, nor from one network into another. Ports as of
    /// [those in torrents](Self::for_web_seed_in_torrent).
    #[must_use]
    pub fn for_web_seed_redirect(from: IpAddr) -> Self {
        Self::Untrusted { reached: trusted_scope(from) }
    }

    /// The lowest port of a peer that an untrusted source may name. The ports below belong to services that only a
    /// privileged user may start, and hardly ever to a BitTorrent client.
    pub const LOWEST_PORT: u16 = 1024;

    /// Lower ports that a tracker may name all the same: some seeds listen there, to be reachable from networks that let
    /// only web traffic out.
    pub const WEB_PORTS: [u16; 2] = [80, 443];

    /// Whether a peer at `address` may be dialled: as [`check`](Self::check), and unless the user named it only at a port of
    /// at least `lowest`, usually [`LOWEST_PORT`](Self::LOWEST_PORT). A tracker may name [`WEB_PORTS`](Self::WEB_PORTS) too,
    /// an author or another peer may not.
    ///
    /// # Errors
    /// The reason why it may not be dialled.
    pub fn check_peer(self, address: SocketAddr, lowest: u16) -> Result<(), Refusal> {
        self.check(address)?;
        match self {
            Self::Untrusted { .. } if Self::WEB_PORTS.contains(&address.port()) => Ok(()),
            Self::Untrusted { .. } | Self::Peer { .. } | Self::Author if address.port() < lowest => {
                Err(Refusal::PrivilegedPort { lowest })
            }
            _ => Ok(()),
        }
    }

    /// Whether `address` may be dialled.
    ///
    /// # Errors
    /// The reason why it may not be dialled.
    pub fn check(self, address: SocketAddr) -> Result<(), Refusal> {
        let scope = Scope::of(address.ip());
        if address.port() == 0 {
            return Err(Refusal::PortZero);
        }
        match (scope, self) {
            (Scope::Unspecified | Scope::Multicast | Scope::Broadcast, _) => Err(Refusal::NotAHost(scope)),
            (Scope::Global, _) | (_, Self::User) => Ok(()),
            (_, Self::Untrusted { reached } | Self::Peer { reached })
                if reached == scope || reached == Scope::Loopback =>
            {
                Ok(())
            }
            (_, Self::Untrusted { .. } | Self::Peer { .. } | Self::Author) => {
                Err(Refusal::NotAllowedFromUntrusted(scope))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: AddressPolicy = AddressPolicy::Untrusted { reached: Scope::Global };
    const NEAR: AddressPolicy = AddressPolicy::Untrusted { reached: Scope::Loopback };

    #[test]
    fn a_peer_may_name_what_a_tracker_may_but_no_port_of_the_web() {
        let near = AddressPolicy::for_peers_of_peer("10.0.0.1".parse().unwrap());
        for (peer, expected) in [
            ("8.8.8.8:1024", Ok(())),
            ("8.8.8.8:443", Err(Refusal::PrivilegedPort { lowest: 1024 })),
            ("8.8.8.8:0", Err(Refusal::PortZero)),
            ("10.9.9.9:6881", Ok(())),
            ("127.0.0.1:6881", Err(Refusal::NotAllowedFromUntrusted(Scope::Loopback))),
            ("224.0.0.1:6881", Err(Refusal::NotAHost(Scope::Multicast))),
        ] {
            assert_eq!(near.check_peer(peer.parse().unwrap(), 1024), expected, "{peer}");
        }
        let far = AddressPolicy::for_peers_of_peer("8.8.8.8".parse().unwrap());
        assert_eq!(
            far.check_peer("10.9.9.9:6881".parse().unwrap(), 1024),
            Err(Refusal::NotAllowedFromUntrusted(Scope::Private))
        );
    }

    #[test]
    fn every_range_has_its_scope() {
        for (ip, scope) in [
            ("8.8.8.8", Scope::Global),
            ("127.9.9.9", Scope::Loopback),
            ("10.0.0.1", Scope::Private),
            ("172.31.255.255", Scope::Private),
            ("172.32.0.0", Scope::Global),
            ("192.168.1.1", Scope::Private),
            ("169.254.169.254", Scope::LinkLocal),
            ("100.64.0.1", Scope::SharedAddressSpace),
            ("100.128.0.1", Scope::Global),
            ("192.0.2.1", Scope::Reserved),
            ("198.18.0.1", Scope::Reserved),
            ("240.0.0.1", Scope::Reserved),
            ("224.0.0.1", Scope::Multicast),
            ("255.255.255.255", Scope::Broadcast),
            ("0.0.0.0", Scope::Unspecified),
            ("0.1.2.3", Scope::Unspecified),
            ("::", Scope::Unspecified),
            ("::1", Scope::Loopback),
            ("fd00::1", Scope::Private),
            ("fe80::1", Scope::LinkLocal),
            ("ff02::1", Scope::Multicast),
            ("2001:db8::1", Scope::Reserved),
            ("2606:4700::1111", Scope::Global),
            ("::ffff:127.0.0.1", Scope::Loopback),
            ("::ffff:8.8.8.8", Scope::Global),
            ("::10.0.0.1", Scope::Private),
            ("64:ff9b::169.254.169.254", Scope::LinkLocal),
            ("2002:7f00:1::", Scope::Loopback),
            ("4000::1", Scope::Reserved),
            ("2001:0:4136:e378::1", Scope::Reserved),
            ("2001:2::1", Scope::Reserved),
            ("2001:200::1", Scope::Global),
            ("3fff:fff::1", Scope::Reserved),
            ("3fff:1000::1", Scope::Global),
        ] {
            assert_eq!(Scope::of(ip.parse().unwrap()), scope, "{ip}");
        }
    }

    /// A row for each scope of a tracker, a column for each scope of a peer.
    #[test]
    fn a_tracker_may_name_its_own_network_and_only_a_loopback_tracker_may_name_loopback() {
        let peers = [
            ("8.8.8.8", "global"),
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("64:ff9b::127.0.0.1", "loopback"),
            ("2002:7f00:1::", "loopback"),
            ("10.0.0.9", "private"),
            ("192.168.7.7", "private"),
            ("fd00::9", "private"),
            ("::ffff:10.0.0.9", "private"),
            ("169.254.169.254", "link-local"),
            ("64:ff9b::169.254.169.254", "link-local"),
            ("fe80::9", "link-local"),
            ("100.64.0.9", "carrier-grade NAT"),
            ("198.18.0.9", "reserved"),
            ("64:ff9b:1::7f00:1", "reserved"),
            ("::ffff:0:127.0.0.1", "reserved"),
            ("0.0.0.0", "no host"),
            ("0.1.2.3", "no host"),
            ("::", "no host"),
            ("::ffff:0.0.0.0", "no host"),
        ];
        let all = ["global", "loopback", "private", "link-local", "carrier-grade NAT", "reserved"];
        for (tracker, named) in [
            ("8.8.8.8", &["global"][..]),
            ("2606:4700::1111", &["global"]),
            ("127.0.0.1", &all),
            ("127.9.9.9", &all),
            ("::1", &all),
            ("::ffff:127.0.0.1", &all),
            ("10.0.0.1", &["global", "private"]),
            ("172.16.0.1", &["global", "private"]),
            ("fd00::1", &["global", "private"]),
            ("::ffff:192.168.1.1", &["global", "private"]),
            ("169.254.1.1", &["global", "link-local"]),
            ("fe80::1", &["global", "link-local"]),
            ("100.64.0.1", &["global", "carrier-grade NAT"]),
            ("100.127.255.255", &["global", "carrier-grade NAT"]),
            ("198.18.0.1", &["global", "reserved"]),
            // Behind a translator it is the loopback and the network of another machine.
            ("64:ff9b::127.0.0.1", &["global"]),
            ("64:ff9b::10.0.0.1", &["global"]),
            ("2002:7f00:1::", &["global"]),
            ("2002:a00:1::1", &["global"]),
        ] {
            let tracker: IpAddr = tracker.parse().unwrap();
            for (peer, scope) in peers {
                let address = SocketAddr::new(peer.parse().unwrap(), 6881);
                let may = named.contains(&scope);
                let checked = AddressPolicy::for_peers_of(tracker).check(address);
                assert_eq!(checked.is_ok(), may, "a peer at {peer} named by a tracker at {tracker}");
                let checked = AddressPolicy::for_redirect(tracker, "/announce?x=1").check(address);
                assert_eq!(checked.is_ok(), may, "a redirect from {tracker} to {peer}");
                let checked = AddressPolicy::for_redirect(tracker, "/announce/../admin").check(address);
                assert_eq!(checked.is_ok(), scope == "global", "a redirect from {tracker} to another path at {peer}");
                let checked = AddressPolicy::for_tracker_in_torrent("/announce").check(address);
                assert_eq!(checked.is_ok(), scope != "no host", "a tracker at {peer} in a torrent");
                assert_eq!(AddressPolicy::User.check(address), checked, "{peer} named by the user");
            }
        }
    }

    #[test]
    fn a_web_seed_of_a_torrent_is_public_and_redirects_stay_in_the_network_that_they_come_from() {
        let check = |policy: AddressPolicy, address: &str| policy.check_peer(address.parse().unwrap(), 1024).is_ok();
        let redirect = |from: &str| AddressPolicy::for_web_seed_redirect(from.parse().unwrap());
        for (address, in_torrent, from_global, from_private) in [
            ("8.8.8.8:80", true, true, true),
            ("[2606:4700::1111]:443", true, true, true),
            ("8.8.8.8:8080", true, true, true),
            ("8.8.8.8:22", false, false, false),
            ("8.8.8.8:0", false, false, false),
            ("127.0.0.1:80", false, false, false),
            ("[::1]:8080", false, false, false),
            ("10.0.0.9:8080", false, false, true),
            ("10.0.0.9:25", false, false, false),
            ("169.254.169.254:80", false, false, false),
            ("[64:ff9b::a00:9]:80", false, false, true),
            ("224.0.0.1:80", false, false, false),
        ] {
            assert_eq!(check(AddressPolicy::for_web_seed_in_torrent(), address), in_torrent, "{address}");
            assert_eq!(check(redirect("9.9.9.9"), address), from_global, "a redirect to {address}");
            assert_eq!(check(redirect("64:ff9b::a00:1"), address), from_global, "behind a translator, to {address}");
            assert_eq!(check(redirect("10.0.0.1"), address), from_private, "from a private network to {address}");
        }
        assert!(check(redirect("127.0.0.1"), "127.0.0.1:8080") && !check(redirect("127.0.0.1"), "127.0.0.1:22"));
        assert!(check(AddressPolicy::User, "127.0.0.1:22"));
    }

    #[test]
    fn low_ports_are_refused_except_web_ports_named_by_a_tracker() {
        let refused = Err(Refusal::PrivilegedPort { lowest: 1024 });
        for (port, by_tracker, by_author) in [
            (1, refused, refused),
            (22, refused, refused),
            (79, refused, refused),
            (80, Ok(()), refused),
            (81, refused, refused),
            (443, Ok(()), refused),
            (1023, refused, refused),
            (1024, Ok(()), Ok(())),
            (6881, Ok(()), Ok(())),
        ] {
            let peer = SocketAddr::from(([8, 8, 8, 8], port));
            let check = |policy: AddressPolicy| policy.check_peer(peer, AddressPolicy::LOWEST_PORT);
            assert_eq!((check(FAR), check(AddressPolicy::Author)), (by_tracker, by_author), "{port}");
            assert_eq!(check(AddressPolicy::User), Ok(()));
        }
        // An allowed port does not make a local address acceptable.
        let local = "127.0.0.1:80".parse().unwrap();
        assert_eq!(FAR.check_peer(local, 1024), Err(Refusal::NotAllowedFromUntrusted(Scope::Loopback)));
        assert_eq!(AddressPolicy::Author.check(local), Err(Refusal::NotAllowedFromUntrusted(Scope::Loopback)));
        assert_eq!(NEAR.check_peer(local, 1024), Ok(()));
        assert_eq!(FAR.check_peer("8.8.8.8:0".parse().unwrap(), 0), Err(Refusal::PortZero));
    }

    #[test]
    fn addresses_that_are_not_a_host_are_refused_by_every_policy() {
        for policy in [FAR, NEAR, AddressPolicy::Author, AddressPolicy::User] {
            assert_eq!(policy.check("8.8.8.8:0".parse().unwrap()), Err(Refusal::PortZero));
            for ip in ["0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "[::]:1", "[ff02::1]:1"] {
                assert!(matches!(policy.check(ip.parse().unwrap()), Err(Refusal::NotAHost(_))), "{ip}");
            }
        }
    }

    #[test]
    fn a_torrent_may_name_a_local_tracker_only_at_announce() {
        let local = "127.0.0.1:6969".parse().unwrap();
        assert_eq!(AddressPolicy::for_tracker_in_torrent("/announce?x=1").check(local), Ok(()));
        assert!(AddressPolicy::for_tracker_in_torrent("/admin/delete").check(local).is_err());
        assert!(AddressPolicy::for_tracker_in_torrent("").check(local).is_err());
        for path in ["/announce/../admin", "/announce%2f..%2fadmin", "/announcements"] {
            assert!(AddressPolicy::for_tracker_in_torrent(path).check(local).is_err(), "{path}");
            let from = "127.0.0.2".parse().unwrap();
            assert!(AddressPolicy::for_redirect(from, path).check(local).is_err(), "{path}");
        }
    }

    #[test]
    fn a_redirect_from_a_public_address_to_a_local_one_is_refused() {
        let (far, near) = ("8.8.8.8".parse().unwrap(), "127.0.0.2".parse().unwrap());
        for local in ["127.0.0.1:80", "10.0.0.1:80", "169.254.169.254:80", "[::1]:80"] {
            let local = local.parse().unwrap();
            assert!(AddressPolicy::for_redirect(far, "/announce").check(local).is_err());
            assert_eq!(AddressPolicy::for_redirect(near, "/announce").check(local), Ok(()));
            assert!(AddressPolicy::for_redirect(near, "/latest/meta-data").check(local).is_err());
        }
        assert_eq!(AddressPolicy::for_redirect(far, "/x").check("9.9.9.9:80".parse().unwrap()), Ok(()));
    }
}
