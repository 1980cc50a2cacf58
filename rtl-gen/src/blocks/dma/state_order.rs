//! Several sessions with their state in memory: whose part of it dma reads next, and where that lies.

use crate::config::Config;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Bits of the number of a head.
const HEAD_BITS: usize = 8;

/// The lowest of `slots` bits that is set in `of`, as a number of `bits` bits; the highest if none is.
pub fn lowest(of: &str, slots: usize, bits: usize) -> String {
    let cases = (0..slots - 1).map(|s| format!("{of}[{s}] ? {bits}'d{s} : "));
    cases.collect::<String>() + &format!("{bits}'d{}", slots - 1)
}

/// Steps through the pieces of memory that an instruction about state is made of.
fn state_order(slots: usize) -> Arc<Module> {
    let bits = index_bits(slots);
    let mut m = Module::new(
        "state_order",
        "Pieces of an instruction that reads state. With walk_i: each of heads_i heads for every slot of slots_i, slots from the lowest\n\
         on, before the next head. Otherwise one piece, of slot_i, or of the lowest slot of slots_i if slot_i is none of them: so no\n\
         address is used but those of slots that take part.\n\
         Latency: slot_o, head_o and last_o (no piece follows) one cycle after load_i or step_i. slots_i is not 0, and stable.",
    );
    m.input("load_i", 1, "an instruction begins").input("walk_i", 1, "it is about all heads");
    m.input("slot_i", bits, "").input("heads_i", HEAD_BITS, "").input("step_i", 1, "the next piece");
    m.input("slots_i", slots, "slots whose state is read");
    m.output("slot_o", bits, "").output("head_o", HEAD_BITS, "").output("last_o", 1, "");
    m.text(
        r#"
  reg         walk_q;
  reg  [{{msb}}:0] slot_q;
  reg  [{{hmsb}}:0] head_q, heads_q;
  wire [{{hmsb}}:0] next_head = head_q + {{h}}'d1;
  wire [{{top}}:0] later = slots_i & ~(({{n}}'d2 << slot_q) - {{n}}'d1);
  wire        turn  = (later == {{n}}'d0);  // no slot is left for this head
  wire [{{msb}}:0] first = {{first}};
  wire [{{msb}}:0] next  = {{next}};

  assign slot_o = slot_q;
  assign head_o = head_q;
  assign last_o = !walk_q || (turn && next_head == heads_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walk_q  <= 1'b0;
      slot_q  <= '0;
      head_q  <= '0;
      heads_q <= '0;
    end else if (load_i) begin
      walk_q  <= walk_i;
      slot_q  <= (walk_i || !slots_i[slot_i]) ? first : slot_i;
      head_q  <= '0;
      heads_q <= heads_i;
    end else if (step_i) begin
      slot_q <= turn ? first : next;
      if (turn) head_q <= next_head;
    end
  end
"#,
        &[
            ("msb", (bits - 1).to_string()),
            ("hmsb", (HEAD_BITS - 1).to_string()),
            ("h", HEAD_BITS.to_string()),
            ("top", (slots - 1).to_string()),
            ("n", slots.to_string()),
            ("first", lowest("slots_i", slots, bits)),
            ("next", lowest("later", slots, bits)),
        ],
    );
    m.done()
}

/// Wires that dma's stages take, to stand in front of them.
pub fn declare(m: &mut Module, config: &Config) {
    m.text(
        r#"  // the piece of state that stage a asks for: where its session lies (0 for what is no state), its head, and whether it is the last
  wire [{{umsb}}:0] session_base;
  wire [{{hmsb}}:0] state_head;
  wire        state_last;"#,
        &[("umsb", (config.axi_addr_bits - 7).to_string()), ("hmsb", (HEAD_BITS - 1).to_string())],
    );
}

/// Drives them. A beat's tag says whether it is to be read as 0, because that depends on the slot.
pub fn connect(m: &mut Module, config: &Config) {
    let slots = config.sessions;
    let bits = index_bits(slots);
    m.text(
        r#"
  wire [{{msb}}:0] state_slot;
  reg         b_zero_q, c_zero_q;
  wire        tag_zero;
  assign session_base = (|a_to_q) ? state_base_i[state_slot*{{u}} +: {{u}}] : {{u}}'d0;

  always_ff @(posedge clk_i) begin
    if (b_load) b_zero_q <= (|a_to_q) && zero_i[state_slot];
    if (c_load) c_zero_q <= b_zero_q;
  end
"#,
        &[("msb", (bits - 1).to_string()), ("u", (config.axi_addr_bits - 6).to_string())],
    );
    m.instance(
        "u_state_order",
        &state_order(slots),
        &[
            ("load_i", "a_load"),
            ("walk_i", &format!("f_kind == 3'd{}", crate::isa::dma_kind::STATE)),
            ("slot_i", &format!("f_slot[{}:0]", bits - 1)),
            ("heads_i", &format!("f_cols[{}:0]", HEAD_BITS - 1)),
            ("step_i", "b_load"),
            ("slots_i", "slots_i"),
            ("slot_o", "state_slot"),
            ("head_o", "state_head"),
            ("last_o", "state_last"),
        ],
    );
}
