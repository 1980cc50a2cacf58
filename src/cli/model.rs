//! MODEL and --config: where they come from and how a checkpoint becomes integers.

use super::args::Numbers;
use super::files::{config_names, project_file, OWN_MODEL, OWN_TEXT};
pub use super::files::{encode, read};
use super::integers::quantise;
use super::Error;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::fast;
use golden_model::image::Image;
use golden_model::network::model::QModel;
use golden_model::quantise::scales::QuantError;
use golden_model::text::tokenizer::Tokenizer;
use rtl_gen::config::Config;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The part of the text that the model was not trained on.
const HELD_OUT: f64 = 0.05;

/// A model as the user gave it.
pub enum Model {
    Checkpoint(Box<Checkpoint>),
    Image(Arc<Image>),
}

/// Reads the configuration `name`: a `.toml` file, or one of [`config_names`].
pub fn config(name: &str) -> Result<Config, Error> {
    if name.ends_with(".toml") || name.contains('/') {
        return Ok(Config::load(Path::new(name))?);
    }
    let known = config_names();
    if !known.iter().any(|k| k == name) {
        let known = known.join(", ");
        return Err(format!("--config {name}: there is no such configuration, expected {known} or a .toml file").into());
    }
    Ok(Config::load(&project_file(&format!("configs/{name}.toml"))?)?)
}

/// Returns [`config`], with another number of sessions if one is asked for.
pub fn config_for(name: &str, sessions: Option<u32>) -> Result<Config, Error> {
    let mut config = config(name)?;
    if let Some(n) = sessions {
        config.sessions = n as usize;
        config.check(&format!("--sessions {n}"))?;
    }
    Ok(config)
}

impl Model {
    /// Opens MODEL, or the project's own model.
    pub fn open(path: &Option<PathBuf>) -> Result<(Self, String), Error> {
        let path = match path {
            Some(path) => path.clone(),
            None => project_file(OWN_MODEL)?,
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let model = if Image::is_image(&path) {
            Model::Image(Arc::new(Image::open(&path)?))
        } else {
            Model::Checkpoint(Checkpoint::open(&path)?.into())
        };
        Ok((model, name))
    }

    pub fn shape(&self) -> &Shape {
        match self {
            Model::Checkpoint(c) => c.shape(),
            Model::Image(i) => i.shape(),
        }
    }

    pub fn tokenizer(&self) -> Tokenizer {
        match self {
            Model::Checkpoint(c) => Tokenizer::of(c),
            Model::Image(i) => Tokenizer::of_image(i.shape().vocab_size, i.formats().0.numbers_only),
        }
    }

    /// Returns the weights as floats.
    ///
    /// # Errors
    /// An image, which holds integers only.
    pub fn weights(&self) -> Result<Weights, Error> {
        match self {
            Model::Checkpoint(c) => Ok(Weights::read(c)?),
            Model::Image(_) => {
                Err("an .anser image holds integers only; the float backend needs the checkpoint".into())
            }
        }
    }

    /// Returns the integer model for the fast step. An image is used where it lies.
    pub fn fast(&self, numbers: &Numbers) -> Result<fast::Weights, Error> {
        match self {
            Model::Image(image) if numbers.given().is_none() => Ok(fast::from_image(image.clone())?),
            _ => Ok(fast::from_model(&self.quantised(numbers)?.0)?),
        }
    }

    /// Returns the integer model, and the error of each tensor if the model was quantised just now.
    pub fn quantised(&self, numbers: &Numbers) -> Result<(QModel, Vec<(String, QuantError)>), Error> {
        let checkpoint = match self {
            Model::Image(image) => match numbers.given() {
                Some(option) => {
                    return Err(format!("an .anser image is quantised already; {option} needs the checkpoint").into())
                }
                None => return Ok((image.model()?, vec![])),
            },
            Model::Checkpoint(c) => c,
        };
        let done = quantise(checkpoint, &self.tokenizer(), numbers, false)?;
        Ok((done.model, done.errors))
    }

    /// Returns `numbers` for a chip of `config`, whose state has a width of its own. An image must have been made for that width.
    pub fn numbers_for(&self, config: &Config, numbers: &Numbers) -> Numbers {
        let bits = config.numbers.state_bits as u32;
        let state_bits = if matches!(self, Model::Image(_)) { numbers.state_bits } else { Some(bits) };
        Numbers { state_bits, ..numbers.clone() }
    }
}

/// Returns the part of the project's own text that its model was not trained on.
pub fn held_out_text() -> Result<Vec<u8>, Error> {
    let text = read(&project_file(OWN_TEXT)?)?;
    let cut = (text.len() as f64 * (1.0 - HELD_OUT)) as usize;
    Ok(text[cut..].to_vec())
}

/// Checks that there are tokens and that the vocabulary has all of them; `what` says where they came from.
pub fn check_tokens(what: &str, tokens: &[u32], shape: &Shape) -> Result<(), Error> {
    match tokens.iter().find(|t| **t as usize >= shape.vocab_size) {
        Some(t) => {
            Err(format!("{what}: token {t} is outside the vocabulary, expected 0 to {}", shape.vocab_size - 1).into())
        }
        None if tokens.is_empty() => Err(format!("{what} is empty, expected at least one token").into()),
        None => Ok(()),
    }
}
