//! What every source has in common: what it finds, how busy it is, and how it ends.

use crate::discovery::peers::Added;
use crate::membership::{Membership, Remembered};
use crate::torrent_ref::Proof;
use guard::AddressPolicy;
use ids::InfoHash;
use metainfo::Torrent;
use report::{DhtReport, Source, TrackerReport, WebSeedReport};
use std::collections::HashSet;
use std::fmt;
use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tracker::{Peer, PeerAddress};

/// What a source has found in one step: an answer, or the failure to get one.
#[derive(Debug)]
pub(crate) enum Found {
    /// Peers, perhaps none.
    Peers(NamedPeers),
    /// A web seed has been checked, or will not be. It has the files themselves and names no peers.
    WebSeed(Box<WebSeedReport>),
    /// A lookup in the DHT has ended, or there will be none. Its peers were told as they came.
    Dht(Box<DhtReport>),
}

/// The peers of one step.
#[derive(Debug)]
pub(crate) struct NamedPeers {
    /// Each may be known already, or be this run itself.
    pub(crate) peers: Vec<Peer>,
    /// Those of them that are said to take uTP.
    pub(crate) takes_utp: HashSet<SocketAddr>,
    pub(crate) source: Source,
    /// Which addresses this source may have us dial.
    pub(crate) policy: AddressPolicy,
    /// The info-hash that it found them under.
    pub(crate) info_hash: InfoHash,
    /// Addresses of this machine that were seen on the way. Together with our port they are no peers.
    pub(crate) own_addresses: Vec<IpAddr>,
    /// Of the announce or scrape; `None` for peers that were given.
    pub(crate) report: Option<Box<TrackerReport>>,
}

impl NamedPeers {
    /// By the tracker that is shown so.
    pub(crate) fn by_tracker(shown: Arc<str>, named: Remembered) -> Self {
        let Remembered { info_hash, reached, own, peers } = named;
        Self {
            peers,
            takes_utp: HashSet::new(),
            source: Source::Tracker(shown),
            // A tracker that was not reached has named no peer.
            policy: reached.map_or(AddressPolicy::Author, AddressPolicy::for_peers_of),
            info_hash,
            own_addresses: own,
            report: None,
        }
    }
}

/// What a source is doing, the least demanding first: of several sources the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Activity {
    /// It has nothing left to ask or to tell.
    Idle,
    /// All that is open waits for answers that are late. The run may go on for long and needs little.
    AwaitsAnswers,
    /// All that is open waits, some of it for a permit or the pace: the run's deadline is put off meanwhile.
    AwaitsTurn,
    /// Anything else.
    Busy,
}

/// A source of peers, or of the files themselves. When the run ends, the [`Stopped`](crate::net::stop::Stopped) that it was made
/// with is set: then it cancels what it has begun, and begins nothing more.
pub(crate) trait PeerSource: fmt::Debug + Send + Sync {
    /// The next step's result; `None` when nothing is left to do. May be cancelled without losing anything.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Found>>;

    /// Says what it is doing now. A change that does not come with a result is notified, see
    /// [`Discovery::changed`](crate::discovery::Discovery::changed).
    fn activity(&self) -> Activity;

    /// Nodes of the DHT that have answered so far; `None` where no lookup has begun.
    fn nodes_answered(&self) -> Option<usize> {
        None
    }

    /// The torrent has turned out to be private: from now on BEP 27 holds, by which its peers come from its trackers alone, and
    /// from one of these at a time.
    fn keep_to_private_rules(&mut self);

    /// The torrent that a link or an info-hash stands for has become known.
    fn learn(&mut self, _torrent: &Torrent) {}

    /// A piece by which web seeds can prove that they have the bytes, of the torrent that is about to be [learned](Self::learn).
    fn prove_by(&mut self, _proof: Proof) {}

    /// A peer says that it has a node of the DHT here (PORT, BEP 5).
    fn learn_node(&mut self, _node: SocketAddr) {}

    /// Nothing more will become known, and the run is over once no source has anything left: what has waited for the torrent ends.
    fn stop_waiting(&mut self) {}

    /// Ends it, and gives what it is to trackers from then on.
    fn pause(self: Box<Self>) -> Pin<Box<dyn Future<Output = Option<Membership>> + Send>> {
        Box::pin(ready(None))
    }
}

/// Counts a peer in the report of the tracker that named it.
pub(crate) fn count(report: &mut TrackerReport, address: &PeerAddress, added: Added) {
    match added {
        Added::New | Added::Duplicate => report.peers.iter_mut().for_each(|named| named.count(address)),
        Added::LeftOut => report.left_out += 1,
        Added::Ourselves => {}
    }
}
