//! Small groups of permutations, with their multiplication tables.

use std::collections::BTreeMap;

/// A finite group. Elements are numbered from 0 in the lexicographic order of their permutations, so 0 is the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    name: &'static str,
    /// `elements[e][i]` is where `e` sends point `i`.
    elements: Vec<Vec<u8>>, // (order, points)
    /// `table[a · order + b]` is `a` first, then `b`.
    table: Vec<u16>, // (order, order)
}

/// Names, number of points, whether only even permutations belong to it.
const KNOWN: [(&str, u8, bool); 5] =
    [("S3", 3, false), ("A4", 4, true), ("S4", 4, false), ("A5", 5, true), ("S5", 5, false)];

impl Group {
    /// Names that [`Group::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|k| k.0)
    }

    /// `S3`, `A4`, `S4`, `A5` or `S5`: all permutations of so many points, or the even ones.
    pub fn named(name: &str) -> Option<Self> {
        let (name, points, even) = *KNOWN.iter().find(|k| k.0 == name)?;
        let mut elements = vec![];
        permutations(points, &mut vec![], &mut elements);
        if even {
            elements.retain(|e| inversions(e).is_multiple_of(2));
        }
        let index: BTreeMap<&[u8], u16> = elements.iter().map(Vec::as_slice).zip(0..).collect();
        let then = |a: &[u8], b: &[u8]| a.iter().map(|i| b[usize::from(*i)]).collect::<Vec<u8>>();
        // closed: permutations of some points are, and a product of even ones is even
        let table = elements.iter().flat_map(|a| elements.iter().map(|b| index[&then(a, b)[..]]).collect::<Vec<_>>());
        let table = table.collect();
        Some(Self { name, elements, table })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many elements it has.
    pub fn order(&self) -> usize {
        self.elements.len()
    }

    /// Where element `e` sends the points 0, 1, ….
    pub fn permutation(&self, e: usize) -> &[u8] {
        &self.elements[e]
    }

    /// `a` first, then `b`; both below [`Group::order`].
    pub fn product(&self, a: usize, b: usize) -> usize {
        usize::from(self.table[a * self.order() + b])
    }

    /// The group with every product read from right to left, for tests that must fail.
    pub fn opposite(&self) -> Self {
        let table = (0..self.order()).flat_map(|a| (0..self.order()).map(move |b| self.product(b, a) as u16)).collect();
        Self { table, ..self.clone() }
    }

    /// The element that undoes `e`.
    pub fn inverse(&self, e: usize) -> usize {
        // a finite group has one; 0 would be a wrong table, which the tests exclude
        (0..self.order()).find(|b| self.product(e, *b) == Self::IDENTITY).unwrap_or(Self::IDENTITY)
    }

    /// The element that changes nothing.
    pub const IDENTITY: usize = 0;
}

/// All permutations of `points` points that begin with `prefix`, in lexicographic order.
fn permutations(points: u8, prefix: &mut Vec<u8>, out: &mut Vec<Vec<u8>>) {
    if prefix.len() == usize::from(points) {
        return out.push(prefix.clone());
    }
    for i in (0..points).filter(|i| !prefix.contains(i)).collect::<Vec<_>>() {
        prefix.push(i);
        permutations(points, prefix, out);
        prefix.pop();
    }
}

/// Pairs in the wrong order; their parity is the permutation's.
fn inversions(p: &[u8]) -> usize {
    (0..p.len()).map(|j| p[..j].iter().filter(|a| **a > p[j]).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_group_of_its_order() {
        for (name, order) in [("S3", 6), ("A4", 12), ("S4", 24), ("A5", 60), ("S5", 120)] {
            let g = Group::named(name).unwrap();
            assert_eq!((g.name(), g.order()), (name, order));
            for a in 0..order {
                assert_eq!((g.product(a, 0), g.product(0, a)), (a, a), "{name}: identity");
                assert_eq!((g.product(a, g.inverse(a)), g.product(g.inverse(a), a)), (0, 0), "{name}: inverse of {a}");
                let mut row: Vec<_> = (0..order).map(|b| g.product(a, b)).collect();
                row.sort_unstable();
                assert!(row.into_iter().eq(0..order), "{name}: row {a} holds every element once");
                for b in 0..order {
                    let ab = g.product(a, b);
                    let sends: Vec<u8> = g.permutation(a).iter().map(|i| g.permutation(b)[usize::from(*i)]).collect();
                    assert_eq!(sends, g.permutation(ab), "{name}: {a} then {b}");
                    for c in (0..order).step_by(7) {
                        assert_eq!(g.product(ab, c), g.product(a, g.product(b, c)), "{name}: associative");
                    }
                }
            }
        }
        assert_eq!(Group::named("A6"), None);
    }

    /// A5 is simple: the elements that the conjugates of any element but the identity generate are all of it. S4 and A4 are not, and
    /// this is what makes A5 the hard case: it cannot be tracked one easy part at a time.
    #[test]
    fn only_a5_has_no_proper_normal_subgroup() {
        let closure = |g: &Group, e: usize| {
            let mut inside = vec![false; g.order()];
            let mut todo: Vec<_> = (0..g.order()).map(|x| g.product(g.product(g.inverse(x), e), x)).collect();
            let conjugates = todo.clone();
            while let Some(x) = todo.pop() {
                if !std::mem::replace(&mut inside[x], true) {
                    todo.extend(conjugates.iter().map(|c| g.product(x, *c)));
                }
            }
            inside.iter().filter(|x| **x).count()
        };
        for (name, smallest) in [("S3", 3), ("A4", 4), ("S4", 4), ("A5", 60), ("S5", 60)] {
            let g = Group::named(name).unwrap();
            assert_eq!((1..g.order()).map(|e| closure(&g, e)).min(), Some(smallest), "{name}");
        }
    }

    #[test]
    fn the_order_of_multiplication_matters() {
        for name in Group::names() {
            let g = Group::named(name).unwrap();
            assert!((0..g.order()).any(|a| g.product(a, 1) != g.product(1, a)), "{name} would commute");
            assert!(g.opposite() != g && g.opposite().opposite() == g, "{name}");
        }
    }
}
