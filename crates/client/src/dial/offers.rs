//! Which extensions are offered to peers (BEP 10, 52). A new one is one more field here.

use crate::dial::attempt::DialRequest;
use crate::discovery::pex::inbox::{NamedCount, PexInbox};
use ids::InfoHash;
use peer_session::{Assembly, Extension, Extensions, LayerAssembly, Met, UtPex};
use peer_wire::{ExtensionHandshake, Handshake, Reserved};
use std::net::SocketAddr;
use std::time::Duration;

/// The extensions of a run's conversations.
#[derive(Debug)]
pub(crate) struct Offers {
    /// Of a link or an info-hash whose metadata is wanted.
    pub(crate) metadata: Option<Assembly<SocketAddr>>,
    /// Its piece layers, if they are wanted.
    pub(crate) layers: Option<LayerAssembly<SocketAddr>>,
    pub(crate) pex: Option<PexInbox>,
    /// How long a peer that sends metadata is listened to beyond the time of others: the run has a deadline.
    pub(crate) longest: Duration,
}

impl Offers {
    /// Whether peers are asked for metadata that is not there yet.
    pub(crate) fn wants_metadata(&self) -> bool {
        self.metadata.as_ref().is_some_and(|assembly| !assembly.is_over())
    }

    /// The hash to greet a peer by once more, after a conversation by the v1 hash: the v2 one of a hybrid torrent, if piece layers are
    /// wanted and its handshake says that it knows it (BEP 52). libtorrent answers by the v1 hash where encryption named it first,
    /// and where a link does.
    pub(crate) fn other_half(&self, theirs: &Handshake) -> Option<InfoHash> {
        let v2 = self.layers.as_ref()?.asks_by()?;
        (theirs.info_hash != v2 && theirs.reserved.contains(Reserved::V2_UPGRADE)).then_some(v2)
    }

    /// The extensions for one conversation, and where it is counted what peer exchange names in it; `ours` gives our end of it, which
    /// costs a system call.
    pub(crate) fn extensions(
        &self,
        request: &DialRequest,
        ours: impl FnOnce() -> Option<SocketAddr>,
        met: Met<'_>,
        named: &mut Option<NamedCount>,
    ) -> Extensions {
        let metadata = self.metadata.as_ref().filter(|_| self.wants_metadata());
        let metadata = metadata.map(|assembly| Box::new(assembly.with(request.address)) as Box<dyn Extension>);
        let layers = self.layers.as_ref().filter(|layers| layers.is_wanted());
        let layers =
            layers.map(|layers| Box::new(layers.with(request.address, met.theirs.info_hash)) as Box<dyn Extension>);
        let peer = (request.address, request.info_hash);
        let may_speak = |theirs: &ExtensionHandshake| theirs.extensions.get(UtPex::NAME).is_some_and(|&id| id != 0);
        let pex = self.pex.as_ref().filter(|_| !request.for_layers && met.extension.is_none_or(may_speak));
        let (pex, count) = pex.and_then(|pex| pex.listen(peer, ours(), &met)).unzip();
        *named = count;
        metadata.into_iter().chain(layers).chain(pex).fold(Extensions::default(), Extensions::with).within(self.longest)
    }
}
