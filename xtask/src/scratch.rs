//! A temporary folder for the files of a run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::Result;

/// A folder that is removed on drop, unless it is kept.
pub struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Makes a new folder in the system's temporary one; it is an error if it exists.
    pub fn new(keep: bool) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bt-handshake-xtask-{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self { path, keep })
    }

    /// A folder in this one, made if it does not exist.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        make_folder(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep {
            println!("kept: {}", self.path.display());
        } else if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Makes a folder and its parents, if they do not exist.
pub fn make_folder(path: &Path) -> Result {
    fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
}

/// Writes a whole file.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result {
    fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
