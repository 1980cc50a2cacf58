//! Conversations that are saved and resumed: `--state` and `--save-state` of every verb that has them.

use super::args::StateFiles;
use super::engine::Engine;
use super::model::Model;
use super::print::warn;
use super::Error;
use golden_model::conversation::file::{self, Read};
use golden_model::conversation::{tuned, Saved, State};
use golden_model::text::generate::Position;
use records::output::{check_file, write};
use std::path::Path;

/// Where a conversation stands: what its engine does not hold.
#[derive(Default)]
pub struct Conversation {
    /// The logits after the last token; empty before the first.
    pub logits: Vec<f64>,
    /// Tokens read so far, those before it was resumed included.
    pub tokens: u64,
    /// Where the random numbers of the sampling were, if it was resumed.
    pub sampling: Option<Position>,
}

impl Conversation {
    /// Puts the state that `--state` names into `engine`, if there is one.
    ///
    /// # Errors
    /// A file that holds no state, or that of another model, other numbers or other formats; a state that cannot be saved later.
    pub fn begin(files: &StateFiles, model: &Model, engine: &mut Engine) -> Result<Self, Error> {
        if let Some(path) = &files.save_state {
            check_file(path)?;
            engine.can_keep_states()?;
        }
        match &files.state {
            Some(path) => Self::load(path, model, engine),
            None => Ok(Self::default()),
        }
    }

    /// Puts the state in the file `path` into `engine`.
    pub fn load(path: &Path, model: &Model, engine: &mut Engine) -> Result<Self, Error> {
        engine.can_keep_states()?;
        match file::read(path, &engine.identity(model)?)? {
            Read::Saved(saved) => {
                engine.set_state(&saved.state)?;
                Ok(Self { logits: saved.logits, tokens: saved.tokens, sampling: Some(saved.sampling) })
            }
            Read::Tuned(initial) => {
                let (state, clipped) = match engine {
                    Engine::Float { .. } => (State::Float(initial), 0),
                    Engine::Golden { runner, .. } => tuned::quantise(&initial, &**runner.weights()),
                    Engine::Rtl(chip) => tuned::quantise(&initial, chip.golden()),
                };
                if clipped > 0 {
                    let text = format!(
                        "{}: {clipped} elements of the state are beyond the range of its integers and were clipped; \
                         --calibrate with text of its kind gives more room",
                        path.display()
                    );
                    warn("clipped_state", text);
                }
                engine.set_state(&state)?;
                Ok(Self::default())
            }
        }
    }

    /// Writes the state to the file that `--save-state` names, if there is one.
    pub fn end(self, files: &StateFiles, model: &Model, engine: &mut Engine, at: Position) -> Result<(), Error> {
        match &files.save_state {
            Some(path) => self.save(path, model, engine, at),
            None => Ok(()),
        }
    }

    /// Writes the state of `engine` to the file `path`; `at` is where the random numbers of the sampling are.
    pub fn save(&self, path: &Path, model: &Model, engine: &mut Engine, at: Position) -> Result<(), Error> {
        let (identity, state) = (engine.identity(model)?, engine.state()?);
        let saved = Saved { state, logits: self.logits.clone(), tokens: self.tokens, sampling: at };
        Ok(write(path, file::to_bytes(&identity, &saved))?)
    }
}
