//! The units of the chip in the same colours everywhere: one look at cycles, area and energy.

use crate::family::Family;
use crate::page::{bytes, figure, joules, percent, thousands, Figure, Html};
use crate::palette::{self, Colour};
use crate::pictures::{stacks, treemap, Leaf, Stack, StackPart, StacksText, Tree, TreemapText};
use crate::trust::Trust;
use crate::ReportError;
use records::asic::AsicRecord;
use records::latency::Unit;
use records::power::PowerRecord;
use records::summary::{LatencySummary, ShareKind};

/// A part of the chip a reader keeps in mind.
pub struct Group {
    pub name: &'static str,
    pub colour: &'static Colour,
    /// Instances of the core that belong to it.
    instances: &'static [&'static str],
}

const MAT: usize = 0;
const VEC: usize = 1;
const WKV: usize = 2;
const REST: usize = 6;

pub const GROUPS: [Group; 7] = [
    Group { name: "matrix unit", colour: &palette::BLUE, instances: &["mat"] },
    Group { name: "vector unit", colour: &palette::YELLOW, instances: &["vec"] },
    Group { name: "recurrence", colour: &palette::VIOLET, instances: &["wkv"] },
    Group { name: "vector memory", colour: &palette::AQUA, instances: &["vmem"] },
    Group { name: "weight stream", colour: &palette::GREY, instances: &["dma", "weights", "params"] },
    Group {
        name: "programs",
        colour: &palette::PINK,
        instances: &["dma_fetch", "mat_fetch", "vec_fetch", "wkv_fetch"],
    },
    Group { name: "rest", colour: &palette::PALE_GREY, instances: &[] },
];

/// The group of a block such as `core.mat.group_0`.
fn group_of(path: &str) -> usize {
    let unit = path.trim_start_matches("core.").split('.').next().unwrap_or("");
    GROUPS.iter().position(|g| g.instances.contains(&unit)).unwrap_or(REST)
}

/// One instance of the hierarchy: path, depth, and what its logic and its memories take, all that is inside included.
pub struct Measured<'a> {
    pub path: &'a str,
    pub depth: usize,
    pub logic: f64,
    pub memory: f64,
}

pub fn areas(r: &AsicRecord) -> Vec<Measured<'_>> {
    r.blocks
        .iter()
        .map(|b| Measured { path: &b.path, depth: b.depth, logic: b.logic_um2, memory: b.memory_um2 })
        .collect()
}

/// Nanojoules a token.
pub fn energies(r: &PowerRecord) -> Vec<Measured<'_>> {
    let nj = r.seconds_per_token * 1e9;
    r.blocks
        .iter()
        .map(|b| Measured { path: &b.path, depth: b.depth, logic: b.logic_w * nj, memory: b.memory_w * nj })
        .collect()
}

/// Sums by group of `what`; what no unit has is the rest.
fn by_group(blocks: &[Measured], what: impl Fn(&Measured) -> f64) -> [f64; 7] {
    let mut sums = [0.0; 7];
    for b in blocks.iter().filter(|b| b.depth == 2) {
        sums[group_of(b.path)] += what(b);
    }
    let whole = blocks.iter().find(|b| b.depth == 0).map_or(0.0, what);
    sums[REST] += (whole - sums.iter().sum::<f64>()).max(0.0);
    sums
}

fn parts(sums: [f64; 7], words: impl Fn(f64) -> String) -> Vec<StackPart> {
    let whole: f64 = sums.iter().sum();
    let part = |(g, value): (&Group, f64)| StackPart {
        colour: g.colour,
        name: g.name.into(),
        value,
        tip: format!("{}: {} ({})", g.name, words(value), percent(value / whole.max(f64::MIN_POSITIVE))),
    };
    GROUPS.iter().zip(sums).map(part).collect()
}

/// Millimetres, squared, of micrometres, squared.
pub fn mm2(um2: f64) -> String {
    format!("{:.2} mm²", um2 / 1e6)
}

