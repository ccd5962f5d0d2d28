//! What is installed here, and what happens without it.

use super::programs::{self, SEEDS, Seed};
use crate::shell::{self, Result};

/// The seeds that can be started here; `None` when there is no swarm without what is missing.
pub(super) fn seeds() -> Result<Option<Vec<&'static Seed>>> {
    let tools = programs::TOOLS.iter().filter(|(program, _)| shell::find_program(program).is_none());
    let mut without_tools = false;
    for (program, package) in tools {
        skip("everything", &format!("{program} is not installed (apt-get install {package})"))?;
        without_tools = true;
    }
    let (there, absent): (Vec<&Seed>, Vec<&Seed>) = SEEDS.iter().partition(|seed| (seed.installed)());
    for Seed { name, package, .. } in &absent {
        skip(name, &format!("it is not installed (apt-get install {package})"))?;
    }
    Ok((!without_tools && !there.is_empty()).then_some(there))
}

/// Whether these programs, each with its Debian package, are here; a section without one of them is skipped.
pub(super) fn are_here(section: &str, programs: &[(&str, &str)]) -> Result<bool> {
    let missing = programs.iter().find(|(program, _)| shell::find_program(program).is_none());
    let Some((program, package)) = missing else { return Ok(true) };
    skip(section, &format!("{program} is not installed (apt-get install {package})"))?;
    Ok(false)
}

/// Says what is skipped and why; where CI=true, that is a failure.
pub(super) fn skip(what: &str, because: &str) -> Result {
    if shell::in_ci() {
        return Err(format!("{what} cannot be tested, and with CI=true that is a failure: {because}"));
    }
    println!("skipped: {what}, because {because}");
    Ok(())
}
