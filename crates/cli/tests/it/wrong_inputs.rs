//! Wrong inputs: the message names what the input is and what to do.

use crate::lab::{Lab, bare, of, run, told};
use fake_swarm::Peer;
use std::process::Command;

const HASH: &str = "7e27ddfe8322958feab2084b5fdd82208046db12";

/// The complaint about one word, which is one line; nothing else is printed.
fn complaint(word: &str) -> String {
    let (code, stdout, stderr) = of("show", &[word]);
    assert_eq!((code, stdout.as_str(), stderr.matches('\n').count()), (2, "", 1), "{word}: {stderr}");
    stderr.trim_end().strip_prefix("bt-handshake: ").unwrap().to_owned()
}

#[test]
fn files_of_other_kinds_are_named() {
    let lab = Lab::new("kinds", []);
    let torrent = std::fs::read(lab.torrent()).unwrap();
    let warning = [b"<br />\n<b>Warning</b>: reset() expects an array<br />\n", &torrent[..]].concat();
    let link = format!("magnet:?xt=urn:btih:{HASH}&tr=http%3A%2F%2Ft.example%2Fs3cret%2Fannounce\n");
    let cut = &torrent[..torrent.len() - 30];
    let zeros = [cut, &[0; 200]].concat();
    let fetch = "fetch the torrent again, logged in where the site asks for it: not a torrent";
    let give = "give a .torrent file, a magnet link or an info-hash: not a torrent";
    for (bytes, what) in [
        (&b"<!DOCTYPE html>\n<html><head><title>Log in</title>"[..], format!("{fetch}: a web page (HTML)")),
        (&warning, format!("{fetch}: a web page (HTML)")),
        (b"{\"error\":\"not logged in\"}", format!("{fetch}: JSON")),
        (b"\x1f\x8b\x08\0\0", "unpack it first: not a torrent: a gzip file".to_owned()),
        (b"PK\x03\x04\x14\0", "unpack it first: not a torrent: a ZIP file".to_owned()),
        (link.as_bytes(), "give the link itself, in quotes: not a torrent: a magnet link in a file".to_owned()),
        (
            b"<?xml version=\"1.0\"?>\n<nzb xmlns=\"x\">",
            "give a .torrent file; this one is for Usenet: not a torrent: an NZB, an index of Usenet articles"
                .to_owned(),
        ),
        (b"", "fetch it again: file is empty".to_owned()),
        (cut, "fetch it again: not a whole torrent: cut short: string reaches past the end at byte ".to_owned()),
        (&zeros, "fetch it again: not a whole torrent: cut short: ".to_owned()),
        (b"You are not logged in. s3cret", format!("{give}: plain text")),
        (
            b"d11:file-format22:libtorrent resume file12:file-versioni1ee",
            "give the .torrent file that belongs to it: not a torrent: a client's resume file".to_owned(),
        ),
    ] {
        let path = lab.file("given.torrent", bytes);
        let found = complaint(path.to_str().unwrap());
        assert!(found.starts_with(&format!("{}: {what}", path.display())), "{found}");
        assert!(!found.contains("s3cret"), "{found}");
    }
    // On standard input as well.
    let file = std::fs::File::open(lab.file("page", b"<html>")).unwrap();
    let (code, _, stderr) = told(&bare().args(["show", "-"]).stdin(file).output().unwrap());
    assert!(code == 2 && stderr.starts_with("bt-handshake: standard input: fetch the torrent again, "), "{stderr}");
}

#[test]
fn the_message_is_about_this_word() {
    let expected = "expected 40 hexadecimal digits (64 for v2, or 32 in base32), found";
    for (word, what) in [
        (HASH[1..].to_owned(), format!("{}: copy the whole info-hash: {expected} 39 digits", &HASH[1..])),
        (format!("{HASH}1"), format!("{HASH}1: copy the whole info-hash: {expected} 41 digits")),
        (
            format!("{} {}", &HASH[..20], &HASH[20..]),
            format!(
                "{} {}: leave out what stands between the digits: {expected} whitespace at position 21",
                &HASH[..20],
                &HASH[20..]
            ),
        ),
        (
            "https://t.example/download.php?id=1&passkey=s3cret".to_owned(),
            "https://t.example/***?id=***&passkey=***: download it first and give the file: this is a URL, and none is \
             fetched"
                .to_owned(),
        ),
        (
            "udp://t.example:6969/announce".to_owned(),
            "udp://t.example:6969/announce: give a tracker's URL with --tracker, and the torrent beside it".to_owned(),
        ),
    ] {
        assert_eq!(complaint(&word), what);
    }
}

