//! sigmoid, tanh and decay: one ROM of quadratics and a Horner pipeline, as `golden_model::arithmetic::tables` defines them.

use crate::blocks::prelude::*;
use crate::blocks::vec::sizes::{field_bits, TABLE_IN_BITS, TABLE_OUT_BITS};
use golden_model::arithmetic::tables::{self, TableRom, DECAY_ROW, OUTPUT_FRAC};
use std::fmt::Write as _;

/// Pipeline stages of [`lut`], the output register not counted: from the clipped input to `y_o`.
pub const LUT_STAGES: usize = 6;

/// A coefficient ROM with a registered output; one `case` row a table row, so that tools infer a memory.
pub fn table_rom(name: &str, rom: &TableRom) -> Arc<Module> {
    let (bits, rows) = (rom.word_bits(), rom.rows.len());
    let [c0, c1, c2] = rom.widths;
    let mut m = Module::combinational(
        name,
        format!(
            "Coefficients of {rows} quadratics: {{c2 ({c2} signed), c1 ({c1} signed), c0 ({c0})}}, {} fraction bits.\n\
             Latency: rdata_o holds row raddr_i one cycle after re_i, and keeps it while re_i is low. No reset: a memory.\n\
             The numbers are golden_model::arithmetic::tables'; rows past the last are 0.",
            rom.frac_bits
        ),
    );
    ports! { m; clk_i, re_i, raddr_i[index_bits(rows)], rdata_o[bits] }
    sizes! { m; WORD_BITS = bits }
    m.body(&contents(rom)).body(rtl!("vec/table_rom"));
    m.done()
}

/// The table's data: `word` is the row at `raddr_i`.
fn contents(rom: &TableRom) -> String {
    let (bits, rows) = (rom.word_bits(), rom.rows.len());
    let (addr, digits) = (index_bits(rows), bits.div_ceil(4));
    let mut text = String::from("  reg [WORD_BITS-1:0] word;\n\n  always_comb begin\n    case (raddr_i)\n");
    for row in 0..rows {
        let _ = writeln!(text, "      {addr}'d{row}: word = {bits}'h{:0digits$x};", rom.word(row));
    }
    // A full case needs no default; Verilator would call it unreachable.
    if rows < 1 << addr {
        text += "      default: word = '0;\n";
    }
    text + "    endcase\n  end\n\n"
}

/// The names of a ROM's widths in the text around it.
pub fn declare_rom(m: &mut Module, rom: &TableRom) {
    let [c0, c1, c2] = rom.widths;
    sizes! { m;
        C0_BITS = c0, C1_BITS = c1, C2_BITS = c2, OFFSET_BITS = rom.offset_bits as usize,
        ROM_FRAC = rom.frac_bits as usize, WORD_BITS = rom.word_bits(), ROW_BITS = index_bits(rom.rows.len()),
    }
}

/// The pipeline behind the clip: `y_o = table(sel, z)`, [`LUT_STAGES`] register stages.
pub fn lut() -> Arc<Module> {
    let rom = tables::element_rom();
    let mut m = Module::combinational(
        "lut",
        format!(
            "y_o = sigmoid, tanh or decay of z_i, bit for bit golden_model::arithmetic::tables.\n\
             z_i: {TABLE_IN_BITS} bits, {in_frac} fraction bits. y_o: {TABLE_OUT_BITS} bits signed, {OUTPUT_FRAC} fraction bits; combinational from the last stage.\n\
             Latency {LUT_STAGES}: en_i[k] loads stage k; a stage that is not enabled holds. No reset: datapath registers.\n\
             Stages: 0 row of the ROM, 1 the same again (a memory and a multiplier in one cycle are slow), 2 c2*t,\n\
             3 s1 = c1 + round(c2*t, {offset}), 4 s1*t, 5 s0 = c0 + round(s1*t, {offset}).\n\
             Bounds, proved over all rows and offsets by the tests of golden_model::arithmetic::tables: s1 has the bits of c1, s0 one\n\
             more than c0, both signed.",
            in_frac = tables::INPUT_FRAC,
            offset = rom.offset_bits,
        ),
    );
    ports! { m;
        clk_i, en_i[LUT_STAGES] "one bit a stage", sel_i[field_bits("lut")] "vec.lut: 1 sigmoid, 2 tanh, 3 decay",
    }
    m.input("z_i", TABLE_IN_BITS, format!("signed, {} fraction bits", tables::INPUT_FRAC));
    m.output("y_o", TABLE_OUT_BITS, format!("signed, {OUTPUT_FRAC} fraction bits"));
    declare_rom(&mut m, rom);
    sizes! { m; IN_BITS = TABLE_IN_BITS, OUT_BITS = TABLE_OUT_BITS, OUT_FRAC = OUTPUT_FRAC as usize, DECAY_ROW }
    m.body(rtl!("vec/lut"));
    instance! { m, "u_rom", table_rom("lut_rom", rom); re_i: "en_i[0]", raddr_i: row, rdata_o: rom_row }
    m.multipliers(2);
    m.done()
}
