//! Opens the connection of an attempt: by one transport, and by the other beside it when that has been silent for longer than a round
//! trip takes.

use crate::dial::attempt::{Beside, DialRequest, Failure, Progress};
use crate::dial::peer_context::PeerContext;
use crate::dial::peer_error::PeerError;
use crate::dial::round_trips::SYN_AGAIN;
use crate::dial::stream::Stream;
use crate::dial::time_limits::SLOWEST;
use crate::net::connect::{ConnectError, connect};
use crate::shared::udp::utp_stream::UtpStream;
use peer_session::{before, end};
use report::{Outcome, Transport};
use std::io;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// When the alarm of an attempt that has just begun has to ring first.
pub(crate) fn first_alarm(request: &DialRequest, context: &PeerContext) -> Instant {
    end(Instant::now(), context.limits.first_look(request.may_try_both))
}

/// A connection, or why there is none.
type Opened = Result<Stream, Failure>;

/// Opens a connection before the alarm rings, which is set to [`first_alarm`]. What is learned on the way is in `progress`.
#[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
pub(crate) fn open(
    request: &DialRequest,
    context: &PeerContext,
    mut alarm: Pin<&mut Sleep>,
    progress: &mut Progress,
) -> impl Future<Output = Opened> + Send {
    async move {
        let begun = Instant::now();
        let opening = Opening { begun, request, context };
        // What follows is on the heap in both cases: most attempts are over TCP, and have no room for it.
        let later = if request.transport == Transport::Utp {
            Box::pin(utp_first(opening, alarm, progress))
        } else {
            let mut tcp = pin!(connect::<Stream>(request.address, context.route));
            let silent = match before(alarm.as_mut(), tcp.as_mut()).await {
                Some(opened) => {
                    if opened.as_ref().is_err_and(ConnectError::is_refusal) {
                        context.expectations.round_trips.add(begun.elapsed());
                    }
                    return Ok(opened?);
                }
                None => Box::pin(silent(tcp, opening, alarm, progress)),
            };
            return silent.await;
        };
        later.await
    }
}

/// What the opening of one connection works with.
#[derive(Clone, Copy)]
struct Opening<'a> {
    begun: Instant,
    request: &'a DialRequest,
    context: &'a PeerContext,
}

impl Opening<'_> {
    /// When an answer over a transport is overdue that was tried first at this time.
    fn overdue(&self, over: Transport, since: Instant) -> Option<Instant> {
        let known = self.request.round_trip();
        // The user's are few, and waited for however slow they are.
        if self.request.by_user && known.is_some_and(|known| known >= SLOWEST) {
            return None;
        }
        let time = self.context.limits.opening(over, &self.context.expectations.round_trips, known);
        time.map(|time| end(since, time))
    }
}

async fn utp_first(opening: Opening<'_>, mut alarm: Pin<&mut Sleep>, progress: &mut Progress) -> Opened {
    let mut utp = pin!(utp(opening.request, opening.context));
    match before(alarm.as_mut(), utp.as_mut()).await {
        Some(opened) => opened,
        None => Box::pin(silent(utp, opening, alarm, progress)).await,
    }
}

/// Opens a connection by one transport.
fn boxed<'a>(
    transport: Transport,
    request: &'a DialRequest,
    context: &'a PeerContext,
) -> Pin<Box<dyn Future<Output = Opened> + Send + 'a>> {
    match transport {
        Transport::Utp => Box::pin(utp(request, context)),
        _ => Box::pin(async { Ok(connect::<Stream>(request.address, context.route).await?) }),
    }
}

async fn utp(request: &DialRequest, context: &PeerContext) -> Opened {
    let (to, begun) = (request.address, Instant::now());
    context.route.source(to).map_err(ConnectError::Unchosen)?;
    let socket = context.shared.udp().socket(context.route, to.is_ipv6());
    let again = context.limits.syn_again(request.round_trip());
    let dialled = socket.and_then(|socket| UtpStream::dial(socket, to, again)).map_err(ConnectError::at_once);
    let mut stream = dialled?;
    match stream.connected().await {
        Ok(()) => Ok(Stream::Utp(stream)),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(no_answer(Transport::Utp, begun.elapsed())),
        Err(error) => Err(ConnectError::Remote(error).into()),
    }
}

/// What silence means.
fn no_answer(transport: Transport, time: Duration) -> Failure {
    // What a timer takes beyond its time is none of the peer's.
    let time = Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let (outcome, error) = match transport {
        Transport::Utp => (Outcome::NoUtpAnswer, PeerError::NoUtpAnswer(time)),
        _ => (Outcome::ConnectTimeout, PeerError::ConnectTimeout(time)),
    };
    Failure { outcome, error, exhausted: false }
}

/// Goes on after the `first` transport has been silent: with both, if both may be tried.
async fn silent<E>(
    mut first: Pin<&mut (impl Future<Output = Result<Stream, E>> + Send)>,
    opening: Opening<'_>,
    mut alarm: Pin<&mut Sleep>,
    progress: &mut Progress,
) -> Opened
where
    E: Send,
    Failure: From<E>,
{
    let Opening { begun, request, context } = opening;
    let limit = context.limits.connect;
    if request.may_try_both {
        let silence = end(begun, context.limits.silence(&context.expectations.round_trips));
        if silence > Instant::now() {
            alarm.as_mut().reset(silence);
            if let Some(opened) = before(alarm.as_mut(), first.as_mut()).await {
                return Ok(opened?);
            }
        }
        return both(first, opening, alarm, progress).await;
    }
    request.expected.until(opening.overdue(request.transport, begun));
    alarm.as_mut().reset(end(begun, limit));
    match request.expected.before(alarm, first).await {
        Some(opened) => Ok(opened?),
        None => Err(no_answer(request.transport, if request.expected.is_cut() { begun.elapsed() } else { limit })),
    }
}

