//! Options of how results are told, for every command.

use clap::{Args, ValueEnum};

const OUTPUT: &str = "Output";

/// How results are told.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct OutputArgs {
    /// Show passkeys and passwords in announce URLs
    #[arg(long, hide_short_help = true, help_heading = OUTPUT)]
    pub(crate) show_secrets: bool,

    /// Colour the text
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_short_help = true, help_heading = OUTPUT)]
    pub(crate) color: Color,

    /// Log each step to stderr, twice for everything (or RUST_LOG)
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = OUTPUT)]
    pub(crate) verbose: u8,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Sets the choice for all output of this process.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}
