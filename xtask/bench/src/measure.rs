//! Round-robin over all contenders, several rounds, the median of each: when the machine is slow for a while, it is slow for
//! all of them.

use std::time::{Duration, Instant};

/// A piece of work to be timed, under the name it has in the table.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) work: Box<dyn Fn() + 'a>,
}

/// The median time of one call for each contender, in their order.
pub(crate) fn interleaved(contenders: &[Contender<'_>], rounds: usize) -> Vec<Duration> {
    let plans: Vec<Plan> = contenders.iter().map(Plan::new).collect();
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        // Each round begins with another contender.
        for turn in 0..contenders.len() {
            let turn = (turn + round) % contenders.len();
            times[turn].push(plans[turn].turn(&contenders[turn]));
        }
    }
    times.into_iter().map(median).collect()
}

/// A contender's turn: a number of samples, each of enough calls to make reading the clock negligible.
struct Plan {
    samples: usize,
    calls: u32,
}

impl Plan {
    fn new(contender: &Contender<'_>) -> Self {
        const SAMPLE: Duration = Duration::from_micros(100);
        const TURN: Duration = Duration::from_millis(12);
        time(contender, 1);
        let once = time(contender, 3).max(Duration::from_nanos(10));
        let calls = u32::try_from(SAMPLE.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).max(1);
        let samples = (TURN.as_nanos() / (once * calls).as_nanos()) as usize;
        Self { samples: samples.clamp(5, 100), calls }
    }

    /// The median of the turn's samples: the first few are slow after another contender, which left other data in the caches
    /// and may have made the allocator return pages.
    fn turn(&self, contender: &Contender<'_>) -> Duration {
        median((0..self.samples).map(|_| time(contender, self.calls)).collect())
    }
}

/// The time of one call.
fn time(contender: &Contender<'_>, calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        (contender.work)();
    }
    start.elapsed() / calls
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
