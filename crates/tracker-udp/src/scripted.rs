//! A tracker by script, for tests under a paused clock, without sockets and tasks.

use crate::datagrams::Datagrams;
use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, advance, sleep_until};

/// What comes back for one datagram.
pub(crate) enum Back {
    /// A datagram, after some time.
    After(Duration, Vec<u8>),
    /// An error of the socket, on the next receive.
    Error(io::Error),
    /// Datagrams without end, a millisecond apart, always ready.
    Flood(Vec<u8>),
}

impl Back {
    /// A datagram at once.
    pub(crate) fn now(datagram: Vec<u8>) -> Self {
        Self::After(Duration::ZERO, datagram)
    }
}

/// The script and its state.
pub(crate) struct Scripted<F> {
    begun: Instant,
    state: Mutex<State<F>>,
}

struct State<F> {
    script: F,
    sent: Vec<(Duration, Vec<u8>)>,
    send_errors: VecDeque<io::Error>,
    coming: VecDeque<(Instant, io::Result<Vec<u8>>)>,
    flood: Option<Vec<u8>>,
}

impl<F: FnMut(&[u8]) -> Vec<Back>> Scripted<F> {
    /// `script` gives the replies to each datagram.
    pub(crate) fn new(script: F) -> Self {
        let state =
            State { script, sent: Vec::new(), send_errors: VecDeque::new(), coming: VecDeque::new(), flood: None };
        Self { begun: Instant::now(), state: Mutex::new(state) }
    }

    /// Makes the next send fail.
    pub(crate) fn fail_to_send(&self, error: io::Error) {
        self.state.lock().unwrap().send_errors.push_back(error);
    }

    /// The datagrams sent so far, and when.
    pub(crate) fn sent(&self) -> Vec<(Duration, Vec<u8>)> {
        self.state.lock().unwrap().sent.clone()
    }
}

impl<F: FnMut(&[u8]) -> Vec<Back> + Send> Datagrams for Scripted<F> {
    async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap();
        if let Some(error) = state.send_errors.pop_front() {
            return Err(error);
        }
        state.sent.push((now - self.begun, datagram.to_vec()));
        for back in (state.script)(datagram) {
            match back {
                Back::After(delay, datagram) => state.coming.push_back((now + delay, Ok(datagram))),
                Back::Error(error) => state.coming.push_back((now, Err(error))),
                Back::Flood(datagram) => state.flood = Some(datagram),
            }
        }
        state.coming.make_contiguous().sort_by_key(|&(at, _)| at);
        Ok(())
    }

    async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (flood, at) = {
            let state = self.state.lock().unwrap();
            (state.flood.clone(), state.coming.front().map(|&(at, _)| at))
        };
        let datagram = match (flood, at) {
            (Some(datagram), _) => {
                advance(Duration::from_millis(1)).await;
                datagram
            }
            (None, None) => std::future::pending().await,
            (None, Some(at)) => {
                sleep_until(at).await;
                self.state.lock().unwrap().coming.pop_front().unwrap().1?
            }
        };
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok(datagram.len())
    }
}
