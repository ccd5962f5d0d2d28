//! One run of the real binary with `--json`, and what must hold for every such run.
//!
//! The lines are read as a script would read them: nothing of the binary's own code is used here.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use xtask::binary;
use xtask::shell::{self, Result};

/// The types of lines that a run consists of.
const KINDS: &[&str] = &["start", "tracker", "web_seed", "peer", "pex", "dht", "metadata", "summary"];

/// What each line follows.
static SCHEMA: LazyLock<Result<Validator>> = LazyLock::new(|| {
    let schema = fs::read_to_string(shell::root().join(binary::SCHEMA)).map_err(|error| error.to_string())?;
    let schema = serde_json::from_str(&schema).map_err(|error| error.to_string())?;
    jsonschema::validator_for(&schema).map_err(|error| error.to_string())
});

/// What a run of the binary said and how it ended.
pub(crate) struct Report {
    /// The command, to repeat it by hand.
    pub(crate) command: String,
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// All of stdout.
    pub(crate) said: String,
    /// Its lines.
    pub(crate) lines: Vec<Value>,
    /// All of stderr.
    pub(crate) complaint: String,
}

impl Report {
    /// Runs the command to its end. Fails when stdout is not one JSON object a line.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        Self::of_text(command)?.parsed()
    }

    /// With the lines that it consists of.
    pub(crate) fn parsed(mut self) -> Result<Self> {
        let Self { command, said, complaint, .. } = &self;
        let lines = said.lines().map(|line| {
            serde_json::from_str(line)
                .map_err(|error| format!("`{command}` wrote a line that is not JSON ({error}): {line}\n{complaint}"))
        });
        self.lines = lines.collect::<Result<_>>()?;
        Ok(self)
    }

    /// Runs the command, which does not write JSON, to its end. The report has no lines.
    pub(crate) fn of_text(command: &mut Command) -> Result<Self> {
        let shown = shell::shown(command);
        let output =
            command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, complaint) = (text(&output.stdout), text(&output.stderr));
        Ok(Self { command: shown, code: output.status.code(), lines: Vec::new(), said, complaint })
    }

    /// The lines of one type.
    pub(crate) fn lines_of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    /// Everything wrong with the run that is wrong whatever the swarm was: the exit code, the keys, the order of
    /// the lines, an address reported twice, a summary that does not add up.
    pub(crate) fn faults(&self, expected_code: i32, info_hash: &str) -> Vec<String> {
        let mut faults = self.line_faults(expected_code, info_hash);
        if self.lines.first().is_none_or(|line| line["type"] != "start") {
            faults.push("the first line is not the start".to_owned());
        }
        let summaries = self.lines_of("summary").count();
        match self.lines.last().filter(|line| line["type"] == "summary") {
            Some(summary) if summaries == 1 => faults.extend(self.summary_faults(summary)),
            _ => faults.push(format!("{summaries} summaries, expected one, and that at the end")),
        }
        faults
    }

    /// What is wrong with the exit code and with each line by itself.
    pub(crate) fn line_faults(&self, expected_code: i32, info_hash: &str) -> Vec<String> {
        let code = || format!("exit code {:?}, expected {expected_code}", self.code);
        let code = (self.code != Some(expected_code)).then(code);
        code.into_iter().chain(self.lines.iter().flat_map(|line| line_faults(line, info_hash))).collect()
    }

    /// Whether the summary agrees with the lines before it.
    fn summary_faults(&self, summary: &Value) -> Vec<String> {
        let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
        let mut clients: BTreeMap<&str, u64> = BTreeMap::new();
        let mut roles: BTreeMap<&str, u64> = BTreeMap::new();
        let mut addresses: BTreeMap<&str, u64> = BTreeMap::new();
        let mut repeated = (0_u64, 0_u64);
        for peer in self.lines_of("peer") {
            *addresses.entry(peer["address"].as_str().unwrap_or_default()).or_default() += 1;
            *outcomes.entry(peer["outcome"].as_str().unwrap_or_default()).or_default() += 1;
            repeated.0 += u64::from(!peer["same_as"].is_null());
            repeated.1 += u64::from(!peer["maybe_same_as"].is_null());
        }
        for client in self.clients() {
            *roles.entry(client["role"].as_str().unwrap_or_default()).or_default() += 1;
            if let Some(client) = client["client"].as_str() {
                *clients.entry(client).or_default() += 1;
            }
        }
        let twice = addresses.iter().filter(|(_, count)| **count > 1);
        let mut faults: Vec<String> = twice.map(|(addr, count)| format!("{addr} is reported {count} times")).collect();
        let mut compare = |what: &str, said: &Value, counted: Value| {
            if *said != counted {
                faults.push(format!("the summary's {what} is {said}, the lines say {counted}"));
            }
        };
        compare("peers", &summary["peers"], self.lines_of("peer").count().into());
        compare("ok", &summary["ok"], outcomes.get("ok").copied().unwrap_or(0).into());
        compare("repeated", &summary["repeated"], repeated.0.into());
        compare("maybe_repeated", &summary["maybe_repeated"], repeated.1.into());
        compare("clients", &without_zeros(&summary["clients"]), serde_json::json!(clients));
        compare("roles", &without_zeros(&summary["roles"]), serde_json::json!(roles));
        compare("outcomes", &without_zeros(&summary["outcomes"]), serde_json::json!(outcomes));
        faults
    }

    /// The lines on peers that shook hands, one for each client: the first, or else the first on which it said something.
    /// One that may be another client counts as no client.
    fn clients(&self) -> impl Iterator<Item = &Value> {
        let met = || self.lines_of("peer").filter(|peer| peer["outcome"] == "ok");
        let speaks = |peer: &&Value| peer["role_from"] != "nothing_said";
        let mut again: BTreeMap<&str, &Value> = BTreeMap::new();
        for peer in met().filter(speaks) {
            peer["same_as"].as_str().map(|first| again.entry(first).or_insert(peer));
        }
        let firsts = met().filter(|peer| peer["same_as"].is_null() && peer["maybe_same_as"].is_null());
        firsts.map(move |first| {
            let elsewhere = first["address"].as_str().and_then(|addr| again.get(addr).copied());
            if speaks(&first) { first } else { elsewhere.unwrap_or(first) }
        })
    }

    /// The run as text for a failure: the faults, the command, and all it said.
    pub(crate) fn told(&self, faults: &[String]) -> String {
        let Self { command, said, complaint, .. } = self;
        format!("{}\n{command}\n{said}\n{complaint}", faults.join("\n"))
    }
}

