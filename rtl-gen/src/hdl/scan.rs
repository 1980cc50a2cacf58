//! What the text of a module's body declares, drives and reads.
//!
//! The bodies are our own files, written in one style, so this reads the subset that they use: declarations, `assign`, processes and
//! generate blocks. It finds every signal with its width and every driver of it; what the text computes is the simulator's business.

use super::expr::{Expr, Names, Signal};
use super::token::{tokens, Token};
use crate::package::Constant;
use std::collections::{BTreeMap, BTreeSet};

/// Who drives a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// An `assign`, or a declaration with a value.
    Assign,
    /// A process; all assignments of one process are one driver.
    Process(usize),
    /// A port of an instance.
    Instance(String),
}

/// One driver of a signal.
#[derive(Clone, Debug)]
pub struct Driver {
    pub by: By,
    /// First and last bit; `None` where the text decides it with a variable.
    pub bits: Option<(i128, i128)>,
}

/// What was found in a module.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    pub names: Names,
    pub drivers: BTreeMap<String, Vec<Driver>>,
    /// Signals whose value the others follow without a clock between: driven signal, signals read.
    pub follows: Vec<(String, BTreeSet<String>)>,
    pub reads: BTreeSet<String>,
    /// What was not understood.
    pub faults: Vec<String>,
}

impl Scan {
    /// Adds a driver of the signal called `name`.
    pub fn drive(&mut self, name: &str, driver: Driver) {
        let list = self.drivers.entry(name.to_string()).or_default();
        let process = matches!(driver.by, By::Process(_));
        if !(process && list.iter().any(|d| d.by == driver.by && d.bits == driver.bits)) {
            list.push(driver);
        }
    }
}

/// A block of the text with its label and its own declarations.
#[derive(Default)]
struct Scope {
    prefix: String,
    own: BTreeSet<String>,
}

struct Reader<'a> {
    scan: &'a mut Scan,
    tokens: Vec<Token>,
    at: usize,
    scopes: Vec<Scope>,
    process: usize,
    /// The process follows its inputs at once.
    follows: bool,
    /// Conditions and values read by the process so far, and what it drives.
    process_reads: BTreeSet<String>,
    process_drives: BTreeSet<String>,
}

