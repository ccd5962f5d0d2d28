//! What a stranger's data may make us dial or show.
//!
//! * [`AddressPolicy`]: which addresses may be dialled, and on whose word.
//! * [`redact_url`] and [`Secrets`]: an announce URL without its passkey, and other text without it.
//! * [`escape`]: text from outside, made safe for a terminal and a log.
//! * [`ErrorChain`]: an error with all its causes on one line.
//!
//! Every crate above uses these and has none of its own. This crate resolves nothing and opens nothing.

mod address;
mod chain;
mod escape;
mod redact;

pub use address::{AddressPolicy, Refusal, Scope};
pub use chain::ErrorChain;
pub use escape::{Escaped, escape, escape_bytes, is_deceptive};
pub use redact::{Secrets, redact_url};
