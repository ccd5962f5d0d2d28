//! A network namespace with nothing but loopback, in which sides cannot reach anything else.

use crate::Result;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use std::fs;
use std::process::Command;

/// Moves this process, which has one thread, into a new namespace.
pub(crate) fn enter() -> Result {
    let (user, group) = (geteuid(), getegid());
    if user.is_root() {
        unshare(CloneFlags::CLONE_NEWNET)
    } else {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUSER)
    }
    .map_err(|error| format!("cannot make a network namespace: {error}"))?;
    if !user.is_root() {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    }
    check()?;
    ip("link set lo up")
}

/// Calls `ip` with these words.
pub(crate) fn ip(line: &str) -> Result {
    let done = Command::new("ip").args(line.split(' ')).status().map_err(|error| format!("ip: {error}"))?;
    if done.success() { Ok(()) } else { Err(format!("`ip {line}` failed").into()) }
}

/// An error where there is any interface but `lo`: nothing that a side sends may leave the machine.
pub(crate) fn check() -> Result {
    let interfaces = fs::read_to_string("/proc/self/net/dev")?;
    let other = interfaces.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim() != "lo");
    match other {
        None => Ok(()),
        Some((name, _)) => {
            Err(format!("{} can be reached: this runs in a namespace of its own only", name.trim()).into())
        }
    }
}
