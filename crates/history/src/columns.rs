//! An observation as a row, and a row as an observation.

use crate::error::Error;
use crate::lists::{ranges, read_ranges};
use crate::names::Access;
use ids::InfoHash;
use report::{Copies, Missing, Observation, Spread, Timings, Transport};
use rusqlite::types::FromSql;
use rusqlite::{Row, params};
use std::collections::BTreeMap;

/// The columns in which a torrent and an observation are read, in the order of [`Access::read`]. `t` is the torrent, `o` the
/// observation and `r` its round.
pub(crate) const COLUMNS: &str = "t.info_hash, t.name, t.size_bytes, t.pieces, r.at_ms, o.verdict, o.claimed_seeds, \
    o.claimed_leechers, o.verified_seeds, o.verified_seeds_max, o.likely_seeds, o.copies_min, o.copies_max, \
    o.missing_pieces, o.missing_ranges, o.peers, o.declined, o.reached, o.with_piece_info, o.list_complete, o.outcomes, \
    o.clients, o.other_clients, o.sources, o.over_utp, o.encrypted, o.dht_nodes, o.trackers, o.web_seeds, o.elapsed_ms, \
    o.connect_ms, o.connect_ninth_decile_ms, o.handshake_ms, o.handshake_ninth_decile_ms, o.distinct_peers, o.seeds_new, \
    o.seeds_gone";

/// The first column behind [`COLUMNS`].
pub(crate) const AFTER_COLUMNS: usize = 37;

/// The last millisecond of the year 9999, and as far back: what SQLite can show as a date.
const LATEST_MS: i64 = 253_402_300_799_999;

/// Values of one row, taken one after another.
struct Cells<'r> {
    row: &'r Row<'r>,
    at: usize,
}

impl<'r> Cells<'r> {
    fn take<T: FromSql>(&mut self) -> Result<T, Error> {
        self.at += 1;
        Ok(self.row.get(self.at - 1)?)
    }

    fn text(&mut self) -> Result<Option<&'r str>, Error> {
        self.at += 1;
        self.row.get_ref(self.at - 1)?.as_str_or_null().map_err(|_| Error::value("a text"))
    }

    fn spread(&mut self) -> Result<Option<Spread>, Error> {
        let (median, ninth_decile): (Option<u32>, Option<u32>) = (self.take()?, self.take()?);
        Ok(median.zip(ninth_decile).map(|(median_ms, ninth_decile_ms)| Spread { median_ms, ninth_decile_ms }))
    }
}

