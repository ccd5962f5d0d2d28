//! The group of MSE's Diffie-Hellman: 768 bits, generator 2.

use std::sync::LazyLock;

use num_bigint::BigUint;

/// The length of a public key and of the shared secret in bytes.
pub const KEY_LENGTH: usize = 96;

/// The prime, in big-endian order: Oakley group 1 (RFC 2409), but for its last bytes.
#[rustfmt::skip]
const PRIME: [u8; KEY_LENGTH] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34,
    0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1, 0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74,
    0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22, 0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd,
    0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d, 0xf2, 0x5f, 0x14, 0x37,
    0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51, 0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6,
    0xf4, 0x4c, 0x42, 0xe9, 0xa6, 0x3a, 0x36, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x05, 0x63,
];

/// Degenerate public keys, with which the secret is known without a private key; an initiator must refuse them: 0, 1, the prime less 1, the prime, and
/// the prime plus 1.
pub const DEGENERATE_KEYS: [[u8; KEY_LENGTH]; 5] =
    [[0; KEY_LENGTH], ending(&[0; KEY_LENGTH], 1), ending(&PRIME, 0x62), PRIME, ending(&PRIME, 0x64)];

static MODULUS: LazyLock<BigUint> = LazyLock::new(|| BigUint::from_bytes_be(&PRIME));

/// The public key of a private one.
pub(crate) fn public_key(private: &[u8; 20]) -> [u8; KEY_LENGTH] {
    padded(&BigUint::from(2_u8).modpow(&BigUint::from_bytes_be(private), &MODULUS))
}

/// This private key or one of the next, and the secret shared with the owner of a public key, so that the secret begins with a
/// zero byte or does not, as wanted. For a degenerate public key the search may be in vain, and then it is this key.
pub(crate) fn agree(private: &[u8; 20], theirs: &[u8; KEY_LENGTH], short: bool) -> ([u8; 20], [u8; KEY_LENGTH]) {
    /// One in 256 will do.
    const MOST: u32 = 1 << 14;
    let (base, exponent) = (BigUint::from_bytes_be(theirs), BigUint::from_bytes_be(private));
    let first = base.modpow(&exponent, &MODULUS);
    let secrets = std::iter::successors(Some(first.clone()), |secret| Some(secret * &base % &*MODULUS));
    let fits = |secret: &BigUint| padded::<KEY_LENGTH>(secret).starts_with(&[0]) == short;
    let (number, secret) = (0..MOST).zip(secrets).find(|(_, secret)| fits(secret)).unwrap_or((0, first));
    (padded(&(exponent + number)), padded(&secret))
}

/// In big-endian order, with leading zeros.
fn padded<const N: usize>(number: &BigUint) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().rev().zip(number.to_bytes_le()).for_each(|(slot, byte)| *slot = byte);
    bytes
}

/// These bytes with another at the end.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn ending(bytes: &[u8; KEY_LENGTH], last: u8) -> [u8; KEY_LENGTH] {
    let mut bytes = *bytes;
    bytes[KEY_LENGTH - 1] = last;
    bytes
}
