//! Every deadline by a paused clock: what ends there, and when exactly.
//!
//! The peers and trackers run on the test's own runtime, of one thread, and on loopback the kernel has delivered what was
//! sent before the sender goes on. So the clock moves only when every task waits, and each test may say to
//! the millisecond when its run has to end.

mod attempts;
mod linger;
mod run;
mod shared;
mod stages;
mod trackers;

use crate::lab::{Lab, Told, told_by};
use client::Config;
use fake_swarm::{Encryption, Ending, Peer, Plaintext};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;
use tokio::time::Instant;

const PIECES: u32 = 100;
/// Timers have a grain of a millisecond; a run has a handful of them in a row.
const GRAIN: Duration = Duration::from_millis(15);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One run against these peers, what it told in their order, and what it took by the paused clock, goodbyes included.
async fn timed(peers: impl IntoIterator<Item = Peer>, config: Config) -> (Lab, Told, Duration) {
    let begun = Instant::now();
    let (lab, told) = told_by(PIECES, peers, config).await;
    let took = begun.elapsed();
    assert_took(told.summary.elapsed, took, "the summary tells what the run took");
    (lab, told, took)
}

/// Not before `wanted`, and not later than timers are.
#[track_caller]
fn assert_took(took: Duration, wanted: Duration, what: &str) {
    assert!((wanted..wanted + GRAIN).contains(&took), "{what}: {took:?} instead of {wanted:?}");
}

/// A peer that takes no plaintext and otherwise does as `peer`.
fn requiring(mse: fake_swarm::Mse) -> Peer {
    let encryption = Encryption { plaintext: Plaintext::Refused(Ending::Closes), mse };
    Peer { encryption, ..Peer::default() }
}

/// A port where the kernel drops the packets of new connections: the queue is full, and no program accepts.
struct Unanswering {
    address: SocketAddr,
    _listener: Socket,
    _queued: TcpStream,
}

impl Unanswering {
    fn start() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        // Linux keeps one connection more than it is told.
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        Self { address, _listener: listener, _queued: TcpStream::connect(address).unwrap() }
    }
}
