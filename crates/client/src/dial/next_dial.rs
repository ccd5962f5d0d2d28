//! When the next attempt can begin, and the wait until then.

use crate::shared::Shared;
use crate::shared::permits::ConnectionPermit;
use tokio::time::{Instant, sleep_until};

/// When the next attempt can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextDial {
    /// At once, after other tasks have had a turn.
    Now,
    /// When the pace allows, or a further attempt is due.
    At(Instant),
    /// When there is a connection permit.
    Permit,
    /// Not before something else has happened.
    Later,
}

impl NextDial {
    /// Waits until then, and gives the permit that was waited for; [`NextDial::Later`] is not waited for.
    pub(crate) async fn wait(self, shared: &Shared) -> Option<ConnectionPermit> {
        match self {
            Self::Now => tokio::task::yield_now().await,
            Self::At(at) => sleep_until(at).await,
            Self::Permit => return shared.connections().acquire().await,
            Self::Later => {}
        }
        None
    }
}
