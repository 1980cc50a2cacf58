//! The group of sixteen lanes that 16 bytes of a beat feed.

use crate::blocks::mat::dims::{Dims, LANES};
use crate::blocks::mat::lane::lane;
use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

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
    m.input("clk_i", 1, "");
    m.input("w_i", "8*anser_pkg::MAT_LANES", "16 weight bytes, lane 0 lowest");
    m.input("w16_i", 1, "even lanes are unsigned");
    m.input("x_i", "2*anser_pkg::OPERAND_BITS", "signed operands");
    m.output("w_o", "8*anser_pkg::MAT_LANES", "w_i a cycle ago");
    m.input("en_b_i", 1, "register the factors").input("w4_i", 1, "with en_b_i");
    m.input("gs_i", "8*anser_pkg::MAT_LANES", "with en_b_i");
    m.input("en_m_i", 1, "register the products").input("en_c_i", 1, "accumulate");
    m.input("from_zero_i", 1, "").input("from_ram_i", 1, "").input("load_i", 1, "the sums are complete");
    m.input("ram_re_i", 1, "").input("ram_raddr_i", entry, "");
    m.input("ram_we_i", 1, "").input("ram_waddr_i", entry, "");
    m.input("row_en_i", 1, "").input("row_sel_i", 1, "").input("pair_i", 3, "");
    m.output("even_o", d.acc, "signed").output("odd_o", d.acc, "signed");
    m.sizes(&[("ACC_BITS", d.acc)]);
    m.wire("sums", LANES * d.column_acc).wire("kept", LANES * d.column_acc);
    for i in 0..LANES {
        m.wire(&format!("hold_{i}"), d.acc);
    }
    m.body(include_str!("../../../rtl/mat/mat_group.sv"));
    m.instance(
        "u_acc",
        &ram_1w1r(LANES * d.column_acc, d.entries),
        &[
            ("we_i", "ram_we_i"),
            ("waddr_i", "ram_waddr_i"),
            ("wdata_i", "sums"),
            ("re_i", "ram_re_i"),
            ("raddr_i", "ram_raddr_i"),
            ("rdata_o", "kept"),
        ],
    );
    let lane = lane(d);
    for i in 0..LANES {
        let slice = |signal: &str, bits: usize| format!("{signal}[{}:{}]", (i + 1) * bits - 1, i * bits);
        m.instance(
            &format!("u_lane_{i}"),
            &lane,
            &[
                ("w_i", &slice("w_i", 8)),
                ("unsigned_i", if i % 2 == 0 { "w16_i" } else { "1'b0" }),
                ("w_o", &slice("w_o", 8)),
                ("x_i", "x_q"),
                ("x_sum_i", "x_sum_q"),
                ("en_b_i", "en_b_i"),
                ("w4_i", "w4_i"),
                ("gs_i", &slice("gs_i", 8)),
                ("en_m_i", "en_m_i"),
                ("en_c_i", "en_c_i"),
                ("from_zero_i", "from_zero_i"),
                ("from_ram_i", "from_ram_i"),
                ("acc_i", &slice("kept", d.column_acc)),
                ("load_i", "load_i"),
                ("sum_o", &slice("sums", d.column_acc)),
                ("hold_o", &format!("hold_{i}")),
            ],
        );
    }
    m.done()
}
