//! The printer: a rust-hdl [`Probe`] that walks the elaborated tree and writes one file for each distinct module.

use super::module::{Dir, Instance, Item, Kind, Module, PREFIX};
use super::view::View;
use crate::notice::notice;
use crate::package;
use indexmap::IndexMap;
use rust_hdl::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How modules with parameters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Once, with parameters; instances override them.
    Parameterised,
    /// Once for each set of values, without parameters and with the values in the name.
    Specialised,
}

/// The printed design: file name to text, and the instance paths of every module.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// `module.sv` to its text. The package comes first, as every tool wants it; the rest is in alphabetical order.
    pub files: IndexMap<String, String>,
    /// Hierarchical instance path to module name, for reports by block.
    pub instances: BTreeMap<String, String>,
    /// Modules that flows treat in their own way, by name. Only a specialised design has them: a parameter may decide the kind.
    pub kinds: BTreeMap<String, Kind>,
    /// Multipliers of each module's own text, by name.
    pub multipliers: BTreeMap<String, usize>,
    pub top: String,
}

impl Module {
    /// Returns the name of the module in a design without parameters: their values follow the name.
    pub fn specialised_name(&self) -> String {
        self.params.iter().fold(self.name.clone(), |name, p| format!("{name}_{}", p.value))
    }

    /// Returns the text of the module's file.
    pub fn verilog(&self) -> String {
        self.printed(Style::Parameterised)
    }

    fn printed(&self, style: Style) -> String {
        let mut s = notice("//") + "//\n";
        for line in self.doc.trim().lines() {
            let _ = writeln!(s, "//{}{}", if line.is_empty() { "" } else { " " }, line.trim_end());
        }
        let special = style == Style::Specialised;
        let name = if special { self.specialised_name() } else { self.name.clone() };
        let comma = |i: usize, n: usize| if i + 1 == n { "" } else { "," };
        let doc = |doc: &str| if doc.is_empty() { String::new() } else { format!("  // {doc}") };
        if special || self.params.is_empty() {
            let _ = writeln!(s, "module {name} (");
        } else {
            let _ = writeln!(s, "module {name} #(");
            for (i, p) in self.params.iter().enumerate() {
                // no value is right for all; the smallest that is legal shows what the parameter is
                let _ = writeln!(
                    s,
                    "  parameter int {} = {}{}{}",
                    p.name,
                    p.default,
                    comma(i, self.params.len()),
                    doc(&p.doc)
                );
            }
            let _ = writeln!(s, ") (");
        }
        for (i, p) in self.ports.iter().enumerate() {
            let range = match special {
                true if p.bits == 1 && p.width.text.is_none() => String::new(),
                true => format!("[{}:0] ", p.bits - 1),
                false => p.width.range(),
            };
            let dir = if p.dir == Dir::In { "input  wire " } else { "output wire " };
            let _ = writeln!(s, "  {dir}{range}{}{}{}", p.name, comma(i, self.ports.len()), doc(&p.doc));
        }
        let _ = write!(s, ");\n\n");
        let mut body = String::new();
        for item in &self.items {
            match item {
                Item::Text(text) => body += text,
                Item::Instance(i) => body += &self.instances[*i].verilog(style),
            }
        }
        if special {
            // ports have numbers, so a parameter may be left without a use
            let used = |name: &str| super::token::tokens(&body).iter().any(|t| t.text == name);
            for p in self.params.iter().filter(|p| used(&p.name)) {
                let _ = writeln!(s, "  localparam int {} = {};", p.name, p.value);
            }
        }
        let _ = write!(s, "{}\nendmodule\n", body.trim_end());
        s
    }
}

impl Instance {
    fn verilog(&self, style: Style) -> String {
        let module = &self.module;
        let lines: Vec<String> = self.connections.iter().map(|(port, e)| format!("    .{port}({e})")).collect();
        let head = if module.params.is_empty() {
            module.name.clone()
        } else if style == Style::Specialised {
            module.specialised_name()
        } else {
            let own = |name: &str| self.params.iter().find(|(n, _)| n == name).map(|(_, text)| text.clone());
            let value = |p: &super::module::Param| own(&p.name).unwrap_or_else(|| p.value.to_string());
            let values: Vec<String> = module.params.iter().map(|p| format!(".{}({})", p.name, value(p))).collect();
            format!("{} #({})", module.name, values.join(", "))
        };
        let text = format!("  {head} {} (\n{}\n  );\n", self.name, lines.join(",\n"));
        match &self.repeat {
            None => format!("\n{text}"),
            Some(r) => {
                let text = text.replace("\n ", "\n   ");
                format!(
                    "\n  for (genvar i = 0; i < {}; i++) begin : {}\n  {}\n  end\n",
                    r.count_text,
                    r.label,
                    text.trim_end()
                )
            }
        }
    }
}

