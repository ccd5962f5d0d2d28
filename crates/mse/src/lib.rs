//! Message Stream Encryption (MSE, also called protocol encryption): the other way to open a peer connection, as two
//! state machines that are fed bytes and give bytes.
//!
//! Both sides agree on a secret, prove that they know the same info-hash, and choose whether the stream goes on in RC4
//! or as it is. That hides the protocol from machines that slow it down; it is not security, and this crate does not
//! make it so: the ciphers are weak by today's measure, and nobody is who they say they are. It is no BEP either; what
//! is implemented is what clients do.
//!
//! Start from [`Initiator`], the side that connects, or [`Responder`], the side that is connected to, and from
//! [`Opening`], which tells a responder whether it is needed. One incremental contract: `input(&mut BytesMut) ->
//! Result<Option<T>, Error>`, where `None` means "more bytes, please" and `Err` means "never". This crate knows no
//! sockets, no clock and no random source, and nothing of what the stream carries.
//!
//! ```
//! use bytes::BytesMut;
//! use mse::{CryptoMethod, CryptoProvide, Initiator, Offer, Responder, Terms};
//!
//! let skey = ids::InfoHash([7; 20]);
//! let mut a = Initiator::new(&Offer {
//!     skey, provide: CryptoProvide::EITHER, initial_payload: b"hello", secret: [1; 20], pad_a: &[9; 40], pad_c: 0,
//! })?;
//! let mut b = Responder::new(&Terms {
//!     skeys: &[skey], accept: &[CryptoMethod::Rc4], secret: [2; 20], pad_b: &[], pad_d: 12,
//! })?;
//! assert!(b.input(&mut a.output())?.is_none());
//! assert!(a.input(&mut b.output())?.is_none());
//! let mut accepted = b.input(&mut a.output())?.expect("all is there");
//! assert_eq!((accepted.skey, &accepted.initial_payload[..]), (skey, &b"hello"[..]));
//!
//! let mut answer = *b"welcome";
//! accepted.established.encrypt.apply(&mut answer);
//! let mut received = b.output();
//! received.extend_from_slice(&answer);
//! let established = a.input(&mut received)?.expect("all is there");
//! assert_eq!((established.method, &received[..]), (CryptoMethod::Rc4, &b"welcome"[..]));
//! # Ok::<(), mse::Error>(())
//! ```

mod cipher;
mod error;
mod fields;
mod initiator;
mod key_agreement;
mod method;
mod opening;
mod responder;
mod scan;
mod secret;
mod stage;
mod step;

pub use cipher::{Cipher, Established};
pub use error::{Error, LengthPrefixedPad};
pub use initiator::{Initiator, Offer};
pub use method::{CryptoMethod, CryptoProvide};
pub use opening::Opening;
pub use responder::{Accepted, Responder, Terms};
pub use stage::Stage;

/// The longest a pad may be, in bytes: MSE leaves both sides to choose 0 to 512 for each.
pub const MAX_PAD: usize = 512;

/// The longest an initial payload may be, in bytes: its length travels in 16 bits.
pub const MAX_INITIAL_PAYLOAD: usize = 0xffff;

/// The verification constant: what both sides encrypt first, to show that they have the key.
const VC: [u8; 8] = [0; 8];
