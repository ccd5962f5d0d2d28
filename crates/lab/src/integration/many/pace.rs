//! How many connections a tracker sees in a second, and how long many torrents take at one address.

use std::net::SocketAddr;
use std::time::Duration;

use xtask::shell::Result;

use super::super::fakes::{self, Dialled};
use super::Scenario;
use super::fixture::Fixture;
use super::goodbyes::seed_messages;
use super::tracker::{Manner, Tracker};

/// Those that count connections.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("the pace at one tracker, --rate 200", |fixture| paced(fixture, 200, Manner::Closes, 300)),
    ("the pace at one tracker, --rate 10", |fixture| paced(fixture, 10, Manner::Closes, 30)),
    ("a tracker that keeps connections", |fixture| paced(fixture, 200, Manner::Keeps, 300)),
];

/// Those that compare times, each by itself.
pub(super) const COMPARED: &[Scenario] = &[("40 torrents, all of them at one address", one_address)];

/// Requests a second to one tracker host: `client::Limits::tracker_rate`.
pub(super) const TRACKER_RATE: usize = 100;

/// So many times more may be counted in a second than are let through: the counting thread may be late.
pub(super) const TOLERANCE: f64 = 1.1;

/// One tracker in the wide world; goodbyes count too.
fn paced(fixture: &Fixture, rate: u32, manner: Manner, torrents: usize) -> Result<String> {
    let tracker = Tracker::start(fixture.world(), manner, &[])?;
    let magnets = fixture.magnets(torrents, |_| vec![&tracker.url]);
    let pace = f64::from(rate).min(TRACKER_RATE as f64);
    let requests = 2 * torrents;
    let within = Duration::from_secs_f64(requests as f64 / pace * 1.3 + 2.0);
    let mut ran = fixture.run(&format!("--rate {rate}"), &magnets, within)?;
    let (all, most) =
        (tracker.dialled.all().values().sum::<u64>(), tracker.dialled.most_within(Duration::from_secs(1)));
    let allowed = f64::from(rate) * TOLERANCE + 1.0;
    ran.must(most as f64 <= allowed, || format!("{most} connections in one second, {allowed} are allowed"));
    ran.must(manner == Manner::Closes || all <= torrents as u64 / 5, || {
        format!("{all} connections for {requests} requests")
    });
    ran.must_answer(&tracker.url, torrents);
    ran.must_report(&magnets);
    ran.must_say_goodbye(&[tracker]);
    ran.verdict(format!("{all} connections for {requests} requests, at most {most} in a second"))
}

/// Torrents whose tracker, web server and seeds are at one address take no longer than those which have an address each.
fn one_address(fixture: &Fixture) -> Result<String> {
    const TORRENTS: usize = 40;
    const TIMES: usize = 5;
    const SEEDS: u16 = 3;
    let publisher = |_| -> Result<Tracker> {
        let ip = fixture.local();
        let seed =
            |_| Ok(SocketAddr::new(ip, fakes::talking_peer((ip, 0).into(), seed_messages(), &Dialled::default())?));
        let seeds: Vec<SocketAddr> = (0..SEEDS).map(seed).collect::<Result<_>>()?;
        Tracker::start(ip, Manner::Closes, &seeds)
    };
    let worlds = [1, TORRENTS].map(|publishers| (0..publishers).map(publisher).collect::<Result<Vec<_>>>());
    let (mut times, mut faults) = ([Vec::new(), Vec::new()], Vec::new());
    for _ in 0..TIMES {
        for (world, times) in worlds.iter().zip(&mut times) {
            let world = world.as_ref().map_err(Clone::clone)?;
            let of = |number: usize| world.get(number % world.len()).map(|tracker| tracker.url.as_str());
            // The web server is the tracker, which has no such file.
            let torrents =
                fixture.files(TORRENTS, |number| of(number).map(|url| (url, url.replace("announce", "file"))))?;
            let mut ran = fixture.run("", &torrents, Duration::from_secs(20))?;
            ran.must_answer("http://", TORRENTS);
            ran.must_find(TORRENTS, SEEDS.into());
            ran.must_report(&torrents);
            ran.must_say_goodbye(world);
            times.push(ran.took);
            faults.extend(ran.verdict("").err());
        }
    }
    // The shortest of each: what other programs take of the machine only adds to a time.
    let [one, many] = times.map(|times| times.into_iter().min().unwrap_or_default().as_secs_f64());
    let told = format!("{one:.2} s at one address, {many:.2} s at {TORRENTS}: ratio {:.2}", one / many);
    faults.extend((one > many * 1.5).then(|| told.clone()));
    if faults.is_empty() { Ok(told) } else { Err(faults.join("\n")) }
}
