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

use crate::blocks::prelude::*;
use crate::isa::MAT;
use dims::Dims;

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
    ports! { m;
        start_i "a token starts; the unit is idle", instr_valid_i, instr_ready_o, instr_i[MAT.bits],
        instr_idx_i["anser_pkg::COUNT_BITS"] "its number", done_o, w_valid_i, w_ready_o, w_data_i[config.bus_bits],
        col_valid_i "columns of an instruction with skip", col_ready_o, col_i["anser_pkg::COLUMN_BITS"], col_last_i,
        xr_en_o, xr_addr_o["anser_pkg::MAT_X_ADDR_BITS"] "word",
        xr_data_i[OPERAND_BITS * d.vl] "the cycle after xr_en_o", xexp_sel_o["anser_pkg::MAT_XEXP_BITS"],
        xexp_i[EXP_BITS] "combinational, taken with the instruction", d_valid_o, d_ready_i,
        d_addr_o["anser_pkg::MAT_D_ADDR_BITS"] "element", d_data_o[VEC_BITS] "signed", logit_valid_o, logit_ready_i,
        logit_data_o[VEC_BITS] "signed", logit_last_o "row rows - 1",
        argmax_o["anser_pkg::MAT_ROWS_BITS"] "first largest logit since start_i", sat_o "a row was clipped",
        stall_weights_o "cycle lost: no weights", stall_drain_o "cycle lost: rows do not leave fast enough",
        busy_o "an accepted instruction is not finished", trace_mat_valid_o "a row is handed over",
        trace_mat_op_o["anser_pkg::COUNT_BITS"], trace_mat_row_o["anser_pkg::MAT_ROWS_BITS"],
        trace_mat_data_o[VEC_BITS],
    }
    sizes! { m; GROUPS = d.groups, VL = d.vl, ENTRIES = d.entries, ACC_BITS = d.acc }
    m.body(rtl!("mat/mat"));
    instances(&mut m, &d);
    m.done()
}

fn instances(m: &mut Module, d: &Dims) {
    instance! { m, "u_control", control::control(d); ready_o: control_ready, w16_o: lanes_w16, w4_o: lanes_w4, .. }
    instance! { m, "u_operands", operands::operands(d);
        ready_o: operands_ready, use_columns_i: x_columns, index_i: x_index, use_w4_i: x_w4, gs_i: x_gs, pair_i: x_pair,
        ..
    }
    instance! { m, "u_scales", scales::scales(d);
        push_i: scale_push, push_data_i: w_taken, row_i: row, row_last_i: row_last, scale_o: scale,
    }
    instance! { m, "u_gs", gs::gs(d); en_a_i: gs_start, sel_i: x_gs, en_b_i: gs_end, w_i: w_taken, gs_o: gs }
    let group = group::group(d);
    for g in 0..d.groups {
        let slice = |signal: &str, bits: usize| format!("{signal}[{}:{}]", (g + 1) * bits - 1, g * bits);
        instance! { m, format!("u_group_{g}"), group;
            w_i: slice("w_data_i", 8 * MAT_LANES), w16_i: lanes_w16, w_o: slice("w_taken", 8 * MAT_LANES),
            x_i: slice("x", 2 * OPERAND_BITS), w4_i: lanes_w4, gs_i: slice("gs", 8 * MAT_LANES), row_en_i: row,
            row_sel_i: format!("sel[{g}]"), even_o: slice("even", d.acc), odd_o: slice("odd", d.acc), ..
        }
    }
    instance! { m, "u_drain", drain::drain(d); .. }
    instance! { m, "u_output", output::output();
        ready_o: output_ready, op_i: instr_idx_i, in_valid_i: out_valid, in_data_i: out_data, in_clipped_i: out_clipped,
        in_last_i: out_last, trace_valid_o: trace_mat_valid_o, trace_op_o: trace_mat_op_o, trace_row_o: trace_mat_row_o,
        trace_data_o: trace_mat_data_o, ..
    }
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
