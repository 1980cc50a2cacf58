//! Primitives every block is made of: memory, queue, rounding shift, saturation.

pub mod mul_pipe;

use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Synchronous memory, one write and one read port, one cycle of read latency; `re_i` low holds `rdata_o`.
/// A read of the word being written in the same cycle returns the old content. Not reset: a memory.
pub fn ram_1w1r(bits: usize, depth: usize) -> Arc<Module> {
    let addr = index_bits(depth);
    let mut m = Module::combinational(
        format!("ram_1w1r_{bits}x{depth}"),
        format!(
            "Memory of {depth} words of {bits} bits, one write and one read port.\n\
                 Latency: rdata_o holds mem[raddr_i] one cycle after re_i, and keeps it while re_i is low.\n\
                 Reading the word that is being written returns the old content. No reset."
        ),
    );
    m.input("clk_i", 1, "");
    m.input("we_i", 1, "").input("waddr_i", addr, "").input("wdata_i", bits, "");
    m.input("re_i", 1, "").input("raddr_i", addr, "").output("rdata_o", bits, "");
    m.text(
        r#"
  reg [{{msb}}:0] mem [0:{{last}}];
  reg [{{msb}}:0] rdata_q;

  always_ff @(posedge clk_i) begin
    if (we_i) mem[waddr_i] <= wdata_i;
  end

  always_ff @(posedge clk_i) begin
    if (re_i) rdata_q <= mem[raddr_i];
  end

  assign rdata_o = rdata_q;
"#,
        &[("msb", (bits - 1).to_string()), ("last", (depth - 1).to_string())],
    );
    m.done()
}

/// First-in first-out queue, valid/ready on both sides, first word falls through. `depth` is a power of two ≥ 2.
pub fn fifo(bits: usize, depth: usize) -> Arc<Module> {
    assert!(depth.is_power_of_two() && depth >= 2, "fifo depth {depth}: a power of two from 2");
    let addr = index_bits(depth);
    let mut m = Module::new(
        format!("fifo_{bits}x{depth}"),
        format!("Queue of {depth} entries of {bits} bits; valid/ready; order kept.\n\
                 Latency: an entry written into an empty queue is visible on out_* in the next cycle (small depths) or the one\n\
                 after that (depths above 32, which read through a synchronous memory).\n\
                 A transfer happens in a cycle with valid and ready both high; out_valid_o never drops without one."),
    );
    m.input("in_valid_i", 1, "").output("in_ready_o", 1, "").input("in_data_i", bits, "");
    m.output("out_valid_o", 1, "").input("out_ready_i", 1, "").output("out_data_o", bits, "");
    let vars = [
        ("msb", (bits - 1).to_string()),
        ("last", (depth - 1).to_string()),
        ("a", addr.to_string()),
        ("amsb", (addr - 1).to_string()),
    ];
    m.text(
        r#"
  reg [{{amsb}}:0] wptr_q, rptr_q, rnext_q;  // rnext: of the entry after the oldest
  reg full_q, some_q, one_q;  // kept beside the pointers: who asks waits for no comparison

  wire push = in_valid_i && !full_q;
  wire pop;  // the entry at rptr_q goes
  wire [{{amsb}}:0] wptr_next = wptr_q + {{a}}'d1;
  wire [{{amsb}}:0] rnext_2 = rnext_q + {{a}}'d1;

  assign in_ready_o = !full_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q <= '0;
      rptr_q <= '0;
      rnext_q <= {{a}}'d1;
      full_q <= 1'b0;
      some_q <= 1'b0;
      one_q  <= 1'b0;
    end else begin
      if (push) wptr_q <= wptr_next;
      if (pop) rptr_q <= rnext_q;
      if (pop) rnext_q <= rnext_2;
      full_q <= !pop && (full_q || (push && wptr_next == rptr_q));
      some_q <= push || (some_q && !(pop && one_q));
      one_q  <= (push == pop) ? one_q : push ? !some_q : (rnext_2 == wptr_q);
    end
  end
"#,
        &vars,
    );
    if depth <= 32 {
        m.text(
            r#"
  reg [{{msb}}:0] mem [0:{{last}}];
  reg [{{msb}}:0] out_q;  // the oldest entry, so that no one waits for the memory

  assign pop         = some_q && out_ready_i;
  assign out_valid_o = some_q;
  assign out_data_o  = out_q;

  always_ff @(posedge clk_i) begin
    if (push) mem[wptr_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!some_q || out_ready_i) out_q <= (!some_q || one_q) ? in_data_i : mem[rnext_q];
  end
"#,
            &vars,
        );
    } else {
        m.text(
            r#"
  reg valid_q;  // the memory's output register holds the oldest entry, which is no longer counted above

  assign pop         = some_q && (!valid_q || out_ready_i);
  assign out_valid_o = valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (pop) valid_q <= 1'b1;
    else if (out_ready_i) valid_q <= 1'b0;
  end
"#,
            &vars,
        );
        m.children_ram(bits, depth);
    }
    m.done()
}

