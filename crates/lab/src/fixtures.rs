//! `cargo xtask fixtures`: makes the torrents in `fixtures/torrents` anew, those of real programs and those written by
//! hand, and asks libtorrent what it makes of each. The same programs give the same bytes every time.
//!
//! What our own code makes of them is not written here: `UPDATE_SNAPSHOTS=1 cargo test -p metainfo` does that.

mod broken;
mod odd;
mod tools;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::scratch::{Scratch, make_folder, write};
use xtask::shell::{self, Result};

use tools::Tools;
use written::Written;

/// The folder of the torrents that are refused.
const BROKEN: &str = "broken";
/// The folder of those written by hand that are read all the same.
const ODD: &str = "odd";
/// The folder of those that programs made.
const TOOLS: &str = "tools";

/// The table of libtorrent's verdicts.
const EXPECTED: &str = "EXPECTED.tsv";

/// Torrents by their path below [`folder`].
type Torrents = BTreeMap<String, Vec<u8>>;

/// Where the torrents are.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("fixtures/torrents")
}

/// Makes all of them in a scratch folder, and puts them in the place of those that are there once all went well.
pub(crate) fn run() -> Result {
    let tools = Tools::find()?;
    let scratch = Scratch::new(false)?;
    let mut torrents = by_hand();
    for (name, bytes) in tools.make(&scratch)? {
        torrents.insert(path(TOOLS, &name), bytes);
    }
    let staged = scratch.folder("staged")?;
    put(&staged, &torrents)?;
    let names: Vec<&str> = torrents.keys().map(String::as_str).collect();
    let expected = tools.expected(&scratch, &staged, &names)?;
    remove_stale(&torrents)?;
    put(&folder(), &torrents)?;
    write(&folder().join(EXPECTED), expected)?;
    println!("{} torrents; now: UPDATE_SNAPSHOTS=1 cargo test -p metainfo", torrents.len());
    Ok(())
}

/// The torrents that no program would make.
fn by_hand() -> Torrents {
    let named = |folder, written: Vec<Written>| {
        written.into_iter().map(move |Written { name, bytes }| (path(folder, name), bytes))
    };
    named(BROKEN, broken::all()).chain(named(ODD, odd::all())).collect()
}

fn path(folder: &str, name: &str) -> String {
    format!("{folder}/{name}.torrent")
}

fn put(root: &Path, torrents: &Torrents) -> Result {
    for (path, bytes) in torrents {
        let path = root.join(path);
        path.parent().map_or(Ok(()), make_folder)?;
        write(&path, bytes)?;
    }
    Ok(())
}

/// Removes the torrents that are no longer made.
fn remove_stale(torrents: &Torrents) -> Result {
    for path in on_disk()?.into_iter().filter(|path| !torrents.contains_key(path)) {
        fs::remove_file(folder().join(&path)).map_err(|error| format!("cannot remove {path}: {error}"))?;
    }
    Ok(())
}

/// The paths of the torrents that are there.
fn on_disk() -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for name in [BROKEN, ODD, TOOLS] {
        make_folder(&folder().join(name))?;
        let entries = fs::read_dir(folder().join(name)).map_err(|error| format!("cannot read {name}: {error}"))?;
        let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        paths.extend(files.filter(|file| file.ends_with(".torrent")).map(|file| format!("{name}/{file}")));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_written_by_hand_are_there_as_written() {
        let written = by_hand();
        for (path, bytes) in &written {
            let there = fs::read(folder().join(path)).unwrap_or_default();
            assert!(there == *bytes, "{path} is another; repeat with: cargo xtask fixtures");
        }
        let stale = on_disk().unwrap().into_iter().find(|path| !path.starts_with(TOOLS) && !written.contains_key(path));
        assert_eq!(stale, None);
    }

    #[test]
    fn no_name_is_given_twice() {
        assert_eq!(by_hand().len(), broken::all().len() + odd::all().len());
    }
}
