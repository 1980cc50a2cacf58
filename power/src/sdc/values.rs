//! What the words of a command stand for: numbers, variables, lists and the commands in brackets.

use super::commands::Sdc;
use super::words;
use super::MAX_DEPTH;
use crate::error::Error;

impl Sdc<'_> {
    pub(super) fn first_number(&self, targets: &mut Vec<String>) -> Result<f64, Error> {
        if targets.is_empty() {
            return Err(self.expected("a number", ""));
        }
        self.number(&targets.remove(0))
    }

    pub(super) fn number(&self, text: &str) -> Result<f64, Error> {
        text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| self.expected("a number", text))
    }

    pub(super) fn numbers(&self, text: &str) -> Result<Vec<f64>, Error> {
        text.split_whitespace().map(|word| self.number(word)).collect()
    }

    /// A word after substitution; lists come out as elements separated by blanks.
    pub(super) fn value(&self, word: &str, depth: usize) -> Result<String, Error> {
        if depth > MAX_DEPTH {
            return Err(self.expected("less nesting", word));
        }
        if let Some(inner) = word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            return Ok(inner.to_string());
        }
        let mut rest = word.strip_prefix('"').and_then(|w| w.strip_suffix('"')).unwrap_or(word);
        let mut out = String::new();
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\\' => {
                    let next = rest.chars().next();
                    out.extend(next);
                    rest = &rest[next.map_or(0, char::len_utf8)..];
                }
                '$' => {
                    let word =
                        |t: &str| t.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(t.len());
                    let braced = rest.strip_prefix('{').and_then(|t| t.split_once('}'));
                    let (name, after) = braced.unwrap_or_else(|| rest.split_at(word(rest)));
                    let known = self.variables.get(name).cloned().flatten();
                    let unknown = || self.expected("a variable set to something understood", &format!("${name}"));
                    out += &known.ok_or_else(unknown)?;
                    rest = after;
                }
                '[' => {
                    let mut open = 1usize;
                    let end = rest.find(|c| {
                        open = if c == '[' { open + 1 } else { open - usize::from(c == ']') };
                        open == 0
                    });
                    let (inner, after) =
                        rest.split_at(end.ok_or_else(|| self.expected("the end of what `[` begins", word))?);
                    // the bit of a bus, which Tcl would take for a command
                    let is_index = inner.starts_with(|c: char| c.is_ascii_digit() || c == '*');
                    out += &if is_index { format!("[{inner}]") } else { self.call(inner, depth)? };
                    rest = &after[1..];
                }
                _ => out.push(c),
            }
        }
        Ok(out)
    }

    fn call(&self, text: &str, depth: usize) -> Result<String, Error> {
        let calls = words::commands(self.path, text)?;
        let Some((_, words)) = calls.first() else { return Ok(String::new()) };
        let (name, rest) = words.split_first().map_or(("", &words[..]), |(n, r)| (n.as_str(), r));
        let mut values = Vec::new();
        for word in rest.iter().filter(|w| !w.starts_with('-') || name == "expr") {
            values.push(self.value(word, depth + 1)?);
        }
        match name {
            "get_ports" | "get_clocks" | "get_pins" | "get_nets" | "get_lib_cells" | "list" | "concat" => {
                Ok(values.join(" "))
            }
            "all_inputs" => Ok("@inputs".into()),
            "all_outputs" => Ok("@outputs".into()),
            "all_clocks" => Ok("*".into()),
            "remove_from_collection" if values.len() == 2 => {
                let without: String = values[1].split_whitespace().map(|name| format!("!{name}")).collect();
                Ok(values[0].split_whitespace().map(|name| format!("{name}{without} ")).collect())
            }
            "expr" => {
                let text = self.value(&values.join(" "), depth + 1)?;
                let number = words::arithmetic(&text);
                number.map(|n| n.to_string()).ok_or_else(|| self.expected("an arithmetic expression", &text))
            }
            _ => Err(self.expected("get_ports, get_pins, get_nets, get_clocks, all_inputs, all_outputs or expr", name)),
        }
    }
}
