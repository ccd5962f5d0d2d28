//! What a peer is, by what it said alone: the last step before it is compared with others.

use crate::census::role::conclude;
use crate::dial::peer_error::text;
use crate::dial::story::{Story, listen_end};
use guard::Secrets;
use peer_session::Silence;
use report::{Completeness, Oddity, Role};

impl Story {
    /// Judges what the peer said, by the number of pieces as far as that is known: afterwards its report has all that it
    /// says of the peer alone, its extension handshake included. Gives what its silence about pieces means.
    pub(crate) fn judge(&mut self, pieces: Option<u32>, secrets: &Secrets) -> Option<Silence> {
        let Self { report, said } = self;
        if let Some(Err(violation)) = pieces.map(|pieces| said.settle(pieces)) {
            let end = peer_session::ListenEnd::Violation(violation);
            (report.listen_end, report.error) = (Some(listen_end(&end)), Some(text(&end, secrets)));
            report.extension = std::mem::take(said).extension;
        }
        report.oddities = said.oddities.iter().filter_map(oddity).collect();
        let silence = report.theirs.and_then(|theirs| said.silence(theirs.peer_id));
        (report.role, report.role_from) = conclude(said, silence, pieces);
        let completeness = |pieces| Some(Completeness { have: said.pieces.count(pieces)?, pieces });
        // A super-seeding peer hides what it has: what it says is not what it has.
        report.completeness = pieces.filter(|_| report.role != Role::SuperSeed).and_then(completeness);
        report.extension = said.extension.take().or(report.extension.take());
        silence
    }
}

/// The codes of both are the same.
fn oddity(oddity: peer_session::Oddity) -> Option<Oddity> {
    oddity.code().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oddity_of_a_conversation_is_one_of_a_report() {
        let told: Vec<_> = peer_session::Oddity::ALL.into_iter().filter_map(oddity).collect();
        assert_eq!(told, Oddity::ALL);
    }
}
