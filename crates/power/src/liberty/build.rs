//! From Liberty groups to [`Library`].

use super::syntax::{self, Group};
use super::table::Quantity;
use super::{Arc, Cell, Corner, Direction, Expr, InternalPower, Kind, Leakage, Library, Pin, Register, Sense, Table};
use crate::{input, Error};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// What the groups of one library share.
struct Context<'a> {
    path: &'a Path,
    library: &'a Group<'a>,
    templates: HashMap<&'a str, &'a Group<'a>>,
    voltages: HashMap<&'a str, f64>,
    voltage: f64,
    time: f64,
    cap: f64,
    energy: f64,
    leakage: f64,
}

impl Library {
    /// Reads a library and builds those of its cells that `wanted` names.
    ///
    /// Fails on a file that is no Liberty, on a library without any internal power table, and on a wanted cell
    /// whose groups contradict each other.
    pub fn load(path: &Path, wanted: &HashSet<String>) -> Result<Library, Error> {
        let text = input::read(path)?;
        let library = syntax::parse(path, &text)?;
        let cx = Context::new(path, &library)?;
        let has_power = |g: &Group| g.groups.iter().any(|i| i.name == "internal_power");
        let cell_has_power = |c: &Group| {
            c.groups.iter().any(|p| has_power(p) || p.groups.iter().any(has_power))
        };
        if !library.all("cell").any(cell_has_power) {
            return Err(Error::NoPowerTables { path: path.into() });
        }
        let mut cells = HashMap::new();
        for cell in library.all("cell").filter(|c| wanted.contains(c.arg())) {
            cells.insert(cell.arg().to_string(), cx.cell(cell)?);
        }
        let percent = |name: &str, default: f64| -> Result<f64, Error> { Ok(cx.number(&library, name)?.unwrap_or(default) / 100.0) };
        let slew_low = percent("slew_lower_threshold_pct_rise", 20.0)?;
        let slew_high = percent("slew_upper_threshold_pct_rise", 80.0)?;
        let slew_derate = cx.number(&library, "slew_derate_from_library")?.unwrap_or(1.0);
        if !(slew_derate > 0.0 && 0.0 <= slew_low && slew_low < slew_high && slew_high < 1.0) {
            return Err(cx.invalid("slew thresholds must rise within 0 … 100 % and the slew derating must be positive"));
        }
        let conditions = cx.conditions();
        let of = |name: &str, nominal: f64| -> Result<f64, Error> {
            Ok(match conditions { Some(c) => cx.number(c, name)?.unwrap_or(nominal), None => nominal })
        };
        let corner = Corner {
            library: library.arg().to_string(),
            operating_conditions: conditions.map(|c| c.arg().to_string()),
            process: of("process", cx.number(&library, "nom_process")?.unwrap_or(1.0))?,
            voltage_v: cx.voltage,
            temperature_c: of("temperature", cx.number(&library, "nom_temperature")?.unwrap_or(25.0))?,
        };
        Ok(Library { name: library.arg().to_string(), corner, slew_low, slew_high, slew_derate, cells })
    }
}

impl<'a> Context<'a> {
    fn new(path: &'a Path, library: &'a Group<'a>) -> Result<Context<'a>, Error> {
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
        let unit = |name: &str, letter: char, default: f64| match library.get(name) {
            None => Ok(default),
            Some(text) => scale(text, letter).ok_or_else(|| cx.invalid(&format!("{name} `{text}` is no unit such as \"1n{letter}\""))),
        };
        let (time, volt, leakage) = (unit("time_unit", 's', 1e-9)?, unit("voltage_unit", 'V', 1.0)?, unit("leakage_power_unit", 'W', 1e-9)?);
        let cap = match library.attribute("capacitive_load_unit").map(|a| a.values.as_slice()) {
            None => 1e-12,
            Some([number, unit]) => scale(&format!("{number}{}", unit.to_ascii_lowercase()), 'f')
                .ok_or_else(|| cx.invalid("capacitive_load_unit is no pair such as (1, pf)"))?,
            Some(_) => return Err(cx.invalid("capacitive_load_unit is no pair such as (1, pf)")),
        };
        for a in library.attributes.iter().filter(|a| a.name == "voltage_map") {
            if let [name, volts] = a.values.as_slice() {
                let volts = cx.parse_number(volts, a.line)? * volt;
                cx.voltages.insert(name, volts);
            }
        }
        let nominal = cx.number(library, "nom_voltage")?;
        let voltage = match cx.conditions() { Some(c) => cx.number(c, "voltage")?.or(nominal), None => nominal };
        let voltage = voltage.ok_or_else(|| cx.invalid("the library gives neither nom_voltage nor operating conditions"))? * volt;
        (cx.time, cx.cap, cx.leakage, cx.voltage, cx.energy) = (time, cap, leakage, voltage, cap * volt * volt);
        Ok(cx)
    }

    fn conditions(&self) -> Option<&'a Group<'a>> {
        let default = self.library.get("default_operating_conditions");
        let mut all = self.library.groups.iter().filter(|g| g.name == "operating_conditions");
        match default {
            Some(name) => all.find(|g| g.arg() == name),
            None => all.next(),
        }
    }

    fn invalid(&self, what: &str) -> Error {
        Error::Invalid { path: self.path.into(), what: what.into() }
    }

    fn parse_number(&self, text: &str, line: usize) -> Result<f64, Error> {
        text.trim().parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| Error::syntax(self.path, line, "a number", text))
    }

