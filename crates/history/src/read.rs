//! What a history says.

use crate::columns::{AFTER_COLUMNS, COLUMNS};
use crate::error::Error;
use crate::history::History;
use crate::names::Access;
use ids::InfoHash;
use report::{Observation, Verdict};
use rusqlite::OptionalExtension;
use std::convert::Infallible;

/// A torrent and the newest observation that says something of its swarm.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Latest {
    /// The newest observation that says something of the swarm; the newest, if none does.
    pub observation: Observation,
    /// The last verdict that says something of the swarm.
    pub verdict: Option<Verdict>,
    /// Since when it is that: milliseconds since 1970.
    pub since_ms: Option<i64>,
}

impl History {
    /// Every torrent with its newest state, in the order in which they were recorded first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn torrents(&mut self) -> Result<Vec<Latest>, Error> {
        // A cross join is made in the order in which it is written: without, SQLite may well read every observation.
        let select = format!(
            "SELECT {COLUMNS}, t.verdict, t.since_ms FROM torrents t CROSS JOIN observations o ON o.torrent = t.torrent \
            AND o.round = coalesce((SELECT max(round) FROM observations WHERE torrent = t.torrent AND verdict = t.verdict), \
            (SELECT max(round) FROM observations WHERE torrent = t.torrent)) \
            JOIN rounds r ON r.round = o.round ORDER BY t.torrent"
        );
        let mut access = self.access();
        let mut statement = access.connection.prepare_cached(&select)?;
        let mut rows = statement.query([])?;
        let mut torrents = Vec::new();
        while let Some(row) = rows.next()? {
            let verdict: Option<i64> = row.get(AFTER_COLUMNS)?;
            torrents.push(Latest {
                observation: access.read(row)?,
                verdict: verdict.map(|id| access.code(id)).transpose()?,
                since_ms: row.get(AFTER_COLUMNS + 1)?,
            });
        }
        Ok(torrents)
    }

    /// All observations of a torrent, the oldest first; none of one that is not there.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn observations(&mut self, info_hash: InfoHash) -> Result<Vec<Observation>, Error> {
        self.snapshot(|access| {
            let mut observations = Vec::new();
            if let Some(torrent) = access.find(info_hash)? {
                let take = |_, observation| {
                    observations.push(observation);
                    Ok(())
                };
                access.each(torrent, take)?.unwrap_or_else(|never: Infallible| match never {});
            }
            Ok(observations)
        })
    }
}

impl Access<'_> {
    /// The id of a torrent.
    pub(crate) fn find(&mut self, info_hash: InfoHash) -> Result<Option<i64>, Error> {
        let mut find = self.connection.prepare_cached("SELECT torrent FROM torrents WHERE info_hash = ?1")?;
        Ok(find.query_row([info_hash.0], |row| row.get(0)).optional()?)
    }

    /// Hands on the round and each observation of a torrent, the oldest first, until one is not taken; the inner result says why.
    pub(crate) fn each<E>(
        &mut self,
        torrent: i64,
        mut take: impl FnMut(i64, Observation) -> Result<(), E>,
    ) -> Result<Result<(), E>, Error> {
        let select = format!(
            "SELECT {COLUMNS}, o.round FROM observations o JOIN torrents t USING (torrent) JOIN rounds r USING (round) \
            WHERE o.torrent = ?1 ORDER BY o.round"
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let mut rows = statement.query([torrent])?;
        while let Some(row) = rows.next()? {
            let observation = self.read(row)?;
            if let Err(error) = take(row.get(AFTER_COLUMNS)?, observation) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}
