//! The rules of a lookup, one by one.

use crate::lookup::hostile::{TARGET, lookup, near, place, start};
use dht::krpc::{Refusal, Reply};
use dht::lookup::{End, Family, Ignored, Lookup, Options, limits};
use dht::{Contact, NodeId, Version};
use ids::InfoHash;
use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// All queries that a lookup sends now, with the time as their transaction ids.
pub(crate) fn drain(lookup: &mut Lookup, now: Instant) -> Vec<SocketAddr> {
    std::iter::from_fn(|| lookup.poll_query(now, *b"abcd")).map(|(to, _)| to).collect()
}

pub(crate) fn known(now: Instant, count: u32) -> Lookup {
    let mut lookup = lookup(now);
    (1..=count).for_each(|n| lookup.add_contact(start(place(n), Some(near(n, n)))));
    lookup
}

pub(crate) fn reply(n: u32) -> Reply {
    Reply::new(b"abcd", near(n, n))
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn the_closest_are_asked_first_and_8_are_waited_for() {
    let now = Instant::now();
    let mut lookup = known(now, 40);
    let closest: Vec<_> = (33..=40).rev().map(place).collect();
    assert_eq!(drain(&mut lookup, now), closest);
    assert_eq!(drain(&mut lookup, now + millis(749)), []);
    // After half of the first 1.5 s they are in doubt, and the next ones are asked beside them.
    assert_eq!(lookup.next_wake(), Some(now + millis(750)));
    assert_eq!(drain(&mut lookup, now + millis(750)).len(), limits::CLOSER_WAITING);
    assert_eq!(drain(&mut lookup, now + millis(1_499)), []);
    // No more than 32 were kept.
    let third = drain(&mut lookup, now + millis(1_500));
    assert_eq!((third.len(), lookup.view().silent), (limits::CLOSER_WAITING, limits::CLOSER_WAITING));
    drain(&mut lookup, now + millis(2_250));
    assert_eq!(lookup.view().asked, limits::UNASKED);
}

#[test]
fn from_the_first_storer_on_as_many_are_asked_as_have_to_answer() {
    let now = Instant::now();
    let mut lookup = known(now, 40);
    assert_eq!(drain(&mut lookup, now).len(), limits::CLOSER_WAITING);
    let mut storer = reply(40);
    storer.peers = vec![([9, 9, 9, 9], 2_000).into()];
    lookup.reply(now + millis(50), place(40), &storer).unwrap();
    assert_eq!(drain(&mut lookup, now + millis(50)).len(), limits::CLOSEST - limits::CLOSER_WAITING);
}

#[test]
fn no_more_than_48_are_waited_for() {
    let now = Instant::now();
    let mut nodes: Vec<_> = (1..=80).map(|n| (place(n), near(n, n))).collect();
    nodes.sort_by_key(|(_, id)| Reverse(TARGET.distance(id)));
    let mut lookup = lookup(now);
    let asked = nodes.chunks(8).map(|closer| {
        closer.iter().for_each(|(address, id)| lookup.add_contact(start(*address, Some(*id))));
        drain(&mut lookup, now).len()
    });
    assert_eq!(asked.collect::<Vec<_>>(), [8, 8, 8, 8, 8, 8, 0, 0, 0, 0]);
    let (first, id) = nodes[0];
    lookup.reply(now + millis(50), first, &Reply::new(b"abcd", id)).unwrap();
    assert_eq!(drain(&mut lookup, now + millis(50)).len(), 1, "an answer frees a place");
}

#[test]
fn a_lookup_ends_when_the_16_closest_have_answered() {
    let now = Instant::now();
    let mut lookup = known(now, 17);
    assert_eq!(drain(&mut lookup, now).len(), 8);
    for n in (2..=17).rev() {
        assert_eq!(lookup.ended(), None);
        lookup.reply(now + millis(50), place(n), &reply(n)).unwrap();
        drain(&mut lookup, now + millis(50));
    }
    assert_eq!((lookup.ended(), lookup.view().done), (Some(End::Closest), Some(millis(50))));
    assert_eq!(lookup.view().asked, 16);
    assert_eq!(
        lookup.nodes().map(|node| node.address).collect::<Vec<_>>(),
        (2..=17).rev().map(place).collect::<Vec<_>>()
    );
    assert_eq!(lookup.nodes().next().map(|node| node.id), Some(near(17, 17)));
}

#[test]
fn a_closer_node_that_is_named_is_asked_before_the_end() {
    let now = Instant::now();
    let mut lookup = known(now, 16);
    drain(&mut lookup, now);
    for n in (1..=16).rev() {
        let mut reply = reply(n);
        if n == 1 {
            reply.nodes = vec![Contact { id: near(30, 30), address: place(30) }];
        }
        lookup.reply(now + millis(50), place(n), &reply).unwrap();
        let asked = drain(&mut lookup, now + millis(50));
        assert_eq!(asked.contains(&place(30)), n == 1);
    }
    assert_eq!(lookup.ended(), None);
    assert_eq!(drain(&mut lookup, now + millis(350)), [place(30)], "a second query to a silent node");
    assert_eq!(drain(&mut lookup, now + millis(650)), []);
    assert_eq!((lookup.ended(), lookup.view().silent), (Some(End::Closest), 1));
}

#[test]
fn of_one_answer_the_8_closest_nodes_are_taken() {
    let now = Instant::now();
    let mut lookup = known(now, 1);
    drain(&mut lookup, now);
    let mut reply = reply(1);
    reply.nodes = (2..22).map(|n| Contact { id: near(n, n), address: place(n) }).collect();
    lookup.reply(now, place(1), &reply).unwrap();
    assert_eq!(drain(&mut lookup, now), (14..22).rev().map(place).collect::<Vec<_>>());
}

#[test]
fn late_answers_are_used_for_15_seconds_also_after_the_end() {
    let now = Instant::now();
    let mut lookup = known(now, 2);
    drain(&mut lookup, now);
    drain(&mut lookup, now + millis(1_500));
    drain(&mut lookup, now + millis(3_000));
    assert_eq!((lookup.ended(), lookup.view().silent), (Some(End::NoAnswer), 2));
    let mut late = reply(1);
    late.peers = vec![place(9)];
    assert_eq!(lookup.reply(now + millis(15_000), place(1), &late).unwrap().new_peers, 1);
    let view = lookup.view();
    assert_eq!((view.late, view.silent, view.answered, view.storers), (1, 1, 1, 1));
    assert_eq!(lookup.reply(now + millis(16_501), place(2), &reply(2)), Err(Ignored::Unasked));
}

#[test]
fn full_lists_are_asked_for_more_while_they_bring_new_peers_and_aria2_is_not() {
    let peers = |from: u32, count: u32| (from..from + count).map(|n| place(1_000 + n)).collect::<Vec<_>>();
    for (version, lists, expected) in [
        (&b"LT\x02\x11"[..], &[(0, 100), (50, 100), (100, 100)][..], 2),
        (b"LT\x02\x11", &[(0, 99)], 0),
        (b"A2\0\x03", &[(0, 25)], 0),
    ] {
        let now = Instant::now();
        let mut lookup = known(now, 1);
        assert_eq!(drain(&mut lookup, now).len(), 1);
        let mut asked = 0;
        for (from, count) in lists {
            let mut reply = reply(1);
            (reply.version, reply.peers) = (Some(Version::new(version)), peers(*from, *count));
            lookup.reply(now + millis(50), place(1), &reply).unwrap();
            asked += drain(&mut lookup, now + millis(50)).len();
        }
        assert_eq!(asked, expected, "{version:?}");
        assert_eq!(lookup.ended(), Some(End::Exhausted));
    }
}

#[test]
fn a_full_list_with_less_than_5_percent_of_new_peers_is_enough() {
    let now = Instant::now();
    for (new, expected) in [(5, 2), (4, 0)] {
        let mut lookup = known(now, 2);
        drain(&mut lookup, now);
        let mut first = reply(1);
        first.peers = (0..100 - new).map(|n| place(1_000 + n)).collect();
        assert_eq!(lookup.reply(now, place(1), &first).unwrap().new_peers, first.peers.len());
        let mut second = reply(2);
        (second.version, second.peers) =
            (Some(Version::new(b"LT\x02\x11")), (0..100).map(|n| place(1_000 + n)).collect());
        let news = lookup.reply(now, place(2), &second).unwrap();
        assert_eq!(
            (news.peers.len(), news.new_peers),
            (100, new as usize),
            "a first answer is evidence for all its peers"
        );
        assert_eq!(drain(&mut lookup, now).len(), expected);
    }
}

#[test]
fn the_first_list_of_a_node_is_evidence_for_all_its_peers_whichever_answer_has_it() {
    let now = Instant::now();
    let mut lookup = known(now, 2);
    let mut queries = Vec::new();
    for time in [0, 1_500] {
        let transaction = [time as u8; 4];
        while let Some((to, _)) = lookup.poll_query(now + millis(time), transaction) {
            queries.push((to, transaction));
        }
    }
    let mut answer = |n: u32, query: usize, peers: &[SocketAddr]| {
        let (_, transaction) = queries.iter().filter(|(to, _)| *to == place(n)).nth(query).unwrap();
        let reply = Reply { peers: peers.to_vec(), ..Reply::new(transaction, near(n, n)) };
        lookup.reply(now + millis(1_600), place(n), &reply).map(|news| (news.peers.len(), news.new_peers))
    };
    let peers = [place(1_000), place(1_001)];
    assert_eq!(answer(1, 0, &peers), Ok((2, 2)));
    assert_eq!(answer(2, 0, &[]), Ok((0, 0)), "a node that has lost them and finds them");
    assert_eq!(answer(2, 1, &peers), Ok((2, 0)));
    assert_eq!(answer(1, 1, &peers), Ok((0, 0)));
    assert_eq!((lookup.view().storers, lookup.view().answered), (2, 2));
}

#[test]
fn starting_nodes_are_asked_again_after_a_second_and_given_up_after_2_5() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    assert_eq!((drain(&mut lookup, now), lookup.ended()), (vec![], Some(End::NoAnswer)));
    (1..=3).for_each(|n| lookup.add_contact(start(place(n), None)));
    assert_eq!((drain(&mut lookup, now).len(), lookup.ended()), (3, None));
    assert_eq!(drain(&mut lookup, now + millis(999)).len(), 0);
    assert_eq!(lookup.next_wake(), Some(now + millis(1_000)));
    assert_eq!(drain(&mut lookup, now + millis(1_000)).len(), 3);
    assert_eq!((drain(&mut lookup, now + millis(2_500)).len(), lookup.ended()), (0, Some(End::NoAnswer)));
    assert_eq!((lookup.view().asked, lookup.view().silent, lookup.view().queries), (3, 3, 6));
    lookup.add_contact(start(place(3), None));
    assert_eq!(lookup.ended(), Some(End::NoAnswer), "a node that is known changes nothing");
    lookup.add_contact(start(place(4), None));
    assert_eq!((lookup.ended(), lookup.view().done), (None, None));
    assert_eq!(drain(&mut lookup, now + millis(2_500)), [place(4)]);
    lookup.time_out(now + millis(12_000));
    assert_eq!((lookup.ended(), lookup.view().done), (Some(End::TooLong), Some(limits::LONGEST)));
}

