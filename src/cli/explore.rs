//! `explore`: many configurations for one model, by the analytical model.

use super::args::{Explore, Weights};
use super::files::config_names;
use super::model::{config, Model};
use super::print::{bar, command_line, note, Out};
use super::Error;
use explore::fit::fit;
use explore::shape::outline;
use explore::sweep::{sweep, Axes, PointError};
use golden_model::checkpoint::random::official_shape;
use golden_model::checkpoint::Shape;
use records::explore::{DrawnPoint, ExploreRecord, Explored, Weights as Format};
use records::output::check_folder;
use rtl_gen::config::Config;
use rtl_gen::program::compile;
use std::process::ExitCode;

pub fn explore(a: &Explore, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let (shape, name) = shape(a)?;
    let base = config(&a.config)?;
    let axes = axes(a, &base)?;
    let lists =
        [axes.bus_bits.len(), axes.clock_mhz.len(), axes.weights.len(), axes.state_bits.len(), axes.sessions.len()];
    let n = lists.iter().product::<usize>() * axes.memories.len();
    let bar = bar(n as u64, "configurations");
    let start = std::time::Instant::now();
    let (points, failed) = sweep(&base, &shape, &axes, || bar.inc(1));
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    bar.finish_and_clear();
    let left_out: Vec<String> = failed.iter().map(ToString::to_string).collect();
    if points.is_empty() {
        let too_large = failed.iter().any(|e| matches!(e, PointError::Fit(why) if why.is_too_large()));
        let other = if too_large { serving(&shape) } else { None };
        let hint = other.map_or(String::new(), |name| format!("; try --config {name}"));
        return Err(format!("no configuration can serve this model: {}{hint}", left_out.join("; ")).into());
    }
    if let Some(folder) = &a.output {
        let record = ExploreRecord {
            model: name.clone(),
            command: command_line().join(" "),
            points: points.iter().map(DrawnPoint::from).collect(),
            left_out: left_out.clone(),
        };
        let page = reports::explore::write(&record, folder)?;
        note(format_args!("report written to {}", page.display()));
    }
    let found = Explored {
        model: name,
        n_layer: shape.n_layer,
        n_embd: shape.n_embd,
        head_size: shape.head_size,
        vocab_size: shape.vocab_size,
        dim_ffn: shape.dim_ffn,
        n_params: shape.n_params(),
        points,
        left_out,
        milliseconds,
    };
    out.result(&found, || table(&found))?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a configuration that serves a model of `shape`: first of those whose limits hold it as they are.
fn serving(shape: &Shape) -> Option<String> {
    let known: Vec<Config> = config_names().iter().filter_map(|name| config(name).ok()).collect();
    let model = |c: &Config| outline(shape, Format::W8, c.numbers.state_bits as u32);
    let holds = |c: &&Config| compile(c, &model(c)).is_ok();
    let grown = |c: &&Config| fit(c, shape, &model(c)).is_ok();
    known.iter().find(holds).or_else(|| known.iter().find(grown)).map(|c| c.name.clone())
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
