//! What mapping needs to know of Liberty libraries: areas, functions, registers, memories, and which cell plays which part.

use crate::Error;
use power::liberty::syntax::{self, Group};
use power::liberty::{Basics, Expr};
use records::shared::Corner;
use records::text;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where Debian's `qflow-tech-osu018` puts its library: the default on a machine with nothing else.
pub const DEFAULT: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// The Liberty files of one corner: those in the folder `pdk`, else `files`, else Debian's.
///
/// # Errors
/// A folder that cannot be read or has no library, or a machine without Debian's library when nothing else is named.
pub fn files(pdk: Option<&Path>, files: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    match (pdk, files) {
        (Some(folder), _) => files_in(folder),
        (None, []) if Path::new(DEFAULT).is_file() => Ok(vec![DEFAULT.into()]),
        (None, []) => Err(Error::NoLibrary { path: DEFAULT.into() }),
        (None, files) => Ok(files.to_vec()),
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.retain(|p| {
        let name = p.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".lib") || name.ends_with(".lib.gz")
    });
    files.sort();
    match files.is_empty() {
        true => Err(Error::Library { path: folder.into(), what: "no .lib or .lib.gz file in this folder".into() }),
        false => Ok(files),
    }
}

/// Cells that map well on paper and are wrong in a plain design: power-gating and probe cells of sky130.
const NEVER: [&str; 4] = ["*lpflow*", "*probe*", "*macro_sparecell*", "*_dlclkp_*"];

/// A set of libraries of one corner, as text and as facts.
#[derive(Debug)]
pub struct Cells {
    /// File name and text of each, for tools that cannot read compressed files
    pub texts: Vec<(String, String)>,
    pub cells: BTreeMap<String, Cell>,
    pub memories: Vec<Memory>,
    pub corner: Corner,
    /// Whether internal power is tabulated at all
    pub has_power: bool,
    pub buffer: Part,
    pub tie_high: Option<Part>,
    pub tie_low: Option<Part>,
    /// um² of the smallest two-input NAND: one gate equivalent
    pub nand2_um2: f64,
    /// um² of the smallest D flip-flop
    pub flip_flop_um2: f64,
    /// Wildcards and names that mapping must not use
    pub dont_use: Vec<String>,
}

/// A cell with the pins that matter for its part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub cell: String,
    pub input: String,
    pub output: String,
}

#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub area_um2: f64,
    pub dont_use: bool,
    pub inputs: Vec<String>,
    /// Name, function
    pub outputs: Vec<(String, Option<String>)>,
    pub input_pf: BTreeMap<String, f64>,
    pub register: Option<Register>,
    pub is_memory: bool,
}

impl Cell {
    /// An expression of the cell: its variables are the inputs in their order, and then the state of its register.
    pub fn parse(&self, text: &str) -> Result<Expr, String> {
        let n = self.inputs.len();
        Expr::parse(text, &|name| match (self.inputs.iter().position(|i| i == name), &self.register) {
            (Some(i), _) => Some(Expr::Var(i)),
            (None, Some(r)) if r.state == name => Some(Expr::Var(n)),
            (None, Some(r)) if r.inverse == name => Some(Expr::Not(Box::new(Expr::Var(n)))),
            _ => None,
        })
    }

    /// The constant that an output always has.
    pub fn constant(&self, output: &str) -> Option<bool> {
        self.outputs.iter().find(|(name, _)| name == output).and_then(constant)
    }
}

/// The `ff` group of a cell; texts are Liberty expressions over its pins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Register {
    pub state: String,
    pub inverse: String,
    pub clocked_on: String,
    pub next_state: String,
    pub clear: Option<String>,
    pub preset: Option<String>,
    pub is_latch: bool,
}

