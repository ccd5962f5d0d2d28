//! What there is to see: peers, a tracker that names them, and the torrent that leads to it.

use fake_swarm::torrent::SingleFile;
use fake_swarm::{ExtensionHandshake, FakeSwarm, FakeTracker, Peer, TrackerScript, message, peer_ip};
use tokio::runtime::Handle;
use xtask::scratch::write;
use xtask::shell::Result;

use super::Place;
use super::window::PATIENCE;

/// The torrent's file, as a case types it.
pub(super) const TORRENT: &str = "demo.torrent";

/// The name that it gives itself, where that does not matter.
pub(super) const NAME: &str = "demo.iso";

/// A swarm with its tracker.
pub(super) struct Lab {
    /// Until it is let go, which closes all its connections.
    pub(super) swarm: Option<FakeSwarm>,
    pub(super) tracker: FakeTracker,
}

impl Lab {
    /// Peers of these peers, and in the case's folder a torrent of this name.
    pub(super) fn new(place: &Place, name: &str, peers: impl IntoIterator<Item = Peer>) -> Result<Self> {
        let failed = |error: fake_swarm::Error| format!("the fake swarm: {error}");
        let torrent = SingleFile::new(name, 1 << 20);
        let peers: Vec<_> = peers.into_iter().zip(0..).map(|(peer, n)| (peer_ip(n), peer)).collect();
        let swarm = FakeSwarm::start(torrent.info_hash(), &peers).map_err(failed)?;
        let tracker = FakeTracker::start(TrackerScript::peers(swarm.endpoints())).map_err(failed)?;
        let url = tracker.announce_url();
        let torrent = SingleFile { announce: Some(&url), ..torrent };
        write(&place.folder.join(TORRENT), torrent.to_bytes())?;
        Ok(Self { swarm: Some(swarm), tracker })
    }

    /// Waits until the tracker has been told of this event.
    pub(super) fn told(&self, event: &str) -> Result {
        let told = self.tracker.wait_for(|request| request.event().as_deref() == Some(event), PATIENCE);
        if Handle::current().block_on(told) { Ok(()) } else { Err(format!("the tracker was not told `{event}`")) }
    }

    /// Waits until the peers have had so many connections, and so many bytes on them.
    pub(super) fn heard(&self, connections: usize, bytes: usize) -> Result {
        let Some(swarm) = &self.swarm else { return Err("the peers are gone".to_owned()) };
        let heard = swarm.wait_for(|counts| counts.accepted >= connections && counts.received >= bytes, PATIENCE);
        if Handle::current().block_on(heard) { Ok(()) } else { Err("the peers were not greeted".to_owned()) }
    }

    /// What the tracker was told, in order.
    pub(super) fn events(&self) -> Vec<String> {
        self.tracker.requests().iter().filter_map(fake_swarm::Request::event).collect()
    }
}

/// A seed with this client name that has nothing to add: listening to it ends after half a second.
pub(super) fn seed(client: &str) -> Peer {
    let says = ExtensionHandshake { v: Some(client), m: vec![("ut_metadata", 1)], ..Default::default() };
    Peer::default().sending([says.message(), message::have_all()])
}