#[test]
fn a_node_that_comes_after_the_longest_time_of_a_lookup_changes_nothing() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    drain(&mut lookup, now);
    lookup.time_out(now + limits::LONGEST);
    lookup.add_contact(start(place(1), None));
    assert_eq!((lookup.ended(), lookup.view().done), (Some(End::NoAnswer), Some(Duration::ZERO)));
}

#[test]
fn starting_nodes_are_not_asked_again_once_one_has_answered() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    (1..=3).for_each(|n| lookup.add_contact(start(place(n), None)));
    drain(&mut lookup, now);
    lookup.reply(now + millis(100), place(1), &reply(1)).unwrap();
    assert_eq!(drain(&mut lookup, now + millis(1_000)), []);
    drain(&mut lookup, now + millis(1_500));
    assert_eq!(lookup.ended(), Some(End::Exhausted));
}

#[test]
fn an_error_is_an_answer() {
    let now = Instant::now();
    let mut lookup = known(now, 1);
    drain(&mut lookup, now);
    let mut refusal = Refusal {
        transaction: b"abcd".to_vec(),
        code: 201,
        text: String::new(),
        id: None,
        external: None,
        version: None,
    };
    assert_eq!(lookup.refused(now, place(2), &refusal), Err(Ignored::Unasked));
    assert_eq!(lookup.refused(now, place(1), &refusal), Ok(()));
    assert_eq!((lookup.view().answered, lookup.view().refused), (1, 1));
    let mut lookup = known(now, 1);
    drain(&mut lookup, now);
    refusal.id = Some(near(1, 2));
    assert_eq!(lookup.refused(now, place(1), &refusal), Err(Ignored::Misnamed));
    assert_eq!((lookup.view().answered, lookup.view().misnamed), (0, 1));
}

