//! How a peer's story ended, and how far an attempt came.

use crate::code::codes;

codes! {
    /// The one end of a peer's story.
    pub enum Outcome {
        /// A valid handshake for the torrent asked about.
        Ok = "ok",
        /// A host name from a tracker that does not resolve.
        ResolveFailed = "resolve_failed",
        /// No TCP connection within the connect timeout.
        ConnectTimeout = "connect_timeout",
        /// The machine answers, and nothing listens at the port.
        ConnectRefused = "connect_refused",
        /// No way to the machine.
        ConnectUnreachable = "connect_unreachable",
        /// The connection was reset while it was made.
        ConnectReset = "connect_reset",
        /// No answer over uTP in time, and TCP was not tried. Silence does not mean that packets are filtered: a socket that is for
        /// the DHT only is silent too.
        NoUtpAnswer = "no_utp_answer",
        /// Connected, then closed or reset before a byte came.
        ClosedBeforeHandshake = "closed_before_handshake",
        /// Closed or reset after fewer than 68 bytes that were right so far.
        ShortHandshake = "short_handshake",
        /// Connected, then silence or a trickle past the deadline.
        HandshakeTimeout = "handshake_timeout",
        /// It answered when it was overdue, by the round trips seen in the run, and was left before its handshake was whole: it is there,
        /// and slow. Never where the time-outs are the user's, or the peer is one that the user named.
        Late = "late",
        /// The first bytes are something else.
        NotBittorrent = "not_bittorrent",
        /// A valid handshake for another torrent.
        WrongInfoHash = "wrong_info_hash",
        /// Our own peer id came back: ourselves, or an echo service.
        OwnPeerId = "own_peer_id",
        /// Encryption was required and its handshake failed.
        EncryptionFailed = "encryption_failed",
        /// Port 0, no single host, or an address the policy refuses to dial.
        InvalidAddress = "invalid_address",
        /// Our own machine refused: no descriptors, no ports. Never the peer's fault.
        LocalLimit = "local_limit",
        /// Our own machine has no route there: offline, no address of that family, or a VPN that is down. Never the peer's fault.
        NoRoute = "no_route",
        /// The run's deadline or an interrupt came during the attempt.
        Interrupted = "interrupted",
        /// The run's deadline or an interrupt came before the first attempt.
        NotTried = "not_tried",
        /// Not dialled: enough other ports of its address are.
        AddressQuota = "address_quota",
    }
}

codes! {
    /// How far an attempt came.
    #[derive(Default)]
    pub enum Stage {
        /// Waiting for its turn.
        #[default]
        Queued = "queued",
        /// Looking up a host name.
        Resolve = "resolve",
        /// Making a connection.
        Connect = "connect",
        /// Connected, exchanging handshakes.
        Handshake = "handshake",
        /// The peer's handshake has arrived.
        Done = "done",
    }
}

codes! {
    /// What was seen beyond the outcome: it tells causes apart that end alike.
    pub enum Detail {
        /// `resolve_failed`: a name of Tor or I2P, which is not looked up.
        Overlay = "overlay",
        /// `not_bittorrent`: a web server, or a page of one.
        Http = "http",
        /// `not_bittorrent`: a TLS record.
        Tls = "tls",
        /// `not_bittorrent`: an SSH banner.
        Ssh = "ssh",
        /// `not_bittorrent`: messages of BitTorrent, without the handshake that comes first.
        Messages = "messages",
        /// `not_bittorrent`: random bytes, as encryption and compressed data are.
        HighEntropy = "high_entropy",
        /// `encryption_failed`: the peer closed before it sent a byte.
        BeforeItsKey = "before_its_key",
        /// `encryption_failed`: it sent its key, and closed when it had read which torrent is meant: it speaks encryption.
        AfterItsKey = "after_its_key",
        /// `encryption_failed`: it agreed on encryption, and then closed. It has the torrent: only a peer that knows the info-hash
        /// can encrypt what it answered.
        Agreed = "agreed",
        /// `encryption_failed`: it neither closed nor answered in time.
        Silent = "silent",
        /// `encryption_failed`: what it sent makes no sense, or broke off within its key.
        Garbled = "garbled",
        /// `closed_before_handshake`: it closed a uTP connection with the reason that it has no room for more, as libtorrent does.
        Full = "full",
        /// `invalid_address`: a local address that an untrusted source named.
        LocalAddress = "local_address",
        /// `invalid_address`: a port that an untrusted source may not aim us at.
        PrivilegedPort = "privileged_port",
        /// `local_limit`: the user chose no source address of its family.
        FamilyNotChosen = "family_not_chosen",
    }
}
