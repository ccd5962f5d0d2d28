//! A temporary folder for output and torrents.

use crate::Result;
use crate::addresses::Ports;
use crate::wire::PIECES;
use std::fs;
use std::path::{Path, PathBuf};

/// A new folder, removed on drop.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bt-handshake-bench-{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A torrent of one file, with the URL of a list of peers at the server's tracker.
    pub(crate) fn torrent(&self, ports: &Ports, list: &str) -> Result<PathBuf> {
        let announce = format!("http://127.0.0.1:{}/announce/{list}", ports.tracker);
        let pieces = "0123456789abcdefghij".repeat(PIECES);
        let info =
            format!("d6:lengthi41943040e4:name9:bench.iso12:piece lengthi262144e6:pieces{}:{pieces}e", pieces.len());
        let path = self.0.join(format!("{}.torrent", list.replace('/', "-")));
        fs::write(&path, format!("d8:announce{}:{announce}4:info{info}e", announce.len()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}
