//! The goodbye that every announce owes.

use super::Terms;
use super::conversation::{Answer, Stream, Written, transaction};
use super::status::TrackerStatus;
use super::target::Target;
use crate::Limits;
use crate::connect::connect;
use ids::InfoHash;
use tokio::time::timeout;
use tracing::debug;
use tracker::{Announce, Event, Scheme, TrackerUrl};

/// An announce to be taken back.
#[derive(Debug)]
pub(crate) struct Goodbye {
    target: Target,
    written: Written,
    info_hash: InfoHash,
    /// Whether the announce was answered.
    answered: bool,
    /// What the tracker wants to be told with it.
    tracker_id: Option<Vec<u8>>,
}

impl Goodbye {
    /// The goodbye owed for `written`, to which `answer` came; none where nothing was announced after all.
    pub(crate) fn owed(
        target: &Target,
        written: Written,
        info_hash: InfoHash,
        answer: Option<&Answer>,
    ) -> Option<Self> {
        let announced = match &written.session {
            Some(session) => session.has_announced(),
            None => target.only.is_none() || target.url.target().contains("event=started"),
        };
        let tracker_id = answer.and_then(Answer::tracker_id).map(<[u8]>::to_vec);
        announced.then(|| Self { target: target.clone(), written, info_hash, answered: answer.is_some(), tracker_id })
    }

    /// Whether the announce was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    /// Tells the tracker to forget us, at the address that was told of us. Best effort: whatever comes of it, the run is
    /// over.
    pub(crate) async fn say(self, terms: &Terms) {
        let shown = self.target.shown.clone();
        let ok = timeout(terms.limits.goodbye_time, self.tell(terms)).await.is_ok_and(|told| told.is_ok());
        debug!(tracker = %shown, ok, "goodbye");
    }

    async fn tell(self, terms: &Terms) -> Result<(), TrackerStatus> {
        let Self { target, written: Written { address, session }, info_hash, tracker_id, .. } = self;
        let announce = Announce {
            info_hash,
            event: Event::Stopped,
            numwant: Some(0),
            tracker_id: tracker_id.as_deref(),
            ..terms.announce
        };
        let _visit = terms.visit(target.policy, address).await;
        if let Some(mut session) = session {
            session.announce(&announce, transaction()?).await?;
            return Ok(());
        }
        let stream = connect(address, terms.bind).await?;
        if target.url.scheme() == Scheme::Https {
            let stream = terms.tls.connect(stream, target.url.host(), terms.limits.goodbye_time).await?;
            say_over(stream, &target, &announce, terms.limits).await
        } else {
            say_over(stream, &target, &announce, terms.limits).await
        }
    }
}

async fn say_over(
    stream: impl Stream,
    target: &Target,
    announce: &Announce<'_>,
    limits: Limits,
) -> Result<(), TrackerStatus> {
    let http =
        tracker_http::Client { timeout: limits.goodbye_time, limits: limits.reply, ..tracker_http::Client::default() };
    let mut connection = http.over(stream).await?;
    match target.only {
        None => connection.announce(&target.url, announce).await?,
        Some(_) => connection.announce_as_written(&stopped(&target.url)?).await?,
    };
    Ok(())
}

/// Where a redirect led to with `started`, what it leads to with `stopped`. Without a word of either nobody has counted us.
fn stopped(url: &TrackerUrl) -> Result<TrackerUrl, TrackerStatus> {
    url.expose().replacen("event=started", "event=stopped", 1).parse().map_err(TrackerStatus::from)
}
