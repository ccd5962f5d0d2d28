//! Programs that some checks need and a bare machine lacks: one table for the checks, which skip what they cannot do, for the
//! table at the end of `ci`, for `.ci/run` and for `xtask/README.md`. A bare machine has the Rust toolchain, a C compiler
//! and Debian's minimal root.

#![expect(missing_docs, reason = "each static says its name and what it is for")]

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::shell::find_program;
use crate::unshare;

/// Programs, a library, or a right of the kernel.
pub struct Optional {
    /// The name in the tables.
    pub name: &'static str,
    /// Finds out whether it is installed.
    pub is_here: fn(&Self) -> bool,
    /// The programs that it consists of.
    pub programs: &'static [&'static str],
    /// Where to get it.
    pub source: Source,
    /// The checks that need it.
    pub purpose: &'static str,
}

/// Where it is installed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A Debian package.
    Debian(&'static str),
    /// A package of crates.io, with a program.
    Cargo(&'static str),
    /// A component of the nightly toolchain.
    Nightly(&'static str),
    /// The rights of root, or a kernel that grants them to users.
    Rights,
}

/// All of them, in the order in which the checks need them.
pub static ALL: &[&Optional] = &[
    &GIT,
    &CARGO_DENY,
    &MIRI,
    &TMUX,
    &BASH,
    &OPENTRACKER,
    &MKTORRENT,
    &TRANSMISSION_CLI,
    &TRANSMISSION,
    &ARIA2,
    &RTORRENT,
    &LIBTORRENT,
    &CTORRENT,
    &QBITTORRENT,
    &DELUGE,
    &NODE,
    &NPM,
    &NGINX,
    &OPENSSL,
    &CADDY,
    &PYTHON3,
    &VENV,
    &SQLITE3,
    &STRACE,
    &FAKETIME,
    &UTIL_LINUX,
    &MOUNT,
    &IPROUTE2,
    &NFTABLES,
    &NAMESPACES,
];

pub static GIT: Optional = debian("git", &["git"], "git", "`tidy`");
pub static CARGO_DENY: Optional = Optional {
    name: "cargo-deny",
    is_here: Optional::is_on_path,
    programs: &["cargo-deny"],
    source: Source::Cargo("cargo-deny"),
    purpose: "`deny`",
};
pub static MIRI: Optional = Optional {
    name: "Miri",
    // Not `$CARGO`: only rustup's `cargo` has the other toolchains.
    is_here: |_| {
        find_program("rustup").is_some() && succeeds(Command::new("cargo").args(["+nightly", "miri", "--version"]))
    },
    programs: &[],
    source: Source::Nightly("miri"),
    purpose: "`miri`",
};
pub static TMUX: Optional = debian("tmux", &["tmux"], "tmux", "`terminal`");
pub static BASH: Optional = debian("bash", &["bash"], "bash", "`terminal`");
pub static OPENTRACKER: Optional = debian("opentracker", &["opentracker"], "opentracker", "`integration`");
pub static MKTORRENT: Optional = debian("mktorrent", &["mktorrent"], "mktorrent", "`integration`");
pub static TRANSMISSION_CLI: Optional = debian(
    "transmission-create and -show",
    &["transmission-create", "transmission-show"],
    "transmission-cli",
    "`integration`",
);
pub static TRANSMISSION: Optional =
    debian("transmission-daemon", &["transmission-daemon"], "transmission-daemon", CLIENT);
pub static ARIA2: Optional = debian("aria2", &["aria2c"], "aria2", CLIENT);
pub static RTORRENT: Optional = debian("rtorrent", &["rtorrent"], "rtorrent", CLIENT);
pub static LIBTORRENT: Optional = Optional {
    is_here: |_| succeeds(Command::new(PYTHON).args(["-c", "import libtorrent"])),
    ..debian(
        "libtorrent for Python",
        &[],
        "python3-libtorrent",
        "`integration`: a client, `matrix`, `bittorrent-tracker`, `utp`, `dht`",
    )
};
pub static CTORRENT: Optional = debian("ctorrent", &["ctorrent"], "ctorrent", CLIENT);
pub static QBITTORRENT: Optional = debian("qbittorrent-nox", &["qbittorrent-nox"], "qbittorrent-nox", CLIENT);
pub static DELUGE: Optional = debian("deluged", &["deluged"], "deluged", "`integration`: a client");
pub static NODE: Optional = debian("node", &["node"], "nodejs", OF_NPM);
pub static NPM: Optional = debian("npm", &["npm"], "npm", OF_NPM);
pub static NGINX: Optional = debian("nginx", &["nginx"], "nginx-light", "`integration`: `proxied`, `web-seeds`");
pub static OPENSSL: Optional = debian("openssl", &["openssl"], "openssl", "`integration`: `proxied`, `web-seeds`");
pub static CADDY: Optional = debian("caddy", &["caddy"], "caddy", "`integration`: `web-seeds`");
pub static PYTHON3: Optional = debian("Debian's Python", &[PYTHON], "python3", "`integration`: `web-seeds`");
pub static VENV: Optional = Optional {
    is_here: |_| succeeds(Command::new(PYTHON).args(["-c", "import ensurepip"])),
    ..debian("venv of Python", &[], "python3-venv", "`integration`: `utp`, `dht`")
};
pub static SQLITE3: Optional = debian("sqlite3", &["sqlite3"], "sqlite3", "`integration`: `history`, `day`");
pub static STRACE: Optional = debian("strace", &["strace"], "strace", "`integration`: `hostile`, `hostile-inside`");
pub static FAKETIME: Optional = Optional {
    is_here: |_| faketime().is_some(),
    ..debian("libfaketime", &[], "libfaketime", "`integration`: clocks that jump, in `hostile`")
};
pub static UTIL_LINUX: Optional = debian(
    "unshare and prlimit",
    &["unshare", "prlimit"],
    "util-linux",
    "`integration`: `hostile`, namespaces; `bare`",
);
pub static MOUNT: Optional = debian("mount", &["mount"], "mount", "`integration`: namespaces; `bare`");
pub static IPROUTE2: Optional = debian("ip", &["ip"], "iproute2", "`integration`: namespaces");
pub static NFTABLES: Optional = debian("nft", &["nft"], "nftables", "`integration`: `utp`");
pub static NAMESPACES: Optional = Optional {
    name: "network namespaces",
    is_here: |_| unshare::command(unshare::NETWORK).is_some(),
    programs: &[],
    source: Source::Rights,
    purpose: "`integration`: `ssrf`, `leak`, `dns`, `dual-stack`, `pex`, `hostile-inside`, `utp`, `many`, `dht`",
};

const CLIENT: &str = "`integration`: a client";
const OF_NPM: &str = "`integration`: `bittorrent-tracker`, `dual-stack`, `web-seeds`, `utp`, `dht`";

/// Programs of a Debian package.
const fn debian(
    name: &'static str,
    programs: &'static [&'static str],
    package: &'static str,
    purpose: &'static str,
) -> Optional {
    Optional { name, is_here: Optional::is_on_path, programs, source: Source::Debian(package), purpose }
}

/// Debian's own Python, which finds the modules that Debian installs.
pub const PYTHON: &str = "/usr/bin/python3";

/// The folder in which Debian has one of libraries for each architecture.
const LIBRARIES: &str = "/usr/lib";

/// The library that gives a process its own clock.
pub fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
    folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Optional {
    fn is_on_path(&self) -> bool {
        self.programs.iter().all(|program| find_program(program).is_some())
    }

    /// Whether it is here.
    pub fn is_here(&self) -> bool {
        (self.is_here)(self)
    }

    /// Whether its absence is a failure with CI=true. Not so for a nightly toolchain, which may not be available offline.
    pub fn is_required_in_ci(&self) -> bool {
        !matches!(self.source, Source::Nightly(_))
    }
}

impl Source {
    /// The Debian package.
    fn debian(self) -> Option<&'static str> {
        match self {
            Self::Debian(package) => Some(package),
            _ => None,
        }
    }
}

