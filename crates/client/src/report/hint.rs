//! What an outcome may mean, as far as the evidence of one report tells: one sentence of the table in [`crate::explain`].

use crate::net::resolve::NOT_IN_DNS;
use crate::report::explain::{Cause, CodeKind, Explanation};
use crate::report::outcome::Outcome;
use crate::report::peer::{EncryptedEnd, PeerError, PeerReport, Tried};
use guard::Refusal;
use peer_session::ListenEnd;
use peer_session::Looks;
use peer_session::throttles;
use peer_wire::ExtensionHandshake;
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
        Outcome::ClosedBeforeHandshake => Some(match report.encrypted_end() {
            Some(EncryptedEnd::Agreed) => Cause::ClosedAgreed,
            Some(EncryptedEnd::AfterItsKey) => Cause::ClosedAfterKey,
            Some(EncryptedEnd::BeforeItsKey) => Cause::ClosedBeforeKey,
            Some(EncryptedEnd::Silent | EncryptedEnd::Garbled) => Cause::ClosedBoth,
            None => Cause::ClosedPlain,
        }),
        Outcome::EncryptionFailed => report.encrypted_end().map(|end| match end {
            EncryptedEnd::Agreed => Cause::ClosedAgreed,
            EncryptedEnd::AfterItsKey => Cause::ClosedAfterKey,
            EncryptedEnd::BeforeItsKey => Cause::ClosedBeforeKey,
            EncryptedEnd::Silent => Cause::SilentToEncryption,
            EncryptedEnd::Garbled => Cause::GarbledEncryption,
        }),
        Outcome::NotBittorrent => Some(match report.looks() {
            Some(Looks::Messages) => Cause::Messages,
            Some(Looks::HighEntropy) => Cause::HighEntropy,
            _ => Cause::OtherService,
        }),
        Outcome::ResolveFailed => match &report.error {
            Some(PeerError::Resolve(error)) if error.kind() == NOT_IN_DNS => Some(Cause::Overlay),
            _ => Some(Cause::NoSuchName),
        },
        Outcome::InvalidAddress => match report.error {
            Some(PeerError::Refused(Refusal::NotAllowedFromUntrusted(_))) => Some(Cause::Untrusted),
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
        (_, _, Some(ListenEnd::Violation(_))) => Some(Cause::Violation),
        (_, _, Some(ListenEnd::Budget)) => Some(Cause::Budget),
        (_, _, Some(ListenEnd::TooMuch { .. })) => Some(Cause::TooMuch),
        _ if has_no_metadata(report) => Some(Cause::NoMetadata),
        _ => None,
    }
}

