//! Where results are saved: a torrent as a new file, a page over what is there; whole or not at all.

use crate::shown::shown_word;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SaveTo {
    Nowhere,
    Stdout,
    File(PathBuf),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// As it was wanted.
    No,
    /// So many bytes, at the place of this name.
    Written(String, usize),
    /// Why not.
    Failed(String),
}

impl SaveTo {
    /// By the option; the error is one line. What is there already, or cannot be written, would only be found out when everything has been
    /// fetched.
    pub(crate) fn new(output: Option<&Path>) -> Result<Self, String> {
        let Some(path) = output else { return Ok(Self::Nowhere) };
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let shown = shown_word(path.as_os_str());
        let parent = folder(path);
        let is_folder = match path.symlink_metadata() {
            Ok(metadata) => metadata.is_dir(),
            // What `Path` leaves out of the name.
            Err(_) => path.as_os_str().as_encoded_bytes().ends_with(b"/"),
        };
        let tried = || match path.symlink_metadata() {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => with_part(path, |_, _| Ok(())),
        };
        if is_folder {
            Err(format!("give --output a name for the file: {shown} is a folder"))
        } else if path.is_symlink() || path.exists() {
            Err(exists(&shown))
        } else if !parent.is_dir() {
            Err(format!("write elsewhere: --output {shown}: no folder {}", shown_word(parent.as_os_str())))
        } else {
            tried().map_err(|error| failed(&shown, &error)).map(|()| Self::File(path.to_owned()))
        }
    }

    /// Whether stdout takes the torrent, and so nothing else.
    pub(crate) fn is_stdout(&self) -> bool {
        *self == Self::Stdout
    }

    /// Writes the torrent. A reader of stdout that has gone away is not an error.
    pub(crate) fn save(&self, torrent: &[u8]) -> Saved {
        let path = match self {
            Self::Nowhere => return Saved::No,
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                return match stdout.write_all(torrent).and_then(|()| stdout.flush()) {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        Saved::Failed(crate::advice::cannot_write(&error))
                    }
                    _ => Saved::Written("standard output".to_owned(), torrent.len()),
                };
            }
            Self::File(path) => path,
        };
        let shown = shown_word(path.as_os_str());
        match create(path, torrent) {
            Ok(()) => Saved::Written(shown, torrent.len()),
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Saved::Failed(failed(&shown, &error)),
            Err(_) => Saved::Failed(exists(&shown)),
        }
    }
}

fn exists(shown: &str) -> String {
    format!("write elsewhere, or remove it first: {shown} is there already")
}

fn failed(shown: &str, error: &io::Error) -> String {
    format!("{} ({shown})", crate::advice::cannot_write(error))
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file, over what is there: at every moment the old one is there whole, or the new one. What is no file is written to.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Where a name leads to.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return fs::write(path, bytes);
    }
    with_part(&path, |file, part| {
        file.write_all(bytes)?;
        old.map_or(Ok(()), |old| file.set_permissions(old.permissions()))?;
        file.sync_all()?;
        fs::rename(part, &path)
    })
}

/// Creates a file that has all of this from its first moment on. Fails if there is one.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    with_part(path, |file, part| {
        file.write_all(bytes)?;
        file.sync_all()?;
        match fs::hard_link(part, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => take_place(part, path),
            linked => linked,
        }
    })
}

/// Does something with an empty file in the folder of another, and removes it. Its name is short, whatever that of the other.
fn with_part(path: &Path, work: impl FnOnce(&mut File, &Path) -> io::Result<()>) -> io::Result<()> {
    let id = std::process::id();
    // In a container a killed run may have had the same id.
    for attempt in 0..100 {
        let part = folder(path).join(format!(".bt-handshake-{id}-{attempt}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(mut file) => {
                let done = work(&mut file, &part);
                let _ = fs::remove_file(&part);
                return done;
            }
        }
    }
    Err(io::Error::other("too many files of killed runs"))
}

/// Where a file can have one name only: the name is taken first, with nothing behind it.
fn take_place(part: &Path, path: &Path) -> io::Result<()> {
    drop(File::create_new(path)?);
    // What is left of a failure would be taken for a torrent.
    fs::rename(part, path).inspect_err(|_| drop(fs::remove_file(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_new_and_whole() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-saved", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.torrent");
        let to = SaveTo::new(Some(&path)).unwrap();
        let shown = path.to_str().unwrap().to_owned();
        assert_eq!(to.save(b"d1:ai1ee"), Saved::Written(shown, 8));
        assert!(matches!(to.save(b"other"), Saved::Failed(reason) if reason.contains("is there already")));
        assert_eq!(fs::read(&path).unwrap(), b"d1:ai1ee");
        assert!(SaveTo::new(Some(&path)).is_err_and(|error| error.contains("is there already")));
        let other = folder.join("b.torrent");
        fs::write(folder.join("part"), b"x").unwrap();
        take_place(&folder.join("part"), &other).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"x");
        assert_eq!(take_place(&path, &other).map_err(|error| error.kind()), Err(ErrorKind::AlreadyExists));
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        // Nothing is left of the way there.
        assert_eq!(names, ["a.torrent", "b.torrent"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_is_written_over_as_a_whole() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-replaced", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (path, link) = (folder.join("page.html"), folder.join("link.html"));
        replace(&path, b"first").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        replace(&link, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert!(mode & 0o777 == 0o640 && link.is_symlink());
        replace(Path::new("/dev/null"), b"x").unwrap();
        assert!(replace(&folder.join("none/page.html"), b"x").is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_said_before_anything_is_sent() {
        let of = |output: &str| SaveTo::new(Some(output.as_ref()));
        assert_eq!(SaveTo::new(None), Ok(SaveTo::Nowhere));
        assert_eq!(of("-"), Ok(SaveTo::Stdout));
        let long = format!("/tmp/{}", "x".repeat(300));
        for (output, says) in [
            ("/", "is a folder"),
            ("/dev/null", "is there already"),
            ("/nowhere/a.torrent", "no folder /nowhere"),
            ("/tmp/bt-handshake-none/", "is a folder"),
            ("/dev/null/a.torrent", "no folder /dev/null"),
            // A folder in which nothing can be created.
            ("/proc/self/a.torrent", "cannot write"),
            (&long, "cannot write"),
        ] {
            assert!(of(output).is_err_and(|error| error.contains(says)), "{output}");
        }
    }

    #[test]
    fn the_longest_name_is_as_good_as_any_and_a_killed_run_is_not_in_the_way() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-{}-long", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let killed = folder.join(format!(".bt-handshake-{}-0.part", std::process::id()));
        fs::write(&killed, b"x").unwrap();
        let path = folder.join("x".repeat(255));
        let saved = SaveTo::new(Some(&path)).unwrap().save(b"d1:ai1ee");
        assert!(matches!(saved, Saved::Written(_, 8)), "{saved:?}");
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(&folder).unwrap().count()), (b"d1:ai1ee".to_vec(), 2));
        assert_eq!(fs::read(killed).unwrap(), b"x");
        fs::remove_dir_all(&folder).unwrap();
    }
}
