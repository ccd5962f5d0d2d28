//! Signals: those that end a run, the first time politely; those that ask how far it has come; and those that are none of
//! ours. Every one that would end the process by itself is in one of these lists, because then no goodbye is said.

use nix::sys::signal::{SigSet, Signal as Number};
use std::io;
use std::task::{Context, Poll};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ends a run, which says goodbye; a second one leaves at once.
const END: &[Number] = &[Number::SIGINT, Number::SIGTERM, Number::SIGHUP];
/// The same of clocks, used-up processor time and a failing power supply. Each second of processor time beyond the limit has
/// another one, so that the second is not the user's wish.
const TIME_IS_UP: &[Number] = &[Number::SIGALRM, Number::SIGXCPU, Number::SIGPWR];
/// Asks how far the runs have come: as `dd` has it, and as `ping` has it, for which a terminal has a key (Ctrl-\).
const HOW_FAR: &[Number] = &[Number::SIGUSR1, Number::SIGQUIT];
/// Meant for what a program arranges for itself, and nothing here does. With that of SIGXFSZ blocked, a file that has
/// become too large is an error of writing.
const NOT_OURS: &[Number] = &[
    Number::SIGXFSZ,
    Number::SIGUSR2,
    Number::SIGVTALRM,
    Number::SIGPROF,
    Number::SIGIO,
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    Number::SIGSTKFLT,
];

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The end.
    End,
    /// The end, and nothing when that has begun.
    EndOnce,
    /// How far everything has come.
    HowFar,
}

/// The wishes.
#[derive(Debug)]
pub(crate) struct Signals(Vec<(Wish, Signal)>);

/// Keeps away what is [`NOT_OURS`], the real-time signals too. Before there is a second thread: each has the mask of the one
/// that begins it.
pub(crate) fn block() {
    let mut mask = SigSet::all();
    // Those without a name are the real-time signals.
    Number::iterator().filter(|number| !NOT_OURS.contains(number)).for_each(|number| mask.remove(number));
    // It fails of unknown ways of setting a mask only.
    let _ = mask.thread_block();
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let wishes = [(Wish::End, END), (Wish::EndOnce, TIME_IS_UP), (Wish::HowFar, HOW_FAR)];
        let numbers = wishes.into_iter().flat_map(|(wish, numbers)| numbers.iter().map(move |number| (wish, *number)));
        let listen = |(wish, number)| Ok((wish, signal(SignalKind::from_raw(number as i32))?));
        numbers.map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for the next one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Wish {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Wish> {
        let come = self.0.iter_mut().find_map(|(wish, signal)| signal.poll_recv(context).is_ready().then_some(*wish));
        come.map_or(Poll::Pending, Poll::Ready)
    }
}
