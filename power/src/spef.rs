//! Parasitics: SPEF (IEEE 1481), detailed nets. Capacitance and the RC tree of each net.

use crate::error::Error;
use crate::netlist::names::normal;
use crate::units;
use records::{text, TextError};
use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

/// Wire parasitics by net name in the spelling of [`normal`].
pub type Parasitics = HashMap<String, Wire>;

/// One net: capacitances to ground (coupling counts as such) and resistors, between nodes.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Farads
    pub capacitance: f64,
    /// Node and farads
    pub caps: Vec<(usize, f64)>,
    /// Two nodes and ohms
    pub resistors: Vec<(usize, usize, f64)>,
    /// Node names: `instance:pin`, a port, or `net:number`
    pub nodes: HashMap<String, usize>,
}

/// Reads a SPEF file.
pub fn load(path: &Path) -> Result<Parasitics, Error> {
    parse(path, text::open(path)?)
}

struct Reader<'p> {
    path: &'p Path,
    line: usize,
    cap_unit: f64,
    res_unit: f64,
    delimiter: char,
    divider: char,
    /// The text before and behind the number of a bit
    bus: (String, String),
    map: HashMap<String, String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    NameMap,
    Caps,
    Resistors,
}

/// Parses SPEF text line by line; `path` is for messages.
pub fn parse(path: &Path, lines: impl BufRead) -> Result<Parasitics, Error> {
    let mut r = Reader {
        path,
        line: 0,
        cap_unit: 1e-12,
        res_unit: 1.0,
        delimiter: ':',
        divider: '/',
        bus: ("[".into(), "]".into()),
        map: HashMap::new(),
    };
    let mut out = Parasitics::new();
    let mut net: Option<(String, Wire)> = None;
    let mut section = Section::None;
    for line in lines.split(b'\n') {
        let line = line.map_err(|source| TextError::Io { path: path.into(), source })?;
        let line = text::latin1_or_utf8(line);
        r.line += 1;
        let text = line.split("//").next().unwrap_or("");
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(&first) = words.first() else { continue };
        if first.len() > 1 && first.starts_with('*') && first[1..].starts_with(|c: char| c.is_ascii_uppercase()) {
            match first {
                "*SPEF" => {}
                "*C_UNIT" => r.cap_unit = r.unit(&words, "f")?,
                "*R_UNIT" => r.res_unit = r.unit(&words, "ohm")?,
                "*DELIMITER" => r.delimiter = r.character(&words)?,
                "*DIVIDER" => r.divider = r.character(&words)?,
                "*BUS_DELIMITER" => {
                    // `[ ]` or `[]`, or one character before the number of a bit
                    let both = words[1..].concat();
                    let mut characters = both.chars();
                    let (Some(open), close, None) = (characters.next(), characters.next(), characters.next()) else {
                        return Err(r.expected("one or two characters", text));
                    };
                    r.bus = (open.into(), close.map_or(String::new(), String::from));
                }
                "*DEFINE" | "*PDEFINE" => return Err(r.expected("a flat file, without parts in other files", text)),
                "*NAME_MAP" => section = Section::NameMap,
                "*CAP" => section = Section::Caps,
                "*RES" => section = Section::Resistors,
                "*D_NET" | "*R_NET" => {
                    let (Some(name), Some(cap)) = (words.get(1), words.get(2)) else {
                        return Err(r.expected("*D_NET with a net and its capacitance", text));
                    };
                    let wire = Wire { capacitance: r.number(cap, r.cap_unit)?, ..Wire::default() };
                    net = Some((r.name(name)?, wire));
                    section = Section::None;
                }
                "*END" => {
                    let Some((name, mut wire)) = net.take() else {
                        return Err(r.expected("a *D_NET before *END", text));
                    };
                    if !wire.caps.is_empty() {
                        wire.capacitance = wire.caps.iter().map(|c| c.1).sum();
                    }
                    if out.contains_key(&name) {
                        return Err(r.expected("each net once", &name));
                    }
                    out.insert(name, wire);
                    section = Section::None;
                }
                _ => section = Section::None,
            }
            continue;
        }
        match (section, &mut net) {
            (Section::NameMap, _) => {
                let Some(name) = words.get(1).filter(|_| first.starts_with('*')) else {
                    return Err(r.expected("*number and a name", text));
                };
                r.map.insert(first.into(), (*name).into());
            }
            (Section::Caps, Some((_, wire))) => {
                // number node farads, or number node other-node farads for a coupling
                let (Some(node), Some(value), 3..=4) = (words.get(1), words.last(), words.len()) else {
                    return Err(r.expected("a number, one or two nodes and a capacitance", text));
                };
                let (node, value) = (r.node(wire, node)?, r.number(value, r.cap_unit)?);
                wire.caps.push((node, value));
            }
            (Section::Resistors, Some((_, wire))) => {
                let [_, a, b, value, ..] = words[..] else {
                    return Err(r.expected("a number, two nodes and a resistance", text));
                };
                let (a, b, value) = (r.node(wire, a)?, r.node(wire, b)?, r.number(value, r.res_unit)?);
                wire.resistors.push((a, b, value));
            }
            _ => {}
        }
    }
    match net {
        Some((name, _)) => Err(r.expected(&format!("*END of net {name}"), "")),
        None => Ok(out),
    }
}

