//! One line on stderr while a run goes on, on a terminal only; it is gone when results are written and at the end.

use crate::text::span;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// To the beginning of the line, and nothing from there on (ECMA-48: EL, then ED from the second column: from the first one,
/// in the topmost line, it is all of the screen, which some terminals move to what can be scrolled back).
const CLEAR: &str = "\r\u{1b}[K\u{1b}[C\u{1b}[J\r";
/// What does not fit is not continued on the next line (DEC's DECAWM).
const NO_WRAP: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";

/// What the line tells, of all runs together.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    on: bool,
    /// Whether there is a line on the terminal.
    drawn: bool,
    interrupted: bool,
    /// The latest deadline of the runs.
    until: Option<Instant>,
    /// All that are to be run.
    torrents: usize,
    begun: usize,
    runs: usize,
    trackers: usize,
    trackers_ok: usize,
    web_seeds: usize,
    web_seeds_complete: usize,
    dht_nodes: Option<usize>,
    in_flight: usize,
    ok: usize,
    failed: usize,
    /// When the next round begins, between two.
    next: Option<tokio::time::Instant>,
}

impl Progress {
    /// Shown only where a line can be erased again, and nothing else writes to stderr.
    pub(crate) fn new(wanted: bool, torrents: usize) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let logs = std::env::var_os("RUST_LOG").is_some();
        Self { on: wanted && !dumb && !logs && std::io::stderr().is_terminal(), torrents, ..Self::default() }
    }

    /// Begins to count anew.
    pub(crate) fn anew(&mut self) {
        let Self { on, drawn, interrupted, .. } = *self;
        *self = Self { on, drawn, interrupted, ..Self::default() };
    }

    /// When the next round begins, as long as that is what goes on.
    pub(crate) fn wait_until(&mut self, next: Option<tokio::time::Instant>) {
        self.next = next;
    }

    pub(crate) fn begin(&mut self, until: Option<Instant>) {
        self.begun += 1;
        self.runs += 1;
        self.until = self.until.max(until);
    }

    pub(crate) fn end(&mut self) {
        self.runs = self.runs.saturating_sub(1);
    }

    pub(crate) fn tracker(&mut self, ok: bool) {
        self.trackers += 1;
        self.trackers_ok += usize::from(ok);
    }

    pub(crate) fn web_seed(&mut self, complete: bool) {
        self.web_seeds += 1;
        self.web_seeds_complete += usize::from(complete);
    }

    /// The number of nodes of the DHT that have answered; `None` as long as it is not asked.
    pub(crate) fn dht(&mut self, now: Option<usize>) {
        self.dht_nodes = now;
    }

    pub(crate) fn peer(&mut self, ok: bool) {
        if ok { self.ok += 1 } else { self.failed += 1 }
    }

    /// The number of attempts that have begun and not ended.
    pub(crate) fn in_flight(&mut self, now: usize) {
        self.in_flight = now;
    }

    /// Draws the line anew. The cursor waits at its beginning: what a terminal makes of a longer line when it becomes
    /// narrower is then all below the cursor, and an echoed `^C` is a part of the line.
    pub(crate) fn draw(&mut self) {
        if !self.on {
            return;
        }
        let Some(columns) = columns() else { return };
        // A line that fills the last column is broken on some terminals.
        let text: String = self.line().chars().take(columns.saturating_sub(1)).collect();
        // The terminal may have become narrower before it says so.
        self.drawn = write(&format!("{CLEAR}{NO_WRAP}{text}{WRAP}\r"));
    }

    /// Takes the line away.
    pub(crate) fn erase(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write(CLEAR);
        }
    }

    /// A terminal has echoed `^C`, which must not stand before what is written next.
    pub(crate) fn interrupted(&mut self) {
        (self.interrupted, self.next) = (true, None);
        if self.on {
            let _ = write(CLEAR);
            self.drawn = false;
        } else if std::io::stderr().is_terminal() {
            let _ = write("\n");
        }
    }

    /// Whether the user has ended the runs, and each has told its end: what is left are goodbyes.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.interrupted && self.runs == 0
    }

    /// No line any more.
    pub(crate) fn finish(&mut self) {
        self.erase();
        self.on = false;
    }

    /// What goes on where no run does.
    pub(crate) fn stage(&self) -> String {
        if let Some(next) = self.next {
            let left = next.saturating_duration_since(tokio::time::Instant::now());
            return format!("the next round begins in {}", span(left + Duration::from_millis(999)));
        }
        let now = if self.interrupted { "; Ctrl-C again leaves at once" } else { "" };
        if self.begun == 0 { "reading the torrent".to_owned() } else { format!("saying goodbye to the trackers{now}") }
    }

    /// ASCII, so that characters are columns.
    fn line(&self) -> String {
        let Self { trackers, trackers_ok, web_seeds, web_seeds_complete, dht_nodes, in_flight, ok, failed, .. } = self;
        if self.begun == 0 || self.runs == 0 {
            return self.stage();
        }
        // Of a list, others are yet to begin.
        let until = self.until.filter(|_| self.begun >= self.torrents);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()).as_secs_f64().ceil());
        let left = left.map(|left| format!(", {left} s left")).unwrap_or_default();
        let tried = in_flight + ok + failed;
        let web_seeds = match web_seeds {
            0 => String::new(),
            checked => format!(", {web_seeds_complete}/{checked} web seeds"),
        };
        let dht = dht_nodes.map(|nodes| format!(", {nodes} DHT nodes")).unwrap_or_default();
        let torrents = match self.torrents {
            0 | 1 => String::new(),
            torrents => format!("{}/{torrents} torrents, ", self.begun - self.runs),
        };
        // Short, so that a window which becomes narrower seldom breaks it: what is broken cannot be taken away everywhere.
        format!(
            "{torrents}{trackers_ok}/{trackers} trackers{web_seeds}{dht}, {tried} tried: {ok} ok, {failed} failed{left}"
        )
    }
}

fn columns() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0))
}

fn write(text: &str) -> bool {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_of_all_runs() {
        let mut progress = Progress::default();
        assert_eq!(progress.line(), "reading the torrent");
        progress.begin(None);
        progress.begin(None);
        progress.tracker(true);
        progress.tracker(false);
        progress.in_flight(5);
        progress.peer(true);
        progress.peer(false);
        progress.peer(false);
        assert_eq!(progress.line(), "1/2 trackers, 8 tried: 1 ok, 2 failed");
        progress.web_seed(true);
        for (nodes, shown) in [(None, ""), (Some(0), ", 0 DHT nodes"), (Some(66), ", 66 DHT nodes")] {
            progress.dht(nodes);
            assert!(progress.line().starts_with(&format!("1/2 trackers, 1/1 web seeds{shown}, 8 tried")), "{nodes:?}");
        }
        progress.torrents = 3;
        assert!(progress.line().starts_with("0/3 torrents, 1/2 trackers"), "{}", progress.line());
        progress.end();
        progress.end();
        assert_eq!(progress.line(), "saying goodbye to the trackers");
        progress.wait_until(Some(tokio::time::Instant::now() + Duration::from_secs(600)));
        assert_eq!(progress.line(), "the next round begins in 10 min");
        progress.interrupted();
        assert_eq!(progress.line(), "saying goodbye to the trackers; Ctrl-C again leaves at once");
    }
}
