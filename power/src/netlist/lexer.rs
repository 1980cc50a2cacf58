//! Tokens of structural Verilog, of the branches that its compiler directives choose.

use crate::error::Error;
use std::collections::HashSet;
use std::path::Path;

/// Constants wider than this are refused.
const MAX_CONSTANT: usize = 1 << 16;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    /// `\name `, without the backslash
    Escaped(String),
    Number(i64),
    /// A sized constant, most significant bit first; x and z count as 0
    Constant(Vec<bool>),
    /// A constant as wide as what it is connected to: its bits, and the one above them
    Unsized(Vec<bool>, bool),
    Symbol(char),
    End,
}

pub(crate) struct Lexer<'a> {
    pub path: &'a Path,
    text: &'a str,
    pub token: Token,
    /// Line of `token`
    pub line: usize,
    next_line: usize,
    start: &'a str,
    macros: HashSet<&'a str>,
    branches: Vec<Branch>,
}

/// An `` `ifdef `` that is open.
struct Branch {
    line: usize,
    is_active: bool,
    /// Whether none of the branches to come may be active
    is_decided: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(path: &'a Path, text: &'a str) -> Result<Lexer<'a>, Error> {
        let mut lexer = Lexer {
            path,
            text,
            token: Token::End,
            line: 1,
            next_line: 1,
            start: text,
            macros: HashSet::new(),
            branches: Vec::new(),
        };
        lexer.advance()?;
        Ok(lexer)
    }

    /// An error at the current token.
    pub fn expected(&self, what: &str) -> Error {
        let word = self.start.split_whitespace().next().unwrap_or("");
        Error::syntax(self.path, self.line, what, word)
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (head, tail) = self.text.split_at(len);
        self.next_line += head.bytes().filter(|&b| b == b'\n').count();
        self.text = tail;
        head
    }

    /// Passes over what begins here and ends with `stop`.
    fn closed(&mut self, what: &str, stop: &str) -> Result<(), Error> {
        let Some(at) = self.text[2..].find(stop) else {
            return Err(Error::syntax(self.path, self.next_line, format!("{stop} of this {what}"), ""));
        };
        self.take(2 + at + stop.len());
        Ok(())
    }

    fn rest_of_line(&mut self) -> &'a str {
        self.take(self.text.find('\n').unwrap_or(self.text.len()))
    }

    fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|b| b.is_active)
    }

    /// Passes over blanks, comments, attributes, directives and branches that are not active.
    fn skip(&mut self) -> Result<(), Error> {
        loop {
            self.take(self.text.len() - self.text.trim_start().len());
            if self.text.starts_with("//") {
                self.rest_of_line();
            } else if self.text.starts_with("/*") {
                self.closed("comment", "*/")?;
            } else if self.text.starts_with('`') {
                self.directive()?;
            } else if let (false, Some(first)) = (self.is_active(), self.text.chars().next()) {
                let string = self.text.strip_prefix('"').and_then(|t| t.find('"'));
                self.take(string.map_or(first.len_utf8(), |end| end + 2));
            } else if self.text.starts_with("(*") && !self.text.starts_with("(*)") {
                self.closed("attribute", "*)")?;
            } else if let (true, Some(open)) = (self.text.is_empty(), self.branches.last()) {
                return Err(Error::syntax(self.path, open.line, "`endif of this branch", ""));
            } else {
                return Ok(());
            }
        }
    }

    fn directive(&mut self) -> Result<(), Error> {
        let line = self.next_line;
        let word = |t: &str| t.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(t.len());
        let name = self.take(1 + word(&self.text[1..]));
        let error = |what: &str| Error::syntax(self.path, line, what, name);
        let mut argument = "";
        if matches!(name, "`ifdef" | "`ifndef" | "`elsif" | "`define" | "`undef") {
            let blanks = self.text.len() - self.text.trim_start_matches([' ', '\t']).len();
            argument = &self.text[blanks..][..word(&self.text[blanks..])];
            if argument.is_empty() {
                return Err(error("the name of a macro behind it"));
            }
            self.take(blanks + argument.len());
        }
        let (is_active, holds) = (self.is_active(), self.macros.contains(argument) != (name == "`ifndef"));
        match name {
            "`ifdef" | "`ifndef" => {
                let chosen = is_active && holds;
                self.branches.push(Branch { line, is_active: chosen, is_decided: !is_active || holds });
            }
            "`elsif" | "`else" => {
                let last = self.branches.last_mut().ok_or_else(|| error("`ifdef before it"))?;
                last.is_active = !last.is_decided && (holds || name == "`else");
                last.is_decided |= last.is_active || name == "`else";
            }
            "`endif" => _ = self.branches.pop().ok_or_else(|| error("`ifdef before it"))?,
            _ if !is_active => {}
            "`define" => {
                self.macros.insert(argument);
                while self.rest_of_line().ends_with('\\') && !self.text.is_empty() {
                    self.take(1);
                }
            }
            "`undef" => _ = self.macros.remove(argument),
            "`celldefine" | "`endcelldefine" | "`resetall" | "`nounconnected_drive" | "`end_keywords" => {}
            "`timescale" | "`default_nettype" | "`line" | "`pragma" | "`begin_keywords" => _ = self.rest_of_line(),
            _ => return Err(error("a netlist without included files and macros; run it through a preprocessor")),
        }
        Ok(())
    }

    /// Reads the next token.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.skip()?;
        self.line = self.next_line;
        self.start = self.text;
        let Some(first) = self.text.chars().next() else {
            self.token = Token::End;
            return Ok(());
        };
        let run = |t: &str, f: fn(char) -> bool| t.find(|c| !f(c)).unwrap_or(t.len());
        self.token = if first == '\\' {
            let len = run(self.text, |c| !c.is_whitespace());
            let name = self.take(len);
            Token::Escaped(name.trim_start_matches('\\').to_string())
        } else if first.is_alphabetic() || first == '_' {
            let len = run(self.text, |c| c.is_alphanumeric() || c == '_' || c == '$');
            Token::Word(self.take(len).to_string())
        } else if first.is_ascii_digit() || first == '\'' {
            self.number()?
        } else {
            Token::Symbol(self.take(first.len_utf8()).chars().next().unwrap_or(first))
        };
        Ok(())
    }

    fn number(&mut self) -> Result<Token, Error> {
        let len = self.text.find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(self.text.len());
        let digits = self.take(len).replace('_', "");
        let after = self.text.trim_start();
        // blanks may stand before a base, but `'1` is a constant of its own
        let is_base = |t: &str| t.starts_with(|c: char| "sSbBoOdDhH".contains(c));
        if !after.strip_prefix('\'').is_some_and(|t| is_base(t) || after.len() == self.text.len()) {
            return digits.parse().map(Token::Number).map_err(|_| self.expected("a number"));
        }
        self.take(self.text.len() - after.len() + 1);
        let width: Option<usize> = (!digits.is_empty()).then(|| digits.parse().unwrap_or(usize::MAX));
        if width.is_some_and(|w| w > MAX_CONSTANT) {
            return Err(self.expected("a constant of at most 65536 bits"));
        }
        let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '?';
        let run = |t: &str| t.find(|c| !is_digit(c)).unwrap_or(t.len());
        let mut body = self.take(run(self.text)).to_ascii_lowercase();
        if let ("0" | "1" | "x" | "z", None) = (body.as_str(), width) {
            return Ok(Token::Unsized(vec![], body == "1"));
        }
        body = body.strip_prefix('s').unwrap_or(&body).to_string();
        if body.len() == 1 {
            // blanks may stand behind the base
            self.take(self.text.len() - self.text.trim_start().len());
            body += &self.take(run(self.text)).to_ascii_lowercase();
        }
        let body = body.replace('_', "");
        let mut bits = Vec::new();
        let bits_per_digit = match body.chars().next() {
            Some('b') => 1,
            Some('o') => 3,
            Some('h') => 4,
            Some('d') => 0,
            _ => return Err(self.expected("a base b, o, d or h of this constant")),
        };
        if body.len() < 2 {
            return Err(self.expected("digits of this constant"));
        }
        if bits_per_digit == 0 && !matches!(&body[1..], "x" | "z" | "?") {
            let value: u128 = body[1..].parse().map_err(|_| self.expected("decimal digits"))?;
            bits.extend((0..128).rev().map(|i| value >> i & 1 == 1));
        } else {
            for c in body.chars().skip(1) {
                let digit = match c {
                    'x' | 'z' | '?' => 0,
                    _ => c.to_digit(1 << bits_per_digit).ok_or_else(|| self.expected("digits of this base"))?,
                };
                bits.extend((0..bits_per_digit).rev().map(|i| digit >> i & 1 == 1));
            }
        }
        let Some(width) = width else { return Ok(Token::Unsized(bits, false)) };
        let missing = width.saturating_sub(bits.len());
        let mut out = vec![false; missing];
        out.extend(&bits[bits.len().saturating_sub(width)..]);
        Ok(Token::Constant(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let text = "// c\n(* keep = 1 *) \\a$b[1] x_1[3] 4'b1_0x1 8'hA5 3 'o 7 2'd6 'b1 /* c */ 12 '1";
        let mut lexer = Lexer::new(Path::new("t"), text).expect("valid");
        let mut tokens = Vec::new();
        while lexer.token != Token::End {
            tokens.push(lexer.token.clone());
            lexer.advance().expect("valid");
        }
        let bits = |s: &str| Token::Constant(s.chars().map(|c| c == '1').collect());
        let want = [
            Token::Escaped("a$b[1]".into()),
            Token::Word("x_1".into()),
            Token::Symbol('['),
            Token::Number(3),
            Token::Symbol(']'),
            bits("1001"),
            bits("10100101"),
            bits("111"),
            bits("10"),
            Token::Unsized(vec![true], false),
            Token::Number(12),
            Token::Unsized(vec![], true),
        ];
        assert_eq!(tokens, want);
        for bad in ["4'q1", "2'b2", "9999999'b1", "4'd", "'", "/* c", "`FOO", "`endif", "`ifdef A", "`include \"x\""] {
            assert!(Lexer::new(Path::new("t"), bad).is_err(), "{bad}");
        }
    }

    /// Words of the text that the directives leave.
    fn words(text: &str) -> String {
        let mut lexer = Lexer::new(Path::new("t"), text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let mut words = String::new();
        while let Token::Word(word) = lexer.token.clone() {
            words += &word;
            lexer.advance().unwrap_or_else(|e| panic!("{text}: {e}"));
        }
        assert_eq!(lexer.token, Token::End, "{text}");
        words
    }

    #[test]
    fn one_branch_of_a_condition_is_read() {
        for (text, want) in [
            ("`ifdef A\na\n`else\nb\n`endif\nc", "bc"),
            ("`ifndef A\na\n`else\nb\n`endif\nc", "ac"),
            ("`define A 1 \\\n still\n`ifdef A\na\n`elsif B\nb\n`else\nc\n`endif", "a"),
            ("`define B\n`ifdef A\na\n`elsif B\nb\n`elsif C\nc\n`else\nd\n`endif", "b"),
            ("`define A\n`undef A\n`ifdef A\n`ifdef B\na\n`else\nb\n`endif\n`else\nc\n`endif", "c"),
            ("`ifdef A\n`define B\n// `endif\n/* `endif */ \"`endif\" `include \\x`endif `ifdef B\na `endif `ifdef B\nb `endif\nc", "c"),
            ("`timescale 1ns / 1ps\n`celldefine a `endcelldefine\n`default_nettype none\nb", "ab"),
        ] {
            assert_eq!(words(text), want, "{text}");
        }
        let message = Lexer::new(Path::new("t"), "\n`ifdef A\n\n").err().expect("no `endif").to_string();
        assert_eq!(message, "t:2: expected `endif of this branch, found the end of the file");
    }
}
