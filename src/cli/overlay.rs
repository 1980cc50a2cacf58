//! `fpga overlay` and `fpga bus`: the chip beside a processor, as files and in simulation.

use super::args::{FpgaBus, FpgaOverlay};
use super::model::{config, Model};
use super::print::{note, Out};
use super::{npy, Error};
use fpga::pynq::{package, BOARDS};
use fpga::FpgaError;
use golden_model::image::layout::StreamLayout;
use golden_model::text::tokenizer::Tokenizer;
use records::output::{check_folder, write, write_parts};
use rtl_gen::program::Program;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sim_harness::bus::BusChip;
use sim_harness::verilate::BuildOptions;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Raised when the files of a model change their meaning; `anser_pynq/model.py` compares it.
const FORMAT: u32 = 1;
/// What `anser_pynq/model.py` calls the programs, in the order of `rtl_gen::isa::FORMATS`.
const UNITS: [&str; 4] = ["dma", "mat", "vec", "wkv"];
const VOCABULARY: [&str; 2] = ["vocabulary_bytes.npy", "vocabulary_ends.npy"];

/// `model.json`: what a host needs to know of a model beside its arrays.
#[derive(Serialize)]
struct ModelFile {
    format: u32,
    generator: &'static str,
    name: String,
    config: String,
    /// What register CONFIG reads in a chip that runs the programs.
    fingerprint: u32,
    vocabulary: usize,
    /// `bytes`, `vocabulary` (the two vocabulary files) or `numbers`.
    tokenizer: &'static str,
    /// The token that ends a text, if there is one.
    end_of_text: Option<u32>,
    /// A logit is an integer times 2 to the power of minus this.
    logit_frac_bits: i32,
    n_layer: usize,
    n_embd: usize,
    head_size: usize,
    image_bytes: usize,
    image_sha256: String,
    /// Words of the four programs.
    program_words: [usize; 4],
    /// Bytes of a session's state in memory; 0 if the chip keeps it.
    state_bytes: usize,
    /// First vmem element of each layer's `att_x_prev` and `ffn_x_prev`, where the chip keeps the state.
    session_vectors: Vec<[usize; 2]>,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    board: String,
    package: Vec<&'static str>,
    model: ModelFile,
}

pub fn overlay(a: &FpgaOverlay, out: &Out) -> Result<ExitCode, Error> {
    if !BOARDS.contains(&a.board.as_str()) {
        return Err(FpgaError::UnknownBoard { name: a.board.clone(), known: BOARDS.join(", ") }.into());
    }
    let config = config(&a.config)?;
    check_folder(&a.output)?;
    let (model, name) = Model::open(&a.model)?;
    let weights = model.fast(&model.numbers_for(&config, &a.numbers))?;
    let view = rtl_gen::program::model::view(&weights, &StreamLayout::of(&weights));
    let program = rtl_gen::program::compile(&config, &view)?;
    let (image, shape, tokenizer) = (weights.emb.stream(), &weights.shape, model.tokenizer());

    let files = package(&config);
    for (file, text) in &files {
        write(&a.output.join(file), text)?;
    }
    let folder = a.output.join("model");
    write_parts(&folder.join("image.npy"), [&npy::bytes_header(image.len())[..], image])?;
    write_programs(&folder, &program)?;
    write_vocabulary(&folder, &tokenizer, shape.vocab_size)?;
    let model = ModelFile {
        format: FORMAT,
        generator: concat!("anser ", env!("CARGO_PKG_VERSION")),
        name,
        fingerprint: config.fingerprint(),
        vocabulary: shape.vocab_size,
        tokenizer: kind(&tokenizer),
        end_of_text: tokenizer.end_of_text(),
        logit_frac_bits: weights.f.f_logits,
        n_layer: shape.n_layer,
        n_embd: shape.n_embd,
        head_size: shape.head_size,
        image_bytes: image.len(),
        image_sha256: Sha256::digest(image).iter().map(|b| format!("{b:02x}")).collect(),
        program_words: [0, 1, 2, 3].map(|unit| program.code[unit].iter().map(Vec::len).sum()),
        state_bytes: program.state.map_or(0, |s| s.useful_bytes()),
        session_vectors: program.session_vectors,
        config: config.name,
    };
    // last, so that a folder with this file has all others
    write(&folder.join("model.json"), serde_json::to_string_pretty(&model)? + "\n")?;
    let written = Written { board: a.board.clone(), package: files.iter().map(|(name, _)| *name).collect(), model };
    out.result(&written, || {
        format!(
            "{}: the package anser_pynq for {} ({}), and in model/ {} with an image of {} bytes; README.md says what to do with them",
            a.output.display(),
            written.model.config,
            written.board,
            written.model.name,
            written.model.image_bytes
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn kind(tokenizer: &Tokenizer) -> &'static str {
    match tokenizer.name() {
        "bytes" => "bytes",
        _ if tokenizer.is_text() => "vocabulary",
        _ => "numbers",
    }
}

fn write_programs(folder: &Path, program: &Program) -> Result<(), Error> {
    for (unit, code) in UNITS.iter().zip(&program.code) {
        write(&folder.join(format!("program_{unit}.npy")), npy::words(code.iter().flatten().copied()))?;
    }
    Ok(())
}

/// Writes the bytes of all tokens behind each other, and where each ends; removes those of an earlier model that had them.
fn write_vocabulary(folder: &Path, tokenizer: &Tokenizer, size: usize) -> Result<(), Error> {
    if kind(tokenizer) != "vocabulary" {
        for name in VOCABULARY {
            let _ = std::fs::remove_file(folder.join(name));
        }
        return Ok(());
    }
    let (mut bytes, mut ends) = (vec![], vec![]);
    for token in 0..size as u32 {
        bytes.extend(tokenizer.bytes(token).unwrap_or_default());
        ends.push(bytes.len() as u32);
    }
    write_parts(&folder.join(VOCABULARY[0]), [&npy::bytes_header(bytes.len())[..], &bytes])?;
    write(&folder.join(VOCABULARY[1]), npy::words(ends))?;
    Ok(())
}

pub fn bus(a: &FpgaBus, out: &Out) -> Result<ExitCode, Error> {
    let config = config(&a.config)?;
    if out.json {
        return Err("--json has no effect here: standard output carries the answers to the other program".into());
    }
    sim_harness::toolchain::check_simulator()?;
    let build = BuildOptions { progress: Some(Arc::new(|step| note(step))), ..BuildOptions::default() };
    let mut chip = BusChip::new(&config, a.stall, a.seed, &build)?;
    fpga::sim::bus::serve(&mut chip, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}
