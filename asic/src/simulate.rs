//! The mapped netlist as Verilog that a simulator can run: what each cell does, taken from its Liberty entry.
//!
//! A gate is one continuous assignment of its Liberty `function`; the flip-flops of a module stand together in one
//! `always_ff` a reset. Nothing is written by hand for a library, and nothing is taken from the RTL but the memories that were
//! cut out before mapping. Nets have the names of the structural netlist, so counted toggles fit it. Hierarchy is kept.

use crate::library::{Cell, Cells, Register};
use crate::netlist::{bit_text, connections, Bit, Cell as Instance, Module, Netlist};
use crate::Error;
use power::liberty::Expr;
use rtl_gen::hdl::Printed;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// The netlist as a design for the simulator; memories come from `rtl`.
///
/// Fails on a cell without a function, and on a register this writer does not know (a latch, a clock through a gate).
pub fn printed(netlist: &Netlist, cells: &Cells, rtl: &Printed) -> Result<Printed, Error> {
    let mut files: indexmap::IndexMap<String, String> = rtl
        .files
        .iter()
        .filter(|(f, _)| netlist.memories.contains_key(f.trim_end_matches(".sv")))
        .map(|(f, t)| (f.clone(), t.clone()))
        .collect();
    for module in netlist.modules.values() {
        files.insert(format!("{}.sv", module.name), self::module(module, cells)?);
    }
    Ok(Printed { files, top: netlist.top.clone(), ..Printed::default() })
}

/// Flip-flops that share clock and reset: what happens in reset, and at the edge.
#[derive(Default)]
struct Bank {
    reset: String,
    edge: String,
}

fn module(module: &Module, cells: &Cells) -> Result<String, Error> {
    let (text, copies) = module.net_texts();
    let mut out = String::new();
    module.header(&mut out, &text);
    for (port, bit) in &copies {
        let _ = writeln!(out, "  assign {port} = {};", bit_text(*bit, &text));
    }
    let mut banks: BTreeMap<String, Bank> = BTreeMap::new();
    // inputs on a tied net take its constant: a reset that never comes would be a clock domain of its own
    let tied = module.tied(cells);
    for instance in &module.cells {
        let mut instance = instance.clone();
        for bit in instance.pins.iter_mut().filter(|p| !p.drives).flat_map(|p| &mut p.bits) {
            if let Bit::Net(n) = *bit {
                *bit = tied.get(&n).copied().unwrap_or(*bit);
            }
        }
        let instance = &instance;
        let Some(cell) = cells.cells.get(&instance.kind) else {
            let _ = write!(out, "  {} {} (", instance.kind, instance.name);
            connections(&mut out, instance, &text);
            out.push_str(");\n");
            continue;
        };
        let unknown = |why: &str| Error::NoModel { cell: instance.kind.clone(), why: why.into() };
        let state = format!("{}_s", instance.name);
        if let Some(register) = &cell.register {
            let _ = writeln!(out, "  reg {state};");
            flip_flop(&mut banks, register, instance, cell, &state, &text).map_err(|why| unknown(&why))?;
        }
        for pin in instance.pins.iter().filter(|p| p.drives) {
            let function = cell.outputs.iter().find(|(n, _)| *n == pin.name).and_then(|(_, f)| f.as_deref());
            let function = function.ok_or_else(|| unknown("an output has no function"))?;
            let value = expression(function, instance, cell, &state, &text).map_err(|why| unknown(&why))?;
            let _ = writeln!(out, "  assign {} = {value};", bit_text(pin.bits[0], &text));
        }
    }
    for (condition, bank) in &banks {
        let Bank { reset, edge } = bank;
        match reset.is_empty() {
            true => {
                let _ = writeln!(out, "  always_ff @({condition}) begin\n{edge}  end");
            }
            false => {
                // the asynchronous condition ends the sensitivity list: `posedge clk or negedge rst`
                let (kind, net) = condition.rsplit_once(' ').unwrap_or(("", condition));
                let test = if kind.ends_with("negedge") { format!("!{net}") } else { net.to_string() };
                let _ = writeln!(
                    out,
                    "  always_ff @({condition}) begin\n    if ({test}) begin\n{reset}    end else begin\n{edge}    end\n  end"
                );
            }
        }
    }
    out.push_str("endmodule\n");
    Ok(out)
}

