//! Web seeds of every kind, on loopback: what is asked of them, and what their reports say.

mod bounds;
mod proof;
mod redirects;

use crate::lab::{Told, config, run};
use client::{
    BitTorrentClient, Config, Sources, Swarm, TorrentRef, WebSeedChecks, WebSeedFile, WebSeedKind, WebSeedReport,
    WebSeedStatus,
};
use fake_swarm::bencoding::{dictionary, integer, list, string};
use fake_swarm::{FakeWebSeed, WebSeedScript, WebSite};
use metainfo::{Magnet, Torrent};
use std::fmt::Write as _;

/// A torrent; its hashes are zeros unless given.
#[derive(Clone, Default)]
struct Made<'a> {
    /// Paths in the directory `made`, lengths, and `attr`; a single file if there is no path.
    files: &'a [(&'a str, u64, &'a str)],
    piece_length: u64,
    hashes: Option<Vec<u8>>,
    private: bool,
    announce: &'a str,
    url_list: Vec<String>,
    http_seeds: Vec<String>,
}

impl Made<'_> {
    fn info(&self) -> Vec<u8> {
        let total: u64 = self.files.iter().map(|(_, length, _)| length).sum();
        let piece_length = if self.piece_length == 0 { 1 << 18 } else { self.piece_length };
        let zeros = || vec![0; 20 * usize::try_from(total.div_ceil(piece_length)).unwrap()];
        let mut info = match self.files {
            [("", length, _)] => vec![("length", integer(*length))],
            files => vec![("files", list(files.iter().map(entry)))],
        };
        info.push(("name", string("made")));
        info.push(("piece length", integer(piece_length)));
        info.push(("pieces", string(self.hashes.clone().unwrap_or_else(zeros))));
        info.extend(self.private.then(|| ("private", integer(1))));
        dictionary(info)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = vec![("info", self.info())];
        all.extend((!self.announce.is_empty()).then(|| ("announce", string(self.announce))));
        for (key, urls) in [("httpseeds", &self.http_seeds), ("url-list", &self.url_list)] {
            all.extend((!urls.is_empty()).then(|| (key, list(urls.iter().map(string)))));
        }
        dictionary(all)
    }

    fn torrent(&self) -> Torrent {
        Torrent::parse(&self.bytes()).unwrap()
    }
}

fn entry((path, length, attributes): &(&str, u64, &str)) -> Vec<u8> {
    let mut entry = vec![("length", integer(*length)), ("path", list(path.split('/').map(string)))];
    entry.extend((!attributes.is_empty()).then(|| ("attr", string(attributes))));
    dictionary(entry)
}

/// A torrent of one file of 3,000 bytes.
const ONE: &[(&str, u64, &str)] = &[("", 3000, "")];

/// Web seeds are all that is asked. Connections to one address are not paced: all servers of these tests share theirs.
fn alone() -> Config {
    let config = config().with_sources(Sources::NONE.with_web_seeds(true));
    let limits = config.limits.with_web_seed_rate(0).with_web_seed_requests(0).with_web_seed_connections(100);
    config.with_limits(limits)
}

/// The same, with web seeds that the user names.
fn asking<S: AsRef<str>>(urls: impl IntoIterator<Item = S>) -> Config {
    alone().with_web_seeds(urls.into_iter().map(|url| url.as_ref().parse().unwrap()).collect())
}

/// The only report.
fn only(told: &Told) -> &WebSeedReport {
    let [report] = told.web_seeds.as_slice() else { panic!("one report: {:?}", told.web_seeds) };
    report
}

/// The path and status of each file.
fn statuses(report: &WebSeedReport) -> Vec<(&str, WebSeedStatus)> {
    report.files.iter().map(|file: &WebSeedFile| (file.path.as_str(), file.status)).collect()
}

/// The report about the one file, as a server with this script gives it.
async fn told_of(script: WebSeedScript) -> WebSeedReport {
    let site = WebSite::new(script).file("/made", vec![b'x'; 3000]);
    let server = FakeWebSeed::start(site).unwrap();
    only(&run(&Made { files: ONE, ..Made::default() }.torrent(), asking([server.url("/made")])).await).clone()
}

#[tokio::test]
async fn a_torrent_without_trackers_is_a_success_where_a_web_seed_has_it() {
    let site = WebSite::default().file("/made", vec![b'x'; 3000]);
    let server = FakeWebSeed::start(site).unwrap();
    let path = std::env::temp_dir().join(format!("web-seed-{}.torrent", std::process::id()));
    std::fs::write(&path, Made { files: ONE, ..Made::default() }.bytes()).unwrap();
    let download = async |url| BitTorrentClient::with_config(asking([server.url(url)])).download(&path).await;
    assert!(download("/made").await.is_ok());
    let error = download("/nothing").await.unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        error.to_string(),
        "the torrent names no tracker and no web seed that has everything, and no node of the DHT answered"
    );
}

