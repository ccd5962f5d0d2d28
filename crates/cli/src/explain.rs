//! `explain`: what a code of a report means, as text, in the manual page and in the reference.

use crate::text::{Line, Page};
use anstyle::Style;
use client::{CodeKind, Explanation};
use std::fmt::Write;

/// Where the text of a row begins.
const TEXT: usize = 12;

/// Every explanation of this code, or a list of all codes; the error is one line about a code that there is not.
pub(crate) fn explain(code: Option<&str>, page: Page) -> Result<String, String> {
    let Some(code) = code else { return Ok(list(page)) };
    // As people type what a report shows: `connect-timeout`, `Timed out`.
    let asked = code.trim().to_ascii_lowercase();
    let code = asked.replace(['-', ' '], "_");
    let found: Vec<_> =
        Explanation::all().filter(|entry| entry.code == code || entry.words.eq_ignore_ascii_case(&asked)).collect();
    if found.is_empty() {
        return Err(unknown(&code));
    }
    Ok(found.iter().map(|entry| shown(entry, page)).collect::<Vec<_>>().join("\n"))
}

/// `explain` alone lists the codes; the codes that share a word with this one are named.
fn unknown(code: &str) -> String {
    let words: Vec<&str> = code.split('_').filter(|word| word.len() > 2).collect();
    let near = Explanation::all().map(|entry| entry.code).filter(|known| words.iter().any(|word| known.contains(word)));
    let mut near: Vec<&str> = near.collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(5);
    let near = if near.is_empty() { String::new() } else { format!("; near it are {}", near.join(", ")) };
    format!("`bt-handshake explain` lists the codes: none is called {}{near}", crate::shown::shown_word(code.as_ref()))
}

fn shown(entry: &Explanation, page: Page) -> String {
    let title = Line::new().styled(Style::new().bold(), entry.code).add(format!(": {}", entry.kind.words()));
    let row = |label: &str, text: &str| {
        Line::new().add("  ").cell(Style::new().dimmed(), label, TEXT - 2).add(text).wrapped(0, TEXT, page.columns)
    };
    let mut lines = vec![title];
    lines.extend(row("seen", entry.seen));
    for (n, cause) in entry.causes().enumerate() {
        lines.extend(row(if n == 0 { "may mean" } else { "or" }, cause));
    }
    lines.extend(row("to do", entry.to_do));
    lines.iter().map(|line| line.on(Page { cuts: false, ..page }) + "\n").collect()
}

/// Every code with what it is in a few words, by kind.
fn list(page: Page) -> String {
    let mut text = String::new();
    let mut last = None;
    for entry in Explanation::all() {
        if last.replace(entry.kind) != Some(entry.kind) {
            let _ = writeln!(text, "{}{}", if text.is_empty() { "" } else { "\n" }, entry.kind.words());
        }
        let line = Line::new().add("  ").cell(Style::new(), entry.code, 24).add(entry.words);
        text.push_str(&(line.on(page) + "\n"));
    }
    text
}

/// The rows of a table in Markdown: `| code | meaning |`, for the reference.
#[cfg(test)]
pub(crate) fn markdown(kind: CodeKind) -> String {
    let rows = Explanation::all().filter(|entry| entry.kind == kind);
    rows.map(|entry| format!("| `{}` | {} |\n", entry.code, entry.seen)).collect()
}

/// A paragraph for each code of this kind, for the manual page.
pub(crate) fn paragraphs(kind: CodeKind) -> impl Iterator<Item = (&'static str, String)> {
    let entries = Explanation::all().filter(move |entry| entry.kind == kind);
    entries.map(|entry| {
        let causes: Vec<&str> = entry.causes().collect();
        let (seen, causes) = (entry.seen, causes.join("; or "));
        (entry.code, format!("{seen}. It may mean: {causes}. To do: {}.", entry.to_do))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;
    use std::path::Path;

    const PAGE: Page = Page { columns: 80, cuts: false, marks: Marks::ASCII };

    #[test]
    fn a_code_of_two_kinds_is_explained_twice() {
        let text = explain(Some("connect_timeout"), PAGE).unwrap();
        assert!(text.contains(": outcome of a peer\n") && text.contains(": status of a tracker\n"), "{text}");
        assert_eq!(explain(Some("Connect-Timeout"), PAGE), Ok(text));
        assert!(["no TLS", "HTTP error"].iter().all(|words| explain(Some(words), PAGE).is_ok()));
        let text = explain(Some("another service"), PAGE).unwrap();
        assert!(text.contains("not_bittorrent") && text.lines().all(|line| line.len() <= 120), "{text}");
    }

    #[test]
    fn what_is_no_code_is_told_with_those_near_it() {
        let reason = explain(Some("timeout_connect"), PAGE).unwrap_err();
        assert!(reason.contains("connect_timeout"), "{reason}");
        let all = explain(None, PAGE).unwrap();
        assert_eq!(all.matches("\n  ").count(), Explanation::all().count());
    }

    /// The tables of the reference are these; `UPDATE_SNAPSHOTS=1` writes them.
    #[test]
    fn the_reference_has_the_same_tables() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CODES.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut updated = text.clone();
        for (kind, table) in [
            (CodeKind::Verdict, "verdict"),
            (CodeKind::Outcome, "outcome"),
            (CodeKind::Role, "role"),
            (CodeKind::TrackerStatus, "status"),
            (CodeKind::WebSeedStatus, "status of a web seed"),
            (CodeKind::WebSeedQuirk, "quirk"),
            (CodeKind::DhtStatus, "status of a lookup"),
            (CodeKind::DhtNodeStatus, "status of a node"),
            (CodeKind::MetadataStatus, "status of metadata"),
            (CodeKind::MetadataStanding, "standing"),
        ] {
            let (begin, end) = (format!("<!-- {table} -->\n"), format!("<!-- end of {table} -->"));
            let (before, rest) = updated.split_once(&begin).unwrap_or_else(|| panic!("{begin}"));
            let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{end}"));
            let table = format!("\n| {table} | seen |\n|---|---|\n{}\n", markdown(kind));
            updated = format!("{before}{begin}{table}{end}{after}");
        }
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &updated).unwrap();
        } else {
            assert!(text == updated, "UPDATE_SNAPSHOTS=1 writes the tables of {}", path.display());
        }
    }
}
