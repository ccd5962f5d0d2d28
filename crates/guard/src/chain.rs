//! An error and its causes on one line.

use std::error::Error;
use std::fmt;

/// Shows an error and its causes, outermost first, separated by colons. Each `Display` prints its own level only; one that prints
/// what its cause does stands once.
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if text != told {
                write!(f, ": {text}")?;
                told = text;
            }
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

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Same(#[source] std::io::Error);

    #[test]
    fn what_is_said_twice_stands_once() {
        assert_eq!(ErrorChain(&Same(std::io::Error::other("inner"))).to_string(), "inner");
    }
}
