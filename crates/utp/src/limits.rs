//! The limits of a connection, each with its reason. Measured: what libtorrent, qBittorrent, Deluge, Transmission and WebTorrent
//! do at their defaults.

use std::time::Duration;

/// The longest datagram that is written, in bytes: an IPv4 host need not accept more than 576 with its headers, so no path is too
/// narrow for it. What is received may be longer: libtorrent probes up to 1,443, libutp begins with 1,402.
pub const DATAGRAM: usize = 548;

/// The most bytes of payload of a datagram that is written.
pub const PAYLOAD: usize = DATAGRAM - HEADER;

/// The length of a packet without extensions and payload, in bytes (BEP 29).
pub const HEADER: usize = 20;

/// The most extensions of a packet that is read. Clients send one.
pub const EXTENSIONS: usize = 16;

/// The most bytes that are written and not yet acknowledged, sent or not. A handshake, its extension handshake and some requests
/// are shorter, so that there is nothing for a congestion control to do.
pub const SEND_WINDOW: usize = 1_000;

/// The most packets that are sent and not yet acknowledged, the FIN included: bounds what is kept about them.
pub const SEGMENTS: usize = 8;

/// The most bytes that are received and not read. Below one of their packets libtorrent and Transmission send nothing at all; 45 of
/// their longest fit.
pub const RECEIVE_WINDOW: u32 = 64 << 10;

/// How far a packet may be ahead of the next expected one, in packets: as many as the longest selective acknowledgement can name.
/// A full window of 548-byte packets is 125.
pub const AHEAD: u16 = 256;

/// The most bytes of a selective acknowledgement that is written: a bit a packet.
pub const SELECTIVE_ACK: usize = AHEAD as usize / 8;

/// How far an acknowledgement may be behind the newest one, in packets. Keepalives of libutp are one behind, delayed packets at
/// most [`SEGMENTS`]; one further behind is not of this connection.
pub const ACK_BEHIND: u16 = 16;

/// How far the sequence number of a STATE may be ahead of the next expected packet without being that of another SYN-ACK. WebTorrent is two
/// ahead at its first STATE.
pub const STATE_AHEAD: u16 = 16;

/// When a SYN is sent again where nothing is known of round trips, as libutp does. Each SYN takes a connection of the peer.
pub const SYN_AGAIN: Duration = Duration::from_secs(3);

/// How often a SYN is sent.
pub const SYNS: u8 = 2;

/// When a SYN has no answer. Within a second of the second SYN, sent after [`SYN_AGAIN`], all clients answer that answer at all.
pub const SYN_ANSWER: Duration = Duration::from_secs(4);

/// How long an accepted connection waits for the first packet after its SYN, as long as libtorrent. Nothing but the SYN-ACK is sent
/// to an address that may be forged.
pub const FIRST_PACKET: Duration = Duration::from_secs(10);

/// After how long a packet is sent again before there is a round trip (RFC 6298).
pub const FIRST_TIMEOUT: Duration = Duration::from_secs(1);

/// The shortest time after which a packet is sent again: that of libtorrent. Transmission 3.0 acknowledges after 115 ms.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest time after which a packet is sent again: a run lasts some tens of seconds.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(8);

/// How many time-outs in a row end a connection: without a round trip after 1, 3, 7, 15, 23 and 31 s.
pub const TIMEOUTS: u8 = 6;

/// How many packets after a missing one must be acknowledged until it is sent again at once (BEP 29).
pub const ACKED_AFTER: usize = 3;

/// How long a window of 0 is kept to while nothing is in flight; then a packet is sent nevertheless, since the packet that opened
/// the window may be lost.
pub const WINDOW_PROBE: Duration = Duration::from_secs(3);

/// How long the peer's FIN is waited for once ours is acknowledged. Transmission 4.1 sends none.
pub const LINGER: Duration = Duration::from_secs(1);

/// How many packets that arrive after the end are answered: with another RESET, or an acknowledgement of another FIN. WebTorrent
/// sends its FIN until it is acknowledged, libtorrent at least twice.
pub const ANSWERS_AFTER_END: u8 = 4;

/// How long nothing more is answered after an answer: what is under way then comes from before it. Clients send again after 0.5 s at
/// the earliest.
pub const ANSWER_PAUSE: Duration = Duration::from_millis(200);
