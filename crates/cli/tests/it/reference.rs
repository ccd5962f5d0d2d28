//! The tables of JSON fields in the reference: they are the schema's. `UPDATE_SNAPSHOTS=1` writes them.

use crate::lab::of;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// Codes that are listed with a field; longer lists have a table of their own.
const MOST_CODES: usize = 14;

#[test]
fn the_reference_has_the_fields_of_the_schema() {
    let (code, stdout, _) = of("schema", &[]);
    assert_eq!(code, 0);
    let schema: Value = serde_json::from_str(&stdout).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("JSON.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- fields -->\n", "<!-- end of fields -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let updated = format!("{before}{begin}{}\n{end}{after}", tables(&schema["$defs"]));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &updated).unwrap();
    } else {
        assert!(text == updated, "UPDATE_SNAPSHOTS=1 writes the tables of {}", path.display());
    }
}

/// A table for each type of line. Fields of all lines stand in the text, and those that one type shares with another once.
fn tables(types: &Value) -> String {
    let mut text = String::new();
    let fields = |name: &str| -> BTreeSet<&String> { types[name]["properties"].as_object().unwrap().keys().collect() };
    for name in ["start", "tracker", "web_seed", "peer", "pex", "dht", "metadata", "summary", "total", "torrent"] {
        let line = &types[name];
        let _ = write!(text, "\n## `{name}`\n{}.", line["description"].as_str().unwrap());
        let like = ["start"].into_iter().find(|like| *like != name && fields(like).is_subset(&fields(name)));
        let known = like.map(fields).unwrap_or_default();
        if let Some(like) = like {
            let more = if fields(name).len() > known.len() { ", and" } else { "" };
            let _ = write!(text, " The fields of [`{like}`](#{like}){more}");
        }
        let rows = rows(line, "", &known);
        match (rows.is_empty(), like) {
            (true, _) => text.push_str(".\n"),
            (false, None) => {
                let _ = write!(text, "\n\n| field | meaning |\n|---|---|\n{rows}");
            }
            (false, Some(_)) => {
                let _ = write!(text, ":\n\n| field | meaning |\n|---|---|\n{rows}");
            }
        }
    }
    text
}

/// A row for each field, and behind it those of the objects in it.
fn rows(object: &Value, prefix: &str, known: &BTreeSet<&String>) -> String {
    let mut text = String::new();
    for name in object["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        if (prefix.is_empty() && ["type", "info_hash", "torrent", "name", "schema"].contains(&name))
            || known.contains(&name.to_owned())
        {
            continue;
        }
        let field = &object["properties"][name];
        let about = field["description"].as_str().unwrap_or_else(|| panic!("{prefix}{name} is not described"));
        let _ = writeln!(text, "| `{prefix}{name}` | {about}{} |", codes(field));
        if field["properties"].is_object() {
            text += &rows(field, &format!("{prefix}{name}."), &BTreeSet::new());
        } else if field["items"]["properties"].is_object() {
            text += &rows(&field["items"], &format!("{prefix}{name}[]."), &BTreeSet::new());
        }
    }
    text
}

/// The codes of a field, or of its items or keys.
fn codes(field: &Value) -> String {
    let lists = [&field["enum"], &field["items"]["enum"], &field["propertyNames"]["enum"]];
    let Some(list) = lists.into_iter().find_map(Value::as_array) else { return String::new() };
    let codes: Vec<String> = list.iter().filter_map(|code| Some(format!("`{}`", code.as_str()?))).collect();
    if codes.len() > MOST_CODES || codes.len() < 2 { String::new() } else { format!(": {}", codes.join(", ")) }
}
