//! Structural Verilog as synthesis and place-and-route tools write it: modules, wires, assigns, instances with named pins.

use super::lexer::{Lexer, Token};
use crate::error::Error;
use records::text;
use std::collections::HashMap;
use std::path::Path;

/// Vectors wider than this are refused: a typing error, not a netlist.
const MAX_WIDTH: u64 = 1 << 20;
const MAX_DEPTH: usize = 64;

/// The modules of one file.
#[derive(Debug)]
pub struct Source {
    pub modules: HashMap<String, Module>,
    /// Module names in the order of the file
    pub order: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Module {
    pub name: String,
    /// Ports in order; their directions are in `nets`
    pub ports: Vec<String>,
    pub nets: HashMap<String, Declared>,
    pub assigns: Vec<(Expr, Expr, usize)>,
    pub instances: Vec<Instance>,
}

/// A net or port: its range, none for one bit, and its direction if it is a port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declared {
    pub range: Option<(i64, i64)>,
    pub direction: Option<PortDirection>,
    /// `supply0` and `supply1`
    pub constant: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortDirection {
    Input,
    Output,
    Inout,
}

#[derive(Debug)]
pub struct Instance {
    pub cell: String,
    pub name: String,
    pub line: usize,
    /// Pin name and what it is connected to
    pub pins: Vec<(String, Option<Expr>)>,
}

/// What a pin is connected to.
#[derive(Clone, Debug)]
pub enum Expr {
    Name(String),
    /// `name[from:to]`, both inclusive
    Select(String, i64, i64),
    /// Most significant first
    Concat(Vec<Expr>),
    /// Most significant bit first
    Constant(Vec<bool>),
}

impl Source {
    /// Reads and parses a netlist file.
    pub fn load(path: &Path) -> Result<Source, Error> {
        Source::parse(path, &text::read(path)?)
    }

    /// Parses a netlist; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Source, Error> {
        let mut parser = Parser { lexer: Lexer::new(path, text)? };
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
}

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
            Token::Word(name) | Token::Escaped(name) => {
                let name = name.clone();
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
        let mut module = Module { name: self.name("a module name")?, ..Module::default() };
        if self.eat('(')? {
            let mut declared = Declared::default();
            while !self.eat(')')? {
                if let Some(direction) = self.direction()? {
                    declared = Declared { range: None, direction: Some(direction), constant: None };
                    self.net_type()?;
                    declared.range = self.range()?;
                }
                let name = self.name("a port name")?;
                if declared.direction.is_some() {
                    module.nets.insert(name.clone(), declared);
                }
                module.ports.push(name);
                self.eat(',')?;
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
        let cell = self.name("a cell name")?;
        if matches!(
            cell.as_str(),
            "always" | "initial" | "always_ff" | "always_comb" | "generate" | "function" | "parameter"
        ) {
            return Err(Error::syntax(
                self.lexer.path,
                line,
                "a mapped netlist (only wires, assigns and instances)",
                cell,
            ));
        }
        if self.eat('#')? {
            self.skip_parentheses()?;
        }
        loop {
            let line = self.lexer.line;
            let name = self.name("an instance name")?;
            let range = self.range()?;
            if range.is_some() {
                return Err(self.lexer.expected("single instances, no array of them"));
            }
            self.symbol('(')?;
            let mut pins = Vec::new();
            while !self.eat(')')? {
                self.symbol('.').map_err(|_| self.lexer.expected("a connection by name, `.pin(net)`"))?;
                let pin = self.name("a pin name")?;
                self.symbol('(')?;
                let value = if self.eat(')')? {
                    None
                } else {
                    let value = self.expr(0)?;
                    self.symbol(')')?;
                    Some(value)
                };
                pins.push((pin, value));
                if !self.eat(',')? && self.lexer.token != Token::Symbol(')') {
                    return Err(self.lexer.expected("`,` or `)`"));
                }
            }
            module.instances.push(Instance { cell: cell.clone(), name, line, pins });
            if !self.eat(',')? {
                break;
            }
        }
        self.symbol(';')
    }

    fn skip_parentheses(&mut self) -> Result<(), Error> {
        let mut depth = 0usize;
        loop {
            match self.lexer.token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.saturating_sub(1),
                Token::End => return Err(self.lexer.expected("`)` of the parameters")),
                _ => {}
            }
            self.lexer.advance()?;
            if depth == 0 {
                return Ok(());
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
            Token::Number(n) => {
                self.lexer.advance()?;
                if self.lexer.token == Token::Symbol('{') {
                    return Err(self.lexer.expected("a replication inside braces"));
                }
                Ok(Expr::Constant((0..32).rev().map(|i| n >> i & 1 == 1).collect()))
            }
            Token::Symbol('{') => {
                self.lexer.advance()?;
                if let Token::Number(times) = self.lexer.token {
                    self.lexer.advance()?;
                    let inner = self.expr(depth + 1)?;
                    self.symbol('}')?;
                    if !(0..=4096).contains(&times) {
                        return Err(self.lexer.expected("a replication of at most 4096"));
                    }
                    return Ok(Expr::Concat(vec![inner; times as usize]));
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
