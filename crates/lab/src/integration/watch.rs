//! A run of the binary, watched from outside: how long it takes, how much memory it has at most, and which addresses it dials, as
//! the kernel's tracing tells where that is asked for. Nothing the binary says of itself is used here.
//!
//! A bound of time is one of the binary's own time: what it ran, slept and waited for. A machine with other work to do, and the
//! tracing, make it later, and that is taken off as the kernel counts it.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xtask::shell::{self, Result};

use super::process;

/// How often the run is looked at. Memory that is let go in between is not: the kernel keeps the peak.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// How long the tracing may take to write its last line.
const TRACE_WITHIN: Duration = Duration::from_secs(30);

/// The most that is read of either stream: more than the longest report.
const STREAM_LIMIT: u64 = 256 << 20;

/// What a run must not exceed; it is killed when it does.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Of the run, without what other processes and the tracing took of it.
    pub(super) time: Duration,
    /// Of resident memory at its peak.
    pub(super) kibibytes: u64,
}

/// What is to be run.
pub(super) struct Run {
    pub(super) command: Command,
    /// Programs that run it, such as `prlimit`, with their arguments.
    pub(super) prefix: Vec<OsString>,
    pub(super) stdin: Option<PathBuf>,
    pub(super) stdout: Stdout,
    /// Where the tracing goes; without it no dials are known, and nothing slows the run.
    pub(super) trace: Option<PathBuf>,
    pub(super) bounds: Bounds,
}

/// Where its stdout goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdout {
    /// To us, who read all of it.
    Read,
    /// To a reader that has gone.
    Closed,
    /// To a device that is full.
    Full,
}

/// What was seen.
pub(super) struct Seen {
    pub(super) status: ExitStatus,
    pub(super) said: String,
    pub(super) complaint: String,
    pub(super) took: Duration,
    pub(super) ended: Instant,
    /// Of resident memory at its peak.
    pub(super) kibibytes: u64,
    /// What it exceeded, if it had to be killed.
    pub(super) exceeded: Option<String>,
    /// Where every connection went that it began, and every datagram but those of uTP, in this order.
    pub(super) dials: Vec<SocketAddr>,
    /// Where every packet of uTP went, and whether it was a SYN.
    pub(super) utp: Vec<(SocketAddr, bool)>,
}

impl Run {
    /// Runs it to its end. `meanwhile` is called with its process id, on a thread of its own.
    pub(super) fn run(self, meanwhile: impl FnOnce(u32) -> Result + Send) -> Result<Seen> {
        let shown = shell::shown(&self.command);
        let failed = |error: std::io::Error| format!("cannot watch `{shown}`: {error}");
        let begin = Instant::now();
        let mut child = self.traced()?.spawn().map_err(failed)?;
        let stdout = child.stdout.take().filter(|_| self.stdout == Stdout::Read);
        let stderr = child.stderr.take();
        let id = child.id();
        let program = fs::canonicalize(self.command.get_program()).map_err(failed)?;
        let (told, looked, said, complaint) = thread::scope(|scope| {
            let told = scope.spawn(move || meanwhile(id));
            let said = scope.spawn(|| stdout.map(read_all));
            let complaint = scope.spawn(|| stderr.map(read_all));
            let looked = look(&mut child, &program, begin, self.bounds);
            let text =
                |thread: thread::ScopedJoinHandle<'_, Option<String>>| thread.join().ok().flatten().unwrap_or_default();
            (told.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())), looked, text(said), text(complaint))
        });
        let Looked { status, took, kibibytes, exceeded } = looked.map_err(failed)?;
        told.map_err(|reason| format!("{reason}\n`{shown}` said:\n{said}\n{complaint}"))?;
        // The tracing ends without a word when what it follows is killed.
        let trace =
            self.trace.as_deref().filter(|_| exceeded.is_none()).map(|file| whole_trace(file, id)).transpose()?;
        let (dials, utp) = dials(&trace.unwrap_or_default());
        Ok(Seen { status, said, complaint, took, ended: begin + took, kibibytes, exceeded, dials, utp })
    }

    /// The command, under tracing that does not get between if asked for: process id, signals and exit code are the binary's own.
    fn traced(&self) -> Result<Command> {
        let mut words = self.prefix.clone();
        if let Some(trace) = &self.trace {
            let traced = ["strace", "-D", "-f", "-q", "-s", "1", "-x", "--seccomp-bpf", "-e", "signal=none"];
            let calls = ["-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"];
            let before = traced.into_iter().chain(calls).map(OsString::from);
            words.splice(..0, before.chain([trace.into(), "--".into()]));
        }
        words.extend([self.command.get_program()].into_iter().chain(self.command.get_args()).map(OsString::from));
        let mut traced = Command::new(words.first().ok_or("no command")?);
        traced.args(words.get(1..).unwrap_or_default());
        for (key, value) in self.command.get_envs() {
            value.map(|value| traced.env(key, value));
        }
        let open = |path: &Path, write: bool| {
            let file = fs::OpenOptions::new().read(!write).write(write).open(path);
            file.map(Stdio::from).map_err(|error| format!("{}: {error}", path.display()))
        };
        traced.stdin(self.stdin.as_deref().map_or_else(|| Ok(Stdio::null()), |path| open(path, false))?);
        traced.stdout(match self.stdout {
            Stdout::Read | Stdout::Closed => Stdio::piped(),
            Stdout::Full => open(Path::new("/dev/full"), true)?,
        });
        traced.stderr(Stdio::piped());
        Ok(traced)
    }
}

