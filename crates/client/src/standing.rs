//! What came of asking a peer for metadata or piece layers, as reports have it.

use peer_session::Standing;
use report::MetadataStanding;

pub(crate) fn standing(standing: Standing) -> MetadataStanding {
    // Both have the same codes.
    standing.code().parse().unwrap_or(MetadataStanding::Asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standing_has_its_code() {
        use Standing::{
            Asked, NoSize, OtherSize, Rejected, TimedOut, TooLarge, Unreadable, WrongBytes, WrongLength, WrongTotal,
        };
        let all =
            [Asked, NoSize, TooLarge, OtherSize, Rejected, TimedOut, WrongTotal, WrongLength, Unreadable, WrongBytes];
        assert_eq!(all.map(|one| standing(one).code()), all.map(Standing::code));
        assert_eq!(all.map(standing), MetadataStanding::ALL);
    }
}
