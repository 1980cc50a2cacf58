//! One interface to the three backends: a token in, logits out.

use super::args::{Backend, Chip as ChipArgs, Numbers};
use super::model::{config, Model};
use super::print::warn;
use super::{chip, Error};
use golden_model::checkpoint::weights::Weights;
use golden_model::conversation::identity::Identity;
use golden_model::conversation::State;
use golden_model::fast::{self, Runner};
use golden_model::image::layout::stream;
use golden_model::network::float_step::{self, FloatState};
use golden_model::network::session::Session;
use sim_harness::chip::Chip;
use sim_harness::session::TokenOptions;
use std::sync::Arc;

/// A backend with its model and the state of one conversation.
pub enum Engine {
    Float { weights: Box<Weights>, state: FloatState },
    Golden { runner: Box<Runner>, session: fast::Session },
    Rtl(Box<Chip<'static>>),
}

impl Engine {
    /// Makes the backend for `model`; `seed` is that of the chip's random stalls.
    ///
    /// # Errors
    /// A model the backend cannot take, a simulator that cannot be built, or a configuration that does not exist, whatever the backend.
    pub fn new(backend: Backend, model: &Model, numbers: &Numbers, chip: &ChipArgs, seed: u64) -> Result<Self, Error> {
        config(&chip.config)?;
        Ok(match backend {
            Backend::Float => {
                let weights = Box::new(model.weights()?);
                Engine::Float { state: FloatState::new(&weights.shape), weights }
            }
            Backend::Golden => {
                let runner = Box::new(Runner::new(Arc::new(model.fast(numbers)?), fast::default_threads()));
                Engine::Golden { session: runner.session(), runner }
            }
            Backend::Rtl => Engine::Rtl(Box::new(chip::build(model, numbers, chip, seed)?)),
        })
    }

    /// Goes back to the state before the first token.
    pub fn reset(&mut self) -> Result<(), Error> {
        match self {
            Engine::Float { weights, state } => *state = FloatState::new(&weights.shape),
            Engine::Golden { runner, session } => *session = runner.session(),
            Engine::Rtl(chip) => chip.clear()?,
        }
        Ok(())
    }

    /// What its states belong to.
    ///
    /// # Errors
    /// A checkpoint that cannot be read.
    pub fn identity(&self, model: &Model) -> Result<Identity, Error> {
        Ok(match (self, model) {
            (Engine::Golden { runner, .. }, _) => {
                Identity::of_model(&**runner.weights(), runner.weights().emb.stream())
            }
            (Engine::Rtl(chip), _) => Identity::of_model(chip.golden(), &stream(chip.golden())),
            (Engine::Float { .. }, Model::Checkpoint(checkpoint)) => Identity::of_checkpoint(checkpoint)?,
            (Engine::Float { .. }, Model::Image(_)) => return Err("an .anser image has no floats".into()),
        })
    }

    /// Refuses a chip whose states cannot be read and written.
    ///
    /// # Errors
    /// The chip's configuration and what to change in it.
    pub fn can_keep_states(&self) -> Result<(), Error> {
        match self {
            Engine::Rtl(chip) => Ok(chip.can_keep_states()?),
            _ => Ok(()),
        }
    }

    /// The state of the conversation. The chip's is read from its memory and compared with the golden model's.
    ///
    /// # Errors
    /// A chip that cannot give it.
    pub fn state(&mut self) -> Result<State, Error> {
        Ok(match self {
            Engine::Float { state, .. } => State::Float(state.clone()),
            Engine::Golden { session, .. } => State::Integer(session.state.clone()),
            Engine::Rtl(chip) => State::Integer(chip.read_state(0)?),
        })
    }

    /// Goes on from `state`, which is one of this engine's [`Engine::identity`]; on a chip in every slot.
    ///
    /// # Errors
    /// A chip that cannot take it, or a state of other numbers.
    pub fn set_state(&mut self, new: &State) -> Result<(), Error> {
        match (self, new) {
            (Engine::Float { state, .. }, State::Float(new)) => state.clone_from(new),
            (Engine::Golden { session, .. }, State::Integer(new)) => session.state.clone_from(new),
            (Engine::Rtl(chip), State::Integer(new)) => {
                (0..chip.config.sessions).try_for_each(|slot| chip.write_state(slot, new))?
            }
            _ => return Err("the state has other numbers than the backend".into()),
        }
        Ok(())
    }