impl Access<'_> {
    /// Reads a row of [`COLUMNS`].
    pub(crate) fn read(&mut self, row: &Row<'_>) -> Result<Observation, Error> {
        let cells = &mut Cells { row, at: 0 };
        let info_hash = InfoHash(cells.take()?);
        let (name, size, pieces): (_, Option<i64>, _) = (cells.take()?, cells.take()?, cells.take()?);
        let size_bytes = size.map(|size| u64::try_from(size).map_err(|_| Error::value("a size"))).transpose()?;
        let at_ms = checked_time(cells.take()?)?;
        let verdict = self.code(cells.take()?)?;
        let mut seen = Observation::new(info_hash, at_ms, verdict);
        (seen.name, seen.size_bytes, seen.pieces) = (name, size_bytes, pieces);
        (seen.claimed_seeds, seen.claimed_leechers) = (cells.take()?, cells.take()?);
        (seen.verified_seeds, seen.verified_seeds_max, seen.likely_seeds) =
            (cells.take()?, cells.take()?, cells.take()?);
        let (min, max): (Option<u32>, Option<u32>) = (cells.take()?, cells.take()?);
        seen.copies = min.zip(max).map(|(min, max)| Copies { min: f64::from(min) / 1e3, max: f64::from(max) / 1e3 });
        let (pieces, ranges): (Option<u32>, _) = (cells.take()?, read_ranges(cells.text()?)?);
        seen.missing = pieces.map(|pieces| Missing { pieces, ranges });
        (seen.peers, seen.declined) = (cells.take()?, cells.take()?);
        (seen.reached, seen.with_piece_info, seen.list_complete) = (cells.take()?, cells.take()?, cells.take()?);
        seen.outcomes = self.read_codes(cells.text()?)?;
        seen.clients = self.read_clients(cells.text()?)?;
        seen.other_clients = cells.take()?;
        seen.sources = self.read_sources(cells.text()?)?;
        seen.transports = transports(seen.reached, cells.take()?);
        (seen.encrypted, seen.dht_nodes) = (cells.take()?, cells.take()?);
        seen.trackers = self.read_trackers(cells.text()?)?;
        seen.web_seeds = self.read_web_seeds(cells.text()?)?;
        seen.timings = Timings { elapsed_ms: cells.take()?, connect: cells.spread()?, handshake: cells.spread()? };
        let (distinct, new, gone): (Option<u32>, Option<u32>, Option<u32>) =
            (cells.take()?, cells.take()?, cells.take()?);
        seen.met = distinct.map(|distinct_peers| report::Met {
            distinct_peers,
            seeds_new: new.unwrap_or_default(),
            seeds_gone: gone.unwrap_or_default(),
        });
        Ok(seen)
    }

    /// Writes a row, unless there is one of this torrent and round; whether it was written.
    pub(crate) fn write(&mut self, torrent: i64, round: i64, seen: &Observation) -> Result<bool, Error> {
        /// One parameter for each column of `observations`.
        const INSERT: &str = "INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let verdict = self.id(seen.verdict.code())?;
        let outcomes = self.counts(seen.outcomes.iter().map(|(outcome, count)| (Some(outcome.code()), *count)))?;
        let clients = self.counts(seen.clients.iter().map(|(name, count)| (name.as_deref(), *count)))?;
        let sources = self.sources(&seen.sources)?;
        let (trackers, web_seeds) = (self.trackers(&seen.trackers)?, self.web_seeds(&seen.web_seeds)?);
        let Timings { elapsed_ms, connect, handshake } = seen.timings;
        let [connect_ms, handshake_ms] = [connect, handshake].map(|spread| spread.map(|spread| spread.median_ms));
        let [connect_9, handshake_9] = [connect, handshake].map(|spread| spread.map(|spread| spread.ninth_decile_ms));
        let written = self.connection.prepare_cached(INSERT)?.execute(params![
            torrent,
            round,
            verdict,
            seen.claimed_seeds,
            seen.claimed_leechers,
            seen.verified_seeds,
            seen.verified_seeds_max,
            seen.likely_seeds,
            seen.copies.map(|copies| thousandths(copies.min)),
            seen.copies.map(|copies| thousandths(copies.max)),
            seen.missing.as_ref().map(|missing| missing.pieces),
            seen.missing.as_ref().and_then(|missing| ranges(&missing.ranges)),
            seen.peers,
            seen.declined,
            seen.reached,
            seen.with_piece_info,
            seen.list_complete,
            outcomes,
            clients,
            seen.other_clients,
            sources,
            seen.transports.get(&Transport::Utp).copied().unwrap_or_default(),
            seen.encrypted,
            seen.dht_nodes,
            trackers,
            web_seeds,
            elapsed_ms,
            connect_ms,
            connect_9,
            handshake_ms,
            handshake_9,
            seen.met.map(|met| met.distinct_peers),
            seen.met.map(|met| met.seeds_new),
            seen.met.map(|met| met.seeds_gone),
        ])?;
        Ok(written > 0)
    }
}

/// Valid handshakes by transport: each went over one of the two.
fn transports(reached: u32, over_utp: u32) -> BTreeMap<Transport, u32> {
    let both = [(Transport::Tcp, reached.saturating_sub(over_utp)), (Transport::Utp, over_utp)];
    both.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Refuses a time that is none.
pub(crate) fn checked_time(at_ms: i64) -> Result<i64, Error> {
    if (-LATEST_MS..=LATEST_MS).contains(&at_ms) { Ok(at_ms) } else { Err(Error::value("a time")) }
}

/// The time that a clock says, if it is one.
pub(crate) fn clamped_time(at_ms: i64) -> i64 {
    at_ms.clamp(-LATEST_MS, LATEST_MS)
}

/// Copies in whole thousandths, rounded down, as they are in an observation already.
fn thousandths(copies: f64) -> u32 {
    let exact = Copies { min: copies, max: copies }.in_thousandths().min;
    // Saturates, and a torrent has at most a few million peers.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = (exact * 1e3).round() as u32;
    whole
}
