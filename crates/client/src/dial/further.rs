//! Which attempts follow one that has ended: with another encryption, then over the other transport.

use crate::config::{EncryptionPolicy, TransportPolicy};
use crate::dial::attempt::{Attempt, Progress};
use crate::dial::opening::other;
use report::{Encryption, Stage, Transport};
use std::time::Duration;

/// A peer whose connection took as long is slow: each further attempt takes half a second or more.
const SLOW: Duration = Duration::from_millis(200);

/// What carries an attempt, and how it is encrypted.
pub(crate) type Way = (Transport, Encryption);

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Further {
    pub(crate) way: Way,
    /// Whether there is no pause before it.
    pub(crate) is_at_once: bool,
    /// Another attempt at the same time.
    pub(crate) beside: Option<Way>,
}

/// What the user allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies {
    pub(crate) encryption: EncryptionPolicy,
    pub(crate) transport: TransportPolicy,
}

impl Policies {
    /// How a peer is dialled again after this attempt; `None` when that would tell nothing new.
    pub(crate) fn after(self, last: &Attempt) -> Option<Further> {
        let way = self.way_after(last)?;
        let beside = self.is_worth_a_pair(last, way.0).then(|| (other(way.0), last.request.encryption));
        // Some clients refuse an address that comes back soon; but where there was no connection, no client can, and over the other
        // transport none was seen to that had closed a second connection itself.
        let was_closed = last.request.earlier.is_some() && last.was_closed_without_a_word();
        let is_at_once = way.0 != last.progress.transport && (last.progress.stage() == Stage::Connect || was_closed);
        Some(Further { way, is_at_once, beside })
    }

    fn way_after(self, last: &Attempt) -> Option<Way> {
        let transport = last.progress.transport;
        let is_first = last.and_earlier().skip(1).all(|attempt| attempt.progress.transport != transport);
        let second = is_first.then(|| self.second_encryption(last)).flatten();
        if let Some(encryption) = second {
            return Some((transport, encryption));
        }
        let has_tried =
            |attempt: &Attempt| attempt.progress.beside.is_some() || attempt.progress.transport != transport;
        let is_left = self.transport == TransportPolicy::Auto
            && last.and_earlier().all(|attempt| attempt.may_mean_other_transport() && !has_tried(attempt));
        let first = last.and_earlier().last()?.request.encryption;
        is_left.then(|| (other(transport), first))
    }

    /// Whether a peer that has closed in the clear is dialled over the other transport at the same time as with encryption: one so
    /// slow that one after the other would take seconds.
    fn is_worth_a_pair(self, first: &Attempt, next: Transport) -> bool {
        let Progress { transport, beside, connect, .. } = &first.progress;
        self.transport == TransportPolicy::Auto
            && (*transport, next) == (Transport::Tcp, Transport::Tcp)
            && first.request.earlier.is_none()
            && beside.is_none()
            && first.was_closed_without_a_word()
            && connect.is_some_and(|connect| connect >= SLOW)
    }

    /// How a peer is encrypted after this first attempt over a transport; `None` when a second would tell nothing new.
    fn second_encryption(self, first: &Attempt) -> Option<Encryption> {
        match (self.encryption, first.request.encryption) {
            (EncryptionPolicy::Off | EncryptionPolicy::Require, _) => None,
            (_, Encryption::None) => first.may_mean_encryption().then_some(Encryption::Rc4),
            _ => first.ended_in_the_handshake().then_some(Encryption::None),
        }
    }
}
