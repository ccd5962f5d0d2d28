//! Packages of npm and PyPI, by name and version, in a folder beside the built program.

use crate::Result;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A side that is a script, with the package that it needs.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// What runs the script.
    pub(crate) program: &'static str,
    pub(crate) file: &'static str,
    text: &'static str,
    /// What installs the package into the folder that follows.
    install: &'static [&'static str],
    /// The folder that is there once it is installed.
    installed: &'static str,
}

pub(crate) const SCRIPTS: [Script; 2] = [
    Script {
        name: "bittorrent-dht",
        program: "node",
        file: "npm.mjs",
        text: include_str!("npm.mjs"),
        install: &[
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "bittorrent-dht@11.0.12",
            "--prefix",
        ],
        installed: "node_modules/bittorrent-dht",
    },
    Script {
        name: "libtorrent",
        program: "python3",
        file: "libtorrent.py",
        text: include_str!("libtorrent.py"),
        install: &["python3", "-m", "pip", "install", "--quiet", "libtorrent==2.1.1", "--target"],
        installed: "libtorrent",
    },
];

impl Script {
    /// Its folder.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let program = std::env::current_exe()?;
        Ok(program.parent().ok_or("a program without a folder")?.join("bench-dht").join(self.name))
    }

    /// Installs what it needs; an error says what is missing. This is the only step that uses the network.
    pub(crate) fn install(&self) -> Result {
        let folder = self.folder()?;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(self.file), self.text)?;
        if folder.join(self.installed).exists() {
            return Ok(());
        }
        let [program, args @ ..] = self.install else { return Err("no installer".into()) };
        let done = Command::new(program).args(args).arg(&folder).stdout(Stdio::null()).status();
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}`: {status}", self.install.join(" ")).into()),
            Err(error) => Err(format!("{program}: {error}").into()),
        }
    }
}
