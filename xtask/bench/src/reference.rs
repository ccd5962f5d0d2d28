//! The reference limit: the least work that leaves a tape with which values can be found again. It checks that the
//! structure is sound and every length is in bounds, and nothing else: no canonical form, no order of keys, no limits
//! but depth, no word on what was wrong. Nobody should use it.

/// Kind and offset in one word, and a string's header length or a container's next sibling.
#[expect(dead_code, reason = "nobody reads this tape")]
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

pub(crate) fn parse(input: &[u8]) -> Option<Vec<Token>> {
    let mut tape = Vec::with_capacity(input.len() / 8 + 8);
    let mut open = [0_u32; DEPTH];
    // A bit for each depth would do; the parity of what a dictionary has seen lives beside its index.
    let mut pending = [false; DEPTH];
    let mut depth = 0_usize;
    let mut dict = false;
    let mut key = false;
    let mut at = 0_usize;
    loop {
        let first = *input.get(at)?;
        if dict {
            key = !key;
            if key && !first.is_ascii_digit() && first != b'e' {
                return None;
            }
        }
        match first {
            b'0'..=b'9' => {
                let start = at;
                let length = number(input, &mut at)?;
                if input.get(at) != Some(&b':') {
                    return None;
                }
                at += 1;
                tape.push(Token { word: STRING | start as u32, extra: (at - start) as u32 });
                if length > input.len() - at {
                    return None;
                }
                at += length;
            }
            b'i' => {
                tape.push(Token { word: INTEGER | at as u32, extra: 0 });
                at += 1;
                if input.get(at) == Some(&b'-') {
                    at += 1;
                }
                number(input, &mut at)?;
                if input.get(at) != Some(&b'e') {
                    return None;
                }
                at += 1;
            }
            b'l' | b'd' => {
                *open.get_mut(depth)? = tape.len() as u32;
                pending[depth] = dict;
                depth += 1;
                dict = first == b'd';
                key = false;
                tape.push(Token { word: (if dict { DICT } else { LIST }) | at as u32, extra: 0 });
                at += 1;
            }
            b'e' if depth > 0 && (!dict || key) => {
                depth -= 1;
                tape.push(Token { word: END | at as u32, extra: 0 });
                let next = tape.len() as u32;
                tape[open[depth] as usize].extra = next;
                dict = pending[depth];
                key = false;
                at += 1;
            }
            _ => return None,
        }
        if depth == 0 {
            tape.push(Token { word: END | at as u32, extra: 0 });
            return (at == input.len()).then_some(tape);
        }
    }
}

/// At least one digit, at most what fits.
#[inline(always)]
fn number(input: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    let start = *at;
    while let Some(digit) = input.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        value = value.checked_mul(10)?.checked_add(usize::from(digit))?;
        *at += 1;
    }
    (*at > start).then_some(value)
}
