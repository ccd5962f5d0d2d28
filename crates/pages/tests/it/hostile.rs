//! Names that are markup, control characters, formulas, or very long.

use crate::markup::{Token, skeleton, text};
use crate::sample;
use guard::is_deceptive;
use pages::{Overview, csv, page, torrents_json};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// Every tag and attribute of a page of plain names.
static PLAIN: LazyLock<Vec<Token>> = LazyLock::new(|| skeleton(&page_of_plain_names()));

/// Everything in a report that others chose.
fn texts(overview: &mut Overview) -> Vec<&mut String> {
    let mut texts = vec![&mut overview.title];
    for torrent in &mut overview.torrents {
        texts.extend([&mut torrent.name, &mut torrent.sentence]);
        texts.extend(torrent.to_do.as_mut());
        texts.extend(torrent.magnet_link.as_mut());
        let Some(detail) = torrent.detail.as_deref_mut() else { continue };
        texts.extend(&mut detail.missing_files);
        texts.extend(detail.clients.iter_mut().map(|(name, _)| name));
        texts.extend(detail.sources.iter_mut().flat_map(|source| [&mut source.name, &mut source.status]));
    }
    texts
}

/// A small report in which every text that can be there is there, and short histories, so that many can be tried.
fn report() -> Overview {
    let mut overview = sample::overview(6);
    for torrent in &mut overview.torrents {
        torrent.to_do = Some("to do".to_owned());
        torrent.magnet_link = Some("magnet:?xt=urn:btih:00".to_owned());
        if let Some(detail) = torrent.detail.as_deref_mut() {
            detail.missing = Some(vec![5..=6]);
            detail.missing_files = vec!["a/file".to_owned()];
            detail.history.points.truncate(5);
            // One row each: their order is by name.
            detail.clients.truncate(1);
            detail.sources.iter_mut().for_each(|source| source.rounds.truncate(3));
        }
    }
    overview
}

fn with(text: &str) -> Overview {
    let mut overview = report();
    texts(&mut overview).into_iter().for_each(|to| text.clone_into(to));
    overview
}

fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "<script>alert(1)</script>",
            "</title><img src=x onerror=alert(1)>",
            "</style><svg/onload=alert(1)>",
            "\" onmouseover=\"alert(1)",
            "' x='",
            "-->",
            "<!--",
            "]]>",
            "&lt;b&gt;",
            "{{ title }}",
            "{% include \"row.html\" %}",
            "javascript:alert(1)",
            "\u{202e}gpj.exe",
            "\u{0}\u{1b}[2J\u{9b}31m",
            "=cmd|' /C calc'!A0",
            "\t@SUM(A1)",
            "\r\n-1,\"2\"",
            "＝1",
            "\u{feff}\u{200b}\u{e0041}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_tag_and_no_attribute_appears_that_the_template_did_not_write(name in nasty()) {
        // An empty sentence has no element; its place is the same for every other.
        let name = format!("n{name}");
        let page = page(&with(&name));
        prop_assert!(skeleton(&page) == *PLAIN, "other tags or attributes than with plain names");
        prop_assert!(!page.contains(|c: char| is_deceptive(c) && c != '\n'));
    }

    #[test]
    fn names_are_text_on_the_page(name in "[a-z<>&\"']{1,40}") {
        let name = format!("n{name}");
        prop_assert!(text(&page(&with(&name))).contains(&name));
    }

    #[test]
    fn csv_has_the_same_fields_in_every_line_and_none_is_a_formula(name in nasty()) {
        let csv = csv(&with(&name));
        let records = crate::csv::records(&csv);
        prop_assert_eq!(records.len(), 7);
        for field in records.iter().flatten() {
            prop_assert!(!field.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{field:?}");
            prop_assert!(!field.contains(is_deceptive), "{field:?}");
        }
        prop_assert!(records.iter().all(|record| record.len() == records[0].len()));
    }

    #[test]
    fn json_has_every_name_as_it_was_and_nothing_that_controls(name in nasty()) {
        let json = torrents_json(&with(&name));
        prop_assert!(!json.contains(|c: char| is_deceptive(c) && c != '\n'));
        let read: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        prop_assert!(read.len() == 6 && read.iter().all(|torrent| torrent["name"] == name.as_str()));
    }
}

fn page_of_plain_names() -> String {
    page(&with("plain"))
}

#[test]
fn the_comparison_of_skeletons_sees_a_tag_and_an_attribute_more() {
    let plain = page_of_plain_names();
    for hostile in ["<b>plain</b>", "plain<img src=\"x\"/>"] {
        assert_ne!(skeleton(&plain.replacen("plain", hostile, 1)), skeleton(&plain));
    }
}

#[test]
fn a_name_of_ten_thousand_characters_is_cut_on_the_page_alone() {
    let long = "\u{301}<".repeat(5_000);
    let overview = with(&long);
    let page = page(&overview);
    let is_long = |token: Token| matches!(token, Token::Text(text) if text.len() > 20_000 && !text.contains("--bg"));
    assert!(!crate::markup::tokens(&page).into_iter().any(is_long));
    assert!(page.len() < 400_000, "{}", page.len());
    let read: Vec<serde_json::Value> = serde_json::from_str(&torrents_json(&overview)).unwrap();
    assert_eq!(read[0]["name"], long.as_str());
    assert!(csv(&overview).contains(&long));
}

#[test]
fn numbers_at_their_ends_are_drawn() {
    [i64::MIN, 0, i64::MAX].into_iter().for_each(ends_are_drawn);
}

fn ends_are_drawn(made_at: i64) {
    let mut overview = report();
    overview.made_at = made_at;
    for (number, torrent) in overview.torrents.iter_mut().enumerate() {
        let end = if number % 2 == 0 { i64::MAX } else { i64::MIN };
        (torrent.since, torrent.checked_at) = (Some(end), Some(end));
        (torrent.data_size, torrent.claimed.seeds) = (Some(u64::MAX), Some(u32::MAX));
        torrent.copies = Some(report::Copies { min: f64::NAN, max: f64::INFINITY });
        let detail = torrent.detail.as_deref_mut().unwrap();
        (detail.pieces, detail.missing) = (Some(u32::MAX), Some(vec![0..=u32::MAX, RangeInclusive::new(7, 3), 1..=1]));
        for (point, at) in detail.history.points.iter_mut().zip([i64::MIN, -1, 0, i64::MAX - 1, i64::MAX]) {
            (point.at, point.claimed, point.copies) = (at, Some(u32::MAX), torrent.copies);
        }
        for (round, at) in detail
            .sources
            .iter_mut()
            .flat_map(|source| &mut source.rounds)
            .zip([i64::MIN, i64::MAX].into_iter().cycle())
        {
            *round = pages::SourceRound { at, asked: u32::MAX, answered: u32::MAX };
        }
        detail.outcomes = vec![(report::Outcome::Ok, u64::MAX), (report::Outcome::NoRoute, u64::MAX)];
    }
    overview.bytes_by_seeds =
        [i64::MIN, 5, i64::MAX].map(|at| pages::BytesBySeeds { at, bytes: [u64::MAX; 6] }).to_vec();
    let page = page(&overview);
    crate::markup::assert_nested(&page);
    assert!(!page.contains("NaN%") && !page.contains("inf%"));
    let read: Vec<serde_json::Value> = serde_json::from_str(&torrents_json(&overview)).unwrap();
    assert!(read[0]["copies_min"].is_null() && read[0]["copies_max"].is_null());
}
