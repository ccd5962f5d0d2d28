//! `cargo xtask conformance DIR`: what we make of each torrent in DIR beside what libtorrent made of it, as recorded in
//! `DIR/EXPECTED.tsv` (tab-separated, with a head line that names the columns).

use metainfo::Torrent;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Disagreements that are meant: file, column, and the reason. A disagreement that is not listed fails the command, and so
/// does a listed one in a file of DIR that agrees by now.
const ALLOWED: &[(&str, &str, &str)] = &[];

/// The columns compared when both sides accept a file.
const COMPARED: [&str; 9] =
    ["info_hash_v1", "info_hash_v2", "name", "total_size", "files", "piece_length", "pieces", "trackers", "private"];

/// Compares, prints each disagreement and a summary.
///
/// # Errors
/// How many disagreements are not allowed, or why DIR cannot be compared.
pub(crate) fn run(dir: &Path) -> Result<(), String> {
    let table = dir.join("EXPECTED.tsv");
    let table = fs::read_to_string(&table).map_err(|error| format!("{}: {error}", table.display()))?;
    let (mut files, mut allowed, mut failed) = (0, 0, 0);
    for row in rows(&table) {
        let row = row?;
        let file = row.get("file");
        let bytes = fs::read(dir.join(file)).map_err(|error| format!("{file}: {error}"))?;
        files += 1;
        let found = compare(&row, &bytes);
        for Disagreement { column, expected, ours } in &found {
            let reason = ALLOWED.iter().find(|(name, of, _)| name == &file && of == column);
            if let Some((_, _, reason)) = reason {
                println!("{file}: {column}: allowed: {reason}");
                allowed += 1;
            } else {
                println!("{file}: {column}: expected {expected:?}, ours is {ours:?}");
                failed += 1;
            }
        }
        for (_, column, _) in ALLOWED.iter().filter(|(name, _, _)| *name == file) {
            if !found.iter().any(|disagreement| disagreement.column == *column) {
                println!("{file}: {column}: agrees, and is still in the list of the allowed");
                failed += 1;
            }
        }
    }
    println!("{files} files compared, {allowed} disagreements allowed, {failed} not");
    match (files, failed) {
        (0, _) => Err("no files in EXPECTED.tsv".to_owned()),
        (_, 0) => Ok(()),
        _ => Err(format!("{failed} disagreements with libtorrent")),
    }
}

/// One line of the table, by column.
struct Row<'t> {
    cells: HashMap<&'t str, &'t str>,
}

impl Row<'_> {
    fn get(&self, column: &str) -> &str {
        self.cells.get(column).copied().unwrap_or_default()
    }
}

/// The lines under the head line; one with another number of cells is an error.
fn rows(table: &str) -> impl Iterator<Item = Result<Row<'_>, String>> {
    let mut lines = table.split('\n').map(|line| line.trim_end_matches('\r'));
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines.filter(|line| !line.is_empty()).map(move |line| {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() == head.len() {
            Ok(Row { cells: head.iter().copied().zip(cells).collect() })
        } else {
            Err(format!("EXPECTED.tsv: {} cells for {} columns in {line:?}", cells.len(), head.len()))
        }
    })
}

/// A column in which we differ.
struct Disagreement {
    column: &'static str,
    expected: String,
    ours: String,
}

fn compare(row: &Row<'_>, bytes: &[u8]) -> Vec<Disagreement> {
    let torrent = match (row.get("verdict"), Torrent::parse(bytes)) {
        ("accept", Ok(torrent)) => torrent,
        ("accept", Err(error)) => return verdict("accept", &format!("reject: {}", chain(&error))),
        ("reject", Ok(_)) => return verdict(&format!("reject: {}", row.get("error")), "accept"),
        ("reject", Err(_)) => return Vec::new(),
        (other, _) => return verdict("accept or reject", other),
    };
    let differs = |column: &&'static str| {
        let (expected, ours) = (row.get(column), shown(&torrent, column));
        (expected != ours).then(|| Disagreement { column, expected: expected.to_owned(), ours })
    };
    COMPARED.iter().filter_map(differs).collect()
}

fn verdict(expected: &str, ours: &str) -> Vec<Disagreement> {
    vec![Disagreement { column: "verdict", expected: expected.to_owned(), ours: ours.to_owned() }]
}

/// A column as libtorrent's answers are written.
fn shown(torrent: &Torrent, column: &str) -> String {
    let optional = |hash: Option<String>| hash.unwrap_or_default();
    match column {
        "info_hash_v1" => optional(torrent.hashes.v1().map(|hash| hash.to_string())),
        "info_hash_v2" => optional(torrent.hashes.v2().map(|hash| hash.to_string())),
        "name" => torrent.safe_name.clone(),
        "total_size" => torrent.total_size.to_string(),
        "files" => torrent.files.len().to_string(),
        "piece_length" => torrent.piece_length.to_string(),
        "pieces" => torrent.pieces.to_string(),
        // libtorrent lists the trackers it knows the scheme of.
        "trackers" => torrent.trackers.iter().flatten().filter(|tracker| tracker.kind.is_known()).count().to_string(),
        "private" => u8::from(torrent.private).to_string(),
        _ => String::new(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "file\tverdict\terror\tinfo_hash_v1\tname\tfiles\nx\taccept\t\t\tx\t1\ny\treject\tno\t\t\t\n";
    const TORRENT: &[u8] = b"d4:infod6:lengthi7e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee";

    fn differing(row: usize, bytes: &[u8]) -> Vec<&'static str> {
        let row = rows(TABLE).nth(row).unwrap().unwrap();
        compare(&row, bytes).iter().map(|found| found.column).collect()
    }

    #[test]
    fn each_column_that_differs_is_named() {
        // What the table leaves empty cannot agree.
        assert_eq!(
            differing(0, TORRENT),
            ["info_hash_v1", "total_size", "piece_length", "pieces", "trackers", "private"]
        );
        assert_eq!(differing(0, b"de"), ["verdict"]);
        assert_eq!(differing(1, TORRENT), ["verdict"]);
        assert_eq!(differing(1, b"de"), [""; 0]);
    }

    #[test]
    fn a_ragged_table_is_refused() {
        assert!(rows("a\tb\nc\n").next().unwrap().is_err());
    }
}
