//! The Diffie-Hellman key agreement: 768 bits, generator 2, exponents of 160 bits.

use crate::error::Error;
use crate::secret::{Number, SharedSecret};
use crypto_bigint::modular::ConstMontyParams;
use crypto_bigint::{U192, U768, const_monty_form, const_monty_params};

const_monty_params!(
    Group,
    U768,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B\
     302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563",
    "The integers modulo P."
);
const_monty_form!(Element, Group, "An integer modulo P.");

/// Public keys are powers of 2.
const GENERATOR: Element = Element::new(&U768::from_u8(2));

/// A private exponent.
pub(crate) struct PrivateKey(U192);

impl PrivateKey {
    /// Its length in bits: clients use 160, MSE allows 128 to 180.
    const BITS: u32 = 160;

    /// From random bytes. The highest bit is always set, so that the exponent is never so small that the peer has to refuse
    /// the key.
    pub(crate) fn new(entropy: [u8; 20]) -> Self {
        let mut padded = [0; 24];
        padded.iter_mut().rev().zip(entropy.iter().rev()).for_each(|(to, from)| *to = *from);
        Self(U192::from_be_slice(&padded) | U192::ONE.shl(Self::BITS - 1))
    }

    /// The same for the initiator. Its public key never looks like the beginning of a plaintext handshake: Transmission 3.00
    /// looks only at the first byte.
    pub(crate) fn of_initiator(entropy: [u8; 20]) -> Self {
        /// The first byte of a plaintext handshake: the length of the protocol's name (BEP 3).
        const NAME_LENGTH: u8 = 19;
        let key = Self::new(entropy);
        // The exponent beside it doubles or halves the public key, which then has another first byte.
        if key.public_key().starts_with(&[NAME_LENGTH]) { Self(key.0 ^ U192::ONE) } else { key }
    }

    /// The public key to send.
    pub(crate) fn public_key(&self) -> Number {
        self.raise(&GENERATOR)
    }

    /// The secret shared with the sender of this public key.
    pub(crate) fn agree(&self, theirs: &Number) -> Result<SharedSecret, Error> {
        let theirs = U768::from_be_slice(theirs);
        for key in [0, 1] {
            if theirs == U768::from_u8(key) {
                return Err(Error::PublicKeyTooSmall { key });
            }
        }
        // The modulus is not 0, so this never wraps.
        if theirs >= Group::PARAMS.modulus().as_ref().wrapping_sub(&U768::ONE) {
            return Err(Error::PublicKeyTooLarge);
        }
        Ok(SharedSecret::new(self.raise(&Element::new(&theirs))))
    }

    /// `base` to the power of the exponent, in constant time.
    fn raise(&self, base: &Element) -> Number {
        base.pow_bounded_exp(&self.0, Self::BITS).retrieve().to_be_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P - 2 + `above`.
    fn near_the_modulus(above: u8) -> Number {
        let mut key: Number = Group::PARAMS.modulus().as_ref().to_be_bytes().into();
        // P ends in 0x63.
        key[95] = 0x62 - 1 + above;
        key
    }

    fn small(value: u8) -> Number {
        let mut key = [0; 96];
        key[95] = value;
        key
    }

    #[test]
    fn public_keys_that_reveal_the_secret_are_refused() {
        let private = PrivateKey::new([7; 20]);
        for (key, expected) in [
            (small(0), Some(Error::PublicKeyTooSmall { key: 0 })),
            (small(1), Some(Error::PublicKeyTooSmall { key: 1 })),
            (small(2), None),
            (near_the_modulus(0), None),
            (near_the_modulus(1), Some(Error::PublicKeyTooLarge)),
            (near_the_modulus(2), Some(Error::PublicKeyTooLarge)),
            (near_the_modulus(3), Some(Error::PublicKeyTooLarge)),
            ([0xff; 96], Some(Error::PublicKeyTooLarge)),
        ] {
            assert_eq!(private.agree(&key).err(), expected);
        }
    }

    #[test]
    fn any_entropy_makes_an_acceptable_public_key() {
        let (low, high) = (PrivateKey::new([0; 20]), PrivateKey::new([0xff; 20]));
        assert!(low.agree(&high.public_key()).is_ok());
        assert!(high.agree(&low.public_key()).is_ok());
        // Only the highest bit does not come from the entropy.
        let mut top = [0; 20];
        top[0] = 0x80;
        assert_eq!(low.public_key(), PrivateKey::new(top).public_key());
        top[19] = 1;
        assert_ne!(low.public_key(), PrivateKey::new(top).public_key());
    }
}
