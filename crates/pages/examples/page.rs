//! The report of two made-up torrents: `cargo run -p pages --example page > page.html`; or `csv`, `torrents-json` as an argument.

use ids::InfoHash;
use pages::{Overview, TorrentView, UnixTime};
use report::{Copies, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 2026-11-29, 20:00 in UTC.
    let now: UnixTime = 1_795_982_400;
    let mut overview = Overview::new("releases", now);
    for (n, name, verdict, seeds, copies) in
        [(1, "netinst.iso", Verdict::Healthy, 3, 3.3), (2, "archive-2019.tar", Verdict::Incomplete, 0, 0.98)]
    {
        let mut torrent = TorrentView::new(InfoHash([n; 20]), name);
        (torrent.data_size, torrent.claimed.seeds) = (Some(600_000_000), Some(50));
        (torrent.verdict, torrent.verified_seeds) = (Some(verdict), Some(seeds));
        torrent.copies = Some(Copies { min: copies, max: copies });
        (torrent.since, torrent.checked_at) = (Some(now - 4 * 86_400), Some(now));
        overview.torrents.push(torrent);
    }
    let text = match std::env::args().nth(1).as_deref() {
        None | Some("html") => pages::page(&overview),
        Some("csv") => pages::csv(&overview),
        Some("torrents-json") => pages::torrents_json(&overview),
        Some(other) => return Err(format!("`{other}` is none of html, csv, torrents-json").into()),
    };
    print!("{text}");
    Ok(())
}
