//! From tokens to modules.

use super::lexer::{Lexer, Token};
use super::verilog::{Declared, Expr, Instance, Module, ModulePort, Pin, PortDirection, Source};
use crate::error::Error;
use records::text;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Vectors wider than this are refused: a typing error, not a netlist.
const MAX_WIDTH: u64 = 1 << 20;
const MAX_DEPTH: usize = 64;

impl Source {
    /// Reads and parses a netlist file.
    pub fn load(path: &Path) -> Result<Source, Error> {
        Source::parse(path, &text::read(path)?)
    }

    /// Parses a netlist; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Source, Error> {
        let mut parser =
            Parser { lexer: Lexer::new(path, text)?, parameters: HashSet::new(), instances: HashSet::new() };
        let mut source = Source { modules: HashMap::new(), order: Vec::new() };
        while parser.lexer.token != Token::End {
            parser.keyword("module")?;
            let line = parser.lexer.line;
            let module = parser.module()?;
            if source.modules.contains_key(&module.name) {
                return Err(Error::syntax(path, line, "each module once", &module.name));
            }
            source.order.push(module.name.clone());
            source.modules.insert(module.name.clone(), module);
        }
        Ok(source)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Parameters and instances of the module that is read
    parameters: HashSet<String>,
    instances: HashSet<String>,
}

/// Words that begin what no netlist has.
const NOT_STRUCTURAL: [&str; 16] = [
    "always",
    "always_comb",
    "always_ff",
    "always_latch",
    "case",
    "for",
    "function",
    "generate",
    "genvar",
    "if",
    "initial",
    "integer",
    "specify",
    "task",
    "tri0",
    "tri1",
];

