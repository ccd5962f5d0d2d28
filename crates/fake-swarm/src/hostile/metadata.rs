//! What a peer can make of its metadata (BEP 9).

use std::time::Duration;

use crate::bencoding::{dictionary, integer, list, string};
use crate::ending::Ending;
use crate::metadata::{MetadataReply, MetadataRequest, MetadataScript};
use crate::serving::Serving;

/// What a peer that offers this info dictionary, of a piece or more, can do instead of giving it: each is of no use, and must do
/// no harm.
#[must_use]
pub fn metadata(info: &[u8]) -> Vec<(&'static str, MetadataScript)> {
    let of = || MetadataScript::of(info);
    let size = of().size().unwrap_or_default();
    let mut all = claims(&of, size);
    all.extend(replies(&of, size));
    all.extend(payloads(&of));
    all.extend(manners(&of));
    all
}

type Table = Vec<(&'static str, MetadataScript)>;

/// Sizes that are not so.
fn claims(of: &dyn Fn() -> MetadataScript, size: i64) -> Table {
    vec![
        ("no metadata_size", of().claiming(None)),
        ("metadata_size 0", of().claiming(0)),
        ("metadata_size -1", of().claiming(-1)),
        ("metadata_size a byte short", of().claiming(size - 1)),
        ("metadata_size a byte long", of().claiming(size + 1)),
        ("metadata_size 16 MiB and a byte", of().claiming((16 << 20) + 1)),
        ("metadata_size 2^31", of().claiming(1 << 31)),
        ("metadata_size 2^32 more", of().claiming(size + (1 << 32))),
        ("metadata_size past all integers", of().claiming(i64::MAX)),
    ]
}

/// Replies of the right form.
fn replies(of: &dyn Fn() -> MetadataScript, size: i64) -> Table {
    let edited = |edit: fn(&MetadataRequest, &mut MetadataReply)| of().edited(edit);
    vec![
        ("wrong bytes", of().spoilt()),
        ("zeros", edited(|_, reply| reply.bytes.fill(0))),
        ("total_size a byte long", of().total_size(size + 1)),
        ("total_size of nothing", of().total_size(0)),
        ("total_size -1", of().total_size(-1)),
        ("total_size 2^32 more", of().total_size(size + (1 << 32))),
        ("a piece a byte short", edited(|_, reply| reply.bytes.truncate(reply.bytes.len().saturating_sub(1)))),
        ("a piece a byte long", edited(|_, reply| reply.bytes.push(b'e'))),
        ("a piece of twice the length", edited(|_, reply| reply.bytes.extend(reply.bytes.clone()))),
        ("a piece of nothing", edited(|_, reply| reply.bytes.clear())),
        ("the next piece's number", edited(|_, reply| reply.piece += 1)),
        ("piece -1", edited(|_, reply| reply.piece = -1)),
        ("piece 2^32 more", edited(|_, reply| reply.piece += 1 << 32)),
        ("msg_type 3", edited(|_, reply| reply.msg_type = 3)),
        ("msg_type -1", edited(|_, reply| reply.msg_type = -1)),
        ("a request for the same piece", edited(|_, reply| (reply.msg_type, reply.bytes) = (0, Vec::new()))),
        ("rejects", of().rejecting()),
        ("a reject with the piece's bytes", edited(|_, reply| reply.msg_type = 2)),
        ("a reject of another piece", of().rejecting().edited(|_, reply| reply.piece += 1)),
    ]
}

/// What is no message.
fn payloads(of: &dyn Fn() -> MetadataScript) -> Table {
    let raw = |payload: Vec<u8>| of().edited(move |_, reply| reply.raw = Some(payload.clone()));
    let data = |more| dictionary([("msg_type", integer(1)), ("piece", integer(0)), more]);
    vec![
        ("an empty message", raw(Vec::new())),
        ("an empty dictionary", raw(b"de".to_vec())),
        ("a list", raw(list([integer(1), integer(0)]))),
        ("noise", raw(vec![0xa5; 500])),
        ("an open dictionary", raw(b"d8:msg_typei1e5:piecei0e".to_vec())),
        ("an endless integer", raw([b"d8:msg_typei1".as_slice(), &[b'1'; 60_000]].concat())),
        ("lists within lists", raw([b"d8:msg_type".as_slice(), &[b'l'; 60_000]].concat())),
        ("msg_type as a string", raw(dictionary([("msg_type", string("1")), ("piece", integer(0))]))),
        ("a pad within the dictionary", raw(data(("zz", string(vec![b'z'; 60_000]))))),
        ("a dictionary without the piece", raw(dictionary([("msg_type", integer(1))]))),
    ]
}

/// When and how it is said.
fn manners(of: &dyn Fn() -> MetadataScript) -> Table {
    let edited = |edit: fn(&MetadataRequest, &mut MetadataReply)| of().edited(edit);
    vec![
        ("silence", of().silent()),
        ("a byte a second", of().trickling(1, Duration::from_secs(1))),
        ("under the peer's own id", of().under(Serving::UT_METADATA)),
        ("under an id of nothing", of().under(99)),
        ("under the id of the handshake", of().under(0)),
        ("rejects, a thousand times", of().rejecting().edited(|_, reply| reply.copies = 1000)),
        ("wrong bytes, a hundred times", of().spoilt().edited(|_, reply| reply.copies = 100)),
        ("closes on a request", edited(|_, reply| (reply.copies, reply.ending) = (0, Some(Ending::Closes)))),
        ("resets on a request", edited(|_, reply| (reply.copies, reply.ending) = (0, Some(Ending::Resets)))),
        ("closes within a piece", of().edited(within)),
        ("asks for ten thousand pieces and gives none", of().silent().asking(0..10_000)),
    ]
}

/// Half of the piece, and no more.
fn within(_: &MetadataRequest, reply: &mut MetadataReply) {
    reply.bytes.truncate(reply.bytes.len() / 2);
    reply.ending = Some(Ending::Closes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn entries_are_distinct_and_none_is_honest() {
        let info = vec![b'i'; 20_000];
        let honest = MetadataScript::of(&info);
        let all = metadata(&info);
        let names: BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), all.len());
        let request = MetadataRequest { piece: 0, before: 0, unanswered: 0 };
        let shown =
            |script: &MetadataScript| format!("{:?} {:?} {:?}", script.size(), script.asks(), script.reply(&request));
        let mut behaviours = BTreeSet::from([shown(&honest)]);
        for (name, script) in all {
            assert!(behaviours.insert(shown(&script)), "{name}");
        }
    }
}
