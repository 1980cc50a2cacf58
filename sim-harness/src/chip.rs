//! The whole comparison: a quantised model, its program, the golden state and the simulated chip, one token at a time.

use crate::axi_memory::MemoryStats;
use crate::dram::DramStats;
use crate::dut::Dut;
use crate::expect::{columns, fill, op_names, MissingTap, TapRecorder, Which};
use crate::lockstep::{lanes_of, Columns, ExpectedToken, Lanes, OpNames, Outcome, SatCounts};
use crate::session::{Pass, PassResult, Session, SessionError, SessionOptions, Stop, TokenOptions, TokenResult};
use crate::verilate::{BuildError, BuildOptions};
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::network::integer_step::{argmax, step, step_body, IntState, Tap};
use golden_model::network::model::QModel;
use rtl_gen::blocks::core::core;
use rtl_gen::config::Config;
use rtl_gen::hdl::Printed;
use rtl_gen::program::{compile, CompileError, Model, Program};
use std::path::PathBuf;
use std::sync::Arc;

mod state;

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
        "configuration {0} keeps the state on the chip, so a session stays where it is; expected one with state = \"memory\""
    )]
    OneSession(String),
    #[error("configuration {0} keeps the state on the chip, where it stays; expected one with state = \"memory\", or with state_port = true and one session")]
    StateStays(String),
    #[error("session {number} of {sessions}, expected one below")]
    NoSession { number: usize, sessions: usize },
    #[error("{0} tokens for a chip with {1} sessions")]
    Slots(usize, usize),
    #[error("the model's state has {model} bits, configuration {config} has {chip}")]
    StateBits { model: u32, config: String, chip: usize },
}

/// Where the state of the first session lies, below the image; the others follow.
const STATE_BASE: u64 = 0x1000_0000;

/// Bytes from one session's state to the next: a little more than a state, so that sessions meet the pages at different places.
fn state_stride(program: &Program) -> usize {
    program.state.map_or(0, |s| s.units() * 64 + 192)
}

fn state_base(program: &Program, number: usize) -> u64 {
    STATE_BASE + (number * state_stride(program)) as u64
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

/// One pass over the weights, with a token in each slot at work.
#[derive(Debug)]
pub struct PassRun {
    pub result: PassResult,
    /// The golden model's logits by slot; empty where there are none.
    pub logits: Vec<Vec<i32>>,
    /// What the instructions that skip columns read.
    pub columns: Vec<Columns>,
}

/// Sums over all passes so far; with one session a pass is a token.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub cycles: Vec<u64>,
    /// Tokens of each pass.
    pub tokens: Vec<usize>,
    /// Bytes each pass read from memory, and wrote.
    pub bytes: Vec<u64>,
    /// Columns of `ffn.value` each pass did not read.
    pub skipped_columns: Vec<u64>,
    pub outcome: Outcome,
}

impl Totals {
    /// A list of passes as one of tokens: those of a pass share its number.
    pub fn a_token(&self, passes: &[u64]) -> Vec<u64> {
        let each = self.tokens.iter().zip(passes);
        each.flat_map(|(n, value)| std::iter::repeat_n(value / *n as u64, *n)).collect()
    }
}

/// One session on the golden side.
struct Slot {
    state: IntState,
    taps: TapRecorder,
    logits: Vec<i32>,
    saturations: SatCounts,
}

impl Slot {
    /// Runs `token` from `state`, which is this slot's or, of a prompt read side by side, that of the slot the text lives in.
    fn run(
        taps: &mut TapRecorder,
        golden: &QModel,
        token: u32,
        state: &mut IntState,
        head: bool,
    ) -> (Vec<i32>, SatCounts) {
        taps.clear();
        for (layer, l) in state.layers.iter().enumerate() {
            // what a program loads that finds its session vectors in memory
            taps.tap(layer, "att.x_prev", &l.att_x_prev);
            taps.tap(layer, "ffn.x_prev", &l.ffn_x_prev);
        }
        let mut sat = SaturationCounts::default();
        let logits = match head {
            true => step(golden, token as usize, state, &mut sat, taps),
            false => {
                step_body(golden, token as usize, state, &mut sat, taps);
                vec![]
            }
        };
        (logits, SatCounts { mat: sat.mat.0, vec: sat.vec.0, wkv: sat.wkv.0 })
    }
}

