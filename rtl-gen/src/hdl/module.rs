//! A hardware module: ports, parameters, body, instances.

use super::expr::{Expr, Names, Signal};
use super::scan::{self, By, Driver, Scan};
use super::token::tokens;
use super::wires::{stem, Wires};
use crate::package::Constant;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// What every module's name starts with, so that a design can stand beside others in one tool's single space of names.
pub const PREFIX: &str = "anser_";

/// Direction of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    In,
    Out,
}

/// The width of a signal: the text between `[` and `-1:0]`, and its value in bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Width {
    /// An expression of the module's parameters; none for a plain number.
    pub text: Option<String>,
    pub bits: usize,
}

/// What a width can be said with: a number, or an expression of the module's parameters.
pub trait IntoWidth {
    fn into_width(self, module: &Module) -> Width;
}

impl IntoWidth for usize {
    fn into_width(self, _: &Module) -> Width {
        Width { text: None, bits: self }
    }
}

impl IntoWidth for &str {
    fn into_width(self, module: &Module) -> Width {
        Width { text: Some(self.into()), bits: module.constant(self) }
    }
}

impl Width {
    /// Returns the range of a declaration with a space after it, and nothing for a single bit.
    pub fn range(&self) -> String {
        match &self.text {
            Some(text) => format!("[{text}-1:0] "),
            None if self.bits == 1 => String::new(),
            None => format!("[{}:0] ", self.bits - 1),
        }
    }
}

/// One port; a port of one bit prints without a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    pub dir: Dir,
    pub bits: usize,
    /// How the width is printed.
    pub width: Width,
    /// What it carries, with its Q-format where it is a number; printed beside the port.
    pub doc: String,
}

/// A parameter with the value it has here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    /// Its value here, and what the printed module says where nobody overrides it.
    pub value: i128,
    pub default: i128,
    pub doc: String,
}

/// What a module is to flows that treat some modules in their own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Logic,
    /// A memory with one write and one read port.
    Memory { bits: usize, words: usize },
}

/// A child in its place.
#[derive(Clone, Debug)]
pub struct Instance {
    pub name: String,
    pub module: Arc<Module>,
    /// Several of it side by side.
    pub repeat: Option<Repeat>,
    /// Parameters that are printed as an expression of the parent's parameters instead of as a number.
    pub params: Vec<(String, String)>,
    /// Port and the expression it is connected to; an output left open has an empty one.
    pub connections: Vec<(String, String)>,
}

/// A row of equal instances; their connections may use the number `i`.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Name of the generate block.
    pub label: String,
    /// How many, as an expression of the module's sizes and parameters.
    pub count_text: String,
    pub count: usize,
}

/// A piece of a module's text, in the order it is printed.
#[derive(Clone, Debug)]
pub enum Item {
    Text(String),
    Instance(usize),
}

/// A hardware module: header, parameters, ports, body and the modules it contains.
///
/// A module with parameters is printed once, whatever the values of its parameters; a module without must have the same text wherever its
/// name occurs ([`super::print`] refuses otherwise).
#[derive(Clone, Debug)]
pub struct Module {
    pub name: String,
    /// Contract and latency, one sentence a line; becomes the file's header comment.
    pub doc: String,
    /// The Rust file that makes it, from the root of the project.
    pub source: &'static str,
    pub params: Vec<Param>,
    pub ports: Vec<Port>,
    pub kind: Kind,
    /// Multipliers of the module's own text.
    pub multipliers: usize,
    pub items: Vec<Item>,
    pub instances: Vec<Instance>,
    /// A test bench: its text is behaviour for a simulator, which [`super::check`] does not read.
    pub(super) is_bench: bool,
    /// What the generator did wrong, in the order it did; [`super::check`] reports it.
    pub(super) faults: Vec<String>,
    /// What its text declares, drives and reads, found once.
    scanned: OnceLock<Scan>,
}

impl Module {
    /// Makes a module with `clk_i` and `rst_ni` and nothing else yet. [`PREFIX`] is put before `name`.
    #[track_caller]
    pub fn new(name: impl Into<String>, doc: impl Into<String>) -> Self {
        let mut m = Self::combinational(name, doc);
        m.input("clk_i", 1, "");
        m.input("rst_ni", 1, "");
        m
    }

