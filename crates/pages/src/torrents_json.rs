//! `torrents.json`, as archives publish it.

use crate::table::rows;
use crate::view::Overview;
use std::fmt::Write;

/// The torrents as a list in JSON, one object a line, the worst first. The columns are those of the archives' `torrents.json` (`btih`,
/// `magnet_link`, `torrent_size`, `num_files`, `data_size`, `aa_currently_seeding`, `obsolete`, `embargo`, `seeders`, `leechers`,
/// `completed`, `stats_scraped_at`, `partially_broken`; sizes in bytes, times in UTC), and beside them `name`, `verdict`,
/// `verdict_since`, `checked_at`, `verified_seeds`, `copies_min` and `copies_max` (thousandths, rounded down), `missing_pieces`. What
/// is not known is null; `seeders` are claimed, never verified. Characters that command or deceive a terminal are `\u` escapes, which
/// mean the same.
#[must_use]
pub fn torrents_json(overview: &Overview) -> String {
    let mut json = String::from("[");
    for (number, row) in rows(overview).enumerate() {
        // Keys are text and numbers finite, so that a row can always be written.
        let row = serde_json::to_string(&row).unwrap_or_default();
        json.push_str(if number == 0 { "\n" } else { ",\n" });
        push_harmless(&mut json, &row);
    }
    json.push_str("\n]\n");
    json
}

/// JSON in which no character commands or deceives: they can only be within its strings.
fn push_harmless(json: &mut String, row: &str) {
    for character in row.chars() {
        match guard::is_deceptive(character) {
            false => json.push(character),
            // Writing to a string cannot fail.
            true => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(json, "\\u{unit:04x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::TorrentView;
    use ids::InfoHash;
    use serde_json::Value;

    #[test]
    fn names_come_back_as_they_were() {
        let name = "</script>\"\\\u{202e}\u{e0041}\u{7f}\u{1b}\n";
        let mut overview = Overview::new("x", 0);
        overview.torrents = vec![TorrentView::new(InfoHash([7; 20]), name), TorrentView::new(InfoHash([8; 20]), "b")];
        let json = torrents_json(&overview);
        assert!(!json.contains(|c| c != '\n' && guard::is_deceptive(c)));
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read[0]["name"], name);
        assert_eq!(read[1]["btih"], "08".repeat(20));
        assert!(read[0]["seeders"].is_null() && json.lines().count() == 4);
        assert_eq!(torrents_json(&Overview::default()), "[\n]\n");
    }
}
