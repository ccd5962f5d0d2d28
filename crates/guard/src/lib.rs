#![doc = include_str!("../README.md")]

mod address;
mod announce_path;
mod chain;
mod escape;
mod redact;
mod secrets;
mod span;

pub use address::{AddressPolicy, Refusal, Scope};
pub use chain::ErrorChain;
pub use escape::{Escaped, escape, escape_bytes, is_deceptive};
pub use redact::{redact_url, redact_web_seed};
pub use secrets::Secrets;
pub use span::span;
