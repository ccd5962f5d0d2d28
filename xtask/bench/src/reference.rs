//! The reference: the least work that leaves a tape on which values can be found again. It checks the structure and the
//! bounds of lengths only: no canonical form, no order of keys, no limit but depth, no reason of a failure. For this bench
//! only.

/// Kind and offset in one word, and a string's header length or a container's next sibling.
pub(crate) struct Token {
    pub(crate) word: u32,
    pub(crate) extra: u32,
}

const INTEGER: u32 = 0 << 29;
const STRING: u32 = 1 << 29;
const LIST: u32 = 2 << 29;
const DICT: u32 = 3 << 29;
const END: u32 = 4 << 29;

const DEPTH: usize = 256;
const NOTHING: u32 = u32::MAX;

pub(crate) fn parse(input: &[u8]) -> Option<Vec<Token>> {
    let mut tape = Vec::with_capacity(input.len() / 4 + 8);
    // `open` is the innermost open container; until its end is known, its `extra` holds its parent.
    let mut open = NOTHING;
    let mut dict = false;
    let mut depth = 0_usize;
    let mut at = 0_usize;
    loop {
        let mut first = *input.get(at)?;
        if dict && first != b'e' {
            at = string(input, at, &mut tape)?;
            first = *input.get(at)?;
            if first == b'e' {
                return None;
            }
        }
        if first.is_ascii_digit() {
            at = string(input, at, &mut tape)?;
        } else if first == b'i' {
            tape.push(Token { word: INTEGER | at as u32, extra: 0 });
            at = integer(input, at)?;
        } else if first == b'e' && open != NOTHING {
            tape.push(Token { word: END | at as u32, extra: 0 });
            let next = tape.len() as u32;
            let token = tape.get_mut(open as usize)?;
            open = std::mem::replace(&mut token.extra, next);
            dict = tape.get(open as usize).is_some_and(|token| token.word >> 29 == DICT >> 29);
            depth -= 1;
            at += 1;
        } else if (first == b'l' || first == b'd') && depth < DEPTH {
            let parent = std::mem::replace(&mut open, tape.len() as u32);
            dict = first == b'd';
            depth += 1;
            tape.push(Token { word: (if dict { DICT } else { LIST }) | at as u32, extra: parent });
            at += 1;
        } else {
            return None;
        }
        if open == NOTHING {
            tape.push(Token { word: END | at as u32, extra: 0 });
            return (at == input.len()).then_some(tape);
        }
    }
}

/// Returns the end of the string at `at`.
#[inline(always)]
fn string(input: &[u8], at: usize, tape: &mut Vec<Token>) -> Option<usize> {
    let (length, begin) = match input.get(at..)? {
        [a @ b'0'..=b'9', b':', ..] => (usize::from(a & 15), at + 2),
        [a @ b'0'..=b'9', b @ b'0'..=b'9', b':', ..] => (usize::from(a & 15) * 10 + usize::from(b & 15), at + 3),
        _ => long_length(input, at)?,
    };
    tape.push(Token { word: STRING | at as u32, extra: (begin - at) as u32 });
    (length <= input.len() - begin).then(|| begin + length)
}

/// A length of any number of digits, and where the string's bytes begin.
#[inline(never)]
fn long_length(input: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut length = 0_usize;
    let start = at;
    while let Some(digit) = input.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        length = length.checked_mul(10)?.checked_add(usize::from(digit))?;
        at += 1;
    }
    (at > start && input.get(at) == Some(&b':')).then_some((length, at + 1))
}

/// Returns the end of the integer at `at`, whose value is not needed.
#[inline(always)]
fn integer(input: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    if input.get(at) == Some(&b'-') {
        at += 1;
    }
    let start = at;
    while input.get(at)?.is_ascii_digit() {
        at += 1;
    }
    (at > start && input.get(at) == Some(&b'e')).then_some(at + 1)
}
