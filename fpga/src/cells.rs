//! Counts cells by block in a synthesised netlist (Yosys JSON), from the names that flattening leaves them.

use crate::nextpnr::block_of;
use crate::FpgaError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Levels of the hierarchy a block is named by: board, chip, core, unit.
const DEPTH: usize = 4;

/// Cells whose names place them in one block of the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    pub name: String,
    pub luts: u64,
    pub ffs: u64,
    pub brams: u64,
    pub multipliers: u64,
}

#[derive(Deserialize)]
struct Netlist {
    modules: BTreeMap<String, Module>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(rename = "type")]
    kind: String,
}

/// Cells of `top` by block, largest first. A cell whose name tells no block is counted for the top itself, called "top".
///
/// A LUT is named after the net it drives, so one that synthesis shares between blocks counts for one of them.
pub fn blocks(json: &str, top: &str) -> Result<Vec<Block>, FpgaError> {
    let bad = |what: String| FpgaError::Report { what: format!("netlist: {what}") };
    let mut netlist: Netlist = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
    let module = netlist.modules.remove(top).ok_or_else(|| bad(format!("no module {top}")))?;
    let mut sums: BTreeMap<String, Block> = BTreeMap::new();
    for (cell, Cell { kind }) in module.cells {
        let path = block_of(&cell);
        let parts: Vec<&str> = path.split('.').take(DEPTH).collect();
        let name = if path.is_empty() { "top".to_string() } else { parts.join(".") };
        let b = sums.entry(name.clone()).or_insert(Block { name, luts: 0, ffs: 0, brams: 0, multipliers: 0 });
        match kind.as_str() {
            "LUT4" => b.luts += 1,
            // a carry cell is two LUTs, a distributed memory four
            "CCU2C" => b.luts += 2,
            "TRELLIS_DPR16X4" => b.luts += 6,
            "TRELLIS_FF" => b.ffs += 1,
            "DP16KD" | "PDPW16KD" => b.brams += 1,
            "MULT18X18D" => b.multipliers += 1,
            _ => {}
        }
    }
    let mut blocks: Vec<Block> = sums.into_values().collect();
    blocks.sort_by(|a, b| b.luts.cmp(&a.luts).then(a.name.cmp(&b.name)));
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_count_for_their_block() {
        let cells = r#"{
            "u_system.u_anser.u_core.u_vec.u_lane_0.a_LUT4_Z": {"type": "LUT4"},
            "u_system.u_anser.u_core.u_vec.b_CCU2C_S0": {"type": "CCU2C"},
            "u_system.u_sdram.q_TRELLIS_FF_Q": {"type": "TRELLIS_FF"},
            "u_system.u_anser.u_core.u_vmem.u_mem.mem.0.0": {"type": "DP16KD"},
            "led_OB": {"type": "TRELLIS_IO"}, "x": {"type": "LUT4"}}"#;
        let json = format!(r#"{{"creator": "y", "modules": {{"LUT4": {{}}, "t": {{"cells": {cells}}}}}}}"#);
        let got = blocks(&json, "t").unwrap();
        let find = |n: &str| got.iter().find(|b| b.name == n).cloned().unwrap();
        assert_eq!(find("u_system.u_anser.u_core.u_vec").luts, 3);
        assert_eq!((find("u_system.u_sdram").ffs, find("top").luts), (1, 1));
        assert_eq!(find("u_system.u_anser.u_core.u_vmem").brams, 1);
        assert!(blocks(&json, "other").unwrap_err().to_string().contains("no module other"));
    }
}
