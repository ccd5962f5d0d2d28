//! A shell in a window of the terminal: what is typed, what comes, and what is on the screen at the end.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use xtask::shell::{self, Result};

use super::Place;
use super::screen::Screen;

/// How long a text may take to appear: what ends a test that is broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Rows enough for a whole report.
const ROWS: &str = "200";

/// What the shell says before each command: how the programs of the last one ended.
const PROMPT: &str = "exit ${PIPESTATUS[*]} $ ";
const PROMPT_ENDS: &str = " $ ";

/// Variables and their values.
pub(super) type Environment<'e> = &'e [(&'e str, &'e str)];

/// A window with a shell in it. It goes with the server.
pub(super) struct Window<'p> {
    place: &'p Place,
    /// The session, which is its only window's name too.
    name: String,
    bytes: Arc<Bytes>,
    /// How many bytes had come when the last command was typed.
    typed: usize,
}

/// What a command was, when the shell has its prompt again.
pub(super) struct Ended {
    /// The exit codes of its programs, one for each of the pipeline.
    pub(super) codes: String,
    /// Every byte that came to the terminal since it was typed.
    pub(super) bytes: String,
    pub(super) screen: Screen,
}

impl<'p> Window<'p> {
    /// Opens a window of so many columns, the shell's environment being this and no more.
    pub(super) fn open(place: &'p Place, columns: usize, environment: Environment<'_>) -> Result<Self> {
        let name = place.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let pipe = place.folder.join("screen");
        make_pipe(&pipe)?;
        let path = std::env::var("PATH").unwrap_or_default();
        let (path, prompt) = (format!("PATH={}:{path}", place.programs.display()), format!("PS1={PROMPT}"));
        let environment: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (columns, folder) = (columns.to_string(), place.folder.display().to_string());
        let copy = format!("cat >'{}'", pipe.display());
        let mut words = vec!["new-session", "-d", "-s", &name, "-x", &columns, "-y", ROWS, "-c", &folder];
        words.extend(["env", "-i", &path, &prompt, "TERM=screen", "LC_ALL=C.UTF-8"]);
        words.extend(environment.iter().map(String::as_str));
        // It edits no lines: the terminal alone echoes what is typed.
        words.extend(["bash", "--noediting", "--norc", "--noprofile", "-i"]);
        // In the same breath, so that nothing is missed.
        words.extend([";", "pipe-pane", "-t", &name, &copy]);
        let bytes = Bytes::read(pipe);
        place.server.ask(&words)?;
        let window = Self { place, name, bytes, typed: 0 };
        window.wait("a prompt", |text| text.ends_with(PROMPT_ENDS))?;
        Ok(window)
    }

    /// Types a command.
    pub(super) fn type_line(&mut self, line: &str) -> Result {
        self.typed = self.bytes.count();
        self.place.server.ask(&["send-keys", "-t", &self.name, "-l", line])?;
        self.press("Enter")
    }

    /// Presses a key, as tmux calls it.
    pub(super) fn press(&self, key: &str) -> Result {
        self.place.server.ask(&["send-keys", "-t", &self.name, key]).map(drop)
    }

    /// Makes it so many columns wide.
    pub(super) fn resize(&self, columns: usize) -> Result {
        self.place.server.ask(&["resize-window", "-t", &self.name, "-x", &columns.to_string()]).map(drop)
    }

    /// Waits until what has come since the command was typed satisfies the predicate.
    pub(super) fn wait(&self, what: &str, wanted: impl FnMut(&str) -> bool) -> Result {
        self.wait_from(self.typed, what, wanted)
    }

    /// How much has come so far, to wait for what comes later.
    pub(super) fn so_far(&self) -> usize {
        self.bytes.count()
    }

    /// Waits until what has come after so many bytes satisfies the predicate.
    pub(super) fn wait_from(&self, begin: usize, what: &str, wanted: impl FnMut(&str) -> bool) -> Result {
        if self.bytes.wait(begin, wanted) {
            return Ok(());
        }
        let screen = self.screen().map_or_else(|error| error, |screen| screen.shown());
        Err(format!("{what} has not appeared within {} s on\n{screen}", PATIENCE.as_secs()))
    }

