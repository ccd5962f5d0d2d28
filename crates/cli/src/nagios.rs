//! One line with performance data, and the exit codes that monitoring plugins have: 0 fine, 1 warning, 2 critical,
//! 3 unknown.

use crate::conditions::{Conditions, Rounded, What};
use crate::exit::Exit;
use crate::label::{Label, Names};
use crate::text::{Marks, plural};
use client::{Summary, Verdict};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a monitoring system is told, in the order in which the worse wins: what is known to be broken matters more than
/// what is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Fine,
    Warning,
    Unknown,
    Critical,
}

/// What is collected for the line.
#[derive(Debug, Default)]
pub(crate) struct Plugin {
    warn: Conditions,
    critical: Conditions,
    /// Whether the user said what is critical; else it is that no peer answers.
    judged: bool,
    states: Vec<State>,
    /// What could not be written, which is of no torrent.
    notes: Vec<String>,
    /// Of each torrent, as long as it may fit.
    data: Vec<Datum>,
    data_bytes: usize,
    seeds: usize,
    ok: usize,
    peers: usize,
}

/// How it is about one torrent.
#[derive(Debug)]
struct State {
    label: Label,
    level: Level,
    /// `None` of one that was not run.
    verdict: Option<Verdict>,
    said: Box<str>,
}

/// One value of a torrent.
#[derive(Debug)]
struct Datum {
    /// Its place in the states.
    of: usize,
    what: &'static str,
    values: String,
}

/// Bytes of a line with its end: what Nagios keeps of a plugin's output by default is 8 KiB, and NRPE hands on 4 KiB in an answer of
/// version 4, 1 KiB in older ones.
const MOST_BYTES: usize = 4096;
/// Bytes of it before the data.
const MOST_TEXT: usize = 1000;
/// Bytes about one of several torrents.
const MOST_OF_ONE: usize = 200;
/// Most notes in it.
const MOST_NOTES: usize = 2;
/// Columns of the name of one in the text.
const NAME: usize = 64;

impl Level {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fine => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The level of an exit code: of a run without a summary, and where it says more than the summary.
    fn of(exit: Exit) -> Self {
        match exit {
            Exit::Answered => Self::Fine,
            // No tracker answering is critical, and not unknown: we did check.
            Exit::NoPeerAnswered | Exit::NoSource => Self::Critical,
            Exit::LocalError | Exit::Interrupted => Self::Unknown,
        }
    }
}

impl Plugin {
    pub(crate) fn new(warn: Option<Conditions>, critical: Option<Conditions>) -> Self {
        let judged = critical.is_some();
        Self { warn: warn.unwrap_or_default(), critical: critical.unwrap_or_default(), judged, ..Self::default() }
    }

    /// A run that failed, and why; `verdict` if there is one all the same.
    pub(crate) fn fault(&mut self, label: Label, verdict: Option<Verdict>, exit: Exit, reason: &str) {
        self.states.push(State { label, level: Level::of(exit), verdict, said: harmless(reason) });
    }

