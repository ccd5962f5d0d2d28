//! The states of the newest clients, as they were measured: what each sends to us, and what the report says of it. One row a
//! state; what has bytes of its own is in `newest.rs`, hybrids are in `magnet.rs`.

use crate::lab::{config, encrypted, plaintext, told_by};
use client::{Config, Detail, Encryption, EncryptionPolicy, ListenEnd, Outcome, PeerReport, Role, RoleFrom};
use fake_swarm::{Ending, ExtensionHandshake, Id, Knows, Mse, Peer, Plaintext, Responder, Step, bencoding, message};
use std::time::Duration;

const PIECES: u32 = 200;
const FAST: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0x04];
const FAST_DHT: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0x05];
const EXTENSIONS: [u8; 8] = [0, 0, 0, 0, 0, 0x10, 0, 0];

/// A client, by what its connections have in common.
#[derive(Clone, Copy)]
struct Program {
    id: Id,
    reserved: [u8; 8],
    v: Option<&'static str>,
    m: &'static [(&'static str, u8)],
}

const LIBTORRENTS: &[(&str, u8)] =
    &[("lt_donthave", 7), ("share_mode", 8), ("upload_only", 3), ("ut_holepunch", 4), ("ut_metadata", 2)];
const fn program(
    prefix: &'static str,
    reserved: [u8; 8],
    v: Option<&'static str>,
    m: &'static [(&'static str, u8)],
) -> Program {
    Program { id: Id::Beginning(prefix), reserved, v, m }
}
const TRANSMISSION: Program = program("-TR4140-", FAST, Some("Transmission 4.1.4"), &[("ut_metadata", 3)]);
const ARIA2: Program = program("A2-1-37-0-", FAST, Some("aria2/1.37.0"), &[("ut_metadata", 9)]);
const QBITTORRENT: Program = program("-qB5300-", FAST_DHT, Some("qBittorrent/5.3.0"), LIBTORRENTS);
const LIBTORRENT: Program = program("-LT2110-", FAST_DHT, Some("libtorrent/2.1.1.0"), LIBTORRENTS);
const DELUGE: Program = program("-DE221s-", FAST_DHT, Some("Deluge/2.2.1 libtorrent/2.0.14.0"), LIBTORRENTS);
const RTORRENT: Program =
    program("-lt1011-", EXTENSIONS, Some("libTorrent 0.16.17"), &[("ut_metadata", 2), ("ut_pex", 0)]);
const KTORRENT: Program = program("-KT2640-\0\0", FAST, Some("KTorrent/26.4.0"), &[("ut_metadata", 2), ("ut_pex", 1)]);
const RQBIT: Program = program("-rQ9100-", EXTENSIONS, Some("rqbit 9.1.0"), &[("ut_metadata", 3), ("ut_pex", 1)]);
const WEBTORRENT: Program = program("-WW0300-", FAST, None, &[("lt_donthave", 2), ("ut_metadata", 1)]);
const SUPERSEEDR: Program = program("-SS1016-", EXTENSIONS, None, &[("ut_metadata", 2), ("ut_pex", 1)]);
const BIGLYBT: Program = program(
    "-BI4100-",
    [0x80, 0, 0, 0, 0, 0x13, 0, 4],
    Some("BiglyBT 4.1.0.0"),
    &[("upload_only", 4), ("ut_metadata", 3), ("ut_pex", 1)],
);
const YAP: Program =
    program("-PY0001-", [0, 0, 0, 0, 0, 0x10, 0, 1], Some("Another Python Torrent 0.0.1"), &[("ut_metadata", 1)]);
const UNWORKABLE: Program = program("-UL-0001-", [0, 0, 0, 0, 0, 0, 0, 4], None, &[]);

impl Program {
    fn extension(self) -> ExtensionHandshake<'static> {
        ExtensionHandshake { v: self.v, m: self.m, metadata_size: Some(714), ..ExtensionHandshake::default() }
    }

    fn silent(self) -> Peer {
        Peer { id: self.id, reserved: self.reserved, ..Peer::default() }
    }

    /// Says its usual extension handshake and then this.
    fn saying(self, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(self.extension(), messages)
    }

    fn with(self, extension: ExtensionHandshake<'_>, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.silent().sending([extension.message()]).sending(messages)
    }

    /// Wants nothing more (BEP 21), or says that it does.
    fn upload_only(self, only: bool, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(ExtensionHandshake { upload_only: Some(only), ..self.extension() }, messages)
    }

    /// Still fetches the metadata of a magnet link.
    fn magnet(self, messages: impl IntoIterator<Item = Vec<u8>>) -> Peer {
        self.with(ExtensionHandshake { metadata_size: None, ..self.extension() }, messages)
    }
}

