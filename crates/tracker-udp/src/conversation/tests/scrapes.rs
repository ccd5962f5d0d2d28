//! Scrapes of many torrents: one request where the order of the counts is proven, and more where it is not.

use super::*;

/// Seeds by torrent, as answered.
fn given(reply: &Reply<Scraped>) -> Vec<(u8, Option<u32>)> {
    reply.content.files.iter().map(|(info_hash, counts)| (info_hash.0[0], counts.complete)).collect()
}

/// Every requested torrent has its own seeds.
fn all_right(reply: &Reply<Scraped>, scrape: &Scrape) {
    assert_eq!(reply.content.missing(scrape), []);
    assert_eq!(reply.content.files.len(), scrape.info_hashes().len());
    assert!(given(reply).iter().all(|&(seeds, counted)| counted == Some(seeds.into())), "{:?}", given(reply));
}

fn torrents(numbers: impl IntoIterator<Item = u8>) -> Scrape {
    Scrape::new(numbers.into_iter().map(|number| InfoHash([number; 20]))).unwrap()
}

/// A tracker that answers the entries of a scrape by the counts of `counts`.
fn counting(
    mut counts: impl FnMut(Vec<u8>) -> Vec<u8> + Send,
) -> Conversation<Scripted<impl FnMut(&[u8]) -> Vec<Back> + Send>> {
    conversation(move |request| {
        let (action, transaction) = head(request);
        if action != 2 {
            return vec![Back::now(answer(request))];
        }
        let counts = counts(asked(request).collect());
        vec![Back::now(datagram(2, transaction, &counts.into_iter().flat_map(count).collect::<Vec<u8>>()))]
    })
}

/// Entries of each scrape that was sent.
fn entries<F: FnMut(&[u8]) -> Vec<Back> + Send>(conversation: &Conversation<Scripted<F>>) -> Vec<usize> {
    let sent = conversation.link.datagrams.sent();
    sent.iter().filter(|(_, request)| head(request).0 == 2).map(|(_, request)| (request.len() - 16) / 20).collect()
}

#[tokio::test(start_paused = true)]
async fn many_torrents_are_one_request() {
    let mut conversation = conversation(|request| vec![Back::After(Duration::from_millis(10), answer(request))]);
    let scrape = torrents([9, 3, 6]);
    let reply = conversation.scrape(&scrape, FIRST, LIMIT).await.unwrap();
    all_right(&reply, &scrape);
    assert_eq!(sent(&conversation), [(0, 0), (10, 2)]);
    assert_eq!((reply.hashes, reply.elapsed), (3, Duration::from_millis(20)));
    assert!(!conversation.has_announced());
    // The most that a scrape holds take two requests, and a single torrent is not repeated.
    let scrape = torrents(0..74);
    all_right(&conversation.scrape(&scrape, FIRST, LIMIT).await.unwrap(), &scrape);
    conversation.scrape(&torrents([1]), FIRST, LIMIT).await.unwrap();
    assert_eq!(entries(&conversation), [4, 70, 6, 1]);
    assert!(conversation.link.datagrams.sent().iter().all(|(_, request)| request.len() <= 1416));
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_sorts_is_understood() {
    let mut conversation = counting(|mut asked| {
        asked.sort_unstable();
        asked
    });
    let scrape = torrents([9, 3, 6]);
    all_right(&conversation.scrape(&scrape, FIRST, LIMIT).await.unwrap(), &scrape);
    assert_eq!(entries(&conversation), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_keeps_no_order_is_asked_one_by_one() {
    // Each torrent once, in an order of its own.
    let map = |mut asked: Vec<u8>| {
        asked.dedup();
        asked.reverse();
        asked
    };
    // Each entry, in the wrong order; and the known ones only.
    let reversed = |asked: Vec<u8>| asked.into_iter().rev().collect();
    let known = |asked: Vec<u8>| asked.into_iter().filter(|&number| number != 3).collect();
    for (counts, is_missing) in [(map as fn(Vec<u8>) -> Vec<u8>, false), (reversed, false), (known, true)] {
        let mut conversation = counting(counts);
        let scrape = torrents([9, 3, 6]);
        let reply = conversation.scrape(&scrape, FIRST, LIMIT).await.unwrap();
        if is_missing {
            assert_eq!(given(&reply), [(9, Some(9)), (6, Some(6))]);
            assert_eq!(reply.content.missing(&scrape), [InfoHash([3; 20])]);
        } else {
            all_right(&reply, &scrape);
        }
        assert_eq!(reply.hashes, 1);
        assert_eq!(entries(&conversation), [4, 1, 1, 1]);
        // Remembered for the next scrape.
        conversation.scrape(&torrents([6, 9]), FIRST, LIMIT).await.unwrap();
        assert_eq!(entries(&conversation)[4..], [1, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tracker_that_answers_the_first_50_is_asked_for_50() {
    let mut conversation = counting(|mut asked| {
        asked.truncate(50);
        asked
    });
    let scrape = torrents(0..69);
    let reply = conversation.scrape(&scrape, FIRST, LIMIT).await.unwrap();
    all_right(&reply, &scrape);
    assert_eq!((reply.hashes, entries(&conversation)), (49, vec![70, 50, 21]));
    // One that leaves out unknown torrents is no such tracker, and is not asked without end.
    let mut conversation = counting(|asked| asked.into_iter().filter(|number| number % 2 == 0).collect());
    let reply = conversation.scrape(&torrents(0..69), FIRST, LIMIT).await.unwrap();
    assert!(given(&reply).iter().all(|&(seeds, counted)| counted == Some(seeds.into())), "{:?}", given(&reply));
    assert_eq!((reply.content.files.len(), reply.hashes), (35, 1));
    assert_eq!(entries(&conversation)[..3], [70, 36, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_torrent_is_not_that_of_all() {
    let refusing = |refused: fn(u8) -> bool| {
        conversation(move |request| {
            let (action, transaction) = head(request);
            let refuses = action == 2 && asked(request).any(refused);
            vec![Back::now(if refuses { datagram(3, transaction, b"not registered") } else { answer(request) })]
        })
    };
    let scrape = torrents([9, 3, 6]);
    let reply = refusing(|number| number == 3).scrape(&scrape, FIRST, LIMIT).await.unwrap();
    assert_eq!(reply.content.missing(&scrape), [InfoHash([3; 20])]);
    let error = refusing(|_| true).scrape(&scrape, FIRST, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "tracker refuses: not registered");
}

#[tokio::test(start_paused = true)]
async fn counts_received_by_the_deadline_are_returned() {
    let silent_from = |from: usize| {
        let mut scrapes = 0;
        conversation(move |request| {
            scrapes += usize::from(head(request).0 == 2);
            if scrapes >= from { vec![] } else { vec![Back::now(answer(request))] }
        })
    };
    let scrape = torrents(0..74);
    let begun = Instant::now();
    let reply = silent_from(2).scrape(&scrape, FIRST, LIMIT).await.unwrap();
    assert_eq!((reply.content.files.len(), reply.content.missing(&scrape).len()), (69, 5));
    assert_eq!(begun.elapsed(), LIMIT);
    let error = silent_from(1).scrape(&scrape, FIRST, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "no answer to scrape within 15 s");
}
