//! What became of a peer. The codes are a promise to scripts: never renamed.

use std::fmt;

/// The one end of a peer's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A valid handshake for the torrent asked about.
    Ok,
    /// A host name from a tracker that does not resolve.
    ResolveFailed,
    /// No TCP connection within the connect timeout.
    ConnectTimeout,
    /// The machine is there, nobody listens at the port.
    ConnectRefused,
    /// No way to the machine.
    ConnectUnreachable,
    /// The connection was reset while it was made.
    ConnectReset,
    /// Connected, then closed or reset with not one byte sent.
    ClosedBeforeHandshake,
    /// Closed or reset after fewer than 68 bytes that were right so far.
    ShortHandshake,
    /// Connected, then silence or a trickle past the deadline.
    HandshakeTimeout,
    /// The first bytes are something else.
    NotBittorrent,
    /// A valid handshake for another torrent.
    WrongInfoHash,
    /// Our own peer id came back: ourselves, or an echo service.
    OwnPeerId,
    /// Encryption was required and its handshake failed.
    EncryptionFailed,
    /// Port 0, no single host, or an address the policy refuses to dial.
    InvalidAddress,
    /// Our own machine refused: no descriptors, no ports. Never the peer's fault.
    LocalLimit,
    /// Our own machine has no way there: offline, no address of that family, or a VPN that is down. Never the peer's fault.
    NoRoute,
    /// In flight when the run's deadline or an interrupt came.
    Interrupted,
    /// The run's deadline or an interrupt came first.
    NotTried,
}

impl Outcome {
    /// All of them, in the order in which reports count them.
    pub const ALL: [Self; 18] = [
        Self::Ok,
        Self::ResolveFailed,
        Self::ConnectTimeout,
        Self::ConnectRefused,
        Self::ConnectUnreachable,
        Self::ConnectReset,
        Self::ClosedBeforeHandshake,
        Self::ShortHandshake,
        Self::HandshakeTimeout,
        Self::NotBittorrent,
        Self::WrongInfoHash,
        Self::OwnPeerId,
        Self::EncryptionFailed,
        Self::InvalidAddress,
        Self::LocalLimit,
        Self::NoRoute,
        Self::Interrupted,
        Self::NotTried,
    ];

    /// The code in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ResolveFailed => "resolve_failed",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectUnreachable => "connect_unreachable",
            Self::ConnectReset => "connect_reset",
            Self::ClosedBeforeHandshake => "closed_before_handshake",
            Self::ShortHandshake => "short_handshake",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::NotBittorrent => "not_bittorrent",
            Self::WrongInfoHash => "wrong_info_hash",
            Self::OwnPeerId => "own_peer_id",
            Self::EncryptionFailed => "encryption_failed",
            Self::InvalidAddress => "invalid_address",
            Self::LocalLimit => "local_limit",
            Self::NoRoute => "no_route",
            Self::Interrupted => "interrupted",
            Self::NotTried => "not_tried",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// How far an attempt came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for its turn.
    #[default]
    Queued,
    /// Looking up a host name.
    Resolve,
    /// Making a TCP connection.
    Connect,
    /// Connected, exchanging handshakes.
    Handshake,
    /// The peer's handshake has arrived.
    Done,
}

impl Stage {
    /// The code in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Done => "done",
        }
    }
}

/// What carried the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// TCP, in the clear.
    Tcp,
    /// TCP behind Message Stream Encryption.
    Mse,
}

impl Transport {
    /// The code in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Mse => "mse",
        }
    }
}
