//! One line with performance data, and the exit codes that monitoring plugins have: 0 fine, 1 warning, 2 critical,
//! 3 unknown.

use crate::conditions::{Conditions, Rounded, What};
use crate::exit::Exit;
use crate::text::plural;
use client::{Summary, Verdict};
use std::fmt::Write;

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
    states: Vec<(String, Level, String)>,
    data: Vec<String>,
}

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

    /// A run that came to nothing, and why.
    pub(crate) fn fault(&mut self, name: &str, exit: Exit, reason: &str) {
        self.states.push((name.to_owned(), Level::of(exit), reason.to_owned()));
    }

    /// A run, what it came to by itself, and the sentence about it; with the name in the data's labels if there are several.
    pub(crate) fn run(&mut self, name: &str, exit: Exit, sentence: &str, summary: &Summary, several: bool) {
        let unmet = |conditions: &Conditions| conditions.unmet(summary).collect::<Vec<_>>();
        let (critical, warn) = (unmet(&self.critical), unmet(&self.warn));
        let by_itself = match Level::of(exit) {
            Level::Critical if self.judged && exit == Exit::NoPeerAnswered => Level::Fine,
            // The user has not said what is enough, and this is not a whole copy.
            Level::Fine if !self.judged && summary.verdict() == Verdict::Incomplete => Level::Warning,
            level => level,
        };
        let judged = match (critical.is_empty(), warn.is_empty()) {
            (false, _) => Level::Critical,
            (true, false) => Level::Warning,
            (true, true) => Level::Fine,
        };
        let said: Vec<String> = critical.into_iter().chain(warn).chain([sentence.to_owned()]).collect();
        self.states.push((name.to_owned(), by_itself.max(judged), said.join("; ")));
        self.measure(name, summary, several);
    }

    /// Performance data: `'label'=value;warn;crit;min;max`, a range of `1:` meaning that less than 1 is too little.
    fn measure(&mut self, name: &str, summary: &Summary, several: bool) {
        let prefix = if several { format!("{name} ") } else { String::new() };
        for what in What::ALL {
            let Some(value) = what.of(summary) else { continue };
            let range = |least: Option<f64>| least.map(|least| format!("{}:", Rounded(least))).unwrap_or_default();
            let warn = range(self.warn.least(what, summary));
            let critical = range(self.critical.least(what, summary));
            let whole = what.whole(summary).map(|whole| whole.to_string()).unwrap_or_default();
            self.data.push(datum(&prefix, what.name(), &format!("{};{warn};{critical};0;{whole}", Rounded(value))));
        }
        self.data.push(datum(&prefix, "time", &format!("{:.3}s;;;0;", summary.elapsed.as_secs_f64())));
    }

    /// The line, and what it says.
    pub(crate) fn told(&self) -> (Level, String) {
        let worst = self.states.iter().map(|(_, level, _)| *level).max().unwrap_or(Level::Unknown);
        let mut line = format!("TORRENT {}: ", worst.name());
        if self.states.len() > 1 {
            let bad = self.states.iter().filter(|(_, level, _)| *level > Level::Fine).count();
            let _ = write!(line, "{bad} of {} not fine; ", plural(self.states.len(), "torrent"));
        }
        // The worst first.
        let mut states: Vec<_> = self.states.iter().collect();
        states.sort_by_key(|(_, level, _)| std::cmp::Reverse(*level));
        let said: Vec<String> = states.iter().map(|(name, _, said)| format!("{name}: {said}")).collect();
        // What follows a bar is data.
        line.push_str(&said.join("; ").replace('|', "/"));
        if !self.data.is_empty() {
            let _ = write!(line, "|{}", self.data.join(" "));
        }
        (worst, line)
    }
}

/// A label may hold anything but `=`; a quote in it is doubled.
fn datum(prefix: &str, name: &str, values: &str) -> String {
    let label = format!("{prefix}{name}").replace(['=', '|'], "_").replace('\'', "''");
    if label.contains([' ', '\'']) { format!("'{label}'={values}") } else { format!("{label}={values}") }
}

/// A usage error, told as a plugin does: on stdout.
pub(crate) fn usage(text: &str) -> u8 {
    use std::io::Write;
    let first = text.lines().next().unwrap_or_default().replace('|', "/");
    let _ = writeln!(std::io::stdout(), "TORRENT UNKNOWN: {}", guard::escape(&first));
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

    #[test]
    fn a_line_with_data() {
        let mut plugin = plugin("seeds=2,ok=50%", "seeds=1");
        plugin.run("a.iso", Exit::Answered, "alive | kicking", &summary(10, 8, 1), false);
        assert_eq!(
            plugin.told(),
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
            plugin.run("x", exit, "", &summary(4, ok, 0), false);
            assert_eq!(plugin.told().0, level, "{warn} {critical} {exit:?}");
        }
        let mut several = plugin("", "");
        several.fault("a", Exit::LocalError, "is a directory");
        several.run("it's=b", Exit::NoPeerAnswered, "dead", &summary(4, 0, 0), true);
        let (level, line) = several.told();
        assert_eq!((level, level.code()), (Level::Critical, 2));
        assert!(
            line.starts_with("TORRENT CRITICAL: 2 of 2 torrents not fine; it's=b: dead; a: is a directory|"),
            "{line}"
        );
        assert!(line.contains(" 'it''s_b ok'=0;"), "{line}");
        assert_eq!(plugin("", "").told().0, Level::Unknown);
    }
}
