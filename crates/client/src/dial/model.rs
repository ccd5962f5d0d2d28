//! How long a run takes by the rules of before, and by those of today, in virtual time: the same peers under both. The second model is
//! checked against the engine.

use crate::config::{Config, Sources, Trackers};
use crate::dial::round_trips::RoundTrips;
use crate::dial::time_limits::TimeLimits;
use crate::shared::pacer::Pacer;
use crate::swarm::Swarm;
use fake_swarm::{FakeSwarm, FakeTracker, Tcp, TrackerScript, Utp, peer_ip};
use ids::InfoHash;
use report::{Event, Transport};
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Dead,
    Closes,
    /// After so long, beside its round trip.
    Answers(Duration),
}

/// A peer, and how long each of two connections to it takes: a SYN that is lost is sent again.
#[derive(Clone, Copy)]
struct Peer {
    kind: Kind,
    round_trip: Duration,
    connect: [Duration; 2],
}

/// A small generator of random numbers (splitmix64), from 0 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// Round trips of a lognormal distribution with a median of 90 ms, cut at 3 s; of each packet 2 % are lost.
    fn peer(&mut self, dead: f64) -> Peer {
        let normal = (-2.0 * self.next().max(1e-9).ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos();
        let round_trip = Duration::from_secs_f64((0.09 * (1.17 * normal).exp()).min(3.0));
        let kind = match (self.next(), self.next()) {
            (which, _) if which < dead => Kind::Dead,
            (which, _) if which < dead + 0.1 => Kind::Closes,
            (_, busy) if busy < 0.1 => Kind::Answers(SECOND.mul_f64(1.0 + self.next())),
            _ => Kind::Answers(Duration::ZERO),
        };
        let connect = [(); 2].map(|()| {
            let resent = [0, 1, 3, 7].into_iter().find(|_| self.next() > 0.04).unwrap_or(15);
            SECOND * resent + round_trip
        });
        Peer { kind, round_trip, connect }
    }
}

/// The end of a run, and how many peers had shaken hands by then.
type Run = (Duration, usize);

/// 200 dials a second, five seconds for each connection, four for uTP, a pause between any two connections.
fn before(peers: &[Peer]) -> Run {
    let ends = peers.iter().zip(0..).map(|(peer, n)| {
        let (dialled, [first, second]) = (SECOND / 200 * n, peer.connect);
        let connected = first <= 5 * SECOND;
        match peer.kind {
            Kind::Answers(busy) if connected => (dialled + first + peer.round_trip + busy, true),
            Kind::Closes if connected => {
                (dialled + first + second.min(5 * SECOND) + peer.round_trip * 2 + PAUSE * 2 + 4 * SECOND, false)
            }
            _ => (dialled + 5 * SECOND, false),
        }
    });
    ends.fold((Duration::ZERO, 0), |(end, found), (at, ok)| (end.max(at), found + usize::from(ok)))
}

/// The rules of today: when nothing more is expected of any.
fn now(peers: &[Peer], [pace, utp_pace]: [Pacer; 2]) -> Run {
    let (limits, begun) = (TimeLimits::new(&Config::default()), Instant::now());
    let turn = |pace: &Pacer, mut at: Instant| {
        while let Err(due) = pace.start(at) {
            at = due;
        }
        at - begun
    };
    let mut last = Duration::ZERO;
    let dials: Vec<_> = peers
        .iter()
        .map(|peer| {
            last = turn(&pace, begun + last);
            (*peer, last)
        })
        .collect();
    let live = dials.iter().filter(|(peer, _)| peer.kind != Kind::Dead);
    let mut times: Vec<_> = live.map(|(peer, dialled)| (*dialled + peer.connect[0], peer.connect[0])).collect();
    times.sort_unstable();
    let trips = |by: Duration| {
        let trips = RoundTrips::default();
        times.iter().take_while(|(at, _)| *at <= by).for_each(|(_, took)| trips.add(*took));
        trips
    };
    let opening = |over, at, known| limits.opening(over, &trips(at), known).unwrap_or(limits.connect);
    let ends = dials.iter().map(|&(Peer { kind, round_trip, connect: [first, second] }, dialled)| {
        let look = dialled + limits.first_look(true);
        let silence = dialled + limits.silence(&trips(look));
        let overdue = || {
            let sent = turn(&utp_pace, begun + silence);
            (dialled + opening(Transport::Tcp, sent, None)).max(sent + opening(Transport::Utp, sent, None))
        };
        let connected = dialled + first;
        match kind {
            Kind::Dead => (overdue(), None),
            _ if dialled + first > overdue() => (overdue(), None),
            Kind::Answers(busy) => {
                let done = connected + round_trip + busy;
                (done.min(connected + limits.handshake(first).unwrap()), Some(done))
            }
            Kind::Closes => {
                let pause = PAUSE.saturating_sub(if first < SECOND { first } else { Duration::ZERO });
                let (closed, again) = (connected + round_trip + pause, second.min(5 * SECOND) + round_trip);
                let utp = opening(Transport::Utp, closed, Some(first));
                match first {
                    _ if first >= SECOND * 3 / 2 => (closed + SECOND, None),
                    _ if first >= SECOND / 5 => (closed + again.max(utp), None),
                    _ => (closed + again + utp, None),
                }
            }
        }
    });
    let ends: Vec<_> = ends.collect();
    let end = ends.iter().map(|(end, _)| *end).max().unwrap_or_default();
    (end, ends.iter().filter(|(_, done)| done.is_some_and(|done| done <= end)).count())
}