#[test]
fn a_query_that_could_not_be_sent_is_not_waited_for() {
    let now = Instant::now();
    let mut lookup = known(now, 3);
    while let Some((to, _)) = lookup.poll_query(now, *b"abcd") {
        lookup.unsent(to);
    }
    let view = lookup.view();
    assert_eq!((lookup.ended(), view.queries, view.unsent), (Some(End::NoAnswer), 0, 3));
    assert_eq!((view.silent, view.asked), (3, 3), "each was tried once");
}

#[test]
fn a_starting_node_that_could_not_be_asked_is_asked_a_second_later() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    lookup.add_contact(start(place(1), None));
    let (to, _) = lookup.poll_query(now, *b"abcd").unwrap();
    lookup.unsent(to);
    assert_eq!((drain(&mut lookup, now), lookup.next_wake()), (vec![], Some(now + millis(1_000))));
    assert_eq!(drain(&mut lookup, now + millis(1_000)), [to]);
}

/// What a lookup with a limit of queries sends to nodes that are all silent, and how it ends.
fn among_silent(queries: usize) -> (usize, Option<End>) {
    let now = Instant::now();
    let options = Options::new(Family::V4, NodeId([1; 20])).with_queries(queries);
    let mut lookup = Lookup::new(InfoHash([0x55; 20]), options, now);
    (1..=90).for_each(|n| lookup.add_contact(start(place(n), Some(near(n, n)))));
    let sent = (0..100).map(|step| drain(&mut lookup, now + millis(100 * step)).len()).sum();
    (sent, lookup.ended())
}

