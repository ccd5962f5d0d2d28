//! What the codes of reports mean: one table for the hints of peers, the command's `explain`, its manual page and the
//! reference.
//!
//! A code says what was *seen*. What may be behind it is a list of causes; a [`Cause`] that the evidence of one report
//! points to is that report's hint.

mod dht;
mod exchange;
mod metadata;
mod outcomes;
mod roles;
mod trackers;
mod verdicts;
mod web_seeds;

/// What a code is a code of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CodeKind {
    /// `outcome` of a peer: [`Outcome`](crate::Outcome).
    Outcome,
    /// `status` of a tracker: [`TrackerStatus`](crate::TrackerStatus).
    TrackerStatus,
    /// `role` of a peer: [`Role`](crate::Role).
    Role,
    /// `verdict` of a summary: [`Verdict`](crate::Verdict).
    Verdict,
    /// `status` of a web seed: [`WebSeedStatus`](crate::WebSeedStatus).
    WebSeedStatus,
    /// One of the `quirks` of a web seed: [`WebSeedQuirk`](crate::WebSeedQuirk).
    WebSeedQuirk,
    /// `status` of a lookup in the DHT: [`DhtStatus`](crate::DhtStatus).
    DhtStatus,
    /// `status` of a node of the DHT: [`DhtNodeStatus`](crate::DhtNodeStatus).
    DhtNodeStatus,
    /// `status` of the metadata of a link: [`MetadataStatus`](crate::MetadataStatus).
    MetadataStatus,
    /// `standing` of a peer that was asked for metadata: [`MetadataStanding`](crate::MetadataStanding).
    MetadataStanding,
}

/// One code, explained.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What it is a code of.
    pub kind: CodeKind,
    /// The code, as reports have it.
    pub code: &'static str,
    /// The same in two or three words, for a list with counts: `31 timed out`.
    pub words: &'static str,
    /// What was seen; one sentence without a full stop.
    pub seen: &'static str,
    causes: Causes,
    /// What the user can do; a sentence without a full stop.
    pub to_do: &'static str,
}

/// What may be behind a code.
#[derive(Clone, Copy, Debug)]
enum Causes {
    /// One sentence on all that is known.
    One(&'static str),
    /// A sentence for each that evidence tells from the others.
    Several(&'static [(Cause, &'static str)]),
}

/// What may be behind a code, where the evidence of a report tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// TCP refused, unreachable or silent, uTP taken.
    UtpOnly,
    /// TCP closed, uTP taken.
    UtpAfterClose,
    /// Refused over TCP; uTP was not tried.
    RefusedTcp,
    /// Refused over both.
    RefusedBoth,
    /// Refused over TCP, no answer over uTP.
    RefusedSilent,
    /// Refused over uTP; TCP was not tried.
    RefusedUtp,
    /// Silent over TCP; uTP was not tried.
    SilentTcp,
    /// Silent over both.
    SilentBoth,
    /// Silent over TCP, refused over uTP.
    SilentRefused,
    /// Plaintext refused, encryption taken.
    WantsEncryption,
    /// The same of BiglyBT, which was seen to do so without requiring it.
    AskedAgain,
    /// A valid handshake, and then not a word.
    LeftAtOnce,
    /// The same of BiglyBT.
    LeftAskedAgain,
    /// A valid handshake, and then a violation of the protocol.
    Violation,
    /// Memory for what peers send was full.
    Budget,
    /// More was sent than is listened to.
    TooMuch,
    /// Closed, with the word that it is full.
    Full,
    /// Closed before a byte; uTP was not tried.
    ClosedTcp,
    /// Closed, and no encrypted attempt was made.
    ClosedPlain,
    /// Closed, and the encrypted attempt failed too, in a way that tells nothing more.
    ClosedBoth,
    /// Closed, and in the encrypted attempt after its key.
    ClosedAfterKey,
    /// Closed, and in the encrypted attempt after it had shown that it knows the torrent.
    ClosedAgreed,
    /// Closed, and in the encrypted attempt before a byte.
    ClosedBeforeKey,
    /// Encryption alone was tried: silence.
    SilentToEncryption,
    /// Encryption alone was tried: nothing that makes sense.
    GarbledEncryption,
    /// Messages without a handshake.
    Messages,
    /// Random bytes.
    HighEntropy,
    /// Bytes of something else.
    OtherService,
    /// A host name that does not resolve.
    NoSuchName,
    /// A host name of Tor or I2P.
    Overlay,
    /// An address that an untrusted source may not name.
    Untrusted,
    /// Metadata offered, and not there yet.
    NoMetadata,
    /// Too low a port for an untrusted source.
    PrivilegedPort,
    /// No address of a single machine.
    NoHost,
    /// The user chose no source address of its family.
    FamilyNotChosen,
    /// No descriptors, ports or threads.
    Exhausted,
    /// Sizes were compared, and no bytes.
    BySize,
    /// A web seed of the kind that few clients ask (BEP 17).
    FewClients,
}

