//! The results of the checks, as one table.

use std::fmt::Write;

use xtask::optional::{self, Optional, Source};
use xtask::skips::{Skip, Why};

/// The result of one check.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) end: End,
    pub(crate) seconds: f64,
    pub(crate) skipped: Vec<Skip>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Without a failure in what could be checked.
    Done,
    Failed,
    /// A check before this one failed.
    NotRun,
}

impl Row {
    /// The result, for the table.
    pub(crate) fn result(&self) -> &'static str {
        match self.end {
            End::Failed => "FAILED",
            End::NotRun => "not run",
            End::Done if self.skipped.iter().any(|skip| skip.part.is_none()) => "skipped",
            End::Done if self.skipped.is_empty() => "passed",
            End::Done => "partly",
        }
    }

    /// The optional programs that were missing.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static Optional> {
        self.skipped.iter().filter_map(|skip| match skip.why {
            Why::Missing(missing) => Some(missing),
            Why::Other(_) => None,
        })
    }

    /// Each reason once, with the parts that were skipped for it.
    fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
        for skip in &self.skipped {
            // A long reason was printed in full when it was recorded.
            let why = skip.why.to_string().lines().next().unwrap_or_default().to_owned();
            let part = skip.part.as_deref();
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, parts)) => parts.extend(part),
                None => reasons.push((why, Vec::from_iter(part))),
            }
        }
        let line = |(why, parts): (String, Vec<&str>)| {
            if parts.is_empty() { why } else { format!("{why}: {}", parts.join(", ")) }
        };
        reasons.into_iter().map(line).collect()
    }
}

/// The table, how to install what was missing, and the totals under this name.
pub(crate) fn table(name: &str, rows: &[Row]) -> String {
    let mut text = String::from("step         result   seconds  skipped, and why\n");
    for row in rows {
        let head = format!("{:<12} {:<7} {:>8.1}", row.name, row.result(), row.seconds);
        let reasons = row.reasons();
        let lines = reasons.iter().map(String::as_str).chain(reasons.is_empty().then_some(""));
        for (number, reason) in lines.enumerate() {
            let head = if number == 0 { head.as_str() } else { "" };
            // Writing to a String does not fail.
            let _ = writeln!(text, "{}", format!("{head:<29}  {reason}").trim_end());
        }
    }
    let remedies = remedies(rows);
    if !remedies.is_empty() {
        text.push_str("\nto run what was skipped:\n");
        remedies.iter().for_each(|remedy| text.push_str(&format!("  {remedy}\n")));
    }
    let count = |results: &[&str]| rows.iter().filter(|row| results.contains(&row.result())).count();
    let (passed, failed, skipped) = (count(&["passed", "partly"]), count(&["FAILED"]), count(&["skipped", "not run"]));
    let seconds: f64 = rows.iter().map(|row| row.seconds).sum();
    text.push_str(&format!("\nin {seconds:.0} s, with {} that passed partly:\n", count(&["partly"])));
    text.push_str(&format!("{name}: {passed} passed, {failed} failed, {skipped} skipped\n"));
    text
}

/// The commands that install all that was missing.
fn remedies(rows: &[Row]) -> Vec<String> {
    let mut missing: Vec<&Optional> = Vec::new();
    for one in rows.iter().flat_map(Row::missing) {
        if !missing.iter().any(|known| known.name == one.name) {
            missing.push(one);
        }
    }
    let others = missing.iter().filter(|one| !matches!(one.source, Source::Debian(_) | Source::Rights));
    optional::apt_get(&missing).into_iter().chain(others.map(|one| one.source.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, end: End, skipped: &[(Option<&str>, Why)]) -> Row {
        let skipped = skipped.iter().map(|(part, why)| Skip { part: part.map(str::to_owned), why: why.clone() });
        Row { name, end, seconds: 1.25, skipped: skipped.collect() }
    }

    #[test]
    fn each_step_has_a_result_and_each_reason_a_line() {
        let missing = |one: &'static Optional| Why::Missing(one);
        let rows = [
            row("tidy", End::Done, &[]),
            row("deny", End::Done, &[(None, missing(&optional::CARGO_DENY))]),
            row(
                "integration",
                End::Done,
                &[
                    (Some("hostile"), missing(&optional::STRACE)),
                    (Some("proxied"), missing(&optional::NGINX)),
                    (Some("hostile-inside"), missing(&optional::STRACE)),
                    (Some("npm"), Why::Other("no network\nnpm ERR! and so on".to_owned())),
                ],
            ),
            row("fmt", End::Failed, &[]),
            row("docs", End::NotRun, &[]),
        ];
        let expected = "\
step         result   seconds  skipped, and why
tidy         passed       1.2
deny         skipped      1.2  no cargo-deny (cargo install --locked cargo-deny)
integration  partly       1.2  no strace (apt-get install strace): hostile, hostile-inside
                               no nginx (apt-get install nginx-light): proxied
                               no network: npm
fmt          FAILED       1.2
docs         not run      1.2

to run what was skipped:
  apt-get install --no-install-recommends strace nginx-light
  cargo install --locked cargo-deny

in 6 s, with 1 that passed partly:
ci: 2 passed, 1 failed, 2 skipped
";
        assert_eq!(table("ci", &rows), expected);
    }

    #[test]
    fn a_table_without_skips_has_no_remedies() {
        assert!(!table("ci", &[row("tidy", End::Done, &[])]).contains("to run what was skipped"));
    }
}