/// Adds what `text` has to `scan`. Processes are numbered from `first_process`; the number of the next one is returned.
pub fn read(text: &str, scan: &mut Scan, first_process: usize) -> usize {
    let mut r = Reader {
        scan,
        tokens: tokens(text),
        at: 0,
        scopes: vec![Scope::default()],
        process: first_process,
        follows: false,
        process_reads: BTreeSet::new(),
        process_drives: BTreeSet::new(),
    };
    while r.at < r.tokens.len() {
        r.statement();
    }
    r.end_process();
    r.process + 1
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| &t.text)
    }

    /// Finds the first of `stops` at or after `from` that stands in no bracket.
    fn find(&self, from: usize, stops: &[&str]) -> usize {
        let mut depth = 0;
        for at in from..self.tokens.len() {
            let t = self.text(at);
            if depth == 0 && stops.contains(&t) {
                return at;
            }
            match t {
                "(" | "[" | "{" | "'(" | "'{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn statement(&mut self) {
        let word = self.text(self.at).to_string();
        match word.as_str() {
            "wire" | "reg" | "logic" | "int" | "integer" | "genvar" => self.declaration(),
            "localparam" => self.localparam(),
            "assign" => {
                let equals = self.find(self.at, &["="]);
                let end = self.find(equals, &[";"]);
                self.assignment(self.at + 1, equals, end, By::Assign);
                self.at = end + 1;
            }
            "always_ff" | "always_comb" | "always" => {
                self.end_process();
                self.process += 1;
                self.at += 1;
                let mut clocked = false;
                if self.text(self.at) == "@" {
                    let end = self.find(self.at + 2, &[")"]);
                    clocked = (self.at..end).any(|i| self.text(i) == "posedge");
                    self.at = end + 1;
                }
                self.follows = !clocked;
            }
            "function" => {
                while self.at < self.tokens.len() && self.text(self.at) != "endfunction" {
                    self.at += 1;
                }
                self.at += 1;
            }
            "begin" => {
                let mut scope = Scope { prefix: self.prefix(), own: BTreeSet::new() };
                self.at += 1;
                if self.text(self.at) == ":" {
                    scope.prefix += self.text(self.at + 1);
                    scope.prefix.push('.');
                    self.at += 2;
                }
                self.scopes.push(scope);
            }
            "end" => {
                if self.scopes.len() > 1 {
                    self.scopes.pop();
                }
                self.at += 1;
            }
            "if" | "case" | "for" => {
                let end = self.find(self.at + 2, &[")"]);
                let names = self.names(self.at + 2, end);
                self.process_reads.extend(names.iter().cloned());
                self.scan.reads.extend(names);
                if word == "for" {
                    if let Some(at) = (self.at..end).find(|i| ["genvar", "int"].contains(&self.text(*i))) {
                        let name = self.text(at + 1).to_string();
                        self.scan.names.signals.entry(name.clone()).or_insert(Signal { bits: 32, array: false });
                        self.scan.drive(&name, Driver { by: By::Assign, bits: None });
                    }
                }
                self.at = end + 1;
            }
            _ => {
                let end = self.find(self.at, &["=", "<=", ";", ":", "begin", "end", "else", "if"]);
                if ["=", "<="].contains(&self.text(end)) {
                    let stop = self.find(end, &[";"]);
                    self.assignment(self.at, end, stop, By::Process(self.process));
                    self.at = stop + 1;
                } else {
                    self.at = if end == self.at { end + 1 } else { end };
                }
            }
        }
    }

    fn prefix(&self) -> String {
        self.scopes.last().map_or(String::new(), |s| s.prefix.clone())
    }

    /// Returns the full name of what `name` means here.
    fn resolve(&self, name: &str) -> String {
        let scope = self.scopes.iter().rev().find(|s| s.own.contains(name));
        scope.map_or_else(|| name.to_string(), |s| format!("{}{name}", s.prefix))
    }

    /// The words in a range of tokens; which of them are signals is known at the end.
    fn names(&self, from: usize, to: usize) -> BTreeSet<String> {
        let words = (from..to.min(self.tokens.len())).filter(|i| self.tokens[*i].is_word());
        words.map(|i| self.resolve(self.text(i))).collect()
    }

    fn assignment(&mut self, from: usize, equals: usize, end: usize, by: By) {
        let reads = self.names(equals + 1, end);
        let target = Expr::parse(&self.tokens[from..equals.max(from)]);
        let target = match target {
            Ok(target) => target,
            Err(why) => {
                let line = self.tokens.get(from).map_or(0, |t| t.line);
                self.scan.faults.push(format!("line {line} of its body is not understood: {why}"));
                return;
            }
        };
        let mut driven = vec![];
        for (name, part) in target.targets() {
            let full = self.resolve(name);
            let bits = if full == name { part.driven_bits(&self.scan.names) } else { None };
            // an index is read
            let mut index = BTreeSet::new();
            part.names(&mut |n| {
                if n != name {
                    index.insert(self.resolve(n));
                }
            });
            self.scan.reads.extend(index);
            driven.push((full, bits));
        }
        self.scan.reads.extend(reads.iter().cloned());
        let process = matches!(by, By::Process(_));
        for (name, bits) in driven {
            self.scan.drive(&name, Driver { by: by.clone(), bits });
            if process {
                self.process_drives.insert(name);
            } else {
                self.scan.follows.push((name, reads.clone()));
            }
        }
        if process {
            self.process_reads.extend(reads);
        }
    }

    /// What a process without a clock drives follows all that it reads, except what it drives itself before.
    fn end_process(&mut self) {
        let (reads, drives) = (std::mem::take(&mut self.process_reads), std::mem::take(&mut self.process_drives));
        if self.follows {
            let sources: BTreeSet<String> = reads.difference(&drives).cloned().collect();
            self.scan.follows.extend(drives.into_iter().map(|d| (d, sources.clone())));
        }
        self.follows = false;
    }

    /// Returns the width that a declaration's range has, and the position after it.
    fn range(&self, at: usize) -> (Result<usize, String>, usize) {
        if self.text(at) != "[" {
            return (Ok(1), at);
        }
        let colon = self.find(at + 1, &[":"]);
        let end = self.find(colon + 1, &["]"]);
        let value = |from: usize, to: usize| -> Result<i128, String> {
            let e = Expr::parse(&self.tokens[from..to.max(from)])?;
            e.value(&self.scan.names).ok_or_else(|| "a range that is not constant".into())
        };
        let bits = value(at + 1, colon).and_then(|hi| {
            let lo = value(colon + 1, end)?;
            usize::try_from(hi - lo + 1).map_err(|_| format!("a range from {hi} to {lo}"))
        });
        (bits, end + 1)
    }

    fn declaration(&mut self) {
        let line = self.tokens[self.at].line;
        let integer = ["int", "integer", "genvar"].contains(&self.text(self.at));
        let mut at = self.at + 1;
        if self.text(at) == "signed" {
            at += 1;
        }
        let (bits, next) = self.range(at);
        let bits = match bits {
            Ok(bits) => {
                if integer {
                    32
                } else {
                    bits
                }
            }
            Err(why) => {
                self.scan.faults.push(format!("line {line} of its body: {why}"));
                1
            }
        };
        at = next;
        let end = self.find(at, &[";"]);
        while at < end {
            let name = self.text(at).to_string();
            let prefix = self.prefix();
            let full = format!("{prefix}{name}");
            at += 1;
            let array = self.text(at) == "[";
            if self.scopes.len() > 1 {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.own.insert(name.clone());
                }
            }
            if self.scan.names.signals.insert(full.clone(), Signal { bits, array }).is_some() {
                self.scan.faults.push(format!("{full} is declared twice"));
            }
            if integer {
                self.scan.drive(&full, Driver { by: By::Assign, bits: None });
            }
            let stop = self.find(at, &[",", ";"]);
            let equals = self.find(at, &["="]);
            if equals < stop {
                let reads = self.names(equals + 1, stop);
                self.scan.reads.extend(reads.iter().cloned());
                self.scan.drive(&full, Driver { by: By::Assign, bits: None });
                self.scan.follows.push((full, reads));
            }
            at = stop + 1;
        }
        self.at = end + 1;
    }

    fn localparam(&mut self) {
        let line = self.tokens[self.at].line;
        let mut at = self.at + 1;
        let mut bits = None;
        if ["int", "logic"].contains(&self.text(at)) {
            at += 1;
        }
        if self.text(at) == "[" {
            let (width, next) = self.range(at);
            bits = width.ok();
            at = next;
        }
        let end = self.find(at, &[";"]);
        while at < end {
            let stop = self.find(at, &[",", ";"]);
            self.constant(at, stop, bits, line);
            at = stop + 1;
        }
        self.at = end + 1;
    }

    /// One `NAME = value` of a `localparam`.
    fn constant(&mut self, at: usize, stop: usize, bits: Option<usize>, line: usize) {
        let name = self.text(at).to_string();
        let value = Expr::parse(&self.tokens[(at + 2).min(stop)..stop])
            .map(|e| (e.value(&self.scan.names), bits.or_else(|| e.width(&self.scan.names).ok().flatten())));
        match value {
            Ok((Some(value), bits)) => {
                self.scan.names.constants.insert(name, Constant { value, bits });
            }
            // a constant that is an array or a wide vector is a signal to who reads it
            Ok((None, bits)) => {
                self.scan.names.signals.insert(name.clone(), Signal { bits: bits.unwrap_or(32), array: false });
                self.scan.drive(&name, Driver { by: By::Assign, bits: None });
            }
            Err(why) => self.scan.faults.push(format!("line {line} of its body, {name}: {why}")),
        }
    }
}
