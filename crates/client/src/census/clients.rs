//! One client, several endpoints: which of the peers that shook hands are the same client.

use ids::PeerId;
use peer_session::{Pieces, keeps_its_id};
use peer_wire::ExtensionHandshake;
use report::PeerReport;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use tracker::PeerAddress;

/// The clients met in a run. An endpoint takes about 150 bytes: its address, and hashes of what identifies its client.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    key: RandomState,
    /// The first endpoint of each client.
    firsts: Vec<First>,
    /// The client of each mark, by the mark's hash.
    known: HashMap<u64, usize>,
    /// By the hash of what the two endpoints of a client have in common: the last one that has no counterpart yet.
    single: HashMap<u64, usize>,
}

#[derive(Debug)]
struct First {
    address: SocketAddr,
    id: PeerId,
    likeness: u64,
    /// It sent no message.
    is_mute: bool,
    /// The last one before it without a counterpart, of those with the same hash.
    before: Option<usize>,
}

/// What a peer is to those met before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// Another client.
    New,
    /// The client that was met at this address.
    Again(SocketAddr),
    /// The client that was met at this address and said nothing there.
    Instead(SocketAddr),
    /// The client at this address, or another one: it cannot be known.
    MaybeAgain(SocketAddr),
}

/// What identifies a client.
#[derive(Clone, Copy, Hash)]
enum Mark {
    /// Its peer id, and the port where it was dialled or that it names (`p` of BEP 10).
    Id(PeerId, u16),
    /// Where it was dialled.
    At(SocketAddr),
    /// Where it says that it is (`ipv4`, `ipv6`, `p` of BEP 10).
    Names(SocketAddr),
}

impl Clients {
    /// Takes in a peer with a valid handshake that says it has these pieces, `of` this number.
    pub(crate) fn meet(&mut self, report: &PeerReport, pieces: &Pieces, of: Option<u32>) -> Met {
        let (&PeerAddress::Socket(address), Some(theirs)) = (&report.address, &report.theirs) else { return Met::New };
        let extension = report.extension.as_deref();
        let likeness = self.key.hash_one((program(report, theirs.peer_id), Likeness::of(pieces, of)));
        let ids: Vec<_> = ports(address, extension).map(|port| Mark::Id(theirs.peer_id, port)).collect();
        let named: Vec<_> = named(address, extension).collect();
        // A peer could name the address of another. Then both have to be the same program with the same pieces, and their ids
        // must not tell them apart.
        let by_word = named.iter().map(|&other| Mark::At(other)).chain([Mark::Names(address)]);
        let contradicts = |first: &First| first.id != theirs.peer_id && keeps_its_id(theirs.peer_id);
        let alike =
            |at: &usize| self.firsts.get(*at).is_some_and(|first| first.likeness == likeness && !contradicts(first));
        let by_id = ids.iter().find_map(|&mark| self.find(mark));
        let known = by_id.or_else(|| by_word.filter_map(|mark| self.find(mark)).find(alike));

        let is_mute = report.messages == 0;
        let at = known.unwrap_or(self.firsts.len());
        let met = if let Some(first) = self.firsts.get_mut(at) {
            first.meet_again(likeness, is_mute)
        } else {
            self.firsts.push(First { address, id: theirs.peer_id, likeness, is_mute, before: None });
            if is_mute || keeps_its_id(theirs.peer_id) { Met::New } else { self.pair(at, address, likeness) }
        };
        for mark in ids.into_iter().chain([Mark::At(address)]).chain(named.into_iter().map(Mark::Names)) {
            self.known.entry(self.key.hash_one(mark)).or_insert(at);
        }
        met
    }

    fn find(&self, mark: Mark) -> Option<usize> {
        self.known.get(&self.key.hash_one(mark)).copied()
    }

    /// Two endpoints of two families with the same port, client and pieces may be one client. Each has one counterpart.
    fn pair(&mut self, at: usize, address: SocketAddr, likeness: u64) -> Met {
        let is_v4 = address.ip().to_canonical().is_ipv4();
        let hash = |is_v4: bool| self.key.hash_one((address.port(), likeness, is_v4));
        let (ours, theirs) = (hash(is_v4), hash(!is_v4));
        if let Some(other) = self.single.remove(&theirs).and_then(|other| self.firsts.get(other)) {
            self.single.extend(other.before.map(|before| (theirs, before)));
            return Met::MaybeAgain(other.address);
        }
        let before = self.single.insert(ours, at);
        self.firsts.get_mut(at).into_iter().for_each(|first| first.before = before);
        Met::New
    }
}

