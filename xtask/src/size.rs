//! `cargo xtask size`: counts of what is to be read, learned or maintained: lines, options, JSON properties, crates, public
//! items. Harness is code that no user runs: the automation, the benches, the fuzz targets, and the scripted and real
//! programs of tests.

mod lines;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use xtask::binary;
use xtask::shell::{self, Result};

use crate::tree;
use lines::Count;

/// The folders of the harness; all others below `crates` are product.
const HARNESS: &[&str] = &["xtask/src", "xtask/bench", "xtask/fuzz", "crates/fake-swarm", "crates/lab"];

/// Most options of the main command in `-h`, which has to fit a screen, and in `--help`.
const MOST_OPTIONS: [(&str, usize); 2] = [("-h", 24), ("--help", 40)];

/// Prints the table. The error is an exceeded bound.
pub(crate) fn run() -> Result {
    let root = shell::root();
    let binary = binary::build(false)?;
    let (product, harness) = (product(&root)?, harness(&root)?);
    let options = MOST_OPTIONS.map(|(flag, most)| Ok((flag, options(&help(&binary, flag)?), most)));
    let options: Vec<(&str, usize, usize)> = options.into_iter().collect::<Result<_>>()?;
    let schema = fs::read_to_string(root.join(binary::SCHEMA)).map_err(|error| error.to_string())?;
    let schema: Value = serde_json::from_str(&schema).map_err(|error| format!("{}: {error}", binary::SCHEMA))?;
    let mut rows = vec![
        ("product lines without tests".to_owned(), product.code),
        ("harness lines without tests".to_owned(), harness.code),
        ("test lines of the product".to_owned(), product.tests),
        ("test lines of the harness".to_owned(), harness.tests),
    ];
    rows.extend(options.iter().map(|(flag, count, most)| (format!("options in {flag}, of at most {most}"), *count)));
    rows.extend([
        ("JSON properties, of each object".to_owned(), properties(&schema).len()),
        ("crates of the workspace".to_owned(), shell::packages()?.len()),
        ("crates in the command".to_owned(), tree::crates()?.len()),
        ("public items of the product, about".to_owned(), product.public),
    ]);
    rows.iter().for_each(|(what, count)| println!("{what:<38} {count:>6}"));
    let exceeded = options.iter().filter(|(_, count, most)| count > most);
    let exceeded: Vec<String> =
        exceeded.map(|(flag, count, most)| format!("{flag} shows {count} options, more than {most}")).collect();
    if exceeded.is_empty() { Ok(()) } else { Err(exceeded.join("\n")) }
}

fn product(root: &Path) -> Result<Count> {
    let mut sum = Count::default();
    let folders = fs::read_dir(root.join("crates")).map_err(|error| format!("cannot read crates: {error}"))?;
    for folder in folders.flatten().map(|entry| entry.path()).filter(|folder| !is_harness(root, folder)) {
        sum += lines::folder(&folder)?;
    }
    Ok(sum)
}

fn is_harness(root: &Path, folder: &Path) -> bool {
    HARNESS.iter().any(|harness| root.join(harness) == folder)
}

fn harness(root: &Path) -> Result<Count> {
    let mut sum = Count::default();
    for folder in HARNESS {
        sum += lines::folder(&root.join(folder))?;
    }
    Ok(sum)
}

/// The command's help for this flag.
fn help(binary: &Path, flag: &str) -> Result<String> {
    shell::output(binary::command(binary).arg(flag))
}

/// The options in a help text, which has a line for each.
fn options(help: &str) -> usize {
    let is_option = |line: &&str| {
        let name = line.trim_start().trim_start_matches('-');
        line.starts_with("  ") && line.trim_start().starts_with('-') && name.starts_with(|c: char| c.is_alphanumeric())
    };
    help.lines().filter(is_option).count()
}

/// Each property of each object in a JSON Schema, by the path of the object.
fn properties(schema: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut open = vec![(String::new(), schema)];
    while let Some((place, value)) = open.pop() {
        // Its keys are names of properties, not keywords of the schema.
        let names = value["properties"].as_object();
        for (name, part) in names.into_iter().flatten() {
            found.insert((place.clone(), name.clone()));
            open.push((format!("{place}/properties/{name}"), part));
        }
        match value {
            Value::Object(parts) => {
                let others = parts.iter().filter(|(key, _)| names.is_none() || *key != "properties");
                open.extend(others.map(|(key, part)| (format!("{place}/{key}"), part)));
            }
            Value::Array(parts) => open.extend(parts.iter().zip(0..).map(|(part, n)| (format!("{place}/{n}"), part))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_option_in_a_help_text_counts_once() {
        let help = "\
Usage: it [OPTIONS]

Options:
  -h, --help
          Print help (see a summary with '-h')
      --peer <ADDR>
          Try this peer too
          - for each of them
          [default: -1]
  -4
";
        assert_eq!(options(help), 3);
    }

    #[test]
    fn a_property_of_two_objects_counts_twice() {
        let object = |properties: Value| json!({"type": "object", "properties": properties});
        let inner = object(json!({"url": {"type": "string"}, "properties": {"type": "null"}}));
        let schema =
            json!({"$defs": {"a": object(json!({"url": {}, "inner": inner})), "b": object(json!({"url": {}}))}});
        assert_eq!(properties(&schema).len(), 5);
    }

    #[test]
    fn folders_of_the_harness_are_not_product() {
        let root = shell::root();
        assert!(is_harness(&root, &root.join("crates/fake-swarm")) && !is_harness(&root, &root.join("crates/client")));
        let (product, harness) = (product(&root).unwrap(), harness(&root).unwrap());
        assert!(product.code > 5000 && product.tests > 1000 && product.public > 100, "{product:?}");
        assert!(harness.code > 1000 && harness.tests > 100, "{harness:?}");
    }
}