fn bits(has: impl Fn(u32) -> bool) -> Vec<u8> {
    message::bitfield(&message::bits(PIECES, has))
}

fn listening() -> Config {
    Config { linger: Duration::from_secs(3), ..config() }
}

/// What a peer is, from what, with how many pieces, and why it was left.
type Found = (Role, RoleFrom, Option<u32>, ListenEnd);

fn found(report: &PeerReport) -> Found {
    let have = report.completeness.map(|told| told.have);
    (report.role, report.role_from, have, report.listen_end.clone().unwrap())
}

async fn each_is(rows: Vec<(&str, Peer, Found)>) {
    let peers = rows.iter().map(|(_, peer, _)| peer.clone());
    let (_, told) = told_by(PIECES, peers, listening()).await;
    for ((state, _, expected), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, &found(report)), (Outcome::Ok, expected), "{state}");
        assert_eq!(report.has_violated(), false, "{state}");
    }
}

const QUIET: ListenEnd = ListenEnd::Quiet;
const EMPTY: Found = (Role::Leech, RoleFrom::HaveNone, Some(0), QUIET);
const SEED: Found = (Role::Seed, RoleFrom::HaveAll, Some(PIECES), QUIET);
const SEED_BY_BITFIELD: Found = (Role::Seed, RoleFrom::Bitfield, Some(PIECES), QUIET);
const HALF: Found = (Role::Leech, RoleFrom::Bitfield, Some(80), QUIET);
/// It may yet name the piece.
const NEARLY: Found = (Role::Leech, RoleFrom::Bitfield, Some(PIECES - 1), ListenEnd::TimeUp);
const PARTIAL: Found = (Role::PartialSeed, RoleFrom::UploadOnly, Some(80), QUIET);
const HIDDEN: Found = (Role::SuperSeed, RoleFrom::NoneAndUnchoke, None, QUIET);
const FETCHING: Found = (Role::Leech, RoleFrom::Nothing, None, QUIET);
const UNKNOWN: Found = (Role::Unknown, RoleFrom::Nothing, None, QUIET);

#[tokio::test]
async fn seeds() {
    let (all, full) = (message::have_all, || bits(|_| true));
    let allowed = || (0..10).map(message::allowed_fast);
    let private = |program: Program| ExtensionHandshake { m: &[], metadata_size: None, ..program.extension() };
    each_is(vec![
        ("Transmission", TRANSMISSION.upload_only(true, [all()]), SEED),
        ("aria2", ARIA2.saying([all()].into_iter().chain(allowed())), SEED),
        ("qBittorrent", QBITTORRENT.upload_only(true, [all(), message::unchoke(), message::choke()]), SEED),
        (
            "qBittorrent, anonymous",
            Program { v: None, ..QBITTORRENT }.upload_only(true, [all(), message::unchoke()]),
            SEED,
        ),
        ("libtorrent", LIBTORRENT.upload_only(true, [all(), message::unchoke()]), SEED),
        ("Deluge", DELUGE.upload_only(true, [all(), message::unchoke()]), SEED),
        (
            "rTorrent, the bitfield in a later packet",
            RTORRENT.saying([]).pausing(Duration::from_millis(20)).sending([full()]),
            SEED_BY_BITFIELD,
        ),
        ("WebTorrent", WEBTORRENT.saying([all()]), SEED),
        ("rqbit", RQBIT.saying([full(), message::unchoke()]), SEED_BY_BITFIELD),
        (
            "superseedr",
            SUPERSEEDR.with(
                ExtensionHandshake { extra: vec![("lt_v2", bencoding::integer(1))], ..SUPERSEEDR.extension() },
                [full(), message::keep_alive()],
            ),
            SEED_BY_BITFIELD,
        ),
        (
            "BiglyBT",
            BIGLYBT
                .silent()
                .sending([
                    full(),
                    ExtensionHandshake { upload_only: Some(true), e: Some(false), ..BIGLYBT.extension() }.message(),
                ])
                .sending(allowed()),
            SEED_BY_BITFIELD,
        ),
        ("yap", YAP.silent().sending([full(), message::port(6881), YAP.extension().message()]), SEED_BY_BITFIELD),
        ("unworkable", UNWORKABLE.silent().sending([all()]), SEED),
        // It says that it wants more, and has everything.
        (
            "KTorrent",
            KTORRENT.silent().sending([all()]).pausing(Duration::from_millis(60)).sending([ExtensionHandshake {
                upload_only: Some(false),
                ..KTORRENT.extension()
            }
            .message()]),
            SEED,
        ),
        ("Transmission, private", TRANSMISSION.with(private(TRANSMISSION), [all()]), SEED),
        ("libtorrent, private", LIBTORRENT.with(private(LIBTORRENT), [all(), message::unchoke()]), SEED),
    ])
    .await;
}

