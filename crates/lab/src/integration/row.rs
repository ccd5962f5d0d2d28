//! One run of the binary, and what it must say of its trackers and peers.

mod faults;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask::binary;
use xtask::shell::{self, Result};

use faults::{has, one_line_each, peer_faults, status_faults, statuses};

use super::parallel;
use super::prober::{Prober, Source};
use super::secrets;
use super::torrents::Torrent;
use crate::report::Report;

/// Runs at the same time. Most of them wait for a tracker, some for as long as the binary has patience.
const AT_ONCE: usize = 32;

/// One run, and what it must say.
#[derive(Clone)]
pub(super) struct Row {
    name: String,
    torrent: Torrent,
    source: Source,
    /// The subcommand, if it is not the usual run.
    subcommand: Option<&'static str>,
    /// Whether it is to write text for people.
    text: bool,
    args: Vec<String>,
    /// Whether the whole log is to be written.
    logs: bool,
    shows_secrets: bool,
    code: i32,
    /// It must write nothing to stdout, and this to stderr.
    complaint: Option<String>,
    trackers: Vec<Value>,
    /// What the lines on web seeds must have.
    web_seeds: Vec<WebSeedSays>,
    /// What the lines on the DHT must have; empty for anything.
    lookups: Vec<Value>,
    /// What the line on metadata must have; `None` for anything.
    metadata: Option<Value>,
    /// Where its lookups start beside the user's nodes.
    bootstrap: String,
    /// How many web seeds must have each status, where their lines are too many to be named.
    web_seed_statuses: Option<Value>,
    /// How many trackers must have each status, where their lines are too many to be named.
    statuses: Option<Value>,
    /// By address, what the line on a peer must have: any one of these.
    peers: Option<BTreeMap<String, Vec<Value>>>,
    /// How the addresses begin of peers that may be found, and need not be, and what their lines must have.
    others: Vec<(&'static str, Value)>,
    /// Whether it is the ping of one node, without a start and a summary.
    pings: bool,
    summary: Option<Value>,
    within: Option<Duration>,
}

/// What a line on a web seed must have: these values and, unless there are none, exactly these files with these statuses.
#[derive(Clone)]
struct WebSeedSays {
    values: Value,
    files: BTreeMap<String, String>,
}

impl Row {
    /// A run on a torrent, as the torrent has it. It must end with this exit code.
    pub(super) fn new(name: impl Into<String>, torrent: &Torrent, code: i32) -> Self {
        let torrent = torrent.clone();
        Self {
            name: name.into(),
            torrent,
            source: Source::Fresh,
            subcommand: None,
            text: false,
            args: Vec::new(),
            logs: true,
            shows_secrets: false,
            code,
            complaint: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
            lookups: Vec::new(),
            metadata: None,
            bootstrap: String::new(),
            web_seed_statuses: None,
            statuses: None,
            peers: None,
            others: Vec::new(),
            pings: false,
            summary: None,
            within: None,
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Without the log, which would be endless of something endless.
    pub(super) fn quiet(mut self) -> Self {
        self.logs = false;
        self
    }

    /// It must say nothing but this, on stderr.
    pub(super) fn complains(mut self, text: impl Into<String>) -> Self {
        self.complaint = Some(text.into());
        self
    }

    /// The number of lines on trackers with each status; no others may occur.
    pub(super) fn tells(mut self, statuses: Value) -> Self {
        self.statuses = Some(statuses);
        self
    }

    /// Asks this tracker, secrets planted in its URL.
    pub(super) fn tracker(self, url: impl AsRef<str>) -> Self {
        let url = secrets::planted(url.as_ref());
        self.args(["--tracker", &url])
    }

    /// With these arguments, too.
    pub(super) fn args(mut self, args: impl IntoIterator<Item = impl Display>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.to_string()));
        self
    }

    /// With this option and its value, in place of another value of it.
    pub(super) fn instead(mut self, words: &[String]) -> Self {
        if let Some(at) = self.args.iter().position(|arg| words.first() == Some(arg)) {
            self.args.drain(at..self.args.len().min(at + words.len()));
        }
        self.args(words)
    }

    /// From this address.
    pub(super) fn from(mut self, ip: impl Into<IpAddr>) -> Self {
        self.source = Source::Fixed(ip.into());
        self
    }

    /// From whatever address the kernel chooses.
    pub(super) fn anywhere(mut self) -> Self {
        self.source = Source::Any;
        self
    }

