//! Datagrams recorded from real trackers, and how they are read.

use ids::InfoHash;
use std::path::Path;
use tracker::udp::{DatagramError, Reply};
use tracker::{Counts, Family, Scrape, Skipped};

/// `datagram` read as the answer to the request in the file's name.
fn understood(name: &str, datagram: &[u8]) -> String {
    let reply = Reply::parse(datagram).unwrap();
    let answer = if name.contains("connect") {
        reply.connected().map(|_| "connection id".to_owned())
    } else if let Some((_, torrents)) = name.split_once("scrape") {
        // Some were recorded with no torrent; our scrapes have at least one.
        let torrents = torrents.trim_end_matches(".raw").parse().unwrap_or(1).max(1);
        counts(reply, torrents)
    } else {
        announced(reply)
    };
    let text = answer.unwrap_or_else(|error| error.to_string()).chars().take(60).collect();
    // Transaction id 0 was in no request: the tracker could not parse it.
    if reply.transaction == 0 { format!("{text}, to transaction 0") } else { text }
}

fn announced(reply: Reply<'_>) -> Result<String, DatagramError> {
    let announced = reply.announced(Family::V4)?;
    let Skipped { bad_port, .. } = announced.skipped;
    assert_eq!(announced.skipped.total(), bad_port);
    let first: Vec<String> = announced.peers.iter().take(1).map(|peer| format!(", {}", peer.address)).collect();
    Ok(format!(
        "{}/{} every {} s, {}+{bad_port} peers{}",
        announced.complete.unwrap(),
        announced.incomplete.unwrap(),
        announced.interval.unwrap(),
        announced.peers.len(),
        first.concat(),
    ))
}

fn counts(reply: Reply<'_>, torrents: u8) -> Result<String, DatagramError> {
    let scrape = Scrape::new((0..torrents).map(|number| InfoHash([number; 20]))).unwrap();
    let scraped = reply.scraped(&scrape)?;
    let show = |&(_, Counts { complete, incomplete, downloaded }): &(InfoHash, Counts)| {
        format!("{}/{}/{}", complete.unwrap(), incomplete.unwrap(), downloaded.unwrap())
    };
    Ok(scraped.files.iter().map(show).collect::<Vec<_>>().join(" "))
}

