//! Why a connection is over.

/// Why a connection is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// A SYN had no answer, or an accepted connection no packet after its SYN. Silence does not mean that packets are filtered:
    /// a client whose socket is for the DHT only is silent too.
    NoAnswer,
    /// The peer does not acknowledge any more.
    TimedOut,
    /// The peer sent a RESET: it has no such connection, or no longer.
    Reset,
    /// [`Connection::reset`](crate::connection::Connection::reset) was called.
    Left,
    /// Closed by us with a FIN: all bytes were acknowledged, and the peer's FIN was received or not to be expected.
    Closed,
}
