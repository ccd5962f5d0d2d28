//! What torrents are made of: files that look random and are the same every time.

use std::path::Path;

use xtask::scratch::{make_folder, write};
use xtask::shell::Result;

/// Writes files, each with its size in bytes, and the folders they are in, below a folder.
pub(crate) fn write_files(folder: &Path, files: &[(&str, usize)]) -> Result {
    for (name, size) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        write(&path, noise(*size))?;
    }
    Ok(())
}

/// Bytes that look random and depend only on how many there are.
fn noise(size: usize) -> Vec<u8> {
    let mut state = u32::try_from(size).unwrap_or(u32::MAX) | 1;
    let step = || {
        // Marsaglia's xorshift32.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(step).take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_the_same_every_time_and_differ() {
        assert_eq!(noise(1000), noise(1000));
        assert_ne!(noise(1000), noise(1002).get(..1000).unwrap());
    }
}
