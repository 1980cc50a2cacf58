//! `fpga`: a bitstream, the board in simulation, a real board, a larger part.

use super::args::{FpgaBuild, FpgaLoad, FpgaRun, FpgaSimulate, Numbers};
use super::chip::lasting_stream;
use super::model::{config, Model};
use super::origin::origin;
use super::print::{bar, command_line, note, screen, Out};
use super::{Error, CHECK_FAILED};
use fpga::board::{Board, BOARDS};
use fpga::build::BuildRequest;
use fpga::link::{Host, Line, LinkError, LinkOptions};
use fpga::record::{clock_khz, Run};
use fpga::rtl::system::SystemOptions;
use fpga::serial::SerialPort;
use fpga::sim::board::SimBoard;
use fpga::FpgaError;
use golden_model::image::layout::StreamLayout;
use golden_model::network::model::QModel;
use golden_model::text::tokenizer::Tokenizer;
use indicatif::ProgressBar;
use records::fpga::{FpgaBuildRecord, FpgaRunRecord, FpgaSimulationRecord};
use records::output::{check_folder, write};
use rtl_gen::config::Config;
use rtl_gen::program::Program;
use serde::Serialize;
use sim_harness::verilate::BuildOptions;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn board(name: &str) -> Result<&'static Board, Error> {
    let known = || BOARDS.map(|b| b.name).join(", ");
    Ok(fpga::board::find(name).ok_or_else(|| FpgaError::UnknownBoard { name: name.into(), known: known() })?)
}

/// A line that moves while a tool works, if standard error is a terminal; else a line for each thing it begins.
pub fn steps() -> (ProgressBar, impl Fn(&str)) {
    let spinner = screen().add(ProgressBar::new_spinner());
    spinner.enable_steady_tick(Duration::from_millis(200));
    let shown = spinner.clone();
    let noted = RefCell::new(String::new());
    let tell = move |step: &str| {
        if !shown.is_hidden() {
            return shown.set_message(step.to_string());
        }
        // what follows a comma changes several times a second
        let begun = step.split(',').next().unwrap_or(step);
        if noted.replace(begun.to_string()) != begun {
            note(begun);
        }
    };
    (spinner, tell)
}

