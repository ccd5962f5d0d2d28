//! Web seeds at their worst.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fake_swarm::torrent::{Folder, SingleFile};
use fake_swarm::{FakeWebSeed, WebFile, WebSeedScript, WebSite, gzip};
use serde_json::json;
use xtask::shell::Result;

use super::super::row::Row;
use super::super::torrents;
use super::case::Case;
use super::fixture::{Fixture, LENGTH};
use super::scenario::{Scenario, need, scenario};

/// Every scenario with a web seed in it.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("a web seed with 4 TB for the file", |fixture| {
        ends(fixture, WebSeedScript::endless(4 << 40), "wrong_size", 1)
    }),
    // Its size is right, which is all that is claimed.
    scenario("a web seed that never ends the file", |fixture| {
        ends(fixture, WebSeedScript::endless(LENGTH), "range_ignored", 0)
    }),
    scenario("a web seed with 4 TB for the range", |fixture| ends(fixture, ranged(4 << 40), "bad_range", 1)),
    scenario("a web seed that sends 10 bytes too few", |fixture| {
        ends(fixture, WebSeedScript::BodyOf(1014), "bad_range", 1)
    }),
    scenario("a web seed that sends 10 bytes too many", |fixture| {
        ends(fixture, WebSeedScript::BodyOf(1034), "bad_range", 1)
    }),
    scenario("a web seed with chunks without end", |fixture| {
        ends(fixture, WebSeedScript::endless_chunks("HTTP/1.1 200 OK\r\n"), "bad_range", 1)
    }),
    scenario("a web seed with chunks without end for the range", |fixture| {
        ends(fixture, WebSeedScript::endless_chunks(&head_of_range()), "bad_range", 1)
    }),
    scenario("a web seed with another size", |fixture| lies(fixture, "bytes {first}-{last}/1000001", "wrong_size")),
    scenario("a web seed with a size of 2^64", |fixture| {
        lies(fixture, "bytes {first}-{last}/18446744073709551616", "bad_range")
    }),
    scenario("a web seed that does not know the size", |fixture| lies(fixture, "bytes {first}-{last}/*", "bad_range")),
    scenario("a web seed with another range", |fixture| lies(fixture, "bytes 0-1023/{length}", "bad_range")),
    scenario("a web seed with a range backwards", |fixture| {
        lies(fixture, "bytes {last}-{first}/{length}", "bad_range")
    }),
    scenario("a web seed without a range", |fixture| ends(fixture, WebSeedScript::ContentRange(None), "bad_range", 1)),
    scenario("a web seed that refuses the range and sends the file", |fixture| {
        ends(fixture, refused_range("bytes */1000000"), "bad_range", 1)
    }),
    scenario("a web seed that refuses the range of a shorter file", |fixture| {
        ends(fixture, refused_range("bytes */999"), "wrong_size", 1)
    }),
    scenario("a web seed with a gzip bomb", |fixture| {
        let packed = WebSeedScript::status("200 OK").with_header("Content-Encoding", "gzip");
        ends(fixture, packed.with_body(gzip::bomb(1 << 30)), "bad_encoding", 1)
    }),
    scenario("a web seed that redirects to a file", |fixture| {
        ends(fixture, WebSeedScript::redirect("file:///etc/passwd"), "redirect", 1)
    }),
    scenario("a web seed that redirects in a circle", |fixture| {
        ends(fixture, WebSeedScript::redirect("/hostile"), "redirect_loop", 1)
    }),
    scenario("a web seed with ten redirects", ten_redirects)
        .needs(&[need("--limit redirects=1000000", "no line on a web seed")]),
    scenario("a web seed that asks for a pause of an hour", |fixture| {
        ends(fixture, WebSeedScript::too_fast(503, 3600), "too_fast", 1)
    }),
    scenario("a web seed that asks for a pause without end", |fixture| {
        ends(fixture, WebSeedScript::too_fast(429, u64::MAX), "too_fast", 1)
    }),
    scenario("a web seed that is none", |fixture| {
        ends(fixture, WebSeedScript::Raw(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()), "not_http", 3)
    }),
    scenario("a web seed that closes", |fixture| ends(fixture, WebSeedScript::CloseAtOnce, "closed", 3)),
    scenario("a web seed with an endless head", |fixture| {
        let (first, then) = (b"HTTP/1.1 206 Partial Content\r\n".to_vec(), b"X: y\r\n".to_vec());
        ends(fixture, WebSeedScript::Endless { first, then }, "head_too_large", 3)
    }),
    scenario("a web seed that says nothing", |fixture| ends(fixture, WebSeedScript::Silence, "timeout", 3))
        .needs(&[need("--limit web-seed-time=60000 --deadline 17s", "no line on a web seed")]),
    scenario("a web seed with a head, one byte a second", |fixture| {
        let (first, then) = (Vec::new(), head_of_range().into_bytes());
        ends(fixture, WebSeedScript::Trickle { first, then }, "timeout", 3)
    }),
    scenario("a web seed with a body, one byte a second", |fixture| {
        let first = format!("{}Content-Length: 1024\r\n\r\n", head_of_range()).into_bytes();
        ends(fixture, WebSeedScript::Trickle { first, then: vec![b'e'; 1024] }, "timeout", 1)
    }),
    scenario("a web seed that stalls in TLS", stalled_tls),
    scenario("600 web seeds of one torrent", six_hundred).needs(&[need("--limit web-seeds=1000000", "web seeds are")]),
    scenario("600 web seeds of 10,000 files each, none of them asked", many_rows),
    scenario("40 torrents of a web seed that asks for a pause", asked_once),
    scenario("a web seed that asks for a short pause", short_pause),
    scenario("40 torrents of two web seeds that redirect to each other", crossing),
    scenario("12 web seeds that say nothing", at_once)
        .needs(&[need("--limit web-seeds-at-once=1000", "web seeds are")]),
    scenario("6 web seeds at one address", at_one_address)
        .needs(&[need("--limit web-seed-connections=1000", "at once")]),
    scenario("a web seed that closes after each file", paced)
        .needs(&[need("--limit web-seed-rate=1000", "connections in")]),
    scenario("a web seed whose redirects lead to 20 ports of one address", many_ports)
        .needs(&[need("--max-per-address 0", "ports of one address")]),
    scenario("a web seed of 400 small files", |fixture| requests(fixture, 400, "", Duration::from_millis(2900))),
    // So few at such a pace that without the limit they take less on any machine.
    scenario("a web seed of 60 small files", |fixture| {
        requests(fixture, 60, "--limit web-seed-requests=10", Duration::from_millis(4500))
    })
    .needs(&[need("--limit web-seed-requests=100000", "requests in")]),
    scenario("500 torrents of one web seed", |fixture| {
        five_hundred(fixture, "--limit web-seed-rate=100", Duration::from_secs(4))
    }),
    scenario("150 files of one web seed", many_files)
        .needs(&[need("--limit web-seed-files=1000000", "no summary that has")]),
    scenario("a piece of 70 MiB of a web seed", large_piece)
        .needs(&[need("--limit proof-bytes=1000000000", "it is sent")]),
];

