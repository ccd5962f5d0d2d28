//! What is seen, kept in a file; and files that cannot keep it.

use crate::lab::{Lab, listening, seed, shell, signal, told};
use fake_swarm::{Client, TrackerScript};
use history::History;
use ids::InfoHash;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

fn of(args: &[&str], db: &Path, lab: &Lab) -> (i32, String, String) {
    told(&with(args, db, lab).output().unwrap())
}

fn with(args: &[&str], db: &Path, lab: &Lab) -> std::process::Command {
    listening(&[&["--db", db.to_str().unwrap()], args].concat(), &lab.torrent())
}

/// A run of many rounds, after the first one.
fn going_on(db: &Path, lab: &Lab) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = with(&["--every", "1s"], db, lab);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    (child, stdout)
}

fn observations(db: &Path, lab: &Lab) -> Vec<report::Observation> {
    History::open_read_only(db).unwrap().observations(InfoHash(lab.swarm.info_hash())).unwrap()
}

/// A file that keeps one observation.
fn kept(name: &str) -> (Lab, PathBuf) {
    let lab = Lab::new(name, [seed(Client::Qbittorrent), seed(Client::Deluge)]);
    let db = lab.folder.join("a.db");
    let (code, stdout, stderr) = of(&[], &db, &lab);
    assert!(code == 0 && !stdout.contains("since the last") && !stdout.contains("no change"), "{stdout}{stderr}");
    (lab, db)
}

#[test]
fn what_has_changed_is_said_first_and_no_address_is_kept() {
    let (lab, db) = kept("db");
    let (_, stdout, _) = of(&[], &db, &lab);
    assert!(stdout.contains("\n\nno change: healthy for "), "{stdout}");
    // A cron job's line speaks of changes alone.
    let (_, stdout, _) = of(&["-q"], &db, &lab);
    assert!(stdout.lines().count() == 1 && stdout.contains(": alive: 2 seeds"), "{stdout}");
    let (_, stdout, _) = of(&["--nagios"], &db, &lab);
    assert!(stdout.contains("; healthy for ") && !stdout.contains("changed"), "{stdout}");
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()[..1].to_vec()));
    let (_, stdout, _) = of(&[], &db, &lab);
    let (changed, verdict) = (stdout.find("since the last run: 1 seed gone; copies 2 -> 1"), stdout.find("alive"));
    assert!(changed.is_some() && changed < verdict, "{stdout}");
    let kept = observations(&db, &lab);
    assert_eq!(kept.iter().map(|seen| seen.verified_seeds).collect::<Vec<_>>(), [2, 2, 2, 2, 1]);
    assert!(kept.iter().all(|seen| seen.name.is_some() && seen.pieces == Some(4) && seen.met.is_some()), "{kept:?}");
    let bytes = std::fs::read(&db).unwrap();
    // The tracker's URL has its own.
    let contains = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!contains(b"127.0.1.") && !contains(&[127, 0, 1, 1]) && !contains(b"s3cret") && contains(b"127.0.0.1"));
}

#[test]
fn what_has_changed_is_in_a_line_too() {
    let (lab, db) = kept("db-line");
    let gone = "1 seed gone; copies 2 -> 1";
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()[..1].to_vec()));
    let (_, stdout, _) = of(&["-q"], &db, &lab);
    assert!(stdout.lines().count() == 2 && stdout.starts_with(&format!("since the last run: {gone}\n")), "{stdout}");
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()));
    let (code, stdout, _) = of(&["--nagios"], &db, &lab);
    assert!(code == 0 && stdout.contains("; changed: 1 seed new; copies 1 -> 2|"), "{stdout}");
}

/// The recipe of the reference.
#[test]
fn a_cron_job_is_silent_while_all_is_well() {
    let (lab, db) = kept("db-cron");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let recipe = page.lines().find(|line| line.starts_with("out=$(bt-handshake ")).unwrap();
    let recipe = recipe.replace("bt-handshake", "\"$0\"").replace("swarms.db", "\"$2\"").replace("releases/", "\"$1\"");
    let mailed = |db: &Path| told(&shell(&recipe).arg(lab.torrent()).arg(db).output().unwrap());
    assert_eq!(mailed(&db), (0, String::new(), String::new()));
    let (code, mail, _) = mailed(&lab.folder);
    assert!(code == 0 && mail.contains("alive") && mail.contains("not recorded: "), "{mail}");
    lab.tracker.set_script(TrackerScript::peers(Vec::<std::net::SocketAddr>::new()));
    let (_, mail, _) = mailed(&db);
    assert!(mail.contains("since the last run: ") && mail.contains("seeds 0, wanted 1 (--fail-under)"), "{mail}");
}

