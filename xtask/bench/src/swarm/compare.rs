//! `bench swarm`: the tables, and whether the targets are met.

use crate::contender::Arena;
use crate::targets::Targets;
use crate::{Result, USAGE, as_users, grid, in_flight, server, utp_beside_tcp, whole};
use std::path::Path;

/// How much is measured.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    rounds: usize,
    /// Without 50,000 peers.
    quick: bool,
    /// What is measured of uTP, and nothing else.
    utp: bool,
    /// The command against this one, as users run it, and nothing else.
    as_users: Option<String>,
}

pub(crate) fn run(binary: &str, flags: &[&str]) -> Result {
    let options = Options::parse(flags).ok_or(USAGE)?;
    warn_of_short_queues()?;
    let arena = Arena::start(Path::new(binary))?;
    let mut targets = Targets::default();
    println!(
        "Loopback only; the server on one processor, the client on another. Each run is a process of its own, timed from before\n\
         its start to its end; CPU time is user and system. The time of a peer is from dialling to the whole handshake. The side\n\
         that closes first keeps the connection in TIME_WAIT, here the client's; each peer has its own address, so ports suffice.\n"
    );
    let Options { rounds, quick, utp, as_users } = options;
    if let Some(before) = as_users {
        as_users::run(&arena, Path::new(&before), rounds, &mut targets)?;
        targets.print();
        return Ok(());
    }
    if !utp {
        grid::lean(&arena, rounds, if quick { 10_000 } else { 50_000 }, &mut targets)?;
        grid::defaults(&arena, rounds)?;
    }
    utp_beside_tcp::run(&arena, rounds, &mut targets)?;
    in_flight::run(&arena, rounds.min(3), utp, &mut targets)?;
    whole::head(rounds);
    whole::run_utp(&arena, rounds, &mut targets)?;
    if !utp {
        whole::run(&arena, rounds, !quick, &mut targets)?;
    }
    targets.print();
    Ok(())
}

impl Options {
    fn parse(flags: &[&str]) -> Option<Self> {
        let mut options = Self { rounds: 5, quick: false, utp: false, as_users: None };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            match *flag {
                "--quick" => options = Self { rounds: 3, quick: true, ..options },
                "--as-users" => options.as_users = Some((*flags.next()?).to_owned()),
                "--utp" => options.utp = true,
                "--rounds" => options.rounds = flags.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// If a client dials faster than the server accepts, the kernel drops SYNs, and each costs a second.
fn warn_of_short_queues() -> Result {
    let longest: i32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn")?.trim().parse()?;
    if longest < server::BACKLOG {
        println!(
            "net.core.somaxconn is {longest}, less than {}: some SYNs may be dropped, and their peers be a second late.\n",
            server::BACKLOG
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_parsed() {
        let parse = |line: &str| Options::parse(&line.split_whitespace().collect::<Vec<_>>());
        let defaults = || Options { rounds: 5, quick: false, utp: false, as_users: None };
        assert_eq!(parse(""), Some(defaults()));
        let quick = Options { rounds: 1, quick: true, utp: true, ..defaults() };
        assert_eq!(parse("--utp --quick --rounds 1"), Some(quick));
        let before = Options { rounds: 9, as_users: Some("before".to_owned()), ..defaults() };
        assert_eq!(parse("--as-users before --rounds 9"), Some(before));
        assert!(
            parse("--as-users").is_none()
                && parse("--rounds").is_none()
                && parse("--rounds 0").is_none()
                && parse("--fast").is_none()
        );
    }
}
