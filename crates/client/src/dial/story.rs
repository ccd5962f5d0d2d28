//! How the attempts at a peer, and what it said, become one report.

use crate::dial::attempt::{Attempt, Beside, Progress};
use crate::dial::peer_context::TorrentInfo;
use crate::dial::peer_error::{PeerError, text};
use guard::Secrets;
use peer_session::Advertised;
use report::{AttemptReport, ListenEnd, MatchedHash, Outcome, PeerReport, Source, Stage};
use tracker::PeerAddress;

/// What is known of a peer that is not judged yet: its report without a role and without its extension handshake, and what it said.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) report: PeerReport,
    pub(crate) said: Advertised,
}

/// The story of a peer's attempts. Its errors have no `secrets`; the rest has until it is [concealed](conceal), because peers are
/// compared first.
pub(crate) fn tell(last: Box<Attempt>, sources: Vec<Source>, torrent: &TorrentInfo, secrets: &Secrets) -> Story {
    let mut attempts = Vec::with_capacity(1);
    last.and_earlier().for_each(|attempt| add_reports(attempt, secrets, &mut attempts));
    attempts.reverse();
    let furthest = furthest(last);
    let Attempt { request, outcome, progress, error, .. } = *furthest;
    let address = PeerAddress::Socket(request.address);
    let mut report = unreached(address, sources, outcome, progress.stage(), error.as_ref(), secrets);
    let Progress { transport, connect, session, .. } = progress;
    let peer_session::Progress { handshake, theirs, received, advertised: said, listened, .. } = session;
    (report.transport, report.encryption, report.attempts) = (transport, request.encryption, attempts);
    (report.connect, report.handshake) = (connect, handshake);
    (report.theirs, report.bytes_received) = (theirs, received);
    report.listen_end = listened.as_ref().map(listen_end);
    if let Some(peer_session::ListenEnd::Violation(_)) = &listened {
        report.error = report.error.or_else(|| listened.as_ref().map(|end| text(end, secrets)));
    }
    if outcome == Outcome::Ok {
        report.messages = said.messages;
        report.matched_hash = theirs.map(|theirs| MatchedHash::of(&theirs, torrent.hashes()));
    }
    Story { report, said }
}

/// A report of a peer that was never connected to.
pub(crate) fn unreached(
    address: PeerAddress,
    sources: Vec<Source>,
    outcome: Outcome,
    stage: Stage,
    error: Option<&PeerError>,
    secrets: &Secrets,
) -> PeerReport {
    let mut report = PeerReport::new(address, outcome, stage);
    report.sources = sources;
    report.detail = error.and_then(PeerError::detail);
    report.error = error.map(|error| text(error, secrets));
    report
}

/// Hides secrets in all that the peer says of itself, and in the name that a tracker gives it.
pub(crate) fn conceal(report: &mut PeerReport, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    if let PeerAddress::Host(name, _) = &mut report.address {
        *name = name.without(secrets);
    }
    if let Some(theirs) = &mut report.theirs {
        secrets.mask(&mut theirs.peer_id.0);
    }
    if let Some(extension) = &mut report.extension {
        extension.client = extension.client.as_ref().map(|v| secrets.conceal(v));
        let names = std::mem::take(&mut extension.extensions);
        extension.extensions = names.into_iter().map(|(name, id)| (secrets.conceal(&name), id)).collect();
    }
}

/// The attempt that says most of a peer.
fn furthest(mut last: Box<Attempt>) -> Box<Attempt> {
    let earlier = last.request.earlier.take().map(furthest);
    match earlier {
        Some(earlier) if earlier.is_more_informative_than(&last) => earlier,
        _ => last,
    }
}

/// Adds an attempt, the second of its transports first if both were tried: the list is reversed afterwards.
fn add_reports(attempt: &Attempt, secrets: &Secrets, to: &mut Vec<AttemptReport>) {
    let Attempt { request, outcome, progress, error, .. } = attempt;
    let mut report = AttemptReport::new(progress.transport, request.encryption, *outcome, progress.stage());
    report.detail = error.as_ref().and_then(PeerError::detail);
    (report.connect, report.handshake) = (progress.connect, progress.session.handshake);
    report.error = error.as_ref().map(|error| text(error, secrets));
    let Some(Beside { transport, failure }) = progress.beside.as_deref() else { return to.push(report) };
    let mut beside = AttemptReport::new(*transport, request.encryption, failure.outcome, Stage::Connect);
    (beside.detail, beside.error) = (failure.error.detail(), Some(text(&failure.error, secrets)));
    match progress.transport == request.transport {
        true => to.extend([beside, report]),
        false => to.extend([report, beside]),
    }
}

pub(crate) fn listen_end(end: &peer_session::ListenEnd) -> ListenEnd {
    use peer_session::ListenEnd::{Budget, Closed, Quiet, TimeUp, TooMuch, Violation};
    match end {
        Quiet => ListenEnd::Quiet,
        Closed => ListenEnd::Closed,
        Violation(_) => ListenEnd::Violation,
        Budget => ListenEnd::Budget,
        TooMuch { .. } => ListenEnd::TooMuch,
        TimeUp | _ => ListenEnd::TimeUp,
    }
}
