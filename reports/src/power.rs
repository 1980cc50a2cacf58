//! The page of a power run: where the energy of a token goes.

use crate::page::{
    big_numbers, code_block, definitions, figure, joules, made, paragraph, percent, sentence, statement, table,
    thousands,
};
use crate::page::{BigNumber, Column, Figure, Html, Page};
use crate::palette;
use crate::pictures::{bars, stacks, Bar, BarPart, BarsText, Stack, StackPart, StacksText};
use crate::trust::{Trust, ASSUMED, MAPPED, MAPPED_AND_ASSUMED, SIMULATED};
use crate::ReportError;
use records::power::PowerRecord;
use records::shared::Watts;

/// Blocks in a picture and memories in a table.
const ROWS: usize = 16;

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn page(r: &PowerRecord) -> Result<String, ReportError> {
    let c = &r.corner;
    let corner = format!("{} · {} V, {} °C at {} MHz", c.library, c.voltage_v, c.temperature_c, r.clock_mhz);
    let mut page = Page::new(
        "Power and energy of a token",
        &[format!("{} on configuration {} · {corner}", r.model, r.config), made(&r.date, &r.git_revision)],
    );
    page.add(code_block(&r.command));
    page.add(big_numbers(&headline(r)));
    page.section("Where the energy goes", [blocks(r)?, causes(r)?, groups(r), memories(r)]);
    page.section("External memory", [statement(MAPPED_AND_ASSUMED, &external(r))]);
    let mut trust = vec![
        paragraph(&format!("{}. Toggles of {} of {} nets were counted while the netlist ran {} of {} cycles.", r.level, percent(r.annotated), thousands(r.n_nets as u64), sample(r), thousands(r.replay.cycles))),
        paragraph("The simulation has no delays, so it shows no glitches; there are no wires and no clock tree. Real silicon takes more."),
        paragraph(&sentence(&r.memory_model.text)),
    ];
    trust.extend(r.notes.iter().map(|n| paragraph(&sentence(n))));
    page.section("How far to trust these numbers", trust);
    let mut run = vec![
        ("libraries", r.libraries.join(", ")),
        ("tokens", format!("{} of {} cycles each", r.tokens, thousands(r.cycles_per_token.round() as u64))),
        (
            "netlist against RTL",
            format!("{} values compared, {} mismatches", thousands(r.replay.values_compared), r.replay.mismatches),
        ),
        ("RTL against golden model", format!("{} values compared", thousands(r.values_compared_with_golden))),
    ];
    if let Some(v) = &r.replay_verilator {
        run.push((
            "the same in Verilator",
            format!("{} values compared, {} mismatches", thousands(v.values_compared), v.mismatches),
        ));
    }
    page.section("What was run", [definitions(&run)]);
    Ok(page.render())
}

/// What the power of the chip rests on: its cells, and memories that are macros of the library or a figure for a bit.
pub(crate) fn cells_and_memories(r: &PowerRecord) -> &'static [Trust] {
    if r.memory_model.parameters.is_some() {
        MAPPED_AND_ASSUMED
    } else {
        MAPPED
    }
}

fn headline(r: &PowerRecord) -> Vec<BigNumber> {
    let number = |value: String, unit: &str, note: String| BigNumber {
        value,
        unit: unit.into(),
        note,
        alarm: false,
        trust: cells_and_memories(r),
    };
    let mismatches = r.replay.mismatches + r.replay_verilator.as_ref().map_or(0, |v| v.mismatches);
    vec![
        number(
            format!("{:.1}", r.j_per_token * 1e6),
            "µJ/token",
            format!("the chip alone, {:.3} ms a token", r.seconds_per_token * 1e3),
        ),
        number(
            format!("{:.1}", r.watts.total * 1e3),
            "mW",
            format!("while it works, {:.1} mW of it memories", r.watts.macros * 1e3),
        ),
        number(format!("{:.1}", r.pj_per_parameter), "pJ/parameter", format!("{} parameters", thousands(r.n_params))),
        BigNumber {
            alarm: mismatches > 0,
            trust: SIMULATED,
            ..number(
                thousands(mismatches),
                "mismatches",
                format!("netlist against RTL in {} values", thousands(r.replay.values_compared)),
            )
        },
    ]
}

fn blocks(r: &PowerRecord) -> Result<Html, ReportError> {
    let mut units: Vec<_> = r.blocks.iter().filter(|b| b.depth == 2).collect();
    units.sort_by(|a, b| b.total_w.total_cmp(&a.total_w));
    let nj = |w: f64| w * r.seconds_per_token * 1e9;
    let rows: Vec<Bar> = units
        .iter()
        .take(ROWS)
        .map(|b| {
            let part = |colour, w: f64, what: &str| BarPart {
                colour,
                value: nj(w).round() as u64,
                tip: format!("{}: {} a token in {what}", b.path, joules(nj(w) * 1e-9)),
            };
            let parts = vec![part(palette::LOGIC, b.logic_w, "logic"), part(palette::MEMORY, b.memory_w, "memory")];
            let share = percent(b.total_w / r.watts.total.max(f64::MIN_POSITIVE));
            Bar {
                label: b.path.trim_start_matches("core.").into(),
                parts,
                value: format!("{} ({share})", joules(nj(b.total_w) * 1e-9)),
            }
        })
        .collect();
    let words = BarsText {
        title: "Energy of a token by unit",
        description: "Bars of nanojoules a token by unit of the core, largest first.",
        axis: "nJ a token",
    };
    let reading = "One bar a unit of the core, largest first: what its cells take for one token, then its memories. Registers that \
                   hold still take the energy of their clock pins all the same.";
    let legend = [(palette::LOGIC, "logic"), (palette::MEMORY, "memory")];
    Ok(figure(&Figure {
        title: words.title,
        reading,
        picture: &bars(words, &rows)?,
        legend: &legend,
        trust: cells_and_memories(r),
    }))
}

