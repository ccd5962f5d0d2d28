#!/bin/sh
# clap_complete 4.6.11 (with clap 4.6.9): of a command that takes a list of files or one of its subcommands, the completions of fish
# offer no option of its own behind the first file, and those of zsh no option of a subcommand. clap itself parses all of these
# lines. Needs cargo, fish and zsh. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
command -v fish >/dev/null && command -v zsh >/dev/null || { echo "needs fish and zsh"; exit 2; }
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "demo"
version = "0.0.0"
edition = "2021"

[dependencies]
clap = { version = "=4.6.9", features = ["derive"] }
clap_complete = "=4.6.11"
TOML
cat >src/main.rs <<'RUST'
use clap::{CommandFactory, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "demo", args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Demo {
    #[command(subcommand)]
    command: Option<Jobs>,
    #[arg(long)]
    quickly: bool,
    #[arg(required = true)]
    files: Vec<String>,
}

#[derive(Subcommand)]
enum Jobs {
    Check {
        #[arg(long)]
        strictly: bool,
    },
    Completions {
        shell: clap_complete::Shell,
    },
}

fn main() {
    let demo = Demo::parse();
    match demo.command {
        Some(Jobs::Completions { shell }) => {
            clap_complete::generate(shell, &mut Demo::command(), "demo", &mut std::io::stdout())
        }
        Some(Jobs::Check { strictly }) => println!("check, strictly: {strictly}"),
        None => println!("{} files, quickly: {}", demo.files.len(), demo.quickly),
    }
}
RUST
cargo build --quiet 2>cargo.log || { cat cargo.log; exit 2; }
demo=$(cargo metadata --format-version 1 --no-deps 2>/dev/null | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/demo
grep -A1 -E '^name = "clap(_complete)?"$' Cargo.lock | grep -v -- --
[ "$($demo a --quickly)" = "1 files, quickly: true" ] && [ "$($demo check --strictly)" = "check, strictly: true" ]

$demo completions fish >demo.fish
in_fish() { fish --no-config -c 'source demo.fish; complete -C $argv[1]' "$1" | cut -f1 | tr '\n' ' '; }
# The line editor of a zsh on a terminal of its own; what it has made of the line is read back from it.
$demo completions zsh >_demo
in_zsh() {
    TYPED=$1 zsh -f -c '
        zmodload zsh/zpty
        zpty line zsh -f -i
        zpty -w line "PS1= PROMPT_EOL_MARK= ; fpath=($PWD \$fpath); autoload -U compinit; compinit -u -D"
        zpty -w line "shown() { print -r -- \"LINE<\$BUFFER>\"; BUFFER= ; zle .accept-line }; zle -N shown; bindkey \"^X\" shown"
        zpty -w line "print rea\"\"dy"
        zpty -r line out "*ready*"
        zpty -w -n line "$TYPED"$'"'\\t\\x18'"'
        zpty -r line out "*LINE<*>*"
        print -r -- "${${out##*LINE<}%%>*}"
        zpty -d line'
}

faults=0
expect() { # what, seen, expected
    echo "$1: '$2'"
    [ "$2" = "$3" ] || { echo "expected: '$3'"; faults=1; }
}
expect "fish, demo --qui" "$(in_fish 'demo --qui')" "--quickly "
expect "fish, demo a --qui" "$(in_fish 'demo a --qui')" ""
expect "zsh,  demo --qui" "$(in_zsh 'demo --qui')" "demo --quickly "
expect "zsh,  demo a --qui" "$(in_zsh 'demo a --qui')" "demo a --quickly "
expect "fish, demo check --stri" "$(in_fish 'demo check --stri')" "--strictly "
expect "zsh,  demo check --stri" "$(in_zsh 'demo check --stri')" "demo check --stri"
exit $faults
