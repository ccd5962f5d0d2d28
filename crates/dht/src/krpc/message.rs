//! Datagrams that arrive.

use crate::krpc::envelope;
use crate::krpc::error::Error;
use crate::krpc::received_query::ReceivedQuery;
use crate::krpc::refusal::Refusal;
use crate::krpc::reply::Reply;
use bencode::{Document, Limits};

/// A datagram of a node. Its source and its transaction id decide which query it answers, and both can be forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// An answer to a query.
    Reply(Reply),
    /// An error in place of an answer.
    Error(Refusal),
    /// A query of another node. aria2 and bittorrent-dht send them to read-only nodes too; none is answered.
    Query(ReceivedQuery),
}

impl Message {
    /// Most bytes of a datagram that is read; a longer one is refused.
    pub const MAX_BYTES: usize = Limits::DHT_MESSAGE.bytes;

    /// Reads a datagram. What real nodes do is accepted: keys in any order, unknown keys, bytes after the end, replies with any
    /// combination of lists. Bad entries of lists are skipped and counted.
    ///
    /// # Errors
    /// Why it is not a message.
    pub fn parse(datagram: &[u8]) -> Result<Self, Error> {
        let document = Document::parse_lenient(datagram, Limits::DHT_MESSAGE)?;
        let message = document.root().as_dict().ok_or(Error::NotADict)?;
        // BEP 5: "contained in every KRPC message is "y" with a single character value describing the type of message".
        // The other keys do not tell: libtorrent's errors have `r` as well.
        let kind = message.bytes("y").map_err(|_| Error::Kind)?;
        match kind {
            b"r" | b"e" | b"q" => {}
            _ => return Err(Error::Kind),
        }
        let transaction = envelope::transaction(message)?;
        match kind {
            b"r" => Reply::read(transaction, message).map(Self::Reply),
            b"e" => Refusal::read(transaction, message).map(Self::Error),
            _ => ReceivedQuery::read(transaction, message).map(Self::Query),
        }
    }

