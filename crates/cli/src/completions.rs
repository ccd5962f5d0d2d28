//! Completions for shells: what `clap_complete` makes, and what it does not get right for this command.
//!
//! Each mend names a text that is there once; if it is not, a test fails, and the mend is to be looked at anew.

use clap::Command;
use clap_complete::Shell;

/// A text of the generated completions, and what it is to be.
type Mend = (&'static str, String);

/// The completions of a command that is called `bt-handshake`.
pub(crate) fn completions(shell: Shell, command: Command) -> String {
    let mends = mends(shell, &command);
    mends.into_iter().fold(generated(shell, command), |text, (wrong, right)| text.replace(wrong, &right))
}

fn generated(shell: Shell, mut command: Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "bt-handshake", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn mends(shell: Shell, command: &Command) -> Vec<Mend> {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    match shell {
        // Labels are put together in two ways, which differ for a name with a hyphen (clap issue 6421).
        Shell::Bash => vec![("        bt__subcmd__handshake__subcmd__", "        bt__handshake__subcmd__".to_owned())],
        // A command is looked for behind the torrents of the main job, where it never stands. The function of a command gets the words
        // behind it.
        Shell::Zsh => vec![
            (
                "state line\n    _arguments ",
                format!(
                    "state line\n    if (( CURRENT > 2 )) && [[ $words[2] == ({}) ]]; then\n        \
                     line=('' \"$words[2]\") state=bt-handshake\n        words=(\"${{(@)words[3,-1]}}\")\n        \
                     (( CURRENT -= 2 ))\n    else\n    _arguments ",
                    names.join("|")
                ),
            ),
            ("\n':torrents -- ", "\n'1: :_bt-handshake_first' \\\n'*:torrents -- ".to_owned()),
            (
                "\":: :_bt-handshake_commands\" \\\n\"*::: :->bt-handshake\" \\\n&& ret=0\n",
                "&& ret=0\n    fi\n".to_owned(),
            ),
            // Behind such an argument no option would be completed.
            ("\n'*::torrents -- ", "\n'*:torrents -- ".to_owned()),
            ("\n'*::from -- ", "\n'*:from -- ".to_owned()),
            (
                "(( $+functions[_bt-handshake_commands] )) ||",
                "_bt-handshake_first() {\n    local ret=1\n    _bt-handshake_commands && ret=0\n    _default && ret=0\n    \
                 return ret\n}\n(( $+functions[_bt-handshake_commands] )) ||"
                    .to_owned(),
            ),
        ],
        // Behind a torrent the options of the main job are no longer offered.
        Shell::Fish => vec![
            (
                "\nend\n\ncomplete -c bt-handshake ",
                format!(
                    "\nend\n\nfunction __fish_bt_handshake_main_job\n    not __fish_bt_handshake_using_subcommand {}\nend\n\n\
                     complete -c bt-handshake ",
                    names.join(" ")
                ),
            ),
            ("\"__fish_bt_handshake_needs_command\" -l", "\"__fish_bt_handshake_main_job\" -l".to_owned()),
            ("\"__fish_bt_handshake_needs_command\" -s", "\"__fish_bt_handshake_main_job\" -s".to_owned()),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    /// One that is no longer needed goes; one that no longer fits is made anew.
    #[test]
    fn every_mend_is_needed() {
        /// Commands of commands, too.
        fn count(command: &Command) -> usize {
            command.get_subcommands().map(|command| 1 + count(command)).sum()
        }
        let commands = count(&Cli::command());
        let options = Cli::command().get_arguments().filter(|argument| !argument.is_positional()).count();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = generated(shell, Cli::command());
            for (wrong, right) in mends(shell, &Cli::command()) {
                let found = text.matches(wrong).count();
                let is_right = match shell {
                    Shell::Bash => found == commands,
                    // Each of them may have a short name, too.
                    Shell::Fish if wrong.contains("needs_command") => (2..=options + 2).contains(&found),
                    Shell::Zsh if wrong.contains("*::torrents") => (2..commands).contains(&found),
                    _ => found == 1,
                };
                assert!(is_right, "{shell}: {found} times {wrong:?}, for {right:?}");
            }
        }
    }
}
