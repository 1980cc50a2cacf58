//! The order in which steps run, and which of them run side by side.

use crate::job::Job;
use crate::request::{Request, Steps};
use crate::store::Store;
use reports::all::Report;

/// Two lanes, one a core; power uses what asic has mapped, so it comes after it in the same lane.
const LANES: [&[Report]; 2] = [
    &[Report::Asic, Report::Power],
    &[Report::Latency, Report::Xck26, Report::Lfe5u85f, Report::Accuracy, Report::PlaceAndRoute],
];

/// Runs what must run, a thread a lane; each result is kept as soon as it is there.
pub fn run(jobs: &mut [Job], request: &Request, steps: &dyn Steps, store: &Store) {
    let n = jobs.iter().filter(|j| j.must_run(request)).count();
    if n > 0 {
        let wanted = jobs.iter().filter(|j| request.wants(j.report())).count();
        steps.note(&format!("{n} of {wanted} steps to run"));
    }
    let mut lanes: [Vec<&mut Job>; 2] = [vec![], vec![]];
    for job in jobs.iter_mut().filter(|j| j.must_run(request)) {
        let lane = usize::from(!LANES[0].contains(&job.report()));
        lanes[lane].push(job);
    }
    for (lane, order) in lanes.iter_mut().zip(LANES) {
        lane.sort_by_key(|j| order.iter().position(|s| *s == j.report()));
    }
    std::thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(move || {
                for job in lane {
                    job.run(steps, store);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_in_one_lane() {
        for report in Report::ALL {
            let n = LANES.iter().flat_map(|lane| lane.iter()).filter(|r| **r == report).count();
            assert_eq!(n, 1, "{report:?}");
        }
    }
}
