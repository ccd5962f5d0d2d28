//! How the lines of a run differ from those that were wanted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::report::Report;

/// That the lines do not have these numbers of statuses.
pub(super) fn status_faults<'l>(what: &str, lines: impl Iterator<Item = &'l Value>, wanted: &Value) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines {
        *counts.entry(line["status"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let counts = json!(counts);
    Vec::from_iter((counts != *wanted).then(|| format!("{what} are {counts}, expected {wanted}")))
}

/// What is wanted and is on no line, and the lines that are left over.
pub(super) fn one_line_each<F: Fn(&Value) -> bool>(
    what: &str,
    mut lines: Vec<&Value>,
    wanted: impl Iterator<Item = (String, F)>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for (shown, is_right) in wanted {
        match lines.iter().position(|line| is_right(line)) {
            Some(at) => drop(lines.swap_remove(at)),
            None => faults.push(format!("no line on a {what} that has {shown}")),
        }
    }
    faults.extend(lines.iter().map(|line| format!("a line on a {what} that is not expected: {line}")));
    faults
}

/// The files on a web seed's line, with their statuses. The entry of a piece has its number after the path.
pub(super) fn statuses(line: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let files = line["files"].as_array().into_iter().flatten();
    let path = |file: &Value| match &file["piece"] {
        Value::Null => text(&file["path"]),
        piece => format!("{}, piece {piece}", text(&file["path"])),
    };
    files.map(|file| (path(file), text(&file["status"]))).collect()
}

/// Keys of texts for people, of names with versions and of an address with a port: the wanted text need only be a part of the value. Of `sources` one must begin with
/// it.
const TEXTS: &[&str] = &["message", "error", "hint", "client", "v", "seen_as"];

/// Whether the line has the values; an object's values, and those of a list, are looked for one by one, as deep as they go.
pub(super) fn has(line: &Value, wanted: &Value) -> bool {
    if let (Value::Array(line), Value::Array(wanted)) = (line, wanted) {
        return line.len() == wanted.len() && line.iter().zip(wanted).all(|(line, wanted)| has(line, wanted));
    }
    let Some(wanted) = wanted.as_object() else { return line == wanted };
    wanted.iter().all(|(key, wanted)| match (&line[key], wanted) {
        (Value::Array(sources), Value::String(start)) if key == "sources" => {
            sources.iter().any(|source| source.as_str().is_some_and(|source| source.starts_with(start)))
        }
        (Value::String(text), Value::String(part)) if TEXTS.contains(&key.as_str()) => text.contains(part.as_str()),
        (value, wanted) => has(value, wanted),
    })
}

/// The peers whose line is not as expected, or is missing, and those that are not expected.
pub(super) fn peer_faults(
    report: &Report,
    expected: &BTreeMap<String, Vec<Value>>,
    others: &[(&str, Value)],
) -> Vec<String> {
    let may_be =
        |addr: &str, line: &Value| others.iter().any(|(start, values)| addr.starts_with(start) && has(line, values));
    let addr = |line: &Value| line["address"].as_str().unwrap_or_default().to_owned();
    let found: BTreeMap<String, &Value> = report.lines_of("peer").map(|line| (addr(line), line)).collect();
    let shown = |wanted: &[Value]| wanted.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
    let missing = expected.iter().filter(|(addr, _)| !found.contains_key(*addr));
    let mut faults: Vec<String> =
        missing.map(|(addr, wanted)| format!("{addr} is not reported, expected {}", shown(wanted))).collect();
    faults.extend(found.iter().filter_map(|(addr, line)| match expected.get(addr) {
        Some(wanted) if wanted.iter().any(|wanted| has(line, wanted)) => None,
        Some(wanted) => Some(format!("{addr} is not as expected, {}: {line}", shown(wanted))),
        None if may_be(addr, line) => None,
        None => Some(format!("{addr} is not expected: {line}")),
    }));
    faults
}
