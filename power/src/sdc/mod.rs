//! Reads the part of SDC that power depends on: clocks, slews and drivers of inputs, external loads, constants.
//!
//! It understands these parts of Tcl: `set`, `$name`, `[expr …]`, lists and the commands that name objects. A command about timing alone is
//! passed over, one that would change the power and is not heeded is named in a note, and every other one is refused: it may hide
//! a clock.

use crate::error::Error;
use crate::netlist::names::normal;
use crate::netlist::PortDirection;
use crate::units::Units;
use records::text;
use std::path::Path;

mod commands;
mod values;
mod words;

const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, Default)]
pub struct Constraints {
    pub clocks: Vec<Clock>,
    /// Drivers of input ports; the last that selects a port counts
    pub inputs: Vec<(String, Input)>,
    /// Farads outside a port, the last that selects it counts
    pub loads: Vec<(String, f64)>,
    /// Ports, pins and nets that are constant
    pub cases: Vec<(String, bool)>,
    /// Sentences about the file that a reader of the watts should know
    pub notes: Vec<String>,
}

/// How a signal enters the chip.
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
    let mut sdc = commands::Sdc::new(path, units);
    for (line, words) in words::commands(path, text)? {
        sdc.line = line;
        sdc.command(&words)?;
    }
    Ok(sdc.finish())
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