#[tokio::test]
async fn peers_without_anything() {
    let none = message::have_none;
    each_is(vec![
        ("Transmission", TRANSMISSION.upload_only(false, [none()]), EMPTY),
        ("qBittorrent", QBITTORRENT.saying([none()]), EMPTY),
        ("Deluge", DELUGE.saying([none()]), EMPTY),
        ("libtorrent", LIBTORRENT.saying([none()]), EMPTY),
        (
            "libtorrent, share mode",
            LIBTORRENT.with(
                ExtensionHandshake { extra: vec![("share_mode", bencoding::integer(1))], ..LIBTORRENT.extension() },
                [none()],
            ),
            EMPTY,
        ),
        ("aria2", ARIA2.saying([none()]), EMPTY),
        ("KTorrent", KTORRENT.upload_only(false, [none()]), EMPTY),
        // Explicitly no seed, whatever it does.
        ("KTorrent, unchoking", KTORRENT.upload_only(false, [none(), message::unchoke()]), EMPTY),
        ("rTorrent", RTORRENT.saying([]), UNKNOWN),
        ("rqbit", RQBIT.saying([]), FETCHING),
        ("Transmission, magnet", TRANSMISSION.magnet([none()]), EMPTY),
        ("qBittorrent, magnet", QBITTORRENT.magnet([]), FETCHING),
        ("Deluge, magnet", DELUGE.magnet([]), FETCHING),
        ("libtorrent, magnet", LIBTORRENT.magnet([]), FETCHING),
        ("aria2, magnet", ARIA2.magnet([]), FETCHING),
        ("WebTorrent, magnet", WEBTORRENT.magnet([]), FETCHING),
        ("superseedr, magnet", SUPERSEEDR.magnet([]), FETCHING),
    ])
    .await;
}

#[tokio::test]
async fn peers_with_a_part_and_hidden_seeds() {
    let part = || bits(|piece| piece < 80);
    let nearly = || bits(|piece| piece != PIECES - 1);
    let hidden = || [message::have_none(), message::unchoke()];
    let mut rows = vec![
        ("qBittorrent, hidden", QBITTORRENT.saying(hidden()), HIDDEN),
        ("Deluge, hidden", DELUGE.saying(hidden()), HIDDEN),
        ("libtorrent, hidden", LIBTORRENT.saying(hidden()), HIDDEN),
        // It may be a hidden seed, and may have nothing.
        ("rTorrent, the initial seed", RTORRENT.saying([]), UNKNOWN),
    ];
    for program in
        [TRANSMISSION, QBITTORRENT, DELUGE, LIBTORRENT, RTORRENT, ARIA2, WEBTORRENT, RQBIT, BIGLYBT, SUPERSEEDR]
    {
        rows.push(("40 %", program.saying([part()]), HALF));
    }
    for program in [TRANSMISSION, QBITTORRENT, DELUGE, LIBTORRENT, RTORRENT, ARIA2] {
        rows.push(("the last piece missing", program.saying([nearly()]), NEARLY));
    }
    for program in [TRANSMISSION, QBITTORRENT, LIBTORRENT] {
        rows.push(("some files only", program.upload_only(true, [part()]), PARTIAL));
    }
    // These do not tell that they want nothing more.
    for program in [RTORRENT, ARIA2] {
        rows.push(("some files only", program.saying([part()]), HALF));
    }
    each_is(rows).await;
}

/// How peers end plaintext and MSE that do not serve the torrent to us.
fn refusing(plaintext: Ending, mse: Mse) -> Peer {
    // Of another torrent: it closes when it has read which one is meant.
    let encryption = fake_swarm::Encryption { plaintext: Plaintext::Refused(plaintext), mse };
    Peer { knows: Knows::Another, encryption, ..Peer::default() }
}

