//! The sections of the page, one question each.

use super::units::{areas, energies, map, mm2, overview};
use super::{compare, AllRecord, Records, State, Step};
use crate::page::{
    definitions, details, joules, link, origin, paragraph, percent, provenance, statement, table, table_of, thousands,
    Column, Html,
};
use crate::pictures::TreemapText;
use crate::spans::mat_gaps;
use crate::summary::summary;
use crate::trust::{MAPPED, MAPPED_AND_ASSUMED, PLACED, SIMULATED, WORDS};
use crate::{accuracy, asic, html, power, ReportError};

pub(super) struct Section {
    pub id: &'static str,
    pub heading: &'static str,
    pub parts: Vec<Html>,
}

pub(super) fn sections(all: &AllRecord, r: &Records) -> Result<Vec<Section>, ReportError> {
    let section = |id, heading, parts| Section { id, heading, parts };
    Ok(vec![
        section("overview", "Where it all goes", whole(all, r)?),
        section("cycles", "Where the cycles go", cycles(all, r)?),
        section("area", "Where the area goes", area(all, r)?),
        section("clock", "What sets the clock", clock(all, r)?),
        section("energy", "Where the energy goes", energy(all, r)?),
        section("accuracy", "What the integers cost", integers(all, r)?),
        section("fpga", "On an FPGA", fpga(all, r)?),
        section("others", "Beside published chips", compare::parts(r)?),
        section("trust", "How far to trust this page", trust(r)),
        section("steps", "What was run", steps(all)),
    ])
}

/// A figure with the file of its numbers and the command that makes it.
fn sourced(all: &AllRecord, step: &str, figure: Html) -> Html {
    match all.step(step).and_then(|s| Some((s, s.file.as_deref()?))) {
        Some((step, file)) => Html::join([figure, provenance(file, &step.command)]),
        None => figure,
    }
}

/// What stands in place of a section whose step has no record.
fn gap(all: &AllRecord, step: &str) -> Vec<Html> {
    let why = |s: &Step| match (s.state, &s.why) {
        (State::LeftOut, _) => format!("Not on this page: the step was not asked for. {} makes it.", s.command),
        (_, Some(why)) => format!("{} is missing: {why}", s.title),
        _ => format!("{} is missing.", s.title),
    };
    vec![paragraph(&all.step(step).map_or("Missing.".into(), why))]
}

/// The step's own page, for those who want all of it.
fn more(all: &AllRecord, step: &str, what: &str) -> Html {
    match all.step(step).and_then(|s| s.page.as_deref()) {
        Some(page) => Html(format!("<p>{}</p>", link(page, what).as_str())),
        None => Html::default(),
    }
}

fn whole(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let summary = r.latency.as_ref().map(summary).transpose()?;
    if summary.is_none() && r.asic.is_none() && r.power.is_none() {
        return Ok(vec![paragraph("Missing: neither cycles nor area nor energy are there.")]);
    }
    let figure = overview(summary.as_ref(), r.asic.as_ref(), r.power.as_ref())?;
    Ok(vec![["latency", "asic", "power"].iter().fold(figure, |f, step| sourced(all, step, f))])
}

fn cycles(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let Some(record) = &r.latency else { return Ok(gap(all, "latency")) };
    let s = summary(record)?;
    let timelines = html::timelines(record, &mat_gaps(record))?;
    let mut parts = vec![statement(SIMULATED, &format!(
        "A perfect chip would need {} cycles to read this model; this one takes {}. {} of the bus reaches the multipliers. {}",
        thousands(s.floor_cycles),
        thousands(s.cycles_per_token),
        percent(s.utilisation),
        match (s.mismatches, s.values_checked) {
            (Some(0), Some(n)) => format!("On the way {} values were compared with the golden model: all are equal.", thousands(n)),
            (Some(bad), Some(n)) => format!("Of {} values compared with the golden model {bad} differ.", thousands(n)),
            _ => String::new(),
        }
    ))];
    parts.push(sourced(all, "latency", html::shares_figure(&s)?));
    // of the pictures over time the one with a single layer tells most
    let layer = timelines.into_iter().take(2).next_back();
    parts.extend(layer.map(|t| sourced(all, "latency", t)));
    parts.push(more(all, "latency", "All of it: every layer, every operation, the weight stream over time"));
    Ok(parts)
}