#[tokio::test]
async fn the_end_of_the_first_the_last_and_six_other_files_is_asked_for_over_one_connection() {
    let paths: Vec<String> = (0..12).map(|n| format!("d {n}/f#{n}")).collect();
    let mut files: Vec<(&str, u64, &str)> = paths.iter().map(|path| (path.as_str(), 5000, "")).collect();
    files.extend([("empty", 0, ""), (".pad/9", 7, "p")]);
    let site = paths.iter().fold(WebSite::default(), |site, path| site.file(format!("/x/made/{path}"), vec![7; 5000]));
    let server = FakeWebSeed::start(site).unwrap();
    let torrent = Made { files: &files, ..Made::default() }.torrent();
    let told = run(&torrent, asking([server.url("/x")])).await;
    let report = only(&told);
    assert_eq!((report.status, report.complete, report.proved), (WebSeedStatus::Ok, true, None), "{report:?}");
    assert_eq!(report.files.iter().filter(|file| file.size_bytes == Some(5000)).count(), 8);
    let asked: Vec<&str> = report.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((asked.first(), asked.last()), (Some(&"d 0/f#0"), Some(&"d 11/f#11")));
    assert_eq!(report.quirks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["no_final_slash", "number_sign"]);
    let ranges: Vec<_> = server.requests().iter().map(|request| request.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, vec![Some("bytes=3976-4999".to_owned()); 8]);
    assert!(server.requests().iter().all(|request| request.header("accept-encoding").is_none()));
    assert_eq!(server.counts().connections, 1);
    let view = &told.summary.web_seeds;
    assert_eq!((view.checked, view.complete, view.files_checked, view.files), (1, 1, 8, Some(12)));
    assert_eq!(told.summary.swarm.coverage.web_seeds_unchecked, 0);
    let all = run(&torrent, asking([server.url("/x")]).with_web_seed_checks(WebSeedChecks::All)).await;
    assert_eq!((all.summary.web_seeds.files_checked, only(&all).files.len()), (12, 12));
}

#[tokio::test]
async fn each_fault_has_its_code_and_ends_what_it_must() {
    use WebSeedStatus as S;
    let cut_short = b"HTTP/1.1 206 P\r\nContent-Range: bytes 1976-2999/3000\r\nContent-Length: 1024\r\n\r\nxxx";
    for (script, status, http_status) in [
        (WebSeedScript::Ranges, S::Ok, Some(206)),
        (WebSeedScript::Whole, S::RangeIgnored, Some(200)),
        (WebSeedScript::status("404"), S::Missing, Some(404)),
        (WebSeedScript::status("403"), S::Forbidden, Some(403)),
        (WebSeedScript::status("500"), S::HttpStatus, Some(500)),
        (WebSeedScript::status("503"), S::TooFast, Some(503)),
        (WebSeedScript::ContentRange(None), S::BadRange, Some(206)),
        (WebSeedScript::ContentRange(Some("bytes {first}-{last}/3001".into())), S::WrongSize, Some(206)),
        (WebSeedScript::endless(4 << 40), S::WrongSize, Some(200)),
        (WebSeedScript::Raw(cut_short.to_vec()), S::Incomplete, Some(206)),
        (WebSeedScript::CloseAtOnce, S::Closed, None),
        (WebSeedScript::Raw(b"SSH-2.0-x\r\n".to_vec()), S::NotHttp, None),
    ] {
        let report = told_of(script.clone()).await;
        let [file] = report.files.as_slice() else { panic!("{report:?}") };
        assert_eq!(
            (file.status, file.http_status, report.status),
            (status, http_status, status),
            "{script:?} {file:?}"
        );
        assert_eq!(report.complete, status.is_right());
        assert_eq!(file.message.is_none(), status == S::Ok);
    }
}

#[tokio::test]
async fn the_files_after_a_server_that_is_gone_are_not_asked_for_and_those_after_a_missing_one_are() {
    let files: Vec<(String, u64)> = (0..5).map(|n| (format!("f{n}"), 10)).collect();
    let files: Vec<(&str, u64, &str)> = files.iter().map(|(path, length)| (path.as_str(), *length, "")).collect();
    let torrent = Made { files: &files, ..Made::default() }.torrent();
    let gone = { FakeWebSeed::start(WebSite::default()).unwrap().url("/") };
    let told = run(&torrent, asking([gone])).await;
    let (status, rest) = only(&told).files.split_first().map(|(first, rest)| (first.status, rest)).unwrap();
    assert_eq!(status, WebSeedStatus::ConnectRefused);
    let why = "the check ended before: connect_refused";
    assert!(rest.iter().all(|file| file.status == WebSeedStatus::NotAsked && file.message.as_deref() == Some(why)));
    assert_eq!((rest.len(), only(&told).status), (4, WebSeedStatus::ConnectRefused));
    let site = WebSite::default().file("/made/f0", vec![1; 10]).file("/made/f4", vec![1; 11]);
    let server = FakeWebSeed::start(site).unwrap();
    let told = run(&torrent, asking([server.url("/")])).await;
    let missing = |path| (path, WebSeedStatus::Missing);
    let expected =
        [("f0", WebSeedStatus::Ok), missing("f1"), missing("f2"), missing("f3"), ("f4", WebSeedStatus::WrongSize)];
    assert_eq!(statuses(only(&told)), expected);
    assert_eq!((only(&told).status, only(&told).files[4].size_bytes), (WebSeedStatus::Missing, Some(11)));
    assert_eq!(told.summary.web_seeds.complete, 0);
}

