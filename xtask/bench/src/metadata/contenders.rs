//! The sides: processes that are told a link, and programs that are started with one.

use crate::package::{self, Package};
use crate::side::Side;
use crate::{Result, library, namespace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a side may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const OURS: [&str; 2] = [library::NAME, "command"];

const PACKAGES: [Package; 3] =
    [package::libtorrent(("metadata.py", include_str!("libtorrent.py"))), package::demagnetize(), package::rqbit()];

pub(crate) enum Contender {
    Told(Side),
    Started(Program),
}

/// A program that ends when it has the metadata.
pub(crate) struct Program {
    name: &'static str,
    path: PathBuf,
}

/// Installs what is to be had, before the namespace is entered; what is missing is said and left out.
pub(crate) fn install() -> Vec<&'static Package> {
    let has = |package: &&Package| {
        let installed = package.install();
        installed.inspect_err(|error| println!("{} is left out: {error}", package.name)).is_ok()
    };
    PACKAGES.iter().filter(has).collect()
}

/// Starts all sides; `command` is the path of ours, and of the others the installed ones.
pub(crate) fn start(command: &str, packages: &[&Package]) -> Result<Vec<Contender>> {
    let mut all = vec![Contender::Told(Side::of_this_program(library::NAME)?)];
    all.push(Contender::Started(Program { name: OURS[1], path: command.into() }));
    for package in packages {
        all.push(match package.script {
            Some(_) => Contender::Told(Side::script(package)?),
            None => Contender::Started(Program { name: package.name, path: package.folder()?.join(package.program) }),
        });
    }
    if Command::new("aria2c").arg("--version").stdout(Stdio::null()).status().is_ok() && !packages.is_empty() {
        all.push(Contender::Started(Program { name: "aria2", path: "aria2c".into() }));
    }
    Ok(all)
}

impl Contender {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Told(side) => side.name,
            Self::Started(program) => program.name,
        }
    }

    /// The seconds until it has this metadata, infinite if it gets none; `folder` is empty and may be used.
    pub(crate) fn fetch(&mut self, link: &str, info: &[u8], folder: &Path) -> Result<f64> {
        let begun = Instant::now();
        let end = match self {
            Self::Told(side) => {
                side.begin(&link)?;
                side.line(PATIENCE).filter(|(line, _)| line == "done").map(|(_, at)| at)
            }
            Self::Started(program) => program.run(link, info, folder)?,
        };
        Ok(end.map_or(f64::INFINITY, |end| (end - begun).as_secs_f64()))
    }
}

impl Program {
    fn run(&self, link: &str, info: &[u8], folder: &Path) -> Result<Option<Instant>> {
        namespace::check()?;
        let (file, config) = (folder.join("it.torrent"), folder.join("config"));
        let mut command = Command::new(&self.path);
        command.current_dir(folder).env("HOME", folder).env("BT_HANDSHAKE_DHT_BOOTSTRAP", "");
        match self.name {
            "aria2" => command
                .args(["--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"])
                .args(["--enable-peer-exchange=false", "--bt-metadata-only=true", "--bt-save-metadata=true"])
                .args(["--quiet", "--follow-torrent=false"]),
            "demagnetize" => {
                fs::write(&config, "[general]\nencrypt = \"never\"\n")?;
                command.arg("--config").arg(&config).args(["--log-level", "ERROR", "get", "--outfile"]).arg(&file)
            }
            "rqbit" => command
                .args(["--disable-dht", "--disable-lsd", "--disable-tcp-listen", "--disable-upnp-port-forward"])
                .args(["-v", "error", "download", "--list", "--disable-http-api", "-o"])
                .arg(folder),
            _ => command.args(["metadata", "--sources=-dht,-pex", "-o"]).arg(&file),
        };
        let mut child = command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let id = child.id();
        let (to, ended) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let status = child.wait();
            let _ = to.send(Instant::now());
            status
        });
        let Ok(end) = ended.recv_timeout(PATIENCE) else {
            Command::new("kill").args(["-KILL", &id.to_string()]).status()?;
            let _ = waiting.join();
            return Ok(None);
        };
        let is_done = waiting.join().map_err(|_| "the waiting thread panicked")??.success();
        // rqbit only lists the files.
        Ok((is_done && (self.name == "rqbit" || written(folder, info)?)).then_some(end))
    }
}

/// Whether a torrent in this folder has this info dictionary.
fn written(folder: &Path, info: &[u8]) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "torrent")
            && fs::read(&path)?.windows(info.len()).any(|bytes| bytes == info)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
