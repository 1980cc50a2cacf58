//! The matrix-times-vector unit (`docs/hardware.md` §2): weight beats in, rows of a vector out.
//!
//! ```text
//!     w ──+── mat_scales ──────────────+
//!         +── mat_group × G ── sums ── mat_drain ── rows ── mat_output ── vmem elements, logits
//!     xmem ── mat_operands ──^              ^ beats and hand-overs: mat_control
//! ```
//!
//! Everything advances with the weight stream: a beat a cycle unless weights are missing or the drain is behind.

pub mod argmax;
pub mod control;
pub mod drain;
pub mod lane;
pub mod operands;
pub mod output;
pub mod scales;
pub mod w4;

use crate::blocks::dma::columns::COLUMN_BITS;
use crate::config::Config;
use crate::hdl::Module;
use crate::isa::{mat_dest, mat_fmt, MAT};
use std::sync::Arc;

/// Largest `cols` of an instruction: beyond it an accumulator could wrap.
pub fn max_cols(config: &Config) -> usize {
    config.limits.dim_ffn.max(config.limits.n_embd).next_power_of_two()
}

/// Largest `cols` of an instruction of format W4; only `ffn.value` is longer, and it has 8 bits.
pub fn max_w4_cols(config: &Config) -> usize {
    config.limits.n_embd.next_power_of_two().max(32)
}

/// Sizes that follow from the configuration.
pub(in crate::blocks) struct Dims {
    /// Groups of 16 byte lanes: 1, 2 or 4.
    pub groups: usize,
    /// Elements of an xmem word, 4 × groups.
    pub vl: usize,
    pub max_cols: usize,
    pub max_w4_cols: usize,
    /// A lane's sum of bytes times operands: a 24-bit product `max_cols` times.
    pub column_acc: usize,
    /// A lane's accumulator: as much, or a 28-bit product `max_w4_cols / 2` times.
    pub acc: usize,
    /// The sum of a row: 16-bit weights have 8 bits more than bytes.
    pub sum: usize,
    /// Partial sums a lane keeps for the column-wise format.
    pub entries: usize,
    /// Beats of a scale unit.
    pub unit_beats: usize,
    /// Scale units on their way: a column-wise matrix has all of its own in front, two more are from the matrix before.
    pub scale_units: usize,
}

impl Dims {
    fn new(config: &Config) -> Self {
        let groups = config.groups();
        let max_cols = max_cols(config);
        let max_w4_cols = max_w4_cols(config);
        let column_acc = 24 + max_cols.ilog2() as usize;
        Dims {
            groups,
            vl: config.vlanes(),
            max_cols,
            max_w4_cols,
            column_acc,
            acc: column_acc.max(27 + max_w4_cols.ilog2() as usize),
            sum: column_acc + 8,
            // padding tiles have entries too; a memory has at least two words
            entries: (config.max_tiles().next_multiple_of(4) / groups).max(2),
            unit_beats: 64 / config.beat_bytes(),
            scale_units: (config.limits.n_embd + 64).div_ceil(32),
        }
    }

    /// Bits of an element's index in an xmem word.
    pub fn vl_bits(&self) -> usize {
        self.vl.ilog2() as usize
    }

    /// `signal / groups`, at its own width of `bits`.
    pub fn shifted_right(&self, signal: &str, bits: usize) -> String {
        match self.groups.ilog2() {
            0 => signal.to_string(),
            n => format!("{{{n}'d0, {signal}[{}:{n}]}}", bits - 1),
        }
    }
}

