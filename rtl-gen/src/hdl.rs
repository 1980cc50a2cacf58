//! Modules whose widths are run-time values, on top of rust-hdl's object traits.
//!
//! A [`Module`] is a rust-hdl [`Block`]: its ports are [`Atom`]s with run-time widths, its children are Blocks, and its
//! body is what its [`Logic::hdl`] returns (`Verilog::Custom`). The printer is a rust-hdl [`Probe`] that walks the
//! elaborated tree and writes **one file per distinct module**, with the module's contract as its header. rust-hdl's own
//! printer writes one copy per instance, has no reset and routes clocks through `always @(*)`; that is why the walk is ours.
//!
//! Style of every module (checked by lint in the tests): SystemVerilog that Verilator, Icarus and Yosys all accept;
//! `clk_i`, `rst_ni` (asynchronous assert, active low), `_i/_o` ports, `_d/_q` registers, every control register reset.

use rust_hdl::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Direction of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    In,
    Out,
}

/// One port; `bits` ≥ 1. A port of one bit prints without a range.
#[derive(Clone, Debug)]
pub struct Port {
    pub name: String,
    pub dir: Dir,
    pub bits: usize,
    /// What it carries, with its Q-format where it is a number; printed beside the port.
    pub doc: String,
    id: usize,
}

impl Logic for Port {
    fn update(&mut self) {}
}

impl Block for Port {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}

impl Atom for Port {
    fn bits(&self) -> usize {
        self.bits
    }
    fn connected(&self) -> bool {
        true
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        match self.dir {
            Dir::In => AtomKind::InputParameter,
            Dir::Out => AtomKind::OutputParameter,
        }
    }
    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor { name: self.name.clone(), kind: TypeKind::Bits(self.bits) }
    }
    fn vcd(&self) -> VCDValue {
        VCDValue::from(false)
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        VerilogLiteral::from(0u32)
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        vec![]
    }
}

/// What every module's name starts with, so that a design can stand beside others in one tool's single space of names.
pub const PREFIX: &str = "anser_";

/// A hardware module: header, ports, body text and the modules its body instantiates.
///
/// Two modules with the same name must have the same text ([`print`] refuses otherwise), so a generator that depends on
/// a width puts the width into the name when two widths meet in one design.
#[derive(Clone, Debug)]
pub struct Module {
    pub name: String,
    /// Contract and latency, one sentence a line; becomes the file's header comment.
    pub doc: String,
    pub ports: Vec<Port>,
    pub body: String,
    pub children: Vec<(String, Arc<Module>)>,
}

impl Module {
    /// A module with `clk_i` and `rst_ni` and nothing else yet. [`PREFIX`] is put before `name`.
    pub fn new(name: impl Into<String>, doc: impl Into<String>) -> Self {
        let mut m = Self::combinational(name, doc);
        m.input("clk_i", 1, "");
        m.input("rst_ni", 1, "");
        m
    }

    /// A module without clock and reset.
    pub fn combinational(name: impl Into<String>, doc: impl Into<String>) -> Self {
        let name = format!("{PREFIX}{}", name.into());
        Module { name, doc: doc.into(), ports: vec![], body: String::new(), children: vec![] }
    }

    pub fn input(&mut self, name: impl Into<String>, bits: usize, doc: impl Into<String>) -> &mut Self {
        self.port(name, Dir::In, bits, doc)
    }

    pub fn output(&mut self, name: impl Into<String>, bits: usize, doc: impl Into<String>) -> &mut Self {
        self.port(name, Dir::Out, bits, doc)
    }

    fn port(&mut self, name: impl Into<String>, dir: Dir, bits: usize, doc: impl Into<String>) -> &mut Self {
        let name = name.into();
        assert!(bits > 0, "{}.{name}: a port of 0 bits", self.name);
        self.ports.push(Port { name, dir, bits, doc: doc.into(), id: get_id() });
        self
    }

    /// Appends body text. A template: every `{{key}}` is replaced by its value from `vars`; an unknown key is a bug of
    /// the generator and panics with the module's and the key's name.
    pub fn text(&mut self, template: &str, vars: &[(&str, String)]) -> &mut Self {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find("{{") {
            let end =
                rest[start..].find("}}").unwrap_or_else(|| panic!("{}: '{{{{' without '}}}}'", self.name)) + start;
            let key = rest[start + 2..end].trim();
            let value = vars.iter().find(|(k, _)| *k == key);
            let value = value.unwrap_or_else(|| panic!("{}: no value for {{{{{key}}}}}", self.name));
            out.push_str(&rest[..start]);
            out.push_str(&value.1);
            rest = &rest[end + 2..];
        }
        out.push_str(rest);
        // a template needs a space where "{" meets "{{", the printed text does not
        let out = out.replace("{ ", "{").replace(" }", "}");
        self.body.push_str(out.trim_matches('\n'));
        self.body.push('\n');
        self
    }

