//! Those that are measured, and the server they are measured against.

use crate::addresses::Ports;
use crate::measured::{Job, Usage};
use crate::reading::Summary;
use crate::scratch::Scratch;
use crate::{Result, engine_client, epoll_client, server};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SERVER_CPU: usize = 1;
const CLIENT_CPU: usize = 0;
/// What everybody asks for: the epoll client is told no torrent, and any 20 characters are an info-hash.
const INFO_HASH: &str = "epollepollepollepoll";
/// The engine's own deadline for a handshake, in milliseconds.
pub(crate) const PATIENCE: u32 = 5000;
/// What makes our command do what the epoll client does: no listening, no encryption, everybody at once.
pub(crate) const LEAN: [&str; 8] = ["--linger", "0", "--encryption", "off", "--max-peers", "0", "--rate", "0"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Epoll,
    Engine,
    Command,
}

pub(crate) const ALL: [Contender; 3] = [Contender::Epoll, Contender::Engine, Contender::Command];

/// What a contender is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) peers: u32,
    pub(crate) at_once: u32,
    /// Peers that never answer, instead of good ones.
    pub(crate) silent: bool,
    /// How long they are given, in milliseconds.
    pub(crate) patience: u32,
    /// As little as the epoll client does, where that can be asked for; else as the defaults have it.
    pub(crate) lean: bool,
}

impl Task {
    pub(crate) fn good(peers: u32, at_once: u32) -> Self {
        Self { peers, at_once, silent: false, patience: PATIENCE, lean: true }
    }

    /// How many of the peers are dialled: the default takes no more from one tracker.
    pub(crate) fn expected(&self) -> usize {
        if self.lean { self.peers as usize } else { self.peers.min(5000) as usize }
    }
}

/// A server that runs, and all that is needed to run contenders against it.
pub(crate) struct Arena {
    pub(crate) ports: Ports,
    pub(crate) scratch: Scratch,
    /// `bt-handshake`.
    pub(crate) binary: PathBuf,
    server: Child,
}

/// What came of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) used: Usage,
    pub(crate) said: Summary,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::Engine => "engine",
            Self::Command => "**command**",
        }
    }
}

impl Arena {
    pub(crate) fn start(binary: &Path) -> Result<Self> {
        let scratch = Scratch::new()?;
        let mut server = Command::new(std::env::current_exe()?)
            .args([server::TASK, &SERVER_CPU.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let ports = Ports::from_line(&line).ok_or("the server did not start")?;
        Ok(Self { ports, scratch, binary: binary.to_owned(), server })
    }

    /// One run of one contender; it is an error when a peer is not accounted for.
    pub(crate) fn run(&self, contender: Contender, task: Task) -> Result<Run> {
        let job = match contender {
            Contender::Epoll => self.epoll(task)?,
            Contender::Engine => self.engine(task)?,
            Contender::Command => self.command_for(task)?,
        };
        let used = job.run()?;
        let mut outcomes = BTreeMap::<String, usize>::new();
        let said = match contender {
            Contender::Command => {
                Summary::read_json(&job.output, |outcome| *outcomes.entry(outcome.to_owned()).or_default() += 1)?
            }
            _ => Summary::read_line(&job.output)?,
        };
        let ok = if task.silent { 0 } else { task.expected() };
        if (said.reports, said.ok) != (task.expected(), ok) {
            let what =
                format!("{contender:?}, {task:?}: {} reports, {} of them ok {outcomes:?}", said.reports, said.ok);
            return Err(what.into());
        }
        Ok(Run { used, said })
    }

    /// Our command with these flags, for the list that the tracker has under this name.
    pub(crate) fn command(&self, list: &str, flags: &[&str]) -> Result<Job> {
        let torrent = self.scratch.torrent(&self.ports, list)?;
        let mut args: Vec<String> = vec!["--json".to_owned()];
        args.extend(flags.iter().map(|&flag| flag.to_owned()));
        args.push(text(&torrent)?);
        Ok(self.job(self.binary.clone(), args))
    }

    fn command_for(&self, task: Task) -> Result<Job> {
        let (at_once, patience) = (task.at_once.to_string(), format!("{}ms", task.patience));
        let lean = if task.lean { &LEAN[..] } else { &[] };
        let flags = [&["--concurrency", &at_once, "--handshake-timeout", &patience], lean].concat();
        self.command(&list(task), &flags)
    }

    fn engine(&self, task: Task) -> Result<Job> {
        let torrent = text(&self.scratch.torrent(&self.ports, &list(task))?)?;
        let flags = if task.lean { "lean" } else { "defaults" };
        self.ourselves(
            engine_client::TASK,
            [torrent, task.at_once.to_string(), flags.to_owned(), task.patience.to_string()],
        )
    }

    fn epoll(&self, task: Task) -> Result<Job> {
        let port = if task.silent { self.ports.silent } else { self.ports.good };
        let numbers = [port.into(), task.at_once, task.patience].map(|number: u32| number.to_string());
        let args = [INFO_HASH.to_owned(), task.expected().to_string()].into_iter().chain(numbers);
        self.ourselves(epoll_client::TASK, args)
    }

    fn ourselves(&self, task: &str, args: impl IntoIterator<Item = String>) -> Result<Job> {
        let args = [task.to_owned()].into_iter().chain(args).collect();
        Ok(self.job(std::env::current_exe()?, args))
    }

    pub(crate) fn job(&self, program: PathBuf, args: Vec<String>) -> Job {
        let output = self.scratch.path().join("stdout");
        Job { program, args, cpu: CLIENT_CPU, descriptors: None, stamped: false, output }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // The end of its stdin is the end of the server.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn list(task: Task) -> String {
    if task.silent { format!("silent/{}", task.peers) } else { task.peers.to_string() }
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().ok_or("a path that is not UTF-8")?.to_owned())
}
