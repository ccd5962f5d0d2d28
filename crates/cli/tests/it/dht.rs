//! The DHT as the command's users see it, with nodes of a script.

use crate::lab::{Lab, bare, demo_leech, demo_seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, FakeDht, NodeScript, Peer, peer_ip};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// Nodes of the DHT that store the peers of the demo's torrent.
struct Net {
    lab: Lab,
    dht: FakeDht,
    hash: String,
    entry: String,
}

impl Net {
    fn new(name: &str, peers: impl IntoIterator<Item = Peer>) -> Self {
        let lab = Lab::demo(name, peers);
        let inside = lab.runtime.enter();
        let dht = FakeDht::start(60).unwrap();
        drop(inside);
        let info_hash = lab.swarm.info_hash();
        dht.store(info_hash, lab.swarm.endpoints());
        let entry = dht.entry(info_hash).unwrap().to_string();
        let hash = info_hash.map(|byte| format!("{byte:02x}")).concat();
        Self { lab, dht, hash, entry }
    }

    /// The command with a node to start from.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        told(&bare().args(args).args(["--dht-node", &self.entry]).output().unwrap())
    }

    /// The n-th closest node to the torrent gets another script, made of its own.
    fn change(&self, n: usize, change: impl FnOnce(NodeScript) -> NodeScript) -> SocketAddr {
        let node = self.dht.closest(self.lab.swarm.info_hash())[n];
        node.change(change);
        node.addr()
    }
}

/// Three peers: a seed, a part, and one that refuses.
fn three() -> [Peer; 3] {
    [demo_seed(Client::Qbittorrent), demo_leech(Client::Transmission, |piece| piece % 3 == 0), Peer::refusing()]
}

