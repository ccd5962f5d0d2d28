//! Which extensions are offered to peers (BEP 10). A new one is one more field here.

use crate::dial::attempt::DialRequest;
use crate::discovery::pex::inbox::{NamedCount, PexInbox};
use peer_session::{Assembly, Extension, Extensions, Met};
use std::net::SocketAddr;
use std::time::Duration;

/// The extensions of a run's conversations.
#[derive(Debug)]
pub(crate) struct Offers {
    /// Of a link or an info-hash whose metadata is wanted.
    pub(crate) metadata: Option<Assembly<SocketAddr>>,
    pub(crate) pex: Option<PexInbox>,
    /// How long a peer that sends metadata is listened to beyond the time of others: the run has a deadline.
    pub(crate) longest: Duration,
}

impl Offers {
    /// Whether peers are asked for metadata that is not there yet.
    pub(crate) fn wants_metadata(&self) -> bool {
        self.metadata.as_ref().is_some_and(|assembly| !assembly.is_over())
    }

    /// The extensions for one conversation, and where it is counted what peer exchange names in it; `ours` is our end of it.
    pub(crate) fn extensions(
        &self,
        request: &DialRequest,
        ours: Option<SocketAddr>,
        met: Met,
        named: &mut Option<NamedCount>,
    ) -> Extensions {
        let metadata = self.metadata.as_ref().filter(|_| self.wants_metadata());
        let metadata = metadata.map(|assembly| Box::new(assembly.with(request.address)) as Box<dyn Extension>);
        let peer = (request.address, request.info_hash);
        let (pex, count) = self.pex.as_ref().and_then(|pex| pex.listen(peer, ours, &met)).unzip();
        *named = count;
        metadata.into_iter().chain(pex).fold(Extensions::default(), Extensions::with).within(self.longest)
    }
}
