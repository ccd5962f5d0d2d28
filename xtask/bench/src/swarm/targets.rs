//! Targets, what was measured, and whether each is met. A missed target is reported and is no failure: it may be missed only
//! because the machine is busy.

/// All targets, in the order in which they were judged.
#[derive(Default)]
pub(crate) struct Targets(Vec<String>);

impl Targets {
    pub(crate) fn at_most(&mut self, what: &str, found: f64, target: f64, unit: &str) {
        self.add(found <= target, what, found, "at most", target, unit);
    }

    pub(crate) fn at_least(&mut self, what: &str, found: f64, target: f64, unit: &str) {
        self.add(found >= target, what, found, "at least", target, unit);
    }

    /// The number of reports; a missing one would have ended the bench before.
    pub(crate) fn accounted_for(&mut self, what: &str, found: usize, peers: usize) {
        let met = if found == peers { "met" } else { "MISSED" };
        self.0.push(format!("| {met} | {what}: reports | {peers} | {found} |"));
    }

    fn add(&mut self, met: bool, what: &str, found: f64, asked: &str, target: f64, unit: &str) {
        let met = if met { "met" } else { "MISSED" };
        self.0.push(format!("| {met} | {what} | {asked} {target:.2}{unit} | {found:.3}{unit} |"));
    }

    pub(crate) fn print(&self) {
        println!("\n| | target | wanted | measured |\n|---|---|---:|---:|");
        self.0.iter().for_each(|line| println!("{line}"));
    }
}
