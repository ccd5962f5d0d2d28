//! A reader of stdout that has enough.

use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::window::Window;
use super::{Case, Place};

pub(super) fn cases() -> Vec<Case> {
    vec![("head".to_owned(), Box::new(run))]
}

fn run(place: &Place) -> Result {
    let lab = Lab::new(place, NAME, [seed("x"), seed("y")])?;
    let mut window = Window::open(place, 80, &[])?;
    let ended = window.run(&format!("bt-handshake {TORRENT} | head -1"))?.with_codes("0 0")?;
    // A line longer than the window, which head passes on as it is.
    let only = ended.screen.whole_lines();
    ended
        .must(only.len() == 1 && only.iter().all(|line| line.starts_with(NAME)), "there is more than the first line")?;
    let events = lab.events();
    ended.must(events.is_empty() || events == ["started", "stopped"], &format!("the tracker was told {events:?}"))
}
