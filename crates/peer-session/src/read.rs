//! Reading without a buffer to wait with.

use crate::dump;
use bytes::BytesMut;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Room for each read: a handshake, and what clients send along with it, have 300 bytes or so.
const READ_BYTES: usize = 2048;

/// One read, appended to `into`; 0 at the end of the stream. The room for it is on the stack while the system fills it, so
/// that a connection which waits holds none. May be cancelled without losing anything.
pub(crate) fn read_some<S: AsyncRead + Unpin>(
    stream: &mut S,
    into: &mut BytesMut,
) -> impl Future<Output = io::Result<usize>> + Unpin {
    poll_fn(move |context| {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut room = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut room))?;
        dump::received(room.filled());
        into.extend_from_slice(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    })
}
