//! What a step's result depends on, as one hash: a step is run again when it changes, and only then.

use crate::error::FlowError;
use golden_model::fast;
use golden_model::image::layout::StreamLayout;
use reports::all::Report;
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Printed};
use sha2::{Digest, Sha256};
use sim_harness::toolchain::Verilator;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the records of a page are made from.
pub struct Sources<'a, F> {
    pub config: &'a Config,
    /// The file of the model.
    pub model: &'a Path,
    /// Makes the integers that lie in the chip's memory, or says why the configuration cannot take the model.
    pub integers: F,
    /// The text that accuracy and power read; none where the program has none.
    pub text: Option<&'a [u8]>,
    pub libraries: Libraries<'a>,
    /// The number format that was asked for, in any words: another text is another key.
    pub weights: &'a str,
    /// Tokens that accuracy reads.
    pub max_tokens: u32,
}

/// The cell libraries of the chip and what mapping aims at; what is absent has its default.
pub struct Libraries<'a> {
    /// Folder with the Liberty files of one corner.
    pub pdk: Option<&'a Path>,
    /// Liberty files of one corner, instead of a folder.
    pub liberty: &'a [PathBuf],
    pub clock_mhz: Option<f64>,
    pub ram_um2_per_bit: Option<f64>,
    pub ram_pj_per_bit: Option<f64>,
    pub ram_clk_to_q_ns: Option<f64>,
}

/// Hashes of everything that a step may read. What cannot be looked at holds the reason.
pub struct Inputs {
    pub(crate) config: String,
    pub(crate) model: String,
    pub(crate) text: String,
    /// RTL of the core with its trace ports, which is simulated.
    pub(crate) core: String,
    /// RTL of the chip, which is mapped.
    pub(crate) top: String,
    /// Image and programs; a model that is too large for the configuration has none.
    pub(crate) program: Result<String, String>,
    pub(crate) libraries: Result<String, String>,
    pub(crate) verilator: Result<String, String>,
    pub(crate) yosys: Result<String, String>,
    pub(crate) sta: Result<String, String>,
    pub(crate) weights: String,
    pub(crate) max_tokens: u32,
}

impl Inputs {
    /// Reads all inputs.
    ///
    /// # Errors
    /// A model that cannot be read, or a configuration whose RTL cannot be printed.
    pub fn read<F>(sources: Sources<F>) -> Result<Inputs, FlowError>
    where
        F: FnOnce() -> Result<fast::Weights, String>,
    {
        let config = sources.config;
        let rtl = |printed: Result<Printed, String>| {
            let printed = printed.map_err(FlowError::Rtl)?;
            Ok::<_, FlowError>(digest(printed.files.iter().flat_map(|(f, t)| [f.as_bytes(), t.as_bytes()])))
        };
        let (yosys, program) = std::thread::scope(|scope| {
            // Yosys takes a second to say its version
            let yosys = scope.spawn(|| asic::tools::yosys().map(|p| p.version).map_err(|e| e.to_string()));
            let program = program(config, sources.integers);
            let stopped = |_| Err("asking Yosys for its version stopped unexpectedly".into());
            (yosys.join().unwrap_or_else(stopped), program)
        });
        Ok(Inputs {
            config: digest([format!("{config:?}").as_bytes()]),
            model: digest([&read(sources.model)?[..]]),
            text: sources.text.map_or("none".into(), |t| digest([t])),
            core: rtl(print(&rtl_gen::blocks::core::core(config)))?,
            top: rtl(print(&rtl_gen::blocks::core::top(config)))?,
            program,
            libraries: sources.libraries.digest(),
            verilator: Verilator::find().map(|v| v.version).map_err(|e| e.to_string()),
            yosys,
            sta: asic::tools::sta().map(|p| p.version).map_err(|e| e.to_string()),
            weights: sources.weights.into(),
            max_tokens: sources.max_tokens,
        })
    }

    /// The hash of a step's inputs, or why it cannot run. `fpga_build` is where a finished build for a board may lie.
    pub(crate) fn key(&self, step: Report, fpga_build: &Path) -> Result<String, String> {
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
            Report::PlaceAndRoute => vec![format!("{:?}", (&self.config, fpga_build)), self.top.clone()],
        };
        let own = [format!("{step:?}"), self.weights.clone()];
        Ok(digest(own.iter().chain(&parts).map(|p| p.as_bytes())))
    }
}

impl Libraries<'_> {
    fn digest(&self) -> Result<String, String> {
        let files = asic::library::files(self.pdk, self.liberty).map_err(|e| e.to_string())?;
        let texts = files.iter().map(|f| read(f)).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        let options =
            format!("{:?}", (self.clock_mhz, self.ram_um2_per_bit, self.ram_pj_per_bit, self.ram_clk_to_q_ns));
        Ok(digest(texts.iter().map(|t| &t[..]).chain([options.as_bytes()])))
    }
}

/// Image and programs of a model on `config`.
fn program(config: &Config, integers: impl FnOnce() -> Result<fast::Weights, String>) -> Result<String, String> {
    let weights = integers()?;
    let view = rtl_gen::program::model::view(&weights, &StreamLayout::of(&weights));
    let program = rtl_gen::program::compile(config, &view).map_err(|e| e.to_string())?;
    Ok(digest([weights.emb.stream(), format!("{:?}", program.code).as_bytes()]))
}

fn read(path: &Path) -> Result<Vec<u8>, FlowError> {
    std::fs::read(path).map_err(|source| FlowError::Read { path: path.into(), source })
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
