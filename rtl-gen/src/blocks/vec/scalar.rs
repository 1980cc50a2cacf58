//! From a segment's sum to its scalars: MEAN, RSQ and VALUE, one segment at a time.

use crate::blocks::vec::lut::table_rom;
use crate::blocks::vec::reduce::ACC_BITS;
use crate::blocks::vec::round_parts::round_parts;
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::post;
use golden_model::arithmetic::tables;
use std::sync::Arc;

/// Cycles a segment occupies the unit, from its sum at the head of the queue to the write included; never data-dependent.
pub const MEAN_CYCLES: usize = 11;
pub const RSQ_CYCLES: usize = 22;
pub const VALUE_CYCLES: usize = 5;

/// The scalar unit: a sequencer around one 19 by 19 multiplier, one rounding shift and the rsqrt table.
pub fn vec_scalar(config: &Config) -> Arc<Module> {
    let rom = tables::rsqrt_rom();
    assert_eq!(
        (rom.widths, rom.offset_bits, rom.frac_bits),
        ([23, 18, 13], 13, 22),
        "vec_scalar is built for these widths"
    );
    let seg = index_bits(config.limits.n_head);
    let mut m = Module::new(
        "vec_scalar",
        format!(
            "MEAN   mean = sat_27(round(acc * k_const, k_shift))\n\
             RSQ    u = acc + (eps_m << eps_s); (R, e) = rsqrt(u), golden_model::arithmetic::tables;\n\
             \x20      mult = clip_27(round(R * k_const, k_shift)); shift = clamp(rsq_base + e, 0, 63)\n\
             VALUE  mult = sat_27(round(acc, k_shift))\n\
             start_i (while idle, any number of cycles) loads post_i and the constants and sets the segment number to 0; segments follow in order.\n\
             A sum is taken (sum_ready_o) in the cycle its scalars are written (*_we_o), the {MEAN_CYCLES}th, {RSQ_CYCLES}th or {VALUE_CYCLES}th cycle of its\n\
             being at the head of the queue, whatever its value. last_o: the write of the instruction's last segment. sat_o: it was clipped (not RSQ).\n\
             Bounds: acc {ACC_BITS} bits signed, for RSQ not negative; u < 2^71 + 2^79 fits 80 bits unsigned; acc * k_const fits 90 bits, 91 kept."
        ),
    );
    m.input("start_i", 1, "").input("post_i", 2, "vec.post").input("k_const_i", 18, "unsigned").input(
        "k_shift_i",
        6,
        "",
    );
    m.input("eps_m_i", 16, "unsigned").input("eps_s_i", 6, "").input("rsq_base_i", 7, "signed");
    m.input("sum_valid_i", 1, "")
        .output("sum_ready_o", 1, "")
        .input("sum_last_i", 1, "")
        .input("sum_i", ACC_BITS, "signed");
    m.output("seg_o", seg, "");
    m.output("mean_we_o", 1, "").output("mult_we_o", 1, "").output("shift_we_o", 1, "");
    m.output("value_o", 27, "mean or mult").output("shift_o", 6, "");
    m.output("last_o", 1, "").output("sat_o", 1, "").output("busy_o", 1, "a sum is being worked on");
    m.localparams(&[("POST_MEAN", 2, post::MEAN), ("POST_RSQ", 2, post::RSQ)]);
    m.text(
        r#"
  localparam [3:0] IDLE = 4'd0, EPS = 4'd1, NORM = 4'd2, ROM = 4'd3, C2T = 4'd4, S1 = 4'd5, S1T = 4'd6, S0 = 4'd7,
                   R = 4'd8, RK = 4'd9, PRODUCT = 4'd10, MUL = 4'd11, FLOOR = 4'd12, UP = 4'd13, WRITE = 4'd14;

  reg        [3:0]  state_q;
  reg        [2:0]  step_q;     // within NORM, MUL, FLOOR and the states that multiply (operands, product)
  reg        [1:0]  post_q;
  reg        [17:0] k_const_q;
  reg        [5:0]  k_shift_q, eps_s_q;
  reg        [15:0] eps_m_q;
  reg        [79:0] eps_q;      // eps_m << eps_s, from two cycles after start_i on; EPS is no earlier
  reg        [6:0]  rsq_base_q;
  reg        [{{segmsb}}:0] seg_q;

  reg        [90:0] v_q;        // working value: acc * k_const so far, then u, then the number to round
  reg               up_q;
  reg        [5:0]  zeros_q;    // pairs of leading zeros of u taken off so far
  reg               mul_q;      // state MUL
  reg signed [23:0] s_q;        // s1, then s0, then R
  reg signed [37:0] prod_q;     // a number of 19 bits by one of 19 bits

  wire is_rsq  = (post_q == POST_RSQ);
  wire is_mean = (post_q == POST_MEAN);

  // -- normalisation of u, a cycle each: which bytes are not 0, how many lead that are, shift by bytes, shift by pairs of bits
  reg  [8:0]  byte_q;      // bit i: byte i of the upper nine is not 0
  reg  [3:0]  lead_q;      // bytes of zeros in front
  wire [79:0] u_bytes = v_q[79:0] << {lead_q, 3'b0};
  wire [1:0]  pairs   = (v_q[79:78] != 2'b0) ? 2'd0 : (v_q[77:76] != 2'b0) ? 2'd1 : (v_q[75:74] != 2'b0) ? 2'd2 : 2'd3;
  wire [79:0] u_pairs = v_q[79:0] << {pairs, 1'b0};

  always_ff @(posedge clk_i) begin
    byte_q <= {|v_q[79:72], |v_q[71:64], |v_q[63:56], |v_q[55:48], |v_q[47:40], |v_q[39:32], |v_q[31:24], |v_q[23:16], |v_q[15:8]};
    lead_q <= byte_q[8] ? 4'd0 : byte_q[7] ? 4'd1 : byte_q[6] ? 4'd2 : byte_q[5] ? 4'd3 : byte_q[4] ? 4'd4
            : byte_q[3] ? 4'd5 : byte_q[2] ? 4'd6 : byte_q[1] ? 4'd7 : byte_q[0] ? 4'd8 : 4'd9;
  end

  // after it the highest set bit is 79 (odd position) or 78 (even); 18 bits below it address the table
  wire        odd    = v_q[79];
  wire [17:0] below  = odd ? v_q[78:61] : v_q[77:60];
  wire        u_zero = (v_q[79:78] == 2'b00);
  wire [5:0]  e      = u_zero ? 6'd0 : 6'd39 - zeros_q;
  reg  [5:0]  index_q;  // of the table's row, from the second cycle of ROM on
  wire [53:0] row;

  always_ff @(posedge clk_i) begin
    index_q <= {odd, below[17:13]};
  end

  // -- multiplier operands
  wire signed [18:0] chunk  = (step_q == 3'd0) ? $signed({sum_i[71], sum_i[71:54]})
                            : (step_q == 3'd1) ? $signed({1'b0, sum_i[53:36]})
                            : (step_q == 3'd2) ? $signed({1'b0, sum_i[35:18]}) : $signed({1'b0, sum_i[17:0]});
  wire signed [18:0] factor = (state_q == MUL) ? chunk : (state_q == C2T) ? $signed({ {6{row[53]}}, row[53:41]}) : s_q[18:0];
  wire by_t = (state_q == C2T) || (state_q == S1T);
  wire signed [18:0] other = $signed(by_t ? {6'b0, below[12:0]} : {1'b0, k_const_q});
  reg  signed [18:0] factor_q, other_q;

  // -- the one wide adder: u = acc + eps, acc * k_const chunk by chunk, the last bit of a rounding
  wire [90:0] sum_a = mul_q ? {v_q[72:0], 18'b0} : v_q;
  wire [90:0] sum_b = mul_q ? { {53{prod_q[37]}}, prod_q} : state_q[3] ? {90'b0, up_q} : {11'b0, eps_q};  // UP is above 7, EPS below
  wire [90:0] sum   = sum_a + sum_b;

  // round(prod, 13) and round(s0, 5): the carry is the half bit, unless it is a tie and the floor is even
  wire prod_up = prod_q[12] && (|prod_q[11:0] || prod_q[13]);
  wire r_up    = s_q[4] && (|s_q[3:0] || s_q[5]);
  wire signed [23:0] prod_floor = prod_q[36:13];
  wire signed [23:0] h_base     = (state_q == S1) ? $signed({ {6{row[40]}}, row[40:23]}) : $signed({1'b0, row[22:0]});

  wire [90:0] floor;
  wire        up;
  // sat_27: that floor needs more than 28 bits is seen while up is added; the sum then decides for itself in its low bits
  reg         far_q;
  wire        was_clipped = far_q || (v_q[28:26] != {3{v_q[90]}});
  wire [26:0] clipped     = was_clipped ? {v_q[90], {26{!v_q[90]}}} : v_q[26:0];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= IDLE;
      mul_q   <= 1'b0;
      step_q  <= '0;
      post_q  <= '0;
      seg_q   <= '0;
    end else begin
      step_q <= '0;
      case (state_q)
        IDLE: if (sum_valid_i) begin
          state_q <= is_rsq ? EPS : is_mean ? MUL : FLOOR;
          mul_q   <= is_mean;
        end
        EPS: state_q <= NORM;
        NORM: begin
          step_q  <= step_q + 3'd1;
          if (step_q == 3'd3) begin
            step_q  <= '0;
            state_q <= ROM;
          end
        end
        ROM: if (step_q[0]) state_q <= C2T;
        else step_q <= 3'd1;
        C2T: if (step_q[0]) state_q <= S1;
        else step_q <= 3'd1;
        S1: state_q <= S1T;
        S1T: if (step_q[0]) state_q <= S0;
        else step_q <= 3'd1;
        S0: state_q <= R;
        R: state_q <= RK;
        RK: if (step_q[0]) state_q <= PRODUCT;
        else step_q <= 3'd1;
        PRODUCT: state_q <= FLOOR;
        MUL: begin
          step_q <= step_q + 3'd1;
          if (step_q == 3'd5) begin
            step_q  <= '0;
            state_q <= FLOOR;
            mul_q   <= 1'b0;
          end
        end
        FLOOR: if (step_q[0]) state_q <= UP;
        else step_q <= 3'd1;
        UP: state_q <= WRITE;
        default: begin
          state_q <= IDLE;
          seg_q   <= seg_q + 1'b1;
        end
      endcase
      if (start_i) begin
        post_q <= post_i;
        seg_q  <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      k_const_q  <= k_const_i;
      k_shift_q  <= k_shift_i;
      eps_m_q    <= eps_m_i;
      eps_s_q    <= eps_s_i;
      rsq_base_q <= rsq_base_i;
    end
  end

  always_ff @(posedge clk_i) begin
    eps_q <= {64'b0, eps_m_q} << eps_s_q;
  end

  always_ff @(posedge clk_i) begin
    case (state_q)
      IDLE: if (sum_valid_i) v_q <= is_mean ? '0 : { {19{sum_i[71]}}, sum_i};
      EPS: v_q <= sum;
      NORM: begin
        if (step_q == 3'd2) begin
          v_q[79:0] <= u_bytes;
          zeros_q   <= {lead_q, 2'b0};
        end
        if (step_q == 3'd3) begin
          v_q[79:0]    <= u_pairs;
          zeros_q[1:0] <= pairs;
        end
      end
      PRODUCT: v_q <= { {53{prod_q[37]}}, prod_q};
      MUL: if (step_q > 3'd1) v_q <= sum;
      FLOOR: if (step_q[0]) begin
        v_q  <= floor;
        up_q <= up;
      end
      UP: v_q <= sum;
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (state_q == MUL || state_q == C2T || state_q == S1T || state_q == RK) begin
      factor_q <= factor;
      other_q  <= other;
      prod_q   <= factor_q * other_q;
    end
    far_q <= (v_q[90:27] != {64{v_q[90]}});
    if (state_q == S1 || state_q == S0) s_q <= h_base + prod_floor + $signed({23'b0, prod_up});
    if (state_q == R) s_q <= u_zero ? 24'sd0 : $signed({ {5{s_q[23]}}, s_q[23:5]}) + $signed({23'b0, r_up});
  end

  // -- write
  reg  [5:0]       shift_e_q;  // e, kept while v_q is reused
  wire             write = (state_q == WRITE);
  wire signed [7:0] shift = $signed({rsq_base_q[6], rsq_base_q}) + $signed({2'b00, shift_e_q});
  always_ff @(posedge clk_i) begin
    if (state_q == ROM) shift_e_q <= e;
  end

  assign sum_ready_o = write;
  assign seg_o       = seg_q;
  assign mean_we_o   = write && is_mean;
  assign mult_we_o   = write && !is_mean;
  assign shift_we_o  = write && is_rsq;
  assign value_o     = clipped;
  assign shift_o     = shift[7] ? 6'd0 : shift[6] ? 6'd63 : shift[5:0];
  assign last_o      = write && sum_last_i;
  assign sat_o       = write && was_clipped && !is_rsq;
  assign busy_o      = (state_q != IDLE);
"#,
        &[
            ("segmsb", (seg - 1).to_string()),
        ],
    );
    m.instance(
        "u_rom",
        &table_rom("rsqrt_rom", rom),
        &[("clk_i", "clk_i"), ("re_i", "state_q == ROM"), ("raddr_i", "index_q"), ("rdata_o", "row")],
    );
    m.instance(
        "u_round",
        &round_parts(91, 6),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "state_q == FLOOR"),
            ("x_i", "v_q"),
            ("shift_i", "k_shift_q"),
            ("floor_o", "floor"),
            ("up_o", "up"),
        ],
    );
    m.multipliers(1);
    m.done()
}
