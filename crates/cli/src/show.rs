//! `show`: what a torrent says, with everything that is odd about it. Nothing is sent.

use crate::advice::{advice, cannot_write};
use crate::args::Show;
use crate::exit::{Exit, eprint_error};
use crate::human::torrent_sheet::TorrentSheet;
use crate::input::Input;
use crate::json;
use crate::origin::Origin;
use crate::text::Page;
use client::Config;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::time::Duration;

/// How long a file may take to be read: a pipe may have no writer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows each torrent; `worst` is the worst exit code before.
pub(crate) async fn show_all(origins: Vec<Origin>, args: &Show, mut worst: Exit) -> Exit {
    let several = origins.len() > 1;
    let config = Config::default().with_deadline(PATIENCE).with_show_secrets(args.output_args.show_secrets);
    for (n, origin) in origins.iter().enumerate() {
        let input = match origin.read_whole(&config).await {
            Ok(input) => input,
            Err(error) => {
                eprint_error(&format!("{}: {}", origin.shown(), advice(&error)));
                worst = worst.max(Exit::LocalError);
                continue;
            }
        };
        match write(&input, args, (several, n > 0)) {
            Ok(()) => {}
            // stdout is closed.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return worst,
            Err(error) => {
                eprint_error(&cannot_write(&error));
                return worst.max(Exit::LocalError);
            }
        }
    }
    worst
}

fn write(input: &Input, args: &Show, (several, apart): (bool, bool)) -> io::Result<()> {
    let secrets = args.output_args.show_secrets;
    if args.json {
        let mut stdout = BufWriter::new(io::stdout().lock());
        json::torrent(input, args.files, secrets, &mut stdout)?;
        return stdout.flush();
    }
    let mut stdout = BufWriter::new(anstream::stdout().lock());
    write!(stdout, "{}", if several && apart { "\n" } else { "" })?;
    TorrentSheet { files: args.files, show_secrets: secrets, several }.write(input, Page::of_stdout(), &mut stdout)?;
    stdout.flush()
}
