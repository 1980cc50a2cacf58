//! The syntax of Liberty: groups, simple attributes and complex attributes, borrowed from the text.
//!
//! Written here because no crate we tried keeps everything a power number needs: `liberty-db` reads the libraries but drops,
//! without an error, `when` conditions on bus bits and then merges the groups they told apart; `liberty-parse` stops at the IHP files.

use crate::error::Error;
use std::path::Path;

/// Groups deeper than this are no library.
const MAX_DEPTH: usize = 32;

/// `name (args) { … }`
#[derive(Debug, Default)]
pub struct Group<'a> {
    pub name: &'a str,
    pub args: Vec<&'a str>,
    pub line: usize,
    pub groups: Vec<Group<'a>>,
    /// `name : value ;` as one value, `name (args) ;` as several
    pub attributes: Vec<Attribute<'a>>,
}

#[derive(Debug)]
pub struct Attribute<'a> {
    pub name: &'a str,
    pub values: Vec<&'a str>,
    pub line: usize,
}

impl<'a> Group<'a> {
    /// The first value of an attribute.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.attribute(name).and_then(|a| a.values.first().copied())
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|a| a.name == name)
    }

    pub fn all<'g>(&'g self, name: &'g str) -> impl Iterator<Item = &'g Group<'a>> {
        self.groups.iter().filter(move |g| g.name == name)
    }

    pub fn arg(&self) -> &'a str {
        self.args.first().copied().unwrap_or("")
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }
}

/// Parses the one `library` group of a file.
pub fn parse<'a>(path: &Path, text: &'a str) -> Result<Group<'a>, Error> {
    let mut parser = Parser { path, text, at: 0, line: 1 };
    let mut file = Group::default();
    parser.body(&mut file, 0)?;
    if parser.peek().is_some() {
        return Err(parser.expected("the end of the file"));
    }
    match file.groups.into_iter().find(|g| g.name == "library") {
        Some(library) => Ok(library),
        None => Err(Error::syntax(path, 1, "a library group", text.trim_start().lines().next().unwrap_or(""))),
    }
}

struct Parser<'p, 'a> {
    path: &'p Path,
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Parser<'_, 'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bump(&mut self) {
        self.line += usize::from(self.peek() == Some(b'\n'));
        self.at += 1;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn expected(&self, what: &str) -> Error {
        Error::syntax(self.path, self.line, what, self.rest().lines().next().unwrap_or(""))
    }

    /// Blanks, line continuations and comments; newlines only if `lines`.
    fn skip(&mut self, lines: bool) -> Result<(), Error> {
        loop {
            match self.peek() {
                Some(b'\n') if !lines => return Ok(()),
                Some(b'\\') => {
                    // a continuation: the backslash, blanks and the newline
                    self.bump();
                    while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
                        self.bump();
                    }
                    if self.peek() == Some(b'\n') {
                        self.bump();
                    }
                }
                Some(b) if b.is_ascii_whitespace() => self.bump(),
                Some(b'/') if self.rest().starts_with("/*") => {
                    let Some(len) = self.rest().find("*/") else {
                        return Err(Error::syntax(self.path, self.line, "*/ of this comment", ""));
                    };
                    for _ in 0..len + 2 {
                        self.bump();
                    }
                }
                Some(b'/') if self.rest().starts_with("//") => {
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.bump();
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn word(&mut self, stop: &[u8]) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(|b| !b.is_ascii_whitespace() && !stop.contains(&b)) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or("")
    }

    fn string(&mut self) -> Result<&'a str, Error> {
        let line = self.line;
        self.bump();
        let start = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    let text = self.text.get(start..self.at).unwrap_or("");
                    self.bump();
                    return Ok(text);
                }
                b'\\' => {
                    self.bump();
                    self.bump();
                }
                _ => self.bump(),
            }
        }
        Err(Error::syntax(self.path, line, "the closing quote of this string", ""))
    }

    /// Everything up to the closing brace (or the end of the file at depth 0), which is left unread.
    fn body(&mut self, group: &mut Group<'a>, depth: usize) -> Result<(), Error> {
        loop {
            self.skip(true)?;
            match self.peek() {
                None | Some(b'}') => return Ok(()),
                Some(b';') => {
                    self.bump();
                    continue;
                }
                _ => {}
            }
            let line = self.line;
            let name = self.word(b":;,(){}\"");
            if name.is_empty() {
                return Err(self.expected("the name of a group or attribute"));
            }
            self.skip(true)?;
            match self.peek() {
                Some(b':') => {
                    self.bump();
                    let values = vec![self.value()?];
                    group.attributes.push(Attribute { name, values, line });
                }
                Some(b'(') => {
                    let args = self.args()?;
                    self.skip(true)?;
                    if self.peek() != Some(b'{') {
                        group.attributes.push(Attribute { name, values: args, line });
                        continue;
                    }
                    if depth >= MAX_DEPTH {
                        return Err(self.expected("at most 32 nested groups"));
                    }
                    self.bump();
                    let mut inner = Group { name, args, line, ..Group::default() };
                    self.body(&mut inner, depth + 1)?;
                    if self.peek() != Some(b'}') {
                        return Err(Error::syntax(self.path, line, format!("the closing brace of {name}"), ""));
                    }
                    self.bump();
                    group.groups.push(inner);
                }
                _ => return Err(self.expected(&format!("`:` or `(` after {name}"))),
            }
        }
    }

    /// A value ends at its semicolon; several generators leave that out, so a newline or a brace ends it as well.
    fn value(&mut self) -> Result<&'a str, Error> {
        self.skip(false)?;
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let start = self.at;
        while self.peek().is_some_and(|b| !matches!(b, b';' | b'\n' | b'}')) && !self.rest().starts_with("/*") {
            self.at += 1;
            while !self.text.is_char_boundary(self.at) {
                self.at += 1;
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or("").trim())
    }

    fn args(&mut self) -> Result<Vec<&'a str>, Error> {
        self.bump();
        let mut args = Vec::new();
        loop {
            self.skip(true)?;
            match self.peek() {
                Some(b')') => {
                    self.bump();
                    return Ok(args);
                }
                Some(b',') => self.bump(),
                Some(b'"') => args.push(self.string()?),
                _ => match self.word(b",)(\";{}") {
                    "" => return Err(self.expected("`)`")),
                    word => args.push(word),
                },
            }
        }
    }
}
