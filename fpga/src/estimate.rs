//! What the chip needs of a larger part: synthesis for the part's family, against what the part has.
//!
//! Synthesis keeps the hierarchy, so each distinct module is mapped once and counted for every instance. That is what makes
//! `edge` a matter of minutes, and it is why the figures are an estimate: nothing is shared or simplified across modules,
//! nothing is placed.

use crate::build::{io, read};
use crate::tools::{Progress, YOSYS};
use crate::FpgaError;
use records::output::write;
use rtl_gen::blocks::core::top;
use rtl_gen::config::Config;
use rtl_gen::hdl::print_specialised;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// A part and what it has.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Part {
    pub name: &'static str,
    pub title: &'static str,
    pub family: Family,
    /// Where the numbers are from.
    pub source: &'static str,
    pub luts: u64,
    pub ffs: u64,
    pub dsps: u64,
    /// Block RAMs: of 36 Kb in UltraScale+, where a half of one counts 0.5; of 18 Kb in ECP5.
    pub brams: u64,
    pub urams: u64,
}

/// What decides how a design is synthesised and how its cells are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Family {
    UltraScalePlus,
    Ecp5,
}

impl Family {
    /// The vendor's name and one for people, of each kind of resource in the order LUT, FF, DSP, BRAM, URAM.
    pub fn resources(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Family::UltraScalePlus => &[
                ("CLB LUT", "LUTs"),
                ("CLB FF", "flip-flops"),
                ("DSP48E2", "multipliers"),
                ("RAMB36E2", "block RAMs, 36 Kb"),
                ("URAM288", "UltraRAMs, 288 Kb"),
            ],
            Family::Ecp5 => &[
                ("TRELLIS_COMB", "LUTs"),
                ("TRELLIS_FF", "flip-flops"),
                ("MULT18X18D", "multipliers"),
                ("DP16KD", "block RAMs, 18 Kb"),
            ],
        }
    }

    /// The pass of Yosys; `-uram` lets large memories become UltraRAM, and both keep the hierarchy.
    fn synth(self) -> &'static str {
        match self {
            Family::UltraScalePlus => "synth_xilinx -family xcup -uram",
            Family::Ecp5 => "synth_ecp5 -noflatten",
        }
    }
}

pub const XCK26: Part = Part {
    name: "xck26",
    title: "AMD XCK26 (Kria K26 module, KV260)",
    family: Family::UltraScalePlus,
    source: "AMD DS987, Kria K26 SOM Data Sheet, programmable logic resources",
    luts: 117_120,
    ffs: 234_240,
    dsps: 1_248,
    brams: 144,
    urams: 64,
};

pub const LFE5U_85F: Part = Part {
    name: "lfe5u-85f",
    title: "Lattice LFE5U-85F (ULX3S)",
    family: Family::Ecp5,
    source: "what nextpnr-ecp5 knows of the device",
    luts: 83_640,
    ffs: 83_640,
    dsps: 156,
    brams: 208,
    urams: 0,
};

pub const PARTS: [&Part; 2] = [&XCK26, &LFE5U_85F];

/// Resources of the chip or of one of its units.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Resources {
    pub luts: u64,
    /// The part of `luts` that is used as memory.
    pub memory_luts: u64,
    pub ffs: u64,
    pub dsps: u64,
    /// Blocks of 36 Kb; halves count 0.5.
    pub brams: f64,
    pub urams: u64,
}

/// The estimate.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    pub needs: Resources,
    /// Units of the core by instance name, largest first.
    pub units: Vec<(String, Resources)>,
    pub yosys: String,
}

/// The script of the estimate.
fn script(family: Family, files: &[&str], top: &str) -> String {
    format!(
        "read_verilog -sv {}; hierarchy -check -top {top}; {} -top {top}; tee -q -o stat.json stat -json",
        files.join(" "),
        family.synth()
    )
}

/// Synthesises `config` for the family of `part` in `folder`, which keeps log and statistics. A result of the same RTL, script
/// and tool is used again.
pub fn estimate(config: &Config, part: &Part, folder: &Path, progress: Progress) -> Result<Estimate, FpgaError> {
    YOSYS.check()?;
    let yosys = YOSYS.version()?;
    std::fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
    let printed = print_specialised(&top(config)).map_err(FpgaError::Rtl)?;
    let files: Vec<&str> = printed.files.keys().map(String::as_str).collect();
    let script = script(part.family, &files, &printed.top);
    let mut hash = Sha256::new();
    for part in [yosys.as_str(), &script].into_iter().chain(printed.files.values().map(String::as_str)) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let key: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let (stamp, stat) = (folder.join("synthesis.key"), folder.join("stat.json"));
    if stat.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|k| k == key) {
        progress("synthesis: nothing changed");
    } else {
        let _ = std::fs::remove_file(&stamp);
        progress("synthesis");
        let work = tempfile::tempdir().map_err(|e| io(folder, e))?;
        for (name, text) in &printed.files {
            write(&work.path().join(name), text.as_bytes())?;
        }
        let run = YOSYS.run(work.path(), &["-p", &script], "yosys.log", progress);
        let log = std::fs::read(work.path().join("yosys.log")).unwrap_or_default();
        write(&folder.join("yosys.log"), &log)?;
        run?;
        write(&stat, read(&work.path().join("stat.json"))?.as_bytes())?;
        write(&stamp, key.as_bytes())?;
    }
    let (needs, units) = count(&read(&stat)?, &printed.top)?;
    Ok(Estimate { needs, units, yosys })
}

