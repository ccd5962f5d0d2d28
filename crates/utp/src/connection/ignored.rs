//! Why a packet changes nothing.

/// Why a packet changes nothing. None of these is a reason to close: packets are delayed, doubled and forged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ignored {
    /// It belongs to another connection.
    #[error("a packet with another connection id")]
    WrongId,
    /// Its type is not expected now: a SYN at the side that connects, or data before a SYN is answered.
    #[error("a packet of an unexpected type")]
    Unexpected,
    /// It acknowledges what was not sent.
    #[error("an acknowledgement ahead of what was sent")]
    AckAhead,
    /// It acknowledges less than before, by more than a delay explains.
    #[error("an acknowledgement far behind")]
    AckBehind,
    /// It is beyond the receive window, or after the end of the stream.
    #[error("a packet beyond the receive window")]
    Beyond,
    /// The connection is over.
    #[error("a packet after the end")]
    Ended,
}
