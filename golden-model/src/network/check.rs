//! Checks, when a model is made or read, all that the integer step takes for granted.

use crate::arithmetic::norm::NormConstants;
use crate::arithmetic::tensor::{QMatrix, RowScale, WeightBits};
use crate::checkpoint::names::RANK_S;
use crate::network::branch::QBranch;
use crate::network::clusters::{NO_TOKEN, ROWS};
use crate::network::formats::{MAX_FRAC, MIN_FRAC};
use crate::network::model::{is_own, ModelError, QLayer, QModel};
use crate::network::shifts::{Range, Ranged};
use crate::network::tensors::{Matrix, QTensor};

impl<M: Matrix> QModel<M> {
    /// Checks all that the integer step takes for granted: sizes, row scales, and that every shift it makes is in range.
    ///
    /// # Errors
    /// Names the first thing that does not fit and the range expected.
    pub fn check(&self) -> Result<(), ModelError> {
        let s = &self.shape;
        let value = |what: &str, found: usize, ok: bool, expected: &str| match ok {
            true => Ok(()),
            false => Err(ModelError::Value { what: what.into(), found: found.to_string(), expected: expected.into() }),
        };
        value("n_layer", s.n_layer, s.n_layer > 0 && s.n_layer == self.layers.len(), "one set of formats a layer")?;
        let heads = s.n_head.checked_mul(s.head_size);
        value(
            "n_embd",
            s.n_embd,
            heads == Some(s.n_embd) && (1..=16384).contains(&s.n_embd),
            "n_head · head_size, up to 16384",
        )?;
        value("head_size", s.head_size, (1..=255).contains(&s.head_size), "1 to 255")?;
        value("dim_ffn", s.dim_ffn, (1..=65532).contains(&s.dim_ffn), "1 to 65532")?;
        value("vocab_size", s.vocab_size, (1..1 << 18).contains(&s.vocab_size), "1 to 262143")?;
        value("state_bits", self.f.state_bits as usize, (16..=32).contains(&self.f.state_bits), "16 to 32")?;
        value("operand_bits", self.f.operand_bits as usize, (4..=16).contains(&self.f.operand_bits), "4 to 16")?;
        value(
            "size of emb.weight",
            M::embedding_len(&self.emb),
            s.vocab_size.checked_mul(s.n_embd) == Some(M::embedding_len(&self.emb)),
            "vocab_size · n_embd",
        )?;
        let eps = self.f.eps;
        if ![eps.ln, eps.ln_x].iter().all(|e| (0.0..=30.0).contains(e)) {
            let expected = "numbers from 0 to 30".into();
            return Err(ModelError::Value { what: "eps".into(), found: format!("{eps:?}"), expected });
        }
        self.check_clusters()?;
        self.check_residual()?;
        self.check_sizes()?;
        for (l, layer) in self.layers.iter().enumerate() {
            layer.check(l, self)?;
        }
        check_norm("ln_out", &self.f.ln_out, (s.n_embd, self.f.eps.ln, self.last_residual()))?;
        check_branch("", self.head_branch.as_ref(), (s.vocab_size, s.n_embd))?;
        check_shifts("", &self.shifts, &self.computed_shifts())
    }

    /// Checks that each layer takes the residual stream in the format in which the one before leaves it.
    fn check_residual(&self) -> Result<(), ModelError> {
        let mut f_x = self.f.f_x;
        for (l, layer) in self.layers.iter().enumerate() {
            let [before, _, after] = layer.f.residual(&self.f);
            if before != f_x {
                let what = format!("layer {l}: fraction bits of the residual stream before it");
                return Err(ModelError::Value {
                    what,
                    found: before.to_string(),
                    expected: format!("{f_x}, as they are left"),
                });
            }
            f_x = after;
        }
        Ok(())
    }

    fn last_residual(&self) -> i32 {
        self.f.last_residual(self.layers.iter().map(|l| &l.f))
    }

