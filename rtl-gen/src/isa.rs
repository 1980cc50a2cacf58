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

/// The fields of a format, each with its bits.
macro_rules! bits {
    ($($field:ident $bits:literal),* $(,)?) => { &[$((stringify!($field), $bits)),*] };
}

/// The values of fields of an instruction, for [`Format::encode`]: `name: value`, or `name` alone for the variable of that name.
macro_rules! fields {
    (@value $field:ident) => { $field as i64 };
    (@value $field:ident $value:expr) => { $value as i64 };
    ($($field:ident $(: $value:expr)?),* $(,)?) => {
        vec![$((stringify!($field), crate::isa::fields!(@value $field $($value)?))),*]
    };
}
pub(crate) use fields;

/// Reads stream pieces from memory in program order.
pub const DMA: Format = Format {
    name: "dma",
    bits: 128,
    fields: bits! {
        last 1, kind 3, len 24, addr 32, wait_vec 12, x_addr 14, cols 16, slot 3, last_body 1,
    },
};

/// Matrix times vector.
pub const MAT: Format = Format {
    name: "mat",
    bits: 128,
    fields: bits! {
        wait_vec 12, last 1, fmt 2, dest 1, xexp 4, shift 6, x_addr 14, d_addr 18, cols 16, tiles 14, rows 18, skip 1,
        last_body 1,
    },
};

/// Element-wise map over vectors, with optional reduction.
pub const VEC: Format = Format {
    name: "vec",
    bits: 224,
    fields: bits! {
        wait_mat 12, wait_wkv 12, last 1, drain 1, a_addr 14, b_addr 14, d_addr 14, n_words 13, tail 5, seg_words 13,
        x_sel 3, m_sel 3, c_sel 3, pshift 5, shift_sel 2, shift 6, lut 2, lut_shift 4, acc_sel 1, post 2, amax 1,
        amax_keep 1, dest 2, slot 4, k_const 18, k_shift 6, eps_m 16, eps_s 6, rsq_base 7, store 1, only 4, route 2,
        last_body 1,
    },
};

/// The delta-rule recurrence of one layer.
pub const WKV: Format = Format {
    name: "wkv",
    bits: 128,
    fields: bits! {
        wait_vec 12, last 1, n_head 8, head_size 8, head_words 6, s_addr 20, y_addr 18, sh_sa 6, sh_b 6, sh_vk 6,
        sh_y 6, last_body 1,
    },
};

/// All formats in the order of the host's program-select register.
pub const FORMATS: [Format; 4] = [DMA, MAT, VEC, WKV];

/// The values of a field that have names.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// The format, and its field.
    pub unit: &'static str,
    pub field: &'static str,
    /// What the names begin with in the RTL's package.
    pub prefix: &'static str,
    pub values: &'static [(&'static str, u64)],
}