impl First {
    fn meet_again(&mut self, likeness: u64, is_mute: bool) -> Met {
        if is_mute || !self.is_mute {
            return Met::Again(self.address);
        }
        (self.likeness, self.is_mute) = (likeness, false);
        Met::Instead(self.address)
    }
}

/// What two endpoints of a client say of its pieces.
#[derive(Hash)]
enum Likeness<'a> {
    Unknown,
    None,
    Some(&'a [u8]),
    All,
}

impl<'a> Likeness<'a> {
    fn of(pieces: &'a Pieces, of: Option<u32>) -> Self {
        match pieces {
            pieces if pieces.is_all(of) => Self::All,
            Pieces::Unknown => Self::Unknown,
            Pieces::None | Pieces::All => Self::None,
            Pieces::Some { bitfield, .. } => Self::Some(bitfield.as_bytes()),
        }
    }
}

/// The program by the beginning of its id, which it shows at each address, or by its name where the id tells nothing.
fn program(report: &PeerReport, id: PeerId) -> Result<[u8; 8], Option<String>> {
    match (id.client(), id.0.first_chunk()) {
        (Some(_), Some(beginning)) => Ok(*beginning),
        _ => Err(report.client()),
    }
}

/// The port where a client was dialled, and the one it names if that is another.
fn ports(address: SocketAddr, extension: Option<&ExtensionHandshake>) -> impl Iterator<Item = u16> {
    let named = extension.and_then(|extension| extension.port).filter(|&port| port != address.port());
    [address.port()].into_iter().chain(named)
}

