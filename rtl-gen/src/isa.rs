//! Instruction formats: the one place where field names, widths and positions are written down.
//!
//! The compiler encodes with [`Format::encode`], the RTL generator prints its decoders with [`Format::decode_wires`],
//! and `docs/hardware.md` says what each field means. Fields are packed from bit 0 upwards in the order listed.

/// A packed instruction: total width and `(field, bits)` from bit 0 upwards.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub name: &'static str,
    /// Width of one instruction; a multiple of 32, because the host writes 32-bit words.
    pub bits: usize,
    pub fields: &'static [(&'static str, usize)],
}

/// Reads stream pieces from memory in program order.
pub const DMA: Format = Format {
    name: "dma",
    bits: 128,
    fields: &[
        ("last", 1),
        ("kind", 3),
        ("len", 24),
        ("addr", 32),
        ("wait_vec", 12),
        ("x_addr", 14),
        ("cols", 16),
        ("slot", 3),
        ("last_body", 1),
    ],
};

/// Matrix times vector.
pub const MAT: Format = Format {
    name: "mat",
    bits: 128,
    fields: &[
        ("wait_vec", 12),
        ("last", 1),
        ("fmt", 2),
        ("dest", 1),
        ("xexp", 4),
        ("shift", 6),
        ("x_addr", 14),
        ("d_addr", 18),
        ("cols", 16),
        ("tiles", 14),
        ("rows", 18),
        ("skip", 1),
        ("last_body", 1),
    ],
};

/// Element-wise map over vectors, with optional reduction.
pub const VEC: Format = Format {
    name: "vec",
    bits: 224,
    fields: &[
        ("wait_mat", 12),
        ("wait_wkv", 12),
        ("last", 1),
        ("drain", 1),
        ("a_addr", 14),
        ("b_addr", 14),
        ("d_addr", 14),
        ("n_words", 13),
        ("tail", 5),
        ("seg_words", 13),
        ("x_sel", 3),
        ("m_sel", 3),
        ("c_sel", 3),
        ("pshift", 5),
        ("shift_sel", 2),
        ("shift", 6),
        ("lut", 2),
        ("lut_shift", 4),
        ("acc_sel", 1),
        ("post", 2),
        ("amax", 1),
        ("amax_keep", 1),
        ("dest", 2),
        ("slot", 4),
        ("k_const", 18),
        ("k_shift", 6),
        ("eps_m", 16),
        ("eps_s", 6),
        ("rsq_base", 7),
        ("store", 1),
        ("only", 4),
        ("route", 2),
        ("last_body", 1),
    ],
};

/// The delta-rule recurrence of one layer.
pub const WKV: Format = Format {
    name: "wkv",
    bits: 128,
    fields: &[
        ("wait_vec", 12),
        ("last", 1),
        ("n_head", 8),
        ("head_size", 8),
        ("head_words", 6),
        ("s_addr", 20),
        ("y_addr", 18),
        ("sh_sa", 6),
        ("sh_b", 6),
        ("sh_vk", 6),
        ("sh_y", 6),
        ("last_body", 1),
    ],
};

/// All formats in the order of the host's program-select register.
pub const FORMATS: [Format; 4] = [DMA, MAT, VEC, WKV];

/// Values of `dma.kind`.
pub mod dma_kind {
    pub const WEIGHTS: u64 = 0;
    pub const PARAMS: u64 = 1;
    /// Row `token` of slot `slot` of the embedding: address `addr + token * len`, into the parameter FIFO.
    pub const EMBEDDING: u64 = 2;
    /// Of the columns from `addr`, `len` units each, those whose operand (`cols` elements from xmem word `x_addr`) is not 0.
    pub const COLUMNS: u64 = 3;
    /// State of the recurrence, to wkv; `addr` from STATE_BASE. State in memory only, as [`SESSION`]. With several sessions `cols` heads of
    /// `len` units each, each of them for every slot at work before the next one.
    pub const STATE: u64 = 4;
    /// A session vector, into the parameter FIFO; `addr` from STATE_BASE, with several sessions from that of slot `slot`.
    pub const SESSION: u64 = 5;
}

