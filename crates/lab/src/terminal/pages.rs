//! Reports on terminals of a width, in a locale: nothing is broken, all is aligned, and no name commands the terminal.

use fake_swarm::Peer;
use xtask::shell::Result;

use super::lab::{Lab, NAME, TORRENT, seed};
use super::screen::columns_of;
use super::window::{Ended, Window};
use super::{Case, Place};

const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

/// The last words of a reason that is longer than what is left of a line.
const END_OF_REASON: &str = "Request\"";

/// What clients call themselves when they mean well.
const CLIENTS: &[&str] = &["qBittorrent/4.5.2", "Transmission 3.00", "Deluge/2.0.3 libtorrent/2.0.8.0", "x"];

/// And when they do not, or write otherwise: East Asian wide and half-width characters, combining marks, a title and a
/// colour (ECMA-48), the end of a line, text that runs backwards.
const STRANGE_CLIENTS: &[&str] = &[
    "日本語クライアント 1.0",
    "日本語クライアント日本語クライアント",
    "한국어 ﾊﾝｶｸ",
    "Cafe\u{301} 2.0",
    "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}\
     e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
    "\u{1b}]0;owned\u{7}",
    "\u{1b}[44mblue",
    "a\r\nb\u{9b}44m",
    "gpj.\u{202e}exe",
];

const STRANGE_NAME: &str = "日本語 \u{1b}]2;owned\u{7}\u{1b}[44m e\u{301} \u{202e}gpj";
/// The same, harmless.
const STRANGE_NAME_SHOWN: &str = "日本語 \\u{1b}]2;owned\\u{7}\\u{1b}[44m e\u{301} \\u{202e}gpj";

/// What no report has: the beginning of a title, this colour in both its forms, and text that runs backwards.
const COMMANDS: &[&str] = &["\u{1b}]", "\u{1b}[44m", "\u{9b}", "\u{202e}"];

/// One report.
struct Row {
    name: &'static str,
    columns: usize,
    locale: &'static str,
    torrent: (&'static str, &'static str),
    clients: &'static [&'static str],
    /// Whether marks are beyond ASCII, and whether the longest of these names fits.
    marks: bool,
    whole: bool,
}

const ROWS: &[Row] = &[
    Row {
        name: "80-columns",
        columns: 80,
        locale: "C.UTF-8",
        torrent: (NAME, NAME),
        clients: CLIENTS,
        marks: true,
        whole: false,
    },
    Row {
        name: "80-columns-ascii",
        columns: 80,
        locale: "C",
        torrent: (NAME, NAME),
        clients: CLIENTS,
        marks: false,
        whole: false,
    },
    Row {
        name: "200-columns",
        columns: 200,
        locale: "C.UTF-8",
        torrent: (NAME, NAME),
        clients: CLIENTS,
        marks: true,
        whole: true,
    },
    Row {
        name: "80-columns-strange",
        columns: 80,
        locale: "C.UTF-8",
        torrent: (STRANGE_NAME, STRANGE_NAME_SHOWN),
        clients: STRANGE_CLIENTS,
        marks: true,
        whole: false,
    },
    Row {
        name: "200-columns-strange",
        columns: 200,
        locale: "C.UTF-8",
        torrent: (STRANGE_NAME, STRANGE_NAME_SHOWN),
        clients: STRANGE_CLIENTS,
        marks: true,
        whole: true,
    },
];

pub(super) fn cases() -> Vec<Case> {
    ROWS.iter().map(|row| (row.name.to_owned(), Box::new(|place: &Place| row.run(place)) as _)).collect()
}

impl Row {
    fn has_strange_names(&self) -> bool {
        self.torrent.0 != NAME
    }

    fn run(&self, place: &Place) -> Result {
        let failing =
            [Peer::garbage(HTTP.to_vec()), Peer::wrong_hash(), Peer::closing(), Peer::short(20), Peer::refusing()];
        let peers = self.clients.iter().map(|client| seed(client)).chain(failing);
        let lab = Lab::new(place, self.torrent.0, peers)?;
        // Colours are a case of their own; but without them what others write would be taken out, too.
        let colour = if self.has_strange_names() { "always" } else { "never" };
        let mut window = Window::open(place, self.columns, &[("LC_ALL", self.locale)])?;
        let ended =
            window.run(&format!("bt-handshake --all --encryption off --color {colour} {TORRENT}"))?.with_codes("0")?;
        self.check(&ended)?;
        let events = lab.events();
        if events == ["started", "stopped"] { Ok(()) } else { Err(format!("the tracker was told {events:?}")) }
    }

    fn check(&self, ended: &Ended) -> Result {
        let screen = &ended.screen;
        let (good, bad, bar) = if self.marks { ("✓", "✗", "█") } else { ("+", "-", "#") };
        ended.must(screen.is_unbroken(), "the terminal had to break a line")?;
        ended
            .must(screen.has(&format!("{good} alive: {} seeds verified", self.clients.len())), "there is no verdict")?;
        ended.must(self.marks || screen.lines().iter().all(|line| line.is_ascii()), "it is not ASCII")?;
        let plain = screen.is_plain() && !ended.is_styled();
        ended.must(plain != self.has_strange_names(), "a colour is set, or none is")?;
        let command = COMMANDS.iter().find(|command| ended.bytes.contains(*command));
        ended.must(command.is_none(), &format!("a name commands the terminal: {command:?}"))?;
        ended.must(screen.lines().iter().any(|line| line.starts_with(self.torrent.1)), "there is no name")?;
        ended.must(screen.has(END_OF_REASON), "a reason is cut")?;
        let ellipsis = if self.marks { "…" } else { "..." };
        let cut = screen.lines().iter().any(|line| line.starts_with(good) && line.ends_with(ellipsis));
        ended.must(cut != self.whole, "a name is cut where it fits, or not marked as cut")?;
        let is = |line: &str| line.starts_with(&format!("{good} 127."));
        let answered = screen.lines().iter().filter(|line| is(line) && line.contains("  seed")).count();
        ended.must(answered == self.clients.len(), &format!("{answered} lines of peers that answered"))?;
        ended.must(screen.columns_of("  seed", is).len() <= 1, "what peers are is not aligned")?;
        // Those that failed once, by reason.
        let failed = screen.lines().iter().filter(|line| line.starts_with(&format!("  {bad} "))).count();
        ended.must(failed == 5, &format!("{failed} reasons of failures"))?;
        for title in ["outcomes", "clients"] {
            let rows = screen.section(title);
            let aligned = rows.len() > 1 && columns_of(rows.iter().copied(), bar).len() == 1;
            ended.must(aligned, &format!("the bars of {title} are not aligned"))?;
        }
        Ok(())
    }
}
