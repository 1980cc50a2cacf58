//! FPGA records as pictures and tables; each record is one section, so that a page may hold several.

use crate::page::{
    big_numbers, code_block, details, figure, paragraph, percent, table, thousands, BigNumber, Column, Figure, Html,
    Page,
};
use crate::palette::{CYAN, FREE, LOGIC, ORANGE, RED};
use crate::pictures::{bars, Bar, BarPart, BarsText};
use crate::trust::{Trust, AT_ASSUMED_CLOCK, MAPPED, PLACED, SIMULATED, WORDS};
use crate::ReportError;
use records::fpga::{Block, FpgaBuildRecord, FpgaEstimateRecord, FpgaSimulationRecord, Resource};

/// Bars shown of a long list; the table beside has all.
const SHOWN: usize = 14;

/// A page of what is there: a build, the board in simulation, estimates of larger parts.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn fpga_page(
    build: Option<&FpgaBuildRecord>,
    simulation: Option<&FpgaSimulationRecord>,
    estimates: &[FpgaEstimateRecord],
) -> Result<String, ReportError> {
    let date = build.map(|b| &b.date).or(simulation.map(|s| &s.date)).or(estimates.first().map(|e| &e.date));
    let mut page = Page::new("The chip on an FPGA", &[date.cloned().unwrap_or_default()]);
    if let Some(b) = build {
        page.section(&format!("{} for {}", b.config, b.board), build_section(b)?);
    }
    if let Some(s) = simulation {
        page.section("The board in simulation", simulation_section(s));
    }
    for e in estimates {
        page.section(&format!("{} on {}", e.config, e.part_title), estimate_section(e)?);
    }
    Ok(page.render())
}

/// A build: does it fit, how fast is it, where does the area go, where is the slowest path.
pub fn build_section(r: &FpgaBuildRecord) -> Result<Vec<Html>, ReportError> {
    let fullest = r.utilisation.iter().max_by(|a, b| a.share().total_cmp(&b.share()));
    let mut numbers = vec![
        BigNumber {
            value: format!("{:.1}", r.fmax_mhz),
            unit: "MHz".into(),
            note: match r.meets_clock {
                true => format!("after place and route; the bitstream runs at {} MHz", r.clock_mhz),
                false => format!("after place and route; its clock is {} MHz, too fast for it", r.clock_mhz),
            },
            alarm: !r.meets_clock,
            trust: PLACED,
        },
        BigNumber {
            value: thousands(r.bitstream_bytes),
            unit: "bytes".into(),
            note: format!("bitstream for {}", r.device),
            alarm: false,
            trust: PLACED,
        },
    ];
    if let Some(f) = fullest {
        numbers.push(BigNumber {
            value: percent(f.share()),
            unit: f.name.clone(),
            note: format!("the fullest resource: {} of {}", count(f.used), count(f.available)),
            alarm: !r.fits,
            trust: PLACED,
        });
    }
    Ok(vec![
        code_block(&r.command),
        big_numbers(&numbers),
        utilisation_figure("What the device has and the design uses", PLACED, &r.utilisation)?,
        blocks_figure(
            "Where the logic is",
            PLACED,
            &r.blocks,
            "Cells are counted by the names synthesis leaves them; one that two blocks share counts for one.",
        )?,
        path_figure(r)?,
        details("Every block", blocks_table(PLACED, &r.blocks, false)),
        details("The slowest path, step by step", path_table(r)),
        details("Tools", tools_table(r)),
    ])
}

