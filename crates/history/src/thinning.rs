//! Thinning by age.

use crate::columns::clamped_time;
use crate::error::Error;
use crate::history::History;
use crate::names::Access;
use report::Verdict;
use rusqlite::OptionalExtension;
use std::collections::{HashMap, HashSet};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// For so long every observation is kept.
const RAW_MS: i64 = 14 * DAY_MS;

/// From then on one of each window of six hours, and after so long one of each day (UTC), for ever.
const SIX_HOURLY_MS: i64 = 90 * DAY_MS;
const SIX_HOURS_MS: i64 = 6 * HOUR_MS;

/// So many rounds, one after another, have to agree that it is so late: the clock of one alone may be wrong by years, and what is
/// thinned does not come back.
const ROUNDS_THAT_AGREE: u32 = 4;

/// Deletions between two commits: some hundred milliseconds, in which others wait.
const BATCH: u64 = 5000;

/// What was thinned away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thinned {
    /// Observations.
    pub observations: u64,
    /// Rounds of which nothing is left.
    pub rounds: u64,
}

/// Where the windows are wider: milliseconds since 1970, at the boundary of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Edges {
    /// Before this it is six hours.
    raw: i64,
    /// Before this it is a day.
    day: i64,
}

/// How much an observation is worth keeping, the least first: the fewest copies below one, then those of which the copies are
/// unknown, then the fewest copies, then what says nothing of the swarm; the earlier one of those that are equal.
type Rank = (u8, i64, i64);

impl History {
    /// Thins by age: every observation of the last 14 days stays, then one of each six hours, and after 90 days one of each day. Of
    /// a window that observation stays which had the fewest copies, so that a gap of an hour is still seen after a year. The newest
    /// of each torrent stays in any case. It is cheap to call while no further window has become old.
    ///
    /// `now_ms` is the time: milliseconds since 1970 in UTC. Age counts from the earliest of it and of the times of the last four
    /// rounds.
    ///
    /// # Errors
    /// The file cannot be written to. What was thinned until then is thinned.
    pub fn prune(&mut self, now_ms: i64) -> Result<Thinned, Error> {
        let Some((from, to)) = self.write(|access| access.edges(now_ms))? else { return Ok(Thinned::default()) };
        let windows = self.access().windows(from, to)?;
        let (mut thinned, mut kept) = (Thinned::default(), HashSet::new());
        let mut after = i64::MIN;
        while let Some(last) = self.write(|access| access.thin_some(after, &windows, &mut kept, &mut thinned))? {
            after = last;
        }
        thinned.rounds = self.write(|access| access.end_thinning(to, &windows, &kept))?;
        Ok(thinned)
    }
}

impl Edges {
    /// Nothing was thinned yet.
    const NONE: Self = Self { raw: i64::MIN, day: i64::MIN };

    fn at(now_ms: i64) -> Self {
        let floor = |time: i64, window: i64| time.div_euclid(window) * window;
        Self { raw: floor(now_ms - RAW_MS, SIX_HOURS_MS), day: floor(now_ms - SIX_HOURLY_MS, DAY_MS) }
    }

    /// The window of a time; `None` if it is not thinned.
    fn window(self, at_ms: i64) -> Option<i64> {
        let day = (at_ms < self.day).then(|| at_ms.div_euclid(DAY_MS) * DAY_MS);
        day.or_else(|| (at_ms < self.raw).then(|| at_ms.div_euclid(SIX_HOURS_MS) * SIX_HOURS_MS))
    }
}

