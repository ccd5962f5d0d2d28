//! The messages of the DHT (KRPC, BEP 5): queries are written, everything that arrives is a [`Message`].

mod compact;
mod envelope;
mod error;
mod message;
mod query;
mod received_query;
mod refusal;
mod reply;

pub use compact::Skipped;
pub use error::Error;
pub use message::Message;
pub use query::{Method, Query};
pub use received_query::ReceivedQuery;
pub use refusal::Refusal;
pub use reply::Reply;