/// What the counted tokens are a sample of.
pub(crate) fn sample(r: &PowerRecord) -> String {
    let tokens = |n: usize| if n == 1 { "1 token".to_string() } else { format!("{n} tokens") };
    let after = match r.warm_up {
        0 => "from an empty state".to_string(),
        n => format!("after {} that filled the state", tokens(n)),
    };
    match r.sample.is_empty() {
        true => format!("{}, {after},", tokens(r.tokens)),
        false => format!("{} of {}, {after},", tokens(r.tokens), r.sample),
    }
}

/// Energy by kind of cell and by cause, each a whole.
///
/// # Errors
/// A picture that cannot be drawn.
pub(crate) fn causes(r: &PowerRecord) -> Result<Html, ReportError> {
    let (g, whole) = (&r.groups, r.groups.total.total.max(f64::MIN_POSITIVE));
    let part = |colour, name: &str, w: f64| StackPart {
        colour,
        name: name.into(),
        value: w,
        tip: format!("{name}: {:.2} mW ({})", w * 1e3, percent(w / whole)),
    };
    let total = format!("{:.1} mW", g.total.total * 1e3);
    let kinds = vec![
        part(&palette::CYAN, "registers", g.sequential.total),
        part(palette::LOGIC, "gates", g.combinational.total),
        part(&palette::ORANGE, "clock cells", g.clock.total),
        part(palette::MEMORY, "memories", g.macros.total),
    ];
    let causes = vec![
        part(&palette::GREEN, "inside cells", g.total.internal),
        part(&palette::LIME, "charging pins", g.total.switching),
        part(&palette::MAGENTA, "leakage", g.total.leakage),
    ];
    let list = [
        Stack { label: "By kind of cell".into(), total: total.clone(), parts: kinds },
        Stack { label: "By cause".into(), total, parts: causes },
    ];
    let words = StacksText {
        title: "Who takes it, and why",
        description: "Two bars of equal length: power by kind of cell and by cause.",
    };
    let reading = "Inside cells: internal power, for registers mostly that of the clock pin at every edge. Charging pins: the inputs a net \
                   drives; wires would add to it. Leakage flows always.";
    Ok(figure(&Figure {
        title: words.title,
        reading,
        picture: &stacks(words, &list)?,
        legend: &[],
        trust: cells_and_memories(r),
    }))
}

fn groups(r: &PowerRecord) -> Html {
    let g = &r.groups;
    let columns = [
        Column::text("group"),
        Column::number("internal", "mW"),
        Column::number("switching", "mW"),
        Column::number("leakage", "mW"),
        Column::number("total", "mW"),
    ];
    let row = |name: &str, c: &Watts| {
        let mw = |w: f64| format!("{:.3}", w * 1e3);
        vec![name.to_string(), mw(c.internal), mw(c.switching), mw(c.leakage), mw(c.total)]
    };
    let rows = [
        row("sequential", &g.sequential),
        row("combinational", &g.combinational),
        row("clock", &g.clock),
        row("memories", &g.macros),
        row("total", &g.total),
    ];
    table("Power by kind of cell and cause", cells_and_memories(r), &columns, &rows)
}

fn memories(r: &PowerRecord) -> Html {
    let columns =
        [Column::text("memory"), Column::text("module"), Column::number("power", "mW"), Column::number("a token", "")];
    let rows: Vec<Vec<String>> = r
        .memories
        .iter()
        .take(ROWS)
        .map(|m| vec![m.path.clone(), m.module.clone(), format!("{:.3}", m.watts * 1e3), joules(m.j_per_token)])
        .collect();
    table(
        "The memories that take most",
        if r.memory_model.parameters.is_some() { ASSUMED } else { MAPPED },
        &columns,
        &rows,
    )
}

/// The external memory, in words.
pub(crate) fn external(r: &PowerRecord) -> String {
    let e = &r.external;
    format!(
        "A token reads {} bytes of weights from outside. At {} pJ a bit that is {:.1} µJ, with {} to {} pJ a bit {:.1} to {:.1} µJ: not simulated, and not in \
         the numbers above. Source of the range: {}.",
        thousands(e.bytes_per_token),
        e.pj_per_bit,
        e.j_per_token * 1e6,
        e.pj_per_bit_low,
        e.pj_per_bit_high,
        e.j_per_token_low * 1e6,
        e.j_per_token_high * 1e6,
        e.source
    )
}