/// The board in simulation.
pub fn simulation_section(r: &FpgaSimulationRecord) -> Vec<Html> {
    let numbers = [
        BigNumber {
            value: format!("{:.1}", r.tokens_per_s),
            unit: "tokens/s".into(),
            note: format!("{} cycles a token at {} MHz, {}", thousands(r.cycles_per_token), r.clock_mhz, r.model),
            alarm: false,
            trust: AT_ASSUMED_CLOCK,
        },
        BigNumber {
            value: format!("{:.2}", r.memory_bytes_per_cycle),
            unit: "bytes/cycle".into(),
            note: format!(
                "{:.0} MB/s from the memory, whose pins give {} bytes a cycle; the chip could take {}",
                r.memory_mb_per_s, r.memory_pins_bytes_per_cycle, r.bus_bytes_per_cycle
            ),
            alarm: false,
            trust: SIMULATED,
        },
        BigNumber {
            value: if r.golden_equal { "equal" } else { "different" }.into(),
            unit: "text".into(),
            note: format!("{} tokens out of the simulated serial line, against the golden model", r.tokens.len()),
            alarm: !r.golden_equal,
            trust: SIMULATED,
        },
    ];
    let loaded = match r.loaded_over_the_line {
        true => "Image, programs and text went over the simulated serial line.",
        false => "The image was in the memory from the start; programs and text went over the simulated serial line.",
    };
    vec![
        code_block(&r.command),
        big_numbers(&numbers),
        code_block(&format!("{}{}", r.prompt, r.text)),
        paragraph(&format!(
            "{loaded} The memory chip's model checks every time it needs and found no violation in {} reads and {} opened rows; \
             two refreshes were {:.2} µs apart at most. {} clock cycles were simulated in {:.0} s.",
            thousands(r.sdram_reads),
            thousands(r.sdram_activates),
            r.refresh_gap_us,
            thousands(r.simulated_cycles),
            r.seconds
        )),
    ]
}

/// An estimate.
pub fn estimate_section(r: &FpgaEstimateRecord) -> Result<Vec<Html>, ReportError> {
    let numbers = [BigNumber {
        value: if r.fits { "fits" } else { "does not fit" }.into(),
        unit: String::new(),
        note: format!("the fullest resource, {}, is {} full", r.fullest, percent(r.fullest_share)),
        alarm: !r.fits,
        trust: MAPPED,
    }];
    Ok(vec![
        code_block(&r.command),
        big_numbers(&numbers),
        utilisation_figure("What the part has and the chip needs", MAPPED, &r.resources)?,
        blocks_figure("Where the logic is", MAPPED, &r.units, "Modules below the core; each distinct one is synthesised once and counted for every instance.")?,
        paragraph(&format!(
            "By synthesis with {}, nothing placed. The part's numbers: {}. Only the chip is counted: ports, clocks and the way to \
             the memory controller come on top.",
            // what it was built with is in the record
            r.yosys.split(" (").next().unwrap_or_default(),
            r.part_source
        )),
        details("Every unit", blocks_table(MAPPED, &r.units, true)),
    ])
}

/// A count that may have a half.
fn count(n: f64) -> String {
    match n.fract() == 0.0 {
        true => thousands(n as u64),
        false => format!("{n:.1}"),
    }
}

pub(crate) fn utilisation_figure(title: &str, trust: &[Trust], resources: &[Resource]) -> Result<Html, ReportError> {
    let list: Vec<Bar> = (resources.iter())
        .map(|r| {
            let share = (r.share() * 100.0).round() as u64;
            let (colour, full) = if r.used > r.available { (&RED, share) } else { (LOGIC, share.min(100)) };
            let tip = format!("{}: {} of {}", r.name, count(r.used), count(r.available));
            let rest = BarPart { colour: FREE, value: 100u64.saturating_sub(full), tip: tip.clone() };
            let label = format!("{} ({})", r.what, r.name);
            let value = format!("{} of {} · {}", count(r.used), count(r.available), percent(r.share()));
            Bar { label, parts: vec![BarPart { colour, value: full, tip }, rest], value }
        })
        .collect();
    let description: Vec<String> = list.iter().map(|b| format!("{}: {}", b.label, b.value)).collect();
    let words = BarsText { title, description: &description.join("; "), axis: "percent of what is there" };
    let picture = bars(words, &list)?;
    let reading = "A full bar is a resource used up.";
    Ok(figure(&Figure { title, reading, picture: &picture, legend: &[(LOGIC, "used"), (FREE, "free")], trust }))
}

fn blocks_figure(title: &str, trust: &[Trust], blocks: &[Block], reading: &str) -> Result<Html, ReportError> {
    let list: Vec<Bar> = (blocks.iter().take(SHOWN))
        .map(|b| Bar {
            label: short(&b.name),
            parts: vec![
                BarPart { colour: LOGIC, value: b.luts, tip: format!("{}: {} LUTs", b.name, thousands(b.luts)) },
                BarPart { colour: &CYAN, value: b.ffs, tip: format!("{}: {} flip-flops", b.name, thousands(b.ffs)) },
            ],
            value: format!("{} + {}", thousands(b.luts), thousands(b.ffs)),
        })
        .collect();
    let words = BarsText { title, description: reading, axis: "cells" };
    let picture = bars(words, &list)?;
    Ok(figure(&Figure { title, reading, picture: &picture, legend: &[(LOGIC, "LUTs"), (&CYAN, "flip-flops")], trust }))
}

