//! Options of doing it again and again, and of what is kept of it.

use crate::args::values::{long_duration, positive};
use crate::conditions::Conditions;
use crate::rounds::schedule::Schedule;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

const OUTPUT: &str = "Output";
/// The shortest time from one round to the next: each dials every peer.
const SHORTEST: Duration = Duration::from_secs(1);
/// How far apart rounds are that wait for a condition, if the user does not say.
const USUAL: Duration = Duration::from_secs(60);

/// Rounds, and where they are kept.
#[derive(Args, Debug)]
pub(crate) struct Rounds {
    /// Do it again and again, this far apart (10m, 6h), until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = interval, conflicts_with = "nagios", help_heading = OUTPUT)]
    every: Option<Duration>,

    /// With --every or --until: end after this many rounds
    #[arg(long, value_name = "N", value_parser = positive, hide_short_help = true, help_heading = OUTPUT)]
    count: Option<usize>,

    /// Do it again, every minute unless --every says otherwise, until this holds of all torrents, as with --fail-under; --deadline is
    /// then that of the whole, with exit code 1
    #[arg(long, value_name = "CONDITIONS", conflicts_with_all = ["nagios", "fail_under"], hide_short_help = true, help_heading = OUTPUT)]
    until: Option<Conditions>,

    /// Keep what is seen in this SQLite file, and say what has changed
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) db: Option<PathBuf>,
}

impl Rounds {
    /// When what is done is done again; `None` if it is done once. `deadline` is the user's: that of each run, or of the whole.
    pub(crate) fn schedule(&self, deadline: Option<Duration>) -> Result<Option<Schedule>, String> {
        let every = match (self.every, &self.until, self.count) {
            (Some(every), ..) => every,
            (None, Some(_), _) => USUAL,
            (None, None, None) => return Ok(None),
            (None, None, Some(_)) => return Err("give --count the time between rounds too: --every 10m".to_owned()),
        };
        let until = self.until.clone();
        let deadline = deadline.filter(|_| until.is_some());
        Ok(Some(Schedule { every, count: self.count, until, deadline }))
    }
}

/// The time from one round to the next.
fn interval(text: &str) -> Result<Duration, String> {
    let every = long_duration(text)?;
    if every < SHORTEST { Err("expected at least a second".to_owned()) } else { Ok(every) }
}