/// Cycles, area and energy of the same units, one below the other; what is not there is left out.
pub fn overview(
    latency: Option<&LatencySummary>,
    asic: Option<&AsicRecord>,
    power: Option<&PowerRecord>,
) -> Result<Html, ReportError> {
    let mut list = vec![];
    if let Some(s) = latency {
        let mut sums = [0.0; 7];
        for share in &s.shares {
            let group = match (share.kind, share.family.as_deref().and_then(Family::labelled).map(Family::unit)) {
                (ShareKind::Mat, _) => MAT,
                (ShareKind::Exposed, Some(Unit::Vec)) => VEC,
                (ShareKind::Exposed, Some(Unit::Wkv)) => WKV,
                _ => REST,
            };
            sums[group] += share.cycles as f64;
        }
        let mut parts = parts(sums, |c| format!("{} cycles", thousands(c.round() as u64)));
        parts[REST].name = "hand-over".into();
        let total = format!("{} cycles a token", thousands(s.cycles_per_token));
        list.push(Stack { label: "Time: who is waited for".into(), total, parts });
    }
    if let Some(r) = asic {
        let blocks = areas(r);
        let all = parts(by_group(&blocks, |b| b.logic + b.memory), mm2);
        list.push(Stack { label: "Area".into(), total: mm2(r.area.total_um2), parts: all });
        let logic = parts(by_group(&blocks, |b| b.logic), mm2);
        list.push(Stack { label: "Area without memories".into(), total: mm2(r.area.logic_um2), parts: logic });
    }
    if let Some(r) = power {
        let all = parts(by_group(&energies(r), |b| b.logic + b.memory), |nj| joules(nj * 1e-9));
        let total = format!("{} a token", joules(r.j_per_token));
        list.push(Stack { label: "Energy of the chip".into(), total, parts: all });
        let e = &r.external;
        let part = |colour, name: &str, j: f64| StackPart {
            colour,
            name: name.into(),
            value: j,
            tip: format!("{name}: {}", joules(j)),
        };
        let parts =
            vec![part(palette::LOGIC, "chip", r.j_per_token), part(palette::MEMORY, "external memory", e.j_per_token)];
        list.push(Stack {
            label: format!("With external memory, {} pJ a bit", e.pj_per_bit),
            total: format!("{} for {}", joules(r.j_per_token + e.j_per_token), bytes(e.bytes_per_token)),
            parts,
        });
    }
    let mut trust = vec![];
    trust.extend(latency.map(|_| Trust::Simulated));
    trust.extend((asic.is_some() || power.is_some()).then_some(Trust::Mapped));
    let assumed = asic.is_some_and(|r| r.memory_model.parameters.is_some()) || power.is_some();
    trust.extend(assumed.then_some(Trust::Assumed));
    let words = StacksText {
        title: "Where it all goes",
        description: "Bars of equal length: cycles, area and energy of a token, cut into the units of the chip.",
    };
    let legend: Vec<(&'static Colour, &str)> = GROUPS.iter().map(|g| (g.colour, g.name)).collect();
    Ok(figure(&Figure {
        title: "One colour a unit",
        reading: "Each bar is a whole. In the first, a cycle belongs to the matrix unit if it multiplies, else to the unit it waits for: \
                  blue is the stream of weights at work, all else is lost time. Compare downwards: what takes room need not take \
                  time or energy. Point at a part to read it.",
        picture: &stacks(words, &list)?,
        legend: &legend,
        trust: &trust,
    }))
}

/// A map of what is inside the units. `words` prints a size.
pub fn map(
    words: TreemapText,
    trust: &[Trust],
    reading: &str,
    blocks: &[Measured],
    print: impl Fn(f64) -> String,
) -> Result<Html, ReportError> {
    let whole = blocks.iter().find(|b| b.depth == 0).map_or(0.0, |b| b.logic + b.memory).max(f64::MIN_POSITIVE);
    let mut trees: Vec<Tree> = GROUPS
        .iter()
        .map(|g| Tree { name: g.name.into(), value: String::new(), colour: g.colour, leaves: vec![] })
        .collect();
    let leaf = |path: &str, name: &str, size: f64, pale: bool| Leaf {
        name: name.into(),
        size,
        pale,
        tip: format!(
            "{}{}: {} ({})",
            path.trim_start_matches("core."),
            if pale { ", memory" } else { "" },
            print(size),
            percent(size / whole)
        ),
    };
    for unit in blocks.iter().filter(|b| b.depth == 2) {
        let tree = &mut trees[group_of(unit.path)];
        let prefix = format!("{}.", unit.path);
        let (mut logic, mut memory) = (unit.logic, unit.memory);
        for b in blocks.iter().filter(|b| b.depth == 3 && b.path.starts_with(&prefix)) {
            let name = &b.path[prefix.len()..];
            tree.leaves.push(leaf(b.path, name, b.logic, false));
            tree.leaves.push(leaf(b.path, name, b.memory, true));
            (logic, memory) = (logic - b.logic, memory - b.memory);
        }
        // what is in the unit itself; rounding leaves crumbs
        tree.leaves.push(leaf(unit.path, "", if logic > 1e-6 * whole { logic } else { 0.0 }, false));
        tree.leaves.push(leaf(unit.path, "", if memory > 1e-6 * whole { memory } else { 0.0 }, true));
    }
    let units: f64 = trees.iter().flat_map(|t| &t.leaves).map(|l| l.size).sum();
    trees[REST].leaves.push(leaf("above the units", "", (whole - units).max(0.0), false));
    for t in &mut trees {
        let sum: f64 = t.leaves.iter().map(|l| l.size).sum();
        t.value = format!("{} · {}", print(sum), percent(sum / whole));
    }
    let legend: Vec<(&'static Colour, &str)> = GROUPS.iter().map(|g| (g.colour, g.name)).collect();
    Ok(figure(&Figure { title: words.title, reading, picture: &treemap(words, &trees)?, legend: &legend, trust }))
}
