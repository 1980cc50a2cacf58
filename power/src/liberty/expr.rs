//! Boolean expressions of Liberty, and probabilities under independent inputs.

/// Above this many variables a probability is no longer exact but taken term by term.
const EXACT_VARIABLES: usize = 16;
/// Deeper nesting than this is refused.
const MAX_DEPTH: usize = 64;

/// A Boolean expression over variables numbered by the cell (pins first, then state nodes).
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Const(bool),
    Var(usize),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Xor(Box<Expr>, Box<Expr>),
}

impl Expr {
    /// Parses an expression; `resolve` turns a name into a number or a constant. The error says what was expected.
    ///
    /// Precedence, tightest first: `!` and `'`, `^`, `&` `*` or nothing, `|` `+`.
    pub fn parse(text: &str, resolve: &dyn Fn(&str) -> Option<Expr>) -> Result<Expr, String> {
        let mut parser = Parser { text, resolve };
        let expr = parser.or(0)?;
        parser.blank();
        if parser.text.is_empty() {
            Ok(expr)
        } else {
            Err(format!("an operator before `{}` in `{text}`", parser.text))
        }
    }

    /// The variables used, sorted.
    pub fn variables(&self) -> Vec<usize> {
        fn walk(e: &Expr, out: &mut Vec<usize>) {
            match e {
                Expr::Const(_) => {}
                Expr::Var(v) => out.push(*v),
                Expr::Not(a) => walk(a, out),
                Expr::And(a, b) | Expr::Or(a, b) | Expr::Xor(a, b) => {
                    walk(a, out);
                    walk(b, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The expression with one variable fixed.
    pub fn restrict(&self, var: usize, value: bool) -> Expr {
        let two = |a: &Expr, b: &Expr| (Box::new(a.restrict(var, value)), Box::new(b.restrict(var, value)));
        match self {
            Expr::Var(v) if *v == var => Expr::Const(value),
            Expr::Const(_) | Expr::Var(_) => self.clone(),
            Expr::Not(a) => Expr::Not(Box::new(a.restrict(var, value))),
            Expr::And(a, b) => {
                let (a, b) = two(a, b);
                Expr::And(a, b)
            }
            Expr::Or(a, b) => {
                let (a, b) = two(a, b);
                Expr::Or(a, b)
            }
            Expr::Xor(a, b) => {
                let (a, b) = two(a, b);
                Expr::Xor(a, b)
            }
        }
    }

    /// Where a change of `var` changes the value: F(var=0) xor F(var=1).
    pub fn difference(&self, var: usize) -> Expr {
        Expr::Xor(Box::new(self.restrict(var, false)), Box::new(self.restrict(var, true)))
    }

    pub fn and(self, other: Expr) -> Expr {
        Expr::And(Box::new(self), Box::new(other))
    }

    /// Probability of being true when variable v is true with probability `p(v)`, independently of the others (0 … 1).
    pub fn probability(&self, p: &dyn Fn(usize) -> f64) -> f64 {
        let variables = self.variables();
        if variables.len() > EXACT_VARIABLES {
            return self.term_by_term(p);
        }
        let mut fixed = Vec::with_capacity(variables.len());
        self.expand(&variables, &mut fixed, p)
    }

    /// Shannon expansion, stopping as soon as the fixed variables decide the value.
    fn expand(&self, variables: &[usize], fixed: &mut Vec<(usize, bool)>, p: &dyn Fn(usize) -> f64) -> f64 {
        if let Some(value) = self.decide(fixed) {
            return f64::from(u8::from(value));
        }
        let Some((&var, rest)) = variables.split_first() else { return 0.0 };
        let p1 = p(var).clamp(0.0, 1.0);
        let mut total = 0.0;
        for (value, weight) in [(true, p1), (false, 1.0 - p1)] {
            if weight > 0.0 {
                fixed.push((var, value));
                total += weight * self.expand(rest, fixed, p);
                fixed.pop();
            }
        }
        total
    }

    fn decide(&self, fixed: &[(usize, bool)]) -> Option<bool> {
        match self {
            Expr::Const(c) => Some(*c),
            Expr::Var(v) => fixed.iter().find(|(f, _)| f == v).map(|(_, value)| *value),
            Expr::Not(a) => a.decide(fixed).map(|a| !a),
            Expr::And(a, b) => match (a.decide(fixed), b.decide(fixed)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expr::Or(a, b) => match (a.decide(fixed), b.decide(fixed)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Expr::Xor(a, b) => Some(a.decide(fixed)? ^ b.decide(fixed)?),
        }
    }

    fn term_by_term(&self, p: &dyn Fn(usize) -> f64) -> f64 {
        match self {
            Expr::Const(c) => f64::from(u8::from(*c)),
            Expr::Var(v) => p(*v).clamp(0.0, 1.0),
            Expr::Not(a) => 1.0 - a.term_by_term(p),
            Expr::And(a, b) => a.term_by_term(p) * b.term_by_term(p),
            Expr::Or(a, b) => 1.0 - (1.0 - a.term_by_term(p)) * (1.0 - b.term_by_term(p)),
            Expr::Xor(a, b) => {
                let (a, b) = (a.term_by_term(p), b.term_by_term(p));
                a * (1.0 - b) + b * (1.0 - a)
            }
        }
    }
}

struct Parser<'a, 'r> {
    text: &'a str,
    resolve: &'r dyn Fn(&str) -> Option<Expr>,
}

impl Parser<'_, '_> {
    fn blank(&mut self) {
        self.text = self.text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\' || c == '"');
    }

    fn eat(&mut self, ops: &[char]) -> bool {
        self.blank();
        match self.text.strip_prefix(ops) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn or(&mut self, depth: usize) -> Result<Expr, String> {
        let mut left = self.and(depth)?;
        while self.eat(&['|', '+']) {
            self.eat(&['|']);
            left = Expr::Or(Box::new(left), Box::new(self.and(depth)?));
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Expr, String> {
        let mut left = self.xor(depth)?;
        loop {
            let operator = self.eat(&['&', '*']);
            if operator {
                self.eat(&['&']);
            }
            // two factors side by side are an AND as well
            if operator || self.text.starts_with(|c: char| is_name(c) || c == '(' || c == '!') {
                left = left.and(self.xor(depth)?);
            } else {
                return Ok(left);
            }
        }
    }

    fn xor(&mut self, depth: usize) -> Result<Expr, String> {
        let mut left = self.factor(depth)?;
        while self.eat(&['^']) {
            left = Expr::Xor(Box::new(left), Box::new(self.factor(depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, depth: usize) -> Result<Expr, String> {
        if depth > MAX_DEPTH {
            return Err(format!("at most {MAX_DEPTH} nested operators"));
        }
        let mut expr = if self.eat(&['!', '~']) {
            Expr::Not(Box::new(self.factor(depth + 1)?))
        } else if self.eat(&['(']) {
            let inner = self.or(depth + 1)?;
            if !self.eat(&[')']) {
                return Err(format!("`)` before `{}`", self.text));
            }
            inner
        } else {
            self.blank();
            let len = self.text.find(|c| !is_name(c)).unwrap_or(self.text.len());
            let (name, rest) = self.text.split_at(len);
            if name.is_empty() {
                return Err(format!("a pin before `{}`", self.text));
            }
            let expr = match name {
                "0" => Expr::Const(false),
                "1" => Expr::Const(true),
                _ => (self.resolve)(name).ok_or_else(|| format!("a pin of the cell instead of `{name}`"))?,
            };
            self.text = rest;
            expr
        };
        while self.eat(&['\'']) {
            expr = Expr::Not(Box::new(expr));
        }
        Ok(expr)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expr, String> {
        Expr::parse(text, &|n| "ABCDS".find(n).map(Expr::Var))
    }

    fn p(text: &str) -> f64 {
        parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).probability(&|v| [0.5, 0.25, 1.0, 0.0, 0.5][v])
    }

    #[test]
    fn precedence_and_probabilities() {
        for (text, want) in [
            ("A", 0.5),
            ("!A & B", 0.125),
            ("A' B", 0.125),
            ("A + B", 0.625),
            ("A ^ B & C", 0.5), // (A ^ B) & C
            ("(A&S) | (!A&!S)", 0.5),
            ("A & !A", 0.0), // reconvergence is exact
            ("A | D | 1", 1.0),
        ] {
            assert!((p(text) - want).abs() < 1e-12, "{text}: {} instead of {want}", p(text));
        }
        assert!(parse("A &").is_err() && parse("(A").is_err() && parse("A ) B").is_err() && parse("Q").is_err());
        assert!(parse(&"!".repeat(100_000)).is_err());
    }

    #[test]
    fn difference_of_a_multiplexer_is_where_the_inputs_differ() {
        let mux = parse("(A&!S) | (B&S)").expect("valid");
        let d = mux.difference(4).probability(&|v| [0.5, 0.25, 0.0, 0.0, 0.9][v]);
        assert!((d - 0.5).abs() < 1e-12, "{d}");
    }
}
