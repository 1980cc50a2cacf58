//! Mapped modules: read from the JSON that Yosys writes, changed, and written as Verilog that simple readers accept.
//!
//! Names in the written netlist are plain identifiers: ports keep their vectors, every other net is one bit, and a register
//! is called after the net it drives. No expression, no escape, no `assign` where a cell can say it: OpenSTA of 2019 reads it.

use crate::library::Cells;
use crate::memory::Cut;
use crate::Error;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

/// One bit of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bit {
    Net(u32),
    Zero,
    One,
}

#[derive(Clone, Debug)]
pub struct Port {
    pub name: String,
    pub is_input: bool,
    /// Least significant first
    pub bits: Vec<Bit>,
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub name: String,
    pub kind: String,
    /// Pin, whether it drives, bits (least significant first)
    pub pins: Vec<Pin>,
}

#[derive(Clone, Debug)]
pub struct Pin {
    pub name: String,
    pub drives: bool,
    pub bits: Vec<Bit>,
}

#[derive(Clone, Debug, Default)]
pub struct Module {
    pub name: String,
    pub ports: Vec<Port>,
    pub cells: Vec<Cell>,
    /// Names the RTL gives to nets, one a net
    pub public: HashMap<u32, String>,
    /// First unused net number
    pub next_net: u32,
}

/// A netlist by module; `top` contains the others.
#[derive(Clone, Debug, Default)]
pub struct Netlist {
    pub top: String,
    pub modules: BTreeMap<String, Module>,
    /// The memories that stand in the modules as black boxes
    pub memories: Cut,
}

impl Module {
    /// A module out of `write_json`.
    pub fn from_json(name: &str, json: &Value) -> Result<Module, Error> {
        let bad = |what: &str| Error::Unreadable { what: "yosys write_json", found: format!("module {name}: {what}") };
        let mut module = Module { name: name.into(), ..Module::default() };
        let object = |v: &Value, key: &str| v[key].as_object().cloned().ok_or_else(|| bad(key));
        let mut highest = 1;
        let mut bits = |v: &Value| -> Result<Vec<Bit>, Error> {
            let list = v.as_array().ok_or_else(|| bad("bits"))?;
            list.iter()
                .map(|b| match (b.as_u64(), b.as_str()) {
                    (Some(n), _) => {
                        let n = u32::try_from(n).map_err(|_| bad("a net number"))?;
                        highest = highest.max(n);
                        Ok(Bit::Net(n))
                    }
                    (None, Some("1")) => Ok(Bit::One),
                    (None, Some(_)) => Ok(Bit::Zero), // 0, and x or z: nobody reads it
                    _ => Err(bad("a bit")),
                })
                .collect()
        };
        for (port, v) in object(json, "ports")? {
            let is_input = v["direction"] == "input";
            module.ports.push(Port { name: port, is_input, bits: bits(&v["bits"])? });
        }
        for (cell, v) in object(json, "cells")? {
            let kind = v["type"].as_str().ok_or_else(|| bad("a cell's type"))?.to_string();
            if kind == "$scopeinfo" {
                continue;
            }
            let directions = &v["port_directions"];
            let mut pins = vec![];
            for (pin, b) in object(&v, "connections")? {
                pins.push(Pin { drives: directions[&pin] == "output", name: pin, bits: bits(&b)? });
            }
            module.cells.push(Cell { name: cell, kind, pins });
        }
        for (net, v) in object(json, "netnames")? {
            if v["hide_name"].as_u64() == Some(1) {
                continue;
            }
            let list = bits(&v["bits"])?;
            let wide = list.len() > 1;
            for (i, b) in list.iter().enumerate() {
                if let Bit::Net(n) = b {
                    let name = if wide { format!("{net}_{i}") } else { net.clone() };
                    let best = module.public.entry(*n).or_insert_with(|| name.clone());
                    // the shortest, then the first: a stable choice
                    if (name.len(), &name) < (best.len(), best) {
                        *best = name;
                    }
                }
            }
        }
        module.next_net = highest + 1;
        Ok(module)
    }

