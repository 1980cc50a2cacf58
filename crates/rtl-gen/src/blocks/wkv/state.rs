//! The state memory and the machine that clears it.

use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// `words` words of `bits` bits; one read, one write, and clearing.
pub fn wkv_state(bits: usize, words: usize) -> Arc<Module> {
    let addr = index_bits(words);
    let mut m = Module::new(
        "wkv_state",
        format!(
            "State S of all layers: {words} words of {bits} bits, one read and one write a cycle.\n\
             clear_i (pulse) writes 0 to every word, one a cycle; it waits for hold_i low. clear_busy_o is high from the next cycle until\n\
             the last word is 0; no other access may happen then. A clear_i while busy starts over.\n\
             Latency: rdata_o one cycle after re_i, kept while re_i is low. The memory itself is not reset."
        ),
    );
    m.input("clear_i", 1, "pulse").input("hold_i", 1, "an instruction runs").output("clear_busy_o", 1, "");
    m.input("we_i", 1, "").input("waddr_i", addr, "").input("wdata_i", bits, "");
    m.input("re_i", 1, "").input("raddr_i", addr, "").output("rdata_o", bits, "");
    m.text(
        r#"
  reg         clear_q;
  reg  [{{amsb}}:0] clear_addr_q;
  wire        clearing = clear_q && !hold_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_q      <= 1'b0;
      clear_addr_q <= '0;
    end else if (clear_i) begin
      clear_q      <= 1'b1;
      clear_addr_q <= '0;
    end else if (clearing) begin
      clear_addr_q <= clear_addr_q + 1'b1;
      if (clear_addr_q == {{a}}'d{{last}}) clear_q <= 1'b0;
    end
  end

  assign clear_busy_o = clear_q;

  wire        we    = we_i || clearing;
  wire [{{amsb}}:0] waddr = clearing ? clear_addr_q : waddr_i;
  wire [{{dmsb}}:0] wdata = clearing ? '0 : wdata_i;
"#,
        &[
            ("amsb", (addr - 1).to_string()),
            ("a", addr.to_string()),
            ("last", (words - 1).to_string()),
            ("dmsb", (bits - 1).to_string()),
        ],
    );
    m.instance("u_mem", &ram_1w1r(bits, words), &[
        ("we_i", "we"),
        ("waddr_i", "waddr"),
        ("wdata_i", "wdata"),
        ("re_i", "re_i"),
        ("raddr_i", "raddr_i"),
        ("rdata_o", "rdata_o"),
    ]);
    m.done()
}
