//! What an outcome may mean, as far as the evidence of one report tells: one sentence of the table in [`crate::explain`].

use crate::attempt::AttemptReport;
use crate::explain::{Cause, CodeKind, Explanation};
use crate::outcome::{Detail, Outcome, Stage};
use crate::peer::{ListenEnd, PeerReport};
use crate::transport::Transport;
use peer_wire::ExtensionHandshake;

impl PeerReport {
    /// One sentence on what its outcome may mean, and what can be done; `None` if there is nothing to add.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Explanation::of(CodeKind::Outcome, self.outcome.code())?.cause(cause(self))
    }
}

/// Which of its outcome's causes the report points to; `None` where the outcome has one sentence, or the report has no
/// evidence of any.
fn cause(report: &PeerReport) -> Option<Cause> {
    let cause = match report.outcome {
        Outcome::Ok => return cause_after_handshake(report),
        Outcome::ConnectRefused | Outcome::ConnectTimeout => return cause_without_connection(report),
        Outcome::ClosedBeforeHandshake if report.attempts.iter().any(is_full) => Cause::Full,
        Outcome::ClosedBeforeHandshake => match report.encrypted_end() {
            // One that takes uTP only may accept TCP and close at once, whatever comes.
            None | Some(Detail::BeforeItsKey) if !report.was_tried_over(Transport::Utp) => Cause::ClosedTcp,
            None => Cause::ClosedPlain,
            Some(Detail::Agreed) => Cause::ClosedAgreed,
            Some(Detail::AfterItsKey) => Cause::ClosedAfterKey,
            Some(Detail::BeforeItsKey) => Cause::ClosedBeforeKey,
            Some(_) => Cause::ClosedBoth,
        },
        Outcome::EncryptionFailed => match report.encrypted_end()? {
            Detail::Agreed => Cause::ClosedAgreed,
            Detail::AfterItsKey => Cause::ClosedAfterKey,
            Detail::BeforeItsKey if !report.was_tried_over(Transport::Utp) => Cause::ClosedTcp,
            Detail::BeforeItsKey => Cause::ClosedBeforeKey,
            Detail::Silent => Cause::SilentToEncryption,
            _ => Cause::GarbledEncryption,
        },
        Outcome::NotBittorrent => match report.detail {
            Some(Detail::Messages) => Cause::Messages,
            Some(Detail::HighEntropy) => Cause::HighEntropy,
            _ => Cause::OtherService,
        },
        Outcome::ResolveFailed => match report.detail {
            Some(Detail::Overlay) => Cause::Overlay,
            _ => Cause::NoSuchName,
        },
        Outcome::InvalidAddress => match report.detail {
            Some(Detail::LocalAddress) => Cause::Untrusted,
            Some(Detail::PrivilegedPort) => Cause::PrivilegedPort,
            _ => Cause::NoHost,
        },
        Outcome::LocalLimit => match report.detail {
            Some(Detail::FamilyNotChosen) => Cause::FamilyNotChosen,
            _ => Cause::Exhausted,
        },
        _ => return None,
    };
    Some(cause)
}

/// By how TCP ended and how uTP did.
fn cause_without_connection(report: &PeerReport) -> Option<Cause> {
    let end =
        |transport| report.over(transport).filter(|attempt| attempt.was_made()).map(|attempt| attempt.outcome).last();
    let cause = match (end(Transport::Tcp).unwrap_or(report.outcome), end(Transport::Utp)) {
        _ if report.transport == Transport::Utp && !report.was_tried_over(Transport::Tcp) => Cause::RefusedUtp,
        (Outcome::ConnectRefused, Some(Outcome::ConnectRefused)) => Cause::RefusedBoth,
        (Outcome::ConnectRefused, Some(_)) => Cause::RefusedSilent,
        (Outcome::ConnectRefused, None) => Cause::RefusedTcp,
        (_, Some(Outcome::ConnectRefused)) => Cause::SilentRefused,
        (_, Some(_)) => Cause::SilentBoth,
        (_, None) => Cause::SilentTcp,
    };
    Some(cause)
}

fn is_full(attempt: &AttemptReport) -> bool {
    attempt.detail == Some(Detail::Full)
}

