//! Peers over uTP (BEP 29): when it is tried, how it ends, and how it is left.

mod by_hand;
mod crowds;

use crate::lab::{Lab, PATIENCE, Told, collect, config, lab, lab_of_pieces, report_of, run, told_by};
use crate::metadata::{dialling, serving, swarm_of};
use crate::pex::{HASH, from, swarm_at};
use client::{Config, EncryptionPolicy, Outcome, PeerReport, Swarm, TransportPolicy};
use fake_swarm::{Encryption, End, Ending, FakeSwarm, Fault, Peer, PexList, PexScript, Responder, Serving};
use fake_swarm::{Tcp, Transport, Utp, message, peer_ip};
use std::net::SocketAddr;
use std::time::Duration;
use tracker::PeerAddress;

const PIECES: u32 = 100;

/// Encryption where plaintext is refused, as by default, and transports by this policy.
fn policy(transport: TransportPolicy) -> Config {
    config().with_encryption(EncryptionPolicy::PreferPlain).with_transport(transport)
}

/// The outcome of a peer, and how it was tried.
fn tried(report: &PeerReport) -> (&str, String) {
    let attempt = |attempt: &client::AttemptReport| {
        format!("{} {} {}", attempt.transport.code(), attempt.encryption.code(), attempt.outcome.code())
    };
    (report.outcome.code(), report.attempts.iter().map(attempt).collect::<Vec<_>>().join(", "))
}

/// What carried the connections to the peer in this place.
fn transports(swarm: &FakeSwarm, place: usize) -> Vec<Transport> {
    swarm.connections(*swarm.endpoints()[place].ip()).iter().map(|connection| connection.transport).collect()
}

/// One run with these peers by this policy, each of which must be tried so.
async fn expect<const N: usize>(transport: TransportPolicy, peers: [(Peer, (&str, &str)); N]) -> (Lab, Told) {
    let scripts = peers.iter().map(|(peer, _)| peer.clone());
    let (lab, told) = told_by(PIECES, scripts, policy(transport)).await;
    for (report, (peer, (outcome, attempts))) in told.peers.iter().zip(&peers) {
        assert_eq!(tried(report), (*outcome, (*attempts).to_owned()), "{peer:?}: {report:?}");
    }
    (lab, told)
}

fn requiring_encryption() -> Peer {
    Peer { encryption: Encryption::required(), ..Peer::default() }
}

