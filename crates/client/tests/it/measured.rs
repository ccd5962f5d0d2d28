//! Clients of 2026 in their states, as measured: what each sends, and what the report says of it. One row a state; recorded
//! bytes are replayed in `newest.rs`, hybrids are in `magnet.rs`.

use crate::lab::{config, encrypted, plaintext, told_by};
use client::{Config, Detail, Encryption, EncryptionPolicy, ListenEnd, Outcome, PeerReport, Role, RoleFrom};
use fake_swarm::recording::Recording;
use fake_swarm::{Ending, ExtensionHandshake, Id, Knows, Mse, Peer, Plaintext, Responder, Step, bencoding, message};
use std::time::Duration;

const PIECES: u32 = 200;
const FAST: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0x04];
const EXTENSIONS: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0];

/// What all connections of a client have in common.
#[derive(Clone)]
struct Program {
    id: Id,
    reserved: [u8; 8],
    extension: ExtensionHandshake<'static>,
}

/// A recorded client: its peer id, its reserved bits, its name and its extensions.
fn recorded(file: &str) -> Program {
    let recording = Recording::of(file).unwrap();
    let Peer { id, reserved, .. } = recording.peer();
    let said = recording.exchange("all").unwrap().extension_handshake().unwrap().to_vec().leak();
    let ExtensionHandshake { v, m, .. } = ExtensionHandshake::read(said).unwrap();
    Program { id, reserved, extension: ExtensionHandshake { v, m, ..METADATA } }
}

/// A client that was measured, without a recording.
fn measured(prefix: &'static str, reserved: [u8; 8], v: Option<&'static str>, m: &[(&'static str, u8)]) -> Program {
    Program { id: Id::Beginning(prefix), reserved, extension: ExtensionHandshake { v, m: m.to_vec(), ..METADATA } }
}

/// An extension handshake that offers the metadata of a torrent.
const METADATA: ExtensionHandshake<'_> = ExtensionHandshake {
    v: None,
    p: None,
    reqq: None,
    metadata_size: Some(714),
    upload_only: None,
    yourip: None,
    e: None,
    complete_ago: None,
    m: Vec::new(),
    extra: Vec::new(),
};

fn transmission() -> Program {
    recorded("transmission-4.1.4")
}
fn aria2() -> Program {
    recorded("aria2-1.37.0")
}
fn qbittorrent() -> Program {
    recorded("qbittorrent-5.3.0")
}
fn libtorrent() -> Program {
    recorded("libtorrent-2.1.1")
}
fn deluge() -> Program {
    recorded("deluge-2.2.1")
}
fn rtorrent() -> Program {
    recorded("rtorrent-0.16.17")
}
fn webtorrent() -> Program {
    recorded("webtorrent-3.0.21")
}
fn biglybt() -> Program {
    recorded("biglybt-4.1.0.0")
}
fn ktorrent() -> Program {
    measured("-KT2640-\0\0", FAST, Some("KTorrent/26.4.0"), &[("ut_metadata", 2), ("ut_pex", 1)])
}
fn rqbit() -> Program {
    measured("-rQ9100-", EXTENSIONS, Some("rqbit 9.1.0"), &[("ut_metadata", 3), ("ut_pex", 1)])
}
fn superseedr() -> Program {
    measured("-SS1016-", EXTENSIONS, None, &[("ut_metadata", 2), ("ut_pex", 1)])
}
fn yap() -> Program {
    measured("-PY0001-", [0, 0, 0, 0, 0, 0x10, 0, 1], Some("Another Python Torrent 0.0.1"), &[("ut_metadata", 1)])
}
fn unworkable() -> Program {
    measured("-UL-0001-", [0, 0, 0, 0, 0, 0, 0, 4], None, &[])
}

impl Program {
    fn extension(&self) -> ExtensionHandshake<'static> {
        self.extension.clone()
    }

    fn silent(&self) -> Peer {
        Peer { id: self.id, reserved: self.reserved, ..Peer::default() }
    }

    /// Sends its usual extension handshake and then these messages.
    fn saying(&self, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(self.extension(), messages)
    }

    fn with(&self, extension: ExtensionHandshake<'_>, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.silent().sending([extension.message()]).sending(messages)
    }

    /// With `upload_only` (BEP 21) set to this.
    fn upload_only(&self, only: bool, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(ExtensionHandshake { upload_only: Some(only), ..self.extension() }, messages)
    }

    /// While it fetches the metadata of a magnet link.
    fn magnet(&self, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(ExtensionHandshake { metadata_size: None, ..self.extension() }, messages)
    }
}