    /// Makes a module without clock and reset.
    #[track_caller]
    pub fn combinational(name: impl Into<String>, doc: impl Into<String>) -> Self {
        Module {
            name: format!("{PREFIX}{}", name.into()),
            doc: doc.into(),
            source: std::panic::Location::caller().file(),
            params: vec![],
            ports: vec![],
            kind: Kind::Logic,
            multipliers: 0,
            items: vec![],
            instances: vec![],
            is_bench: false,
            faults: vec![],
            scanned: OnceLock::new(),
        }
    }

    /// Makes a test bench, which has no ports.
    #[track_caller]
    pub fn bench(name: impl Into<String>, doc: impl Into<String>) -> Self {
        Module { is_bench: true, ..Self::combinational(name, doc) }
    }

    /// Declares a parameter: its value in this place and its printed default. Widths of ports may use it.
    pub fn param(&mut self, name: &str, value: usize, default: usize, doc: &str) -> &mut Self {
        let (value, default) = (value as i128, default as i128);
        self.params.push(Param { name: name.into(), value, default, doc: doc.into() });
        self
    }

    pub fn input(&mut self, name: impl Into<String>, bits: impl IntoWidth, doc: impl Into<String>) -> &mut Self {
        self.port(name, Dir::In, bits, doc)
    }

    pub fn output(&mut self, name: impl Into<String>, bits: impl IntoWidth, doc: impl Into<String>) -> &mut Self {
        self.port(name, Dir::Out, bits, doc)
    }

    /// Declares a port whose name says its direction: an input ends in `_i`, an output in `_o`.
    pub fn named_port(&mut self, name: &str, bits: impl IntoWidth, doc: &str) -> &mut Self {
        let ends = |with: [&str; 2]| with.iter().any(|end| name.ends_with(end));
        let dir = match (ends(["_i", "_ni"]), ends(["_o", "_no"])) {
            (true, _) => Dir::In,
            (_, true) => Dir::Out,
            _ => {
                self.faults.push(format!("port {name} says no direction: expected a name that ends in _i or _o"));
                return self;
            }
        };
        self.port(name, dir, bits, doc)
    }

    /// Declares a port as `of`, a port of another module, with its width as a number.
    pub fn port_like(&mut self, name: impl Into<String>, of: &Port) -> &mut Self {
        self.port(name, of.dir, of.bits, of.doc.clone())
    }

    fn push(&mut self, item: Item) {
        self.scanned = OnceLock::new();
        self.items.push(item);
    }

    fn port(&mut self, name: impl Into<String>, dir: Dir, bits: impl IntoWidth, doc: impl Into<String>) -> &mut Self {
        let (name, width) = (name.into(), bits.into_width(self));
        if width.bits == 0 {
            self.faults.push(format!("port {name} has 0 bits"));
        }
        if self.ports.iter().any(|p| p.name == name) {
            self.faults.push(format!("port {name} is declared twice"));
        }
        self.scanned = OnceLock::new();
        self.ports.push(Port { name, dir, bits: width.bits, width, doc: doc.into() });
        self
    }

    /// Appends the text of a body, as it stands in its file.
    pub fn body(&mut self, text: &str) -> &mut Self {
        let text = text.trim_matches('\n');
        if !text.is_empty() {
            self.push(Item::Text(format!("{text}\n")));
        }
        self
    }

    /// Declares a wire between instances, or between an instance and the body.
    pub fn wire(&mut self, name: &str, bits: impl IntoWidth) -> &mut Self {
        let range = bits.into_width(self).range();
        self.push(Item::Text(format!("  wire {range}{name};\n")));
        self
    }

    /// Declares constants without a width of their own: sizes, counts, bit positions.
    pub fn sizes(&mut self, list: &[(&str, usize)]) -> &mut Self {
        let lines = list.iter().map(|(name, value)| format!("  localparam int {name} = {value};\n"));
        self.push(Item::Text(lines.collect()));
        self
    }

