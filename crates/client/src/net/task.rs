//! Results of tasks.

use tokio::task::JoinError;

/// A task's result. Its panic is a defect in this program and goes on in the task that joins it.
pub(crate) fn settled<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
