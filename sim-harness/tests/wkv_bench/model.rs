//! docs/hardware.md, wkv, as a loop over heads, rows and columns.

use golden_model::arithmetic::fixed::{round_shift_wide, sat, Saturations};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::isa::{wkv_slot, WKV};

/// How wild random operands and shifts are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// Shifts that keep the state in range, as the formats of a model do.
    Tame,
    /// Any operand, any shift.
    Wild,
    /// Largest and smallest operands mostly, small shifts mostly.
    Extreme,
}

#[derive(Clone, Debug)]
pub struct Instruction {
    pub n_head: usize,
    pub head_size: usize,
    pub head_words: usize,
    pub s_addr: usize,
    pub y_addr: usize,
    /// sa, b, vk, y
    pub sh: [u32; 4],
}

impl Instruction {
    pub fn random(
        rng: &mut ChaCha8Rng,
        sw: usize,
        values: Values,
        n_head: usize,
        head_size: usize,
        vl: usize,
        s_addr: usize,
    ) -> Self {
        let sh = match values {
            // kk, b: 16 fraction bits; v·k some 16 bits above the state; y: 27 bits from state_bits + 16 + head bits
            Values::Tame => [16, 16, 44 - sw as u32 + rng.gen_range(0..8), sw as u32 - 8 + rng.gen_range(0..8)],
            Values::Wild => [0; 4].map(|_| rng.gen_range(0..64)),
            Values::Extreme => [0; 4].map(|_| [0, 1, rng.gen_range(0..24), 63][rng.gen_range(0..4)]),
        };
        let y_addr = rng.gen_range(0..1 << 18) & !0xfff;
        Instruction { n_head, head_size, head_words: head_size / vl, s_addr, y_addr, sh }
    }

    pub fn rows(&self) -> usize {
        self.n_head * self.head_size
    }

    /// The fields that are not this unit's are random.
    pub fn encode(&self, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let mut words = WKV
            .encode(&[
                ("wait_vec", rng.gen_range(0..4096)),
                ("last", rng.gen_range(0..2)),
                ("n_head", self.n_head as i64),
                ("head_size", self.head_size as i64),
                ("head_words", self.head_words as i64),
                ("s_addr", self.s_addr as i64),
                ("y_addr", self.y_addr as i64),
                ("sh_sa", i64::from(self.sh[0])),
                ("sh_b", i64::from(self.sh[1])),
                ("sh_vk", i64::from(self.sh[2])),
                ("sh_y", i64::from(self.sh[3])),
            ])
            .unwrap();
        let used: usize = WKV.fields.iter().map(|f| f.1).sum();
        for bit in used..WKV.bits {
            words[bit / 32] |= rng.gen_range(0..2u32) << (bit % 32);
        }
        words
    }
}

/// What one instruction must show.
pub struct Expected {
    /// State words in address order.
    pub s: Vec<Vec<i32>>,
    pub sa: Vec<i32>,
    pub y: Vec<i32>,
    pub sa_clips: u64,
    pub s_clips: u64,
    pub y_clips: u64,
}

impl Expected {
    pub fn clips(&self) -> u64 {
        self.sa_clips + self.s_clips + self.y_clips
    }
}

pub struct Model {
    sw: u32,
    pub state: Vec<i32>,
    /// By slot, then element.
    pub operand: [Vec<i32>; 6],
    pub exp: [u32; 6],
}

impl Model {
    pub fn new(sw: u32, state_elements: usize) -> Self {
        Model { sw, state: vec![0; state_elements], operand: Default::default(), exp: [0; 6] }
    }

    /// New operands and exponents.
    pub fn draw(&mut self, rng: &mut ChaCha8Rng, elements: usize, values: Values) {
        for slot in 0..6 {
            let mut element = || match values {
                Values::Extreme => [-32768, 32767, -1, 0, rng.gen_range(-32768..=32767)][rng.gen_range(0..5)],
                Values::Wild => rng.gen_range(-32768..=32767),
                Values::Tame => match slot as u64 {
                    // 1 - w in (0, 0.4548); kk and b small enough for a stable recurrence
                    wkv_slot::D => rng.gen_range(0..29807),
                    wkv_slot::KK | wkv_slot::B => rng.gen_range(-4096..=4096),
                    _ => rng.gen_range(-16384..=16384),
                },
            };
            self.operand[slot] = (0..elements).map(|_| element()).collect();
            self.exp[slot] = if values == Values::Tame { rng.gen_range(0..2) } else { rng.gen_range(0..32) };
        }
    }

    /// One instruction on the state; `vl` elements a word.
    pub fn step(&mut self, i: &Instruction, vl: usize) -> Expected {
        let sw = self.sw;
        let [r, d, k, v, kk, b] = [wkv_slot::R, wkv_slot::D, wkv_slot::K, wkv_slot::V, wkv_slot::KK, wkv_slot::B]
            .map(|s| &self.operand[s as usize]);
        let exp = |slot: u64| self.exp[slot as usize] as i32;
        let shift = |sh: u32, e: i32| (sh as i32 - e).max(0) as u32;
        let shift_sa = shift(i.sh[0], exp(wkv_slot::KK));
        let shift_b = shift(i.sh[1], exp(wkv_slot::B));
        let shift_vk = shift(i.sh[2], exp(wkv_slot::V) + exp(wkv_slot::K));
        let shift_y = shift(i.sh[3], exp(wkv_slot::R));
        let round = |x: i128, s: u32| round_shift_wide(x, s) as i64;
        let product = |x: i32, y: i32| i128::from(x) * i128::from(y);
        let (mut sa_clips, mut s_clips, mut y_clips) = Default::default();
        let (mut all_sa, mut all_y) = (vec![], vec![]);
        let n = i.head_size;
        for head in 0..i.n_head {
            let columns = head * n..(head + 1) * n;
            for row in columns.clone() {
                let s = &mut self.state[i.s_addr * vl + row * n..][..n];
                let sum: i128 = columns.clone().map(|c| product(s[c % n], kk[c])).sum();
                let sa = sat(round(-sum, shift_sa), sw, &mut sa_clips);
                let mut sum = 0;
                for c in columns.clone() {
                    let old = s[c % n];
                    let new = i64::from(old) - round(product(old, d[c]), 16)
                        + round(product(sa, b[c]), shift_b)
                        + round(product(v[row], k[c]), shift_vk);
                    s[c % n] = sat(new, sw, &mut s_clips);
                    sum += product(s[c % n], r[c]);
                }
                all_sa.push(sa);
                all_y.push(sat(round(sum, shift_y), 27, &mut y_clips));
            }
        }
        let s = self.state[i.s_addr * vl..][..i.rows() * n].chunks(vl).map(<[i32]>::to_vec).collect();
        let (Saturations(sa_clips), Saturations(s_clips), Saturations(y_clips)) = (sa_clips, s_clips, y_clips);
        Expected { s, sa: all_sa, y: all_y, sa_clips, s_clips, y_clips }
    }
}
