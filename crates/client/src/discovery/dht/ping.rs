//! One node that the user asks about: whether it answers, and what it says.

use crate::config::Config;
use crate::discovery::dht::asked_nodes::AskedNodes;
use crate::discovery::dht::family_lookup::is_without_route;
use crate::discovery::dht::outcome::{is_of_no_family, named};
use crate::discovery::dht::starts::family_of;
use crate::discovery::dht::wakes::Wakes;
use crate::net::entropy;
use crate::net::resolve::{LookupPool, resolve};
use crate::net::route::Route;
use crate::shared::dht::exchanges::Exchanges;
use crate::shared::udp::queries::Answer;
use crate::shared::udp::socket::UdpSocket;
use dht::NodeId;
use dht::krpc::{Message, Method, Query};
use dht::lookup::Family;
use guard::AddressPolicy;
use ids::InfoHash;
use peer_session::ByteBudget;
use report::{DhtNodeStatus, DhtReport, DhtStart, DhtStartFrom, DhtStatus};
use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracker::PeerAddress;

/// When the node is asked, from the beginning.
const TIMES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(1_500), Duration::from_millis(3_000)];

/// How long its answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks one node of the DHT whether it is there; with an info-hash, for the peers of that torrent. Each address of the host is asked
/// up to three times within 5 s. One report for each family that the host has addresses of, in which every address is listed, with
/// our own address as the node sees it; one report without a family if the host name does not resolve, or no address is of one host
/// (multicast, broadcast, unspecified).
pub async fn ping_node(node: &PeerAddress, info_hash: Option<InfoHash>, config: &Config) -> Vec<DhtReport> {
    let route = Route::from(config.bind);
    let resolved = match node {
        PeerAddress::Socket(address) => Ok(vec![*address]),
        PeerAddress::Host(host, port) => resolve(host.as_str(), *port, LookupPool::Users, &config.limits, route).await,
    };
    let resolved = resolved.and_then(permitted);
    let start = DhtStart::new(guard::escape(&node.to_string()).to_string(), DhtStartFrom::User);
    let addresses = match resolved {
        Ok(addresses) => addresses,
        Err(error) => {
            let mut report = DhtReport::new(None, DhtStatus::NoStart);
            report.message = Some(guard::escape(&error.to_string()).to_string());
            report.starts = vec![start];
            return vec![report];
        }
    };
    let of = |family| addresses.iter().copied().filter(|&address| family_of(address) == family).collect::<Vec<_>>();
    let (v4, v6) = (of(Family::V4), of(Family::V6));
    let (v4, v6) = tokio::join!(
        ping_family(Family::V4, v4, info_hash, start.clone(), route),
        ping_family(Family::V6, v6, info_hash, start, route),
    );
    v4.into_iter().chain(v6).collect()
}

/// The addresses that can be one host's.
///
/// # Errors
/// There is none.
fn permitted(mut addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let refused = addresses.iter().find_map(|address| AddressPolicy::User.check(*address).err());
    addresses.retain(|address| AddressPolicy::User.check(*address).is_ok());
    match refused {
        Some(refusal) if addresses.is_empty() => Err(io::Error::other(refusal)),
        _ => Ok(addresses),
    }
}

/// Asks the addresses of one family; `None` if there are none.
async fn ping_family(
    family: Family,
    addresses: Vec<SocketAddr>,
    info_hash: Option<InfoHash>,
    mut start: DhtStart,
    route: Route,
) -> Option<DhtReport> {
    if addresses.is_empty() {
        return None;
    }
    let mut report = DhtReport::new(Some(named(family)), DhtStatus::NoAnswer);
    match Ping::new(family, info_hash, route) {
        Ok(mut ping) => {
            ping.run(&addresses).await;
            ping.fill(&mut report);
        }
        Err(error) => {
            report.status = if is_of_no_family(&error) { DhtStatus::NoRoute } else { DhtStatus::LocalLimit };
            report.message = Some(error.to_string());
        }
    }
    (start.asked, start.answered) = (report.nodes.asked, report.nodes.answered);
    report.starts = vec![start];
    Some(report)
}

/// The questions to the addresses of one family.
struct Ping {
    exchanges: Exchanges,
    wakes: Wakes,
    id: NodeId,
    info_hash: Option<InfoHash>,
    begun: Instant,
    nodes: AskedNodes,
    peers: HashSet<SocketAddr>,
    sent: Vec<(SocketAddr, [u8; 4], Instant)>,
    error: Option<io::Error>,
}

