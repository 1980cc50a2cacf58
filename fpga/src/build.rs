//! From a configuration to a bitstream: RTL, synthesis, place and route, packing. Every step leaves its files; a step whose
//! inputs did not change is not run again.

use crate::board::Board;
use crate::cells::Block;
use crate::nextpnr::{PnrReport, Used};
use crate::pll::{pll, Pll};
use crate::rtl::clock::package;
use crate::rtl::system::{system, SystemOptions};
use crate::tools::{Progress, ECPPACK, NEXTPNR_ECP5, YOSYS};
use crate::FpgaError;
use indexmap::IndexMap;
use records::output::write;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    pub board: &'static Board,
    /// Clock asked for; the nearest one below that the clock generator makes is used.
    pub clock_khz: u32,
    /// Seed of the placer.
    pub seed: u32,
}

/// A finished build.
#[derive(Debug, Clone, Serialize)]
pub struct BuildResult {
    /// The clock the bitstream runs at, MHz.
    pub clock_mhz: f64,
    /// What place and route says the slowest path allows, MHz.
    pub fmax_mhz: f64,
    pub utilisation: BTreeMap<String, Used>,
    /// Cells by block after synthesis, by kind.
    pub blocks: Vec<Block>,
    pub report: PnrReport,
    pub bitstream: PathBuf,
    pub bitstream_bytes: u64,
    /// Tool versions.
    pub tools: BTreeMap<&'static str, String>,
    /// Seconds each step took; 0 for one that was not run again.
    pub seconds: BTreeMap<&'static str, f64>,
}

/// Builds into `folder`, which is made if it is missing.
///
/// # Errors
/// A configuration the board's system cannot take, a missing or failing tool, a design that does not fit.
pub fn build(
    config: &Config,
    request: &BuildRequest,
    folder: &Path,
    progress: Progress,
) -> Result<BuildResult, FpgaError> {
    // what was asked for first, then what is there
    let board = request.board;
    let pll = pll(board.oscillator_khz, request.clock_khz)?;
    let files = sources(config, board, &SystemOptions::of(board, pll.clock_khz), pll)?;
    let tools = [YOSYS, NEXTPNR_ECP5, ECPPACK];
    for tool in tools {
        tool.check()?;
    }
    let versions: BTreeMap<_, _> =
        tools.iter().map(|t| Ok((t.0.name(), t.version()?))).collect::<Result<_, FpgaError>>()?;
    std::fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
    remove(folder, &[FINISHED])?;
    for (name, text) in &files {
        write(&folder.join(name), text.as_bytes())?;
    }
    let mut seconds = BTreeMap::new();
    let verilog = verilog(&files);
    let top = board.vendor_top;
    let script = format!("{}; synth_ecp5 -top {top} -json synth.json", reading(&files));
    let text = |names: &[&str]| names.iter().filter_map(|n| files.get(*n)).cloned().collect::<String>();
    let synth_key = key(&[&script, &versions[YOSYS.0.name()], &text(&verilog)]);
    step(folder, "synthesis", &synth_key, &["synth.json"], &mut seconds, progress, |tell| {
        YOSYS.run(folder, &["-p", &script], "yosys.log", tell)
    })?;

    let mhz = format!("{}", f64::from(pll.clock_khz) / 1000.0);
    let seed = request.seed.to_string();
    let mut args = board.device.to_vec();
    args.extend(["--json", "synth.json", "--lpf", "pins.lpf", "--freq", &mhz, "--seed", &seed, "--timing-allow-fail"]);
    // delays weigh more than wires while cells are spread: 70.8 MHz with one slow path left, against 65.1 (docs/timing.md)
    args.extend(["--placer-heap-timingweight", "25", "--placer-heap-critexp", "3"]);
    // router2 did not come to an end on this design (docs/fpga.md)
    args.extend(["--router", "router1", "--report", "nextpnr.json", "--textcfg", "design.config"]);
    // the report names one path; this file has all delays
    args.extend(["--sdf", "design.sdf"]);
    let pnr_key = key(&[&synth_key, &args.join(" "), &versions[NEXTPNR_ECP5.0.name()], &files["pins.lpf"]]);
    step(folder, "place and route", &pnr_key, &["nextpnr.json", "design.config"], &mut seconds, progress, |tell| {
        NEXTPNR_ECP5.run(folder, &args, "nextpnr.log", tell)
    })?;
    let bit_key = key(&[&pnr_key, &versions[ECPPACK.0.name()]]);
    step(folder, "bitstream", &bit_key, &["design.bit"], &mut seconds, progress, |tell| {
        ECPPACK.run(folder, &["--compress", "--input", "design.config", "--bit", "design.bit"], "ecppack.log", tell)
    })?;

    let report = PnrReport::parse(&read(&folder.join("nextpnr.json"))?)?;
    let bitstream = folder.join(BITSTREAM);
    let bitstream_bytes = std::fs::metadata(&bitstream).map_err(|e| io(&bitstream, e))?.len();
    let result = BuildResult {
        clock_mhz: f64::from(pll.clock_khz) / 1000.0,
        // the system's clock is the slowest in relation to what it is asked
        fmax_mhz: report.clocks.iter().map(|c| c.achieved_mhz).fold(f64::INFINITY, f64::min),
        utilisation: report.utilisation.clone(),
        blocks: crate::cells::blocks(&read(&folder.join("synth.json"))?, top)?,
        report,
        bitstream,
        bitstream_bytes,
        tools: versions,
        seconds,
    };
    Ok(result)
}