    /// Checks that the clusters fit the vocabulary and that every token is in exactly one.
    fn check_clusters(&self) -> Result<(), ModelError> {
        let Some(c) = &self.clusters else { return Ok(()) };
        let (vocab, form) = (self.shape.vocab_size, c.form);
        let size = form.size as usize;
        let fits = size > 0
            && size.is_multiple_of(ROWS)
            && form.clusters as usize == vocab.div_ceil(size)
            && (1..=form.clusters).contains(&form.visit);
        if !fits || self.head_branch.is_some() {
            let expected = format!("clusters of a multiple of {ROWS} rows for {vocab} tokens, and no branch");
            return Err(ModelError::Value { what: "clusters".into(), found: format!("{form:?}"), expected });
        }
        check_matrix("head.centroids", &c.centroids, (form.clusters as usize, self.shape.n_embd))?;
        let mut seen = vec![false; vocab];
        let (tokens, padding) = c.order.split_at(vocab.min(c.order.len()));
        let once = |t: &u32| seen.get_mut(*t as usize).is_some_and(|s| !std::mem::replace(s, true));
        let whole = c.order.len() == form.rows() && tokens.iter().all(once);
        if !whole || padding.iter().any(|t| *t != NO_TOKEN) {
            let found = format!("{} rows", c.order.len());
            let expected = format!("{} rows with each of {vocab} tokens once, padding at the end", form.rows());
            return Err(ModelError::Tensor { name: "head.order".into(), found, expected });
        }
        Ok(())
    }

    /// Checks that every tensor has the size its name demands and that the stream can carry every row scale.
    fn check_sizes(&self) -> Result<(), ModelError> {
        let specs: std::collections::HashMap<_, _> = self.shape.tensors().map(|t| (t.name.clone(), t.shape)).collect();
        for (name, tensor) in self.tensors() {
            let Some(dims) = specs.get(&name) else { continue };
            let bad = |found: String, expected: String| Err(ModelError::Tensor { name: name.clone(), found, expected });
            match tensor {
                QTensor::Embedding(..) | QTensor::Order(_) => {}
                QTensor::Vector(v) => {
                    let n: usize = dims.iter().product();
                    if v.q.len() != n {
                        return bad(format!("{} elements", v.q.len()), n.to_string());
                    }
                }
                QTensor::Matrix(m) => {
                    let low_rank = !name.ends_with(".weight");
                    let own = is_own(&name);
                    let (rows, cols) = match (low_rank, own) {
                        (true, _) => (dims[1], dims[0]),
                        (false, true) => (dims[0] * RANK_S, RANK_S),
                        (false, false) => (dims[0], dims[1]),
                    };
                    let rows = match &self.clusters {
                        Some(c) if name == "head.weight" => c.form.rows(),
                        _ => rows,
                    };
                    check_matrix(&name, m, (rows, cols))?;
                    let value = name.ends_with("ffn.value.weight");
                    if m.bits() == if value { WeightBits::W4 } else { WeightBits::W4Columns } {
                        let expected = if value {
                            "4- or 8-bit weights by columns, or 16-bit ones"
                        } else {
                            "4-bit weights by rows"
                        };
                        return bad(format!("weights {:?}", m.bits()), expected.into());
                    }
                }
            }
        }
        Ok(())
    }
}

impl<M: Matrix> QLayer<M> {
    fn matrix(&self, name: &str) -> Option<&M> {
        self.tensors().into_iter().find_map(|(n, t)| match t {
            QTensor::Matrix(m) if n == name => Some(m),
            _ => None,
        })
    }

    /// Checks what does not follow from the sizes of the tensors: constants of norms, branches, shifts.
    fn check(&self, l: usize, model: &QModel<M>) -> Result<(), ModelError> {
        let (f, net) = (&self.f, &model.f);
        let (d, n) = (model.shape.n_embd, model.shape.head_size);
        let prefix = format!("layer {l}: ");
        if f.deep_embed.is_some() != model.shape.deep_embed {
            let found = format!("{}", f.deep_embed.is_some());
            let expected = format!("{}, as the shape has it", model.shape.deep_embed);
            return Err(ModelError::Value { what: format!("{prefix}formats of DeepEmbed"), found, expected });
        }
        for (name, constants, of) in [
            ("ln1", &f.ln1, (d, net.eps.ln, f.residual(net)[0])),
            ("ln2", &f.ln2, (d, net.eps.ln, f.residual(net)[1])),
            ("att.ln_x", &f.ln_x, (n, net.eps.ln_x, f.f_y)),
        ] {
            check_norm(&format!("{prefix}{name}"), constants, of)?;
        }
        for (name, branch) in &self.branches {
            let dims = self.matrix(name).map_or((0, 0), |m| (m.rows(), m.cols()));
            check_branch(&prefix, Some(branch), dims)?;
        }
        check_shifts(&prefix, &self.shifts, &self.computed_shifts(net))
    }
}

