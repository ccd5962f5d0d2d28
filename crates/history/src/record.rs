//! Rounds, and what is recorded in them.

use crate::columns::{COLUMNS, clamped_time};
use crate::error::Error;
use crate::history::History;
use crate::names::Access;
use report::{Change, Observation, Verdict};
use rusqlite::{OptionalExtension, params};

/// A round: one pass over a list of torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its place among the rounds of the file: about its time, and always more than that of the round before, also where the
    /// clock was set back.
    pub number: i64,
    /// When it began, by the clock: milliseconds since 1970 in UTC.
    pub at_ms: i64,
}

/// What came of recording an observation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// Whether it was new: each torrent is recorded once a round, and a second observation is dropped.
    pub is_new: bool,
    /// What is different from the torrent's observation before; of one that says something of the swarm, from the last that did.
    pub changes: Vec<Change>,
    /// Since when the verdict is this one: milliseconds since 1970; `None` where it says nothing of the swarm.
    pub since_ms: Option<i64>,
}

/// A torrent as the file has it.
pub(crate) struct Torrent {
    pub(crate) id: i64,
    verdict: Option<i64>,
    since_ms: Option<i64>,
}

impl History {
    /// Begins a round at this time: milliseconds since 1970 in UTC.
    ///
    /// # Errors
    /// [`Error::Moved`] if another file, or none, has its name by now; the file cannot be written to.
    pub fn begin_round(&mut self, at_ms: i64) -> Result<Round, Error> {
        self.check_place()?;
        let at_ms = clamped_time(at_ms);
        self.write(|access| {
            let last: Option<i64> =
                access.connection.query_row("SELECT max(round) FROM rounds", [], |row| row.get(0))?;
            access.thin_anew_for(at_ms)?;
            let number = last.map_or(at_ms, |last| at_ms.max(last.saturating_add(1)));
            let insert = "INSERT INTO rounds (round, key, at_ms) VALUES (?1, randomblob(8), ?2)";
            access.connection.prepare_cached(insert)?.execute([number, at_ms])?;
            Ok(Round { number, at_ms })
        })
    }

    /// Records an observation; its time is that of the round. When this returns, the observation outlives the process.
    ///
    /// # Errors
    /// The file cannot be written to; then nothing of the observation is in it.
    pub fn record(&mut self, round: Round, observation: &Observation) -> Result<Recorded, Error> {
        self.write(|access| access.record(round, observation))
    }

    /// Records many observations of one round by one transaction: all of them, or none. How many were new.
    ///
    /// # Errors
    /// The file cannot be written to.
    pub fn record_all(
        &mut self,
        round: Round,
        observations: impl IntoIterator<Item = Observation>,
    ) -> Result<u64, Error> {
        self.write(|access| {
            let mut new = 0;
            for observation in observations {
                new += u64::from(access.record(round, &observation)?.is_new);
            }
            Ok(new)
        })
    }
}

impl Access<'_> {
    fn record(&mut self, round: Round, observation: &Observation) -> Result<Recorded, Error> {
        let torrent = self.torrent(observation)?;
        let before = self.newest(torrent.id, observation.is_of_swarm())?;
        let is_new = self.write(torrent.id, round.number, observation)?;
        if is_new {
            self.note_day(torrent.id, round.at_ms, observation)?;
        }
        let verdict = self.id(observation.verdict.code())?;
        let goes_on = !observation.is_of_swarm() || torrent.verdict == Some(verdict);
        if is_new && !goes_on {
            let update = "UPDATE torrents SET verdict = ?2, since_ms = ?3 WHERE torrent = ?1";
            self.connection.prepare_cached(update)?.execute([torrent.id, verdict, round.at_ms])?;
        }
        let since_ms = if goes_on { torrent.since_ms } else { Some(round.at_ms) };
        let changes = before.filter(|_| is_new).map_or_else(Vec::new, |before| observation.changes_since(&before));
        Ok(Recorded { is_new, changes, since_ms: since_ms.filter(|_| observation.is_of_swarm()) })
    }

    /// The torrent's row, with what is known of it by now.
    pub(crate) fn torrent(&mut self, seen: &Observation) -> Result<Torrent, Error> {
        let hash = seen.info_hash.0;
        let find = "SELECT torrent, verdict, since_ms, \
            (?2 IS NULL OR name IS ?2) AND (?3 IS NULL OR size_bytes IS ?3) AND (?4 IS NULL OR pieces IS ?4) \
            FROM torrents WHERE info_hash = ?1";
        // SQLite's numbers have a sign.
        let size_bytes = seen.size_bytes.and_then(|size| i64::try_from(size).ok());
        let known = params![hash, seen.name, size_bytes, seen.pieces];
        let found = self.connection.prepare_cached(find)?.query_row(known, |row| {
            let torrent = Torrent { id: row.get(0)?, verdict: row.get(1)?, since_ms: row.get(2)? };
            Ok((torrent, row.get::<_, bool>(3)?))
        });
        match found.optional()? {
            Some((torrent, true)) => Ok(torrent),
            Some((torrent, false)) => {
                let update = "UPDATE torrents SET name = coalesce(?2, name), size_bytes = coalesce(?3, size_bytes), \
                    pieces = coalesce(?4, pieces) WHERE info_hash = ?1";
                self.connection.prepare_cached(update)?.execute(known)?;
                Ok(torrent)
            }
            None => {
                let insert = "INSERT INTO torrents (info_hash, name, size_bytes, pieces) VALUES (?1, ?2, ?3, ?4)";
                self.connection.prepare_cached(insert)?.execute(known)?;
                Ok(Torrent { id: self.connection.last_insert_rowid(), verdict: None, since_ms: None })
            }
        }
    }

    /// The newest observation of a torrent, or the newest that says something of the swarm.
    fn newest(&mut self, torrent: i64, of_swarm: bool) -> Result<Option<Observation>, Error> {
        let select = format!(
            "SELECT {COLUMNS} FROM observations o JOIN torrents t USING (torrent) JOIN rounds r USING (round) \
            WHERE o.torrent = ?1 ORDER BY o.round DESC"
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let mut rows = statement.query([torrent])?;
        while let Some(row) = rows.next()? {
            let observation = self.read(row)?;
            if !of_swarm || observation.is_of_swarm() {
                return Ok(Some(observation));
            }
        }
        Ok(None)
    }

    /// Writes anew what is said of a torrent, where its observations came in another order: the last verdict of the swarm, and
    /// since when.
    pub(crate) fn find_since(&mut self, torrent: i64) -> Result<(), Error> {
        let select = "SELECT o.verdict, r.at_ms FROM observations o JOIN rounds r USING (round) WHERE o.torrent = ?1 \
            ORDER BY o.round DESC";
        let (mut verdict, mut since): (Option<i64>, Option<i64>) = (None, None);
        let mut statement = self.connection.prepare_cached(select)?;
        let mut rows = statement.query([torrent])?;
        while let Some(row) = rows.next()? {
            let (id, at_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            if !self.code::<Verdict>(id)?.is_of_swarm() {
                continue;
            }
            if *verdict.get_or_insert(id) != id {
                break;
            }
            since = Some(at_ms);
        }
        let update = "UPDATE torrents SET verdict = ?2, since_ms = ?3 WHERE torrent = ?1";
        self.connection.prepare_cached(update)?.execute(params![torrent, verdict, since])?;
        Ok(())
    }
}
