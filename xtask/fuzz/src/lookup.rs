//! A whole lookup among scripted nodes: what each does with a query is read from the input. Limits of queries, of places, of time and
//! of memory hold, only answers to open queries are used, nothing is sent or handed on that `guard` refuses, and the counts add up.
//!
//! An input is two bytes of settings, a number of starting nodes, and what happens then; see [`Script`].

mod script;

use crate::memory;
use dht::NodeId;
use dht::krpc::{Query, Refusal, Reply};
use dht::lookup::{Family, Ignored, Lookup, Options, limits};
use guard::AddressPolicy;
use ids::InfoHash;
use script::{Act, Answer, Script, TARGET};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The most queries to one IP address: as a starting node or a candidate, once more, and for more peers.
const TO_ONE: usize = 4;
/// Memory of a lookup without its peers: candidates, open queries, round trips, starting nodes.
const HELD: usize = 64 << 10;
/// Memory of a peer in a tree whose nodes may be half empty.
const HELD_BY_PEER: usize = 64;

/// A lookup, and what is known of it from outside.
struct Trial {
    lookup: Lookup,
    most: usize,
    begun: Instant,
    now: Instant,
    /// The queries that have no answer yet.
    open: Vec<(SocketAddr, [u8; 4], Instant)>,
    arrivals: BTreeMap<(Instant, u32), (SocketAddr, Answer)>,
    /// Endpoints that may be asked: each was named by a source that may name it.
    named: HashSet<SocketAddr>,
    asked: HashMap<IpAddr, usize>,
    handed_on: HashSet<(SocketAddr, SocketAddr)>,
    sent: u32,
}

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let mut trial = Trial::new(&script);
    for _ in 0..script.starts {
        trial.start(&mut script);
    }
    loop {
        while trial.lookup.ended().is_none() {
            trial.drain(&mut script);
            trial.check();
            trial.step(&mut script);
        }
        // Another starting node may come after the end.
        let Some(pause) = script.pause() else { break };
        trial.now += pause;
        trial.start(&mut script);
    }
    trial.after_the_end();
}

impl Trial {
    fn new(script: &Script<'_>) -> Self {
        let family = if script.is_v6 { Family::V6 } else { Family::V4 };
        let mut options = Options::new(family, NodeId([1; 20]));
        if let Some(queries) = script.queries {
            options = options.with_queries(queries);
        }
        let now = Instant::now();
        let more = if options.queries == limits::QUERIES { limits::QUERIES_IF_SILENT } else { 0 };
        Self {
            lookup: Lookup::new(InfoHash(TARGET.0), options, now),
            most: options.queries + more,
            begun: now,
            now,
            open: Vec::new(),
            arrivals: BTreeMap::new(),
            named: HashSet::new(),
            asked: HashMap::new(),
            handed_on: HashSet::new(),
            sent: 0,
        }
    }

    fn start(&mut self, script: &mut Script<'_>) {
        let start = script.start();
        self.name(start.address, start.policy);
        self.lookup.add_contact(start);
    }

    fn name(&mut self, address: SocketAddr, policy: AddressPolicy) {
        let is_high = policy == AddressPolicy::User || address.port() >= AddressPolicy::LOWEST_PORT;
        if is_high && policy.check(address).is_ok() {
            self.named.insert(address);
        }
    }

    /// Takes all queries that may be sent now.
    fn drain(&mut self, script: &mut Script<'_>) {
        loop {
            let transaction = script.transaction(self.sent);
            let Some((to, query)) = self.lookup.poll_query(self.now, transaction) else { return };
            self.sent += 1;
            assert!(self.lookup.ended().is_none() && self.named.contains(&to) && to.is_ipv6() == script.is_v6, "{to}");
            let Query { transaction: used, .. } = query;
            assert_eq!(used, transaction);
            let of_ip = self.asked.entry(to.ip()).or_default();
            *of_ip += 1;
            assert!(*of_ip <= TO_ONE, "{to} was asked {of_ip} times");
            match script.act() {
                Act::Nothing => self.open.push((to, transaction, self.now)),
                Act::Unsent => self.lookup.unsent(to),
                Act::Answer(after, kind) => {
                    self.open.push((to, transaction, self.now));
                    let answer = script.answer(kind, transaction);
                    self.arrivals.insert((self.now + after, self.sent), (to, answer));
                }
            }
        }
    }