/// Checks the size, the number of weights and scales, and the row scales of a matrix.
fn check_matrix<M: Matrix>(name: &str, m: &M, (rows, cols): (usize, usize)) -> Result<(), ModelError> {
    let bad = |found: String, expected: String| Err(ModelError::Tensor { name: name.into(), found, expected });
    if (m.rows(), m.cols()) != (rows, cols) {
        return bad(format!("({}, {})", m.rows(), m.cols()), format!("({rows}, {cols})"));
    }
    let (q, scales) = m.held();
    let whole = (rows * cols, QMatrix::scales_of(rows, cols, m.bits()));
    if (q, scales) != whole {
        return bad(format!("{q} weights, {scales} scales"), format!("{} and {}", whole.0, whole.1));
    }
    let wrong = |s: &RowScale| s.m != 0 && !(2048..4096).contains(&s.m) || s.e > 15;
    match (0..rows).map(|r| m.scale(r)).find(wrong) {
        Some(s) => bad(format!("row scale m {} e {}", s.m, s.e), "m 0 or 2048 to 4095, e 0 to 15".into()),
        None => Ok(()),
    }
}

/// Checks the sizes, the widths and the fraction of the branch of a matrix `(rows, cols)`.
fn check_branch<M: Matrix>(
    prefix: &str,
    branch: Option<&QBranch<M>>,
    (rows, cols): (usize, usize),
) -> Result<(), ModelError> {
    let Some(b) = branch else { return Ok(()) };
    let name = |n: &str| format!("{prefix}{n}");
    let rank = b.v.rows();
    check_matrix(&name(b.names.v), &b.v, (rank.clamp(1, rows.min(cols).max(1)), cols))?;
    check_matrix(&name(b.names.u), &b.u, (rows, rank))?;
    for (n, m) in b.tensors() {
        if m.bits() != WeightBits::W16 {
            let (found, expected) = (format!("{:?}", m.bits()), "W16".into());
            return Err(ModelError::Tensor { name: name(n), found, expected });
        }
    }
    range(name("f_t"), b.f_t, (MIN_FRAC, MAX_FRAC))
}

/// Checks that every shift is in its range and that the shifts stored are those `computed` from the formats and tensors.
fn check_shifts<S: Ranged + PartialEq + std::fmt::Debug>(
    prefix: &str,
    stored: &S,
    computed: &S,
) -> Result<(), ModelError> {
    let mut result = Ok(());
    computed.each(&format!("{prefix}shift "), &mut |name, value, allowed| {
        if result.is_ok() {
            result = range(name, value, allowed);
        }
    });
    result?;
    if stored == computed {
        return Ok(());
    }
    let (what, found) = (format!("{prefix}shifts"), format!("{stored:?}"));
    Err(ModelError::Value { what, found, expected: format!("{computed:?}, as the formats and tensors demand") })
}

fn range(what: String, value: i32, (low, high): Range) -> Result<(), ModelError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ModelError::Shift { what, value, low, high })
}

/// Checks the constants of a norm over `n` elements whose inputs have `f_in` fraction bits.
fn check_norm(what: &str, c: &NormConstants, (n, eps, f_in): (usize, f64, i32)) -> Result<(), ModelError> {
    let expected = NormConstants::new(n, eps, f_in);
    if *c == expected {
        return Ok(());
    }
    let what = format!("constants of {what}");
    Err(ModelError::Value { what, found: format!("{c:?}"), expected: format!("{expected:?}") })
}
