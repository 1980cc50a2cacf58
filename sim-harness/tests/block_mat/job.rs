//! An instruction of the matrix unit, its bytes in the stream, and its results as `docs/hardware.md` §2 defines them.

use golden_model::arithmetic::fixed::{round_shift_wide, sat, Saturations};
use golden_model::image::nibble_tiles;
use rand::{seq::SliceRandom, Rng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::mat::{max_cols, max_w4_cols};
use rtl_gen::config::Config;
use rtl_gen::isa::{mat_dest, mat_fmt, MAT};

/// One instruction with its matrix. Weights of rows and groups that are only padding are random: they must not matter.
pub struct Job {
    pub fmt: u64,
    pub dest: u64,
    pub rows: usize,
    pub cols: usize,
    pub shift: u32,
    pub xexp: usize,
    pub x_addr: usize,
    pub d_addr: usize,
    pub weights: Vec<i32>, // (padded rows, cols)
    pub gs: Vec<u8>,       // W4: (padded rows, cols / 32)
    pub scales: Vec<u16>,  // a multiple of 32
    /// Columns in the stream, if not all of them are.
    pub columns: Option<Vec<usize>>,
}

impl Job {
    fn tile_rows(&self) -> usize {
        if self.fmt == mat_fmt::W16 {
            8
        } else {
            16
        }
    }

    fn tiles(&self) -> usize {
        self.rows.div_ceil(self.tile_rows())
    }

    pub fn instruction(&self, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let fields = [
            ("fmt", self.fmt as i64),
            ("dest", self.dest as i64),
            ("xexp", self.xexp as i64),
            ("shift", i64::from(self.shift)),
            ("x_addr", self.x_addr as i64),
            ("d_addr", self.d_addr as i64),
            ("cols", self.cols as i64),
            ("tiles", self.tiles() as i64),
            ("rows", self.rows as i64),
            ("wait_vec", rng.gen_range(0..4096)),
            ("last", rng.gen_range(0..2)), // not the unit's business
            (
                "skip",
                if self.fmt == mat_fmt::W8_COLUMNS { i64::from(self.columns.is_some()) } else { rng.gen_range(0..2) },
            ),
        ];
        MAT.encode(&fields).unwrap()
    }

    /// Columns that are in the stream.
    fn present(&self) -> Vec<usize> {
        self.columns.clone().unwrap_or_else(|| (0..self.cols).collect())
    }

    /// The bytes of the block, in stream order.
    pub fn stream(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let w = |row: usize, c: usize| self.weights[row * self.cols + c];
        let mut bytes = vec![];
        let unit = |bytes: &mut Vec<u8>, first: usize| {
            self.scales[first..first + 32].iter().for_each(|s| bytes.extend(s.to_le_bytes()));
        };
        match self.fmt {
            mat_fmt::W8_COLUMNS => {
                (0..self.rows.div_ceil(32)).for_each(|u| unit(&mut bytes, 32 * u));
                for c in self.present() {
                    (0..16 * self.tiles()).for_each(|row| bytes.push(w(row, c) as u8));
                    (0..16 * (self.tiles().next_multiple_of(4) - self.tiles())).for_each(|_| bytes.push(rng.gen()));
                }
            }
            mat_fmt::W4 => {
                let q: Vec<i8> = self.weights.iter().map(|w| *w as i8).collect();
                for t in 0..self.tiles() {
                    if t % 2 == 0 {
                        unit(&mut bytes, 16 * t);
                    }
                    nibble_tiles::push_tile(&mut bytes, 16 * t, (16 * self.tiles(), self.cols), &q, &self.gs);
                }
            }
            _ => {
                for t in 0..self.tiles() {
                    if (t * self.tile_rows()).is_multiple_of(32) {
                        unit(&mut bytes, t * self.tile_rows());
                    }
                    for c in 0..self.cols {
                        for r in 0..self.tile_rows() {
                            let w = w(t * self.tile_rows() + r, c);
                            bytes.push(w as u8);
                            if self.fmt == mat_fmt::W16 {
                                bytes.push((w >> 8) as u8);
                            }
                        }
                    }
                }
            }
        }
        bytes
    }

    /// Every row's result and whether it was clipped.
    pub fn rows(&self, x: &[i16], xexp: u32) -> Vec<(i32, bool)> {
        let present = self.present();
        (0..self.rows)
            .map(|row| {
                let gs = |c: usize| match self.fmt {
                    mat_fmt::W4 => i64::from(self.gs[row * (self.cols / 32) + c / 32]),
                    _ => 1,
                };
                let product = |c: usize| gs(c) * i64::from(self.weights[row * self.cols + c]) * i64::from(x[c]);
                let acc: i64 = present.iter().map(|c| product(*c)).sum();
                let (m, e) = (i128::from(self.scales[row] & 0xfff), u32::from(self.scales[row] >> 12));
                let mut clipped = Saturations::default();
                let y = round_shift_wide(i128::from(acc) * m, (self.shift + e).saturating_sub(xexp));
                (sat(y as i64, 27, &mut clipped), clipped.0 == 1)
            })
            .collect()
    }

    pub fn random(rng: &mut ChaCha8Rng, config: &Config) -> Job {
        let fmt = *[mat_fmt::W8, mat_fmt::W16, mat_fmt::W8_COLUMNS, mat_fmt::W4].choose(rng).unwrap();
        let most = config.limits.n_embd.min(300);
        let rows = match rng.gen_range(0..3) {
            0 => rng.gen_range(1..=40.min(most)),
            1 => rng.gen_range(1..=most),
            _ => [1, 8, 16, 17, 31, 32, 33, 64, 80, 128, most].choose(rng).copied().unwrap().min(most),
        };
        let step = if fmt == mat_fmt::W4 { 32 } else { 4 };
        let widest = if fmt == mat_fmt::W4 { max_w4_cols(config) } else { max_cols(config) } / step;
        let cols = step
            * match rng.gen_range(0..20) {
                0..=7 => rng.gen_range(1..=4.min(widest)),
                8..=14 => rng.gen_range(1..=24.min(widest)),
                15..=17 => rng.gen_range(1..=widest),
                _ => widest,
            };
        let x_words = cols.div_ceil(config.vlanes());
        let bits = match fmt {
            mat_fmt::W16 => 16,
            mat_fmt::W4 => 4,
            _ => 8,
        };
        let top = (1 << (bits - 1)) - 1;
        let kind = rng.gen_range(0..5);
        let weight = |rng: &mut ChaCha8Rng, i: usize| match kind {
            0 => *[-top - 1, top, -1, 0, top & 0xff].choose(rng).unwrap(),
            1 => -top - 1,
            2 => -1,                           // 16 bits: every low byte 255
            3 if !i.is_multiple_of(cols) => 0, // with m = 2^11 + 1: just above a tie
            3 => 1 << rng.gen_range(0..bits - 1),
            _ => rng.gen_range(-top - 1..=top),
        };
        let gs = |rng: &mut ChaCha8Rng| if kind == 1 { 255 } else { rng.gen() };
        let groups = if fmt == mat_fmt::W4 { cols / 32 } else { 0 };
        let gs = (0..rows.next_multiple_of(16) * groups).map(|_| gs(rng)).collect();
        let weights = (0..rows.next_multiple_of(16) * cols).map(|i| weight(rng, i)).collect();
        let scale = |rng: &mut ChaCha8Rng| {
            let m: u16 = *[0, 2048, 2049, 4095, rng.gen_range(2048..4096)].choose(rng).unwrap();
            m | rng.gen_range(0..16) << 12
        };
        // Half of the shifts near the one that just fits 27 bits: saturations, ties and small results all occur.
        let fit = (15 + if fmt == mat_fmt::W4 { 12 } else { bits } + cols.ilog2() + 12).saturating_sub(26 + 8);
        let shift =
            if rng.gen() { rng.gen_range(0..64) } else { (fit + rng.gen_range(0..16)).saturating_sub(8).min(63) };
        let skips = fmt == mat_fmt::W8_COLUMNS && rng.gen();
        let columns = skips.then(|| {
            let density = *[0.0, 0.1, 0.5, 1.0].choose(rng).unwrap();
            let mut some: Vec<usize> = (0..cols).filter(|_| rng.gen_bool(density)).collect();
            if some.is_empty() {
                some.push(rng.gen_range(0..cols));
            }
            some
        });
        Job {
            columns,
            fmt,
            dest: if rng.gen_bool(0.7) { mat_dest::VMEM } else { mat_dest::LOGITS },
            rows,
            cols,
            shift,
            xexp: rng.gen_range(0..16),
            x_addr: if rng.gen_bool(0.3) { 0 } else { rng.gen_range(0..=config.xmem_words() - x_words) },
            d_addr: rng.gen_range(0..(1 << 18) - rows),
            weights,
            gs,
            scales: (0..rows.next_multiple_of(32)).map(|_| scale(rng)).collect(),
        }
    }
}
