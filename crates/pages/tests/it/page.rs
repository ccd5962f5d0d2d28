//! The page as a whole.

use crate::markup::{Token, assert_nested, skeleton, text, tokens};
use crate::sample;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ids::InfoHash;
use pages::{Overview, TorrentView, page};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

#[test]
fn elements_are_nested_and_anchors_lead_somewhere_once() {
    let page = page(&sample::overview(40));
    assert_nested(&page);
    let attributes = |of: &str| -> Vec<String> {
        let all = skeleton(&page).into_iter().filter_map(|token| match token {
            Token::Open { attributes, .. } => Some(attributes),
            _ => None,
        });
        all.flatten().filter(|(name, _)| name == of).map(|(_, value)| value).collect()
    };
    let ids = attributes("id");
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    for target in attributes("href")
        .iter()
        .filter_map(|link| link.strip_prefix('#'))
        .map(str::to_owned)
        .chain(attributes("aria-labelledby"))
    {
        assert!(unique.contains(&target), "{target}");
    }
    assert!(attributes("href").iter().all(|link| link.starts_with('#') || link.starts_with("magnet:?xt=urn:bt")));
}

#[test]
fn the_page_requests_nothing() {
    let page = page(&sample::overview(40));
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    assert!(page.contains(&policy), "the style sheet has changed; its policy is\n{policy}");
    let policy = ("content".to_owned(), policy);
    let mut has_policy = false;
    for token in tokens(&page) {
        let Token::Open { name, attributes, .. } = token else { continue };
        assert!(
            !["script", "link", "img", "image", "iframe", "object", "use", "base", "form"].contains(&name.as_str())
        );
        for (attribute, _) in &attributes {
            assert!(
                !attribute.starts_with("on") && !["src", "srcset", "style", "action"].contains(&attribute.as_str())
            );
        }
        // Before anything that it could forbid.
        has_policy |= attributes.contains(&policy);
        assert!(has_policy || !["style", "body", "svg"].contains(&name.as_str()));
    }
    assert!(!["url(", "@import", "@font-face", "expression("].iter().any(|loads| style.contains(loads)));
}

#[test]
fn no_template_takes_escaping_away() {
    let templates = [
        include_str!("../../templates/chart.html"),
        include_str!("../../templates/head.html"),
        include_str!("../../templates/page.html"),
        include_str!("../../templates/row.html"),
        include_str!("../../templates/section.html"),
        include_str!("../../templates/strip.html"),
        include_str!("../../templates/to_do.html"),
    ];
    let on_disk = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap();
    assert_eq!(on_disk.count(), templates.len() + 1, "each template is in this list, and the style sheet");
    for template in templates {
        assert!(!["safe", "|", "escape", "autoescape"].iter().any(|word| template.contains(word)));
    }
    for source in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let source = std::fs::read_to_string(source.unwrap().path()).unwrap();
        assert!(!source.contains(concat!("Html", "Safe")) && !source.contains(concat!("escape = ", "\"none\"")));
    }
}

#[test]
fn a_torrent_that_is_there_twice_has_one_section() {
    let mut overview = sample::overview(3);
    overview.torrents.extend(overview.torrents.clone());
    let page = page(&overview);
    assert_eq!(page.matches("<section class=\"torrent\"").count(), 3);
    assert_eq!(page.matches("href=\"#t-").count(), 6);
}

#[test]
fn the_same_values_give_the_same_bytes_in_any_order() {
    let overview = sample::overview(40);
    let mut turned = overview.clone();
    turned.torrents.reverse();
    assert!(page(&overview) == page(&turned));
    assert_eq!(pages::csv(&overview), pages::csv(&turned));
}

