//! A machine with two ways out of it, in a network namespace of its own. Both lead here, where all addresses of the wide world are.

use std::fs::{self, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::scratch::{make_folder, write};
use xtask::shell::{self, Result};

use super::super::namespace::{Namespace, ip};
use super::super::prober::Prober;
use super::super::process::{Process, poll};

/// A way out: the interface, and the number of its networks.
pub(super) type Path = (&'static str, u8);

/// The interface that runs are to use.
pub(super) const CHOSEN: Path = ("chosen", 1);
/// That of the default route.
pub(super) const TEMPTING: Path = ("tempting", 2);

/// Interfaces that cannot be used: one has no address, one is down, and one has an address of one family.
const USELESS: &str = "link add bare type veth peer name down\n\
    link set bare addrgenmode none up\n\
    address add 10.9.0.2/24 dev down\n\
    link add v4 type veth peer name v4-end\n\
    link set v4 addrgenmode none up\n\
    address add 10.8.0.2/24 dev v4";

/// The machine.
pub(super) struct World {
    pub(super) machine: Machine,
    /// Runs the binary there.
    pub(super) prober: Prober,
    /// Holds the namespace.
    _holder: Process,
}

impl World {
    /// Makes one. `by_source`: a packet that has the source address of the chosen interface leaves there.
    pub(super) fn new(namespace: &Namespace, by_source: bool) -> Result<Self> {
        let folder = namespace.folder.join("machine");
        make_folder(&folder)?;
        let mut command = Command::new("unshare");
        // It lives until its stdin is closed.
        let mut holder = Process::start("a namespace", command.args(["--net", "cat"]), &folder)?;
        let pid = holder.id();
        let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).map_err(|error| error.to_string());
        let ours = of("self")?;
        poll(Instant::now() + Duration::from_secs(10), || {
            holder.check_alive()?;
            Ok((of(&pid.to_string())? != ours).then_some(()).ok_or_else(|| "no namespace is made".to_owned()))
        })?;
        let machine = Machine(pid);
        let prober = Prober::new(machine.wrapper(&folder, namespace.prober.binary())?);
        let world = Self { machine, prober, _holder: holder };
        [CHOSEN, TEMPTING].iter().try_for_each(|path| world.join(*path))?;
        // Where the kernel wants answers to come by the way that questions would go, a run could have none. A kernel that forbids to
        // say so may not want it.
        let _ = machine.run("sysctl -qw net.ipv4.conf.all.rp_filter=2");
        machine.ip("link set lo up")?;
        USELESS.lines().try_for_each(|line| machine.ip(line.trim()))?;
        let rules = ["rule add from 10.1.0.2 lookup 100", "-6 rule add from fd01::2 lookup 100"];
        rules.iter().take_while(|_| by_source).try_for_each(|rule| machine.ip(rule))?;
        Ok(world)
    }

    /// Makes a way out of the machine. There is no other traffic than that of runs: hardware addresses are known, and no neighbour
    /// is asked for.
    fn join(&self, (name, number): Path) -> Result {
        let mac = format!("02:00:00:00:00:0{number}");
        let (pid, end) = (self.machine.0, format!("{name}-end"));
        // The one of an earlier machine may be there for a while.
        let _ = ip(["link", "delete", &end]);
        let up = |name: &str, host: u8| {
            [
                format!("link set {name} arp off addrgenmode none up"),
                format!("address add 10.{number}.0.{host}/24 dev {name}"),
                format!("address add fd0{number}::{host}/64 dev {name} nodad"),
            ]
        };
        ip(format!("link add {end} address {mac} type veth peer name {name} address {mac} netns {pid}").split(' '))?;
        up(&end, 1).iter().try_for_each(|line| ip(line.split(' ')))?;
        up(name, 2).iter().try_for_each(|line| self.machine.ip(line))?;
        // The chosen one has the worse default route, and one for packets with its source address.
        let tables: &[&str] = if number == CHOSEN.1 { &["metric 2000", "table 100"] } else { &["metric 1"] };
        gateways(number).iter().try_for_each(|gateway| {
            tables
                .iter()
                .try_for_each(|table| self.machine.ip(&format!("route add default via {gateway} dev {name} {table}")))
        })
    }
}

/// The namespace that a process holds.
#[derive(Clone, Copy)]
pub(super) struct Machine(u32);

impl Machine {
    /// Runs `ip` inside.
    pub(super) fn ip(self, line: &str) -> Result {
        self.run(&format!("ip {line}")).map(drop)
    }

    fn run(self, line: &str) -> Result {
        shell::run_quiet(self.enter().args(line.split(' '))).map(drop)
    }

    fn enter(self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.0));
        command
    }

    /// A program that runs the binary inside.
    fn wrapper(self, folder: &std::path::Path, binary: &std::path::Path) -> Result<PathBuf> {
        let file = folder.join("bt-handshake");
        write(&file, format!("#!/bin/sh\nexec {} '{}' \"$@\"\n", shell::shown(&self.enter()), binary.display()))?;
        let runs = fs::set_permissions(&file, Permissions::from_mode(0o755));
        runs.map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(file)
    }
}

/// Whether an address is the other end of an interface of the machine.
pub(super) fn is_gateway(ip: IpAddr) -> bool {
    [CHOSEN, TEMPTING].iter().flat_map(|(_, number)| gateways(*number)).any(|gateway| gateway == ip.to_string())
}

fn gateways(number: u8) -> [String; 2] {
    [format!("10.{number}.0.1"), format!("fd0{number}::1")]
}
