//! `show`: what a torrent says, with everything that is odd about it. Nothing is sent.

use crate::advice::{advice, cannot_write};
use crate::args::Show;
use crate::exit::{Exit, complain};
use crate::human::Sheet;
use crate::input::{Input, Subject};
use crate::json;
use crate::text::Page;
use client::Config;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::time::Duration;

/// How long a file may take to be read: a pipe may have no writer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows each torrent; `worst` is the worst exit code before.
pub(crate) async fn show_all(inputs: Vec<Input>, args: &Show, mut worst: Exit) -> Exit {
    let several = inputs.len() > 1;
    let config = Config { deadline: PATIENCE, show_secrets: args.telling.show_secrets, ..Config::default() };
    for (n, input) in inputs.iter().enumerate() {
        let subject = match input.read_whole(&config).await {
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
        let mut stdout = BufWriter::new(io::stdout().lock());
        json::torrent(subject, args.files, secrets, &mut stdout)?;
        return stdout.flush();
    }
    let mut stdout = BufWriter::new(anstream::stdout().lock());
    write!(stdout, "{}", if apart { "\n" } else { "" })?;
    Sheet { files: args.files, show_secrets: secrets }.write(subject, Page::of_stdout(), &mut stdout)?;
    stdout.flush()
}
