//! The integer step for a block of rows: [`crate::network::integer_step::step`], layer by layer, several tokens at once.
//!
//! A row is one token of one session. Everything element-wise is done row by row, matrices for all rows together, the recurrence row after
//! row within a session. Names are those of the specification; the result is the same to the bit.
#![deny(clippy::float_arithmetic)]

use super::bandwidth::column_bytes;
use super::element::{add, add_shifted, each, l2_normalised, lut, mix, mul, mul_param, norm, round64, sat, Table};
use super::isa::versions;
use super::matmul::{multiply, Job};
use super::operand::mantissas;
use super::row::Row;
use super::weights::{StreamMatrix, Weights};
use super::wkv::{self, Access, Constants};
use super::{branch, clusters, columns, deep_embed, Runner, Session};
use crate::arithmetic::fixed::{sh, O, VEC_BITS};
use crate::network::integer_step::IntState;
use crate::network::model::QLayer;
use std::sync::atomic::AtomicU64;

/// Bytes of weights that are asked for before their turn: most of the second cache of one core.
const AHEAD: usize = 768 << 10;

type Layer = QLayer<StreamMatrix>;

versions! {
    fn ln1(row: &mut Row, layer: &Layer) {
        norm(&mut row.h, &row.x, &layer.f.ln1, (&layer.ln1.weight, &layer.ln1.bias), layer.shifts.ln1, &mut row.sat.vec);
    }
}

versions! {
    fn mixes(row: &mut Row, layer: &Layer) {
        let (att, s) = (&layer.att, &layer.shifts);
        let (h, prev, mixed, sat) = (&row.h, &row.prev, &mut row.mixed, &mut row.sat.vec);
        for (m, shift, operand) in [
            (&att.x_r, s.x_r, &mut row.xr),
            (&att.x_w, s.x_w, &mut row.xw),
            (&att.x_k, s.x_k, &mut row.xk),
            (&att.x_v, s.x_v, &mut row.xv),
            (&att.x_a, s.x_a, &mut row.xa),
            (&att.x_g, s.x_g, &mut row.xg),
        ] {
            mix(mixed, h, prev, m, shift, sat);
            operand.set(mixed);
        }
    }
}

versions! {
    /// What lies between the two matrices of each low-rank pair.
    fn inner(row: &mut Row, residual: bool) {
        lut(&mut row.w1, None, Table::Tanh);
        row.tw.set(&row.w1);
        row.a1q.set(&row.a1);
        if residual {
            row.v1q.set(&row.v1);
        }
        lut(&mut row.g1, None, Table::Sigmoid);
        row.sg.set(&row.g1);
    }
}

versions! {
    /// Everything from the projections to the operands of the recurrence.
    fn recurrence_operands(row: &mut Row, layer: &Layer, head_size: usize) {
        let (att, s) = (&layer.att, &layer.shifts);
        let count = &mut row.sat.vec;
        lut(&mut row.d, Some((&att.w0, s.w0)), Table::Decay);
        lut(&mut row.a, Some((&att.a0, s.a0)), Table::Sigmoid);
        if let (Some(residual), Some(s)) = (&att.v, &s.v) {
            lut(&mut row.gate, Some((&residual.v0, s.v0)), Table::Sigmoid);
            let n = row.t1.len();
            let (v_first, v) = (&row.v_first[..n], &row.v[..n]);
            each(&mut row.t1, count, |i| i64::from(v_first[i]) - i64::from(v[i]));
            mul(&mut row.mixed, &row.t1, &row.gate, s.vg, count);
            add(&mut row.v, &row.mixed, count);
        } else {
            row.v_first.copy_from_slice(&row.v);
        }
        mul_param(&mut row.t1, &row.k, &att.k_k, s.k0, count);
        l2_normalised(&mut row.kk, &row.t1, head_size, count);
        mul(&mut row.t1, &row.kk, &row.a, s.b, count);
        mantissas(&row.t1, &mut row.wkv.b);
        let n = row.t1.len();
        let (s_t, a, k_a) = (sh(s.t), &row.a[..n], &att.k_a.q[..n]);
        each(&mut row.t1, count, |i| round64((i64::from(a[i]) - (1 << O)) * i64::from(k_a[i]), s_t) + (1 << O));
        mul(&mut row.km, &row.k, &row.t1, s.km, count);
        mantissas(&row.r, &mut row.wkv.r);
        mantissas(&row.d, &mut row.wkv.d);
        mantissas(&row.km, &mut row.wkv.k);
        mantissas(&row.v, &mut row.wkv.v);
        mantissas(&row.kk, &mut row.wkv.kk);
    }
}

