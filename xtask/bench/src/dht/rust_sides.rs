//! The sides in Rust.

use crate::turn::Turn;
use crate::{Result, cost, namespace, ours};
use client::tracker::PeerAddress;
use client::{Config, DhtFamily, Event, Shared, Swarm};
use ids::InfoHash;
use librqbit_dht::{DhtBuilder, DhtConfig, Id20};
use mainline::{Dht, Id};
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A side's lookup.
type LookUp<'a> = dyn FnMut(&Turn) -> Result<Said> + 'a;

/// What a side says after a lookup.
enum Said {
    Nothing,
    /// It is at its end now.
    Done,
    /// It was so this time after its begin.
    DoneAfter(Duration),
}

/// Makes the lookups of a side, for each line of stdin one.
pub(crate) fn run(name: &str) -> Result {
    namespace::check()?;
    let mut threads = Vec::new();
    let mut look_up: Box<LookUp<'_>> = match name {
        "ours" => Box::new(|turn| ours::look_up(turn).map(|()| Said::Done)),
        "client" => client()?,
        "ours, many" => Box::new(|turn| {
            let turn = turn.clone();
            threads.push(thread::spawn(move || ours::look_up(&turn).map_err(|error| error.to_string())));
            Ok(Said::Nothing)
        }),
        "mainline" => mainline(),
        "librqbit-dht" => librqbit()?,
        _ => return Err(format!("{name} is no side").into()),
    };
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        match look_up(&line?.parse()?)? {
            Said::Nothing => {}
            Said::Done => println!("done"),
            Said::DoneAfter(time) => println!("done {}", time.as_secs_f64()),
        }
    }
    drop(look_up);
    for thread in threads {
        thread.join().map_err(|_| "a lookup panicked")??;
    }
    let [user, system] = cost::used();
    println!("{user} {system}");
    Ok(())
}

fn routers(turn: &Turn) -> Vec<String> {
    turn.nodes.iter().map(|(address, _)| address.to_string()).collect()
}

/// The whole engine, with its pace. Warm, it starts from nodes that its earlier lookups have left.
fn client() -> Result<Box<LookUp<'static>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut earlier: Option<(u16, Shared)> = None;
    Ok(Box::new(move |turn| {
        let mut config = Config::default().with_dht_bootstrap(Vec::new()).with_port(Some(turn.port)).with_dial(false);
        let shared = match earlier.take() {
            Some((port, shared)) if port == turn.port => shared,
            _ => {
                config.dht_nodes = turn.nodes.iter().map(|(address, _)| PeerAddress::Socket(*address)).collect();
                Shared::new(&config)?
            }
        };
        let mut swarm = Swarm::sharing(InfoHash(turn.target.0), config, &shared)?;
        earlier = Some((turn.port, shared));
        let mut took = Duration::ZERO;
        while let Some(event) = runtime.block_on(swarm.next()) {
            if let Event::Dht(report) = event
                && report.family == Some(DhtFamily::V4)
            {
                took = report.elapsed;
            }
        }
        Ok(Said::DoneAfter(took))
    }))
}

#[allow(deprecated, reason = "the interface without a runtime")]
fn mainline() -> Box<LookUp<'static>> {
    let mut node: Option<(u16, Dht)> = None;
    Box::new(move |turn| {
        let dht = match &node {
            Some((port, dht)) if *port == turn.port => dht,
            _ => &node.insert((turn.port, Dht::builder().bootstrap(&routers(turn)).port(turn.port).build()?)).1,
        };
        dht.get_peers(Id::from(turn.target.0)).for_each(drop);
        Ok(Said::Done)
    })
}

/// Its stream of peers has no end.
fn librqbit() -> Result<Box<LookUp<'static>>> {
    let runtime = Runtime::new()?;
    let mut node: Option<(u16, librqbit_dht::Dht)> = None;
    let mut stream = None;
    Ok(Box::new(move |turn| {
        let _inside = runtime.enter();
        drop(stream.take());
        let is_new = node.as_ref().is_none_or(|(port, _)| *port != turn.port);
        if is_new {
            if let Some((_, before)) = node.take() {
                before.cancellation_token().cancel();
            }
            let config = DhtConfig {
                bootstrap_addrs: Some(routers(turn)),
                listen_addr: Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, turn.port))),
                ..DhtConfig::default()
            };
            node = Some((turn.port, runtime.block_on(DhtBuilder::with_config(config))?));
        }
        stream = node.as_ref().map(|(_, dht)| dht.get_peers(Id20::new(turn.target.0), None));
        Ok(Said::Nothing)
    }))
}
