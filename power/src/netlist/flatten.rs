//! Flattening the module hierarchy and linking instances to library cells.

use super::names::normal;
use super::verilog::{Declared, Expr, Instance as Inst, Module, Source};
use super::{Design, Instance, Net, PinRef, Port, PortDirection};
use crate::error::Error;
use crate::liberty::Library;
use std::collections::{HashMap, HashSet};
use std::path::Path;

const MAX_DEPTH: usize = 64;

/// Flattens the module that no other instantiates (the last such one) and links its instances to cells.
///
/// Fails on a cell or pin that no library has, on unequal widths and on modules that contain themselves.
/// A cell that no library has is let through when none of its pins is connected: a tap or filler.
pub fn flatten(path: &Path, source: &Source, libraries: Vec<Library>) -> Result<Design, Error> {
    let used: HashSet<&str> =
        source.modules.values().flat_map(|m| m.instances.iter().map(|i| i.cell.as_str())).collect();
    let top = source.order.iter().rev().find(|m| !used.contains(m.as_str())).and_then(|m| source.modules.get(m));
    let Some(top) = top else {
        return Err(Error::Invalid { path: path.into(), what: "the netlist has no top module".into() });
    };
    let mut f = Flattener {
        path,
        source,
        libraries: &libraries,
        parent: Vec::new(),
        names: Vec::new(),
        of: HashMap::new(),
        raw: Vec::new(),
        physical_only: Vec::new(),
    };
    // nets 0 and 1 are the constants
    f.new_net("1'b0");
    f.new_net("1'b1");
    f.module(top, "", 0)?;
    let mut ports = Vec::new();
    for name in &top.ports {
        let declared = top.nets.get(name).copied().unwrap_or_default();
        let direction = declared.direction.unwrap_or(PortDirection::Input);
        for bit in bits(name, &declared) {
            let net = f.net(&bit);
            ports.push(Port { name: normal(&bit), direction, net });
        }
    }
    let Flattener { mut parent, names, of, raw, physical_only, .. } = f;
    let mut index = vec![usize::MAX; parent.len()];
    let mut nets: Vec<Net> = Vec::new();
    let mut root = |n: usize, nets: &mut Vec<Net>| {
        let r = find(&mut parent, n);
        if index[r] == usize::MAX {
            index[r] = nets.len();
            let constant = (r < 2).then_some(r == 1);
            nets.push(Net { name: names[r].clone(), constant, ..Net::default() });
        }
        index[r]
    };
    let mut instances = Vec::with_capacity(raw.len());
    for mut instance in raw {
        let cell = &libraries[instance.library].cells[&instance.cell];
        for (pin, net) in instance.pins.iter_mut().enumerate() {
            let Some(net) = net else { continue };
            *net = root(*net, &mut nets);
            let pin_ref = PinRef { instance: instances.len(), pin };
            if cell.pins[pin].drives() {
                nets[*net].drivers.push(pin_ref);
            }
            if cell.pins[pin].loads() {
                nets[*net].loads.push(pin_ref);
            }
        }
        instances.push(instance);
    }
    for (i, port) in ports.iter_mut().enumerate() {
        port.net = root(port.net, &mut nets);
        nets[port.net].ports.push(i);
    }
    let net_of = of.into_iter().map(|(name, n)| (name, root(n, &mut nets))).collect();
    Ok(Design { top: top.name.clone(), libraries, instances, nets, ports, net_of, physical_only })
}

struct Flattener<'a> {
    path: &'a Path,
    source: &'a Source,
    libraries: &'a [Library],
    /// Union-find; the smaller number is the root, so constants and outer names win
    parent: Vec<usize>,
    names: Vec<String>,
    of: HashMap<String, usize>,
    raw: Vec<Instance>,
    physical_only: Vec<(String, String)>,
}

fn find(parent: &mut [usize], mut n: usize) -> usize {
    while parent[n] != n {
        parent[n] = parent[parent[n]];
        n = parent[n];
    }
    n
}

/// Bits of a declared net, most significant first.
fn bits(name: &str, declared: &Declared) -> Vec<String> {
    match declared.range {
        None => vec![name.to_string()],
        Some((from, to)) => span(from, to).map(|b| format!("{name}[{b}]")).collect(),
    }
}

fn span(from: i64, to: i64) -> Box<dyn Iterator<Item = i64>> {
    if from >= to {
        Box::new((to..=from).rev())
    } else {
        Box::new(from..=to)
    }
}

