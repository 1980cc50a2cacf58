//! Whether a design is wired right: what does not fit is an error of the generator that names module and signal.
//!
//! Three of the checks are rust-hdl's own, run over the `View`: [`check_connected`] (a signal that nothing drives),
//! [`check_inputs_not_written`] and [`check_logic_loops`]. The last two read a block's text as rust-hdl's statements, which our bodies are
//! not, so the view gives them the assignments that `Scan` found. rust-hdl has no check for several drivers although its
//! documentation promises one, and knows no widths of connections; those two are here.

use super::module::{Dir, Module};
use super::scan::{By, Driver, Scan};
use super::view::View;
use rust_hdl::core::ast::{VerilogExpression, VerilogStatement};
use rust_hdl::core::check_connected::check_connected;
use rust_hdl::core::check_error::CheckError;
use rust_hdl::core::check_logic_loops::check_logic_loops;
use rust_hdl::core::check_write_inputs::check_inputs_not_written;
use rust_hdl::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Checks that every instance is connected port by port, with the right widths, and that no signal has several drivers.
///
/// # Errors
/// All faults, one a line, each with its module's name.
pub fn wiring(top: &Module) -> Result<(), String> {
    let mut faults = vec![];
    each_module(top, &mut |m| {
        if m.is_bench {
            faults.extend(m.faults.iter().map(|f| format!("{}: {f}", m.name)));
            return;
        }
        let scan = m.scan();
        faults.extend(scan.faults.iter().map(|f| format!("{}: {f}", m.name)));
        for (name, drivers) in &scan.drivers {
            if let Some((a, b)) = contention(drivers) {
                faults.push(format!("{}: {name} is driven by {a} and by {b}", m.name));
            }
        }
    });
    result(faults)
}

/// Checks what [`wiring`] checks, and runs rust-hdl's own checks: every signal is driven, no input is written, no loop lacks a register.
///
/// # Errors
/// All faults, one a line, each with the path to its module.
pub fn all(top: &Module) -> Result<(), String> {
    wiring(top)?;
    let (paths, texts) = (RefCell::new(BTreeMap::new()), RefCell::new(BTreeMap::<*const Module, Verilog>::new()));
    let text: &dyn Fn(&Module) -> Verilog = &|m| {
        let known = texts.borrow().get(&std::ptr::from_ref(m)).cloned();
        known.unwrap_or_else(|| {
            let text = assignments(m, &mut paths.borrow_mut());
            texts.borrow_mut().insert(m, text.clone());
            text
        })
    };
    let view = View::top(top, text);
    let mut faults = vec![];
    for check in [check_connected, check_inputs_not_written, check_logic_loops] {
        let (what, list) = match check(&view) {
            Ok(()) => continue,
            Err(CheckError::OpenSignal(open)) => ("nothing drives it", open.into_values().collect()),
            Err(CheckError::WritesToInputs(list)) => ("an input is written", list),
            Err(CheckError::LogicLoops(list)) => ("it follows itself without a register between", list),
        };
        faults.extend(list.iter().map(|s| format!("{}.{}: {what}", s.path, s.name)));
    }
    faults.sort();
    result(faults)
}

fn result(faults: Vec<String>) -> Result<(), String> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.join("\n")),
    }
}

/// Calls `f` with every distinct module under `top`, children first.
fn each_module(top: &Module, f: &mut impl FnMut(&Module)) {
    fn visit(m: &Module, seen: &mut BTreeSet<*const Module>, f: &mut impl FnMut(&Module)) {
        if seen.insert(m) {
            m.instances.iter().for_each(|i| visit(&i.module, seen, f));
            f(m);
        }
    }
    visit(top, &mut BTreeSet::new(), f);
}

/// Finds two drivers of the same bit and names both.
fn contention(drivers: &[Driver]) -> Option<(String, String)> {
    let words = |d: &Driver| match &d.by {
        By::Assign => "an assignment".to_string(),
        By::Process(_) => "a process".to_string(),
        By::Instance(port) => port.clone(),
    };
    for (i, a) in drivers.iter().enumerate() {
        for b in &drivers[i + 1..] {
            let same = matches!((&a.by, &b.by), (By::Process(x), By::Process(y)) if x == y);
            let overlap = match (a.bits, b.bits) {
                (Some((alo, ahi)), Some((blo, bhi))) => alo <= bhi && blo <= ahi,
                // a part that a variable selects may be any, but not beside a driver of all of it by another
                _ => false,
            };
            if overlap && !same {
                return Some((words(a), words(b)));
            }
        }
    }
    None
}

