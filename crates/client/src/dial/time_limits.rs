//! How long an attempt has, and when it is overdue: by the round trips seen in this run, where the user has chosen no time-out.

use crate::config::Config;
use crate::dial::round_trips::{RoundTrips, SYN_AGAIN};
use report::Transport;
use std::time::Duration;

/// The shortest silence until the other transport is tried, too: nearly all round trips on earth are shorter.
const SHORTEST_SILENCE: Duration = Duration::from_millis(300);
/// The shortest time until a SYN over uTP is sent again to a peer whose round trip is known: each takes a connection of the peer.
const SHORTEST_SYN_AGAIN: Duration = Duration::from_millis(500);
/// The shortest wait for an answer to a SYN that was sent again, to a peer whose round trip is known, and to another over TCP and uTP.
const SHORTEST_WAIT: Duration = Duration::from_millis(1000);
const SHORTEST_WAIT_TCP: Duration = Duration::from_millis(1750);
const SHORTEST_WAIT_UTP: Duration = Duration::from_millis(1000);
/// A peer whose first connection took as long is not waited for in further attempts, which are made all the same: one peer in a hundred
/// is as slow, and would hold up the report by as much as all others together.
pub(crate) const SLOWEST: Duration = Duration::from_millis(1500);
/// How long busy clients take for a handshake beyond the network: aria2 1.36 accepts three connections a second, Transmission looks at its
/// own twice a second, and both were seen to take two seconds under load.
const BUSY: Duration = Duration::from_secs(2);
/// The least and the most that the network adds to it: a segment may be lost and sent again.
const NETWORK: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(1750));
/// How many round trips of a peer pass until a packet that was lost has been sent again and answered.
const RESENT: u32 = 3;

/// The time-outs of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// Of a connection, over both transports together.
    pub(crate) connect: Duration,
    /// Whether the user gave it, so that nothing else ends a connection.
    is_connect_given: bool,
    is_handshake_given: bool,
}

impl TimeLimits {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            connect: config.connect_limit(),
            is_connect_given: config.connect_timeout.is_some(),
            is_handshake_given: config.handshake_timeout.is_some(),
        }
    }

    /// After how long an attempt without a connection is looked at first: whether the other transport begins, or when it is overdue.
    pub(crate) fn first_look(&self, may_try_both: bool) -> Duration {
        match (may_try_both, self.is_connect_given) {
            (true, true) => SYN_AGAIN.min(self.connect / 2),
            (true, false) => SHORTEST_SILENCE,
            (false, true) => self.connect,
            (false, false) => SYN_AGAIN,
        }
    }

    /// How long a transport is silent until the other one is tried, too. At most half of the time to connect.
    pub(crate) fn silence(&self, trips: &RoundTrips) -> Duration {
        let seen = trips.time_out().filter(|_| !self.is_connect_given);
        seen.map_or(SYN_AGAIN, |seen| seen.clamp(SHORTEST_SILENCE, SYN_AGAIN)).min(self.connect / 2)
    }

    /// After how long a SYN over uTP is sent again; `known` is the time of a connection that the peer has had.
    pub(crate) fn syn_again(&self, known: Option<Duration>) -> Duration {
        known.map_or(SYN_AGAIN, |known| (known + known / 2).clamp(SHORTEST_SYN_AGAIN, SYN_AGAIN))
    }

    /// How long a connection is waited for: until a SYN that was sent again must have been answered. `None` is for the whole time-out:
    /// the user's, or where nothing is known of this network.
    pub(crate) fn opening(&self, over: Transport, trips: &RoundTrips, known: Option<Duration>) -> Option<Duration> {
        if self.is_connect_given {
            return None;
        }
        if known.is_some_and(|known| known >= SLOWEST) {
            return Some(Duration::ZERO);
        }
        let (again, shortest) = match over {
            Transport::Utp => (self.syn_again(known), SHORTEST_WAIT_UTP),
            _ => (SYN_AGAIN, SHORTEST_WAIT_TCP),
        };
        let wait = match known {
            Some(known) => (known + known / 2).max(SHORTEST_WAIT),
            None => trips.time_out()?.max(shortest),
        };
        Some(again + wait)
    }

    /// How long the first byte of a handshake, encrypted or not, is waited for on a connection that took so long; `None` is for the whole
    /// time-out.
    pub(crate) fn handshake(&self, connect: Duration) -> Option<Duration> {
        let (least, most) = NETWORK;
        (!self.is_handshake_given).then(|| BUSY + (connect * RESENT).clamp(least, most))
    }
}