/// Values of `mat.fmt`.
pub mod mat_fmt {
    pub const W8: u64 = 0;
    pub const W16: u64 = 1;
    pub const W8_COLUMNS: u64 = 2;
    /// 4 bits in groups of 32 columns.
    pub const W4: u64 = 3;
    /// 4 bits by columns, in groups of 32 rows: in images for the golden backend. No instruction has it, `program::compile` refuses it.
    pub const W4_COLUMNS: u64 = 4;
}

/// Values of `mat.dest`.
pub mod mat_dest {
    pub const VMEM: u64 = 0;
    pub const LOGITS: u64 = 1;
}

/// Values of `vec.x_sel`: the left factor.
pub mod x_sel {
    pub const ZERO: u64 = 0;
    pub const A: u64 = 1;
    pub const A_MINUS_B: u64 = 2;
    pub const A_MINUS_MEAN: u64 = 3;
    pub const A_MINUS_ONE: u64 = 4;
    pub const RELU_A: u64 = 5;
}

/// Values of `vec.m_sel`: the right factor.
pub mod m_sel {
    pub const ONE: u64 = 0;
    pub const P: u64 = 1;
    pub const B: u64 = 2;
    pub const SCALAR: u64 = 3;
    pub const X: u64 = 4;
}

/// Values of `vec.c_sel`: the addend.
pub mod c_sel {
    pub const ZERO: u64 = 0;
    pub const A: u64 = 1;
    pub const B: u64 = 2;
    pub const P: u64 = 3;
    pub const ONE: u64 = 4;
    /// An element of a session vector: a beat of the parameter FIFO is a word. State in memory only.
    pub const SESSION: u64 = 5;
}

/// Values of `vec.shift_sel`.
pub mod shift_sel {
    pub const STATIC: u64 = 0;
    pub const SCALAR: u64 = 1;
    pub const AMAX: u64 = 2;
}

/// Values of `vec.lut`.
pub mod lut {
    pub const NONE: u64 = 0;
    pub const SIGMOID: u64 = 1;
    pub const TANH: u64 = 2;
    pub const DECAY: u64 = 3;
}

/// Values of `vec.acc_sel`.
pub mod acc_sel {
    pub const RESULT: u64 = 0;
    pub const PRODUCT: u64 = 1;
}

/// Values of `vec.post`.
pub mod post {
    pub const NONE: u64 = 0;
    pub const MEAN: u64 = 1;
    pub const RSQ: u64 = 2;
    pub const VALUE: u64 = 3;
}

/// Values of `vec.dest`.
pub mod dest {
    pub const NONE: u64 = 0;
    pub const VMEM: u64 = 1;
    pub const XMEM: u64 = 2;
    pub const WKV: u64 = 3;
}

/// Values of `vec.route`: where a written word goes; only in a design with several sessions.
pub mod route {
    pub const HERE: u64 = 0;
    /// While a prompt is read side by side: to the next slot. Otherwise here.
    pub const RING: u64 = 1;
    /// While a prompt is read side by side: here, but not in its first slot. Otherwise nowhere.
    pub const LATER: u64 = 2;
    /// While a prompt is read side by side: here, but only in its first slot. Otherwise here.
    pub const HOME: u64 = 3;
}

/// Values of `vec.slot` when `dest` is WKV.
pub mod wkv_slot {
    pub const R: u64 = 0;
    pub const D: u64 = 1;
    pub const K: u64 = 2;
    pub const V: u64 = 3;
    pub const KK: u64 = 4;
    pub const B: u64 = 5;
}

impl Format {
    /// Bit offset and width of `field`. Panics for a name that is not in the format: a bug of the caller.
    pub fn field(&self, field: &str) -> (usize, usize) {
        let mut at = 0;
        for (name, bits) in self.fields {
            if *name == field {
                return (at, *bits);
            }
            at += bits;
        }
        panic!("{}: no field {field}", self.name)
    }

    /// Packs the named values into 32-bit words, bit 0 first; fields not named are 0.
    ///
    /// Fails, naming format and field, if a value does not fit its field. Negative values are two's complement.
    pub fn encode(&self, values: &[(&str, i64)]) -> Result<Vec<u32>, String> {
        let mut words = vec![0u32; self.bits / 32];
        for (name, value) in values {
            let (at, bits) = self.field(name);
            let fits = if *value < 0 { *value >= -(1i64 << (bits - 1)) } else { *value < 1i64 << bits };
            if !fits {
                return Err(format!("{} instruction: {name} = {value} does not fit {bits} bits", self.name));
            }
            for i in 0..bits {
                if (*value >> i) & 1 == 1 {
                    words[(at + i) / 32] |= 1 << ((at + i) % 32);
                }
            }
        }
        Ok(words)
    }