/// For each output of a module, the inputs it follows without a register between.
type Paths = BTreeMap<String, BTreeSet<String>>;

/// The module's combinational assignments, children included, in an order in which every signal is written before it is read; if there
/// is none, what cannot be ordered stands last, which is what rust-hdl's check for loops looks for.
fn assignments(m: &Module, known: &mut BTreeMap<*const Module, Paths>) -> Verilog {
    let scan = m.scan();
    let mut edges = follows(m, scan, known);
    let inputs: BTreeSet<&str> = m.ports.iter().filter(|p| p.dir == Dir::In).map(|p| p.name.as_str()).collect();
    let mut statements = vec![];
    let signal = |n: &str| VerilogExpression::Signal(n.to_string());
    let mut write = |target: &str, sources: &BTreeSet<String>| {
        let value = sources
            .iter()
            .map(|s| signal(s))
            .reduce(|a, b| VerilogExpression::Binary(Box::new(a), rust_hdl::core::ast::VerilogOp::BitOr, Box::new(b)));
        let value = value.unwrap_or(VerilogExpression::Literal(VerilogLiteral::from(0u32)));
        statements.push(VerilogStatement::Assignment(signal(target), value));
    };
    // an input that is driven from inside, and signals that registers or nothing drive: known before everything else
    for name in scan.drivers.keys() {
        if !edges.contains_key(name) {
            write(name, &BTreeSet::new());
        }
    }
    let fixed =
        |s: &String, edges: &BTreeMap<String, BTreeSet<String>>| inputs.contains(s.as_str()) || !edges.contains_key(s);
    loop {
        let ready: Vec<String> = edges
            .iter()
            .filter(|(_, sources)| sources.iter().all(|s| fixed(s, &edges)))
            .map(|(target, _)| target.clone())
            .collect();
        if ready.is_empty() {
            break;
        }
        for target in ready {
            let sources = edges.remove(&target).unwrap_or_default();
            write(&target, &sources);
        }
    }
    edges.iter().for_each(|(target, sources)| write(target, sources));
    Verilog::Combinatorial(statements)
}

/// Returns for each signal of `m` the signals that it follows without a register between.
fn follows(m: &Module, scan: &Scan, known: &mut BTreeMap<*const Module, Paths>) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (target, sources) in &scan.follows {
        edges.entry(target.clone()).or_default().extend(sources.iter().cloned());
    }
    for i in &m.instances {
        let inner = paths(&i.module, known);
        let mut named = BTreeMap::new();
        for (port, e) in &i.connections {
            let mut names = vec![];
            if let Ok(e) = super::expr::Expr::parse(&super::token::tokens(e)) {
                e.names(&mut |n| names.push(n.to_string()));
            }
            named.insert(port.as_str(), names);
        }
        for (output, inputs) in inner {
            let sources: BTreeSet<String> =
                inputs.iter().filter_map(|i| named.get(i.as_str())).flatten().cloned().collect();
            for target in named.get(output.as_str()).into_iter().flatten() {
                edges.entry(target.clone()).or_default().extend(sources.iter().cloned());
            }
        }
    }
    for sources in edges.values_mut() {
        sources.retain(|s| scan.names.signals.contains_key(s));
    }
    edges
}

/// Finds the combinational paths from inputs to outputs of `m`.
fn paths(m: &Module, known: &mut BTreeMap<*const Module, Paths>) -> Paths {
    let key: *const Module = m;
    if let Some(p) = known.get(&key) {
        return p.clone();
    }
    let scan = m.scan();
    let edges = follows(m, scan, known);
    let is = |name: &str, dir: Dir| m.ports.iter().any(|p| p.name == name && p.dir == dir);
    let mut result = Paths::new();
    for p in m.ports.iter().filter(|p| p.dir == Dir::Out) {
        let (mut seen, mut open) = (BTreeSet::new(), vec![p.name.clone()]);
        while let Some(name) = open.pop() {
            for s in edges.get(&name).into_iter().flatten() {
                if seen.insert(s.clone()) {
                    open.push(s.clone());
                }
            }
        }
        result.insert(p.name.clone(), seen.into_iter().filter(|s| is(s, Dir::In)).collect());
    }
    known.insert(key, result.clone());
    result
}
