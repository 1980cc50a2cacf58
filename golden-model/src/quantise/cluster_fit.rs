//! Finds the rows of a head that belong in one cluster: rows whose logits move together in text.
//!
//! A set of rows is cut in two, each half again, until the clusters have their size. A cut is 2-means with halves of fixed sizes: rows are
//! sorted by how much nearer they are to one centre than to the other. With the operands of a calibration the distance of two rows is that of
//! their logits, without it that of the rows. Starts are seeded: the same head gives the same clusters everywhere.

use crate::network::clusters::{ClusterForm, NO_TOKEN};
use crate::quantise::gptq::Gram;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

/// Rounds of one cut; sets settle in fewer.
const ROUNDS: usize = 10;

/// Token of each row of the clustered head for `head` `(vocab_size, cols)`, row-major: cluster after cluster, padding at the end.
pub fn order(head: &[f32], cols: usize, form: ClusterForm, gram: Option<&Gram>) -> Vec<u32> {
    let points: Vec<Vec<f64>> = match gram.map(Gram::whitened) {
        Some(whitened) => head.par_chunks(cols).map(whitened).collect(),
        None => head.par_chunks(cols).map(|row| row.iter().map(|w| f64::from(*w)).collect()).collect(),
    };
    let mut order: Vec<u32> = (0..points.len() as u32).collect();
    cut(&mut order, &points, form, 1);
    order.resize(form.rows(), NO_TOKEN);
    order
}

/// Mean of the rows of each cluster: `(clusters, cols)`, row-major.
pub fn centroids(head: &[f32], cols: usize, form: ClusterForm, order: &[u32]) -> Vec<f32> {
    let of = |tokens: &[u32]| {
        let rows: Vec<&[f32]> = tokens.iter().filter_map(|t| head.chunks(cols).nth(*t as usize)).collect();
        let n = rows.len().max(1) as f64;
        (0..cols).map(|c| (rows.iter().map(|r| f64::from(r[c])).sum::<f64>() / n) as f32).collect::<Vec<_>>()
    };
    order.chunks(form.size as usize).flat_map(of).collect()
}

/// Puts the tokens of each cluster of `tokens` together; the last may be smaller.
fn cut(tokens: &mut [u32], points: &[Vec<f64>], form: ClusterForm, seed: u64) {
    let size = form.size as usize;
    let clusters = tokens.len().div_ceil(size);
    if clusters < 2 {
        return;
    }
    let first = clusters / 2 * size;
    let point = |t: u32| &points[t as usize];
    let start = rand_chacha::ChaCha8Rng::seed_from_u64(seed).gen_range(0..tokens.len());
    let farthest = |from: &[f64]| {
        let by = |a: &&u32, b: &&u32| squared(point(**a), from).total_cmp(&squared(point(**b), from));
        tokens.iter().max_by(by).map_or_else(Vec::new, |t| point(*t).clone())
    };
    let a = farthest(point(tokens[start]));
    let mut centres = [farthest(&a), a];
    for _ in 0..ROUNDS {
        let mut sides: Vec<(f64, u32)> = tokens
            .par_iter()
            .map(|t| (squared(point(*t), &centres[0]) - squared(point(*t), &centres[1]), *t))
            .collect();
        sides.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let sorted: Vec<u32> = sides.iter().map(|s| s.1).collect();
        if sorted == *tokens {
            break;
        }
        tokens.copy_from_slice(&sorted);
        centres = [mean(&tokens[..first], points), mean(&tokens[first..], points)];
    }
    let (left, right) = tokens.split_at_mut(first);
    rayon::join(|| cut(left, points, form, 2 * seed), || cut(right, points, form, 2 * seed + 1));
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn mean(tokens: &[u32], points: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; points.first().map_or(0, Vec::len)];
    for t in tokens {
        sum.iter_mut().zip(&points[*t as usize]).for_each(|(s, p)| *s += p);
    }
    sum.iter_mut().for_each(|s| *s /= tokens.len().max(1) as f64);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_alike_lie_together() {
        // four kinds of rows, shuffled, and padding: 4 · 32 − 20 tokens
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        let kinds = [[5f32, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0], [-5.0, -5.0, -5.0]];
        let n = 108;
        let kind = |t: u32| if t < 12 { 3 } else { (t as usize) % 3 };
        let head: Vec<f32> = (0..n).flat_map(|t| kinds[kind(t)].map(|k| k + rng.gen_range(-0.5f32..0.5))).collect();
        let form = ClusterForm::new(n as usize, 4, 1);
        assert_eq!((form.clusters, form.size), (4, 32));
        let order = order(&head, 3, form, None);
        assert_eq!(order.len(), 128);
        assert!(order[108..].iter().all(|t| *t == NO_TOKEN));
        let mut tokens = order[..108].to_vec();
        tokens.sort_unstable();
        assert_eq!(tokens, (0..108).collect::<Vec<_>>());
        let mixed = order[..108].chunks(32).filter(|c| c.iter().any(|t| kind(*t) != kind(c[0]))).count();
        assert!(mixed <= 1, "{order:?}");
        let centroids = centroids(&head, 3, form, &order);
        assert_eq!(centroids.len(), 12);
    }

    /// A column no text ever uses does not decide.
    #[test]
    fn operands_decide_what_is_alike() {
        let mut gram = Gram::new(2);
        gram.add(&[1.0, 0.0]);
        let head: Vec<f32> =
            (0..64).flat_map(|t| [if t % 2 == 0 { 1.0 } else { -1.0 }, if t < 32 { 9.0 } else { -9.0 }]).collect();
        let form = ClusterForm::new(64, 2, 1);
        let of = |gram| order(&head, 2, form, gram);
        let (with, without) = (of(Some(&gram)), of(None));
        assert!(with[..32].iter().all(|t| t % 2 == with[0] % 2), "{with:?}");
        assert!(without[..32].iter().all(|t| (*t < 32) == (without[0] < 32)), "{without:?}");
    }
}
