//! An error and its causes on one line.

use std::error::Error;
use std::fmt;

/// Shows an error and its causes, outermost first, separated by colons. Each `Display` prints its own level only.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_follow_the_error() {
        assert_eq!(ErrorChain(&Outer(std::io::Error::other("inner"))).to_string(), "outer: inner");
    }
}
