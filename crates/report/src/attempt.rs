//! One attempt at a peer: how it was made and how it ended.

use crate::outcome::{Detail, Outcome, Stage};
use crate::transport::{Encryption, Transport};
use serde::Serialize;
use std::time::Duration;

/// One connection that was tried, of up to four to a peer: over TCP and over uTP, each in the clear and encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AttemptReport {
    /// What carried its bytes
    pub transport: Transport,
    /// How they were encrypted; `header` is an encrypted handshake with a plaintext stream behind it, which no peer chooses so
    /// far, because RC4 alone is offered
    pub encryption: Encryption,
    /// How it ended; `connect_timeout` also of TCP that was silent until uTP answered
    pub outcome: Outcome,
    /// What was seen beyond the outcome, where it tells causes apart: what the bytes look like, how far an encrypted handshake
    /// came, why the address is not dialled
    #[serde(skip)]
    pub detail: Option<Detail>,
    /// How far it came
    pub stage: Stage,
    /// Time to connect
    #[serde(skip)]
    pub connect: Option<Duration>,
    /// From the connection to the peer's whole handshake
    #[serde(skip)]
    pub handshake: Option<Duration>,
    /// The raw cause of a failure
    pub error: Option<String>,
}

impl AttemptReport {
    /// An attempt that ended so, and of which nothing else is known.
    #[must_use]
    pub fn new(transport: Transport, encryption: Encryption, outcome: Outcome, stage: Stage) -> Self {
        Self { transport, encryption, outcome, detail: None, stage, connect: None, handshake: None, error: None }
    }

    /// Whether it ended as it does with peers that want it otherwise, with or without encryption: closed without the word that
    /// the peer is full, or answered with something unreadable.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        match self.outcome {
            Outcome::ClosedBeforeHandshake => self.detail != Some(Detail::Full),
            Outcome::ShortHandshake | Outcome::EncryptionFailed => true,
            Outcome::NotBittorrent => self.detail == Some(Detail::HighEntropy),
            _ => false,
        }
    }

    /// Whether the peer, or the way to it, decided how it ended, and not our own machine or the end of the run.
    #[must_use]
    pub fn was_made(&self) -> bool {
        !matches!(
            self.outcome,
            Outcome::LocalLimit | Outcome::NoRoute | Outcome::Interrupted | Outcome::NotTried | Outcome::AddressQuota
        )
    }

    /// How far its encrypted handshake came, which tells a peer that does not serve the torrent from one that turns everything
    /// away: `before_its_key`, `after_its_key`, `agreed`, `silent` or `garbled`. `None` of an attempt in the clear, and of one
    /// that did not connect, was cut short or did not fail.
    #[must_use]
    pub fn encrypted_end(&self) -> Option<Detail> {
        match self.outcome {
            _ if !self.encryption.is_encrypted() || self.stage < Stage::Handshake => None,
            Outcome::Ok | Outcome::Interrupted => None,
            Outcome::EncryptionFailed => self.detail,
            // Encryption was agreed on, and no handshake came through it.
            _ => Some(Detail::Agreed),
        }
    }
}