/// As one line, however it was broken.
fn joined(stdout: &str) -> String {
    stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(stdout: &str, kind: &str) -> Vec<Value> {
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_bare_hash_works_by_itself() {
    let net = Net::new("dht-hash", three());
    let (code, stdout, stderr) = net.run(&[&net.hash]);
    assert!(code == 0 && stderr.is_empty() && stdout.contains("\n+ alive: 1 seed verified"), "{stdout}{stderr}");
    let said = joined(&stdout);
    assert!(said.contains(" sources DHT 3 peers from 8 nodes metadata not there: both peers that say "), "{stdout}");
    assert!(said.contains(" seen as 127.0.0.1 by 1 peer and "), "{stdout}");
    assert!(said.contains(" nodes peers 3 named, 2 answered over TCP or uTP "), "{stdout}");
    let (_, stdout, _) = net.run(&["-a", &net.hash]);
    let said = joined(&stdout);
    assert!(said.contains(" DHT + IPv4 ok ") && said.contains(" answered, 0 silent; first peers after "), "{stdout}");
    assert!(said.contains(" 3 peers named by 8 nodes, 2 answered, 1 seed verified "), "{stdout}");
}

#[test]
fn a_bare_hash_has_every_form_and_condition() {
    let net = Net::new("dht-forms", three());
    let (code, stdout, _) = net.run(&["--json", &net.hash]);
    let (dht, peers) = (&json(&stdout, "dht")[0], json(&stdout, "peer"));
    assert_eq!(
        (code, &dht["status"], &dht["peers"]["named"], &dht["peers"]["ok"]),
        (0, &"ok".into(), &3.into(), &2.into())
    );
    assert!(peers.iter().all(|peer| peer["sources"][0].as_str().unwrap().starts_with("dht 127.")), "{stdout}");
    let (code, stdout, _) = net.run(&["--nagios", "--warn-under", "dht=4", "--fail-under", "dht=3", &net.hash]);
    let text = "; DHT 3 peers from 8 nodes|";
    assert!(code == 1 && stdout.contains(text) && stdout.contains(" dht=3;4:;3:;0; "), "{stdout}");
    let (code, _, stderr) = net.run(&["-q", "--fail-under", "dht=4", &net.hash]);
    assert!(code == 1 && stderr.contains("dht 3, wanted 4"), "{stderr}");
}

#[test]
fn dht_shows_what_each_node_gave() {
    let net = Net::new("dht-dig", three());
    let (seeds, leechers): ([IpAddr; 2], [IpAddr; 1]) = ([peer_ip(0).into(), peer_ip(7).into()], [peer_ip(1).into()]);
    let libtorrent = net.change(0, |script| script.version(b"LT\x02\x0b").with_filters(&seeds, &leechers));
    let silent = net.change(1, NodeScript::silent);
    let refusing = net.change(2, |script| script.error(201, "No \x1bpeers"));
    let liar = net.change(3, |script| script.lying([(peer_ip(9), 6881)]));
    let misnamed = net.change(4, |script| script.id([b'x'; 20]));
    let (code, stdout, stderr) = net.run(&["dht", &net.hash]);
    assert!(code == 0 && stderr.is_empty(), "{stdout}{stderr}");
    let line = |address: SocketAddr| stdout.lines().find(|line| line.contains(&format!(" {address} ")));
    let first = stdout.lines().nth(3).unwrap();
    assert!(first.contains(&libtorrent.to_string()) && first.contains(" libtorrent 2.0.11 "), "{stdout}");
    assert!(first.ends_with(" 3 peers, 8 nodes") && line(silent).is_none(), "{stdout}");
    assert!(line(refusing).is_some_and(|line| line.ends_with(" refused: error 201: No \\u{1b}peers")), "{stdout}");
    assert!(line(liar).is_some_and(|line| line.contains(" liar: 1 peer")), "{stdout}");
    let said = joined(&stdout);
    for says in [
        "+ IPv4 ok 4 peers from 5 of ",
        " answered (1 with an error), 1 misnamed, 1 silent sent ",
        " peers 4, the first after ",
        ", 1 doubtful (-a lists them) ",
        " swarm about 2 seeds and 1 leecher within ",
        " noise 1 node names peers of any info-hash, 1 node with another id than named ",
        " seen as 127.0.0.1:",
        &format!(" started at {} (user): 1 of 1 answered ", net.entry),
        " ended the 16 closest nodes that answer have all answered DHT 4 peers from 5 nodes (1 doubtful) in ",
    ] {
        assert!(said.contains(says), "{says}: {stdout}");
    }
    let (_, stdout, _) = net.run(&["dht", "-a", &net.hash]);
    let seed = net.lab.swarm.endpoints()[0];
    let named = stdout.lines().find(|line| line.trim_start().starts_with(&format!("{seed} "))).unwrap();
    assert_eq!(named.matches(":").count(), 5, "four nodes name it: {named}");
    let (_, stdout, _) = net.run(&["dht", "--trace", &net.hash]);
    let line = |address: SocketAddr| stdout.lines().find(|line| line.contains(&format!(" {address} "))).unwrap();
    assert!(line(silent).ends_with(" silent") && line(misnamed).ends_with(" misnamed"), "{stdout}");
    assert!(stdout.lines().nth(3).is_some_and(|line| line.contains(&net.entry)), "{stdout}");
    let (code, stdout, _) = net.run(&["dht", "--json", &net.hash]);
    let (dht, peers) = (&json(&stdout, "dht")[0], json(&stdout, "peer"));
    assert!(code == 0 && peers.len() == 4 && peers.iter().all(|peer| peer["outcome"] == "not_tried"), "{stdout}");
    assert_eq!(
        dht["listed"].as_array().map(Vec::len),
        dht["nodes"]["asked"].as_u64().and_then(|asked| asked.try_into().ok())
    );
    assert!(net.lab.swarm.accepted() == 0, "no peer is dialled");
}

/// Its two swarms are in two places of the DHT.
#[test]
fn both_swarms_of_a_hybrid_are_shown() {
    let net = Net::new("dht-hybrid", three());
    let v2 = [b'2'; 32];
    let other: [u8; 20] = v2.first_chunk().copied().unwrap();
    let in_v2 = SocketAddr::from((peer_ip(9), 6881));
    net.dht.store(other, [in_v2]);
    let link =
        format!("magnet:?xt=urn:btih:{}&xt=urn:btmh:1220{}", net.hash, v2.map(|byte| format!("{byte:02x}")).concat());
    let (code, stdout, stderr) = net.run(&["dht", "-a", &link]);
    assert!(code == 0 && stderr.is_empty(), "{stdout}{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    let at = |text: &str| lines.iter().position(|line| line.trim() == text).unwrap();
    let (v1, v2) = (at("v1 swarm"), at("v2 swarm"));
    // The closest of each are its storers.
    for (place, info_hash, gave) in
        [(v1, net.lab.swarm.info_hash(), " 3 peers, 8 nodes"), (v2, other, " 1 peer, 8 nodes")]
    {
        for (line, node) in lines[place + 1..].iter().zip(net.dht.closest(info_hash)).take(8) {
            assert!(line.contains(&format!(" {} ", node.addr())) && line.ends_with(gave), "{line}: {stdout}");
        }
    }
    assert!(stdout.contains(&format!("    {in_v2} ")) && joined(&stdout).contains(" DHT 4 peers from "), "{stdout}");
    let (_, stdout, _) = net.run(&["dht", &net.hash]);
    assert!(!stdout.contains(" swarm\n"), "{stdout}");
}

#[test]
fn nodes_that_name_no_peer_are_an_answer() {
    let net = Net::new("dht-none", []);
    let (code, stdout, _) = net.run(&[&net.hash]);
    assert!(code == 1 && joined(&stdout).contains(" - no peer named: "), "{stdout}");
    assert!(joined(&stdout).contains(" nodes of the DHT answered and name none sources DHT 0 peers from "), "{stdout}");
    assert!(joined(&stdout).contains("; PEX not asked "), "{stdout}");
    let (code, stdout, _) = net.run(&["dht", &net.hash]);
    assert!(code == 1 && stdout.contains("\nDHT 0 peers from "), "{stdout}");
    let (code, stdout, _) = net.run(&["--sources", "trackers,dht", "demo.torrent", &net.hash]);
    assert!(code == 2 && stdout.contains("\n  1 not checked; 1 no peer named "), "{stdout}");
}

/// Nodes that name no peer say nothing of the torrent where the closest ones were not reached.
#[test]
fn a_lookup_that_did_not_come_to_its_end_is_no_answer_for_the_torrent() {
    let net = Net::new("dht-unfinished", three());
    let entry = |node: &&fake_swarm::FakeNode| node.addr().to_string() != net.entry;
    net.dht.nodes().iter().filter(entry).for_each(|node| node.change(NodeScript::silent));
    for (args, likely, to_do) in [
        (&["--deadline", "400ms"][..], "the run ended first: the deadline passed,", "give a longer --deadline"),
        (
            &[],
            "every node that was named has been asked, and there are fewer than usual: ",
            "name a node that is in the DHT",
        ),
    ] {
        let (code, stdout, _) = net.run(&[args, &[&net.hash]].concat());
        let said = joined(&stdout);
        assert!(code == 1 && said.contains(" - no peer named: 1 node of the DHT answered and names none "), "{stdout}");
        assert!(
            said.contains(&format!(" likely DHT: {likely}")) && said.contains(&format!(" to do {to_do}")),
            "{stdout}"
        );
        let is_cut_short = said.contains(" none was named, cut short by the deadline: what the swarm has is unknown ");
        assert_eq!(is_cut_short, !args.is_empty(), "{stdout}");
    }
}

#[test]
fn peers_that_liars_alone_name_are_said_to_be_doubtful() {
    let net = Net::new("dht-doubtful", []);
    (0..8).for_each(|n| {
        net.change(n, |script| script.lying([(peer_ip(200), 6881), (peer_ip(201), 6881)]));
    });
    let (code, stdout, _) = net.run(&[&net.hash]);
    let said = joined(&stdout);
    assert!(code == 1 && said.contains(" no peer answered: none of the 2 peers that were named "), "{stdout}");
    assert!(
        said.contains(" likely 2 of 2 peers are doubtful: the nodes that name them name peers for a random"),
        "{stdout}"
    );
}

#[test]
fn nodes_that_do_not_answer_are_no_source() {
    let net = Net::new("dht-silent", []);
    net.dht.nodes().iter().for_each(|node| node.change(NodeScript::silent));
    let (code, stdout, _) = net.run(&[&net.hash]);
    let said = joined(&stdout);
    assert!(
        code == 3 && said.contains(" - no source: no node of the DHT answered, and no peer was named "),
        "{stdout}"
    );
    assert!(said.contains(" sources DHT: no answer (1 node asked); PEX not asked "), "{stdout}");
    assert!(said.contains(" to do name a node with --dht-node"), "{stdout}");
    let (code, stdout, stderr) = net.run(&["dht", "--trace", &net.hash]);
    assert!(code == 3 && stdout.contains(" silent\n") && stdout.contains(": 0 of 1 answered"), "{stdout}");
    assert!(stdout.contains("- IPv4  no_answer  no answer from 1 node in "), "{stdout}");
    assert!(joined(&stdout).contains(" may mean a firewall, a router or the VPN drops UDP, "), "{stdout}");
    assert!(stderr.ends_with(": DHT: no answer\n"), "{stderr}");
    let (code, stdout, _) = told(&bare().args(["dht", &net.hash]).output().unwrap());
    assert!(code == 3 && stdout.contains("- DHT  no_start\n"), "{stdout}");
}

/// BEP 27: the peers of a private torrent come from its trackers alone.
#[test]
fn private_torrents_are_never_asked_for() {
    let net = Net::new("dht-private", three());
    let url = net.lab.tracker.announce_url();
    let file = SingleFile { private: true, announce: Some(&url), ..SingleFile::new("demo.iso", 600_000_000) };
    let private = net.lab.file("private.torrent", &file.to_bytes());
    let private = private.to_str().unwrap();
    for args in [&["dht", private][..], &["dht", "--allow-private", private], &["--sources", "dht", private]] {
        let (code, stdout, stderr) = net.run(args);
        assert!(code == 2 && stdout.is_empty() && stderr.contains("private torrent, nothing was sent: "), "{stderr}");
        assert!(stderr.contains("(BEP 27), and the DHT is never asked for it"), "{args:?}: {stderr}");
    }
    let (code, stdout, _) = net.run(&["--allow-private", private]);
    assert!(code == 1 && stdout.contains("DHT not asked (private torrent)"), "{stdout}");
    let (code, stdout, _) = net.run(&["--allow-private", "-a", private]);
    assert!(
        code == 1 && joined(&stdout).contains(" DHT ! DHT private it was not asked, or no further, because "),
        "{stdout}"
    );
    // A link whose tracker has a secret may be of a private torrent.
    let link = format!("magnet:?xt=urn:btih:{}&tr={url}?passkey=0123456789abcdef", net.hash);
    let (code, stdout, _) = net.run(&[&link]);
    assert!(code == 0 && stdout.contains("DHT not asked (may be private)"), "{stdout}");
    let (code, stdout, stderr) = told(&bare().args(["dht", "--ping", &net.entry, &link]).output().unwrap());
    assert!(
        code == 2 && stdout.is_empty() && stderr.contains("the torrent may be private, and nothing was sent"),
        "{stderr}"
    );
    let (code, _, stderr) = net.run(&["dht", &link]);
    assert!(code == 3 && stderr.contains("give the .torrent file, or the info-hash alone if"), "{stderr}");
    assert!(net.dht.queries().is_empty());
}

#[test]
fn what_cannot_be_asked_is_a_usage_error() {
    let net = Net::new("dht-usage", []);
    for (args, says) in [
        (&["--sources", "none", &net.hash][..], "leave out --dht-node"),
        (&["--scrape", &net.hash], "cannot be used with"),
        (&["--sources", "-dht", &net.hash], "leave out --dht-node"),
        (&["--sources", "dht", "--tracker", "http://t/announce", &net.hash], "leave out --tracker"),
        (&["announce", &net.hash], "unexpected argument '--dht-node'"),
        (&["dht"], "required arguments were not provided"),
        (&["dht", "--ping", "127.0.0.1:1", &net.hash], "cannot be used with"),
    ] {
        let (code, _, stderr) = net.run(args);
        assert!(code == 2 && stderr.contains(says), "{args:?}: {stderr}");
    }
    let bootstrap =
        |list: &str| told(&bare().args(["dht", &net.hash]).env("BT_HANDSHAKE_DHT_BOOTSTRAP", list).output().unwrap());
    let (code, _, stderr) = bootstrap("127.0.0.1:6881 here");
    assert!(
        code == 2 && stderr.contains("set BT_HANDSHAKE_DHT_BOOTSTRAP to HOST:PORT of each node: here: "),
        "{stderr}"
    );
    // What the environment names is not trusted as what the user names.
    let (code, stdout, _) = bootstrap(&net.entry);
    assert!(code == 3 && stdout.contains("(bootstrap): "), "{stdout}");
    assert!(net.dht.queries().is_empty());
}

/// Whether a client can be reached in the DHT, and what it knows.
#[test]
fn one_node_is_pinged() {
    let net = Net::new("dht-ping", three());
    let node = net.change(0, |script| script.version(b"LT\x02\x0b")).to_string();
    let silent = net.change(1, NodeScript::silent).to_string();
    let refusing = net.change(2, |script| script.error(203, "no\x1b")).to_string();
    let ping = |args: &[&str]| told(&bare().arg("dht").args(args).output().unwrap());
    let (code, stdout, stderr) = ping(&["--ping", &node]);
    assert!(
        code == 0 && stderr.is_empty() && stdout.starts_with(&format!("+ {node}  reached in ")),
        "{stdout}{stderr}"
    );
    let said = joined(&stdout);
    assert!(said.contains(" client libtorrent 2.0.11 id ") && said.contains(" sees us at 127.0.0.1:"), "{stdout}");
    assert!(!said.contains(" knows "), "{stdout}");
    let (code, stdout, _) = ping(&["--ping", &node, &net.hash]);
    assert!(code == 0 && stdout.ends_with("    knows       3 peers of this torrent, 8 nodes\n"), "{stdout}");
    let (code, stdout, _) = ping(&["--ping", &refusing]);
    assert!(code == 0 && stdout.ends_with("    answer      refused: error 203: no\\u{1b}\n"), "{stdout}");
    let (code, stdout, _) = ping(&["--json", "--ping", &node]);
    let dht = &json(&stdout, "dht")[0];
    assert!(code == 0 && dht["info_hash"].is_null() && dht["listed"][0]["seen_as"].is_string(), "{stdout}");
    let (code, stdout, _) = ping(&["--deadline", "1s", "--ping", &silent]);
    assert!(code == 1 && stdout.starts_with(&format!("- {silent}  interrupted  ")), "{stdout}");
    let (code, stdout, _) = ping(&["--ping", &silent]);
    assert!(code == 1 && stdout.starts_with(&format!("- {silent}  silent\n")), "{stdout}");
    assert!(joined(&stdout).contains(" to do for a client of your own: let UDP through to its port"), "{stdout}");
    let private = SingleFile { private: true, ..SingleFile::new("demo.iso", 600_000_000) };
    let private = net.lab.file("private.torrent", &private.to_bytes());
    let (code, _, stderr) = ping(&["--ping", &node, private.to_str().unwrap()]);
    assert!(code == 2 && stderr.contains("(BEP 27)"), "{stderr}");
    let (code, _, stderr) = ping(&["--ping", &node, &net.hash, &net.hash]);
    assert!(code == 2 && stderr.contains("give --ping one torrent at most"), "{stderr}");
    let (code, stdout, _) = ping(&["--ping", "no-such-host.invalid:6881"]);
    assert!(code == 1 && stdout.starts_with("- no-such-host.invalid:6881  not resolved  "), "{stdout}");
    let (code, _, stderr) = ping(&["--ping", "127.0.0.1:0"]);
    assert!(code == 2 && stderr.contains("expected a port from 1"), "{stderr}");
    let (code, _, stderr) = ping(&["--bind", "198.51.100.7", "--ping", &node]);
    assert!(code == 2 && stderr.contains("cannot bind"), "{stderr}");
}
