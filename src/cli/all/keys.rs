//! What a step's result depends on, as one hash: a step is run again when it changes, and only then.

use crate::cli::args::{All, Libraries, Numbers};
use crate::cli::files::{project_file, OWN_MODEL};
use crate::cli::model::{held_out_text, read, Model};
use crate::cli::{asic, Error};
use golden_model::image::layout::StreamLayout;
use reports::all::Report;
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Printed};
use sha2::{Digest, Sha256};
use sim_harness::toolchain::Verilator;
use std::fmt::Write;
use std::path::PathBuf;

/// Hashes of everything that a step may read. What cannot be looked at holds the reason.
pub struct Inputs {
    config: String,
    model: String,
    text: String,
    /// RTL of the core with its trace ports, which is simulated.
    core: String,
    /// RTL of the chip, which is mapped.
    top: String,
    /// Image and programs; a model that is too large for the configuration has none.
    program: Result<String, String>,
    libraries: Result<String, String>,
    verilator: Result<String, String>,
    yosys: Result<String, String>,
    sta: Result<String, String>,
    weights: String,
    max_tokens: u32,
}

impl Inputs {
    /// Reads all inputs.
    ///
    /// # Errors
    /// A model that cannot be read, or a configuration whose RTL cannot be printed.
    pub fn read(a: &All, config: &Config, model: &Model) -> Result<Inputs, Error> {
        let path = match &a.model {
            Some(path) => path.clone(),
            None => project_file(OWN_MODEL)?,
        };
        let rtl = |printed: Printed| digest(printed.files.iter().flat_map(|(f, t)| [f.as_bytes(), t.as_bytes()]));
        let (yosys, program) = std::thread::scope(|scope| {
            // Yosys takes a second to say its version
            let yosys = scope.spawn(|| ::asic::tools::yosys().map(|p| p.version).map_err(|e| e.to_string()));
            let program = program(config, model, &numbers(a)).map_err(|e| e.to_string());
            let stopped = |_| Err("asking Yosys for its version stopped unexpectedly".into());
            (yosys.join().unwrap_or_else(stopped), program)
        });
        Ok(Inputs {
            config: digest([format!("{config:?}").as_bytes()]),
            model: digest([&read(&path)?[..]]),
            text: held_out_text().map_or("none".into(), |t| digest([&t[..]])),
            core: rtl(print(&rtl_gen::blocks::core::core(config))?),
            top: rtl(print(&rtl_gen::blocks::core::top(config))?),
            program,
            libraries: libraries(&a.libraries).map_err(|e| e.to_string()),
            verilator: Verilator::find().map(|v| v.version).map_err(|e| e.to_string()),
            yosys,
            sta: ::asic::tools::sta().map(|p| p.version).map_err(|e| e.to_string()),
            weights: format!("{:?}", a.weights),
            max_tokens: a.max_tokens,
        })
    }

    /// The hash of a step's inputs, or why it cannot run.
    pub fn key(&self, step: Report, a: &All) -> Result<String, String> {
        let tokens = self.max_tokens.to_string();
        let known = |x: &Result<String, String>| x.clone();
        let parts: Vec<String> = match step {
            Report::Latency => vec![
                env!("ANSER_SOURCES_SIM_HARNESS").into(),
                known(&self.verilator)?,
                self.core.clone(),
                self.config.clone(),
                known(&self.program)?,
            ],
            Report::Accuracy => {
                vec![env!("ANSER_SOURCES_GOLDEN_MODEL").into(), self.model.clone(), self.text.clone(), tokens]
            }
            Report::Asic => vec![
                env!("ANSER_SOURCES_ASIC").into(),
                self.top.clone(),
                self.config.clone(),
                known(&self.libraries)?,
                known(&self.yosys)?,
                known(&self.sta)?,
            ],
            Report::Power => vec![
                env!("ANSER_SOURCES_ASIC").into(),
                self.top.clone(),
                self.core.clone(),
                self.config.clone(),
                known(&self.libraries)?,
                known(&self.yosys)?,
                known(&self.verilator)?,
                known(&self.program)?,
                self.text.clone(),
            ],
            Report::Xck26 | Report::Lfe5u85f => {
                vec![env!("ANSER_SOURCES_FPGA").into(), self.top.clone(), known(&self.yosys)?]
            }
            Report::PlaceAndRoute => vec![format!("{:?}", (&self.config, &a.fpga_build)), self.top.clone()],
        };
        let own = [format!("{step:?}"), self.weights.clone()];
        Ok(digest(own.iter().chain(&parts).map(|p| p.as_bytes())))
    }
}

/// The numbers of the chip's model.
pub fn numbers(a: &All) -> Numbers {
    Numbers { weights: a.weights, ..Numbers::default() }
}

/// Image and programs of `model` on `config`.
fn program(config: &Config, model: &Model, numbers: &Numbers) -> Result<String, Error> {
    let weights = model.fast(&model.numbers_for(config, numbers))?;
    let view = rtl_gen::program::model::view(&weights, &StreamLayout::of(&weights));
    let program = rtl_gen::program::compile(config, &view)?;
    Ok(digest([weights.emb.stream(), format!("{:?}", program.code).as_bytes()]))
}

fn libraries(a: &Libraries) -> Result<String, Error> {
    let files: Vec<PathBuf> = asic::library_files(a)?;
    let texts = files.iter().map(|f| read(f)).collect::<Result<Vec<_>, Error>>()?;
    let options = format!("{:?}", (a.clock_mhz, a.ram_um2_per_bit, a.ram_pj_per_bit, a.ram_clk_to_q_ns));
    Ok(digest(texts.iter().map(|t| &t[..]).chain([options.as_bytes()])))
}

/// Returns a hash over parts as hex digits. The lengths are hashed too, so that no two lists of parts are the same text.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