#[tokio::test]
async fn peers_that_close_before_a_byte() {
    use Detail::{AfterItsKey, BeforeItsKey, Silent};
    use Ending::{Closes, Resets, Stays};
    let spoken = || Mse::Spoken(Responder::default());
    let serves_not = &["does not have it", "stopped, queued or in checking", "full"][..];
    let turns_away = &["full", "blocks our address", "uTP only", "stopped"][..];
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
        ("uTP only: qBittorrent", refusing(Resets, Mse::Refused(Resets)), BeforeItsKey, turns_away),
        ("a magnet link: rTorrent", refusing(Closes, spoken()), AfterItsKey, serves_not),
        ("silence to encryption", refusing(Closes, Mse::Refused(Stays)), Silent, &["encryption did not help"]),
    ];
    let plain_first =
        Config { encryption: EncryptionPolicy::PreferPlain, handshake_timeout: Duration::from_millis(500), ..config() };
    let (_, told) = told_by(PIECES, rows.iter().map(|(_, peer, ..)| peer.clone()), plain_first.clone()).await;
    for ((state, _, end, says), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, report.encryption), (Outcome::ClosedBeforeHandshake, Encryption::None), "{state}");
        assert_eq!(report.encrypted_end(), Some(*end), "{state}: {:?}", report.attempts);
        let hint = report.hint().unwrap();
        assert!(says.iter().all(|cause| hint.contains(cause)), "{state}: {hint}");
    }
    // With encryption alone, the same peers, and the same evidence.
    let required = Config { encryption: EncryptionPolicy::Require, ..plain_first };
    let (_, told) = told_by(PIECES, rows.iter().map(|(_, peer, ..)| peer.clone()), required).await;
    for ((state, _, end, _), report) in rows.iter().zip(&told.peers) {
        assert_eq!((report.outcome, report.encrypted_end()), (Outcome::EncryptionFailed, Some(*end)), "{state}");
        let hint = report.hint().unwrap();
        // Silence may be that, or a machine that is slow.
        let speaks_none = !matches!(end, AfterItsKey | Silent);
        assert_eq!(hint.contains("speaks no encryption"), speaks_none, "{state}: {hint}");
    }
}

#[tokio::test]
async fn peers_that_want_something_else() {
    let rtorrent = Peer {
        encryption: fake_swarm::Encryption {
            plaintext: Plaintext::Refused(Ending::Resets),
            mse: Mse::Spoken(Responder::default()),
        },
        ..RTORRENT.saying([bits(|_| true)])
    };
    let says_yes = Peer { knows: Knows::Anything, ending: Ending::Closes, ..YAP.silent() };
    let says_its_own = Peer { knows: Knows::Another, ending: Ending::Closes, ..UNWORKABLE.silent() };
    let peers = [rtorrent, Peer::refusing(), says_yes, says_its_own];
    let config = Config { encryption: EncryptionPolicy::PreferPlain, ..listening() };
    let (_, told) = told_by(PIECES, peers, config).await;
    let [rtorrent, refused, says_yes, says_its_own] = &told.peers[..] else { panic!("four reports") };
    // rTorrent 0.16.17 refuses plaintext with the settings it comes with.
    let tried = (rtorrent.outcome, rtorrent.encryption, plaintext(rtorrent), encrypted(rtorrent));
    assert_eq!(tried, (Outcome::Ok, Encryption::Rc4, Some("refused"), Some("ok")));
    assert!(rtorrent.hint().unwrap().contains("likely requires it"));
    // aria2 with a paused torrent, Transmission 4.1.4 without TCP.
    let hint = refused.hint().unwrap();
    assert!(
        refused.outcome == Outcome::ConnectRefused && hint.contains("paused") && hint.contains("uTP only"),
        "{hint}"
    );
    assert_eq!((says_yes.outcome, says_yes.is_witness()), (Outcome::Ok, false));
    assert!(says_yes.hint().unwrap().contains("says yes to any torrent"));
    assert_eq!(says_its_own.outcome, Outcome::WrongInfoHash);
}

/// Of what clients say of their own address and of ours, nothing is a piece or a promise.
#[tokio::test]
async fn transmission_tells_its_addresses() {
    let extra = vec![("ipv4", bencoding::string([127, 0, 20, 1])), ("ipv6", bencoding::string([0_u8; 16]))];
    let extension = ExtensionHandshake { p: Some(7201), e: Some(true), extra, ..TRANSMISSION.extension() };
    let peer = TRANSMISSION.with(extension, [message::have_all()]);
    assert!(peer.after.iter().all(|step| matches!(step, Step::Send(_))));
    let (_, told) = told_by(PIECES, [peer], listening()).await;
    let extension = told.peers[0].extension.as_ref().unwrap();
    assert_eq!((extension.port, extension.ipv4), (Some(7201), Some([127, 0, 20, 1].into())));
    assert_eq!((found(&told.peers[0]), told.peers[0].same_as), (SEED, None));
}