    pub fn new_net(&mut self) -> u32 {
        self.next_net += 1;
        self.next_net - 1
    }

    /// Directions of library pins, which Yosys knows only of cells it has seen as modules.
    pub fn set_directions(&mut self, drives: impl Fn(&str, &str) -> Option<bool>) -> Result<(), Error> {
        for cell in &mut self.cells {
            for pin in &mut cell.pins {
                pin.drives = drives(&cell.kind, &pin.name)
                    .ok_or_else(|| Error::UnknownCell { module: self.name.clone(), cell: cell.kind.clone() })?;
            }
        }
        Ok(())
    }

    /// Cell and instance names become plain identifiers; a register is called after its net.
    pub fn rename(&mut self, is_register: impl Fn(&str) -> bool, is_child: impl Fn(&str) -> bool) {
        let mut used = HashSet::new();
        let mut count = 0;
        for cell in &mut self.cells {
            let wished = if is_child(&cell.kind) {
                plain(&cell.name)
            } else if is_register(&cell.kind) {
                let q = cell.pins.iter().filter(|p| p.drives).flat_map(|p| &p.bits).find_map(|b| match b {
                    Bit::Net(n) => self.public.get(n),
                    _ => None,
                });
                q.map_or_else(|| format!("{}_reg", numbered("r", &mut count)), |q| plain(q) + "_reg")
            } else {
                numbered("g", &mut count)
            };
            let mut name = wished.clone();
            while !used.insert(name.clone()) {
                name = format!("{wished}_{}", numbered("x", &mut count));
            }
            cell.name = name;
        }
    }

    /// The text of a net for each net number. Ports come first, so that no `assign` is needed for them; a net that leaves by
    /// a second port is in the second list: (port bit, its net).
    pub fn net_texts(&self) -> (HashMap<u32, String>, Vec<(String, Bit)>) {
        let mut text = HashMap::new();
        let mut copies = vec![];
        let mut used: HashSet<String> = self.ports.iter().map(|p| p.name.clone()).collect();
        let inputs_first = self.ports.iter().filter(|p| p.is_input).chain(self.ports.iter().filter(|p| !p.is_input));
        for port in inputs_first {
            for (i, bit) in port.bits.iter().enumerate() {
                let name = if port.bits.len() > 1 { format!("{}[{i}]", port.name) } else { port.name.clone() };
                match bit {
                    Bit::Net(n) if !text.contains_key(n) => {
                        text.insert(*n, name);
                    }
                    _ if port.is_input => {}
                    other => copies.push((name, *other)),
                }
            }
        }
        let mut nets: Vec<u32> = self.nets().into_iter().filter(|n| !text.contains_key(n)).collect();
        nets.sort_unstable();
        for n in nets {
            let wished = self.public.get(&n).map_or_else(|| format!("n{n}"), |name| plain(name));
            let mut name = wished.clone();
            if !used.insert(name.clone()) {
                name = format!("{wished}_n{n}");
                used.insert(name.clone());
            }
            text.insert(n, name);
        }
        (text, copies)
    }

    /// Nets that a tie cell holds at a constant.
    pub fn tied(&self, cells: &Cells) -> HashMap<u32, Bit> {
        let mut tied = HashMap::new();
        for cell in &self.cells {
            let Some(known) = cells.cells.get(&cell.kind).filter(|c| c.inputs.is_empty()) else { continue };
            for pin in cell.pins.iter().filter(|p| p.drives) {
                let Some(value) = known.constant(&pin.name) else { continue };
                let value = if value { Bit::One } else { Bit::Zero };
                tied.extend(pin.bits.iter().filter_map(|b| if let Bit::Net(n) = b { Some((*n, value)) } else { None }));
            }
        }
        tied
    }

    /// Every net that a pin or port touches.
    pub fn nets(&self) -> HashSet<u32> {
        let pins = self.cells.iter().flat_map(|c| &c.pins).flat_map(|p| &p.bits);
        let all = pins.chain(self.ports.iter().flat_map(|p| &p.bits));
        all.filter_map(|b| if let Bit::Net(n) = b { Some(*n) } else { None }).collect()
    }

