//! The page of an ASIC run: where the area goes, what limits the clock, and how far to trust it.

use crate::page::{
    big_numbers, code_block, definitions, details, figure, made, paragraph, percent, sentence, table, thousands,
    BigNumber, Column, Figure, Html, Page,
};
use crate::palette::{self, Colour};
use crate::pictures::{bars, Bar, BarPart, BarsText};
use crate::trust::{Trust, ASSUMED, MAPPED, MAPPED_AND_ASSUMED};
use crate::ReportError;
use records::asic::{AsicRecord, Block};

/// Blocks in a picture, paths and cells in a table.
const ROWS: usize = 16;
/// The colour of the setup time at the end of a path; those before it are for the stretches of the path.
const SETUP: usize = 7;

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn page(r: &AsicRecord) -> Result<String, ReportError> {
    let c = &r.corner;
    let corner = format!("{} · {} V, {} °C, process {}", c.library, c.voltage_v, c.temperature_c, c.process);
    let mut page = Page::new(
        "Area and timing in silicon",
        &[format!("configuration {} · {corner}", r.config), made(&r.date, &r.git_revision)],
    );
    page.add(code_block(&r.command));
    page.add(big_numbers(&headline(r)));
    page.section("Where the area goes", [area_figure(r, false)?, area_figure(r, true)?, block_table(r)]);
    page.section("What limits the clock", timing(r)?);
    page.section("Memories", [paragraph(&sentence(&r.memory_model.text)), memory_table(r)]);
    page.section("Cells", [cell_table(r), module_table(r)]);
    page.section("How far to trust these numbers", r.notes.iter().map(|n| paragraph(&sentence(n))));
    let tools = r.tools.iter().map(|(n, v)| (n.as_str(), v.clone()));
    let run: Vec<(&str, String)> = [("libraries", r.libraries.join(", "))].into_iter().chain(tools).collect();
    page.section("What was run", [definitions(&run)]);
    Ok(page.render())
}

/// Square millimetres with three digits after the point.
fn mm2(um2: f64) -> String {
    format!("{:.3}", um2 / 1e6)
}

/// What the area of memories rests on: the library's macros, or a figure for a bit.
fn memories(r: &AsicRecord) -> &'static [Trust] {
    if r.memory_model.parameters.is_some() {
        ASSUMED
    } else {
        MAPPED
    }
}

/// What an area rests on that holds logic and memories.
pub(crate) fn logic_and_memories(r: &AsicRecord) -> &'static [Trust] {
    if r.memory_model.parameters.is_some() {
        MAPPED_AND_ASSUMED
    } else {
        MAPPED
    }
}

fn headline(r: &AsicRecord) -> Vec<BigNumber> {
    let (a, t) = (&r.area, &r.timing);
    let number = |value: String, unit: &str, note: String| BigNumber {
        value,
        unit: unit.into(),
        note,
        alarm: false,
        trust: MAPPED,
    };
    vec![
        BigNumber {
            alarm: t.slack_ns < 0.0,
            ..number(
                format!("{:.1}", t.fmax_mhz),
                "MHz",
                format!("static timing before placement; slack {:.3} ns at {} MHz", t.slack_ns, r.clock_mhz),
            )
        },
        number(
            mm2(a.logic_um2),
            "mm²",
            format!(
                "of logic: {} gate equivalents, {} cells",
                thousands(a.gate_equivalents.round() as u64),
                thousands(a.n_cells as u64)
            ),
        ),
        BigNumber {
            trust: memories(r),
            ..number(mm2(a.memory_um2), "mm²", format!("of memory: {} bits", thousands(a.memory_bits as u64)))
        },
        number(
            percent(a.sequential_um2 / a.logic_um2.max(1.0)),
            "registers",
            format!("share of the logic: {} flip-flops", thousands(a.n_flip_flops as u64)),
        ),
    ]
}

/// The units of the core, largest first.
fn units(r: &AsicRecord) -> Vec<&Block> {
    let mut units: Vec<&Block> = r.blocks.iter().filter(|b| b.depth == 2).collect();
    units.sort_by(|a, b| (b.logic_um2 + b.memory_um2).total_cmp(&(a.logic_um2 + a.memory_um2)));
    units
}