#[test]
fn hashes_and_links_are_read_in_every_form() {
    let base32 = "PYT537UDEKKY72VSBBFV7XMCECAENWYS";
    let v2 = "dabcec469398e3d1".repeat(4);
    for (word, hash) in [
        (base32.to_owned(), HASH),
        (base32.to_lowercase(), HASH),
        (format!(" {HASH}"), HASH),
        (format!("\"{HASH}\""), HASH),
        (format!("1114{HASH}"), HASH),
        (format!("1220{v2}"), v2.as_str()),
        (format!("urn:btih:{base32}"), HASH),
        (format!("'magnet:?xt=urn:btih:{HASH}'"), HASH),
        (format!("magnet%3A%3Fxt%3Durn%3Abtih%3A{HASH}%26dn%3Da"), HASH),
        (format!(r"magnet:\?xt\=urn:btih:{HASH}\&dn\=a"), HASH),
    ] {
        let (code, stdout, stderr) = of("show", &[&word]);
        assert!(code == 0 && stdout.contains(hash), "{word}: {stdout}{stderr}");
    }
    // A file of that name is meant, if there is one.
    let lab = Lab::new("clothes", []);
    std::fs::copy(lab.torrent(), lab.folder.join(base32)).unwrap();
    std::fs::copy(lab.torrent(), lab.folder.join(&HASH[1..])).unwrap();
    for word in [base32, &HASH[1..]] {
        let (code, stdout, stderr) = told(&bare().current_dir(&lab.folder).args(["show", word]).output().unwrap());
        assert!(code == 0 && stdout.contains("lab\\u{1b}[31m.bin"), "{stdout}{stderr}");
    }
}

#[test]
fn a_link_copied_from_html_asks_its_trackers() {
    let lab = Lab::new("html", [Peer::default()]);
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    let tracker = lab.tracker.announce_url().replace(':', "%3A").replace('/', "%2F");
    let link = format!("magnet:?xt=urn:btih:{hash}&amp;dn=film.mp4&amp;tr={tracker}");
    let (code, stdout, stderr) = run(&["-q"], link.as_ref());
    assert!(code == 0 && stdout.contains("; 1 of 1 peer answered in"), "{stdout}{stderr}");
    let (_, stdout, _) = of("show", &[&link]);
    assert!(stdout.contains("  odd             `&amp;` was read as `&`: the link was copied from HTML"), "{stdout}");
}

#[test]
fn what_is_no_torrent_in_a_folder_is_passed_over_and_counted() {
    let lab = Lab::new("passed-over", []);
    std::fs::create_dir_all(lab.folder.join("deeper")).unwrap();
    lab.file("._lab.torrent", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ");
    let apple = lab.file("deeper/._other.torrent", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ");
    let name = lab.folder.to_str().unwrap();
    let (code, stdout, stderr) = of("show", &[name]);
    let said = "passed over 2 files called `._*.torrent`, which macOS keeps beside others";
    assert_eq!((code, stderr), (0, format!("bt-handshake: {name}: {said}\n")));
    assert_eq!(stdout.matches("info-hash").count(), 1);
    // A pipe without a writer would block the run.
    assert!(Command::new("mkfifo").arg(lab.folder.join("pipe.torrent")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(lab.folder.join("socket.torrent")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", lab.folder.join("zero.torrent")).unwrap();
    let (code, _, stderr) = of("show", &[name]);
    let said = format!("{said} and 3 files called torrents that are pipes, sockets or devices");
    assert_eq!((code, stderr), (0, format!("bt-handshake: {name}: {said}\n")));
    // A monitoring system takes one line.
    let (_, _, stderr) = told(&bare().args(["--nagios", "--sources", "none", name]).output().unwrap());
    assert_eq!(stderr, "");
    // Named explicitly, it is classified.
    assert!(
        complaint(apple.to_str().unwrap())
            .contains(": give the file of the same name without the `._`: not a torrent: ")
    );
}
