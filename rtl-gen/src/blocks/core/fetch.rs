//! Instruction fetch: one program RAM, prefetch, waits on the done counts of other units.

use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use crate::isa::Format;
use std::sync::Arc;

/// Bits of an instruction index, of a done count and of every `wait_*` field.
pub const COUNT_BITS: usize = 12;

/// Bits that number the 32-bit words of one instruction (the widest, vec, has 7).
pub const LANE_BITS: usize = 3;

/// The fetch unit of `format` with a program RAM of `depth` instructions; `waits` names up to two 12-bit wait fields, which
/// are compared with the ports `done_a_i` and `done_b_i`, in this order.
///
/// Panics if a wait field is not in the format, not 12 bits wide, or if there are more than two: bugs of the generator.
pub fn fetch(format: &Format, depth: usize, waits: &[&str]) -> Arc<Module> {
    assert!(waits.len() <= 2, "fetch {}: {} wait fields, at most 2", format.name, waits.len());
    let words = format.bits / 32;
    let addr = index_bits(depth);
    let mut m = Module::new(
        format!("fetch_{}", format.name),
        format!(
            "Instruction fetch of unit {}: {depth} instructions of {} bits, written by the host in 32-bit words.\n\
             start_i (one cycle, unit idle) begins at instruction 0; the instruction with `last` ends the program, with no_head_i\n\
             (which holds while it runs) that with `last_body`.\n\
             An instruction is offered (instr_valid_o) when it is there, its waits held in the cycle before (done count >= wait field;\n\
             counts only rise while a program runs) and stall_i is low. Latency: the first instruction is there 4 cycles after start_i; at most two follow each other in successive\n\
             cycles, then there are two without: a read does not depend on instr_ready_i, which comes late in the cycle, and what it brings is\n\
             registered before it is compared.\n\
             waiting_o: an instruction is there and its waits did not hold. finished_o: the last instruction is handed over.\n\
             The program is written while the unit is idle; a program without `last` never finishes.",
            format.name, format.bits
        ),
    );
    m.input("start_i", 1, "");
    m.input("prog_we_i", 1, "").input("prog_lane_i", LANE_BITS, "32-bit word within the instruction");
    m.input("prog_idx_i", COUNT_BITS, "instruction").input("prog_wdata_i", 32, "");
    for (wait, port) in waits.iter().zip(["done_a_i", "done_b_i"]) {
        assert_eq!(format.field(wait).1, COUNT_BITS, "fetch {}: width of {wait}", format.name);
        m.input(port, COUNT_BITS, format!("compared with {wait}"));
    }
    m.input("no_head_i", 1, "the program ends with last_body");
    m.input("stall_i", 1, "");
    m.output("instr_valid_o", 1, "").input("instr_ready_i", 1, "").output("instr_o", format.bits, "");
    m.output("instr_idx_o", COUNT_BITS, "").output("waiting_o", 1, "").output("finished_o", 1, "");

    // the waits of an instruction: of the one on offer, of the one after it
    let slice = |from: &str, wait: &str| {
        let (at, bits) = format.field(wait);
        format!("{from}[{}:{at}]", at + bits - 1)
    };
    let holds = |value: &dyn Fn(&str) -> String| {
        let pairs = waits.iter().zip(["done_a_i", "done_b_i"]);
        let all = pairs.map(|(wait, port)| format!("({port} >= {})", value(wait))).collect::<Vec<_>>();
        if all.is_empty() {
            "1'b1".to_string()
        } else {
            all.join(" && ")
        }
    };
    let each = |line: &dyn Fn(&str) -> String| waits.iter().map(|wait| line(wait)).collect::<String>();
    let vars = [
        ("msb", (format.bits - 1).to_string()),
        ("amsb", (addr - 1).to_string()),
        ("one", format!("{addr}'d1")),
        ("last", format.field("last").0.to_string()),
        ("body", format.field("last_body").0.to_string()),
        ("holds", holds(&|wait| slice("instr_q", wait))),
        ("holds_next", holds(&|wait| format!("next_{wait}_q"))),
        ("next_reg", each(&|wait| format!("  reg  [11:0]    next_{wait}_q;\n"))),
        ("next_load", each(&|wait| format!("    next_{wait}_q <= {};\n", slice("rdata", wait)))),
    ];
    m.text(
        r#"
  reg            active_q;    // the program has instructions that are not read yet
  reg  [{{amsb}}:0]  pc_q;        // next instruction to read
  reg            rvalid_q;    // the RAM's output holds the instruction after instr_q
  reg            known_q;     // next_* are of it: a memory and a comparison are too much for one cycle
  reg            next_last_q;
{{next_reg}}  reg            valid_q;     // instr_q holds the instruction on offer
  reg            holds_q;     // and its waits held a cycle ago
  reg            offer_q;     // valid_q && holds_q
  reg  [{{msb}}:0] instr_q;
  reg  [11:0]    idx_q;
  reg            finished_q;
  wire [{{msb}}:0] rdata;

  wire holds      = {{holds}};
  wire holds_next = {{holds_next}};
  wire handover = instr_valid_o && instr_ready_i;
  wire load     = known_q && (!valid_q || handover);
  wire rlast    = rdata[{{last}}] || (no_head_i && rdata[{{body}}]);
  wire ilast    = instr_q[{{last}}] || (no_head_i && instr_q[{{body}}]);
  wire read     = active_q && (!rvalid_q || (known_q && !valid_q));  // what it brings after the last instruction is not looked at

  assign instr_valid_o = offer_q && !stall_i;
  assign instr_o       = instr_q;
  assign instr_idx_o   = idx_q;
  assign waiting_o     = valid_q && !holds_q;
  assign finished_o    = finished_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q   <= 1'b0;
      pc_q       <= '0;
      rvalid_q   <= 1'b0;
      known_q    <= 1'b0;
      valid_q    <= 1'b0;
      offer_q    <= 1'b0;
      idx_q      <= '0;
      finished_q <= 1'b0;
    end else if (start_i) begin
      active_q   <= 1'b1;
      pc_q       <= '0;
      rvalid_q   <= 1'b0;
      known_q    <= 1'b0;
      valid_q    <= 1'b0;
      offer_q    <= 1'b0;
      idx_q      <= '0;
      finished_q <= 1'b0;
    end else begin
      if (read) pc_q <= pc_q + {{one}};
      if (load && next_last_q) active_q <= 1'b0;
      if (load && next_last_q) rvalid_q <= 1'b0;
      else if (read) rvalid_q <= 1'b1;
      else if (load) rvalid_q <= 1'b0;
      known_q <= rvalid_q && !load;
      offer_q <= load ? holds_next : valid_q && !handover && holds;
      if (load) valid_q <= 1'b1;
      else if (handover) valid_q <= 1'b0;
      if (handover) idx_q <= idx_q + 12'd1;
      if (handover && ilast) finished_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) instr_q <= rdata;
    next_last_q <= rlast;
{{next_load}}    holds_q <= load ? holds_next : holds;
  end
"#,
        &vars,
    );
    if addr < COUNT_BITS {
        m.text("  wire unused_prog_idx = &{1'b0, prog_idx_i[11:{{a}}]};", &[("a", addr.to_string())]);
    }
    let ram = ram_1w1r(32, depth);
    for i in 0..words {
        m.instance(
            &format!("u_ram{i}"),
            &ram,
            &[
                ("we_i", &format!("prog_we_i && (prog_lane_i == 3'd{i})")),
                ("waddr_i", &format!("prog_idx_i[{}:0]", addr - 1)),
                ("wdata_i", "prog_wdata_i"),
                ("re_i", "read"),
                ("raddr_i", "pc_q"),
                ("rdata_o", &format!("rdata[{}:{}]", 32 * i + 31, 32 * i)),
            ],
        );
    }
    m.done()
}
