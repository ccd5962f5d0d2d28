//! Nodes that lie: what each kind can make a lookup do at most.

use crate::lookup::drive::{Course, run};
use dht::krpc::Reply;
use dht::lookup::{End, Family, Ignored, Lookup, Options, Start, limits};
use dht::{Contact, NodeId};
use guard::AddressPolicy;
use ids::InfoHash;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(crate) const TARGET: NodeId = NodeId([0x55; 20]);
const ROUND_TRIP: Duration = Duration::from_millis(100);

/// An id that shares `bits` bits with the target, and differs for different `n`.
pub(crate) fn near(bits: u32, n: u32) -> NodeId {
    let mut id = TARGET;
    id.0[bits as usize / 8] ^= 0x80 >> (bits % 8);
    id.0[16..].iter_mut().zip(n.to_be_bytes()).for_each(|(byte, n)| *byte ^= n);
    id
}

/// An address of network `n`.
pub(crate) fn place(n: u32) -> SocketAddr {
    let [_, a, b, c] = n.to_be_bytes();
    ([20 + a, b, c, 1], 6881).into()
}

fn contact(bits: u32, n: u32) -> Contact {
    Contact { id: near(bits, n), address: place(n) }
}

pub(crate) fn start(address: SocketAddr, id: Option<NodeId>) -> Start {
    Start { address, id, policy: AddressPolicy::for_peers_of(place(0).ip()) }
}

pub(crate) fn lookup(now: Instant) -> Lookup {
    Lookup::new(InfoHash(TARGET.0), Options::new(Family::V4, NodeId([1; 20])), now)
}

/// A lookup that starts at one node, and what all nodes answer.
fn from_one(mut answer: impl FnMut(SocketAddr) -> Option<(NodeId, Vec<Contact>, Vec<SocketAddr>)>) -> Course {
    let now = Instant::now();
    let mut lookup = lookup(now);
    lookup.add_contact(start(place(0), None));
    run(lookup, now, |to, transaction| {
        let (id, nodes, peers) = answer(to)?;
        let mut reply = Reply::new(&transaction, id);
        (reply.nodes, reply.peers) = (nodes, peers);
        Some((ROUND_TRIP, reply))
    })
}

/// The number of the network that an address is in.
fn number(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(address) => (address.ip().to_bits() >> 8) - (20 << 16),
        SocketAddr::V6(_) => unreachable!("no such address is named"),
    }
}

#[test]
fn nodes_that_answer_with_an_id_at_the_target_instead_of_their_own_are_not_believed() {
    let course = from_one(|to| match number(to) {
        0 => Some((near(0, 0), (1..9).map(|n| contact(4, n)).collect(), vec![])),
        n => Some((near(150, n), (10 * n..10 * n + 8).map(|n| contact(8, n)).collect(), vec![place(n)])),
    });
    assert_eq!((course.end, course.view.misnamed, course.view.queries), (End::Exhausted, 8, 9));
    assert_eq!((course.view.answered, course.peers.len(), course.view.storers), (1, 0, 0));
}

#[test]
fn one_id_at_many_addresses_counts_once() {
    let course = from_one(|to| match number(to) {
        0 => Some((near(0, 0), (1..9).map(|n| Contact { id: near(4, 1), address: place(n) }).collect(), vec![])),
        _ => Some((near(4, 1), vec![], vec![])),
    });
    assert_eq!((course.end, course.view.answered, course.view.misnamed), (End::Exhausted, 2, 1));
}

#[test]
fn nodes_in_a_circle_are_asked_once_each() {
    let course = from_one(|to| {
        let n = number(to);
        Some((near(n, n), (0..8).map(|step| (n + step) % 12).map(|n| contact(n, n)).collect(), vec![]))
    });
    assert_eq!((course.end, course.view.queries, course.view.answered), (End::Exhausted, 12, 12));
}

#[test]
fn dead_nodes_nearer_and_nearer_take_a_limited_number_of_queries_and_seconds() {
    // Every address answers if it was named by an answer of 8, and of those that it names the nearest one only.
    let course = from_one(|to| {
        let n = number(to);
        n.is_multiple_of(8)
            .then(|| (near(n / 8 % 150, n), (n + 1..n + 9).map(|n| contact(n / 8 % 150, n)).collect(), vec![]))
    });
    assert!(course.view.queries <= limits::QUERIES + limits::QUERIES_IF_SILENT, "{:?}", course.view);
    assert!(course.view.done < Some(limits::LONGEST), "{:?}", course.view);
}

