//! What is said of trackers that give nothing, and the marks, exit codes and numbers that go with it.

use crate::lab::{Lab, bare, of, run, told};
use fake_swarm::TrackerScript;
use fake_swarm::torrent::SingleFile;
use serde_json::Value;

fn reply(status: &str, body: &[u8]) -> TrackerScript {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    TrackerScript::Raw([head.as_bytes(), body].concat())
}

/// A scrape's answer about the lab's torrent.
fn counts(lab: &Lab, counts: &str) -> TrackerScript {
    reply("200 OK", &[b"d5:filesd20:", &lab.swarm.info_hash()[..], counts.as_bytes(), b"ee"].concat())
}

/// The line about the tracker.
fn tracker(args: &[&str], lab: &Lab) -> Value {
    let (_, stdout, _) = run(&[&["--json"], args].concat(), &lab.torrent());
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.into_iter().find(|line| line["type"] == "tracker").unwrap()
}

#[test]
fn a_refusal_is_an_answer() {
    let lab = Lab::new("refusal", []);
    for (beside, what) in [
        ("8:retry in5:never", "name another --tracker: refused by "),
        ("", "name another --tracker: refused by "),
        ("8:retry ini5e", "try again in 5 min, or name another --tracker: refused by "),
    ] {
        lab.tracker.set_script(reply("200 OK", format!("d14:failure reason12:unregistered{beside}e").as_bytes()));
        for args in [&[][..], &["-q"], &["--nagios"], &["--scrape"]] {
            let (code, stdout, stderr) = run(args, &lab.torrent());
            let (all, nagios) = (format!("{stdout}{stderr}"), args == ["--nagios"]);
            assert_eq!(code, if nagios { 2 } else { 3 }, "{all}");
            let told = if ["-q", "--nagios"].iter().all(|form| !args.contains(form)) {
                what.split(": ").next().unwrap()
            } else {
                what
            };
            let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(all.contains(told.trim()) && all.contains("unregistered"), "{all}");
            assert!(!all.contains("no tracker answered") && !all.contains("try again later"), "{all}");
        }
    }
}

#[test]
fn when_to_ask_again_is_in_the_json() {
    let lab = Lab::new("again", []);
    let refusal = b"d14:failure reason2:no8:intervali3600e12:min intervali1800ee";
    for (status, body, numbers) in [
        ("200 OK", &refusal[..], [Some(3600), Some(1800), None]),
        ("403 Forbidden", refusal, [Some(3600), Some(1800), None]),
        ("429 Slow\r\nRetry-After: 90", b"", [None, None, Some(90)]),
        ("503 Busy\r\nRetry-After: 90", refusal, [Some(3600), Some(1800), Some(90)]),
    ] {
        lab.tracker.set_script(reply(status, body));
        let line = tracker(&[], &lab);
        assert_eq!(["interval_s", "min_interval_s", "retry_in_s"].map(|key| line[key].as_u64()), numbers, "{line}");
        let (_, stdout, _) = of("announce", &[lab.torrent().to_str().unwrap()]);
        let again = stdout.contains("    again       in 60 min, not before 30 min\n");
        assert_eq!(again, numbers[0].is_some(), "{stdout}");
    }
    lab.tracker.set_script(reply("200 OK", b"d5:filesde5:flagsd20:min_request_intervali600eee"));
    assert_eq!(tracker(&["--scrape"], &lab)["min_interval_s"], 600);
}

#[test]
fn a_scrape_without_a_count_is_no_count_of_zero() {
    let lab = Lab::new("no-count", []);
    for (script, said) in [
        (reply("200 OK", b"d5:filesdee"), "the tracker does not know this torrent"),
        (counts(&lab, "de"), "the tracker lists this torrent without a count"),
    ] {
        lab.tracker.set_script(script);
        let line = tracker(&["--scrape"], &lab);
        assert_eq!((&line["status"], &line["message"]), (&Value::from("no_count"), &Value::from(said)));
        assert!(["seeders", "leechers", "downloaded"].iter().all(|key| line[key].is_null()), "{line}");
        let (code, stdout, _) = run(&["--scrape"], &lab.torrent());
        let told = "\n- 1 of 1 tracker request answered (1 without a count)";
        assert!(code == 3 && stdout.contains(told) && !stdout.contains("try again"), "{stdout}");
        let (_, _, stderr) = run(&["--scrape", "-q"], &lab.torrent());
        assert!(stderr.contains(&format!("?passkey=***: {said}\n")) && !stderr.contains("try again"), "{stderr}");
        let (code, stdout, _) = run(&["--scrape", "--nagios", "--fail-under", "seeds=1"], &lab.torrent());
        assert!(code == 2 && stdout.contains(": seeds unknown, wanted 1; "), "{stdout}");
        let (_, data) = stdout.split_once('|').unwrap();
        assert!(data.starts_with("trackers=0;;;0;1 time="), "{data}");
    }
}