#[tokio::test]
async fn a_torrents_web_seeds_are_untrusted_and_each_is_reported_once() {
    let server = FakeWebSeed::start(WebSite::default().file("/made", vec![1; 3000])).unwrap();
    let mut torrent = Made { files: ONE, ..Made::default() };
    torrent.url_list = [
        &server.url("/made"),
        &server.url("/made"),
        "http://u:hunter22@w.example/",
        "ftp://w.example/",
        "nonsense",
        "http://a.onion/",
        "http://1.2.3.4:22/x?token=s3cr3t99",
    ]
    .map(str::to_owned)
    .to_vec();
    let told = run(&torrent.torrent(), alone()).await;
    let found = told.web_seeds.iter().map(|report| (&*report.url, report.status.code()));
    let found: std::collections::BTreeMap<&str, &str> = found.collect();
    let local = server.url("/made");
    let expected = [
        (local.as_str(), "refused_address"),
        ("http://***@w.example/", "bad_url"),
        ("ftp://w.example/", "unsupported_scheme"),
        ("nonsense", "bad_url"),
        ("http://a.onion/", "resolve_failed"),
        ("http://1.2.3.4:22/x?token=***", "refused_address"),
    ];
    assert_eq!(found, expected.into());
    assert_eq!((told.web_seeds.len(), server.counts().connections), (6, 0));
    // On the user's word it is asked, once.
    let told = run(&torrent.torrent(), asking([&local, &local])).await;
    assert_eq!(
        told.web_seeds.iter().filter(|report| *report.url == *local).map(|r| r.status).collect::<Vec<_>>(),
        [WebSeedStatus::Ok]
    );
}

#[tokio::test]
async fn a_private_torrents_web_seeds_are_asked_at_the_hosts_of_its_trackers_alone() {
    let server = FakeWebSeed::start(WebSite::default()).unwrap();
    let mut torrent = Made { files: ONE, private: true, announce: "http://127.0.0.1:1/announce", ..Made::default() };
    torrent.url_list = vec![server.url("/made"), "http://192.0.2.7/made".to_owned()];
    assert!(Swarm::new(&torrent.torrent(), alone()).is_err(), "it needs permission");
    let told = run(&torrent.torrent(), alone().with_allow_private(true)).await;
    let mut found: Vec<_> = told.web_seeds.iter().map(|report| (report.status, report.message.as_deref())).collect();
    found.sort_unstable();
    let why = "the torrent is private, and this is the host of none of its trackers";
    // Its own host is local, and so refused after all.
    assert_eq!(found, [(WebSeedStatus::RefusedAddress, None), (WebSeedStatus::NotAsked, Some(why))]);
    assert_eq!(told.summary.swarm.coverage.web_seeds_unchecked, 1);
}

#[tokio::test]
async fn a_links_web_seeds_are_asked_once_the_torrent_is_known() {
    let torrent = Made { files: ONE, ..Made::default() }.torrent();
    let server = FakeWebSeed::start(WebSite::default().file("/made", vec![1; 3000])).unwrap();
    let mut link = format!("magnet:?xt=urn:btih:{}", torrent.hashes.primary());
    write!(link, "&ws={}", server.url("/made")).unwrap();
    let magnet = Magnet::parse(&link).unwrap();
    let told = run(&magnet, alone()).await;
    assert_eq!(only(&told).message.as_deref(), Some("the torrent's files are not known"));
    assert_eq!((told.summary.web_seeds.checked, told.summary.swarm.coverage.web_seeds_unchecked), (0, 1));
    let mut swarm =
        Swarm::new(TorrentRef::from(&magnet).with_may_be_learned(true), asking([server.url("/made")])).unwrap();
    swarm.learn(&torrent).unwrap();
    let told = crate::lab::collect(&mut swarm).await;
    assert_eq!((only(&told).status, told.summary.web_seeds.files), (WebSeedStatus::Ok, Some(1)));
}

#[tokio::test]
async fn a_web_seed_of_bep_17_is_asked_for_pieces() {
    let script = WebSeedScript::Pieces { piece_length: 16384 };
    let server = FakeWebSeed::start(WebSite::new(script).file("/seed", vec![5; 40_000])).unwrap();
    let files = [("", 40_000, "")];
    let torrent = Made { files: &files, piece_length: 16384, http_seeds: vec![server.url("/seed")], ..Made::default() };
    let told = run(&torrent.torrent(), alone()).await;
    assert_eq!((only(&told).kind, only(&told).status), (WebSeedKind::HttpSeeds, WebSeedStatus::RefusedAddress));
    let pieces: Vec<_> = only(&told).files.iter().map(|file| (file.path.as_str(), file.piece)).collect();
    assert_eq!(pieces, [("made", Some(0)), ("made", Some(1)), ("made", Some(2))]);
}
