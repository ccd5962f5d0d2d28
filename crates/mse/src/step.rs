//! The loop that takes both sides from state to state.

use crate::error::Error;
use std::mem;

/// The result of one step.
pub(crate) enum Step<S, T> {
    /// The next state, whose bytes may have arrived already.
    Next(S),
    /// The same state: more bytes are needed.
    Wait(S),
    /// The handshake is complete.
    Done(T),
}

/// Takes steps until one needs more bytes, and stores that state in `kept`. After success or an error `kept` is the default
/// state, in which the handshake is over.
pub(crate) fn run<S: Default, T>(
    kept: &mut S,
    mut step: impl FnMut(S) -> Result<Step<S, T>, Error>,
) -> Result<Option<T>, Error> {
    let mut state = mem::take(kept);
    loop {
        state = match step(state)? {
            Step::Next(next) => next,
            Step::Wait(state) => {
                *kept = state;
                return Ok(None);
            }
            Step::Done(done) => return Ok(Some(done)),
        };
    }
}
