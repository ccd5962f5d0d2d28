//! A peer that serves extensions: hears requests, and answers each in its time.

use tokio::task::JoinSet;

use super::Stop;
use super::speaking::{Speaking, wait};
use crate::serving::{Outgoing, Served, Serving};

impl Speaking<'_> {
    /// To the end of the connection, or to the reply that ends it.
    pub(super) async fn serve(&mut self, serving: &Serving) -> Result<(), Stop> {
        let Some(mut heard) = self.heard.take() else { return Ok(()) };
        let mut served = Served::new(serving);
        let mut waiting = JoinSet::new();
        self.flush().await?;
        loop {
            let due = tokio::select! {
                biased;
                Some(message) = heard.recv() => {
                    let (request, outgoing) = served.hear(&message);
                    if let Some(request) = request {
                        self.account.request(&request);
                    }
                    outgoing
                }
                Some(Ok(outgoing)) = waiting.join_next() => vec![Outgoing { delay: Default::default(), gate: None, ..outgoing }],
                else => return Ok(()),
            };
            for outgoing in due {
                if !outgoing.is_due() {
                    waiting.spawn(later(outgoing));
                    continue;
                }
                self.send(&outgoing).await?;
                if let Some(next) = served.sent(&outgoing) {
                    // One that is due at once has its turn too, so that a flood does not keep requests waiting.
                    waiting.spawn(later(next));
                }
            }
        }
    }

    async fn send(&mut self, outgoing: &Outgoing) -> Result<(), Stop> {
        let (bytes, pause) = outgoing.trickle.unwrap_or((usize::MAX, Default::default()));
        for (number, piece) in outgoing.messages.chunks(bytes.max(1)).enumerate() {
            if number > 0 {
                wait(pause).await;
            }
            self.queue(piece);
            self.flush().await?;
        }
        outgoing.ending.map_or(Ok(()), |ending| Err(Stop::Script(ending)))
    }
}

/// This, once it may go out.
async fn later(outgoing: Outgoing) -> Outgoing {
    wait(outgoing.delay).await;
    if let Some(gate) = &outgoing.gate {
        gate.opened().await;
    }
    outgoing
}