    /// Appends `localparam`s: name, bits and value of each, so that the text compares with names instead of numbers.
    pub fn localparams(&mut self, list: &[(&str, usize, u64)]) -> &mut Self {
        let mut text = String::new();
        for (name, bits, value) in list {
            let range = Width { text: None, bits: *bits }.range();
            let _ = writeln!(text, "  localparam {range}{name} = {bits}'d{value};");
        }
        self.push(Item::Text(text));
        self
    }

    /// Says that the module is a memory.
    pub fn memory(&mut self, bits: usize, words: usize) -> &mut Self {
        self.kind = Kind::Memory { bits, words };
        self
    }

    /// Says how many multipliers the module's own text has.
    pub fn multipliers(&mut self, n: usize) -> &mut Self {
        self.multipliers += n;
        self
    }

    /// Instantiates `child` as `name`. Clock and reset are connected by name. Every other port must be connected exactly once, by name or
    /// by the rule of `..` ([`crate::wires!`]); an output may be left open with the expression `""`. What does not fit is found by
    /// [`super::check`].
    pub fn instance(&mut self, name: impl AsRef<str>, child: &Arc<Module>, wires: impl Into<Wires>) -> &mut Self {
        self.instance_of(name, child, &[], wires)
    }

    /// Places an instance as [`Module::instance`] does, in a module that has parameters itself: `params` says which expressions of them give the child's.
    pub fn instance_of(
        &mut self,
        name: impl AsRef<str>,
        child: &Arc<Module>,
        params: &[(&str, &str)],
        wires: impl Into<Wires>,
    ) -> &mut Self {
        self.connect(name.as_ref(), child, None, params, wires.into())
    }

    /// Places a row of `count` instances of `child`, printed as a generate block called `label`. `count` is an expression of the module's
    /// parameters; connections may use the number `i`.
    pub fn instances(
        &mut self,
        label: &str,
        count: &str,
        name: &str,
        child: &Arc<Module>,
        params: &[(&str, &str)],
        wires: impl Into<Wires>,
    ) -> &mut Self {
        let repeat = Repeat { label: label.into(), count_text: count.into(), count: self.constant(count) };
        self.connect(name, child, Some(repeat), params, wires.into())
    }

    fn connect(
        &mut self,
        name: &str,
        child: &Arc<Module>,
        repeat: Option<Repeat>,
        params: &[(&str, &str)],
        wires: Wires,
    ) -> &mut Self {
        for (param, text) in params {
            let value = child.params.iter().find(|p| p.name == *param).map(|p| p.value);
            if value != Some(self.constant(text) as i128) {
                self.faults.push(format!("{name}: parameter {param} of {} is not {text}", child.name));
            }
        }
        let params = params.iter().map(|(p, text)| (p.to_string(), text.to_string())).collect();
        let mut all = vec![];
        for p in &child.ports {
            let named: Vec<_> = wires.list.iter().filter(|(n, _)| *n == p.name).collect();
            let expression = match (named.as_slice(), p.name.as_str()) {
                ([], "clk_i" | "rst_ni") => p.name.clone(),
                ([one], _) => one.1.clone(),
                ([], name) if wires.rest => match self.ports.iter().any(|own| own.name == name) {
                    true => name.to_string(),
                    false => stem(name).to_string(),
                },
                _ => {
                    let n = named.len();
                    self.faults.push(format!("{name}: port {} of {} is connected {n} times", p.name, child.name));
                    continue;
                }
            };
            if expression.is_empty() && p.dir == Dir::In {
                self.faults.push(format!("{name}: input {} of {} is left open", p.name, child.name));
            }
            all.push((p.name.clone(), expression));
        }
        for (n, _) in &wires.list {
            if !child.ports.iter().any(|p| p.name == *n) {
                self.faults.push(format!("{name}: {} has no port {n}", child.name));
            }
        }
        if self.instances.iter().any(|i| i.name == name) {
            self.faults.push(format!("two instances are called {name}"));
        }
        self.push(Item::Instance(self.instances.len()));
        self.instances.push(Instance { name: name.into(), module: child.clone(), repeat, params, connections: all });
        self
    }

