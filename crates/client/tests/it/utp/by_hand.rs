//! Peers made packet by packet, for what a correct one never does.

use super::*;
use client::{Sources, Trackers};
use fake_swarm::{
    FakeTracker, FakeUtpPeer, FullListener, RESERVED, TrackerScript, UtpPacket, UtpQuestion, UtpReply, UtpScript,
    handshake,
};
use tokio::time::Instant;

const MINUTE: Duration = PATIENCE;

fn hash() -> ids::InfoHash {
    ids::InfoHash([b'u'; 20])
}

/// A peer with a good handshake.
fn good() -> UtpScript {
    UtpScript::saying(handshake(RESERVED, &hash().0, b"-UT3550-abcdefghijkl"))
}

/// One that makes this of its answers.
fn edited(edit: impl Fn(&UtpQuestion, &mut UtpReply) + Send + Sync + 'static) -> UtpScript {
    good().edited(edit)
}

fn dialling(peer: &FakeUtpPeer, config: Config) -> Config {
    config.with_sources(Sources::NONE).with_metadata(false).with_peers(vec![PeerAddress::Socket(peer.addr())])
}

/// One run with this peer over uTP alone.
async fn met(script: UtpScript, config: Config) -> (FakeUtpPeer, PeerReport) {
    let peer = FakeUtpPeer::start([127, 0, 0, 1], script).unwrap();
    let mut told = run(hash(), dialling(&peer, config)).await;
    (peer, told.peers.remove(0))
}

fn alone() -> Config {
    config().with_transport(TransportPolicy::Utp)
}

/// The types of the packets that the peer was sent, once a RESET has come.
async fn heard(peer: &FakeUtpPeer) -> Vec<u8> {
    let is_reset = |question: &UtpQuestion| question.packet.as_ref().is_some_and(|it| it.kind == UtpPacket::RESET);
    assert!(peer.wait_for(is_reset, MINUTE).await);
    peer.kinds().into_iter().flatten().collect()
}

const SYN: u8 = UtpPacket::SYN;
const DATA: u8 = UtpPacket::DATA;
const STATE: u8 = UtpPacket::STATE;
const FIN: u8 = UtpPacket::FIN;
const RESET: u8 = UtpPacket::RESET;

/// A FIN for any packet, with libtorrent's reason that it has no room.
fn full(question: &UtpQuestion, reply: &mut UtpReply) {
    let fin = question.answer(FIN);
    reply.packets = question.answer(STATE).into_iter().chain(fin).collect();
    reply.packets.iter_mut().skip(1).for_each(|fin| fin.extensions = vec![(3, vec![0, 0, 0, 15])]);
}

#[tokio::test(start_paused = true)]
async fn each_end_has_its_outcome_and_is_left_politely() {
    let ends = [
        ("a RESET to the SYN", good().from_then_on(0, RESET), Outcome::ConnectReset, vec![SYN]),
        ("a RESET to the handshake", good().from_then_on(1, RESET), Outcome::ClosedBeforeHandshake, vec![SYN, DATA]),
        ("a FIN to the handshake", good().from_then_on(1, FIN), Outcome::ClosedBeforeHandshake, vec![]),
        ("silence", edited(|_, reply| reply.packets.clear()), Outcome::NoUtpAnswer, vec![SYN, SYN, RESET]),
        ("silence after the SYN-ACK", edited(silent_from(1)), Outcome::HandshakeTimeout, vec![]),
        ("acknowledgements alone", good().from_then_on(1, STATE), Outcome::HandshakeTimeout, vec![SYN, DATA, RESET]),
        (
            "a window of 0 for ever",
            good().from_then_on(1, STATE).each(|it| it.window = 0),
            Outcome::HandshakeTimeout,
            vec![],
        ),
        ("full", edited(full), Outcome::ClosedBeforeHandshake, vec![]),
    ];
    for (what, script, outcome, packets) in ends {
        let (peer, report) = met(script, alone()).await;
        assert_eq!(report.outcome, outcome, "{what}: {report:?}");
        if packets == [SYN] || packets == [SYN, DATA] {
            // It has forgotten us already.
            assert_eq!(peer.kinds().into_iter().flatten().collect::<Vec<_>>(), packets, "{what}");
            continue;
        }
        let heard = heard(&peer).await;
        assert!(packets.is_empty() || heard == packets, "{what}: {heard:?}");
        assert_eq!(report.detail == Some(client::Detail::Full), what == "full", "{report:?}");
    }
}