/// The missing program, and how to install it.
impl fmt::Display for Optional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} ({})", self.name, self.source)
    }
}

/// How to install it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian(package) => write!(f, "apt-get install {package}"),
            Self::Cargo(package) => write!(f, "cargo install --locked {package}"),
            Self::Nightly(component) => write!(f, "rustup toolchain install nightly --component {component}"),
            Self::Rights => f.write_str("root, or a kernel that grants it to users"),
        }
    }
}

/// The command that installs the Debian packages among these.
pub fn apt_get(all: &[&Optional]) -> Option<String> {
    let packages: Vec<&str> = all.iter().filter_map(|one| one.source.debian()).collect();
    let command = || format!("apt-get install --no-install-recommends {}", packages.join(" "));
    (!packages.is_empty()).then(command)
}

/// The table of `xtask/README.md`, in Markdown.
pub fn listed() -> String {
    let rows = ALL.iter().map(|one| format!("| {} | {} | {} |\n", one.name, one.source, one.purpose));
    format!("| optional | from | needed by |\n|---|---|---|\n{}", rows.collect::<String>())
}

/// An optional program that is not installed, for tests.
#[cfg(test)]
pub const fn absent(name: &'static str, source: Source) -> Optional {
    Optional { name, is_here: |_| false, programs: &[], source, purpose: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn ci_run_installs_exactly_the_optional_programs() {
        let script = fs::read_to_string(shell::root().join(".ci/run")).unwrap();
        let lists = ["packages=(", "packages+=("].into_iter().flat_map(|start| script.split(start).skip(1));
        let lists = lists.filter_map(|rest| rest.split_once(')')).map(|(list, _)| list);
        let installed: BTreeSet<_> = lists.flat_map(str::split_whitespace).collect();
        let named: BTreeSet<_> = ALL.iter().filter_map(|one| one.source.debian()).collect();
        assert_eq!(installed, named);
        for one in ALL.iter().filter(|one| matches!(one.source, Source::Cargo(_))) {
            assert!(script.contains(&format!("cargo install --quiet --locked {}", one.name)), "{}", one.name);
        }
    }

    #[test]
    fn the_readme_lists_exactly_the_optional_programs() {
        let readme = fs::read_to_string(shell::root().join("xtask/README.md")).unwrap();
        assert!(readme.contains(&listed()), "xtask/README.md should have:\n{}", listed());
    }

    #[test]
    fn the_message_of_a_missing_program_has_the_command_that_installs_it() {
        assert_eq!(NGINX.to_string(), "no nginx (apt-get install nginx-light)");
        let command = "apt-get install --no-install-recommends nginx-light iproute2";
        assert_eq!(apt_get(&[&NGINX, &MIRI, &IPROUTE2]).as_deref(), Some(command));
        assert_eq!(apt_get(&[&MIRI]), None);
    }
}
