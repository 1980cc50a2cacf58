//! Constraints: the part of SDC that power depends on. Clocks, slews and drivers of inputs, external loads, constants.
//!
//! Of Tcl, `set`, `$name`, `[expr …]`, lists and the commands that name objects are understood. A command about timing alone is
//! passed over, one that would change the power and is not heeded is named in a note, and every other one is refused: it may hide
//! a clock.

use crate::error::Error;
use crate::netlist::names::normal;
use crate::netlist::PortDirection;
use crate::units::{self, Units};
use records::text;
use std::collections::HashMap;
use std::path::Path;

mod words;

const MAX_DEPTH: usize = 32;

/// Commands about timing and area, which change no watt.
const NO_BEARING: &str = "current_design current_instance group_path puts set_annotated_check set_annotated_delay set_clock_gating_check \
    set_clock_groups set_clock_latency set_clock_sense set_clock_uncertainty set_data_check set_disable_timing set_dont_touch \
    set_dont_touch_network set_dont_use set_false_path set_fanout_load set_hierarchy_separator set_ideal_latency set_input_delay \
    set_max_area set_max_capacitance set_max_delay set_max_dynamic_power set_max_fanout set_max_leakage_power set_max_time_borrow \
    set_max_transition set_min_capacitance set_min_delay set_min_porosity set_min_pulse_width set_multicycle_path set_output_delay \
    set_path_margin set_sense set_size_only set_timing_derate";

/// Commands that could change the power and are not heeded.
const NOT_HEEDED: &str = "create_voltage_area set_drive set_ideal_net set_ideal_network set_ideal_transition set_level_shifter_strategy \
    set_level_shifter_threshold set_operating_conditions set_port_fanout_number set_resistance set_voltage set_wire_load_min_block_size \
    set_wire_load_mode set_wire_load_model set_wire_load_selection_group";

#[derive(Clone, Debug, Default)]
pub struct Constraints {
    pub clocks: Vec<Clock>,
    /// What drives input ports; the last that selects a port counts
    pub inputs: Vec<(String, Input)>,
    /// Farads outside a port, the last that selects it counts
    pub loads: Vec<(String, f64)>,
    /// Ports, pins and nets that are constant
    pub cases: Vec<(String, bool)>,
    /// What a reader of the watts should know of the file
    pub notes: Vec<String>,
}

/// What is known of a signal that enters.
#[derive(Clone, Debug)]
pub enum Input {
    /// Seconds when rising, when falling
    Slew([Option<f64>; 2]),
    /// A cell with these slews at its input
    Driver { cell: String, output: Option<String>, from: Option<String>, slews: [f64; 2] },
}

#[derive(Clone, Debug)]
pub struct Clock {
    pub name: String,
    pub period: Period,
    /// Share of the period at 1; none where a generated clock takes that of its master
    pub duty: Option<f64>,
    /// Ports, pins or nets it enters at
    pub targets: Vec<String>,
    /// Whether slews are computed in its network; ideal clocks switch in `slew` everywhere
    pub is_propagated: bool,
    pub slew: f64,
}

#[derive(Clone, Debug)]
pub enum Period {
    Seconds(f64),
    /// So many periods of another clock: that of this name, or the one that reaches one of these targets
    Of {
        factor: f64,
        master: Option<String>,
        source: Vec<String>,
    },
}

/// Reads an SDC file; `units` are those of the first library.
pub fn load(path: &Path, units: Units) -> Result<Constraints, Error> {
    parse(path, &text::read(path)?, units)
}

/// Parses SDC text; `path` is for messages.
pub fn parse(path: &Path, text: &str, units: Units) -> Result<Constraints, Error> {
    let out = Constraints::default();
    let mut sdc = Sdc { path, line: 1, units, variables: HashMap::new(), out, skipped: [vec![], vec![]] };
    for (line, words) in words::commands(path, text)? {
        sdc.line = line;
        sdc.command(&words)?;
    }
    let what = ["without bearing on power were skipped", "that may change the power are not heeded"];
    let notes = sdc.skipped.iter().zip(what).filter(|(names, _)| !names.is_empty());
    sdc.out.notes.extend(notes.map(|(names, what)| format!("constraints {what}: {}", names.join(", "))));
    Ok(sdc.out)
}

