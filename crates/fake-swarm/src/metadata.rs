//! What a peer answers to requests for metadata (BEP 9), written by hand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::bencoding::{dictionary, integer};
use crate::ending::Ending;
use crate::extension::{entries, number};
use crate::gate::Gate;

/// The bytes of every piece but the last.
const PIECE: usize = 16_384;

/// `msg_type` of a request, a piece and a reject.
const REQUEST: i64 = 0;
const DATA: i64 = 1;
const REJECT: i64 = 2;

type Edit = Arc<dyn Fn(&MetadataRequest, &mut MetadataReply) + Send + Sync>;

/// What a fake peer does with each request for metadata. Whatever it does, the request is recorded first.
///
/// Unless told otherwise it answers as libtorrent does: each piece at once, and a reject with `total_size` for one that is not
/// there. [`edited`](Self::edited) changes any reply in any way; the edits are made in their order.
///
/// ```
/// use fake_swarm::{MetadataScript, Peer, Serving, torrent::SingleFile};
/// use std::time::Duration;
///
/// let info = SingleFile::new("debian.iso", 600_000_000).info();
/// let slow = MetadataScript::of(&info).delayed(Duration::from_millis(500));
/// let liar = MetadataScript::of(&info).edited(|request, reply| reply.bytes.reverse());
/// let peers = [slow, liar].map(|script| Peer::default().serving(Serving::metadata(script)));
/// # let _ = peers;
/// ```
#[derive(Clone)]
pub struct MetadataScript {
    info: Arc<[u8]>,
    size: Option<i64>,
    asks: Vec<i64>,
    edits: Vec<Edit>,
}

impl fmt::Debug for MetadataScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { info, size, asks, edits } = self;
        let (bytes, edits) = (info.len(), edits.len());
        write!(f, "MetadataScript {{ info: {bytes} bytes, size: {size:?}, asks: {asks:?}, edits: {edits} }}")
    }
}

/// A request for a piece of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataRequest {
    /// The piece, whether it is there or not.
    pub piece: i64,
    /// How many requests came before it over this connection.
    pub before: usize,
    /// How many of those wait for a reply that is still to come; a silent peer has none to come.
    pub unanswered: usize,
}

/// One reply to be, for [`MetadataScript::edited`].
#[derive(Clone, Debug)]
pub struct MetadataReply {
    /// 1 for a piece, 2 for a reject.
    pub msg_type: i64,
    /// The piece.
    pub piece: i64,
    /// `total_size`; left out if `None`.
    pub total_size: Option<i64>,
    /// What follows the dictionary.
    pub bytes: Vec<u8>,
    /// This payload in place of dictionary and bytes.
    pub raw: Option<Vec<u8>>,
    /// The id of the extension; the one that the initiator gave it if `None`.
    pub id: Option<u8>,
    /// How often it is sent: 0 is silence.
    pub copies: usize,
    /// How long it waits; later replies do not wait for it.
    pub delay: Duration,
    /// What it waits for then.
    pub gate: Option<Gate>,
    /// Sent in pieces of so many bytes with this pause between them.
    pub trickle: Option<(usize, Duration)>,
    /// How the connection ends after it; it goes on if `None`.
    pub ending: Option<Ending>,
}

impl MetadataRequest {
    /// `None` for what is no request.
    pub(crate) fn parse(payload: &[u8], before: usize, unanswered: usize) -> Option<Self> {
        let entries = entries(payload)?;
        let value = |name| number::<i64>(entries.iter().find(|(key, _)| *key == name)?.1);
        (value("msg_type")? == REQUEST).then_some(Self { piece: value("piece")?, before, unanswered })
    }

    /// The payload of a request for this piece.
    pub(crate) fn payload(piece: i64) -> Vec<u8> {
        dictionary([("msg_type", integer(REQUEST)), ("piece", integer(piece))])
    }
}

impl MetadataReply {
    /// The payload: what follows the id of the extension.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let entries = [("msg_type", Some(self.msg_type)), ("piece", Some(self.piece)), ("total_size", self.total_size)];
        let head = dictionary(entries.into_iter().filter_map(|(key, value)| Some((key, integer(value?)))));
        [head, self.bytes.clone()].concat()
    }
}