fn flip_flop(
    banks: &mut BTreeMap<String, Bank>,
    register: &Register,
    instance: &Instance,
    cell: &Cell,
    state: &str,
    text: &HashMap<u32, String>,
) -> Result<(), String> {
    if register.is_latch {
        return Err("it is a latch".into());
    }
    let next = expression(&register.next_state, instance, cell, state, text)?;
    let (clock, falls) = edge(&register.clocked_on, instance, cell)?.ok_or("its clock is a constant")?;
    let mut condition = format!("{} {}", if falls { "negedge" } else { "posedge" }, bit_text(clock, text));
    let mut reset = String::new();
    for (what, value) in [(&register.clear, 0), (&register.preset, 1)] {
        let Some(what) = what else { continue };
        // a pin tied to its idle level is no reset
        let Some((net, active_low)) = edge(what, instance, cell)? else { continue };
        if !reset.is_empty() {
            return Err("it is cleared and preset".into());
        }
        let _ = write!(condition, " or {} {}", if active_low { "negedge" } else { "posedge" }, bit_text(net, text));
        reset = format!("      {state} <= 1'b{value};\n");
    }
    let bank = banks.entry(condition).or_default();
    let _ = writeln!(bank.edge, "      {state} <= {next};");
    bank.reset += &reset;
    Ok(())
}

/// The net behind a clock, clear or preset expression of one pin, and whether it is inverted; none for an idle constant.
fn edge(expression: &str, instance: &Instance, cell: &Cell) -> Result<Option<(Bit, bool)>, String> {
    let (name, inverted) = match cell.parse(expression)? {
        Expr::Var(v) => (&cell.inputs[v], false),
        Expr::Not(inner) => match *inner {
            Expr::Var(v) => (&cell.inputs[v], true),
            _ => return Err(format!("`{expression}` is more than a pin")),
        },
        _ => return Err(format!("`{expression}` is more than a pin")),
    };
    match connected(instance, name)? {
        bit @ Bit::Net(_) => Ok(Some((bit, inverted))),
        Bit::One if inverted => Ok(None),
        Bit::Zero if !inverted => Ok(None),
        _ => Err(format!("`{expression}` is always active")),
    }
}

fn connected(instance: &Instance, pin: &str) -> Result<Bit, String> {
    let found = instance.pins.iter().find(|p| p.name == pin).and_then(|p| p.bits.first());
    found.copied().ok_or_else(|| format!("pin {pin} is not connected"))
}

fn expression(
    expression: &str,
    instance: &Instance,
    cell: &Cell,
    state: &str,
    text: &HashMap<u32, String>,
) -> Result<String, String> {
    fn write(e: &Expr, name: &dyn Fn(usize) -> Result<String, String>) -> Result<String, String> {
        Ok(match e {
            Expr::Const(v) => format!("1'b{}", u8::from(*v)),
            Expr::Var(v) => name(*v)?,
            Expr::Not(a) => format!("~{}", write(a, name)?),
            Expr::And(a, b) => format!("({} & {})", write(a, name)?, write(b, name)?),
            Expr::Or(a, b) => format!("({} | {})", write(a, name)?, write(b, name)?),
            Expr::Xor(a, b) => format!("({} ^ {})", write(a, name)?, write(b, name)?),
        })
    }
    let name = |v: usize| match cell.inputs.get(v) {
        Some(pin) => Ok(bit_text(connected(instance, pin)?, text)),
        None => Ok(state.to_string()),
    };
    write(&cell.parse(expression)?, &name)
}