impl Flattener<'_> {
    fn new_net(&mut self, name: &str) -> usize {
        let n = self.parent.len();
        self.parent.push(n);
        self.names.push(name.into());
        n
    }

    fn net(&mut self, name: &str) -> usize {
        let name = normal(name);
        if let Some(&n) = self.of.get(&name) {
            return n;
        }
        let n = self.new_net(&name);
        self.of.insert(name, n);
        n
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (find(&mut self.parent, a), find(&mut self.parent, b));
        self.parent[a.max(b)] = a.min(b);
    }

    /// The nets of an expression, most significant first.
    fn expr(&mut self, module: &Module, prefix: &str, expr: &Expr, out: &mut Vec<usize>) {
        match expr {
            Expr::Constant(bits) => out.extend(bits.iter().map(|&b| usize::from(b))),
            Expr::Concat(parts) => parts.iter().for_each(|p| self.expr(module, prefix, p, out)),
            Expr::Select(name, from, to) => {
                for b in span(*from, *to) {
                    out.push(self.net(&format!("{prefix}{name}[{b}]")));
                }
            }
            Expr::Name(name) => {
                let declared = module.nets.get(name).copied().unwrap_or_default();
                for bit in bits(name, &declared) {
                    let n = self.net(&format!("{prefix}{bit}"));
                    if let Some(value) = declared.constant {
                        self.join(n, usize::from(value));
                    }
                    out.push(n);
                }
            }
        }
    }

    fn width(&self, line: usize, what: String, expected: usize, found: usize) -> Result<(), Error> {
        if expected == found {
            return Ok(());
        }
        Err(Error::Width { path: self.path.into(), line, what, expected, found })
    }

    fn module(&mut self, module: &Module, prefix: &str, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            let what = format!("module {} is nested more than {MAX_DEPTH} deep", module.name);
            return Err(Error::Invalid { path: self.path.into(), what });
        }
        for (left, right, line) in &module.assigns {
            let (mut l, mut r) = (Vec::new(), Vec::new());
            self.expr(module, prefix, left, &mut l);
            self.expr(module, prefix, right, &mut r);
            if let (Expr::Constant(_), true) = (right, r.len() > l.len()) {
                r.drain(..r.len() - l.len()); // an unsized constant
            }
            self.width(*line, "the left side".into(), l.len(), r.len())?;
            l.into_iter().zip(r).for_each(|(a, b)| self.join(a, b));
        }
        for instance in &module.instances {
            let path = format!("{prefix}{}", instance.name);
            match self.source.modules.get(&instance.cell) {
                Some(child) => self.child(module, prefix, instance, child, &path, depth)?,
                None => self.leaf(module, prefix, instance, &path)?,
            }
        }
        Ok(())
    }

    fn child(
        &mut self,
        module: &Module,
        prefix: &str,
        instance: &Inst,
        child: &Module,
        path: &str,
        depth: usize,
    ) -> Result<(), Error> {
        let inner = format!("{path}/");
        for (pin, value) in &instance.pins {
            if !child.ports.contains(pin) {
                return Err(self.unknown_pin(instance, path, pin));
            }
            let declared = child.nets.get(pin).copied().unwrap_or_default();
            let Some(value) = value else { continue };
            let mut outer = Vec::new();
            self.expr(module, prefix, value, &mut outer);
            let ports = bits(pin, &declared);
            self.width(instance.line, format!("port {pin} of {path}"), ports.len(), outer.len())?;
            for (bit, net) in ports.iter().zip(outer) {
                let port = self.net(&format!("{inner}{bit}"));
                self.join(net, port);
            }
        }
        self.module(child, &inner, depth + 1)
    }

    fn unknown_pin(&self, instance: &Inst, path: &str, pin: &str) -> Error {
        Error::UnknownPin {
            path: self.path.into(),
            line: instance.line,
            cell: instance.cell.clone(),
            instance: path.into(),
            pin: pin.into(),
        }
    }

    fn leaf(&mut self, module: &Module, prefix: &str, instance: &Inst, path: &str) -> Result<(), Error> {
        let found = self.libraries.iter().enumerate().find_map(|(i, l)| l.cells.get(&instance.cell).map(|c| (i, c)));
        let Some((library, cell)) = found else {
            if instance.pins.iter().all(|(_, value)| value.is_none()) {
                self.physical_only.push((normal(path), instance.cell.clone()));
                return Ok(());
            }
            return Err(Error::UnknownCell {
                path: self.path.into(),
                line: instance.line,
                cell: instance.cell.clone(),
                instance: path.into(),
            });
        };
        let mut pins = vec![None; cell.pins.len()];
        for (name, value) in &instance.pins {
            let Some(value) = value else { continue };
            let targets = match (cell.pin(name), cell.buses.get(name)) {
                (Some(pin), _) => vec![pin],
                (None, Some(bits)) => bits.clone(),
                (None, None) if cell.supplies.contains(name) => continue,
                (None, None) => return Err(self.unknown_pin(instance, path, name)),
            };
            let mut nets = Vec::new();
            self.expr(module, prefix, value, &mut nets);
            self.width(instance.line, format!("pin {name} of {path}"), targets.len(), nets.len())?;
            targets.into_iter().zip(nets).for_each(|(pin, net)| pins[pin] = Some(net));
        }
        self.raw.push(Instance { name: normal(path), library, cell: instance.cell.clone(), pins });
        Ok(())
    }
}
