//! JSON lines, told apart: one line in memory at a time.

use std::io::{self, BufRead, Read};

/// Most bytes of a line that is read. A `summary` names at most 1,000 files, clients and ranges; of a `torrent` line, which may list a
/// million files, nothing is used.
const LONGEST: u64 = 16 << 20;

/// What was left out of a file of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    lines: u64,
    /// Lines that are none of the report, and the number of the first.
    foreign: u64,
    first: u64,
    /// Whether the last line has no end.
    is_torn: bool,
}

/// Hands on each line until the end. Lines that are not taken are counted; an empty line is nothing.
pub(super) fn each(mut from: impl BufRead, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(left_out);
        }
        let is_whole = line.ends_with(b"\n");
        let is_long = !is_whole && line.len() as u64 == LONGEST;
        if is_long {
            from.skip_until(b'\n')?;
        }
        left_out.lines += 1;
        if !line.trim_ascii().is_empty() && (is_long || !take(&line)) {
            if is_whole || is_long {
                left_out.foreign += 1;
                left_out.first = if left_out.foreign == 1 { left_out.lines } else { left_out.first };
            } else {
                left_out.is_torn = true;
            }
        }
    }
}

impl LeftOut {
    /// Whether nothing at all was taken of something.
    pub(super) fn is_everything(&self) -> bool {
        self.lines > 0 && self.foreign + u64::from(self.is_torn) == self.lines
    }

    /// One line on each thing that was left out.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let Self { lines, foreign, first, is_torn } = *self;
        let foreign = (foreign > 0).then(|| {
            format!("left out {foreign} of {lines} lines that are none of a JSON report; the first is line {first}")
        });
        let torn = is_torn.then(|| format!("left out line {lines}, the last, which is cut short"));
        foreign.into_iter().chain(torn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<String>, LeftOut) {
        let mut taken = Vec::new();
        let left_out = each(text, |line| {
            let line = String::from_utf8_lossy(line).trim_end().to_owned();
            let is_taken = line.starts_with('{') && line.ends_with('}');
            is_taken.then(|| taken.push(line)).is_some()
        });
        (taken, left_out.unwrap())
    }

    #[test]
    fn what_is_no_line_is_counted() {
        let (taken, left_out) = read(b"{1}\nx\n\n{2}\r\ny\n{3");
        assert_eq!(taken, ["{1}", "{2}"]);
        let notes: Vec<_> = left_out.notes().collect();
        assert_eq!(
            notes,
            [
                "left out 2 of 6 lines that are none of a JSON report; the first is line 2",
                "left out line 6, the last, which is cut short"
            ]
        );
        assert!(!left_out.is_everything() && read(b"x\ny").1.is_everything() && !read(b"").1.is_everything());
        // A last line without its end that is whole.
        assert_eq!(read(b"{1}\n{2}").1.notes().count(), 0);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_and_is_not_kept() {
        let long = vec![b'x'; usize::try_from(LONGEST).unwrap() + 5];
        let (taken, left_out) = read(&[&long[..], b"\n{1}\n"].concat());
        assert_eq!((taken.len(), left_out.lines, left_out.foreign, left_out.first), (1, 2, 1, 1));
    }
}