fn silent_from(datagrams: usize) -> impl Fn(&UtpQuestion, &mut UtpReply) + Send + Sync {
    move |question, reply| {
        if question.before >= datagrams {
            reply.packets.clear();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_packets_beside_the_right_ones_changes_nothing() {
    for (what, script) in fake_swarm::hostile::utp(&good()) {
        let (peer, report) = met(script, alone()).await;
        assert_eq!(report.outcome, Outcome::Ok, "{what}: {report:?}");
        assert_eq!(report.bytes_received, 68, "{what}");
        heard(&peer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_connections_to_one_peer_have_ids_of_their_own() {
    let peers: Vec<_> = (0..30).map(|n| FakeUtpPeer::start(peer_ip(n), good().from_then_on(1, FIN)).unwrap()).collect();
    let addresses = peers.iter().map(|peer| PeerAddress::Socket(peer.addr())).collect();
    let config = policy(TransportPolicy::Utp).with_sources(Sources::NONE).with_metadata(false).with_peers(addresses);
    run(hash(), config).await;
    for peer in peers {
        let packets = peer.questions().into_iter().filter_map(|question| question.packet);
        let ids: Vec<u16> = packets.filter(|packet| packet.kind == SYN).map(|packet| packet.id).collect();
        let [one, other] = ids.try_into().unwrap();
        assert!(!matches!(one.wrapping_sub(other), 0 | 1 | u16::MAX), "{one} {other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_it_is_full_is_not_asked_again() {
    let (peer, report) = met(edited(full), policy(TransportPolicy::Utp)).await;
    assert_eq!(tried(&report), ("closed_before_handshake", "utp none closed_before_handshake".to_owned()));
    assert_eq!(heard(&peer).await.into_iter().filter(|kind| *kind == SYN).count(), 1);
}

/// The kernel sends its SYN again after one and three seconds of its own clock.
#[tokio::test]
async fn a_syn_is_taken_back_when_tcp_has_an_answer() {
    let listener = FullListener::start().unwrap();
    let peer = FakeUtpPeer::start_on(listener.addr(), edited(|_, reply| reply.packets.clear())).unwrap();
    let config = dialling(&peer, config().with_handshake_timeout(Duration::from_millis(300)));
    let (told, ()) = tokio::join!(run(hash(), config), async {
        assert!(peer.wait_for(|_| true, MINUTE).await);
        listener.accept_one();
    });
    assert_eq!(tried(&told.peers[0]), ("handshake_timeout", "tcp none handshake_timeout".to_owned()));
    // Where the kernel's first repetition came too early, ours is sent again before the next.
    let mut heard = heard(&peer).await;
    heard.dedup();
    assert_eq!(heard, [SYN, RESET]);
}

#[tokio::test(start_paused = true)]
async fn tcp_is_not_waited_for_beyond_its_time_when_utp_took_long() {
    let listener = FullListener::start().unwrap();
    // Its first SYN is lost, so that the answer comes three seconds later.
    let lost = |question: &UtpQuestion, reply: &mut UtpReply| {
        if question.before == 0 {
            reply.packets.clear();
        }
    };
    let peer = FakeUtpPeer::start_on(listener.addr(), edited(lost)).unwrap();
    let told = run(hash(), dialling(&peer, config())).await;
    assert_eq!(tried(&told.peers[0]), ("ok", "tcp none connect_timeout, utp none ok".to_owned()));
    assert!(told.summary.elapsed < Duration::from_millis(5200), "{:?}", told.summary.elapsed);
}

/// A peer that does not answer a SYN by itself.
fn asleep(addr: SocketAddr) -> FakeUtpPeer {
    let awaits = |question: &UtpQuestion, reply: &mut UtpReply| {
        if question.packet.as_ref().is_some_and(|packet| packet.kind == SYN) {
            reply.packets.clear();
        }
    };
    FakeUtpPeer::start_on(addr, edited(awaits)).unwrap()
}

/// A run with this peer, which answers the last SYN after so long, one that answers at once, and others.
async fn woken(peer: &FakeUtpPeer, after: Duration, others: &[&FakeUtpPeer], config: Config) -> Told {
    let quick = FakeUtpPeer::start(peer_ip(9), good()).unwrap();
    // By a tracker's word: the user's are waited for in full.
    let tracker =
        FakeTracker::start(TrackerScript::peers(others.iter().chain([&&quick, &peer]).map(|peer| peer.addr())))
            .unwrap();
    let trackers = Trackers::Only(vec![tracker.announce_url().parse().unwrap()]);
    let sources = Sources::NONE.with_trackers(true);
    let mut config = config.with_sources(sources).with_metadata(false).with_trackers(trackers);
    config.handshake_timeout = None;
    let begun = Instant::now();
    let (told, ()) = tokio::join!(run(hash(), config), async {
        tokio::time::sleep_until(begun + after).await;
        let syn = peer.questions().pop().unwrap();
        peer.send(&syn.answer(STATE).unwrap().to_bytes(), syn.remote);
    });
    told
}

fn of<'a>(told: &'a Told, peer: &FakeUtpPeer) -> &'a PeerReport {
    let address = PeerAddress::Socket(peer.addr());
    told.peers.iter().find(|report| report.address == address).unwrap()
}

/// One that says part of a handshake, for which it has five seconds.
fn busy() -> FakeUtpPeer {
    let begun = handshake(RESERVED, &hash().0, b"-UT3550-abcdefghijkl")[..20].to_vec();
    FakeUtpPeer::start(peer_ip(8), UtpScript::saying(begun)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_when_it_is_overdue_and_says_nothing_more_is_late() {
    let script = |question: &UtpQuestion, reply: &mut UtpReply| {
        reply.packets.retain(|_| question.packet.as_ref().is_some_and(|packet| packet.kind != SYN));
        reply.packets.truncate(1);
    };
    let (peer, busy) = (FakeUtpPeer::start(peer_ip(7), edited(script)).unwrap(), busy());
    let told = woken(&peer, Duration::from_millis(2600), &[&busy], alone()).await;
    let report = of(&told, &peer);
    assert_eq!((report.outcome, report.bytes_received), (Outcome::Late, 0), "{report:?}");
    assert_eq!(of(&told, &busy).outcome, Outcome::HandshakeTimeout);
    assert!(told.summary.elapsed < Duration::from_millis(5100), "{:?}", told.summary.elapsed);
}

#[tokio::test(start_paused = true)]
async fn one_that_shook_hands_late_is_listened_to_as_any_other() {
    let (peer, busy) = (asleep(SocketAddr::new(peer_ip(7).into(), 0)), busy());
    let told = woken(&peer, Duration::from_millis(2600), &[&busy], alone().with_linger(Duration::from_secs(4))).await;
    assert_eq!(of(&told, &peer).outcome, Outcome::Ok);
    let elapsed = told.summary.elapsed;
    assert!(elapsed >= Duration::from_millis(6600), "{elapsed:?}, and all others had ended after 5 s");
}

#[tokio::test(start_paused = true)]
async fn one_that_has_answered_is_not_cut_while_tcp_is_waited_for() {
    let listener = FullListener::start().unwrap();
    let peer = asleep(listener.addr());
    let told = woken(&peer, Duration::from_millis(2500), &[], config()).await;
    assert_eq!(tried(of(&told, &peer)), ("ok", "tcp none connect_timeout, utp none ok".to_owned()));
}