fn cause_after_handshake(report: &PeerReport) -> Option<Cause> {
    let throttles = is_biglybt(report);
    match report.listen_end {
        _ if !report.is_witness() => Some(if throttles { Cause::LeftAskedAgain } else { Cause::LeftAtOnce }),
        _ if report.is_utp_only() => {
            let closed = report.over(Transport::Tcp).any(|attempt| attempt.stage >= Stage::Handshake);
            Some(if closed { Cause::UtpAfterClose } else { Cause::UtpOnly })
        }
        _ if report.wants_encryption() => Some(if throttles { Cause::AskedAgain } else { Cause::WantsEncryption }),
        Some(ListenEnd::Violation) => Some(Cause::Violation),
        Some(ListenEnd::Budget) => Some(Cause::Budget),
        Some(ListenEnd::TooMuch) => Some(Cause::TooMuch),
        _ if has_no_metadata(report) => Some(Cause::NoMetadata),
        _ => None,
    }
}

/// BiglyBT turns away an address that was connected to it a moment ago, before the handshake or after it.
fn is_biglybt(report: &PeerReport) -> bool {
    report.theirs.is_some_and(|theirs| theirs.peer_id.0.starts_with(b"-BI"))
}

/// BEP 9: "metadata_size: an integer value specifying the number of bytes of the metadata". A client that has the metadata names
/// it; eight clients that were given a magnet link offered `ut_metadata` without it. Private torrents have neither.
fn has_no_metadata(report: &PeerReport) -> bool {
    let offers = |extension: &ExtensionHandshake| {
        extension.extensions.contains_key("ut_metadata") && extension.metadata_size.is_none()
    };
    report.completeness.is_none_or(|told| told.have == 0) && report.extension.as_deref().is_some_and(offers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Completeness;
    use crate::transport::Encryption;
    use tracker::PeerAddress;

    fn report(outcome: Outcome, detail: Option<Detail>) -> PeerReport {
        let address = PeerAddress::Socket(([192, 0, 2, 7], 6881).into());
        PeerReport { detail, ..PeerReport::new(address, outcome, Stage::Handshake) }
    }

    #[test]
    fn a_client_that_still_fetches_the_metadata_is_told_by_its_offer_without_a_size() {
        let said = |names: &[&str], metadata_size: Option<u32>, have: Option<u32>| {
            let extensions = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
            let extension = ExtensionHandshake { extensions, metadata_size, ..ExtensionHandshake::default() };
            let completeness = have.map(|have| Completeness { have, pieces: 9 });
            has_no_metadata(&PeerReport {
                extension: Some(Box::new(extension)),
                completeness,
                ..report(Outcome::Ok, None)
            })
        };
        assert!(said(&["ut_metadata"], None, None) && said(&["ut_metadata", "ut_pex"], None, Some(0)));
        assert!(!said(&["ut_metadata"], Some(700), None) && !said(&["ut_metadata"], None, Some(9)));
        // A private torrent, whose metadata is offered to no peer.
        assert!(!said(&[], None, None));
    }

    /// Each cause behind a code, and what its sentence says and does not say.
    #[test]
    fn each_cause_has_a_sentence_that_is_true_for_it() {
        use Detail::{FamilyNotChosen, HighEntropy, Http, LocalAddress, Messages, Overlay, PrivilegedPort};
        for (outcome, detail, says, never) in [
            (Outcome::AddressQuota, None, "--max-per-address", "the run ended"),
            (Outcome::NotTried, None, "the run ended", "--max-per-address"),
            (Outcome::ResolveFailed, None, "does not resolve", "Tor"),
            (Outcome::ResolveFailed, Some(Overlay), "Tor", "does not resolve"),
            (Outcome::InvalidAddress, Some(PrivilegedPort), "we do not dial a port below 1024", "mistaken"),
            (Outcome::InvalidAddress, Some(LocalAddress), "--peer", "mistaken"),
            (Outcome::InvalidAddress, None, "mistaken", "--peer"),
            (Outcome::LocalLimit, Some(FamilyNotChosen), "--interface", "ulimit"),
            (Outcome::LocalLimit, None, "ulimit", "--interface"),
            (Outcome::ClosedBeforeHandshake, None, "requires encryption", "did not help"),
            (Outcome::ShortHandshake, None, "broke off", "does not have the torrent"),
            (Outcome::NotBittorrent, Some(Http), "another service", "encryption"),
            (Outcome::NotBittorrent, None, "another service", "encryption"),
            (Outcome::NotBittorrent, Some(Messages), "BiglyBT", "another service"),
            (Outcome::NotBittorrent, Some(HighEntropy), "--encryption require", "was told a wrong one"),
            (Outcome::ConnectRefused, None, "paused", "has the torrent"),
        ] {
            let hint = report(outcome, detail).hint().unwrap();
            assert!(hint.contains(says) && !hint.contains(never), "{outcome} {detail:?}: {hint}");
        }
    }

    fn encrypted(outcome: Outcome, detail: Option<Detail>) -> AttemptReport {
        AttemptReport { detail, ..AttemptReport::new(Transport::Tcp, Encryption::Rc4, outcome, Stage::Handshake) }
    }

    /// How the encrypted attempt ended, how far it came, what its hints have in common after plaintext and alone, and what each
    /// of the two says.
    type Case = (Outcome, Option<Detail>, Detail, [&'static str; 3], [&'static str; 2]);

    /// A report of such attempts, over a transport each; the last that came furthest is the report's.
    fn tried(attempts: &[(Transport, Outcome, Option<Detail>)]) -> PeerReport {
        let stage = |outcome| match outcome {
            Outcome::Ok => Stage::Done,
            Outcome::ClosedBeforeHandshake | Outcome::EncryptionFailed => Stage::Handshake,
            _ => Stage::Connect,
        };
        let of = |&(transport, outcome, detail)| {
            let encryption = if outcome == Outcome::EncryptionFailed { Encryption::Rc4 } else { Encryption::None };
            AttemptReport { detail, ..AttemptReport::new(transport, encryption, outcome, stage(outcome)) }
        };
        let attempts: Vec<AttemptReport> = attempts.iter().map(of).collect();
        let furthest = attempts.iter().rev().max_by_key(|attempt| attempt.stage).unwrap();
        let (outcome, transport) = (furthest.outcome, furthest.transport);
        PeerReport { transport, attempts, ..report(outcome, None) }
    }

    #[test]
    fn what_was_tried_over_utp_is_no_guess() {
        use Detail::{AfterItsKey, BeforeItsKey, Full, Silent};
        use Outcome::{
            ClosedBeforeHandshake as Closed, ConnectRefused as Refused, ConnectTimeout as TimedOut, ConnectUnreachable,
            EncryptionFailed as Failed, Interrupted, NoUtpAnswer, Ok,
        };
        use Transport::{Tcp, Utp};
        let untried = "uTP only, which was not tried";
        for (attempts, says, never) in [
            (&[(Tcp, Refused, None)][..], untried, "TCP only"),
            (&[(Tcp, Refused, None), (Utp, Interrupted, None)], untried, "TCP only"),
            (&[(Tcp, Refused, None), (Utp, NoUtpAnswer, None)], "uTP brought no answer", "uTP only"),
            (&[(Tcp, Refused, None), (Utp, Refused, None)], "for TCP or uTP", "uTP only"),
            (&[(Utp, Refused, None), (Tcp, Refused, None)], "for TCP or uTP", "uTP only"),
            (&[(Utp, Refused, None)], "TCP only, which was not tried", "uTP only"),
            (&[(Utp, NoUtpAnswer, None)], "TCP only, which was not tried", "uTP only"),
            (&[(Tcp, TimedOut, None)], untried, "TCP and uTP alike"),
            (&[(Tcp, TimedOut, None), (Utp, NoUtpAnswer, None)], "TCP and uTP alike", "uTP only"),
            (&[(Tcp, TimedOut, None), (Utp, Refused, None)], "refused uTP", "uTP only"),
            (&[(Tcp, Closed, None)], untried, "encryption did not help"),
            (&[(Tcp, Closed, None), (Tcp, Failed, Some(BeforeItsKey))], untried, "encryption did not help"),
            (&[(Tcp, Closed, None), (Tcp, Failed, Some(AfterItsKey))], "speaks encryption", "uTP only"),
            (&[(Tcp, Closed, None), (Tcp, Failed, Some(Silent))], "encryption did not help", "uTP only"),
            (&[(Tcp, Closed, None), (Utp, Refused, None)], "requires encryption", "uTP only"),
            (
                &[(Tcp, Closed, None), (Tcp, Failed, Some(BeforeItsKey)), (Utp, NoUtpAnswer, None)],
                "encryption did not help",
                "uTP only",
            ),
            (
                &[(Tcp, Closed, None), (Tcp, Failed, Some(BeforeItsKey)), (Utp, Closed, Some(Full))],
                "it is full, as it said",
                "uTP only",
            ),
            (&[(Tcp, Failed, Some(BeforeItsKey))], untried, "did not help"),
            (&[(Tcp, Failed, Some(BeforeItsKey)), (Utp, Refused, None)], "speaks no encryption", "uTP only"),
            (&[(Tcp, Refused, None), (Utp, Ok, None)], "over uTP and not over TCP", "full"),
            (&[(Tcp, ConnectUnreachable, None), (Utp, Ok, None)], "over uTP and not over TCP", "full"),
            (&[(Tcp, Closed, None), (Utp, Ok, None)], "was full for a moment", "which was not tried"),
        ] {
            let hint = tried(attempts).hint().unwrap();
            assert!(hint.contains(says) && !hint.contains(never), "{attempts:?}: {hint}");
        }
        // Its TCP is unknown.
        assert_eq!(tried(&[(Utp, Ok, None)]).hint(), None);
        assert_eq!(tried(&[(Utp, NoUtpAnswer, None), (Tcp, Ok, None)]).hint(), None);
    }

    /// How far the encrypted attempt came, and what that means after plaintext and alone.
    #[test]
    fn the_encrypted_attempt_narrows_the_causes() {
        use Detail::{AfterItsKey, Agreed, BeforeItsKey, Garbled, Silent};
        use Outcome::{ClosedBeforeHandshake, EncryptionFailed};
        let before = ["full", "blocks our address", "stopped"];
        let after = ["stopped, queued or in checking", "speaks encryption", "full"];
        let agreed = ["decrypted", "full", "stopped"];
        let cases: [Case; 6] = [
            (EncryptionFailed, Some(BeforeItsKey), BeforeItsKey, before, ["turned us away", "closed before a word"]),
            (EncryptionFailed, Some(Garbled), Garbled, ["", "", ""], ["encryption did not help", "another service"]),
            (EncryptionFailed, Some(AfterItsKey), AfterItsKey, after, ["does not serve", "does not serve"]),
            (EncryptionFailed, Some(Agreed), Agreed, agreed, ["has the torrent", "has the torrent"]),
            (ClosedBeforeHandshake, None, Agreed, agreed, ["it has the torrent", "it has the torrent"]),
            (EncryptionFailed, Some(Silent), Silent, ["", "", ""], ["encryption did not help", "waits for plaintext"]),
        ];
        for (outcome, detail, end, both, [after_plaintext, alone]) in cases {
            let plain = AttemptReport::new(Transport::Tcp, Encryption::None, ClosedBeforeHandshake, Stage::Handshake);
            let utp = || AttemptReport::new(Transport::Utp, Encryption::None, Outcome::ConnectRefused, Stage::Connect);
            let attempts = vec![plain, encrypted(outcome, detail), utp()];
            let plain_too = PeerReport { attempts, ..report(ClosedBeforeHandshake, None) };
            let required = PeerReport {
                attempts: vec![encrypted(outcome, detail), utp()],
                encryption: Encryption::Rc4,
                ..report(outcome, detail)
            };
            for (report, says) in [(plain_too, after_plaintext), (required, alone)] {
                assert_eq!(report.encrypted_end(), Some(end));
                let hint = report.hint().unwrap();
                assert!(end != Agreed || !hint.contains("not have"), "{hint}");
                assert!(hint.contains(says) && both.iter().all(|cause| hint.contains(cause)), "{end:?}: {hint}");
            }
        }
    }
}