impl Access<'_> {
    /// How far was thinned, and how far is to be; `None` if that is no further.
    fn edges(&mut self, now_ms: i64) -> Result<Option<(Edges, Edges)>, Error> {
        let select = "SELECT min(at_ms), count(*) FROM (SELECT at_ms FROM rounds ORDER BY round DESC LIMIT ?1)";
        let agreed = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (earliest, rounds): (Option<i64>, u32) = self.connection.query_row(select, [ROUNDS_THAT_AGREE], agreed)?;
        let Some(earliest) = earliest.filter(|_| rounds == ROUNDS_THAT_AGREE) else { return Ok(None) };
        let to = Edges::at(clamped_time(earliest.min(now_ms)));
        let from = Edges {
            raw: self.progress("raw")?.unwrap_or(Edges::NONE.raw),
            day: self.progress("day")?.unwrap_or(Edges::NONE.day),
        };
        let to = Edges { raw: to.raw.max(from.raw), day: to.day.max(from.day) };
        Ok((from != to).then_some((from, to)))
    }

    /// The rounds that have come into wider windows, and which.
    fn windows(&mut self, from: Edges, to: Edges) -> Result<HashMap<i64, i64>, Error> {
        let select =
            "SELECT round, at_ms FROM rounds WHERE (at_ms >= ?1 AND at_ms < ?2) OR (at_ms >= ?3 AND at_ms < ?4)";
        let mut statement = self.connection.prepare(select)?;
        let mut rows = statement.query([from.raw, to.raw, from.day, to.day])?;
        let mut windows = HashMap::new();
        while let Some(row) = rows.next()? {
            let (round, at_ms) = (row.get(0)?, row.get(1)?);
            windows.extend(to.window(at_ms).map(|window| (round, window)));
        }
        Ok(windows)
    }

    /// Thins torrents behind one, up to a batch; the last of them, or `None` at the end.
    fn thin_some(
        &mut self,
        after: i64,
        windows: &HashMap<i64, i64>,
        kept: &mut HashSet<i64>,
        thinned: &mut Thinned,
    ) -> Result<Option<i64>, Error> {
        let mut last = None;
        let before = thinned.observations;
        let mut statement =
            self.connection.prepare_cached("SELECT torrent FROM torrents WHERE torrent > ?1 ORDER BY 1")?;
        let mut torrents = statement.query([after])?;
        while thinned.observations - before < BATCH
            && let Some(row) = torrents.next()?
        {
            let torrent = row.get(0)?;
            thinned.observations += self.thin(torrent, windows, kept)?;
            last = Some(torrent);
        }
        Ok(last)
    }

    /// Thins one torrent.
    fn thin(&mut self, torrent: i64, windows: &HashMap<i64, i64>, kept: &mut HashSet<i64>) -> Result<u64, Error> {
        let (Some(first), Some(last)) = (windows.keys().min(), windows.keys().max()) else { return Ok(0) };
        let select = "SELECT round, verdict, copies_min FROM observations WHERE torrent = ?1 AND round BETWEEN ?2 AND ?3 \
            AND round < (SELECT max(round) FROM observations WHERE torrent = ?1)";
        let mut best: HashMap<i64, Rank> = HashMap::new();
        let mut worse = Vec::new();
        let mut statement = self.connection.prepare_cached(select)?;
        let mut rows = statement.query([torrent, *first, *last])?;
        while let Some(row) = rows.next()? {
            let round = row.get(0)?;
            let Some(window) = windows.get(&round) else { continue };
            let rank = rank(self.code(row.get(1)?)?, row.get(2)?, round);
            let other = best.entry(*window).or_insert(rank);
            if *other != rank {
                worse.push((*other).max(rank).2);
                *other = (*other).min(rank);
            }
        }
        let mut delete =
            self.connection.prepare_cached("DELETE FROM observations WHERE torrent = ?1 AND round = ?2")?;
        for round in &worse {
            delete.execute([torrent, *round])?;
        }
        kept.extend(best.values().map(|(_, _, round)| round));
        // The newest may be in the windows too.
        let newest = "SELECT max(round) FROM observations WHERE torrent = ?1";
        kept.extend(self.connection.prepare_cached(newest)?.query_row([torrent], |row| row.get::<_, Option<i64>>(0))?);
        Ok(u64::try_from(worse.len()).unwrap_or(u64::MAX))
    }

    /// Deletes the rounds of which nothing is left, and notes how far was thinned.
    fn end_thinning(&mut self, to: Edges, windows: &HashMap<i64, i64>, kept: &HashSet<i64>) -> Result<u64, Error> {
        let mut delete = self.connection.prepare_cached("DELETE FROM rounds WHERE round = ?1")?;
        let mut rounds = 0;
        for round in windows.keys().filter(|round| !kept.contains(round)) {
            delete.execute([round])?;
            rounds += 1;
        }
        self.note("raw", to.raw)?;
        self.note("day", to.day)?;
        self.drop_names()?;
        Ok(rounds)
    }

    /// Lets the next thinning look at everything: observations that are older than it came to have come.
    pub(crate) fn thin_anew(&mut self) -> Result<(), Error> {
        self.connection.execute("DELETE FROM progress WHERE what IN ('raw', 'day')", [])?;
        Ok(())
    }

    /// Lets the next thinning look at everything, if a round begins that is older than it came to.
    pub(crate) fn thin_anew_for(&mut self, at_ms: i64) -> Result<(), Error> {
        let raw = self.progress("raw")?;
        if raw.is_some_and(|raw| at_ms < raw) { self.thin_anew() } else { Ok(()) }
    }

    /// A number that is noted of the file itself.
    pub(crate) fn progress(&mut self, what: &str) -> Result<Option<i64>, Error> {
        let mut find = self.connection.prepare_cached("SELECT value FROM progress WHERE what = ?1")?;
        Ok(find.query_row([what], |row| row.get(0)).optional()?)
    }

    /// Notes a number of the file itself.
    pub(crate) fn note(&mut self, what: &str, value: i64) -> Result<(), Error> {
        let insert = "INSERT OR REPLACE INTO progress (what, value) VALUES (?1, ?2)";
        self.connection.prepare_cached(insert)?.execute(rusqlite::params![what, value])?;
        Ok(())
    }
}

fn rank(verdict: Verdict, copies: Option<i64>, round: i64) -> Rank {
    match copies {
        _ if !verdict.is_of_swarm() => (3, 0, round),
        Some(copies) if copies < 1000 => (0, copies, round),
        None => (1, 0, round),
        Some(copies) => (2, copies, round),
    }
}
