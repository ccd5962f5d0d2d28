//! The checks on a machine without optional programs, which `cargo xtask bare` makes.

use xtask::optional::{self, Optional};
use xtask::shell::Result;

use super::step::{Step, play, tests};
use super::table::{End, Row, table};

/// The unit tests, some of which start programs; of the whole workspace, because a part of it would be built anew.
const TESTS: &str = "cargo test --workspace --lib --bins --locked --quiet";

/// Runs the checks. Each optional program must be missing, and be named as the reason of a skip.
pub(crate) fn run(steps: &[Step]) -> Result {
    let here: Vec<&str> = optional::ALL.iter().filter(|one| one.is_here()).map(|one| one.name).collect();
    if !here.is_empty() {
        return Err(format!("bare: still installed: {}", here.join(", ")));
    }
    let tests = Step { name: "tests", repeat: TESTS, run: |_| tests(TESTS), is_bare: true };
    let checks = steps.iter().filter(|step| step.is_bare);
    let (rows, done) = play(&[&tests].into_iter().chain(checks).collect::<Vec<_>>());
    println!("{}", table("bare", &rows));
    done?;
    let unnamed: Vec<&str> = unnamed(&rows, optional::ALL).map(|one| one.name).collect();
    if unnamed.is_empty() { Ok(()) } else { Err(format!("bare: missing and not named: {}", unnamed.join(", "))) }
}

/// The optional programs that no check has named as missing.
fn unnamed<'a>(rows: &'a [Row], all: &'a [&'static Optional]) -> impl Iterator<Item = &'static Optional> + 'a {
    let named = |one: &Optional| {
        rows.iter().filter(|row| row.end == End::Done).flat_map(Row::missing).any(|missing| missing.name == one.name)
    };
    all.iter().copied().filter(move |one| !named(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtask::skips::{Skip, Why};

    #[test]
    fn a_program_that_no_check_names_is_found() {
        let all: &[&'static Optional] = &[&optional::TMUX, &optional::NGINX];
        let skip = |one| Skip { part: None, why: Why::Missing(one) };
        let row = |end, one| Row { name: "a", end, seconds: 0.0, skipped: vec![skip(one)] };
        let names = |rows: &[Row]| unnamed(rows, all).map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(&[row(End::Done, &optional::TMUX)]), ["nginx"]);
        assert_eq!(names(&[row(End::Failed, &optional::TMUX), row(End::Done, &optional::NGINX)]), ["tmux"]);
        assert!(names(&[row(End::Done, &optional::TMUX), row(End::Done, &optional::NGINX)]).is_empty());
    }
}
