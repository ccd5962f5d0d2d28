//! The outcomes of peers.

use crate::explain::Cause::{
    AskedAgain, Budget, ClosedAfterKey, ClosedAgreed, ClosedBeforeKey, ClosedBoth, ClosedPlain, ClosedTcp, Exhausted,
    FamilyNotChosen, Full, GarbledEncryption, HighEntropy, LeftAskedAgain, LeftAtOnce, Messages, NoHost, NoMetadata,
    NoSuchName, OtherService, Overlay, PrivilegedPort, RefusedBoth, RefusedSilent, RefusedTcp, RefusedUtp, SilentBoth,
    SilentRefused, SilentTcp, SilentToEncryption, TooMuch, Untrusted, UtpAfterClose, UtpOnly, Violation,
    WantsEncryption,
};
use crate::explain::Causes::{One, Several};
use crate::explain::{Cause, Causes, CodeKind, Explanation};
use crate::outcome::Outcome;

/// In the order of [`Outcome::ALL`].
pub(super) const TABLE: &[Explanation] = &[
    entry(
        Outcome::Ok,
        "answered",
        "it answered with a valid handshake for this torrent",
        Several(&[
            (
                WantsEncryption,
                "it refused plaintext and took encryption: it likely requires it, or was full for a moment",
            ),
            (
                AskedAgain,
                "BiglyBT turns away an address that was connected to it a moment ago, and then takes encryption: ask once, after some seconds",
            ),
            (
                UtpOnly,
                "it answered over uTP and not over TCP, which is off there, blocked on the way or slow: clients that dial over TCP alone may not reach it",
            ),
            (
                UtpAfterClose,
                "it answered over uTP after it had closed TCP: it takes uTP only, as qBittorrent may be set to, or was full for a moment",
            ),
            (NoMetadata, "it was given a magnet link or a hash, and still fetches the torrent's metadata"),
            (
                LeftAtOnce,
                "it shook hands and left without a word: its torrent is stopped (Transmission up to 4.0), it knows us already, or it says yes to any torrent; alone it is no sign that the torrent is alive",
            ),
            (
                LeftAskedAgain,
                "it shook hands and left without a word: BiglyBT does so with an address that was connected to it a moment ago; ask again after some seconds",
            ),
            (Violation, "its handshake is valid, what it sent afterwards is not: see the error"),
            (Budget, "what it sent was cut short, because too many peers sent at the same time"),
            (TooMuch, "it kept sending past the limit, and we left"),
        ]),
        "nothing; `role` and `completeness` say what it has",
    ),
    entry(
        Outcome::ResolveFailed,
        "unknown host name",
        "the tracker named it by a host name that does not resolve",
        Several(&[
            (NoSuchName, "it was named by a host name that does not resolve; other peers are not affected"),
            (Overlay, "its name is one of Tor or I2P, which are not spoken here; other peers are not affected"),
        ]),
        "nothing: trackers hardly ever name peers by host, and such entries are old or invented",
    ),
    entry(
        Outcome::ConnectTimeout,
        "timed out",
        "no answer to our TCP connection in time",
        Several(&[
            (
                SilentBoth,
                "offline, or behind a firewall or NAT that drops what it did not ask for, over TCP and uTP alike; it may still connect to you",
            ),
            (
                SilentTcp,
                "offline, or behind a firewall or NAT that drops what it did not ask for; it may still connect to you, or take uTP only, which was not tried",
            ),
            (
                SilentRefused,
                "the machine is there, for it refused uTP, and a firewall or NAT drops TCP; it may still connect to you",
            ),
        ]),
        "nothing for a share of the peers: most of every swarm is silent; if all time out, check your own firewall or VPN",
    ),
    entry(
        Outcome::ConnectRefused,
        "refused",
        "the machine is there and nothing listens on this port",
        Several(&[
            (
                RefusedBoth,
                "the machine is there, and nothing listens at this port for TCP or uTP: the client was closed, has changed its port, or is paused (aria2)",
            ),
            (
                RefusedSilent,
                "the machine is there, nothing listens at this port for TCP, and uTP brought no answer: the client was closed, has changed its port, or is paused (aria2)",
            ),
            (
                RefusedTcp,
                "the machine is there and nothing listens at this port: the client was closed, has changed its port, is paused (aria2), or takes uTP only, which was not tried",
            ),
            (
                RefusedUtp,
                "the machine is there and nothing listens at this port for uTP: the client was closed, has changed its port, or takes TCP only, which was not tried",
            ),
        ]),
        "if it is your own client: start it, and compare its listening port with the one that trackers were told",
    ),
    entry(
        Outcome::ConnectUnreachable,
        "unreachable",
        "a router on the way reported that it has no route to it",
        One(
            "no route leads there: its network is down or filtered, or your provider has no IPv6 beyond your own router",
        ),
        "if all peers of a family end so, use the other one (-4, -6)",
    ),
    entry(
        Outcome::ConnectReset,
        "reset while connecting",
        "the connection was reset while it was made",
        One("a firewall or an overloaded machine cut the connection while it was made"),
        "try again later; if all end so, a firewall on your side interferes with BitTorrent",
    ),
    entry(
        Outcome::NoUtpAnswer,
        "no answer over uTP",
        "its UDP port did not answer a uTP connection in time",
        One(
            "offline, behind a firewall or NAT, or it takes TCP only, which was not tried; a UDP port that is for the DHT only is silent too",
        ),
        "leave out --transport utp, so that TCP is tried as well",
    ),
    entry(
        Outcome::ClosedBeforeHandshake,
        "closed before the handshake",
        "it accepted the connection and closed it without a byte",
        Several(CLOSED),
        "if it is your own client: look whether the torrent is started, checked and not queued; a run that is repeated in some minutes tells a full peer from others",
    ),
    entry(
        Outcome::ShortHandshake,
        "closed in the handshake",
        "it sent the beginning of a right handshake and then closed",
        One("it began a right handshake and broke off: it is overloaded, or a machine on the way cut the connection"),
        "try again later; if it is your own client, its log should name the reason",
    ),
    entry(
        Outcome::HandshakeTimeout,
        "connected, then silent",
        "it accepted the connection, and no whole handshake came in time",
        One("it is overloaded, or another service that waits for more; a longer --handshake-timeout may help"),
        "give a longer --handshake-timeout",
    ),
    entry(
        Outcome::Late,
        "answered too late",
        "it answered later than the round trips of the run explain, and was left before its handshake was whole",
        One(
            "it is there, far away or overloaded: with --connect-timeout and --handshake-timeout it is waited for as long as they say",
        ),
        "give --connect-timeout and --handshake-timeout, as 5s: they are waited for in full",
    ),
    entry(
        Outcome::NotBittorrent,
        "another service",
        "the first bytes are not BitTorrent: the error says what they look like",
        Several(&[
            (OtherService, "another service has this port now, or a wrong port was named"),
            (
                Messages,
                "a BitTorrent client that sends its messages before its handshake, as BiglyBT does now and then, and that left it out: ask again",
            ),
            (
                HighEntropy,
                "it sends random bytes: a client that takes plaintext for encryption, or another service; --encryption require may help",
            ),
        ]),
        "if it is your own client: correct the port that it announces",
    ),
    entry(
        Outcome::WrongInfoHash,
        "serves another torrent",
        "it answered with a valid handshake for another torrent",
        One("a client is there, but not for this torrent: the list that named it is out of date"),
        "nothing: the list that named it is out of date",
    ),
    entry(
        Outcome::OwnPeerId,
        "ourselves",
        "our own peer id came back",
        One("this is ourselves, or a service that sends back what it gets"),
        "nothing",
    ),
    entry(
        Outcome::EncryptionFailed,
        "no encryption",
        "--encryption require was given, and the encrypted handshake failed",
        Several(&[
            (ClosedAfterKey, AFTER_KEY),
            (ClosedAgreed, AGREED),
            (
                ClosedBeforeKey,
                "it closed before a word: it speaks no encryption, is full, blocks our address, or does not have the torrent or has it stopped; --encryption prefer-plain tells more",
            ),
            (
                ClosedTcp,
                "it closed before a word: it speaks no encryption, is full, blocks our address, takes uTP only, which was not tried, or does not have the torrent or has it stopped; --encryption prefer-plain tells more",
            ),
            (
                SilentToEncryption,
                "no whole encrypted handshake came in time: it waits for plaintext, or is overloaded; try --encryption prefer-plain",
            ),
            (
                GarbledEncryption,
                "what it answers is no encrypted handshake, as the error says: it speaks plaintext only, or is another service; try --encryption prefer-plain",
            ),
        ]),
        "try --encryption prefer-plain",
    ),
    entry(
        Outcome::InvalidAddress,
        "not dialled",
        "the address is not one that is dialled",
        Several(&[
            (
                Untrusted,
                "an untrusted source may not make us dial a local address; name it with --peer if you trust it",
            ),
            (
                PrivilegedPort,
                "we do not dial a port below 1024 that an untrusted source names; name it with --peer to have it dialled",
            ),
            (NoHost, "port 0, or an address that is not a single machine's: the source was mistaken"),
        ]),
        "name it with --peer if you know that it is right",
    ),
    entry(
        Outcome::LocalLimit,
        "limited by this machine",
        "our own machine refused before anything was sent",
        Several(&[
            (FamilyNotChosen, "its address family was not chosen: see -4, -6 and --interface"),
            (
                Exhausted,
                "our own machine had no descriptor, port or thread left: raise `ulimit -n`, or lower --concurrency",
            ),
        ]),
        "raise `ulimit -n`, or lower --concurrency",
    ),
    entry(
        Outcome::NoRoute,
        "without a route",
        "this machine has no route to that address, and sent nothing",
        One(
            "this machine has no route there: it is offline, has no address of that family, the VPN is down, or its own firewall forbids it",
        ),
        "look at `ip route get ADDRESS`; if only one family ends so, use the other one (-4, -6)",
    ),
    entry(
        Outcome::Interrupted,
        "cut short",
        "the run ended while it was being tried",
        One("the run ended first: by its deadline, or an interrupt"),
        "give a longer --deadline",
    ),
    entry(
        Outcome::NotTried,
        "not tried",
        "it was not tried",
        One("the run ended first, or was not to dial any peer"),
        "give a longer --deadline, or a higher --rate",
    ),
    entry(
        Outcome::AddressQuota,
        "beyond the limit per address",
        "it was not dialled, because enough other ports of its IP address are",
        One("enough other ports of its IP address are dialled: see --max-per-address"),
        "name it with --peer, or raise --max-per-address (0 for no limit)",
    ),
];

