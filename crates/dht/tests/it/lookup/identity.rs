//! Which id a node has, and which of its addresses is asked.

use crate::lookup::hostile::{lookup, near, place, start};
use crate::lookup::rules::{drain, known, millis, reply};
use dht::krpc::Reply;
use dht::lookup::{End, Ignored, Start, limits};
use dht::{Contact, NodeId, Version};
use guard::AddressPolicy;
use std::net::SocketAddr;
use std::time::Instant;

#[test]
fn among_closer_nodes_without_valid_ids_8_with_one_are_waited_for() {
    let now = Instant::now();
    let mut lookup = known(now, 20);
    let id = |n: u32| NodeId::for_address(place(n).ip(), [n as u8; 20]);
    (50..60).for_each(|n| lookup.add_contact(start(place(n), Some(id(n)))));
    let asked = drain(&mut lookup, now);
    assert_eq!(asked.len(), 2 * limits::CLOSER_WAITING);
    assert_eq!(asked.iter().filter(|address| (50..60).any(|n| place(n) == **address)).count(), limits::CLOSER_WAITING);
}

#[test]
fn the_8_closest_nodes_with_valid_ids_must_have_answered_too() {
    let now = Instant::now();
    let mut lookup = known(now, 18);
    for n in 50..60 {
        lookup.add_contact(start(place(n), Some(NodeId::for_address(place(n).ip(), [n as u8; 20]))));
    }
    drain(&mut lookup, now);
    for n in (3..=18).rev() {
        lookup.reply(now + millis(50), place(n), &reply(n)).unwrap();
        drain(&mut lookup, now + millis(50));
    }
    assert_eq!(lookup.view().asked, limits::CLOSEST + limits::CLOSEST_VALID);
    assert_eq!(lookup.ended(), None);
    for n in 50..60 {
        let reply = Reply::new(b"abcd", NodeId::for_address(place(n).ip(), [n as u8; 20]));
        let _ = lookup.reply(now + millis(50), place(n), &reply);
    }
    assert_eq!((drain(&mut lookup, now + millis(50)), lookup.ended()), (vec![], Some(End::Closest)));
}

#[test]
fn an_id_belongs_to_the_node_that_may_have_it_at_its_address() {
    let now = Instant::now();
    let id = NodeId::for_address(place(2).ip(), [9; 20]);
    for (order, expected) in [([1, 2], [true, true]), ([2, 1], [true, false])] {
        let mut lookup = lookup(now);
        (1..3).for_each(|n| lookup.add_contact(start(place(n), Some(id))));
        assert_eq!(drain(&mut lookup, now).len(), 2);
        let answered = order.map(|n| lookup.reply(now + millis(50), place(n), &Reply::new(b"abcd", id)).is_ok());
        assert_eq!(answered, expected);
        assert_eq!(lookup.nodes().collect::<Vec<_>>(), [Contact { id, address: place(2) }]);
    }
    let mut lookup = lookup(now);
    [1, 2].iter().for_each(|n| lookup.add_contact(start(place(*n), Some(id))));
    assert_eq!(lookup.poll_query(now, *b"abcd").unwrap().0, place(1));
    lookup.reply(now + millis(50), place(1), &Reply::new(b"abcd", id)).unwrap();
    assert_eq!(drain(&mut lookup, now + millis(50)), [place(2)], "it is asked although another node has its id");
}

#[test]
fn a_starting_node_is_one_node_whatever_ids_it_answers_with() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    lookup.add_contact(start(place(1), None));
    assert!(lookup.poll_query(now, *b"once").is_some() && lookup.poll_query(now + millis(1_000), *b"agai").is_some());
    let mut answer = |transaction, id, peers| {
        let peers = (0..peers).map(|n| place(1_000 + n)).collect();
        let reply = Reply { peers, version: Some(Version::new(b"LT\x02\x11")), ..Reply::new(transaction, id) };
        let answered = lookup.reply(now + millis(1_100), place(1), &reply).map(|news| news.new_peers);
        (answered, lookup.poll_query(now + millis(1_100), *b"more").is_some())
    };
    assert_eq!(answer(b"agai", near(3, 1), 100), (Ok(100), true));
    assert_eq!(answer(b"more", near(9, 9), 1), (Err(Ignored::Misnamed), false));
    assert_eq!(answer(b"once", near(5, 5), 1), (Err(Ignored::Misnamed), false));
    assert_eq!((lookup.view().answered, lookup.view().storers), (1, 1));
}

#[test]
fn an_id_that_was_not_named_counts_only_where_it_is_valid_for_its_address() {
    let now = Instant::now();
    let local = SocketAddr::from(([10, 0, 0, 5], 6881));
    for (address, id, expected) in [
        (place(1), NodeId::for_address(place(1).ip(), [7; 20]), true),
        (place(1), NodeId([7; 20]), false),
        // BEP 42 exempts local addresses, so that it proves nothing there.
        (local, NodeId::for_address(local.ip(), [7; 20]), false),
    ] {
        let mut lookup = lookup(now);
        lookup.add_contact(Start { address, id: Some(near(30, 1)), policy: AddressPolicy::User });
        assert_eq!(drain(&mut lookup, now), [address]);
        let answered = lookup.reply(now + millis(50), address, &Reply::new(b"abcd", id));
        assert_eq!(answered.is_ok(), expected, "{address} {id}");
        assert_eq!(lookup.nodes().count(), usize::from(expected));
    }
}

#[test]
fn another_port_of_a_silent_address_is_asked_in_place_of_a_second_query() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    let wrong = SocketAddr::new(place(1).ip(), 2_000);
    [wrong, place(1)].iter().for_each(|address| lookup.add_contact(start(*address, Some(near(30, 1)))));
    assert_eq!(drain(&mut lookup, now), [wrong]);
    assert_eq!(drain(&mut lookup, now + millis(1_500)), [place(1)]);
    lookup.reply(now + millis(1_550), place(1), &Reply::new(b"abcd", near(30, 1))).unwrap();
    assert_eq!((drain(&mut lookup, now + millis(3_500)), lookup.ended()), (vec![], Some(End::Exhausted)));
    assert_eq!(lookup.nodes().map(|node| node.address).collect::<Vec<_>>(), [place(1)]);
}