    /// The secrets are to be shown, and must be.
    pub(super) fn shows_secrets(mut self) -> Self {
        self.shows_secrets = true;
        self.args(["--show-secrets"])
    }

    /// There must be a line on a tracker that has these values, one line for each call, and no other. Of the texts that
    /// are for people, a part will do.
    pub(super) fn says(mut self, values: Value) -> Self {
        self.trackers.push(values);
        self
    }

    /// Checks this web seed; no other kind of source is asked.
    pub(super) fn web_seed(self, url: impl AsRef<str>) -> Self {
        let only = ["--sources", "web-seeds"];
        let is_first = !self.args.iter().any(|arg| arg == only[0]);
        self.args(only.into_iter().filter(|_| is_first)).args(["--web-seed", url.as_ref()])
    }

    /// The number of lines on web seeds with each status; no others may occur.
    pub(super) fn checks_many(mut self, statuses: Value) -> Self {
        self.web_seed_statuses = Some(statuses);
        self
    }

    /// There must be a line on a web seed that has these values, one line for each call, and no other.
    pub(super) fn checks(self, values: Value) -> Self {
        self.checks_files(values, &[])
    }

    /// The same, with exactly these files.
    pub(super) fn checks_files(mut self, values: Value, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, status)| ((*path).to_owned(), (*status).to_owned())).collect();
        self.web_seeds.push(WebSeedSays { values, files });
        self
    }

    /// There must be a line on the DHT that has these values, one line for each call, and no other.
    pub(super) fn looks_up(mut self, values: Value) -> Self {
        self.lookups.push(values);
        self
    }

    /// There must be one line on metadata, and it must have these values.
    pub(super) fn learns(mut self, values: Value) -> Self {
        self.metadata = Some(values);
        self
    }

    /// Lookups in the DHT start at these well-known nodes.
    pub(super) fn bootstrap(mut self, nodes: impl Into<String>) -> Self {
        self.bootstrap = nodes.into();
        self
    }

    /// There must be a line on each of these peers with this outcome, and no other.
    pub(super) fn finds<A: Display>(mut self, peers: impl IntoIterator<Item = (A, &'static str)>) -> Self {
        let peers = peers.into_iter().map(|(addr, outcome)| (addr.to_string(), vec![json!({"outcome": outcome})]));
        self.peers = Some(peers.collect());
        self
    }

    /// There must be a line on this peer that has all values of one of these, and no line on a peer that is not named.
    pub(super) fn finds_one_of(mut self, addr: impl Display, values: Vec<Value>) -> Self {
        self.peers.get_or_insert_default().insert(addr.to_string(), values);
        self
    }

    /// There may be more peers at addresses that begin so, if their lines have these values.
    pub(super) fn may_find(mut self, start: &'static str, values: Value) -> Self {
        self.others.push((start, values));
        self
    }

    /// It asks this node alone for the torrent's peers.
    pub(super) fn pings(mut self, node: impl Display) -> Self {
        self.pings = true;
        self.by("dht").args(["--ping".to_owned(), node.to_string()])
    }

    /// The summary must have these values.
    pub(super) fn sums_up(mut self, values: Value) -> Self {
        self.summary = Some(values);
        self
    }

    /// It must not take longer.
    pub(super) fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// The rows, and all of them once more with text for people, which has its own way to give a secret away.
    pub(super) fn in_both_forms(mut rows: Vec<Self>) -> Vec<Self> {
        let text = |row: &Self| Self { name: format!("{}, as text", row.name), text: true, ..row.clone() };
        rows.extend(rows.iter().map(text).collect::<Vec<_>>());
        rows
    }

    /// By this subcommand, which comes from nowhere.
    pub(super) fn by(mut self, subcommand: &'static str) -> Self {
        self.subcommand = Some(subcommand);
        self
    }

    /// With text for people.
    pub(super) fn in_text(mut self) -> Self {
        self.text = true;
        self
    }

    /// Runs it, and fails with everything that is wrong.
    pub(super) fn run(&self, prober: &Prober) -> Result {
        let mut command = self.command(prober);
        let begin = Instant::now();
        let read = if self.text { Report::of_text } else { Report::of };
        let mut report = read(&mut command).map_err(|reason| format!("{}:\n{reason}", self.name))?;
        let faults = self.faults(&report, begin.elapsed());
        if faults.is_empty() {
            return Ok(());
        }
        // At trace level it is long, and the end tells most.
        report.complaint = tail(&report.complaint);
        Err(format!("{}:\n{}", self.name, report.told(&faults)))
    }

    /// The command line.
    pub(super) fn command(&self, prober: &Prober) -> Command {
        let mut command = prober.command(self.source, &self.torrent);
        if let Some(subcommand) = self.subcommand {
            command = binary::command(prober.binary());
            command.arg(subcommand).arg(&self.torrent.file);
        }
        command.env(shell::DHT_BOOTSTRAP, &self.bootstrap);
        command.args((!self.text).then_some("--json")).args(&self.args);
        // The whole of it has every status and every reason.
        let given = |arg: &String| arg == "--json" || arg == "--all";
        let lists = self.text && self.subcommand.is_none() && !self.args.iter().any(given);
        command.args(lists.then_some("--all"));
        if self.logs {
            command.arg("-vv").env("RUST_LOG", "trace");
        }
        command
    }

    /// Whether it is to write text for people.
    pub(super) fn is_text(&self) -> bool {
        self.text
    }

    /// Whether it is to end so.
    pub(super) fn ends_with(&self, code: Option<i32>) -> bool {
        code == Some(self.code)
    }

    /// All that is wrong with a run.
    pub(super) fn faults(&self, report: &Report, took: Duration) -> Vec<String> {
        let mut faults = if self.text { self.text_faults(report) } else { self.line_faults(report) };
        faults
            .extend(self.within.filter(|limit| took > *limit).map(|limit| format!("it took {took:?}, not {limit:?}")));
        let given_away = secrets::given_away(report);
        match self.shows_secrets {
            true if given_away.is_empty() => faults.push("--show-secrets shows none".to_owned()),
            true => {}
            false => faults.extend(given_away),
        }
        faults
    }

    /// Of the lines of JSON.
    fn line_faults(&self, report: &Report) -> Vec<String> {
        if let Some(complaint) = &self.complaint {
            return self.complaint_faults(report, complaint);
        }
        let judge = if self.pings { Report::line_faults } else { Report::faults };
        let mut faults = judge(report, self.code, &self.torrent.info_hash);
        faults.extend(self.tracker_faults(report));
        faults.extend(self.web_seed_faults(report));
        faults.extend(self.lookup_faults(report));
        faults.extend(self.metadata.iter().flat_map(|wanted| {
            let wanted = [(wanted.to_string(), move |line: &Value| has(line, wanted))];
            one_line_each("metadata", report.lines_of("metadata").collect(), wanted.into_iter())
        }));
        faults.extend(self.peers.iter().flat_map(|peers| peer_faults(report, peers, &self.others)));
        let sums_up = |wanted: &&Value| report.lines_of("summary").any(|line| has(line, wanted));
        faults.extend(
            self.summary.iter().filter(|wanted| !sums_up(wanted)).map(|wanted| format!("no summary that has {wanted}")),
        );
        faults
    }

    /// Of a run that is refused before it begins.
    fn complaint_faults(&self, report: &Report, complaint: &str) -> Vec<String> {
        let code =
            (report.code != Some(self.code)).then(|| format!("exit code {:?}, expected {}", report.code, self.code));
        let said = (!report.said.is_empty()).then(|| "it writes to stdout".to_owned());
        let other = (!report.complaint.contains(complaint)).then(|| format!("stderr does not say {complaint}"));
        code.into_iter().chain(said).chain(other).collect()
    }

    /// Of text, which need not have a form, and has to name the status of each tracker and web seed.
    fn text_faults(&self, report: &Report) -> Vec<String> {
        let code =
            (report.code != Some(self.code)).then(|| format!("exit code {:?}, expected {}", report.code, self.code));
        let lines = self.trackers.iter().chain(self.web_seeds.iter().map(|says| &says.values));
        let statuses = lines.filter_map(|line| line["status"].as_str());
        let missing = statuses.filter(|status| !report.said.contains(*status));
        code.into_iter().chain(missing.map(|status| format!("the text does not say {status}"))).collect()
    }

    fn tracker_faults(&self, report: &Report) -> Vec<String> {
        if let Some(wanted) = &self.statuses {
            return status_faults("trackers", report.lines_of("tracker"), wanted);
        }
        let wanted = self.trackers.iter().map(|wanted| (wanted.to_string(), move |line: &Value| has(line, wanted)));
        one_line_each("tracker", report.lines_of("tracker").collect(), wanted)
    }

    fn lookup_faults(&self, report: &Report) -> Vec<String> {
        if self.lookups.is_empty() {
            return Vec::new();
        }
        let wanted = self.lookups.iter().map(|wanted| (wanted.to_string(), move |line: &Value| has(line, wanted)));
        one_line_each("DHT", report.lines_of("dht").collect(), wanted)
    }

    fn web_seed_faults(&self, report: &Report) -> Vec<String> {
        if let Some(wanted) = &self.web_seed_statuses {
            return status_faults("web seeds", report.lines_of("web_seed"), wanted);
        }
        let wanted = self.web_seeds.iter().map(|says| {
            let shown = format!("{} and the files {:?}", says.values, says.files);
            (shown, move |line: &Value| {
                has(line, &says.values) && (says.files.is_empty() || statuses(line) == says.files)
            })
        });
        one_line_each("web seed", report.lines_of("web_seed").collect(), wanted)
    }
}

