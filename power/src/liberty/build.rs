//! From Liberty groups to [`Library`].

use super::context::Context;
use super::pin::{covers, Names};
use super::syntax::{self, Group};
use super::{Basics, Cell, Kind, Leakage, Library, Register};
use crate::error::Error;
use crate::units::Units;
use records::shared::Corner;
use records::text;
use std::collections::{HashMap, HashSet};
use std::path::Path;

impl Library {
    /// Reads a library and builds those of its cells that `wanted` names, or all.
    ///
    /// Fails on a file that is no Liberty, on a library without any internal power table, and on a wanted cell
    /// whose groups contradict each other.
    pub fn load(path: &Path, wanted: Option<&HashSet<String>>) -> Result<Library, Error> {
        let text = text::read(path)?;
        let library = syntax::parse(path, &text)?;
        let cx = Context::new(path, &library)?;
        let basics = cx.basics()?;
        if !basics.has_power {
            return Err(Error::NoPowerTables { path: path.into() });
        }
        let mut cells = HashMap::new();
        for cell in library.all("cell").filter(|c| wanted.is_none_or(|w| w.contains(c.arg()))) {
            cells.insert(cell.arg().to_string(), cx.cell(cell)?);
        }
        let percent = |name: &str, default: f64| -> Result<f64, Error> {
            Ok(cx.number(&library, name)?.unwrap_or(default) / 100.0)
        };
        let slew_low = percent("slew_lower_threshold_pct_rise", 20.0)?;
        let slew_high = percent("slew_upper_threshold_pct_rise", 80.0)?;
        let slew_derate = cx.number(&library, "slew_derate_from_library")?.unwrap_or(1.0);
        if !(slew_derate > 0.0 && 0.0 <= slew_low && slew_low < slew_high && slew_high < 1.0) {
            return Err(cx.invalid("slew thresholds must rise within 0 … 100 % and the slew derating must be positive"));
        }
        Ok(Library {
            name: library.arg().to_string(),
            corner: basics.corner,
            units: basics.units,
            slew_low,
            slew_high,
            slew_derate,
            cells,
        })
    }
}

impl Basics {
    /// What holds for every cell of a parsed library.
    ///
    /// # Errors
    /// A unit that is none, and a library without a voltage.
    pub fn of(path: &Path, library: &Group) -> Result<Basics, Error> {
        Context::new(path, library)?.basics()
    }
}

impl Context<'_> {
    fn basics(&self) -> Result<Basics, Error> {
        let conditions = self.conditions();
        let of = |name: &str, nominal: &str, default: f64| -> Result<f64, Error> {
            let own = conditions.map(|c| self.number(c, name)).transpose()?.flatten();
            Ok(own.or(self.number(self.library, nominal)?).unwrap_or(default))
        };
        let has_power = |g: &Group| g.groups.iter().any(|i| i.name == "internal_power");
        let cell_has_power = |c: &Group| c.groups.iter().any(|p| has_power(p) || p.groups.iter().any(has_power));
        let corner = Corner {
            library: self.library.arg().to_string(),
            operating_conditions: conditions.map(|c| c.arg().to_string()),
            process: of("process", "nom_process", 1.0)?,
            voltage_v: self.voltage,
            temperature_c: of("temperature", "nom_temperature", 25.0)?,
        };
        let units = Units { time: self.time, cap: self.cap };
        Ok(Basics { corner, units, leakage: self.leakage, has_power: self.library.all("cell").any(cell_has_power) })
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
            of: pins
                .iter()
                .enumerate()
                .map(|(i, (n, _))| (n.as_str(), i))
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
            let (Some(data), Some(clock)) = (self.expr(g, data, &names)?, self.expr(g, clock, &names)?) else {
                continue;
            };
            let state = pins.len() + 2 * i;
            list.push(Register { state, inverse: state + 1, data, clock, is_latch });
        }
        let mut leakage = Vec::new();
        for g in group.all("leakage_power") {
            let watts = self.number(g, "value")?.unwrap_or(0.0) * self.leakage;
            leakage.push(Leakage {
                when: self.expr(g, "when", &names)?,
                watts,
                supply: g.get("related_pg_pin").map(str::to_string),
            });
        }
        leakage.retain(|l| l.supply.as_ref().is_none_or(|s| supplies.iter().all(|(n, is_power)| n != s || *is_power)));
        let default =
            self.number(group, "cell_leakage_power")?.or(self.number(self.library, "default_cell_leakage_power")?);
        let has = |name: &str| group.groups.iter().any(|g| g.name == name);
        let kind = if group.is_true("is_macro_cell") || group.is_true("interface_timing") || has("memory") {
            Kind::Macro
        } else if group.is_true("pad_cell") || group.is_true("is_pad") {
            Kind::Pad
        } else if registers().next().is_some()
            || has("statetable")
            || group.get("clock_gating_integrated_cell").is_some()
        {
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
        let (from, to) =
            (self.number(ty, "bit_from")?.unwrap_or(0.0) as i64, self.number(ty, "bit_to")?.unwrap_or(0.0) as i64);
        if from.abs_diff(to) > 1 << 16 {
            return Err(Error::syntax(self.path, ty.line, "a bus of at most 65536 bits", ty.arg()));
        }
        let bits: Vec<i64> = if from >= to { (to..=from).rev().collect() } else { (from..=to).collect() };
        Ok(bits.iter().map(|b| format!("{}[{b}]", bus.arg())).collect())
    }
}
