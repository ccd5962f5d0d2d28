//! The README's commands and what it shows of their output. `UPDATE_SNAPSHOTS=1` writes what is printed into the README.

use crate::lab::{Lab, bare, demo_peers, lasting};
use fake_swarm::{FakeDht, FakeWebSeed, TrackerScript, WebFile, WebSeedScript, WebSite};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// What the README's commands are run on.
struct Stage(Lab, FakeWebSeed, FakeDht);

impl Stage {
    fn new(name: &str) -> Self {
        let lab = Lab::demo(name, demo_peers());
        for name in ["file", "my", "other"] {
            std::fs::copy(lab.folder.join("demo.torrent"), lab.folder.join(format!("{name}.torrent"))).unwrap();
        }
        lab.file("links.txt", b"file.torrent\n");
        std::fs::create_dir(lab.folder.join("releases")).unwrap();
        std::fs::copy(lab.folder.join("demo.torrent"), lab.folder.join("releases/demo.torrent")).unwrap();
        let inside = lab.runtime.enter();
        let site = WebSite::new(WebSeedScript::Ranges).file("/pub/demo.iso", WebFile::Zeros(600_000_000));
        let web_seed = FakeWebSeed::start(site).unwrap();
        // Of few nodes, with addresses that stand for any in a sample.
        let dht = FakeDht::start_on((10..16).map(|n| (Ipv4Addr::new(127, 0, n, 1), 0))).unwrap();
        drop(inside);
        dht.store(lab.swarm.info_hash(), lab.swarm.endpoints());
        dht.nodes().iter().step_by(2).for_each(|node| node.change(|script| script.version(b"LT\x02\x0b")));
        // The commands run at the same time, and one of them reads what another one keeps.
        assert!(
            lab.inside()
                .args(["--db", "swarms.db", "-o", "out.ndjson", "file.torrent"])
                .output()
                .unwrap()
                .status
                .success()
        );
        for name in ["a.db", "b.db"] {
            std::fs::copy(lab.folder.join("swarms.db"), lab.folder.join(name)).unwrap();
        }
        Self(lab, web_seed, dht)
    }

    /// Runs one of the README's lines: the command of it, for what comes behind a pipe is not ours. Whatever it names
    /// beyond this machine is replaced by what is here.
    fn run(&self, line: &str) -> (i32, String, String) {
        let ours = line.split(" | ").next().unwrap().split(" # ").next().unwrap();
        let mut command = self.0.inside();
        let (of_web_seeds, of_dht) = (line.contains(" web-seeds "), line.contains(" dht "));
        let hash = self.0.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
        for word in ours.split_whitespace().skip_while(|word| *word != "bt-handshake" && *word != "--").skip(1) {
            let word = word.trim_matches('\'');
            let is_address = word.contains(':') && word.ends_with(|c: char| c.is_ascii_digit());
            match word {
                "HASH" => command.arg(&hash),
                // The torrent names none.
                "web-seeds" => command.args([word, "--web-seed", &self.1.url("/pub/")]),
                url if url.starts_with("http://") && of_web_seeds => command.arg(self.1.url("/pub/")),
                url if url.starts_with("http://") => command.arg(self.0.tracker.announce_url()),
                link if link.starts_with("magnet:") => command.arg(format!("magnet:?xt=urn:btih:{hash}")),
                _ if is_address && of_dht => command.arg(self.2.nodes()[0].addr().to_string()),
                _ if is_address => command.arg(self.0.swarm.endpoints()[0].to_string()),
                "*.torrent" => command.args(["file.torrent", "my.torrent"]),
                word => command.arg(word),
            };
        }
        if (of_dht || line.contains("magnet:") || line.contains(" metadata "))
            && !line.contains(" --dht-node ")
            && !line.contains(" --ping ")
        {
            command.args(["--dht-node", &self.2.nodes()[0].addr().to_string()]);
        }
        if line.contains(" --every ") {
            command.args(["--count", "1"]);
        }
        self.0.tracker.set_script(if line.contains(" scrape ") { self.counts() } else { self.peers() });
        crate::lab::told(&command.output().unwrap())
    }

    fn peers(&self) -> TrackerScript {
        TrackerScript::peers(self.0.swarm.endpoints())
    }

    fn counts(&self) -> TrackerScript {
        let body =
            [b"d5:filesd20:".to_vec(), self.0.swarm.info_hash().to_vec(), b"d8:completei3eeee".to_vec()].concat();
        TrackerScript::Body { status: 200, content_type: "text/plain".to_owned(), body }
    }
}

