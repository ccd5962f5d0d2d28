//! The outcome of each pair of encryption policies, ours and a client's.

use serde_json::{Value, json};

/// What a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Plaintext and encryption.
    Both,
    /// Plaintext.
    Plaintext,
    /// Encryption.
    Encryption,
}

/// What we offer: the value of `--encryption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Plaintext, then encryption.
    PreferPlain,
    /// Encryption, then plaintext.
    Prefer,
    /// Encryption.
    Require,
    /// Plaintext.
    Off,
}

impl Policy {
    /// As the command line has it.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::PreferPlain => "prefer-plain",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::Off => "off",
        }
    }

    /// The outcome at a client that accepts this.
    pub(super) fn with(self, takes: Takes) -> Attempts {
        use Takes::{Both, Encryption, Plaintext};
        let (plain, rc4) = (|outcome| ("none", outcome), |outcome| ("rc4", outcome));
        let (refused, failed) = (plain("closed_before_handshake"), rc4("encryption_failed"));
        let attempts = match (self, takes) {
            (Self::PreferPlain | Self::Off, Both | Plaintext) => vec![plain("ok")],
            (Self::PreferPlain, Encryption) => vec![refused, rc4("ok")],
            (Self::Prefer | Self::Require, Both | Encryption) => vec![rc4("ok")],
            (Self::Prefer, Plaintext) => vec![failed, plain("ok")],
            (Self::Require, Plaintext) => vec![failed],
            (Self::Off, Encryption) => vec![refused],
        };
        let hints: &[_] = match (self, takes) {
            (Self::PreferPlain, Encryption) => &[Some("it refused plaintext and took encryption")],
            // One answers in plaintext, the other closes.
            (Self::Require, Plaintext) => &[Some("it speaks plaintext only"), Some("it speaks no encryption")],
            (Self::Off, Encryption) => &[Some("requires encryption")],
            _ => &[None],
        };
        Attempts { attempts, hints }
    }
}

/// What is said of the attempts at a client.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    /// The encryption and the outcome of each, in order; the last is the one that is reported.
    attempts: Vec<(&'static str, &'static str)>,
    /// Any one of these.
    hints: &'static [Option<&'static str>],
}

impl Attempts {
    /// The encryption and the outcome that are reported.
    pub(super) fn reported(&self) -> (&'static str, &'static str) {
        self.attempts.last().copied().unwrap_or_default()
    }

    /// As the line on the client has it, all of them over this transport: any one of these.
    pub(super) fn values(&self, transport: &'static str) -> impl Iterator<Item = Value> {
        let attempt =
            |(encryption, outcome): &_| json!({ "transport": transport, "encryption": encryption, "outcome": outcome });
        let attempts: Vec<Value> = self.attempts.iter().map(attempt).collect();
        let (encryption, outcome) = self.reported();
        self.hints.iter().map(move |hint| {
            json!({
                "outcome": outcome, "transport": transport, "encryption": encryption, "attempts": attempts, "hint": hint
            })
        })
    }
}