    /// The header: module, ports and wires.
    pub fn header(&self, out: &mut String, text: &HashMap<u32, String>) {
        let names: Vec<&str> = self.ports.iter().map(|p| p.name.as_str()).collect();
        let _ = writeln!(out, "module {} ({});", self.name, names.join(", "));
        for p in &self.ports {
            let range = if p.bits.len() > 1 { format!("[{}:0] ", p.bits.len() - 1) } else { String::new() };
            let _ = writeln!(out, "  {} {range}{};", if p.is_input { "input" } else { "output" }, p.name);
        }
        let ports: HashSet<&str> = self.ports.iter().map(|p| p.name.as_str()).collect();
        let is_wire = |t: &&String| !t.ends_with(']') && !ports.contains(t.as_str());
        let mut wires: Vec<&String> = text.values().filter(is_wire).collect();
        wires.sort_unstable();
        for w in wires {
            let _ = writeln!(out, "  wire {w};");
        }
    }

    /// Structural Verilog of this module.
    pub fn verilog(&self, out: &mut String) {
        let (text, copies) = self.net_texts();
        self.header(out, &text);
        for (port, bit) in &copies {
            let _ = writeln!(out, "  assign {port} = {};", bit_text(*bit, &text));
        }
        for cell in &self.cells {
            let _ = write!(out, "  {} {} (", cell.kind, cell.name);
            connections(out, cell, &text);
            out.push_str(");\n");
        }
        out.push_str("endmodule\n");
    }
}

/// `.pin(net), …` of an instance.
pub fn connections(out: &mut String, cell: &Cell, text: &HashMap<u32, String>) {
    for (i, pin) in cell.pins.iter().enumerate() {
        let bits: Vec<String> = pin.bits.iter().rev().map(|b| bit_text(*b, text)).collect();
        let comma = if i > 0 { ", " } else { "" };
        let value = if bits.len() == 1 { bits[0].clone() } else { format!("{{{}}}", bits.join(", ")) };
        let _ = write!(out, "{comma}.{}({value})", pin.name);
    }
}

pub fn bit_text(bit: Bit, text: &HashMap<u32, String>) -> String {
    match bit {
        Bit::Zero => "1'b0".into(),
        Bit::One => "1'b1".into(),
        Bit::Net(n) => text.get(&n).cloned().unwrap_or_else(|| format!("n{n}")),
    }
}

impl Netlist {
    /// The modules' names, each after those that stand in it.
    pub fn inner_first(&self) -> Vec<String> {
        fn visit(netlist: &Netlist, name: &str, seen: &mut HashSet<String>, order: &mut Vec<String>) {
            let Some(module) = netlist.modules.get(name) else { return };
            if seen.insert(name.to_string()) {
                module.cells.iter().for_each(|cell| visit(netlist, &cell.kind, seen, order));
                order.push(name.to_string());
            }
        }
        let (mut seen, mut order) = (HashSet::new(), vec![]);
        self.modules.keys().for_each(|name| visit(self, name, &mut seen, &mut order));
        order
    }

    /// All modules, children before parents does not matter; the top comes last.
    pub fn verilog(&self) -> String {
        let mut out = String::new();
        for module in self.modules.values().filter(|m| m.name != self.top) {
            module.verilog(&mut out);
        }
        if let Some(top) = self.modules.get(&self.top) {
            top.verilog(&mut out);
        }
        out
    }

    /// How often each module stands in the design, memories and library cells included.
    pub fn instances(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        self.count(&self.top, &mut count);
        count
    }

    fn count(&self, module: &str, count: &mut BTreeMap<String, usize>) {
        *count.entry(module.to_string()).or_insert(0) += 1;
        for cell in self.modules.get(module).map_or(&[][..], |m| &m.cells) {
            self.count(&cell.kind, count);
        }
    }
}

fn numbered(prefix: &str, count: &mut usize) -> String {
    *count += 1;
    format!("{prefix}{count}")
}

/// A plain identifier.
fn plain(name: &str) -> String {
    let mut s: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !s.starts_with(|c: char| c.is_ascii_alphabetic()) {
        s.insert(0, 'n');
    }
    s
}
