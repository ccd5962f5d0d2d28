//! Causes from the HTTP library, without its types.

use std::error::Error;

/// What the HTTP library reports. Its text and its own causes are for people and may change; the library's types appear in
/// no signature.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HttpCause(Box<dyn Error + Send + Sync>);

impl HttpCause {
    pub(crate) fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}
