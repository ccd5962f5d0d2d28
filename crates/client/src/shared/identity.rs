//! How others recognize the runs that go on at the same time: peer ids and the tracker key.

use crate::error::Error;
use crate::net::entropy;
use crate::shared::peer_ids::PeerIds;
use ids::PeerId;

/// What trackers know us by, the same for all of them and new each time; each peer sees a peer id of its own.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The peer id that trackers are told; each connection to a peer has another one.
    pub(crate) peer_id: PeerId,
    /// Our ids, the announced one included.
    pub(crate) peer_ids: PeerIds,
    pub(crate) key: u32,
}

impl Identity {
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn new() -> Result<Self, Error> {
        let peer_ids = PeerIds::new().map_err(Error::Entropy)?;
        let key = u32::from_be_bytes(entropy::bytes().map_err(Error::Entropy)?);
        Ok(Self { peer_id: peer_ids.draw(), peer_ids, key })
    }
}
