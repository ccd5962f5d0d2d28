//! The contenders that are measured, and the server that they dial.

use crate::addresses::Ports;
use crate::measured::{Job, Usage};
use crate::reading::Summary;
use crate::scratch::Scratch;
use crate::{Result, engine_client, epoll_client, rqbit_client, server};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SERVER_CPU: usize = 1;
const CLIENT_CPU: usize = 0;
/// The info-hash of the clients that read no torrent: any 20 characters.
const INFO_HASH: &str = "epollepollepollepoll";
/// The engine's own deadline for a handshake, in milliseconds.
pub(crate) const PATIENCE: u32 = 5000;
/// The flags that make our command do what the epoll client does: no linger, no encryption, all peers, no pace.
pub(crate) const LEAN: [&str; 8] = ["--linger", "0", "--encryption", "off", "--max-peers", "0", "--rate", "0"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Epoll,
    Engine,
    Command,
    /// librqbit-utp; over uTP alone.
    Rqbit,
}

/// Those that dial over TCP.
pub(crate) const ALL: [Contender; 3] = [Contender::Epoll, Contender::Engine, Contender::Command];

/// The task of a contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) peers: u32,
    pub(crate) at_once: u32,
    /// `good`; `silent`, which take a handshake and never answer it; or `mute`, which never answer over uTP at all.
    pub(crate) kind: &'static str,
    /// The handshake timeout, in milliseconds.
    pub(crate) patience: u32,
    /// With the flags [`LEAN`], or their like for the engine; else the defaults.
    pub(crate) lean: bool,
    /// `auto`, `tcp` or `utp`.
    pub(crate) transport: &'static str,
}

impl Task {
    pub(crate) fn good(peers: u32, at_once: u32) -> Self {
        Self { peers, at_once, kind: "good", patience: PATIENCE, lean: true, transport: "auto" }
    }

    /// The number of peers that are dialled: by default at most 5,000 of one tracker.
    pub(crate) fn expected(&self) -> usize {
        if self.lean { self.peers as usize } else { self.peers.min(5000) as usize }
    }
}

/// A running server, and what is needed to run contenders against it.
pub(crate) struct Arena {
    pub(crate) ports: Ports,
    pub(crate) scratch: Scratch,
    /// `bt-handshake`.
    pub(crate) binary: PathBuf,
    server: Child,
}

/// The result of one run.
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
            Self::Rqbit => "librqbit-utp",
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

    /// Runs a contender once; it is an error if the report of a peer is missing.
    pub(crate) fn run(&self, contender: Contender, task: Task) -> Result<Run> {
        let job = match contender {
            Contender::Epoll => self.bare(epoll_client::TASK, task)?,
            Contender::Rqbit => self.bare(rqbit_client::TASK, task)?,
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
        let ok = if task.kind == "good" { task.expected() } else { 0 };
        if (said.reports, said.ok) != (task.expected(), ok) {
            let what =
                format!("{contender:?}, {task:?}: {} reports, {} of them ok {outcomes:?}", said.reports, said.ok);
            return Err(what.into());
        }
        Ok(Run { used, said })
    }

    /// Our command with these flags, for the tracker's list of this name.
    pub(crate) fn command(&self, list: &str, flags: &[&str]) -> Result<Job> {
        self.plain(list, &[&["--json"], flags].concat())
    }

    /// The same without `--json`.
    pub(crate) fn plain(&self, list: &str, flags: &[&str]) -> Result<Job> {
        let torrent = self.scratch.torrent(&self.ports, list)?;
        let mut args: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        args.push(text(&torrent)?);
        Ok(self.job(self.binary.clone(), args))
    }

    fn command_for(&self, task: Task) -> Result<Job> {
        let (at_once, patience) = (task.at_once.to_string(), format!("{}ms", task.patience));
        let lean = if task.lean { &LEAN[..] } else { &[] };
        let flags = ["--concurrency", &at_once, "--handshake-timeout", &patience, "--transport", task.transport];
        let flags = [&flags[..], lean].concat();
        self.command(&list(task), &flags)
    }

    fn engine(&self, task: Task) -> Result<Job> {
        let torrent = text(&self.scratch.torrent(&self.ports, &list(task))?)?;
        let flags = if task.lean { "lean" } else { "defaults" };
        self.ourselves(
            engine_client::TASK,
            [torrent, task.at_once.to_string(), flags.to_owned(), task.patience.to_string(), task.transport.to_owned()],
        )
    }

    fn bare(&self, client: &str, task: Task) -> Result<Job> {
        let port = if task.kind == "good" { self.ports.good } else { self.ports.silent };
        let numbers = [port.into(), task.at_once, task.patience].map(|number: u32| number.to_string());
        let args = [INFO_HASH.to_owned(), task.expected().to_string()].into_iter().chain(numbers);
        self.ourselves(client, args)
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
        // The server ends when its stdin is closed.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn list(task: Task) -> String {
    format!("{}/{}", task.kind, task.peers)
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().ok_or("a path that is not UTF-8")?.to_owned())
}