/// A single-port memory macro with a synchronous read, as IHP's `RM_IHPSG13_1P`.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    pub cell: String,
    pub words: usize,
    pub bits: usize,
    pub area_um2: f64,
    pub leakage_w: f64,
    pub clk_to_q_ns: f64,
    pub setup_ns: f64,
    /// Joules of one access of the whole macro
    pub read_j: f64,
    pub write_j: f64,
}

impl Cells {
    /// Reads libraries, which may be compressed, in order; the first that has a cell gives it.
    ///
    /// Fails on a file that is no Liberty, and when no library has an inverter, a buffer, a NAND and a flip-flop.
    pub fn load(paths: &[PathBuf]) -> Result<Cells, Error> {
        let mut all = BTreeMap::new();
        let mut memories = vec![];
        let mut texts = vec![];
        let mut corners: Vec<(bool, Corner)> = vec![];
        let mut has_power = false;
        for path in paths {
            let text = text::read(path)?;
            let library = syntax::parse(path, &text)?;
            let basics = Basics::of(path, &library)?;
            has_power |= basics.has_power;
            for group in library.all("cell") {
                let cell = cell(group);
                if cell.is_memory {
                    memories.extend(memory(path, &basics, group, cell.area_um2)?);
                }
                all.entry(group.arg().to_string()).or_insert(cell);
            }
            // the corner is called after the library with the gates; memories come in libraries of their own
            let gates = library.all("cell").any(|c| c.all("ff").next().is_some());
            corners.insert(
                if gates { corners.partition_point(|(gates, _)| *gates) } else { corners.len() },
                (gates, basics.corner),
            );
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            texts.push((name.trim_end_matches(".gz").to_string(), text));
        }
        let Some((_, corner)) = corners.first().cloned() else { return Err(Error::NoCell { what: "cells at all" }) };
        if corners.iter().any(|(_, other)| !other.is_same_as(&corner)) {
            return Err(Error::Corners {
                found: corners.iter().map(|(_, c)| c.to_string()).collect::<Vec<_>>().join(", "),
            });
        }
        memories.sort_by(|a: &Memory, b| a.cell.cmp(&b.cell));
        let mut dont_use: Vec<String> = NEVER.map(String::from).to_vec();
        dont_use.extend(all.iter().filter(|(_, c)| c.dont_use).map(|(n, _)| n.clone()));
        let usable = |f: &dyn Fn(&Cell) -> bool| {
            let mut found: Vec<_> = all.iter().filter(|(n, c)| !is_excluded(n, &dont_use) && f(c)).collect();
            found.sort_by(|a, b| a.1.area_um2.total_cmp(&b.1.area_um2));
            found
        };
        let smallest = |what, f: &dyn Fn(&Cell) -> bool| -> Result<f64, Error> {
            usable(f).first().map(|(_, c)| c.area_um2).ok_or(Error::NoCell { what })
        };
        let nand2_um2 = smallest("two-input NAND", &|c| is_function(c, 2, |v| !(v[0] && v[1])))?;
        let flip_flop_um2 =
            smallest("flip-flop", &|c| c.register.as_ref().is_some_and(|r| !r.is_latch && r.next_state.len() == 1))?;
        let part = |(name, c): &(&String, &Cell)| Part {
            cell: name.to_string(),
            input: c.inputs.first().cloned().unwrap_or_default(),
            output: c.outputs[0].0.clone(),
        };
        let buffers = usable(&|c| is_function(c, 1, |v| v[0]));
        // a strong one for trees: the largest of at most four times the smallest buffer's area
        let limit = buffers.first().map_or(0.0, |b| b.1.area_um2 * 4.0);
        let buffer = buffers.iter().rfind(|b| b.1.area_um2 <= limit).map(part);
        let buffer = buffer.ok_or(Error::NoCell { what: "buffer" })?;
        let tie = |value: bool| {
            let ties = usable(&|c| c.inputs.is_empty() && c.outputs.iter().any(|o| constant(o) == Some(value)));
            ties.first().map(|(name, c)| Part {
                cell: name.to_string(),
                input: String::new(),
                output: c.outputs.iter().find(|o| constant(o) == Some(value)).map_or(String::new(), |o| o.0.clone()),
            })
        };
        let (tie_high, tie_low) = (tie(true), tie(false));
        let cells = all;
        Ok(Cells {
            texts,
            memories,
            corner,
            has_power,
            buffer,
            tie_high,
            tie_low,
            nand2_um2,
            flip_flop_um2,
            dont_use,
            cells,
        })
    }

