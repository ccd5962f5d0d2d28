//! What is compared. Ours prints lines of JSON, and the scripts that drive the others print such lines too: `start`, a `peer` each time
//! that they know more of one, `summary`.

use crate::package::{self, Package};
use crate::programs::{LIBTORRENT, text};
use crate::score::{Run, Seen};
use crate::world::World;
use crate::{Result, router};
use serde::Deserialize;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a contender may take; those that know no end take all of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a script has to end what it started.
const LEAVE: Duration = Duration::from_secs(3);

const SCRIPT: &str = include_str!("contender.py");
pub(crate) const BOUND: &str = "possible";
const RQBIT: Package = package::rqbit();
const DEMAGNETIZE: Package = package::demagnetize();

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Whether it says which peers are seeds.
    pub(crate) says_role: bool,
    launch: Launch,
}

enum Launch {
    /// The command at this path.
    Command(PathBuf),
    /// The script, with the program that it starts.
    Script(String),
    /// Nothing is run.
    Bound,
}

/// A line of JSON: what is read of it.
#[derive(Deserialize)]
struct Line {
    r#type: String,
    address: Option<String>,
    outcome: Option<String>,
    transport: Option<String>,
    encryption: Option<String>,
    role: Option<String>,
}

/// Our command at this path.
pub(crate) fn ours(name: &'static str, path: &str) -> Result<Contender> {
    let path = fs::canonicalize(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(Contender { name, says_role: true, launch: Launch::Command(path) })
}

/// How early a peer can be found at all: after the tracker's answer, as many round trips as its answer takes, and its own delay.
pub(crate) fn bound() -> Contender {
    Contender { name: BOUND, says_role: false, launch: Launch::Bound }
}

/// The others whose names begin so, as far as they can be had; what is missing is said and left out. Before the namespace is entered.
pub(crate) fn others(only: &str) -> Vec<Contender> {
    let installed = |package: &Package| package.install().and_then(|()| text(&package.folder()?.join(package.program)));
    let mut all = Vec::new();
    for name in ["libtorrent", "libtorrent, TCP alone", "aria2", "rqbit", "demagnetize"] {
        if !name.starts_with(only) {
            continue;
        }
        let program = match name {
            "aria2" => Ok("aria2c".to_owned()),
            "rqbit" => installed(&RQBIT),
            "demagnetize" => installed(&DEMAGNETIZE),
            _ => installed(&LIBTORRENT),
        };
        let says_role = !matches!(name, "rqbit" | "demagnetize");
        match program {
            Ok(program) => all.push(Contender { name, says_role, launch: Launch::Script(program) }),
            Err(error) => println!("{name} is left out: {error}"),
        }
    }
    all
}

impl Contender {
    /// Runs it in the world that was made ready for this number.
    pub(crate) fn run(&self, world: &World, number: u16) -> Result<Run> {
        if matches!(self.launch, Launch::Bound) {
            let seen = world.peers.iter().filter_map(Seen::earliest).collect();
            return Ok(Run { seen, end: f64::NAN, sent: 0, late: Duration::ZERO });
        }
        let folder = world.folder.join(format!("contender-{number}"));
        fs::create_dir_all(&folder)?;
        let mut command = self.command(world, number, &folder)?;
        let mut begun = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = lines(&mut child)?;
        let (mut seen, mut end, mut deadline) = (Vec::new(), f64::NAN, begun + PATIENCE);
        while let Ok((line, at)) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
            match line.r#type.as_str() {
                // A server has its start before; ours is measured from the start of its process.
                "start" if matches!(self.launch, Launch::Script(..)) => (begun, deadline) = (at, at + PATIENCE),
                "peer" => seen.extend(line.seen(at - begun)),
                "summary" => end = (at - begun).as_secs_f64(),
                _ => {}
            }
        }
        let (sent, late) = world.router.counted();
        leave(&mut child)?;
        fs::remove_dir_all(&folder)?;
        Ok(Run { seen, end, sent, late })
    }

    fn command(&self, world: &World, number: u16, folder: &Path) -> Result<Command> {
        let (v4, v6) = router::contender(number);
        let mut command = match &self.launch {
            Launch::Command(path) => {
                let mut command = Command::new(path);
                command.arg("--json").arg(&world.torrent).env("BT_HANDSHAKE_DHT_BOOTSTRAP", "");
                command.stderr(Stdio::null());
                command
            }
            Launch::Bound => return Err("nothing is run".into()),
            Launch::Script(program) => {
                let file = folder.join("contender.py");
                fs::write(&file, SCRIPT)?;
                let mut command = Command::new("python3");
                command.arg(file).args([self.name, program, &text(&world.torrent)?, &text(folder)?]);
                command.args([v4.to_string(), v6.to_string()]).env("PYTHONPATH", LIBTORRENT.folder()?);
                command
            }
        };
        command.current_dir(folder).env("HOME", folder);
        Ok(command)
    }
}

impl Line {
    fn seen(self, at: Duration) -> Option<Seen> {
        let Self { outcome, transport, encryption, role, .. } = self;
        Some(Seen { at, address: self.address?.parse().ok()?, outcome: outcome?, transport, encryption, role })
    }
}

/// What a process prints, and when.
fn lines(child: &mut Child) -> Result<Receiver<(String, Instant)>> {
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let (to, lines) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(std::io::Result::ok);
        lines.map(|line| (line, Instant::now())).try_for_each(|line| to.send(line))
    });
    Ok(lines)
}

/// Ends what still runs: a script ends with its stdin, and ends what it started.
fn leave(child: &mut Child) -> Result {
    drop(child.stdin.take());
    let deadline = Instant::now() + LEAVE;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
