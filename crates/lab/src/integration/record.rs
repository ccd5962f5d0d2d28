//! `cargo xtask integration --record`: asks the real programs that are installed, writes what they answer in the format of
//! `fixtures/peer/programs`, and shows what differs from the fixtures.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fake_swarm::recording::{Exchange, Recording, cut};
use fake_swarm::{ExtensionHandshake, bencoding, handshake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use xtask::optional::{self, Optional};
use xtask::scratch::{Scratch, make_folder, write};
use xtask::shell::{self, Result};
use xtask::skips::Skips;
use xtask::unshare;

use super::namespace::{self, Namespace};
use super::process::{self, Process};
use super::programs::{Place, aria2, ctorrent, libtorrent, qbittorrent, rtorrent, transmission};
use super::torrents::{Maker, Torrent};
use crate::payload;

/// The name of the scenario.
pub(super) const NAME: &str = "record";

/// What is asked for: a file of 13 pieces of 32 KiB. Its info-hash is the same in every run.
const PAYLOAD: (&str, usize) = ("recorded.bin", 425_000);
const PIECES: u32 = 13;
/// What a program has that has a part: 5 pieces.
const PART: u64 = 5 << 15;

/// How long a program is listened to. It sends what depends on nothing but our handshake in less.
const LISTEN: Duration = Duration::from_secs(3);
/// How long a program may take until it answers. Those that check what they have do not answer before.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// Our reserved bytes: the extension protocol and the fast extension, or nothing.
const PROBES: [[u8; 8]; 2] = [[0, 0, 0, 0, 0, 0x10, 0, 0x04], [0; 8]];

/// A program that can be asked.
struct Program {
    name: &'static str,
    needs: &'static Optional,
    command: fn(&Place, &str) -> Result<Command>,
    /// What it can be given of the torrent, as [`Exchange::had`] has it.
    had: &'static [&'static str],
}

const USUAL: &[&str] = &["all", "part", "nothing"];
/// Of programs with a setting for super-seeding (BEP 16).
const SUPER_SEEDING: &[&str] = &["all", "part", "nothing", "hidden"];

const PROGRAMS: &[Program] = &[
    Program {
        name: "transmission",
        needs: &optional::TRANSMISSION,
        command: |place, _| transmission::command(place, transmission::Encryption::Preferred),
        had: USUAL,
    },
    Program { name: "aria2", needs: &optional::ARIA2, command: |place, _| Ok(aria2::command(place, &[])), had: USUAL },
    Program {
        name: "rtorrent",
        needs: &optional::RTORRENT,
        command: |place, had| {
            let mut command = rtorrent::command(place, rtorrent::ALLOWED)?;
            if had == "hidden" {
                command.args(["-o", "protocol.connection.seed.set=initial_seed"]);
            }
            Ok(command)
        },
        had: SUPER_SEEDING,
    },
    Program {
        name: "libtorrent",
        needs: &optional::LIBTORRENT,
        command: |place, had| {
            libtorrent::command(place, if had == "hidden" { &["--super-seeding"] } else { &["--check"] })
        },
        had: SUPER_SEEDING,
    },
    Program {
        name: "qbittorrent",
        needs: &optional::QBITTORRENT,
        command: |place, had| {
            let command = qbittorrent::command(place, qbittorrent::Encryption::Allowed)?;
            Ok(if had == "all" { command } else { without(&command, "--skip-hash-check") })
        },
        had: USUAL,
    },
    Program {
        name: "ctorrent",
        needs: &optional::CTORRENT,
        command: |place, had| {
            let command = ctorrent::command(place, PAYLOAD.0)?;
            Ok(if had == "all" { command } else { without(&command, "-f") })
        },
        had: USUAL,
    },
];

/// Asks all programs that are here, in a network namespace without other interfaces.
pub(super) fn run(skips: &Skips) -> Result {
    if !skips.can(&[&optional::MKTORRENT, &optional::TRANSMISSION_CLI, &optional::UTIL_LINUX, &optional::IPROUTE2])? {
        return Ok(());
    }
    let command = unshare::command(unshare::NETWORK).ok_or("no network namespace can be made")?;
    let scratch = Scratch::new(true)?;
    let ourselves = std::env::current_exe().map_err(|error| format!("cannot find ourselves: {error}"))?;
    let mut command = process::mortal(&command, &[]);
    // No command under test, and one run.
    command.arg(ourselves).args([namespace::TASK, NAME, "-"]).arg(scratch.folder("")?).args(["1", "false"]);
    shell::run(command.stdin(Stdio::null()))
}

