//! The whole comparison: a quantised model, its program, the golden state and the simulated chip, one token at a time.

use crate::axi_memory::MemoryStats;
use crate::dram::DramStats;
use crate::dut::Dut;
use crate::expect::{fill, op_names, MissingTap, TapRecorder};
use crate::lockstep::{group_lanes, Columns, ExpectedToken, Lanes, OpNames, Outcome, SatCounts};
use crate::session::{Session, SessionError, SessionOptions, TokenOptions, TokenResult};
use crate::verilate::{BuildError, BuildOptions};
use golden_model::integer_step::{argmax, step, IntState};
use golden_model::qmodel::QModel;
use golden_model::vector_ops::SaturationCounts;
use rtl_gen::blocks::core::core;
use rtl_gen::config::Config;
use rtl_gen::hdl::Printed;
use rtl_gen::program::{compile, CompileError, Model, Program};
use std::path::PathBuf;
use std::sync::Arc;

/// How the chip is run; changes cycles, never values.
#[derive(Clone, Debug, Default)]
pub struct ChipOptions {
    /// Probability of a random stall on every handshake.
    pub stall: f64,
    pub seed: u64,
    /// Waveform of everything from the first token on.
    pub trace: Option<PathBuf>,
    /// How a simulator is built that the cache lacks; `trace` there is set by `trace` here.
    pub build: BuildOptions,
}

/// Why a chip cannot be built or run.
#[derive(Debug, thiserror::Error)]
pub enum ChipError {
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Tap(#[from] MissingTap),
    #[error("rtl: {0}")]
    Rtl(String),
    #[error("the model's state has {model} bits, configuration {config} has {chip}")]
    StateBits { model: u32, config: String, chip: usize },
}

/// One token on the chip.
#[derive(Debug)]
pub struct TokenRun {
    pub result: TokenResult,
    /// The golden model's logits; the chip's are compared with them.
    pub logits: Vec<i32>,
    pub token_out: u32,
    /// What the instructions that skip columns read.
    pub columns: Vec<Columns>,
}

/// Sums over all tokens so far.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub cycles: Vec<u64>,
    /// Bytes each token read from memory.
    pub bytes: Vec<u64>,
    /// Columns of `ffn.value` each token did not read.
    pub skipped_columns: Vec<u64>,
    pub outcome: Outcome,
}

/// A simulated chip that is compared with the golden model in everything it does.
pub struct Chip<'a> {
    pub config: Config,
    pub program: Program,
    pub totals: Totals,
    golden: QModel,
    state: IntState,
    taps: TapRecorder,
    expected: ExpectedToken,
    session: Session<'a>,
}

impl<'a> Chip<'a> {
    /// Puts `golden` on a chip of `config`. `image` holds the stream units of the model, `model` says where.
    pub fn new(
        config: &Config,
        golden: QModel,
        model: &Model,
        image: &'a [u8],
        options: &ChipOptions,
    ) -> Result<Self, ChipError> {
        let printed = rtl_gen::hdl::print(&core(config)).map_err(ChipError::Rtl)?;
        Self::with_core(config, &printed, golden, model, image, options)
    }

    /// [`Chip::new`] on an `anser_core` printed by the caller, such as one broken on purpose.
    pub fn with_core(
        config: &Config,
        printed: &Printed,
        golden: QModel,
        model: &Model,
        image: &'a [u8],
        options: &ChipOptions,
    ) -> Result<Self, ChipError> {
        if golden.f.state_bits as usize != config.numbers.state_bits {
            return Err(ChipError::StateBits {
                model: golden.f.state_bits,
                config: config.name.clone(),
                chip: config.numbers.state_bits,
            });
        }
        let program = compile(config, model)?;
        let trace = options.trace.is_some();
        let dut = Dut::build(printed, &BuildOptions { trace, ..options.build.clone() })?;
        let names = Arc::new(op_names(&program));
        let session_options = SessionOptions { stall: options.stall, seed: options.seed, ..SessionOptions::default() };
        let mut session = Session::new(dut, config, image, names, session_options)?;
        session.load_programs(&program.code)?;
        session.clear()?;
        if let Some(path) = &options.trace {
            session.trace_open(path)?;
        }
        let lanes = group_lanes(config.vlanes(), config.numbers.state_bits);
        Ok(Chip {
            config: config.clone(),
            taps: TapRecorder::new(&program),
            expected: ExpectedToken::new(&lanes),
            state: IntState::new(&golden),
            totals: Totals::default(),
            program,
            golden,
            session,
        })
    }

    /// A new conversation: state cleared in the chip and in the golden model.
    pub fn clear(&mut self) -> Result<(), ChipError> {
        self.state = IntState::new(&self.golden);
        Ok(self.session.clear()?)
    }

    /// Runs one token (below the vocabulary size) on both and compares.
    pub fn step(&mut self, token: u32, options: TokenOptions) -> Result<TokenRun, ChipError> {
        self.taps.clear();
        let mut sat = SaturationCounts::default();
        let logits = step(&self.golden, token as usize, &mut self.state, &mut sat, &mut self.taps);
        let counts = SatCounts { mat: sat.mat.0, vec: sat.vec.0, wkv: sat.wkv.0 };
        fill(&mut self.expected, &self.program, &self.taps, counts, argmax(&logits) as u32)?;
        if options.logits {
            self.expected.logits.extend_from_slice(&logits);
        }
        let result = self.session.token(token, Some(&self.expected), options)?;
        self.totals.cycles.push(result.counters.cycles);
        self.totals.bytes.push(result.counters.weight_beats * self.config.beat_bytes() as u64);
        self.totals.skipped_columns.push(result.counters.skipped_columns);
        self.totals.outcome.add(result.outcome.clone());
        Ok(TokenRun { token_out: result.token_out, result, logits, columns: self.expected.columns.clone() })
    }

    /// The golden model on the other side of the comparison.
    pub fn golden(&self) -> &QModel {
        &self.golden
    }

    /// Names of the instructions.
    pub fn names(&self) -> OpNames {
        op_names(&self.program)
    }

    /// Values and widths of a trace event by group.
    pub fn lanes(&self) -> [Lanes; 7] {
        group_lanes(self.config.vlanes(), self.config.numbers.state_bits)
    }

    /// What the memory's device did, if it has one.
    pub fn dram_stats(&self) -> Option<DramStats> {
        self.session.dram_stats()
    }

    /// What the memory delivered since the chip was built.
    pub fn memory_stats(&self) -> MemoryStats {
        self.session.memory_stats()
    }

    /// Finishes the waveform, if one is written.
    pub fn finish(&mut self) {
        self.session.trace_close();
    }
}
