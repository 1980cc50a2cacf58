//! Flattening the module hierarchy and linking instances to library cells.

use super::hierarchy::{size, top};
use super::names::{count, normal};
use super::verilog::{Declared, Expr, Instance as Inst, Module, Pin, Source};
use super::{Design, Instance, Net, PinRef, Port, PortDirection};
use crate::error::Error;
use crate::liberty::Library;
use std::collections::HashMap;
use std::path::Path;

/// Widest connection.
const MAX_WIDTH: usize = 1 << 20;

/// Flattens the module `wanted`, or the one that no other instantiates, and links its instances to cells.
///
/// Fails on several modules that may be the top, on a cell or pin that no library has, on unequal widths, on a library's cell that
/// is a module with contents too, and on modules that contain themselves. A cell that no library has is let through when none of
/// its pins is connected: a tap or filler. An empty module, as of a black box, is let through too; notes count both.
pub fn flatten(path: &Path, source: &Source, libraries: Vec<Library>, wanted: Option<&str>) -> Result<Design, Error> {
    let top = top(path, source, &libraries, wanted)?;
    size(path, source, top, &mut HashMap::new(), 0)?;
    let mut f = Flattener {
        path,
        source,
        libraries: &libraries,
        parent: Vec::new(),
        names: Vec::new(),
        of: HashMap::new(),
        raw: Vec::new(),
        physical_only: Vec::new(),
        empty: Vec::new(),
    };
    // nets 0 and 1 are the constants
    f.new_net("1'b0");
    f.new_net("1'b1");
    f.module(top, "")?;
    let mut ports = Vec::new();
    for value in top.ports.iter().filter_map(|p| p.value.as_ref()) {
        let mut nets = Vec::new();
        f.expr(&At { module: top, prefix: "", line: 1 }, value, &mut nets)?;
        let direction = value.first_name().and_then(|n| top.nets.get(n)?.direction).unwrap_or(PortDirection::Input);
        ports.extend(nets.into_iter().map(|net| Port { name: f.names[net].clone(), direction, net }));
    }
    let Flattener { mut parent, names, of, raw, physical_only, empty, .. } = f;
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
    let mut net_of: HashMap<String, Option<usize>> = HashMap::new();
    for n in of.into_values() {
        let net = root(n, &mut nets);
        net_of.entry(names[n].clone()).and_modify(|known| *known = known.filter(|k| *k == net)).or_insert(Some(net));
    }
    let doubtful = net_of.iter().filter(|(_, net)| net.is_none()).map(|(name, _)| name);
    let mut notes = Vec::new();
    notes.extend(count(physical_only.iter(), |n, such| {
        format!("{n} instances without a signal are of cells in no library (such as {such}) and count nothing")
    }));
    notes.extend(count(empty.iter(), |n, such| {
        format!("{n} instances of modules without contents, which are in no library (such as {such}), count nothing")
    }));
    notes.extend(count(doubtful, |n, such| {
        format!("{n} names are spelled like those of another net once escapes are gone (such as {such}); no other file gives them anything")
    }));
    let net_of = net_of.into_iter().filter_map(|(name, net)| Some((name, net?))).collect();
    Ok(Design { top: top.name.clone(), libraries, instances, nets, ports, net_of, notes })
}

/// Where an expression stands.
struct At<'a> {
    module: &'a Module,
    prefix: &'a str,
    line: usize,
}

impl Expr {
    fn first_name(&self) -> Option<&str> {
        match self {
            Expr::Name(name) | Expr::Select(name, ..) => Some(name),
            Expr::Concat(parts) => parts.iter().find_map(Expr::first_name),
            Expr::Repeat(_, inner) => inner.first_name(),
            Expr::Constant(_) | Expr::Unsized(..) => None,
        }
    }
}

