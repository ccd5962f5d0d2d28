//! The goodbye that every announce owes.

use super::Terms;
use super::conversation::{Written, transaction};
use super::report::TrackerStatus;
use super::target::Target;
use crate::connect::connect;
use ids::InfoHash;
use std::time::Duration;
use tokio::time::timeout;
use tracing::debug;
use tracker::{Announce, Event, Scheme};

/// Deadline for one goodbye.
const TIMEOUT: Duration = Duration::from_secs(4);

/// An announce to be taken back.
#[derive(Debug)]
pub(crate) struct Goodbye {
    target: Target,
    written: Written,
    info_hash: InfoHash,
    /// What the tracker wants to be told with it.
    tracker_id: Option<Vec<u8>>,
}

impl Goodbye {
    /// The goodbye owed for `written`; none where nothing was announced after all.
    pub(crate) fn owed(
        target: &Target,
        written: Written,
        info_hash: InfoHash,
        tracker_id: Option<Vec<u8>>,
    ) -> Option<Self> {
        let announced = written.session.as_ref().is_none_or(tracker_udp::Session::has_announced);
        announced.then(|| Self { target: target.clone(), written, info_hash, tracker_id })
    }

    /// Tells the tracker to forget us, at the address that was told of us. Best effort: whatever comes of it, the run is
    /// over.
    pub(crate) async fn say(self, terms: &Terms) {
        let shown = self.target.shown.clone();
        let ok = timeout(TIMEOUT, self.tell(terms)).await.is_ok_and(|told| told.is_ok());
        debug!(tracker = %shown, ok, "goodbye");
    }

    async fn tell(self, terms: &Terms) -> Result<(), TrackerStatus> {
        let Self { target, written: Written { address, session }, info_hash, tracker_id } = self;
        let announce =
            Announce { info_hash, event: Event::Stopped, numwant: Some(0), tracker_id, ..terms.announce.clone() };
        if let Some(mut session) = session {
            session.announce(&announce, transaction()?).await?;
            return Ok(());
        }
        let http = tracker_http::Client { timeout: TIMEOUT, ..tracker_http::Client::default() };
        let stream = connect(address, terms.bind).await?;
        if target.url.scheme() == Scheme::Https {
            let stream = terms.tls.connect(stream, target.url.host()).await?;
            http.announce(stream, &target.url, &announce).await?;
        } else {
            http.announce(stream, &target.url, &announce).await?;
        }
        Ok(())
    }
}
