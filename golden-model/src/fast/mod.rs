//! The integer step for speed: the same bits as [`crate::network::integer_step::step`], which stays the specification.
//!
//! * [`weights`]: matrices stay in the mapped image in the order of the chip's weight stream; nothing is unpacked.
//! * [`kernels`]: exact sums of products for AVX-512 VNNI, AVX2 and any processor, chosen when the program runs.
//! * [`matmul`]: matrices times several tokens; `columns`: those stored by columns, where one whose operand is zero is not read.
//! * [`element`], [`operand`], [`wkv`]: what is left, written so that it compiles to vector instructions.
//! * [`pool`]: threads that stay and share work of microseconds; `ahead`: what those that wait ask the memory for.
//! * `branch`, `clusters`, `deep_embed`: what some models have beside their matrices.
//! * [`step`]: the step itself for a block of tokens, of one session or of several.
//! * [`Conversation`]: one session behind the interface that all steps share.
//! * [`bandwidth`]: what the machine's memory allows, to compare with.
//!
//! A step allocates nothing once a runner has made as many (`tests/no_allocation.rs`), except for a head in clusters. `unsafe` is confined to
//! `kernels`, `pool`, and the shared results of `matmul`, `columns` and `wkv`.

mod ahead;
pub mod bandwidth;
mod branch;
mod clusters;
mod columns;
mod conversation;
mod deep_embed;
pub mod element;
pub mod isa;
pub mod kernels;
pub mod matmul;
pub mod operand;
pub mod pool;
mod row;
pub mod step;
pub mod weights;
pub mod wkv;

use crate::arithmetic::vector_ops::SaturationCounts;
use crate::network::integer_step::IntState;
use crate::network::session::TokenError;
pub use conversation::Conversation;
pub use isa::Isa;
use pool::Pool;
use std::sync::Arc;
pub use weights::{from_image, from_model, Weights};

/// Tokens that go through the network together.
pub const MAX_ROWS: usize = 32;
/// Elements of a vector below which rows are not worth handing to other threads.
const SHARED_ELEMENTS: usize = 256;

/// One conversation: its state and what was clipped in it since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub state: IntState,
    /// Clipped results as the specification counts them. Tokens whose logits were not asked for have no head, so none are counted there.
    pub saturations: SaturationCounts,
}

/// A model with the threads and the working memory to run it; sessions share it one call at a time, weights are shared by any number of runners.
pub struct Runner {
    weights: Arc<Weights>,
    isa: Isa,
    pool: Pool,
    rows: Vec<row::Row>,
    by_columns: columns::Scratch,
    share_rows: bool,
    skipped_bytes: u64,
    skipped_columns: Vec<u64>,
}

impl Runner {
    /// Makes a runner with the best instruction set of this machine and `threads` threads (at least one).
    pub fn new(weights: Arc<Weights>, threads: usize) -> Self {
        Self::with_isa(weights, threads, Isa::best())
    }

    /// Makes a runner with a given instruction set; every one gives the same results.
    pub fn with_isa(weights: Arc<Weights>, threads: usize, isa: Isa) -> Self {
        let skipped_columns = vec![0; weights.layers.len()];
        let share_rows = weights.shape.n_embd >= SHARED_ELEMENTS;
        Self {
            isa,
            pool: Pool::new(threads),
            rows: vec![],
            by_columns: columns::Scratch::default(),
            share_rows,
            skipped_bytes: 0,
            skipped_columns,
            weights,
        }
    }

    pub fn weights(&self) -> &Arc<Weights> {
        &self.weights
    }

    pub fn isa(&self) -> Isa {
        self.isa
    }

    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// A session before its first token.
    pub fn session(&self) -> Session {
        Session { state: IntState::new(&*self.weights), saturations: SaturationCounts::default() }
    }

    /// Returns the logits (vocab_size, frac f_logits) after `token`.
    ///
    /// # Errors
    /// If the token is outside the vocabulary; nothing has happened then.
    pub fn step(&mut self, session: &mut Session, token: u32) -> Result<&[i32], TokenError> {
        self.prefill(session, &[token])
    }

    /// Takes in `tokens`, several at a time; gives the logits after the last, none if there are no tokens.
    ///
    /// # Errors
    /// If a token is outside the vocabulary; nothing has happened then.
    pub fn prefill(&mut self, session: &mut Session, tokens: &[u32]) -> Result<&[i32], TokenError> {
        self.check(tokens)?;
        if tokens.is_empty() {
            return Ok(&[]);
        }
        self.make_rows(tokens.len());
        let mut left = tokens;
        while !left.is_empty() {
            let (tokens, rest) = left.split_at(left.len().min(MAX_ROWS));
            left = rest;
            step::block(self, std::slice::from_mut(session), tokens, rest.is_empty());
        }
        Ok(&self.rows[0].logits)
    }

    /// One token for each of several sessions, which share every read of a weight; `logits(i, …)` gets those of session i.
    ///
    /// # Errors
    /// If a token is outside the vocabulary; nothing has happened then.
    ///
    /// # Panics
    /// If there are not as many tokens as sessions.
    pub fn batch(
        &mut self,
        sessions: &mut [Session],
        tokens: &[u32],
        mut logits: impl FnMut(usize, &[i32]),
    ) -> Result<(), TokenError> {
        assert_eq!(sessions.len(), tokens.len(), "one token for each session");
        self.check(tokens)?;
        self.make_rows(tokens.len());
        let mut done = 0;
        for (sessions, tokens) in sessions.chunks_mut(MAX_ROWS).zip(tokens.chunks(MAX_ROWS)) {
            step::block(self, sessions, tokens, true);
            self.rows[..tokens.len()].iter().enumerate().for_each(|(i, row)| logits(done + i, &row.logits));
            done += tokens.len();
        }
        Ok(())
    }

    /// Rows for `n` tokens, made once.
    fn make_rows(&mut self, n: usize) {
        let weights = &self.weights;
        self.rows.resize_with(n.min(MAX_ROWS).max(self.rows.len()), || row::Row::new(weights));
    }

    fn check(&self, tokens: &[u32]) -> Result<(), TokenError> {
        let vocab_size = self.weights.shape.vocab_size;
        match tokens.iter().find(|t| **t as usize >= vocab_size) {
            Some(token) => Err(TokenError { token: *token, vocab_size }),
            None => Ok(()),
        }
    }
}

/// Threads for a machine's cores: all of them, as far as they help a memory-bound program.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(16))
}