#[test]
fn live_nodes_nearer_and_nearer_take_85_queries() {
    let mut named = 0;
    let course = from_one(|to| {
        let n = number(to);
        let nodes = (1..9).map(|step| contact((named / 8 + 1) % 150, named + step)).collect();
        named += 8;
        Some((near(if n == 0 { 0 } else { (n - 1) / 8 + 1 }, n), nodes, vec![]))
    });
    assert!(matches!(course.end, End::Queries | End::Closest), "{:?}", course.end);
    assert!(course.view.queries <= limits::QUERIES && course.view.misnamed == 0, "{:?}", course.view);
}

#[test]
fn nodes_that_answer_just_in_time_draw_a_lookup_out_to_10_seconds() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    lookup.add_contact(start(place(0), None));
    let course = run(lookup, now, |to, transaction| {
        let n = number(to);
        let mut reply = Reply::new(&transaction, near(n, n));
        reply.nodes = vec![contact(n + 1, n + 1)];
        Some((Duration::from_millis(1_450), reply))
    });
    assert_eq!((course.end, course.view.done), (End::TooLong, Some(Duration::from_secs(10))));
}

#[test]
fn many_ids_at_one_address_make_one_query_and_a_second_one() {
    let victim = |n: u32| Contact { id: near(20, n), address: SocketAddr::new(place(9).ip(), 1024 + n as u16) };
    let course = from_one(|to| (number(to) == 0).then(|| (near(0, 0), (0..1_000).map(victim).collect(), vec![])));
    let of_victim: usize = course.asked.iter().filter(|(to, _)| to.ip() == place(9).ip()).map(|(_, times)| times).sum();
    assert_eq!((of_victim, course.view.queries), (2, 3));
}

#[test]
fn made_up_nodes_of_one_network_take_8_queries_and_8_second_ones() {
    let mut named = 0_u8;
    let victim = |n: u8| Contact { id: near(60, n.into()), address: ([9, 9, 9, n], 6881).into() };
    let course = from_one(|to| {
        if to.ip().to_string().starts_with("9.") {
            return None;
        }
        let (n, victims) = (number(to), (named..named + 4).map(victim));
        named += 4;
        // Nine nodes answer, one after the other.
        Some((near(n, n), victims.chain((n < 8).then(|| contact(n + 1, n + 1))).collect(), vec![]))
    });
    let of_network: usize =
        course.asked.iter().filter(|(to, _)| to.ip().to_string().starts_with("9.9.9.")).map(|(_, times)| times).sum();
    assert_eq!((named, of_network), (36, limits::SILENT_OF_NETWORK + limits::SECOND_QUERIES));
}

#[test]
fn many_nodes_of_one_network_leave_room_for_others() {
    let neighbour = |n: u32| Contact { id: near(60, n), address: ([9, 9, 9, n as u8], 6881).into() };
    let course = from_one(|to| match to.ip().to_string() {
        ip if ip.starts_with("9.9.9.") => {
            Some((neighbour(ip[6..].parse().unwrap()).id, (1..9).map(neighbour).collect(), vec![]))
        }
        _ if number(to) == 0 => {
            Some((near(0, 0), (1..5).map(neighbour).chain((1..5).map(|n| contact(2, n))).collect(), vec![]))
        }
        _ => Some((near(2, number(to)), (1..9).map(neighbour).collect(), vec![])),
    });
    let of_network = course.asked.keys().filter(|to| to.ip().to_string().starts_with("9.9.9.")).count();
    assert_eq!((of_network, course.view.answered), (2, 7));
}

