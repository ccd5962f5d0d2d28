//! Where a body goes.

use crate::response::Response;

/// Where the body of a reply goes, as it comes. A `Vec<u8>` keeps it.
pub trait Sink {
    /// Called once, with the head: how many bytes of the body are read at most, within the limit of the request. A longer body
    /// is cut there, which closes the connection. Not called for a redirect, whose body is not read.
    fn head(&mut self, head: &Response) -> usize {
        let _ = head;
        usize::MAX
    }

    /// Called with the bytes of the body in their order, without the framing of chunks.
    fn bytes(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