fn bits(has: impl Fn(u32) -> bool) -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, has))
}

fn listening() -> Config {
    config().with_linger(Duration::from_secs(3))
}

/// The role, what it rests on, the number of pieces, and why listening ended.
type Found = (Role, RoleFrom, Option<u32>, ListenEnd);

fn found(report: &PeerReport) -> Found {
    let have = report.completeness.map(|told| told.have);
    (report.role, report.role_from, have, report.listen_end.unwrap())
}

async fn each_is(rows: Vec<(&str, Peer, Found)>) {
    let peers = rows.iter().map(|(_, peer, _)| peer.clone());
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for ((state, _, expected), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, &found(report)), (Outcome::Ok, expected), "{state}");
        assert!(!report.has_violated(), "{state}");
    }
}

const QUIET: ListenEnd = ListenEnd::Quiet;
const EMPTY: Found = (Role::Leech, RoleFrom::HaveNone, Some(0), QUIET);
const SEED: Found = (Role::Seed, RoleFrom::HaveAll, Some(PIECES), QUIET);
const SEED_BY_BITFIELD: Found = (Role::Seed, RoleFrom::Bitfield, Some(PIECES), QUIET);
const HALF: Found = (Role::Leech, RoleFrom::Bitfield, Some(80), QUIET);
/// A `have` of the last piece may follow.
const NEARLY: Found = (Role::Leech, RoleFrom::Bitfield, Some(PIECES - 1), ListenEnd::TimeUp);
const PARTIAL: Found = (Role::PartialSeed, RoleFrom::UploadOnly, Some(80), QUIET);
const HIDDEN: Found = (Role::SuperSeed, RoleFrom::NoneAndUnchoke, None, QUIET);
const FETCHING: Found = (Role::Leech, RoleFrom::Nothing, None, QUIET);
const UNKNOWN: Found = (Role::Unknown, RoleFrom::Nothing, None, QUIET);

