//! Completions, asked of the shells themselves: bash always, others where they are installed.

use crate::lab::of;
use std::process::Command;

/// What is typed, and what is among the offers.
const CASES: [(&str, &str); 12] = [
    ("bt-handshake --fail", "--fail-under"),
    ("bt-handshake a.torrent --fail", "--fail-under"),
    ("bt-handshake web-s", "web-seeds"),
    ("bt-handshake web-seeds --pro", "--proof"),
    ("bt-handshake web-seeds a.torrent --pro", "--proof"),
    ("bt-handshake dht --pin", "--ping"),
    ("bt-handshake announce --deadline 5s --al", "--all"),
    ("bt-handshake peer 192.0.2.7:1 --trac", "--trace"),
    ("bt-handshake metadata --out", "--output"),
    ("bt-handshake report a.db --form", "--format"),
    ("bt-handshake history merge --out", "--output"),
    ("bt-handshake history merge a.db --out", "--output"),
];

/// What a shell that is installed says to a script, which has the completions in `$1` and what is typed in `$2`.
fn offers(shell: &str, args: &[&str], script: &str, typed: &str) -> Option<String> {
    let (code, completions, _) = of("completions", &[shell]);
    assert_eq!(code, 0);
    let output = Command::new(shell).args(args).args(["-c", script, shell, &completions, typed]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn bash_completes_after_every_command() {
    let script = r#"eval "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _bt__handshake bt-handshake "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; echo "${COMPREPLY[@]}""#;
    let offers = |typed: &str| offers("bash", &["--norc"], script, typed).expect("bash");
    for (typed, offer) in CASES {
        assert!(offers(typed).split_whitespace().any(|word| word == offer), "{typed}: {}", offers(typed));
    }
    let (_, help, _) = of("--help", &[]);
    let commands = help.split("Commands:").nth(1).unwrap().lines().skip(1).take_while(|line| !line.trim().is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"web-seeds") && commands.contains(&"completions"), "{commands:?}");
    for command in commands {
        let offered = offers(&format!("bt-handshake {command} --"));
        assert!(offered.split_whitespace().any(|word| word == "--help"), "{command}: {offered}");
    }
}

#[test]
fn fish_completes_after_every_command() {
    // Its arguments begin with the name of the shell.
    let script = "echo $argv[2] | source; complete -C $argv[3]";
    for (typed, offer) in CASES {
        let Some(offered) = offers("fish", &["--no-config"], script, typed) else { return };
        assert!(offered.lines().any(|line| line.split('\t').next() == Some(offer)), "{typed}: {offered}");
    }
}

/// The line editor of a zsh on a terminal of its own completes what is typed; only one offer begins so.
#[test]
fn zsh_completes_after_every_command() {
    let script = r#"zmodload zsh/zpty || exit; zpty z zsh -f -i; file=$TMPPREFIX-$$; print -r -- "$1" > $file
        zpty -w z "PROMPT=; unsetopt beep; bt-handshake() { :; }; autoload -U compinit; compinit -u -D; . $file; rm $file"
        zpty -w -n z "$2"$'\t\n'; zpty -w z "print DO''NE"
        while zpty -r z line; do print -r -- "$line"; [[ $line == *DONE* ]] && break; done; zpty -d z"#;
    for (typed, offer) in CASES {
        let Some(offered) = offers("zsh", &["-f"], script, typed) else { return };
        assert!(offered.contains(offer), "{typed}: {offered:?}");
    }
}
