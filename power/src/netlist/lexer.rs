//! Tokens of structural Verilog.

use crate::error::Error;
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
}

impl<'a> Lexer<'a> {
    pub fn new(path: &'a Path, text: &'a str) -> Result<Lexer<'a>, Error> {
        let mut lexer = Lexer { path, text, token: Token::End, line: 1, next_line: 1, start: text };
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

    fn until(&self, stop: &str) -> usize {
        self.text.find(stop).map_or(self.text.len(), |i| i + stop.len())
    }

    fn skip(&mut self) {
        loop {
            let blank = self.text.len() - self.text.trim_start().len();
            self.take(blank);
            let len = if self.text.starts_with("//") || self.text.starts_with('`') {
                self.until("\n")
            } else if self.text.starts_with("/*") {
                self.until("*/")
            } else if self.text.starts_with("(*") && !self.text.starts_with("(*)") {
                self.until("*)")
            } else {
                return;
            };
            self.take(len);
        }
    }

    /// Reads the next token.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.skip();
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
        if !self.text.starts_with('\'') {
            return digits.parse().map(Token::Number).map_err(|_| self.expected("a number"));
        }
        let width: usize = if digits.is_empty() { 32 } else { digits.parse().unwrap_or(usize::MAX) };
        if width > MAX_CONSTANT {
            return Err(self.expected("a constant of at most 65536 bits"));
        }
        let len = self.text[1..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '?'))
            .map_or(self.text.len(), |i| i + 1);
        let body = self.take(len)[1..].to_ascii_lowercase().replace('_', "");
        let body = body.strip_prefix('s').unwrap_or(&body);
        let mut bits = Vec::new();
        let bits_per_digit = match body.chars().next() {
            Some('b') => 1,
            Some('o') => 3,
            Some('h') => 4,
            Some('d') => 0,
            _ => return Err(self.expected("a base b, o, d or h of this constant")),
        };
        if bits_per_digit == 0 {
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
        let text = "// c\n(* keep = 1 *) \\a$b[1] x_1[3] 4'b1_0x1 8'hA5 3'o7 2'd6 'b1 /* c */ 12";
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
            bits(&format!("{}1", "0".repeat(31))),
            Token::Number(12),
        ];
        assert_eq!(tokens, want);
        for bad in ["4'q1", "2'b2", "9999999'b1", "4'd"] {
            assert!(Lexer::new(Path::new("t"), bad).is_err(), "{bad}");
        }
    }
}
