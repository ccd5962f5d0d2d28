//! A side: a process that looks peers up, told by lines on its stdin, each with a port to use, a target, and nodes to start from.
//! It answers `ready` once, and `done` for each lookup when it knows that it is at its end. As long as the port is the same, it keeps
//! its routing table.

use crate::Result;
use dht::NodeId;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The argument with which this program starts itself as a side.
pub(crate) const TASK: &str = "side";

/// One lookup to make.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) port: u16,
    pub(crate) target: NodeId,
    /// Nodes to start from, with their ids if they are known.
    pub(crate) nodes: Vec<(SocketAddr, Option<NodeId>)>,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.port, self.target)?;
        self.nodes.iter().try_for_each(|(address, id)| match id {
            Some(id) => write!(f, " {address}/{id}"),
            None => write!(f, " {address}"),
        })
    }
}

impl FromStr for Turn {
    type Err = Box<dyn std::error::Error>;

    fn from_str(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let (port, target) = (words.next().ok_or("no port")?.parse()?, words.next().ok_or("no target")?.parse()?);
        let node = |word: &str| match word.split_once('/') {
            Some((address, id)) => Ok((address.parse()?, Some(id.parse()?))),
            None => Ok((word.parse()?, None)),
        };
        Ok(Self { port, target, nodes: words.map(node).collect::<Result<_>>()? })
    }
}

/// A running side.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Side {
    /// Starts a side that is this program.
    pub(crate) fn of_this_program(name: &'static str) -> Result<Self> {
        Self::start(name, Command::new(std::env::current_exe()?).args([TASK, name]))
    }

    /// Starts a side that is a script in `folder`, which has its packages.
    pub(crate) fn script(name: &'static str, program: &str, folder: &Path, script: &str) -> Result<Self> {
        Self::start(name, Command::new(program).arg(folder.join(script)).env("PYTHONPATH", folder))
    }

    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        crate::namespace::check()?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take().ok_or("no stdin")?, child.stdout.take().ok_or("no stdout")?);
        let (to, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(std::io::Result::ok).try_for_each(|line| to.send(line))
        });
        let side = Self { name, child, stdin: Some(stdin), lines };
        let first = side.lines.recv_timeout(Duration::from_secs(20));
        if first.as_deref() == Ok("ready") { Ok(side) } else { Err(format!("{name} did not start").into()) }
    }

    /// Starts a lookup.
    pub(crate) fn begin(&mut self, turn: &Turn) -> Result {
        self.lines.try_iter().for_each(drop);
        let stdin = self.stdin.as_mut().ok_or("a side that was closed")?;
        Ok(stdin.write_all(format!("{turn}\n").as_bytes())?)
    }

    /// Whether it does. librqbit's stream of peers has no end, and libtorrent waits for 15 s without saying for what.
    pub(crate) fn tells_its_end(&self) -> bool {
        !matches!(self.name, "librqbit-dht" | "libtorrent")
    }

    /// Lets it make the lookups that it was told, and gives its next line.
    pub(crate) fn close(&mut self) -> Result<String> {
        self.stdin = None;
        Ok(self.lines.recv_timeout(Duration::from_secs(30))?)
    }

    /// When the side says that the lookup is at its end; `None` if it says nothing for this time.
    pub(crate) fn end(&self, time: Duration) -> Option<End> {
        let line = self.lines.recv_timeout(time).ok()?;
        let after = line.split_once(' ').and_then(|(_, seconds)| seconds.parse().ok());
        Some(after.map_or_else(|| End::At(Instant::now()), |seconds| End::After(Duration::from_secs_f64(seconds))))
    }
}

/// The end of a lookup as its side says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    At(Instant),
    /// So long after its first datagram.
    After(Duration),
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