    /// What could not be written, and why: the line may be all there is, so that it is no longer fine.
    pub(crate) fn note(&mut self, what: &str, reason: &str) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(cut(&harmless(&format!("{what}: {reason}")), MOST_OF_ONE));
        }
    }

    /// A run, its own exit code, and the sentence about it.
    pub(crate) fn run(&mut self, label: Label, exit: Exit, sentence: &str, summary: &Summary) {
        let unmet = |conditions: &Conditions| conditions.unmet(summary).collect::<Vec<_>>();
        let (critical, warn) = (unmet(&self.critical), unmet(&self.warn));
        let verdict = summary.verdict();
        let by_itself = match Level::of(exit) {
            Level::Critical if self.judged && exit == Exit::NoPeerAnswered => Level::Fine,
            // The user has not said what is enough, and this is not a whole copy.
            Level::Fine if !self.judged && verdict == Verdict::Incomplete => Level::Warning,
            level => level,
        };
        let judged = match (critical.is_empty(), warn.is_empty()) {
            (false, _) => Level::Critical,
            (true, false) => Level::Warning,
            (true, true) => Level::Fine,
        };
        let said: Vec<String> = critical.into_iter().chain(warn).chain([sentence.to_owned()]).collect();
        let (level, said) = (by_itself.max(judged), harmless(&said.join("; ")));
        self.measure(summary);
        self.states.push(State { label, level, verdict: Some(verdict), said });
    }

    /// Performance data: `'label'=value;warn;crit;min;max`, a range of `1:` meaning that less than 1 is too little.
    fn measure(&mut self, summary: &Summary) {
        self.seeds += summary.swarm.verified_seeds;
        self.ok += summary.ok;
        self.peers += summary.peers;
        if self.data_bytes > MOST_BYTES {
            return;
        }
        let of = self.states.len();
        for what in What::ALL {
            let Some(value) = what.of(summary) else { continue };
            let range = |least: Option<f64>| least.map(|least| format!("{}:", Rounded(least))).unwrap_or_default();
            let warn = range(self.warn.least(what, summary));
            let critical = range(self.critical.least(what, summary));
            let whole = what.whole(summary).map(|whole| whole.to_string()).unwrap_or_default();
            let values = format!("{};{warn};{critical};0;{whole}", Rounded(value));
            self.data.push(Datum { of, what: what.name(), values });
        }
        self.data.push(Datum { of, what: "time", values: seconds(summary.elapsed) });
        self.data_bytes +=
            self.data.iter().rev().take_while(|datum| datum.of == of).map(|datum| datum.values.len()).sum::<usize>();
        if self.data_bytes > MOST_BYTES {
            self.data = Vec::new();
        }
    }

    /// The line on so many torrents without its end, at most [`MOST_BYTES`] with it, and what it says.
    pub(crate) fn told(&self, torrents: usize, elapsed: Duration) -> (Level, String) {
        let noted = self.notes.first().map(|_| Level::Unknown);
        let worst = self.states.iter().map(|state| state.level).chain(noted).max().unwrap_or(Level::Unknown);
        let names: Names = self.states.iter().map(|state| &state.label).collect();
        let begin = format!("TORRENT {}: ", worst.name());
        let notes = self.notes.join("; ");
        let most = MOST_TEXT.saturating_sub(notes.len() + "; ".len());
        let text = match self.states.as_slice() {
            [] => begin,
            [state] if torrents < 2 => cut(&(begin + &state.sentence(&names)), most),
            _ => self.several(begin, torrents, &names, most),
        };
        let gap = if self.states.is_empty() || notes.is_empty() { "" } else { "; " };
        let text = format!("{text}{gap}{notes}");
        let data = self.data(torrents, elapsed, &names, MOST_BYTES - text.len() - "|\n".len());
        (worst, if data.is_empty() { text } else { format!("{text}|{data}") })
    }

    /// How many are not fine, the counts by state, and the worst by name as far as there is room.
    fn several(&self, begin: String, torrents: usize, names: &Names<'_>, most: usize) -> String {
        let mut bad: Vec<&State> = self.states.iter().filter(|state| state.level > Level::Fine).collect();
        bad.sort_by_key(|state| (Reverse(state.level), state.rank(), &state.label));
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        self.states.iter().for_each(|state| *counts.entry((state.rank(), state.word())).or_default() += 1);
        let counts = counts.iter().map(|((_, word), count)| format!("{count} {word}"));
        let not_begun = torrents.saturating_sub(self.states.len());
        let counts: Vec<String> = counts.chain((not_begun > 0).then(|| format!("{not_begun} not begun"))).collect();
        let of = match bad.len() {
            0 => plural(torrents, "torrent"),
            bad => format!("{bad} of {} not fine", plural(torrents, "torrent")),
        };
        let mut text = format!("{begin}{of}: {}", counts.join(", "));
        for (n, state) in bad.iter().enumerate() {
            let one = format!("; {}", cut(&state.sentence(names), MOST_OF_ONE));
            let more = format!("; and {} more", bad.len() - n);
            if text.len() + one.len() + more.len() > most {
                return text + &more;
            }
            text.push_str(&one);
        }
        text
    }

    /// The totals of several, and the values of each if all of them fit: which ones are there is not to change with a digit.
    fn data(&self, torrents: usize, elapsed: Duration, names: &Names<'_>, most: usize) -> String {
        let of_each = |datum: &Datum| {
            let state = self.states.get(datum.of).filter(|_| torrents > 1);
            let name = state.map(|state| format!("{} ", state.label.among(names, usize::MAX, Marks::ASCII)));
            labelled(&name.unwrap_or_default(), datum.what, &datum.values)
        };
        let of_each: Vec<String> = self.data.iter().map(of_each).collect();
        if torrents < 2 {
            let data = of_each.join(" ");
            return if data.len() > most { String::new() } else { data };
        }
        let count = |is: fn(&State) -> bool| self.states.iter().filter(|state| is(state)).count();
        let healthy = count(|state| state.verdict == Some(Verdict::Healthy));
        let bad = count(|state| state.level > Level::Fine);
        let (seeds, ok, peers) = (self.seeds, self.ok, self.peers);
        let totals = format!(
            "torrents={torrents};;;0; healthy={healthy};;;0;{torrents} not_fine={bad};;;0;{torrents} seeds={seeds};;;0; \
             ok={ok};;;0;{peers} peers={peers};;;0; time={}",
            seconds(elapsed)
        );
        let all = std::iter::once(totals.clone()).chain(of_each).collect::<Vec<_>>().join(" ");
        if all.len() > most { totals } else { all }
    }
}