/// Written last by the caller: a folder with it holds a whole build.
pub const FINISHED: &str = "build.json";
/// What is loaded into the FPGA.
pub const BITSTREAM: &str = "design.bit";

/// Every source file of the design by name: RTL in the order in which tools read it, packages first, then the pins.
///
/// # Errors
/// A configuration the board's system cannot take.
pub fn sources(
    config: &Config,
    board: &Board,
    options: &SystemOptions,
    pll: Pll,
) -> Result<IndexMap<String, String>, FpgaError> {
    let printed = print(&*system(config, board, options)?).map_err(FpgaError::Rtl)?;
    let mut files = IndexMap::from([(format!("{}.sv", board.clock_package), package(board.clock_package, &pll))]);
    files.extend(printed.files);
    files.insert(format!("{}.sv", board.vendor_top), board.vendor_text.into());
    files.insert("pins.lpf".into(), board.pins.into());
    Ok(files)
}

/// The files of `files` that are RTL, in the order in which tools read them.
fn verilog(files: &IndexMap<String, String>) -> Vec<&str> {
    files.keys().map(String::as_str).filter(|f| f.ends_with(".sv")).collect()
}

/// The command with which Yosys reads the RTL of `files`.
pub fn reading(files: &IndexMap<String, String>) -> String {
    format!("read_verilog -sv {}", verilog(files).join(" "))
}

/// Whether the build in `folder` was made from what `config` and `request` give now: every source file is the same.
///
/// # Errors
/// A configuration the board's system cannot take.
pub fn is_of(config: &Config, request: &BuildRequest, folder: &Path) -> Result<bool, FpgaError> {
    let board = request.board;
    let pll = pll(board.oscillator_khz, request.clock_khz)?;
    let files = sources(config, board, &SystemOptions::of(board, pll.clock_khz), pll)?;
    Ok(files.iter().all(|(name, text)| std::fs::read_to_string(folder.join(name)).is_ok_and(|t| t == *text)))
}

/// Runs `work` unless `outputs` are there and were made from the same `key`.
fn step(
    folder: &Path,
    name: &'static str,
    key: &str,
    outputs: &[&str],
    seconds: &mut BTreeMap<&'static str, f64>,
    progress: Progress,
    work: impl FnOnce(Progress) -> Result<(), FpgaError>,
) -> Result<(), FpgaError> {
    let stamp = folder.join(format!("{}.key", name.replace(' ', "_")));
    let there = outputs.iter().all(|o| folder.join(o).is_file());
    if there && std::fs::read_to_string(&stamp).is_ok_and(|k| k == key) {
        progress(&format!("{name}: nothing changed"));
        seconds.insert(name, 0.0);
        return Ok(());
    }
    remove(folder, outputs)?;
    progress(name);
    let start = Instant::now();
    work(&|doing| progress(&format!("{name}: {doing}")))?;
    if let Some(missing) = outputs.iter().find(|o| !folder.join(o).is_file()) {
        return Err(FpgaError::Report { what: format!("{name} wrote no {missing}") });
    }
    seconds.insert(name, (start.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    Ok(write(&stamp, key)?)
}

fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes()); // lengths keep neighbouring texts apart
        hash.update(part);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn remove(folder: &Path, names: &[&str]) -> Result<(), FpgaError> {
    for name in names {
        match std::fs::remove_file(folder.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&folder.join(name), e)),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn io(path: &Path, source: std::io::Error) -> FpgaError {
    FpgaError::Io { path: path.display().to_string(), source }
}

pub(crate) fn read(path: &Path) -> Result<String, FpgaError> {
    std::fs::read_to_string(path).map_err(|e| io(path, e))
}