#[test]
fn every_recorded_datagram_is_understood_or_refused_for_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tracker");
    let mut wrong = Vec::new();
    let mut replayed = Vec::new();
    for (name, expected) in EXPECTED {
        let datagram = std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = understood(name, &datagram);
        if found != *expected {
            wrong.push(format!("(\"{name}\", \"{found}\"),"));
        }
        replayed.push(folder.join(name));
    }
    let folders = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for tracker in folders {
        for datagram in std::fs::read_dir(tracker).unwrap() {
            let path = datagram.unwrap().path();
            let is_ours = path.file_name().unwrap().to_str().unwrap().starts_with("udp_");
            assert!(!is_ours || replayed.contains(&path), "{} is not in the table", path.display());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Announces: seeds/leechers, interval, peers with and without a port, the first one. Scrapes: seeds/leechers/downloads; those of
/// two torrents answer requests without a repeated entry, unlike ours.
const EXPECTED: &[(&str, &str)] = &[
    ("aquatic_udp/udp_00_connect.raw", "connection id"),
    ("aquatic_udp/udp_01_first_seed.raw", "0/0 every 900 s, 0+0 peers"),
    ("aquatic_udp/udp_02_leech.raw", "1/0 every 900 s, 1+0 peers, 127.0.0.1:6001"),
    ("aquatic_udp/udp_03_numwant_-1.raw", "1/0 every 900 s, 1+0 peers, 127.0.0.1:6001"),
    ("aquatic_udp/udp_04_numwant_-1.raw", "1/80 every 900 s, 30+0 peers, 127.0.0.1:30002"),
    ("aquatic_udp/udp_04_numwant_0.raw", "1/80 every 900 s, 30+0 peers, 127.0.0.1:30002"),
    ("aquatic_udp/udp_04_numwant_1.raw", "1/80 every 900 s, 0+0 peers"),
    ("aquatic_udp/udp_04_numwant_200.raw", "1/80 every 900 s, 30+0 peers, 127.0.0.1:30001"),
    ("aquatic_udp/udp_04_numwant_5.raw", "1/80 every 900 s, 4+0 peers, 127.0.0.1:30015"),
    ("aquatic_udp/udp_05_unknown_ih.raw", "0/0 every 900 s, 0+0 peers"),
    ("aquatic_udp/udp_07_port0.raw", "tracker refuses: Port can't be 0"),
    ("aquatic_udp/udp_08_ip_param.raw", "1/81 every 900 s, 30+0 peers, 127.0.0.1:30017"),
    ("aquatic_udp/udp_09_stopped.raw", "1/81 every 900 s, 30+0 peers, 127.0.0.1:30002"),
    ("aquatic_udp/udp_10_completed.raw", "1/80 every 900 s, 30+0 peers, 127.0.0.1:6009"),
    ("aquatic_udp/udp_11_scrape0.raw", "tracker refuses: Full scrapes are not allowed"),
    ("aquatic_udp/udp_11_scrape1.raw", "2/80/0"),
    ("aquatic_udp/udp_11_scrape2.raw", "2 counts for 3 entries, in an order that is not known"),
    ("aquatic_udp/udp_12_bep41_urldata.raw", "1/80 every 900 s, 30+0 peers, 127.0.0.1:30003"),
    ("aquatic_udp/udp_16_ev_bogus.raw", "tracker refuses: Invalid announce event"),
    ("bittorrent-tracker-11/udp_00_connect.raw", "connection id"),
    ("bittorrent-tracker-11/udp_01_first_seed.raw", "4/70 every 60 s, 74+0 peers, 127.0.0.1:20063"),
    ("bittorrent-tracker-11/udp_02_leech.raw", "4/71 every 60 s, 75+0 peers, 127.0.0.1:20029"),
    ("bittorrent-tracker-11/udp_03_numwant_-1.raw", "4/71 every 60 s, 75+0 peers, 127.0.0.1:5002"),
    ("bittorrent-tracker-11/udp_04_numwant_-1.raw", "4/151 every 60 s, 82+0 peers, 127.0.0.1:30060"),
    ("bittorrent-tracker-11/udp_04_numwant_0.raw", "4/151 every 60 s, 50+0 peers, 127.0.0.1:30061"),
    ("bittorrent-tracker-11/udp_04_numwant_1.raw", "4/151 every 60 s, 1+0 peers, 127.0.0.1:30075"),
    ("bittorrent-tracker-11/udp_04_numwant_200.raw", "4/151 every 60 s, 82+0 peers, 127.0.0.1:20000"),
    ("bittorrent-tracker-11/udp_04_numwant_5.raw", "4/151 every 60 s, 5+0 peers, 127.0.0.1:20045"),
    ("bittorrent-tracker-11/udp_05_unknown_ih.raw", "0/1 every 60 s, 1+0 peers, 127.0.0.1:6002"),
    ("bittorrent-tracker-11/udp_07_port0.raw", "4/152 every 60 s, 82+0 peers, 127.0.0.1:20041"),
    ("bittorrent-tracker-11/udp_08_ip_param.raw", "5/152 every 60 s, 81+0 peers, 127.0.0.1:20035"),
    ("bittorrent-tracker-11/udp_09_stopped.raw", "4/152 every 60 s, 81+0 peers, 127.0.0.1:5009"),
    ("bittorrent-tracker-11/udp_10_completed.raw", "5/151 every 60 s, 81+0 peers, 127.0.0.1:30034"),
    ("bittorrent-tracker-11/udp_11_scrape0.raw", "tracker refuses: empty answer to scrape, as opentracker give"),
    ("bittorrent-tracker-11/udp_11_scrape1.raw", "5/151/5"),
    ("bittorrent-tracker-11/udp_11_scrape2.raw", "2 counts for 3 entries, in an order that is not known"),
    ("bittorrent-tracker-11/udp_12_bep41_urldata.raw", "5/151 every 60 s, 81+0 peers, 127.0.0.1:30008"),
    ("opentracker/udp_00_connect.raw", "connection id"),
    ("opentracker/udp_01_first_seed.raw", "5/70 every 1704 s, 74+1 peers, 127.0.0.1:20000"),
    ("opentracker/udp_02_leech.raw", "5/71 every 1880 s, 75+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_03_numwant_-1.raw", "5/71 every 1956 s, 75+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_04_numwant_-1.raw", "5/151 every 1821 s, 155+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_04_numwant_0.raw", "5/151 every 1663 s, 0+0 peers"),
    ("opentracker/udp_04_numwant_1.raw", "5/151 every 1878 s, 1+0 peers, 127.0.0.1:20030"),
    ("opentracker/udp_04_numwant_200.raw", "5/151 every 1914 s, 155+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_04_numwant_5.raw", "5/151 every 1808 s, 5+0 peers, 127.0.0.1:30069"),
    ("opentracker/udp_05_unknown_ih.raw", "tracker refuses: empty answer to announce, as opentracker gi"),
    ("opentracker/udp_06_bad_connid.raw", "tracker refuses: Connection ID missmatch."),
    ("opentracker/udp_07_port0.raw", "4/152 every 1746 s, 155+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_08_ip_param.raw", "5/152 every 1910 s, 156+1 peers, 127.0.0.1:6002"),
    ("opentracker/udp_09_stopped.raw", "4/152 every 1970 s, 0+0 peers"),
    ("opentracker/udp_10_completed.raw", "5/151 every 1778 s, 155+1 peers, 127.0.0.1:20000"),
    ("opentracker/udp_11_scrape0.raw", "tracker refuses: empty answer to scrape, as opentracker give"),
    ("opentracker/udp_11_scrape1.raw", "5/151/2"),
    ("opentracker/udp_11_scrape2.raw", "2 counts for 3 entries, in an order that is not known"),
    ("opentracker/udp_12_bep41_urldata.raw", "5/151 every 1931 s, 155+1 peers, 127.0.0.1:20000"),
    ("opentracker/udp_16_ev_bogus.raw", "5/151 every 1638 s, 155+1 peers, 127.0.0.1:20000"),
    ("torrust/udp_00_connect.raw", "connection id"),
    ("torrust/udp_01_first_seed.raw", "4/70 every 120 s, 73+0 peers, 127.0.0.1:20000"),
    ("torrust/udp_02_leech.raw", "4/71 every 120 s, 74+0 peers, 127.0.0.1:20000"),
    ("torrust/udp_03_numwant_-1.raw", "4/71 every 120 s, 74+0 peers, 127.0.0.1:20000"),
    ("torrust/udp_04_numwant_-1.raw", "4/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_04_numwant_0.raw", "4/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_04_numwant_1.raw", "4/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_04_numwant_200.raw", "4/81 every 120 s, 84+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_04_numwant_5.raw", "4/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_05_unknown_ih.raw", "0/1 every 120 s, 0+0 peers"),
    ("torrust/udp_06_bad_connid.raw", "tracker refuses: connection id could not be verified"),
    ("torrust/udp_07_port0.raw", "tracker refuses: bad request: internal server error: Sendabl, to transaction 0"),
    ("torrust/udp_08_ip_param.raw", "5/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_09_stopped.raw", "4/81 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_10_completed.raw", "5/80 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    ("torrust/udp_11_scrape0.raw", "tracker refuses: bad request: internal server error: Sendabl, to transaction 0"),
    ("torrust/udp_11_scrape1.raw", "5/80/2"),
    ("torrust/udp_11_scrape2.raw", "2 counts for 3 entries, in an order that is not known"),
    ("torrust/udp_12_bep41_urldata.raw", "5/80 every 120 s, 74+0 peers, 127.0.0.1:30000"),
    (
        "torrust/udp_12_truncated_announce.raw",
        "tracker refuses: bad request: internal server error: Unsenda, to transaction 0",
    ),
    ("torrust/udp_13_bad_magic.raw", "tracker refuses: bad request: internal server error: Unsenda, to transaction 0"),
    ("torrust/udp_14_short8.raw", "tracker refuses: bad request: internal server error: Unsenda, to transaction 0"),
    (
        "torrust/udp_15_unknown_action.raw",
        "tracker refuses: bad request: internal server error: Unsenda, to transaction 0",
    ),
    ("torrust/udp_16_ev_bogus.raw", "tracker refuses: bad request: internal server error: Sendabl, to transaction 0"),
];