pub fn build(a: &FpgaBuild, out: &Out) -> Result<ExitCode, Error> {
    let record = measure(a, command_line().join(" "))?;
    out.result(&record, || {
        let used: String = (record.utilisation.iter())
            .map(|r| format!("{:>8} of {:>6} {} ({})\n", r.used, r.available, r.what, r.name))
            .collect();
        format!(
            "{used}{:.1} MHz by place and route, clock {} MHz{}; {}, {} bytes; {}",
            record.fmax_mhz,
            record.clock_mhz,
            if record.meets_clock { "" } else { ": TOO FAST, build again with --clock-mhz below it" },
            a.output.join(&record.bitstream).display(),
            record.bitstream_bytes,
            times(&record)
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How long each step took.
fn times(record: &FpgaBuildRecord) -> String {
    let one = |(step, seconds): (&String, &f64)| match *seconds > 0.0 {
        true => format!("{step} {seconds} s"),
        false => format!("{step} as before"),
    };
    record.seconds.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Builds into the folder of `a`, record and page included.
pub fn measure(a: &FpgaBuild, command: String) -> Result<FpgaBuildRecord, Error> {
    let board = board(&a.board)?;
    let config = config(&a.config)?;
    check_folder(&a.output)?;
    let request = BuildRequest { board, clock_khz: clock_khz(board, a.clock_mhz), seed: a.seed };
    let (spinner, tell) = steps();
    let done = fpga::build::build(&config, &request, &a.output, &tell);
    spinner.finish_and_clear();
    let record = fpga::record::build(&config, &request, &done?, origin(command));
    write_record(&a.output, fpga::build::FINISHED, &record)?;
    Ok(record)
}

/// Writes a record and makes the folder's page anew from every record there.
pub fn write_record(folder: &Path, name: &str, record: &impl Serialize) -> Result<(), Error> {
    write(&folder.join(name), serde_json::to_string_pretty(record)? + "\n")?;
    let build: Option<FpgaBuildRecord> = there(folder, fpga::build::FINISHED)?;
    let simulation: Option<FpgaSimulationRecord> = there(folder, SIMULATION)?;
    let mut names: Vec<String> = (std::fs::read_dir(folder)?.flatten())
        .filter_map(|f| f.file_name().into_string().ok())
        .filter(|n| n.starts_with("estimate-") && n.ends_with(".json"))
        .collect();
    names.sort();
    let estimates = names.iter().map(|n| records::fpga::read(&folder.join(n))).collect::<Result<Vec<_>, _>>()?;
    let page = reports::html::fpga::fpga_page(build.as_ref(), simulation.as_ref(), &estimates)?;
    write(&folder.join("index.html"), page)?;
    note(format_args!("report written to {}", folder.join("index.html").display()));
    Ok(())
}

fn there<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, Error> {
    let path = folder.join(name);
    Ok(if path.is_file() { Some(records::fpga::read(&path)?) } else { None })
}

const SIMULATION: &str = "simulation.json";

/// A model, its image and its programs.
struct Loaded {
    name: String,
    tokenizer: Tokenizer,
    golden: QModel,
    image: &'static [u8],
    program: Program,
}

fn loaded(model: &Option<PathBuf>, numbers: &Numbers, config: &Config) -> Result<Loaded, Error> {
    let (model, name) = Model::open(model)?;
    let tokenizer = model.tokenizer();
    let numbers = model.numbers_for(config, numbers);
    let (golden, _) = model.quantised(&numbers)?;
    let view = rtl_gen::program::model::view(&golden, &StreamLayout::of(&golden));
    let program = rtl_gen::program::compile(config, &view)?;
    Ok(Loaded { name, tokenizer, image: lasting_stream(&model, &golden), golden, program })
}

/// Refuses an empty prompt before any work is done.
fn check_prompt(text: &str) -> Result<(), Error> {
    match text.is_empty() {
        true => Err("--prompt is empty, expected at least one byte".into()),
        false => Ok(()),
    }
}

pub fn simulate(a: &FpgaSimulate, out: &Out) -> Result<ExitCode, Error> {
    let board = board(&a.board)?;
    let config = config(&a.config)?;
    check_prompt(&a.prompt)?;
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let pll = fpga::pll::pll(board.oscillator_khz, clock_khz(board, a.clock_mhz))?;
    sim_harness::toolchain::check_simulator()?;
    let model = loaded(&a.model, &a.numbers, &config)?;
    // eight clocks a bit: the line is not what is measured
    let options =
        SystemOptions { clocks_per_bit: 8, frame_timeout_cycles: 4000, ..SystemOptions::of(board, pll.clock_khz) };
    let build = BuildOptions { progress: Some(Arc::new(|step| note(step))), ..BuildOptions::default() };
    let memory: &[u8] = if a.load { &[] } else { model.image };
    let sim = SimBoard::new(&config, board, &options, memory, &build)?;
    let start = Instant::now();
    let limits = LinkOptions { reply: Duration::from_micros(400), token: Duration::from_millis(500), tries: 4 };
    let mut host = Host::connect(sim, &config, limits)?;
    if a.load {
        load_image(&mut host, model.image, board)?;
    }
    host.load_programs(&model.program.code, model.program.tokens)?;
    // one token in a frame, so that the bar moves
    let prompt = model.tokenizer.encode(&a.prompt)?;
    let (said, _) = speak(&mut host, &model.tokenizer, &prompt, 1, a.tokens, out)?;
    let expected = golden_says(&model.golden, &prompt, said.len());
    let run = Run {
        config: &config,
        board,
        clock_khz: pll.clock_khz,
        model: &model.name,
        prompt: &a.prompt,
        text: String::from_utf8_lossy(&model.tokenizer.decode(&said)).into_owned(),
        said,
        expected,
        loaded_over_the_line: a.load,
        seconds: start.elapsed().as_secs_f64(),
    };
    let done = fpga::record::simulation(&mut host, run, origin(command_line().join(" ")))?;
    note(format_args!(
        "{} on {}: {} cycles a token, {:.1} tokens/s at {} MHz, {:.2} bytes a cycle from the SDRAM; the text {} golden's",
        done.config,
        done.board,
        done.cycles_per_token,
        done.tokens_per_s,
        done.clock_mhz,
        done.memory_bytes_per_cycle,
        if done.golden_equal { "equals" } else { "DIFFERS from" }
    ));
    if let Some(folder) = &a.output {
        write_record(folder, SIMULATION, &done)?;
    }
    if out.json {
        out.result(&done, String::new)?;
    }
    Ok(if done.golden_equal { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Sends `prompt` to the board, `at_once` tokens at a time, and writes what the board says, up to `n` tokens, as it comes.
/// Returns those tokens and the seconds they took.
fn speak<L: Line>(
    host: &mut Host<L>,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    at_once: usize,
    n: u16,
    out: &Out,
) -> Result<(Vec<u32>, f64), Error> {
    let beginning = tokenizer.decode(prompt);
    let text = out.text(&beginning, prompt.len(), n.into());
    for (i, tokens) in prompt.chunks(at_once).enumerate() {
        host.feed(tokens, i == 0)?;
        text.read(tokens.len());
    }
    let start = Instant::now();
    // a World model ends its text with a token of its own, behind which there is nothing to say
    let said = host.speak(n, |token| {
        text.read(1);
        tokenizer.end_of_text() != Some(token) && text.write(&tokenizer.decode(&[token]))
    });
    let seconds = start.elapsed().as_secs_f64();
    text.end()?;
    let mut said = said?;
    if let Some(end) = said.iter().position(|t| tokenizer.end_of_text() == Some(*t)) {
        said.truncate(end + 1); // the board was asked to stop while it worked on the next token
    }
    Ok((said, seconds))
}

/// `n` tokens after `prompt`, greedily, by the specification.
fn golden_says(golden: &QModel, prompt: &[u32], n: usize) -> Vec<u32> {
    use golden_model::network::integer_step::{argmax, step, IntState, NoTaps};
    let mut state = IntState::new(golden);
    let mut next = 0;
    let mut read = |token: u32| {
        let logits = step(golden, token as usize, &mut state, &mut Default::default(), &mut NoTaps);
        argmax(&logits) as u32
    };
    for token in prompt {
        next = read(*token);
    }
    (0..n)
        .map(|i| {
            if i > 0 {
                next = read(next);
            }
            next
        })
        .collect()
}

fn load_image<L: Line>(host: &mut Host<L>, image: &[u8], board: &Board) -> Result<(), LinkError> {
    let bar = bar(image.len() as u64, "loading");
    let done = host.load_memory(image, board.sdram.bytes(), |n| bar.set_position(n as u64));
    bar.finish_and_clear();
    done
}

pub fn load(a: &FpgaLoad, out: &Out) -> Result<ExitCode, Error> {
    let board = board(&a.board)?;
    let record = fpga::load::load(board, &a.folder, a.flash)?;
    out.result(&record, || {
        format!(
            "{} holds configuration {} at {} MHz; next: anser fpga run --port /dev/ttyUSB0 --config {} --prompt TEXT",
            board.title, record.config, record.clock_mhz, record.config
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

pub fn run(a: &FpgaRun, out: &Out) -> Result<ExitCode, Error> {
    let board = board(&a.board)?;
    let config = config(&a.config)?;
    check_prompt(&a.prompt)?;
    let port = SerialPort::open(&a.port, board.baud)?;
    let model = loaded(&a.model, &a.numbers, &config)?;
    let mut host = Host::connect(port, &config, LinkOptions::default())?;
    if !a.no_load {
        load_image(&mut host, model.image, board)?;
        host.load_programs(&model.program.code, model.program.tokens)?;
    }
    let prompt = model.tokenizer.encode(&a.prompt)?;
    let (said, seconds) = speak(&mut host, &model.tokenizer, &prompt, prompt.len(), a.tokens, out)?;
    let done = FpgaRunRecord {
        board: board.name.into(),
        config: config.name.clone(),
        model: model.name,
        prompt: a.prompt.clone(),
        text: String::from_utf8_lossy(&model.tokenizer.decode(&said)).into_owned(),
        tokens_per_s: said.len() as f64 / seconds.max(1e-9),
        tokens: said,
        cycles_per_token: host.read(rtl_gen::registers::reg::CYCLES)?,
        frames_repeated: host.repeated,
    };
    note(format_args!("{:.1} tokens/s, {} cycles a token", done.tokens_per_s, done.cycles_per_token));
    if out.json {
        out.result(&done, String::new)?;
    }
    Ok(ExitCode::SUCCESS)
}
