//! Ctrl-C at each moment of a run, once and twice.

use std::time::{Duration, Instant};

use fake_swarm::{Peer, TrackerScript};
use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::window::{Window, make_pipe};
use super::{Case, Place};

/// A goodbye without an answer takes 4 s; this is at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Deadlines that do not come.
const RUN: &str =
    "bt-handshake --encryption off --linger 0 --connect-timeout 90s --handshake-timeout 90s --deadline 90s";

/// A handshake has so many bytes (BEP 3).
const HANDSHAKE: usize = 68;

/// How far a run is when it is interrupted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It reads a pipe that has no writer.
    Reading,
    /// The tracker has been told `started`, and is silent.
    Tracker,
    /// One of two peers has answered, and the other is silent.
    Peers,
    /// The report is there; the tracker has been told `stopped`, and is silent.
    Goodbye,
}

/// One interrupt.
struct Row {
    name: &'static str,
    moment: Moment,
    /// More arguments, and the terminal's name.
    more: &'static str,
    term: &'static str,
    /// Whether there is a second one, during the goodbye to a silent tracker.
    twice: bool,
    /// Lines that the screen has, or their beginnings.
    lines: &'static [&'static str],
    /// What the tracker was told.
    events: &'static [&'static str],
}

const USUAL: Row = Row {
    name: "",
    moment: Moment::Peers,
    more: "",
    term: "screen",
    twice: false,
    lines: &[],
    events: &["started", "stopped"],
};

/// No peer had answered, and the tracker had not.
const NO_PEER: &str = "! interrupted after ";
const VERDICT: &str = "! seeds unverified: 1 peer answered";
const ONE_OF_TWO: &str = "  peers     2 named, 1 answered over TCP or uTP in ";

const ROWS: &[Row] = &[
    Row { name: "reading", moment: Moment::Reading, events: &[], ..USUAL },
    Row { name: "tracker", moment: Moment::Tracker, lines: &[NO_PEER], ..USUAL },
    Row { name: "tracker-quiet", moment: Moment::Tracker, more: "-q", lines: &["^C", "demo.torrent: "], ..USUAL },
    Row { name: "tracker-dumb", moment: Moment::Tracker, term: "dumb", lines: &["^C", NO_PEER], ..USUAL },
    Row { name: "tracker-twice", moment: Moment::Tracker, twice: true, lines: &[NO_PEER], ..USUAL },
    Row { name: "peers", lines: &["✓ 127.0.1.1:", VERDICT, ONE_OF_TWO], ..USUAL },
    Row { name: "peers-twice", twice: true, lines: &[ONE_OF_TWO], ..USUAL },
    Row { name: "goodbye", moment: Moment::Goodbye, lines: &[ONE_OF_TWO, VERDICT], ..USUAL },
    Row { name: "goodbye-twice", moment: Moment::Goodbye, twice: true, lines: &[VERDICT], ..USUAL },
];

pub(super) fn cases() -> Vec<Case> {
    let case = |row: &'static Row| Box::new(|place: &Place| row.run(place)) as _;
    ROWS.iter().map(|row| (format!("interrupt-{}", row.name), case(row))).collect()
}

impl Row {
    fn run(&self, place: &Place) -> Result {
        let mut lab = Lab::new(place, NAME, [seed("x"), Peer::silent()])?;
        let environment = [("NO_COLOR", "1"), ("TERM", self.term)];
        let mut window = Window::open(place, 80, &environment)?;
        self.reach(place, &mut lab, &mut window)?;
        window.press("C-c")?;
        if self.twice {
            window.wait("word of a second one", |text| text.contains("; Ctrl-C again leaves at once"))?;
            lab.told("stopped")?;
        }
        let begin = Instant::now();
        if self.twice {
            window.press("C-c")?;
        }
        let ended = window.end()?.with_codes("130")?;
        let took = begin.elapsed();
        ended.must(!self.twice || took < AT_ONCE, &format!("the second one took {took:?}"))?;
        for begin in self.lines {
            // The terminal echoes it where the cursor is; if that is on a line of the report, it is in its way.
            let exact = *begin == "^C";
            let is = |line: &String| if exact { line == begin } else { line.starts_with(begin) };
            ended.must(ended.screen.lines().iter().any(is), &format!("no line is or begins with {begin:?}"))?;
        }
        ended.must(self.lines.contains(&"^C") || !ended.screen.has("^C"), "the echo of Ctrl-C is left")?;
        ended.must(lab.events() == self.events, &format!("the tracker was told {:?}", lab.events()))
    }

    /// Begins a run and comes back when it is at the moment.
    fn reach(&self, place: &Place, lab: &mut Lab, window: &mut Window) -> Result {
        let Self { moment, more, .. } = self;
        match moment {
            Moment::Reading => {
                make_pipe(&place.folder.join("pipe"))?;
                window.type_line(&format!("{RUN} {more} pipe"))?;
                window.wait("word of the reading", |text| text.contains("reading the torrent"))?;
            }
            Moment::Tracker => {
                lab.tracker.set_script(TrackerScript::Silence);
                window.type_line(&format!("{RUN} {more} {TORRENT}"))?;
                lab.told("started")?;
                if !self.twice {
                    lab.tracker.set_script(TrackerScript::Failure(String::new()));
                }
            }
            Moment::Peers | Moment::Goodbye => {
                window.type_line(&format!("{RUN} {more} {TORRENT}"))?;
                lab.heard(2, 2 * HANDSHAKE)?;
                window.wait("the good peer", |text| text.contains("✓ 127.0.1.1:"))?;
                if self.twice || *moment == Moment::Goodbye {
                    lab.tracker.set_script(TrackerScript::Silence);
                }
            }
        }
        if *moment == Moment::Goodbye {
            // The silent peer closes, and nothing is left to wait for.
            lab.swarm = None;
            window.wait("the goodbye", |text| text.contains("saying goodbye to the trackers"))?;
            lab.told("stopped")?;
        }
        Ok(())
    }
}