versions! {
    /// From the recurrence to the operand of the output matrix.
    fn gated(row: &mut Row, layer: &Layer, head_size: usize) {
        let (att, s) = (&layer.att, &layer.shifts);
        let count = &mut row.sat.vec;
        let n = row.h.len();
        norm(&mut row.mixed, &row.y, &layer.f.ln_x, (&att.ln_x.weight, &att.ln_x.bias), s.ln_x, count);
        mul(&mut row.t1, &row.r, &row.km, s.rk, count);
        let (s_bonus, s_yb) = (sh(s.bonus), sh(s.yb));
        for first in (0..n).step_by(head_size) {
            let of_head = first..first + head_size;
            let (rk, r_k) = (&row.t1[of_head.clone()], &att.r_k.q[of_head.clone()]);
            let mut bonus = [0];
            let sum: i64 = rk.iter().zip(r_k).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
            each(&mut bonus, count, |_| round64(sum, s_bonus));
            let bonus = i64::from(bonus[0]);
            let (yn, v) = (&row.mixed[of_head.clone()], &row.v[of_head.clone()]);
            each(&mut row.kk[of_head], count, |i| i64::from(yn[i]) + round64(i64::from(v[i]) * bonus, s_yb));
        }
        mul(&mut row.t1, &row.kk, &row.g, s.yg, count);
        row.yg.set(&row.t1);
    }
}

versions! {
    fn ln2(row: &mut Row, layer: &Layer) {
        add_shifted(&mut row.x, layer.shifts.att_x, &row.out, &mut row.sat.vec);
        norm(&mut row.h, &row.x, &layer.f.ln2, (&layer.ln2.weight, &layer.ln2.bias), layer.shifts.ln2, &mut row.sat.vec);
    }
}

versions! {
    fn ffn_mix(row: &mut Row, layer: &Layer) {
        mix(&mut row.mixed, &row.h, &row.prev, &layer.ffn.x_k, layer.shifts.ffn_x_k, &mut row.sat.vec);
        row.xk.set(&row.mixed);
    }
}

versions! {
    fn squared(row: &mut Row, layer: &Layer) {
        let s = sh(layer.shifts.r2);
        let mut clipped = 0;
        for k in &mut row.fk {
            let positive = i64::from((*k).max(0));
            *k = sat(round64(positive * positive, s), VEC_BITS, &mut clipped);
        }
        if let Some(s) = &layer.shifts.deep_embed {
            let s = sh(s.r2g);
            for (k, gate) in row.fk.iter_mut().zip(&row.deep.gate) {
                *k = sat(round64(i64::from(*k) * i64::from(*gate), s), VEC_BITS, &mut clipped);
            }
        }
        row.sat.vec.0 += clipped;
        row.r2.set(&row.fk);
    }
}

versions! {
    fn layer_out(row: &mut Row, layer: &Layer) {
        add_shifted(&mut row.x, layer.shifts.ffn_x, &row.out, &mut row.sat.vec);
    }
}

versions! {
    fn ln_out(row: &mut Row, model: &Weights) {
        let p = &model.ln_out;
        norm(&mut row.h, &row.x, &model.f.ln_out, (&p.weight, &p.bias), model.shifts.ln_out, &mut row.sat.vec);
        row.head.set(&row.h);
    }
}

/// One job of [`multiply`] by the names of the row's fields.
macro_rules! job {
    ($w:expr, $shift:expr, $x:ident -> $y:ident) => {
        Job { w: $w, shift: $shift, x: |r: &Row| &r.$x, y: |r: &mut Row| &mut r.$y[..] }
    };
}