/// The unit. Its ports are those of the core's other units: instruction in, done out, memories beside it.
pub fn mat(config: &Config) -> Arc<Module> {
    let d = Dims::new(config);
    let mut m = Module::new(
        "mat",
        format!(
            "Matrix times vector: y[row] = sat_27(round(acc[row] m, max(0, shift + e - xexp))), acc exact over the columns.\n\
             Formats W8, W16, W8_COLUMNS and W4 as in docs/hardware.md; cols a multiple of 4 up to {} (W4: of 32 up to {}),\n\
             W8_COLUMNS up to {} rows, tiles = the rows rounded up to 16 (W16: 8). {} byte lanes.\n\
             With skip (W8_COLUMNS only) the columns in the stream are those of col_*, up to and with the one marked last.\n\
             Throughput: a weight beat a cycle while weights come and rows leave; the drain gives a row a cycle, so a tile takes\n\
             max(beats, rows) cycles. The next instruction is taken while one runs; a cycle lies between them.\n\
             Latency: instr_ready_o to the first scale beat 2 cycles; last weight beat of a tile to its first row 12.\n\
             done_o one cycle after the instruction's last row was handed over, in order.",
            d.max_cols,
            d.max_w4_cols,
            config.limits.n_embd,
            config.mac_lanes()
        ),
    );
    m.input("start_i", 1, "a token starts; the unit is idle");
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", MAT.bits, "").input(
        "instr_idx_i",
        12,
        "",
    );
    m.output("done_o", 1, "");
    m.input("w_valid_i", 1, "").output("w_ready_o", 1, "").input("w_data_i", config.bus_bits, "");
    m.input("col_valid_i", 1, "columns of an instruction with skip").output("col_ready_o", 1, "");
    m.input("col_i", COLUMN_BITS, "").input("col_last_i", 1, "");
    m.output("xr_en_o", 1, "").output("xr_addr_o", 14, "word").input("xr_data_i", 16 * d.vl, "the cycle after xr_en_o");
    m.output("xexp_sel_o", 4, "").input("xexp_i", 5, "combinational, taken with the instruction");
    m.output("d_valid_o", 1, "")
        .input("d_ready_i", 1, "")
        .output("d_addr_o", 18, "element")
        .output("d_data_o", 27, "signed");
    m.output("logit_valid_o", 1, "").input("logit_ready_i", 1, "").output("logit_data_o", 27, "signed");
    m.output("logit_last_o", 1, "row rows - 1").output("argmax_o", 18, "first largest logit since start_i");
    m.output("sat_o", 1, "a row was clipped");
    m.output("stall_weights_o", 1, "cycle lost: no weights").output(
        "stall_drain_o",
        1,
        "cycle lost: rows do not leave fast enough",
    );
    m.output("busy_o", 1, "an accepted instruction is not finished");
    m.output("trace_mat_valid_o", 1, "a row is handed over").output("trace_mat_op_o", 12, "");
    m.output("trace_mat_row_o", 18, "").output("trace_mat_data_o", 27, "");

    m.text(
        &MAT.decode_wires(
            "instr_i",
            &["fmt", "dest", "xexp", "shift", "x_addr", "d_addr", "cols", "tiles", "rows", "skip"],
        ),
        &[],
    );
    let unused = ["wait_vec", "last", "last_body"].map(|f| {
        let (at, bits) = MAT.field(f);
        format!("instr_i[{}:{at}]", at + bits - 1)
    });
    let used: usize = MAT.fields.iter().map(|f| f.1).sum();
    m.text(
        r#"
  wire unused_instr = &{1'b0, {{unused}}};

  wire columns = (f_fmt == 2'd{{columns}});
  wire w16     = (f_fmt == 2'd{{w16}});
  wire w4      = (f_fmt == 2'd{{w4}});
  wire skip    = columns && f_skip;
  wire logits  = (f_dest == 1'd{{logits}});
  wire [6:0] shift = {1'b0, f_shift} - {2'd0, xexp_i};  // signed

  wire control_ready, operands_ready, output_ready;
  wire accept = instr_valid_i && instr_ready_o;

  assign instr_ready_o = control_ready && operands_ready && output_ready;
  assign xexp_sel_o    = f_xexp;

  wire scale_push, row, row_last;
  wire [15:0] scale;
  wire x_valid, x_pop, x_columns, x_w4, x_last;
  wire [{{vmsb}}:0] x_lane;
  wire [{{vmsb}}:0] x_index;
  wire [{{gmsb}}:0] x_gs;
  wire [{{pmsb}}:0] x_pair;
  wire [{{xmsb}}:0] x;
  wire [{{wmsb}}:0] w_taken, gs;
  wire en_a, en_b, en_m, en_c, from_zero, from_ram, lanes_w16, lanes_w4, ram_re, ram_we;
  wire [{{emsb}}:0] ram_raddr, ram_waddr;
  wire loading, load, load_columns, load_w16, load_last, hold_ok;
  wire [6:0] load_shift, load_rows;
  wire [{{gmsb}}:0] sel;
  wire [2:0] pair;
  wire [{{smsb}}:0] even, odd;
  wire out_valid, out_clipped, out_last, free;
  wire [26:0] out_data;
"#,
        &[
            (
                "unused",
                [
                    unused.to_vec(),
                    if used < MAT.bits { vec![format!("instr_i[{}:{used}]", MAT.bits - 1)] } else { vec![] },
                ]
                .concat()
                .join(", "),
            ),
            ("columns", mat_fmt::W8_COLUMNS.to_string()),
            ("w16", mat_fmt::W16.to_string()),
            ("w4", mat_fmt::W4.to_string()),
            ("logits", mat_dest::LOGITS.to_string()),
            ("vmsb", (d.vl_bits() - 1).to_string()),
            ("xmsb", (32 * d.groups - 1).to_string()),
            ("pmsb", (d.vl_bits() * d.groups - 1).to_string()),
            ("wmsb", (128 * d.groups - 1).to_string()),
            ("emsb", (crate::hdl::index_bits(d.entries) - 1).to_string()),
            ("gmsb", (d.groups - 1).to_string()),
            ("smsb", (d.groups * d.acc - 1).to_string()),
        ],
    );
    instances(&mut m, &d);
    m.done()
}

fn instances(m: &mut Module, d: &Dims) {
    m.instance(
        "u_control",
        &control::control(d),
        &[
            ("accept_i", "accept"),
            ("ready_o", "control_ready"),
            ("columns_i", "columns"),
            ("w16_i", "w16"),
            ("w4_i", "w4"),
            ("skip_i", "skip"),
            ("x_lane_i", "x_lane"),
            ("x_last_i", "x_last"),
            ("shift_i", "shift"),
            ("cols_i", "f_cols"),
            ("tiles_i", "f_tiles"),
            ("rows_i", "f_rows"),
            ("w_valid_i", "w_valid_i"),
            ("w_ready_o", "w_ready_o"),
            ("scale_push_o", "scale_push"),
            ("x_valid_i", "x_valid"),
            ("x_pop_o", "x_pop"),
            ("x_columns_o", "x_columns"),
            ("x_index_o", "x_index"),
            ("x_w4_o", "x_w4"),
            ("x_gs_o", "x_gs"),
            ("x_pair_o", "x_pair"),
            ("en_a_o", "en_a"),
            ("w16_o", "lanes_w16"),
            ("en_b_o", "en_b"),
            ("w4_o", "lanes_w4"),
            ("en_m_o", "en_m"),
            ("en_c_o", "en_c"),
            ("from_zero_o", "from_zero"),
            ("from_ram_o", "from_ram"),
            ("ram_re_o", "ram_re"),
            ("ram_raddr_o", "ram_raddr"),
            ("ram_we_o", "ram_we"),
            ("ram_waddr_o", "ram_waddr"),
            ("hold_ok_i", "hold_ok"),
            ("loading_o", "loading"),
            ("load_o", "load"),
            ("load_columns_o", "load_columns"),
            ("load_w16_o", "load_w16"),
            ("load_shift_o", "load_shift"),
            ("load_rows_o", "load_rows"),
            ("load_last_o", "load_last"),
            ("stall_weights_o", "stall_weights_o"),
            ("stall_drain_o", "stall_drain_o"),
        ],
    );
    m.instance(
        "u_operands",
        &operands::operands(d),
        &[
            ("accept_i", "accept"),
            ("ready_o", "operands_ready"),
            ("columns_i", "columns"),
            ("x_addr_i", "f_x_addr"),
            ("cols_i", "f_cols"),
            ("tiles_i", "f_tiles"),
            ("skip_i", "skip"),
            ("col_valid_i", "col_valid_i"),
            ("col_ready_o", "col_ready_o"),
            ("col_i", "col_i"),
            ("col_last_i", "col_last_i"),
            ("x_lane_o", "x_lane"),
            ("x_last_o", "x_last"),
            ("xr_en_o", "xr_en_o"),
            ("xr_addr_o", "xr_addr_o"),
            ("xr_data_i", "xr_data_i"),
            ("x_valid_o", "x_valid"),
            ("x_pop_i", "x_pop"),
            ("use_columns_i", "x_columns"),
            ("index_i", "x_index"),
            ("use_w4_i", "x_w4"),
            ("gs_i", "x_gs"),
            ("pair_i", "x_pair"),
            ("x_o", "x"),
        ],
    );
    m.instance(
        "u_scales",
        &scales::scales(d),
        &[
            ("push_i", "scale_push"),
            ("push_data_i", "w_taken"),
            ("row_i", "row"),
            ("row_last_i", "row_last"),
            ("scale_o", "scale"),
        ],
    );
    m.instance(
        "u_gs",
        &w4::scales(d),
        &[
            ("en_a_i", "en_a && x_w4"),
            ("sel_i", "x_gs"),
            ("en_b_i", "en_b && lanes_w4"),
            ("w_i", "w_taken"),
            ("gs_o", "gs"),
        ],
    );
    let group = lane::group(d);
    for g in 0..d.groups {
        let slice = |signal: &str, bits: usize| format!("{signal}[{}:{}]", (g + 1) * bits - 1, g * bits);
        m.instance(
            &format!("u_group_{g}"),
            &group,
            &[
                ("clk_i", "clk_i"),
                ("w_i", &slice("w_data_i", 128)),
                ("w16_i", "lanes_w16"),
                ("w_o", &slice("w_taken", 128)),
                ("x_i", &slice("x", 32)),
                ("en_b_i", "en_b"),
                ("w4_i", "lanes_w4"),
                ("gs_i", &slice("gs", 128)),
                ("en_m_i", "en_m"),
                ("en_c_i", "en_c"),
                ("from_zero_i", "from_zero"),
                ("from_ram_i", "from_ram"),
                ("load_i", "load"),
                ("ram_re_i", "ram_re"),
                ("ram_raddr_i", "ram_raddr"),
                ("ram_we_i", "ram_we"),
                ("ram_waddr_i", "ram_waddr"),
                ("row_en_i", "row"),
                ("row_sel_i", &format!("sel[{g}]")),
                ("pair_i", "pair"),
                ("even_o", &slice("even", d.acc)),
                ("odd_o", &slice("odd", d.acc)),
            ],
        );
    }
    m.instance(
        "u_drain",
        &drain::drain(d),
        &[
            ("loading_i", "loading"),
            ("load_i", "load"),
            ("load_columns_i", "load_columns"),
            ("load_w16_i", "load_w16"),
            ("load_shift_i", "load_shift"),
            ("load_rows_i", "load_rows"),
            ("load_last_i", "load_last"),
            ("hold_ok_o", "hold_ok"),
            ("row_o", "row"),
            ("row_last_o", "row_last"),
            ("sel_o", "sel"),
            ("pair_o", "pair"),
            ("even_i", "even"),
            ("odd_i", "odd"),
            ("scale_i", "scale"),
            ("out_valid_o", "out_valid"),
            ("out_data_o", "out_data"),
            ("out_clipped_o", "out_clipped"),
            ("out_last_o", "out_last"),
            ("free_i", "free"),
        ],
    );
    m.instance(
        "u_output",
        &output::output(),
        &[
            ("start_i", "start_i"),
            ("accept_i", "accept"),
            ("ready_o", "output_ready"),
            ("logits_i", "logits"),
            ("d_addr_i", "f_d_addr"),
            ("op_i", "instr_idx_i"),
            ("in_valid_i", "out_valid"),
            ("in_data_i", "out_data"),
            ("in_clipped_i", "out_clipped"),
            ("in_last_i", "out_last"),
            ("free_o", "free"),
            ("d_valid_o", "d_valid_o"),
            ("d_ready_i", "d_ready_i"),
            ("d_addr_o", "d_addr_o"),
            ("d_data_o", "d_data_o"),
            ("logit_valid_o", "logit_valid_o"),
            ("logit_ready_i", "logit_ready_i"),
            ("logit_data_o", "logit_data_o"),
            ("logit_last_o", "logit_last_o"),
            ("argmax_o", "argmax_o"),
            ("sat_o", "sat_o"),
            ("done_o", "done_o"),
            ("busy_o", "busy_o"),
            ("trace_valid_o", "trace_mat_valid_o"),
            ("trace_op_o", "trace_mat_op_o"),
            ("trace_row_o", "trace_mat_row_o"),
            ("trace_data_o", "trace_mat_data_o"),
        ],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every bus width elaborates; ANSER_DUMP_RTL=dir writes the files of each into `dir/<bus_bits>`.
    #[test]
    fn elaborates_for_every_bus_width() {
        let text = include_str!("../../../../configs/nano.toml");
        let mut config = Config::parse(text, "nano.toml").unwrap();
        for bus_bits in [128, 256, 512] {
            config.bus_bits = bus_bits;
            let printed = crate::hdl::print(&mat(&config)).unwrap();
            assert_eq!(printed.instances.values().filter(|name| *name == "anser_mat_lane").count(), bus_bits / 8);
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/{bus_bits}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
