//! `show`: what a torrent says, with everything that is odd about it. Nothing is sent.

use crate::advice::{advice, cannot_write};
use crate::args::Show;
use crate::exit::{Exit, complain};
use crate::human::Sheet;
use crate::input::{Input, Subject};
use crate::json;
use crate::text::Page;
use client::Config;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

/// How long a file may take to be read: a pipe may have no writer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows each torrent; `worst` is the worst exit code before.
pub(crate) async fn show_all(inputs: Vec<Input>, args: &Show, mut worst: Exit) -> Exit {
    let several = inputs.len() > 1;
    let config = Config { deadline: PATIENCE, show_secrets: args.telling.show_secrets, ..Config::default() };
    for (n, input) in inputs.iter().enumerate() {
        let subject = match input.read(&config).await {
            Ok(subject) => subject,
            Err(error) => {
                complain(&format!("{}: {}", input.shown(), advice(&error)));
                worst = worst.max(Exit::LocalError);
                continue;
            }
        };
        match write(&subject, args, several && n > 0) {
            Ok(()) => {}
            // Nobody reads any more.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return worst,
            Err(error) => {
                complain(&cannot_write(&error));
                return worst.max(Exit::LocalError);
            }
        }
    }
    worst
}

fn write(subject: &Subject, args: &Show, apart: bool) -> io::Result<()> {
    let secrets = args.telling.show_secrets;
    if args.json {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", json::torrent(subject, args.files, secrets)?)?;
        return stdout.flush();
    }
    let sheet = Sheet { files: args.files, show_secrets: secrets }.of(subject, Page::of_stdout());
    let mut stdout = anstream::stdout().lock();
    write!(stdout, "{}{sheet}", if apart { "\n" } else { "" })?;
    stdout.flush()
}
