//! Why a torrent is not run, in one line that starts with what to do.

use crate::input::InputError;
use client::{Error, ReadError};
use guard::ErrorChain;
use std::io::ErrorKind;

/// What to do, and why.
pub(crate) fn advice(error: &InputError) -> String {
    let what = match error {
        InputError::Magnet(_) => "copy the whole link, in quotes",
        InputError::Run(error) => match error {
            Error::Private => {
                return "add --allow-private to go on: the torrent is private, and a client that its tracker does not know \
                        can get you banned"
                    .to_owned();
            }
            Error::ForeignTracker => "leave out --tracker",
            Error::Torrent(_) => "give a .torrent file, a magnet link or an info-hash",
            Error::Read(error) => return format!("{}: {error}", to_read(error)),
            Error::Bind { .. } => "choose another --port, or a --bind address of this machine",
            Error::TlsRoots(_) => "give --tls-ca a file of certificates in PEM",
            _ => return ErrorChain(error).to_string(),
        },
    };
    format!("{what}: {}", ErrorChain(error))
}

/// How a file may be read after all. That it could not be goes without saying.
fn to_read(error: &ReadError) -> &'static str {
    match error {
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => "check the path",
        ReadError::Io(error) if error.kind() == ErrorKind::PermissionDenied => "ask for leave to read it",
        ReadError::Empty => "fetch it again",
        ReadError::TooSlow(_) => "check who writes to it, or give it a longer --deadline",
        _ => "give a .torrent file",
    }
}

/// Of output that cannot be written.
pub(crate) fn cannot_write(error: &std::io::Error) -> String {
    let what = match error.kind() {
        ErrorKind::StorageFull => "make room on the disk",
        _ => "write elsewhere",
    };
    format!("{what}: cannot write: {error}")
}
