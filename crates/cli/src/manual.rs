//! The manual pages, from the arguments themselves, the exit codes and the table of explanations.

use crate::args::{Cli, EXAMPLES};
use crate::explain::paragraphs;
use crate::shown::shown_word;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use client::CodeKind;
use std::io;

/// What `EXIT STATUS` says.
const EXIT_STATUS: &[(&str, &str)] = &[
    (
        "0",
        "at least one peer shook hands, or a web seed has everything that was looked at; with --scrape, and of announce and scrape, at least one tracker answered; of dht, at least one node named a peer, or the one that was pinged answered; of metadata, it came",
    ),
    (
        "1",
        "the run worked, and no peer answered and no web seed has everything; of dht, nodes answered and none named a peer; of metadata, it did not come; or a condition of --fail-under is not met",
    ),
    (
        "2",
        "usage or local error: an unreadable or invalid torrent, a link that turned out private without --allow-private, a source address that is not of this machine, an interface that cannot be used, output that cannot be written",
    ),
    ("3", "no source worked: no tracker, web seed or node of the DHT answered, and no peer was named"),
    ("130", "interrupted, after the partial report"),
];

/// What `SIGNALS` says.
const SIGNALS: &[(&str, &str)] = &[
    (
        "SIGINT, SIGTERM, SIGHUP",
        "report what is known, take the announces back and exit with 130; a second one leaves at once",
    ),
    ("SIGALRM, SIGXCPU, SIGPWR", "the same, and nothing more when that has begun"),
    ("SIGUSR1, SIGQUIT", "print to stderr how far each running torrent has come, and all of several; the run goes on"),
    ("SIGXFSZ", "a file that has become too large is an error of writing: exit code 2, after the goodbyes"),
    ("SIGUSR2, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, real-time signals", "nothing"),
];

/// What `ENVIRONMENT` says.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("NO_COLOR, CLICOLOR_FORCE", "switch colours off, or on where the output is no terminal"),
    ("COLUMNS", "how wide text is wrapped where the output is no terminal; 80 without it"),
    ("LC_ALL, LC_CTYPE, LANG", "marks and bars are ASCII unless the locale is one of UTF-8"),
    ("RUST_LOG", "what is logged to stderr, as in RUST_LOG=client=debug,peer_session=debug"),
    (
        "BT_HANDSHAKE_DHT_BOOTSTRAP",
        "HOST:PORT of each node at which lookups in the DHT start, with blanks between, in place of the well-known ones; set and empty: none",
    ),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "where the system's root certificates are, for HTTPS trackers and web seeds"),
];

/// The page of the whole, or of one command; the error is one line.
pub(crate) fn page(name: Option<&str>) -> Result<Vec<u8>, String> {
    let mut whole = unhidden(Cli::command());
    whole.build();
    let (command, is_whole) = match name {
        None => (whole, true),
        Some(name) => match whole.find_subcommand(name) {
            Some(command) => (unhidden(command.clone()), false),
            None => {
                let name = shown_word(name.as_ref());
                return Err(format!("see --help for the commands: none is called {name}"));
            }
        },
    };
    render(command, is_whole).map_err(|error| format!("no manual page: {error}"))
}

/// What the short help leaves out belongs into a manual; examples and exit codes have sections of their own.
fn unhidden(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_short_help(false)).before_long_help("").after_long_help("").after_help("")
}

fn render(command: Command, is_whole: bool) -> io::Result<Vec<u8>> {
    let has_commands = command.has_subcommands();
    let title = command.get_display_name().unwrap_or("bt-handshake").to_owned();
    let man = Man::new(command).title(title);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    if is_whole {
        let mut roff = Roff::new();
        examples(&mut roff);
        section(&mut roff, "EXIT STATUS", EXIT_STATUS.iter().map(|&(name, text)| (name, text.to_owned())));
        section(&mut roff, "SIGNALS", SIGNALS.iter().map(|&(name, text)| (name, text.to_owned())));
        section(&mut roff, "ENVIRONMENT", ENVIRONMENT.iter().map(|&(name, text)| (name, text.to_owned())));
        section(&mut roff, "VERDICTS", paragraphs(CodeKind::Verdict));
        section(&mut roff, "OUTCOMES OF PEERS", paragraphs(CodeKind::Outcome));
        section(&mut roff, "ROLES OF PEERS", paragraphs(CodeKind::Role));
        section(&mut roff, "STATUSES OF TRACKERS", paragraphs(CodeKind::TrackerStatus));
        section(&mut roff, "STATUSES OF WEB SEEDS", paragraphs(CodeKind::WebSeedStatus));
        section(&mut roff, "QUIRKS OF WEB SEEDS", paragraphs(CodeKind::WebSeedQuirk));
        section(&mut roff, "STATUSES OF LOOKUPS IN THE DHT", paragraphs(CodeKind::DhtStatus));
        section(&mut roff, "STATUSES OF NODES", paragraphs(CodeKind::DhtNodeStatus));
        section(&mut roff, "STATUSES OF METADATA", paragraphs(CodeKind::MetadataStatus));
        section(&mut roff, "PEERS THAT WERE ASKED FOR METADATA", paragraphs(CodeKind::MetadataStanding));
        roff.to_writer(&mut page)?;
        // The commands have no version of their own.
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// A command and what it is for, each.
fn examples(roff: &mut Roff) {
    roff.control("SH", ["EXAMPLES"]);
    for line in EXAMPLES.lines().skip(1) {
        let (command, what) = line.trim().split_once("   ").unwrap_or((line.trim(), ""));
        roff.control("TP", []).text([bold(command)]).text([roman(what.trim())]);
    }
}

fn section(roff: &mut Roff, title: &str, entries: impl Iterator<Item = (&'static str, String)>) {
    roff.control("SH", [title]);
    for (name, text) in entries {
        roff.control("TP", []).text([bold(name)]).text([roman(text)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_its_sections_and_every_command_a_page() {
        let page = String::from_utf8(page(None).unwrap()).unwrap();
        for section in ["EXAMPLES", "\"EXIT STATUS\"", "SIGNALS", "ENVIRONMENT", "VERDICTS", "\"OUTCOMES OF PEERS\""] {
            assert!(page.contains(&format!(".SH {section}")), "{section}");
        }
        assert!(page.contains("\\fBclosed_before_handshake\\fR") && page.contains("\\-\\-connect\\-timeout"), "{page}");
        for command in Cli::command().get_subcommands() {
            assert!(super::page(Some(command.get_name())).is_ok_and(|page| page.len() > 200), "{command}");
        }
        assert!(super::page(Some("nothing")).unwrap_err().contains("none is called nothing"));
    }
}
