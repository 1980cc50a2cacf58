//! The group of sixteen lanes that 16 bytes of a beat feed.

use crate::blocks::mat::dims::Dims;
use crate::blocks::mat::lane::lane;
use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;

/// Sixteen lanes that share an operand, their accumulator memory, and the mux the drain reads them through.
pub(in crate::blocks) fn group(d: &Dims) -> Arc<Module> {
    let entry = index_bits(d.entries);
    let mut m = Module::combinational(
        "mat_group",
        format!(
            "Sixteen byte lanes that share one operand (W4: two): the 16 rows of a tile, or 8 rows of low (even) and high (odd) bytes.\n\
             The memory keeps {} partial sums a lane for the column-wise format; it is written in the cycle of en_c_i, so a sum\n\
             may be read back (ram_re_i in the cycle of en_m_i) from the second beat after it on. Beat after beat of one entry\n\
             uses the lanes' own sum instead. Dense formats never touch the memory.\n\
             Read side: row_en_i registers lanes 2 pair_i and 2 pair_i + 1 of the hand-over registers in even_o and odd_o, or 0\n\
             in both if row_sel_i is low.\n\
             Latency: that of mat_lane; one cycle for the read side. No reset: data only.",
            d.entries
        ),
    );
    ports! { m;
        clk_i, w_i["8*anser_pkg::MAT_LANES"] "16 weight bytes, lane 0 lowest", w16_i "even lanes are unsigned",
        x_i["2*anser_pkg::OPERAND_BITS"] "signed operands", w_o["8*anser_pkg::MAT_LANES"] "w_i a cycle ago",
        en_b_i "register the factors", w4_i "with en_b_i", gs_i["8*anser_pkg::MAT_LANES"] "with en_b_i",
        en_m_i "register the products", en_c_i "accumulate", from_zero_i, from_ram_i, load_i "the sums are complete",
        ram_re_i, ram_raddr_i[entry], ram_we_i, ram_waddr_i[entry], row_en_i, row_sel_i, pair_i[3],
        even_o[d.acc] "signed", odd_o[d.acc] "signed",
    }
    sizes! { m; ACC_BITS = d.acc }
    m.wire("sums", MAT_LANES * d.column_acc).wire("kept", MAT_LANES * d.column_acc);
    for i in 0..MAT_LANES {
        m.wire(&format!("hold_{i}"), d.acc);
    }
    m.body(rtl!("mat/mat_group"));
    instance! { m, "u_acc", ram_1w1r(MAT_LANES * d.column_acc, d.entries);
        we_i: ram_we_i, waddr_i: ram_waddr_i, wdata_i: sums, re_i: ram_re_i, raddr_i: ram_raddr_i, rdata_o: kept,
    }
    let lane = lane(d);
    for i in 0..MAT_LANES {
        let slice = |signal: &str, bits: usize| format!("{signal}[{}:{}]", (i + 1) * bits - 1, i * bits);
        instance! { m, format!("u_lane_{i}"), lane;
            w_i: slice("w_i", 8), unsigned_i: if i % 2 == 0 { "w16_i" } else { "1'b0" }, w_o: slice("w_o", 8), x_i: x_q,
            x_sum_i: x_sum_q, gs_i: slice("gs_i", 8), acc_i: slice("kept", d.column_acc),
            sum_o: slice("sums", d.column_acc), hold_o: format!("hold_{i}"), ..
        }
    }
    m.done()
}