/// What looking at the process gave.
struct Looked {
    status: ExitStatus,
    took: Duration,
    kibibytes: u64,
    exceeded: Option<String>,
}

/// Looks at the process until it ends, and ends it when it exceeds a bound.
fn look(child: &mut Child, program: &Path, begin: Instant, bounds: Bounds) -> std::io::Result<Looked> {
    let (mut kibibytes, mut exceeded) = (0, None);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Looked { status, took: begin.elapsed(), kibibytes, exceeded });
        }
        // Before it has become the binary it is one of us, and has all our memory.
        if fs::read_link(format!("/proc/{}/exe", child.id())).is_ok_and(|exe| exe == program) {
            kibibytes = peak(child.id()).unwrap_or(0).max(kibibytes);
        }
        let took = begin.elapsed();
        if exceeded.is_none() && fault(took, kibibytes, bounds).is_some() {
            exceeded = fault(took.saturating_sub(delay(child.id())), kibibytes, bounds);
            if exceeded.is_some() {
                child.kill()?;
            }
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

fn fault(took: Duration, kibibytes: u64, bounds: Bounds) -> Option<String> {
    if took > bounds.time {
        return Some(format!("it takes longer than {:?}", bounds.time));
    }
    (kibibytes > bounds.kibibytes).then(|| format!("it takes more than {} MiB", bounds.kibibytes / 1024))
}

/// What the pages of the program itself and its libraries count for, in KiB, whatever there is of them: they grow with the program, and
/// the system may drop them. It is what a debug build had when the bounds were set.
const PROGRAM: u64 = 15 * 1024;

/// The most memory that the process had so far, in KiB.
fn peak(id: u32) -> Option<u64> {
    Some(status(id, "VmHWM:")?.saturating_sub(status(id, "RssFile:")?) + PROGRAM)
}

/// For how long the process could not go on although it had something to do: its main thread waited for a processor, or for the
/// tracing, which stops it at each call that is traced (`schedstat` has the time on a processor, and the time spent waiting for
/// one, in nanoseconds; the kernel's `scheduler/sched-stats.rst`). Nothing on a kernel that does not count it.
fn delay(id: u32) -> Duration {
    let times = |id: u64| -> Option<(u64, u64)> {
        let times = fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?;
        let mut times = times.split_whitespace().map(str::parse);
        Some((times.next()?.ok()?, times.next()?.ok()?))
    };
    let waited = times(id.into()).map_or(0, |(_, waited)| waited);
    let traced = status(id, "TracerPid:").filter(|tracer| *tracer != 0).and_then(times);
    Duration::from_nanos(waited + traced.map_or(0, |(ran, waited)| ran + waited))
}

/// A number that the kernel tells of the process.
fn status(id: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn read_all(stream: impl Read) -> String {
    let mut bytes = Vec::new();
    // What came before an error is all that there is.
    let _ = stream.take(STREAM_LIMIT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The trace, once the process's end is in it: the tracing ends a little later.
fn whole_trace(file: &Path, id: u32) -> Result<String> {
    let id = id.to_string();
    process::poll(Instant::now() + TRACE_WITHIN, || {
        let trace = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let trace = String::from_utf8_lossy(&trace).into_owned();
        Ok(if trace.lines().any(|line| is_end_of(&id, line)) {
            Ok(trace)
        } else {
            Err(format!("{} has no end", file.display()))
        })
    })
}

/// Whether it is a line such as `42    +++ exited with 0 +++`.
fn is_end_of(id: &str, line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some(id) && words.next() == Some("+++")
}

/// The addresses that the process dialled, and those that it sent packets of uTP (BEP 29) to, which have first bytes of their own;
/// and which of those were SYNs.
fn dials(trace: &str) -> (Vec<SocketAddr>, Vec<(SocketAddr, bool)>) {
    let (mut dials, mut utp) = (Vec::new(), Vec::new());
    for line in trace.lines() {
        let datagram = line.contains(" sendto(").then(|| between(line, "\"", "\"")).flatten();
        match datagram {
            Some(first @ ("A" | "\\x01" | "\\x11" | "!" | "1")) => utp.extend(dial(line).map(|to| (to, first == "A"))),
            _ => dials.extend(dial(line)),
        }
    }
    (dials, utp)
}

/// The address in a line such as `42 connect(9, {sa_family=AF_INET, sin_port=htons(80),
/// sin_addr=inet_addr("127.0.0.1")}, 16) = 0`.
fn dial(line: &str) -> Option<SocketAddr> {
    let port = between(line, "_port=htons(", ")")?.parse().ok()?;
    let ip = between(line, "inet_addr(\"", "\"").or_else(|| between(line, "inet_pton(AF_INET6, \"", "\""))?;
    let ip: IpAddr = ip.parse().ok()?;
    // Looking up a name, the library asks the kernel for routes by connecting to port 0, and sends nothing.
    (port != 0).then_some(SocketAddr::new(ip, port))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(wanted, _)| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dials_are_read_from_a_trace() {
        let trace = concat!(
            "42 connect(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = -1 ENOENT\n",
            "43 connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 \
             EINPROGRESS (Operation now in progress)\n",
            "42 sendto(7, \"\"..., 16, 0, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), \
             inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>\n",
            "42 connect(9, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
            "42 sendto(10, \"\"..., 68, MSG_NOSIGNAL, NULL, 0) = 68\n",
            "42 sendto(8, \"A\"..., 20, 0, {sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr(\"127.0.0.2\")}, 16) = 20\n",
            "42 sendto(8, \"\\x01\"..., 88, 0, {sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr(\"127.0.0.2\")}, 16) = 88\n",
            "42 sendto(8, \"1\"..., 20, 0, {sa_family=AF_INET, sin_port=htons(7), sin_addr=inet_addr(\"127.0.0.2\")}, 16) = 20\n",
            "42 +++ exited with 0 +++\n",
        );
        let (dialled, utp) = dials(trace);
        assert_eq!(dialled.iter().map(ToString::to_string).collect::<Vec<_>>(), ["127.0.0.1:80", "[::1]:9"]);
        let to = SocketAddr::from(([127, 0, 0, 2], 7));
        assert_eq!(utp, [(to, true), (to, false), (to, false)]);
    }

    #[test]
    fn the_end_of_a_process_is_known_from_another_s() {
        assert!(is_end_of("42", "42    +++ killed by SIGKILL +++"));
        assert!(!is_end_of("42", "4242  +++ exited with 0 +++") && !is_end_of("42", "42    connect(3, +++"));
    }

    #[test]
    fn a_bound_is_exceeded_above_it_only() {
        let bounds = Bounds { time: Duration::from_secs(2), kibibytes: 2048 };
        assert_eq!(fault(Duration::from_secs(2), 2048, bounds), None);
        assert!(fault(Duration::from_millis(2001), 0, bounds).unwrap().contains("2s"));
        assert!(fault(Duration::ZERO, 2049, bounds).unwrap().contains("2 MiB"));
    }

    #[test]
    fn waiting_for_a_processor_is_delay_and_sleeping_is_not() {
        // It ends by itself, should this fail.
        let counting = "i=0; while [ $i -lt 50000000 ]; do i=$((i + 1)); done";
        let processors = thread::available_parallelism().unwrap().get();
        let start = |_| Command::new("sh").args(["-c", counting]).spawn().unwrap();
        let mut all: Vec<_> = (0..=processors).map(start).collect();
        all.push(Command::new("sleep").arg("60").spawn().unwrap());
        let waited = process::poll(Instant::now() + TRACE_WITHIN, || {
            let delays: Vec<_> = all.iter().map(|one| delay(one.id())).collect();
            let (asleep, busy) = delays.split_last().ok_or("none")?;
            let most = busy.iter().max().copied().unwrap_or_default();
            Ok(if most > Duration::from_millis(100) + 2 * *asleep { Ok(()) } else { Err(format!("{delays:?}")) })
        });
        for one in &mut all {
            one.kill().unwrap();
            one.wait().unwrap();
        }
        waited.unwrap();
    }

    #[test]
    fn our_own_peak_is_known() {
        assert!(peak(std::process::id()).unwrap() > PROGRAM + 100);
    }
}
