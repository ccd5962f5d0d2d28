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