impl MetadataScript {
    /// It has these bytes, which need be no info dictionary, and says how many they are.
    #[must_use]
    pub fn of(info: impl AsRef<[u8]>) -> Self {
        let info = info.as_ref();
        Self { info: info.into(), size: i64::try_from(info.len()).ok(), asks: Vec::new(), edits: Vec::new() }
    }

    /// It has none, as a client that was given a magnet link: it names no `metadata_size`, and rejects every request.
    #[must_use]
    pub fn lacking() -> Self {
        Self::of([]).claiming(None).edited(|_, reply| reply.total_size = None)
    }

    /// Its extension handshake has this `metadata_size`, or none. Replies keep to what it has.
    #[must_use]
    pub fn claiming(self, size: impl Into<Option<i64>>) -> Self {
        Self { size: size.into(), ..self }
    }

    /// It asks for these pieces, if the initiator names `ut_metadata`.
    #[must_use]
    pub fn asking(self, pieces: impl IntoIterator<Item = i64>) -> Self {
        Self { asks: pieces.into_iter().collect(), ..self }
    }

    /// It replies with what this makes of each reply.
    #[must_use]
    pub fn edited(mut self, edit: impl Fn(&MetadataRequest, &mut MetadataReply) + Send + Sync + 'static) -> Self {
        self.edits.push(Arc::new(edit));
        self
    }

