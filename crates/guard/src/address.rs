//! Which addresses may be dialled, and on whose word.
//!
//! A stranger must not be able to aim us: a tracker or torrent could list a router, a metadata service or a printer. So
//! an address that is not on the public internet is dialled only when the user named it, or when the tracker that named
//! it was itself reached in the same network. This machine's loopback is named by trackers on it alone, which may name
//! other local networks too: what runs here reaches them by itself.

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
    /// Documentation, benchmarking and what is not assigned to anyone.
    Reserved,
    /// Not one host: multicast.
    Multicast,
    /// Not one host: 255.255.255.255.
    Broadcast,
    /// No host: 0.0.0.0/8, `::`.
    Unspecified,
}

impl Scope {
    /// Where `ip` lies. An IPv4 address wrapped in IPv6 (mapped, 6to4, NAT64) lies where the IPv4 address does.
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

/// Where a tracker that was reached at `ip` has its standing. An address of a translator (NAT64, 6to4) gives none: behind it
/// is another machine's network, whatever range is written in it.
fn standing(ip: IpAddr) -> Scope {
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

/// On whose word an address is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// The user named it: any host at all.
    User,
    /// A stranger named it: global addresses, and local ones only of the network that the stranger was itself reached in;
    /// all of them if that is this machine.
    Stranger {
        /// Where the stranger was reached.
        reached: Scope,
    },
    /// The author of a torrent or a magnet link named it, who was not reached at all: global addresses.
    Author,
}

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Port 0 cannot be connected to.
    #[error("port 0")]
    PortZero,
    /// The address is not one host.
    #[error("{0} address")]
    NotAHost(Scope),
    /// A stranger on the public internet may not point us there.
    #[error("{0} address, named by a stranger")]
    NotOnAStrangersWord(Scope),
    /// An untrusted source may not point us at services that are no peers: mail, SSH, names.
    #[error("port below {lowest}, named by a stranger")]
    PrivilegedPort {
        /// The lowest port that would do, but for [`AddressPolicy::WEB_PORTS`].
        lowest: u16,
    },
}

impl AddressPolicy {
    /// The policy for the peers of a tracker that was reached at `tracker`.
    #[must_use]
    pub fn for_peers_of(tracker: IpAddr) -> Self {
        Self::Stranger { reached: standing(tracker) }
    }

    /// The policy for a tracker URL that stands in a torrent: local only if its path is `/announce`, also with an extension, or
    /// below it, so that a torrent cannot make us talk to other services of this machine or network (libtorrent's rule). The
    /// path, which may have a query, is judged by whole segments and as servers may read it: decoded, without dots.
    #[must_use]
    pub fn for_tracker_in_torrent(path: &str) -> Self {
        let reached = if is_announce(path) { Scope::Loopback } else { Scope::Global };
        Self::Stranger { reached }
    }

    /// The policy for where a tracker reached at `from` redirects to, a URL with this path. A redirect is a stranger's
    /// word: it never leads from a public address to a local one, nor out of the tracker's own network into another or to
    /// this machine; and in it only where a torrent may point, too.
    #[must_use]
    pub fn for_redirect(from: IpAddr, path: &str) -> Self {
        let reached = if is_announce(path) { standing(from) } else { Scope::Global };
        Self::Stranger { reached }
    }

    /// The lowest port of a peer that a stranger may name. Those below belong to services that only a privileged user may
    /// offer, and hardly ever to a BitTorrent client.
    pub const LOWEST_PORT: u16 = 1024;

    /// Ports below it that a tracker may name: seeds listen there to be reached from networks that let nothing but the web
    /// out.
    pub const WEB_PORTS: [u16; 2] = [80, 443];

    /// Whether a peer at `address` may be dialled: as [`check`](Self::check), and a stranger's word suffices from `lowest`
    /// on only, usually [`LOWEST_PORT`](Self::LOWEST_PORT), and for [`WEB_PORTS`](Self::WEB_PORTS); not an author's for these.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check_peer(self, address: SocketAddr, lowest: u16) -> Result<(), Refusal> {
        self.check(address)?;
        match self {
            Self::Stranger { .. } if Self::WEB_PORTS.contains(&address.port()) => Ok(()),
            Self::Stranger { .. } | Self::Author if address.port() < lowest => Err(Refusal::PrivilegedPort { lowest }),
            _ => Ok(()),
        }
    }

    /// Whether `address` may be dialled.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check(self, address: SocketAddr) -> Result<(), Refusal> {
        let scope = Scope::of(address.ip());
        if address.port() == 0 {
            return Err(Refusal::PortZero);
        }
        match (scope, self) {
            (Scope::Unspecified | Scope::Multicast | Scope::Broadcast, _) => Err(Refusal::NotAHost(scope)),
            (Scope::Global, _) | (_, Self::User) => Ok(()),
            (_, Self::Stranger { reached }) if reached == scope || reached == Scope::Loopback => Ok(()),
            (_, Self::Stranger { .. } | Self::Author) => Err(Refusal::NotOnAStrangersWord(scope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: AddressPolicy = AddressPolicy::Stranger { reached: Scope::Global };
    const NEAR: AddressPolicy = AddressPolicy::Stranger { reached: Scope::Loopback };

    #[test]
    fn each_range_is_known() {
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

    /// What names what: a row for each place of a tracker, a column for each place of a peer.
    #[test]
    fn a_tracker_names_its_own_network_and_only_one_on_this_machine_names_this_machine() {
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
            // Another machine's loopback and network, behind a translator.
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
    fn a_tracker_names_web_ports_and_high_ones_and_an_author_high_ones() {
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
        // A local address stays one, whatever the port.
        let local = "127.0.0.1:80".parse().unwrap();
        assert_eq!(FAR.check_peer(local, 1024), Err(Refusal::NotOnAStrangersWord(Scope::Loopback)));
        assert_eq!(AddressPolicy::Author.check(local), Err(Refusal::NotOnAStrangersWord(Scope::Loopback)));
        assert_eq!(NEAR.check_peer(local, 1024), Ok(()));
        assert_eq!(FAR.check_peer("8.8.8.8:0".parse().unwrap(), 0), Err(Refusal::PortZero));
    }

    #[test]
    fn what_is_no_host_is_dialled_on_nobodys_word() {
        for policy in [FAR, NEAR, AddressPolicy::Author, AddressPolicy::User] {
            assert_eq!(policy.check("8.8.8.8:0".parse().unwrap()), Err(Refusal::PortZero));
            for ip in ["0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "[::]:1", "[ff02::1]:1"] {
                assert!(matches!(policy.check(ip.parse().unwrap()), Err(Refusal::NotAHost(_))), "{ip}");
            }
        }
    }

    #[test]
    fn a_torrent_names_a_local_tracker_only_at_announce() {
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
    fn a_redirect_leads_from_a_public_address_to_no_local_one() {
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
