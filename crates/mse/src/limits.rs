//! Bounds of the handshake, and the constant that both sides prove their key with.

/// The longest pad, in bytes: MSE lets each side choose 0 to 512 for each of its pads.
pub const MAX_PAD: usize = 512;

/// The longest initial payload, in bytes: its length is sent in 16 bits.
pub const MAX_INITIAL_PAYLOAD: usize = 0xffff;

/// The verification constant: each side encrypts it first, to show that it has the key.
pub(crate) const VC: [u8; 8] = [0; 8];
