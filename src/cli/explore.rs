//! `explore`: many configurations for one model, by the analytical model.

use super::args::{Explore, Weights};
use super::files::config_names;
use super::model::{config, Model};
use super::print::{bar, command_line, note, Out};
use super::Error;
use explore::fit::serving;
use explore::sweep::{explored, Axes, NoneServes};
use golden_model::checkpoint::random::official_shape;
use golden_model::checkpoint::Shape;
use records::explore::{ExploreRecord, Explored, Weights as Format};
use records::output::check_folder;
use rtl_gen::config::Config;
use std::process::ExitCode;

pub fn explore(a: &Explore, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let (shape, name) = shape(a)?;
    let base = config(&a.config)?;
    let axes = axes(a, &base)?;
    let bar = bar(axes.n_points() as u64, "configurations");
    let found = explored(&base, (&name, &shape), &axes, || bar.inc(1));
    bar.finish_and_clear();
    let found = found.map_err(|none| hint(&none, &shape))?;
    if let Some(folder) = &a.output {
        let page = reports::explore::write(&ExploreRecord::of(&found, command_line().join(" ")), folder)?;
        note(format_args!("report written to {}", page.display()));
    }
    out.result(&found, || table(&found))?;
    Ok(ExitCode::SUCCESS)
}

/// The error, and for a model that is too large the configuration that serves it.
fn hint(none: &NoneServes, shape: &Shape) -> String {
    let known: Vec<Config> = config_names().iter().filter_map(|name| config(name).ok()).collect();
    let other = if none.is_too_large() { serving(&known, shape) } else { None };
    format!("{none}{}", other.map_or(String::new(), |c| format!("; try --config {}", c.name)))
}

fn shape(a: &Explore) -> Result<(Shape, String), Error> {
    match (a.layers, a.embd) {
        (Some(layers), Some(embd)) => {
            let name = format!("L{layers} D{embd} N{} V{}", a.head_size, a.vocab);
            Ok((official_shape(layers, embd, a.head_size, a.vocab)?, name))
        }
        _ => {
            let (model, name) = Model::open(&a.model)?;
            Ok((model.shape().clone(), name))
        }
    }
}

fn axes(a: &Explore, base: &Config) -> Result<Axes, Error> {
    fn or<T: Clone>(list: &[T], base: T) -> Vec<T> {
        if list.is_empty() {
            vec![base]
        } else {
            list.to_vec()
        }
    }
    let memories = match a.memory.is_empty() {
        true => vec![(if base.memory.ddr4.is_some() { "ddr4" } else { "ideal" }.into(), base.memory.clone())],
        false => (a.memory.iter())
            .map(|name| {
                let mut memory = if name == "ideal" { base.memory.clone() } else { config(name)?.memory };
                if name == "ideal" {
                    // a whole beat every cycle, whatever the bus
                    (memory.ddr4, memory.bytes_per_cycle) = (None, f64::from(u16::MAX));
                }
                Ok((name.clone(), memory))
            })
            .collect::<Result<_, Error>>()?,
    };
    let format = |w: Weights| if w == Weights::W4 { Format::W4 } else { Format::W8 };
    Ok(Axes {
        bus_bits: or(&a.bus, base.bus_bits),
        clock_mhz: or(&a.clock, base.clock_mhz),
        weights: or(&a.weights, Weights::W8).into_iter().map(format).collect(),
        state_bits: or(&a.state_bits, base.numbers.state_bits),
        sessions: or(&a.sessions, base.sessions),
        memories,
    })
}

fn table(found: &Explored) -> String {
    let mut s = format!("{}: {} parameters\n", found.model, found.n_params);
    s += "  bus   MHz weights state texts memory        cycles utilisation  tokens/s   GB/s multipliers memory Mbit\n";
    for p in &found.points {
        s += &format!(
            "{} {:>4} {:>5} {:>7} {:>5} {:>5} {:<12} {:>8} {:>9.1} % {:>9.1} {:>6.2} {:>11} {:>11.2}\n",
            if p.pareto { '*' } else { ' ' },
            p.bus_bits,
            p.clock_mhz,
            format!("{:?}", p.weights).to_lowercase(),
            p.state_bits,
            p.sessions,
            p.memory,
            p.cycles.cycles_per_token,
            100.0 * p.cycles.utilisation,
            p.tokens_per_s,
            p.gbytes_per_s,
            p.resources.multipliers,
            p.resources.memory_bits as f64 / 1e6
        );
    }
    for reason in &found.left_out {
        s += &format!("left out: {reason}\n");
    }
    s + "* no other is at least as fast with at most as many multipliers and memory bits"
}
