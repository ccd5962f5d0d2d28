//! `cargo xtask dist`: the files of a package, in `target/dist`: the stripped executable, and the manual pages and completions
//! that it writes itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xtask::binary;
use xtask::scratch::{make_folder, write};
use xtask::shell::{self, Result};
use xtask::skips::Skips;

const NAME: &str = "bt-handshake";

/// The most bytes of the executable, so that it is quick to download and to start: what it takes is to be known.
const MOST_BYTES: u64 = 8 << 20;

/// The shells, and the file name of completions for each.
const SHELLS: &[(&str, &str)] = &[
    ("bash", "bt-handshake.bash"),
    ("zsh", "_bt-handshake"),
    ("fish", "bt-handshake.fish"),
    ("powershell", "_bt-handshake.ps1"),
    ("elvish", "bt-handshake.elv"),
];

/// Checkers of manual pages, with their arguments before the page. A page is well-formed if they print nothing.
const JUDGES: &[(&str, &[&str])] = &[("groff", &["-ww", "-man", "-Tutf8", "-z"]), ("mandoc", &["-Tlint", "-Werror"])];

/// Makes all files anew, checks them, and prints their sizes.
pub(crate) fn run(skips: &Skips) -> Result {
    let folder = shell::target().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    make_folder(&folder)?;
    let binary = folder.join(NAME);
    let built = binary::build_with("stripped")?;
    fs::copy(&built, &binary).map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    let bytes = print_size(&binary)?;
    if bytes > MOST_BYTES {
        return Err(format!("the executable has {bytes} bytes, more than {MOST_BYTES}"));
    }
    let pages = pages(&binary, &folder)?;
    let completions = completions(&binary, &folder)?;
    for file in pages.iter().chain(&completions) {
        print_size(file)?;
    }
    check_pages(skips, &pages)?;
    check_bash(skips, &folder.join("bt-handshake.bash"))
}

/// Prints and returns the size of a file.
fn print_size(file: &Path) -> Result<u64> {
    let bytes = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    println!("{bytes:>8} bytes  {}", file.display());
    Ok(bytes)
}

/// The manual page of the command, and those of its subcommands that it refers to.
fn pages(binary: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let page = |command: Option<&str>| -> Result<(PathBuf, String)> {
        let text = shell::output(binary::command(binary).arg("man").args(command))?;
        let of = command.map(|command| format!("-{command}")).unwrap_or_default();
        let file = folder.join(format!("{NAME}{of}.1"));
        write(&file, &text)?;
        Ok((file, text))
    };
    let (main, text) = page(None)?;
    let commands = commands(&text);
    if commands.is_empty() {
        return Err(format!("{} refers to no page of a subcommand", main.display()));
    }
    let others: Result<Vec<PathBuf>> =
        commands.iter().map(|command| page(Some(command)).map(|(file, _)| file)).collect();
    Ok(std::iter::once(main).chain(others?).collect())
}

/// The subcommands whose pages this one refers to, as `bt\-handshake\-show(1)`.
fn commands(page: &str) -> Vec<String> {
    let lines = page.lines().map(|line| line.replace('\\', ""));
    let command = |line: String| Some(line.strip_prefix("bt-handshake-")?.strip_suffix("(1)")?.to_owned());
    lines.filter_map(command).collect()
}

fn completions(binary: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let of = |(shell, name): &(&str, &str)| -> Result<PathBuf> {
        let file = folder.join(name);
        write(&file, shell::output(binary::command(binary).args(["completions", shell]))?)?;
        Ok(file)
    };
    SHELLS.iter().map(of).collect()
}

/// Runs the installed checkers on the manual pages.
fn check_pages(skips: &Skips, pages: &[PathBuf]) -> Result {
    for (judge, args) in JUDGES {
        if shell::find_program(judge).is_none() {
            skips.may_lack(&format!("{judge} on the manual pages"), format!("no {judge}"))?;
            continue;
        }
        for page in pages {
            let mut command = Command::new(judge);
            command.args(*args).arg(page).stdin(Stdio::null());
            let output = command.output().map_err(|error| format!("cannot start {judge}: {error}"))?;
            let said = [output.stdout, output.stderr].concat();
            if !output.status.success() || !said.is_empty() {
                let said = String::from_utf8_lossy(&said);
                return Err(format!("`{}` failed: {}\n{said}", shell::shown(&command), output.status));
            }
        }
        println!("{judge}: {} manual pages are well-formed", pages.len());
    }
    Ok(())
}

/// Loads the completions of bash, where it is installed.
fn check_bash(skips: &Skips, file: &Path) -> Result {
    if shell::find_program("bash").is_none() {
        return skips.may_lack("loading of bash's completions", "no bash");
    }
    shell::run_quiet(Command::new("bash").arg("-n").arg(file))?;
    let load = r#". "$0" && complete -p bt-handshake"#;
    shell::run_quiet(Command::new("bash").args(["--norc", "--noprofile", "-c", load]).arg(file))?;
    println!("bash loads its completions");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_with_a_page_are_found() {
        let page =
            ".SH SUBCOMMANDS\n.TP\nbt\\-handshake\\-show(1)\nWhat a torrent says\n.TP\nbt\\-handshake\\-man(1)\n";
        assert_eq!(commands(page), ["show", "man"]);
    }
}
