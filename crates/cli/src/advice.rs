//! Why a torrent is not run, in one line that starts with what to do.

use crate::input::InputError;
use client::{Error, ReadError};
use guard::ErrorChain;
use metainfo::{FileKind, MagnetError};
use std::io::ErrorKind;

/// What to do, and why.
pub(crate) fn advice(error: &InputError) -> String {
    let what = match error {
        InputError::PrivateInDht => {
            return "private torrent, nothing was sent: its trackers are its only source of peers (BEP 27), and the DHT is never \
                    asked for it"
                .to_owned();
        }
        InputError::MayBePrivateInDht => {
            return "give the .torrent file, or the info-hash alone if the torrent is public: a tracker's URL has a secret, the torrent may \
                    be private, and nothing was sent"
                .to_owned();
        }
        InputError::Magnet(error) => to_have_a_link(error),
        InputError::Run(error) => match error {
            Error::Private => {
                return "private torrent, nothing was sent: its tracker may ban the user of a client that it does not know; \
                        --allow-private asks it all the same"
                    .to_owned();
            }
            Error::ForeignTracker => "leave out --tracker",
            Error::Torrent(error) => to_have_a_torrent(error),
            Error::Read(error) => return format!("{}: {error}", to_read(error)),
            Error::Bind { .. } => "choose another --port, or an --interface address of this machine",
            Error::Interface(_) => "choose another --interface",
            Error::TlsRoots(_) => "give --tls-ca a file of certificates in PEM",
            _ => return ErrorChain(error).to_string(),
        },
    };
    format!("{what}: {}", ErrorChain(error))
}

/// The same of the link on a line of a list, where there is no shell.
pub(crate) fn of_line(error: MagnetError) -> String {
    let what = to_have_a_link(&error);
    format!("{}: {}", what.strip_suffix(IN_QUOTES).unwrap_or(what), ErrorChain(&InputError::Magnet(error)))
}

/// What a shell wants of a word with an ampersand.
const IN_QUOTES: &str = ", in quotes";

/// How to get a usable link.
fn to_have_a_link(error: &MagnetError) -> &'static str {
    match error {
        MagnetError::OtherNetwork => "give the link of a torrent",
        MagnetError::V2UnderBtih => "write `urn:btmh:1220` before the info-hash",
        MagnetError::V1UnderBtmh => "write `urn:btih:` before the info-hash",
        MagnetError::TwoInfoHashes | MagnetError::TwoInfoHashesV2 => "give each torrent a link of its own",
        MagnetError::TooLong { .. }
        | MagnetError::TooManyTrackers { .. }
        | MagnetError::TooManyPeers { .. }
        | MagnetError::TooManyWebSeeds { .. } => "leave some of it out",
        _ => "copy the whole link, in quotes",
    }
}

/// How to get a torrent in place of this file.
fn to_have_a_torrent(error: &metainfo::Error) -> &'static str {
    use FileKind as Kind;
    let kind = match error {
        metainfo::Error::FileKind(kind) => kind,
        metainfo::Error::CutShort(_) => return "fetch it again",
        error if error.is_limit() => return "give a smaller torrent, or its info-hash",
        _ => return "give a .torrent file, a magnet link or an info-hash",
    };
    match kind {
        Kind::Html | Kind::HttpReply | Kind::Json | Kind::Xml => {
            "fetch the torrent again, logged in where the site asks for it"
        }
        Kind::Zeros | Kind::Preceded | Kind::Mangled => "fetch it again, as it is",
        Kind::Packed(_) => "unpack it first",
        Kind::Base64 => "decode it first, with base64 -d",
        Kind::MagnetLink => "give the link itself, in quotes",
        Kind::InfoHash => "give the info-hash itself",
        Kind::Url => "download what the URL leads to, and give that",
        Kind::Feed | Kind::Metalink => "download a torrent that it names, and give that",
        Kind::Nzb => "give a .torrent file; this one is for Usenet",
        Kind::AppleDouble => "give the file of the same name without the `._`",
        Kind::Resume | Kind::InfoAlone | Kind::Content(_) => "give the .torrent file that belongs to it",
        _ => "give a .torrent file, a magnet link or an info-hash",
    }
}

/// How the file can be read after all.
fn to_read(error: &ReadError) -> &'static str {
    match error {
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => "check the path",
        ReadError::Io(error) if error.kind() == ErrorKind::PermissionDenied => "check the file's mode",
        ReadError::NoThread(_) => "let this user have more threads (ulimit -u)",
        ReadError::Empty => "fetch it again",
        ReadError::TooLarge { .. } => "give a smaller torrent, or its info-hash",
        ReadError::TooSlow(_) => "check the program that writes to it, or give it a longer --deadline",
        _ => "give a .torrent file",
    }
}

/// Of output that cannot be written.
pub(crate) fn cannot_write(error: &std::io::Error) -> String {
    let what = match error.kind() {
        ErrorKind::StorageFull => "make room on the disk",
        ErrorKind::FileTooLarge => "allow larger files (ulimit -f), or write elsewhere",
        _ => "write elsewhere",
    };
    format!("{what}: cannot write: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_not_started_is_not_the_files_fault() {
        let error = ReadError::NoThread(ErrorKind::WouldBlock.into());
        let said = advice(&InputError::Run(error.into()));
        assert!(said.starts_with("let this user have more threads (ulimit -u): this machine starts no more"), "{said}");
        // The same of a pipe is the pipe's.
        let said = advice(&InputError::Run(ReadError::Io(ErrorKind::WouldBlock.into()).into()));
        assert!(said.starts_with("give a .torrent file: "), "{said}");
    }
}
