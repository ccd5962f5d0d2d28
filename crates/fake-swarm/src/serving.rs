//! The extensions (BEP 10, 52) that a peer serves: metadata, peer exchange and hash requests.

use std::time::Duration;

use crate::bencoding::{dictionary, integer};
use crate::ending::Ending;
use crate::extension::ExtensionHandshake;
use crate::frames::HASH_REQUEST;
use crate::gate::Gate;
use crate::hashes::HashScript;
use crate::message;
use crate::metadata::{MetadataRequest, MetadataScript};
use crate::pex::PexScript;

/// What a peer answers to extension messages, and what it tells by itself.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    metadata: Option<MetadataScript>,
    pex: Option<PexScript>,
    hashes: Option<HashScript>,
    introduced: Option<Vec<u8>>,
}

/// What goes out, now or later.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) messages: Vec<u8>,
    pub(crate) delay: Duration,
    pub(crate) gate: Option<Gate>,
    pub(crate) trickle: Option<(usize, Duration)>,
    pub(crate) ending: Option<Ending>,
    /// Whether it answers a request.
    pub(crate) answers: bool,
    /// Whether it is the list of peers after which the next is due.
    pub(crate) is_list: bool,
}

/// How far serving one initiator has come.
#[derive(Debug)]
pub(crate) struct Served<'a> {
    serving: &'a Serving,
    /// The initiator's ids.
    metadata_id: Option<u8>,
    pex_id: Option<u8>,
    /// Whether its extension handshake has come.
    is_introduced: bool,
    requests: usize,
    unanswered: usize,
    lists: usize,
}

impl Serving {
    /// Its id for `ut_pex`.
    pub const UT_PEX: u8 = 1;
    /// Its id for `ut_metadata`.
    pub const UT_METADATA: u8 = 2;

    /// Metadata alone.
    #[must_use]
    pub fn metadata(script: MetadataScript) -> Self {
        Self { metadata: Some(script), ..Self::default() }
    }

    /// Lists of peers alone.
    #[must_use]
    pub fn pex(script: PexScript) -> Self {
        Self { pex: Some(script), ..Self::default() }
    }

    /// Lists of peers, too.
    #[must_use]
    pub fn and_pex(self, script: PexScript) -> Self {
        Self { pex: Some(script), ..self }
    }

    /// Hash requests, too.
    #[must_use]
    pub fn and_hashes(self, script: HashScript) -> Self {
        Self { hashes: Some(script), ..self }
    }

    /// Its extension handshake has these bytes in place of what it serves.
    #[must_use]
    pub fn introduced_by(self, dictionary: impl Into<Vec<u8>>) -> Self {
        Self { introduced: Some(dictionary.into()), ..self }
    }

    /// Its extension handshake, the whole message.
    pub(crate) fn introduction(&self) -> Vec<u8> {
        let ids = [
            self.metadata.as_ref().map(|_| ("ut_metadata", integer(Self::UT_METADATA))),
            self.pex.as_ref().map(|_| ("ut_pex", integer(Self::UT_PEX))),
        ];
        let entries = [
            Some(("m", dictionary(ids.into_iter().flatten()))),
            self.metadata.as_ref().and_then(MetadataScript::size).map(|size| ("metadata_size", integer(size))),
        ];
        let introduction = self.introduced.clone().unwrap_or_else(|| dictionary(entries.into_iter().flatten()));
        message::extension_handshake(&introduction)
    }
}

impl<'a> Served<'a> {
    pub(crate) fn new(serving: &'a Serving) -> Self {
        let (metadata_id, pex_id, is_introduced) = Default::default();
        Self { serving, metadata_id, pex_id, is_introduced, requests: 0, unanswered: 0, lists: 0 }
    }

    /// What an extension message leads to, and the request that it is.
    pub(crate) fn hear(&mut self, message: &[u8]) -> (Option<MetadataRequest>, Vec<Outgoing>) {
        match message.split_first() {
            Some((0, dictionary)) => (None, self.introduce(dictionary)),
            Some((&Serving::UT_METADATA, payload)) => self.asked(payload),
            Some((&HASH_REQUEST, payload)) => (None, self.hashes(payload)),
            _ => (None, Vec::new()),
        }
    }