/// Bars of the units, or of the logic of what is in them.
fn area_figure(r: &AsicRecord, inside: bool) -> Result<Html, ReportError> {
    let mut blocks: Vec<&Block> = match inside {
        false => units(r),
        true => r.blocks.iter().filter(|b| b.depth == 3 && b.logic_um2 > 0.0).collect(),
    };
    if inside {
        blocks.sort_by(|a, b| b.logic_um2.total_cmp(&a.logic_um2));
    }
    let part = |colour, um2: f64, what: &str, b: &Block| BarPart {
        colour,
        value: (um2 / 1e3).round() as u64,
        tip: format!("{}: {} mm² of {what}", b.path, mm2(um2)),
    };
    let rows: Vec<Bar> = blocks
        .iter()
        .take(ROWS)
        .map(|b| {
            let mut parts = vec![part(palette::LOGIC, b.logic_um2, "logic", b)];
            let mut sum = b.logic_um2;
            if !inside {
                parts.push(part(palette::MEMORY, b.memory_um2, "memory", b));
                sum += b.memory_um2;
            }
            Bar { label: b.path.trim_start_matches("core.").into(), parts, value: format!("{} mm²", mm2(sum)) }
        })
        .collect();
    let (title, reading) = match inside {
        false => (
            "Units",
            "One bar a unit of the core, largest first: its cells, then the memories in it.",
        ),
        true => (
            "Logic inside the units",
            "The logic alone, one level deeper, largest first. Memories cut out of the netlist are not in these bars; small ones \
             (up to 32 words) are flip-flops and are.",
        ),
    };
    let words = BarsText { title, description: "Bars of area by block, largest first.", axis: "thousandths of a mm²" };
    let legend: &[(&Colour, &str)] = match inside {
        false => &[(palette::LOGIC, "logic"), (palette::MEMORY, "memory")],
        true => &[],
    };
    Ok(figure(&Figure {
        title,
        reading,
        picture: &bars(words, &rows)?,
        legend,
        trust: if inside { MAPPED } else { logic_and_memories(r) },
    }))
}

fn block_table(r: &AsicRecord) -> Html {
    let columns = [
        Column::text("block"),
        Column::text("module"),
        Column::number("logic", "mm²"),
        Column::number("memory", "mm²"),
        Column::number("share", ""),
        Column::number("cells", ""),
    ];
    let shown = r.blocks.iter().filter(|b| b.depth <= 3 && b.logic_um2 + b.memory_um2 > 0.001 * r.area.total_um2);
    let rows: Vec<Vec<String>> = shown
        .map(|b| {
            vec![
                b.path.clone(),
                b.module.clone(),
                mm2(b.logic_um2),
                mm2(b.memory_um2),
                percent((b.logic_um2 + b.memory_um2) / r.area.total_um2.max(1.0)),
                thousands(b.n_cells as u64),
            ]
        })
        .collect();
    let caption = "Blocks above 0.1 % of the area, each with what is in it.";
    details(&format!("All {} blocks", rows.len()), table(caption, logic_and_memories(r), &columns, &rows))
}