    /// What holds whenever all queries were taken.
    fn check(&self) {
        let view = self.lookup.view();
        assert!(view.queries <= self.most, "{view:?}");
        assert_eq!(view.queries + view.unsent, self.sent as usize);
        assert!(view.asked >= view.answered + view.silent + view.misnamed, "{view:?}");
        assert!(view.asked <= view.queries + view.unsent && view.refused <= view.answered, "{view:?}");
        assert!(view.storers <= view.answered && view.peers <= limits::PEERS, "{view:?}");
        assert!(self.lookup.nodes().count() <= view.answered, "{view:?}");
        let peers: HashSet<SocketAddr> = self.handed_on.iter().map(|(_, peer)| *peer).collect();
        assert_eq!(view.peers, peers.len());
        assert_eq!(view.first_peers.is_some(), view.peers > 0);
        let fresh = self.open.iter().filter(|(_, _, sent)| self.now - *sent < limits::SLOT.0).count();
        assert!(fresh <= limits::IN_FLIGHT, "{fresh} in flight");
        match (self.lookup.ended(), self.lookup.next_wake()) {
            (Some(_), wake) => assert!(wake.is_none() && view.done.is_some()),
            (None, wake) => assert!(wake.is_some_and(|wake| wake > self.now && wake <= self.begun + limits::LONGEST)),
        }
    }

    /// The next answer, or the next time at which the lookup has to be called; the script may put something before.
    fn step(&mut self, script: &mut Script<'_>) {
        match script.interruption() {
            1 => self.start(script),
            // A clock that goes back, and calls without a reason.
            2 => self.lookup.time_out(self.begun),
            3 => self.take_back(script.node().address),
            4 => {
                let node = script.node();
                self.deliver(node.address, &Answer::Reply(Reply::new(b"0000", node.id)));
            }
            _ => {}
        }
        let Some(wake) = self.lookup.next_wake() else { return };
        match self.arrivals.first_entry() {
            Some(arrival) if arrival.key().0 <= wake => {
                self.now = self.now.max(arrival.key().0);
                let (from, answer) = arrival.remove();
                self.deliver(from, &answer);
            }
            _ => self.now = self.now.max(wake),
        }
    }

    /// Takes back the newest query to an address, if one is waited for.
    fn take_back(&mut self, to: SocketAddr) {
        let before = self.lookup.view().unsent;
        self.lookup.unsent(to);
        if self.lookup.view().unsent > before {
            let place = self.open.iter().rposition(|(other, ..)| *other == to).expect("a query to this address");
            self.open.remove(place);
        }
    }

    fn deliver(&mut self, from: SocketAddr, answer: &Answer) {
        self.open.retain(|(_, _, sent)| self.now - *sent <= limits::LATE);
        let is_of =
            |(to, transaction, _): &(SocketAddr, [u8; 4], Instant)| *to == from && transaction == answer.transaction();
        let place = self.open.iter().position(is_of);
        let is_open = place.map(|place| self.open.remove(place)).is_some();
        match answer {
            Answer::Reply(reply) => self.reply(from, reply, is_open),
            Answer::Refusal(refusal) => self.refused(from, refusal, is_open),
        }
    }

    fn reply(&mut self, from: SocketAddr, reply: &Reply, is_open: bool) {
        let before = self.lookup.view();
        let taken = self.lookup.reply(self.now, from, reply);
        assert_eq!(taken == Err(Ignored::Unasked), !is_open);
        let Ok(news) = taken else {
            assert_eq!((self.lookup.view().peers, self.lookup.view().answered), (before.peers, before.answered));
            return;
        };
        assert_eq!((news.node.id, news.node.address), (reply.id, from));
        let policy = AddressPolicy::for_peers_of(from.ip());
        reply.nodes.iter().for_each(|node| self.name(node.address, policy));
        for peer in &news.peers {
            assert!(reply.peers.contains(peer) && peer.port() >= AddressPolicy::LOWEST_PORT);
            assert!(policy.check(*peer).is_ok() && peer.is_ipv6() == from.is_ipv6());
            assert!(self.handed_on.insert((from, *peer)), "{from} named {peer} twice");
        }
        assert_eq!(self.lookup.view().peers, before.peers + news.new_peers);
    }

    fn refused(&mut self, from: SocketAddr, refusal: &Refusal, is_open: bool) {
        let taken = self.lookup.refused(self.now, from, refusal);
        assert_eq!(taken == Err(Ignored::Unasked), !is_open);
    }

    /// Late answers are used, and nothing is asked any more. Then the memory is counted.
    fn after_the_end(mut self) {
        let end = self.lookup.ended();
        while let Some(((at, _), (from, answer))) = self.arrivals.pop_first() {
            self.now = self.now.max(at);
            self.deliver(from, &answer);
            assert_eq!(self.lookup.poll_query(self.now, [0; 4]), None);
        }
        self.lookup.time_out(self.now + Duration::from_secs(60));
        assert_eq!((self.lookup.ended(), self.lookup.next_wake()), (end, None));
        assert!(self.lookup.view().done <= Some(limits::LONGEST));
        self.check();
        let peers = self.lookup.view().peers;
        let held = memory::freed(self.lookup);
        assert!(held <= HELD + HELD_BY_PEER * peers, "{held} bytes with {peers} peers");
    }
}