#[test]
fn local_addresses_low_ports_and_the_other_family_are_neither_asked_nor_handed_on() {
    let bad = [
        "10.0.0.1:6881",
        "127.0.0.1:6881",
        "169.254.169.254:6881",
        "224.0.0.1:6881",
        "8.8.8.8:53",
        "8.8.8.8:80",
        "8.8.8.8:443",
    ];
    let mut bad: Vec<SocketAddr> = bad.iter().map(|address| address.parse().unwrap()).collect();
    let course = from_one(|_| {
        let nodes =
            bad.iter().map(|address| Contact { id: near(9, address.port().into()), address: *address }).collect();
        Some((near(0, 0), nodes, [&bad[..], &[place(7)]].concat()))
    });
    assert_eq!((course.view.queries, course.view.dropped_nodes, course.view.dropped_peers), (1, 7, 7));
    assert_eq!(course.peers.keys().copied().collect::<Vec<_>>(), [place(7)]);
    bad = vec!["[2a00::1]:6881".parse().unwrap()];
    let course = from_one(|_| Some((near(0, 0), vec![Contact { id: near(9, 1), address: bad[0] }], bad.clone())));
    assert_eq!((course.view.queries, course.view.dropped_nodes, course.view.dropped_peers), (1, 0, 1));
}

#[test]
fn a_node_in_a_local_network_may_name_others_there() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    let local: SocketAddr = "10.0.0.1:6881".parse().unwrap();
    lookup.add_contact(start(local, None));
    assert_eq!(lookup.view().dropped_nodes, 1, "not on the word of a public source");
    lookup.add_contact(Start { policy: AddressPolicy::User, ..start(local, None) });
    let course = run(lookup, now, |to, transaction| {
        let mut reply = Reply::new(&transaction, near(if to == local { 0 } else { 9 }, 0));
        reply.nodes = vec![Contact { id: near(9, 0), address: "10.0.1.1:6881".parse().unwrap() }];
        Some((ROUND_TRIP, reply))
    });
    assert_eq!(course.view.answered, 2);
}

#[test]
fn strangers_and_guesses_change_nothing() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    lookup.add_contact(start(place(1), Some(near(3, 1))));
    let (to, query) = lookup.poll_query(now, *b"abcd").unwrap();
    let later = now + ROUND_TRIP;
    let mut reply = Reply::new(b"abce", near(3, 1));
    reply.peers = vec![place(5)];
    for n in 0..10_000 {
        assert_eq!(lookup.reply(later, place(2 + n), &reply), Err(Ignored::Unasked), "of a stranger");
        assert_eq!(lookup.reply(later, to, &reply), Err(Ignored::Unasked), "with a guess");
    }
    let view = lookup.view();
    assert_eq!((view.unasked, view.peers, view.answered), (20_000, 0, 0));
    reply.transaction = query.transaction.to_vec();
    assert_eq!(lookup.reply(later, place(2), &reply), Err(Ignored::Unasked), "from another address");
    assert_eq!(lookup.reply(later, to, &reply).unwrap().new_peers, 1);
    assert_eq!(lookup.reply(later, to, &reply), Err(Ignored::Unasked), "twice");
}

#[test]
fn a_wrong_id_or_address_that_was_named_first_does_not_hide_the_right_one() {
    // The first node names 1 with the id of another node, and another address with the id of 2.
    let course = from_one(|to| match number(to) {
        0 => Some((
            near(0, 0),
            vec![
                Contact { id: near(20, 77), address: place(1) },
                Contact { id: near(8, 2), address: place(99) },
                contact(9, 3),
            ],
            vec![],
        )),
        3 => Some((near(9, 3), vec![contact(10, 1), contact(8, 2)], vec![])),
        1 => Some((near(10, 1), vec![], vec![place(50)])),
        2 => Some((near(8, 2), vec![], vec![place(51)])),
        _ => None,
    });
    assert_eq!(course.peers.len(), 1, "{:?}", course.view);
    assert!(course.peers.contains_key(&place(51)), "node 2 was found at its address");
    assert_eq!(course.view.misnamed, 1, "node 1 was asked before its right id was known");
}

#[test]
fn an_endless_number_of_peers_is_cut_off() {
    let course = from_one(|to| {
        let n = number(to);
        let peers = (0..500).map(|peer| place(1_000 + n * 500 + peer)).collect();
        Some((near(n.min(150), n), (n + 1..n + 9).map(|n| contact(n.min(150), n)).collect(), peers))
    });
    assert_eq!(course.view.peers, limits::PEERS);
    assert!(course.view.dropped_peers > 0, "{:?}", course.view);
}