impl Reader<'_> {
    fn expected(&self, what: &str, found: &str) -> Error {
        Error::syntax(self.path, self.line.max(1), what, found.trim())
    }

    fn number(&self, word: &str, unit: f64) -> Result<f64, Error> {
        // a triplet min:typ:max counts with its typical value
        let typical = word.split(':').nth(1).unwrap_or(word);
        let number = typical.parse().ok().filter(|n: &f64| n.is_finite());
        number.map(|n| n * unit).ok_or_else(|| self.expected("a number", word))
    }

    fn unit(&self, words: &[&str], unit: &str) -> Result<f64, Error> {
        let scale = units::scale(&words[1..].concat(), unit);
        scale.ok_or_else(|| self.expected("a number and a unit", &words.join(" ")))
    }

    fn character(&self, words: &[&str]) -> Result<char, Error> {
        let word = words.get(1).copied().unwrap_or("");
        let mut chars = word.chars();
        chars.next().filter(|_| chars.next().is_none()).ok_or_else(|| self.expected("one character", &words.join(" ")))
    }

    /// A name, or the name that a number stands for, in the spelling of [`normal`].
    fn name(&self, word: &str) -> Result<String, Error> {
        let name = match word.starts_with('*') {
            true => self.map.get(word).ok_or_else(|| self.expected("a number of the *NAME_MAP", word))?.as_str(),
            false => word,
        };
        Ok(self.spelled(name))
    }

    /// `a|b<3>` as `a.b[3]`, whatever the file has for the divider and the brackets.
    fn spelled(&self, name: &str) -> String {
        let mut name = normal(name);
        if !matches!(self.divider, '/' | '.') {
            name = name.replace(self.divider, ".");
        }
        let (open, close) = (self.bus.0.as_str(), self.bus.1.as_str());
        let bit = name.strip_suffix(close).and_then(|n| n.rsplit_once(open)).filter(|_| !open.is_empty());
        match bit.filter(|(_, bit)| !bit.is_empty() && bit.chars().all(|c| c.is_ascii_digit())) {
            Some((base, bit)) => format!("{base}[{bit}]"),
            None => name,
        }
    }

    fn node(&self, wire: &mut Wire, word: &str) -> Result<usize, Error> {
        let (base, pin) = match word.rsplit_once(self.delimiter) {
            Some((base, pin)) => (base, Some(pin)),
            None => (word, None),
        };
        let mut name = self.name(base)?;
        if let Some(pin) = pin {
            name = format!("{name}:{}", self.spelled(pin));
        }
        let next = wire.nodes.len();
        Ok(*wire.nodes.entry(name).or_insert(next))
    }
}

