//! A run of the binary that is watched while it lasts, interrupted, and waited for.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use xtask::shell::{self, Result};

use super::process;

/// A run in progress. It is killed when this goes.
pub(super) struct Running {
    shown: String,
    child: Child,
}

impl Running {
    /// Starts the command; its output is not read.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let shown = shell::shown(command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        Ok(Self { shown, child })
    }

    /// What Ctrl-C sends.
    pub(super) fn interrupt(&self) -> Result {
        shell::signal("INT", &self.child.id().to_string())
    }

    /// Waits for its end and gives the exit code; `None` when a signal ended it.
    pub(super) fn wait(mut self, limit: Duration) -> Result<Option<i32>> {
        process::poll(Instant::now() + limit, || {
            let ended = self.child.try_wait().map_err(|error| format!("`{}`: {error}", self.shown))?;
            Ok(ended.map(|status| status.code()).ok_or_else(|| format!("`{}` still runs after {limit:?}", self.shown)))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is left alone: the library knows.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