#[test]
fn a_report_says_what_is_wrong_and_what_to_do() {
    let text = text(&page(&sample::overview(40)));
    for expected in [
        "40 torrents, 721 GB; 8 of them, 79.9 GB, without a verified seed",
        "ask for a reseed of what is missing",
        "no seed answered (the tracker claims 40 seeds), 0.9995 copies, 1 piece of disc2/track07.flac is missing",
        "1 of 2,289 pieces not among the peers that were reached",
        "0 of 40",
        "closed before the handshake",
        "Response times",
        "http://old.example/announce",
        "timed out",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
}

/// Checked at these times before the page was made, in days; each has a section with one round then.
fn checked(days: &[i64]) -> Overview {
    let mut overview = Overview::new("x", sample::NOW);
    overview.torrents = (1..)
        .zip(days)
        .map(|(n, days)| {
            let at = sample::NOW - days * 86_400;
            let mut torrent = TorrentView::new(InfoHash([n; 20]), format!("torrent {n}"));
            (torrent.checked_at, torrent.since) = (Some(at), Some(at - 3 * 86_400));
            (torrent.data_size, torrent.verified_seeds) = (Some(15_000_000), Some(1));
            let mut detail = pages::Detail::default();
            detail.history.points = vec![pages::Point { verified: Some(1), ..pages::Point::new(at) }];
            torrent.detail = Some(Box::new(detail));
            torrent
        })
        .collect();
    overview.bytes_by_seeds = overview
        .torrents
        .iter()
        .map(|torrent| {
            let mut bytes = pages::BytesBySeeds::new(torrent.checked_at.unwrap());
            bytes.add(Some(1), 15_000_000);
            bytes
        })
        .collect();
    overview
}

#[test]
fn a_page_of_old_values_is_as_of_then_and_says_for_how_long_nothing_was_recorded() {
    let old = page(&checked(&[30]));
    assert_nested(&old);
    let said = text(&old);
    for expected in [
        "as of 2026-10-30 16:00 UTC",
        "Nothing was recorded for 30 days",
        "before this page was made, on 2026-11-29 16:00 UTC.",
        "15.0 MB when last seen; without a seed 0 B on 2026-10-30, 0 B when last seen",
        "verified 1 when last seen",
        "When last seen",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // Its verdict is of three days, and not of 33.
    assert!(old.contains(">3 days</time>") && !said.contains("last seen 2026"), "{said}");
    assert!(!said.contains("B now") && !said.contains("1 now") && !said.contains("Now"), "{said}");
    // A day late is no more than a job of once a day.
    let fresh = text(&page(&checked(&[1])));
    assert!(!fresh.contains("recorded for") && fresh.contains("15.0 MB now") && fresh.contains("verified 1 now"));
    // A clock that was ahead makes nothing newer.
    assert!(text(&page(&checked(&[30, -400]))).contains("Nothing was recorded for 30 days"));
}

#[test]
fn a_torrent_that_was_not_checked_for_long_while_others_were_says_when_it_was() {
    let said = text(&page(&checked(&[0, 20])));
    assert!(said.contains("as of 2026-11-29 16:00 UTC") && !said.contains("Nothing was recorded"), "{said}");
    assert_eq!(said.matches("last seen 2026-11-09").count(), 1);
    assert_eq!((said.matches("verified 1 when last seen").count() > 0, said.contains("verified 1 now")), (true, true));
    assert!(!text(&page(&checked(&[0, 1]))).contains("last seen"));
}

#[test]
fn torrents_of_one_name_are_told_apart_by_their_hash() {
    let mut overview = checked(&[0, 0, 0]);
    overview.torrents[0].name = " torrent 2".to_owned();
    let clash = page(&overview);
    for digits in ["01010101", "02020202"] {
        let shown = [format!(" <small><code>{digits}</code></small>"), format!("</bdi> <code>{digits}</code></h2>")];
        assert!(shown.iter().all(|shown| clash.matches(shown).count() == 1), "{clash}");
    }
    assert!(!clash.contains("<code>03030303</code>"));
    // The same torrent twice is one.
    let mut overview = checked(&[0]);
    overview.torrents.extend(overview.torrents.clone());
    assert!(!page(&overview).contains("<code>01010101</code>"));
}

#[test]
fn a_report_without_torrents_and_one_of_an_unknown_torrent_are_pages() {
    let empty = page(&Overview::new("", 0));
    assert_nested(&empty);
    assert!(text(&empty).contains("None."));
    let mut overview = Overview::new("x", 0);
    overview.torrents.push(TorrentView::new(InfoHash([0; 20]), " "));
    let one = page(&overview);
    assert_nested(&one);
    assert!(text(&one).contains("(no name)") && text(&one).contains("not checked"));
    overview.torrents[0].detail = Some(Box::default());
    assert_nested(&page(&overview));
}
