//! What every group of a library is read with: units, voltages and templates.

use super::syntax::Group;
use crate::error::Error;
use crate::units;
use std::collections::HashMap;
use std::path::Path;

/// The units, voltages and templates that the groups of one library share.
pub(super) struct Context<'a> {
    pub path: &'a Path,
    pub library: &'a Group<'a>,
    pub templates: HashMap<&'a str, &'a Group<'a>>,
    pub voltages: HashMap<&'a str, f64>,
    pub voltage: f64,
    pub time: f64,
    pub cap: f64,
    pub energy: f64,
    pub leakage: f64,
}

impl<'a> Context<'a> {
    pub(super) fn new(path: &'a Path, library: &'a Group<'a>) -> Result<Context<'a>, Error> {
        let templates = library.groups.iter().filter(|g| matches!(g.name, "lu_table_template" | "power_lut_template"));
        let mut cx = Context {
            path,
            library,
            templates: templates.map(|t| (t.arg(), t)).collect(),
            voltages: HashMap::new(),
            voltage: 0.0,
            time: 1e-9,
            cap: 1e-12,
            energy: 1e-12,
            leakage: 1e-9,
        };
        let unit = |name: &str, letter: &str, default: f64| match library.attribute(name) {
            None => Ok(default),
            Some(a) => units::scale(&a.values.concat(), letter).ok_or_else(|| {
                Error::syntax(path, a.line, format!("{name} such as \"1n{letter}\""), a.values.concat())
            }),
        };
        let (time, volt, leakage) =
            (unit("time_unit", "s", 1e-9)?, unit("voltage_unit", "v", 1.0)?, unit("leakage_power_unit", "w", 1e-9)?);
        let cap = unit("capacitive_load_unit", "f", 1e-12)?;
        for a in library.attributes.iter().filter(|a| a.name == "voltage_map") {
            if let [name, volts] = a.values.as_slice() {
                let volts = cx.parse_number(volts, a.line)? * volt;
                cx.voltages.insert(name, volts);
            }
        }
        let nominal = cx.number(library, "nom_voltage")?;
        let voltage = match cx.conditions() {
            Some(c) => cx.number(c, "voltage")?.or(nominal),
            None => nominal,
        };
        let voltage =
            voltage.ok_or_else(|| cx.invalid("the library gives neither nom_voltage nor operating conditions"))? * volt;
        (cx.time, cx.cap, cx.leakage, cx.voltage, cx.energy) = (time, cap, leakage, voltage, cap * volt * volt);
        Ok(cx)
    }

    pub(super) fn conditions(&self) -> Option<&'a Group<'a>> {
        let default = self.library.get("default_operating_conditions");
        let mut all = self.library.groups.iter().filter(|g| g.name == "operating_conditions");
        match default {
            Some(name) => all.find(|g| g.arg() == name),
            None => all.next(),
        }
    }

    pub(super) fn invalid(&self, what: &str) -> Error {
        Error::Invalid { path: self.path.into(), what: what.into() }
    }

    pub(super) fn parse_number(&self, text: &str, line: usize) -> Result<f64, Error> {
        text.trim()
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
            .ok_or_else(|| Error::syntax(self.path, line, "a number", text))
    }

    pub(super) fn number(&self, group: &Group, name: &str) -> Result<Option<f64>, Error> {
        group.attribute(name).map(|a| self.parse_number(a.values.first().unwrap_or(&""), a.line)).transpose()
    }

    pub(super) fn numbers(&self, group: &Group, name: &str) -> Result<Option<Vec<f64>>, Error> {
        let Some(attribute) = group.attribute(name) else { return Ok(None) };
        let words = attribute.values.iter().flat_map(|v| v.split(|c: char| c == ',' || c == '\\' || c.is_whitespace()));
        words
            .filter(|w| !w.is_empty())
            .map(|w| self.parse_number(w, attribute.line))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
