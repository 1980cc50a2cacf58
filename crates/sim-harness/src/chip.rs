//! The whole comparison: a quantised model, its program, the golden state and the simulated chip, one token at a time.

use crate::axi_memory::MemoryStats;
use crate::dram::DramStats;
use crate::dut::Dut;
use crate::expect::{fill, op_names, MissingTap, TapRecorder};
use crate::lockstep::{group_lanes, Columns, ExpectedToken, Lanes, OpNames, Outcome, SatCounts};
use crate::session::{Session, SessionError, SessionOptions, TokenOptions, TokenResult};
use crate::verilate::{BuildError, BuildOptions};
use golden_model::integer_step::{argmax, step, IntState, Tap};
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
    #[error(
        "configuration {0} keeps the state on the chip, so there is one session; expected one with state = \"memory\""
    )]
    OneSession(String),
    #[error("session {number} of {sessions}, expected one below")]
    NoSession { number: usize, sessions: usize },
    #[error("the model's state has {model} bits, configuration {config} has {chip}")]
    StateBits { model: u32, config: String, chip: usize },
}

/// Where the state of the first session lies, below the image; the others follow.
const STATE_BASE: u64 = 0x1000_0000;

/// Bytes from one session's state to the next: a little more than a state, so that sessions meet the pages at different places.
fn state_stride(program: &Program) -> usize {
    program.state.map_or(0, |s| s.units() * 64 + 192)
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
    /// Bytes each token read from memory, and wrote.
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
    /// Of every session in memory; there is one if the state lies on the chip.
    states: Vec<IntState>,
    current: usize,
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
        if program.state.is_some() {
            session.add_state(STATE_BASE, state_stride(&program));
            session.use_state(STATE_BASE)?;
        }
        session.clear()?;
        if let Some(path) = &options.trace {
            session.trace_open(path)?;
        }
        let lanes = group_lanes(config.vlanes(), config.numbers.state_bits);
        Ok(Chip {
            config: config.clone(),
            taps: TapRecorder::new(&program),
            expected: ExpectedToken::new(&lanes),
            states: vec![IntState::new(&golden)],
            current: 0,
            totals: Totals::default(),
            program,
            golden,
            session,
        })
    }

    /// A new conversation: state cleared in the chip and in the golden model.
    pub fn clear(&mut self) -> Result<(), ChipError> {
        self.states[self.current] = IntState::new(&self.golden);
        Ok(self.session.clear()?)
    }

    /// Another session in memory, which is the current one from now on; it begins with a clear. Gives its number; the first session is 0.
    ///
    /// # Errors
    /// If the configuration keeps the state on the chip.
    pub fn add_session(&mut self) -> Result<usize, ChipError> {
        let number = self.states.len();
        if self.program.state.is_none() {
            return Err(ChipError::OneSession(self.config.name.clone()));
        }
        self.session.add_state(self.state_base(number), state_stride(&self.program));
        self.states.push(IntState::new(&self.golden));
        self.select(number)?;
        self.clear()?;
        Ok(number)
    }

    /// The tokens that follow belong to session `number`.
    ///
    /// # Errors
    /// If there is no such session.
    pub fn select(&mut self, number: usize) -> Result<(), ChipError> {
        if number >= self.states.len() {
            return Err(ChipError::NoSession { number, sessions: self.states.len() });
        }
        if self.program.state.is_some() {
            self.session.use_state(self.state_base(number))?;
        }
        self.current = number;
        Ok(())
    }

    fn state_base(&self, number: usize) -> u64 {
        STATE_BASE + (number * state_stride(&self.program)) as u64
    }

    /// Runs one token (below the vocabulary size) on both and compares.
    pub fn step(&mut self, token: u32, options: TokenOptions) -> Result<TokenRun, ChipError> {
        self.taps.clear();
        let state = &mut self.states[self.current];
        for (layer, l) in state.layers.iter().enumerate() {
            // what a program loads that finds its session vectors in memory
            self.taps.tap(layer, "att.x_prev", &l.att_x_prev);
            self.taps.tap(layer, "ffn.x_prev", &l.ffn_x_prev);
        }
        let mut sat = SaturationCounts::default();
        let logits = step(&self.golden, token as usize, state, &mut sat, &mut self.taps);
        let counts = SatCounts { mat: sat.mat.0, vec: sat.vec.0, wkv: sat.wkv.0 };
        fill(&mut self.expected, &self.program, &self.taps, counts, argmax(&logits) as u32)?;
        if options.logits {
            self.expected.logits.extend_from_slice(&logits);
        }
        let mut result = self.session.token(token, Some(&self.expected), options)?;
        if self.program.state.is_some() {
            let layers = &self.states[self.current].layers;
            let all = layers.iter().flat_map(|l| l.att_x_prev.iter().chain(&l.s).chain(&l.ffn_x_prev)).copied();
            self.session.compare_state(self.state_base(self.current), all, &mut result.outcome);
        }
        self.totals.cycles.push(result.counters.cycles);
        let written = self.program.state.map_or(0, |s| s.units() as u64 * 64);
        self.totals.bytes.push(result.counters.weight_beats * self.config.beat_bytes() as u64 + written);
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
