//! The sides in Rust.

use crate::side::Turn;
use crate::{Result, cost, namespace, ours};
use librqbit_dht::{DhtBuilder, DhtConfig, Id20};
use mainline::{Dht, Id};
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use tokio::runtime::Runtime;

/// Makes the lookups of a side, for each line of stdin one.
pub(crate) fn run(name: &str) -> Result {
    namespace::check()?;
    let mut threads = Vec::new();
    let mut look_up: Box<dyn FnMut(&Turn) -> Result<bool>> = match name {
        "ours" => Box::new(|turn| ours::look_up(turn).map(|()| true)),
        "ours, many" => Box::new(|turn| {
            let turn = turn.clone();
            threads.push(thread::spawn(move || ours::look_up(&turn).map_err(|error| error.to_string())));
            Ok(false)
        }),
        "mainline" => mainline(),
        "librqbit-dht" => librqbit()?,
        _ => return Err(format!("{name} is no side").into()),
    };
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        if look_up(&line?.parse()?)? {
            println!("done");
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

#[allow(deprecated, reason = "the interface without a runtime")]
fn mainline() -> Box<dyn FnMut(&Turn) -> Result<bool>> {
    let mut node: Option<(u16, Dht)> = None;
    Box::new(move |turn| {
        let dht = match &node {
            Some((port, dht)) if *port == turn.port => dht,
            _ => &node.insert((turn.port, Dht::builder().bootstrap(&routers(turn)).port(turn.port).build()?)).1,
        };
        dht.get_peers(Id::from(turn.target.0)).for_each(drop);
        Ok(true)
    })
}

/// Its stream of peers has no end.
fn librqbit() -> Result<Box<dyn FnMut(&Turn) -> Result<bool>>> {
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
        Ok(false)
    }))
}
