//! What a check skipped, and why: collected while it runs, for the table at the end of `ci`. With CI=true most skips are
//! failures.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::optional::{self, Optional};
use crate::shell::{self, Result};

/// The variable with the file to which a process writes its skips, for the process that started it.
pub const FILE: &str = "XTASK_SKIPS";

/// The skips of one check so far. Its threads share this.
pub struct Skips {
    /// Whether a skip is a failure.
    strict: bool,
    skipped: Mutex<Vec<Skip>>,
}

/// One skip.
#[derive(Clone)]
pub struct Skip {
    /// The part of the check that was skipped; `None` for all of it.
    pub part: Option<String>,
    /// The reason.
    pub why: Why,
}

/// The reason of a skip.
#[derive(Clone)]
pub enum Why {
    /// This program is not installed.
    Missing(&'static Optional),
    /// Any other reason, as text.
    Other(String),
}

impl Default for Skips {
    /// No skips. With CI=true each later one is a failure.
    fn default() -> Self {
        Self { strict: shell::in_ci(), skipped: Mutex::default() }
    }
}

impl Skips {
    /// Whether the whole check, which needs these programs, can be done; records the skip if not.
    pub fn can(&self, needs: &[&'static Optional]) -> Result<bool> {
        self.can_do(None, needs)
    }

    /// Whether this part, which needs these programs, can be done; records the skip if not.
    pub fn can_part(&self, part: &str, needs: &[&'static Optional]) -> Result<bool> {
        self.can_do(Some(part), needs)
    }

    fn can_do(&self, part: Option<&str>, needs: &[&'static Optional]) -> Result<bool> {
        let mut can = true;
        for missing in needs.iter().filter(|one| !one.is_here()) {
            self.skip(part, Why::Missing(missing), missing.is_required_in_ci())?;
            can = false;
        }
        Ok(can)
    }

    /// Records that the whole check is skipped, for another reason than a missing program.
    pub fn cannot(&self, because: impl Into<String>) -> Result {
        self.skip(None, Why::Other(because.into()), true)
    }

    /// Records that this part is skipped, for another reason than a missing program.
    pub fn cannot_part(&self, part: &str, because: impl Into<String>) -> Result {
        self.skip(Some(part), Why::Other(because.into()), true)
    }

    /// Records a skip that is no failure with CI=true either, because it takes a network.
    pub fn may_lack(&self, part: &str, because: impl Into<String>) -> Result {
        self.skip(Some(part), Why::Other(because.into()), false)
    }

    fn skip(&self, part: Option<&str>, why: Why, required: bool) -> Result {
        let skip = Skip { part: part.map(str::to_owned), why };
        if self.strict && required {
            return Err(format!("with CI=true nothing is skipped: {skip}"));
        }
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        // Parts that run several times record the same skip several times.
        if !skipped.iter().any(|known| known.to_string() == skip.to_string()) {
            println!("skipped: {skip}");
            skipped.push(skip);
        }
        Ok(())
    }

    /// Writes the skips to the file that [`FILE`] names, a line of JSON each.
    pub fn hand_over(self) -> Result {
        let Some(file) = std::env::var_os(FILE) else { return Ok(()) };
        let lines: String = self.into_all().iter().map(|skip| format!("{}\n", skip.to_json())).collect();
        fs::write(&file, lines).map_err(|error| format!("cannot write {}: {error}", Path::new(&file).display()))
    }

    /// Adds the skips that another process wrote to its file; a process that failed wrote none.
    pub fn take_over(&self, file: &Path) {
        let text = fs::read_to_string(file).unwrap_or_default();
        let skips = text.lines().filter_map(|line| Skip::from_json(&serde_json::from_str(line).ok()?));
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).extend(skips);
    }

    /// All skips.
    pub fn into_all(self) -> Vec<Skip> {
        self.skipped.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Skip {
    fn to_json(&self) -> Value {
        match &self.why {
            Why::Missing(missing) => json!({"part": self.part, "missing": missing.name}),
            Why::Other(because) => json!({"part": self.part, "because": because}),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        let why = match value["missing"].as_str() {
            Some(name) => Why::Missing(optional::ALL.iter().find(|one| one.name == name)?),
            None => Why::Other(value["because"].as_str()?.to_owned()),
        };
        Some(Self { part: value["part"].as_str().map(str::to_owned), why })
    }
}

/// The part and the reason, as one line.
impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part.as_deref().unwrap_or("all of it"), self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Other(because) => f.write_str(because),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optional::{Source, absent};

    static HERE: Optional = Optional { is_here: |_| true, ..absent("here", Source::Debian("here")) };
    static GONE: Optional = absent("gone", Source::Debian("gone-bin"));
    static NIGHTLY: Optional = absent("nightly", Source::Nightly("miri"));

    fn skips(strict: bool) -> Skips {
        Skips { strict, skipped: Mutex::default() }
    }

    fn lines(skips: Skips) -> Vec<String> {
        skips.into_all().iter().map(Skip::to_string).collect()
    }

    #[test]
    fn each_missing_program_is_recorded_once_for_each_part() {
        let skips = skips(false);
        assert_eq!(skips.can(&[&HERE]), Ok(true));
        for _ in 0..2 {
            assert_eq!(skips.can_part("tls", &[&HERE, &GONE, &NIGHTLY]), Ok(false));
        }
        assert_eq!(skips.can(&[&GONE]), Ok(false));
        assert_eq!(skips.cannot_part("npm", "no network"), Ok(()));
        let gone = "no gone (apt-get install gone-bin)";
        let nightly = "tls: no nightly (rustup toolchain install nightly --component miri)".to_owned();
        let expected = [format!("tls: {gone}"), nightly, format!("all of it: {gone}"), "npm: no network".to_owned()];
        assert_eq!(lines(skips), expected);
    }

    #[test]
    fn skips_that_are_handed_over_are_taken_over_unchanged() {
        for why in [Why::Missing(&optional::NGINX), Why::Other("no network\nat all".to_owned())] {
            for part in [None, Some("tls".to_owned())] {
                let skip = Skip { part, why: why.clone() };
                let line = skip.to_json().to_string();
                let arrived = Skip::from_json(&serde_json::from_str(&line).unwrap()).unwrap();
                assert_eq!((arrived.part.clone(), arrived.to_string()), (skip.part.clone(), skip.to_string()));
            }
        }
    }

    #[test]
    fn a_required_program_that_is_missing_fails_in_ci() {
        let skips = skips(true);
        assert_eq!(skips.can(&[&HERE]), Ok(true));
        assert_eq!(skips.can(&[&NIGHTLY]), Ok(false));
        assert_eq!(skips.may_lack("advisories", "no network"), Ok(()));
        let failures = [skips.can_part("tls", &[&GONE]).err(), skips.can(&[&GONE]).err(), skips.cannot("it").err()];
        for failure in failures {
            assert!(failure.is_some_and(|reason| reason.starts_with("with CI=true nothing is skipped: ")));
        }
        assert_eq!(skips.into_all().len(), 2);
    }
}