impl Prober {
    /// Runs all rows, many at once, and fails with every fault of every row.
    pub(super) fn judge(&self, what: &str, rows: &[Row]) -> Result {
        self.judge_some_at_once(AT_ONCE, what, rows)
    }

    /// The same one after the other, for rows that would find each other in the tracker's lists.
    pub(super) fn judge_in_turn(&self, what: &str, rows: &[Row]) -> Result {
        self.judge_some_at_once(1, what, rows)
    }

    fn judge_some_at_once(&self, at_once: usize, what: &str, rows: &[Row]) -> Result {
        let begin = Instant::now();
        let faults = parallel::faults(at_once, rows, |row| row.run(self));
        let (right, took) = (rows.len() - faults.len(), begin.elapsed().as_secs_f64());
        println!("{what}: {right} of {} rows right, {took:.1} s", rows.len());
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
    }
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    const LINES: usize = 40;
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{HASH, report};
    use std::path::PathBuf;

    fn row() -> Row {
        let torrent =
            Torrent { name: "a".to_owned(), file: PathBuf::new(), info_hash: HASH.to_owned(), other_hash: None };
        Row::new("row", &torrent, 0)
    }

    fn faults(row: &Row) -> Vec<String> {
        row.faults(&report(&[("127.0.0.2:1", "ok", None)]), Duration::ZERO)
    }

