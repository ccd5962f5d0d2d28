//! What carries a conversation with a peer, and whether it is encrypted: two axes.

use crate::code::codes;

codes! {
    /// What carried the bytes.
    #[derive(Default)]
    pub enum Transport {
        /// TCP.
        #[default]
        Tcp = "tcp",
        /// uTP (BEP 29), over UDP.
        Utp = "utp",
    }
}

codes! {
    /// How the bytes were encrypted (Message Stream Encryption).
    #[derive(Default)]
    pub enum Encryption {
        /// In the clear.
        #[default]
        None = "none",
        /// An encrypted handshake, and a plaintext stream behind it. We offer RC4 alone so far, so that no peer chooses it.
        Header = "header",
        /// Everything, with RC4.
        Rc4 = "rc4",
    }
}

impl Encryption {
    /// Whether there was an encrypted handshake, or an attempt at one.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        self != Self::None
    }
}
