//! Redirects of web seeds: followed hop by hop, each judged.

use super::{Made, ONE, alone, asking, only, told_of};
use crate::lab::run;
use client::WebSeedStatus;
use fake_swarm::{FakeWebSeed, WebSeedScript, WebSite};

#[tokio::test]
async fn redirects_are_followed_to_the_file() {
    let there = FakeWebSeed::start(WebSite::default().file("/b/made", vec![1; 3000])).unwrap();
    let site = WebSite::default()
        .at("/made", WebSeedScript::redirect("/a/made?token=abc123def"))
        .at("/a/made", WebSeedScript::redirect("made2"))
        .at("/a/made2", WebSeedScript::redirect(there.url("/b/made")));
    let here = FakeWebSeed::start(site).unwrap();
    let told = run(&Made { files: ONE, ..Made::default() }.torrent(), asking([here.url("/made")])).await;
    let [file] = only(&told).files.as_slice() else { panic!("{told:?}", told = told.web_seeds) };
    assert_eq!((file.status, file.address), (WebSeedStatus::Ok, Some(there.addr())));
    assert_eq!(file.redirected_to.as_deref(), Some(there.url("/b/made").as_str()));
    assert_eq!((here.requests().len(), there.requests().len()), (3, 1));
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_says_why() {
    for (location, status) in [
        ("/made", WebSeedStatus::RedirectLoop),
        ("file:///etc/passwd", WebSeedStatus::Redirect),
        ("ftp://127.0.0.1/made", WebSeedStatus::Redirect),
        ("http://127.0.0.1:22/made", WebSeedStatus::RefusedAddress),
        ("http://0.0.0.0/made", WebSeedStatus::RefusedAddress),
        ("http://a.onion/made", WebSeedStatus::ResolveFailed),
        ("http://exa mple:x/", WebSeedStatus::Redirect),
    ] {
        let report = told_of(WebSeedScript::redirect(location)).await;
        assert_eq!(report.files.first().map(|file| file.status), Some(status), "{location} {report:?}");
    }
}

/// What redirects has answered, whatever its target does.
#[tokio::test]
async fn the_status_of_a_redirect_to_a_silent_server_stays() {
    let there = FakeWebSeed::start(WebSeedScript::CloseAtOnce).unwrap();
    let report = told_of(WebSeedScript::redirect(there.url("/made"))).await;
    assert_eq!((report.status, report.has_answered()), (WebSeedStatus::Closed, true), "{report:?}");
    let [file] = report.files.as_slice() else { panic!("{report:?}") };
    assert_eq!((file.http_status, file.address, file.times.reply), (Some(302), Some(there.addr()), None), "{report:?}");
}

#[tokio::test]
async fn a_private_torrents_web_seed_leads_to_no_host_but_its_trackers() {
    let there = FakeWebSeed::start(WebSite::default().file("/made", vec![1; 3000])).unwrap();
    let elsewhere = there.url("/made").replace("127.0.0.1", "127.0.0.2");
    for (location, status) in [(there.url("/made"), WebSeedStatus::Ok), (elsewhere, WebSeedStatus::Redirect)] {
        let here = FakeWebSeed::start(WebSite::new(WebSeedScript::redirect(location))).unwrap();
        let announce = "http://127.0.0.1:1/announce";
        let torrent = Made { files: ONE, private: true, announce, ..Made::default() }.torrent();
        let told = run(&torrent, asking([here.url("/made")]).with_allow_private(true)).await;
        assert_eq!(only(&told).status, status, "{told:?}", told = told.web_seeds);
    }
    assert_eq!(there.requests().len(), 1);
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_more() {
    for (redirects, status) in [(5, WebSeedStatus::Ok), (6, WebSeedStatus::TooManyRedirects)] {
        let path = |n: usize| if n == 0 { "/made".to_owned() } else { format!("/{n}/made") };
        let hop = |site: WebSite, n| site.at(path(n), WebSeedScript::redirect(path(n + 1)));
        let site = (0..redirects).fold(WebSite::default(), hop).file(path(redirects), vec![1; 3000]);
        let server = FakeWebSeed::start(site).unwrap();
        let told = run(&Made { files: ONE, ..Made::default() }.torrent(), asking([server.url("/made")])).await;
        assert_eq!((only(&told).status, server.requests().len()), (status, 6));
    }
}

/// As of a server that redirects from http to https: one connection to each serves all files.
#[tokio::test]
async fn both_ends_of_a_redirect_are_kept_also_at_one_address() {
    let names = || (0..8).map(|n| format!("f{n}"));
    let there = names().fold(WebSite::default(), |site, name| site.file(format!("/made/{name}"), vec![1; 10]));
    let there = FakeWebSeed::start(there).unwrap();
    let to = |name: &str| WebSeedScript::redirect(there.url(&format!("/made/{name}")));
    let here = names().fold(WebSite::default(), |site, name| site.at(format!("/made/{name}"), to(&name)));
    let here = FakeWebSeed::start(here).unwrap();
    let files: Vec<String> = names().collect();
    let files: Vec<(&str, u64, &str)> = files.iter().map(|path| (path.as_str(), 10, "")).collect();
    let limits = alone().limits.with_web_seed_connections(2);
    let told =
        run(&Made { files: &files, ..Made::default() }.torrent(), asking([here.url("/")]).with_limits(limits)).await;
    assert!(only(&told).complete, "{:?}", told.web_seeds);
    assert_eq!((here.counts().connections, there.counts().connections, there.requests().len()), (1, 1, 8));
}

/// A server that sends each file to another mirror, as those of archives and distributions do. At the addresses that begin with
/// 127.0.1 nothing listens.
#[tokio::test]
async fn a_mirror_that_fails_is_no_reason_to_leave_other_files_unasked() {
    let names: Vec<String> = (0..8).map(|n| format!("f{n}")).collect();
    let files: Vec<(&str, u64, &str)> = names.iter().map(|path| (path.as_str(), 10, "")).collect();
    for (mirrors, asked, reached) in [
        (&[(1, 1)][..], 8, 7),
        (&[(1, 1), (4, 4), (6, 6)], 8, 5),
        // The same one again.
        (&[(1, 1), (3, 1)], 4, 2),
        // One too many.
        (&[(0, 1), (1, 2), (2, 3), (3, 4)], 4, 0),
    ] {
        let site = names.iter().fold(WebSite::default(), |site, name| site.file(format!("/made/{name}"), vec![1; 10]));
        let server = FakeWebSeed::start(WebSite::default()).unwrap();
        let port = server.addr().port();
        let to = |site: WebSite, &(file, mirror): &(usize, usize)| {
            site.at(format!("/made/f{file}"), WebSeedScript::redirect(format!("http://127.0.1.{mirror}:{port}/")))
        };
        server.set_site(mirrors.iter().fold(site, to));
        let told = run(&Made { files: &files, ..Made::default() }.torrent(), asking([server.url("/")])).await;
        let report = only(&told);
        let of = |status| report.files.iter().filter(|file| file.status == status).count();
        assert_eq!((server.requests().len(), of(WebSeedStatus::Ok)), (asked, reached), "{mirrors:?} {report:?}");
        assert_eq!((report.status, report.complete), (WebSeedStatus::ConnectRefused, false));
        assert_eq!(of(WebSeedStatus::NotAsked), 8 - asked);
    }
}

/// Two web seeds, each of which redirects to the other one, with one connection allowed: if a check waited for the second permit
/// while it has the first, both would wait until the deadline.
#[tokio::test]
async fn redirects_that_cross_do_not_wait_for_each_other() {
    let one = FakeWebSeed::start_on("127.0.0.2:0".parse().unwrap(), WebSite::default()).unwrap();
    let other = FakeWebSeed::start_on("127.0.0.3:0".parse().unwrap(), WebSite::default()).unwrap();
    for (server, target) in [(&one, &other), (&other, &one)] {
        let files = (0..8).map(|n| format!("f{n}"));
        let site = files.fold(WebSite::default(), |site, name| {
            site.at(format!("/made/{name}"), WebSeedScript::redirect(target.url(&format!("/there/{name}"))))
                .file(format!("/there/{name}"), vec![1; 10])
        });
        server.set_site(site);
    }
    let files: Vec<String> = (0..8).map(|n| format!("f{n}")).collect();
    let files: Vec<(&str, u64, &str)> = files.iter().map(|path| (path.as_str(), 10, "")).collect();
    let limits = alone().limits.with_web_seed_connections(1);
    let config = asking([one.url("/"), other.url("/")]).with_limits(limits);
    let told = run(&Made { files: &files, ..Made::default() }.torrent(), config).await;
    assert!(told.web_seeds.iter().all(|report| report.complete), "{:?}", told.web_seeds);
    assert_eq!((one.counts().peak_connections, other.counts().peak_connections), (1, 1));
}

/// Each file of a web seed leads to another port of one address.
#[tokio::test]
async fn redirects_lead_to_a_few_ports_of_one_address_and_no_more() {
    use WebSeedStatus::{NotAsked, Ok, RefusedAddress};
    let names = || (0..4).map(|n| format!("f{n}"));
    let of_one = |name: String| FakeWebSeed::start(WebSite::default().file(format!("/{name}"), vec![1; 10])).unwrap();
    let servers: Vec<FakeWebSeed> = names().map(of_one).collect();
    let site = names().zip(&servers).fold(WebSite::default(), |site, (name, server)| {
        site.at(format!("/made/{name}"), WebSeedScript::redirect(server.url(&format!("/{name}"))))
    });
    let here = FakeWebSeed::start(site).unwrap();
    let files: Vec<String> = names().collect();
    let files: Vec<(&str, u64, &str)> = files.iter().map(|path| (path.as_str(), 10, "")).collect();
    let torrent = Made { files: &files, ..Made::default() }.torrent();
    for (most, expected, connections) in
        [(Some(2), [Ok, Ok, RefusedAddress, NotAsked], [1, 1, 0, 0]), (None, [Ok; 4], [2, 2, 1, 1])]
    {
        let told = run(&torrent, asking([here.url("/")]).with_max_per_address(most)).await;
        let report = only(&told);
        assert_eq!(report.files.iter().map(|file| file.status).collect::<Vec<_>>(), expected, "{report:?}");
        let counted: Vec<usize> = servers.iter().map(|server| server.counts().connections).collect();
        assert_eq!(counted, connections);
        let refused = report.files.iter().filter_map(|file| file.message.as_deref());
        let says = refused.filter(|message| message.ends_with("is not dialled: limit of 2 ports for its address"));
        assert_eq!(says.count(), usize::from(most.is_some()));
    }
}