/// The path that sets the clock, cut by module; none if timing found no path.
///
/// # Errors
/// A picture that cannot be drawn.
pub(crate) fn worst_path(r: &AsicRecord) -> Result<Option<Html>, ReportError> {
    let Some(worst) = r.timing.paths.first() else { return Ok(None) };
    let mut parts: Vec<BarPart> = worst
        .stages
        .iter()
        .enumerate()
        .map(|(i, s)| BarPart {
            colour: palette::SERIES[i % SETUP],
            value: (s.delay_ns * 1e3).round() as u64,
            tip: format!(
                "{} ({}): {:.3} ns in {} cells, {} of them buffers or inverters",
                s.instance, s.module, s.delay_ns, s.n_cells, s.buffers
            ),
        })
        .collect();
    parts.push(BarPart {
        colour: palette::SERIES[SETUP],
        value: (worst.setup_ns.max(0.0) * 1e3).round() as u64,
        tip: format!("setup {:.3} ns", worst.setup_ns),
    });
    let value = format!("{:.3} ns, {} cells", worst.period_ns, worst.n_cells);
    let words = BarsText {
        title: "The worst path",
        description: "One bar from the start register to the end register, cut where the path enters another module.",
        axis: "ps",
    };
    let names: Vec<String> = worst.stages.iter().map(|s| format!("{} ({})", s.instance, s.module)).collect();
    let mut legend: Vec<(&'static Colour, &str)> =
        names.iter().enumerate().map(|(i, n)| (palette::SERIES[i % SETUP], n.as_str())).collect();
    legend.push((palette::SERIES[SETUP], "setup of the end register"));
    let reading = format!(
        "From {} to {}. One colour a module on the way; its length is the delay of the cells passed there. A clock cycle at {} MHz is {:.0} ps.",
        worst.start,
        worst.end,
        r.clock_mhz,
        1e6 / r.clock_mhz
    );
    let picture = bars(words, &[Bar { label: "worst path".into(), parts, value }])?;
    Ok(Some(figure(&Figure {
        title: "The worst path",
        reading: &reading,
        picture: &picture,
        legend: &legend,
        trust: MAPPED,
    })))
}

fn timing(r: &AsicRecord) -> Result<Vec<Html>, ReportError> {
    let Some(figure) = worst_path(r)? else { return Ok(vec![paragraph("No path was found.")]) };
    let columns = [
        Column::text("from"),
        Column::text("to"),
        Column::number("needs", "ns"),
        Column::number("slack", "ns"),
        Column::number("cells", ""),
        Column::text("through"),
    ];
    let rows: Vec<Vec<String>> = r
        .timing
        .paths
        .iter()
        .take(ROWS)
        .map(|p| {
            let mut through: Vec<&str> = p.stages.iter().map(|s| s.module.as_str()).collect();
            through.dedup();
            vec![
                p.start.clone(),
                p.end.clone(),
                format!("{:.3}", p.period_ns),
                format!("{:.3}", p.slack_ns),
                p.n_cells.to_string(),
                through.join(" → "),
            ]
        })
        .collect();
    Ok(vec![figure, table("The worst paths with different ends", MAPPED, &columns, &rows)])
}

fn memory_table(r: &AsicRecord) -> Html {
    let columns = [
        Column::text("memory"),
        Column::number("instances", ""),
        Column::number("bits each", ""),
        Column::text("built of"),
        Column::number("macros each", ""),
        Column::number("area each", "mm²"),
        Column::number("of the macros' bits used", ""),
        Column::number("read", "pJ"),
        Column::number("write", "pJ"),
    ];
    let rows: Vec<Vec<String>> = r
        .memories
        .iter()
        .map(|m| {
            vec![
                m.module.clone(),
                m.instances.to_string(),
                thousands((m.bits * m.words) as u64),
                m.built_of.clone(),
                m.macros.to_string(),
                mm2(m.area_um2),
                percent(m.capacity_used),
                format!("{:.1}", m.read_j * 1e12),
                format!("{:.1}", m.write_j * 1e12),
            ]
        })
        .collect();
    table("Memories cut out of the netlist", memories(r), &columns, &rows)
}

fn cell_table(r: &AsicRecord) -> Html {
    let mut cells: Vec<_> = r.cells.iter().collect();
    cells.sort_by(|a, b| b.1.um2.total_cmp(&a.1.um2));
    let columns = [
        Column::text("cell"),
        Column::number("count", ""),
        Column::number("area", "mm²"),
        Column::number("of the logic", ""),
    ];
    let rows: Vec<Vec<String>> = cells
        .iter()
        .take(ROWS)
        .map(|(name, c)| {
            let share = percent(c.um2 / r.area.logic_um2.max(1.0));
            vec![name.to_string(), thousands(c.count as u64), mm2(c.um2), share]
        })
        .collect();
    table("Library cells with the largest area", MAPPED, &columns, &rows)
}

fn module_table(r: &AsicRecord) -> Html {
    let columns = [
        Column::text("module"),
        Column::number("instances", ""),
        Column::number("own cells each", ""),
        Column::number("flip-flops each", ""),
        Column::number("area of all", "mm²"),
    ];
    let rows: Vec<Vec<String>> = r
        .modules
        .iter()
        .take(ROWS)
        .map(|m| {
            vec![
                m.module.clone(),
                m.instances.to_string(),
                thousands(m.own_cells as u64),
                thousands(m.flip_flops as u64),
                mm2(m.own_um2 * m.instances as f64),
            ]
        })
        .collect();
    table("RTL modules with the largest area of their own", MAPPED, &columns, &rows)
}