    /// Runs a command to its end.
    pub(super) fn run(&mut self, line: &str) -> Result<Ended> {
        self.type_line(line)?;
        self.end()
    }

    /// Waits for the end of the command, and checks what is the same of all: the prompt has a line of its own, nothing of
    /// the progress is left, and the terminal is as it was.
    pub(super) fn end(&self) -> Result<Ended> {
        self.wait("the end", |text| text.contains("exit ") && text.ends_with(PROMPT_ENDS))?;
        let bytes = self.bytes.since(self.typed);
        let codes = bytes.rsplit("exit ").next().unwrap_or_default().trim_end_matches(PROMPT_ENDS).to_owned();
        let screen = self.screen()?;
        let fault = screen.fault(&format!("exit {codes}{PROMPT_ENDS}"));
        let ended = Ended { codes, bytes, screen };
        match fault {
            Some(fault) => Err(ended.fault(&fault)),
            None => Ok(ended),
        }
    }

    fn screen(&self) -> Result<Screen> {
        let capture = |more: &[&str]| {
            let words = ["capture-pane", "-p", "-S", "-", "-t", &self.name];
            self.place.server.ask(&[&words, more].concat())
        };
        let state = "#{cursor_x} #{alternate_on} #{wrap_flag} #{pane_title}";
        let state = self.place.server.ask(&["display-message", "-p", "-t", &self.name, state])?;
        Ok(Screen::new(&capture(&[])?, &capture(&["-J"])?, &capture(&["-e"])?, &state))
    }
}

impl Ended {
    /// A fault with the screen that shows it.
    pub(super) fn fault(&self, what: &str) -> String {
        format!("{what}\n{}", self.screen.shown())
    }

    /// Checks the exit codes.
    pub(super) fn with_codes(self, codes: &str) -> Result<Self> {
        if self.codes == codes {
            Ok(self)
        } else {
            Err(self.fault(&format!("it ended with {} instead of {codes}", self.codes)))
        }
    }

    /// Fails with the screen, unless this holds.
    pub(super) fn must(&self, holds: bool, what: &str) -> Result {
        if holds { Ok(()) } else { Err(self.fault(what)) }
    }

    /// Whether a colour or another style was set.
    pub(super) fn is_styled(&self) -> bool {
        self.bytes.split("\u{1b}[").skip(1).any(|rest| {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            after.starts_with('m')
        })
    }
}

/// Makes a pipe with a name.
pub(super) fn make_pipe(path: &std::path::Path) -> Result {
    shell::run_quiet(Command::new("mkfifo").arg(path)).map(drop)
}

/// What has come to the terminal so far.
#[derive(Default)]
struct Bytes {
    so_far: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Bytes {
    /// Reads from this pipe, on a thread of its own that ends with the writer.
    fn read(pipe: PathBuf) -> Arc<Self> {
        let bytes = Arc::new(Self::default());
        let to = Arc::clone(&bytes);
        thread::spawn(move || {
            let Ok(mut pipe) = File::open(pipe) else { return };
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                let mut so_far = to.so_far.lock().unwrap_or_else(PoisonError::into_inner);
                so_far.extend(piece.iter().take(length));
                to.more.notify_all();
            }
        });
        bytes
    }

    fn count(&self) -> usize {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What has come after so many bytes.
    fn since(&self, begin: usize) -> String {
        let so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(so_far.get(begin..).unwrap_or_default()).into_owned()
    }

    /// Waits until what has come after so many bytes satisfies the predicate; `false` if it does not in time.
    fn wait(&self, begin: usize, mut wanted: impl FnMut(&str) -> bool) -> bool {
        let so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let lacks = |so_far: &mut Vec<u8>| !wanted(&String::from_utf8_lossy(so_far.get(begin..).unwrap_or_default()));
        let waited = self.more.wait_timeout_while(so_far, PATIENCE, lacks);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