impl State {
    fn word(&self) -> &'static str {
        self.verdict.map_or("not checked", Verdict::words)
    }

    fn rank(&self) -> usize {
        self.verdict.unwrap_or(Verdict::Interrupted).rank()
    }

    fn sentence(&self, names: &Names<'_>) -> String {
        // What follows a bar is data.
        format!("{}: {}", self.label.among(names, NAME, Marks::ASCII).replace('|', "/"), self.said)
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}s;;;0;", time.as_secs_f64())
}

/// Text in one line, without what would be the beginning of the data, and no more of it than is shown.
fn harmless(text: &str) -> Box<str> {
    cut(&guard::escape(text).to_string().replace('|', "/"), MOST_TEXT).into()
}

/// Text of at most so many bytes, in whole characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end =
        text.char_indices().map(|(at, _)| at).take_while(|at| at + "...".len() <= most).last().unwrap_or_default();
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// A label may hold anything but `=`; a quote in it is doubled.
fn labelled(prefix: &str, name: &str, values: &str) -> String {
    let label = format!("{prefix}{name}").replace(['=', '|'], "_").replace('\'', "''");
    if label.contains([' ', '\'']) { format!("'{label}'={values}") } else { format!("{label}={values}") }
}

/// A usage error, told as a plugin does: on stdout.
pub(crate) fn usage(text: &str) -> u8 {
    use std::io::Write;
    let first = harmless(text.lines().next().unwrap_or_default());
    let _ = writeln!(std::io::stdout(), "TORRENT UNKNOWN: {first}");
    Level::Unknown.code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn summary(peers: usize, ok: usize, seeds: usize) -> Summary {
        let mut summary = Summary::default();
        (summary.peers, summary.ok, summary.swarm.verified_seeds) = (peers, ok, seeds);
        (summary.trackers, summary.trackers_ok, summary.elapsed) = (2, 1, Duration::from_millis(1500));
        summary
    }

    fn plugin(warn: &str, critical: &str) -> Plugin {
        let conditions = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        Plugin::new(conditions(warn), conditions(critical))
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn named(name: &str) -> Label {
        Label::of_path(name)
    }

    #[test]
    fn a_line_with_data() {
        let mut plugin = plugin("seeds=2,ok=50%", "seeds=1");
        plugin.run(named("a.iso"), Exit::Answered, "alive | kicking", &summary(10, 8, 1));
        assert_eq!(
            plugin.told(1, SECOND),
            (
                Level::Warning,
                "TORRENT WARNING: a.iso: seeds 1, wanted 2; alive / kicking|seeds=1;2:;1:;0;10 ok=8;5:;;0;10 \
                 peers=10;;;0; trackers=1;;;0;2 time=1.500s;;;0;"
                    .to_owned()
            )
        );
    }

    #[test]
    fn who_is_worse() {
        for (warn, critical, exit, ok, level) in [
            ("", "", Exit::Answered, 1, Level::Fine),
            ("", "", Exit::NoPeerAnswered, 0, Level::Critical),
            ("", "trackers=1", Exit::NoPeerAnswered, 0, Level::Fine),
            ("", "ok=2", Exit::Answered, 1, Level::Critical),
            ("ok=2", "ok=2", Exit::Answered, 1, Level::Critical),
            ("ok=2", "", Exit::Answered, 1, Level::Warning),
            ("ok=2", "trackers=1", Exit::NoSource, 0, Level::Critical),
            ("", "", Exit::Interrupted, 1, Level::Unknown),
        ] {
            let mut plugin = plugin(warn, critical);
            plugin.run(named("x"), exit, "", &summary(4, ok, 0));
            assert_eq!(plugin.told(1, SECOND).0, level, "{warn} {critical} {exit:?}");
        }
        let mut several = plugin("", "");
        several.fault(named("a"), None, Exit::LocalError, "is a directory");
        several.run(named("it's=b"), Exit::NoPeerAnswered, "dead", &summary(4, 0, 0));
        let (level, line) = several.told(3, SECOND);
        assert_eq!((level, level.code()), (Level::Critical, 2));
        assert!(
            line.starts_with(
                "TORRENT CRITICAL: 2 of 3 torrents not fine: 1 no peer answered, 1 not checked, 1 not begun; it's=b: dead; \
                 a: is a directory|torrents=3;;;0; healthy=0;;;0;3 not_fine=2;;;0;3 seeds=0;;;0; ok=0;;;0;4 peers=4;;;0; \
                 time=1.000s;;;0; "
            ),
            "{line}"
        );
        assert!(line.contains(" 'it''s_b ok'=0;"), "{line}");
        assert_eq!(plugin("", "").told(1, SECOND).0, Level::Unknown);
    }

    #[test]
    fn what_could_not_be_written_is_no_torrent() {
        let mut plugin = plugin("", "");
        plugin.run(named("a"), Exit::Answered, "alive", &summary(4, 1, 1));
        (0..9).for_each(|_| plugin.note("b.db", "not recorded: the history is damaged | torn"));
        let (level, line) = plugin.told(1, SECOND);
        let note = "b.db: not recorded: the history is damaged / torn";
        assert_eq!(level, Level::Unknown);
        assert!(line.starts_with(&format!("TORRENT UNKNOWN: a: alive; {note}; {note}|seeds=1;")), "{line}");
    }

    /// However many torrents there are, whatever they are called and whatever is said of them.
    #[test]
    fn the_line_fits_and_no_datum_is_cut() {
        let names = ["release", "a|b\nc", "'=' ", "\u{1b}[2J\u{202e}", "日本語", "e\u{301}\u{301}\u{301}", "<script>"];
        for (torrents, lengths) in [(1, &[1, 30, 900][..]), (2, &[1, 30, 900]), (40, &[1, 900]), (10_000, &[9])] {
            for &length in lengths {
                let mut plugin = plugin("", "");
                for n in 0..torrents {
                    let name = format!("{n} {}", names[n % names.len()].repeat(length));
                    let exit = if n % 3 == 0 { Exit::NoPeerAnswered } else { Exit::Answered };
                    plugin.run(named(&name), exit, &"dead | \n é".repeat(length), &summary(4, n % 3, 0));
                }
                let (_, line) = plugin.told(torrents, SECOND);
                let (text, data) = line.split_once('|').unwrap();
                assert!(line.len() < MOST_BYTES && text.len() <= MOST_TEXT && !text.contains('\n'), "{line}");
                assert!(!line.chars().any(guard::is_deceptive) && !data.contains('|'), "{line}");
                let is_named = torrents == 1 || line.contains("; 0 ");
                assert!(is_named, "{line}");
                // A label, an equals sign, and five parts, to the end.
                let values = data.split(' ').filter_map(|word| word.rsplit_once('=')).map(|(_, values)| values);
                assert!(
                    values.clone().count() >= 5 && values.clone().all(|values| values.split(';').count() == 5),
                    "{data}"
                );
                assert!(plugin.data.len() * 10 < MOST_BYTES);
            }
        }
    }
}
