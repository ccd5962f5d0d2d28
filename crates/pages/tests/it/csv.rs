//! CSV as a reader that follows RFC 4180 finds it.

use crate::sample;
use pages::{Overview, csv};

/// The records of a text; panics where it breaks the grammar of RFC 4180.
pub(crate) fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut characters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        let record = records.last_mut().unwrap();
        let field = record.last_mut().unwrap();
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if is_quoted => {
                is_quoted = false;
                assert!(matches!(characters.peek(), Some(',' | '\r')), "text behind a quoted field");
            }
            '"' => {
                assert!(field.is_empty(), "a quote within a plain field");
                is_quoted = true;
            }
            _ if is_quoted => field.push(character),
            ',' => record.push(String::new()),
            '\r' => {
                assert_eq!(characters.next(), Some('\n'));
                records.push(vec![String::new()]);
            }
            '\n' => panic!("a line feed alone"),
            _ => field.push(character),
        }
    }
    assert_eq!(records.pop(), Some(vec![String::new()]), "the last line ends as the others do");
    records
}

#[test]
fn the_archives_columns_come_first_and_ours_behind_them() {
    let records = records(&csv(&sample::overview(3)));
    assert_eq!(
        records[0].join(" "),
        "btih magnet_link torrent_size num_files data_size aa_currently_seeding obsolete embargo seeders leechers completed \
         stats_scraped_at partially_broken name verdict verdict_since checked_at verified_seeds copies_min copies_max missing_pieces"
    );
    assert_eq!(records.len(), 4);
    let row = |name: &str| &records[1][records[0].iter().position(|column| column == name).unwrap()];
    assert_eq!(row("stats_scraped_at"), "2026-11-29T15:55:00");
    assert_eq!((row("btih").len(), row("aa_currently_seeding").as_str()), (40, ""));
}

#[test]
fn json_has_the_columns_of_csv() {
    let overview = sample::overview(3);
    let json: Vec<serde_json::Value> = serde_json::from_str(&pages::torrents_json(&overview)).unwrap();
    let records = records(&csv(&overview));
    for (torrent, record) in json.iter().zip(&records[1..]) {
        for (column, field) in records[0].iter().zip(record) {
            let value = match &torrent[column] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                // 4.0 in JSON is 4 in CSV.
                other => other.to_string().trim_end_matches(".0").to_owned(),
            };
            assert_eq!(&value, field, "{column}");
        }
        assert_eq!(torrent.as_object().unwrap().len(), records[0].len());
    }
}

#[test]
fn without_torrents_there_is_the_header() {
    assert_eq!(records(&csv(&Overview::default())).len(), 1);
}