/// The README, and the reference.
const PAGES: [&str; 2] = ["../../README.md", "README.md"];

fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(page)
}

fn read(page: &str) -> String {
    std::fs::read_to_string(path(page)).unwrap()
}

/// The fenced blocks of a kind, without their fences.
fn blocks(readme: &str, kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = readme;
    while let Some((_, after)) = rest.split_once(&format!("```{kind}\n")) {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

#[test]
fn what_the_pages_show_is_what_is_printed() {
    let stage = Stage::new("shown");
    let shown: usize = PAGES.iter().map(|page| compare(&stage, page)).sum();
    assert!(shown >= 5, "{shown}");
}

/// Each sample of a page with what is printed; how many there are.
fn compare(stage: &Stage, page: &str) -> usize {
    let readme = read(page);
    let mut updated = readme.clone();
    let samples = blocks(&readme, "console");
    let count = samples.len();
    for sample in samples {
        let (line, shown) = sample.split_once('\n').unwrap();
        let command = line.strip_prefix("$ ").unwrap();
        let (_, stdout, stderr) = stage.run(command);
        assert_eq!(stderr, "", "{command}");
        updated = updated.replace(&sample, &format!("{line}\n{stdout}"));
        if std::env::var_os("UPDATE_SNAPSHOTS").is_none() {
            assert_eq!(lasting(shown), lasting(&stdout), "{command}; UPDATE_SNAPSHOTS=1 writes what is printed");
        }
    }
    if updated != readme && std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path(page), updated).unwrap();
    }
    count
}

/// A first page, not a manual.
#[test]
fn the_readme_is_short() {
    let readme = read("../../README.md");
    assert!(readme.len() <= 10 * 1024, "{} bytes", readme.len());
}

#[test]
fn every_command_of_the_pages_works() {
    let readme = PAGES.map(read).concat();
    let stage = Stage::new("commands");
    let tasks = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/src/main.rs")).unwrap();
    let mut commands = Vec::new();
    for line in blocks(&readme, "sh").iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
        if let Some(task) = line.strip_prefix("cargo xtask ") {
            let task = task.split_whitespace().next().unwrap();
            assert!(tasks.contains(&format!("\n  {task}")), "{line}");
        } else if line == "cargo install --locked --path crates/cli" {
            // What it installs is what these tests run.
            continue;
        } else if line.starts_with("bt-handshake ") || line.starts_with("cargo run -p cli -- ") {
            commands.push(line.to_owned());
        } else {
            panic!("no test knows how to try this: {line}");
        }
    }
    assert!(commands.len() >= 10, "{commands:?}");
    let (_, help, _) = crate::lab::told(&bare().arg("--help").output().unwrap());
    let examples =
        help.lines().filter_map(|line| line.strip_prefix("  bt-handshake ")).filter(|line| line.contains("  "));
    let examples = examples.filter(|example| example.contains("torrent") || example.contains("HASH")).take(5);
    commands.extend(examples.map(|example| format!("bt-handshake {}", example.split("   ").next().unwrap())));
    let works = |line: &str| {
        let (code, stdout, stderr) = stage.run(line);
        let is_file = [" report ", " merge ", " --resume "].iter().any(|word| line.contains(word));
        assert!((0..=1).contains(&code) && stdout.is_empty() <= is_file, "{line}: {code} {stderr}");
    };
    // A scrape is answered by another tracker, as it were; the others wait for the same one.
    let (scrapes, others): (Vec<_>, Vec<_>) = commands.iter().partition(|line| line.contains(" scrape "));
    scrapes.into_iter().for_each(|line| works(line));
    std::thread::scope(|scope| others.into_iter().for_each(|line| drop(scope.spawn(|| works(line)))));
}

/// Each option of the main job is in the table, and nothing else is.
#[test]
fn every_option_is_in_the_reference() {
    let readme = read("README.md");
    let output = bare().arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let options = |text: &str| -> std::collections::BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words.filter(|word| word.starts_with("--") && word.len() > 3).map(str::to_owned).collect()
    };
    let table = readme.split("| option | meaning |").nth(1).unwrap().split("\n\n").next().unwrap();
    let named = |line: &&str| line.trim_start().starts_with('-');
    let of_help = options(&help.lines().filter(named).collect::<Vec<_>>().join("\n"));
    let of_table = options(&table.lines().filter_map(|row| row.split('|').nth(1)).collect::<Vec<_>>().join("\n"));
    assert_eq!(of_help, of_table);
}
