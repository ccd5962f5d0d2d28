//! How a scripted peer ends a connection.

/// What a peer does when it has said everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Waits for the other side to close.
    Stays,
    /// Closes its direction (FIN) and reads on: with bytes unread, a close would be a reset.
    Closes,
    /// Resets the connection (RST).
    Resets,
}