    #[test]
    fn a_row_is_right_when_all_of_it_is() {
        let right = row().says(json!({"status": "ok"})).finds([("127.0.0.2:1", "ok")]).within(Duration::ZERO);
        assert_eq!(faults(&right), Vec::<String>::new());
        let seed_or_leech = ["leech", "seed"].map(|role| json!({"outcome": "ok", "role": role}));
        assert_eq!(faults(&row().tells(json!({"ok": 1}))), Vec::<String>::new());
        let right = row().says(json!({})).finds_one_of("127.0.0.2:1", seed_or_leech.into()).sums_up(json!({"ok": 1}));
        assert_eq!(faults(&right), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        let ok = || row().says(json!({"status": "ok"}));
        for (wrong, count) in [
            (row(), 1),
            (row().says(json!({"status": "timeout"})), 2),
            (ok().says(json!({"status": "ok"})), 1),
            (ok().finds([("127.0.0.2:1", "connect_refused")]), 1),
            (ok().finds([("127.0.0.3:1", "ok")]), 2),
            (ok().finds_one_of("127.0.0.2:1", vec![json!({"outcome": "ok", "role": "leech"})]), 1),
            (ok().sums_up(json!({"ok": 2})), 1),
            (row().tells(json!({"ok": 2})), 1),
            (row().complains("no torrent"), 1),
            (ok().shows_secrets(), 1),
        ] {
            assert_eq!(faults(&wrong).len(), count, "{:?}", faults(&wrong));
        }
        let late = ok().within(Duration::ZERO);
        assert_eq!(late.faults(&report(&[("127.0.0.2:1", "ok", None)]), Duration::from_secs(1)).len(), 1);
    }

    #[test]
    fn a_part_of_the_message_and_of_an_object_will_do() {
        let line = json!({"status": "x", "message": "no answer in time", "skipped": {"port_zero": 1, "truncated": 2}});
        assert!(has(&line, &json!({"message": "in time", "skipped": {"truncated": 2}})));
        for wrong in [json!({"message": "late"}), json!({"skipped": {"truncated": 1}}), json!({"peers": 0})] {
            assert!(!has(&line, &wrong), "{wrong}");
        }
    }
}
