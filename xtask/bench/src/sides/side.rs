//! A side: a process that is told by lines on its stdin what to do. It answers `ready` once, and then `done` for each line when it
//! knows that it is at its end.

use crate::Result;
use crate::package::Package;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The argument with which this program starts itself as a side.
pub(crate) const TASK: &str = "side";

/// A running side.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<(String, Instant)>,
}

impl Side {
    /// Starts a side that is this program.
    pub(crate) fn of_this_program(name: &'static str) -> Result<Self> {
        Self::start(name, Command::new(std::env::current_exe()?).args([TASK, name]))
    }

    /// Starts a side that is a package's script.
    pub(crate) fn script(package: &Package) -> Result<Self> {
        let (folder, (file, text)) = (package.folder()?, package.script.ok_or("a package without a script")?);
        std::fs::write(folder.join(file), text)?;
        Self::start(package.name, Command::new(package.program).arg(folder.join(file)).env("PYTHONPATH", folder))
    }

    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        crate::namespace::check()?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take().ok_or("no stdin")?, child.stdout.take().ok_or("no stdout")?);
        let (to, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout)
                .lines()
                .map_while(std::io::Result::ok)
                .try_for_each(|line| to.send((line, Instant::now())))
        });
        let side = Self { name, child, stdin: Some(stdin), lines };
        let first = side.line(Duration::from_secs(20));
        if first.is_some_and(|(line, _)| line == "ready") {
            Ok(side)
        } else {
            Err(format!("{name} did not start").into())
        }
    }

    /// Tells it to begin, after what it was told before.
    pub(crate) fn begin(&mut self, turn: &impl Display) -> Result {
        self.lines.try_iter().for_each(drop);
        self.tell(turn)
    }

    /// Tells it to begin, beside what it does already.
    pub(crate) fn tell(&mut self, turn: &impl Display) -> Result {
        let stdin = self.stdin.as_mut().ok_or("a side that was closed")?;
        Ok(stdin.write_all(format!("{turn}\n").as_bytes())?)
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it do what it was told, and gives its next line.
    pub(crate) fn close(&mut self) -> Result<String> {
        self.stdin = None;
        Ok(self.lines.recv_timeout(Duration::from_secs(30))?.0)
    }

    /// Its next line, and when it came; `None` if it says nothing for this time.
    pub(crate) fn line(&self, time: Duration) -> Option<(String, Instant)> {
        self.lines.recv_timeout(time).ok()
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