impl CodeKind {
    /// As the JSON calls it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::TrackerStatus
            | Self::WebSeedStatus
            | Self::DhtStatus
            | Self::DhtNodeStatus
            | Self::MetadataStatus => "status",
            Self::MetadataStanding => "standing",
            Self::Role => "role",
            Self::Verdict => "verdict",
            Self::WebSeedQuirk => "quirks",
        }
    }

    /// In words: `outcome of a peer`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Outcome => "outcome of a peer",
            Self::TrackerStatus => "status of a tracker",
            Self::Role => "role of a peer",
            Self::Verdict => "verdict on a torrent",
            Self::WebSeedStatus => "status of a web seed",
            Self::WebSeedQuirk => "quirk of a web seed",
            Self::DhtStatus => "status of a lookup in the DHT",
            Self::DhtNodeStatus => "status of a node of the DHT",
            Self::MetadataStatus => "status of metadata",
            Self::MetadataStanding => "standing of a peer with metadata",
        }
    }
}

impl Explanation {
    /// All codes, by kind.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let of_peers = [verdicts::TABLE, outcomes::TABLE, roles::TABLE];
        let of_sources = [trackers::TABLE, web_seeds::TABLE, web_seeds::QUIRKS, dht::TABLE, dht::NODES];
        let of_metadata = [metadata::TABLE, metadata::STANDINGS];
        of_peers.into_iter().chain(of_sources).chain(of_metadata).flatten()
    }

    /// The explanation of one code of this kind; `None` for a code that there is not.
    #[must_use]
    pub fn of(kind: CodeKind, code: &str) -> Option<&'static Self> {
        Self::all().find(|explanation| explanation.kind == kind && explanation.code == code)
    }

    /// What may be behind it, a sentence each.
    pub fn causes(&self) -> impl Iterator<Item = &'static str> {
        let (one, several): (_, &[_]) = match self.causes {
            Causes::One(sentence) => (Some(sentence), &[]),
            Causes::Several(list) => (None, list),
        };
        one.into_iter().chain(several.iter().map(|(_, sentence)| *sentence))
    }

    /// The sentence on one cause; of a code with one sentence, that one.
    pub(crate) fn cause(&self, cause: Option<Cause>) -> Option<&'static str> {
        match self.causes {
            Causes::One(sentence) => Some(sentence),
            Causes::Several(list) => list.iter().find(|(of, _)| Some(*of) == cause).map(|(_, sentence)| *sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dht::{DhtNodeStatus, DhtStatus};
    use crate::metadata::{MetadataStanding, MetadataStatus};
    use crate::outcome::Outcome;
    use crate::role::Role;
    use crate::status::TrackerStatus;
    use crate::verdict::Verdict;
    use crate::web_seed::{WebSeedQuirk, WebSeedStatus};
    use std::collections::BTreeSet;

    fn codes(kind: CodeKind) -> Vec<&'static str> {
        Explanation::all().filter(|entry| entry.kind == kind).map(|entry| entry.code).collect()
    }

    #[test]
    fn every_code_is_explained_once() {
        assert_eq!(codes(CodeKind::Outcome), Outcome::ALL.map(Outcome::code));
        assert_eq!(codes(CodeKind::Role), Role::ALL.map(Role::code));
        assert_eq!(codes(CodeKind::Verdict), Verdict::ALL.map(Verdict::code));
        assert_eq!(codes(CodeKind::TrackerStatus), TrackerStatus::ALL.map(TrackerStatus::code));
        assert_eq!(codes(CodeKind::WebSeedStatus), WebSeedStatus::ALL.map(WebSeedStatus::code));
        assert_eq!(codes(CodeKind::WebSeedQuirk), WebSeedQuirk::ALL.map(WebSeedQuirk::code));
        assert_eq!(codes(CodeKind::DhtStatus), DhtStatus::ALL.map(DhtStatus::code));
        assert_eq!(codes(CodeKind::DhtNodeStatus), DhtNodeStatus::ALL.map(DhtNodeStatus::code));
        assert_eq!(codes(CodeKind::MetadataStatus), MetadataStatus::ALL.map(MetadataStatus::code));
        assert_eq!(codes(CodeKind::MetadataStanding), MetadataStanding::ALL.map(MetadataStanding::code));
        let all: Vec<_> = Explanation::all().map(|entry| (entry.kind, entry.code)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn sentences_are_clauses_that_can_be_put_together() {
        for entry in Explanation::all() {
            let texts = [entry.words, entry.seen, entry.to_do].into_iter().chain(entry.causes());
            for text in texts {
                assert!(!text.is_empty() && !text.ends_with('.') && text.trim() == text, "{}: {text:?}", entry.code);
                assert!(!text.contains("  ") && text.is_ascii(), "{}: {text:?}", entry.code);
            }
            assert!(entry.words.len() <= 32, "{}", entry.code);
        }
    }
}