#[tokio::test]
async fn states_of_clients_with_all_pieces() {
    let (all, full) = (message::have_all, || bits(|_| true));
    let allowed = || (0..10).map(message::allowed_fast);
    let anonymous = Program { extension: ExtensionHandshake { v: None, ..qbittorrent().extension() }, ..qbittorrent() };
    let private = |program: &Program| ExtensionHandshake { m: Vec::new(), metadata_size: None, ..program.extension() };
    each_is(vec![
        ("Transmission", transmission().upload_only(true, [all()]), SEED),
        ("aria2", aria2().saying([all()].into_iter().chain(allowed())), SEED),
        ("qBittorrent", qbittorrent().upload_only(true, [all(), message::unchoke(), message::choke()]), SEED),
        ("qBittorrent, anonymous", anonymous.upload_only(true, [all(), message::unchoke()]), SEED),
        ("libtorrent", libtorrent().upload_only(true, [all(), message::unchoke()]), SEED),
        ("Deluge", deluge().upload_only(true, [all(), message::unchoke()]), SEED),
        (
            "rTorrent, the bitfield in a later packet",
            rtorrent().saying([]).pausing(Duration::from_millis(20)).sending([full()]),
            SEED_BY_BITFIELD,
        ),
        ("WebTorrent", webtorrent().saying([all()]), SEED),
        ("rqbit", rqbit().saying([full(), message::unchoke()]), SEED_BY_BITFIELD),
        (
            "superseedr",
            superseedr().with(
                ExtensionHandshake { extra: vec![("lt_v2", bencoding::integer(1))], ..superseedr().extension() },
                [full(), message::keep_alive()],
            ),
            SEED_BY_BITFIELD,
        ),
        (
            "BiglyBT",
            biglybt()
                .silent()
                .sending([
                    full(),
                    ExtensionHandshake { upload_only: Some(true), e: Some(false), ..biglybt().extension() }.message(),
                ])
                .sending(allowed()),
            SEED_BY_BITFIELD,
        ),
        ("yap", yap().silent().sending([full(), message::port(6881), yap().extension().message()]), SEED_BY_BITFIELD),
        ("unworkable", unworkable().silent().sending([all()]), SEED),
        // A seed that sends `upload_only` 0.
        (
            "KTorrent",
            ktorrent().silent().sending([all()]).pausing(Duration::from_millis(60)).sending([ExtensionHandshake {
                upload_only: Some(false),
                ..ktorrent().extension()
            }
            .message()]),
            SEED,
        ),
        ("Transmission, private", transmission().with(private(&transmission()), [all()]), SEED),
        ("libtorrent, private", libtorrent().with(private(&libtorrent()), [all(), message::unchoke()]), SEED),
    ])
    .await;
}

#[tokio::test]
async fn states_of_clients_without_pieces() {
    let none = message::have_none;
    each_is(vec![
        ("Transmission", transmission().upload_only(false, [none()]), EMPTY),
        ("qBittorrent", qbittorrent().saying([none()]), EMPTY),
        ("Deluge", deluge().saying([none()]), EMPTY),
        ("libtorrent", libtorrent().saying([none()]), EMPTY),
        (
            "libtorrent, share mode",
            libtorrent().with(
                ExtensionHandshake { extra: vec![("share_mode", bencoding::integer(1))], ..libtorrent().extension() },
                [none()],
            ),
            EMPTY,
        ),
        ("aria2", aria2().saying([none()]), EMPTY),
        ("KTorrent", ktorrent().upload_only(false, [none()]), EMPTY),
        // `upload_only` 0 means: no super-seed, although it unchokes.
        ("KTorrent, unchoking", ktorrent().upload_only(false, [none(), message::unchoke()]), EMPTY),
        ("rTorrent", rtorrent().saying([]), UNKNOWN),
        ("rqbit", rqbit().saying([]), FETCHING),
        ("Transmission, magnet", transmission().magnet([none()]), EMPTY),
        ("qBittorrent, magnet", qbittorrent().magnet([]), FETCHING),
        ("Deluge, magnet", deluge().magnet([]), FETCHING),
        ("libtorrent, magnet", libtorrent().magnet([]), FETCHING),
        ("aria2, magnet", aria2().magnet([]), FETCHING),
        ("WebTorrent, magnet", webtorrent().magnet([]), FETCHING),
        ("superseedr, magnet", superseedr().magnet([]), FETCHING),
    ])
    .await;
}

