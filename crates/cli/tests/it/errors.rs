//! Every error line, its exit code, and that none repeats a secret.

use crate::lab::{Lab, bare, run, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Peer, TrackerScript};
use std::path::PathBuf;

/// What is printed to stderr for these arguments, which is one line.
fn line(args: &[&str], code: i32) -> String {
    let (found, stdout, stderr) = told(&bare().args(args).output().unwrap());
    assert_eq!((found, stderr.matches('\n').count()), (code, 1), "{args:?}: {stdout}{stderr}");
    stderr.trim_end().strip_prefix("bt-handshake: ").unwrap_or_else(|| panic!("{stderr}")).to_owned()
}

#[test]
fn what_is_no_torrent_is_named_with_what_to_do_and_the_reason() {
    let lab = Lab::new("bad", []);
    // Read whole only if it begins as a torrent does.
    let huge = lab.file("huge.torrent", b"d8:announce");
    std::fs::File::options().append(true).open(&huge).unwrap().set_len(101_000_000).unwrap();
    let valid = std::fs::read(lab.torrent()).unwrap();
    let give = "give a .torrent file, a magnet link or an info-hash: not a torrent: ";
    let again = "fetch it again: not a whole torrent: cut short: ";
    let rows: Vec<(PathBuf, String)> = vec![
        (lab.folder.join("none"), "check the path: No such file or directory (os error 2)".to_owned()),
        (lab.file("empty", b""), "fetch it again: file is empty".to_owned()),
        (huge, "give a smaller torrent, or its info-hash: larger than 96 MiB, the most that is read".to_owned()),
        (lab.file("cut", &valid[..11]), format!("{again}unexpected end at byte 11")),
        (lab.file("text", b"hello"), format!("{give}plain text")),
        (lab.file("binary", b"\x80\x81\x82"), format!("{give}not bencode: unexpected byte 0x80 at byte 0")),
        (lab.file("none\u{1b}", b"de"), format!("{give}info: missing (at byte 0)")),
    ];
    for (path, reason) in rows {
        let (code, stdout, stderr) = run(&[], &path);
        let name = path.display().to_string().replace('\u{1b}', "\\u{1b}");
        assert_eq!((code, stdout.as_str(), stderr), (2, "", format!("bt-handshake: {name}: {reason}\n")));
    }
}

#[test]
fn links_that_name_no_torrent() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let (other, v2) = (hash.replace('0', "f"), "ab".repeat(32));
    let long = format!("magnet:?xt=urn:btih:{hash}&dn={}", "x".repeat(70_000));
    let copy = "copy the whole link, in quotes";
    for (link, what, reason) in [
        ("magnet:?dn=x", copy, "names no torrent: neither `xt=urn:btih:` nor `xt=urn:btmh:`"),
        (
            "magnet:?xt=urn:btih:12",
            copy,
            "expected 40 hexadecimal or 32 base32 digits after `urn:btih:`, found 2 digits",
        ),
        (
            "magnet:?xt=urn:btmh:1220ab",
            copy,
            "expected 1220 and 64 hexadecimal digits after `urn:btmh:`, found 6 digits",
        ),
        (
            &format!("magnet:?xt=urn:btih:{v2}"),
            "write `urn:btmh:1220` before the info-hash",
            "a v2 info-hash stands after `urn:btih:`, where a v1 one belongs; it belongs after `urn:btmh:1220`",
        ),
        (
            "magnet:?xt=urn:ed2k:12&dn=x",
            "give the link of a torrent",
            "names no torrent: its `xt` is of another network, neither `urn:btih:` nor `urn:btmh:`",
        ),
        (
            &format!("magnet:?xt=urn:btih:{hash}&xt=urn:btih:{other}"),
            "give each torrent a link of its own",
            "two different v1 info-hashes",
        ),
        (&long, "leave some of it out", "longer than 65536 bytes"),
    ] {
        assert_eq!(line(&[link], 2), format!("magnet link: {what}: unusable magnet link: {reason}"));
    }
    let found = line(&["magnet:nothing"], 2);
    assert_eq!(found, format!("magnet link: {copy}: not a magnet link: does not begin with `magnet:?`"));
}

