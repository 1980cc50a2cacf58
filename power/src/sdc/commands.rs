//! The commands of SDC: which are heeded, which have no bearing on power, and which are refused.

use super::{selects, Clock, Constraints, Input, Period};
use crate::error::Error;
use crate::units::{self, Units};
use std::collections::HashMap;
use std::path::Path;

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

pub(super) struct Sdc<'p> {
    pub(super) path: &'p Path,
    pub(super) line: usize,
    pub(super) units: Units,
    /// The value of each variable, none where it was set to something that is not understood
    pub(super) variables: HashMap<String, Option<String>>,
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

impl<'p> Sdc<'p> {
    pub fn new(path: &'p Path, units: Units) -> Sdc<'p> {
        let out = Constraints::default();
        Sdc { path, line: 1, units, variables: HashMap::new(), out, skipped: [vec![], vec![]] }
    }

    /// Returns what was read, with notes about what was not heeded.
    pub fn finish(mut self) -> Constraints {
        let what = ["without bearing on power were skipped", "that may change the power are not heeded"];
        let notes = self.skipped.iter().zip(what).filter(|(names, _)| !names.is_empty());
        self.out.notes.extend(notes.map(|(names, what)| format!("constraints {what}: {}", names.join(", "))));
        self.out
    }

    pub(super) fn expected(&self, what: &str, found: &str) -> Error {
        Error::syntax(self.path, self.line, what, found)
    }

    pub fn command(&mut self, words: &[String]) -> Result<(), Error> {
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
}