/// The same, inside.
pub(super) fn run_inside(namespace: &Namespace) -> Result {
    payload::write_files(&namespace.folder, &[PAYLOAD])?;
    let announce = "http://127.0.0.1:1/announce";
    let torrent = Maker { folder: &namespace.folder, announce }.mktorrent("recorded", PAYLOAD.0)?;
    let skips = Skips::default();
    let mut here = Vec::new();
    for program in PROGRAMS {
        if skips.can_part("record", &[program.needs])? {
            here.push(program);
        }
    }
    let answers: Vec<Result<Vec<Answer>>> = thread::scope(|scope| {
        let torrent = &torrent;
        let asked: Vec<_> = here
            .iter()
            .zip(1..)
            .map(|(program, number)| scope.spawn(move || ask(namespace, program, torrent, number)))
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| Err("it panicked".to_owned()))).collect()
    });
    let mut faults = Vec::new();
    for (program, answers) in here.iter().zip(answers) {
        match answers.and_then(|answers| finish(namespace, program, &torrent, answers)) {
            Ok(()) => {}
            Err(reason) => faults.push(format!("{}: {reason}", program.name)),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What had been given, the reserved bytes that we sent, and what came.
type Answer = (&'static str, [u8; 8], Vec<u8>);

/// Starts a program with each part of the torrent in turn and asks it.
fn ask(namespace: &Namespace, program: &Program, torrent: &Torrent, number: u8) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    // Every connection comes from an address of its own: some programs refuse a second one from the same.
    let mut sources = (1..=u16::MAX).map(|last| {
        let [high, low] = last.to_be_bytes();
        Ipv4Addr::new(127, number, high, low)
    });
    for had in program.had {
        let folder = namespace.folder.join(format!("{}-{had}", program.name));
        let data = folder.join("data");
        make_folder(&data)?;
        give(&namespace.folder, &data, had)?;
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 10, number), 51000 + u16::from(number)));
        let command = (program.command)(&Place::new(&folder, &data, address, &[&torrent.file]), had)?;
        let mut process = Process::start(program.name, &command, &folder)?;
        for reserved in PROBES {
            let answer = process::poll(Instant::now() + UP_WITHIN, || {
                process.check_alive()?;
                let source = sources.next().ok_or("out of addresses")?;
                Ok(probe(source, address, reserved, &torrent.info_hash))
            });
            let answer = answer.map_err(|reason| format!("with {had}: {reason}\n{}", process.log_tail()))?;
            answers.push((*had, reserved, answer));
        }
    }
    answers.sort_by_key(|(_, reserved, _)| *reserved == PROBES[1]);
    Ok(answers)
}

/// Puts as much of the payload into a folder as this name means.
fn give(from: &Path, to: &Path, had: &str) -> Result {
    if had == "nothing" {
        return Ok(());
    }
    let copy = to.join(PAYLOAD.0);
    let copied = fs::copy(from.join(PAYLOAD.0), &copy);
    // Whole pieces, and zeros to the end: ctorrent takes no file of another length.
    let cut = copied.and_then(|length| match had {
        "part" => {
            let file = fs::File::options().write(true).open(&copy)?;
            file.set_len(PART)?;
            file.set_len(length)
        }
        _ => Ok(()),
    });
    cut.map_err(|error| format!("cannot write {}: {error}", copy.display()))
}

/// Shakes hands and listens; the error says why there is no handshake yet.
fn probe(source: Ipv4Addr, to: SocketAddr, reserved: [u8; 8], info_hash: &str) -> Result<Vec<u8>> {
    let hash: Option<Vec<u8>> =
        (0..20).map(|at| u8::from_str_radix(info_hash.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    let hash: [u8; 20] = hash.and_then(|hash| hash.try_into().ok()).ok_or("no info-hash")?;
    let ours = handshake(reserved, &hash, b"-HS0100-recorder0000");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut answer = Vec::new();
    let asked = runtime.and_then(|runtime| {
        runtime.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((source, 0).into())?;
            let mut stream = socket.connect(to).await?;
            stream.write_all(&ours).await?;
            let heard = tokio::time::timeout(LISTEN, stream.read_to_end(&mut answer)).await;
            heard.map_or(Ok(0), |ended| {
                ended.or_else(|error| if error.kind() == ErrorKind::ConnectionReset { Ok(0) } else { Err(error) })
            })
        })
    });
    asked.map_err(|error| error.to_string())?;
    if answer.len() < ours.len() { Err(format!("{} bytes", answer.len())) } else { Ok(answer) }
}

/// Writes what a program answered, and shows what differs from its fixture.
fn finish(namespace: &Namespace, program: &Program, torrent: &Torrent, answers: Vec<Answer>) -> Result {
    let probes: Vec<String> = answers.iter().map(|(_, reserved, _)| hex(reserved)).collect();
    let exchanges =
        answers.iter().zip(&probes).map(|((had, _, bytes), probe)| Exchange { had, probe, answer: cut(bytes) });
    let exchanges: Vec<Exchange> = exchanges.collect();
    let fixture = Recording::FILES.iter().find_map(|(file, text)| {
        let recording = Recording::parse(text)?;
        let id = exchanges.first()?.answer.first()?.get(48..)?;
        id.starts_with(recording.id()?.0.as_bytes()).then_some((*file, recording))
    });
    // A version that is new here has the fields that are known of it.
    let new =
        Recording { fields: vec![("program", program.name), ("recorded", ""), ("torrent", "")], exchanges: Vec::new() };
    let (file, known) = fixture.unwrap_or((program.name, new));
    let today = shell::run_quiet(Command::new("date").args(["--utc", "+%F"]))?;
    let torrent = format!("{} {PIECES}", torrent.info_hash);
    let fields = known.fields.iter().map(|(name, value)| match *name {
        "recorded" => (*name, today.trim()),
        "torrent" => (*name, torrent.as_str()),
        _ => (*name, *value),
    });
    let path = namespace.folder.join(format!("{file}.txt"));
    let recorded = Recording { fields: fields.collect(), exchanges };
    write(&path, recorded.to_string())?;
    let differences = differences(&known, &recorded);
    println!(
        "{}: {} exchanges, {}",
        path.display(),
        recorded.exchanges.len(),
        match differences.len() {
            0 => "as in the fixture".to_owned(),
            count => format!("{count} lines differ"),
        }
    );
    differences.iter().for_each(|line| println!("  {line}"));
    Ok(())
}

