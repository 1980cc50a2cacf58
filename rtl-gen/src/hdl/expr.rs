//! SystemVerilog expressions, as far as the RTL uses them: their names, their width, their value if they are constant.
//!
//! The generator reads an expression only to know what is wired to what; a simulator or synthesis tool gives it its meaning.

use super::token::Token;
use crate::package::Constant;
use std::collections::BTreeMap;

/// An expression of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Name(String),
    /// A number; `'0`, `'1` and plain decimals have no width of their own.
    Number {
        bits: Option<usize>,
        value: i128,
    },
    Unary(String, Box<Expr>),
    Binary(String, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Repeat(Box<Expr>, Vec<Expr>),
    /// `x[i]`
    Bit(Box<Expr>, Box<Expr>),
    /// `x[hi:lo]`
    Range(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `x[base +: width]`
    Part(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `N'(x)`
    Cast(Box<Expr>, Box<Expr>),
    /// `$clog2(x)`, `$signed(x)` and their like
    Call(String, Vec<Expr>),
}

/// A named signal: its width, and whether it is an array of words of that width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    pub bits: usize,
    pub array: bool,
}

/// What the names of a module mean.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub signals: BTreeMap<String, Signal>,
    pub constants: BTreeMap<String, Constant>,
}

impl Names {
    /// Returns the constant called `name`; names of the package are known everywhere.
    pub fn constant(&self, name: &str) -> Option<Constant> {
        match name.split_once("::") {
            Some((_, name)) => crate::package::constant(name),
            None => self.constants.get(name).copied(),
        }
    }
}

impl Expr {
    /// Reads the expression that `tokens` are.
    ///
    /// # Errors
    /// What is not understood, in words.
    pub fn parse(tokens: &[Token]) -> Result<Expr, String> {
        let mut p = Parser { tokens, at: 0 };
        let e = p.choice()?;
        match p.peek() {
            None => Ok(e),
            Some(t) => Err(format!("'{}' is not expected here", t.text)),
        }
    }

    /// Calls `f` with every signal or constant the expression names.
    pub fn names(&self, f: &mut impl FnMut(&str)) {
        match self {
            Expr::Name(n) => f(n),
            Expr::Number { .. } => {}
            Expr::Unary(_, a) => a.names(f),
            Expr::Binary(_, a, b) | Expr::Bit(a, b) | Expr::Cast(a, b) => [a, b].iter().for_each(|e| e.names(f)),
            Expr::Choice(a, b, c) | Expr::Range(a, b, c) | Expr::Part(a, b, c) => {
                [a, b, c].iter().for_each(|e| e.names(f));
            }
            Expr::Concat(list) | Expr::Call(_, list) => list.iter().for_each(|e| e.names(f)),
            Expr::Repeat(n, list) => {
                n.names(f);
                list.iter().for_each(|e| e.names(f));
            }
        }
    }

    /// Returns the value of the expression if it is constant.
    pub fn value(&self, names: &Names) -> Option<i128> {
        let v = |e: &Expr| e.value(names);
        Some(match self {
            Expr::Name(n) => names.constant(n)?.value,
            Expr::Number { value, .. } => *value,
            Expr::Unary(op, a) => match op.as_str() {
                "-" => -v(a)?,
                "!" => i128::from(v(a)? == 0),
                _ => return None,
            },
            Expr::Binary(op, a, b) => {
                let (a, b) = (v(a)?, v(b)?);
                match op.as_str() {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    "/" if b != 0 => a / b,
                    "%" if b != 0 => a % b,
                    "<<" => a.checked_shl(u32::try_from(b).ok()?)?,
                    ">>" => a.checked_shr(u32::try_from(b).ok()?)?,
                    ">" => i128::from(a > b),
                    "<" => i128::from(a < b),
                    ">=" => i128::from(a >= b),
                    "<=" => i128::from(a <= b),
                    "==" => i128::from(a == b),
                    "!=" => i128::from(a != b),
                    "&&" => i128::from(a != 0 && b != 0),
                    "||" => i128::from(a != 0 || b != 0),
                    _ => return None,
                }
            }
            Expr::Choice(c, a, b) => v(if v(c)? != 0 { a } else { b })?,
            Expr::Cast(_, a) => v(a)?,
            Expr::Call(name, args) if name == "$clog2" => match v(args.first()?)? {
                n @ 2.. => i128::from(128 - (n - 1).leading_zeros()),
                _ => 0,
            },
            _ => return None,
        })
    }

