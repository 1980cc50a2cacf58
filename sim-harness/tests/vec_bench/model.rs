//! docs/hardware.md, section 3, restated one element at a time on `golden_model::arithmetic::fixed` and `golden_model::arithmetic::tables`.

use golden_model::arithmetic::fixed::{clip, round_shift, round_shift_wide, sat, Saturations};
use golden_model::arithmetic::tables;
use rtl_gen::isa::{acc_sel, c_sel, dest, lut, m_sel, post, shift_sel, x_sel, VEC};
use std::collections::VecDeque;

/// One instruction, field by field.
#[derive(Clone, Debug, Default)]
pub struct Instruction {
    pub drain: bool,
    pub a_addr: usize,
    pub b_addr: usize,
    pub d_addr: usize,
    pub n_words: usize,
    pub tail: usize,
    pub seg_words: usize,
    pub x_sel: u64,
    pub m_sel: u64,
    pub c_sel: u64,
    pub pshift: u32,
    pub shift_sel: u64,
    pub shift: u32,
    pub lut: u64,
    pub lut_shift: u32,
    pub acc_sel: u64,
    pub post: u64,
    pub amax: bool,
    pub amax_keep: bool,
    pub dest: u64,
    pub slot: u64,
    pub k_const: u64,
    pub k_shift: u32,
    pub eps_m: u64,
    pub eps_s: u32,
    pub rsq_base: i64,
}

impl Instruction {
    pub fn encode(&self) -> Vec<u32> {
        let fields = [
            ("drain", i64::from(self.drain)),
            ("a_addr", self.a_addr as i64),
            ("b_addr", self.b_addr as i64),
            ("d_addr", self.d_addr as i64),
            ("n_words", self.n_words as i64),
            ("tail", self.tail as i64),
            ("seg_words", self.seg_words as i64),
            ("x_sel", self.x_sel as i64),
            ("m_sel", self.m_sel as i64),
            ("c_sel", self.c_sel as i64),
            ("pshift", i64::from(self.pshift)),
            ("shift_sel", self.shift_sel as i64),
            ("shift", i64::from(self.shift)),
            ("lut", self.lut as i64),
            ("lut_shift", i64::from(self.lut_shift)),
            ("acc_sel", self.acc_sel as i64),
            ("post", self.post as i64),
            ("amax", i64::from(self.amax)),
            ("amax_keep", i64::from(self.amax_keep)),
            ("dest", self.dest as i64),
            ("slot", self.slot as i64),
            ("k_const", self.k_const as i64),
            ("k_shift", i64::from(self.k_shift)),
            ("eps_m", self.eps_m as i64),
            ("eps_s", i64::from(self.eps_s)),
            ("rsq_base", self.rsq_base),
        ];
        VEC.encode(&fields).unwrap()
    }

    pub fn uses_params(&self) -> bool {
        self.m_sel == m_sel::P || self.c_sel == c_sel::P
    }

    pub fn uses_b(&self) -> bool {
        self.x_sel == x_sel::A_MINUS_B || self.m_sel == m_sel::B || self.c_sel == c_sel::B
    }

    /// Reads amax or a scalar, so everything before must be finished.
    pub fn needs_drain(&self) -> bool {
        self.x_sel == x_sel::A_MINUS_MEAN || self.m_sel == m_sel::SCALAR || self.shift_sel != shift_sel::STATIC
    }
}

/// A word handed over: to vmem, xmem, an operand, or only to the trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub op: u64,
    pub word: u64,
    pub data: Vec<i32>,
    pub dest: u64,
    pub addr: u64,
    /// Operand slot; 0 unless `dest` is WKV.
    pub slot: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub op: u64,
    pub seg: u64,
    pub mean: i32,
    pub mult: i32,
    pub shift: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exponent {
    pub op: u64,
    pub wkv: bool,
    pub slot: u64,
    pub exp: u64,
}

/// The unit's state and what it has to do, in order.
pub struct Model {
    pub vl: usize,
    pub vmem: Vec<i32>,
    pub mean: Vec<i32>,
    pub mult: Vec<i32>,
    pub shift: Vec<u32>,
    pub amax: u32,
    pub words: VecDeque<Word>,
    pub scalars: VecDeque<Scalar>,
    pub exponents: VecDeque<Exponent>,
    pub saturations: Saturations,
}

fn sat_wide(x: i128, count: &mut Saturations) -> i32 {
    sat(x.clamp(-(1 << 60), 1 << 60) as i64, 27, count)
}

fn table(which: u64, z: i32) -> i32 {
    match which {
        lut::SIGMOID => tables::sigmoid(z),
        lut::TANH => tables::tanh(z),
        _ => tables::decay(z),
    }
}

impl Model {
    pub fn new(vl: usize, words: usize, n_head: usize) -> Self {
        Model {
            vl,
            vmem: vec![0; words * vl],
            mean: vec![0; n_head],
            mult: vec![0; n_head],
            shift: vec![0; n_head],
            amax: 0,
            words: VecDeque::new(),
            scalars: VecDeque::new(),
            exponents: VecDeque::new(),
            saturations: Saturations(0),
        }
    }