/// Every row sees the `h` of the token before it in its session, the session's state that of the last one.
fn hand_on(rows: &mut [Row], sessions: &mut [Session], state: impl Fn(&mut IntState) -> &mut Vec<i32>) {
    let each = rows.len() / sessions.len();
    for (session, rows) in sessions.iter_mut().zip(rows.chunks_exact_mut(each)) {
        let kept = state(&mut session.state);
        for row in rows {
            row.prev.copy_from_slice(kept);
            kept.copy_from_slice(&row.h);
        }
    }
}

/// Takes one block through the network: as many consecutive tokens for each of `sessions`, first those of the first, at most
/// [`super::MAX_ROWS`] in all. With `logits`, those after each session's last token are in `runner.rows` afterwards, one row a session.
pub fn block(runner: &mut Runner, sessions: &mut [Session], tokens: &[u32], logits: bool) {
    let Runner { weights: model, isa, pool, rows, by_columns, share_rows, skipped_bytes, skipped_columns } = runner;
    let (isa, model, share_rows) = (*isa, &**model, *share_rows);
    let each = tokens.len() / sessions.len();
    let rows = &mut rows[..tokens.len()];
    let shape = &model.shape;
    let head_size = shape.head_size;
    let mat: fn(&Row) -> &AtomicU64 = |r| &r.mat_clipped;
    for (row, token) in rows.iter_mut().zip(tokens) {
        let s = sh(model.shifts.emb);
        let emb = model.emb.row(*token as usize);
        let mut clipped = 0;
        for (x, emb) in row.x.iter_mut().zip(emb) {
            *x = sat(i64::from(emb) << s, VEC_BITS, &mut clipped);
        }
        row.sat.vec.0 += clipped;
    }
    // elementwise work on rows: on this thread for few rows, shared otherwise
    macro_rules! each_row {
        ($rows:expr, |$row:ident| $body:expr) => {
            pool.for_each($rows, share_rows, &|$row: &mut Row| $body)
        };
    }
    /// What the branch of a matrix of this layer adds to its result, if it has one.
    macro_rules! with_branch {
        ($layer:expr, $name:literal, $shifts:expr, $x:ident -> $y:ident) => {
            if let (Some(b), Some(shifts)) = ($layer.branches.get($name), $shifts.branch) {
                branch::add(pool, isa, rows, b, shifts, |r| &r.$x, |r| &mut r.$y[..]);
            }
        };
    }
    let first_matrix = |l: usize| model.layers.get(l).map_or(&model.head, |layer| &layer.att.key);
    pool.ahead(first_matrix(0).onwards(AHEAD));
    for (l, layer) in model.layers.iter().enumerate() {
        let (s, att, ffn) = (&layer.shifts, &layer.att, &layer.ffn);
        each_row!(rows, |row| ln1(isa, row, layer));
        hand_on(rows, sessions, |state| &mut state.layers[l].att_x_prev);
        each_row!(rows, |row| mixes(isa, row, layer));

        let first = [
            job!(&att.key, s.key.w, xk -> k),
            job!(&att.w1, s.w1, xw -> w1),
            job!(&att.a1, s.a1, xa -> a1),
            job!(&att.value, s.value.w, xv -> v),
            job!(&att.receptance, s.receptance.w, xr -> r),
            job!(&att.g1, s.g1, xg -> g1),
        ];
        let second = [job!(&att.w2, s.w2, tw -> d), job!(&att.a2, s.a2, a1q -> a), job!(&att.g2, s.g2, sg -> g)];
        pool.ahead(att.w2.onwards(AHEAD));
        match (&att.v, &s.v) {
            (Some(v), Some(s)) => {
                let [a, b, c, d, e, g] = first;
                let v1 = job!(&v.v1, s.v1, xv -> v1);
                multiply(pool, isa, rows, &[a, b, c, d, v1, e, g], mat);
                each_row!(rows, |row| inner(isa, row, true));
                let [a, b, c] = second;
                let v2 = job!(&v.v2, s.v2, v1q -> gate);
                multiply(pool, isa, rows, &[a, b, v2, c], mat);
            }
            _ => {
                multiply(pool, isa, rows, &first, mat);
                each_row!(rows, |row| inner(isa, row, false));
                multiply(pool, isa, rows, &second, mat);
            }
        }
        pool.ahead(att.output.onwards(AHEAD));
        with_branch!(layer, "att.key.weight", s.key, xk -> k);
        with_branch!(layer, "att.value.weight", s.value, xv -> v);
        with_branch!(layer, "att.receptance.weight", s.receptance, xr -> r);
        each_row!(rows, |row| recurrence_operands(isa, row, layer, head_size));

        let c = Constants { head_size, state_bits: model.f.state_bits, shifts: s.wkv };
        let access =
            Access { operands: |r: &Row| &r.wkv, y: |r: &mut Row| &mut r.y[..], clipped: |r: &Row| &r.wkv_clipped };
        let mut ahead = att.output.onwards(AHEAD);
        for (session, own) in sessions.iter_mut().zip(rows.chunks_exact_mut(each)) {
            wkv::run(pool, isa, c, &mut session.state.layers[l].s, own, &access, std::mem::take(&mut ahead));
        }
        pool.ahead(ffn.key.onwards(AHEAD));
        each_row!(rows, |row| gated(isa, row, layer, head_size));
        let output = job!(&att.output, s.output.w, yg -> out);
        multiply(pool, isa, rows, &[output], mat);
        with_branch!(layer, "att.output.weight", s.output, yg -> out);

        each_row!(rows, |row| ln2(isa, row, layer));
        hand_on(rows, sessions, |state| &mut state.layers[l].ffn_x_prev);
        each_row!(rows, |row| ffn_mix(isa, row, layer));
        if let (Some(p), Some(s)) = (&ffn.deep, &s.deep_embed) {
            deep_embed::gate(pool, isa, rows, tokens, p, s);
        }
        pool.ahead(first_matrix(l + 1).onwards(AHEAD)); // which columns of `ffn.value` will be read is not known yet
        multiply(pool, isa, rows, &[job!(&ffn.key, s.ffn_key.w, xk -> fk)], mat);
        with_branch!(layer, "ffn.key.weight", s.ffn_key, xk -> fk);
        each_row!(rows, |row| squared(isa, row, layer));
        let value = job!(&ffn.value, s.ffn_value, r2 -> out);
        if ffn.value.by_columns() {
            let skipped = columns::multiply(pool, isa, rows, &value, by_columns, mat) as u64;
            *skipped_bytes += skipped * column_bytes(&ffn.value);
            skipped_columns[l] += skipped;
        } else {
            multiply(pool, isa, rows, &[value], mat);
        }
        each_row!(rows, |row| layer_out(isa, row, layer));
    }
    for (session, own) in sessions.iter_mut().zip(rows.chunks_exact_mut(each)) {
        own.iter_mut().for_each(|row| row.count(&mut session.saturations));
    }
    if !logits {
        return;
    }
    // the head for each session's last row; those rows go to the front
    for i in 0..sessions.len() {
        rows.swap(i, (i + 1) * each - 1);
        rows[i].logits.resize(shape.vocab_size, 0);
    }
    let rows = &mut rows[..sessions.len()];
    each_row!(rows, |row| ln_out(isa, row, model));
    if let Some(c) = &model.clusters {
        rows.iter_mut().for_each(|row| clusters::logits(pool, isa, row, model, c));
    } else {
        multiply(pool, isa, rows, &[job!(&model.head, model.shifts.head.w, head -> logits)], mat);
    }
    if let (Some(b), Some(shifts)) = (&model.head_branch, model.shifts.head.branch) {
        branch::add(pool, isa, rows, b, shifts, |r| &r.head, |r| &mut r.logits[..]);
    }
    for (row, session) in rows.iter_mut().zip(sessions) {
        row.count(&mut session.saturations);
    }
}
