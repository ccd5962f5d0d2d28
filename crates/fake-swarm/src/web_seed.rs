//! A web seed (BEP 19, BEP 17) on loopback.

mod reply;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::by_hand::{forever, read_head, trickle};
use crate::error::Error;
use crate::request::Request;
use crate::server::{self, Server};
use crate::state::State;
use crate::web_site::{WebSeedScript, WebSite};
use reply::{Body, Reply};

/// How long a connection may last: longer than any deadline of the code under test, so that its own deadlines are seen.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much of a body goes into one write.
const AT_ONCE: usize = 64 * 1024;

/// Connections whose times are remembered.
const TIMES: usize = 10_000;

/// A web server that answers by the scripts of its [`WebSite`], and remembers what it was asked. Connections are kept alive.
///
/// Dropping it closes everything.
#[derive(Debug)]
pub struct FakeWebSeed {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _server: Server,
}

/// What a [`FakeWebSeed`] has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSeedCounts {
    /// Connections accepted.
    pub connections: usize,
    /// The most connections that were open at once.
    pub peak_connections: usize,
    /// The most requests that were being answered at once.
    pub peak_requests: usize,
    /// Bytes handed to the kernel, heads included; a client that closes has read fewer.
    pub bytes_sent: u64,
    /// When each connection was accepted; the first 10,000.
    pub times: Vec<Instant>,
    open: usize,
    answering: usize,
}

#[derive(Debug)]
struct Shared {
    state: State<WebSite, Request>,
    counts: Mutex<WebSeedCounts>,
}

impl FakeWebSeed {
    /// Starts a web seed on 127.0.0.1 and a port of the kernel's choice, on the current runtime.
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on).
    pub fn start(site: impl Into<WebSite>) -> Result<Self, Error> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), site)
    }

    /// Starts a web seed on this loopback address, of IPv4 or IPv6; port 0 leaves the choice to the kernel.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for any other address, [`Error::NoRuntime`] outside a tokio runtime, [`Error::Listen`] if
    /// the system refuses a socket.
    pub fn start_on(addr: SocketAddr, site: impl Into<WebSite>) -> Result<Self, Error> {
        let (listener, addr) = server::listen(addr)?;
        let shared = Arc::new(Shared { state: State::new(site.into()), counts: Mutex::default() });
        let server = Server::spawn(listener, {
            let shared = Arc::clone(&shared);
            move |stream, remote| {
                // Counted before the first byte is read, in the order of the kernel.
                let counted = Counted::connection(&shared);
                async move {
                    // The end of a connection is judged by the client under test, not here.
                    let _ = tokio::time::timeout(PATIENCE, serve(stream, remote, &counted.0)).await;
                }
            }
        });
        Ok(Self { addr, shared, _server: server })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path: `http://127.0.0.1:PORT` and the path as it is.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Answers by another site from the next request on.
    pub fn set_site(&self, site: impl Into<WebSite>) {
        self.shared.state.set_script(site.into());
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counts(&self) -> WebSeedCounts {
        self.shared.counts(|counts| counts.clone())
    }

    /// The requests so far, in the order their heads were complete; the first 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state.questions()
    }

    /// Waits until a request satisfies the predicate, one that has come already or one to come; `false` if none did
    /// before the timeout.
    pub async fn wait_for(&self, wanted: impl FnMut(&Request) -> bool, timeout: Duration) -> bool {
        self.shared.state.wait_for(wanted, timeout).await
    }
}

impl Shared {
    fn counts<T>(&self, with: impl FnOnce(&mut WebSeedCounts) -> T) -> T {
        with(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection that counts as open until this goes.
struct Counted(Arc<Shared>);

impl Counted {
    fn connection(shared: &Arc<Shared>) -> Self {
        shared.counts(|counts| {
            counts.connections += 1;
            counts.open += 1;
            counts.peak_connections = counts.peak_connections.max(counts.open);
            if counts.times.len() < TIMES {
                counts.times.push(Instant::now());
            }
        });
        Self(Arc::clone(shared))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.counts(|counts| counts.open -= 1);
    }
}

/// A request that counts as being answered until this goes.
struct Answering<'s>(&'s Shared);

impl<'s> Answering<'s> {
    fn begin(shared: &'s Shared) -> Self {
        shared.counts(|counts| {
            counts.answering += 1;
            counts.peak_requests = counts.peak_requests.max(counts.answering);
        });
        Self(shared)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.counts(|counts| counts.answering -= 1);
    }
}

/// Answers the connection's requests, one after the other.
async fn serve(mut stream: TcpStream, remote: SocketAddr, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let head = read_head(&mut stream).await?;
        let request = Request::parse(&head, remote);
        let _answering = Answering::begin(shared);
        let site = shared.state.script();
        shared.state.record(request.clone());
        let path = request.decoded_path();
        let mut script = site.script(&path);
        while let WebSeedScript::Delay(delay, then) = script {
            tokio::time::sleep(*delay).await;
            script = then;
        }
        let mut sending = Sending { stream: &mut stream, shared };
        if let Some(reply) = reply::of(script, site.content(&path), &request) {
            send(&mut sending, &reply).await?;
            continue;
        }
        match script {
            WebSeedScript::Raw(bytes) => {
                sending.write_all(bytes).await?;
                sending.shutdown().await?;
            }
            WebSeedScript::RawKeepOpen(bytes) => sending.write_all(bytes).await?,
            WebSeedScript::Endless { first, then } => {
                sending.write_all(first).await?;
                forever(&mut sending, then).await?;
            }
            WebSeedScript::Trickle { first, then } => {
                sending.write_all(first).await?;
                trickle(&mut sending, then).await?;
            }
            WebSeedScript::CloseAtOnce => sending.shutdown().await?,
            _ => {}
        }
        // Until the client closes: to close with bytes unread would be a reset.
        while stream.read(&mut [0; 1024]).await? > 0 {}
        return Ok(());
    }
}

/// Sends a reply, the body in parts.
async fn send(stream: &mut Sending<'_>, reply: &Reply<'_>) -> io::Result<()> {
    stream.write_all(reply.head.as_bytes()).await?;
    let Body { file, first, count } = &reply.body;
    let mut sent = 0;
    while sent < *count {
        let most = AT_ONCE.min(usize::try_from(count - sent).unwrap_or(AT_ONCE));
        let mut bytes = file.bytes(first.saturating_add(sent), most);
        // Where the file ends before its body does.
        bytes.resize(most, 0);
        stream.write_all(&bytes).await?;
        sent += most as u64;
    }
    Ok(())
}

/// A stream whose written bytes are counted.
struct Sending<'s> {
    stream: &'s mut TcpStream,
    shared: &'s Shared,
}

impl AsyncWrite for Sending<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.shared.counts(|counts| counts.bytes_sent += count as u64);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
