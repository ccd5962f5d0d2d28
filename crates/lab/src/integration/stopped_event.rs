//! Whether trackers know that we have left, however a run ends: their own counts say so.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use xtask::shell::Result;

use super::bittorrent_tracker::BittorrentTracker;
use super::counts;
use super::interrupt::Running;
use super::prober::Source;
use super::secrets::planted;
use super::section::Lab;
use super::torrents::Torrent;

/// How long a tracker may take to count us: a run takes a fraction of a second to get there.
const COUNTED_WITHIN: Duration = Duration::from_secs(20);

/// How long a run may take to end after its reason to: goodbyes get 4 s.
const ENDED_WITHIN: Duration = Duration::from_secs(8);

/// How a run ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// By itself: there is no peer left to wait for.
    Itself,
    /// By its deadline.
    Deadline,
    /// By Ctrl-C.
    Interrupt,
}

/// One run: which tracker it asks for which torrent, how it ends, and where the counts are.
struct Case<'l> {
    end: End,
    url: String,
    counts: SocketAddr,
    torrent: &'l Torrent,
}

/// Every end with every tracker, all at once.
pub(super) fn run(lab: &Lab) -> Result {
    let opentracker = &lab.swarm.opentracker;
    let other = BittorrentTracker::start(lab)?;
    let mut trackers =
        vec![(opentracker.url("http"), opentracker.address), (opentracker.url("udp"), opentracker.address)];
    trackers.extend(
        other.iter().flat_map(|other| ["http", "udp"].map(|scheme| (other.url(scheme, false), other.http(false)))),
    );
    let mut cases = Vec::new();
    for end in [End::Itself, End::Deadline, End::Interrupt] {
        for (url, counts) in &trackers {
            cases.push(Case { end, url: url.clone(), counts: *counts, torrent: lab.swarm.torrents.spare()? });
        }
    }
    // Both hashes of a hybrid torrent are announced, and both announces taken back.
    cases.extend(lab.swarm.torrents.hybrid.iter().map(|torrent| Case {
        end: End::Interrupt,
        url: opentracker.url("udp"),
        counts: opentracker.address,
        torrent,
    }));
    // The kernel accepts for it, and it says nothing, for as long as it is not dropped.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no silent peer: {error}"))?;
    let peer = silent.local_addr().map_err(|error| format!("no silent peer: {error}"))?;
    let faults: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = cases.iter().map(|case| scope.spawn(move || case.judge(lab, peer))).collect();
        let ended = runs.into_iter().map(|run| run.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())));
        ended.filter_map(Result::err).collect()
    });
    println!("stopped-event: {} of {} runs left their tracker's counts", cases.len() - faults.len(), cases.len());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

impl Case<'_> {
    /// Runs the binary until its tracker counts it, has it end, and waits until it is not counted any more.
    fn judge(&self, lab: &Lab, peer: SocketAddr) -> Result {
        let told = |reason: String| format!("{:?} at {}: {reason}", self.end, self.url);
        let (handshake_timeout, deadline, code) = match self.end {
            End::Itself => ("2s", "60s", 1),
            End::Deadline => ("60s", "2s", 1),
            End::Interrupt => ("60s", "60s", 130),
        };
        let mut command = lab.prober.command(Source::Fresh, self.torrent);
        command.args(["--tracker", &planted(&self.url), "--peer", &peer.to_string()]);
        command.args(["--handshake-timeout", handshake_timeout, "--deadline", deadline]);
        let running = Running::start(&mut command).map_err(told)?;
        for info_hash in self.torrent.hashes() {
            // Without this the counts would prove nothing.
            counts::wait_until(self.counts, info_hash, Instant::now() + COUNTED_WITHIN, |counts| {
                counts.incomplete == 1
            })
            .map_err(told)?;
        }
        if matches!(self.end, End::Interrupt) {
            running.interrupt().map_err(told)?;
        }
        let ended = running.wait(ENDED_WITHIN).map_err(told)?;
        if ended != Some(code) {
            return Err(told(format!("exit code {ended:?}, expected {code}")));
        }
        self.torrent.hashes().try_for_each(|info_hash| counts::wait_until_gone(self.counts, info_hash)).map_err(told)
    }
}
