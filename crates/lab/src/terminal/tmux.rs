//! A tmux server of our own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use xtask::shell::{self, Result};

/// The server. It ends with this, and also when we are killed and nothing of this can run: it goes with the last client, and
/// that one goes when its standard input is closed.
pub(super) struct Server {
    socket: PathBuf,
    keeper: Child,
    /// Kept open, because a client without a reader leaves. Nothing comes that would fill it.
    _notes: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server whose socket is in this folder.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("socket");
        let mut command = tmux(&socket);
        // A client that is a program: what its windows show is of no interest to it.
        command.args(["-C", "new-session", "-s", "keeper", "-f", "no-output", "cat"]);
        command.args([";", "set-option", "-g", "exit-unattached", "on"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let failed = |error| format!("cannot start tmux: {error}");
        let mut keeper = command.spawn().map_err(failed)?;
        let mut notes = BufReader::new(keeper.stdout.take().ok_or("no output of tmux")?);
        // Both commands are done, each with its own end.
        let mut line = String::new();
        for _ in 0..2 {
            while !line.starts_with("%end ") {
                line.clear();
                if notes.read_line(&mut line).map_err(failed)? == 0 {
                    return Err("tmux ended as soon as it was started".to_owned());
                }
            }
            line.clear();
        }
        Ok(Self { socket, keeper, _notes: notes })
    }

    /// Asks the server to do this, and returns what it says to it.
    pub(super) fn ask(&self, words: &[&str]) -> Result<String> {
        shell::run_quiet(tmux(&self.socket).args(words))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(reason) = self.ask(&["kill-server"]) {
            eprintln!("{reason}");
        }
        // It has left with the server, or leaves now.
        let _ = self.keeper.kill().and_then(|()| self.keeper.wait());
    }
}

/// A client of the server at this socket. Not of one that we run in ourselves. What runs in the windows has its environment.
fn tmux(socket: &Path) -> Command {
    let mut command = Command::new("tmux");
    command.env(shell::DHT_BOOTSTRAP, "").env_remove("TMUX").arg("-u").arg("-S").arg(socket).args(["-f", "/dev/null"]);
    command
}