/// Tries the second transport beside the silent `first`. What answers first is used.
async fn both<E>(
    mut first: Pin<&mut (impl Future<Output = Result<Stream, E>> + Send)>,
    opening: Opening<'_>,
    mut alarm: Pin<&mut Sleep>,
    progress: &mut Progress,
) -> Opened
where
    E: Send,
    Failure: From<E>,
{
    let Opening { begun, request, context } = opening;
    let (one, two, limit) = (request.transport, other(request.transport), context.limits.connect);
    alarm.as_mut().reset(end(begun, limit));
    let sent = OnceLock::new();
    let mut second = Box::pin(paced(two, opening, &sent));
    let [mut failed_first, mut failed_second] = [None, None];
    let failed = [&mut failed_first, &mut failed_second];
    let opened = first_of(first.as_mut(), second.as_mut(), opening, alarm, failed).await;
    let took = sent.get().map(Instant::elapsed);
    match opened {
        Some((true, stream)) => {
            // It has answered, and is not to be cut as silent.
            request.expected.heard();
            // The SYN of TCP that was sent again may be answered at the same time.
            if one == Transport::Tcp && failed_first.is_none() && !request.expected.is_late() {
                let round_trip = took.unwrap_or_default().min(SYN_AGAIN);
                match timeout_at((Instant::now() + round_trip).min(end(begun, limit)), first).await {
                    Ok(Ok(tcp)) => return Ok(tcp),
                    Ok(Err(error)) => failed_first = Some(error.into()),
                    Err(_) => {}
                }
            }
            let failure = failed_first.unwrap_or_else(|| given_up(one, begun.elapsed()));
            (progress.transport, progress.connect) = (two, took);
            progress.beside = Some(Box::new(Beside { transport: one, failure }));
            Ok(stream)
        }
        Some((false, stream)) => {
            progress.beside = failed_second.map(|failure| Box::new(Beside { transport: two, failure }));
            Ok(stream)
        }
        None => {
            let first = (one, failed_first.unwrap_or_else(|| no_answer(one, begun.elapsed())));
            let second = failed_second.or_else(|| Some(no_answer(two, took?))).map(|failure| (two, failure));
            let failures: Vec<_> = std::iter::once(first).chain(second).collect();
            Err(both_failed(failures, progress))
        }
    }
}

/// Waits for two connections until there is one, and says whether it is the second; `None` when the alarm rings, the attempt is cut or
/// both have failed.
async fn first_of<E>(
    mut first: Pin<&mut (impl Future<Output = Result<Stream, E>> + Send)>,
    mut second: Pin<&mut (impl Future<Output = Opened> + Send)>,
    opening: Opening<'_>,
    mut alarm: Pin<&mut Sleep>,
    [failed_first, failed_second]: [&mut Option<Failure>; 2],
) -> Option<(bool, Stream)>
where
    E: Send,
    Failure: From<E>,
{
    while failed_first.is_none() || failed_second.is_none() {
        tokio::select! {
            biased;
            opened = first.as_mut(), if failed_first.is_none() => match opened {
                Ok(stream) => return Some((false, stream)),
                Err(error) => *failed_first = Some(Failure::from(error)),
            },
            opened = second.as_mut(), if failed_second.is_none() => match opened {
                Ok(stream) => return Some((true, stream)),
                Err(failure) => {
                    *failed_second = Some(failure);
                    opening.request.expected.until(opening.overdue(opening.request.transport, opening.begun));
                }
            },
            () = opening.request.expected.cut() => return None,
            () = alarm.as_mut() => return None,
        }
    }
    None
}

/// Opens a connection by the second transport, at its pace; notes when it began.
async fn paced(two: Transport, opening: Opening<'_>, sent: &OnceLock<Instant>) -> Opened {
    let Opening { begun, request, context } = opening;
    if !request.address.ip().is_loopback() {
        while let Err(due) = context.shared.pacer(two).start(Instant::now()) {
            sleep_until(due).await;
        }
    }
    let now = *sent.get_or_init(Instant::now);
    let overdue = opening.overdue(request.transport, begun).zip(opening.overdue(two, now));
    request.expected.until(overdue.map(|(one, two)| one.max(two)));
    boxed(two, request, context).await
}

/// A transport that had not answered when the other one did.
fn given_up(transport: Transport, after: Duration) -> Failure {
    let outcome = no_answer(transport, after).outcome;
    Failure { outcome, error: PeerError::GivenUp(after), exhausted: false }
}

/// The failure of an attempt whose transports failed: that over TCP, which says more.
fn both_failed(mut failures: Vec<(Transport, Failure)>, progress: &mut Progress) -> Failure {
    let place = failures.iter().position(|(transport, _)| *transport == Transport::Tcp).unwrap_or_default();
    let (transport, failure) = failures.swap_remove(place);
    progress.transport = transport;
    progress.beside = failures.pop().map(|(transport, failure)| Box::new(Beside { transport, failure }));
    failure
}

/// The other transport.
pub(crate) fn other(transport: Transport) -> Transport {
    match transport {
        Transport::Utp => Transport::Tcp,
        _ => Transport::Utp,
    }
}