    /// Each reply comes so much later, however many wait.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        self.edited(move |_, reply| reply.delay = delay)
    }

    /// Its replies wait for the gate.
    #[must_use]
    pub fn held_by(self, gate: &Gate) -> Self {
        let gate = gate.clone();
        self.edited(move |_, reply| reply.gate = Some(gate.clone()))
    }

    /// It rejects every request.
    #[must_use]
    pub fn rejecting(self) -> Self {
        self.edited(|_, reply| (reply.msg_type, reply.bytes) = (REJECT, Vec::new()))
    }

    /// Every piece begins with a wrong byte.
    #[must_use]
    pub fn spoilt(self) -> Self {
        self.edited(|_, reply| reply.bytes.iter_mut().take(1).for_each(|byte| *byte = !*byte))
    }

    /// Its replies have this `total_size`, or none.
    #[must_use]
    pub fn total_size(self, size: impl Into<Option<i64>>) -> Self {
        let size = size.into();
        self.edited(move |_, reply| reply.total_size = size)
    }

    /// Its replies come so many bytes at a time, with this pause between.
    #[must_use]
    pub fn trickling(self, bytes: usize, pause: Duration) -> Self {
        self.edited(move |_, reply| reply.trickle = Some((bytes, pause)))
    }

    /// It offers metadata and says nothing to any request.
    #[must_use]
    pub fn silent(self) -> Self {
        self.silent_after(0)
    }

    /// It says nothing more after so many replies.
    #[must_use]
    pub fn silent_after(self, replies: usize) -> Self {
        self.edited(move |request, reply| reply.copies = if request.before < replies { reply.copies } else { 0 })
    }

    /// It loses requests that come while one is unanswered, as rTorrent does.
    #[must_use]
    pub fn one_at_a_time(self) -> Self {
        self.edited(|request, reply| reply.copies = if request.unanswered == 0 { reply.copies } else { 0 })
    }

    /// It answers under this id, whatever the initiator gave the extension.
    #[must_use]
    pub fn under(self, id: u8) -> Self {
        self.edited(move |_, reply| reply.id = Some(id))
    }

    /// The connection ends so with the reply after this number of them.
    #[must_use]
    pub fn ending_after(self, replies: usize, ending: Ending) -> Self {
        self.edited(move |request, reply| reply.ending = (request.before >= replies).then_some(ending))
    }

    pub(crate) fn size(&self) -> Option<i64> {
        self.size
    }

    pub(crate) fn asks(&self) -> &[i64] {
        &self.asks
    }

    /// The reply to this request.
    pub(crate) fn reply(&self, request: &MetadataRequest) -> MetadataReply {
        let piece = usize::try_from(request.piece).ok().and_then(|piece| self.info.chunks(PIECE).nth(piece));
        let mut reply = MetadataReply {
            msg_type: if piece.is_some() { DATA } else { REJECT },
            piece: request.piece,
            total_size: i64::try_from(self.info.len()).ok(),
            bytes: piece.unwrap_or_default().to_vec(),
            raw: None,
            id: None,
            copies: 1,
            delay: Duration::ZERO,
            gate: None,
            trickle: None,
            ending: None,
        };
        self.edits.iter().for_each(|edit| edit(request, &mut reply));
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(piece: i64, before: usize, unanswered: usize) -> MetadataRequest {
        MetadataRequest { piece, before, unanswered }
    }

    fn payload(script: &MetadataScript, request: &MetadataRequest) -> String {
        let reply = script.reply(request);
        if reply.copies == 0 { String::new() } else { reply.payload().escape_ascii().to_string() }
    }

    #[test]
    fn pieces_by_their_place() {
        let info: Vec<u8> = (0..PIECE + 3).map(|at| if at < PIECE { b'a' } else { b'b' }).collect();
        let script = MetadataScript::of(&info);
        let head = |kind, piece| format!("d8:msg_typei{kind}e5:piecei{piece}e10:total_sizei16387ee");
        assert_eq!(payload(&script, &asked(0, 0, 0)), head(1, 0) + &"a".repeat(PIECE));
        assert_eq!(payload(&script, &asked(1, 1, 0)), head(1, 1) + "bbb");
        for outside in [2, -1, i64::MAX, i64::MIN] {
            assert_eq!(payload(&script, &asked(outside, 0, 0)), head(2, outside));
        }
        assert_eq!((script.size(), MetadataScript::lacking().size()), (Some(16387), None));
    }

    #[test]
    fn each_edit() {
        let of = || MetadataScript::of(b"abc");
        let data = "d8:msg_typei1e5:piecei0e10:total_sizei3ee";
        for (script, request, expected) in [
            (of().rejecting(), asked(0, 0, 0), "d8:msg_typei2e5:piecei0e10:total_sizei3ee".to_owned()),
            (of().spoilt(), asked(0, 0, 0), format!("{data}\\x9ebc")),
            (of().total_size(4), asked(0, 0, 0), "d8:msg_typei1e5:piecei0e10:total_sizei4eeabc".to_owned()),
            (of().total_size(None), asked(0, 0, 0), "d8:msg_typei1e5:piecei0eeabc".to_owned()),
            (of().silent(), asked(0, 0, 0), String::new()),
            (of().silent_after(1), asked(0, 0, 0), format!("{data}abc")),
            (of().silent_after(1), asked(0, 1, 0), String::new()),
            (of().one_at_a_time(), asked(0, 1, 0), format!("{data}abc")),
            (of().one_at_a_time(), asked(0, 1, 1), String::new()),
            (of().edited(|_, reply| reply.raw = Some(b"raw".to_vec())), asked(0, 0, 0), "raw".to_owned()),
            (MetadataScript::lacking(), asked(0, 0, 0), "d8:msg_typei2e5:piecei0ee".to_owned()),
        ] {
            assert_eq!(payload(&script, &request), expected, "{script:?}");
        }
        let reply = of().delayed(Duration::from_secs(1)).under(9).trickling(2, Duration::ZERO).reply(&asked(0, 0, 0));
        assert_eq!(
            (reply.delay, reply.id, reply.trickle),
            (Duration::from_secs(1), Some(9), Some((2, Duration::ZERO)))
        );
        let script = of().ending_after(1, Ending::Closes);
        assert_eq!([0, 1].map(|before| script.reply(&asked(0, before, 0)).ending), [None, Some(Ending::Closes)]);
    }

    #[test]
    fn only_a_request_is_one() {
        assert_eq!(MetadataRequest::parse(&MetadataRequest::payload(-5), 3, 2), Some(asked(-5, 3, 2)));
        for other in [&b"d8:msg_typei1e5:piecei0ee"[..], b"d8:msg_typei0ee", b"de", b"", b"d8:msg_type1:05:piecei0ee"] {
            assert_eq!(MetadataRequest::parse(other, 0, 0), None, "{}", other.escape_ascii());
        }
    }
}