#[tokio::test]
async fn states_of_clients_with_a_part_and_of_super_seeds() {
    let part = || bits(|piece| piece < 80);
    let nearly = || bits(|piece| piece != PIECES - 1);
    let hidden = || [message::have_none(), message::unchoke()];
    let mut rows = vec![
        ("qBittorrent, hidden", qbittorrent().saying(hidden()), HIDDEN),
        ("Deluge, hidden", deluge().saying(hidden()), HIDDEN),
        ("libtorrent, hidden", libtorrent().saying(hidden()), HIDDEN),
        // A super-seed or a peer without pieces: rTorrent is silent in both cases.
        ("rTorrent, the initial seed", rtorrent().saying([]), UNKNOWN),
    ];
    for program in [
        transmission(),
        qbittorrent(),
        deluge(),
        libtorrent(),
        rtorrent(),
        aria2(),
        webtorrent(),
        rqbit(),
        biglybt(),
        superseedr(),
    ] {
        rows.push(("40 %", program.saying([part()]), HALF));
    }
    for program in [transmission(), qbittorrent(), deluge(), libtorrent(), rtorrent(), aria2()] {
        rows.push(("the last piece missing", program.saying([nearly()]), NEARLY));
    }
    for program in [transmission(), qbittorrent(), libtorrent()] {
        rows.push(("some files only", program.upload_only(true, [part()]), PARTIAL));
    }
    // These do not send `upload_only`.
    for program in [rtorrent(), aria2()] {
        rows.push(("some files only", program.saying([part()]), HALF));
    }
    each_is(rows).await;
}

/// A peer that does not serve the torrent to us, and ends plaintext and MSE so.
fn refusing(plaintext: Ending, mse: Mse) -> Peer {
    // Over MSE it closes once it has read the info-hash.
    let encryption = fake_swarm::Encryption { plaintext: Plaintext::Refused(plaintext), mse };
    Peer { knows: Knows::Another, encryption, ..Peer::default() }
}

#[tokio::test]
async fn states_of_clients_that_close_before_a_byte() {
    use Detail::{AfterItsKey, BeforeItsKey, Silent};
    use Ending::{Closes, Resets, Stays};
    let spoken = || Mse::Spoken(Responder::default());
    let serves_not = &["does not have it", "stopped, queued or in checking", "full"][..];
    let turns_away = &["full", "blocks our address", "stopped"][..];
    let rows = [
        (
            "unknown hash: Transmission, libtorrent, rTorrent, aria2",
            refusing(Closes, spoken()),
            AfterItsKey,
            serves_not,
        ),
        (
            "unknown hash: KTorrent, WebTorrent, rqbit",
            refusing(Closes, Mse::Refused(Closes)),
            BeforeItsKey,
            &["speaks no encryption"],
        ),
        ("unknown hash: superseedr", refusing(Closes, Mse::Refused(Resets)), BeforeItsKey, &["speaks no encryption"]),
        ("stopped: Transmission, rTorrent, BiglyBT", refusing(Closes, spoken()), AfterItsKey, serves_not),
        ("stopped, its only torrent: libtorrent", refusing(Closes, Mse::Refused(Closes)), BeforeItsKey, turns_away),
        ("queued: Transmission", refusing(Closes, spoken()), AfterItsKey, serves_not),
        ("queued: libtorrent", refusing(Closes, Mse::Refused(Closes)), BeforeItsKey, turns_away),
        ("checking: Transmission, libtorrent, rTorrent", refusing(Closes, spoken()), AfterItsKey, serves_not),
        ("full: Transmission", refusing(Resets, Mse::Refused(Resets)), BeforeItsKey, turns_away),
        ("full: libtorrent", refusing(Closes, spoken()), AfterItsKey, serves_not),
        (
            "another connection from our address: libtorrent",
            refusing(Closes, spoken()),
            AfterItsKey,
            &["another connection from our address"],
        ),
        (
            "our address is blocked: Transmission, libtorrent",
            refusing(Closes, Mse::Refused(Closes)),
            BeforeItsKey,
            turns_away,
        ),
        (
            "uTP only, and no answer over uTP: qBittorrent",
            refusing(Resets, Mse::Refused(Resets)),
            BeforeItsKey,
            turns_away,
        ),
        ("a magnet link: rTorrent", refusing(Closes, spoken()), AfterItsKey, serves_not),
        ("silence to encryption", refusing(Closes, Mse::Refused(Stays)), Silent, &["encryption did not help"]),
    ];
    let plain_first =
        config().with_encryption(EncryptionPolicy::PreferPlain).with_handshake_timeout(Duration::from_millis(500));
    let (_, told) = told_by(PIECES, rows.iter().map(|(_, peer, ..)| peer.clone()), plain_first.clone()).await;
    for ((state, _, end, says), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, report.encryption), (Outcome::ClosedBeforeHandshake, Encryption::None), "{state}");
        assert_eq!(report.encrypted_end(), Some(*end), "{state}: {:?}", report.attempts);
        let hint = report.hint().unwrap();
        assert!(says.iter().all(|cause| hint.contains(cause)), "{state}: {hint}");
    }
    // The same peers with encryption only show the same ends.
    let required = plain_first.with_encryption(EncryptionPolicy::Require);
    let (_, told) = told_by(PIECES, rows.iter().map(|(_, peer, ..)| peer.clone()), required).await;
    for ((state, _, end, _), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, report.encrypted_end()), (Outcome::EncryptionFailed, Some(*end)), "{state}");
        let hint = report.hint().unwrap();
        // Silence may also be a slow machine.
        let speaks_none = !matches!(end, AfterItsKey | Silent);
        assert_eq!(hint.contains("speaks no encryption"), speaks_none, "{state}: {hint}");
    }
}