fn area(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let Some(record) = &r.asic else { return Ok(gap(all, "asic")) };
    let a = &record.area;
    let words = TreemapText {
        title: "The chip by area",
        description: "Rectangles as large as the blocks they stand for, grouped by unit; memories pale.",
    };
    let reading = "Every rectangle is as large as its block, in one colour a unit; pale ones are memories. It is no floor plan: nothing is \
                   placed. Point at one to read it.";
    Ok(vec![
        statement(
            asic::logic_and_memories(record),
            &format!(
            "{} in all: {} cells ({} thousand gate equivalents, {} flip-flops) and {} bits of memory, counted at {}.",
            mm2(a.total_um2),
            thousands(a.n_cells as u64),
            thousands((a.gate_equivalents / 1e3).round() as u64),
            thousands(a.n_flip_flops as u64),
            thousands(a.memory_bits as u64),
            match &record.memory_model.parameters {
                Some(b) => format!("{} µm² a bit, because the library has no memories", b.um2_per_bit),
                None => "the library's memory macros".into(),
            }
        ),
        ),
        sourced(all, "asic", map(words, asic::logic_and_memories(record), reading, &areas(record), mm2)?),
        more(all, "asic", "All of it: blocks, memories, cells"),
    ])
}

fn clock(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let mut parts = vec![];
    match &r.asic {
        Some(record) => {
            parts.push(statement(
                MAPPED,
                &format!(
                "{:.1} MHz in {} by static timing before placement, {} V, {} °C; the configuration asks for {} MHz.",
                record.timing.fmax_mhz,
                record.corner.library,
                record.corner.voltage_v,
                record.corner.temperature_c,
                record.clock_mhz
            ),
            ));
            parts.extend(asic::worst_path(record)?.map(|f| sourced(all, "asic", f)));
        }
        None => parts.extend(gap(all, "asic")),
    }
    if let Some(b) = &r.build {
        parts.push(statement(PLACED, &format!("{:.1} MHz on {} after place and route.", b.fmax_mhz, b.device)));
        parts.push(sourced(all, "place-and-route", html::fpga::path_figure(b)?));
    }
    Ok(parts)
}

fn energy(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let Some(p) = &r.power else { return Ok(gap(all, "power")) };
    let nj = |v: f64| joules(v * 1e-9);
    let words = TreemapText {
        title: "A token by energy",
        description: "Rectangles as large as the energy of the blocks they stand for, grouped by unit; memories pale.",
    };
    let reading = "The same map, each block as large as the energy it takes for one token. A register that holds still pays for its clock pin \
                   all the same.";
    Ok(vec![
        statement(power::cells_and_memories(p), &format!(
            "{} a token, {:.0} pJ a parameter. Counted on {} of {} nets while the netlist ran {} {} cycles; {} values equal the \
             RTL's, {} differ. {}.",
            joules(p.j_per_token),
            p.pj_per_parameter,
            percent(p.annotated),
            thousands(p.n_nets as u64),
            power::sample(p),
            thousands(p.replay.cycles),
            thousands(p.replay.values_compared - p.replay.mismatches),
            p.replay.mismatches,
            p.level
        )),
        sourced(all, "power", map(words, power::cells_and_memories(p), reading, &energies(p), nj)?),
        sourced(all, "power", power::causes(p)?),
        statement(MAPPED_AND_ASSUMED, &power::external(p)),
        more(all, "power", "All of it: groups, memories, how it is found"),
    ])
}

fn integers(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let Some(record) = &r.accuracy else { return Ok(gap(all, "accuracy")) };
    Ok(vec![
        sourced(all, "accuracy", accuracy::widths(record)?),
        sourced(all, "accuracy", accuracy::state_sweep(record)?),
        more(all, "accuracy", "All of it: ranges, where precision is lost, drift over the text"),
    ])
}

