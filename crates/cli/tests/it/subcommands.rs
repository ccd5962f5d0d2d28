//! The commands beside the main job.

use crate::lab::{Lab, bare, of, seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, Peer, TrackerScript};

fn line<'t>(stdout: &'t str, part: &str) -> &'t str {
    stdout.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {stdout}"))
}

#[test]
fn announce_asks_trackers_alone() {
    let lab = Lab::new("announce", [Peer::default(), Peer::default()]);
    let (code, stdout, stderr) = of("announce", &[lab.torrent().to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        line(&stdout, "/announce").starts_with("+ http://") && line(&stdout, "/announce").ends_with("?passkey=***")
    );
    assert!(
        line(&stdout, "ok from ").contains("    ok from 127.0.0.1:")
            && line(&stdout, "ok from ").ends_with("  2 peers")
    );
    assert!(line(&stdout, "times").contains(": connect ") && line(&stdout, "again").ends_with(" min"), "{stdout}");
    assert!(stdout.contains("\n1 of 1 tracker request answered, 2 peers named in "), "{stdout}");
    assert_eq!((lab.swarm.accepted(), lab.events()), (0, vec!["started".to_owned(), "stopped".to_owned()]));
    let (_, stdout, _) = of("announce", &["--all", lab.torrent().to_str().unwrap()]);
    assert!(lab.swarm.endpoints().iter().all(|peer| stdout.contains(&format!("\n    {peer}\n"))), "{stdout}");
    lab.tracker.set_script(TrackerScript::Failure("not \u{1b}yours".to_owned()));
    let (code, stdout, stderr) = of("announce", &[lab.torrent().to_str().unwrap()]);
    assert!(code == 3 && line(&stdout, "message").ends_with("tracker refuses: not \\u{1b}yours"), "{stdout}");
    assert!(stdout.contains("\n1 of 1 tracker request answered (1 refused) in "), "{stdout}");
    assert!(
        stderr.contains(": name another --tracker: refused by http://") && !stderr.contains("try again"),
        "{stderr}"
    );
}

#[test]
fn scrape_leaves_no_trace() {
    let lab = Lab::new("scrape", [Peer::default()]);
    let hash = lab.swarm.info_hash();
    let files =
        [b"d5:filesd20:".to_vec(), hash.to_vec(), b"d8:completei7e10:downloadedi9e10:incompletei2eeee".to_vec()]
            .concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", files.len()).into_bytes();
    lab.tracker.set_script(TrackerScript::Raw([head, files].concat()));
    let (code, stdout, _) = of("scrape", &[lab.torrent().to_str().unwrap()]);
    assert!(code == 0 && line(&stdout, "ok from").ends_with("claims 7 seeds, 2 leechers and 9 downloads"), "{stdout}");
    assert!(stdout.contains("1 of 1 tracker request answered, 7 seeds claimed in "), "{stdout}");
    assert_eq!((lab.events().len(), lab.swarm.accepted()), (0, 0));
}

#[test]
fn one_peer_tells_every_stage() {
    let lab = Lab::new("peer", [seed(Client::Libtorrent), Peer::refusing(), Peer::wrong_hash()]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let peers: Vec<String> = lab.swarm.endpoints().iter().map(ToString::to_string).collect();
    let (code, stdout, _) = of("peer", &[&peers[0], torrent]);
    assert!(code == 0 && stdout.starts_with(&format!("+ {}  ok\n", peers[0])), "{stdout}");
    for part in [
        "  stage           done",
        "  connect         ",
        ", in the clear\n",
        "  peer id         ",
        "extension_protocol, ",
        "  role            ",
        "  extensions      ",
        "  left because    ",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let (code, stdout, _) = of("peer", &["--encryption", "off", &peers[2], torrent]);
    assert!(
        code == 1 && stdout.contains("wrong_info_hash") && stdout.contains("  hint            a client is there"),
        "{stdout}"
    );
    let (code, stdout, _) = of("peer", &["127.0.0.1:1", torrent]);
    assert!(
        code == 1 && stdout.contains("  stage           connect\n") && stdout.contains("Connection refused"),
        "{stdout}"
    );
    let (code, stdout, _) = of("peer", &["--transport", "tcp", "127.0.0.1:1", torrent]);
    assert!(code == 1 && stdout.contains("or takes uTP only, which was not tried\n"), "{stdout}");
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    let magnet = format!("magnet:?xt=urn:btih:{hash}&tr={}&x.pe={}", lab.tracker.announce_url(), peers[2]);
    let before = lab.swarm.accepted();
    let (code, stdout, _) = of("peer", &[&peers[0], &magnet]);
    assert!(code == 0 && stdout.matches("  stage ").count() == 1, "no other peer is dialled: {stdout}");
    assert_eq!(lab.swarm.accepted(), before + 1);
    assert!(lab.tracker.requests().is_empty(), "no tracker is asked");
}

#[test]
fn a_trace_has_every_byte() {
    let lab = Lab::new("trace", [seed(Client::Transmission)]);
    let peer = lab.swarm.endpoints()[0].to_string();
    for policy in ["off", "require"] {
        let (code, stdout, _) =
            of("peer", &["--trace", "--encryption", policy, &peer, lab.torrent().to_str().unwrap()]);
        assert_eq!(code, 0, "{stdout}");
        assert!(
            stdout.contains("0000  13 42 69 74 54 6f 72 72  65 6e 74 20 70 72 6f 74  .BitTorrent prot"),
            "{stdout}"
        );
        assert!(stdout.contains("sent ") && stdout.contains("received "), "{stdout}");
        let received: usize = stdout
            .lines()
            .filter_map(|line| line.strip_prefix("received ")?.split(' ').next()?.parse::<usize>().ok())
            .sum();
        let counted =
            line(&stdout, "  received        ").trim_start_matches("  received        ").trim_end_matches(" bytes");
        assert!(received >= counted.parse().unwrap(), "{stdout}");
    }
    // As the default is: not a byte.
    let (_, stdout, stderr) = of("peer", &[&peer, lab.torrent().to_str().unwrap()]);
    assert!(!format!("{stdout}{stderr}").contains("13 42 69"));
}

#[test]
fn show_tells_what_a_torrent_says_and_what_is_odd() {
    let lab = Lab::new("show", []);
    let (code, stdout, _) = of("show", &["--files", lab.torrent().to_str().unwrap()]);
    assert!(code == 0 && stdout.starts_with("lab\\u{1b}[31m.bin\n  info-hash       "), "{stdout}");
    for part in [
        "  size            1.0 MB (1000000 bytes)\n",
        "  files           1 file\n",
        "?passkey=***\n",
        "  odd             its name: control characters\n",
        "files\n      1.0 MB  lab\\u{1b}[31m.bin\n",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let (_, stdout, _) = of("show", &["--show-secrets", lab.torrent().to_str().unwrap()]);
    assert!(stdout.contains("passkey=s3cret") && !stdout.contains("files\n"), "{stdout}");
    let private = SingleFile { private: true, ..SingleFile::new("private.bin", 1) };
    let (code, stdout, _) = of("show", &[lab.file("private.torrent", &private.to_bytes()).to_str().unwrap()]);
    assert!(code == 0 && stdout.contains("  private         yes"), "{stdout}");
}

#[test]
fn completions_a_manual_and_a_schema_are_printed() {
    for (shell, part) in [
        ("bash", "complete -F _bt__handshake"),
        ("zsh", "#compdef bt-handshake"),
        ("fish", "complete -c bt-handshake"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let (code, stdout, _) = of("completions", &[shell]);
        assert!(code == 0 && stdout.contains(part) && stdout.contains("fail-under"), "{shell}");
    }
    let (code, stdout, _) = of("man", &[]);
    assert!(code == 0 && stdout.contains(".TH bt-handshake 1"), "{stdout}");
    // Every option has its sentence, those of the long help too.
    assert!(stdout.contains("\\-\\-max\\-peers\\fR \\fI<N>\\fR [default: 5000]\nMost peers taken"), "{stdout}");
    let (code, stdout, _) = of("man", &["announce"]);
    assert!(code == 0 && stdout.contains(".TH bt-handshake-announce 1"), "{stdout}");
    assert_eq!(of("man", &["nonsense"]).0, 2);
    let (code, stdout, _) = of("schema", &[]);
    assert!(code == 0 && stdout.contains("json-schema.org/draft/2020-12"));
    // To a reader that leaves, and to a full disk.
    for args in [&["man"][..], &["schema"], &["completions", "bash"], &["show", "."]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = bare();
        command.args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/torrents"));
        let (code, _, stderr) = told(&command.stdout(full).output().unwrap());
        assert!(code == 2 && stderr.contains("cannot write: No space left"), "{args:?}: {stderr}");
    }
}

#[test]
fn help_is_short_or_long_and_a_typing_error_is_understood() {
    let help = |arg| told(&bare().arg(arg).output().unwrap());
    let (code, short, _) = help("-h");
    let (_, long, _) = help("--help");
    assert!(code == 0 && long.starts_with("Examples:\n") && long.matches("\n  bt-handshake ").count() == 9, "{long}");
    assert!(short.lines().count() < 60 && !short.contains("--jobs") && long.contains("--jobs"), "{short}");
    assert!(["Sources:", "Deadlines:", "Network:", "Output:"].iter().all(|group| long.contains(group)), "{long}");
    assert!(!long.contains("--max-peers"), "{long}");
    let (code, _, stderr) = told(&bare().args(["--trakcer", "x", "y"]).output().unwrap());
    assert!(code == 2 && stderr.contains("'--tracker'"), "{stderr}");
    let (code, _, stderr) = told(&bare().output().unwrap());
    assert!(code == 2 && stderr.contains("Usage: bt-handshake"), "{stderr}");
}
