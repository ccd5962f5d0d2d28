//! Packages of npm, PyPI and crates.io, by name and version, in a folder beside the built program.

use crate::Result;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A package that a side needs.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// What runs the script, or the package's own program in its folder.
    pub(crate) program: &'static str,
    /// The script of the side, its name and its text, if the package is a library.
    pub(crate) script: Option<(&'static str, &'static str)>,
    /// What installs the package into the folder that follows.
    pub(crate) install: &'static [&'static str],
    /// The file or folder that is there once it is installed.
    pub(crate) installed: &'static str,
}

/// libtorrent's Python binding, with this script.
pub(crate) const fn libtorrent(script: (&'static str, &'static str)) -> Package {
    Package {
        name: "libtorrent",
        program: "python3",
        script: Some(script),
        install: &["python3", "-m", "pip", "install", "--quiet", "libtorrent==2.1.1", "--target"],
        installed: "libtorrent",
    }
}

/// The reader of metadata.
pub(crate) const fn demagnetize() -> Package {
    Package {
        name: "demagnetize",
        program: "bin/demagnetize",
        script: None,
        install: &["cargo", "install", "--quiet", "--locked", "demagnetize@0.7.1", "--root"],
        installed: "bin/demagnetize",
    }
}

/// The client rqbit.
pub(crate) const fn rqbit() -> Package {
    Package {
        name: "rqbit",
        program: "bin/rqbit",
        script: None,
        install: &[
            "cargo",
            "install",
            "--quiet",
            "--locked",
            "--no-default-features",
            "--features",
            "rust-tls",
            "rqbit@9.1.0",
            "--root",
        ],
        installed: "bin/rqbit",
    }
}

impl Package {
    /// Its folder.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let program = std::env::current_exe()?;
        Ok(program.parent().ok_or("a program without a folder")?.join("bench-packages").join(self.name))
    }

    /// Installs what it needs; an error says what is missing. This is the only step that uses the network.
    pub(crate) fn install(&self) -> Result {
        let folder = self.folder()?;
        fs::create_dir_all(&folder)?;
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