    /// The simulated chip, if the backend is one.
    pub fn chip(&self) -> Option<&Chip<'static>> {
        match self {
            Engine::Rtl(chip) => Some(chip),
            _ => None,
        }
    }

    /// The simulated chip, if the backend is one, to run it.
    pub fn chip_mut(&mut self) -> Option<&mut Chip<'static>> {
        match self {
            Engine::Rtl(chip) => Some(chip),
            _ => None,
        }
    }
}

/// Why a backend cannot take a token.
#[derive(Debug)]
pub struct EngineError(String);

impl EngineError {
    /// The error of an engine whose reader has left.
    pub fn stopped() -> Self {
        EngineError("stopped".into())
    }
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EngineError {}

impl Session for Engine {
    type Error = EngineError;

    fn vocab_size(&self) -> usize {
        match self {
            Engine::Float { weights, .. } => weights.shape.vocab_size,
            Engine::Golden { runner, .. } => runner.weights().shape.vocab_size,
            Engine::Rtl(chip) => chip.golden().shape.vocab_size,
        }
    }

    /// Logits after `token`: one for each token of the vocabulary. The chip's come from its logits stream.
    fn step(&mut self, token: u32) -> Result<Vec<f64>, EngineError> {
        let vocab_size = self.vocab_size();
        if token as usize >= vocab_size {
            return Err(EngineError(format!("token {token}, expected one below the vocabulary's {vocab_size}")));
        }
        Ok(match self {
            Engine::Float { weights, state } => {
                let logits = float_step::step(weights, token, state, &mut |_, _, _: &[f32]| ());
                if !logits.iter().all(|v| v.is_finite()) {
                    let text =
                        "the float logits hold NaN or infinity: the network overflows in 32-bit floating point, so \
                                what it says means nothing";
                    warn("not_finite", text.into());
                }
                logits.into_iter().map(f64::from).collect()
            }
            Engine::Golden { .. } => return self.prefill(&[token]),
            Engine::Rtl(chip) => {
                let f = chip.golden().f.f_logits;
                let run = chip.step(token, TokenOptions { logits: true, timeline: false });
                fixed(&run.map_err(|e| EngineError(e.to_string()))?.result.logits, f)
            }
        })
    }

    /// Logits after the last of `tokens`. The golden model and a chip with several sessions take several tokens at a time.
    fn prefill(&mut self, tokens: &[u32]) -> Result<Vec<f64>, EngineError> {
        if let Engine::Rtl(chip) = self {
            if chip.config.sessions > 1 {
                return side_by_side(chip, tokens, true);
            }
        }
        let Engine::Golden { runner, session } = self else {
            return tokens.iter().try_fold(vec![], |_, token| self.step(*token));
        };
        let f = runner.weights().f.f_logits;
        Ok(fixed(runner.prefill(session, tokens).map_err(|e| EngineError(e.to_string()))?, f))
    }
}

/// Reads `tokens` in slot 0 of a chip with several sessions: whole groups side by side, the rest one by one. Returns the logits after the
/// last token. If they are not `wanted`, the chip leaves out the head and the answer may be empty.
pub fn side_by_side(chip: &mut Chip<'static>, tokens: &[u32], wanted: bool) -> Result<Vec<f64>, EngineError> {
    let (n, f) = (chip.config.sessions, chip.golden().f.f_logits);
    let vocab_size = chip.golden().shape.vocab_size;
    if let Some(token) = tokens.iter().find(|t| **t as usize >= vocab_size) {
        return Err(EngineError(format!("token {token}, expected one below the vocabulary's {vocab_size}")));
    }
    let options = TokenOptions { logits: true, timeline: false };
    let failed = |e: sim_harness::chip::ChipError| EngineError(e.to_string());
    let groups = tokens.chunks_exact(n);
    let rest = groups.remainder();
    let mut logits = vec![];
    for (i, group) in groups.enumerate() {
        let head = wanted && (i + 1) * n == tokens.len();
        let run = chip.prefill(0, group, head, options).map_err(failed)?;
        if head {
            logits = fixed(&run.result.logits[n - 1], f);
        }
    }
    for token in rest {
        logits = fixed(&chip.step(*token, options).map_err(failed)?.result.logits, f);
    }
    Ok(logits)
}

/// The values of fixed-point `logits` with `f` fraction bits.
pub fn fixed(logits: &[i32], f: i32) -> Vec<f64> {
    let one = 2f64.powi(-f);
    logits.iter().map(|v| f64::from(*v) * one).collect()
}