/// What is behind a key that is sent, and then a close.
const AFTER_KEY: &str = "it speaks encryption and does not serve this torrent: it does not have it, or has it stopped, queued or in checking; or it is full, or has another connection from our address";

/// What is behind an encryption that is agreed on, and then a close.
const AGREED: &str = "it has the torrent, for it decrypted what only those can that know its info-hash, and closed then: it is full, has the torrent stopped, or has another connection from our address";

/// What is behind a connection that ends before the handshake.
const CLOSED: &[(Cause, &str)] = &[
    (Full, "it is full, as it said when it closed over uTP: it has no room for another connection now"),
    (
        ClosedPlain,
        "it does not have the torrent or has it stopped, queued or in checking, is full, requires encryption, blocks our address, or knows us already",
    ),
    (ClosedAfterKey, AFTER_KEY),
    (ClosedAgreed, AGREED),
    (
        ClosedBeforeKey,
        "it turned us away before a word, and encryption did not help: it is full, blocks our address, has all its torrents stopped or queued; or it speaks no encryption, and does not have this torrent, has it stopped, or has another connection from our address",
    ),
    (
        ClosedTcp,
        "it turned us away before a word: it takes uTP only, which was not tried, requires encryption, if that was not tried, is full, blocks our address, has its torrents stopped, queued or in checking; or it speaks no encryption, and does not have this torrent, or has another connection from our address",
    ),
    (
        ClosedBoth,
        "it does not have the torrent or has it stopped, queued or in checking, is full, blocks our address, or knows us already; encryption did not help",
    ),
];

const fn entry(
    outcome: Outcome,
    words: &'static str,
    seen: &'static str,
    causes: Causes,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::Outcome, code: outcome.code(), words, seen, causes, to_do }
}
