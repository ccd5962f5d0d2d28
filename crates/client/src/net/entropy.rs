//! Random bytes from the operating system; the crates below take them as arguments.

use std::io;

pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes`.
pub(crate) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    Ok(getrandom::fill(bytes)?)
}

/// A number below `end`, each as likely as the others but for one in 2^64; `None` for an `end` of 0, and if the system has no
/// random bytes.
pub(crate) fn below(end: u64) -> Option<u64> {
    u64::from_be_bytes(bytes().ok()?).checked_rem(end)
}
