//! A window that changes its width while the progress is on the screen.

use fake_swarm::Peer;
use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::window::Window;
use super::{Case, Place};

/// How often it becomes narrow and wide again: what goes wrong depends on when.
const TIMES: usize = 4;

/// Columns that the progress fits in, and too few for it.
const WIDE: usize = 100;
const NARROW: usize = 40;

/// Lines that are on the screen already, as in a terminal that is in use.
const LINES: usize = 100;

pub(super) fn cases() -> Vec<Case> {
    vec![("resize".to_owned(), Box::new(run))]
}

fn run(place: &Place) -> Result {
    let lab = Lab::new(place, NAME, [seed("x"), Peer::refusing(), Peer::silent()])?;
    let mut window = Window::open(place, WIDE, &[("NO_COLOR", "1")])?;
    // A window that becomes narrower moves up, and what is above its top cannot be erased any more.
    window.run(&format!("seq {LINES}"))?;
    window.type_line(&format!("bt-handshake --linger 0 --handshake-timeout 90s --deadline 90s {TORRENT}"))?;
    let whole = |text: &str| draws(text).any(|draw| draw.ends_with("s left"));
    let cut = |text: &str| draws(text).any(|draw| draw.contains(" tried: ") && !draw.contains("left"));
    window.wait("the progress", whole)?;
    for _ in 0..TIMES {
        let begin = window.so_far();
        window.resize(NARROW)?;
        window.wait_from(begin, "a progress that is cut", cut)?;
        let begin = window.so_far();
        window.resize(WIDE)?;
        window.wait_from(begin, "a whole progress", whole)?;
    }
    lab.heard(2, 0)?;
    window.press("C-c")?;
    let ended = window.end()?.with_codes("130")?;
    ended.must(ended.screen.is_unbroken(), "the terminal had to break a line")?;
    let lines = ended.screen.lines().iter().skip_while(|line| !line.contains("bt-handshake")).skip(1);
    let before = lines.take_while(|line| !line.starts_with("! seeds unverified"));
    let mut stray =
        before.filter(|line| !line.is_empty() && !["✓ ", "✗ ", NAME].iter().any(|begin| line.starts_with(begin)));
    ended.must(stray.next().is_none(), "something is left between the lines of the report")
}

/// What is drawn on one line and left by going back to its beginning.
fn draws(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\r').map(|line| line.trim_end_matches("\u{1b}[?7h"));
    lines.filter(|line| line.contains(" trackers, "))
}
