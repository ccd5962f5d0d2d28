//! An initiator or a responder in a test, with all its bytes.

use bytes::BytesMut;
use ids::InfoHash;
use mse::{Accepted, Error, Established, Initiator, MAX_INITIAL_PAYLOAD, MAX_PAD, Responder};

/// An initiator or a responder.
pub(crate) enum Side {
    A(Initiator),
    B(Responder),
}

/// The result of a side. An initiator has neither of the first two fields.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) skey: Option<InfoHash>,
    pub(crate) initial_payload: Vec<u8>,
    pub(crate) established: Established,
}

/// A side, with all the bytes that it has sent and read.
pub(crate) struct Player {
    side: Side,
    received: BytesMut,
    /// The result so far.
    pub(crate) result: Result<Option<Learned>, Error>,
    /// All bytes that it sent.
    pub(crate) sent: Vec<u8>,
    /// All bytes that it read of the stream after the handshake.
    pub(crate) stream: Vec<u8>,
}

impl Player {
    pub(crate) fn new(mut side: Side) -> Self {
        let sent = side.output().to_vec();
        Self { side, received: BytesMut::new(), result: Ok(None), sent, stream: Vec::new() }
    }

    /// The same, after these chunks have arrived.
    pub(crate) fn fed<'a>(mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        pieces.into_iter().for_each(|piece| self.feed(piece));
        self
    }

    /// Receives a chunk, and checks that no more stays in the buffer than documented.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        match &mut self.result {
            Ok(Some(learned)) => {
                let mut piece = piece.to_vec();
                learned.established.decrypt.apply(&mut piece);
                self.stream.extend_from_slice(&piece);
            }
            Ok(None) => {
                self.received.extend_from_slice(piece);
                self.result = self.side.input(&mut self.received);
                self.sent.extend_from_slice(&self.side.output());
                match self.result {
                    Ok(Some(_)) => self.stream.extend_from_slice(&self.received),
                    Ok(None) => assert!(self.received.len() < self.side.most_kept()),
                    Err(_) => {}
                }
            }
            Err(_) => {}
        }
    }

    /// The result, which must be a connection.
    pub(crate) fn learned(&mut self) -> &mut Learned {
        match &mut self.result {
            Ok(Some(learned)) => learned,
            other => panic!("no connection: {other:?}"),
        }
    }
}

impl Side {
    fn input(&mut self, received: &mut BytesMut) -> Result<Option<Learned>, Error> {
        match self {
            Self::A(initiator) => Ok(initiator.input(received)?.map(|established| Learned {
                skey: None,
                initial_payload: Vec::new(),
                established,
            })),
            Self::B(responder) => {
                Ok(responder.input(received)?.map(|Accepted { skey, initial_payload, established, .. }| Learned {
                    skey: Some(skey),
                    initial_payload: initial_payload.to_vec(),
                    established,
                }))
            }
        }
    }

    fn output(&mut self) -> BytesMut {
        match self {
            Self::A(initiator) => initiator.output(),
            Self::B(responder) => responder.output(),
        }
    }

    /// The bound on the bytes that stay in the buffer.
    fn most_kept(&self) -> usize {
        match self {
            Self::A(_) => MAX_PAD,
            Self::B(_) => MAX_INITIAL_PAYLOAD,
        }
    }
}
