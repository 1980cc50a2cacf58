//! A group as tokens: 0 to order − 1 are the elements, then come `ticks − 1` clock tokens, then the start tokens up to the vocabulary's end.

use super::group::Group;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// The running product of random elements of a group, as a network reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub group: Group,
    /// Tokens of a word: the element and `ticks − 1` clock tokens.
    pub ticks: usize,
    /// Tokens before the first word.
    pub starts: usize,
}

/// Why a network cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    #[error("group {0}: not known, expected one of S3, A4, S4, A5, S5")]
    Group(String),
    #[error("{group} with {ticks} tokens an element needs {needed} tokens, the vocabulary has {vocab_size}")]
    Vocabulary { group: &'static str, ticks: usize, needed: usize, vocab_size: usize },
    #[error("0 tokens an element, expected at least 1")]
    NoTicks,
}

impl Task {
    /// The task of a network with `vocab_size` tokens; what elements and clock leave of them are start tokens.
    ///
    /// # Errors
    /// If the group is not known or the vocabulary is too small for it.
    pub fn new(group: &str, ticks: usize, vocab_size: usize) -> Result<Self, TaskError> {
        let group = Group::named(group).ok_or_else(|| TaskError::Group(group.into()))?;
        let needed = group.order() + ticks.checked_sub(1).ok_or(TaskError::NoTicks)?;
        match vocab_size.checked_sub(needed) {
            Some(starts) => Ok(Self { group, ticks, starts }),
            None => Err(TaskError::Vocabulary { group: group.name(), ticks, needed, vocab_size }),
        }
    }

    /// Tokens before the first word.
    pub fn start_tokens(&self) -> Range<u32> {
        let first = (self.group.order() + self.ticks - 1) as u32;
        first..first + self.starts as u32
    }

    /// Element `e` as tokens: itself, then the clock.
    pub fn word(&self, e: usize) -> impl Iterator<Item = u32> {
        let clock = self.group.order() as u32..(self.group.order() + self.ticks - 1) as u32;
        std::iter::once(e as u32).chain(clock)
    }

    /// Random elements and the product up to and including each, without end; the same on every machine for a seed and a sequence's number.
    pub fn products(&self, seed: u64, sequence: u64) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(sequence);
        let mut product = Group::IDENTITY;
        std::iter::repeat_with(move || {
            let e = rng.gen_range(0..self.group.order());
            product = self.group.product(product, e);
            (e, product)
        })
    }

    /// The tokens of a sequence of `length` elements.
    pub fn tokens(&self, seed: u64, sequence: u64, length: usize) -> Vec<u32> {
        let words = self.products(seed, sequence).take(length).flat_map(|(e, _)| self.word(e));
        self.start_tokens().chain(words).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_products_of_a_sequence() {
        let task = Task::new("S3", 3, 10).unwrap();
        assert_eq!((task.starts, task.start_tokens()), (2, 8..10));
        let tokens = task.tokens(5, 0, 4);
        assert_eq!((tokens.len(), &tokens[..2]), (2 + 3 * 4, &[8, 9][..]));
        let mut product = Group::IDENTITY;
        for (word, (e, p)) in tokens[2..].chunks(3).zip(task.products(5, 0)) {
            assert_eq!(word, [e as u32, 6, 7]);
            product = task.group.product(product, e);
            assert_eq!(p, product);
        }
    }

    #[test]
    fn a_seed_and_a_number_are_a_sequence() {
        let task = Task::new("A5", 16, 78).unwrap();
        assert_eq!(task.starts, 3);
        let first = |seed, n| task.products(seed, n).map(|p| p.0).take(8).collect::<Vec<_>>();
        assert_eq!(first(1, 0), first(1, 0));
        assert_eq!(first(1, 0), [24, 4, 35, 13, 17, 42, 27, 9], "sequences of old runs must stay what they were");
        assert!(first(1, 0) != first(1, 1) && first(1, 0) != first(2, 0));
        // every element comes about as often as any other, among the factors and among the products
        let (mut factors, mut products) = ([0; 60], [0; 60]);
        for (e, p) in task.products(3, 0).take(60_000) {
            factors[e] += 1;
            products[p] += 1;
        }
        assert!(factors.iter().chain(&products).all(|n| (850..1150).contains(n)), "{factors:?} {products:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let text = |e: Result<Task, TaskError>| e.unwrap_err().to_string();
        assert_eq!(text(Task::new("M11", 1, 9)), "group M11: not known, expected one of S3, A4, S4, A5, S5");
        assert_eq!(
            text(Task::new("A5", 16, 74)),
            "A5 with 16 tokens an element needs 75 tokens, the vocabulary has 74"
        );
        assert_eq!(text(Task::new("A5", 0, 74)), "0 tokens an element, expected at least 1");
    }
}
