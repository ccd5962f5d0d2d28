//! Sequence numbers, which wrap after 65,535.

/// How far `to` is ahead of `from`, negative if it is behind.
pub(crate) fn distance(from: u16, to: u16) -> i32 {
    to.wrapping_sub(from).cast_signed().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_way_counts() {
        for (from, to, expected) in
            [(1, 1, 0), (1, 3, 2), (3, 1, -2), (65535, 0, 1), (0, 65535, -1), (0, 0x7fff, 0x7fff), (0, 0x8000, -0x8000)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
