//! Thousands of magnet links over 20 trackers, of which 5 are silent and one refuses.

use std::time::Duration;

use xtask::shell::Result;

use super::Scenario;
use super::fixture::Fixture;
use super::pace::{TOLERANCE, TRACKER_RATE};
use super::tracker::{Manner, Tracker};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("magnet links with one tracker of 20", |fixture| spread(fixture, 1)),
    ("magnet links with 3 trackers of 20", |fixture| spread(fixture, 3)),
    ("magnet links with a live tracker and a silent one", ended_together),
];

const TRACKERS: usize = 20;

/// Live ones that close each connection.
const CLOSING: usize = 4;

/// New connections a second, of all torrents together.
const RATE: usize = 200;

/// The time-out of a silent tracker, in seconds.
const TRACKER_TIME: f64 = 15.0;

/// The trackers.
struct World {
    silent: Vec<Tracker>,
    refusing: String,
    live: Vec<Tracker>,
}

impl World {
    fn start(fixture: &Fixture) -> Result<Self> {
        let start = |manner: &Manner| Tracker::start(fixture.world(), *manner, &[]);
        let all = |manners: Vec<Manner>| manners.iter().map(start).collect::<Result<Vec<_>>>();
        let silent = all([[Manner::Hangs; 3].as_slice(), &[Manner::DroppedUdp; 2]].concat())?;
        let closing = all(vec![Manner::Closes; CLOSING])?;
        let keeping = all([[Manner::Keeps; 4].as_slice(), &[Manner::Udp; 6]].concat())?;
        Ok(Self {
            silent,
            live: [closing, keeping].concat(),
            refusing: format!("http://{}:9/announce", fixture.world()),
        })
    }

    /// The URLs of so many trackers, others for each number.
    fn choose(&self, number: usize, count: usize) -> Vec<&str> {
        let known = self.silent.iter().chain(&self.live).map(|tracker| tracker.url.as_str());
        let all: Vec<&str> = known.chain([self.refusing.as_str()]).collect();
        // 7 and 20 have no common divisor: those of one magnet link are different, and all trackers get as many.
        (0..count).filter_map(|step| all.get((number + 7 * step) % all.len()).copied()).collect()
    }

    fn all(&self) -> Vec<Tracker> {
        [self.silent.as_slice(), &self.live].concat()
    }
}

fn spread(fixture: &Fixture, each: usize) -> Result<String> {
    let world = World::start(fixture)?;
    let magnets = fixture.magnets(if fixture.long { 5000 } else { 600 }, |number| world.choose(number, each));
    let (torrents, of_each) = (magnets.len(), magnets.len() * each / TRACKERS);
    // An announce and a goodbye of each torrent, at the pace of one host and, where connections are new, of all.
    let requests = 2 * of_each;
    let pace = (requests as f64 / TRACKER_RATE as f64).max((requests * CLOSING) as f64 / RATE as f64);
    let within = (pace + TRACKER_TIME) * 1.3;
    let mut ran = fixture.run(&format!("--rate {RATE}"), &magnets, Duration::from_secs_f64(within))?;
    ran.must_report(&magnets);
    for tracker in &world.live {
        ran.must_answer(&tracker.url, of_each);
    }
    let most = world.all().iter().map(|tracker| tracker.dialled.most_within(Duration::from_secs(1))).max().unwrap_or(0);
    ran.must(most as f64 <= RATE as f64 * TOLERANCE, || format!("{most} connections in one second at one tracker"));
    for tracker in &world.silent {
        let statuses = ran.statuses(&tracker.url);
        let known = statuses.get("known_silent").copied().unwrap_or(0);
        // Torrents that ask before the first time-out cannot know: there are 16 at a time.
        ran.must(known * 2 >= of_each, || format!("{} is silent, and told of as {statuses:?}", tracker.url));
    }
    ran.must_say_goodbye(&world.all());
    let right =
        format!("{torrents} torrents, {requests} requests at each tracker, most connections in a second {most}");
    ran.verdict(format!("{right}; bound {within:.1} s"))
}

/// All of them wait for the silent tracker, and then say goodbye to the live one at the same time.
fn ended_together(fixture: &Fixture) -> Result<String> {
    const TORRENTS: usize = 600;
    let [live, silent] =
        [Manner::Closes, Manner::DroppedUdp].map(|manner| Tracker::start(fixture.world(), manner, &[]));
    let (live, silent) = (live?, silent?);
    let magnets = fixture.magnets(TORRENTS, |_| vec![&live.url, &silent.url]);
    let pace = TORRENTS as f64 / TRACKER_RATE as f64;
    let mut ran = fixture.run("", &magnets, Duration::from_secs_f64((2.0 * pace + TRACKER_TIME) * 1.3))?;
    ran.must_report(&magnets);
    ran.must_answer(&live.url, TORRENTS);
    ran.must_say_goodbye(&[live]);
    ran.verdict(format!("{TORRENTS} goodbyes at the same time"))
}
