//! How an exchange with a server failed: what the statuses of trackers and of web seeds have in common.

/// It in two or three words, what was seen, and what may be behind it.
pub(super) type Failure = [&'static str; 3];

/// What to do about a certificate.
pub(super) const COMPARE_IN_BROWSER: &str =
    "open the URL in a browser to compare; --tls-ca trusts further certificates";
/// What to do about a limit of this machine.
pub(super) const RAISE_THE_LIMIT: &str = "raise `ulimit -n`, or look at -4, -6 and --interface";
/// What to do about a missing route.
pub(super) const LOOK_AT_THE_ROUTE: &str = "look at `ip route`, and whether the network or the VPN is down";
/// What to do where no certificate is trusted.
pub(super) const LOOK_AT_THE_ROOTS: &str =
    "correct or unset SSL_CERT_FILE and SSL_CERT_DIR, install ca-certificates, or look at --tls-ca";

pub(super) const RESOLVE_FAILED: Failure = [
    "unknown host name",
    "its host name does not resolve",
    "it is gone, the name is misspelled, your resolver blocks it, or it is a name of Tor or I2P, which are not looked up",
];
pub(super) const CONNECT_TIMEOUT: Failure =
    ["timed out", "no TCP connection within the time-out", "it is down, or a firewall drops what is sent there"];
pub(super) const CONNECT_REFUSED: Failure =
    ["not listening", "its machine is there, and nothing listens on that port", "its server is not running"];
pub(super) const CONNECT_UNREACHABLE: Failure =
    ["unreachable", "a router on the way reported that it has no route to it", "its network is down or filtered"];
pub(super) const CONNECT_RESET: Failure =
    ["reset while connecting", "the connection was reset while it was made", "a firewall, or an overloaded machine"];
pub(super) const LOCAL_LIMIT: Failure = [
    "limited by this machine",
    "our own machine refused before anything was sent",
    "no descriptor, port or thread was left, or no source address of its family was chosen",
];
pub(super) const NO_ROUTE: Failure = [
    "no route",
    "this machine has no route to its address or to a resolver, and sent nothing",
    "the network or the VPN is down, or this machine has no address of that family",
];
pub(super) const CLOSED: Failure =
    ["closed", "it closed the connection without an answer", "it is overloaded, or a proxy in front of it is broken"];
pub(super) const INCOMPLETE: Failure =
    ["cut short", "its answer ended before it was whole", "it is overloaded, or something on the way cut it off"];
pub(super) const CONNECTION_FAILED: Failure =
    ["connection failed", "the connection failed within the exchange", "the network, or its machine"];
pub(super) const NOT_HTTP: Failure =
    ["not HTTP", "what answered does not speak HTTP", "another service has this port now"];
pub(super) const BAD_BODY: Failure =
    ["bad HTTP body", "its answer breaks the rules of HTTP", "a broken server or proxy"];
pub(super) const INTERRUPTED: Failure =
    ["cut short", "the run ended before it answered", "the deadline, or an interrupt"];
pub(super) const REDIRECT_LOOP: Failure = ["redirected", "its redirects lead in a circle", "a misconfigured server"];
pub(super) const TOO_MANY_REDIRECTS: Failure = ["redirected", "more than five redirects", "a misconfigured server"];
pub(super) const TLS_NO_ROOTS: Failure = [
    "no TLS",
    "this machine has no certificates to trust, and nothing can be asked over https",
    "SSL_CERT_FILE or SSL_CERT_DIR points where there are none",
];
pub(super) const TLS_EXPIRED: Failure =
    ["no TLS", "its certificate has expired", "its operator forgot to renew it, or your clock is wrong"];
pub(super) const TLS_NOT_YET_VALID: Failure =
    ["no TLS", "its certificate is not valid yet", "your clock is wrong, or its operator's was"];
pub(super) const TLS_WRONG_NAME: Failure = [
    "no TLS",
    "its certificate is for another name",
    "another service has this address now, or a portal is in between",
];
pub(super) const TLS_SELF_SIGNED: Failure =
    ["no TLS", "its certificate vouches for itself alone", "a private server, or something in between"];
pub(super) const TLS_UNKNOWN_ISSUER: Failure =
    ["no TLS", "its certificate is by an unknown issuer", "something in between, or a private authority: see --tls-ca"];
pub(super) const TLS_BAD_CERTIFICATE: Failure = ["no TLS", "its certificate cannot be used", "a misconfigured server"];
pub(super) const TLS_PLAIN_HTTP: Failure =
    ["no TLS", "it speaks HTTP without TLS on this port", "the URL should begin with http"];
pub(super) const TLS_NOT_SPOKEN: Failure =
    ["no TLS", "it does not speak TLS on this port", "another service has this port now"];
pub(super) const TLS_CLOSED: Failure =
    ["no TLS", "it closed the connection within the TLS handshake", "it is overloaded, or wants a client certificate"];
pub(super) const TLS_TIMEOUT: Failure =
    ["no TLS", "the TLS handshake did not end in time", "it is overloaded, or something in between holds it up"];
pub(super) const TLS_FAILED: Failure = ["no TLS", "the TLS handshake failed", "no common version or cipher"];
