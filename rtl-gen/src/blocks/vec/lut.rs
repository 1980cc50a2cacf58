//! sigmoid, tanh and decay: one ROM of quadratics and a Horner pipeline, as `golden_model::arithmetic::tables` defines them.

use crate::hdl::{index_bits, Module};
use crate::isa;
use golden_model::arithmetic::tables::{self, TableRom};
use std::fmt::Write as _;
use std::sync::Arc;

/// Pipeline stages of [`lut`], the output register not counted: from the clipped input to `y_o`.
pub const LUT_STAGES: usize = 6;

/// A coefficient ROM with a registered output; one `case` row a table row, so that tools infer a memory.
pub fn table_rom(name: &str, rom: &TableRom) -> Arc<Module> {
    let (bits, rows) = (rom.word_bits(), rom.rows.len());
    let addr = index_bits(rows);
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
    m.input("clk_i", 1, "").input("re_i", 1, "").input("raddr_i", addr, "").output("rdata_o", bits, "");
    let mut body = format!(
        "  reg [{}:0] rdata_q;\n\n  always_ff @(posedge clk_i) begin\n    if (re_i) begin\n      case (raddr_i)\n",
        bits - 1
    );
    for row in 0..rows {
        let _ =
            writeln!(body, "        {addr}'d{row}: rdata_q <= {bits}'h{:0w$x};", rom.word(row), w = bits.div_ceil(4));
    }
    // A full case needs no default; Verilator would call it unreachable.
    if rows < 1 << addr {
        let _ = writeln!(body, "        default: rdata_q <= {bits}'h0;");
    }
    body += "      endcase\n    end\n  end\n\n  assign rdata_o = rdata_q;";
    m.text(&body, &[]);
    m.done()
}

