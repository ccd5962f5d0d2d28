//! Ctrl-C and its kin: once to report and leave, twice to leave now.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The wish to end.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next SIGINT, SIGTERM or SIGHUP. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// What each run hears of the signals: how many there have been.
#[derive(Debug)]
pub(crate) struct Interrupts {
    count: watch::Receiver<usize>,
    heard: usize,
}

impl Interrupts {
    /// Hears those that come from now on.
    pub(crate) fn new(count: &watch::Sender<usize>) -> Self {
        let count = count.subscribe();
        let heard = *count.borrow();
        Self { count, heard }
    }

    /// Waits for the next one; each is heard, also when two came at once. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        let heard = self.heard;
        if self.count.wait_for(|count| *count > heard).await.is_err() {
            // Nobody is left to signal.
            std::future::pending::<()>().await;
        }
        self.heard += 1;
    }
}
