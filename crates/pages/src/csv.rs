//! CSV (RFC 4180) that a spreadsheet takes for text and numbers, never for formulas.

use crate::table::{COLUMNS, Cell, Row, rows};
use crate::view::{Overview, TorrentView};
use guard::escape;
use ids::InfoHash;

/// What a spreadsheet begins a formula with, or passes over before one; the wide forms are taken for the narrow ones by some.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The torrents as CSV (RFC 4180: a header, lines that end in CR LF), the worst first, with the columns of
/// [`torrents_json`](fn@crate::torrents_json); what is not known is empty. In text, characters that control a terminal or deceive a
/// reader are written out, so that no field has a line break, and text that a spreadsheet would take for a formula begins with an
/// apostrophe, which makes it text there.
#[must_use]
pub fn csv(overview: &Overview) -> String {
    let mut csv = header();
    for row in rows(overview) {
        let fields: [String; COLUMNS] = row.0.map(|(_, cell)| field(&cell));
        line(&mut csv, &fields);
    }
    csv
}

fn header() -> String {
    // The names are the same in every row.
    let nothing = TorrentView::new(InfoHash([0; 20]), "");
    let mut csv = String::new();
    line(&mut csv, &Row::of(&nothing).0.map(|(name, _)| name.to_owned()));
    csv
}

fn line(csv: &mut String, fields: &[String]) {
    csv.push_str(&fields.join(","));
    csv.push_str("\r\n");
}

fn field(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(flag) => flag.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Decimal(decimal) => decimal.to_string(),
        Cell::Text(text) => quoted(&harmless(text)),
    }
}

/// No formula, and nothing that controls or deceives.
fn harmless(text: &str) -> String {
    // White space before a formula is passed over as well.
    let is_formula = text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA);
    format!("{}{}", if is_formula { "'" } else { "" }, escape(text))
}

/// A field of text: quoted where it has to be, or where some reader would trim it.
fn quoted(text: &str) -> String {
    let is_plain = !text.contains([',', '"', ';', '\'', ' ']);
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("  =1", "'  =1"),
            ("\u{3000}＝1", "'\u{3000}＝1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (text, expected) in [("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("", "")] {
            assert_eq!(quoted(text), expected);
        }
    }
}
