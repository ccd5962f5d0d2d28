//! Options of many torrents.

use crate::args::values::positive;
use crate::choice::Shard;
use clap::Args;
use std::path::PathBuf;

const MANY: &str = "Many torrents";

/// Which torrents of many are run, and how many at once.
#[derive(Args, Debug)]
pub(crate) struct Many {
    /// Most torrents at once [default: what descriptors allow, up to 16, and more that wait for silent trackers]
    #[arg(long, value_name = "N", value_parser = positive, hide_short_help = true, help_heading = MANY)]
    pub(crate) jobs: Option<usize>,

    /// Leave out torrents that are whole in this former output of --json or --output; --output may name it too, and then appends
    #[arg(long, value_name = "FILE", conflicts_with = "nagios", hide_short_help = true, help_heading = MANY)]
    pub(crate) resume: Option<PathBuf>,

    /// Take a part of the torrents, K of N: those whose info-hash, its first 8 bytes as a number, leaves K-1 when divided by N
    #[arg(long, value_name = "K/N", hide_short_help = true, help_heading = MANY)]
    pub(crate) shard: Option<Shard>,
}
