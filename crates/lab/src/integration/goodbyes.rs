//! Whether scripted trackers know that we have left: by their own records, whatever they answered, if anything.

use std::collections::BTreeSet;

use fake_swarm::{FakeTracker, FakeUdpTracker};

/// The trackers that were told of us and not that we have left.
pub(super) fn missing<'t>(
    http: impl IntoIterator<Item = &'t FakeTracker>,
    udp: impl IntoIterator<Item = &'t FakeUdpTracker>,
) -> Vec<String> {
    let over_http = http.into_iter().map(|tracker| (tracker.announce_url(), announced(tracker)));
    let over_udp = udp.into_iter().map(|tracker| (tracker.announce_url(), announced_over_udp(tracker)));
    let told = over_http.chain(over_udp).filter_map(|(url, announces)| {
        let keys_of = |wanted: &str| {
            let keys = announces.iter().filter(|(event, _)| event == wanted).map(|(_, key)| key.clone());
            keys.collect::<BTreeSet<String>>()
        };
        let (started, stopped) = (keys_of("started"), keys_of("stopped"));
        (started != stopped).then(|| format!("{url} was told `started` by {started:?} and `stopped` by {stopped:?}"))
    });
    told.collect()
}

/// The announces that a tracker had, by event and key.
fn announced(tracker: &FakeTracker) -> Vec<(String, String)> {
    let requests = tracker.requests();
    requests.iter().filter_map(|request| Some((request.event()?, request.query("key")?))).collect()
}

/// The same over UDP (BEP 15).
fn announced_over_udp(tracker: &FakeUdpTracker) -> Vec<(String, String)> {
    let datagrams = tracker.datagrams();
    let announces = datagrams.iter().filter_map(|datagram| {
        let announce = datagram.announce()?;
        let event = ["", "completed", "started", "stopped"].get(usize::try_from(announce.event).ok()?)?;
        Some(((*event).to_owned(), format!("{:02x?}", announce.key)))
    });
    announces.collect()
}