/// BEP 9: "metadata_size: an integer value specifying the number of bytes of the metadata". Who has the metadata names it;
/// eight clients that were given a magnet link offered `ut_metadata` without it. Private torrents have neither.
fn has_no_metadata(report: &PeerReport) -> bool {
    let offers = |extension: &ExtensionHandshake| {
        extension.extensions.contains_key("ut_metadata") && extension.metadata_size.is_none()
    };
    report.completeness.is_none_or(|told| told.have == 0) && report.extension.as_deref().is_some_and(offers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::outcome::Stage;
    use crate::report::outcome::Transport;
    use guard::Scope;
    use mse::Stage as MseStage;
    use peer_session::HandshakeFailure;
    use peer_session::NotBitTorrent;
    use peer_session::SecureFailure;
    use std::io;
    use std::time::Duration;
    use tracker::PeerAddress;

    fn report(outcome: Outcome, error: PeerError) -> PeerReport {
        let address = PeerAddress::Socket(([192, 0, 2, 7], 6881).into());
        PeerReport::unreached(address, Vec::new(), outcome, Stage::Handshake, Some(error))
    }

    #[test]
    fn a_client_that_still_fetches_the_metadata_is_told_by_its_offer_without_a_size() {
        let said = |names: &[&str], metadata_size: Option<u32>, have: Option<u32>| {
            let extensions = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
            let extension = ExtensionHandshake { extensions, metadata_size, ..ExtensionHandshake::default() };
            let address = PeerAddress::Socket(([192, 0, 2, 7], 6881).into());
            let met = PeerReport::unreached(address, Vec::new(), Outcome::Ok, Stage::Done, None);
            let completeness = have.map(|have| crate::report::peer::Completeness { have, pieces: 9 });
            has_no_metadata(&PeerReport { extension: Some(Box::new(extension)), completeness, ..met })
        };
        assert!(said(&["ut_metadata"], None, None) && said(&["ut_metadata", "ut_pex"], None, Some(0)));
        assert!(!said(&["ut_metadata"], Some(700), None) && !said(&["ut_metadata"], None, Some(9)));
        // A private torrent, whose metadata is offered to no peer.
        assert!(!said(&[], None, None));
    }

    fn closed(received: usize) -> PeerError {
        HandshakeFailure::Closed { received }.into()
    }

    fn bytes(beginning: &[u8]) -> PeerError {
        HandshakeFailure::from(NotBitTorrent::of(beginning)).into()
    }

    /// Each cause behind a code, and what its sentence says and does not say.
    #[test]
    fn each_cause_has_a_sentence_that_is_true_for_it() {
        let other = |error| PeerError::Connect(io::Error::other(error));
        let system = |errno: nix::errno::Errno| PeerError::Connect(io::Error::from_raw_os_error(errno as i32));
        let noise: Vec<u8> = (0..68_u8).map(|n| n.wrapping_mul(151).wrapping_add(129)).collect();
        for (outcome, error, says, never) in [
            (Outcome::NotTried, PeerError::Crowded { limit: 16 }, "--max-per-address", "the run ended"),
            (
                Outcome::InvalidAddress,
                Refusal::PrivilegedPort { lowest: 1024 }.into(),
                "we do not dial a port below 1024",
                "mistaken",
            ),
            (Outcome::InvalidAddress, Refusal::NotAllowedFromUntrusted(Scope::Private).into(), "--peer", "mistaken"),
            (Outcome::InvalidAddress, Refusal::PortZero.into(), "mistaken", "--peer"),
            (Outcome::InvalidAddress, Refusal::NotAHost(Scope::Multicast).into(), "mistaken", "--peer"),
            (Outcome::LocalLimit, other("no IPv6 source address was chosen"), "--bind", "ulimit"),
            (Outcome::LocalLimit, system(nix::errno::Errno::EMFILE), "ulimit", "--bind"),
            (Outcome::ClosedBeforeHandshake, closed(0), "requires encryption", "did not help"),
            (Outcome::ShortHandshake, closed(30), "broke off", "does not have the torrent"),
            (Outcome::NotBittorrent, bytes(b"HTTP/1.1 400 Bad Request"), "another service", "encryption"),
            (Outcome::NotBittorrent, bytes(b"\0\0\0\x05\x05\xff\xff\xff\xff"), "BiglyBT", "another service"),
            (Outcome::NotBittorrent, bytes(&noise), "--encryption require", "was told a wrong one"),
            (Outcome::ConnectRefused, system(nix::errno::Errno::ECONNREFUSED), "paused", "has the torrent"),
        ] {
            let report = report(outcome, error);
            let hint = report.hint().unwrap();
            assert!(hint.contains(says) && !hint.contains(never), "{:?}: {hint}", report.error);
        }
        let run_ended = PeerReport { error: None, ..report(Outcome::NotTried, closed(0)) };
        assert!(run_ended.hint().unwrap().contains("the run ended"), "{:?}", run_ended.hint());
    }

    fn at(stage: MseStage, received: usize) -> PeerError {
        PeerError::Secure(SecureFailure::Closed { stage, received })
    }

    fn reset(stage: MseStage, received: usize) -> PeerError {
        PeerError::Secure(SecureFailure::Broken { stage, received, source: io::ErrorKind::ConnectionReset.into() })
    }

    /// An error of the encrypted attempt, how far that came, what its hints have in common after plaintext and alone, and what
    /// each of the two says.
    type Case = (fn() -> PeerError, EncryptedEnd, [&'static str; 3], [&'static str; 2]);

    /// How far the encrypted attempt came, and what that means after plaintext and alone.
    #[test]
    fn the_encrypted_attempt_narrows_the_causes() {
        let (before, after) =
            (["full", "uTP only", "stopped"], ["stopped, queued or in checking", "speaks encryption", "full"]);
        let agreed = ["decrypted", "full", "stopped"];
        let ends: [Case; 9] = [
            (
                || at(MseStage::PublicKey, 0),
                EncryptedEnd::BeforeItsKey,
                before,
                ["turned us away", "closed before a word"],
            ),
            (
                || reset(MseStage::PublicKey, 0),
                EncryptedEnd::BeforeItsKey,
                before,
                ["or has another connection from our address", "closed before a word"],
            ),
            (
                || at(MseStage::PublicKey, 50),
                EncryptedEnd::Garbled,
                ["", "", ""],
                ["encryption did not help", "another service"],
            ),
            (
                || at(MseStage::Sync, 300),
                EncryptedEnd::AfterItsKey,
                after,
                ["does not serve this torrent", "does not serve this torrent"],
            ),
            (|| reset(MseStage::Sync, 96), EncryptedEnd::AfterItsKey, after, ["does not serve", "does not serve"]),
            (|| closed(0), EncryptedEnd::Agreed, agreed, ["it has the torrent", "it has the torrent"]),
            (|| at(MseStage::Negotiation, 110), EncryptedEnd::Agreed, agreed, ["has the torrent", "has the torrent"]),
            (|| reset(MseStage::Pad, 120), EncryptedEnd::Agreed, agreed, ["has the torrent", "has the torrent"]),
            (
                || PeerError::SecureTimeout(Duration::from_secs(10)),
                EncryptedEnd::Silent,
                ["", "", ""],
                ["encryption did not help", "waits for plaintext"],
            ),
        ];
        for (error, end, both, [after_plaintext, alone]) in ends {
            let encrypted = Some(Tried::Refused);
            let plain_too = PeerReport {
                encrypted,
                plaintext: encrypted,
                other_error: Some(error()),
                ..report(Outcome::ClosedBeforeHandshake, closed(0))
            };
            let required =
                PeerReport { encrypted, transport: Transport::Mse, ..report(Outcome::EncryptionFailed, error()) };
            for (report, says) in [(plain_too, after_plaintext), (required, alone)] {
                assert_eq!(report.encrypted_end(), Some(end), "{:?}", report.error);
                let hint = report.hint().unwrap();
                assert!(end != EncryptedEnd::Agreed || !hint.contains("not have"), "{hint}");
                assert!(hint.contains(says) && both.iter().all(|cause| hint.contains(cause)), "{end:?}: {hint}");
            }
        }
    }
}
