//! `cargo xtask consumer`: packages outside the workspace that use its crates as others would: one of the lines that the
//! README gives, which is run on a scripted swarm, and one for each library with its examples. In the workspace a crate may
//! live on features and dependencies that others ask for; here it has its own only.

mod manifest;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fake_swarm::torrent::SingleFile;
use fake_swarm::{FakeSwarm, FakeTracker, Peer, TrackerScript, message, peer_ip};
use serde_json::Value;
use xtask::scratch::{Scratch, make_folder, write};
use xtask::shell::{self, Result};
use xtask::skips::Skips;

/// The package of the README's lines.
const README: &str = "of-the-readme";

/// The name that the README's program may know its torrent by; it is given as an argument too.
const TORRENT: &str = "example.torrent";

/// Makes the packages, builds them, and runs the README's program.
pub(crate) fn run(skips: &Skips) -> Result {
    let packages = Packages::make()?;
    if let Err(reason) = packages.fetch() {
        return skips.cannot(format!("what the packages depend on cannot be fetched: {reason}"));
    }
    packages.run_readme()?;
    for crate_name in &packages.crates {
        // First without what its examples bring, which it could otherwise live on.
        shell::run(packages.cargo(&["check", "--quiet", "--lib", "--package"]).arg(user(crate_name)))?;
        shell::run(packages.cargo(&["check", "--quiet", "--examples", "--package"]).arg(user(crate_name)))?;
    }
    println!("the README's program and {} crates with their examples work from outside", packages.crates.len());
    Ok(())
}

/// The package that uses a crate.
fn user(crate_name: &str) -> String {
    format!("user-of-{crate_name}")
}

/// The packages, in a workspace of their own.
struct Packages {
    folder: PathBuf,
    /// The crates that are used.
    crates: Vec<String>,
}

impl Packages {
    /// Writes them anew, with our lock file: what both use has the same version.
    fn make() -> Result<Self> {
        let (root, folder) = (shell::root(), shell::target().join("consumer"));
        let readme = read(&root.join("README.md"))?;
        let lines = manifest::lines(&readme)?;
        let manifest = manifest::package(README) + &manifest::here(lines.manifest, &root)?;
        write_package(&folder.join(README), &manifest, &[("src/main.rs", lines.main)])?;
        let mut crates = Vec::new();
        for (crate_name, declared) in libraries()? {
            let path = root.join("crates").join(&crate_name);
            let examples = examples(&path.join("examples"))?;
            let manifest = user_manifest(&crate_name, &path, &declared, &examples)?;
            let library = format!("use {} as _;\n", crate_name.replace('-', "_"));
            let files = examples.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            let files: Vec<_> = files.chain([("src/lib.rs", library.as_str())]).collect();
            write_package(&folder.join(user(&crate_name)), &manifest, &files)?;
            crates.push(crate_name);
        }
        let members: Vec<String> =
            crates.iter().map(|name| user(name)).chain([README.to_owned()]).map(|name| format!("{name:?}")).collect();
        let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", "));
        write(&folder.join("Cargo.toml"), workspace)?;
        write(&folder.join("Cargo.lock"), read(&root.join("Cargo.lock"))?)?;
        Ok(Self { folder, crates })
    }

    /// Cargo in their workspace.
    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = shell::cargo(args);
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", shell::target());
        command
    }

    /// Resolves and fetches what they depend on, apart from their build: a network that is not there and a fault of ours
    /// cannot be taken for each other. What the workspace itself has needs none.
    fn fetch(&self) -> Result {
        let quietly = |args: &[&str]| shell::run_quiet(&mut self.cargo(args)).map(drop);
        quietly(&["fetch", "--offline"]).or_else(|_| quietly(&["fetch"]))
    }

    /// Runs the README's program on a torrent whose swarm is on loopback. Its log must name the tracker and the peer.
    fn run_readme(&self) -> Result {
        shell::run(self.cargo(&["build", "--quiet", "--offline", "--package", README]).stdin(Stdio::null()))?;
        let program = shell::target().join("debug").join(README);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        runtime.block_on(async {
            let failed = |error: fake_swarm::Error| format!("the fake swarm: {error}");
            let torrent = SingleFile::new("example.iso", 1 << 20);
            let peer = Peer::default().sending([message::have_all()]);
            let peers = [(peer_ip(0), peer), (peer_ip(1), Peer::refusing())];
            let swarm = FakeSwarm::start(torrent.info_hash(), &peers).map_err(failed)?;
            let tracker = FakeTracker::start(TrackerScript::peers(swarm.endpoints())).map_err(failed)?;
            let url = tracker.announce_url();
            let scratch = Scratch::new(false)?;
            let place = scratch.folder("consumer")?;
            write(&place.join(TORRENT), SingleFile { announce: Some(&url), ..torrent }.to_bytes())?;
            let mut command = Command::new(program);
            command.arg(TORRENT).current_dir(place).env("RUST_LOG", "debug");
            let expected = [url, swarm.addr(peer_ip(0)).to_string()];
            // The swarm runs on this thread, so the program is waited for on another.
            let run = tokio::task::spawn_blocking(move || logs(command, &expected));
            run.await.map_err(|error| format!("consumer: {error}"))?
        })
    }
}

/// Runs a program, which must succeed and log these.
fn logs(mut command: Command, expected: &[String]) -> Result {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot start `{}`: {error}", shell::shown(&command)))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let missing = expected.iter().find(|text| !log.contains(*text));
    match missing {
        None if output.status.success() => Ok(()),
        None => Err(format!("the README's program failed: {}\n{log}", output.status)),
        Some(text) => Err(format!("the README's program does not log {text} with RUST_LOG=debug:\n{log}")),
    }
}

/// The crates that others can use, each with the dependencies that it declares.
fn libraries() -> Result<BTreeMap<String, Vec<Value>>> {
    let is_library = |package: &&Value| {
        let kinds = package["targets"].as_array().into_iter().flatten().filter_map(|target| target["kind"].as_array());
        // The automation is one for `lab` alone.
        package["name"] != "xtask" && kinds.flatten().any(|kind| kind == "lib")
    };
    let named =
        |package: &Value| Some((package["name"].as_str()?.to_owned(), package["dependencies"].as_array()?.clone()));
    let libraries = shell::packages()?.iter().filter(is_library).map(named).collect::<Option<_>>();
    libraries.ok_or_else(|| "cargo metadata: not the format we know".to_owned())
}

/// The manifest of a package that uses one crate, and in its examples what they name.
fn user_manifest(
    crate_name: &str,
    path: &Path,
    declared: &[Value],
    examples: &BTreeMap<String, String>,
) -> Result<String> {
    let source = examples.values().map(String::as_str).collect::<Vec<_>>().concat();
    let declared: Vec<&Value> = declared.iter().collect();
    let others = manifest::dependencies(&declared, &source).ok_or("cargo metadata: not the format we know")?;
    let (package, path) = (manifest::package(&user(crate_name)), path.display().to_string());
    Ok(format!("{package}[dependencies]\n{crate_name} = {{ path = {path:?} }}\n\n[dev-dependencies]\n{others}"))
}

/// The examples in a folder, by their path in a package.
fn examples(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rs") {
            examples.insert(format!("examples/{name}"), read(&entry.path())?);
        }
    }
    Ok(examples)
}

/// Writes a package in the place of the one that is there.
fn write_package(folder: &Path, manifest: &str, files: &[(&str, &str)]) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    for (name, text) in files.iter().chain(&[("Cargo.toml", manifest)]) {
        let file = folder.join(name);
        file.parent().map_or(Ok(()), make_folder)?;
        write(&file, text)?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}