/// A count of zero is a count; mark and exit code agree.
#[test]
fn a_scrape_with_a_count_is_an_answer_whatever_it_counts() {
    let lab = Lab::new("count", []);
    for (count, said) in [
        ("d8:completei5ee", "answered, 5 seeds claimed"),
        ("d8:completei0e10:incompletei0ee", "answered, 0 seeds claimed"),
        ("d10:incompletei2ee", "answered, without a count of seeds"),
    ] {
        lab.tracker.set_script(counts(&lab, count));
        let (code, stdout, stderr) = run(&["--scrape"], &lab.torrent());
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert!(stdout.contains(&format!("\n+ 1 of 1 tracker request {said}")), "{stdout}");
        let (code, stdout, _) = run(&["--scrape", "--nagios"], &lab.torrent());
        assert!(code == 0 && stdout.contains("|trackers=1;;;0;1 time="), "{stdout}");
    }
    // Who asked for peers and got none has no answer, whatever is claimed.
    lab.tracker.set_script(reply("200 OK", b"d8:completei50e10:incompletei3e8:intervali60e5:peers0:e"));
    let (code, stdout, _) = run(&[], &lab.torrent());
    assert!(
        code == 1
            && stdout.contains("\n- no peer named: the tracker answered and names none, though it claims 50 seeds"),
        "{stdout}"
    );
    let (code, stdout, _) = run(&["--nagios"], &lab.torrent());
    assert!(code == 2 && stdout.contains("|seeds=0;;;0;0 ok=0;;;0;0 peers=0;;;0; trackers=1;;;0;1 "), "{stdout}");
}

#[test]
fn no_scrape_is_no_reason_to_try_later() {
    let lab = Lab::new("no-scrape", []);
    lab.tracker.set_script(reply("404 Not Found", b"<html>"));
    for args in [&["--scrape"][..], &["--scrape", "-q"], &["--scrape", "--nagios"]] {
        let (_, stdout, stderr) = run(args, &lab.torrent());
        let all = format!("{stdout}{stderr}").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(all.contains("ask with announce instead"), "{all}");
        assert!(all.contains("this tracker has no scrape: HTTP 404"), "{all}");
        assert!(!all.contains("try again") && !all.contains("no tracker answered"), "{all}");
    }
    let (code, stdout, stderr) = of("scrape", &["--tracker", "http://127.0.0.1:1/ann", &"ab".repeat(20)]);
    assert!(code == 3 && stdout.contains("\n    scrape_unsupported"), "{stdout}");
    assert!(stderr.contains(": ask with announce instead: ") && !stderr.contains("try again"), "{stderr}");
}

/// Our own machine's fault is not the tracker's.
#[test]
fn a_machine_without_certificates_is_said_to_have_none() {
    let lab = Lab::new("no-roots", []);
    let url = lab.tracker.announce_url().replace("http", "https");
    let mut command = bare();
    command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    let (code, stdout, stderr) =
        told(&command.args(["announce", "--tracker", &url, &"ab".repeat(20)]).output().unwrap());
    assert!(code == 3 && stdout.contains("\n    tls_no_roots from "), "{stdout}");
    assert!(
        stderr.contains("this machine has no certificates to trust") && !stderr.contains("no tracker answered"),
        "{stderr}"
    );
}

#[test]
fn bad_trackers_are_told_apart() {
    let lab = Lab::new("bad", []);
    let tiers = ["<html>", "313131", "foo://s3cret/announce", "udp://t.example/announce"];
    let tiers = tiers.iter().map(|url| vec![*url]).collect();
    let file = SingleFile { announce_list: tiers, ..SingleFile::new("bad.bin", 5) };
    let (code, stdout, stderr) = of("announce", &[lab.file("bad.torrent", &file.to_bytes()).to_str().unwrap()]);
    let lines: Vec<&str> = stdout.lines().filter(|line| line.starts_with("- ")).collect();
    let expected = ["- *** (tracker 1)", "- *** (tracker 2)", "- *** (tracker 3)", "- udp://t.example/announce"];
    assert_eq!((code, lines), (3, expected.to_vec()));
    assert!(stdout.contains("bad URL: no port: "), "{stdout}");
    assert!(stderr.contains(": name another --tracker: *** (tracker 1): bad URL: not a URL; "), "{stderr}");
}
