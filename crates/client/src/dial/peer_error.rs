//! Why a peer failed, with the causes; its report has them as text.

use crate::net::resolve::NOT_IN_DNS;
use guard::{ErrorChain, Refusal, Secrets};
use peer_session::{HandshakeFailure, SecureFailure, Sniffed};
use report::Detail;
use std::io;
use std::time::Duration;

/// The raw cause of a peer's failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    /// The look-up failed.
    #[error("host name does not resolve")]
    Resolve(#[source] io::Error),
    /// The address is not dialled.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// As many others at its address are dialled as may be.
    #[error("not dialled: limit of {limit} for its address")]
    Crowded {
        /// Most ports of one address that are dialled on a tracker's word.
        limit: usize,
    },
    /// No connection; what the operating system says.
    #[error(transparent)]
    Connect(io::Error),
    /// No connection in time.
    #[error("no connection within {} s", .0.as_secs_f32())]
    ConnectTimeout(Duration),
    /// No answer over uTP in time.
    #[error("no answer over uTP within {:.3} s", .0.as_secs_f32())]
    NoUtpAnswer(Duration),
    /// No answer over one transport when there was one over the other.
    #[error("no answer within {:.3} s, when the other transport had one", .0.as_secs_f32())]
    GivenUp(Duration),
    /// It answered when it was overdue, and was left before its handshake was whole.
    #[error("answered late, and was left before its handshake was whole: {received} bytes received")]
    Late {
        /// Bytes received by then.
        received: usize,
    },
    /// A uTP connection was closed with libtorrent's reason for it.
    #[error("closed because it has no room for more connections")]
    Full,
    /// Connected, and no valid handshake.
    #[error(transparent)]
    Handshake(#[from] HandshakeFailure),
    /// Connected, and no encryption.
    #[error("encryption failed")]
    Secure(#[source] SecureFailure),
    /// Connected, and no encrypted handshake in time.
    #[error("no encrypted handshake within {} s", .0.as_secs_f32())]
    SecureTimeout(Duration),
}

impl PeerError {
    /// What it shows beyond the outcome.
    pub(crate) fn detail(&self) -> Option<Detail> {
        match self {
            Self::Resolve(error) => (error.kind() == NOT_IN_DNS).then_some(Detail::Overlay),
            Self::Refused(Refusal::NotAllowedFromUntrusted(_)) => Some(Detail::LocalAddress),
            Self::Refused(Refusal::PrivilegedPort { .. }) => Some(Detail::PrivilegedPort),
            // Our own error, not the system's.
            Self::Connect(error) => (error.kind() == io::ErrorKind::Other).then_some(Detail::FamilyNotChosen),
            Self::Handshake(HandshakeFailure::NotBitTorrent(bytes)) => looks(bytes.looks()),
            Self::Secure(failure) => Some(encrypted_end(failure)),
            Self::SecureTimeout(_) => Some(Detail::Silent),
            Self::Full => Some(Detail::Full),
            _ => None,
        }
    }
}

/// An error with its causes, escaped and without secrets.
pub(crate) fn text(error: &(dyn std::error::Error + 'static), secrets: &Secrets) -> String {
    secrets.conceal(&guard::escape(&ErrorChain(error).to_string()).to_string())
}

fn looks(looks: Sniffed) -> Option<Detail> {
    match looks {
        Sniffed::Http => Some(Detail::Http),
        Sniffed::Tls => Some(Detail::Tls),
        Sniffed::Ssh => Some(Detail::Ssh),
        Sniffed::Messages => Some(Detail::Messages),
        Sniffed::HighEntropy => Some(Detail::HighEntropy),
        _ => None,
    }
}

/// How far an encrypted handshake came that failed.
fn encrypted_end(failure: &SecureFailure) -> Detail {
    use SecureFailure::{Broken, Closed, Mse};
    match failure {
        Closed { stage: mse::Stage::PublicKey, received: 0 }
        | Broken { stage: mse::Stage::PublicKey, received: 0, .. } => Detail::BeforeItsKey,
        Closed { stage: mse::Stage::PublicKey, .. } | Broken { stage: mse::Stage::PublicKey, .. } | Mse(_) => {
            Detail::Garbled
        }
        Closed { stage: mse::Stage::Sync, .. } | Broken { stage: mse::Stage::Sync, .. } => Detail::AfterItsKey,
        // The verification constant has come.
        _ => Detail::Agreed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::Scope;
    use peer_session::NotBitTorrent;

    fn closed(stage: mse::Stage, received: usize) -> PeerError {
        PeerError::Secure(SecureFailure::Closed { stage, received })
    }

    fn reset(stage: mse::Stage, received: usize) -> PeerError {
        PeerError::Secure(SecureFailure::Broken { stage, received, source: io::ErrorKind::ConnectionReset.into() })
    }

    fn bytes(beginning: &[u8]) -> PeerError {
        HandshakeFailure::from(NotBitTorrent::of(beginning)).into()
    }

    #[test]
    fn details_of_errors() {
        let noise: Vec<u8> = (0..68_u8).map(|n| n.wrapping_mul(151).wrapping_add(129)).collect();
        for (error, detail) in [
            (PeerError::Resolve(io::Error::new(NOT_IN_DNS, "onion")), Some(Detail::Overlay)),
            (PeerError::Resolve(io::Error::other("no such name")), None),
            (PeerError::Crowded { limit: 16 }, None),
            (Refusal::PrivilegedPort { lowest: 1024 }.into(), Some(Detail::PrivilegedPort)),
            (Refusal::NotAllowedFromUntrusted(Scope::Private).into(), Some(Detail::LocalAddress)),
            (Refusal::PortZero.into(), None),
            (Refusal::NotAHost(Scope::Multicast).into(), None),
            (PeerError::Connect(io::Error::other("no IPv6 source address was chosen")), Some(Detail::FamilyNotChosen)),
            (PeerError::Connect(io::Error::from_raw_os_error(nix::errno::Errno::EMFILE as i32)), None),
            (HandshakeFailure::Closed { received: 0 }.into(), None),
            (bytes(b"HTTP/1.1 400 Bad Request"), Some(Detail::Http)),
            (bytes(b"\0\0\0\x05\x05\xff\xff\xff\xff"), Some(Detail::Messages)),
            (bytes(&noise), Some(Detail::HighEntropy)),
            (closed(mse::Stage::PublicKey, 0), Some(Detail::BeforeItsKey)),
            (reset(mse::Stage::PublicKey, 0), Some(Detail::BeforeItsKey)),
            (closed(mse::Stage::PublicKey, 50), Some(Detail::Garbled)),
            (closed(mse::Stage::Sync, 300), Some(Detail::AfterItsKey)),
            (reset(mse::Stage::Sync, 96), Some(Detail::AfterItsKey)),
            (closed(mse::Stage::Negotiation, 110), Some(Detail::Agreed)),
            (reset(mse::Stage::Pad, 120), Some(Detail::Agreed)),
            (PeerError::SecureTimeout(Duration::from_secs(10)), Some(Detail::Silent)),
        ] {
            assert_eq!(error.detail(), detail, "{error}");
        }
    }
}