    /// What is said when the initiator has introduced itself.
    fn introduce(&mut self, dictionary: &[u8]) -> Vec<Outgoing> {
        let Some(theirs) = ExtensionHandshake::read(dictionary) else { return Vec::new() };
        // An id of zero turns an extension off.
        let id = |name| theirs.m.iter().find(|(known, id)| *known == name && *id != 0).map(|(_, id)| *id);
        (self.metadata_id, self.pex_id) = (id("ut_metadata"), id("ut_pex"));
        if std::mem::replace(&mut self.is_introduced, true) {
            return Vec::new();
        }
        let asks = self.serving.metadata.iter().flat_map(MetadataScript::asks);
        let asks = self.metadata_id.into_iter().flat_map(|id| {
            asks.clone().map(move |piece| Outgoing::now(message::extended(id, &MetadataRequest::payload(*piece))))
        });
        asks.chain(self.next_list()).collect()
    }

    fn asked(&mut self, payload: &[u8]) -> (Option<MetadataRequest>, Vec<Outgoing>) {
        let Some(script) = &self.serving.metadata else { return Default::default() };
        let Some(request) = MetadataRequest::parse(payload, self.requests, self.unanswered) else {
            return Default::default();
        };
        self.requests += 1;
        let reply = script.reply(&request);
        // Without an id there is no way to answer.
        let id = reply.id.or(self.metadata_id).filter(|_| reply.copies > 0);
        let outgoing = id.map(|id| Outgoing {
            messages: message::extended(id, &reply.payload()).repeat(reply.copies),
            delay: reply.delay,
            gate: reply.gate.clone(),
            trickle: reply.trickle,
            ending: reply.ending,
            answers: true,
            is_list: false,
        });
        // A peer may also end without an answer.
        let outgoing =
            outgoing.or_else(|| reply.ending.map(|_| Outgoing { ending: reply.ending, ..Outgoing::now(Vec::new()) }));
        self.unanswered += usize::from(id.is_some());
        (Some(request), outgoing.into_iter().collect())
    }

    fn hashes(&self, request: &[u8]) -> Vec<Outgoing> {
        let answer = self.serving.hashes.as_ref().and_then(|script| Some((script.answer(request)?, script.delay())));
        answer.into_iter().map(|(message, delay)| Outgoing { delay, ..Outgoing::now(message) }).collect()
    }

    /// What follows once this went out.
    pub(crate) fn sent(&mut self, outgoing: &Outgoing) -> Option<Outgoing> {
        self.unanswered -= usize::from(outgoing.answers);
        outgoing.is_list.then(|| self.next_list()).flatten()
    }

    /// The next list of peers, if there is one to come.
    fn next_list(&mut self) -> Option<Outgoing> {
        let script = self.serving.pex.as_ref()?;
        let id = script.id.or(self.pex_id).filter(|_| self.pex_id.is_some())?;
        let next = script.messages.get(self.lists);
        let again = || Some((script.again?, &script.messages.last()?.1));
        let (delay, payload) = next.map(|(delay, payload)| (*delay, payload)).or_else(again)?;
        let gate = script.gate.clone().filter(|_| self.lists == 0);
        self.lists += 1;
        Some(Outgoing { delay, gate, is_list: true, ..Outgoing::now(message::extended(id, payload)) })
    }
}

impl Outgoing {
    fn now(messages: Vec<u8>) -> Self {
        let (delay, gate, trickle, ending) = Default::default();
        Self { messages, delay, gate, trickle, ending, answers: false, is_list: false }
    }

