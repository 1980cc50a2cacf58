//! Constraints: the part of SDC that power depends on. Clocks, input slews, external loads.
//!
//! `set`, `$name`, `[expr …]`, `get_ports`, `get_clocks`, `all_inputs`, `all_outputs` and lists are understood; commands about
//! timing (delays, uncertainties, exceptions) have no bearing on power and are skipped, unread.

use crate::error::Error;
use records::text;
use std::collections::HashMap;
use std::path::Path;

mod words;

const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, Default)]
pub struct Constraints {
    pub clocks: Vec<Clock>,
    /// Slews of input ports in seconds (rising, falling), the last that matches counts
    pub input_slews: Vec<(String, [Option<f64>; 2])>,
    /// Farads outside a port, the last that matches counts
    pub loads: Vec<(String, f64)>,
    /// Commands that change nothing here
    pub skipped: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Clock {
    pub name: String,
    /// Seconds
    pub period: f64,
    /// Share of the period at 1
    pub duty: f64,
    /// Ports it enters at
    pub ports: Vec<String>,
    /// Whether slews are computed in its network; ideal clocks switch in `slew` everywhere
    pub is_propagated: bool,
    pub slew: f64,
}

/// What 1 means in an SDC file: the units of the (first) library.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// Seconds
    pub time: f64,
    /// Farads
    pub cap: f64,
}

/// Reads an SDC file.
pub fn load(path: &Path, units: Units) -> Result<Constraints, Error> {
    parse(path, &text::read(path)?, units)
}

/// Parses SDC text; `path` is for messages.
pub fn parse(path: &Path, text: &str, units: Units) -> Result<Constraints, Error> {
    let mut sdc = Sdc { path, line: 1, units, variables: HashMap::new(), out: Constraints::default() };
    for (line, words) in words::commands(path, text)? {
        sdc.line = line;
        sdc.command(&words)?;
    }
    Ok(sdc.out)
}

struct Sdc<'p> {
    path: &'p Path,
    line: usize,
    units: Units,
    /// None: set to something that is not understood
    variables: HashMap<String, Option<String>>,
    out: Constraints,
}

impl Sdc<'_> {
    fn expected(&self, what: &str, found: &str) -> Error {
        Error::syntax(self.path, self.line, what, found)
    }

    fn command(&mut self, words: &[String]) -> Result<(), Error> {
        let Some((name, rest)) = words.split_first() else { return Ok(()) };
        match name.as_str() {
            "set" => {
                if let [variable, value] = rest {
                    let value = self.value(value, 0).ok();
                    self.variables.insert(variable.clone(), value);
                }
            }
            "create_clock" => self.create_clock(rest)?,
            "set_propagated_clock" => {
                let (_, targets) = self.options(rest, &[])?;
                self.clocks(&targets, |c| c.is_propagated = true);
            }
            "set_clock_transition" => {
                let (_, mut targets) = self.options(rest, &[])?;
                let slew = self.first_number(&mut targets)? * self.units.time;
                self.clocks(&targets, |c| c.slew = slew);
            }
            "set_input_transition" => {
                let (options, mut targets) = self.options(rest, &[])?;
                let slew = self.first_number(&mut targets)? * self.units.time;
                let (rise, fall) = (options.contains_key("-rise"), options.contains_key("-fall"));
                let slews = [(rise || !fall).then_some(slew), (fall || !rise).then_some(slew)];
                if !options.contains_key("-min") || options.contains_key("-max") {
                    self.out.input_slews.extend(targets.into_iter().map(|t| (t, slews)));
                }
            }
            "set_load" => {
                let (_, mut targets) = self.options(rest, &[])?;
                let farads = self.first_number(&mut targets)? * self.units.cap;
                self.out.loads.extend(targets.into_iter().map(|t| (t, farads)));
            }
            _ if !self.out.skipped.contains(name) => self.out.skipped.push(name.clone()),
            _ => {}
        }
        Ok(())
    }

    fn clocks(&mut self, targets: &[String], change: impl Fn(&mut Clock)) {
        for clock in &mut self.out.clocks {
            let named = |t: &String| matches(t, &clock.name) || clock.ports.iter().any(|p| matches(t, p));
            if targets.iter().any(named) {
                change(clock);
            }
        }
    }

    fn create_clock(&mut self, words: &[String]) -> Result<(), Error> {
        let (options, ports) = self.options(words, &["-name", "-period", "-waveform", "-comment"])?;
        let Some(period) = options.get("-period") else {
            return Err(self.expected("-period of the clock", ""));
        };
        let period = self.number(period)?;
        if period <= 0.0 {
            return Err(self.expected("a period above 0", &period.to_string()));
        }
        let duty = match options.get("-waveform") {
            None => 0.5,
            Some(edges) => match edges.split_whitespace().map(|e| self.number(e)).collect::<Result<Vec<_>, _>>()?[..] {
                [rise, fall, ..] => ((fall - rise) / period).clamp(0.0, 1.0),
                _ => return Err(self.expected("two edges of the waveform", edges)),
            },
        };
        let name = options.get("-name").or(ports.first()).cloned().unwrap_or_default();
        let clock = Clock { name, period: period * self.units.time, duty, ports, is_propagated: false, slew: 0.0 };
        self.out.clocks.push(clock);
        Ok(())
    }

    /// Splits words into options (those of `with_value` take the next word) and the elements of the rest.
    fn options(&self, words: &[String], with_value: &[&str]) -> Result<(HashMap<String, String>, Vec<String>), Error> {
        let mut options = HashMap::new();
        let mut rest = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word.starts_with('-') && word.parse::<f64>().is_err() {
                let value = match with_value.contains(&word.as_str()) {
                    true => self.value(words.next().map_or("", String::as_str), 0)?,
                    false => String::new(),
                };
                options.insert(word.clone(), value);
            } else {
                rest.extend(self.value(word, 0)?.split_whitespace().map(str::to_string));
            }
        }
        Ok((options, rest))
    }

    fn first_number(&self, targets: &mut Vec<String>) -> Result<f64, Error> {
        if targets.is_empty() {
            return Err(self.expected("a number", ""));
        }
        self.number(&targets.remove(0))
    }

    fn number(&self, text: &str) -> Result<f64, Error> {
        text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| self.expected("a number", text))
    }

    /// A word after substitution; lists come out as elements separated by blanks.
    fn value(&self, word: &str, depth: usize) -> Result<String, Error> {
        if depth > MAX_DEPTH {
            return Err(self.expected("less nesting", word));
        }
        if let Some(inner) = word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            return Ok(inner.to_string());
        }
        let word = word.strip_prefix('"').and_then(|w| w.strip_suffix('"')).unwrap_or(word);
        if let Some(inner) = word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
            return self.call(inner, depth);
        }
        let mut out = String::new();
        let mut rest = word;
        while let Some(at) = rest.find('$') {
            let (head, tail) = rest.split_at(at);
            let tail = &tail[1..];
            let (name, after) = match tail.strip_prefix('{').and_then(|t| t.split_once('}')) {
                Some(split) => split,
                None => tail.split_at(
                    tail.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(tail.len()),
                ),
            };
            let known = self.variables.get(name).cloned().flatten();
            let value =
                known.ok_or_else(|| self.expected("a variable set to something understood", &format!("${name}")))?;
            out.push_str(head);
            out.push_str(&value);
            rest = after;
        }
        out.push_str(rest);
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
            "get_ports" | "get_clocks" | "get_pins" | "get_nets" | "list" | "concat" => Ok(values.join(" ")),
            "all_inputs" => Ok("@inputs".into()),
            "all_outputs" => Ok("@outputs".into()),
            "all_clocks" => Ok("*".into()),
            "expr" => {
                let text = self.value(&values.join(" "), depth + 1)?;
                let number = words::arithmetic(&text);
                number.map(|n| n.to_string()).ok_or_else(|| self.expected("an arithmetic expression", &text))
            }
            _ => Err(self.expected("get_ports, get_clocks, all_inputs, all_outputs or expr", name)),
        }
    }
}