    /// Appends `localparam`s: name, bits and value of each, so that the text compares with names instead of numbers.
    pub fn localparams(&mut self, list: &[(&str, usize, u64)]) -> &mut Self {
        for (name, bits, value) in list {
            let range = if *bits == 1 { String::new() } else { format!("[{}:0] ", bits - 1) };
            let _ = writeln!(self.body, "  localparam {range}{name} = {bits}'d{value};");
        }
        self
    }

    /// Instantiates `child` as `name`, connecting `(port, expression)`. Clock and reset are connected by name. Every
    /// other port must be named exactly once; an output may be left open with the expression `""`.
    pub fn instance(&mut self, name: &str, child: &Arc<Module>, connections: &[(&str, &str)]) -> &mut Self {
        let mut lines = vec![];
        for p in &child.ports {
            let named: Vec<_> = connections.iter().filter(|(n, _)| *n == p.name).collect();
            let expr = match (named.as_slice(), p.name.as_str()) {
                ([], "clk_i" | "rst_ni") => p.name.clone(),
                ([one], _) => one.1.to_string(),
                _ => panic!("{}.{name}: port {} of {} connected {} times", self.name, p.name, child.name, named.len()),
            };
            assert!(!expr.is_empty() || p.dir == Dir::Out, "{}.{name}: input {} left open", self.name, p.name);
            lines.push(format!("    .{}({})", p.name, expr));
        }
        for (n, _) in connections {
            assert!(child.ports.iter().any(|p| p.name == *n), "{}.{name}: {} has no port {n}", self.name, child.name);
        }
        let _ = write!(self.body, "\n  {} {} (\n{}\n  );\n", child.name, name, lines.join(",\n"));
        self.children.push((name.to_string(), child.clone()));
        self
    }

    /// The finished module.
    pub fn done(self) -> Arc<Module> {
        Arc::new(self)
    }

    /// The text of the module's file.
    pub fn verilog(&self) -> String {
        let mut s = String::from("// Generated by anser rtl-gen; change the generator, not this file.\n//\n");
        for line in self.doc.trim().lines() {
            let _ = writeln!(s, "//{}{}", if line.is_empty() { "" } else { " " }, line.trim_end());
        }
        let _ = writeln!(s, "module {} (", self.name);
        for (i, p) in self.ports.iter().enumerate() {
            let range = if p.bits == 1 { String::new() } else { format!("[{}:0] ", p.bits - 1) };
            let dir = if p.dir == Dir::In { "input  wire " } else { "output wire " };
            let comma = if i + 1 == self.ports.len() { "" } else { "," };
            let doc = if p.doc.is_empty() { String::new() } else { format!("  // {}", p.doc) };
            let _ = writeln!(s, "  {dir}{range}{}{comma}{doc}", p.name);
        }
        let _ = write!(s, ");\n\n{}\nendmodule\n", self.body.trim_end());
        s
    }
}

fn get_id() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Logic for Module {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        Verilog::Custom(self.verilog())
    }
}

impl Block for Module {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for p in &self.ports {
            p.accept(&p.name, probe);
        }
        for (instance, child) in &self.children {
            child.accept(instance, probe);
        }
        probe.visit_end_scope(name, self);
    }
}

/// The printed design: file name to text, and the instance paths of every module.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// `module.sv` to its text; children before parents does not matter to any of the tools.
    pub files: BTreeMap<String, String>,
    /// Hierarchical instance path to module name, for reports by block.
    pub instances: BTreeMap<String, String>,
    pub top: String,
}

impl Printed {
    /// The same design with `prefix` in place of [`PREFIX`], so that two configurations can live in one simulation.
    ///
    /// # Errors
    /// If `prefix` cannot begin an identifier of the language.
    pub fn renamed(&self, prefix: &str) -> Result<Printed, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !prefix.chars().all(word) || !prefix.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(format!("prefix {prefix:?}: expected letters, digits and _, not beginning with a digit"));
        }
        let new = |module: &str| format!("{prefix}{}", module.strip_prefix(PREFIX).unwrap_or(module));
        let modules: BTreeSet<&str> = self.instances.values().map(String::as_str).collect();
        let text = |text: &str| {
            let mut out = String::with_capacity(text.len());
            let mut rest = text;
            while let Some(start) = rest.find(word) {
                let end = rest[start..].find(|c| !word(c)).map_or(rest.len(), |n| start + n);
                let name = &rest[start..end];
                out.push_str(&rest[..start]);
                out.push_str(&if modules.contains(name) { new(name) } else { name.to_string() });
                rest = &rest[end..];
            }
            out + rest
        };
        let rename_path = |path: &str| match path.split_once('.') {
            Some((top, below)) => format!("{}.{below}", new(top)),
            None => new(path),
        };
        Ok(Printed {
            files: self.files.iter().map(|(file, body)| (new(file), text(body))).collect(),
            instances: self.instances.iter().map(|(path, m)| (rename_path(path), new(m))).collect(),
            top: new(&self.top),
        })
    }
}

