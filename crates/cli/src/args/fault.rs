//! Errors of usage, as they are told.

use crate::shown::shown_word;
use crate::typo;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Adds the new spelling to the error about an option of former versions.
pub(super) fn tell_replacement(error: &mut clap::Error) {
    let option = error.get(ContextKind::InvalidArg);
    if let Some(ContextValue::String(option)) = option.filter(|_| error.kind() == ErrorKind::UnknownArgument)
        && let Some(tip) = typo::replaced(option)
    {
        // What clap takes for meant.
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}

/// An error repeats what was wrong, and that may be a URL with a passkey, given to the wrong option by mistake.
pub(super) fn without_secrets(text: String, args: impl Iterator<Item = OsString>) -> String {
    args.fold(text, |text, arg| {
        let arg = arg.to_string_lossy();
        let value = arg.split_once('=').filter(|_| arg.starts_with('-')).map_or(&*arg, |(_, value)| value);
        let shown = shown_word(value.as_ref());
        if shown == value { text } else { text.replace(value, &shown) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;

    #[test]
    fn usage_errors_repeat_no_secret() {
        let magnet = "magnet:?xt=urn:btih:0&tr=http%3A%2F%2Fh%2FS3CRET";
        for value in
            ["HTTP://h/S3CRET/announce", "wss://h/S3CRET", "h:80/S3CRET/announce", "https://h/?S3CRET=1", magnet]
        {
            for args in [vec![format!("--port={value}")], vec!["--peer".to_owned(), value.to_owned()]] {
                let args = ["bt-handshake".to_owned()].into_iter().chain(args);
                let error = Cli::try_parse_from(args.clone()).unwrap_err().to_string();
                assert!(error.contains("S3CRET"), "{error}");
                let shown = without_secrets(error, args.map(OsString::from));
                assert!(!shown.contains("S3CRET"), "{shown}");
            }
        }
    }

    #[test]
    fn usage_errors_repeat_paths() {
        let args = ["bt-handshake", "--peer", "/data/0123456789abcdef0123456789abcdef/x"];
        let error = Cli::try_parse_from(args).unwrap_err().to_string();
        let shown = without_secrets(error.clone(), args.into_iter().map(OsString::from));
        assert!(shown == error && error.contains(args[2]), "{shown}");
    }
}