    /// Finishes the module; from now on it is shared.
    pub fn done(self) -> Arc<Module> {
        Arc::new(self)
    }

    /// Returns the value of an expression of the module's parameters. Panics for one that is not constant: a bug of the generator.
    pub fn constant(&self, text: &str) -> usize {
        let names = self.own_names();
        let value = Expr::parse(&tokens(text)).ok().and_then(|e| e.value(&names)).and_then(|v| usize::try_from(v).ok());
        value.unwrap_or_else(|| panic!("{}: {text} is no constant", self.name))
    }

    fn own_names(&self) -> Names {
        let mut names = Names::default();
        for p in &self.params {
            names.constants.insert(p.name.clone(), Constant { value: p.value, bits: Some(32) });
        }
        for p in &self.ports {
            names.signals.insert(p.name.clone(), Signal { bits: p.bits, array: false });
        }
        names
    }

    /// Returns everything that the module declares, drives and reads, its instances included.
    pub fn scan(&self) -> &Scan {
        self.scanned.get_or_init(|| self.read())
    }

    fn read(&self) -> Scan {
        let mut scan = Scan { names: self.own_names(), faults: self.faults.clone(), ..Scan::default() };
        let mut process = 0;
        for item in &self.items {
            if let Item::Text(text) = item {
                process = scan::read(text, &mut scan, process);
            }
        }
        for instance in &self.instances {
            for i in 0..instance.repeat.as_ref().map_or(1, |r| r.count) {
                if instance.repeat.is_some() {
                    scan.names.constants.insert("i".into(), Constant { value: i as i128, bits: None });
                }
                for (port, expression) in &instance.connections {
                    instance.connect(port, expression, &mut scan);
                }
            }
            scan.names.constants.remove("i");
        }
        let unknown = |n: &&String| !scan.names.signals.contains_key(*n) && scan.names.constant(n).is_none();
        let is_name =
            |n: &&String| !n.starts_with('$') && !["i", "signed", "unsigned", "int", "genvar"].contains(&n.as_str());
        let unknown: Vec<String> = scan.reads.iter().filter(is_name).filter(unknown).cloned().collect();
        scan.faults.extend(unknown.iter().map(|n| format!("there is no '{n}' here")));
        // a name may be used before it is declared
        let signals = &scan.names.signals;
        scan.reads.retain(|n| signals.contains_key(n));
        scan.follows.iter_mut().for_each(|(_, sources)| sources.retain(|n| signals.contains_key(n)));
        scan
    }
}

impl Instance {
    /// Returns the paths, below the parent, of all the instances that it stands for.
    pub fn paths(&self) -> Vec<String> {
        match &self.repeat {
            None => vec![self.name.clone()],
            Some(r) => (0..r.count).map(|i| format!("{}[{i}].{}", r.label, self.name)).collect(),
        }
    }

    /// Checks one connection against the port and adds what it drives and reads to `scan`.
    fn connect(&self, port: &str, expression: &str, scan: &mut Scan) {
        let Some(p) = self.module.ports.iter().find(|p| p.name == port) else { return };
        if expression.is_empty() {
            return;
        }
        let parsed = Expr::parse(&tokens(expression));
        let e = match parsed {
            Ok(e) => e,
            Err(why) => {
                scan.faults.push(format!("{}: {port} is connected to '{expression}': {why}", self.name));
                return;
            }
        };
        match e.width(&scan.names) {
            Ok(Some(bits)) if bits != p.bits => scan.faults.push(format!(
                "{}: port {port} of {} has {} bits, '{expression}' has {bits}",
                self.name, self.module.name, p.bits
            )),
            Ok(_) => {}
            Err(why) => scan.faults.push(format!("{}: {port} is connected to '{expression}': {why}", self.name)),
        }
        if p.dir == Dir::Out {
            for (name, part) in e.targets() {
                let bits = part.driven_bits(&scan.names);
                scan.drive(name, Driver { by: By::Instance(format!("{}.{port}", self.name)), bits });
            }
        } else {
            let mut names = vec![];
            e.names(&mut |n| names.push(n.to_string()));
            scan.reads.extend(names);
        }
    }
}
