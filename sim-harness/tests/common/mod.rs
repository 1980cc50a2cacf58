//! A stand-in for the chip with the ports of `anser_core`: it reads two bursts and turns every beat into one event of
//! each trace group, so that what must come is known from the image alone.

#![allow(dead_code)] // every test file compiles it for itself and uses some of it

use rtl_gen::config::Config;
use rtl_gen::hdl::Module;
use std::sync::Arc;

/// Beats of one token: two bursts of 8.
pub const BEATS: usize = 16;
/// A token that makes the stand-in wait for ever.
pub const HANG_TOKEN: u32 = 99;
/// A token that makes it read outside the image.
pub const STRAY_TOKEN: u32 = 77;

pub fn stand_in(config: &Config) -> Arc<Module> {
    let (vl, sw, bus) = (config.vlanes(), config.numbers.state_bits, config.bus_bits);
    let mut m = Module::new("core", "Stand-in for the chip in the tests of the harness.");
    for (name, bits) in [
        ("awaddr", 8),
        ("awvalid", 1),
        ("wdata", 32),
        ("wstrb", 4),
        ("wvalid", 1),
        ("bready", 1),
        ("araddr", 8),
        ("arvalid", 1),
        ("rready", 1),
    ] {
        m.input(format!("s_axil_{name}"), bits, "");
    }
    for (name, bits) in [
        ("awready", 1),
        ("wready", 1),
        ("bresp", 2),
        ("bvalid", 1),
        ("arready", 1),
        ("rdata", 32),
        ("rresp", 2),
        ("rvalid", 1),
    ] {
        m.output(format!("s_axil_{name}"), bits, "");
    }
    for (name, bits) in
        [("araddr", config.axi_addr_bits), ("arlen", 8), ("arsize", 3), ("arburst", 2), ("arvalid", 1), ("rready", 1)]
    {
        m.output(format!("m_axi_{name}"), bits, "");
    }
    for (name, bits) in [("arready", 1), ("rdata", bus), ("rresp", 2), ("rlast", 1), ("rvalid", 1)] {
        m.input(format!("m_axi_{name}"), bits, "");
    }
    m.output("m_axis_logits_tvalid", 1, "").input("m_axis_logits_tready", 1, "");
    m.output("m_axis_logits_tdata", 32, "").output("m_axis_logits_tlast", 1, "");
    m.input("stall_i", 8, "");
    m.output("trace_start_o", 4, "").output("trace_done_o", 4, "");
    for (group, fields) in [
        ("vec", vec![("word", 13), ("data", vl * 27)]),
        ("sreg", vec![("seg", 8), ("mean", 27), ("mult", 27), ("shift", 6)]),
        ("exp", vec![("exp", 5)]),
        ("mat", vec![("row", 18), ("data", 27)]),
        ("wkv_s", vec![("addr", 20), ("data", vl * sw)]),
        ("wkv_sa", vec![("row", 18), ("data", sw)]),
        ("wkv_y", vec![("row", 18), ("data", 27)]),
    ] {
        m.output(format!("trace_{group}_valid_o"), 1, "").output(format!("trace_{group}_op_o"), 12, "");
        for (field, bits) in fields {
            m.output(format!("trace_{group}_{field}_o"), bits, "");
        }
    }
    m.sizes(&[("ADDR_BITS", config.axi_addr_bits), ("BUS_BITS", bus), ("WORD_BITS", vl * 27)]);
    m.sizes(&[("STATE_BITS", sw), ("STATE_WORD_BITS", vl * sw)]);
    m.localparams(&[("CONFIG", 32, config.fingerprint().into())]);
    m.body(BODY);
    m.done()
}

