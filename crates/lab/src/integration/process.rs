//! A foreign program that runs until it is dropped, and the polling of such programs.

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtask::shell::{self, Result};

/// Foreign programs do not say when they are ready, so they are polled, this far apart.
const BETWEEN_POLLS: Duration = Duration::from_millis(20);

/// How long one attempt to connect to such a program may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a log is shown when something fails, in lines.
const TAIL: usize = 15;

/// A program that was started and is killed, by its process id, when this goes.
pub(super) struct Process {
    name: &'static str,
    shown: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program; what it says goes to a log in its folder, which is its home, too.
    pub(super) fn start(name: &'static str, command: &Command, folder: &Path) -> Result<Self> {
        Self::spawn(name, mortal(command, &[]), folder)
    }

    /// The same, as the user `nobody`. Only root may do so; for others it is the same as `start`.
    pub(super) fn start_as_nobody(name: &'static str, command: &Command, folder: &Path) -> Result<Self> {
        // The folder was made a moment ago, so its owner is who we are.
        let is_root = fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0);
        let as_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Self::spawn(name, mortal(command, if is_root { &as_nobody } else { &[] }), folder)
    }

    /// Starts a command that is arranged already.
    fn spawn(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let shown = shell::shown(&command);
        let log = folder.join("log");
        let failed = |error: std::io::Error| format!("cannot start `{shown}`: {error}");
        let stdout = File::create(&log).map_err(failed)?;
        let stderr = stdout.try_clone().map_err(failed)?;
        // stdin stays open as long as we live: a program that reads it sees when we end.
        command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        command.env("HOME", folder).env("TERM", "xterm").env_remove("XDG_CONFIG_HOME");
        let child = command.spawn().map_err(failed)?;
        Ok(Self { name, shown, child, log })
    }

    /// Waits until a program listens at this address, and fails early when the program has ended.
    pub(super) fn wait_until_listening(&mut self, address: SocketAddr, deadline: Instant) -> Result {
        poll(deadline, || {
            self.check_alive()?;
            let connected = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT);
            Ok(connected.map(drop).map_err(|error| format!("{} at {address}: {error}", self.name)))
        })
        .map_err(|reason| format!("{reason}\n{}", self.log_tail()))
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails when the program has ended, with the end of its log.
    pub(super) fn check_alive(&mut self) -> Result {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("`{}` ended: {status}\n{}", self.shown, self.log_tail())),
            Err(error) => Err(format!("`{}`: {error}", self.shown)),
        }
    }

    /// All that the program said.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The next line that it says, for a line that it is given.
    pub(super) fn ask(&mut self, deadline: Instant) -> Result<String> {
        let before = self.said().lines().count();
        let stdin = self.child.stdin.as_mut().ok_or("its stdin is closed")?;
        stdin.write_all(b"\n").map_err(|error| format!("{} does not listen: {error}", self.name))?;
        poll(deadline, || {
            let said = self.said();
            Ok(said.lines().nth(before).map(str::to_owned).ok_or_else(|| format!("{} says nothing", self.name)))
        })
    }

    /// The end of what the program said.
    pub(super) fn log_tail(&self) -> String {
        let log = self.said();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        format!("-- {}:\n{}", self.name, tail.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed rather than asked to end: there is nothing to save, and some take seconds to say goodbye.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("cannot end {}: {error}", self.name);
        }
    }
}

/// The command, arranged so that the kernel ends it if we are killed and cannot do it ourselves. Where `setpriv` is
/// missing, the command as it is.
pub(super) fn mortal(command: &Command, options: &[&str]) -> Command {
    // It replaces itself with the program, so the process id stays.
    let mut mortal = Command::new("setpriv");
    mortal.args(options).args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
    if shell::find_program("setpriv").is_none() {
        mortal = Command::new(command.get_program());
    }
    // Among its variables is the one without which it would ask well-known nodes of the DHT.
    mortal.args(command.get_args()).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    mortal
}

/// Asks until the answer is `Ok(Ok(_))`. `Ok(Err(reason))` means "not yet", and is the error once the deadline
/// has passed; `Err(_)` means "never".
pub(super) fn poll<T>(deadline: Instant, mut ask: impl FnMut() -> Result<Result<T>>) -> Result<T> {
    loop {
        match ask()? {
            Ok(answer) => return Ok(answer),
            Err(reason) if Instant::now() >= deadline => return Err(reason),
            Err(_) => thread::sleep(BETWEEN_POLLS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_ends_with_an_answer_a_deadline_or_a_never() {
        let mut asked = 0;
        let answer = poll(Instant::now() + Duration::from_secs(60), || {
            asked += 1;
            Ok(if asked == 3 { Ok(asked) } else { Err("not yet".to_owned()) })
        });
        assert_eq!(answer, Ok(3));
        assert_eq!(poll::<()>(Instant::now(), || Ok(Err("not yet".to_owned()))), Err("not yet".to_owned()));
        let never = poll::<()>(Instant::now() + Duration::from_secs(60), || Err("never".to_owned()));
        assert_eq!(never, Err("never".to_owned()));
    }

    #[test]
    fn a_program_is_ended_and_its_end_noticed() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-process-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        // `cat` lives as long as its stdin, which is ours.
        let mut cat = Process::start("cat", &Command::new("cat"), &folder).unwrap();
        assert_eq!(cat.check_alive(), Ok(()));
        drop(cat.child.stdin.take());
        let ended =
            poll(Instant::now() + Duration::from_secs(60), || Ok(cat.check_alive().err().ok_or("alive".to_owned())));
        assert!(ended.unwrap().contains("ended: exit status: 0"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
