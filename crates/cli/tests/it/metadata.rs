//! `metadata`, and metadata in the main job, with peers of a script.

use crate::lab::{Lab, demo_seed, told};
use fake_swarm::torrent::SingleFile;
use fake_swarm::{Client, MetadataScript, Peer, Serving, message};
use std::time::Duration;

/// The demo's torrent, whose info dictionary is what peers give.
fn demo() -> SingleFile<'static> {
    SingleFile::new("demo.iso", 600_000_000)
}

/// A seed that gives it as this script does.
fn giving(client: &str, script: MetadataScript) -> Peer {
    let size = demo().info().len();
    let said = format!("d1:md11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei{size}e1:v{}:{client}e", client.len());
    Peer::default().sending([message::have_all()]).serving(Serving::metadata(script).introduced_by(said))
}

fn honest() -> MetadataScript {
    MetadataScript::of(demo().info())
}

fn link(lab: &Lab) -> String {
    let hash = lab.swarm.info_hash().map(|byte| format!("{byte:02x}")).concat();
    format!("magnet:?xt=urn:btih:{hash}&tr={}", lab.tracker.announce_url())
}

#[test]
fn look() {
    let (code, out, err) = {
        let lab = Lab::demo("metadata-look", [
            giving("qBittorrent/5.1.0", honest()),
            giving("Transmission 4.1.0", honest().delayed(Duration::from_millis(300))),
            giving("Deluge/2.0.3 libtorrent/2.0.8.0", honest().rejecting()),
            giving("libtorrent/2.1.1", honest().silent()),
            giving("rTorrent/0.15", MetadataScript::lacking()),
            Peer::refusing(),
        ]);
        let l = link(&lab);
        for args in [&["metadata", &l, "-o", "x.torrent"][..], &["metadata", &l, "-o", "x.torrent"], &["metadata", &l], &["metadata", &l, "--json"], &[&l], &["-a", &l]] {
            let (code, out, err) = told(&lab.inside().args(args).output().unwrap());
            println!("=== {args:?}\n{code}\n{out}\n{err}");
        }
        for script in [honest().rejecting(), honest().silent(), MetadataScript::lacking(), honest().spoilt(), honest().claiming((16 << 20) + 1)] {
            let lab = Lab::demo("metadata-look2", [giving("qBittorrent/5.1.0", script.clone()), giving("Deluge/2.0.3 libtorrent/2.0.8.0", script), Peer::refusing()]);
            let l = link(&lab);
            for args in [&["metadata", &l][..], &[&l]] {
            let (code, out, err) = told(&lab.inside().args(args).output().unwrap());
            println!("=== {args:?}\n{code}\n{out}\n{err}");
            }
        }
        for peers in [vec![], vec![Peer::refusing()], vec![Peer::default(), demo_seed(Client::Deluge)]] {
            let lab = Lab::demo("metadata-look3", peers);
            let l = link(&lab);
            for args in [&["metadata", &l][..], &[&l], &["metadata", "--no-trackers", &l]] {
            let (code, out, err) = told(&lab.inside().args(args).output().unwrap());
            println!("=== {args:?}\n{code}\n{out}\n{err}");
            }
        }
        (0, 0, 0)
    };
    let _ = (code, out, err);
}
