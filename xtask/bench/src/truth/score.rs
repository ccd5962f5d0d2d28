//! How much of what a contender says is true.

use crate::population::{Peer, Truth};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How many times a second the shares are taken, and up to how many seconds.
pub(crate) const RATE: usize = 10;
pub(crate) const SECONDS: usize = 30;

/// What a contender says of a peer from a moment on.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) address: SocketAddr,
    /// As in our lines, and so are the rest; `None` where it does not say.
    pub(crate) outcome: String,
    pub(crate) transport: Option<String>,
    pub(crate) encryption: Option<String>,
    pub(crate) role: Option<String>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seen: Vec<Seen>,
    /// The seconds until it said that it was at its end; no number if it has none.
    pub(crate) end: f64,
    /// Packets.
    pub(crate) sent: usize,
    /// How late the router was at most.
    pub(crate) late: Duration,
}

/// Shares of the peers that can be reached, over the time: those found reachable, and those of which all that is said is right, and
/// whether it is a seed is said.
pub(crate) type Curves = Vec<[f64; 2]>;

impl Seen {
    /// What could be said of a peer at the earliest: that it can be reached.
    pub(crate) fn earliest(peer: &Peer) -> Option<Self> {
        let (outcome, transport, encryption, role) = ("ok".to_owned(), None, None, None);
        Some(Self { at: peer.earliest()?, address: peer.address, outcome, transport, encryption, role })
    }

    fn is_found(&self) -> bool {
        self.outcome == "ok"
    }

    /// Whether this is right and complete.
    pub(crate) fn is_right(&self, truth: Truth) -> bool {
        let outcome = self.outcome.as_str();
        match truth {
            Truth::Silent => matches!(outcome, "connect_timeout" | "no_utp_answer"),
            Truth::Refuses => outcome == "connect_refused",
            Truth::Closes => outcome == "closed_before_handshake",
            Truth::Reachable { is_seed, only, is_encrypted } => {
                let transport = self.transport.as_deref();
                let encryption = self.encryption.as_deref().map(|encryption| encryption != "none");
                let is_role = match self.role.as_deref() {
                    Some("seed" | "likely_seed" | "super_seed") => is_seed,
                    Some("leech" | "partial_seed") => !is_seed,
                    _ => false,
                };
                self.is_found()
                    && is_role
                    && (only.is_none() || transport.is_none() || only == transport)
                    && (is_encrypted.is_none() || encryption.is_none() || is_encrypted == encryption)
            }
        }
    }
}

/// What was said last of each peer, up to a moment. No two have one IP address, and aria2 takes the port from what a peer says.
fn by_peer(run: &Run, until: Duration) -> HashMap<IpAddr, &Seen> {
    run.seen.iter().filter(|seen| seen.at <= until).map(|seen| (seen.address.ip(), seen)).collect()
}

pub(crate) fn reachable(peers: &[Peer]) -> impl Iterator<Item = &Peer> {
    peers.iter().filter(|peer| matches!(peer.truth, Truth::Reachable { .. }))
}

pub(crate) fn curves(run: &Run, peers: &[Peer]) -> Curves {
    let count = reachable(peers).count() as f64;
    let moments = (0..=RATE * SECONDS).map(|moment| Duration::from_secs_f64(moment as f64 / RATE as f64));
    let shares = moments.map(|moment| {
        let known = by_peer(run, moment);
        let seen = || reachable(peers).filter_map(|peer| Some((peer, known.get(&peer.address.ip())?)));
        let found = seen().filter(|(_, seen)| seen.is_found()).count();
        let right = seen().filter(|(peer, seen)| seen.is_right(peer.truth)).count();
        [found, right].map(|those| those as f64 / count)
    });
    shares.collect()
}

/// The share of all peers that are judged rightly at the end, and each wrong verdict in words.
pub(crate) fn verdicts(run: &Run, peers: &[Peer]) -> (f64, Vec<String>) {
    let known = by_peer(run, Duration::MAX);
    let mut wrong = Vec::new();
    for peer in peers {
        let seen = known.get(&peer.address.ip());
        if seen.is_some_and(|seen| seen.is_right(peer.truth)) {
            continue;
        }
        let said = seen.map_or_else(
            || "nothing said".to_owned(),
            |seen| {
                let words = [&seen.transport, &seen.encryption, &seen.role].map(|word| word.as_deref().unwrap_or("-"));
                format!("{} {}, after {:.2} s", seen.outcome, words.join(" "), seen.at.as_secs_f64())
            },
        );
        let millis = peer.round_trip.as_millis();
        wrong.push(format!("{:?} {}, round trip {millis} ms: {said}", peer.kind, peer.address));
    }
    wrong.sort();
    (1.0 - wrong.len() as f64 / peers.len() as f64, wrong)
}