    fn number(&self, group: &Group, name: &str) -> Result<Option<f64>, Error> {
        group.attribute(name).map(|a| self.parse_number(a.values.first().unwrap_or(&""), a.line)).transpose()
    }

    fn numbers(&self, group: &Group, name: &str) -> Result<Option<Vec<f64>>, Error> {
        let Some(attribute) = group.attribute(name) else { return Ok(None) };
        let words = attribute.values.iter().flat_map(|v| v.split(|c: char| c == ',' || c == '\\' || c.is_whitespace()));
        words.filter(|w| !w.is_empty()).map(|w| self.parse_number(w, attribute.line)).collect::<Result<_, _>>().map(Some)
    }

    fn cell(&self, group: &Group) -> Result<Cell, Error> {
        let mut pins: Vec<(String, Vec<&Group>)> = Vec::new();
        let mut buses = HashMap::new();
        for g in &group.groups {
            match g.name {
                "pin" => pins.extend(g.args.iter().map(|n| (n.to_string(), vec![g]))),
                "bus" | "bundle" => {
                    let names = self.bits(group, g)?;
                    let first = pins.len();
                    buses.insert(g.arg().to_string(), (first..first + names.len()).collect());
                    for name in names {
                        // what the bus says holds for each bit; a pin group inside names some of them
                        let own = g.all("pin").filter(|p| p.args.iter().any(|a| covers(a, &name, g.arg())));
                        pins.push((name.clone(), own.chain([g]).collect()));
                    }
                }
                _ => {}
            }
        }
        let mut seen = HashSet::new();
        if let Some((name, _)) = pins.iter().find(|(n, _)| !seen.insert(n.as_str())) {
            return Err(Error::syntax(self.path, group.line, format!("each pin of {} once", group.arg()), name));
        }
        let registers = || group.groups.iter().filter(|g| matches!(g.name, "ff" | "latch" | "ff_bank" | "latch_bank"));
        let mut states: Vec<String> = Vec::new();
        for r in registers() {
            states.extend((0..2).map(|i| r.args.get(i).unwrap_or(&"").to_string()));
        }
        let supplies: Vec<(String, bool)> = group
            .all("pg_pin")
            .map(|g| (g.arg().to_string(), g.get("pg_type").is_none_or(|t| t.contains("power"))))
            .collect();
        let names = Names {
            of: pins.iter().enumerate().map(|(i, (n, _))| (n.as_str(), i))
                .chain(states.iter().enumerate().map(|(i, n)| (n.as_str(), pins.len() + i)))
                .collect(),
            buses: &buses,
            supplies: &supplies,
        };
        let mut built = Vec::with_capacity(pins.len());
        for (name, groups) in &pins {
            built.push(self.pin(group, name, groups, &names)?);
        }
        let mut list = Vec::new();
        for (i, g) in registers().enumerate() {
            let is_latch = g.name.starts_with("latch");
            let (data, clock) = if is_latch { ("data_in", "enable") } else { ("next_state", "clocked_on") };
            let (Some(data), Some(clock)) = (self.expr(g, data, &names)?, self.expr(g, clock, &names)?) else { continue };
            let state = pins.len() + 2 * i;
            list.push(Register { state, inverse: state + 1, data, clock, is_latch });
        }
        let mut leakage = Vec::new();
        for g in group.all("leakage_power") {
            let watts = self.number(g, "value")?.unwrap_or(0.0) * self.leakage;
            leakage.push(Leakage { when: self.expr(g, "when", &names)?, watts, supply: g.get("related_pg_pin").map(str::to_string) });
        }
        leakage.retain(|l| l.supply.as_ref().is_none_or(|s| supplies.iter().all(|(n, is_power)| n != s || *is_power)));
        let default = self.number(group, "cell_leakage_power")?.or(self.number(self.library, "default_cell_leakage_power")?);
        let has = |name: &str| group.groups.iter().any(|g| g.name == name);
        let kind = if group.is_true("is_macro_cell") || group.is_true("interface_timing") || has("memory") {
            Kind::Macro
        } else if group.is_true("pad_cell") || group.is_true("is_pad") {
            Kind::Pad
        } else if registers().next().is_some() || has("statetable") || group.get("clock_gating_integrated_cell").is_some() {
            Kind::Sequential
        } else {
            Kind::Combinational
        };
        Ok(Cell {
            name: group.arg().to_string(),
            kind,
            default_leakage: default.map(|d| d * self.leakage),
            supplies: supplies.iter().map(|(n, _)| n.clone()).collect(),
            pins: built,
            buses,
            states,
            registers: list,
            leakage,
        })
    }

