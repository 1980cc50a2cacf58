//! AXI4 read port of the memory: bursts to beats.

use rtl_gen::blocks::prim::fifo;
use rtl_gen::hdl::Module;
use std::sync::Arc;

/// Beats asked for and not yet taken by the chip, at most.
const DEPTH: usize = 32;

/// AXI4 slave of `addr_bits` and 128 data bits over a memory of 2^`beat_bits` beats.
pub fn axi_read(addr_bits: usize, beat_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "axi_read",
        format!(
            "AXI4 read slave, 128 bits, INCR bursts of full beats: each becomes single beats of the memory, which answers in\n\
             order and is never held back: a beat is asked for only when the queue of {DEPTH} has room for it.\n\
             A burst outside the memory is answered SLVERR, with data of some other place.\n\
             Latency: a beat is asked for two cycles after its burst is taken, offered three cycles after the memory gave it. Bursts\n\
             follow each other without a gap: one waits while another is under way. arready_o is a register."
        ),
    );
    m.input("araddr_i", addr_bits, "bytes").input("arlen_i", 8, "beats - 1");
    m.input("arvalid_i", 1, "").output("arready_o", 1, "");
    m.output("rdata_o", 128, "").output("rresp_o", 2, "").output("rlast_o", 1, "");
    m.output("rvalid_o", 1, "").input("rready_i", 1, "");
    m.output("mem_valid_o", 1, "").input("mem_ready_i", 1, "").output("mem_beat_o", beat_bits, "");
    m.input("mem_rvalid_i", 1, "").input("mem_rdata_i", 128, "");
    m.text(
        r#"
  reg         wait_q;        // a burst waits
  reg  [{{amsb}}:4] wait_addr_q;
  reg  [7:0]  wait_len_q;
  reg         active_q, outside_q;
  reg  [{{bmsb}}:0] beat_q;
  reg  [7:0]  left_q;
  reg  [5:0]  credit_q;      // beats that may still be asked for
  reg         credit_ok_q;   // there is one

  wire        last  = (left_q == 8'd0);
  wire        ask   = mem_valid_o && mem_ready_i;
  wire        begins = wait_q && (!active_q || (ask && last));
  wire        data_valid, data_ready;
  wire [129:0] data;
  wire        taken = data_valid && data_ready;  // into the two entries in front, so that rready_i is not waited for
  wire [1:0]  tag, unused_ready;
  wire        unused_tag;

  wire [5:0]  credit = (ask == taken) ? credit_q : ask ? credit_q - 6'd1 : credit_q + 6'd1;

  assign mem_valid_o = active_q && credit_ok_q;
  assign mem_beat_o  = beat_q;
  assign arready_o   = !wait_q;
  assign rresp_o[0]  = 1'b0;
  wire unused_addr = &{1'b0, araddr_i[3:0], unused_ready, unused_tag};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      wait_q   <= 1'b0;
      credit_q <= 6'd{{depth}};
      credit_ok_q <= 1'b1;
    end else begin
      if (arvalid_i && arready_o) wait_q <= 1'b1;
      else if (begins) wait_q <= 1'b0;
      if (begins) active_q <= 1'b1;
      else if (ask && last) active_q <= 1'b0;
      credit_q    <= credit;
      credit_ok_q <= (credit != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (arready_o) begin
      wait_addr_q <= araddr_i[{{amsb}}:4];
      wait_len_q  <= arlen_i;
    end
    if (begins) begin
      beat_q    <= wait_addr_q[{{top}}:4];
      left_q    <= wait_len_q;
      outside_q <= |wait_addr_q[{{amsb}}:{{above}}];
    end else if (ask) begin
      beat_q <= beat_q + {{one}};
      left_q <= left_q - 8'd1;
    end
  end
"#,
        &[
            ("bmsb", (beat_bits - 1).to_string()),
            ("top", (beat_bits + 3).to_string()),
            ("amsb", (addr_bits - 1).to_string()),
            ("above", (beat_bits + 4).to_string()),
            ("depth", DEPTH.to_string()),
            ("one", format!("{beat_bits}'d1")),
        ],
    );
    m.instance(
        "u_tags",
        &fifo(2, DEPTH),
        &[
            ("in_valid_i", "ask"),
            ("in_ready_o", "unused_ready[0]"),
            ("in_data_i", "{outside_q, last}"),
            ("out_valid_o", "unused_tag"),
            ("out_ready_i", "mem_rvalid_i"),
            ("out_data_o", "tag"),
        ],
    );
    m.instance(
        "u_data",
        &fifo(130, DEPTH),
        &[
            ("in_valid_i", "mem_rvalid_i"),
            ("in_ready_o", "unused_ready[1]"),
            ("in_data_i", "{tag, mem_rdata_i}"),
            ("out_valid_o", "data_valid"),
            ("out_ready_i", "data_ready"),
            ("out_data_o", "data"),
        ],
    );
    m.instance(
        "u_front",
        &fifo(130, 2),
        &[
            ("in_valid_i", "data_valid"),
            ("in_ready_o", "data_ready"),
            ("in_data_i", "data"),
            ("out_valid_o", "rvalid_o"),
            ("out_ready_i", "rready_i"),
            ("out_data_o", "{rresp_o[1], rlast_o, rdata_o}"),
        ],
    );
    m.done()
}
