//! Runs one program and measures it, in a process of its own: the kernel counts the memory of the parent at the start into a
//! program's peak, so the parent has to be small; and the usage of all its children is then that of this one.

use crate::{Result, system};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::time::{TimeVal, TimeValLike};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The argument with which this program starts itself as this parent.
pub(crate) const TASK: &str = "measured";

/// A program to run and measure.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) cpu: usize,
    /// Limit of descriptors, soft and hard; unchanged if `None`.
    pub(crate) descriptors: Option<u64>,
    /// Whether each line of its output is prefixed with the seconds since the start.
    pub(crate) stamped: bool,
    /// The file for its stdout.
    pub(crate) output: PathBuf,
}

/// The usage of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From before its start to its end, in seconds.
    pub(crate) wall: f64,
    /// User and system time, in seconds.
    pub(crate) cpu: f64,
    /// The system time of it.
    pub(crate) kernel: f64,
    /// Peak memory, in KiB.
    pub(crate) peak: f64,
}

impl Job {
    /// Runs the program in a process of [`run`].
    pub(crate) fn run(&self) -> Result<Usage> {
        let output = Command::new(std::env::current_exe()?)
            .args([TASK, &self.cpu.to_string(), &self.descriptors.unwrap_or(0).to_string()])
            .arg(if self.stamped { "stamped" } else { "plain" })
            .args([&self.output, &self.program])
            .args(&self.args)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let line = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = line.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
        match numbers[..] {
            [wall, cpu, kernel, peak] if output.status.success() => Ok(Usage { wall, cpu, kernel, peak }),
            _ => Err(format!("failed: {} {}", self.program.display(), self.args.join(" ")).into()),
        }
    }
}

/// The inside of [`Job::run`].
pub(crate) fn run(args: &[&str]) -> Result {
    let [cpu, descriptors, stamped, output, executable, ref args @ ..] = *args else {
        return Err("wrong arguments".into());
    };
    let descriptors = descriptors.parse()?;
    if descriptors > 0 {
        setrlimit(Resource::RLIMIT_NOFILE, descriptors, descriptors)?;
    }
    let stamped = stamped == "stamped";
    let stdout = if stamped { Stdio::piped() } else { File::create(output)?.into() };
    let begun = Instant::now();
    let mut command = Command::new(executable);
    // No bench contacts the well-known nodes of the DHT.
    command.env("BT_HANDSHAKE_DHT_BOOTSTRAP", "").args(args).stdin(Stdio::null()).stdout(stdout);
    let mut child = spawn(command, cpu.parse()?)?;
    if stamped {
        stamp(&mut child, Path::new(output), begun)?;
    }
    let status = child.wait()?;
    let wall = begun.elapsed().as_secs_f64();
    // The command exits with 1 if no peer shook hands; whether that is right is judged by its reports.
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(format!("{executable}: {status}").into());
    }
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let kernel = seconds(used.system_time());
    println!("{wall} {} {kernel} {}", seconds(used.user_time()) + kernel, used.max_rss());
    Ok(())
}

/// A child inherits the processor of the thread that starts it; the thread that reads its lines may use another.
fn spawn(mut command: Command, cpu: usize) -> Result<Child> {
    let spawned = std::thread::spawn(move || {
        system::pin(cpu).map_err(|error| std::io::Error::other(error.to_string()))?;
        command.spawn()
    });
    Ok(spawned.join().map_err(|_| "the starting thread panicked")??)
}

fn stamp(child: &mut Child, output: &Path, begun: Instant) -> Result {
    let mut output = BufWriter::new(File::create(output)?);
    for line in BufReader::new(child.stdout.take().ok_or("no stdout")?).lines() {
        let line = line?;
        writeln!(output, "{} {line}", begun.elapsed().as_secs_f64())?;
    }
    output.flush()?;
    Ok(())
}

/// A time of the kernel in seconds.
pub(crate) fn seconds(time: TimeVal) -> f64 {
    time.num_microseconds() as f64 / 1e6
}
