//! Two histories in one.

use crate::columns::checked_time;
use crate::error::Error;
use crate::history::History;
use crate::names::Access;
use report::Observation;
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;
use std::path::Path;

/// Rounds are about milliseconds since 1970, and a few more where a clock was in the year 9999. Behind this no number would be left.
const FARTHEST_ROUND: u64 = 1 << 60;

/// What came from another history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// Rounds in it.
    pub rounds: u64,
    /// Torrents in it.
    pub torrents: u64,
    /// Observations that were not here yet.
    pub observations: u64,
    /// Observations that were: of the same round and torrent.
    pub known: u64,
}

/// A round of the other history.
struct TheirRound {
    number: i64,
    key: [u8; 8],
    at_ms: i64,
}

/// Which of the two files failed.
pub(crate) enum Failed {
    Ours(Error),
    Theirs(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Ours(error) => error,
            Failed::Theirs(error) => Self::Other(Box::new(error)),
        }
    }
}

impl History {
    /// Takes over the observations of another history that are not here yet, each once by round and torrent; to merge a file again
    /// adds what has come since. Rounds keep their order within each file, and between the files that of their times. The other
    /// file is only read, and may be in use.
    ///
    /// # Errors
    /// [`Error::Other`] with what is wrong with the other file; the rest is about this one. Torrents that were taken over until then
    /// stay.
    pub fn merge(&mut self, other: &Path) -> Result<Merged, Error> {
        let mut other = Self::open_read_only(other).map_err(Failed::Theirs)?;
        let merged = other.snapshot(|theirs| Ok(self.take_all(theirs))).map_err(Failed::Theirs)?;
        Ok(merged?)
    }

    fn take_all(&mut self, theirs: &mut Access<'_>) -> Result<Merged, Failed> {
        let rounds = theirs.rounds().map_err(Failed::Theirs)?;
        let places = self.write(|ours| ours.thin_anew().and_then(|()| ours.take_rounds(&rounds)))?;
        let (mut merged, mut torrents) = (Merged::default(), HashMap::new());
        merged.rounds = u64::try_from(rounds.len()).unwrap_or(u64::MAX);
        for torrent in theirs.all().map_err(Failed::Theirs)? {
            let here = self.write(|ours| ours.take_torrent(theirs, torrent, &places, &mut merged))?;
            torrents.extend(here.map(|here| (torrent, here)));
            merged.torrents += 1;
        }
        self.write(|ours| ours.take_days(theirs, &torrents))?;
        Ok(merged)
    }
}

impl Access<'_> {
    fn rounds(&mut self) -> Result<Vec<TheirRound>, Error> {
        let mut statement = self.connection.prepare("SELECT round, key, at_ms FROM rounds ORDER BY round")?;
        let mut rows = statement.query([])?;
        let mut rounds = Vec::new();
        while let Some(row) = rows.next()? {
            let (number, at_ms): (i64, _) = (row.get(0)?, checked_time(row.get(2)?)?);
            if number.unsigned_abs() > FARTHEST_ROUND {
                return Err(Error::value("a round"));
            }
            rounds.push(TheirRound { number, key: row.get(1)?, at_ms });
        }
        Ok(rounds)
    }

    /// The ids of all torrents.
    fn all(&mut self) -> Result<Vec<i64>, Error> {
        let mut statement = self.connection.prepare("SELECT torrent FROM torrents ORDER BY torrent")?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Adds the rounds that are not here, each at its own place or, where a round of another file is, at the next that is free: the
    /// order of theirs is kept. What each of them is here.
    fn take_rounds(&mut self, theirs: &[TheirRound]) -> Result<HashMap<i64, i64>, Error> {
        let mut by_key = self.connection.prepare("SELECT round FROM rounds WHERE key = ?1")?;
        let mut by_number = self.connection.prepare("SELECT EXISTS (SELECT 1 FROM rounds WHERE round = ?1)")?;
        let mut insert = self.connection.prepare("INSERT INTO rounds (round, key, at_ms) VALUES (?1, ?2, ?3)")?;
        let mut next = i64::MIN;
        let mut places = HashMap::with_capacity(theirs.len());
        for TheirRound { number, key, at_ms } in theirs {
            let known: Option<i64> = by_key.query_row([key], |row| row.get(0)).optional()?;
            let place = match known {
                Some(place) => place,
                None => {
                    let mut place = next.max(*number);
                    while by_number.query_row([place], |row| row.get(0))? {
                        place += 1;
                    }
                    insert.execute(params![place, key, at_ms])?;
                    place
                }
            };
            next = next.max(place + 1);
            places.insert(*number, place);
        }
        Ok(places)
    }

    /// Takes over a torrent; what it is here, if anything was seen of it.
    fn take_torrent(
        &mut self,
        theirs: &mut Access<'_>,
        torrent: i64,
        rounds: &HashMap<i64, i64>,
        merged: &mut Merged,
    ) -> Result<Option<i64>, Failed> {
        let (mut id, mut added) = (None, 0);
        let take = |round: i64, observation: Observation| {
            let round = rounds.get(&round).ok_or(Failed::Theirs(Error::value("a round")))?;
            let id = match id {
                Some(id) => id,
                None => *id.insert(self.torrent(&observation)?.id),
            };
            let is_new = self.write(id, *round, &observation)?;
            added += u64::from(is_new);
            merged.known += u64::from(!is_new);
            Ok::<(), Failed>(())
        };
        theirs.each(torrent, take).map_err(Failed::Theirs)??;
        merged.observations += added;
        if let Some(id) = id.filter(|_| added > 0) {
            self.find_since(id)?;
        }
        Ok(id)
    }
}
