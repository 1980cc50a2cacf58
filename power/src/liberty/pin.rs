//! From Liberty groups to pins: capacitance, function, power tables and arcs.

use super::context::Context;
use super::syntax::Group;
use super::table::Quantity;
use super::{Arc, Direction, Expr, InternalPower, Pin, Sense, Table};
use crate::error::Error;
use std::collections::HashMap;

impl Context<'_> {
    /// One pin from the groups that describe it, the most specific first.
    pub(super) fn pin(&self, cell: &Group, name: &str, groups: &[&Group], names: &Names) -> Result<Pin, Error> {
        let find = |a: &str| groups.iter().find_map(|g| g.get(a));
        let farads = |a: &str| -> Result<Option<f64>, Error> {
            for g in groups {
                if let Some(n) = self.number(g, a)? {
                    return Ok(Some(n * self.cap));
                }
            }
            Ok(None)
        };
        let line = groups.first().map_or(cell.line, |g| g.line);
        let (direction, default) = match find("direction") {
            Some("input") => (Direction::Input, "default_input_pin_cap"),
            Some("output") => (Direction::Output, "default_output_pin_cap"),
            Some("inout") => (Direction::Inout, "default_inout_pin_cap"),
            Some("internal") => (Direction::Internal, "default_output_pin_cap"),
            other => {
                return Err(Error::syntax(
                    self.path,
                    line,
                    format!("a direction of pin {name}"),
                    other.unwrap_or("none"),
                ))
            }
        };
        let default = self.number(self.library, default)?.unwrap_or(0.0) * self.cap;
        let common = farads("capacitance")?.unwrap_or(default);
        let capacitance =
            [farads("rise_capacitance")?.unwrap_or(common), farads("fall_capacitance")?.unwrap_or(common)];
        let voltage_name = find("related_power_pin").and_then(|pin| {
            let pg = cell.all("pg_pin").find(|g| g.arg() == pin);
            pg.and_then(|g| g.get("voltage_name"))
        });
        let voltage = voltage_name.and_then(|n| self.voltages.get(n).copied()).unwrap_or(self.voltage);
        let mut function = None;
        for g in groups {
            if function.is_none() {
                function = self.expr(g, "function", names)?;
            }
        }
        let inputs = function.as_ref().map(Expr::variables).unwrap_or_default();
        let sensitive = function.iter().flat_map(|f| inputs.iter().map(move |&v| (v, f.difference(v)))).collect();
        let mut internal_power = Vec::new();
        let mut arcs = Vec::new();
        for g in groups {
            for p in g.all("internal_power") {
                self.internal_power(p, names, &mut internal_power)?;
            }
            for t in g.all("timing") {
                self.arcs(t, names, &mut arcs)?;
            }
        }
        let is_clock = groups.iter().any(|g| g.is_true("clock") || g.is_true("clock_gate_clock_pin"));
        let is_enable = groups.iter().any(|g| g.is_true("clock_gate_enable_pin"));
        Ok(Pin {
            name: name.into(),
            direction,
            capacitance,
            is_clock,
            is_enable,
            voltage,
            function,
            sensitive,
            internal_power,
            arcs,
        })
    }

    pub(super) fn internal_power(&self, g: &Group, names: &Names, out: &mut Vec<InternalPower>) -> Result<(), Error> {
        let both = self.table(g, "power", self.energy)?;
        let rise = self.table(g, "rise_power", self.energy)?.or_else(|| both.clone());
        let fall = self.table(g, "fall_power", self.energy)?.or(both);
        let when = self.expr(g, "when", names)?;
        let supply = g.get("related_pg_pin").map(str::to_string);
        let related = self.related(g, names)?;
        let related = if related.is_empty() { vec![None] } else { related.into_iter().map(Some).collect() };
        for related in related {
            out.push(InternalPower {
                related,
                when: when.clone(),
                supply: supply.clone(),
                rise: rise.clone(),
                fall: fall.clone(),
            });
        }
        Ok(())
    }

    pub(super) fn arcs(&self, g: &Group, names: &Names, out: &mut Vec<Arc>) -> Result<(), Error> {
        let kind = g.get("timing_type").unwrap_or("combinational");
        let sense = match (kind, g.get("timing_sense")) {
            ("rising_edge", _) => Sense::RisingEdge,
            ("falling_edge", _) => Sense::FallingEdge,
            (_, Some("positive_unate")) => Sense::Positive,
            (_, Some("negative_unate")) => Sense::Negative,
            _ => Sense::Both,
        };
        let is_combinational = kind.starts_with("combinational") || kind.starts_with("three_state");
        let is_delay = is_combinational || matches!(kind, "rising_edge" | "falling_edge" | "clear" | "preset");
        if !is_delay {
            return Ok(());
        }
        let (rise_slew, fall_slew) =
            (self.table(g, "rise_transition", self.time)?, self.table(g, "fall_transition", self.time)?);
        for from in self.related(g, names)? {
            out.push(Arc { from, sense, is_combinational, rise_slew: rise_slew.clone(), fall_slew: fall_slew.clone() });
        }
        Ok(())
    }

    /// The pins that `related_pin` names; a bus stands for its bits.
    pub(super) fn related(&self, g: &Group, names: &Names) -> Result<Vec<usize>, Error> {
        let mut out = Vec::new();
        for word in g.get("related_pin").unwrap_or("").split_whitespace() {
            match (names.of.get(word), names.buses.get(word)) {
                (Some(&pin), _) => out.push(pin),
                (None, Some(bits)) => out.extend(bits),
                _ => return Err(Error::syntax(self.path, g.line, "a related_pin of the cell", word)),
            }
        }
        Ok(out)
    }

    pub(super) fn expr(&self, g: &Group, attribute: &str, names: &Names) -> Result<Option<Expr>, Error> {
        let Some(a) = g.attribute(attribute) else { return Ok(None) };
        let text = a.values.first().copied().unwrap_or("");
        if text.trim().is_empty() {
            return Ok(None);
        }
        Expr::parse(text, &|name| names.resolve(name))
            .map(Some)
            .map_err(|expected| Error::syntax(self.path, a.line, expected, text))
    }

    /// A table group inside `g`, its values times `unit`.
    pub(super) fn table(&self, g: &Group, name: &str, unit: f64) -> Result<Option<Table>, Error> {
        let Some(t) = g.all(name).next() else { return Ok(None) };
        let expected = |what: String| Error::syntax(self.path, t.line, what, format!("{name} ({})", t.arg()));
        let values = self.numbers(t, "values")?.ok_or_else(|| expected("values".into()))?;
        let template = self.templates.get(t.arg()).copied();
        let mut axes = Vec::new();
        for i in 1..=3 {
            let index = format!("index_{i}");
            let variable = template.and_then(|t| t.get(&format!("variable_{i}")));
            let points = match (self.numbers(t, &index)?, template) {
                (Some(points), _) => points,
                (None, Some(template)) if variable.is_some() => self.numbers(template, &index)?.unwrap_or_default(),
                _ => continue,
            };
            let quantity = match variable {
                Some("input_net_transition" | "input_transition_time" | "related_pin_transition") => Quantity::Slew,
                Some(v) if v.ends_with("output_net_capacitance") => Quantity::Load,
                Some(v) => return Err(expected(format!("a slew or load instead of {v} on axis {i}"))),
                None => return Err(expected(format!("a template that says what axis {i} is"))),
            };
            let unit = if quantity == Quantity::Slew { self.time } else { self.cap };
            axes.push((quantity, points.iter().map(|p| p * unit).collect()));
        }
        Table::new(axes, values.iter().map(|v| v * unit).collect()).map(Some).map_err(expected)
    }
}

