//! The matrix-times-vector unit (`docs/hardware.md` §2): weight beats in, rows of a vector out.
//!
//! ```text
//!     w ──+── mat_scales ──────────────+
//!         +── mat_group × G ── sums ── mat_drain ── rows ── mat_output ── vmem elements, logits
//!     xmem ── mat_operands ──^              ^ beats and hand-overs: mat_control
//! ```
//!
//! Everything advances with the weight stream: a beat a cycle unless weights are missing or the drain is behind.

mod argmax;
mod control;
pub mod dims;
mod drain;
mod group;
mod gs;
mod lane;
mod operands;
mod output;
mod scales;
mod w4;

use crate::config::{Config, EXP_BITS, OPERAND_BITS, VEC_BITS};
use crate::hdl::Module;
use crate::isa::MAT;
use dims::{Dims, LANES};
use std::sync::Arc;

pub use dims::{max_cols, max_w4_cols};

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
             done_o comes one cycle after the instruction's last row was handed over, in order.",
            d.max_cols,
            d.max_w4_cols,
            config.limits.n_embd,
            config.mac_lanes()
        ),
    );
    m.input("start_i", 1, "a token starts; the unit is idle");
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "");
    m.input("instr_i", MAT.bits, "")
        .input("instr_idx_i", "anser_pkg::COUNT_BITS", "its number")
        .output("done_o", 1, "");
    m.input("w_valid_i", 1, "").output("w_ready_o", 1, "").input("w_data_i", config.bus_bits, "");
    m.input("col_valid_i", 1, "columns of an instruction with skip").output("col_ready_o", 1, "");
    m.input("col_i", "anser_pkg::COLUMN_BITS", "").input("col_last_i", 1, "");
    m.output("xr_en_o", 1, "").output("xr_addr_o", "anser_pkg::MAT_X_ADDR_BITS", "word");
    m.input("xr_data_i", OPERAND_BITS * d.vl, "the cycle after xr_en_o");
    m.output("xexp_sel_o", "anser_pkg::MAT_XEXP_BITS", "");
    m.input("xexp_i", EXP_BITS, "combinational, taken with the instruction");
    m.output("d_valid_o", 1, "").input("d_ready_i", 1, "").output("d_addr_o", "anser_pkg::MAT_D_ADDR_BITS", "element");
    m.output("d_data_o", VEC_BITS, "signed");
    m.output("logit_valid_o", 1, "").input("logit_ready_i", 1, "").output("logit_data_o", VEC_BITS, "signed");
    m.output("logit_last_o", 1, "row rows - 1");
    m.output("argmax_o", "anser_pkg::MAT_ROWS_BITS", "first largest logit since start_i");
    m.output("sat_o", 1, "a row was clipped");
    m.output("stall_weights_o", 1, "cycle lost: no weights");
    m.output("stall_drain_o", 1, "cycle lost: rows do not leave fast enough");
    m.output("busy_o", 1, "an accepted instruction is not finished");
    m.output("trace_mat_valid_o", 1, "a row is handed over").output("trace_mat_op_o", "anser_pkg::COUNT_BITS", "");
    m.output("trace_mat_row_o", "anser_pkg::MAT_ROWS_BITS", "").output("trace_mat_data_o", VEC_BITS, "");
    m.sizes(&[("GROUPS", d.groups), ("VL", d.vl), ("ENTRIES", d.entries), ("ACC_BITS", d.acc)]);
    m.body(include_str!("../../../rtl/mat/mat.sv"));
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
            ("cols_i", "cols"),
            ("tiles_i", "tiles"),
            ("rows_i", "rows"),
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
            ("x_addr_i", "x_addr"),
            ("cols_i", "cols"),
            ("tiles_i", "tiles"),
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
        &gs::gs(d),
        &[("en_a_i", "gs_start"), ("sel_i", "x_gs"), ("en_b_i", "gs_end"), ("w_i", "w_taken"), ("gs_o", "gs")],
    );
    let group = group::group(d);
    for g in 0..d.groups {
        let slice = |signal: &str, bits: usize| format!("{signal}[{}:{}]", (g + 1) * bits - 1, g * bits);
        m.instance(
            &format!("u_group_{g}"),
            &group,
            &[
                ("w_i", &slice("w_data_i", 8 * LANES)),
                ("w16_i", "lanes_w16"),
                ("w_o", &slice("w_taken", 8 * LANES)),
                ("x_i", &slice("x", 2 * OPERAND_BITS)),
                ("en_b_i", "en_b"),
                ("w4_i", "lanes_w4"),
                ("gs_i", &slice("gs", 8 * LANES)),
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
            ("d_addr_i", "d_addr"),
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
