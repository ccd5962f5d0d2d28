//! Exit codes, a promise to scripts, and the one line that says why.

use std::process::ExitCode;

/// How a run ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// At least one valid handshake, or a web seed that has everything.
    Answered = 0,
    /// The run worked, and no peer answered and no web seed has everything.
    NoPeerAnswered = 1,
    /// Usage, or something of this machine: unreadable or invalid torrent, cannot bind, cannot write.
    LocalError = 2,
    /// No source worked.
    NoSource = 3,
    /// Interrupted, after the partial report.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints one line on stderr. An error of stderr itself is ignored.
pub(crate) fn eprint_error(message: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr(), "bt-handshake: {message}");
}

/// Prints the reason, and exits with [`Exit::LocalError`].
pub(crate) fn local_error(reason: &str) -> ExitCode {
    eprint_error(reason);
    Exit::LocalError.into()
}