/// What a name in an expression may be.
pub(super) struct Names<'a> {
    pub of: HashMap<&'a str, usize>,
    pub buses: &'a HashMap<String, Vec<usize>>,
    /// Supply pins; true for power
    pub supplies: &'a [(String, bool)],
}

impl Names<'_> {
    fn resolve(&self, name: &str) -> Option<Expr> {
        if let Some(&i) = self.of.get(name) {
            return Some(Expr::Var(i));
        }
        if let Some([bit]) = self.buses.get(name).map(Vec::as_slice) {
            return Some(Expr::Var(*bit));
        }
        self.supplies.iter().find(|(n, _)| n == name).map(|(_, is_power)| Expr::Const(*is_power))
    }
}

/// Whether a pin group inside a bus, `A[3]`, `A[9:0]` or the bus itself, is about the pin `name`.
pub(super) fn covers(group: &str, name: &str, bus: &str) -> bool {
    let bit = |text: &str| -> Option<(i64, i64)> {
        let inner = text.strip_prefix(bus)?.strip_prefix('[')?.strip_suffix(']')?;
        let (a, b) = inner.split_once(':').unwrap_or((inner, inner));
        Some((a.trim().parse().ok()?, b.trim().parse().ok()?))
    };
    match (bit(group), bit(name)) {
        (Some((a, b)), Some((n, _))) => a.min(b) <= n && n <= a.max(b),
        _ => group == name || group == bus,
    }
}
