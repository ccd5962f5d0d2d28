//! How one or two attempts at a peer, and what it said, become one report.

use crate::census::role::conclude;
use crate::dial::attempt::{Attempt, Progress};
use crate::dial::peer_error::{PeerError, text};
use crate::dial::terms::Facts;
use guard::Secrets;
use peer_session::Said;
use report::{
    AttemptReport, Completeness, ListenEnd, MatchedHash, Oddity, Outcome, PeerReport, Role, Source, Stage, Transport,
};
use tracker::PeerAddress;

/// The report of a peer's one or two attempts, and what it said. Its errors have no `secrets`; the rest has until it is
/// [concealed](conceal), because peers are compared first.
pub(crate) fn tell(
    mut last: Box<Attempt>,
    sources: Vec<Source>,
    torrent: &Facts,
    secrets: &Secrets,
) -> (PeerReport, Said) {
    let first = last.tried.first.take();
    let attempts = first.iter().chain([&last]).map(|attempt| attempt_report(attempt, secrets)).collect();
    let furthest = match first {
        Some(first) if first.says_more_than(&last) => first,
        _ => last,
    };
    let Attempt { tried, outcome, progress, error, .. } = *furthest;
    let address = PeerAddress::Socket(tried.address);
    let mut report = unreached(address, sources, outcome, progress.stage(), error.as_ref(), secrets);
    let Progress { connect, session, .. } = progress;
    let peer_session::Progress { handshake, theirs, received, said, listened, .. } = session;
    (report.encryption, report.attempts) = (tried.encryption, attempts);
    (report.connect, report.handshake) = (connect, handshake);
    (report.theirs, report.bytes_received) = (theirs, received);
    report.listen_end = listened.as_ref().map(listen_end);
    if let Some(peer_session::ListenEnd::Violation(_)) = &listened {
        report.error = report.error.or_else(|| listened.as_ref().map(|end| text(end, secrets)));
    }
    if outcome == Outcome::Ok {
        describe(&mut report, &said, torrent);
    }
    (report, said)
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

fn attempt_report(attempt: &Attempt, secrets: &Secrets) -> AttemptReport {
    let Attempt { tried, outcome, progress, error, .. } = attempt;
    let mut report = AttemptReport::new(Transport::Tcp, tried.encryption, *outcome, progress.stage());
    report.detail = error.as_ref().and_then(PeerError::detail);
    (report.connect, report.handshake) = (progress.connect, progress.session.handshake);
    report.error = error.as_ref().map(|error| text(error, secrets));
    report
}

/// Writes into the report of a valid handshake what the peer said, and what that makes it.
fn describe(report: &mut PeerReport, said: &Said, torrent: &Facts) {
    report.messages = said.messages;
    report.oddities = said.oddities.iter().filter_map(oddity).collect();
    report.matched_hash = report.theirs.map(|theirs| MatchedHash::of(&theirs, torrent.hashes));
    let pieces = torrent.pieces.get();
    (report.role, report.role_from) =
        conclude(said, report.theirs.and_then(|theirs| said.silence(theirs.peer_id)), pieces);
    let completeness = |pieces| Some(Completeness { have: said.pieces.count(pieces)?, pieces });
    // What a seed says that hides what it has is not what it has.
    report.completeness = pieces.filter(|_| report.role != Role::SuperSeed).and_then(completeness);
    report.extension.clone_from(&said.extension);
}

fn listen_end(end: &peer_session::ListenEnd) -> ListenEnd {
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

/// The codes of both are the same.
fn oddity(oddity: peer_session::Oddity) -> Option<Oddity> {
    oddity.code().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oddity_of_a_conversation_is_one_of_a_report() {
        let told: Vec<_> = peer_session::Oddity::ALL.into_iter().filter_map(oddity).collect();
        assert_eq!(told, Oddity::ALL);
    }
}
