//! What is asked, what was measured, and whether it is met. A target that is missed is told and no failure: other people's
//! work on the machine would decide it.

/// All of them, in the order they were judged.
#[derive(Default)]
pub(crate) struct Targets(Vec<String>);

impl Targets {
    pub(crate) fn at_most(&mut self, what: &str, found: f64, target: f64, unit: &str) {
        self.add(found <= target, what, found, "at most", target, unit);
    }

    pub(crate) fn at_least(&mut self, what: &str, found: f64, target: f64, unit: &str) {
        self.add(found >= target, what, found, "at least", target, unit);
    }

    /// One that is missed would have ended the bench before.
    pub(crate) fn accounted_for(&mut self, what: &str, found: usize, peers: usize) {
        let met = if found == peers { "met" } else { "MISSED" };
        self.0.push(format!("| {met} | {what}: reports | {peers} | {found} |"));
    }

    fn add(&mut self, met: bool, what: &str, found: f64, asked: &str, target: f64, unit: &str) {
        let met = if met { "met" } else { "MISSED" };
        self.0.push(format!("| {met} | {what} | {asked} {target:.2}{unit} | {found:.3}{unit} |"));
    }

    pub(crate) fn print(&self) {
        println!("\n| | target | asked | measured |\n|---|---|---:|---:|");
        self.0.iter().for_each(|line| println!("{line}"));
    }
}