/// Delay of the slowest path by block, in picoseconds: logic and routing.
pub(crate) fn path_figure(r: &FpgaBuildRecord) -> Result<Html, ReportError> {
    let mut blocks: Vec<(String, u64, u64)> = vec![];
    for step in &r.critical_path {
        let ps = (step.delay_ns * 1000.0).round() as u64;
        let (logic, routing) = if step.kind == "routing" { (0, ps) } else { (ps, 0) };
        match blocks.iter_mut().find(|b| b.0 == step.block) {
            Some(b) => (b.1, b.2) = (b.1 + logic, b.2 + routing),
            None => blocks.push((step.block.clone(), logic, routing)),
        }
    }
    blocks.sort_by_key(|b| std::cmp::Reverse(b.1 + b.2));
    let list: Vec<Bar> = (blocks.iter())
        .map(|(name, logic, routing)| Bar {
            label: short(name),
            parts: vec![
                BarPart { colour: LOGIC, value: *logic, tip: format!("{name}: {logic} ps in cells") },
                BarPart { colour: &ORANGE, value: *routing, tip: format!("{name}: {routing} ps on wires") },
            ],
            value: format!("{:.2} ns", (logic + routing) as f64 / 1000.0),
        })
        .collect();
    let title = "Where the slowest path runs";
    let reading = "The path that sets the clock, its time by the block its cells lie in.";
    let picture = bars(BarsText { title, description: reading, axis: "picoseconds" }, &list)?;
    Ok(figure(&Figure {
        title,
        reading,
        picture: &picture,
        legend: &[(LOGIC, "in cells"), (&ORANGE, "on wires")],
        trust: PLACED,
    }))
}

/// The end of an instance path: `u_system.u_anser.u_core.u_vec` is `core.vec`.
fn short(name: &str) -> String {
    if name.is_empty() {
        return "top".into();
    }
    let parts: Vec<&str> = name.split('.').map(|p| p.strip_prefix("u_").unwrap_or(p)).collect();
    let known = ["system", "anser", "core"];
    let from = parts.iter().position(|p| !known.contains(p)).unwrap_or(parts.len() - 1);
    parts[from..].join(".")
}

fn blocks_table(trust: &[Trust], blocks: &[Block], urams: bool) -> Html {
    let mut columns = vec![
        Column::text("block"),
        Column::number("LUT", ""),
        Column::number("FF", ""),
        Column::number("multipliers", ""),
        Column::number("block RAM", ""),
    ];
    if urams {
        columns.push(Column::number("UltraRAM", ""));
    }
    let rows: Vec<Vec<String>> = (blocks.iter())
        .map(|b| {
            vec![
                b.name.clone(),
                thousands(b.luts),
                thousands(b.ffs),
                thousands(b.dsps),
                count(b.brams),
                thousands(b.urams),
            ]
        })
        .collect();
    table("Cells by block", trust, &columns, &rows)
}

fn path_table(r: &FpgaBuildRecord) -> Html {
    let columns = [Column::text("kind"), Column::number("delay", "ns"), Column::text("cell")];
    let rows: Vec<Vec<String>> =
        r.critical_path.iter().map(|s| vec![s.kind.clone(), format!("{:.2}", s.delay_ns), s.cell.clone()]).collect();
    table("The slowest path", PLACED, &columns, &rows)
}

fn tools_table(r: &FpgaBuildRecord) -> Html {
    let columns = [Column::text("step or tool"), Column::text("")];
    let tools = r.tools.iter().map(|(k, v)| vec![k.clone(), v.clone()]);
    let steps = r.seconds.iter().map(|(k, s)| vec![k.clone(), format!("{s} s")]);
    let seed = [vec!["seed of the placer".to_string(), r.seed.to_string()]];
    table("What was run", WORDS, &columns, &tools.chain(steps).chain(seed).collect::<Vec<_>>())
}