    /// Whether it waits for nothing.
    pub(crate) fn is_due(&self) -> bool {
        self.delay.is_zero() && self.gate.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pex::PexList;

    const HANDSHAKE: &[u8] = b"\0d1:md11:ut_metadatai7e6:ut_pexi9eee";

    fn request(piece: i64) -> Vec<u8> {
        [vec![Serving::UT_METADATA], MetadataRequest::payload(piece)].concat()
    }

    /// What goes out after each of these messages, one text a message.
    fn said(serving: &Serving, messages: &[&[u8]]) -> Vec<String> {
        let mut served = Served::new(serving);
        let messages = messages.iter().flat_map(|message| served.hear(message).1);
        messages.map(|outgoing| outgoing.messages[4..].escape_ascii().to_string()).collect()
    }

    #[test]
    fn what_is_served_is_introduced() {
        let metadata = || Serving::metadata(MetadataScript::of(b"abc"));
        for (serving, dictionary) in [
            (Serving::default(), &b"d1:mdee"[..]),
            (metadata(), b"d1:md11:ut_metadatai2ee13:metadata_sizei3ee"),
            (metadata().and_pex(PexScript::default()), b"d1:md11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei3ee"),
            (Serving::metadata(MetadataScript::lacking()), b"d1:md11:ut_metadatai2eee"),
            (
                Serving::metadata(MetadataScript::of(b"abc").claiming(-1)),
                b"d1:md11:ut_metadatai2ee13:metadata_sizei-1ee",
            ),
            (metadata().introduced_by(*b"de"), b"de"),
        ] {
            assert_eq!(serving.introduction(), message::extension_handshake(dictionary), "{serving:?}");
        }
    }

    #[test]
    fn replies_come_under_the_initiators_ids() {
        let serving = Serving::metadata(MetadataScript::of(b"abc")).and_pex(PexScript::raw([b"de".to_vec()]));
        let data = "d8:msg_typei1e5:piecei0e10:total_sizei3eeabc";
        assert_eq!(said(&serving, &[HANDSHAKE, &request(0)]), [r"\x14\tde".to_owned(), format!(r"\x14\x07{data}")]);
        // Before the handshake there is no id, and zero is none.
        assert_eq!(said(&serving, &[&request(0)]), Vec::<String>::new());
        assert_eq!(said(&serving, &[b"\0d1:md11:ut_metadatai0e6:ut_pexi0eee", &request(0)]), Vec::<String>::new());
        let other =
            Serving::metadata(MetadataScript::of(b"abc").under(3)).and_pex(PexScript::raw([b"de".to_vec()]).under(4));
        assert_eq!(said(&other, &[HANDSHAKE, &request(0)]), [r"\x14\x04de".to_owned(), format!(r"\x14\x03{data}")]);
        for noise in [&b""[..], b"\x02", b"\x02de", b"\x01de", b"\0x", b"\x63de"] {
            assert_eq!(said(&serving, &[noise]), Vec::<String>::new(), "{}", noise.escape_ascii());
        }
    }

    #[test]
    fn a_client_without_metadata_asks_us() {
        let serving = Serving::metadata(MetadataScript::lacking().asking([0, 1]));
        let ask = |piece| format!(r"\x14\x07d8:msg_typei0e5:piecei{piece}ee");
        assert_eq!(said(&serving, &[HANDSHAKE, HANDSHAKE]), [ask(0), ask(1)]);
        assert_eq!(said(&serving, &[b"\0d1:mdee"]), Vec::<String>::new());
    }

    #[test]
    fn requests_are_counted_until_they_are_answered() {
        let serving = Serving::metadata(MetadataScript::of(b"abc").one_at_a_time());
        let mut served = Served::new(&serving);
        served.hear(HANDSHAKE);
        let (_, first) = served.hear(&request(0));
        let (lost, none) = served.hear(&request(0));
        assert_eq!((lost, none.len()), (Some(MetadataRequest { piece: 0, before: 1, unanswered: 1 }), 0));
        assert!(served.sent(&first[0]).is_none());
        let (third, answers) = served.hear(&request(0));
        assert_eq!((third, answers.len()), (Some(MetadataRequest { piece: 0, before: 2, unanswered: 0 }), 1));
    }

    #[test]
    fn lists_follow_each_other() {
        let lists = [PexList::default().only_full(), PexList::default()];
        let pause = Duration::from_secs(60);
        let serving = Serving::pex(PexScript::of(lists).every(pause).repeating(Duration::ZERO));
        let mut served = Served::new(&serving);
        let first = served.hear(HANDSHAKE).1.remove(0);
        assert_eq!((first.messages.as_slice(), first.delay), (message::extended(9, b"de").as_slice(), pause));
        let second = served.sent(&first).unwrap();
        assert_eq!((second.messages.len() > 20, second.delay), (true, pause));
        let third = served.sent(&second).unwrap();
        assert_eq!((third.messages, third.delay), (second.messages, Duration::ZERO));
        let serving = Serving::pex(PexScript::of([PexList::default()]));
        let mut served = Served::new(&serving);
        let only = served.hear(HANDSHAKE).1.remove(0);
        assert!(served.sent(&only).is_none());
    }
}