/// The same at the true pace, which takes minutes.
pub(super) const LONG: &[Scenario] = &[scenario("500 torrents of one web seed, two a second", |fixture| {
    let pace = Duration::from_secs(240);
    Ok(five_hundred(fixture, "--deadline 10m", pace)?.within(pace * 2))
})];

/// The address of a web seed at which many connections are made.
const VICTIM: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 8);

/// What may be sent of something endless: what the kernel's buffers hold, and a bit.
const MEBIBYTES: u64 = 16;

/// The file's path.
const PATH: &str = "/hostile";

/// A web seed whose only file is the torrent's, and which answers so: the check must end with this status, and the run with this
/// exit code.
fn ends(fixture: &Fixture, script: WebSeedScript, status: &str, code: i32) -> Result<Case> {
    let seed = fixture.web_seed(WebSite::new(script).file(PATH, WebFile::Zeros(LENGTH)))?;
    let row = Row::new("one web seed", &fixture.torrent()?, code).web_seed(seed.url(PATH));
    Ok(asks(row.checks(json!({"status": status, "complete": code == 0})), &seed).afterwards(move |_, _| {
        let counts = seed.counts();
        let sent = (counts.bytes_sent > MEBIBYTES << 20).then(|| format!("it is sent {} bytes", counts.bytes_sent));
        sent.into_iter().chain(asked_often(&seed).then(|| "the same is asked for again and again".to_owned())).collect()
    }))
}

