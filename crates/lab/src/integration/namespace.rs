//! A network and mount namespace of our own, in which we run again: addresses of the wide world on its loopback
//! interface, and its own resolver. It goes with the last process in it.

use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xtask::scratch::write;
use xtask::shell::{self, Result};
use xtask::unshare;

use super::prober::Prober;
use super::process;
use super::section::Lab;

/// The task by which the program calls itself.
pub(crate) const TASK: &str = "inside-namespace";

/// What happens inside: a scenario by its name, with what it needs.
pub(super) type Scenario = (&'static str, fn(&Namespace) -> Result);

/// What a scenario has.
pub(super) struct Namespace {
    pub(super) prober: Prober,
    /// A folder for its own files.
    pub(super) folder: PathBuf,
    /// How many times it is to repeat itself, for scenarios that do.
    pub(super) runs: u32,
    /// Whether it may take minutes.
    pub(super) long: bool,
    /// The only part to run, for scenarios that have parts.
    pub(super) part: Option<String>,
}

/// Runs a scenario in a namespace of its own.
pub(super) fn run(lab: &Lab, scenario: &str) -> Result {
    // Its output goes where ours goes: it prints its results itself.
    shell::run(command(lab, scenario)?.stdin(Stdio::null()))
}

/// The command that plays a scenario in a namespace of its own.
pub(super) fn command(lab: &Lab, scenario: &str) -> Result<Command> {
    let command = unshare::command(unshare::NETWORK).ok_or("no network namespace can be made")?;
    let mut command = process::mortal(&command, &[]);
    let folder = lab.swarm.scratch.folder(scenario)?;
    let ourselves = std::env::current_exe().map_err(|error| format!("cannot find ourselves: {error}"))?;
    command
        .arg(ourselves)
        .args([TASK, scenario])
        .arg(lab.prober.binary())
        .arg(folder)
        .arg(lab.runs.to_string())
        .arg(lab.long.to_string())
        .args(&lab.part);
    Ok(command)
}

/// Sets the namespace up and runs a scenario in it: SCENARIO BINARY FOLDER RUNS LONG, and PART.
pub(super) fn inside(args: &[String], scenarios: &[Scenario]) -> Result {
    let [scenario, binary, folder, runs, long, part @ ..] = args else {
        return Err(format!("usage: {TASK} SCENARIO BINARY FOLDER RUNS LONG [PART]"));
    };
    let (_, run) = scenarios.iter().find(|(name, _)| name == scenario).ok_or("no such scenario")?;
    let folder = PathBuf::from(folder);
    ip(["link", "set", "lo", "up"])?;
    set_resolver(&folder)?;
    let runs = runs.parse().map_err(|error| format!("RUNS: {error}"))?;
    let long = long == "true";
    run(&Namespace { prober: Prober::new(binary.into()), folder, runs, long, part: part.first().cloned() })
}

/// Puts an address on the loopback interface, which has no neighbours. It can be used at once.
pub(super) fn add_address(address: impl Into<IpAddr>) -> Result {
    // Duplicate address detection (RFC 4862, 5.4) is done in the background, and until then nothing can be bound.
    let (address, length, at_once) = match address.into() {
        IpAddr::V4(v4) => (v4.to_string(), 32, None),
        IpAddr::V6(v6) => (v6.to_string(), 128, Some("nodad")),
    };
    ip(["address", "add", &format!("{address}/{length}"), "dev", "lo"].into_iter().chain(at_once))
}

/// Puts all addresses of a network, such as `11.22.0.0/16`, on the loopback interface.
pub(super) fn add_network(network: &str) -> Result {
    ip(["address", "add", network, "dev", "lo"])
}

/// Drops all packets to a network in silence: a virtual cable without a receiver.
pub(super) fn swallow(network: &str) -> Result {
    for line in [
        "link add swallow type veth peer name swallow-end",
        // Without ARP no request for a neighbour fails first.
        "link set swallow arp off up",
        "link set swallow-end up",
        &format!("route add {network} dev swallow"),
    ] {
        ip(line.split(' '))?;
    }
    Ok(())
}

/// Names are looked up at 127.0.0.1 and nowhere else.
fn set_resolver(folder: &Path) -> Result {
    let files = [
        // The library asks twice and waits as long as it can: a program that gives up sooner has a timeout of its own.
        ("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30\n"),
        ("/etc/hosts", "127.0.0.1 localhost\n"),
        ("/etc/nsswitch.conf", "hosts: files dns\n"),
    ];
    for (file, content) in files {
        // What is not there cannot be replaced, and then the library's defaults are these.
        if let Ok(file) = fs::canonicalize(file) {
            let ours = folder.join(file.file_name().unwrap_or_default());
            write(&ours, content)?;
            shell::run_quiet(Command::new("mount").arg("--bind").arg(ours).arg(file))?;
        }
    }
    Ok(())
}

/// Runs `ip`.
pub(super) fn ip<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result {
    shell::run_quiet(Command::new("ip").args(args)).map(drop)
}
