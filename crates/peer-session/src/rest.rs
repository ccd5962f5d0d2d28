//! What is left of a conversation once the peer has said all of itself: what extensions wait for.

use crate::listen::{ListenEnd, Listener};
use crate::rules::Rules;
use crate::secure::{Ciphers, Secured};
use std::fmt;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

/// The rest of a conversation, in which nothing is learned of the peer itself: its [`Progress`](crate::Progress) is complete. An
/// extension waits for more, such as the first list of peers, or metadata.
pub struct Rest {
    listener: Listener,
    ciphers: Option<Box<Ciphers>>,
    received: usize,
}

impl Rest {
    pub(crate) fn new(listener: Listener, ciphers: Option<Box<Ciphers>>, received: usize) -> Self {
        Self { listener, ciphers, received }
    }

    /// Bytes received from the peer so far, in the whole conversation.
    #[must_use]
    pub fn received(&self) -> usize {
        self.received
    }

    /// Goes on, with the stream and the rules of the conversation, until the extensions wait for nothing more or the time is up; says
    /// why it stopped. The stream is left open.
    pub async fn listen<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, rules: &Rules) -> ListenEnd {
        let Self { listener, ciphers, received } = self;
        let alarm = pin!(sleep_until(Instant::now()));
        match ciphers.take() {
            None => listener.listen(stream, alarm, rules, None, received).await,
            Some(ciphers) => {
                let mut secured = Secured { stream, ciphers };
                // On the heap, so that the rest of a conversation in the clear does not hold it.
                Box::pin(listener.listen(&mut secured, alarm, rules, None, received)).await
            }
        }
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("received", &self.received).finish_non_exhaustive()
    }
}