    /// Names of all libraries, for records.
    pub fn names(&self) -> Vec<String> {
        self.texts.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Picofarads of the input of the tree buffer: what a driven output is loaded with, four times.
    pub fn buffer_pf(&self) -> f64 {
        self.cells[&self.buffer.cell].input_pf.get(&self.buffer.input).copied().unwrap_or(0.0)
    }
}

fn is_excluded(name: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|p| {
        let mut at = 0;
        p.split('*').filter(|s| !s.is_empty()).all(|piece| match name[at..].find(piece) {
            Some(found) => {
                at += found + piece.len();
                true
            }
            None => false,
        }) && (p.contains('*') || name == p)
    })
}

fn constant(output: &(String, Option<String>)) -> Option<bool> {
    match output.1.as_deref().map(str::trim) {
        Some("1") => Some(true),
        Some("0") => Some(false),
        _ => None,
    }
}

/// Whether the one output of a gate with `n` inputs is `f` of them in every case (in their order; for symmetric f).
fn is_function(cell: &Cell, n: usize, f: impl Fn(&[bool]) -> bool) -> bool {
    let (1, Some(text)) = (cell.outputs.len(), cell.outputs.first().and_then(|o| o.1.as_deref())) else { return false };
    if cell.inputs.len() != n || cell.register.is_some() {
        return false;
    }
    let Ok(expr) = cell.parse(text) else { return false };
    (0..1usize << n).all(|case| {
        let values: Vec<bool> = (0..n).map(|i| case >> i & 1 == 1).collect();
        let p = expr.probability(&|v| if values[v] { 1.0 } else { 0.0 });
        (p > 0.5) == f(&values)
    })
}

fn number(group: &Group, name: &str) -> Option<f64> {
    group.get(name)?.trim().parse().ok()
}

fn cell(group: &Group) -> Cell {
    let mut cell = Cell {
        area_um2: number(group, "area").unwrap_or(0.0),
        dont_use: group.is_true("dont_use"),
        is_memory: group.all("memory").next().is_some(),
        ..Cell::default()
    };
    for pin in group.all("pin") {
        for name in &pin.args {
            match pin.get("direction") {
                Some("input") => {
                    cell.inputs.push(name.to_string());
                    cell.input_pf.insert(name.to_string(), number(pin, "capacitance").unwrap_or(0.0));
                }
                Some("output") => cell.outputs.push((name.to_string(), pin.get("function").map(String::from))),
                _ => {}
            }
        }
    }
    let text = |g: &Group, name: &str| g.get(name).map(String::from);
    cell.register = group.groups.iter().find(|g| matches!(g.name, "ff" | "latch")).map(|g| Register {
        state: g.args.first().copied().unwrap_or("IQ").to_string(),
        inverse: g.args.get(1).copied().unwrap_or("IQN").to_string(),
        clocked_on: text(g, "clocked_on").or(text(g, "enable")).unwrap_or_default(),
        next_state: text(g, "next_state").or(text(g, "data_in")).unwrap_or_default(),
        clear: text(g, "clear"),
        preset: text(g, "preset"),
        is_latch: g.name == "latch",
    });
    cell
}

