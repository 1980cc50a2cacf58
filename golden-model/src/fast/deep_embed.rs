//! The gate of DeepEmbed for a block of rows: `((h s1) S) s2 + s0`, where every row has a matrix S of its own.
#![deny(clippy::float_arithmetic)]

use super::element::sat;
use super::isa::Isa;
use super::matmul::{multiply, Job};
use super::pool::Pool;
use super::row::Row;
use super::weights::StreamMatrix;
use crate::arithmetic::fixed::{sh, VEC_BITS};
use crate::network::model::{own_rows, QDeepEmbed};
use crate::network::shifts::DeepShifts;
use std::sync::atomic::AtomicU64;

/// Computes the gate of every row from its `h`; `tokens` are those of the rows.
pub fn gate(pool: &mut Pool, isa: Isa, rows: &mut [Row], tokens: &[u32], p: &QDeepEmbed<StreamMatrix>, s: &DeepShifts) {
    let clipped: fn(&Row) -> &AtomicU64 = |r| &r.mat_clipped;
    rows.iter_mut().for_each(|r| r.deep.h.set(&r.h));
    let job = Job { w: &p.s1, shift: s.s1, x: |r: &Row| &r.deep.h, y: |r: &mut Row| &mut r.deep.s1[..] };
    multiply(pool, isa, rows, &[job], clipped);
    for (row, token) in rows.iter_mut().zip(tokens) {
        row.deep.s1q.set(&row.deep.s1);
        let own = p.s_emb.part(own_rows(*token as usize));
        let job = Job { w: &own, shift: s.s_emb, x: |r: &Row| &r.deep.s1q, y: |r: &mut Row| &mut r.deep.ss[..] };
        multiply(pool, isa, std::slice::from_mut(row), &[job], clipped);
        row.deep.ssq.set(&row.deep.ss);
    }
    let job = Job { w: &p.s2, shift: s.s2, x: |r: &Row| &r.deep.ssq, y: |r: &mut Row| &mut r.deep.gate[..] };
    multiply(pool, isa, rows, &[job], clipped);
    let s_s0 = sh(s.s0);
    for row in rows {
        let mut clipped = 0;
        for (gate, s0) in row.deep.gate.iter_mut().zip(&p.s0.q) {
            *gate = sat(i64::from(*gate) + (i64::from(*s0) << s_s0), VEC_BITS, &mut clipped);
        }
        row.sat.vec.0 += clipped;
    }
}
