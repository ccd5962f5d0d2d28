//! What a stranger's data may make us dial or show.
//!
//! * [`AddressPolicy`]: which addresses may be dialled, and on whose word.
//! * [`redact_url`] and [`Secrets`]: an announce URL without its passkey, and other text without it;
//!   [`redact_web_seed`]: a web seed without its query.
//! * [`escape`]: text from outside, made safe for a terminal and a log.
//! * [`ErrorChain`]: an error with all its causes on one line.
//! * [`span`]: a time in the units that people use.
//!
//! Every crate above uses these and has none of its own. This crate knows addresses and text, not protocols: it resolves
//! nothing and opens nothing. There is no first type; each stands alone.
//!
//! ```
//! use guard::{AddressPolicy, Secrets, escape, redact_url};
//!
//! // A tracker on the internet may not point us at the router.
//! let policy = AddressPolicy::for_peers_of("8.8.8.8".parse()?);
//! let refusal = policy.check("192.168.1.1:80".parse()?).unwrap_err();
//! assert_eq!(refusal.to_string(), "private address, named by a stranger");
//!
//! let url = "https://tracker.example/0123456789abcdef/announce";
//! assert_eq!(redact_url(url), "https://tracker.example/***/announce");
//! assert_eq!(Secrets::of(url).conceal("unknown passkey 0123456789abcdef"), "unknown passkey ***");
//! assert_eq!(escape("\x1b[2Jgone").to_string(), r"\u{1b}[2Jgone");
//! # Ok::<(), std::net::AddrParseError>(())
//! ```

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
