//! How old it is what a page shows: a page may be made long after the last round.

use crate::date;
use crate::date::{DAY, UnixTime};
use crate::text::span;
use crate::view::{Overview, TorrentView};

/// The newest time a torrent was checked: what the page is as of. Clocks jump: times later than the page do not count. When it was
/// made, if none was checked.
pub(crate) fn as_of(overview: &Overview) -> UnixTime {
    let checked = overview.torrents.iter().filter_map(|torrent| torrent.checked_at);
    checked.filter(|at| *at <= overview.made_at).max().unwrap_or(overview.made_at)
}

/// Whether this was long ago: cron jobs of a day are late by minutes, and then it is told in hours.
pub(crate) fn is_old(seen: UnixTime, now: UnixTime) -> bool {
    now.saturating_sub(seen) > DAY
}

/// What a value as of then is called.
pub(crate) fn now(seen: UnixTime, made_at: UnixTime) -> &'static str {
    if is_old(seen, made_at) { "when last seen" } else { "now" }
}

/// `30 days`: for how long nothing was recorded, if that is long.
pub(crate) fn nothing_for(overview: &Overview) -> Option<String> {
    let seen = as_of(overview);
    span(seen, overview.made_at).filter(|_| is_old(seen, overview.made_at))
}

/// `last seen 2026-10-30`, of a torrent that was not checked for long while others were.
pub(crate) fn last_seen(torrent: &TorrentView, as_of: UnixTime) -> Option<String> {
    torrent.checked_at.filter(|at| is_old(*at, as_of)).map(|at| format!("last seen {}", date::day(at)))
}
