//! Exchanges with trackers that are played by the test, over an in-memory stream.

mod captures;
mod hostile;
mod replies;
mod requests;
mod secrets;
mod support;
mod tls;
