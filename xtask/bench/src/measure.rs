//! Round-robin over all contenders, several rounds, the median of each: what slows the machine down for a while slows
//! all of them.

use std::time::{Duration, Instant};

/// A piece of work to be timed, under the name it has in the table.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) work: Box<dyn Fn() + 'a>,
}

/// The median time of one call for each contender, in their order.
pub(crate) fn interleaved(contenders: &[Contender<'_>], rounds: usize) -> Vec<Duration> {
    let calls: Vec<u32> = contenders.iter().map(calls_per_round).collect();
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        // Each round begins with another one, and each turn with a call that does not count: what the predecessor left in
        // the caches and in the heap is nobody's merit.
        for turn in 0..contenders.len() {
            let turn = (turn + round) % contenders.len();
            time(&contenders[turn], 1);
            times[turn].push(time(&contenders[turn], calls[turn]));
        }
    }
    times.iter_mut().map(median).collect()
}

/// Enough calls that a clock read does not matter, without the slow ones taking minutes.
fn calls_per_round(contender: &Contender<'_>) -> u32 {
    const ROUND: Duration = Duration::from_millis(6);
    time(contender, 1);
    let once = time(contender, 1).max(Duration::from_nanos(50));
    u32::try_from(ROUND.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).clamp(2, 50_000)
}

fn time(contender: &Contender<'_>, calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        (contender.work)();
    }
    // Tenths of a nanosecond do not matter, but Duration would cut them off for calls of a few.
    start.elapsed() / calls
}

fn median(times: &mut Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