struct Printer {
    printed: Printed,
    path: Vec<String>,
    error: Option<String>,
}

impl Probe for Printer {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.path.push(name.to_string());
        let Verilog::Custom(text) = node.hdl() else { return };
        let module = module_name(&text).to_string();
        self.printed.instances.insert(self.path.join("."), module.clone());
        let file = format!("{module}.sv");
        match self.printed.files.get(&file) {
            Some(old) if *old != text => {
                self.error.get_or_insert(format!(
                    "two different modules are called {module} (second at {})",
                    self.path.join(".")
                ));
            }
            Some(_) => {}
            None => {
                self.printed.files.insert(file, text);
            }
        }
    }
    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.path.pop();
    }
}

fn module_name(text: &str) -> &str {
    let line = text.lines().find_map(|l| l.strip_prefix("module ")).unwrap_or("");
    line.split([' ', '(']).next().unwrap_or("")
}

/// Walks the elaborated tree under `top` and prints each distinct module once.
///
/// Fails if two modules of one name differ in text.
pub fn print(top: &Module) -> Result<Printed, String> {
    let mut printer =
        Printer { printed: Printed { top: top.name.clone(), ..Default::default() }, path: vec![], error: None };
    top.accept(&top.name, &mut printer);
    match printer.error {
        Some(e) => Err(e),
        None => Ok(printer.printed),
    }
}

/// Bits needed to hold the values `0..n`; at least 1.
pub fn index_bits(n: usize) -> usize {
    (usize::BITS - n.saturating_sub(1).leading_zeros()).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_a_module_and_every_instance_named() {
        let mut leaf = Module::new("leaf", "Does nothing.");
        leaf.input("a_i", 4, "").output("b_o", 4, "").text("  assign b_o = a_i;", &[]);
        let leaf = leaf.done();
        let mut top = Module::new("top", "Two leaves.");
        top.input("x_i", 4, "").output("y_o", 4, "");
        top.text("  wire [{{msb}}:0] m;", &[("msb", "3".into())]);
        top.instance("u_first", &leaf, &[("a_i", "x_i"), ("b_o", "m")]);
        top.instance("u_second", &leaf, &[("a_i", "m"), ("b_o", "y_o")]);
        let printed = print(&top).unwrap();
        assert_eq!(printed.files.len(), 2);
        assert_eq!(printed.instances["anser_top.u_second"], "anser_leaf");
        assert!(printed.files["anser_top.sv"].contains(".clk_i(clk_i)"));
    }

    #[test]
    fn another_prefix_renames_modules_and_nothing_else() {
        let mut leaf = Module::new("leaf", "The word anser_leaf is this module, anser_leaf_q is not.");
        leaf.input("a_i", 1, "").text("  wire anser_leaf_q = a_i;", &[]);
        let mut top = Module::new("top", "");
        top.input("a_i", 1, "").instance("u_leaf", &leaf.done(), &[("a_i", "a_i")]);
        let printed = print(&top).unwrap().renamed("nano_").unwrap();
        assert_eq!(printed.top, "nano_top");
        assert_eq!(printed.instances["nano_top.u_leaf"], "nano_leaf");
        assert!(printed.files["nano_top.sv"].contains("  nano_leaf u_leaf ("));
        let leaf = &printed.files["nano_leaf.sv"];
        assert!(leaf.contains("word nano_leaf is") && leaf.contains("wire anser_leaf_q = a_i"), "{leaf}");
        for bad in ["", "3x_", "a-b"] {
            assert!(print(&top).unwrap().renamed(bad).is_err(), "{bad:?} is taken");
        }
    }

    #[test]
    fn same_name_with_another_body_is_refused() {
        let leaf = |width| {
            let mut m = Module::combinational("leaf", "");
            m.input("a_i", width, "");
            m.done()
        };
        let mut top = Module::combinational("top", "");
        top.instance("u_a", &leaf(1), &[("a_i", "1'b0")]);
        top.instance("u_b", &leaf(2), &[("a_i", "2'b0")]);
        assert!(print(&top).unwrap_err().contains("leaf"));
    }
}