impl Ping {
    fn new(family: Family, info_hash: Option<InfoHash>, route: Route) -> io::Result<Self> {
        let exchanges = Exchanges::new(Arc::new(UdpSocket::bind(0, family == Family::V6, route, ByteBudget::new(0))?));
        Ok(Self {
            wakes: Wakes::new(&exchanges),
            exchanges,
            id: NodeId(entropy::bytes()?),
            info_hash,
            begun: Instant::now(),
            nodes: AskedNodes::new(info_hash),
            peers: HashSet::new(),
            sent: Vec::new(),
            error: None,
        })
    }

    async fn run(&mut self, addresses: &[SocketAddr]) {
        let ends = TIMES.iter().skip(1).chain([&PATIENCE]);
        for (time, end) in TIMES.iter().zip(ends) {
            sleep_until(self.begun + *time).await;
            addresses.iter().for_each(|address| self.ask(*address));
            if self.sent.is_empty() {
                // What this machine cannot send is not answered.
                return;
            }
            if timeout_at(self.begun + *end, self.answers()).await.is_ok() {
                return;
            }
        }
    }

    fn ask(&mut self, to: SocketAddr) {
        self.nodes.asked(to, None, self.begun.elapsed());
        if self.nodes.get(to).is_some_and(|node| node.round_trip.is_some()) {
            return;
        }
        let method = self.info_hash.map_or(Method::Ping, |info_hash| Method::GetPeers { info_hash, scrape: false });
        let sent = entropy::bytes().and_then(|transaction| {
            let query = Query { transaction, id: self.id, method };
            self.exchanges.send(to, transaction, &query.encode()).map(|()| transaction)
        });
        match sent {
            Ok(transaction) => {
                self.nodes.sent(to);
                self.sent.push((to, transaction, Instant::now()));
            }
            Err(error) => {
                self.nodes.unsent(to, error.to_string());
                self.error = Some(error);
            }
        }
    }

    /// Ready when every address has answered, or could not be asked.
    async fn answers(&mut self) {
        while self.nodes.iter().any(|node| node.status == DhtNodeStatus::Silent) {
            let (answers, _) = self.exchanges.answers();
            if answers.is_empty() {
                poll_fn(|context| self.wakes.poll(context, &self.exchanges, None)).await;
            }
            answers.into_iter().for_each(|answer| self.answered(answer));
        }
    }

    fn answered(&mut self, Answer { from, at, message }: Answer) {
        let is_sent = |sent: &&(SocketAddr, [u8; 4], Instant)| sent.1 == *message.transaction();
        let Some(&(_, _, sent)) = self.sent.iter().find(is_sent) else { return };
        match message {
            Message::Reply(reply) => {
                self.peers.extend(&reply.peers);
                self.nodes.replied(from, at - sent, &reply, reply.peers.len());
            }
            Message::Error(refusal) => self.nodes.refused(from, at - sent, &refusal),
            Message::Query(_) => {}
        }
    }

    fn fill(&self, report: &mut DhtReport) {
        let count = |status| self.nodes.iter().filter(|node| node.status == status).count();
        let (ok, refused) = (count(DhtNodeStatus::Ok), count(DhtNodeStatus::Refused));
        report.nodes.asked = self.nodes.iter().count() - count(DhtNodeStatus::Unsent);
        (report.nodes.answered, report.nodes.refused) = (ok + refused, refused);
        report.nodes.silent = count(DhtNodeStatus::Silent);
        report.nodes.with_peers = self.nodes.iter().filter(|node| node.peers > 0).count();
        report.queries = self.sent.len();
        report.round_trip = self.nodes.iter().find_map(|node| node.round_trip);
        report.elapsed = self.begun.elapsed();
        report.peers.named = self.peers.len();
        report.listed = self.nodes.iter().cloned().collect();
        report.seen_as = self.nodes.seen_as();
        report.message = self.error.as_ref().filter(|_| self.sent.is_empty()).map(ToString::to_string);
        report.status = match &self.error {
            _ if ok + refused > 0 => DhtStatus::Ok,
            Some(error) if self.sent.is_empty() && is_without_route(error) => DhtStatus::NoRoute,
            Some(_) if self.sent.is_empty() => DhtStatus::LocalLimit,
            _ => DhtStatus::NoAnswer,
        };
    }
}
