//! The well-known nodes of the DHT belong to others: they are named in one place, and no test, bench, demo or case contacts them.

use std::collections::BTreeMap;

/// Their host names. Written in pieces, so that this file does not name them itself.
const HOSTS: &[&str] =
    &[concat!("dht.libtor", "rent.org"), concat!("dht.transmission", "bt.com"), concat!("router.bt.", "ouinet.work")];

/// The only source file that names them. Documents may.
const HOME: &str = "crates/client/src/config.rs";

/// A client whose lookups start there, unless the same function gives it another list by the field or the setter of this name.
const DEFAULTS: &[&str] = &["Config::default()", "BitTorrentClient::new()", "BitTorrentClient::default()"];
const FIELD: &str = "dht_bootstrap";

/// Parts of what starts the executable or a shell that does, unless the same function sets the variable of this name.
const STARTS: &[&str] = &["binary", "executable", "\"tmux\""];
const PATH: &str = "env!(\"CARGO_BIN_EXE_bt-handshake";
const VARIABLE: &str = "DHT_BOOTSTRAP";

/// Each place that may contact them.
pub(super) fn complaints(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for host in HOSTS {
        let elsewhere = |path: &str| !path.ends_with(".md") && path != HOME;
        let named = files.iter().filter(|(path, text)| elsewhere(path) && text.contains(host));
        found.extend(named.map(|(path, _)| format!("{path}: names {host}: only {HOME} does")));
        if files.get(HOME).is_none_or(|text| text.matches(host).count() != 1) {
            found.push(format!("{HOME}: names {host} once"));
        }
    }
    for (path, text) in files.iter().filter(|(path, _)| is_harness(path)) {
        let lines: Vec<&str> = text.lines().collect();
        for (line, number) in lines.iter().zip(0..) {
            let function = || function_around(&lines, number);
            if DEFAULTS.iter().any(|call| is_called(line, call)) && !function().any(|line| line.contains(FIELD)) {
                found.push(format!("{path}:{}: {FIELD} is the default: set it in the same function", number + 1));
            }
            // The tests of the command have its path in a constant.
            let is_set =
                || text.contains(VARIABLE) && line.contains(PATH) || function().any(|line| line.contains(VARIABLE));
            if is_start(line) && !is_set() {
                found.push(format!("{path}:{}: use the helper that sets BT_HANDSHAKE_{VARIABLE}", number + 1));
            }
        }
    }
    found
}

/// Whether a file tests, measures or shows the product. This one has violations as examples.
fn is_harness(path: &str) -> bool {
    let folders = ["crates/lab/", "crates/fake-swarm/", "xtask/"];
    path.ends_with(".rs")
        && !path.ends_with("tidy/bootstrap.rs")
        && (path.contains("/tests/") || folders.iter().any(|folder| path.starts_with(folder)))
}

/// Whether the line has this call, and not one of a longer name.
fn is_called(line: &str, call: &str) -> bool {
    line.match_indices(call)
        .any(|(at, _)| !line.split_at(at).0.ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

/// Whether the line starts the executable.
fn is_start(line: &str) -> bool {
    let command = line.split_once("Command::new(").and_then(|(_, rest)| rest.split(')').next());
    let named = |text: &str| STARTS.iter().any(|start| text.contains(start));
    command.is_some_and(named) || line.contains(PATH)
}

/// The lines of the outermost function that the line is in, as rustfmt indents it.
fn function_around<'l>(lines: &'l [&'l str], number: usize) -> impl Iterator<Item = &'l str> {
    let end = |first: usize| {
        let indent = lines.get(first).map_or("", |line| line.split_at(line.len() - line.trim_start().len()).0);
        let end = format!("{indent}}}");
        first + lines.iter().skip(first).take_while(|line| **line != end).count()
    };
    let heads = lines.iter().zip(0..).take(number + 1).filter(|(line, _)| is_head(line)).map(|(_, first)| first);
    let around = heads.map(|first| first..end(first)).find(|function| function.contains(&number));
    lines.get(around.unwrap_or_default()).unwrap_or_default().iter().copied()
}

/// Whether a function begins in the line.
fn is_head(line: &str) -> bool {
    let mut words = line
        .trim_start()
        .split(' ')
        .skip_while(|word| word.starts_with("pub") || word.ends_with(')') || ["async", "const"].contains(word));
    words.next() == Some("fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(path: &str, text: &str) -> Vec<String> {
        let home = HOSTS.join("\n");
        let files = [(HOME, home.as_str()), ("README.md", &home), (path, text)];
        complaints(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    }

    #[test]
    fn each_violation_is_a_complaint() {
        let name = HOSTS[0];
        let program = format!("{PATH}\")");
        let inside = |line: &str| format!("fn set() {{\n    {FIELD}; {VARIABLE}\n}}\nfn f() {{\n    {line}\n}}\n");
        for (path, text) in [
            ("crates/client/src/swarm.rs", name.to_owned()),
            ("crates/lab/src/demo.sh", name.to_owned()),
            (HOME, String::new()),
            ("crates/client/tests/it/a.rs", inside("Swarm::new(&torrent, Config::default());")),
            ("xtask/bench/src/a.rs", inside("BitTorrentClient::new()")),
            ("crates/cli/tests/it/a.rs", format!("const PROGRAM: &str = {program};\n")),
            ("crates/lab/src/a.rs", inside("Command::new(&self.binary)")),
            ("crates/lab/src/a.rs", inside("    Command::new(\"tmux\")")),
        ] {
            assert!(!complaints_about(path, &text).is_empty(), "{path} {text}");
        }
    }

    #[test]
    fn what_contacts_none_of_them_is_allowed() {
        for text in [
            format!("pub(crate) fn f() {{\n    Config::default()\n        .with_{FIELD}(Vec::new())\n}}\n"),
            format!("    async fn f() {{\n        Command::new(binary).env(\"{VARIABLE}\", \"\")\n    }}\n"),
            format!("const PROGRAM: &str = {PATH}\");\nfn f() {{\n    {VARIABLE}\n}}\n"),
            format!("fn f() {{\n    fn g() {{\n    }}\n    Config::default().with_{FIELD}(list)\n}}\n"),
            "fn f() {\n    Command::new(\"strip\").arg(binary);\n}\n".to_owned(),
            "fn f() {\n    ProptestConfig::default(); Command::new(\"ip\")\n}\n".to_owned(),
        ] {
            assert_eq!(complaints_about("crates/lab/src/a.rs", &text), Vec::<String>::new());
        }
        assert_eq!(complaints_about("crates/cli/src/a.rs", "fn f() { Config::default() }"), Vec::<String>::new());
    }
}