    /// The value of `field` in a packed instruction, zero-extended.
    pub fn get(&self, words: &[u32], field: &str) -> u64 {
        let (at, bits) = self.field(field);
        (0..bits).fold(0, |v, i| v | u64::from((words[(at + i) / 32] >> ((at + i) % 32)) & 1) << i)
    }

    /// SystemVerilog: one wire `f_<field>` for each of `fields`, cut out of the signal `from`.
    pub fn decode_wires(&self, from: &str, fields: &[&str]) -> String {
        let mut s = String::new();
        for f in fields {
            let (at, bits) = self.field(f);
            if bits == 1 {
                s += &format!("  wire f_{f} = {from}[{at}];\n");
            } else {
                s += &format!("  wire [{}:0] f_{f} = {from}[{}:{at}];\n", bits - 1, at + bits - 1);
            }
        }
        s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_fit_and_round_trip() {
        for f in FORMATS {
            assert!(f.fields.iter().map(|x| x.1).sum::<usize>() <= f.bits, "{}", f.name);
            for (name, bits) in f.fields {
                let v = (1i64 << bits) - 1;
                let words = f.encode(&[(name, v)]).unwrap();
                assert_eq!(f.get(&words, name), v as u64);
                assert!(f.encode(&[(name, v + 1)]).is_err());
            }
        }
    }

    /// docs/instructions.md gives every field its bits, and every value its number.
    #[test]
    fn the_page_of_instructions_says_the_same() {
        let page = include_str!("../../docs/instructions.md");
        let section = |name: &str| page.split("\n## ").find(|s| s.starts_with(name)).unwrap();
        for format in FORMATS {
            let text = section(format.name);
            assert!(text.contains(&format!(", {} bits.", format.bits)), "{}", format.name);
            let found: Vec<(&str, &str)> = (text.lines())
                .filter_map(|line| line.strip_prefix("| ")?.split_once(" | `"))
                .map(|(bits, rest)| (bits, rest.split('`').next().unwrap()))
                .collect();
            let bits = |field: &str| match format.field(field) {
                (at, 1) => at.to_string(),
                (at, bits) => format!("{}:{at}", at + bits - 1),
            };
            let expected: Vec<(String, &str)> = format.fields.iter().map(|(f, _)| (bits(f), *f)).collect();
            let expected: Vec<(&str, &str)> = expected.iter().map(|(bits, f)| (bits.as_str(), *f)).collect();
            assert_eq!(found, expected, "{}", format.name);
        }
        macro_rules! values {
            ($unit:literal, $field:literal, $module:ident: $($name:ident)*) => {
                let field = format!(" | `{}` | ", $field);
                let line = section($unit).lines().find(|l| l.contains(&field)).unwrap();
                $(let value = format!("{} `{}`", $module::$name, stringify!($name));
                assert!(line.contains(&value), "{} {}: {value}", $unit, $field);)*
            };
        }
        values!("dma", "kind", dma_kind: WEIGHTS PARAMS EMBEDDING COLUMNS STATE SESSION);
        values!("mat", "fmt", mat_fmt: W8 W16 W8_COLUMNS W4);
        values!("mat", "dest", mat_dest: VMEM LOGITS);
        values!("vec", "x_sel", x_sel: ZERO A A_MINUS_B A_MINUS_MEAN A_MINUS_ONE RELU_A);
        values!("vec", "m_sel", m_sel: ONE P B SCALAR X);
        values!("vec", "c_sel", c_sel: ZERO A B P ONE SESSION);
        values!("vec", "shift_sel", shift_sel: STATIC SCALAR AMAX);
        values!("vec", "lut", lut: NONE SIGMOID TANH DECAY);
        values!("vec", "acc_sel", acc_sel: RESULT PRODUCT);
        values!("vec", "post", post: NONE MEAN RSQ VALUE);
        values!("vec", "dest", dest: NONE VMEM XMEM WKV);
        values!("vec", "slot", wkv_slot: R D K V KK B);
        values!("vec", "route", route: HERE RING LATER HOME);
    }
}