fn fpga(all: &AllRecord, r: &Records) -> Result<Vec<Html>, ReportError> {
    let mut parts = vec![];
    if let Some(b) = &r.build {
        parts.push(statement(
            PLACED,
            &format!("{} for {}, placed and routed: {:.1} MHz.", b.config, b.board, b.fmax_mhz),
        ));
        let figure = html::fpga::utilisation_figure("The whole system on the board", PLACED, &b.utilisation)?;
        parts.push(sourced(all, "place-and-route", figure));
    }
    for (step, e) in &r.parts {
        let figure =
            html::fpga::utilisation_figure(&format!("{} on {}", e.config, e.part_title), MAPPED, &e.resources)?;
        parts.push(sourced(all, step, figure));
    }
    for step in all.steps.iter().filter(|s| s.state == State::Missing && super::is_fpga(&s.name)) {
        parts.extend(gap(all, &step.name));
    }
    if parts.is_empty() {
        parts.push(paragraph("Not on this page: no step of the FPGA was asked for."));
    }
    parts.push(paragraph(
        "By synthesis: the chip alone, nothing placed. Ports, clocks and the memory controller come on top.",
    ));
    parts.push(more(all, "place-and-route", "All of the build"));
    Ok(parts)
}

fn trust(r: &Records) -> Vec<Html> {
    let mut rows = vec![
        ("Cycles", "Exact: the generated RTL was simulated, clock edge by clock edge. The memory behind it is a model, the clock an assumption of the configuration.".to_string()),
        ("Accuracy", "Exact for the text that was read: the golden model is the chip's arithmetic to the bit. Another text has other numbers.".into()),
        ("Area", "Cells of the mapped netlist. No placement, no wires, no clock tree, no utilisation factor: silicon is larger.".into()),
        ("Clock", "Static timing of the mapped netlist before placement; a placed design is slower.".into()),
        ("Power", "Counted toggles of the mapped netlist with Liberty tables. No wires, no glitches, no clock tree: a lower bound. External memory is a figure from literature.".into()),
        ("FPGA", "Synthesis is an estimate; place and route, where it was run, is what the tools say. No board was measured.".into()),
    ];
    if let Some(bits) = r.asic.as_ref().and_then(|a| a.memory_model.parameters.as_ref()) {
        rows.push((
            "Memories",
            format!(
                "The cell library has none. Area is {} µm² a bit and an access {} pJ a bit, both of 130 nm macros.",
                bits.um2_per_bit, bits.pj_per_bit
            ),
        ));
    }
    vec![definitions(&rows)]
}

fn steps(all: &AllRecord) -> Vec<Html> {
    let columns = [
        Column::text("step"),
        Column::text("state"),
        Column::text("record"),
        Column::number("took", "s"),
        Column::text("made"),
        Column::text("command"),
    ];
    let dash = || Html::text("–");
    let rows: Vec<Vec<Html>> = (all.steps.iter())
        .map(|s| {
            let bad = if s.state.is_bad() { " bad" } else { "" };
            vec![
                Html::text(&s.title),
                Html(format!("<span class=\"state{bad}\">{}</span>", s.state.words())),
                s.file.as_deref().map_or_else(dash, |f| link(f, f)),
                s.seconds.map_or_else(dash, |t| Html::text(&format!("{t:.0}"))),
                s.made.as_deref().map_or_else(dash, Html::text),
                Html(format!("<code>{}</code>", crate::page::escape(&s.command))),
            ]
        })
        .collect();
    let hashes: Vec<Vec<String>> = (all.steps.iter())
        .map(|s| vec![s.name.clone(), s.inputs.clone().unwrap_or_else(|| "not known".into())])
        .collect();
    let words = "A step is run again only if the hash of its inputs changes: model, configuration, RTL, programs, library, versions of tools, sources of \
                 this program that bear on it.";
    let own = origin(&all.command, &all.date, &all.git_revision);
    vec![
        table_of("Every record lies beside this page.", WORDS, &columns, &rows),
        details(
            "Hashes of inputs",
            Html::join([paragraph(words), table("", WORDS, &[Column::text("step"), Column::text("inputs")], &hashes)]),
        ),
        definitions(&own),
        Html(format!("<p>{}</p>", link("all.json", "all.json: this table and the first numbers").as_str())),
    ]
}
