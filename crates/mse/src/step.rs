//! How both sides go from state to state.

use crate::Error;
use std::mem;

/// What became of a state.
pub(crate) enum Step<S, T> {
    /// The next one may have its bytes already.
    Next(S),
    /// More bytes are needed first.
    Wait(S),
    /// That was the last.
    Done(T),
}

/// Takes steps until one has to wait, and keeps the state that waits. After an end of either kind the default state is
/// left, which is the one that has ended.
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
