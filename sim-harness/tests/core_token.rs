//! The whole core on a token written by hand: every unit, every memory, every wait, before any compiler is involved.
//!
//! An embedding row is read, the recurrence (one head) and a matrix run beside each other on it, their sum goes through a
//! second matrix to the logits. The expected logits restate `docs/hardware.md` in i64.

use golden_model::arithmetic::fixed::{clip, round_shift, sat, Saturations};
use golden_model::image::nibble_tiles;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::core;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::isa::{
    acc_sel, c_sel, dest, dma_kind, lut, m_sel, mat_dest, mat_fmt, post, shift_sel, x_sel, DMA, MAT, VEC, WKV,
};
use sim_harness::dut::{BuildOptions, Dut};
use sim_harness::lockstep::OpNames;
use sim_harness::session::{Session, SessionOptions, TokenOptions};
use std::sync::Arc;

const N: usize = 32; // elements of every vector, one head of as many
const VOCAB: usize = 40; // rows of the last matrix: two and a half tiles
const TOKENS: usize = 8;
const EMB_SHIFT: i64 = 6;
const SHIFTS: [i64; 4] = [16, 16, 9, 14]; // sh_sa, sh_b, sh_vk, sh_y

struct Matrix {
    weights: Vec<i64>, // (rows, N)
    scales: Vec<(i64, i64)>,
    gs: Option<Vec<u8>>, // W4: one a row, as N is one group of columns
}

struct Network {
    image: Vec<u8>,
    embedding: usize,
    operands: usize,
    square: usize,
    head: usize,
    emb: Vec<i64>,    // (TOKENS, N)
    params: Vec<i64>, // (6, N)
    matrices: [Matrix; 2],
    operand_shift: i64,
    mat_shift: i64,
}

/// Clipped values of mat, vec and wkv.
#[derive(Default, Clone, Copy)]
struct Clipped([Saturations; 3]);

/// `four`: 4-bit weights, with a gs that makes them about as large as 8-bit ones.
fn random_matrix(rows: usize, four: bool, rng: &mut ChaCha8Rng) -> Matrix {
    Matrix {
        weights: (0..rows * N).map(|_| i64::from(rng.gen::<i8>() >> if four { 4 } else { 0 })).collect(),
        scales: (0..rows).map(|_| (rng.gen_range(2048..4096), rng.gen_range(0..3))).collect(),
        gs: four.then(|| (0..rows).map(|_| rng.gen_range(8..24)).collect()),
    }
}

impl Matrix {
    fn fmt(&self) -> u64 {
        if self.gs.is_some() {
            mat_fmt::W4
        } else {
            mat_fmt::W8
        }
    }

    /// 32 scales, then two tiles of 16 rows, column by column, or pairs of columns.
    fn bytes(&self) -> Vec<u8> {
        let rows = self.scales.len();
        let mut out = vec![];
        for tile in 0..rows.div_ceil(16) {
            if tile % 2 == 0 {
                for r in 0..32 {
                    let (m, e) = self.scales.get(16 * tile + r).copied().unwrap_or((0, 0));
                    out.extend(((m | e << 12) as u16).to_le_bytes());
                }
            }
            if let Some(gs) = &self.gs {
                let q: Vec<i8> = self.weights.iter().map(|w| *w as i8).collect();
                nibble_tiles::push_tile(&mut out, 16 * tile, (rows, N), &q, gs);
                continue;
            }
            for c in 0..N {
                out.extend((0..16).map(|r| self.weights.get((16 * tile + r) * N + c).copied().unwrap_or(0) as u8));
            }
        }
        out.resize(out.len().next_multiple_of(64), 0);
        out
    }

    fn times(&self, shift: i64, (xq, exp): (Vec<i64>, i64), count: &mut Saturations) -> Vec<i64> {
        (self.scales.iter().enumerate())
            .map(|(row, (m, e))| {
                let gs = self.gs.as_ref().map_or(1, |gs| i64::from(gs[row]));
                let acc: i64 = (0..N).map(|c| gs * self.weights[row * N + c] * xq[c]).sum();
                sat(round_shift(acc * m, (shift + e - exp).max(0) as u32), 27, count).into()
            })
            .collect()
    }
}

/// `wild`: values that clip in many places; otherwise hardly any do. Every third seed has 4-bit matrices, every sixth only one.
fn network(seed: u64, wild: bool) -> Network {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let emb: Vec<i64> = (0..TOKENS * N).map(|_| rng.gen::<i16>().into()).collect();
    let params: Vec<i64> = (0..6 * N).map(|_| rng.gen_range(0..2000) - if rng.gen() { 1000 } else { 0 }).collect();
    let four = [seed.is_multiple_of(3), seed % 6 == 3];
    let matrices = [random_matrix(N, four[0], &mut rng), random_matrix(VOCAB, four[1], &mut rng)];
    let mut image = vec![0u8; 64 * 3];
    let mut put = |bytes: Vec<u8>| {
        let at = image.len() / 64;
        image.extend(bytes);
        at
    };
    let words = |v: &[i64]| v.iter().flat_map(|x| (*x as i16).to_le_bytes()).collect::<Vec<u8>>();
    let (embedding, operands) = (put(words(&emb)), put(words(&params)));
    let (square, head) = (put(matrices[0].bytes()), put(matrices[1].bytes()));
    image.resize(image.len() + 4096, 0);
    let (operand_shift, mat_shift) = if wild { (11, 20) } else { (18, 24) };
    Network { image, embedding, operands, square, head, emb, params, matrices, operand_shift, mat_shift }
}