#[test]
fn torrents_that_have_changed_are_told_before_the_others() {
    let (lab, db) = kept("db-two");
    let copy = lab.file("copy.torrent", b"x");
    lab.tracker.set_script(TrackerScript::peers(lab.swarm.endpoints()[..1].to_vec()));
    let (code, stdout, stderr) = of(&[copy.to_str().unwrap()], &db, &lab);
    assert!(code == 2 && stdout.contains("1 torrent changed since the last run\n  + lab"), "{stdout}{stderr}");
    let (_, stdout, _) = of(&["--nagios"], &db, &lab);
    assert!(stdout.starts_with("TORRENT OK: ") && stdout.lines().count() == 1, "{stdout}");
    assert_eq!(observations(&db, &lab).len(), 3);
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_the_run_goes_on() {
    let (lab, db) = kept("db-bad");
    let newer = lab.folder.join("newer.db");
    let mut bytes = std::fs::read(&db).unwrap();
    // The version of the schema, in the header of SQLite's format.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&newer, &bytes).unwrap();
    let torn = lab.folder.join("torn.db");
    bytes[60..64].copy_from_slice(&1_u32.to_be_bytes());
    bytes[4096..].fill(0xff);
    std::fs::write(&torn, &bytes).unwrap();
    let text = lab.file(
        "text.db",
        b"these are not the bytes of a database, and there are more of them than its header has, \
        which are a hundred",
    );
    let nowhere = PathBuf::from("/sys/a.db");
    for (path, reason) in [
        (&newer, "schema version 99"),
        (&torn, "the history is damaged"),
        (&text, "not a SQLite database"),
        (&lab.folder, "not a regular file"),
        (&nowhere, "cannot be opened"),
        (&lab.folder.join("none/a.db"), "cannot be opened"),
    ] {
        let before = std::fs::read(path).ok();
        let (code, stdout, stderr) = of(&[], path, &lab);
        assert!(stdout.contains("alive") && code == 2, "{path:?}: {code} {stdout}{stderr}");
        assert!(stderr.contains("not recorded: ") && stderr.contains(reason), "{path:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{path:?}: {stderr}");
        assert_eq!(std::fs::read(path).ok(), before, "{path:?}");
        let (code, stdout, _) = of(&["--nagios"], path, &lab);
        assert!(code == 3 && stdout.contains(reason), "{path:?}: {code} {stdout}");
        // It is no torrent.
        assert!(stdout.starts_with("TORRENT UNKNOWN: lab") && stdout.contains("|seeds=2;"), "{path:?}: {stdout}");
    }
    assert_eq!(observations(&db, &lab).len(), 1);
}

/// By two files of one torrent: each run has its own seeds.
#[test]
fn a_torrent_that_is_given_twice_loses_no_seed() {
    let (lab, db) = kept("db-twice");
    let again = lab.file("again.torrent", &std::fs::read(lab.torrent()).unwrap());
    let (code, stdout, stderr) = of(&["--every", "1s", "--count", "2", again.to_str().unwrap()], &db, &lab);
    assert!(code == 0 && !stdout.contains("gone"), "{stdout}{stderr}");
    let gone: Vec<u32> = observations(&db, &lab).iter().map(|seen| seen.met.unwrap().seeds_gone).collect();
    assert_eq!(gone, [0, 0, 0]);
}

#[test]
fn a_second_writer_is_told_and_goes_on() {
    let (lab, db) = kept("db-writers");
    let (child, stdout) = going_on(&db, &lab);
    let (code, second, stderr) = of(&[], &db, &lab);
    assert!(code == 2 && second.contains("alive"), "{second}");
    assert!(stderr.contains("not recorded: another process is writing to this history"), "{stderr}");
    signal(&child, "INT");
    assert!(stdout.lines().last().unwrap().unwrap().contains(" in "));
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let (code, ..) = of(&[], &db, &lab);
    assert_eq!(code, 0);
}

#[test]
fn a_killed_run_leaves_a_whole_file() {
    let (lab, db) = kept("db-killed");
    let (child, mut stdout) = going_on(&db, &lab);
    stdout.read_line(&mut String::new()).unwrap();
    signal(&child, "KILL");
    child.wait_with_output().unwrap();
    // What it had told, it had kept.
    let count = observations(&db, &lab).len();
    assert!(count >= 3, "{count}");
    let (code, ..) = of(&[], &db, &lab);
    assert_eq!((code, observations(&db, &lab).len()), (0, count + 1));
}

/// Its folder is made while the run goes on.
#[test]
fn recording_is_tried_again_in_each_round() {
    let lab = Lab::new("db-later", [seed(Client::Qbittorrent)]);
    let db = lab.folder.join("later/a.db");
    let (mut child, stdout) = going_on(&db, &lab);
    std::fs::create_dir(lab.folder.join("later")).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = [stderr.next(), stderr.find(|line| line.as_ref().is_ok_and(|line| line.contains("recorded")))];
    let told = told.map(|line| line.unwrap().unwrap());
    assert!(told[0].contains("not recorded: the history cannot be opened: "), "{told:?}");
    assert!(told[1].ends_with("/later/a.db: recorded again"), "{told:?}");
    signal(&child, "INT");
    assert!(stdout.lines().last().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!observations(&db, &lab).is_empty());
}