/// Declares the named values of fields: a module of constants for each field, and one table of all of them.
macro_rules! field_values {
    ($($(#[$doc:meta])* $module:ident = $unit:literal . $field:literal, $prefix:literal {
        $($(#[$value_doc:meta])* $name:ident = $value:literal,)*
    })*) => {
        $($(#[$doc])* pub mod $module {
            $($(#[$value_doc])* pub const $name: u64 = $value;)*
            /// How many values there are; they count from 0.
            pub const COUNT: u64 = [$($value),*].len() as u64;
        })*
        /// Every named value of every field.
        pub const VALUES: &[Values] = &[
            $(Values { unit: $unit, field: $field, prefix: $prefix, values: &[$((stringify!($name), $value)),*] }),*
        ];
    };
}

field_values! {
    /// Values of `dma.kind`.
    dma_kind = "dma"."kind", "DMA_KIND" {
        WEIGHTS = 0, PARAMS = 1,
        /// Row `token` of slot `slot` of the embedding: address `addr + token * len`, into the parameter FIFO.
        EMBEDDING = 2,
        /// Reads, of the columns from `addr`, `len` units each, those whose operand (`cols` elements from xmem word `x_addr`) is not 0.
        COLUMNS = 3,
        /// State of the recurrence, to wkv; `addr` from STATE_BASE. State in memory only, as [`SESSION`]. With several sessions `cols` heads of
        /// `len` units each, each of them for every slot at work before the next one.
        STATE = 4,
        /// A session vector, into the parameter FIFO; `addr` from STATE_BASE, with several sessions from that of slot `slot`.
        SESSION = 5,
        /// A matrix of token `token` of slot `slot`: address `addr + token * len`, into the weight FIFO.
        TOKEN_WEIGHTS = 6,
    }
    /// Values of `mat.fmt`.
    mat_fmt = "mat"."fmt", "MAT_FMT" {
        W8 = 0, W16 = 1, W8_COLUMNS = 2,
        /// 4 bits in groups of 32 columns.
        W4 = 3,
    }
    /// Values of `mat.dest`.
    mat_dest = "mat"."dest", "MAT_DEST" {
        VMEM = 0, LOGITS = 1,
    }
    /// Values of `vec.x_sel`: the left factor.
    x_sel = "vec"."x_sel", "X" {
        ZERO = 0, A = 1, A_MINUS_B = 2, A_MINUS_MEAN = 3, A_MINUS_ONE = 4, RELU_A = 5,
    }
    /// Values of `vec.m_sel`: the right factor.
    m_sel = "vec"."m_sel", "M" {
        ONE = 0, P = 1, B = 2, SCALAR = 3, X = 4,
    }
    /// Values of `vec.c_sel`: the addend.
    c_sel = "vec"."c_sel", "C" {
        ZERO = 0, A = 1, B = 2, P = 3, ONE = 4,
        /// An element of a session vector: a beat of the parameter FIFO is a word. State in memory only.
        SESSION = 5,
    }
    /// Values of `vec.shift_sel`.
    shift_sel = "vec"."shift_sel", "SHIFT" {
        STATIC = 0, SCALAR = 1, AMAX = 2,
    }
    /// Values of `vec.lut`.
    lut = "vec"."lut", "LUT" {
        NONE = 0, SIGMOID = 1, TANH = 2, DECAY = 3,
    }
    /// Values of `vec.acc_sel`.
    acc_sel = "vec"."acc_sel", "ACC" {
        RESULT = 0, PRODUCT = 1,
    }
    /// Values of `vec.post`.
    post = "vec"."post", "POST" {
        NONE = 0, MEAN = 1, RSQ = 2, VALUE = 3,
    }
    /// Values of `vec.dest`.
    dest = "vec"."dest", "DEST" {
        NONE = 0, VMEM = 1, XMEM = 2, WKV = 3,
    }
    /// Values of `vec.route`: where a written word goes; only in a design with several sessions.
    route = "vec"."route", "ROUTE" {
        HERE = 0,
        /// While a prompt is read side by side: to the next slot. Otherwise here.
        RING = 1,
        /// While a prompt is read side by side: here, but not in its first slot. Otherwise nowhere.
        LATER = 2,
        /// While a prompt is read side by side: here, but only in its first slot. Otherwise here.
        HOME = 3,
    }
    /// Values of `vec.slot` when `dest` is WKV.
    wkv_slot = "vec"."slot", "WKV_SLOT" {
        R = 0, D = 1, K = 2, V = 3, KK = 4, B = 5,
    }
}

/// The format of a matrix of 4 bits by columns, in groups of 32 rows, in images for the golden backend. No instruction has it:
/// [`crate::program`] refuses such a matrix.
pub const W4_COLUMNS: u64 = 4;

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

    /// Text of a module that declares a wire `f_FIELD` for each of `fields` of the instruction on signal `from`.
    pub fn decode_wires(&self, from: &str, fields: &[&str]) -> String {
        let unit = self.name.to_uppercase();
        let name = |field: &str| format!("anser_pkg::{unit}_{}", field.to_uppercase());
        let range = |field: &str| match self.field(field).1 {
            1 => String::new(),
            _ => format!("[{}_BITS-1:0]", name(field)),
        };
        let widest = fields.iter().map(|f| range(f).len()).max().unwrap_or(0);
        let longest = fields.iter().map(|f| f.len()).max().unwrap_or(0);
        let wire = |field: &&str| {
            let (name, range) = (name(field), range(field));
            let part = if range.is_empty() { String::new() } else { format!(" +: {name}_BITS") };
            format!("  wire {range:widest$} f_{field:longest$} = {from}[{name}_LSB{part}];\n")
        };
        fields.iter().map(wire).collect()
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
        for v in VALUES {
            let field = format!(" | `{}` | ", v.field);
            let line = section(v.unit).lines().find(|l| l.contains(&field)).unwrap();
            for (name, value) in v.values {
                assert!(line.contains(&format!("{value} `{name}`")), "{} {}: {value} {name}", v.unit, v.field);
            }
        }
    }
}
