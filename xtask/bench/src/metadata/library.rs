//! The library as a side: a run of the engine for each line of stdin, which is a magnet link, until its metadata is there.

use crate::{Result, namespace};
use client::{Config, Event, MetadataStatus, Shared, Sources, Swarm};
use metainfo::Magnet;
use std::io::BufRead;
use tokio::sync::mpsc::unbounded_channel;

pub(crate) const NAME: &str = "library";

pub(crate) fn run() -> Result {
    namespace::check()?;
    let sources = Sources::NONE.with_trackers(true);
    let config = Config::default().with_dht_bootstrap(Vec::new()).with_sources(sources);
    let shared = Shared::new(&config)?;
    let (to, mut lines) = unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(std::io::Result::ok).try_for_each(|line| to.send(line))
    });
    println!("ready");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        while let Some(link) = lines.recv().await {
            let (config, shared) = (config.clone(), shared.clone());
            tokio::spawn(async move {
                match fetch(&link, config, &shared).await {
                    Ok(()) => println!("done"),
                    Err(error) => println!("{error}"),
                }
            });
        }
    });
    Ok(())
}

async fn fetch(link: &str, config: Config, shared: &Shared) -> std::result::Result<(), String> {
    let magnet = Magnet::parse(link).map_err(|error| error.to_string())?;
    let mut swarm = Swarm::sharing(&magnet, config, shared).map_err(|error| error.to_string())?;
    while let Some(event) = swarm.next().await {
        if let Event::Metadata(report) = event {
            let is_there = report.status == MetadataStatus::Ok;
            return if is_there { Ok(()) } else { Err(report.status.code().to_owned()) };
        }
    }
    Err("no report of metadata".to_owned())
}