impl Parser<'_> {
    fn keyword(&mut self, word: &str) -> Result<(), Error> {
        if self.lexer.token == Token::Word(word.into()) {
            return self.lexer.advance();
        }
        Err(self.lexer.expected(word))
    }

    fn symbol(&mut self, symbol: char) -> Result<(), Error> {
        if self.eat(symbol)? {
            return Ok(());
        }
        Err(self.lexer.expected(&format!("`{symbol}`")))
    }

    fn eat(&mut self, symbol: char) -> Result<bool, Error> {
        let found = self.lexer.token == Token::Symbol(symbol);
        if found {
            self.lexer.advance()?;
        }
        Ok(found)
    }

    fn name(&mut self, what: &str) -> Result<String, Error> {
        match &self.lexer.token {
            Token::Word(name) => {
                let name = name.clone();
                self.lexer.advance()?;
                Ok(name)
            }
            Token::Escaped(name) => {
                let is_plain = !name.starts_with(|c: char| c.is_ascii_digit())
                    && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
                let name = if is_plain { name.clone() } else { format!("\\{name} ") };
                self.lexer.advance()?;
                Ok(name)
            }
            _ => Err(self.lexer.expected(what)),
        }
    }

    fn number(&mut self) -> Result<i64, Error> {
        match self.lexer.token {
            Token::Number(n) => {
                self.lexer.advance()?;
                Ok(n)
            }
            _ => Err(self.lexer.expected("a number")),
        }
    }

    fn range(&mut self) -> Result<Option<(i64, i64)>, Error> {
        if matches!(&self.lexer.token, Token::Word(w) if w == "signed" || w == "unsigned") {
            self.lexer.advance()?; // a sign changes nothing here
        }
        if !self.eat('[')? {
            return Ok(None);
        }
        let from = self.number()?;
        self.symbol(':')?;
        let to = self.number()?;
        self.symbol(']')?;
        if from.abs_diff(to) >= MAX_WIDTH {
            return Err(self.lexer.expected("a vector of at most 1048576 bits"));
        }
        Ok(Some((from, to)))
    }

    fn module(&mut self) -> Result<Module, Error> {
        self.parameters.clear();
        self.instances.clear();
        let line = self.lexer.line;
        let mut module = Module { name: self.name("a module name")?, line, ..Module::default() };
        if self.eat('#')? {
            self.parameters()?;
        }
        if self.eat('(')? && !self.eat(')')? {
            let mut declared = Declared::default();
            loop {
                if let Some(direction) = self.direction()? {
                    declared = Declared { range: None, direction: Some(direction), constant: None };
                    self.net_type()?;
                    declared.range = self.range()?;
                }
                let port = self.port()?;
                if let (Some(name), true) = (&port.name, declared.direction.is_some()) {
                    module.nets.insert(name.clone(), declared);
                }
                if port.name.is_some() && module.ports.iter().any(|p| p.name == port.name) {
                    return Err(self
                        .lexer
                        .expected(&format!("each port once, not {} again", port.name.unwrap_or_default())));
                }
                module.ports.push(port);
                if self.eat(')')? {
                    break;
                }
                self.symbol(',')?;
            }
        }
        self.symbol(';')?;
        loop {
            let line = self.lexer.line;
            match &self.lexer.token {
                Token::Word(w) if w == "endmodule" => {
                    self.lexer.advance()?;
                    return Ok(module);
                }
                Token::Word(w) if w == "assign" => {
                    self.lexer.advance()?;
                    loop {
                        let left = self.expr(0)?;
                        self.symbol('=')?;
                        module.assigns.push((left, self.expr(0)?, line));
                        if !self.eat(',')? {
                            break;
                        }
                    }
                    self.symbol(';')?;
                }
                Token::Word(_) | Token::Escaped(_) => self.item(&mut module, line)?,
                _ => return Err(self.lexer.expected("a declaration, an instance or endmodule")),
            }
        }
    }

    /// `name`, `.name(expression)` or a concatenation without a name.
    fn port(&mut self) -> Result<ModulePort, Error> {
        if self.eat('.')? {
            let name = Some(self.name("a port name")?);
            return Ok(ModulePort { name, value: self.parenthesised()? });
        }
        let value = self.expr(0)?;
        let name = if let Expr::Name(name) = &value { Some(name.clone()) } else { None };
        Ok(ModulePort { name, value: Some(value) })
    }

    /// `(expression)` or `()`.
    fn parenthesised(&mut self) -> Result<Option<Expr>, Error> {
        self.symbol('(')?;
        if self.eat(')')? {
            return Ok(None);
        }
        let value = self.expr(0)?;
        self.symbol(')')?;
        Ok(Some(value))
    }

    fn direction(&mut self) -> Result<Option<PortDirection>, Error> {
        let direction = match &self.lexer.token {
            Token::Word(w) if w == "input" => PortDirection::Input,
            Token::Word(w) if w == "output" => PortDirection::Output,
            Token::Word(w) if w == "inout" => PortDirection::Inout,
            _ => return Ok(None),
        };
        self.lexer.advance()?;
        Ok(Some(direction))
    }

    /// The type of a declaration: none, false for `supply0`, true for `supply1`.
    fn net_type(&mut self) -> Result<(bool, Option<bool>), Error> {
        let constant = match &self.lexer.token {
            Token::Word(w) if matches!(w.as_str(), "wire" | "tri" | "wand" | "wor" | "logic" | "reg") => None,
            Token::Word(w) if w == "supply0" => Some(false),
            Token::Word(w) if w == "supply1" => Some(true),
            _ => return Ok((false, None)),
        };
        self.lexer.advance()?;
        Ok((true, constant))
    }

    fn item(&mut self, module: &mut Module, line: usize) -> Result<(), Error> {
        let direction = self.direction()?;
        let (is_net, constant) = self.net_type()?;
        if direction.is_some() || is_net {
            let range = self.range()?;
            loop {
                let name = self.name("a net name")?;
                let entry = module.nets.entry(name.clone()).or_default();
                entry.range = range.or(entry.range);
                entry.direction = direction.or(entry.direction);
                entry.constant = constant.or(entry.constant);
                if self.eat('=')? {
                    let value = self.expr(0)?;
                    module.assigns.push((Expr::Name(name), value, line));
                }
                if !self.eat(',')? {
                    break;
                }
            }
            return self.symbol(';');
        }
        if matches!(&self.lexer.token, Token::Word(w) if matches!(w.as_str(), "parameter" | "localparam" | "defparam"))
        {
            return self.parameters();
        }
        let cell = self.name("a cell name")?;
        if NOT_STRUCTURAL.contains(&cell.as_str()) {
            let what = "a mapped netlist (only wires, assigns and instances)";
            return Err(Error::syntax(self.lexer.path, line, what, cell));
        }
        if self.eat('#')? {
            self.parameters()?; // what they change inside a cell is in no library
        }
        loop {
            let line = self.lexer.line;
            let name = self.name("an instance name")?;
            if self.range()?.is_some() {
                return Err(self.lexer.expected("single instances, no array of them"));
            }
            if !self.instances.insert(name.clone()) {
                return Err(Error::syntax(self.lexer.path, line, "each instance name once in a module", name));
            }
            let pins = self.pins()?;
            module.instances.push(Instance { cell: cell.clone(), name, line, pins });
            if !self.eat(',')? {
                break;
            }
        }
        self.symbol(';')
    }

    /// The connections of an instance, all by name or all by place.
    fn pins(&mut self) -> Result<Vec<(Pin, Option<Expr>)>, Error> {
        let mut pins: Vec<(Pin, Option<Expr>)> = Vec::new();
        self.symbol('(')?;
        if self.eat(')')? {
            return Ok(pins);
        }
        loop {
            let line = self.lexer.line;
            let pin = if self.eat('.')? {
                let name = self.name("a pin name")?;
                let is_short = matches!(self.lexer.token, Token::Symbol(',' | ')')); // `.a` is `.a(a)`
                let value = if is_short { Some(Expr::Name(name.clone())) } else { self.parenthesised()? };
                (Pin::Name(name), value)
            } else {
                let is_open = matches!(self.lexer.token, Token::Symbol(',' | ')'));
                (Pin::Place(pins.len()), if is_open { None } else { Some(self.expr(0)?) })
            };
            let is_named = |p: &(Pin, Option<Expr>)| matches!(p.0, Pin::Name(_));
            if pins.iter().any(|p| p.0 == pin.0 || is_named(p) != is_named(&pin)) {
                let what = "each pin once, all by name or all by place";
                return Err(Error::syntax(self.lexer.path, line, what, pin.0.to_string()));
            }
            pins.push(pin);
            if self.eat(')')? {
                return Ok(pins);
            }
            if !self.eat(',')? {
                return Err(self.lexer.expected("`,` or `)`"));
            }
        }
    }

    /// Passes over parameters, which are in parentheses or end with a semicolon, and remembers their names.
    fn parameters(&mut self) -> Result<(), Error> {
        let mut depth = 0usize;
        loop {
            let word = if let Token::Word(w) = &self.lexer.token { Some(w.clone()) } else { None };
            match self.lexer.token {
                Token::Symbol('(' | '{' | '[') => depth += 1,
                Token::Symbol(')' | '}' | ']') => depth = depth.saturating_sub(1),
                Token::End => return Err(self.lexer.expected("the end of the parameters")),
                _ => {}
            }
            let is_last = matches!(self.lexer.token, Token::Symbol(')' | ';')) && depth == 0;
            self.lexer.advance()?;
            if is_last {
                return Ok(());
            }
            if let (Some(word), Token::Symbol('=')) = (word, &self.lexer.token) {
                self.parameters.insert(word);
            }
        }
    }

    fn expr(&mut self, depth: usize) -> Result<Expr, Error> {
        if depth > MAX_DEPTH {
            return Err(self.lexer.expected("less nesting"));
        }
        match self.lexer.token.clone() {
            Token::Constant(bits) => {
                self.lexer.advance()?;
                Ok(Expr::Constant(bits))
            }
            Token::Unsized(..) | Token::Number(_) if depth > 0 => {
                Err(self.lexer.expected("a constant with its width inside braces"))
            }
            Token::Unsized(bits, above) => {
                self.lexer.advance()?;
                Ok(Expr::Unsized(bits, above))
            }
            Token::Number(n) => {
                self.lexer.advance()?;
                Ok(Expr::Unsized((0..64).rev().map(|i| n >> i & 1 == 1).collect(), false))
            }
            Token::Symbol('{') => {
                self.lexer.advance()?;
                if let Token::Number(times) = self.lexer.token {
                    self.lexer.advance()?;
                    let inner = self.expr(depth + 1)?;
                    self.symbol('}')?;
                    let times = usize::try_from(times).ok().filter(|t| (1..=4096).contains(t));
                    let times = times.ok_or_else(|| self.lexer.expected("a replication of 1 to 4096 times"))?;
                    return Ok(Expr::Repeat(times, Box::new(inner)));
                }
                let mut parts = Vec::new();
                loop {
                    parts.push(self.expr(depth + 1)?);
                    if self.eat('}')? {
                        return Ok(Expr::Concat(parts));
                    }
                    self.symbol(',')?;
                }
            }
            Token::Word(_) | Token::Escaped(_) => {
                if let Token::Word(word) = &self.lexer.token {
                    if self.parameters.contains(word) {
                        return Err(self.lexer.expected("a constant; this reader evaluates no parameter"));
                    }
                }
                let name = self.name("a net")?;
                if !self.eat('[')? {
                    return Ok(Expr::Name(name));
                }
                let from = self.number()?;
                let to = if self.eat(':')? { self.number()? } else { from };
                self.symbol(']')?;
                if from.abs_diff(to) >= MAX_WIDTH {
                    return Err(self.lexer.expected("a part of at most 1048576 bits"));
                }
                Ok(Expr::Select(name, from, to))
            }
            _ => Err(self.lexer.expected("a net, a part of it, a constant or a concatenation")),
        }
    }
}
