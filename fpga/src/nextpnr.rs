//! What nextpnr's report says: how much of the device is used, how fast the design is, and where the slowest path runs.

use crate::FpgaError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Used and available of one kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    pub used: u64,
    pub available: u64,
}

/// One step of the slowest path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// clk-to-q, logic, routing or setup.
    pub kind: String,
    pub delay_ns: f64,
    /// Instance path of the cell that ends the step, without the cell's own name.
    pub block: String,
    pub cell: String,
}

/// A clock and how fast the design may run with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    pub name: String,
    pub achieved_mhz: f64,
    pub constraint_mhz: f64,
}

/// The report, as far as it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PnrReport {
    pub utilisation: BTreeMap<String, Used>,
    /// Every clock, slowest in relation to its constraint first.
    pub clocks: Vec<Clock>,
    /// Slowest path inside the first of `clocks`.
    pub critical_path: Vec<Step>,
}

impl PnrReport {
    /// Reads the text of the file that `--report` writes.
    ///
    /// # Errors
    /// Text that is no such report, or one without a clock.
    pub fn parse(text: &str) -> Result<Self, FpgaError> {
        let bad = |what: String| FpgaError::Report { what };
        let raw: Raw = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        let mut clocks: Vec<Clock> = (raw.fmax.into_iter())
            .map(|(name, f)| Clock { name: plain(&name), achieved_mhz: f.achieved, constraint_mhz: f.constraint })
            .collect();
        clocks.sort_by(|a, b| (a.achieved_mhz / a.constraint_mhz).total_cmp(&(b.achieved_mhz / b.constraint_mhz)));
        let Some(slowest) = clocks.first() else { return Err(bad("it has no clock, expected \"fmax\"".into())) };
        let edge = |e: &str| e.split_once(' ').map_or(String::new(), |(_, clock)| plain(clock));
        let own = raw.critical_paths.iter().find(|p| edge(&p.from) == slowest.name && edge(&p.to) == slowest.name);
        let critical_path = own.map_or(vec![], |p| p.path.iter().map(step).collect());
        Ok(PnrReport { utilisation: raw.utilization, clocks, critical_path })
    }

    /// Nanoseconds of the slowest path in each block, logic and routing added, largest first.
    pub fn path_by_block(&self) -> Vec<(String, f64)> {
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for step in &self.critical_path {
            *sums.entry(&step.block).or_default() += step.delay_ns;
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(b, ns)| (b.to_string(), ns)).collect();
        sums.sort_by(|a, b| b.1.total_cmp(&a.1));
        sums
    }
}

/// A net's name without the prefixes nextpnr puts before it.
fn plain(name: &str) -> String {
    name.rsplit("$glbnet$").next().unwrap_or(name).to_string()
}

fn step(raw: &RawStep) -> Step {
    let cell = &raw.to.cell;
    Step { kind: raw.kind.clone(), delay_ns: raw.delay, block: block_of(cell), cell: cell.clone() }
}

/// The instance path within a flattened cell's name: `u_a.u_b.sum_LUT4_Z` lies in `u_a.u_b`.
pub fn block_of(cell: &str) -> String {
    let parts: Vec<&str> = cell.split('.').collect();
    let instances = parts.iter().take_while(|p| p.starts_with("u_") || p.starts_with("g_")).count();
    // the last part may begin like an instance and still be a cell of its own
    parts[..instances.min(parts.len() - 1)].join(".")
}

#[derive(Deserialize)]
struct Raw {
    fmax: BTreeMap<String, RawFmax>,
    utilization: BTreeMap<String, Used>,
    #[serde(default)]
    critical_paths: Vec<RawPath>,
}

#[derive(Deserialize)]
struct RawFmax {
    achieved: f64,
    constraint: f64,
}

#[derive(Deserialize)]
struct RawPath {
    from: String,
    to: String,
    path: Vec<RawStep>,
}

#[derive(Deserialize)]
struct RawStep {
    delay: f64,
    to: RawEnd,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct RawEnd {
    cell: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
      "critical_paths": [
        {"from": "<async>", "to": "posedge $glbnet$clk", "path": [
          {"delay": 9.0, "from": {"cell": "x", "loc": [0, 0], "port": "O"}, "to": {"cell": "y"}, "type": "routing"}]},
        {"from": "posedge $glbnet$clk", "to": "posedge $glbnet$clk", "path": [
          {"delay": 0.5, "to": {"cell": "u_system.u_anser.u_core.u_vec.a_q_TRELLIS_FF_Q"}, "type": "clk-to-q"},
          {"delay": 2.25, "net": "n", "to": {"cell": "u_system.u_anser.u_core.u_vec.u_lane_0.s_LUT4_Z"}, "type": "routing"},
          {"delay": 0.25, "to": {"cell": "u_system.u_anser.u_core.u_vec.u_lane_0.s_LUT4_Z"}, "type": "logic"},
          {"delay": 0.0, "to": {"cell": "u_system.u_anser.u_core.u_vec.a_q_TRELLIS_FF_Q_1"}, "type": "setup"}]}],
      "fmax": {"$glbnet$clk": {"achieved": 71.5, "constraint": 80.0}, "clk_ref": {"achieved": 300.0, "constraint": 25.0}},
      "utilization": {"DP16KD": {"available": 208, "used": 137}, "TRELLIS_COMB": {"available": 83640, "used": 50000}}
    }"#;

    #[test]
    fn the_slowest_clock_and_its_own_path() {
        let r = PnrReport::parse(REPORT).unwrap();
        assert_eq!(r.clocks[0], Clock { name: "clk".into(), achieved_mhz: 71.5, constraint_mhz: 80.0 });
        assert_eq!(r.utilisation["DP16KD"], Used { used: 137, available: 208 });
        assert_eq!(r.critical_path.len(), 4, "the path from outside is another one");
        assert_eq!(
            r.path_by_block(),
            [("u_system.u_anser.u_core.u_vec.u_lane_0".into(), 2.5), ("u_system.u_anser.u_core.u_vec".into(), 0.5)]
        );
    }

    #[test]
    fn what_is_no_report_is_said() {
        for text in ["", "{}", "{\"fmax\": {}, \"utilization\": {}}"] {
            let error = PnrReport::parse(text).unwrap_err().to_string();
            assert!(error.contains("report"), "{error}");
        }
    }

    #[test]
    fn blocks_are_instances() {
        assert_eq!(block_of("u_system.u_rx.line_q_TRELLIS_FF_Q_2"), "u_system.u_rx");
        assert_eq!(block_of("g_d[3].u_in"), "g_d[3]");
        assert_eq!(block_of("led_OB"), "");
    }
}
