//! The verdicts on torrents.

use crate::explain::{Causes, CodeKind, Explanation};
use crate::verdict::Verdict;

/// In the order of [`Verdict::ALL`].
pub(super) const TABLE: &[Explanation] = &[
    entry(
        Verdict::Healthy,
        "healthy",
        "the peers that were reached say that they have at least one whole copy together",
        "what peers say was not proved: no piece was fetched",
        "nothing",
    ),
    entry(
        Verdict::Incomplete,
        "incomplete",
        "peers answered, and what they say they have is less than one copy: no peer that was reached has the missing pieces",
        "the seeds have left, or do not answer: one behind a firewall or NAT may still connect to those that download",
        "ask for a reseed of what is missing, or try again when other peers are online",
    ),
    entry(
        Verdict::SeedsUnverified,
        "unverified",
        "peers answered, and announced too little of their pieces to know whether a whole copy is there",
        "they have nothing yet and do not say so (rTorrent, rqbit), left too early, or hide what they have, as super-seeding seeds do",
        "give a longer --linger, or the .torrent file in place of a hash or link",
    ),
    entry(
        Verdict::NoPeerAnswered,
        "no peer answered",
        "peers were named, and none completed a handshake",
        "the list is old, all of them are behind firewalls, or something on your side blocks BitTorrent",
        "try a torrent that is known to be alive: if that fails too, the cause is on your side",
    ),
    entry(
        Verdict::NoPeerNamed,
        "no peer named",
        "a tracker or nodes of the DHT answered, and none names a peer",
        "no other peer has announced to them within the last half hour or so, or the torrent is unknown there",
        "try again later, name another tracker with --tracker, or a peer with --peer",
    ),
    entry(
        Verdict::WebSeeded,
        "web seeded",
        "no peer that was reached brings a whole copy, and a web seed has every file that was looked at in the right size",
        "clients that use web seeds (BEP 19) get everything from there; sizes were compared, and bytes only with --web-seeds proof",
        "nothing; `bt-handshake web-seeds` looks at every file",
    ),
    entry(
        Verdict::WebSeedsFailed,
        "web seeds failed",
        "no tracker was asked, no node of the DHT answered, and no web seed has every file that was looked at in the right size",
        "they are gone or out of reach, or their files were changed after the torrent was made",
        "run `bt-handshake web-seeds` for the reason of each; name another one with --web-seed, or a tracker with --tracker",
    ),
    entry(
        Verdict::NoSource,
        "no source",
        "no tracker gave what it was asked for, no node of the DHT answered, and no peer was named",
        "the trackers are gone or out of reach, or the torrent names none; and the DHT was not asked, or UDP does not get through",
        "name a tracker with --tracker, a node of the DHT with --dht-node, or a peer with --peer",
    ),
    entry(
        Verdict::Refused,
        "refused",
        "no tracker gave peers, and at least one refused with a reason of its own",
        "the tracker has dropped this torrent, wants a passkey, or does not accept this client",
        "download the .torrent file anew, or name another tracker with --tracker",
    ),
    entry(
        Verdict::TrackersOnly,
        "counted",
        "only counts were asked for (--scrape, scrape), or the peers that were named were not dialled (announce, dht)",
        "trackers and nodes of the DHT know what peers announce to them",
        "run without --scrape to contact the peers",
    ),
    entry(
        Verdict::Interrupted,
        "interrupted",
        "the run was interrupted before a peer completed a handshake",
        "too little was seen for a verdict",
        "let it run to its end, or give it a --deadline",
    ),
    entry(
        Verdict::Offline,
        "offline",
        "this machine has no route to any address that was tried",
        "the network or the VPN is down, or all peers are of an address family that this machine does not have",
        "is the network or the VPN down? `ip route` shows the routes of this machine",
    ),
    entry(
        Verdict::PrivateRefused,
        "private",
        "the torrent is private (BEP 27) and --allow-private was not given: nothing was asked, or the run ended where the metadata of a link said so",
        "its tracker may ban the user of a client that it does not know; a link does not say that it is private, and its trackers, the DHT and other peers are asked until it is known",
        "get its .torrent file from its tracker's site; --allow-private goes on with its trackers alone, which may ban the user of a client that they do not know",
    ),
];

const fn entry(
    verdict: Verdict,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::Verdict, code: verdict.code(), words, seen, causes: Causes::One(cause), to_do }
}