const BODY: &str = r#"
  reg        aw_q, w_q, b_q, r_q, run_q, done_q, logits_q, ar_q;
  reg [5:0]  aw_at_q;
  reg [31:0] w_data_q, rdata_q, token_q, cycles_q;
  reg [ADDR_BITS-1:0] base_q, ar_addr_q;
  reg [1:0]  bursts_q;
  reg [4:0]  beats_q;

  assign s_axil_awready = !aw_q;
  assign s_axil_wready  = !w_q;
  assign s_axil_bvalid  = b_q;
  assign s_axil_bresp   = 2'b0;
  assign s_axil_arready = !r_q;
  assign s_axil_rvalid  = r_q;
  assign s_axil_rdata   = rdata_q;
  assign s_axil_rresp   = 2'b0;

  wire write = aw_q && w_q && !b_q;
  wire start = write && (aw_at_q == 6'h02) && w_data_q[0];

  wire take = m_axi_rvalid && m_axi_rready;
  wire last = take && (beats_q == 5'd15);

  assign m_axi_araddr  = ar_addr_q;
  assign m_axi_arlen   = 8'd7;
  assign m_axi_arsize  = 3'($clog2(BUS_BITS / 8));
  assign m_axi_arburst = 2'b01;
  assign m_axi_arvalid = ar_q;
  assign m_axi_rready  = logits_q ? m_axis_logits_tready : !stall_i[0];  // a logit on offer is not taken back

  assign m_axis_logits_tvalid = m_axi_rvalid && logits_q;
  assign m_axis_logits_tdata  = { {5{m_axi_rdata[26]}}, m_axi_rdata[26:0]};
  assign m_axis_logits_tlast  = (beats_q == 5'd15);

  assign trace_start_o = {4{start}};
  assign trace_done_o  = {4{last}};
  assign trace_vec_valid_o = take;
  assign trace_vec_op_o    = 12'd0;
  assign trace_vec_word_o  = {8'b0, beats_q};
  assign trace_vec_data_o  = m_axi_rdata[WORD_BITS-1:0];
  assign trace_sreg_valid_o = last;
  assign trace_sreg_op_o    = 12'd0;
  assign trace_sreg_seg_o   = 8'd0;
  assign trace_sreg_mean_o  = m_axi_rdata[26:0];
  assign trace_sreg_mult_o  = m_axi_rdata[53:27];
  assign trace_sreg_shift_o = m_axi_rdata[59:54];
  assign trace_exp_valid_o = last;
  assign trace_exp_op_o    = 12'd0;
  assign trace_exp_exp_o   = m_axi_rdata[64:60];
  assign trace_mat_valid_o = take;
  assign trace_mat_op_o    = {11'b0, beats_q[3]};  // two instructions of 8 rows
  assign trace_mat_row_o   = {15'b0, beats_q[2:0]};
  assign trace_mat_data_o  = m_axi_rdata[26:0];
  assign trace_wkv_s_valid_o = take;
  assign trace_wkv_s_op_o    = 12'd0;
  assign trace_wkv_s_addr_o  = 20'd1000 + {15'b0, beats_q};
  assign trace_wkv_s_data_o  = m_axi_rdata[STATE_WORD_BITS-1:0];
  assign trace_wkv_sa_valid_o = take;
  assign trace_wkv_sa_op_o    = 12'd0;
  assign trace_wkv_sa_row_o   = {13'b0, beats_q};
  assign trace_wkv_sa_data_o  = m_axi_rdata[STATE_BITS-1:0];
  assign trace_wkv_y_valid_o = take;
  assign trace_wkv_y_op_o    = 12'd0;
  assign trace_wkv_y_row_o   = {13'b0, beats_q};
  assign trace_wkv_y_data_o  = m_axi_rdata[26:0];

  wire unused = &{1'b0, s_axil_awaddr[7:6], s_axil_awaddr[1:0], s_axil_araddr[7:6], s_axil_araddr[1:0], s_axil_wstrb,
                  m_axi_rresp, m_axi_rlast, stall_i[7:1], m_axi_rdata[BUS_BITS-1:65], w_data_q[31:3]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_q <= 1'b0; w_q <= 1'b0; b_q <= 1'b0; r_q <= 1'b0; run_q <= 1'b0; done_q <= 1'b0; logits_q <= 1'b0; ar_q <= 1'b0;
      aw_at_q <= '0; w_data_q <= '0; rdata_q <= '0; token_q <= '0; cycles_q <= '0; base_q <= '0; ar_addr_q <= '0;
      bursts_q <= '0; beats_q <= '0;
    end else begin
      if (s_axil_awvalid && s_axil_awready) begin aw_q <= 1'b1; aw_at_q <= s_axil_awaddr[7:2]; end
      if (s_axil_wvalid && s_axil_wready) begin w_q <= 1'b1; w_data_q <= s_axil_wdata; end
      if (write) begin aw_q <= 1'b0; w_q <= 1'b0; b_q <= 1'b1; end
      else if (s_axil_bready) b_q <= 1'b0;
      if (write && (aw_at_q == 6'h04)) token_q <= w_data_q;
      if (write && (aw_at_q == 6'h06)) base_q[31:0] <= w_data_q;
      if (write && (aw_at_q == 6'h07)) base_q[ADDR_BITS-1:32] <= w_data_q[ADDR_BITS-33:0];
      if (s_axil_arvalid && s_axil_arready) begin
        r_q <= 1'b1;
        case (s_axil_araddr[7:2])
          6'h00: rdata_q <= 32'h414e5352;
          6'h03: rdata_q <= {30'b0, done_q, run_q};
          6'h05: rdata_q <= token_q + 32'd1;
          6'h0a: rdata_q <= cycles_q;
          6'h0b: rdata_q <= 32'd3;
          6'h0e: rdata_q <= 32'd16;
          6'h34: rdata_q <= CONFIG;
          6'h18: rdata_q <= cycles_q - 32'd16;  // every cycle has a cause
          default: rdata_q <= 32'd0;
        endcase
      end else if (s_axil_rready) r_q <= 1'b0;

      if (run_q) cycles_q <= cycles_q + 32'd1;
      if (start) begin
        run_q <= 1'b1; done_q <= 1'b0; logits_q <= w_data_q[2]; cycles_q <= '0; beats_q <= '0; bursts_q <= 2'd2;
        ar_q <= (token_q != 32'd99);
        ar_addr_q <= (token_q == 32'd77) ? base_q - ADDR_BITS'(64) : base_q;
      end else if (m_axi_arvalid && m_axi_arready) begin
        ar_addr_q <= ar_addr_q + ADDR_BITS'(8 * BUS_BITS / 8);
        bursts_q  <= bursts_q - 2'd1;
        ar_q      <= (bursts_q != 2'd1);
      end
      if (take) beats_q <= beats_q + 5'd1;
      if (last) begin run_q <= 1'b0; done_q <= 1'b1; end
    end
  end
"#;

/// The text of a configuration with the state of its sessions in memory.
pub fn streamed(config: &str) -> String {
    config.replace("[limits]", "state = \"memory\"\n[limits]")
}

/// The same, with several sessions.
pub fn streamed_slots(config: &str, sessions: usize) -> String {
    streamed(config).replace("bus_bits", &format!("sessions = {sessions}\nbus_bits"))
}
