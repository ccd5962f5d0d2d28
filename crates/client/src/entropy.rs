//! Random bytes from the operating system; the crates below take them as arguments.

use crate::Error;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Entropy(error.into()))?;
    Ok(bytes)
}