    /// Returns the width of the expression; `None` if it takes whatever width is asked for.
    ///
    /// # Errors
    /// A name that is not known, or a size that is not constant.
    pub fn width(&self, names: &Names) -> Result<Option<usize>, String> {
        let w = |e: &Expr| e.width(names);
        let size = |e: &Expr| {
            let n = e.value(names).and_then(|n| usize::try_from(n).ok());
            n.ok_or_else(|| "a size that is not constant".to_string())
        };
        let widest = |a: &Expr, b: &Expr| -> Result<Option<usize>, String> { Ok(w(a)?.max(w(b)?)) };
        Ok(match self {
            Expr::Name(n) => match (names.signals.get(n), names.constant(n)) {
                (Some(s), _) => Some(s.bits),
                (None, Some(c)) => c.bits,
                (None, None) => return Err(format!("there is no '{n}' here")),
            },
            Expr::Number { bits, .. } => *bits,
            Expr::Unary(op, a) => match op.as_str() {
                "~" | "-" | "+" => w(a)?,
                _ => {
                    w(a)?;
                    Some(1)
                }
            },
            Expr::Binary(op, a, b) => match op.as_str() {
                "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" => widest(a, b)?,
                "<<" | ">>" | "<<<" | ">>>" => {
                    w(b)?;
                    w(a)?
                }
                _ => {
                    widest(a, b)?;
                    Some(1)
                }
            },
            Expr::Choice(c, a, b) => {
                w(c)?;
                widest(a, b)?
            }
            Expr::Concat(list) => {
                let mut sum = 0;
                for e in list {
                    sum += w(e)?.ok_or("a number without width in a concatenation")?;
                }
                Some(sum)
            }
            Expr::Repeat(n, list) => Some(size(n)? * w(&Expr::Concat(list.clone()))?.unwrap_or(0)),
            Expr::Bit(a, i) => {
                w(i)?;
                match a.as_ref() {
                    Expr::Name(n) => match names.signals.get(n) {
                        Some(s) if s.array => Some(s.bits),
                        Some(_) => Some(1),
                        None => return Err(format!("there is no '{n}' here")),
                    },
                    inner => {
                        w(inner)?;
                        Some(1)
                    }
                }
            }
            Expr::Range(a, hi, lo) => {
                w(a)?;
                let bits = hi.value(names).zip(lo.value(names)).map(|(hi, lo)| hi - lo + 1);
                Some(bits.and_then(|n| usize::try_from(n).ok()).ok_or("a range that is not constant")?)
            }
            Expr::Part(a, base, n) => {
                w(a)?;
                w(base)?;
                Some(size(n)?)
            }
            Expr::Cast(n, a) => {
                w(a)?;
                Some(size(n)?)
            }
            Expr::Call(name, args) => match (name.as_str(), args.as_slice()) {
                ("$signed" | "$unsigned", [a]) => w(a)?,
                ("$clog2", [_]) => None,
                _ => return Err(format!("'{name}' is not understood")),
            },
        })
    }

