//! The network namespace, in which every address of the emulated network is this machine's.

use crate::Result;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use std::fs;
use std::process::Command;

/// The address of the sides. No node has one in its /24.
pub(crate) const HOME: [u8; 4] = [43, 255, 255, 1];

/// Moves this process, which has one thread, into a new namespace with the network's addresses.
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
    let [a, b, c, d] = HOME;
    for line in [
        "link set lo up".to_owned(),
        format!("address add {a}.{b}.{c}.{d}/32 dev lo"),
        // All of 43.0.0.0/8 is local: one socket receives what is sent to any of it.
        format!("route add local 43.0.0.0/8 dev lo src {a}.{b}.{c}.{d}"),
    ] {
        let done = Command::new("ip").args(line.split(' ')).status().map_err(|error| format!("ip: {error}"))?;
        if !done.success() {
            return Err(format!("`ip {line}` failed").into());
        }
    }
    Ok(())
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
