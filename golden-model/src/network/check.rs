//! What the integer step takes for granted of a model, checked once, when it is made or read.

use crate::arithmetic::fixed::{NORM, O, Z};
use crate::arithmetic::norm::NormConstants;
use crate::arithmetic::norm::{EPS_LN, EPS_LN_X};
use crate::arithmetic::tensor::{QMatrix, RowScale, WeightBits};
use crate::network::branch::{QBranch, BRANCHED};
use crate::network::clusters::{NO_TOKEN, ROWS};
use crate::network::formats::{MAX_FRAC, MIN_FRAC};
use crate::network::model::{ModelError, QAffine, QLayer, QModel};
use crate::network::tensors::{Matrix, QTensor};
use crate::quantise::choose_formats::{layer_matrices, MatrixSpec};
use crate::quantise::choose_formats::{MAT_SHIFT, MIN_SH_VK, MIN_SH_Y};

impl<M: Matrix> QModel<M> {
    /// Checks all that the integer step takes for granted: sizes, row scales, and that every shift it makes is in range.
    ///
    /// # Errors
    /// The first thing that does not fit, with its name and the range expected.
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
        self.check_clusters()?;
        self.check_sizes()?;
        for (l, layer) in self.layers.iter().enumerate() {
            layer.check(l, self)?;
        }
        let f = &self.f;
        range("f_x - f_emb", f.f_x - f.f_emb, (0, 31))?;
        check_norm("ln_out", &f.ln_out, &self.ln_out, (s.n_embd, EPS_LN, f.f_x, f.f_ho))?;
        check_branch("", self.head_branch.as_ref(), (s.vocab_size, s.n_embd), (f.f_ho, f.f_logits))?;
        if let Some(c) = &self.clusters {
            let shift = f.f_ho + c.centroids.frac() - f.f_logits;
            range("head.centroids: f_ho + frac - f_logits", shift, MAT_SHIFT)?;
        }
        range("head: f_ho + frac - f_logits", f.f_ho + self.head.frac() - f.f_logits, MAT_SHIFT)
    }

    /// The clusters fit the vocabulary and every token is in exactly one.
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

    /// Every tensor has the size its name demands, every row scale is one the stream can carry.
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
                    let (rows, cols) = if low_rank { (dims[1], dims[0]) } else { (dims[0], dims[1]) };
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

    fn check(&self, l: usize, model: &QModel<M>) -> Result<(), ModelError> {
        let (f, net, a) = (&self.f, &model.f, &self.att);
        let (d, n) = (model.shape.n_embd, model.shape.head_size);
        let name = |what: &str| format!("layer {l}: {what}");
        let shift = |what: &str, value: i32| range(&name(what), value, (0, 63));
        check_norm(&name("ln1"), &f.ln1, &self.ln1, (d, EPS_LN, net.f_x, f.f_h1))?;
        check_norm(&name("ln2"), &f.ln2, &self.ln2, (d, EPS_LN, net.f_x, f.f_h2))?;
        check_norm(&name("att.ln_x"), &f.ln_x, &a.ln_x, (n, EPS_LN_X, f.f_y, f.f_yb))?;
        for MatrixSpec { name: matrix, f_in, f_out, .. } in layer_matrices(l, WeightBits::W8, f, net) {
            if let Some(m) = self.matrix(matrix) {
                range(&name(&format!("{matrix}: f_in + frac - f_out")), f_in + m.frac() - f_out, MAT_SHIFT)?;
            }
        }
        let specs = layer_matrices(l, WeightBits::W8, f, net);
        for part in &BRANCHED {
            let Some(spec) = specs.iter().find(|s| s.name == part.weight) else { continue };
            let dims = self.matrix(part.weight).map_or((0, 0), |m| (m.rows(), m.cols()));
            check_branch(&name(""), self.branches.get(part.weight), dims, (spec.f_in, spec.f_out))?;
        }
        for (what, v) in
            [("x_r", &a.x_r), ("x_w", &a.x_w), ("x_k", &a.x_k), ("x_v", &a.x_v), ("x_a", &a.x_a), ("x_g", &a.x_g)]
        {
            shift(&format!("f of att.{what}"), v.frac)?;
        }
        shift("f of ffn.x_k", self.ffn.x_k.frac)?;
        shift("f of att.k_a", a.k_a.frac)?;
        for (what, v) in [("w0", Some(&a.w0)), ("a0", Some(&a.a0)), ("v0", a.v.as_ref().map(|v| &v.v0))] {
            v.map_or(Ok(()), |v| range(&name(&format!("Z - f of att.{what}")), Z - v.frac, (0, 31)))?;
        }
        shift("f_k + f - f_k0", f.f_k + a.k_k.frac - f.f_k0)?;
        shift("O + f_k - f_km", O + f.f_k - f.f_km)?;
        range(&name("sh_vk"), net.f_v + f.f_km - f.f_s, (MIN_SH_VK, 63))?;
        range(&name("sh_y"), f.f_s + f.f_r - f.f_y, (MIN_SH_Y, 63))?;
        shift("f_r + f_km - f_rk", f.f_r + f.f_km - f.f_rk)?;
        shift("f_rk + f - f_bs", f.f_rk + a.r_k.frac - f.f_bs)?;
        shift("f_v + f_bs - f_yb", net.f_v + f.f_bs - f.f_yb)?;
        shift("f_yb + f_g - f_yg", f.f_yb + f.f_g - f.f_yg)?;
        shift("2 f_fk - f_r2", 2 * f.f_fk - f.f_r2)
    }
}

/// Size, weights held and row scales of a matrix.
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

/// Sizes, widths and shifts of the branch of a matrix `(rows, cols)` from `f_in` to `f_out`.
fn check_branch<M: Matrix>(
    prefix: &str,
    branch: Option<&QBranch<M>>,
    (rows, cols): (usize, usize),
    (f_in, f_out): (i32, i32),
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
    range(&name("f_t"), b.f_t, (MIN_FRAC, MAX_FRAC))?;
    range(&format!("{}: f_in + frac - f_t", name(b.names.v)), f_in + b.v.frac() - b.f_t, MAT_SHIFT)?;
    range(&format!("{}: f_t + frac - f_out", name(b.names.u)), b.f_t + b.u.frac() - f_out, MAT_SHIFT)
}

fn range(what: &str, value: i32, (low, high): (i32, i32)) -> Result<(), ModelError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ModelError::Shift { what: what.into(), value, low, high })
}

fn check_norm(
    what: &str,
    c: &NormConstants,
    p: &QAffine,
    (n, eps, f_in, f_out): (usize, f64, i32, i32),
) -> Result<(), ModelError> {
    let expected = NormConstants::new(n, eps, f_in);
    if *c != expected {
        let what = format!("constants of {what}");
        return Err(ModelError::Value { what, found: format!("{c:?}"), expected: format!("{expected:?}") });
    }
    range(&format!("{what}: NORM + f - f_h"), NORM + p.weight.frac - f_out, (0, 63))?;
    range(&format!("{what}: f_h - f"), f_out - p.bias.frac, (0, 31))
}