/// The lines that only the fixture has, and those that only the new recording has, of the exchanges that were recorded.
fn differences(known: &Recording, new: &Recording) -> Vec<String> {
    let mut lines = Vec::new();
    for exchange in &new.exchanges {
        let (had, probe) = (exchange.had, exchange.probe);
        let old = known.exchanges.iter().find(|old| (old.had, old.probe) == (had, probe));
        let masked = |exchange: Option<&Exchange>| -> Vec<String> {
            let answer = exchange.iter().flat_map(|exchange| &exchange.answer);
            answer.map(|message| mask(message).escape_ascii().to_string()).collect()
        };
        let (old, new) = (masked(old), masked(Some(exchange)));
        let before = lines.len();
        lines.extend(old.iter().filter(|line| !new.contains(line)).map(|line| format!("{had} {probe} - {line}")));
        lines.extend(new.iter().filter(|line| !old.contains(line)).map(|line| format!("{had} {probe} + {line}")));
        if lines.len() == before && old != new {
            lines.push(format!("{had} {probe}: the same messages in another order or number"));
        }
    }
    lines
}

/// A message without what differs from one run to the next: the random part of a peer id, ports, addresses, and the pieces
/// of `allowed_fast`, which depend on our address (BEP 6).
fn mask(message: &[u8]) -> Vec<u8> {
    match message {
        // The beginning of the peer id is that of the program.
        [0x13, ..] if message.len() == 68 => [message.get(..56).unwrap_or_default(), b"............"].concat(),
        [prefix @ .., _, _, _, _] if matches!(message, [0, 0, 0, 5, 17, ..]) => prefix.to_vec(),
        [_, _, _, _, 20, 0, dictionary @ ..] => match ExtensionHandshake::read(dictionary) {
            Some(read) => {
                let extra = read.extra.iter().map(|(key, value)| match *key {
                    "ipv4" | "ipv6" => (*key, bencoding::string("")),
                    _ => (*key, value.clone()),
                });
                ExtensionHandshake {
                    p: read.p.map(|_| 0),
                    yourip: read.yourip.map(|_| Ipv4Addr::UNSPECIFIED.into()),
                    extra: extra.collect(),
                    ..read
                }
                .message()
            }
            None => message.to_vec(),
        },
        _ => message.to_vec(),
    }
}

/// The command without one of its arguments.
fn without(command: &Command, argument: &str) -> Command {
    let mut shorter = Command::new(command.get_program());
    shorter.args(command.get_args().filter(|word| *word != argument));
    shorter
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "program x\n\nall 00\n  \\x00\\x00\\x00\\x05\\x11\\x00\\x00\\x00\\x07\n  \\x00\\x00\\x00\\x1f\\x14\\x00d1:pi7e1:v1:x6:yourip4:abcde\n";

    #[test]
    fn addresses_ports_and_allowed_pieces_are_no_difference() {
        let known = Recording::parse(KNOWN).unwrap();
        let other = KNOWN.replace("x07", "x08").replace("pi7e", "pi8e").replace("abcd", "zzzz");
        assert_eq!(differences(&known, &Recording::parse(&other).unwrap()), Vec::<String>::new());
    }

    #[test]
    fn other_words_another_order_and_what_is_new_are_differences() {
        let known = Recording::parse(KNOWN).unwrap();
        let (head, messages) = KNOWN.split_at(KNOWN.find("  ").unwrap());
        let (first, second) = messages.split_once('\n').unwrap();
        let of = |text: &str| differences(&known, &Recording::parse(text).unwrap());
        assert_eq!(of(&KNOWN.replace("1:v1:x", "1:v1:y")).len(), 2);
        assert_eq!(of(&KNOWN.replace("all 00", "part 00")).len(), 2);
        assert_eq!(of(&format!("{head}{second}{first}\n")), ["all 00: the same messages in another order or number"]);
        assert_eq!(of(&format!("{head}{first}\n{messages}")), ["all 00: the same messages in another order or number"]);
    }

    #[test]
    fn only_the_random_part_of_a_peer_id_is_masked() {
        let of = |id| mask(&handshake([0; 8], &[1; 20], id));
        assert_eq!(of(b"-TR3000-aaaaaaaaaaaa"), of(b"-TR3000-bbbbbbbbbbbb"));
        assert_ne!(of(b"-TR3000-aaaaaaaaaaaa"), of(b"-TR4000-aaaaaaaaaaaa"));
    }
}