fn silent_over_both() -> Peer {
    Peer { tcp: Tcp::Silent, utp: Utp::Silent, ..Peer::default() }
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_where_tcp_was_no_use_and_not_where_it_was() {
    let only = |tcp| Peer::default().only_utp(tcp);
    let (lab, told) = expect(
        TransportPolicy::Auto,
        [
            (Peer::default().and_utp(), ("ok", "tcp none ok")),
            (Peer::silent().and_utp(), ("handshake_timeout", "tcp none handshake_timeout")),
            (Peer::wrong_hash().and_utp(), ("wrong_info_hash", "tcp none wrong_info_hash")),
            (requiring_encryption().and_utp(), ("ok", "tcp none closed_before_handshake, tcp rc4 ok")),
            (only(Tcp::Refuses), ("ok", "tcp none connect_refused, utp none ok")),
            (only(Tcp::Silent), ("ok", "tcp none connect_timeout, utp none ok")),
            (only(Tcp::Resets), ("ok", "tcp none closed_before_handshake, tcp rc4 encryption_failed, utp none ok")),
            (
                requiring_encryption().only_utp(Tcp::Refuses),
                ("ok", "tcp none connect_refused, utp none closed_before_handshake, utp rc4 ok"),
            ),
            (
                Peer::closing().and_utp(),
                (
                    "closed_before_handshake",
                    "tcp none closed_before_handshake, tcp rc4 encryption_failed, \
                     utp none closed_before_handshake, utp rc4 encryption_failed",
                ),
            ),
        ],
    )
    .await;
    assert_eq!(told.summary.ok, 6);
    for place in 0..4 {
        assert!(transports(&lab.swarm, place).iter().all(|transport| *transport == Transport::Tcp));
    }
    // The attempt beside TCP began when that had been silent for longer than round trips here are, and is measured from there.
    let report = &told.peers[5];
    assert_eq!(report.transport, client::Transport::Utp);
    assert!(report.connect.unwrap() < Duration::from_millis(100), "{report:?}");
    let error = report.attempts[0].error.as_deref().unwrap();
    assert!(error.starts_with("no answer within 0.30"), "{error}");
}

#[tokio::test]
async fn a_peer_is_connected_to_four_times_at_most_with_pauses() {
    let (lab, told) = told_by(PIECES, [Peer::closing().and_utp()], policy(TransportPolicy::Auto)).await;
    let all = lab.swarm.connections(peer_ip(0));
    assert_eq!((all.len(), told.peers[0].attempts.len()), (4, 4));
    // Some clients refuse an address that comes back sooner, but over the other transport none does that has closed the connection
    // before itself.
    let pauses: Vec<_> = all.windows(2).map(|pair| pair[1].since_first - pair[0].since_first).collect();
    let pause = Duration::from_millis(500);
    assert!(pauses[0] >= pause && pauses[1] < pause && pauses[2] >= pause, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn the_failure_that_says_most_is_the_peers() {
    let (_, told) = expect(
        TransportPolicy::Auto,
        [
            (Peer::refusing(), ("connect_refused", "tcp none connect_refused, utp none connect_refused")),
            (
                Peer { utp: Utp::Silent, ..Peer::refusing() },
                ("connect_refused", "tcp none connect_refused, utp none no_utp_answer"),
            ),
            (silent_over_both(), ("connect_timeout", "tcp none connect_timeout, utp none no_utp_answer")),
            (
                Peer { tcp: Tcp::Silent, ..Peer::default() },
                ("connect_timeout", "tcp none connect_timeout, utp none connect_refused"),
            ),
            (
                Peer::silent().only_utp(Tcp::Refuses),
                ("handshake_timeout", "tcp none connect_refused, utp none handshake_timeout"),
            ),
            (
                Peer::wrong_hash().only_utp(Tcp::Silent),
                ("wrong_info_hash", "tcp none connect_timeout, utp none wrong_info_hash"),
            ),
        ],
    )
    .await;
    // A second until the SYN is sent again and 1.75 s for its answer; in a run with refusals, which say how long round trips take.
    let took = told.summary.elapsed;
    assert!((Duration::from_millis(2750)..Duration::from_millis(2800)).contains(&took), "{took:?}");
    let error = told.peers[2].error.as_deref().unwrap();
    assert!(error.starts_with("no connection within 2.7"), "{error}");
    // Where the time-out is the user's, the five seconds of a connection are those of both transports.
    let fixed = policy(TransportPolicy::Auto).with_connect_timeout(Duration::from_secs(5));
    let (_, told) = told_by(PIECES, [silent_over_both(), Peer::refusing()], fixed).await;
    let took = told.summary.elapsed;
    assert!((Duration::from_secs(5)..Duration::from_millis(5100)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_one_transport_never_uses_the_other() {
    let peers = || [Peer::default().and_utp(), Peer::closing().and_utp()];
    for (transport, expected) in [(TransportPolicy::Tcp, Transport::Tcp), (TransportPolicy::Utp, Transport::Utp)] {
        let [one, other] = peers();
        let code = if expected == Transport::Tcp { "tcp" } else { "utp" };
        let both = format!("{code} none closed_before_handshake, {code} rc4 encryption_failed");
        let ok = format!("{code} none ok");
        let (lab, _) = expect(transport, [(one, ("ok", &ok)), (other, ("closed_before_handshake", &both))]).await;
        assert_eq!((transports(&lab.swarm, 0), transports(&lab.swarm, 1)), (vec![expected], vec![expected; 2]));
    }
    let silence = Peer { utp: Utp::Silent, ..Peer::default() };
    let (lab, told) = expect(
        TransportPolicy::Utp,
        [
            (silence, ("no_utp_answer", "utp none no_utp_answer")),
            (Peer::default(), ("connect_refused", "utp none connect_refused")),
        ],
    )
    .await;
    assert_eq!(lab.swarm.accepted(), 0);
    assert!(told.peers[0].error.as_deref().unwrap().contains("no answer over uTP"), "{:?}", told.peers[0].error);
}

#[tokio::test]
async fn a_script_has_the_same_report_over_both_transports() {
    let peers = [
        Peer::default(),
        Peer::default().sending([message::bitfield(&message::bits(PIECES, |_| true))]),
        Peer::silent(),
        Peer::closing(),
        Peer::resetting(),
        Peer::short(1),
        Peer::short(67),
        Peer::garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Peer::wrong_hash(),
        Peer::own_peer_id(),
        Peer::slow(Duration::from_millis(2)),
        Peer::split(vec![1, 20, 48, 67]),
        Peer { ending: Ending::Closes, ..Peer::default() },
    ];
    let config = || config().with_linger(Duration::from_millis(600)).with_handshake_timeout(Duration::from_secs(1));
    let over = async |transport| {
        let peers = peers.clone().map(Peer::and_utp);
        told_by(PIECES, peers, config().with_transport(transport)).await.1
    };
    let (over_tcp, over_utp) = (over(TransportPolicy::Tcp).await, over(TransportPolicy::Utp).await);
    for ((tcp, utp), peer) in over_tcp.peers.iter().zip(&over_utp.peers).zip(&peers) {
        let said =
            |report: &PeerReport| (report.outcome, report.stage, report.detail, report.role, report.bytes_received);
        assert_eq!(said(utp), said(tcp), "{peer:?}: {utp:?}");
        assert_eq!((utp.listen_end, utp.transport), (tcp.listen_end, client::Transport::Utp), "{peer:?}");
    }
    assert_eq!(over_utp.summary.ok, 5);
}

#[tokio::test]
async fn encryption_is_the_same_inside() {
    let requiring = |responder| Peer { encryption: Encryption::required_by(responder), ..Peer::default() };
    let faulty = |fault| requiring(Responder { fault: Some(fault), ..Responder::default() });
    let peers = [
        requiring(Responder { pad_b: 0, pad_d: 0, ..Responder::default() }),
        requiring(Responder { pad_b: 512, pad_d: 512, ..Responder::default() }),
        faulty(Fault::NoSync),
        faulty(Fault::EndlessPad),
        faulty(Fault::WrongConstant),
    ];
    let peers = peers.map(|peer| peer.sending([message::have_all()]).only_utp(Tcp::Refuses));
    let config = config().with_encryption(EncryptionPolicy::Require).with_transport(TransportPolicy::Utp);
    let config = config.with_handshake_timeout(Duration::from_secs(1)).with_linger(Duration::from_secs(1));
    let (_, told) = told_by(PIECES, peers, config).await;
    let outcomes: Vec<_> = told.peers.iter().map(|report| report.outcome).collect();
    let failed = Outcome::EncryptionFailed;
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Ok, failed, failed, failed]);
    assert!(told.peers[..2].iter().all(|report| report.encryption == client::Encryption::Rc4));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_said_to_take_it_is_dialled_over_it_first() {
    let peers = [
        Peer::default().and_utp(),
        Peer::default(),
        Peer { utp: Utp::Silent, ..Peer::default() },
        Peer::default().only_utp(Tcp::Refuses),
        silent_over_both(),
    ];
    let others = swarm_at(10, peers);
    let flagged = |flags| {
        let list = PexList::naming(others.endpoints()).flagged(flags);
        swarm_at(0, [Peer::default().serving(Serving::pex(PexScript::of([list])))])
    };
    let (first, expected) = (
        flagged(PexList::UTP),
        [
            ("ok", "utp none ok"),
            ("ok", "utp none connect_refused, tcp none ok"),
            ("ok", "utp none no_utp_answer, tcp none ok"),
            ("ok", "utp none ok"),
            ("connect_timeout", "utp none no_utp_answer, tcp none connect_timeout"),
        ],
    );
    let told = run(HASH, from(&first)).await;
    for (endpoint, (outcome, attempts)) in others.endpoints().into_iter().zip(expected) {
        assert_eq!(tried(report_of(&told, endpoint.into())), (outcome, attempts.to_owned()));
    }
    // Without the flag over TCP.
    let told = run(HASH, from(&flagged(0))).await;
    assert_eq!(tried(report_of(&told, others.endpoints()[0].into())), ("ok", "tcp none ok".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_leaves_with_a_reset() {
    let long = || policy(TransportPolicy::Utp).with_handshake_timeout(PATIENCE);
    let peers = || [Peer::silent().and_utp(), Peer::default().repeating(message::keep_alive(), Duration::from_secs(1))];
    for deadline in [Some(Duration::from_secs(1)), None] {
        let lab = lab(peers().map(Peer::and_utp));
        let config = long().with_deadline(deadline.unwrap_or(PATIENCE)).with_linger(PATIENCE);
        let mut swarm = Swarm::new(&lab.torrent, config).unwrap();
        let is_open = lab.swarm.wait_for(|counts| counts.open == 2 && counts.received == 136, PATIENCE);
        if deadline.is_some() {
            let told = collect(&mut swarm).await;
            assert_eq!(told.summary.outcomes[&Outcome::Interrupted], 1);
        } else {
            tokio::select! {
                _ = collect(&mut swarm) => panic!("the run goes on"),
                is_open = is_open => assert!(is_open),
            }
            drop(swarm);
        }
        assert!(lab.swarm.wait_for(|counts| counts.open == 0, PATIENCE).await);
        for endpoint in lab.swarm.endpoints() {
            let [only] = lab.swarm.connections(*endpoint.ip()).try_into().unwrap();
            assert_eq!((only.transport, only.end), (Transport::Utp, Some(End::TheyReset)));
        }
    }
}

#[tokio::test]
async fn a_peer_is_reached_over_ipv6_too() {
    let mut lab = lab([Peer::default().only_utp(Tcp::Refuses), Peer { utp: Utp::Silent, ..Peer::refusing() }]);
    let there = SocketAddr::from(lab.swarm.open_v6(peer_ip(0)).unwrap());
    let closed = SocketAddr::from((there.ip(), 1));
    let config = policy(TransportPolicy::Utp).with_peers([there, closed].map(PeerAddress::Socket).to_vec());
    let told = run(&lab.torrent, config.with_sources(client::Sources::NONE)).await;
    assert_eq!(tried(report_of(&told, there)), ("ok", "utp none ok".to_owned()));
    assert_eq!(tried(report_of(&told, closed)), ("connect_refused", "utp none connect_refused".to_owned()));
}

#[tokio::test]
async fn a_family_without_a_source_address_is_a_limit_of_ours_over_it_too() {
    let peer = PeerAddress::Socket(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 1)));
    let mut config = policy(TransportPolicy::Utp).with_sources(client::Sources::NONE).with_peers(vec![peer]);
    config.bind.add("127.8.9.10".parse().unwrap()).unwrap();
    let told = run(&lab([]).torrent, config).await;
    let report = &told.peers[0];
    assert_eq!((report.outcome, report.detail), (Outcome::LocalLimit, Some(client::Detail::FamilyNotChosen)));
}

#[tokio::test]
async fn metadata_of_many_pieces_comes_over_it() {
    let info = [b"d4:name4:long12:piece lengthi16384e6:pieces100000:".as_slice(), &[b'p'; 100_000], b"e"].concat();
    let hash = fake_swarm::torrent::sha1(&info);
    let peer = serving(fake_swarm::MetadataScript::of(&info), []).only_utp(Tcp::Refuses);
    let swarm = swarm_of(hash, [peer]);
    let told = run(ids::InfoHash(hash), dialling(&swarm).with_transport(TransportPolicy::Utp)).await;
    assert_eq!(told.metadata.len(), 1);
    assert_eq!(told.summary.ok, 1);
    assert_eq!(swarm.connections(peer_ip(0))[0].requests.len(), info.len().div_ceil(1 << 14));
}
