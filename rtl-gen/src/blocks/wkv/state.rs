//! The state memory and the machine that clears it.

use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use std::fmt::Write as _;
use std::sync::Arc;

/// Words of one bank: a size that memory compilers offer and that block RAMs make without a multiplexer of their own.
const BANK_WORDS: usize = 4096;

/// Cycles from `re_i` to `rdata_o`: bank select, memory, bank register.
pub const READ_LATENCY: usize = 3;

/// `words` words of `bits` bits; one read, one write, and clearing.
pub fn wkv_state(bits: usize, words: usize) -> Arc<Module> {
    let addr = index_bits(words);
    let banks = words.div_ceil(BANK_WORDS);
    let mut m = Module::new(
        "wkv_state",
        format!(
            "State S of all layers: {words} words of {bits} bits in {banks} banks, one read and one write a cycle.\n\
             clear_i (pulse) writes 0 to every word, one a cycle; it waits for hold_i low. clear_busy_o is high from the next cycle until\n\
             the last word is 0; no other access may happen then. A clear_i while busy starts over.\n\
             Latency: rdata_o {READ_LATENCY} cycles after re_i, for one cycle. Accesses are registered in front of the banks, reads and writes\n\
             alike, so their order is that of the ports; each bank has a register behind it too, because large memories are slow and\n\
             far apart, and the bank is selected after that. The memory itself is not reset."
        ),
    );
    m.input("clear_i", 1, "pulse").input("hold_i", 1, "an instruction runs").output("clear_busy_o", 1, "");
    m.input("we_i", 1, "").input("waddr_i", addr, "").input("wdata_i", bits, "");
    m.input("re_i", 1, "").input("raddr_i", addr, "").output("rdata_o", bits, "");
    let vars = [
        ("amsb", (addr - 1).to_string()),
        ("a", addr.to_string()),
        ("last", (words - 1).to_string()),
        ("dmsb", (bits - 1).to_string()),
        ("bmsb", (banks - 1).to_string()),
    ];
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

  // one bit a bank: write or read asked for now, one, two and three cycles ago
  wire [{{bmsb}}:0] write, read;
  reg  [{{bmsb}}:0] write_q, read_q, read_1_q, read_2_q;
  reg  [{{amsb}}:0] waddr_q, raddr_q;
  reg  [{{dmsb}}:0] wdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q  <= '0;
      read_q   <= '0;
      read_1_q <= '0;
      read_2_q <= '0;
    end else begin
      write_q  <= write;
      read_q   <= read;
      read_1_q <= read_q;
      read_2_q <= read_1_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (we) begin
      waddr_q <= waddr;
      wdata_q <= wdata;
    end
    if (re_i) raddr_q <= raddr_i;
  end
"#,
        &vars,
    );
    let low = index_bits(BANK_WORDS);
    let mut selected = String::new();
    for bank in 0..banks {
        let depth = BANK_WORDS.min(words - bank * BANK_WORDS);
        // the enable of one bank; a single bank has no bank number
        let chosen = |en: &str, a: &str| match banks {
            1 => en.to_string(),
            _ => format!("{en} && ({a}[{}:{low}] == {}'d{bank})", addr - 1, addr - low),
        };
        m.text(
            r#"

  assign      write[{{bank}}] = {{write}};
  assign      read[{{bank}}] = {{read}};
  wire [{{dmsb}}:0] word_{{bank}};
  reg  [{{dmsb}}:0] word_{{bank}}_q;
  always_ff @(posedge clk_i) if (read_1_q[{{bank}}]) word_{{bank}}_q <= word_{{bank}};
"#,
            &[
                ("bank", bank.to_string()),
                ("write", chosen("we", "waddr")),
                ("read", chosen("re_i", "raddr_i")),
                ("dmsb", (bits - 1).to_string()),
            ],
        );
        let inside = index_bits(depth) - 1;
        m.instance(
            &format!("u_bank_{bank}"),
            &ram_1w1r(bits, depth),
            &[
                ("we_i", &format!("write_q[{bank}]")),
                ("waddr_i", &format!("waddr_q[{inside}:0]")),
                ("wdata_i", "wdata_q"),
                ("re_i", &format!("read_q[{bank}]")),
                ("raddr_i", &format!("raddr_q[{inside}:0]")),
                ("rdata_o", &format!("word_{bank}")),
            ],
        );
        let _ = write!(
            selected,
            "{}({{{bits}{{read_2_q[{bank}]}}}} & word_{bank}_q)",
            if bank > 0 { "\n    | " } else { "" }
        );
    }
    if banks > 1 {
        m.text(
            "\n  wire unused_bank = &{1'b0, waddr_q[{{amsb}}:{{low}}], raddr_q[{{amsb}}:{{low}}]};  // decoded before",
            &[("amsb", (addr - 1).to_string()), ("low", low.to_string())],
        );
    }
    m.text("\n  assign rdata_o = {{selected}};", &[("selected", selected)]);
    m.done()
}