impl Wire {
    /// Elmore delay in seconds from node `driver` to every node that a path of resistors reaches; `pin` gives the farads
    /// of the pin at a node. Loops are cut at the edge that closes them.
    pub fn elmore(&self, driver: usize, pin: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
        let n = self.nodes.len();
        let mut near: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
        for &(a, b, ohms) in &self.resistors {
            near[a].push((b, ohms));
            near[b].push((a, ohms));
        }
        let mut below: Vec<f64> = (0..n).map(pin).collect();
        self.caps.iter().for_each(|&(node, farads)| below[node] += farads);
        let mut order = vec![(driver, driver, 0.0)];
        let mut seen = vec![false; n];
        let mut delay = vec![None; n];
        if driver >= n {
            return delay;
        }
        seen[driver] = true;
        let mut next = 0;
        while let Some(&(node, _, _)) = order.get(next) {
            for &(other, ohms) in &near[node] {
                if !std::mem::replace(&mut seen[other], true) {
                    order.push((other, node, ohms));
                }
            }
            next += 1;
        }
        for &(node, parent, _) in order.iter().skip(1).rev() {
            below[parent] += below[node];
        }
        delay[driver] = Some(0.0);
        for &(node, parent, ohms) in order.iter().skip(1) {
            delay[node] = delay[parent].map(|d: f64| d + ohms * below[node]);
        }
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "*SPEF \"x\"\n*DELIMITER :\n*C_UNIT 1 FF\n*R_UNIT 1 KOHM\n*NAME_MAP\n*1 a\\[0\\]\n*2 u1\n*D_NET *1 9\n*CONN\n*I *2:Y O\n\
        *CAP\n1 *2:Y 1\n2 *1:1 2\n3 u2:A *2:B 4\n*RES\n1 *2:Y *1:1 1\n2 *1:1 u2:A 3\n*END\n";

    #[test]
    fn elmore_of_a_line() {
        let p = parse(Path::new("t"), TEXT.as_bytes()).expect("valid");
        let w = &p["a[0]"];
        assert!((w.capacitance - 7e-15).abs() < 1e-24);
        let sink = w.nodes["u2:A"];
        let delays = w.elmore(w.nodes["u1:Y"], |n| if n == sink { 1e-15 } else { 0.0 });
        // 1 kOhm sees 2 + 4 + 1 fF, 3 kOhm sees 4 + 1 fF
        let want = 1e3 * 7e-15 + 3e3 * 5e-15;
        assert!((delays[sink].expect("reached") - want).abs() < 1e-20, "{delays:?}");
    }

    #[test]
    fn names_are_spelled_with_the_characters_of_the_file() {
        let text = TEXT
            .replace("*DELIMITER :", "*DELIMITER |\n*DIVIDER :\n*BUS_DELIMITER <>")
            .replace(':', "|")
            .replace("*DIVIDER |", "*DIVIDER :");
        let text = text.replace("*1 a\\[0\\]", "*1 top:a<0>").replace("u2|A", "m:u2|A<1>");
        let p = parse(Path::new("t"), text.as_bytes()).expect("valid");
        assert!(p["top.a[0]"].nodes.contains_key("m.u2:A[1]"), "{p:?}");
        let one = TEXT.replace("*DELIMITER :", "*DELIMITER :\n*BUS_DELIMITER _").replace("*1 a\\[0\\]", "*1 a_0");
        assert!(parse(Path::new("t"), one.as_bytes()).expect("valid").contains_key("a[0]"));
    }

    #[test]
    fn errors_name_the_line() {
        let bad = TEXT.replace("2 *1:1 2", "2 *7:1 2");
        let message = parse(Path::new("t.spef"), bad.as_bytes()).expect_err("7 is not in the map").to_string();
        assert!(message.starts_with("t.spef:13:") && message.contains("NAME_MAP"), "{message}");
    }
}