#[derive(Deserialize)]
struct Stat {
    modules: BTreeMap<String, ModuleStat>,
}

#[derive(Deserialize)]
struct ModuleStat {
    num_cells_by_type: BTreeMap<String, u64>,
}

/// Needs of `top`, and of the units one level below its core.
fn count(json: &str, top: &str) -> Result<(Resources, Vec<(String, Resources)>), FpgaError> {
    let bad = |what: String| FpgaError::Report { what: format!("statistics of synthesis: {what}") };
    let stat: Stat = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
    let modules: BTreeMap<&str, &ModuleStat> =
        stat.modules.iter().map(|(n, m)| (n.trim_start_matches('\\'), m)).collect();
    if !modules.contains_key(top) {
        return Err(bad(format!("no module {top}")));
    }
    let mut units = vec![];
    let core = modules[top].num_cells_by_type.keys().find(|k| modules.contains_key(k.as_str()));
    if let Some(core) = core.and_then(|c| modules.get(c.as_str())) {
        for (name, n) in &core.num_cells_by_type {
            if modules.contains_key(name.as_str()) {
                let mut r = Resources::default();
                add(&modules, name, *n, &mut r, 0);
                units.push((name.trim_start_matches("anser_").to_string(), r));
            }
        }
    }
    units.sort_by(|a, b| b.1.luts.cmp(&a.1.luts).then(a.0.cmp(&b.0)));
    let mut needs = Resources::default();
    add(&modules, top, 1, &mut needs, 0);
    Ok((needs, units))
}

/// Adds `n` times what `name` needs. Hierarchies of this generator are a dozen deep; more is a loop in a damaged file.
fn add(modules: &BTreeMap<&str, &ModuleStat>, name: &str, n: u64, r: &mut Resources, depth: usize) {
    if depth > 64 {
        return;
    }
    for (kind, count) in &modules[name].num_cells_by_type {
        let n = n * count;
        if modules.contains_key(kind.as_str()) {
            add(modules, kind, n, r, depth + 1);
            continue;
        }
        match kind.as_str() {
            "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" | "INV" => r.luts += n,
            // a carry cell of an ECP5 is two LUTs, a distributed memory four and its writer two
            "CCU2C" => r.luts += 2 * n,
            "TRELLIS_DPR16X4" => (r.luts, r.memory_luts) = (r.luts + 6 * n, r.memory_luts + 6 * n),
            "FDRE" | "FDCE" | "FDPE" | "FDSE" | "TRELLIS_FF" => r.ffs += n,
            "DSP48E2" | "MULT18X18D" => r.dsps += n,
            "RAMB36E2" | "DP16KD" | "PDPW16KD" => r.brams += n as f64,
            "RAMB18E2" => r.brams += n as f64 / 2.0,
            "URAM288" => r.urams += n,
            // a half slice of eight LUTs (UG574)
            "RAM32M16" | "RAM64M8" => (r.luts, r.memory_luts) = (r.luts + 8 * n, r.memory_luts + 8 * n),
            "RAM32M" | "RAM64M" => (r.luts, r.memory_luts) = (r.luts + 4 * n, r.memory_luts + 4 * n),
            "SRL16E" | "SRLC32E" => (r.luts, r.memory_luts) = (r.luts + n, r.memory_luts + n),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_count_as_often_as_they_are() {
        let json = r#"{"modules": {
            "\\anser_top": {"num_cells_by_type": {"anser_core": 1, "BUFG": 1}},
            "\\anser_core": {"num_cells_by_type": {"anser_vec": 1, "anser_lane": 2, "LUT3": 5, "INV": 1}},
            "\\anser_vec": {"num_cells_by_type": {"anser_lane": 4, "RAMB18E2": 3, "FDCE": 2}},
            "\\anser_lane": {"num_cells_by_type": {"LUT6": 10, "DSP48E2": 1, "RAM32M16": 1, "FDRE": 7, "URAM288": 1}}}}"#;
        let (r, units) = count(json, "anser_top").unwrap();
        let expected = Resources { luts: 6 + 6 * 18, memory_luts: 48, ffs: 44, dsps: 6, brams: 1.5, urams: 6 };
        assert_eq!(r, expected);
        assert_eq!(units.iter().map(|u| (u.0.as_str(), u.1.luts)).collect::<Vec<_>>(), [("vec", 72), ("lane", 36)]);
        let ecp5 = r#"{"modules": {"\\top": {"num_cells_by_type":
            {"LUT4": 7, "CCU2C": 3, "TRELLIS_FF": 5, "TRELLIS_DPR16X4": 1, "MULT18X18D": 2, "DP16KD": 4, "PFUMX": 9}}}}"#;
        let expected = Resources { luts: 7 + 6 + 6, memory_luts: 6, ffs: 5, dsps: 2, brams: 4.0, urams: 0 };
        assert_eq!(count(ecp5, "top").unwrap().0, expected);
        assert!(count(json, "nothing").unwrap_err().to_string().contains("no module nothing"));
    }
}