    /// The transaction id: in a reply or an error, that of the query it belongs to.
    #[must_use]
    pub fn transaction(&self) -> &[u8] {
        match self {
            Self::Reply(reply) => &reply.transaction,
            Self::Error(refusal) => &refusal.transaction,
            Self::Query(query) => &query.transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::krpc::query::{Method, Query};
    use proptest::prelude::*;

    const ID: &str = "2:id20:aaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn messages_that_are_none_are_refused_for_the_reason() {
        for (datagram, reason) in [
            (String::new(), "message is not bencode"),
            ("HTTP/1.1 400 Bad Request".into(), "message is not bencode"),
            ("le".into(), "message is not a dictionary"),
            (format!("d1:rd{ID}e1:t4:abcde"), "message is neither query, reply nor error"),
            (format!("d1:rd{ID}e1:t4:abcd1:y1:xe"), "message is neither query, reply nor error"),
            (format!("d1:rd{ID}e1:t4:abcd1:yi1ee"), "message is neither query, reply nor error"),
            (format!("d1:rd{ID}e1:y1:re"), "message has no transaction id"),
            (format!("d1:rd{ID}e1:ti1e1:y1:re"), "message has no transaction id"),
            (format!("d1:rd{ID}e1:t33:{}1:y1:re", "t".repeat(33)), "transaction id of more than 32 bytes"),
            ("d1:t4:abcd1:y1:re".into(), "reply has no values"),
            ("d1:r2:ab1:t4:abcd1:y1:re".into(), "reply has no values"),
            ("d1:rde1:t4:abcd1:y1:re".into(), "reply has no node id of 20 bytes"),
            ("d1:rd2:id3:abce1:t4:abcd1:y1:re".into(), "reply has no node id of 20 bytes"),
            ("d1:t4:abcd1:y1:ee".into(), "error has no code"),
            ("d1:el6:failede1:t4:abcd1:y1:ee".into(), "error has no code"),
            ("d1:ad1:xi1ee1:t4:abcd1:y1:qe".into(), "query has no method"),
        ] {
            let refused = Message::parse(datagram.as_bytes()).unwrap_err();
            assert_eq!(refused.to_string(), reason, "{datagram}");
        }
    }

    #[test]
    fn long_and_deep_datagrams_are_refused_before_they_cost_anything() {
        let refused = |datagram: Vec<u8>| match Message::parse(&datagram) {
            Err(Error::Bencode(bencode::Error { kind, .. })) => kind.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(vec![b'l'; 65_535]), "more than 16384 bytes");
        assert_eq!(refused(vec![b'l'; 16_384]), "nested deeper than 8");
        assert_eq!(refused([b"l".to_vec(), b"0:".repeat(8_000)].concat()), "more than 2048 tokens");
    }

    #[test]
    fn an_error_with_values_beside_it_is_an_error() {
        let datagram = format!(
            "d1:eli203e13:invalid tokene2:ip6:\x01\x02\x03\x04\x05\x061:rd{ID}1:pi1ee1:t4:abcd1:v4:LT\x02\x111:y1:ee"
        );
        let Ok(Message::Error(refusal)) = Message::parse(datagram.as_bytes()) else { panic!("an error") };
        assert_eq!((refusal.code, refusal.text.as_str(), refusal.id), (203, "invalid token", Some(NodeId([b'a'; 20]))));
        assert_eq!(refusal.external, Some("1.2.3.4:1286".parse().unwrap()));
        assert_eq!(refusal.to_string(), "error 203: invalid token");
    }

    #[test]
    fn long_texts_are_cut_off_and_long_tokens_left_out() {
        let Ok(Message::Reply(reply)) = Message::parse(
            format!("d1:rd{ID}5:token64:{0}e1:t32:{1}1:v17:{2}1:y1:re", "k".repeat(64), "t".repeat(32), "v".repeat(17))
                .as_bytes(),
        ) else {
            panic!("a reply")
        };
        assert_eq!((reply.token.map(|token| token.len()), reply.transaction.len()), (Some(64), 32));
        assert_eq!(reply.version.map(|version| version.0.len()), Some(16));
        let longer = format!("d1:rd{ID}5:token65:{}e1:t4:abcd1:y1:re", "k".repeat(65));
        assert!(matches!(Message::parse(longer.as_bytes()), Ok(Message::Reply(reply)) if reply.token.is_none()));
        let error = format!("d1:eli201e202:{}e1:t4:abcd1:y1:ee", "é".repeat(101));
        assert!(
            matches!(Message::parse(error.as_bytes()), Ok(Message::Error(refusal)) if refusal.text == "é".repeat(101))
        );
        let error = format!("d1:eli201e402:{}e1:t4:abcd1:y1:ee", "é".repeat(201));
        assert!(
            matches!(Message::parse(error.as_bytes()), Ok(Message::Error(refusal)) if refusal.text == "é".repeat(200) + "…")
        );
        let query = format!("d1:q33:{}1:t4:abcd1:y1:qe", "q".repeat(33));
        assert!(
            matches!(Message::parse(query.as_bytes()), Ok(Message::Query(query)) if query.method.len() == 32 && query.id.is_none())
        );
    }

    #[test]
    fn a_query_that_is_sent_is_read_as_a_query() {
        let query = Query { transaction: *b"abcd", id: NodeId([7; 20]), method: Method::Ping };
        let Ok(Message::Query(received)) = Message::parse(&query.encode()) else { panic!("a query") };
        assert_eq!(
            (&received.transaction[..], received.id, &received.method[..]),
            (&b"abcd"[..], Some(query.id), &b"ping"[..])
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(datagram in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&datagram);
        }

        #[test]
        fn damaged_messages_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let whole = format!(
                "d2:ip6:abcdef1:rd{ID}5:nodes26:aaaaaaaaaaaaaaaaaaaaaaaaaa5:token4:abcd6:valuesl6:abcdefee1:t4:abcd1:v4:LTab1:y1:re"
            );
            let mut datagram = whole.into_bytes();
            let place = place.index(datagram.len());
            datagram[place] = byte;
            let _ = Message::parse(&datagram);
            datagram.truncate(cut.index(datagram.len()));
            let _ = Message::parse(&datagram);
        }
    }
}
