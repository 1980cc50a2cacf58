//! Random instructions and programs that keep the compiler's rules about `drain`.

use super::model::Instruction;
use super::VMEM_WORDS;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::isa::{acc_sel, c_sel, dest, m_sel, post, shift_sel, x_sel};
use std::ops::Range;

/// A 27-bit element: all of the range, its ends, or small.
pub fn element(rng: &mut ChaCha8Rng) -> i32 {
    let bits = rng.gen_range(1..=26);
    match rng.gen_range(0..10) {
        0 => (1 << 26) - 1,
        1 => -(1 << 26),
        2 => rng.gen_range(-3..=3),
        _ => rng.gen_range(-(1 << bits)..1 << bits),
    }
}

/// A 16-bit parameter.
fn param(rng: &mut ChaCha8Rng) -> i16 {
    match rng.gen_range(0..8) {
        0 => i16::MAX,
        1 => i16::MIN,
        _ => rng.gen::<i16>() >> rng.gen_range(0..15),
    }
}

pub fn params(rng: &mut ChaCha8Rng, f: &Instruction, vl: usize) -> Vec<i16> {
    let n = if f.uses_params() { f.n_words * vl } else { 0 };
    (0..n).map(|_| param(rng)).collect()
}

fn pick(rng: &mut ChaCha8Rng, from: &[u64]) -> u64 {
    from[rng.gen_range(0..from.len())]
}

/// Any instruction; addresses within vmem, segments within `n_head`.
pub fn instruction(rng: &mut ChaCha8Rng, vl: usize, n_head: usize) -> Instruction {
    let n_words = match rng.gen_range(0..4) {
        0 => rng.gen_range(1..=4),
        1 => rng.gen_range(1..=40),
        _ => rng.gen_range(1..=16),
    };
    let at = |rng: &mut ChaCha8Rng| rng.gen_range(0..=VMEM_WORDS - n_words);
    let least = n_words.div_ceil(n_head); // no more segments than scalars
    let mut f = Instruction {
        drain: rng.gen_bool(0.4),
        a_addr: at(rng),
        b_addr: at(rng),
        d_addr: at(rng),
        n_words,
        tail: if rng.gen_bool(0.5) { vl } else { rng.gen_range(1..=vl) },
        seg_words: if rng.gen_bool(0.2) { 0 } else { rng.gen_range(least..=n_words) },
        x_sel: rng.gen_range(0..x_sel::COUNT),
        m_sel: rng.gen_range(0..m_sel::COUNT),
        c_sel: rng.gen_range(0..=c_sel::ONE),
        pshift: rng.gen_range(0..32),
        shift_sel: pick(rng, &[shift_sel::STATIC, shift_sel::STATIC, shift_sel::SCALAR, shift_sel::AMAX]),
        // mostly where products become 27-bit numbers
        shift: if rng.gen_bool(0.7) { rng.gen_range(0..=32) } else { rng.gen_range(0..64) },
        lut: if rng.gen_bool(0.3) { rng.gen_range(1..=3) } else { 0 },
        lut_shift: rng.gen_range(0..16),
        acc_sel: rng.gen_range(0..=acc_sel::PRODUCT),
        post: if rng.gen_bool(0.4) { rng.gen_range(1..=3) } else { post::NONE },
        amax: rng.gen_bool(0.4),
        amax_keep: rng.gen_bool(0.4),
        dest: pick(rng, &[dest::NONE, dest::VMEM, dest::VMEM, dest::XMEM, dest::WKV]),
        slot: 0,
        k_const: rng.gen_range(0..1 << 18),
        k_shift: rng.gen_range(0..64),
        eps_m: if rng.gen_bool(0.3) { 0 } else { rng.gen_range(0..1 << 16) },
        eps_s: rng.gen_range(0..64),
        rsq_base: rng.gen_range(-64..64),
    };
    f.slot = if f.dest == dest::WKV { rng.gen_range(0..6) } else { rng.gen_range(0..16) };
    if f.post == post::RSQ {
        // sums of squares, as the compiler uses it: RSQ is not defined for a negative sum
        f.m_sel = m_sel::X;
        f.acc_sel = acc_sel::PRODUCT;
        f.k_shift = rng.gen_range(4..24);
    }
    // an instruction must not read a word that it writes itself a few words earlier
    let behind = |at: usize| at < f.d_addr && f.d_addr < at + n_words;
    if f.dest == dest::VMEM && (behind(f.a_addr) || (f.uses_b() && behind(f.b_addr))) {
        f.d_addr = if f.uses_b() { f.a_addr.min(f.b_addr) } else { f.a_addr };
    }
    if f.acc_sel == acc_sel::RESULT && rng.gen_bool(0.7) {
        f.k_shift = rng.gen_range(0..40);
    }
    f
}

/// Instructions in sequence; `drain` is set where a word, a scalar or amax could be read before it is written.
pub fn program(rng: &mut ChaCha8Rng, vl: usize, n_head: usize, length: usize) -> Vec<(Instruction, Vec<i16>)> {
    let mut written: Vec<Range<usize>> = vec![]; // since the last drain
    (0..length)
        .map(|_| {
            let mut f = instruction(rng, vl, n_head);
            let touches = |at: usize| written.iter().any(|w| w.start < at + f.n_words && at < w.end);
            f.drain |= f.needs_drain() || touches(f.a_addr) || (f.uses_b() && touches(f.b_addr));
            if f.drain {
                written.clear();
            }
            if f.dest == dest::VMEM {
                written.push(f.d_addr..f.d_addr + f.n_words);
            }
            let p = params(rng, &f, vl);
            (f, p)
        })
        .collect()
}

/// Writes every scalar once, so that the register file holds numbers.
pub fn fill_scalars(vl: usize, n_head: usize) -> Vec<(Instruction, Vec<i16>)> {
    let each = Instruction {
        n_words: n_head,
        tail: vl,
        seg_words: 1,
        x_sel: x_sel::A,
        m_sel: m_sel::X,
        acc_sel: acc_sel::PRODUCT,
        k_const: 1 << 12,
        eps_m: 1,
        drain: true,
        ..Default::default()
    };
    [(post::MEAN, 40), (post::RSQ, 11)]
        .map(|(post, k_shift)| (Instruction { post, k_shift, ..each.clone() }, vec![]))
        .to_vec()
}