/// A table of counts without the entries that count nothing: whether those are listed is the binary's choice.
fn without_zeros(counts: &Value) -> Value {
    let mut counts = counts.clone();
    if let Some(counts) = counts.as_object_mut() {
        counts.retain(|_, count| *count != 0);
    }
    counts
}

/// What is wrong with a line by itself.
fn line_faults(line: &Value, info_hash: &str) -> Vec<String> {
    let kind = line["type"].as_str().unwrap_or_default();
    if !KINDS.contains(&kind) {
        return vec![format!("a line of an unknown type: {line}")];
    }
    let mut faults: Vec<String> = match &*SCHEMA {
        Ok(schema) => schema.iter_errors(line).flat_map(|error| complaints(&error)).collect(),
        Err(reason) => vec![format!("{}: {reason}", binary::SCHEMA)],
    };
    faults.iter_mut().for_each(|fault| *fault = format!("a {kind} line: {fault}"));
    if line["info_hash"] != info_hash {
        faults.push(format!("a {kind} line with the info-hash {}, expected {info_hash}", line["info_hash"]));
    }
    faults
}

/// An error of the schema in words. Of alternatives, only the one for this type of line counts, which accepts the type.
fn complaints(error: &ValidationError) -> Vec<String> {
    let shown = |error: &ValidationError| format!("{} {error}", error.instance_path()).trim().to_owned();
    let ValidationErrorKind::OneOfNotValid { context } = error.kind() else { return vec![shown(error)] };
    let accepts = |errors: &&Vec<ValidationError>| errors.iter().all(|error| error.instance_path().as_str() != "/type");
    context.iter().find(accepts).into_iter().flatten().map(shown).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// The info-hash of every made-up report.
    pub(crate) const HASH: &str = "00112233445566778899aabbccddeeff00112233";

    /// A line with every key that the schema asks for, unknown or empty unless given.
    pub(crate) fn line(kind: &str, known: Value) -> Value {
        let schema = fs::read_to_string(shell::root().join(binary::SCHEMA)).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let mut line = blank(&schema["$defs"][kind]);
        (line["type"], line["info_hash"]) = (kind.into(), HASH.into());
        line.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        line
    }

    /// The least that a schema accepts.
    fn blank(schema: &Value) -> Value {
        if let Some(value) = schema.get("const").or(schema["enum"].get(0)) {
            return value.clone();
        }
        let kinds = &schema["type"];
        let kind = if kinds.is_array() { "null" } else { kinds.as_str().unwrap_or("null") };
        match kind {
            "string" => "x".into(),
            "boolean" => false.into(),
            "integer" | "number" => 0.into(),
            "array" => json!([]),
            "object" => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                required
                    .map(|key| (key.to_owned(), blank(&schema["properties"][key])))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }
            _ => Value::Null,
        }
    }

    /// A run that saw these peers (address, outcome, client) and reports them truthfully.
    pub(crate) fn report(peers: &[(&str, &str, Option<&str>)]) -> Report {
        let mut lines = vec![line("start", json!({"schema": 1})), line("tracker", json!({"status": "ok"}))];
        let (mut outcomes, mut clients) = (json!({}), json!({}));
        for (addr, outcome, client) in peers {
            let role = "seed";
            lines.push(line("peer", json!({"address": addr, "outcome": outcome, "client": client, "role": role})));
            outcomes[*outcome] = (outcomes[*outcome].as_u64().unwrap_or(0) + 1).into();
            if let Some(client) = client {
                clients[*client] = (clients[*client].as_u64().unwrap_or(0) + 1).into();
            }
        }
        let ok = peers.iter().filter(|(_, outcome, _)| *outcome == "ok").count();
        let roles = if ok == 0 { json!({}) } else { json!({"seed": ok}) };
        let summary = json!({
            "peers": peers.len(), "ok": ok, "repeated": 0, "maybe_repeated": 0, "outcomes": outcomes, "clients": clients,
            "roles": roles
        });
        lines.push(line("summary", summary));
        Report { command: String::new(), code: Some(0), lines, said: String::new(), complaint: String::new() }
    }

    const PEERS: &[(&str, &str, Option<&str>)] = &[
        ("127.0.0.2:1", "ok", Some("A 1")),
        ("127.0.0.3:1", "ok", Some("A 1")),
        ("127.0.0.4:1", "connect_refused", None),
    ];

    #[test]
    fn a_truthful_report_has_no_fault() {
        assert_eq!(report(PEERS).faults(0, HASH), Vec::<String>::new());
    }

    #[test]
    fn the_code_and_the_hash_matter() {
        assert_eq!(report(PEERS).faults(1, HASH).len(), 1);
        assert_eq!(report(PEERS).faults(0, "ff").len(), 6);
    }

    #[test]
    fn what_the_schema_refuses_is_found() {
        let mut report = report(PEERS);
        report.lines[2].as_object_mut().unwrap().remove("stage");
        assert_eq!(report.faults(0, HASH), ["a peer line: \"stage\" is a required property"]);
        report.lines[2]["stage"] = "elsewhere".into();
        let faults = report.faults(0, HASH);
        assert!(
            faults.len() == 1 && faults[0].starts_with("a peer line: /stage \"elsewhere\" is not one of"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_client_with_two_addresses_counts_once() {
        let mut report = report(PEERS);
        report.lines[3]["maybe_same_as"] = "127.0.0.2:1".into();
        assert_eq!(report.faults(0, HASH).len(), 3);
        *report.lines.last_mut().unwrap() = line(
            "summary",
            json!({
                "peers": 3, "ok": 2, "repeated": 0, "maybe_repeated": 1, "outcomes": {"ok": 2, "connect_refused": 1},
                "clients": {"A 1": 1}, "roles": {"seed": 1}
            }),
        );
        assert_eq!(report.faults(0, HASH), Vec::<String>::new());
        // The address where it said nothing does not count.
        report.lines[3]["maybe_same_as"] = Value::Null;
        report.lines[3]["same_as"] = "127.0.0.2:1".into();
        report.lines[2]["role_from"] = "nothing_said".into();
        report.lines[2]["role"] = "unknown".into();
        let summary = report.lines.last_mut().unwrap();
        (summary["repeated"], summary["maybe_repeated"]) = (1.into(), 0.into());
        assert_eq!(report.faults(0, HASH), Vec::<String>::new());
    }

    #[test]
    fn an_address_reported_twice_is_found() {
        let twice = report(&[("127.0.0.2:1", "ok", None), ("127.0.0.2:1", "ok", None)]);
        assert_eq!(twice.faults(0, HASH), ["127.0.0.2:1 is reported 2 times"]);
    }

    #[test]
    fn a_summary_that_does_not_add_up_is_found() {
        let mut report = report(PEERS);
        report.lines.last_mut().unwrap()["ok"] = 3.into();
        assert_eq!(report.faults(0, HASH).len(), 1);
        report.lines.pop();
        assert_eq!(report.faults(0, HASH), ["0 summaries, expected one, and that at the end"]);
    }
}
