//! Colour: on a terminal, unless it is switched off.

use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::window::{Environment, Window};
use super::{Case, Place};

/// The name, the environment, what follows the command, and whether there is colour. In a pipe the progress is not wanted:
/// another program writes to the terminal, at times of its own.
const ROWS: &[(&str, Environment<'_>, &str, bool)] = &[
    ("terminal", &[], "", true),
    ("no-color", &[("NO_COLOR", "1")], "", false),
    ("dumb", &[("TERM", "dumb")], "", false),
    ("never", &[], "--color never", false),
    ("pipe", &[], "2>log | cat", false),
    ("forced-in-pipe", &[("CLICOLOR_FORCE", "1")], "2>log | cat", true),
    ("always-in-pipe", &[], "--color always 2>log | cat", true),
];

pub(super) fn cases() -> Vec<Case> {
    let rows = ROWS.iter().map(|(name, environment, more, colour)| {
        let case = move |place: &Place| run(place, environment, more, *colour);
        (format!("colour-{name}"), Box::new(case) as _)
    });
    rows.collect()
}

fn run(place: &Place, environment: Environment<'_>, more: &str, colour: bool) -> Result {
    let _lab = Lab::new(place, NAME, [seed("x")])?;
    let mut window = Window::open(place, 80, environment)?;
    let ended = window.run(&format!("bt-handshake --linger 0 {TORRENT} {more}"))?;
    let pipeline = more.contains('|');
    let ended = ended.with_codes(if pipeline { "0 0" } else { "0" })?;
    ended.must(ended.screen.has("seeds unverified: "), "there is no verdict")?;
    let word = if colour { "no colour" } else { "colour" };
    ended.must(ended.is_styled() == colour && ended.screen.is_plain() != colour, &format!("there is {word}"))
}
