//! `cargo xtask terminal`: the real binary in a real terminal, against an embedded tracker and swarm, offline.
//!
//! tmux is the terminal: a server of our own, on a socket in the scratch folder. Nothing here sleeps: what is typed next
//! waits for a text on the screen, or for what the tracker or the peers have seen.

mod colour;
mod interrupt;
mod lab;
mod pages;
mod pipe;
mod progress;
mod resize;
mod screen;
mod tmux;
mod window;

use std::path::PathBuf;
use std::time::Instant;

use xtask::scratch::Scratch;
use xtask::shell::Result;
use xtask::skips::Skips;
use xtask::{binary, optional};

use tmux::Server;

/// Where a case runs.
struct Place {
    server: Server,
    /// The folder of the executable, for the shell's `PATH`.
    programs: PathBuf,
    /// A folder for what a case needs: torrents and pipes.
    folder: PathBuf,
}

/// One case: its name and what is done.
type Case = (String, Box<dyn Fn(&Place) -> Result + Send>);

/// All cases, in this order.
fn cases() -> Vec<Case> {
    let groups =
        [pages::cases(), resize::cases(), progress::cases(), colour::cases(), interrupt::cases(), pipe::cases()];
    groups.into_iter().flatten().collect()
}

/// Runs the cases, or the one of this name; the error has every fault of every case.
pub(crate) fn run(skips: &Skips, only: Option<&str>) -> Result {
    if !skips.can(&[&optional::TMUX, &optional::BASH])? {
        return Ok(());
    }
    let cases: Vec<Case> = cases().into_iter().filter(|(name, _)| only.is_none_or(|only| only == name)).collect();
    if cases.is_empty() {
        return Err(format!("terminal: there is no such case; there are {}", names().join(", ")));
    }
    let binary = binary::build(false)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    // The swarms run on this thread, so the terminal is waited for on another.
    let done = runtime.block_on(async { tokio::task::spawn_blocking(move || run_each(&cases, binary)).await });
    done.map_err(|error| format!("terminal: {error}"))?
}

fn names() -> Vec<String> {
    cases().into_iter().map(|(name, _)| name).collect()
}

fn run_each(cases: &[Case], binary: PathBuf) -> Result {
    let scratch = Scratch::new(false)?;
    let mut programs = binary;
    programs.pop();
    let server = Server::start(&scratch.folder("tmux")?)?;
    let mut place = Place { server, programs, folder: PathBuf::new() };
    let mut faults = Vec::new();
    for (n, (name, case)) in cases.iter().enumerate() {
        place.folder = scratch.folder(&n.to_string())?;
        let begin = Instant::now();
        let done = case(&place);
        let seconds = begin.elapsed().as_secs_f64();
        println!("{} {name}  {seconds:.1} s", if done.is_ok() { "passed" } else { "FAILED" });
        faults.extend(done.err().map(|fault| format!("{name}: {fault}\nrepeat with: cargo xtask terminal {name}")));
    }
    if faults.is_empty() {
        println!("terminal: {} cases passed", cases.len());
        Ok(())
    } else {
        Err(faults.join("\n\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn cases_have_names_of_their_own_that_need_no_quotes() {
        let names = names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')), "{names:?}");
    }
}