/// `(mantissas, exponent)` of an operand vector: S(amax) of hardware.md §3.
fn operand(v: &[i64]) -> (Vec<i64>, i64) {
    let amax = v.iter().fold(0, |a, x| a | (x ^ (x >> 26)));
    let s = (64 - i64::from((amax as u64).leading_zeros()) - 15).max(0);
    (v.iter().map(|x| clip(round_shift(*x, s as u32), 16).into()).collect(), s)
}

impl Network {
    /// The logits of `token`; `state` is (N, N), `sw` its bits.
    fn step(&self, token: usize, state: &mut [i64], sw: u32, clipped: &mut Clipped) -> Vec<i64> {
        let [of_mat, of_vec, of_wkv] = &mut clipped.0;
        let x: Vec<i64> = self.emb[token * N..(token + 1) * N].iter().map(|e| e << EMB_SHIFT).collect();
        let square = self.matrices[0].times(self.mat_shift, operand(&x), of_mat);
        let op = |slot: usize, j: usize| {
            i64::from(clip(round_shift(x[j] * self.params[slot * N + j], self.operand_shift as u32), 16))
        };
        let [r, d, k, v, kk, b] = [0, 1, 2, 3, 4, 5].map(|slot| (0..N).map(|j| op(slot, j)).collect::<Vec<i64>>());
        let sh = SHIFTS.map(|s| s as u32);
        let mut sum = vec![];
        for i in 0..N {
            let row = &mut state[i * N..(i + 1) * N];
            let sa = i64::from(sat(round_shift(-(0..N).map(|j| row[j] * kk[j]).sum::<i64>(), sh[0]), sw, of_wkv));
            for j in 0..N {
                let s = row[j] - round_shift(row[j] * d[j], 16)
                    + round_shift(sa * b[j], sh[1])
                    + round_shift(v[i] * k[j], sh[2]);
                row[j] = sat(s, sw, of_wkv).into();
            }
            let y = sat(round_shift((0..N).map(|j| row[j] * r[j]).sum(), sh[3]), 27, of_wkv);
            sum.push(i64::from(sat(square[i] + i64::from(y), 27, of_vec)));
        }
        self.matrices[1].times(self.mat_shift, operand(&sum), of_mat)
    }

