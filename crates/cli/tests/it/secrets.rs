//! A passkey that comes back in an unexpected place: it is hidden there too, and shown with `--show-secrets`.

use crate::lab::{Lab, bare, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{DictionaryPeer, Id, Peer, Step, TrackerScript, message};

/// As a passkey is: 32 hexadecimal digits.
const PASSKEY: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";

/// A peer that knows it, with the beginning in its peer id.
fn knowing() -> Peer {
    let extension = format!("d1:md32:{PASSKEY}i1e11:ut_metadatai2ee1:v36:key {PASSKEY}e");
    let says = [message::extension_handshake(extension.as_bytes()), message::have_all()].concat();
    let mut id = *b"-qB5010-............";
    // As bytes, its digits would be the whole peer id's.
    let bytes: Vec<u8> = (0..16).map(|n| u8::from_str_radix(&PASSKEY[2 * n..2 * n + 2], 16).unwrap()).collect();
    id[4..].copy_from_slice(&bytes);
    let known = Peer::default();
    let reserved = [0, 0, 0, 0, 0, 0x10, 0, 0x04];
    Peer { id: Id::Given(id), reserved, after: vec![Step::Send(says)], ..known }
}

/// The lab's torrent, or another of this name, that says it in every text it has, with a tracker that is asked with it.
fn torrent(lab: &Lab, name: &str) -> Vec<u8> {
    let info = SingleFile::new(name, 1_000_000).info();
    let url = format!("{}?passkey={PASSKEY}", lab.tracker.announce_url());
    let text = |key: &str, value: &str| format!("{}:{key}{}:{value}", key.len(), value.len());
    let (seed, words) = (format!("http://cdn.invalid/{PASSKEY}/"), format!("of {PASSKEY}, in short {}", &PASSKEY[..9]));
    let node = format!("5:nodesll{}:{PASSKEY}i6881eee", PASSKEY.len());
    let outer = [text("announce", &url), text("comment", &words), text("created by", &words)].concat();
    [b"d".to_vec(), outer.into_bytes(), b"4:info".to_vec(), info, node.into_bytes()]
        .into_iter()
        .chain([text("source", &words).into_bytes(), text("url-list", &seed).into_bytes(), b"e".to_vec()])
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn a_passkey_is_hidden_wherever_it_comes_back() {
    let lab = Lab::new("come-back", [knowing(), Peer::garbage(PASSKEY.as_bytes().to_vec())]);
    let named = lab.file("named.torrent", &torrent(&lab, &format!("name {PASSKEY}")));
    let torrent = lab.file("knowing.torrent", &torrent(&lab, "lab\u{1b}[31m.bin"));
    let (torrent, called) = (torrent.to_str().unwrap(), named.to_str().unwrap());
    let url = format!("{}?passkey={PASSKEY}", lab.tracker.announce_url());
    let peers = lab.swarm.endpoints().to_vec();
    let host = |name: String| DictionaryPeer { ip: name, port: 6881, peer_id: None };
    let named = peers.iter().map(|peer| DictionaryPeer { port: peer.port().into(), ..host(peer.ip().to_string()) });
    let dictionary = TrackerScript::Dictionary {
        peers: named.chain([host(format!("{PASSKEY}.invalid"))]).collect(),
        interval: Some(1800),
        extra: vec![("warning message".to_owned(), format!("32:{PASSKEY}").into_bytes())],
    };
    let location = format!("http://{PASSKEY}.invalid/{PASSKEY}/announce");
    let redirect = TrackerScript::Redirect { status: 302, location, keep_query: true };
    let first = peers[0].to_string();
    for script in [dictionary, redirect] {
        lab.tracker.set_script(script);
        for args in [
            &["--deadline", "5s", torrent][..],
            &["--deadline", "5s", "--all", torrent],
            &["--deadline", "5s", "--json", "-v", torrent],
            &["--deadline", "5s", "-vv", torrent],
            &["--deadline", "5s", "--nagios", torrent],
            &["--deadline", "5s", "--all", "--tracker", &url, lab.torrent().to_str().unwrap()],
            &["announce", "--all", torrent],
            &["announce", "--json", torrent],
            &["--deadline", "5s", "--json", called],
            &["peer", "--trace", &first, torrent],
            &["peer", "--json", &first, torrent],
            &["show", "--files", called],
            &["show", "--files", "--json", called],
        ] {
            let (code, stdout, stderr) = told(&bare().args(args).output().unwrap());
            let all = format!("{stdout}{stderr}");
            assert!([0, 1, 2, 3].contains(&code) && !all.to_lowercase().contains(PASSKEY), "{args:?}: {all}");
            // Neither as bytes of a dump, nor as those of the log.
            assert!(!all.contains("9f 8e 7d 6c") && !all.contains("57, 102, 56, 101"), "{args:?}: {all}");
        }
    }
}

#[test]
fn it_is_shown_to_whom_it_belongs() {
    let lab = Lab::new("belongs", [knowing()]);
    let named = lab.file("named.torrent", &torrent(&lab, &format!("name {PASSKEY}")));
    let torrent = lab.file("knowing.torrent", &torrent(&lab, "lab\u{1b}[31m.bin"));
    let (torrent, called) = (torrent.to_str().unwrap(), named.to_str().unwrap());
    for (args, at_least) in [
        (&["--show-secrets", "--all", torrent][..], 2),
        (&["--show-secrets", "--json", torrent], 5),
        (&["show", "--show-secrets", "--files", called], 7),
        (&["show", "--show-secrets", "--files", "--json", called], 8),
    ] {
        let (_, stdout, _) = told(&bare().args(args).output().unwrap());
        assert!(stdout.matches(PASSKEY).count() >= at_least, "{args:?}: {stdout}");
    }
    let (_, stdout, _) = told(&bare().args(["--json", torrent]).output().unwrap());
    assert!(stdout.contains(r#""client":"key ***""#) && stdout.contains(r#""***":1"#), "{stdout}");
    let (_, stdout, _) = told(&bare().args(["show", called]).output().unwrap());
    assert!(stdout.starts_with("name ***\n"), "{stdout}");
    // What is no more than a part of it is none.
    let (_, stdout, _) = told(&bare().args(["show", torrent]).output().unwrap());
    assert!(stdout.contains(&format!("of ***, in short {}\n", &PASSKEY[..9])), "{stdout}");
}