/// A single-port memory with `A_CLK A_MEN A_WEN A_REN A_ADDR A_DIN A_DOUT`; others are no use to this flow and left out.
fn memory(path: &Path, basics: &Basics, cell: &Group, area_um2: f64) -> Result<Option<Memory>, Error> {
    let bad = |what: String| Error::Library { path: path.into(), what: format!("memory {}: {what}", cell.arg()) };
    let shape = cell.all("memory").next();
    let size = |name: &str| shape.and_then(|m| number(m, name)).map(|n| n as usize);
    let (Some(address), Some(bits)) = (size("address_width"), size("word_width")) else {
        return Err(bad("address_width and word_width are missing".into()));
    };
    let pin = |name: &str| cell.groups.iter().find(|g| matches!(g.name, "pin" | "bus") && g.arg() == name);
    let (Some(clock), Some(out), Some(addr)) = (pin("A_CLK"), pin("A_DOUT"), pin("A_ADDR")) else { return Ok(None) };
    let energy = |writes: bool, reads: bool| -> Option<f64> {
        let group = clock.all("internal_power").find(|g| {
            let when: String = g.get("when").unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
            let has = |name: &str| when.contains(name) && !when.contains(&format!("!{name}"));
            has("A_MEN") && has("A_WEN") == writes && has("A_REN") == reads
        })?;
        // one rising and one falling edge a cycle
        Some((entry(group, "rise_power", false)? + entry(group, "fall_power", false)?) * 1e-12)
    };
    let timing = |pin: &Group, kind: &str, tables: [&str; 2]| -> Option<f64> {
        let group = pin.all("timing").find(|t| t.get("timing_type").map(str::trim) == Some(kind))?;
        let values = tables.iter().filter_map(|t| entry(group, t, kind == "rising_edge"));
        values.reduce(f64::max).map(|v| v * basics.units.time * 1e9)
    };
    let missing = |what: &str| bad(format!("{what} is missing"));
    Ok(Some(Memory {
        cell: cell.arg().to_string(),
        words: 1 << address.min(30),
        bits,
        area_um2,
        leakage_w: number(cell, "cell_leakage_power").unwrap_or(0.0) * basics.leakage,
        clk_to_q_ns: timing(out, "rising_edge", ["cell_rise", "cell_fall"]).ok_or_else(|| missing("its delay"))?,
        setup_ns: timing(addr, "setup_rising", ["rise_constraint", "fall_constraint"])
            .ok_or_else(|| missing("its setup time"))?
            .max(0.0),
        read_j: energy(false, true).ok_or_else(|| missing("the energy of a read"))?,
        write_j: energy(true, false).ok_or_else(|| missing("the energy of a write"))?,
    }))
}

/// One number of a table: at the middle of its first axis, and at the middle or (`last`) end of its second.
fn entry(group: &Group, table: &str, last: bool) -> Option<f64> {
    let values = &group.all(table).next()?.attribute("values")?.values;
    let rows: Vec<Vec<f64>> =
        values.iter().map(|row| row.split([',', ' ']).filter_map(|v| v.trim().parse().ok()).collect()).collect();
    let row = rows.get(rows.len() / 2)?;
    row.get(if last { row.len() - 1 } else { row.len() / 2 }).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_exclude_by_piece() {
        let patterns = ["*lpflow*".to_string(), "INVX1".to_string()];
        assert!(is_excluded("sky130_fd_sc_hd__lpflow_inputiso0n_1", &patterns) && is_excluded("INVX1", &patterns));
        assert!(!is_excluded("INVX16", &patterns));
    }

    #[test]
    fn parts_are_found_by_function_and_not_by_name() {
        let gate = |f: &str, inputs: &[&str]| Cell {
            inputs: inputs.iter().map(|i| i.to_string()).collect(),
            outputs: vec![("Z".into(), Some(f.into()))],
            ..Cell::default()
        };
        assert!(is_function(&gate("!(A&B)", &["A", "B"]), 2, |v| !(v[0] && v[1])));
        assert!(!is_function(&gate("!(A|B)", &["A", "B"]), 2, |v| !(v[0] && v[1])));
        assert!(is_function(&gate("A", &["A"]), 1, |v| v[0]));
    }
}
