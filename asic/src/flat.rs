//! The hierarchical netlist as one flat circuit of truth tables, registers and memories.

use crate::library::{Cell, Cells};
use crate::netlist::{Bit, Cell as Instance, Module, Netlist};
use crate::Error;
use power::liberty::Expr;
use std::collections::{BTreeMap, HashMap};

/// Inputs of the largest gate.
const MAX_INPUTS: usize = 6;

#[derive(Clone, Debug)]
pub struct Gate {
    /// Bit i: the output when the inputs read i
    pub table: u64,
    pub inputs: [u32; MAX_INPUTS],
    pub n: u8,
    pub output: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Register {
    pub data: u32,
    pub state: u32,
    /// Net that resets it while it is 0, and its value then
    pub reset: Option<(u32, bool)>,
}

/// A net that resets registers while it is 0, at any time, and which.
#[derive(Clone, Debug, Default)]
pub struct Reset {
    pub net: u32,
    pub registers: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Ram {
    pub we: u32,
    pub re: u32,
    pub waddr: Vec<u32>,
    pub raddr: Vec<u32>,
    pub wdata: Vec<u32>,
    pub rdata: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct PortBits {
    pub name: String,
    pub is_input: bool,
    pub bits: Vec<u32>,
}

/// Marks a reader that is a register.
pub const REGISTER: u32 = 1 << 31;

/// A flat circuit with one clock; net 0 is constant 0 and net 1 constant 1. Gates stand in an order in which each comes after
/// those it reads.
#[derive(Clone, Debug, Default)]
pub struct Circuit {
    pub gates: Vec<Gate>,
    pub registers: Vec<Register>,
    pub rams: Vec<Ram>,
    pub ports: Vec<PortBits>,
    pub clock: u32,
    pub resets: Vec<Reset>,
    /// Who looks at each net, in `readers[readers_at[net]..readers_at[net + 1]]`: a gate by its index, a register whose data
    /// input it is by its index with [`REGISTER`] set
    pub readers: Vec<u32>,
    pub readers_at: Vec<u32>,
    /// Every name of every net, hierarchy separated by dots
    pub names: Vec<(String, u32)>,
    n_nets: u32,
}

impl Circuit {
    pub fn n_nets(&self) -> usize {
        self.n_nets as usize
    }

    /// Flattens `netlist`.
    ///
    /// Fails on a cell whose function is not known, a clock that is not `clk_i`, a reset that is not the low level of a net, and a loop of gates.
    pub fn new(netlist: &Netlist, cells: &Cells) -> Result<Circuit, Error> {
        let mut c = Circuit { n_nets: 2, ..Circuit::default() };
        let Some(top) = netlist.modules.get(&netlist.top) else {
            return Err(Error::UnknownCell { module: "the netlist".into(), cell: netlist.top.clone() });
        };
        let mut bound = HashMap::new();
        for port in &top.ports {
            let bits: Vec<u32> = port.bits.iter().map(|_| c.net()).collect();
            if port.name == "clk_i" {
                c.clock = bits[0];
            }
            bound.insert(port.name.clone(), bits.clone());
            c.ports.push(PortBits { name: port.name.clone(), is_input: port.is_input, bits });
        }
        c.module(netlist, cells, top, "", &bound)?;
        c.sort()?;
        let gates = c.gates.iter().enumerate();
        let gates = gates.flat_map(|(i, g)| g.inputs[..g.n as usize].iter().map(move |net| (*net, i as u32)));
        let mut resets: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (i, register) in c.registers.iter().enumerate() {
            if let Some((net, _)) = register.reset {
                resets.entry(net).or_default().push(i as u32);
            }
        }
        c.resets = resets.into_iter().map(|(net, registers)| Reset { net, registers }).collect();
        let registers = c.registers.iter().enumerate().map(|(i, r)| (r.data, i as u32 | REGISTER));
        (c.readers, c.readers_at) = lists(c.n_nets(), gates.chain(registers));
        Ok(c)
    }

    fn net(&mut self) -> u32 {
        self.n_nets += 1;
        self.n_nets - 1
    }

    fn module(
        &mut self,
        netlist: &Netlist,
        cells: &Cells,
        module: &Module,
        path: &str,
        bound: &HashMap<String, Vec<u32>>,
    ) -> Result<(), Error> {
        let (texts, copies) = module.net_texts();
        let mut local: HashMap<u32, u32> = HashMap::new();
        let inputs_first =
            module.ports.iter().filter(|p| p.is_input).chain(module.ports.iter().filter(|p| !p.is_input));
        for port in inputs_first {
            for (i, bit) in port.bits.iter().enumerate() {
                let net = bound[&port.name][i];
                let name = if port.bits.len() > 1 {
                    format!("{path}{}[{i}]", port.name)
                } else {
                    format!("{path}{}", port.name)
                };
                self.names.push((name, net));
                if let Bit::Net(n) = bit {
                    local.entry(*n).or_insert(net);
                }
            }
        }
        for (n, text) in &texts {
            if !local.contains_key(n) {
                let net = self.net();
                local.insert(*n, net);
                self.names.push((format!("{path}{text}"), net));
            }
        }
        let flat = |bit: Bit| match bit {
            Bit::Zero => 0,
            Bit::One => 1,
            Bit::Net(n) => local.get(&n).copied().unwrap_or(0),
        };
        let tied: HashMap<u32, u32> = module
            .tied(cells)
            .into_iter()
            .filter_map(|(n, value)| Some((*local.get(&n)?, u32::from(value == Bit::One))))
            .collect();
        // a net that leaves by a second port, or a constant that does: a wire, which is a gate of one input here
        for (name, bit) in &copies {
            let (port, i) = match name.split_once('[') {
                Some((port, i)) => (port, i.trim_end_matches(']').parse().unwrap_or(0)),
                None => (name.as_str(), 0),
            };
            let output = bound[port][i];
            self.gates.push(Gate { table: 0b10, inputs: [flat(*bit), 0, 0, 0, 0, 0], n: 1, output });
        }
        for instance in &module.cells {
            let pins = |name: &str| -> Vec<u32> {
                let pin = instance.pins.iter().find(|p| p.name == name);
                pin.map_or_else(Vec::new, |p| p.bits.iter().map(|b| flat(*b)).collect())
            };
            if let Some(cell) = cells.cells.get(&instance.kind) {
                self.leaf(instance, cell, &pins, &tied)
                    .map_err(|why| Error::NoModel { cell: instance.kind.clone(), why })?;
            } else if netlist.memories.contains_key(&instance.kind) {
                let one = |name: &str| pins(name).first().copied().unwrap_or(0);
                let rdata: Vec<u32> = pins("rdata_o");
                let ram = Ram {
                    we: one("we_i"),
                    re: one("re_i"),
                    waddr: pins("waddr_i"),
                    raddr: pins("raddr_i"),
                    wdata: pins("wdata_i"),
                    rdata,
                };
                self.rams.push(ram);
            } else if let Some(child) = netlist.modules.get(&instance.kind) {
                let mut inner = HashMap::new();
                for port in &child.ports {
                    let mut bits = pins(&port.name);
                    // open, or a constant where the child drives: a net of its own
                    bits.resize(port.bits.len(), 0);
                    if !port.is_input {
                        bits.iter_mut().filter(|b| **b < 2).for_each(|b| *b = self.net());
                    }
                    inner.insert(port.name.clone(), bits);
                }
                self.module(netlist, cells, child, &format!("{path}{}.", instance.name), &inner)?;
            } else {
                return Err(Error::UnknownCell { module: module.name.clone(), cell: instance.kind.clone() });
            }
        }
        Ok(())
    }

    /// Inputs on a `tied` net take its constant, so that a reset that never comes is none.
    fn leaf(
        &mut self,
        instance: &Instance,
        cell: &Cell,
        pins: &dyn Fn(&str) -> Vec<u32>,
        tied: &HashMap<u32, u32>,
    ) -> Result<(), String> {
        let input = |name: &str| {
            let net = pins(name).first().copied().unwrap_or(0);
            tied.get(&net).copied().unwrap_or(net)
        };
        let inputs: Vec<u32> = cell.inputs.iter().map(|i| input(i)).collect();
        let n = inputs.len();
        let parse = |text: &str| cell.parse(text);
        let mut nets = inputs.clone();
        if let Some(r) = &cell.register {
            if r.is_latch {
                return Err("it is a latch".into());
            }
            // where the output is the state itself, no net between them
            let direct = cell.outputs.iter().find(|(_, f)| f.as_deref().map(str::trim) == Some(r.state.as_str()));
            let state = direct.and_then(|(name, _)| pins(name).first().copied()).unwrap_or_else(|| self.net());
            nets.push(state);
            if parse(&r.clocked_on)?
                != Expr::Var(cell.inputs.iter().position(|i| input(i) == self.clock).unwrap_or(usize::MAX))
            {
                return Err(format!("its clock `{}` is not the rising clk_i", r.clocked_on));
            }
            let mut reset = None;
            for (text, value) in [(&r.clear, false), (&r.preset, true)] {
                let Some(text) = text else { continue };
                match parse(text)? {
                    Expr::Not(v) => match *v {
                        Expr::Var(v) if nets[v] == 1 => {}
                        Expr::Var(v) => reset = Some((nets[v], value)),
                        _ => return Err(format!("its reset `{text}` is not the low level of a net")),
                    },
                    _ => return Err(format!("its reset `{text}` is not the low level of a net")),
                }
            }
            let data = match parse(&r.next_state)? {
                Expr::Var(v) => nets[v],
                other => {
                    let data = self.net();
                    self.gate(&other, &nets, data)?;
                    data
                }
            };
            self.registers.push(Register { data, state, reset });
        }
        for pin in instance.pins.iter().filter(|p| p.drives) {
            let function = cell.outputs.iter().find(|(name, _)| *name == pin.name).and_then(|o| o.1.as_deref());
            let output = pins(&pin.name).first().copied().unwrap_or(0);
            let expr = parse(function.ok_or("an output has no function")?)?;
            if output > 1 && expr != Expr::Var(n) || (expr == Expr::Var(n) && nets.get(n) != Some(&output)) {
                self.gate(&expr, &nets, output)?;
            }
        }
        Ok(())
    }

    fn gate(&mut self, expr: &Expr, nets: &[u32], output: u32) -> Result<(), String> {
        let variables = expr.variables();
        if variables.len() > MAX_INPUTS {
            return Err(format!("a function of {} inputs, expected at most {MAX_INPUTS}", variables.len()));
        }
        let mut gate = Gate { table: 0, inputs: [0; MAX_INPUTS], n: variables.len() as u8, output };
        for (k, v) in variables.iter().enumerate() {
            gate.inputs[k] = nets[*v];
        }
        for case in 0..1u64 << variables.len() {
            let value = |v: usize| variables.iter().position(|x| *x == v).is_some_and(|k| case >> k & 1 == 1);
            if expr.probability(&|v| if value(v) { 1.0 } else { 0.0 }) > 0.5 {
                gate.table |= 1 << case;
            }
        }
        self.gates.push(gate);
        Ok(())
    }

    /// Sorts the gates by level: those that read no other gate, those that read these, and so on. Within a level they keep
    /// their order, in which neighbours in the hierarchy are neighbours.
    fn sort(&mut self) -> Result<(), Error> {
        let reads = self.gates.iter().enumerate();
        let reads = reads.flat_map(|(i, g)| g.inputs[..g.n as usize].iter().map(move |net| (*net, i as u32)));
        let (readers, at) = lists(self.n_nets(), reads);
        let mut driver = vec![false; self.n_nets()];
        self.gates.iter().for_each(|g| driver[g.output as usize] = true);
        let mut open: Vec<u8> = self
            .gates
            .iter()
            .map(|g| g.inputs[..g.n as usize].iter().filter(|i| driver[**i as usize]).count() as u8)
            .collect();
        let mut ready: Vec<u32> = (0..self.gates.len() as u32).filter(|g| open[*g as usize] == 0).collect();
        let mut level = vec![0u32; self.gates.len()];
        let mut done = 0;
        while let Some(g) = ready.pop() {
            done += 1;
            let output = self.gates[g as usize].output as usize;
            for &next in &readers[at[output] as usize..at[output + 1] as usize] {
                let next = next as usize;
                level[next] = level[next].max(level[g as usize] + 1);
                open[next] -= 1;
                if open[next] == 0 {
                    ready.push(next as u32);
                }
            }
        }
        if done < self.gates.len() {
            return Err(Error::Loop { gates: self.gates.len() - done });
        }
        let mut order: Vec<usize> = (0..self.gates.len()).collect();
        order.sort_by_key(|g| level[*g]);
        self.gates = order.into_iter().map(|g| self.gates[g].clone()).collect();
        Ok(())
    }
}

/// Pairs (list, entry) as one array of entries and where each list begins.
fn lists(n: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> (Vec<u32>, Vec<u32>) {
    let mut at = vec![0u32; n + 1];
    pairs.clone().for_each(|(list, _)| at[list as usize + 1] += 1);
    for i in 0..n {
        at[i + 1] += at[i];
    }
    let mut next = at.clone();
    let mut entries = vec![0; at[n] as usize];
    for (list, entry) in pairs {
        entries[next[list as usize] as usize] = entry;
        next[list as usize] += 1;
    }
    (entries, at)
}
