//! An attacker whose nodes aim a lookup at one address: at ever other ports, under ids of all kinds.

use crate::lookup::drive::run;
use crate::lookup::hostile::{lookup, near, place, start};
use crate::lookup::random::Random;
use dht::krpc::Reply;
use dht::{Contact, NodeId};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// A datagram as a starting node, and again; as a candidate, and one more.
const MOST: usize = 4;

/// How many datagrams the victim gets of one lookup; the victim is a starting node as well if it `is_start`.
fn to_victim(seed: u64, is_start: bool) -> usize {
    let (now, mut random, mut named) = (Instant::now(), Random(seed), 1_000);
    let victim: IpAddr = [99, 1, 2, 3].into();
    // Of all that was named, so that others have the same ids.
    let mut all: Vec<Contact> = Vec::new();
    let mut lookup = lookup(now);
    (0..3).for_each(|n| lookup.add_contact(start(place(n), None)));
    if is_start {
        lookup.add_contact(start(SocketAddr::new(victim, 6881), None));
    }
    let course = run(lookup, now, |to, transaction| {
        if to.ip() == victim {
            return None;
        }
        let own = all.iter().find(|contact| contact.address == to).map_or(near(0, 0), |contact| contact.id);
        let mut reply = Reply::new(&transaction, own);
        for n in 0..1 + random.below(8) {
            named += 1;
            let aimed = SocketAddr::new(victim, 1024 + random.below(1_000) as u16);
            let address = if n == 0 || random.below(3) > 0 { aimed } else { place(named) };
            let id = match random.below(4) {
                0 => NodeId::for_address(address.ip(), near(100, named).0),
                1 if !all.is_empty() => all[random.below(all.len())].id,
                _ => near(20 + random.below(130) as u32, named),
            };
            all.push(Contact { id, address });
            reply.nodes.push(Contact { id, address });
        }
        Some((Duration::from_millis([10, 400, 1_600, 2_500][random.below(4)]), reply))
    });
    course.asked.iter().filter(|(to, _)| to.ip() == victim).map(|(_, times)| times).sum()
}

#[test]
fn a_victim_at_a_thousand_ports_gets_four_datagrams_at_most() {
    for seed in 0..400 {
        let [named, started] = [false, true].map(|is_start| to_victim(seed, is_start));
        assert!(named <= MOST / 2 && started <= MOST, "seed {seed}: {named}, {started} as a starting node");
    }
}
