//! The line that tells how far a run is: where there is one, and where there is none.

use std::fs;

use fake_swarm::Peer;
use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::window::{Environment, Window, make_pipe};
use super::{Case, Place};

/// A run with every kind of peer, which a silent one holds up until all there is to tell has been told.
const RUN: &str = "bt-handshake --encryption off --linger 0 --handshake-timeout 1s";

/// Only the progress says so.
const ONLY_THERE: &str = "s left";

/// Where there is none: the name, the environment, and what follows the command.
const NOWHERE: &[(&str, Environment<'_>, &str)] = &[
    ("dumb", &[("TERM", "dumb")], ""),
    ("no-terminal", &[], "2>log"),
    ("quiet", &[], "-q"),
    ("verbose", &[], "-v"),
    ("rust-log", &[("RUST_LOG", "client=info")], ""),
];

pub(super) fn cases() -> Vec<Case> {
    let shown: Case = ("progress".to_owned(), Box::new(shown));
    let nowhere = NOWHERE.iter().map(|(name, environment, more)| {
        let case = move |place: &Place| not_shown(place, environment, more);
        (format!("no-progress-{name}"), Box::new(case) as _)
    });
    let at_the_top: Case = ("progress-at-the-top".to_owned(), Box::new(at_the_top));
    [shown, at_the_top].into_iter().chain(nowhere).collect()
}

fn lab(place: &Place) -> Result<Lab> {
    Lab::new(place, NAME, [seed("x"), Peer::refusing(), Peer::silent()])
}

/// All it has to tell, on the screen while the run goes on.
fn shown(place: &Place) -> Result {
    let _lab = lab(place)?;
    let mut window = Window::open(place, 80, &[])?;
    window.type_line(&format!("{RUN} {TORRENT}"))?;
    window.wait("the progress", |text| {
        // With the seconds that are left, of the 30 that a run has.
        let told = "1/1 trackers, 3 tried: 1 ok, 1 failed, ";
        let left = text.split(told).skip(1).filter_map(|rest| rest.split_once(" s left"));
        left.filter_map(|(seconds, _)| seconds.parse().ok()).any(|seconds: u32| (1..=30).contains(&seconds))
    })?;
    // That it is gone is checked of every command that ends.
    let ended = window.end()?.with_codes("0")?;
    ended.must(ended.screen.has("3 named, 1 answered"), "there is no report")
}

/// In the topmost line of the screen, drawn several times: some terminals take its end for that of a whole screen, to be
/// kept above the top.
fn at_the_top(place: &Place) -> Result {
    make_pipe(&place.folder.join("pipe"))?;
    let mut window = Window::open(place, 80, &[])?;
    window.type_line(r"printf '\033[H\033[J'; bt-handshake pipe")?;
    window.wait("the progress, again and again", |text| text.matches("reading the torrent").count() > 3)?;
    window.press("C-c")?;
    window.end()?.with_codes("130").map(drop)
}

fn not_shown(place: &Place, environment: Environment<'_>, more: &str) -> Result {
    let _lab = lab(place)?;
    let mut window = Window::open(place, 80, environment)?;
    let ended = window.run(&format!("{RUN} {TORRENT} {more}"))?.with_codes("0")?;
    let log = if more.contains("log") {
        let log = place.folder.join("log");
        fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?
    } else {
        String::new()
    };
    ended.must(!ended.bytes.contains(ONLY_THERE), "there is a progress line")?;
    ended.must(log.is_empty(), &format!("stderr says {log:?}"))?;
    ended.must(
        ended.screen.has("3 named, 1 answered") || ended.screen.has("1 of 3 peers answered"),
        "there is no report",
    )
}