#[tokio::test]
async fn states_of_clients_that_refuse_plaintext_or_tcp_or_know_another_torrent() {
    let rtorrent = Peer {
        encryption: fake_swarm::Encryption {
            plaintext: Plaintext::Refused(Ending::Resets),
            mse: Mse::Spoken(Responder::default()),
        },
        ..rtorrent().saying([bits(|_| true)])
    };
    let says_yes = Peer { knows: Knows::Anything, ending: Ending::Closes, ..yap().silent() };
    let says_its_own = Peer { knows: Knows::Another, ending: Ending::Closes, ..unworkable().silent() };
    let peers = [rtorrent, Peer::refusing(), says_yes, says_its_own];
    let config = listening().with_encryption(EncryptionPolicy::PreferPlain);
    let (_, told) = told_by(PIECES, peers, config).await;
    let [rtorrent, refused, says_yes, says_its_own] = &told.peers[..] else { panic!("four reports") };
    // rTorrent 0.16.17 refuses plaintext by default.
    let tried = (rtorrent.outcome, rtorrent.encryption, plaintext(rtorrent), encrypted(rtorrent));
    assert_eq!(tried, (Outcome::Ok, Encryption::Rc4, Some("refused"), Some("ok")));
    assert!(rtorrent.hint().unwrap().contains("likely requires it"));
    // aria2 with a paused torrent.
    let hint = refused.hint().unwrap();
    assert!(
        refused.outcome == Outcome::ConnectRefused && hint.contains("paused") && hint.contains("for TCP or uTP"),
        "{hint}"
    );
    assert_eq!((says_yes.outcome, says_yes.is_witness()), (Outcome::Ok, false));
    assert!(says_yes.hint().unwrap().contains("says yes to any torrent"));
    assert_eq!(says_its_own.outcome, Outcome::WrongInfoHash);
}

/// The role and the identity do not depend on them.
#[tokio::test]
async fn addresses_in_the_extension_handshake_of_transmission_are_reported() {
    let extra = vec![("ipv4", bencoding::string([127, 0, 20, 1])), ("ipv6", bencoding::string([0_u8; 16]))];
    let extension = ExtensionHandshake { p: Some(7201), e: Some(true), extra, ..transmission().extension() };
    let peer = transmission().with(extension, [message::have_all()]);
    assert!(peer.after.iter().all(|step| matches!(step, Step::Send(_))));
    let (_, told) = told_by(PIECES, [peer], listening()).await;
    let extension = told.peers[0].extension.as_ref().unwrap();
    assert_eq!((extension.port, extension.ipv4), (Some(7201), Some([127, 0, 20, 1].into())));
    assert_eq!((found(&told.peers[0]), told.peers[0].same_as), (SEED, None));
}
