//! Exit codes, a promise to scripts, and the one line that says why.

use std::process::ExitCode;

/// How a run ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// At least one valid handshake.
    Answered = 0,
    /// The run worked and nobody answered.
    NobodyAnswered = 1,
    /// Usage, or something of this machine: unreadable or invalid torrent, cannot bind, cannot write.
    LocalError = 2,
    /// No source of peers worked.
    NoSource = 3,
    /// Interrupted, after the partial report.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// One line on stderr. Failing to complain is nothing to complain about.
pub(crate) fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr(), "bt-handshake: {message}");
}

/// Complains, and exits with [`Exit::LocalError`].
pub(crate) fn local_error(reason: &str) -> ExitCode {
    complain(reason);
    Exit::LocalError.into()
}
