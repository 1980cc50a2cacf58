//! The drain of the matrix unit: rows out of the hand-over registers, scaled, rounded and saturated.

use crate::blocks::mat::Dims;
use crate::hdl::Module;
use std::sync::Arc;

/// Rows the output queue takes; more than the pipeline holds, so the drain runs at one row a cycle.
pub(in crate::blocks) const OUT_ROWS: usize = 16;

/// Walks the rows of a hand-over and computes `sat_27(round(acc * m, max(0, shift + e - xexp)))`.
pub(in crate::blocks) fn drain(d: &Dims) -> Arc<Module> {
    // thirds of a sum, each of which a multiplier of 18 bits takes whole; the outer two products do not overlap
    let third = d.sum.div_ceil(3);
    assert!((12..=17).contains(&third), "mat_drain: sums of {} bits", d.sum);
    let product = d.sum + 12;
    let mut m = Module::new(
        "mat_drain",
        format!(
            "Drain of the matrix unit. load_i announces that the lanes' hand-over registers hold load_rows_i rows from the next cycle\n\
             on; they are read one row a cycle while the output queue has room (a credit a row, free_i gives it back):\n\
             dense formats add the {g} groups of a row, W16 then combines 256 odd + even; columns take group after group.\n\
             y = sat_27(round(sum x m, max(0, shift + e))), round to nearest, ties to even; the product has {product} bits.\n\
             Latency: out_valid_o seven cycles after the row was chosen; the pipeline never waits.\n\
             hold_ok_o: the hand-over registers may be overwritten at the end of the third cycle from now, and nothing is about to; a register.",
            g = d.groups
        ),
    );
    m.input("load_i", 1, "").input("load_columns_i", 1, "").input("load_w16_i", 1, "");
    m.input("load_shift_i", 7, "signed: shift - xexp").input("load_rows_i", 7, "").input("load_last_i", 1, "");
    m.input("loading_i", 1, "load_i will come in one to three cycles").output("hold_ok_o", 1, "");
    m.output("row_o", 1, "a row is chosen").output("row_last_o", 1, "it is the instruction's last");
    m.output("sel_o", d.groups, "groups that take part").output("pair_o", 3, "lanes 2 pair and 2 pair + 1");
    m.input("even_i", d.groups * d.acc, "signed, a group each, one cycle after row_o").input(
        "odd_i",
        d.groups * d.acc,
        "the same",
    );
    m.input("scale_i", 16, "two cycles after row_o: exponent, multiplier");
    m.output("out_valid_o", 1, "").output("out_data_o", 27, "signed").output("out_clipped_o", 1, "").output(
        "out_last_o",
        1,
        "",
    );
    m.input("free_i", 1, "a row left the output queue");

    let group_bits = d.groups.ilog2() as usize;
    let term = |side: &str, g: usize| format!("{side}_i[{}:{}]", (g + 1) * d.acc - 1, g * d.acc);
    let total = |side: &str| (0..d.groups).map(|g| term(side, g)).collect::<Vec<_>>().join(" + ");
    let selected = (0..d.groups)
        .rev()
        .map(|g| match group_bits {
            0 => "1'b1".to_string(),
            b => format!("(!columns_q || (pos_q[{}:4] == {b}'d{g}))", 3 + b),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let vars = [
        ("credits", OUT_ROWS.to_string()),
        ("pmsb", (3 + group_bits).to_string()),
        ("pbits", (4 + group_bits).to_string()),
        ("amsb", (d.acc - 1).to_string()),
        ("smsb", (d.sum - 1).to_string()),
        ("ext", (d.sum - d.acc).to_string()),
        ("selected", selected),
        ("even", total("even")),
        ("odd", total("odd")),
        ("third", third.to_string()),
        ("t1", (third - 1).to_string()),
        ("t2", (2 * third - 1).to_string()),
        ("twice", (2 * third).to_string()),
        ("lpmsb", (third + 11).to_string()),
        ("hpmsb", (d.sum - 2 * third + 11).to_string()),
        ("gap", if third == 12 { String::new() } else { format!("{}'d0, ", third - 12) }),
        ("mmsb", (product - 1).to_string()),
        ("mbits", product.to_string()),
        ("mext", (product - 2 * third - 12).to_string()),
        ("fmsb", (product + 7).to_string()),
    ];
    m.text(
        r#"
  // Rows of the hand-over registers.
  reg         hold_q, columns_q, w16_q, last_q;
  reg  [6:0]  shift_q, left_q;
  reg  [{{pmsb}}:0]  pos_q;      // row in the hand-over: group and lane (columns), lane, or pair (W16)
  reg  [4:0]  credits_q;  // free places in the output queue

  wire        row = hold_q && (credits_q != 5'd0);

  assign row_o      = row;
  assign row_last_o = last_q && (left_q == 7'd1);
  assign sel_o      = { {{selected}} };
  assign pair_o     = w16_q ? pos_q[2:0] : pos_q[3:1];

  // Four rows with a credit each are gone three cycles from now, whatever the receiver does; five a cycle earlier.
  reg         hold_ok_q;
  assign hold_ok_o  = hold_ok_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) hold_ok_q <= 1'b0;
    else hold_ok_q <= !loading_i && !load_i && (!hold_q || (left_q <= 7'd5 && credits_q >= 5'd5));
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q    <= 1'b0;
      columns_q <= 1'b0;
      w16_q     <= 1'b0;
      last_q    <= 1'b0;
      shift_q   <= 7'd0;
      left_q    <= 7'd0;
      pos_q     <= {{pbits}}'d0;
      credits_q <= 5'd{{credits}};
    end else begin
      case ({row, free_i})
        2'b10:   credits_q <= credits_q - 5'd1;
        2'b01:   credits_q <= credits_q + 5'd1;
        default: credits_q <= credits_q;
      endcase
      if (load_i) begin
        hold_q    <= 1'b1;
        columns_q <= load_columns_i;
        w16_q     <= load_w16_i;
        last_q    <= load_last_i;
        shift_q   <= load_shift_i;
        left_q    <= load_rows_i;
        pos_q     <= {{pbits}}'d0;
      end else if (row) begin
        if (left_q == 7'd1) hold_q <= 1'b0;
        left_q <= left_q - 7'd1;
        pos_q  <= pos_q + {{pbits}}'d1;
      end
    end
  end

  // Stage n holds what was registered n cycles after the row was chosen.
  reg  [7:1]  valid_q, end_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 7'd0;
      end_q   <= 7'd0;
    end else begin
      valid_q <= {valid_q[6:1], row};
      end_q   <= {end_q[6:1], row_last_o};
    end
  end

  // 1: the groups' registers. 2: groups added. 3: row value and the scale's parts.
  reg         w16_1_q, odd_1_q, w16_2_q, odd_2_q;
  reg  [6:0]  shift_1_q, shift_2_q, shift_3_q;
  reg  [{{amsb}}:0] even_2_q, odd_sum_2_q;
  reg  [{{smsb}}:0] value_3_q;
  reg  [11:0] m_3_q;

  wire [{{smsb}}:0] even_wide = { {({{ext}}){even_2_q[{{amsb}}]}}, even_2_q};
  wire [{{smsb}}:0] odd_wide  = { {({{ext}}){odd_sum_2_q[{{amsb}}]}}, odd_sum_2_q};
  wire [7:0]  shift_e   = {shift_2_q[6], shift_2_q} + {4'd0, scale_i[15:12]};  // -31 to 78

  always_ff @(posedge clk_i) begin
    if (row) begin
      w16_1_q   <= w16_q;
      odd_1_q   <= pos_q[0];
      shift_1_q <= shift_q;
    end
    if (valid_q[1]) begin
      w16_2_q     <= w16_1_q;
      odd_2_q     <= odd_1_q;
      shift_2_q   <= shift_1_q;
      even_2_q    <= {{even}};
      odd_sum_2_q <= {{odd}};
    end
    if (valid_q[2]) begin
      value_3_q <= w16_2_q ? even_wide + {odd_wide[{{smsb8}}:0], 8'd0} : odd_2_q ? odd_wide : even_wide;
      m_3_q     <= scale_i[11:0];
      shift_3_q <= shift_e[7] ? 7'd0 : shift_e[6:0];
    end
  end

  // 4: partial products. 5: product. 6: shifted by multiples of 8. 7: shifted.
  reg  [{{lpmsb}}:0] low_4_q, mid_4_q;
  reg  [{{hpmsb}}:0] high_4_q;
  reg  [6:0]  shift_4_q, shift_5_q;
  reg  [2:0]  fine_6_q;
  reg  [{{mmsb}}:0] product_5_q;
  reg  [{{fmsb}}:0] coarse_6_q, fine_7_q;  // 8 fraction bits
  reg         sticky_6_q, sticky_7_q;

  wire signed [{{hpmsb}}:0] high_wide = { {(12){value_3_q[{{smsb}}]}}, value_3_q[{{smsb}}:{{twice}}]};
  wire signed [{{hpmsb}}:0] m_wide    = { {{hpad}}'d0, m_3_q};
  wire [6:0]  coarse   = {shift_5_q[6:3], 3'd0};
  wire [{{mmsb}}:0] below    = ~({({{mbits}}){1'b1}} << coarse) >> 8;  // what falls below the 8 fraction bits
  wire signed [{{fmsb}}:0] to_shift = {product_5_q, 8'd0};

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      low_4_q   <= {12'd0, value_3_q[{{t1}}:0]} * { {{third}}'d0, m_3_q};
      mid_4_q   <= {12'd0, value_3_q[{{t2}}:{{third}}]} * { {{third}}'d0, m_3_q};
      high_4_q  <= high_wide * m_wide;
      shift_4_q <= shift_3_q;
    end
    if (valid_q[4]) begin
      product_5_q <= {high_4_q, {{gap}}low_4_q} + { {{mext}}'d0, mid_4_q, {{third}}'d0};
      shift_5_q   <= shift_4_q;
    end
    if (valid_q[5]) begin
      coarse_6_q <= to_shift >>> coarse;
      sticky_6_q <= |(product_5_q & below);
      fine_6_q   <= shift_5_q[2:0];
    end
    if (valid_q[6]) begin
      fine_7_q   <= $signed(coarse_6_q) >>> fine_6_q;
      sticky_7_q <= sticky_6_q || (|(coarse_6_q[6:0] & ~(7'h7f << fine_6_q)));
    end
  end

  // Rounding and saturation need 28 integer bits; above them only whether they are sign.
  wire        negative = fine_7_q[{{fmsb}}];
  wire        up       = fine_7_q[7] && (sticky_7_q || fine_7_q[8] || (|fine_7_q[6:0]));
  wire [28:0] rounded  = {fine_7_q[35], fine_7_q[35:8]} + {28'd0, up};
  wire        far      = (fine_7_q[{{fmsb}}:35] != {({{farbits}}){negative}});
  wire        clipped  = far || (rounded[28:26] != {3{rounded[28]}});

  assign out_valid_o   = valid_q[7];
  assign out_last_o    = end_q[7];
  assign out_clipped_o = clipped;
  assign out_data_o    = clipped ? {negative, {26{!negative}}} : rounded[26:0];
"#,
        &[
            vars.as_slice(),
            &[
                ("smsb8", (d.sum - 9).to_string()),
                ("hpad", (d.sum - 2 * third).to_string()),
                ("farbits", (product + 8 - 35).to_string()),
            ],
        ]
        .concat(),
    );
    if d.groups == 1 {
        m.text("  wire unused_columns = &{1'b0, columns_q};  // one group takes part in everything", &[]);
    }
    m.multipliers(3);
    m.done()
}
