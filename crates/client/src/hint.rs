//! What an outcome may mean, as far as the evidence of one report tells: one sentence of the table in [`crate::explain`].

use crate::explain::{Cause, CodeKind, Explanation};
use crate::habits::throttles;
use crate::resolve::NOT_IN_DNS;
use crate::{LingerEnd, Outcome, PeerError, PeerReport, Tried};
use guard::Refusal;
use std::io::ErrorKind;

/// The sentence for a peer; `None` when there is nothing to add.
pub(crate) fn hint(report: &PeerReport) -> Option<&'static str> {
    Explanation::of(CodeKind::Outcome, report.outcome.code())?.cause(cause(report))
}

/// Which of its outcome's causes the report points to; `None` where the outcome has one sentence, or the report has no
/// evidence of any.
fn cause(report: &PeerReport) -> Option<Cause> {
    match report.outcome {
        Outcome::Ok => cause_after_handshake(report),
        Outcome::ClosedBeforeHandshake | Outcome::ShortHandshake => match report.encrypted {
            Some(_) => Some(Cause::ClosedBoth),
            None => Some(Cause::ClosedPlain),
        },
        Outcome::ResolveFailed => match &report.error {
            Some(PeerError::Resolve(error)) if error.kind() == NOT_IN_DNS => Some(Cause::Overlay),
            _ => Some(Cause::NoSuchName),
        },
        Outcome::InvalidAddress => match report.error {
            Some(PeerError::Refused(Refusal::NotOnAStrangersWord(_))) => Some(Cause::Untrusted),
            Some(PeerError::Refused(Refusal::PrivilegedPort { .. })) => Some(Cause::PrivilegedPort),
            _ => Some(Cause::NoHost),
        },
        Outcome::LocalLimit => match &report.error {
            // No error of the system's but one of ours.
            Some(PeerError::Connect(error)) if error.kind() == ErrorKind::Other => Some(Cause::FamilyNotChosen),
            _ => Some(Cause::Exhausted),
        },
        Outcome::NotTried => match report.error {
            Some(PeerError::Crowded { .. }) => Some(Cause::AddressQuota),
            _ => Some(Cause::RunEnded),
        },
        _ => None,
    }
}

fn cause_after_handshake(report: &PeerReport) -> Option<Cause> {
    let throttles = report.theirs.is_some_and(|theirs| throttles(theirs.peer_id));
    match (report.plaintext, report.encrypted, &report.lingered) {
        _ if !report.is_witness() => Some(if throttles { Cause::LeftAskedAgain } else { Cause::LeftAtOnce }),
        (Some(Tried::Refused), Some(Tried::Ok), _) if throttles => Some(Cause::AskedAgain),
        (Some(Tried::Refused), Some(Tried::Ok), _) => Some(Cause::WantsEncryption),
        (_, _, Some(LingerEnd::Violation(_))) => Some(Cause::Violation),
        (_, _, Some(LingerEnd::Budget)) => Some(Cause::Budget),
        (_, _, Some(LingerEnd::TooMuch { .. })) => Some(Cause::TooMuch),
        _ => None,
    }
}
