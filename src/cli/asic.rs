//! `report asic`: area and timing in a cell library.

use super::args::{Asic, Libraries};
use super::model::config;
use super::origin::origin;
use super::print::{command_line, note, Out};
use super::{Error, CHECK_FAILED};
use asic::library::{self, Cells};
use asic::memory::{Model, DEFAULT_BITS};
use asic::Flow;
use records::asic::{AsicRecord, Bits};
use records::output::{check_folder, write};
use std::path::PathBuf;
use std::process::ExitCode;

pub fn asic(a: &Asic, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let record = measure(a, command_line().join(" "))?;
    if let Some(folder) = &a.output {
        let json = serde_json::to_string_pretty(&record)? + "\n";
        write(&folder.join("asic.json"), json)?;
        write(&folder.join("index.html"), reports::asic::page(&record)?)?;
        note(format_args!("report written to {}", folder.join("index.html").display()));
    }
    let met = record.timing.slack_ns >= 0.0 || a.libraries.clock_mhz.is_none();
    out.result(&record, || text(&record))?;
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Maps and times the chip; writes nothing.
pub fn measure(a: &Asic, command: String) -> Result<AsicRecord, Error> {
    ::asic::tools::check()?;
    let config = config(&a.config)?;
    let cells = cells(&a.libraries)?;
    let printed = rtl_gen::hdl::print_specialised(&rtl_gen::blocks::core::top(&config))?;
    let progress = |text: &str| note(text);
    let flow = flow(&cells, &a.libraries, config.clock_mhz, &progress);
    Ok(asic::run::report(&config.name, &printed, &flow, origin(command))?.0)
}

/// The libraries that were asked for, or Debian's.
pub fn cells(a: &Libraries) -> Result<Cells, Error> {
    Ok(Cells::load(&library_files(a)?)?)
}

/// The files of those libraries.
pub fn library_files(a: &Libraries) -> Result<Vec<PathBuf>, Error> {
    Ok(library::files(a.pdk.as_deref(), &a.liberty)?)
}

/// The flow with the parameters of the command line.
pub fn flow<'a>(cells: &'a Cells, a: &Libraries, config_mhz: u32, progress: &'a (dyn Fn(&str) + Sync)) -> Flow<'a> {
    let d = DEFAULT_BITS;
    let bits = Bits {
        um2_per_bit: a.ram_um2_per_bit.unwrap_or(d.um2_per_bit),
        pj_per_bit: a.ram_pj_per_bit.unwrap_or(d.pj_per_bit),
        clk_to_q_ns: a.ram_clk_to_q_ns.unwrap_or(d.clk_to_q_ns),
        ..d
    };
    Flow {
        cells,
        memory: Model::of(cells, bits),
        clock_mhz: a.clock_mhz.unwrap_or(f64::from(config_mhz)),
        cache: sim_harness::cache::default_dir(),
        progress: Some(progress),
    }
}

fn text(r: &AsicRecord) -> String {
    let (a, t, c) = (&r.area, &r.timing, &r.corner);
    let mut text = format!(
        "{} in {} ({} V, {} °C): {:.3} mm² of logic ({:.0} kGE, {} cells, {} of them flip-flops), {:.3} mm² of memory ({} bits)\n",
        r.config,
        c.library,
        c.voltage_v,
        c.temperature_c,
        a.logic_um2 / 1e6,
        a.gate_equivalents / 1e3,
        a.n_cells,
        a.n_flip_flops,
        a.memory_um2 / 1e6,
        a.memory_bits
    );
    for b in r.blocks.iter().filter(|b| b.depth == 2 && b.logic_um2 + b.memory_um2 > 0.01 * a.total_um2) {
        let (l, m) = (b.logic_um2 / 1e6, b.memory_um2 / 1e6);
        text += &format!("  {:24}{l:>9.3} mm² logic{m:>9.3} mm² memory\n", b.path);
    }
    text += &format!("{:.1} MHz; slack {:.3} ns at {} MHz; the worst path:\n", t.fmax_mhz, t.slack_ns, r.clock_mhz);
    if let Some(p) = t.paths.first() {
        text += &format!("  from {} ({})\n", p.start, p.start_module);
        for s in &p.stages {
            text += &format!("    {:7.3} ns  {:3} cells  {} ({})\n", s.delay_ns, s.n_cells, s.instance, s.module);
        }
        text += &format!("  to   {} ({}), setup {:.3} ns\n", p.end, p.end_module, p.setup_ns);
    }
    text
}
