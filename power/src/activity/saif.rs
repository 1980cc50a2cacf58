//! Activity from a SAIF file (backward, net section).

use super::scope::Scopes;
use super::{Activity, Measured};
use crate::error::Error;
use crate::units;
use records::text;
use std::path::Path;

const MAX_DEPTH: usize = 256;

pub(super) fn load(path: &Path, scope: &str) -> Result<Measured, Error> {
    parse(path, scope, &text::read(path)?)
}

/// Walks the parentheses once, keeping a stack of what is open.
pub(super) fn parse(path: &Path, scope: &str, text: &str) -> Result<Measured, Error> {
    let mut reader = Reader { path, text, line: 1 };
    let (mut tick, mut duration) = (1e-9, 0.0);
    let mut open: Vec<Vec<&str>> = Vec::new(); // words of each open group
    let mut scopes = Scopes::new(scope);
    let mut nets: Vec<(usize, String, (f64, f64))> = Vec::new();
    let mut current: Option<(f64, f64)> = None; // T1, TC of the net that is open
    let mut is_saif = false;
    while let Some(token) = reader.next()? {
        match token {
            "(" => {
                if open.len() >= MAX_DEPTH {
                    return Err(Error::syntax(path, reader.line, "less nesting", "("));
                }
                // a nested INSTANCE begins: the words of the outer one are known by now
                open.push(Vec::new());
                let nested = open.len() >= 3 && open[open.len() - 2].is_empty();
                if nested {
                    return Err(Error::syntax(path, reader.line, "a name after `(`", "("));
                }
            }
            ")" => {
                let Some(words) = open.pop() else {
                    return Err(Error::syntax(path, reader.line, "`(` before this", ")"));
                };
                let number = |i: usize| -> Result<f64, Error> {
                    let word = words.get(i).copied().unwrap_or("");
                    word.parse()
                        .ok()
                        .filter(|n: &f64| n.is_finite())
                        .ok_or_else(|| Error::syntax(path, reader.line, "a number", word))
                };
                match words.first().copied().unwrap_or("") {
                    "DURATION" => duration = number(1)?,
                    "TIMESCALE" => {
                        let text = words[1..].concat();
                        let unit = units::scale(&text, "s");
                        tick = unit.ok_or_else(|| Error::syntax(path, reader.line, "a time such as 1 ns", text))?;
                    }
                    "T1" => current.get_or_insert_default().0 = number(1)?,
                    "TC" => current.get_or_insert_default().1 = number(1)?,
                    "INSTANCE" => scopes.leave(),
                    "T0" | "TX" | "TZ" | "TB" | "IG" | "IK" => {}
                    name => {
                        let counts = current.take().zip(scopes.name(name));
                        nets.extend(counts.map(|(counts, (scope, name))| (scope, name, counts)));
                    }
                }
            }
            word => {
                let Some(words) = open.last_mut() else {
                    return Err(Error::syntax(path, reader.line, "`(`", word));
                };
                words.push(word);
                is_saif |= word == "SAIFILE";
                // (INSTANCE name …) or (INSTANCE "type" name …)
                let quoted = words.get(1).is_some_and(|w| w.starts_with('"'));
                if words[0] == "INSTANCE" && words.len() == if quoted { 3 } else { 2 } {
                    scopes.enter(word);
                }
            }
        }
    }
    if !open.is_empty() {
        return Err(Error::syntax(path, reader.line, "`)`", ""));
    }
    if !is_saif {
        return Err(Error::syntax(path, 1, "(SAIFILE", text.trim_start().lines().next().unwrap_or("")));
    }
    let chosen = scopes.choose(path)?;
    let seconds = duration * tick;
    let activity = |(t1, tc): (f64, f64)| Activity { density: tc / seconds, duty: (t1 / duration).clamp(0.0, 1.0) };
    let nets = nets.into_iter().filter(|(scope, ..)| *scope == chosen && seconds > 0.0);
    Ok(Measured::new(seconds, nets.map(|(_, name, counts)| (name, activity(counts)))))
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<&'a str>, Error> {
        loop {
            let trimmed = self.text.trim_start();
            let blank = &self.text[..self.text.len() - trimmed.len()];
            self.line += blank.bytes().filter(|&b| b == b'\n').count();
            self.text = trimmed;
            if !trimmed.starts_with("//") {
                break;
            }
            self.text = trimmed.find('\n').map_or("", |i| &trimmed[i..]);
        }
        let Some(first) = self.text.chars().next() else { return Ok(None) };
        let len = match first {
            '(' | ')' => 1,
            '"' => match self.text[1..].find('"') {
                Some(end) => end + 2,
                None => return Err(Error::syntax(self.path, self.line, "the closing quote of this string", "")),
            },
            _ => {
                let mut escaped = false;
                let stop = |(_, c): &(usize, char)| {
                    let end = !escaped && (c.is_whitespace() || matches!(c, '(' | ')'));
                    escaped = !escaped && *c == '\\';
                    end
                };
                self.text.char_indices().find(stop).map_or(self.text.len(), |(i, _)| i)
            }
        };
        let (token, rest) = self.text.split_at(len);
        self.line += token.bytes().filter(|&b| b == b'\n').count();
        self.text = rest;
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "(SAIFILE (TIMESCALE 10 ps) (DURATION 100) (INSTANCE t (NET (z (T0 1) (T1 9) (TC 3)))\n\
        (INSTANCE \"m\" d (NET (a\\[3\\] (T0 75) (T1 25) (TX 0)\n (TC 4) (IG 0))) (INSTANCE u (PORT (q (T1 50) (TC 2)))))))\n";

    #[test]
    fn counts_by_hand() {
        let m = parse(Path::new("t"), "t/d", TEXT).expect("valid");
        assert!((m.seconds - 1e-9).abs() < 1e-20 && m.nets.len() == 2);
        assert!((m.nets["a[3]"].density - 4e9).abs() < 1.0 && (m.nets["a[3]"].duty - 0.25).abs() < 1e-12);
        assert!((m.nets["u.q"].density - 2e9).abs() < 1.0 && (m.nets["u.q"].duty - 0.5).abs() < 1e-12);
        let message = parse(Path::new("f"), "t.x", TEXT).expect_err("no t.x").to_string();
        assert_eq!(message, "f: no scope t.x; the file has t, t.d, t.d.u");
    }
}