struct Sdc<'p> {
    path: &'p Path,
    line: usize,
    units: Units,
    /// None: set to something that is not understood
    variables: HashMap<String, Option<String>>,
    out: Constraints,
    /// Commands without bearing, and commands that are not heeded
    skipped: [Vec<String>; 2],
}

/// The options of a command with their values, and what stands beside them.
struct Arguments {
    options: HashMap<String, String>,
    rest: Vec<String>,
}

impl Arguments {
    fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.options.get(name)
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.get(name).map_or_else(Vec::new, |text| text.split_whitespace().map(str::to_string).collect())
    }

    /// A value for rising and falling edges, of which an option may choose one.
    fn edges(&self, value: f64) -> [Option<f64>; 2] {
        let (rise, fall) = (self.has("-rise"), self.has("-fall"));
        [(rise || !fall).then_some(value), (fall || !rise).then_some(value)]
    }

    /// Whether the command is about the fastest case alone, which is not the one that counts.
    fn is_fastest(&self) -> bool {
        self.has("-min") && !self.has("-max")
    }
}

impl Sdc<'_> {
    fn expected(&self, what: &str, found: &str) -> Error {
        Error::syntax(self.path, self.line, what, found)
    }

    fn command(&mut self, words: &[String]) -> Result<(), Error> {
        let Some((name, rest)) = words.split_first() else { return Ok(()) };
        let within = |list: &str| list.split_whitespace().any(|word| word == name);
        match name.as_str() {
            "set" => {
                if let [variable, value] = rest {
                    let value = self.value(value, 0).ok();
                    self.variables.insert(variable.clone(), value);
                }
            }
            "set_units" => {
                let names = ["-time", "-capacitance", "-voltage", "-current", "-resistance", "-power"];
                let a = self.arguments(rest, &names)?;
                for (name, letter, unit) in
                    [("-time", "s", &mut self.units.time), ("-capacitance", "f", &mut self.units.cap)]
                {
                    let Some(text) = a.get(name) else { continue };
                    let expected = || Error::syntax(self.path, self.line, format!("a unit such as 1p{letter}"), text);
                    *unit = units::scale(text, letter).ok_or_else(expected)?;
                }
            }
            "create_clock" => self.create_clock(rest)?,
            "create_generated_clock" => self.generated_clock(rest)?,
            "set_propagated_clock" => {
                let a = self.arguments(rest, &[])?;
                self.clocks(&a.rest, |c| c.is_propagated = true);
            }
            "set_clock_transition" => {
                let mut a = self.arguments(rest, &[])?;
                let slew = self.first_number(&mut a.rest)? * self.units.time;
                if !a.is_fastest() {
                    self.clocks(&a.rest, |c| c.slew = slew);
                }
            }
            "set_input_transition" => {
                let mut a = self.arguments(rest, &["-clock"])?;
                let slew = self.first_number(&mut a.rest)? * self.units.time;
                let slews = a.edges(slew);
                if !a.is_fastest() {
                    self.out.inputs.extend(a.rest.into_iter().map(|t| (t, Input::Slew(slews))));
                }
            }
            "set_driving_cell" => {
                let valued = [
                    "-lib_cell",
                    "-cell",
                    "-library",
                    "-pin",
                    "-from_pin",
                    "-input_transition_rise",
                    "-input_transition_fall",
                    "-multiply_by",
                    "-clock",
                ];
                let a = self.arguments(rest, &valued)?;
                let cell = a
                    .get("-lib_cell")
                    .or(a.get("-cell"))
                    .ok_or_else(|| self.expected("-lib_cell of the driver", ""))?;
                let mut slews = [0.0; 2];
                for (slew, name) in slews.iter_mut().zip(["-input_transition_rise", "-input_transition_fall"]) {
                    *slew = a.get(name).map_or(Ok(0.0), |text| self.number(text))? * self.units.time;
                }
                let cell = cell.rsplit('/').next().unwrap_or(cell).to_string();
                let driver =
                    Input::Driver { cell, output: a.get("-pin").cloned(), from: a.get("-from_pin").cloned(), slews };
                if !a.is_fastest() {
                    self.out.inputs.extend(a.rest.iter().map(|t| (t.clone(), driver.clone())));
                }
            }
            "set_load" => {
                let mut a = self.arguments(rest, &[])?;
                let farads = self.first_number(&mut a.rest)? * self.units.cap;
                if !a.is_fastest() {
                    self.out.loads.extend(a.rest.into_iter().map(|t| (t, farads)));
                }
            }
            "set_case_analysis" | "set_logic_zero" | "set_logic_one" => {
                let mut a = self.arguments(rest, &[])?;
                let value = match name.as_str() {
                    "set_logic_zero" => "0".into(),
                    "set_logic_one" => "1".into(),
                    _ if a.rest.is_empty() => return Err(self.expected("0 or 1", "")),
                    _ => a.rest.remove(0),
                };
                let value = match value.as_str() {
                    "0" | "zero" => false,
                    "1" | "one" => true,
                    "rise" | "rising" | "fall" | "falling" => return Ok(()), // an edge: the signal changes
                    other => return Err(self.expected("0, 1, rising or falling", other)),
                };
                self.out.cases.extend(a.rest.into_iter().map(|t| (t, value)));
            }
            _ => {
                let skipped = match (within(NO_BEARING), within(NOT_HEEDED)) {
                    (true, _) => &mut self.skipped[0],
                    (_, true) => &mut self.skipped[1],
                    _ => {
                        return Err(self
                            .expected("a command of SDC (conditions, loops and procedures are not evaluated)", name))
                    }
                };
                if !skipped.contains(name) {
                    skipped.push(name.clone());
                }
            }
        }
        Ok(())
    }

    fn clocks(&mut self, targets: &[String], change: impl Fn(&mut Clock)) {
        for target in targets {
            let named =
                |c: &&mut Clock| selects(target, &c.name, None) || c.targets.iter().any(|t| selects(target, t, None));
            if self.out.clocks.iter_mut().filter(named).map(&change).count() == 0 {
                self.out
                    .notes
                    .push(format!("no clock is called {target}, which line {} of the constraints names", self.line));
            }
        }
    }

    fn create_clock(&mut self, words: &[String]) -> Result<(), Error> {
        let a = self.arguments(words, &["-name", "-period", "-waveform", "-comment"])?;
        let Some(period) = a.get("-period") else {
            return Err(self.expected("-period of the clock", ""));
        };
        let period = self.number(period)?;
        if period <= 0.0 {
            return Err(self.expected("a period above 0", &period.to_string()));
        }
        let duty = match a.get("-waveform") {
            None => 0.5,
            Some(edges) => match self.numbers(edges)?[..] {
                [rise, fall, ..] => ((fall - rise) / period).clamp(0.0, 1.0),
                _ => return Err(self.expected("two edges of the waveform", edges)),
            },
        };
        self.clock(&a, Period::Seconds(period * self.units.time), Some(duty))
    }

    fn generated_clock(&mut self, words: &[String]) -> Result<(), Error> {
        let valued =
            ["-name", "-source", "-master_clock", "-divide_by", "-multiply_by", "-duty_cycle", "-edges", "-comment"];
        let a = self.arguments(words, &valued)?;
        let number = |name: &str| a.get(name).map(|text| self.number(text)).transpose();
        let (divide, multiply, duty) = (number("-divide_by")?, number("-multiply_by")?, number("-duty_cycle")?);
        let edges = a.get("-edges").map(|text| self.numbers(text)).transpose()?;
        let (factor, duty) = match (edges.as_deref(), divide, multiply) {
            // edges 1, 2, 3 … of the master are half a period apart
            (Some(&[first, fall, last]), ..) if first < fall && fall < last => {
                ((last - first) / 2.0, Some((fall - first) / (last - first)))
            }
            (Some(_), ..) => {
                return Err(self.expected("three rising edges", a.get("-edges").map_or("", String::as_str)))
            }
            (None, divide, multiply) => {
                let factor = divide.unwrap_or(1.0) / multiply.unwrap_or(1.0);
                (factor, duty.map(|d| d / 100.0).or((factor > 1.0).then_some(0.5)))
            }
        };
        if a.has("-edge_shift") || !(factor.is_finite() && factor > 0.0) {
            return Err(
                self.expected("-divide_by, -multiply_by or -edges above 0, without -edge_shift", &words.join(" "))
            );
        }
        let period = Period::Of { factor, master: a.get("-master_clock").cloned(), source: a.list("-source") };
        self.clock(&a, period, duty)
    }

    fn clock(&mut self, a: &Arguments, period: Period, duty: Option<f64>) -> Result<(), Error> {
        let name = a.get("-name").or(a.rest.first()).cloned();
        let name = name.ok_or_else(|| self.expected("a name or a target of the clock", ""))?;
        let targets = a.rest.clone();
        self.out.clocks.push(Clock { name, period, duty, targets, is_propagated: false, slew: 0.0 });
        Ok(())
    }

    /// Splits words into options (those of `valued` take the next word) and the elements of the rest.
    fn arguments(&self, words: &[String], valued: &[&str]) -> Result<Arguments, Error> {
        let mut a = Arguments { options: HashMap::new(), rest: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word.starts_with('-') && word.parse::<f64>().is_err() {
                let value = match valued.contains(&word.as_str()) {
                    true => self.value(words.next().map_or("", String::as_str), 0)?,
                    false => String::new(),
                };
                a.options.insert(word.clone(), value);
            } else {
                a.rest.extend(self.value(word, 0)?.split_whitespace().map(str::to_string));
            }
        }
        Ok(a)
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

    fn numbers(&self, text: &str) -> Result<Vec<f64>, Error> {
        text.split_whitespace().map(|word| self.number(word)).collect()
    }

    /// A word after substitution; lists come out as elements separated by blanks.
    fn value(&self, word: &str, depth: usize) -> Result<String, Error> {
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

/// Whether a target of a command (a name, perhaps with `*` and `?`, `@inputs` or `@outputs`, each without the names behind `!`)
/// is this object; only a port has a direction.
pub fn selects(target: &str, name: &str, direction: Option<PortDirection>) -> bool {
    let mut parts = target.split('!');
    let is_one = match (parts.next().unwrap_or(""), direction) {
        ("@inputs", Some(direction)) => direction != PortDirection::Output,
        ("@outputs", Some(direction)) => direction == PortDirection::Output,
        (pattern, _) => {
            // a bus stands for its bits
            let pattern = normal(pattern);
            is_like(&pattern, name) || name.rsplit_once('[').is_some_and(|(bus, _)| is_like(&pattern, bus))
        }
    };
    is_one && !parts.any(|p| selects(p, name, direction))
}

/// Whether `name` fits a pattern in which `*` stands for any text and `?` for one character.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
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
            (c.clocks.len(), c.clocks[0].name.as_str(), &c.clocks[0].targets[..]),
            (1, "core", &["clk".to_string()][..])
        );
        assert!(
            matches!(c.clocks[0].period, Period::Seconds(p) if (p - 5e-9).abs() < 1e-18)
                && (c.clocks[0].slew - 1.4e-9).abs() < 1e-18
                && c.clocks[0].is_propagated
        );
        assert!(
            matches!(&c.inputs[..], [(t, Input::Slew([Some(r), Some(f)]))] if t == "@inputs" && (r - 1e-10).abs() < 1e-20 && r == f),
            "{:?}",
            c.inputs
        );
        assert_eq!(c.loads, vec![("y[*]".into(), 0.02e-12), ("z".into(), 0.02e-12)]);
        assert_eq!(c.notes, ["constraints without bearing on power were skipped: set_input_delay"]);
    }

    #[test]
    fn errors_name_line_and_expectation() {
        for (text, want) in [
            ("\ncreate_clock [get_ports clk]", "t:2: expected -period"),
            ("create_clock -period $p clk", "t:1: expected a variable"),
            ("create_clock -period [expr 1 +] clk", "t:1: expected an arithmetic expression"),
            ("create_clock -period 0 clk", "t:1: expected a period above 0"),
            ("set_load [get_ports y", "t:1: expected the end of what `[`"),
            ("# a \\\n b\nif {$x} {create_clock clk}", "t:3: expected a command of SDC"),
            ("set_units -time fortnight", "t:1: expected a unit such as 1ps"),
            ("set_case_analysis maybe a", "t:1: expected 0, 1, rising or falling"),
            ("create_generated_clock -edges {3 2 1} -source a b", "t:1: expected three rising edges"),
            ("create_clock -period 1", "t:1: expected a name or a target of the clock"),
            ("set_driving_cell a", "t:1: expected -lib_cell of the driver"),
        ] {
            let message = parse(Path::new("t"), text, NS_PF).expect_err(text).to_string();
            assert!(message.starts_with(want), "{message}");
        }
    }

    /// Tcl as people write it: each line has the same load.
    #[test]
    fn words_of_tcl() {
        for text in [
            "set_load 2 y; # set_load 3 y",
            "# set_load 3 y \\\nset_load 4 y\nset_load 2 y",
            "set_load \\\n 2 \\\n y",
            "set_load 2 {y}",
            "set_load 2 \"y\"",
            "set_load 2 [get_ports {y}]",
            "set_load [expr {1 + 1}] [list y]",
            "set n y\nset_load 2 $n",
            "set n {}\nset_load 2 ${n}y$n",
            "set_load 2 [concat y$nothing_set_here] ;#",
        ] {
            let c = parse(Path::new("t"), &text.replace("$nothing_set_here", ""), NS_PF)
                .unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(c.loads, [("y".to_string(), 2e-12)], "{text}");
        }
        let c = parse(
            Path::new("t"),
            "set_load 2 [get_ports {a\\[3\\] b[4]}]\nset_load 2 c[5]\nset_load 2 d\\[6\\]",
            NS_PF,
        )
        .expect("bits");
        let names: Vec<String> = c.loads.iter().map(|(t, _)| normal(t)).collect();
        assert_eq!(names, ["a[3]", "b[4]", "c[5]", "d[6]"]);
    }

    #[test]
    fn what_has_a_bearing_is_named() {
        let text = "set_units -time ps -capacitance 1fF\nset_voltage 0.9 -object_list VDD\nset_false_path -to x\nset_max_area 3\nset_load 5 y\n\
            create_clock -name v -period 500\nset_clock_transition 1 w\nset_case_analysis one {a b}\nset_logic_zero c";
        let c = parse(Path::new("t"), text, NS_PF).expect("valid");
        assert!(
            matches!(c.clocks[0].period, Period::Seconds(p) if (p - 5e-10).abs() < 1e-20)
                && (c.loads[0].1 - 5e-15).abs() < 1e-24
        );
        assert_eq!(c.cases, [("a".to_string(), true), ("b".to_string(), true), ("c".to_string(), false)]);
        assert_eq!(
            c.notes,
            [
                "no clock is called w, which line 7 of the constraints names",
                "constraints without bearing on power were skipped: set_false_path, set_max_area",
                "constraints that may change the power are not heeded: set_voltage",
            ]
        );
    }

    #[test]
    fn patterns() {
        for (p, n, want) in [
            ("a", "a", true),
            ("a", "a[3]", true),
            ("a", "ab", false),
            ("a*c", "abc", true),
            ("ab*b", "ab", false),
            ("a?c*", "abcd", true),
            ("*a*b", "xaxab", true),
            ("a[*]", "a[3]", true),
            ("u/a", "u.a", true),
            ("*!clk", "clk", false),
            ("*!clk", "d", true),
        ] {
            assert_eq!(selects(p, n, None), want, "{p} {n}");
        }
        assert!(
            selects("@inputs!clk", "d", Some(PortDirection::Input))
                && !selects("@inputs!clk", "clk", Some(PortDirection::Input))
        );
        assert!(
            !selects("@inputs", "y", Some(PortDirection::Output))
                && selects("@outputs", "y", Some(PortDirection::Output))
        );
    }
}
