//! What a file says of its network beside the tensors.

use super::{ErrorKind, Shape};
use crate::arithmetic::norm::Eps;

/// What stands for text in a network's tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Vocabulary {
    /// Nothing is said: the size decides.
    #[default]
    BySize,
    /// The bytes of each token; `None` for one that stands for no text.
    Tokens(Vec<Option<Box<[u8]>>>),
    /// A tokenizer of that name, which is not RWKV's.
    Other(String),
}

/// A size that a file states: its key, its value, and which size of the network it is.
pub(super) type Claim = (&'static str, usize, fn(&Shape) -> usize);

/// What a file says of its network.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub eps: Eps,
    /// The group norm's epsilon is the layer norm's times the head size.
    pub eps_of_head: bool,
    /// Whether the head is the embedding, where the file says it.
    pub tied: Option<bool>,
    pub vocabulary: Vocabulary,
    pub claims: Vec<Claim>,
}

impl Facts {
    /// Takes the epsilons, if they are numbers that a norm can have.
    pub fn set_eps(&mut self, key: &str, eps: Eps) -> Result<(), ErrorKind> {
        if !(eps.ln > 0.0 && eps.ln <= 0.1) {
            let (key, found, expected) = (key.into(), eps.ln.to_string(), "a number above 0, at most 0.1".into());
            return Err(ErrorKind::Setting { key, found, expected });
        }
        self.eps = eps;
        Ok(())
    }

    /// Compares what the file says with what its tensors show.
    pub fn check(&self, shape: &Shape) -> Result<(), ErrorKind> {
        match self.claims.iter().find(|(_, value, of)| of(shape) != *value) {
            Some((key, value, of)) => {
                let expected = format!("{}, which is what the tensors show", of(shape));
                Err(ErrorKind::Setting { key: (*key).into(), found: value.to_string(), expected })
            }
            None => Ok(()),
        }
    }

    /// The epsilons of a network of this shape.
    pub fn eps(&self, shape: &Shape) -> Eps {
        match self.eps_of_head {
            true => Eps { ln: self.eps.ln, ln_x: shape.head_size as f64 * self.eps.ln },
            false => self.eps,
        }
    }
}