struct Flattener<'a> {
    path: &'a Path,
    source: &'a Source,
    libraries: &'a [Library],
    /// Union-find; the smaller number is the root, so constants and outer names win
    parent: Vec<usize>,
    names: Vec<String>,
    /// By the path of the instance and the name as the module has it, with its escape
    of: HashMap<String, usize>,
    raw: Vec<Instance>,
    /// Instances, and the cells they are of
    physical_only: Vec<String>,
    empty: Vec<String>,
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
        self.names.push(normal(name));
        n
    }

    fn net(&mut self, name: String) -> usize {
        if let Some(&n) = self.of.get(&name) {
            return n;
        }
        let n = self.new_net(&name);
        self.of.insert(name, n);
        n
    }

    fn join(&mut self, line: usize, a: usize, b: usize) -> Result<(), Error> {
        let (a, b) = (find(&mut self.parent, a), find(&mut self.parent, b));
        if (a.min(b), a.max(b)) == (0, 1) {
            return Err(Error::syntax(self.path, line, "one constant for a net", "0 and 1"));
        }
        self.parent[a.max(b)] = a.min(b);
        Ok(())
    }

    /// The nets of an expression, most significant first.
    fn expr(&mut self, at: &At, expr: &Expr, out: &mut Vec<usize>) -> Result<(), Error> {
        let declared = |name: &String| at.module.nets.get(name).copied().unwrap_or_default();
        match expr {
            Expr::Constant(bits) | Expr::Unsized(bits, _) => out.extend(bits.iter().map(|&b| usize::from(b))),
            Expr::Concat(parts) => parts.iter().try_for_each(|p| self.expr(at, p, out))?,
            Expr::Repeat(times, inner) => {
                let mut once = Vec::new();
                self.expr(at, inner, &mut once)?;
                self.at_most(at, out.len() + times * once.len())?;
                (0..*times).for_each(|_| out.extend(&once));
            }
            Expr::Select(name, from, to) => {
                let range = declared(name).range;
                let is_part = |(a, b): (i64, i64)| {
                    let is_inside = [from, to].iter().all(|i| (a.min(b)..=a.max(b)).contains(*i));
                    is_inside && (from == to || (from < to) == (a < b))
                };
                if !range.is_some_and(is_part) {
                    let range = range.map_or("a single bit".into(), |(a, b)| format!("[{a}:{b}]"));
                    let what = format!("a part of {name}, which is {range}");
                    return Err(Error::syntax(self.path, at.line, what, format!("{name}[{from}:{to}]")));
                }
                out.extend(span(*from, *to).map(|b| self.net(format!("{}{name}[{b}]", at.prefix))));
            }
            Expr::Name(name) => {
                out.extend(bits(name, &declared(name)).iter().map(|bit| self.net(format!("{}{bit}", at.prefix))));
            }
        }
        self.at_most(at, out.len())
    }

    fn at_most(&self, at: &At, width: usize) -> Result<(), Error> {
        match width > MAX_WIDTH {
            true => Err(Error::syntax(self.path, at.line, "a connection of at most 1048576 bits", format!("{width}"))),
            false => Ok(()),
        }
    }

    /// The nets of an expression that is connected to `width` bits called `what`.
    fn connected(&mut self, at: &At, expr: &Expr, width: usize, what: String) -> Result<Vec<usize>, Error> {
        let mut nets = Vec::new();
        self.expr(at, expr, &mut nets)?;
        if let Expr::Unsized(_, above) = expr {
            let missing = width.saturating_sub(nets.len());
            nets.drain(..nets.len().saturating_sub(width));
            nets.splice(..0, std::iter::repeat_n(usize::from(*above), missing));
        }
        if nets.len() != width {
            return Err(Error::Width {
                path: self.path.into(),
                line: at.line,
                what,
                expected: width,
                found: nets.len(),
            });
        }
        Ok(nets)
    }

    fn module(&mut self, module: &Module, prefix: &str) -> Result<(), Error> {
        let constants = module.nets.iter().filter_map(|(name, net)| Some((name, net, net.constant?)));
        for (name, net, value) in constants {
            for bit in bits(name, net) {
                let n = self.net(format!("{prefix}{bit}"));
                self.join(module.line, n, usize::from(value))?;
            }
        }
        for (left, right, line) in &module.assigns {
            let at = At { module, prefix, line: *line };
            let mut l = Vec::new();
            self.expr(&at, left, &mut l)?;
            let r = self.connected(&at, right, l.len(), "the left side".into())?;
            l.into_iter().zip(r).try_for_each(|(a, b)| self.join(*line, a, b))?;
        }
        for instance in &module.instances {
            let at = At { module, prefix, line: instance.line };
            let path = format!("{prefix}{}", instance.name);
            let is_cell = self.libraries.iter().find(|l| l.cells.contains_key(&instance.cell));
            match (self.source.modules.get(&instance.cell), is_cell) {
                (Some(child), None) => self.child(&at, instance, child, &path)?,
                (Some(child), Some(library)) if !child.is_empty() => {
                    let what = format!(
                        "{} is a module with contents and a cell of library {}: give one of them another name",
                        child.name, library.name
                    );
                    return Err(Error::Invalid { path: self.path.into(), what });
                }
                (stub, _) => self.leaf(&at, instance, stub, &path)?,
            }
        }
        Ok(())
    }

    fn child(&mut self, at: &At, instance: &Inst, child: &Module, path: &str) -> Result<(), Error> {
        let prefix = &format!("{path}/");
        for (pin, value) in &instance.pins {
            let port = match pin {
                Pin::Name(name) => child.ports.iter().find(|p| p.name.as_ref() == Some(name)),
                Pin::Place(place) => child.ports.get(*place),
            };
            let port = port.ok_or_else(|| self.unknown_pin(instance, path, pin))?;
            let (Some(outer), Some(inner)) = (value, &port.value) else { continue };
            let mut ports = Vec::new();
            self.expr(&At { module: child, prefix, line: at.line }, inner, &mut ports)?;
            let outer = self.connected(at, outer, ports.len(), format!("port {pin} of {}", normal(path)))?;
            outer.into_iter().zip(ports).try_for_each(|(net, port)| self.join(at.line, net, port))?;
        }
        if child.is_empty() {
            self.empty.push(format!("{} of {}", normal(path), child.name));
        }
        self.module(child, prefix)
    }

    fn unknown_pin(&self, instance: &Inst, path: &str, pin: &Pin) -> Error {
        Error::UnknownPin {
            path: self.path.into(),
            line: instance.line,
            cell: instance.cell.clone(),
            instance: normal(path),
            pin: pin.to_string(),
        }
    }

    /// Links an instance to its cell; `stub` is an empty module of the same name, which says in which order the pins stand.
    fn leaf(&mut self, at: &At, instance: &Inst, stub: Option<&Module>, path: &str) -> Result<(), Error> {
        let found = self.libraries.iter().enumerate().find_map(|(i, l)| l.cells.get(&instance.cell).map(|c| (i, c)));
        let Some((library, cell)) = found else {
            if instance.pins.iter().all(|(_, value)| value.is_none()) {
                self.physical_only.push(format!("{} of {}", normal(path), instance.cell));
                return Ok(());
            }
            return Err(Error::UnknownCell {
                path: self.path.into(),
                line: instance.line,
                cell: instance.cell.clone(),
                instance: normal(path),
            });
        };
        let mut pins = vec![None; cell.pins.len()];
        for (pin, value) in &instance.pins {
            let name = match pin {
                Pin::Name(name) => name,
                Pin::Place(place) => match stub.map(|m| m.ports.get(*place).and_then(|p| p.name.as_ref())) {
                    Some(name) => name.ok_or_else(|| self.unknown_pin(instance, path, pin))?,
                    None => {
                        let what =
                            format!("connections by name, since a library does not order the pins of {}", cell.name);
                        return Err(Error::syntax(self.path, at.line, what, &instance.name));
                    }
                },
            };
            let Some(value) = value else { continue };
            let targets = match (cell.pin(name), cell.buses.get(name)) {
                (Some(pin), _) => vec![pin],
                (None, Some(bits)) => bits.clone(),
                (None, None) if cell.supplies.contains(name) => continue,
                (None, None) => return Err(self.unknown_pin(instance, path, pin)),
            };
            let what = format!("pin {name} of {}", normal(path));
            let nets = self.connected(at, value, targets.len(), what)?;
            targets.into_iter().zip(nets).for_each(|(pin, net)| pins[pin] = Some(net));
        }
        self.raw.push(Instance { name: normal(path), library, cell: instance.cell.clone(), pins });
        Ok(())
    }
}