/// Whether a target was asked for more than twice.
fn asked_often(seed: &FakeWebSeed) -> bool {
    let requests = seed.requests();
    requests.iter().any(|one| requests.iter().filter(|other| other.target == one.target).count() > 2)
}

/// A run that asks this web seed.
fn asks(row: Row, seed: &Arc<FakeWebSeed>) -> Case {
    Case::new(row).dials_tracker(seed.addr()).keeps(Arc::clone(seed))
}

/// A false `Content-Range`.
fn lies(fixture: &Fixture, content_range: &str, status: &str) -> Result<Case> {
    ends(fixture, WebSeedScript::ContentRange(Some(content_range.to_owned())), status, 1)
}

/// The head of the right reply, but for the length of its body.
fn head_of_range() -> String {
    let (first, last) = (LENGTH - 1024, LENGTH - 1);
    format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/{LENGTH}\r\n")
}

/// The right head, and a body of this declared length without end.
fn ranged(declared: u64) -> WebSeedScript {
    let first = format!("{}Content-Length: {declared}\r\n\r\n", head_of_range()).into_bytes();
    WebSeedScript::Endless { first, then: vec![b'e'; 16 * 1024] }
}

/// Status 416 with the whole file, as `serve` sends it.
fn refused_range(content_range: &str) -> WebSeedScript {
    let refused = WebSeedScript::status("416 Range Not Satisfiable").with_header("Content-Range", content_range);
    refused.with_body(vec![b'e'; 1_000_000])
}

/// The file is at their end.
fn ten_redirects(fixture: &Fixture) -> Result<Case> {
    let site = WebSite::default().at(PATH, WebSeedScript::redirect("/1")).file("/10", WebFile::Zeros(LENGTH));
    let to = |site: WebSite, hop: usize| site.at(format!("/{hop}"), WebSeedScript::redirect(format!("/{}", hop + 1)));
    let seed = fixture.web_seed((1..10).fold(site, to))?;
    let row = Row::new("redirects", &fixture.torrent()?, 1).web_seed(seed.url(PATH));
    let case = asks(row.checks(json!({"status": "too_many_redirects"})), &seed);
    Ok(case.afterwards(move |_, _| {
        let asked = seed.requests().len();
        Vec::from_iter((asked != 6).then(|| format!("it was asked {asked} times, expected 6")))
    }))
}

fn stalled_tls(fixture: &Fixture) -> Result<Case> {
    let seed = fixture.web_seed(WebSeedScript::Silence)?;
    let row = Row::new("TLS", &fixture.torrent()?, 3).web_seed(format!("https://{}{PATH}", seed.addr()));
    Ok(asks(row.checks(json!({"status": "tls_timeout"})), &seed))
}

/// No more than 512 are looked at; all of them are local, and the torrent's own, and so none is asked.
fn six_hundred(fixture: &Fixture) -> Result<Case> {
    let urls: Vec<String> = (0..600).map(|number| format!("http://127.0.0.1:8080/{number}")).collect();
    let url_list = urls.iter().map(String::as_str).collect();
    let torrent = fixture.torrent_of(&SingleFile { url_list, ..SingleFile::new("hostile", LENGTH) })?;
    let row = Row::new("600 web seeds", &torrent, 3).args(["--sources", "web-seeds"]);
    Ok(Case::new(row.checks_many(json!({"refused_address": 512, "not_asked": 88}))))
}

/// A torrent of 300 KB, of which no more is told than fits in some MiB.
fn many_rows(fixture: &Fixture) -> Result<Case> {
    let urls: Vec<String> = (0..600).map(|number| format!("http://127.0.0.1:8080/{number}/")).collect();
    let files = (0..10_000).map(|number| (format!("{number}"), 10)).collect();
    let url_list = urls.iter().map(String::as_str).collect();
    let folder = Folder { name: "folder", files, piece_length: 1 << 14, url_list };
    let row = Row::new("600 web seeds", &torrent_of(fixture, &folder)?, 3).by("web-seeds");
    let row = row.checks_many(json!({"refused_address": 512, "not_asked": 88}));
    Ok(Case::new(row).within(Duration::from_secs(60)).afterwards(|report, _| {
        let bytes = report.said.len();
        Vec::from_iter((bytes > 4 << 20).then(|| format!("it writes {bytes} bytes")))
    }))
}

