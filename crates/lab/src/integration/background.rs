//! What goes on beside the sections until one of them needs it.

use std::process::{Child, Command, Stdio};

use xtask::shell::{self, Result};

/// A process that prepares something until its stdin ends. It is killed when this is dropped.
pub(super) struct Background {
    child: Child,
    shown: String,
}

impl Background {
    /// Starts it.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let shown = shell::shown(&command);
        let child =
            command.stdin(Stdio::piped()).spawn().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
        Ok(Self { child, shown })
    }

    /// Has it do its work, to its end.
    pub(super) fn finish(mut self) -> Result {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|error| format!("`{}`: {error}", self.shown))?;
        if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", self.shown)) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_once_its_stdin_ends() {
        // `cat` lives as long as its stdin; `false` fails.
        assert_eq!(Background::start(Command::new("cat")).unwrap().finish(), Ok(()));
        let failed = Background::start(Command::new("false")).unwrap().finish();
        assert_eq!(failed, Err("`false`: exit status: 1".to_owned()));
    }
}