#[test]
fn a_lookup_sends_no_more_than_its_own_limit() {
    assert_eq!(among_silent(20), (20, Some(End::Queries)));
}

#[test]
fn second_queries_leave_12_for_others() {
    assert_eq!(among_silent(40), (32, Some(End::NoAnswer)));
    assert_eq!(among_silent(46), (34, Some(End::NoAnswer)));
    assert_eq!(among_silent(60), (40, Some(End::NoAnswer)));
}

#[test]
fn at_most_64_starting_nodes_without_an_id_are_kept() {
    let now = Instant::now();
    let mut lookup = lookup(now);
    (0..100).for_each(|n| lookup.add_contact(start(place(n), None)));
    (0..100).for_each(|step| drop(drain(&mut lookup, now + millis(100 * step))));
    assert_eq!(lookup.view().asked, 64);
}

#[test]
fn more_queries_are_sent_where_most_nodes_are_silent() {
    let now = Instant::now();
    for (every, expected) in [(2, 60..=85), (4, 86..=127)] {
        let mut lookup = known(now, 10);
        let mut asked = 0;
        let mut at = now;
        while lookup.ended().is_none() {
            while let Some((to, query)) = lookup.poll_query(at, *b"abcd") {
                asked += 1;
                if asked % every == 0 {
                    let n = (1..5_000).find(|n| place(*n) == to).unwrap();
                    let mut reply = Reply::new(&query.transaction, near(n.min(150), n));
                    reply.nodes =
                        (n + 1..n + 9).map(|n| Contact { id: near(n.min(150), n), address: place(n) }).collect();
                    let _ = lookup.reply(at, to, &reply);
                }
            }
            at += millis(50);
        }
        assert!(expected.contains(&lookup.view().queries), "every {every}: {:?}", lookup.view());
    }
}