/// The file of this torrent.
fn torrent_of(fixture: &Fixture, folder: &Folder<'_>) -> Result<torrents::Torrent> {
    let file = fixture.file("torrent");
    xtask::scratch::write(&file, folder.to_bytes())?;
    Ok(torrents::known(file, &folder.info_hash()))
}

/// In one run, so that none asks before the pause has ended; two ask at once at first.
fn asked_once(fixture: &Fixture) -> Result<Case> {
    let seed = fixture.web_seed(WebSeedScript::too_fast(503, 3600))?;
    let case = of_one_run(fixture, 40, 3, &[&seed])?.args("--limit web-seed-rate=1000");
    Ok(case.afterwards(move |_, _| {
        let asked = seed.requests().len();
        Vec::from_iter((asked > 2).then(|| format!("it was asked {asked} times, expected 2 at most")))
    }))
}

/// A run of so many torrents of one file each, with these web seeds.
fn of_one_run(fixture: &Fixture, torrents: usize, code: i32, seeds: &[&Arc<FakeWebSeed>]) -> Result<Case> {
    let files = (0..torrents).map(|number| fixture.torrent_of(&SingleFile::new(&file_name(number), LENGTH)));
    let files = files.collect::<Result<Vec<_>>>()?;
    let (first, others) = files.split_first().ok_or("no torrents")?;
    let row = Row::new("torrents", first, code).in_text().args(others.iter().map(|torrent| torrent.file.display()));
    let case = Case::new(seeds.iter().fold(row, |row, seed| row.web_seed(seed.url("/")))).of_torrents(torrents);
    Ok(seeds.iter().fold(case, |case, seed| case.dials_tracker(seed.addr()).keeps(Arc::clone(seed))))
}

/// The name of a file of [`of_one_run`].
fn file_name(number: usize) -> String {
    format!("file-{number}.bin")
}

/// After it, all is well.
fn short_pause(fixture: &Fixture) -> Result<Case> {
    let seed = fixture.web_seed(WebSeedScript::too_fast(429, 1))?;
    let row = Row::new("a pause", &fixture.torrent()?, 0).web_seed(seed.url(PATH));
    let case = asks(row.checks(json!({"status": "ok", "complete": true})), &seed);
    let runtime = fixture.runtime();
    Ok(case.meanwhile(move |_| {
        let asked = runtime.block_on(seed.wait_for(|_| true, Duration::from_secs(10)));
        seed.set_site(WebSite::default().file(PATH, WebFile::Zeros(LENGTH)));
        if asked { Ok(()) } else { Err("it is not asked".to_owned()) }
    }))
}

/// Each has two connections at most, and half of those that hold one want one of the other: they must not wait for each other
/// without end.
fn crossing(fixture: &Fixture) -> Result<Case> {
    const TORRENTS: usize = 40;
    let seed = |last: u8| fixture.counting_web_seed(Ipv4Addr::new(127, 9, 11, last), WebSite::default());
    let (one, other) = (seed(1)?, seed(2)?);
    for (seed, to) in [(&one, &other), (&other, &one)] {
        let site = (0..TORRENTS).fold(WebSite::default(), |site, number| {
            let (name, there) = (file_name(number), format!("/there/{number}"));
            let redirect = WebSeedScript::redirect(to.url(&there));
            site.at(format!("/{name}"), redirect).file(there, WebFile::Zeros(LENGTH))
        });
        seed.set_site(site);
    }
    let case = of_one_run(fixture, TORRENTS, 0, &[&one, &other])?.args("--limit web-seed-rate=1000");
    Ok(case.within(Duration::from_secs(20)).afterwards(move |_, _| {
        let asked = [one.requests().len(), other.requests().len()];
        let peak = one.counts().peak_requests.max(other.counts().peak_requests);
        let all = (asked != [2 * TORRENTS; 2]).then(|| format!("they were asked {asked:?} times"));
        all.into_iter().chain((peak > 2).then(|| format!("one was asked {peak} times at once"))).collect()
    }))
}