#[tokio::test(start_paused = true)]
async fn a_run_takes_half_of_the_time_and_misses_hardly_a_peer() {
    // As many peers in all of each size: a single one missed of 40 says nothing.
    for (count, seeds) in [(200, 25), (1000, 5)] {
        let (mut old, mut new) = ((Duration::ZERO, 0), (Duration::ZERO, 0));
        for dead in [0.2, 0.6, 0.8] {
            let of_both = (1..=seeds).map(|seed| {
                let mut random = Random(seed);
                let peers: Vec<_> = (0..count).map(|_| random.peer(dead)).collect();
                (before(&peers), now(&peers, [(); 2].map(|()| Pacer::of_connections(None))))
            });
            let add = |(time, found): Run, more: Run| (time + more.0, found + more.1);
            let none = (Duration::ZERO, 0);
            let sums =
                of_both.fold((none, none), |(old, new), (more_old, more_new)| (add(old, more_old), add(new, more_new)));
            let ratio = sums.1.0.as_secs_f64() / sums.0.0.as_secs_f64();
            println!("{count} peers, {:.0} % dead: {sums:.1?} before and now, {ratio:.2} x", dead * 100.0);
            (old, new) = (add(old, sums.0), add(new, sums.1));
        }
        let missed = old.1.saturating_sub(new.1);
        assert!(new.0 * 2 <= old.0, "{new:?} against {old:?}");
        assert!(missed * 200 <= old.1, "{missed} of {} missed", old.1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_engine_keeps_to_the_model() {
    let busy = |n: u64| Kind::Answers(Duration::from_millis(64 * n));
    let kinds = (0..50).map(|n| {
        if n < 30 {
            Kind::Dead
        } else if n < 32 {
            Kind::Closes
        } else {
            busy(n - 1)
        }
    });
    let peer = |kind| Peer { kind, round_trip: Duration::ZERO, connect: [Duration::ZERO; 2] };
    let peers: Vec<_> = kinds.map(peer).collect();
    let scripted = (0..).map(peer_ip).zip(peers.iter().map(|peer| match peer.kind {
        Kind::Dead => fake_swarm::Peer { tcp: Tcp::Silent, utp: Utp::Silent, ..Default::default() },
        Kind::Closes => fake_swarm::Peer { utp: Utp::Silent, ..fake_swarm::Peer::closing() },
        Kind::Answers(delay) => fake_swarm::Peer { delay, ..Default::default() },
    }));
    let fake = FakeSwarm::start([7; 20], &scripted.collect::<Vec<_>>()).unwrap();
    // By the user's word they would be waited for however busy they are.
    let tracker = FakeTracker::start(TrackerScript::peers(fake.endpoints())).unwrap();
    let trackers = Trackers::Only(vec![tracker.announce_url().parse().unwrap()]);
    let sources = Sources::NONE.with_trackers(true);
    let config = Config::default().with_sources(sources).with_linger(Duration::ZERO).with_trackers(trackers);
    let (mut swarm, mut run) = (Swarm::new(InfoHash([7; 20]), config).unwrap(), None);
    while let Some(event) = swarm.next().await {
        if let Event::Summary(summary) = event {
            run = Some((summary.elapsed, summary.ok));
        }
    }
    let ((end, found), (modelled, to_find)) = (run.unwrap(), now(&peers, [Pacer::new(0), Pacer::new(0)]));
    assert!(end.abs_diff(modelled) < Duration::from_millis(30), "{end:?}, and by the model {modelled:?}");
    assert_eq!((found, found < 18), (to_find, true), "the last answer after the end");
}
