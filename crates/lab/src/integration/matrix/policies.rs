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
        let (outcome, transport, plaintext, encrypted) = match (self, takes) {
            (Self::PreferPlain | Self::Off, Both | Plaintext) => ("ok", "tcp", Some("ok"), None),
            (Self::PreferPlain, Encryption) => ("ok", "mse", Some("refused"), Some("ok")),
            (Self::Prefer | Self::Require, Both | Encryption) => ("ok", "mse", None, Some("ok")),
            (Self::Prefer, Plaintext) => ("ok", "tcp", Some("ok"), Some("refused")),
            (Self::Require, Plaintext) => ("encryption_failed", "mse", None, Some("refused")),
            (Self::Off, Encryption) => ("closed_before_handshake", "tcp", Some("refused"), None),
        };
        let hints: &[_] = match (self, takes) {
            (Self::PreferPlain, Encryption) => &[Some("it refused plaintext and took encryption")],
            // One answers in plaintext, the other closes.
            (Self::Require, Plaintext) => &[Some("it speaks plaintext only"), Some("it speaks no encryption")],
            (Self::Off, Encryption) => &[Some("requires encryption")],
            _ => &[None],
        };
        Attempts { outcome, transport, plaintext, encrypted, hints }
    }
}

/// What is said of the attempts at a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts {
    pub(super) outcome: &'static str,
    pub(super) transport: &'static str,
    plaintext: Option<&'static str>,
    encrypted: Option<&'static str>,
    /// Any one of these.
    hints: &'static [Option<&'static str>],
}

impl Attempts {
    /// As the line on the client has it: any one of these.
    pub(super) fn values(self) -> impl Iterator<Item = Value> {
        let Self { outcome, transport, plaintext, encrypted, hints } = self;
        hints.iter().map(move |hint| {
            json!({
                "outcome": outcome, "transport": transport, "plaintext": plaintext, "encrypted": encrypted, "hint": hint
            })
        })
    }
}