/// The pipeline behind the clip: `y_o = table(sel, z)`, [`LUT_STAGES`] register stages.
pub fn lut() -> Arc<Module> {
    let rom = tables::element_rom();
    assert_eq!(
        (rom.widths, rom.offset_bits, rom.frac_bits),
        ([22, 18, 12], 11, 21),
        "lut: the pipeline is built for these widths"
    );
    let mut m = Module::combinational(
        "lut",
        "y_o = sigmoid, tanh or decay of z_i, bit for bit golden_model::arithmetic::tables.\n\
         z_i: 19 bits, Q5.14. y_o: 18 bits signed, 16 fraction bits; combinational from the last stage.\n\
         Latency 6: en_i[k] loads stage k; a stage that is not enabled holds. No reset: datapath registers.\n\
         Stages: 0 row of the ROM, 1 the same again (a memory and a multiplier in one cycle are slow), 2 c2*t,\n\
         3 s1 = c1 + round(c2*t, 11), 4 s1*t, 5 s0 = c0 + round(s1*t, 11).\n\
         Bounds (proved over all rows and offsets by the tests of golden_model::arithmetic::tables): s1 18 bits, s0 23 bits, both signed.",
    );
    m.input("clk_i", 1, "").input("en_i", LUT_STAGES, "one bit a stage");
    m.input("sel_i", 2, "vec.lut: 1 sigmoid, 2 tanh, 3 decay").input("z_i", 19, "signed Q5.14").output(
        "y_o",
        18,
        "signed, 16 fraction bits",
    );
    m.localparams(&[
        ("LUT_TANH", 2, isa::lut::TANH),
        ("LUT_DECAY", 2, isa::lut::DECAY),
        ("DECAY_ROW", 9, tables::DECAY_ROW as u64),
    ]);
    m.text(
        r#"
  // -- row and offset: sigmoid of |z|, tanh through sigmoid of 2|z|, decay of z + 16
  wire        is_tanh  = (sel_i == LUT_TANH);
  wire        is_decay = (sel_i == LUT_DECAY);
  wire [18:0] mag      = z_i[18] ? (~z_i + 19'd1) : z_i;  // |z|, up to 2^18
  wire        beyond   = mag[18] || (is_tanh && mag[17]);
  wire [17:0] half_a   = beyond ? 18'h3ffff : is_tanh ? {mag[16:0], 1'b0} : mag[17:0];
  wire [8:0]  row      = is_decay ? ({1'b0, !z_i[18], z_i[17:11]} + DECAY_ROW) : {2'b00, half_a[17:11]};
  wire [10:0] offset   = is_decay ? z_i[10:0] : half_a[10:0];

  wire        [51:0] rom_row;
  reg         [51:0] row_1_q;
  reg  signed [11:0] t_0_q, t_1_q, t_2_q, t_3_q;  // sign bit 0
  reg                tanh_0_q, tanh_1_q, tanh_2_q, tanh_3_q, tanh_4_q, tanh_5_q;
  reg                flip_0_q, flip_1_q, flip_2_q, flip_3_q, flip_4_q, flip_5_q;  // the mirrored half: z < 0, not decay
  reg         [21:0] c0_2_q, c0_3_q, c0_4_q;
  reg  signed [17:0] c1_2_q, s1_3_q;
  reg  signed [22:0] p1_2_q;
  reg  signed [28:0] p0_4_q;
  reg  signed [22:0] s0_5_q;

  // round(p, 11): the carry is the half bit, unless it is a tie and the floor is even
  wire p1_up = p1_2_q[10] && (|p1_2_q[9:0] || p1_2_q[11]);
  wire p0_up = p0_4_q[10] && (|p0_4_q[9:0] || p0_4_q[11]);

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      t_0_q    <= $signed({1'b0, offset});
      tanh_0_q <= is_tanh;
      flip_0_q <= z_i[18] && !is_decay;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[1]) begin
      row_1_q  <= rom_row;
      t_1_q    <= t_0_q;
      tanh_1_q <= tanh_0_q;
      flip_1_q <= flip_0_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[2]) begin
      p1_2_q   <= 23'($signed(row_1_q[51:40]) * t_1_q);
      c1_2_q   <= $signed(row_1_q[39:22]);
      c0_2_q   <= row_1_q[21:0];
      t_2_q    <= t_1_q;
      tanh_2_q <= tanh_1_q;
      flip_2_q <= flip_1_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[3]) begin
      s1_3_q   <= c1_2_q + $signed({ {6{p1_2_q[22]}}, p1_2_q[22:11]}) + $signed({17'b0, p1_up});
      c0_3_q   <= c0_2_q;
      t_3_q    <= t_2_q;
      tanh_3_q <= tanh_2_q;
      flip_3_q <= flip_2_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[4]) begin
      p0_4_q   <= 29'(s1_3_q * t_3_q);
      c0_4_q   <= c0_3_q;
      tanh_4_q <= tanh_3_q;
      flip_4_q <= flip_3_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[5]) begin
      s0_5_q   <= $signed({1'b0, c0_4_q}) + $signed({ {5{p0_4_q[28]}}, p0_4_q[28:11]}) + $signed({22'b0, p0_up});
      tanh_5_q <= tanh_4_q;
      flip_5_q <= flip_4_q;
    end
  end

  // -- back to 16 fraction bits; sigmoid(-z) = 1 - sigmoid(z), tanh = 2 sigmoid(2z) - 1 is odd
  wire        h_up = s0_5_q[3] && (|s0_5_q[2:0] || s0_5_q[4]);
  wire        h_half_up = s0_5_q[4] && (|s0_5_q[3:0] || s0_5_q[5]);
  wire [18:0] h     = tanh_5_q ? (s0_5_q[22:4] + {18'b0, h_up})
                               : ({s0_5_q[22], s0_5_q[22:5]} + {18'b0, h_half_up});
  wire [18:0] y     = flip_5_q ? (19'd65536 - h) : tanh_5_q ? (h - 19'd65536) : h;

  assign y_o = y[17:0];

  wire unused_y = &{1'b0, y[18]};
"#,
        &[],
    );
    m.instance(
        "u_rom",
        &table_rom("lut_rom", rom),
        &[("clk_i", "clk_i"), ("re_i", "en_i[0]"), ("raddr_i", "row"), ("rdata_o", "rom_row")],
    );
    m.multipliers(2);
    m.done()
}
