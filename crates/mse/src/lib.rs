#![doc = include_str!("../README.md")]

mod cipher;
mod error;
mod fields;
mod initiator;
mod key_agreement;
mod limits;
mod method;
mod opening;
mod responder;
mod scan;
mod secret;
mod stage;
mod step;

pub use cipher::{Cipher, Established};
pub use error::{Error, LengthPrefixedPad};
pub use initiator::{Initiator, InitiatorConfig};
pub use limits::{MAX_INITIAL_PAYLOAD, MAX_PAD};
pub use method::{CryptoMethod, CryptoProvide};
pub use opening::Opening;
pub use responder::{Accepted, Responder, ResponderConfig};
pub use stage::Stage;
