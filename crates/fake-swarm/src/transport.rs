//! Over what a scripted peer can be reached.

/// What carried a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// uTP (BEP 29).
    Utp,
}

/// What a peer does with connections over TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tcp {
    /// Follows its script.
    #[default]
    Accepts,
    /// Nothing listens on the port that [`FakeSwarm::addr`](crate::FakeSwarm::addr) gives: the kernel refuses. On the swarm's
    /// other ports such a peer follows its script.
    Refuses,
    /// Accepts and resets at once with no byte sent, as a qBittorrent does that is set to uTP alone.
    Resets,
    /// The kernel drops each SYN; see [`FullListener`](crate::FullListener).
    Silent,
}

/// What a peer does with datagrams of uTP, at the same address and port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Utp {
    /// No socket is there: the kernel refuses (ICMP).
    #[default]
    Refuses,
    /// A socket that answers nothing, as one for the DHT alone.
    Silent,
    /// Follows its script.
    Accepts,
}