    /// Executes instruction `op`; `params` are its parameters, VL a word.
    pub fn step(&mut self, op: u64, f: &Instruction, params: &[i16]) {
        let significant = 32 - self.amax.leading_zeros();
        let s_amax = significant.saturating_sub(15);
        if f.amax && !f.amax_keep {
            self.amax = 0;
        }
        let mut acc = 0i128;
        let n_head = self.mean.len();
        for i in 0..f.n_words {
            let seg = i.checked_div(f.seg_words).unwrap_or(0);
            let last = i + 1 == f.n_words;
            let mut data = vec![0; self.vl];
            for (l, out) in data.iter_mut().enumerate() {
                if last && l >= f.tail {
                    continue;
                }
                let a = i64::from(self.vmem[(f.a_addr + i) * self.vl + l]);
                let b = if f.uses_b() { i64::from(self.vmem[(f.b_addr + i) * self.vl + l]) } else { 0 };
                let p = if f.uses_params() { i64::from(params[i * self.vl + l]) } else { 0 };
                let x = match f.x_sel {
                    x_sel::ZERO => 0,
                    x_sel::A => a,
                    x_sel::A_MINUS_B => a - b,
                    x_sel::A_MINUS_MEAN => a - i64::from(self.mean[seg % n_head]),
                    x_sel::A_MINUS_ONE => a - 65536,
                    x_sel::RELU_A => a.max(0),
                    other => panic!("the model has no x_sel {other}"),
                };
                let m = match f.m_sel {
                    m_sel::ONE => 1,
                    m_sel::P => p,
                    m_sel::B => b,
                    m_sel::SCALAR => i64::from(self.mult[seg % n_head]),
                    _ => x,
                };
                let c = match f.c_sel {
                    c_sel::ZERO => 0,
                    c_sel::A => a,
                    c_sel::B => b,
                    c_sel::P => p << f.pshift,
                    _ => 65536,
                };
                let s = match f.shift_sel {
                    shift_sel::STATIC => f.shift,
                    shift_sel::SCALAR => self.shift[seg % n_head],
                    _ => s_amax,
                };
                let t = x * m;
                let z = round_shift(t, s) + c;
                let mut count = Saturations(0);
                let o = if f.lut == lut::NONE {
                    sat(z, 27, &mut count)
                } else {
                    table(f.lut, clip(round_shift(z, f.lut_shift), 19))
                };
                if f.dest == dest::VMEM {
                    self.saturations.0 += count.0;
                }
                if f.amax {
                    self.amax |= (o ^ (o >> 26)) as u32;
                }
                acc += i128::from(if f.acc_sel == acc_sel::RESULT { i64::from(o) } else { t });
                *out = if f.dest == dest::XMEM || f.dest == dest::WKV { clip(i64::from(o), 16) } else { o };
            }
            if f.dest == dest::VMEM {
                self.vmem[(f.d_addr + i) * self.vl..][..self.vl].copy_from_slice(&data);
            }
            let slot = if f.dest == dest::WKV { f.slot } else { 0 };
            self.words.push_back(Word { op, word: i as u64, data, dest: f.dest, addr: (f.d_addr + i) as u64, slot });
            let seg_end = last || (f.seg_words != 0 && (i + 1) % f.seg_words == 0);
            if seg_end && f.post != post::NONE {
                self.scalar(op, f, seg % n_head, acc);
                acc = 0;
            }
        }
        if f.dest == dest::XMEM || f.dest == dest::WKV {
            let exp = if f.shift_sel == shift_sel::AMAX { u64::from(s_amax) } else { 0 };
            self.exponents.push_back(Exponent { op, wkv: f.dest == dest::WKV, slot: f.slot, exp });
        }
    }

    fn scalar(&mut self, op: u64, f: &Instruction, seg: usize, acc: i128) {
        let mut event = Scalar { op, seg: seg as u64, mean: 0, mult: 0, shift: 0 };
        match f.post {
            post::MEAN => {
                event.mean = sat_wide(round_shift_wide(acc * i128::from(f.k_const), f.k_shift), &mut self.saturations);
                self.mean[seg] = event.mean;
            }
            post::RSQ => {
                assert!(acc >= 0, "the bench made a negative sum for RSQ");
                let u = acc as u128 + (u128::from(f.eps_m) << f.eps_s);
                let (r, e) = tables::rsqrt(u);
                event.mult = clip(round_shift(i64::from(r) * f.k_const as i64, f.k_shift), 27);
                event.shift = (f.rsq_base + i64::from(e)).clamp(0, 63) as u64;
                self.mult[seg] = event.mult;
                self.shift[seg] = event.shift as u32;
            }
            _ => {
                event.mult = sat_wide(round_shift_wide(acc, f.k_shift), &mut self.saturations);
                self.mult[seg] = event.mult;
            }
        }
        self.scalars.push_back(event);
    }
}