impl Printed {
    /// Returns the design with `prefix` in place of [`PREFIX`], so that two configurations can live in one simulation.
    ///
    /// # Errors
    /// If `prefix` cannot begin an identifier of the language.
    pub fn renamed(&self, prefix: &str) -> Result<Printed, String> {
        let units: BTreeSet<&str> = self.files.keys().map(|f| f.trim_end_matches(".sv")).collect();
        let new = |module: &str| format!("{prefix}{}", module.strip_prefix(PREFIX).unwrap_or(module));
        check_prefix(prefix)?;
        let text = |text: &str| with_prefix(text, &units, prefix);
        let rename_path = |path: &str| match path.split_once('.') {
            Some((top, below)) => format!("{}.{below}", new(top)),
            None => new(path),
        };
        Ok(Printed {
            files: self.files.iter().map(|(file, body)| (new(file), text(body))).collect(),
            instances: self.instances.iter().map(|(path, m)| (rename_path(path), new(m))).collect(),
            kinds: self.kinds.iter().map(|(m, kind)| (new(m), *kind)).collect(),
            multipliers: self.multipliers.iter().map(|(m, n)| (new(m), *n)).collect(),
            top: new(&self.top),
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Refuses a prefix that cannot begin an identifier of the language.
fn check_prefix(prefix: &str) -> Result<(), String> {
    match prefix.chars().all(is_word) && prefix.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        true => Ok(()),
        false => Err(format!("prefix {prefix:?}: expected letters, digits and _, not beginning with a digit")),
    }
}

/// Returns `text` with `prefix` in place of [`PREFIX`] in each whole word that is one of `units`, the names of modules.
pub fn with_prefix(text: &str, units: &BTreeSet<&str>, prefix: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |n| start + n);
        let name = &rest[start..end];
        out.push_str(&rest[..start]);
        if units.contains(name) {
            out.push_str(prefix);
            out.push_str(name.strip_prefix(PREFIX).unwrap_or(name));
        } else {
            out.push_str(name);
        }
        rest = &rest[end..];
    }
    out + rest
}

struct Printer {
    style: Style,
    files: BTreeMap<String, String>,
    instances: BTreeMap<String, String>,
    path: Vec<String>,
    error: Option<String>,
}

impl Probe for Printer {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        self.path.push(name.to_string());
        let Verilog::Custom(text) = node.hdl() else { return };
        let module = module_name(&text).to_string();
        self.instances.insert(self.path.join("."), module.clone());
        let file = format!("{module}.sv");
        match self.files.get(&file) {
            Some(old) if *old != text => {
                let at = self.path.join(".");
                self.error.get_or_insert(format!("two different modules are called {module} (second at {at})"));
            }
            Some(_) => {}
            None => {
                self.files.insert(file, text);
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

/// Walks the elaborated tree under `top` and prints each distinct module once, with its parameters.
///
/// # Errors
/// Two modules of one name that differ in text, or wiring that does not fit ([`super::check`]).
pub fn print(top: &Module) -> Result<Printed, String> {
    printed(top, Style::Parameterised)
}

/// Prints the design without parameters: a module for each set of values, named after them. Flows that take modules one by one need it.
///
/// # Errors
/// Fails where [`print()`] does.
pub fn print_specialised(top: &Module) -> Result<Printed, String> {
    printed(top, Style::Specialised)
}

fn printed(top: &Module, style: Style) -> Result<Printed, String> {
    super::check::wiring(top)?;
    // nobody overrides the parameters of the top, so its defaults are its values
    let mut top = top.clone();
    top.params.iter_mut().for_each(|p| p.default = p.value);
    let top = &top;
    let mut printer = Printer { style, files: BTreeMap::new(), instances: BTreeMap::new(), path: vec![], error: None };
    let text: &dyn Fn(&Module) -> Verilog = &|m| Verilog::Custom(m.printed(style));
    let name = if printer.style == Style::Specialised { top.specialised_name() } else { top.name.clone() };
    View::top(top, text).accept(&name, &mut printer);
    if let Some(e) = printer.error {
        return Err(e);
    }
    let mut files = IndexMap::new();
    let used: BTreeSet<&str> = printer.files.values().flat_map(|text| package::names_in(text)).collect();
    if !used.is_empty() {
        files.insert(format!("{}.sv", package::NAME), package::verilog(&used));
    }
    files.extend(printer.files);
    let (mut kinds, mut multipliers) = (BTreeMap::new(), BTreeMap::new());
    facts(top, style, &mut kinds, &mut multipliers);
    Ok(Printed { files, instances: printer.instances, kinds, multipliers, top: name })
}

/// Collects what the modules under `module` say of themselves.
fn facts(module: &Module, style: Style, kinds: &mut BTreeMap<String, Kind>, multipliers: &mut BTreeMap<String, usize>) {
    let name = if style == Style::Specialised { module.specialised_name() } else { module.name.clone() };
    multipliers.insert(name.clone(), module.multipliers);
    if style == Style::Specialised {
        kinds.insert(name, module.kind);
    }
    module.instances.iter().for_each(|i| facts(&i.module, style, kinds, multipliers));
}