/// Whether a target of a command (a name, perhaps with `*`) is this object.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern = crate::netlist::names::normal(pattern.trim_matches(['{', '}', '"']));
    let Some((head, tail)) = pattern.split_once('*') else {
        // a bus stands for its bits
        return pattern == name || name.strip_prefix(pattern.as_str()).is_some_and(|rest| rest.starts_with('['));
    };
    let tail = tail.trim_start_matches('*');
    name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NS_PF: Units = Units { time: 1e-9, cap: 1e-12 };

    #[test]
    fn the_subset() {
        let text = "# a comment\nset period 5\nset half [expr $period * .5 - (1 + 1e-1)]\ncreate_clock -name core \\\n  -period $period [get_ports clk]\n\
            set_input_delay $nothing -clock clk {a b}\nset_input_transition .1 [all_inputs]; set_load -pin_load 0.02 [get_ports {y[*] z}]\n\
            set_clock_transition $half [get_clocks core]\nset_propagated_clock [all_clocks]\n";
        let c = parse(Path::new("t"), text, NS_PF).expect("valid");
        assert_eq!(
            (c.clocks.len(), c.clocks[0].name.as_str(), &c.clocks[0].ports[..]),
            (1, "core", &["clk".to_string()][..])
        );
        assert!(
            (c.clocks[0].period - 5e-9).abs() < 1e-18
                && (c.clocks[0].slew - 1.4e-9).abs() < 1e-18
                && c.clocks[0].is_propagated
        );
        assert!(
            matches!(&c.input_slews[..], [(t, [Some(r), Some(f)])] if t == "@inputs" && (r - 1e-10).abs() < 1e-20 && r == f),
            "{:?}",
            c.input_slews
        );
        assert_eq!(c.loads, vec![("y[*]".into(), 0.02e-12), ("z".into(), 0.02e-12)]);
        assert_eq!(c.skipped, vec!["set_input_delay"]);
    }

    #[test]
    fn errors_name_line_and_expectation() {
        for (text, want) in [
            ("\ncreate_clock [get_ports clk]", "t:2: expected -period"),
            ("create_clock -period $p clk", "t:1: expected a variable"),
            ("create_clock -period [expr 1 +] clk", "t:1: expected an arithmetic expression"),
            ("create_clock -period 0 clk", "t:1: expected a period above 0"),
            ("set_load [get_ports y", "t:1: expected the end of what `[`"),
        ] {
            let message = parse(Path::new("t"), text, NS_PF).expect_err(text).to_string();
            assert!(message.starts_with(want), "{message}");
        }
    }

    #[test]
    fn patterns() {
        for (p, n, want) in
            [("a", "a", true), ("a", "a[3]", true), ("a", "ab", false), ("a*c", "abc", true), ("ab*b", "ab", false)]
        {
            assert_eq!(matches(p, n), want, "{p} {n}");
        }
    }
}