#[test]
fn choices_that_cannot_be_followed() {
    let lab = Lab::new("choices", []);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    let no_pem = lab.file("no.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let private = SingleFile { private: true, ..SingleFile::new("private.bin", 1) };
    let private = lab.file("private.torrent", &private.to_bytes());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (args, beginning) in [
        (
            &["--bind", "127.0.0.2", "--bind", "127.0.0.3"][..],
            "give --interface one address of this machine for each family: 127.0.0.3: more than one",
        ),
        (&["--bind", "0.0.0.0"], "give --interface one address of this machine for each family: 0.0.0.0: "),
        (
            &["--bind", "198.51.100.77"],
            "choose another --port, or an --interface address of this machine: cannot bind 198.51.100.77",
        ),
        (
            &["--bind", "127.0.0.1", "--port", &port],
            "choose another --port, or an --interface address of this machine: cannot bind 127.0.0.1",
        ),
        (&["--interface", "nosuch0"], "choose another --interface: there is no interface nosuch0; usable: "),
        (&["--tracker", "gopher://t/announce"], "give --tracker an announce URL: ***: unknown scheme"),
        (
            &["--tls-ca", "/dev/zero"],
            "give --tls-ca a file of certificates in PEM: /dev/zero: it has more than 4194304 bytes",
        ),
        (&["--tls-ca", "/nonexistent"], "give --tls-ca a file of certificates in PEM: /nonexistent: No such file"),
        (&["--output", "/nonexistent/x"], "write elsewhere: --output /nonexistent/x: No such file"),
        (&["-"], "standard input: fetch it again: file is empty"),
    ] {
        let args = if args == ["-"] { args.to_vec() } else { [args, &[torrent]].concat() };
        let found = line(&args, 2);
        assert!(found.starts_with(beginning), "{found}");
    }
    let of = |args: &[&str], file: &PathBuf| line(&[args, &[file.to_str().unwrap()]].concat(), 2);
    let found = of(&[], &private);
    assert!(found.contains(": private torrent, nothing was sent: its tracker may ban "), "{found}");
    let found = of(&["--allow-private", "--tracker", "http://127.0.0.1:9/announce"], &private);
    assert!(found.contains(": leave out --tracker: private torrent: only its own"), "{found}");
    let found = line(&["--tls-ca", no_pem.to_str().unwrap(), torrent], 2);
    assert!(found.contains("give --tls-ca a file of certificates in PEM: "), "{found}");
    assert_eq!(line(&["man", "nonsense"], 2), "see --help for the commands: none is called nonsense");
}

#[test]
fn usage_errors_say_what_would_be_right() {
    for (args, part) in [
        (&[][..], "<TORRENT>..."),
        (&["--bogus", "x"], "unexpected argument '--bogus'"),
        (&["--trakcer", "x", "y"], "'--tracker'"),
        (&["--deadline", "soon", "x"], "expected a time such as 5s, 500ms or 2m"),
        (&["--deadline", "2000m", "x"], "expected at most a day"),
        (&["--concurrency", "0", "x"], "expected a number of 1 or more"),
        (&["--port", "0", "x"], "0 is not in 1..=65535"),
        (&["--bind", "he/re", "x"], "invalid value 'he/re' for '--interface <IP|NAME>'"),
        (&["-4", "--interface", "127.0.0.1", "x"], "leave out -4 or -6"),
        (&["--interface", "a", "--interface", "b", "x"], "give --interface one name at most"),
        (&["--metadata", "x"], "tip: leave it out"),
        (&["--interface", "a/b", "x"], "invalid value 'a/b' for '--interface <IP|NAME>': not the name of an interface"),
        (&["--peer", "nobody", "x"], "invalid value 'nobody' for '--peer <ADDR>'"),
        (&["--encryption", "maybe", "x"], "prefer-plain"),
        (&["metadata", "--transport", "udp", "x"], "[possible values: auto, tcp, utp]"),
        (&["--fail-under", "x=1", "x"], "expected one of seeds, ok, copies, peers, trackers"),
        (&["--warn-under", "ok=1", "x"], "--nagios"),
        (&["--all", "--json", "x"], "cannot be used with"),
        (&["--sources", "none", "--tracker", "http://t/announce", "x"], "leave out --tracker"),
        (&["-4", "-6", "x"], "cannot be used with"),
        (&["announce"], "<TORRENT>..."),
        (&["peer", "127.0.0.1:1"], "<TORRENT>"),
        (&["peer", "127.0.0.1", "x"], "invalid value '127.0.0.1' for '<ADDR>'"),
        (&["completions", "tcsh"], "powershell"),
    ] {
        let (code, stdout, stderr) = told(&bare().args(args).output().unwrap());
        assert_eq!(code, 2, "{args:?}");
        assert!(stdout.is_empty() && stderr.contains(part), "{args:?}: {stdout}{stderr}");
    }
}

#[test]
fn no_source_to_ask() {
    let lab = Lab::new("no-source", []);
    let torrent = lab.torrent();
    let name = torrent.to_str().unwrap();
    let found = line(&["--sources", "none", "-q", name], 3);
    assert_eq!(
        found,
        format!("{name}: name a tracker with --tracker, or a peer with --peer: no tracker, no DHT and no peer to ask")
    );
    lab.tracker.set_script(TrackerScript::Failure("gone".to_owned()));
    let found = line(&["-q", name], 3);
    let refused = format!("{name}: name another --tracker: refused by http://127.0.0.1:");
    assert!(found.starts_with(&refused) && found.ends_with("?passkey=***: gone"), "{found}");
    lab.tracker.set_script(TrackerScript::CloseAtOnce);
    let found = line(&["-q", name], 3);
    let silent = format!("{name}: try again later, or name another --tracker: no tracker answered: http://127.0.0.1:");
    assert!(found.starts_with(&silent) && found.contains("?passkey=***: connection closed"), "{found}");
    let found = line(&["-q", "--fail-under", "ok=1", "--peer", "127.0.0.1:1", name], 1);
    assert_eq!(found, format!("{name}: ok 0, wanted 1 (--fail-under)"));
}

#[test]
fn what_cannot_be_written() {
    let lab = Lab::new("unwritable", [Peer::default()]);
    for args in [&["--json"][..], &[], &["-q"], &["--nagios"], &["-o", "/dev/full"]] {
        let mut command = bare();
        command.args(["--linger", "0"]).args(args).arg(lab.torrent());
        if args != ["-o", "/dev/full"] {
            command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        }
        let (code, _, stderr) = told(&command.output().unwrap());
        assert_eq!((code, stderr.matches('\n').count()), (2, 1), "{args:?}: {stderr}");
        assert!(stderr.starts_with("bt-handshake: make room on the disk: cannot write: "), "{args:?}: {stderr}");
    }
    // Where even the first line could not be written, no tracker was asked.
    let events = lab.events();
    assert!(events.len() >= 4 && events.chunks(2).all(|pair| pair == ["started", "stopped"]), "{events:?}");
}

/// With a passkey in every place that can hold one, and all there is to be printed.
#[test]
fn no_command_repeats_a_secret() {
    let lab = Lab::new("no-secret", [Peer::default()]);
    let url = format!("{}?passkey=s3cretkey", lab.tracker.announce_url());
    let encoded: String = url.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    let magnet = format!("magnet:?xt=urn:btih:{hash}&tr={encoded}&ws={encoded}");
    let seeds = b"8:url-list".to_vec();
    let file = SingleFile { announce: Some(&url), ..SingleFile::new("lab\u{1b}[31m.bin", 1_000_000) };
    let mut torrent = file.to_bytes();
    torrent.pop();
    let torrent = lab.file("secret.torrent", &[torrent, seeds, format!("{}:{url}e", url.len()).into_bytes()].concat());
    let torrent = torrent.to_str().unwrap();
    let json = lab.folder.join("out.json");
    let json = json.to_str().unwrap();
    let peer = lab.swarm.endpoints()[0].to_string();
    let quick = ["--deadline", "2s"];
    lab.tracker.set_script(TrackerScript::Failure("no such passkey: s3cretkey".to_owned()));
    for given in [torrent, &magnet] {
        for args in [
            &["-o", json, given][..],
            &["--nagios", given],
            &["--json", given],
            &["--tracker", &url, "-q", given],
            &["announce", given],
            &["announce", "--json", given],
            &["scrape", given],
            &["peer", "--trace", &peer, given],
            &["show", given],
            &["show", "--json", "--files", given],
        ] {
            let mut command = bare();
            command.args(args).args(if args[0] == "show" { &[][..] } else { &quick }).env("RUST_LOG", "trace");
            let (_, stdout, stderr) = told(&command.output().unwrap());
            let file = std::fs::read_to_string(json).unwrap_or_default();
            assert!(!format!("{stdout}{stderr}{file}").contains("s3cretkey"), "{args:?}: {stdout}{stderr}{file}");
            assert!(!format!("{stdout}{stderr}{file}").contains(&encoded), "{args:?}: {stdout}{stderr}{file}");
        }
    }
    let (_, stdout, _) = told(&bare().args(["show", "--show-secrets", torrent]).output().unwrap());
    assert!(stdout.matches("s3cretkey").count() >= 1, "{stdout}");
}

/// Without a file name, --output takes the first torrent for one.
#[test]
fn no_torrent_is_written_over() {
    let lab = Lab::new("over", []);
    let torrent = lab.torrent();
    let before = std::fs::read(&torrent).unwrap();
    let name = torrent.to_str().unwrap();
    let link = lab.folder.join("link.torrent");
    std::os::unix::fs::symlink(&torrent, &link).unwrap();
    for output in [name, link.to_str().unwrap()] {
        assert!(line(&["-o", output, name], 2).ends_with(": that is a torrent to be read"));
    }
    assert_eq!(std::fs::read(&torrent).unwrap(), before);
}

#[test]
fn a_command_behind_an_option_is_no_torrent() {
    let lab = Lab::new("behind", [Peer::default()]);
    let found = line(&["--json", "show", lab.torrent().to_str().unwrap()], 2);
    assert_eq!(found, "put the options behind `show`, which comes first; a file of that name is ./show");
    assert!(lab.tracker.requests().is_empty());
}

#[test]
fn a_mistyped_command_announces_nothing() {
    let lab = Lab::new("mistyped", [Peer::default()]);
    let torrent = lab.torrent();
    let torrent = torrent.to_str().unwrap();
    for (args, meant) in [
        (&["shwo", torrent][..], "write `show`, if that is meant: `shwo` is neither a command nor a file"),
        (
            &["--json", "annouce", torrent],
            "write `announce`, if that is meant: `annouce` is neither a command nor a file",
        ),
        (&["help", torrent], "write `--help`, if that is meant: `help` is neither a command nor a file"),
        (
            &["download", torrent],
            "see --help for the commands, or check the path: `download` is neither a command nor a",
        ),
    ] {
        assert!(line(args, 2).starts_with(meant), "{}", line(args, 2));
    }
    let (code, stdout, _) = told(&bare().args(["--nagios", "shwo", torrent]).output().unwrap());
    assert!(code == 3 && stdout.contains("write `show`"), "{stdout}");
    assert!(lab.tracker.requests().is_empty());
    // A file of that name is one.
    std::fs::copy(torrent, lab.folder.join("shwo")).unwrap();
    let (code, ..) = told(&crate::lab::command(&[], "shwo".as_ref()).current_dir(&lab.folder).output().unwrap());
    assert_eq!(code, 0);
}

/// A link or a URL in a place where it has none to be.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let link = "magnet:?xt=urn:btih:x&tr=http%3A%2F%2Fh%2Fs3cretkey%2Fannounce";
    let (bare_link, url) = (&link[8..], "http://h/announce?passkey=s3cretkey");
    let spaced = format!(" {link}");
    for word in [link, &spaced, bare_link, url] {
        for args in [
            vec!["show", word],
            vec![word],
            vec!["--port", word, "x"],
            vec!["-o", word, "/nonexistent"],
            vec!["--tls-ca", word, "x"],
            vec!["man", word],
            vec!["--nagios", word],
            vec!["--nagios", "--port", word, "x"],
        ] {
            let (code, stdout, stderr) = told(&bare().args(&args).current_dir(std::env::temp_dir()).output().unwrap());
            assert!((2..=3).contains(&code), "{args:?}");
            assert!(!format!("{stdout}{stderr}").contains("s3cretkey"), "{args:?}: {stdout}{stderr}");
        }
    }
}