    fn programs(&self, vl: usize) -> [Vec<Vec<u32>>; 4] {
        let words = (N / vl) as i64;
        let unit = |at: usize| at as i64;
        let dma = vec![
            vec![("kind", dma_kind::EMBEDDING as i64), ("addr", unit(self.embedding)), ("len", 1)],
            vec![("kind", dma_kind::PARAMS as i64), ("addr", unit(self.operands)), ("len", 6)],
            vec![
                ("kind", dma_kind::WEIGHTS as i64),
                ("addr", unit(self.square)),
                ("len", unit(self.head - self.square)),
            ],
            vec![("addr", unit(self.head)), ("len", self.matrices[1].bytes().len() as i64 / 64), ("last", 1)],
        ];
        let (square_at, y_at, sum_at) = (words, 2 * words, 3 * words);
        let map = |fields: &[(&'static str, u64)]| {
            let mut all = vec![("n_words", words), ("seg_words", words), ("tail", vl as i64)];
            all.extend([("lut", lut::NONE as i64), ("acc_sel", acc_sel::RESULT as i64), ("post", post::NONE as i64)]);
            all.extend(fields.iter().map(|(n, v)| (*n, *v as i64)));
            all
        };
        let mut vec = vec![
            map(&[("c_sel", c_sel::P), ("pshift", EMB_SHIFT as u64), ("dest", dest::VMEM), ("amax", 1)]),
            map(&[
                ("drain", 1),
                ("x_sel", x_sel::A),
                ("m_sel", m_sel::ONE),
                ("shift_sel", shift_sel::AMAX),
                ("dest", dest::XMEM),
                ("slot", 3),
            ]),
        ];
        for slot in 0..6 {
            vec.push(map(&[
                ("x_sel", x_sel::A),
                ("m_sel", m_sel::P),
                ("shift_sel", shift_sel::STATIC),
                ("shift", self.operand_shift as u64),
                ("dest", dest::WKV),
                ("slot", slot),
            ]));
        }
        vec.push(map(&[
            ("wait_mat", 1),
            ("wait_wkv", 1),
            ("a_addr", square_at as u64),
            ("b_addr", y_at as u64),
            ("d_addr", sum_at as u64),
            ("x_sel", x_sel::A),
            ("m_sel", m_sel::ONE),
            ("c_sel", c_sel::B),
            ("dest", dest::VMEM),
            ("amax", 1),
        ]));
        vec.push(map(&[
            ("drain", 1),
            ("last", 1),
            ("a_addr", sum_at as u64),
            ("d_addr", words as u64),
            ("x_sel", x_sel::A),
            ("m_sel", m_sel::ONE),
            ("shift_sel", shift_sel::AMAX),
            ("dest", dest::XMEM),
            ("slot", 12),
        ]));
        let mat = |fields: &[(&'static str, i64)], of: &Matrix| {
            let rows = of.scales.len();
            let mut all = vec![("fmt", of.fmt() as i64), ("shift", self.mat_shift), ("cols", N as i64)];
            all.extend([("rows", rows as i64), ("tiles", rows.div_ceil(16) as i64)]);
            all.extend(fields);
            all
        };
        let mats = vec![
            mat(
                &[("wait_vec", 2), ("dest", mat_dest::VMEM as i64), ("xexp", 3), ("d_addr", square_at * vl as i64)],
                &self.matrices[0],
            ),
            mat(
                &[("wait_vec", 10), ("dest", mat_dest::LOGITS as i64), ("xexp", 12), ("x_addr", words), ("last", 1)],
                &self.matrices[1],
            ),
        ];
        let [sh_sa, sh_b, sh_vk, sh_y] = SHIFTS;
        let wkv = vec![vec![
            ("wait_vec", 8),
            ("last", 1),
            ("n_head", 1),
            ("head_size", N as i64),
            ("head_words", words),
            ("y_addr", y_at * vl as i64),
            ("sh_sa", sh_sa),
            ("sh_b", sh_b),
            ("sh_vk", sh_vk),
            ("sh_y", sh_y),
        ]];
        let encode =
            |f: rtl_gen::isa::Format, list: Vec<Vec<(&str, i64)>>| list.iter().map(|i| f.encode(i).unwrap()).collect();
        [encode(DMA, dma), encode(MAT, mats), encode(VEC, vec), encode(WKV, wkv)]
    }
}

fn check(name: &str, stall: f64, seed: u64) {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let mut config = Config::load(&dir.join(format!("{name}.toml"))).unwrap();
    config.limits.state_elements = 2048; // a short clear
    let dut = Dut::build(&print(&core(&config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let network = network(seed, seed.is_multiple_of(2));
    let options = SessionOptions { stall, seed, ..Default::default() };
    let mut chip = Session::new(dut, &config, &network.image, Arc::new(OpNames::default()), options)
        .unwrap_or_else(|e| panic!("{e}"));
    chip.load_programs(&network.programs(config.vlanes()), TOKENS).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cycles = vec![];
    let mut total = [0; 3];
    for session in 0..2 {
        chip.clear().unwrap_or_else(|e| panic!("{e}"));
        let mut state = vec![0i64; N * N];
        for t in 0..10 {
            let token = rng.gen_range(0..TOKENS);
            let place = format!("{name} stall {stall} seed {seed} session {session} token {t}");
            let mut clipped = Clipped::default();
            let want = network.step(token, &mut state, config.numbers.state_bits as u32, &mut clipped);
            let got = chip
                .token(token as u32, None, TokenOptions { logits: t % 3 != 2, timeline: false })
                .unwrap_or_else(|e| panic!("{place}: {e}"));
            if t % 3 != 2 {
                let logits: Vec<i64> = got.logits.iter().map(|l| i64::from(*l)).collect();
                assert_eq!(logits, want, "{place}");
            }
            let largest = want.iter().max().unwrap();
            assert_eq!(got.token_out as usize, want.iter().position(|l| l == largest).unwrap(), "{place}");
            let bytes = 64 * 7 + network.matrices.iter().map(|m| m.bytes().len()).sum::<usize>();
            assert_eq!(got.counters.weight_beats as usize, bytes / config.beat_bytes(), "{place}");
            let counts = [got.counters.sat_mat, got.counters.sat_vec, got.counters.sat_wkv];
            assert_eq!(counts, clipped.0.map(|c| c.0), "{place}: clipped by mat, vec, wkv");
            total.iter_mut().zip(counts).for_each(|(t, c)| *t += c);
            cycles.push(got.counters.cycles);
        }
    }
    let most_logits = (10 * VOCAB) as u64; // of 20 tokens: half of them
    assert!(
        if seed.is_multiple_of(2) { total.iter().all(|c| *c > 0) } else { total[0] < most_logits },
        "clipped {total:?}"
    );
    if stall == 0.0 {
        eprintln!("{name}: {} cycles a token", cycles[0]);
        assert!(cycles.iter().all(|c| *c == cycles[0]), "the same work takes the same time: {cycles:?}");
    }
}

#[test]
fn a_token_runs_through_every_unit() {
    check("nano", 0.0, 1);
    check("wide", 0.0, 2);
}

#[test]
fn stalls_change_no_value() {
    for seed in 3..9 {
        check("nano", 0.1 * seed as f64 - 0.25, seed);
        check("wide", 0.1 * seed as f64 - 0.25, seed + 10);
    }
}