/// A simulated chip that is compared with the golden model in everything it does.
pub struct Chip<'a> {
    pub config: Config,
    pub program: Program,
    pub totals: Totals,
    golden: QModel,
    /// The golden state of every session; as many as slots if the state lies on the chip. That of a session in a slot is kept by the slot.
    states: Vec<IntState>,
    /// The sessions in memory that are cleared with the next token, because a clear belongs to the token that follows it.
    fresh: Vec<bool>,
    /// The session in each slot.
    current: Vec<usize>,
    /// What each slot holds.
    slots: Vec<Slot>,
    expected: Vec<ExpectedToken>,
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
        session.load_programs(&program.code, program.tokens)?;
        for slot in (0..config.sessions).filter(|_| program.state.is_some()) {
            session.add_state(state_base(&program, slot), state_stride(&program));
            session.use_state(slot, state_base(&program, slot))?;
        }
        if program.state.is_none() {
            session.clear()?;
        }
        if let Some(path) = &options.trace {
            session.trace_open(path)?;
        }
        let lanes = lanes_of(config);
        let slot = || Slot {
            state: IntState::new(&golden),
            taps: TapRecorder::new(&program),
            logits: vec![],
            saturations: SatCounts::default(),
        };
        Ok(Chip {
            config: config.clone(),
            states: vec![IntState::new(&golden); config.sessions],
            fresh: vec![true; config.sessions],
            current: (0..config.sessions).collect(),
            slots: (0..config.sessions).map(|_| slot()).collect(),
            expected: vec![ExpectedToken::new(&lanes); config.sessions],
            totals: Totals::default(),
            program,
            golden,
            session,
        })
    }

    /// A new conversation: state cleared in the chip and in the golden model.
    pub fn clear(&mut self) -> Result<(), ChipError> {
        self.clear_slots(&(0..self.slots.len()).collect::<Vec<_>>())
    }

    /// Clears the sessions in some slots; at least one, each below the number of sessions.
    pub fn clear_slots(&mut self, slots: &[usize]) -> Result<(), ChipError> {
        let mut mask = 0;
        for &slot in slots {
            self.slots[slot].state = IntState::new(&self.golden);
            self.fresh[self.current[slot]] = true;
            mask |= 1 << slot;
        }
        if self.program.state.is_some() {
            return Ok(());
        }
        Ok(self.session.clear_slots(mask)?)
    }

    /// Another session in memory, which is that of slot 0 from now on; it begins with a clear. Gives its number; at first there are as many
    /// as slots.
    ///
    /// # Errors
    /// If the configuration keeps the state on the chip.
    pub fn add_session(&mut self) -> Result<usize, ChipError> {
        let number = self.states.len();
        if self.program.state.is_none() {
            return Err(ChipError::OneSession(self.config.name.clone()));
        }
        self.session.add_state(state_base(&self.program, number), state_stride(&self.program));
        self.states.push(IntState::new(&self.golden));
        self.fresh.push(true);
        self.select(number)?;
        Ok(number)
    }

    /// The tokens of slot 0 that follow belong to session `number`.
    ///
    /// # Errors
    /// Fails where [`Chip::select_in`] does.
    pub fn select(&mut self, number: usize) -> Result<(), ChipError> {
        self.select_in(0, number)
    }

    /// The tokens of `slot` that follow belong to session `number`; if that is in another slot, the two change places.
    ///
    /// # Errors
    /// If there is no such session or slot, or if the configuration keeps the state on the chip, where a session stays in its slot.
    pub fn select_in(&mut self, slot: usize, number: usize) -> Result<(), ChipError> {
        let (sessions, slots) = (self.states.len(), self.slots.len());
        if number >= sessions {
            return Err(ChipError::NoSession { number, sessions });
        }
        let Some(&old) = self.current.get(slot) else {
            return Err(ChipError::NoSession { number: slot, sessions: slots });
        };
        if number == old {
            return Ok(());
        }
        if self.program.state.is_none() {
            return Err(ChipError::OneSession(self.config.name.clone()));
        }
        self.session.use_state(slot, state_base(&self.program, number))?;
        self.current[slot] = number;
        match (0..slots).find(|s| *s != slot && self.current[*s] == number) {
            Some(other) => {
                self.session.use_state(other, state_base(&self.program, old))?;
                self.current[other] = old;
                let (low, high) = (slot.min(other), slot.max(other));
                let (first, second) = self.slots.split_at_mut(high);
                std::mem::swap(&mut first[low].state, &mut second[0].state);
            }
            None => {
                std::mem::swap(&mut self.states[old], &mut self.slots[slot].state);
                std::mem::swap(&mut self.states[number], &mut self.slots[slot].state);
            }
        }
        Ok(())
    }

    /// Gives the chip the clears that the sessions of `slots` still wait for.
    fn begin(&mut self, slots: impl Iterator<Item = usize>) -> Result<(), ChipError> {
        let (mut fresh, mut old) = (0, 0);
        for slot in slots {
            let is_fresh = std::mem::take(&mut self.fresh[self.current[slot]]);
            fresh |= u8::from(is_fresh) << slot;
            old |= u8::from(!is_fresh) << slot;
        }
        if self.program.state.is_none() {
            return Ok(());
        }
        if fresh != 0 {
            self.session.clear_slots(fresh)?;
        }
        // a session that came from another slot is as sound as it was there
        Ok(self.session.trust_slots(old)?)
    }

    /// Runs one token (below the vocabulary size) on both and compares; of several slots the others rest.
    pub fn step(&mut self, token: u32, options: TokenOptions) -> Result<TokenRun, ChipError> {
        let mut tokens = vec![None; self.slots.len()];
        tokens[0] = Some(token);
        let PassRun { result, mut logits, columns } = self.pass(&tokens, options)?;
        let token_out = result.tokens_out[0];
        let logits = logits.swap_remove(0);
        let result = TokenResult {
            token_out,
            counters: result.counters,
            outcome: result.outcome,
            logits: result.logits.into_iter().next().unwrap_or_default(),
            timeline: result.timeline,
        };
        Ok(TokenRun { token_out, result, logits, columns })
    }

    /// Runs a token of each slot that has one, in one pass over the weights, and compares every slot with its own golden model.
    pub fn pass(&mut self, tokens: &[Option<u32>], options: TokenOptions) -> Result<PassRun, ChipError> {
        if tokens.len() != self.slots.len() {
            return Err(ChipError::Slots(tokens.len(), self.slots.len()));
        }
        self.begin((0..tokens.len()).filter(|slot| tokens[*slot].is_some()))?;
        let golden = &self.golden;
        let work = |slot: &mut Slot, token: u32| {
            (slot.logits, slot.saturations) = Slot::run(&mut slot.taps, golden, token, &mut slot.state, true);
        };
        let busy = self.slots.iter_mut().zip(tokens).filter_map(|(slot, token)| Some((slot, (*token)?)));
        match busy.size_hint().1 {
            Some(1) => busy.for_each(|(slot, token)| work(slot, token)),
            _ => std::thread::scope(|s| busy.for_each(|(slot, token)| drop(s.spawn(move || work(slot, token))))),
        }
        self.run(Pass { tokens: tokens.to_vec(), prefill: None, head: true }, options)
    }

    /// Reads as many tokens of one text as there are slots, in one pass: slot `home`, where the text lives, takes the first one, the
    /// slots after it the next ones. Compared with the golden model reading them one by one. The texts of the other slots are not
    /// touched. Without `head` the pass ends before the last norm, and there are no logits.
    pub fn prefill(
        &mut self,
        home: usize,
        text: &[u32],
        head: bool,
        options: TokenOptions,
    ) -> Result<PassRun, ChipError> {
        let n = self.slots.len();
        if text.len() != n || home >= n {
            return Err(ChipError::Slots(text.len(), n));
        }
        self.begin(std::iter::once(home))?;
        let mut tokens = vec![None; n];
        let mut state = self.slots[home].state.clone();
        for (i, token) in text.iter().enumerate() {
            let at = (home + i) % n;
            let slot = &mut self.slots[at];
            (slot.logits, slot.saturations) = Slot::run(&mut slot.taps, &self.golden, *token, &mut state, head);
            tokens[at] = Some(*token);
        }
        self.slots[home].state = state;
        self.run(Pass { tokens, prefill: (n > 1).then_some(home), head }, options)
    }

    /// Runs `pass`, of which the golden model has taken its part, and compares.
    fn run(&mut self, pass: Pass, options: TokenOptions) -> Result<PassRun, ChipError> {
        let busy = |slot: &usize| pass.tokens[*slot].is_some();
        let taps: Vec<_> = (0..self.slots.len()).filter(busy).map(|s| &self.slots[s].taps).collect();
        let columns = columns(&self.program, &taps)?;
        for slot in (0..self.slots.len()).filter(busy) {
            let (from, to) = (&self.slots[slot], &mut self.expected[slot]);
            let token_out = if pass.head { argmax(&from.logits) as u32 } else { 0 };
            let which = Which { slot, head: pass.head, one_text: pass.prefill.is_some() };
            fill(to, &self.program, which, &from.taps, from.saturations, token_out)?;
            to.columns.extend_from_slice(&columns);
            if options.logits {
                to.logits.extend_from_slice(&from.logits);
            }
        }
        let mut result = self.session.pass(&pass, Some(&self.expected), options)?;
        // those at rest, too: nobody has touched them
        for slot in
            (0..self.slots.len()).filter(|slot| self.program.state.is_some() && !self.fresh[self.current[*slot]])
        {
            let base = state_base(&self.program, self.current[slot]);
            let all = state::elements(&self.slots[slot].state);
            self.session.compare_state(slot, base, all, &mut result.outcome);
        }
        self.totals.cycles.push(result.counters.cycles);
        self.totals.tokens.push(pass.tokens.iter().flatten().count());
        let states = if pass.prefill.is_some() { 1 } else { pass.tokens.iter().flatten().count() as u64 };
        let written = states * self.program.state.map_or(0, |s| s.units() as u64 * 64);
        self.totals.bytes.push(result.counters.weight_beats * self.config.beat_bytes() as u64 + written);
        self.totals.skipped_columns.push(result.counters.skipped_columns);
        self.totals.outcome.add(result.outcome.clone());
        let logits = self.slots.iter_mut().map(|slot| std::mem::take(&mut slot.logits)).collect();
        Ok(PassRun { result, logits, columns })
    }

    /// Begins `token` in slot 0 and stops it ([`Session::stopped_token`]); what a reset made the chip forget is loaded again. The session in
    /// slot 0 must be cleared before its next token. The golden model takes no part.
    ///
    /// # Errors
    /// Fails where [`Session::stopped_token`] does.
    pub fn stopped_token(&mut self, token: u32, after: u64, stop: Stop) -> Result<(), ChipError> {
        self.begin(std::iter::once(0))?;
        self.session.stopped_token(token, after, stop)?;
        if let Stop::Reset { .. } = stop {
            self.session.load_programs(&self.program.code, self.program.tokens)?;
            for slot in (0..self.slots.len()).filter(|_| self.program.state.is_some()) {
                self.session.use_state(slot, state_base(&self.program, self.current[slot]))?;
            }
        }
        Ok(())
    }

    /// The bench under the chip, for what a host does beside tokens.
    pub fn session(&mut self) -> &mut Session<'a> {
        &mut self.session
    }

    /// The configuration the chip was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What runs on the chip.
    pub fn program(&self) -> &Program {
        &self.program
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
        lanes_of(&self.config)
    }

    /// What the memory's device did, if it has one.
    pub fn dram_stats(&self) -> Option<DramStats> {
        self.session.dram_stats()
    }

    /// What the memory delivered since the chip was built.
    pub fn memory_stats(&self) -> MemoryStats {
        self.session.memory_stats()
    }

    /// Finishes the waveform, if one is written; see [`Session::trace_close`].
    pub fn finish(&mut self) -> Result<(), SessionError> {
        self.session.trace_close()
    }
}