/// Where a client says that it is, but for where it was dialled.
fn named(address: SocketAddr, extension: Option<&ExtensionHandshake>) -> impl Iterator<Item = SocketAddr> {
    let port = extension.and_then(|extension| extension.port).unwrap_or(address.port());
    let ips = extension.map(|extension| [extension.ipv4.map(IpAddr::V4), extension.ipv6.map(IpAddr::V6)]);
    let named = ips.into_iter().flatten().flatten().map(move |ip| SocketAddr::new(ip.to_canonical(), port));
    named.filter(move |&named| named != address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::InfoHash;
    use peer_wire::{Handshake, Reserved};
    use report::{Outcome, Stage};

    /// A client at an address, with the rest of its extension handshake.
    fn peer(address: &str, id: &[u8; 20], extension: ExtensionHandshake) -> PeerReport {
        let theirs = Handshake { reserved: Reserved::default(), info_hash: InfoHash([7; 20]), peer_id: PeerId(*id) };
        let address = PeerAddress::Socket(address.parse().unwrap());
        let mut report = PeerReport::new(address, Outcome::Ok, Stage::Done);
        (report.theirs, report.extension, report.messages) = (Some(theirs), Some(Box::new(extension)), 2);
        report
    }

    /// The same client, which sends no message.
    fn mute(address: &str, id: &[u8; 20]) -> PeerReport {
        let mut report = plain(address, id);
        (report.extension, report.messages) = (None, 0);
        report
    }

    fn plain(address: &str, id: &[u8; 20]) -> PeerReport {
        peer(address, id, ExtensionHandshake::default())
    }

    fn met(reports: &[(PeerReport, Pieces)]) -> Vec<Met> {
        let mut clients = Clients::default();
        reports.iter().map(|(report, pieces)| clients.meet(report, pieces, Some(12))).collect()
    }

    fn seeds<const N: usize>(reports: [PeerReport; N]) -> Vec<Met> {
        met(&reports.map(|report| (report, Pieces::All)))
    }

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    const TR: &[u8; 20] = b"-TR4140-gb1po75ps1bq";
    const V4: &str = "192.0.2.7:51413";
    const V6: &str = "[2001:db8::7]:51413";

    #[test]
    fn the_same_id_and_port_is_the_same_client() {
        let other_port = "192.0.2.7:51414";
        assert_eq!(
            seeds([plain(V4, TR), plain(V6, TR), plain("198.51.100.7:51413", TR), plain(other_port, TR)]),
            [Met::New, Met::Again(at(V4)), Met::Again(at(V4)), Met::New]
        );
        // Also while it downloads, and at a port that both its endpoints name.
        let naming =
            |address: &str| peer(address, TR, ExtensionHandshake { port: Some(6881), ..ExtensionHandshake::default() });
        assert_eq!(
            met(&[(naming("192.0.2.7:2000"), Pieces::None), (naming("[2001:db8::7]:6881"), Pieces::All)]),
            [Met::New, Met::Again(at("192.0.2.7:2000"))]
        );
    }

    #[test]
    fn the_endpoint_that_says_something_counts_instead_of_the_mute_one() {
        let mute = |address: &str| mute(address, TR);
        assert_eq!(
            met(&[
                (mute(V4), Pieces::Unknown),
                (plain(V6, TR), Pieces::All),
                (mute("198.51.100.7:51413"), Pieces::Unknown),
                (plain("198.51.100.8:51413", TR), Pieces::All),
            ]),
            [Met::New, Met::Instead(at(V4)), Met::Again(at(V4)), Met::Again(at(V4))]
        );
    }

    #[test]
    fn a_client_is_believed_about_itself_where_the_other_endpoint_is_alike() {
        let own = |address: &str, id: &[u8; 20], ipv4: &str, ipv6: &str| {
            let (ipv4, ipv6) = (ipv4.parse().ok(), ipv6.parse().ok());
            peer(address, id, ExtensionHandshake { ipv4, ipv6, port: Some(51413), ..ExtensionHandshake::default() })
        };
        let (a, b) = (b"-XX0001-aaaaaaaaaaaa", b"-XX0001-bbbbbbbbbbbb");
        // The one that names the other comes second, or first.
        assert_eq!(seeds([plain(V4, a), own(V6, b, "192.0.2.7", "")]), [Met::New, Met::Again(at(V4))]);
        assert_eq!(seeds([own(V4, a, "", "2001:db8::7"), plain(V6, b)]), [Met::New, Met::Again(at(V4))]);
        // Not the same pieces, not the same client, not the same port.
        let reports = [(plain(V4, TR), Pieces::All), (own(V6, TR, "192.0.2.8", ""), Pieces::None)];
        assert_eq!(met(&[(plain(V4, a), Pieces::All), (own(V6, b, "192.0.2.7", ""), Pieces::None)])[1], Met::New);
        assert_eq!(met(&reports)[1], Met::Again(at(V4)));
        assert_eq!(seeds([plain(V4, TR), own(V6, b, "192.0.2.7", "")])[1], Met::New);
        assert_eq!(seeds([plain("192.0.2.7:1", a), own(V6, b, "192.0.2.7", "")])[1], Met::New);
        // Two behind routers that both name an address of their own network.
        let behind = [
            own("192.0.2.7:51413", TR, "192.168.1.2", ""),
            own("192.0.2.8:51413", b"-TR4140-bbbbbbbbbbbb", "192.168.1.2", ""),
        ];
        assert_eq!(seeds(behind), [Met::New, Met::New]);
    }

    #[test]
    fn with_an_id_for_each_connection_two_families_with_all_else_alike_may_be_one() {
        let (a, b, c, d) =
            (b"-LT2110-aaaaaaaaaaaa", b"-LT2110-bbbbbbbbbbbb", b"-LT2110-cccccccccccc", b"-LT2110-dddddddddddd");
        let (v4, v6) = ("192.0.2.8:51413", "[2001:db8::8]:51413");
        assert_eq!(seeds([plain(V4, a), plain(V6, b)]), [Met::New, Met::MaybeAgain(at(V4))]);
        // Two of each family are two clients at least.
        assert_eq!(
            seeds([plain(V4, a), plain(v4, b), plain(V6, c), plain(v6, d)]),
            [Met::New, Met::New, Met::MaybeAgain(at(v4)), Met::MaybeAgain(at(V4))]
        );
        assert_eq!(seeds([plain(V4, a), plain(V6, b), plain(v6, c)])[2], Met::New);
        // One family, another port, other pieces, another client.
        assert_eq!(seeds([plain(V4, a), plain(v4, b)])[1], Met::New);
        assert_eq!(seeds([plain(V4, a), plain("[2001:db8::7]:6881", b)])[1], Met::New);
        assert_eq!(met(&[(plain(V4, a), Pieces::All), (plain(V6, b), Pieces::None)])[1], Met::New);
        assert_eq!(seeds([plain(V4, a), plain(V6, b"-qB5300-bbbbbbbbbbbb")])[1], Met::New);
        // Clients that keep their id, and two ids.
        assert_eq!(seeds([plain(V4, TR), plain(V6, b"-TR4140-bbbbbbbbbbbb")])[1], Met::New);
        // Those that said nothing have nothing in common.
        assert_eq!(met(&[(mute(V4, a), Pieces::Unknown), (mute(V6, b), Pieces::Unknown)])[1], Met::New);
    }

    #[test]
    fn all_pieces_are_all_pieces_however_they_were_told() {
        let full = Pieces::Some { bitfield: peer_wire::Bitfield::full(12), by_have: 0, by_bitfield: true };
        let (a, b) = (b"-LT2110-aaaaaaaaaaaa", b"-LT2110-bbbbbbbbbbbb");
        assert_eq!(met(&[(plain(V4, a), Pieces::All), (plain(V6, b), full)])[1], Met::MaybeAgain(at(V4)));
    }
}
