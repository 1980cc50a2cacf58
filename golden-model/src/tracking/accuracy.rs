//! How often a network is right, by length.

use super::task::Task;
use crate::network::session::Session;
use crate::text::generate::first_largest;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Answers up to a length, over all sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Elements read.
    pub length: usize,
    /// Answers after the lengths above the point before and up to this one.
    pub answers: u64,
    /// How many of them were right.
    pub right: u64,
    /// Sequences whose answer after exactly `length` elements was right.
    pub right_at_the_end: u64,
    /// Sequences right at every element from the first to this one.
    pub right_throughout: u64,
}

impl Point {
    /// Share of right answers, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.answers.max(1) as f64
    }
}

/// Runs `sequences` random sequences of the longest of `lengths`, each from a new `session`, on all cores. `lengths` ascend and are at
/// least 1; `progress` gets the number of elements read by one sequence since it was last called.
///
/// # Errors
/// The session's.
pub fn measure<S: Session>(
    task: &Task,
    session: impl Fn() -> S + Sync,
    lengths: &[usize],
    sequences: u64,
    seed: u64,
    progress: impl Fn(usize) + Sync,
) -> Result<Vec<Point>, S::Error>
where
    S::Error: Send,
{
    let none =
        || lengths.iter().map(|l| Point { length: *l, answers: 0, right: 0, right_at_the_end: 0, right_throughout: 0 });
    let one = |n: u64| -> Result<Vec<Point>, S::Error> {
        let mut session = session();
        let mut points: Vec<Point> = none().collect();
        session.prefill(&task.start_tokens().collect::<Vec<_>>())?;
        let (mut products, mut read, mut throughout) = (task.products(seed, n), 0, true);
        for point in &mut points {
            for (e, product) in products.by_ref().take(point.length.saturating_sub(read)) {
                let logits = session.prefill(&task.word(e).collect::<Vec<_>>())?;
                // clock and start tokens are no answers
                let right = first_largest(&logits[..task.group.order()]) as usize == product;
                throughout &= right;
                point.answers += 1;
                point.right += u64::from(right);
                point.right_at_the_end = u64::from(right);
            }
            point.right_throughout = u64::from(throughout);
            progress(point.length.saturating_sub(read));
            read = read.max(point.length);
        }
        Ok(points)
    };
    let sum = |a: Vec<Point>, b: Vec<Point>| {
        let both = |(a, b): (Point, Point)| Point {
            length: a.length,
            answers: a.answers + b.answers,
            right: a.right + b.right,
            right_at_the_end: a.right_at_the_end + b.right_at_the_end,
            right_throughout: a.right_throughout + b.right_throughout,
        };
        a.into_iter().zip(b).map(both).collect()
    };
    (0..sequences).into_par_iter().map(one).try_reduce(|| none().collect(), |a, b| Ok(sum(a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::session::TokenError;
    use crate::tracking::Group;

    /// Multiplies by itself, in the order it is told; wrong from element `wrong_from` on.
    struct Perfect<'a> {
        task: &'a Task,
        product: usize,
        read: usize,
        wrong_from: usize,
        reversed: bool,
    }

    impl Session for Perfect<'_> {
        type Error = TokenError;
        fn vocab_size(&self) -> usize {
            self.task.group.order() + self.task.ticks - 1 + self.task.starts
        }
        fn step(&mut self, token: u32) -> Result<Vec<f64>, TokenError> {
            let (g, e) = (&self.task.group, token as usize);
            if e < g.order() {
                self.read += 1;
                self.product = if self.reversed { g.product(e, self.product) } else { g.product(self.product, e) };
            }
            let mut logits = vec![0.0; self.vocab_size()];
            let wrong = usize::from(self.read >= self.wrong_from);
            logits[(self.product + wrong) % g.order()] = 1.0;
            logits[g.order()] = 2.0; // the clock is no answer
            Ok(logits)
        }
    }

    fn run(task: &Task, wrong_from: usize, reversed: bool) -> Vec<Point> {
        let session = || Perfect { task, product: Group::IDENTITY, read: 0, wrong_from, reversed };
        measure(task, session, &[1, 4, 16], 10, 7, |_| ()).unwrap()
    }

    #[test]
    fn right_answers_are_counted_by_length() {
        let task = Task::new("A5", 2, 63).unwrap();
        let of = |p: &Point| (p.length, p.answers, p.right, p.right_at_the_end, p.right_throughout);
        let perfect: Vec<_> = run(&task, usize::MAX, false).iter().map(of).collect();
        assert_eq!(perfect, [(1, 10, 10, 10, 10), (4, 30, 30, 10, 10), (16, 120, 120, 10, 10)]);
        let late: Vec<_> = run(&task, 6, false).iter().map(of).collect();
        assert_eq!(late, [(1, 10, 10, 10, 10), (4, 30, 30, 10, 10), (16, 120, 10, 0, 0)]);
        assert_eq!(run(&task, 6, false)[2].accuracy(), 10.0 / 120.0);
    }

    #[test]
    fn multiplying_in_the_wrong_order_is_seen() {
        let task = Task::new("A5", 2, 63).unwrap();
        let points = run(&task, usize::MAX, true);
        assert_eq!(points[0].accuracy(), 1.0, "one element has no order");
        assert!(points[1].accuracy() < 0.6 && points[2].accuracy() < 0.1, "{points:?}");
    }
}