impl Module {
    fn children_ram(&mut self, bits: usize, depth: usize) {
        self.instance(
            "u_mem",
            &ram_1w1r(bits, depth),
            &[
                ("clk_i", "clk_i"),
                ("we_i", "push"),
                ("waddr_i", "wptr_q"),
                ("wdata_i", "in_data_i"),
                ("re_i", "pop"),
                ("raddr_i", "rptr_q"),
                ("rdata_o", "out_data_o"),
            ],
        );
    }
}

/// `round(x, shift)`: arithmetic shift right, to nearest, ties to even (`golden_model::arithmetic::fixed::round_shift`).
/// `out_bits` of the result are kept; the caller makes sure they suffice.
pub fn round_shift(in_bits: usize, shift_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits <= in_bits, "round_shift {in_bits} to {out_bits}");
    let mut m = Module::combinational(
        format!("round_shift_{in_bits}_{shift_bits}_{out_bits}"),
        format!("Divides a signed {in_bits}-bit number by 2^shift_i, to nearest, ties to even; combinational.\n\
                 The result must fit {out_bits} bits (the upper bits are dropped); shifts of {in_bits} and more give 0."),
    );
    m.input("x_i", in_bits, "signed").input("shift_i", shift_bits, "").output("y_o", out_bits, "signed");
    m.text(
        r#"
  wire [{{w}}:0]          doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire signed [{{w}}:0]   shifted = $signed(doubled) >>> shift_i;
{{lost}}
  wire                    up      = shifted[0] && (sticky || shifted[1]);

  assign y_o = shifted[{{out}}:1] + { {{outm}}'b0, up};
"#,
        &[
            ("w", in_bits.to_string()),
            ("lost", lost_bits(in_bits, shift_bits)),
            ("out", out_bits.to_string()),
            ("outm", (out_bits - 1).to_string()),
        ],
    );
    if out_bits < in_bits {
        m.text(
            "  wire unused_upper = &{1'b0, shifted[{{w}}:{{out}}]};",
            &[("w", in_bits.to_string()), ("out", (out_bits + 1).to_string())],
        );
    }
    m.done()
}

/// The wire `sticky` of a rounding shift of `x_i` by `shift_i`: a bit below the half bit is set.
///
/// The bits are shifted out to the left rather than masked: a mask is a chain that synthesis turns into one gate after
/// another.
fn lost_bits(in_bits: usize, shift_bits: usize) -> String {
    let wide = 1 << shift_bits;
    assert!(shift_bits >= 2, "lost_bits: {shift_bits} shift bits");
    let x = match in_bits.cmp(&wide) {
        std::cmp::Ordering::Less => format!("{{{}'b0, x_i}}", wide - in_bits),
        std::cmp::Ordering::Equal => "x_i".to_string(),
        std::cmp::Ordering::Greater => format!("x_i[{}:0]", wide - 1),
    };
    format!(
        "  wire [{}:0] lost = {x} << ~shift_i;  // the half bit to bit {}, what is below it below\n  \
         wire sticky = |lost[{}:0];\n  wire unused_lost = &{{1'b0, lost[{}:{}]}};",
        wide - 1,
        wide - 2,
        wide - 3,
        wide - 1,
        wide - 2
    )
}

/// `sat_n`: clips a signed number to `out_bits` and says whether it had to (`golden_model::arithmetic::fixed::sat`).
pub fn saturate(in_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits < in_bits, "saturate {in_bits} to {out_bits}");
    let mut m = Module::combinational(
        format!("saturate_{in_bits}_{out_bits}"),
        format!("Clips a signed {in_bits}-bit number to {out_bits} bits; clipped_o tells that it was outside; combinational."),
    );
    m.input("x_i", in_bits, "signed").output("y_o", out_bits, "signed").output("clipped_o", 1, "");
    m.text(
        r#"
  assign clipped_o = (x_i[{{msb}}:{{sign}}] != { {{n}}{x_i[{{msb}}]}});
  assign y_o       = clipped_o ? {x_i[{{msb}}], { {{sign}}{!x_i[{{msb}}]}}} : x_i[{{sign}}:0];
"#,
        &[
            ("msb", (in_bits - 1).to_string()),
            ("sign", (out_bits - 1).to_string()),
            ("n", (in_bits - out_bits + 1).to_string()),
        ],
    );
    m.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_widths() {
        for m in [ram_1w1r(8, 16), fifo(8, 16), fifo(8, 64), round_shift(56, 6, 28), saturate(29, 27)] {
            let printed = crate::hdl::print(&m).unwrap();
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
            assert_eq!(printed.top, m.name);
        }
    }
}