/// Each at an address of its own; the deadline comes when four are being asked.
fn at_once(fixture: &Fixture) -> Result<Case> {
    let mut case = Case::new(Row::new("12 web seeds", &fixture.torrent()?, 3));
    for last in 1..=12 {
        let seed = fixture.counting_web_seed(Ipv4Addr::new(127, 9, 10, last), WebSeedScript::Silence)?;
        case = case.row(|row| row.web_seed(seed.url(PATH))).dials_tracker(seed.addr()).keeps(seed);
    }
    let case = case.row(|row| row.checks_many(json!({"interrupted": 4, "not_asked": 8})));
    Ok(case.args("--deadline 3s"))
}

/// They say nothing, and are asked two at a time.
fn at_one_address(fixture: &Fixture) -> Result<Case> {
    let seed = fixture.counting_web_seed(VICTIM, WebSeedScript::Silence)?;
    let mut row = Row::new("6 web seeds", &fixture.torrent()?, 3).checks_many(json!({"timeout": 6}));
    for number in 0..6 {
        row = row.web_seed(seed.url(&format!("/{number}")));
    }
    let case = asks(row, &seed).args("--limit web-seed-rate=1000 --limit web-seed-time=1000");
    Ok(case.afterwards(move |_, _| {
        let peak = seed.counts().peak_connections;
        Vec::from_iter((peak != 2).then(|| format!("it has {peak} connections at once, expected 2")))
    }))
}

/// A folder of so many small files, at the root of a web seed.
fn folder(fixture: &Fixture, files: usize, script: WebSeedScript) -> Result<(Arc<FakeWebSeed>, torrents::Torrent)> {
    let files: Vec<(String, u64)> = (0..files).map(|number| (format!("{number}.bin"), 10)).collect();
    let site = files.iter().fold(WebSite::new(script), |site, (name, length)| {
        site.file(format!("/folder/{name}"), WebFile::Zeros(*length))
    });
    let folder = Folder { name: "folder", files, piece_length: 1 << 14, url_list: Vec::new() };
    Ok((fixture.web_seed(site)?, torrent_of(fixture, &folder)?))
}

/// It takes a new connection for each of 8 files, at most two a second.
fn paced(fixture: &Fixture) -> Result<Case> {
    const LEAST: Duration = Duration::from_millis(2500);
    let (seed, torrent) = folder(fixture, 8, WebSeedScript::Raw(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()))?;
    let row = Row::new("8 files", &torrent, 1).web_seed(seed.url("/")).checks(json!({"status": "missing"}));
    Ok(asks(row, &seed).afterwards(move |_, seen| {
        let connections = seed.counts().connections;
        let few = (connections != 8).then(|| format!("it was asked over {connections} connections, expected 8"));
        let fast = (seen.took < LEAST).then(|| format!("{connections} connections in {:.1?}", seen.took));
        few.into_iter().chain(fast).collect()
    }))
}

/// A redirect is as untrusted as a torrent: 16 ports of one address are dialled, as of a tracker's list.
fn many_ports(fixture: &Fixture) -> Result<Case> {
    const PORTS: usize = 20;
    let victim =
        |number| fixture.counting_web_seed(VICTIM, WebSite::default().file(format!("/{number}"), WebFile::Zeros(10)));
    let victims = (0..PORTS).map(victim).collect::<Result<Vec<_>>>()?;
    let site = victims.iter().enumerate().fold(WebSite::default(), |site, (number, victim)| {
        site.at(format!("/folder/{number}.bin"), WebSeedScript::redirect(victim.url(&format!("/{number}"))))
    });
    let files = (0..PORTS).map(|number| (format!("{number}.bin"), 10)).collect();
    let folder = Folder { name: "folder", files, piece_length: 1 << 14, url_list: Vec::new() };
    let seed = fixture.web_seed(site)?;
    let row = Row::new("20 ports", &torrent_of(fixture, &folder)?, 1).web_seed(seed.url("/"));
    let row = row.args(["--web-seeds", "all"]).checks(json!({"status": "refused_address"}));
    let case = victims.iter().fold(asks(row, &seed), |case, victim| case.dials_tracker(victim.addr()));
    Ok(case.args("--limit web-seed-rate=1000").afterwards(move |_, _| {
        let dialled = victims.iter().filter(|victim| victim.counts().connections > 0).count();
        Vec::from_iter((dialled != 16).then(|| format!("it dials {dialled} ports of one address, expected 16")))
    }))
}

