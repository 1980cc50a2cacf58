//! `report power` of the chip itself: its mapped netlist runs tokens, their toggles become watts.

use super::args::{Chip as ChipArgs, Power};
use super::model::{held_out_text, Model};
use super::origin::origin;
use super::print::{bar, command_line, note, Out};
use super::{asic, chip, Error, CHECK_FAILED};
use ::asic::chip_power::Run;
use ::asic::energy::{self, ExternalMemory};
use ::asic::replay::Cycles;
use golden_model::quantise::calibrate::random_tokens;
use records::output::{check_folder, write};
use records::power::PowerRecord;
use sim_harness::toolchain::check_simulator;
use std::process::ExitCode;
use std::sync::Arc;

pub fn chip_power(a: &Power, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let Measured { record, report, failed } = measure(a, command_line().join(" "))?;
    if let Some(folder) = &a.output {
        let json = serde_json::to_string_pretty(&record)? + "\n";
        write(&folder.join("power.json"), json)?;
        write(&folder.join("instances.csv"), report.instances_csv())?;
        write(&folder.join("index.html"), reports::power::page(&record)?)?;
        note(format_args!("report written to {}", folder.join("index.html").display()));
    }
    out.result(&record, || text(&record))?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// What a run found, and whether any comparison on the way failed.
pub struct Measured {
    pub record: PowerRecord,
    pub report: ::power::Report,
    pub failed: bool,
}

/// Maps the chip, runs its netlist and turns the toggles into watts; writes nothing.
pub fn measure(a: &Power, command: String) -> Result<Measured, Error> {
    ::asic::tools::yosys()?; // what is missing is said before minutes of work
    check_simulator()?;
    let cells = asic::cells(&a.libraries)?;
    energy::check(&cells)?;
    let (model, name) = Model::open(&a.model)?;
    let args = ChipArgs { config: a.config.clone(), ..ChipArgs::default() };
    let (mut chip, image) = chip::with_image(&model, &a.numbers, &args, 0)?;
    let config = chip.config.clone();
    let progress = |text: &str| note(text);
    let flow = asic::flow(&cells, &a.libraries, config.clock_mhz, &progress);
    let warm_up = a.warm_up as usize;
    let (tokens, sample) = sample(&model, warm_up + a.tokens as usize)?;
    let d = ExternalMemory::default();
    let verilator = a.verilator.then(|| Arc::new(|step: &str| note(step)) as sim_harness::verilate::Progress);
    let run = Run {
        model: &name,
        image,
        warm_up,
        sample,
        external: ExternalMemory { typical: a.dram_pj_per_bit.unwrap_or(d.typical), ..d },
        verilator,
        tokens,
    };
    let cycles_done = bar(0, "cycles");
    let shown = cycles_done.clone();
    let n_tokens = run.tokens.len();
    let begin = |cycles: u64| -> Cycles {
        note(format_args!("running {n_tokens} tokens on the netlist, {warm_up} of them before counting"));
        shown.set_length(cycles);
        Arc::new(move |n| shown.set_position(n.min(cycles)))
    };
    let found = ::asic::chip_power::measure(&mut chip, run, &flow, origin(command), begin)?;
    cycles_done.finish_and_clear();
    let mut failed = chip::report_mismatch(&chip, &args, 0);
    for (simulator, replay) in found.replays() {
        replay.first.iter().for_each(|text| note(format_args!("{simulator}: {text}")));
        failed |= replay.mismatches > 0;
    }
    Ok(Measured { record: found.record, report: found.report, failed })
}

/// The tokens to run: text for a model that reads text, so that the vectors are what the model was trained on.
fn sample(model: &Model, n: usize) -> Result<(Vec<u32>, String), Error> {
    let tokenizer = model.tokenizer();
    if tokenizer.is_text() {
        let mut tokens = tokenizer.encode(held_out_text()?)?;
        tokens.truncate(n);
        if tokens.len() == n {
            return Ok((tokens, "the held-out text of the project's own model".into()));
        }
    }
    Ok((random_tokens(model.shape().vocab_size, n), "pseudo-random tokens".into()))
}

fn text(r: &PowerRecord) -> String {
    let g = &r.groups;
    let mut text = format!("{:14}{:>11}{:>11}{:>11}{:>11}\n", "W", "internal", "switching", "leakage", "total");
    let rows = [
        ("sequential", &g.sequential),
        ("combinational", &g.combinational),
        ("clock", &g.clock),
        ("macro", &g.macros),
        ("total", &g.total),
    ];
    for (name, w) in rows {
        text +=
            &format!("{name:14}{:>11.3e}{:>11.3e}{:>11.3e}{:>11.3e}\n", w.internal, w.switching, w.leakage, w.total);
    }
    for b in r.blocks.iter().filter(|b| b.depth == 2 && b.total_w > 0.01 * g.total.total) {
        text += &format!("  {:24}{:>11.3e} logic{:>11.3e} memory\n", b.path, b.logic_w, b.memory_w);
    }
    text += &format!(
        "{}: {:.2} % of {} nets measured over {} tokens, after {}; {} at {} MHz\n",
        r.level,
        100.0 * r.annotated,
        r.n_nets,
        r.tokens,
        r.warm_up,
        r.corner.library,
        r.clock_mhz
    );
    text += &format!(
        "{:.3e} J a token, {:.1} pJ a parameter ({}); external memory {:.3e} J a token ({:.3e} to {:.3e})\n",
        r.j_per_token,
        r.pj_per_parameter,
        r.model,
        r.external.j_per_token,
        r.external.j_per_token_low,
        r.external.j_per_token_high
    );
    let replay = &r.replay;
    text + &format!(
        "netlist: {} cycles, {} values compared with the RTL, {} mismatches",
        replay.cycles, replay.values_compared, replay.mismatches
    )
}
