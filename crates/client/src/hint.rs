//! What an outcome may mean, and what can be done: one sentence.

use crate::resolve::NOT_IN_DNS;
use crate::{LingerEnd, Outcome, PeerError, PeerReport, Tried};
use guard::Refusal;
use std::io::ErrorKind;

/// The sentence for a peer; `None` when there is nothing to add.
pub(crate) fn hint(report: &PeerReport) -> Option<&'static str> {
    match report.outcome {
        Outcome::Ok => hint_ok(report),
        Outcome::ResolveFailed if matches!(&report.error, Some(PeerError::Resolve(e)) if e.kind() == NOT_IN_DNS) => {
            Some("its name is one of Tor or I2P, which are not spoken here; other peers are not affected")
        }
        Outcome::ResolveFailed => {
            Some("it was named by a host name that does not resolve; other peers are not affected")
        }
        Outcome::ConnectTimeout => {
            Some("offline, or behind a firewall or NAT that drops what it did not ask for; it may still connect to you")
        }
        Outcome::ConnectRefused => {
            Some("the machine is there and nothing listens at this port: the client was closed or has changed its port")
        }
        Outcome::ConnectUnreachable => {
            Some("no route leads there: check whether this machine has IPv6, or a firewall in between")
        }
        Outcome::ConnectReset => Some("a firewall or an overloaded machine cut the connection while it was made"),
        Outcome::ClosedBeforeHandshake | Outcome::ShortHandshake => Some(match report.encrypted {
            Some(_) => "it does not have the torrent, is full, or knows us already; encryption did not help",
            None => "it does not have the torrent, is full, requires encryption, or knows us already",
        }),
        Outcome::HandshakeTimeout => {
            Some("it is overloaded, or another service that waits for more; a longer --handshake-timeout may help")
        }
        Outcome::NotBittorrent => Some("another service has this port now, or the tracker was told a wrong one"),
        Outcome::WrongInfoHash => {
            Some("a client is there, but not for this torrent: the tracker's list is out of date")
        }
        Outcome::OwnPeerId => Some("this is ourselves, or a service that sends back what it gets"),
        Outcome::EncryptionFailed => {
            Some("it does not speak encryption, or does not have the torrent; try --encryption prefer-plain")
        }
        Outcome::InvalidAddress => Some(hint_invalid(report)),
        // Not the system's word but ours.
        Outcome::LocalLimit if matches!(&report.error, Some(PeerError::Connect(e)) if e.kind() == ErrorKind::Other) => {
            Some("its address family was not chosen: see -4, -6 and --bind")
        }
        Outcome::LocalLimit => {
            Some("our own machine refused, not the peer: raise `ulimit -n`, lower --concurrency, or check the routes")
        }
        Outcome::Interrupted => Some("the run ended first: by its deadline, or an interrupt"),
        Outcome::NotTried => Some("the run ended first, or was not to dial anybody"),
    }
}

fn hint_invalid(report: &PeerReport) -> &'static str {
    match report.error {
        Some(PeerError::Refused(Refusal::NotOnAStrangersWord(_))) => {
            "a stranger may not aim us there; name it with --peer if you trust it"
        }
        _ => "nobody can be reached there: whoever named it was mistaken",
    }
}

fn hint_ok(report: &PeerReport) -> Option<&'static str> {
    match (report.plaintext, report.encrypted, &report.lingered) {
        (Some(Tried::Refused), Some(Tried::Ok), _) => {
            Some("it refused plaintext and took encryption: it likely requires it, or was full for a moment")
        }
        (_, _, Some(LingerEnd::Violation(_))) => {
            Some("its handshake is valid, what it said then is not: see the error")
        }
        (_, _, Some(LingerEnd::Budget)) => Some("what it said was cut short, because too many peers spoke at once"),
        (_, _, Some(LingerEnd::TooMuch { .. })) => Some("it did not stop talking, and we left"),
        _ => None,
    }
}