    /// The bits `lo..=hi` of the named signal that this left side drives; `None` where they are not constant.
    pub fn driven_bits(&self, names: &Names) -> Option<(i128, i128)> {
        match self {
            Expr::Name(n) => {
                let s = names.signals.get(n)?;
                (!s.array).then_some((0, s.bits as i128 - 1))
            }
            Expr::Bit(a, i) => match a.as_ref() {
                Expr::Name(n) if names.signals.get(n).is_some_and(|s| !s.array) => {
                    let i = i.value(names)?;
                    Some((i, i))
                }
                _ => None,
            },
            Expr::Range(a, hi, lo) if matches!(a.as_ref(), Expr::Name(_)) => Some((lo.value(names)?, hi.value(names)?)),
            Expr::Part(a, base, n) if matches!(a.as_ref(), Expr::Name(_)) => {
                let (base, n) = (base.value(names)?, n.value(names)?);
                Some((base, base + n - 1))
            }
            _ => None,
        }
    }

    /// The signals that this left side of an assignment drives, each with its own part of the expression.
    pub fn targets(&self) -> Vec<(&str, &Expr)> {
        match self {
            Expr::Name(n) => vec![(n, self)],
            Expr::Bit(a, _) | Expr::Range(a, ..) | Expr::Part(a, ..) => match a.targets().first() {
                Some((n, _)) => vec![(n, self)],
                None => vec![],
            },
            Expr::Concat(list) => list.iter().flat_map(Expr::targets).collect(),
            _ => vec![],
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

/// Binary operators, weakest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^", "~^"],
    &["&"],
    &["==", "!="],
    &["<", "<=", ">", ">="],
    &["<<", ">>", "<<<", ">>>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, text: &str) -> bool {
        self.peek().is_some_and(|t| t.text == text)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        match self.take(text) {
            true => Ok(()),
            false => Err(format!("'{text}' expected, found '{}'", self.peek().map_or("the end", |t| &t.text))),
        }
    }

    fn choice(&mut self) -> Result<Expr, String> {
        let c = self.binary(0)?;
        if !self.take("?") {
            return Ok(c);
        }
        let a = self.choice()?;
        self.expect(":")?;
        let b = self.choice()?;
        Ok(Expr::Choice(Box::new(c), Box::new(a), Box::new(b)))
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(op) = self.peek().map(|t| t.text.clone()).filter(|t| operators.contains(&t.as_str())) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        for op in ["!", "~", "-", "+", "&", "|", "^"] {
            if self.take(op) {
                return Ok(Expr::Unary(op.into(), Box::new(self.unary()?)));
            }
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Expr, String> {
        let mut e = self.primary()?;
        loop {
            if self.take("[") {
                let first = Box::new(self.choice()?);
                e = if self.take(":") {
                    Expr::Range(Box::new(e), first, Box::new(self.choice()?))
                } else if self.take("+:") {
                    Expr::Part(Box::new(e), first, Box::new(self.choice()?))
                } else {
                    Expr::Bit(Box::new(e), first)
                };
                self.expect("]")?;
            } else if self.take("'(") {
                let inner = self.choice()?;
                self.expect(")")?;
                e = Expr::Cast(Box::new(e), Box::new(inner));
            } else {
                return Ok(e);
            }
        }
    }

    fn list(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut list = vec![self.choice()?];
        while self.take(",") {
            list.push(self.choice()?);
        }
        self.expect(end)?;
        Ok(list)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let Some(t) = self.peek().cloned() else { return Err("an expression ends too early".into()) };
        self.at += 1;
        if t.text == "(" {
            let e = self.choice()?;
            self.expect(")")?;
            return Ok(e);
        }
        if t.text == "{" {
            let first = self.choice()?;
            if self.take("{") {
                let list = self.list("}")?;
                self.expect("}")?;
                return Ok(Expr::Repeat(Box::new(first), list));
            }
            let mut list = vec![first];
            while self.take(",") {
                list.push(self.choice()?);
            }
            self.expect("}")?;
            return Ok(Expr::Concat(list));
        }
        if let Some((bits, value)) = t.number() {
            return Ok(Expr::Number { bits, value });
        }
        if t.is_word() {
            if self.take("(") {
                return Ok(Expr::Call(t.text, self.list(")")?));
            }
            return Ok(Expr::Name(t.text));
        }
        Err(format!("'{}' is not expected here", t.text))
    }
}