    /// Names of the pins of a bus, most significant first.
    fn bits(&self, cell: &Group, bus: &Group) -> Result<Vec<String>, Error> {
        if let Some(members) = bus.attribute("members") {
            let words = members.values.iter().flat_map(|m| m.split([',', ' ']));
            return Ok(words.filter(|w| !w.is_empty()).map(str::to_string).collect());
        }
        let wanted = bus.get("bus_type").unwrap_or("");
        let types = || cell.all("type").chain(self.library.all("type"));
        let Some(ty) = types().find(|t| t.arg() == wanted) else {
            return Err(Error::syntax(self.path, bus.line, format!("a bus_type of bus {}", bus.arg()), wanted));
        };
        let (from, to) = (self.number(ty, "bit_from")?.unwrap_or(0.0) as i64, self.number(ty, "bit_to")?.unwrap_or(0.0) as i64);
        if from.abs_diff(to) > 1 << 16 {
            return Err(Error::syntax(self.path, ty.line, "a bus of at most 65536 bits", ty.arg()));
        }
        let bits: Vec<i64> = if from >= to { (to..=from).rev().collect() } else { (from..=to).collect() };
        Ok(bits.iter().map(|b| format!("{}[{b}]", bus.arg())).collect())
    }

    /// One pin from the groups that describe it, the most specific first.
    fn pin(&self, cell: &Group, name: &str, groups: &[&Group], names: &Names) -> Result<Pin, Error> {
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
            other => return Err(Error::syntax(self.path, line, format!("a direction of pin {name}"), other.unwrap_or("none"))),
        };
        let default = self.number(self.library, default)?.unwrap_or(0.0) * self.cap;
        let common = farads("capacitance")?.unwrap_or(default);
        let capacitance = [farads("rise_capacitance")?.unwrap_or(common), farads("fall_capacitance")?.unwrap_or(common)];
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
        Ok(Pin { name: name.into(), direction, capacitance, is_clock, is_enable, voltage, function, sensitive, internal_power, arcs })
    }

    fn internal_power(&self, g: &Group, names: &Names, out: &mut Vec<InternalPower>) -> Result<(), Error> {
        let both = self.table(g, "power", self.energy)?;
        let rise = self.table(g, "rise_power", self.energy)?.or_else(|| both.clone());
        let fall = self.table(g, "fall_power", self.energy)?.or(both);
        let when = self.expr(g, "when", names)?;
        let supply = g.get("related_pg_pin").map(str::to_string);
        let related = self.related(g, names)?;
        let related = if related.is_empty() { vec![None] } else { related.into_iter().map(Some).collect() };
        for related in related {
            out.push(InternalPower { related, when: when.clone(), supply: supply.clone(), rise: rise.clone(), fall: fall.clone() });
        }
        Ok(())
    }

    fn arcs(&self, g: &Group, names: &Names, out: &mut Vec<Arc>) -> Result<(), Error> {
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
        let (rise_slew, fall_slew) = (self.table(g, "rise_transition", self.time)?, self.table(g, "fall_transition", self.time)?);
        for from in self.related(g, names)? {
            out.push(Arc { from, sense, is_combinational, rise_slew: rise_slew.clone(), fall_slew: fall_slew.clone() });
        }
        Ok(())
    }

    /// The pins that `related_pin` names; a bus stands for its bits.
    fn related(&self, g: &Group, names: &Names) -> Result<Vec<usize>, Error> {
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

    fn expr(&self, g: &Group, attribute: &str, names: &Names) -> Result<Option<Expr>, Error> {
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
    fn table(&self, g: &Group, name: &str, unit: f64) -> Result<Option<Table>, Error> {
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
struct Names<'a> {
    of: HashMap<&'a str, usize>,
    buses: &'a HashMap<String, Vec<usize>>,
    /// Supply pins; true for power
    supplies: &'a [(String, bool)],
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
fn covers(group: &str, name: &str, bus: &str) -> bool {
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

/// `1ns`, `100ps`, `0.01pf` … in SI units.
fn scale(text: &str, letter: char) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = if number.is_empty() { 1.0 } else { number.parse().ok()? };
    let prefix = unit.trim().strip_suffix(letter)?;
    let factor = match prefix {
        "" => 1.0,
        "m" => 1e-3,
        "u" => 1e-6,
        "n" => 1e-9,
        "p" => 1e-12,
        "f" => 1e-15,
        _ => return None,
    };
    Some(number * factor)
}