/// All of them over one connection, at a pace by which all but those of the first second take so long at least: 300 at 100 a second take
/// 3 s, 50 at 10 take 5, or a little less where the first ones were late.
fn requests(fixture: &Fixture, files: usize, pace: &str, least: Duration) -> Result<Case> {
    let (seed, torrent) = folder(fixture, files, WebSeedScript::Ranges)?;
    let row = Row::new("small files", &torrent, 0).web_seed(seed.url("/")).args(["--web-seeds", "all"]);
    Ok(asks(row.checks(json!({"status": "ok"})), &seed).args(pace).afterwards(move |_, seen| {
        let requests = seed.requests().len();
        let few = (requests != files).then(|| format!("it was asked {requests} times, expected {files}"));
        let fast = (seen.took < least).then(|| format!("{requests} requests in {:.1?}", seen.took));
        few.into_iter().chain(fast).collect()
    }))
}

/// In one run, with these options: two requests at once and 32 MiB at most, and a pace by which it takes so long at least.
fn five_hundred(fixture: &Fixture, options: &str, least: Duration) -> Result<Case> {
    const TORRENTS: usize = 500;
    let site = (0..TORRENTS)
        .fold(WebSite::default(), |site, number| site.file(format!("/{}", file_name(number)), WebFile::Zeros(LENGTH)));
    let seed = fixture.counting_web_seed(VICTIM, site)?;
    let case = of_one_run(fixture, TORRENTS, 0, &[&seed])?.args(options);
    Ok(case.afterwards(move |_, seen| {
        let (counts, asked) = (seed.counts(), seed.requests().len());
        [
            (asked != TORRENTS).then(|| format!("it was asked {asked} times, expected {TORRENTS}")),
            (counts.peak_requests > 2).then(|| format!("it was asked {} times at once", counts.peak_requests)),
            (counts.bytes_sent > 32 << 20).then(|| format!("it is sent {} bytes", counts.bytes_sent)),
            (seen.took < least).then(|| format!("{} connections in {:.1?}", counts.connections, seen.took)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }))
}

/// The limit is a small one here: to ask for 10,000 files under strace takes half a minute.
fn many_files(fixture: &Fixture) -> Result<Case> {
    let (seed, torrent) = folder(fixture, 150, WebSeedScript::Ranges)?;
    let row = Row::new("150 files", &torrent, 0).web_seed(seed.url("/"));
    let row = row.args(["--web-seeds", "all", "--limit", "web-seed-files=100"]).checks(json!({"status": "ok"}));
    let sum = json!({"web_seeds": {"checked": 1, "files_checked": 100, "files": 150}});
    Ok(asks(row.sums_up(sum), &seed))
}

/// It is not fetched, and all else is asked.
fn large_piece(fixture: &Fixture) -> Result<Case> {
    const PIECE: u64 = 70 << 20;
    let seed = fixture.web_seed(WebSite::default().file(PATH, WebFile::Zeros(PIECE)))?;
    let torrent = fixture.torrent_of(&SingleFile { piece_length: 128 << 20, ..SingleFile::new("hostile", PIECE) })?;
    let row = Row::new("a large piece", &torrent, 0).web_seed(seed.url(PATH)).args(["--web-seeds", "proof"]);
    let row = row.checks(json!({"complete": true, "proved": null}));
    Ok(asks(row, &seed).within(Duration::from_secs(60)).afterwards(move |_, _| {
        let sent = seed.counts().bytes_sent;
        Vec::from_iter((sent > 1 << 20).then(|| format!("it is sent {sent} bytes")))
    }))
}
