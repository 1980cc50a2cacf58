//! Pass 2: updates the state words, writes them, and sums `y_i`.

use super::dot::wkv_dot;
use super::lane::{wkv_lane, LATENCY};
use super::slots::{inputs, wkv_rows, INPUTS};
use super::walk::wkv_walk;
use super::Sizes;
use crate::blocks::prim::fifo;
use crate::config::{OPERAND_BITS, VEC_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Stage whose registers hold S': two for the operands, then the lane.
pub const UPDATED: usize = 2 + LATENCY;

/// State words with their `sa_i` in, updated words and `y_i` out.
pub fn wkv_pass2(sizes: &Sizes) -> Arc<Module> {
    let Sizes { vl, sw, .. } = *sizes;
    let mut m = Module::new(
        "wkv_pass2",
        format!(
            "Takes state words with their row's sa_i, updates each in {vl} lanes (wkv_lane), writes it, and sums\n\
             y_i = sat(round(sum_j S'_ij*r_j, shift_y)), which leaves through a queue of {} rows.\n\
             The end of a row is taken only if its y_i will find room there, so nothing after the take ever waits.\n\
             Latency: take_o to the state write (we_o) {UPDATED} cycles, last take of a row to y_valid_o {} cycles; one word a cycle.",
            sizes.row_queue(),
            UPDATED + super::dot::latency(vl) + 1
        ),
    );
    m.input("go_i", 1, "pulse: start; the fields are stable from now on").input("n_head_i", 8, "").input(
        "head_size_i",
        8,
        "",
    );
    m.input("head_words_i", 6, "").input("s_addr_i", sizes.state_addr, "first word");
    let many = sizes.slots > 1;
    m.input("shift_b_i", 6 * sizes.slots, "").input("shift_vk_i", 6 * sizes.slots, "");
    m.input("shift_y_i", 6 * sizes.slots, "slot 0 lowest");
    if many {
        inputs(&mut m, sizes);
        m.output("slot_o", sizes.slot_bits, "whose d, b, k, v").output("r_slot_o", sizes.slot_bits, "whose r");
        if !sizes.streamed {
            m.output("s_slot_o", sizes.slot_bits, "whose state is written");
        }
        m.output("s_of_o", sizes.slot_bits, "by whose token");
    }
    m.input("valid_i", 1, "word_i and sa_i can be taken").input("word_i", vl * sw, "S").input("sa_i", sw, "");
    if sizes.streamed {
        m.input("room_i", 1, "what is written for a word taken now will find room");
    }
    m.output("take_o", 1, "").output("take_last_o", 1, "end of a row");
    m.output("dbk_addr_o", sizes.word_addr, "d, b, k; read with take_o").output(
        "v_addr_o",
        sizes.word_addr,
        "read with take_o",
    );
    for operand in ["d", "b", "k", "v"] {
        m.input(format!("{operand}_i"), vl * OPERAND_BITS, "one cycle after take_o");
    }
    m.output("r_read_o", 1, "").output("r_addr_o", sizes.word_addr, "").input(
        "r_i",
        vl * OPERAND_BITS,
        "one cycle after r_read_o",
    );
    m.output("we_o", 1, "state write").output("s_addr_o", sizes.state_addr, "").output("s_o", vl * sw, "S'");
    m.output("y_valid_o", 1, "").input("y_ready_i", 1, "").output("y_o", VEC_BITS, "signed");
    m.output("clips_o", sizes.clip_bits(), "elements of S' clipped in this cycle; 0 without we_o").output(
        "y_clipped_o",
        1,
        "a y was clipped",
    );
    m.output("idle_o", 1, "no y is under way");
    let lane_bits = index_bits(vl);
    let clips: Vec<String> = (0..vl).map(|l| format!("{{{}'b0, clipped[{l}]}}", sizes.clip_bits() - 1)).collect();
    let vars = [
        ("s", (sw - 1).to_string()),
        ("sword", (vl * sw - 1).to_string()),
        ("oword", (vl * OPERAND_BITS - 1).to_string()),
        ("obits", OPERAND_BITS.to_string()),
        ("omsb", (OPERAND_BITS - 1).to_string()),
        ("ymsb", (VEC_BITS - 1).to_string()),
        ("sa", (sizes.state_addr - 1).to_string()),
        ("lb", lane_bits.to_string()),
        ("lane", (lane_bits - 1).to_string()),
        ("vmsb", (sizes.word_addr + lane_bits - 1).to_string()),
        ("vl1", (vl - 1).to_string()),
        ("rows", index_bits(sizes.row_queue()).to_string()),
        ("room", if sizes.streamed { " && room_i" } else { "" }.to_string()),
        ("clips", clips.join(" + ")),
        ("clip0", format!("{}'d0", sizes.clip_bits())),
        ("slot", sizes.slot_bits.saturating_sub(1).to_string()),
        ("vtop", (sizes.word_addr + lane_bits).to_string()),
        (
            "unused_row",
            match sizes.word_addr + lane_bits {
                18 => String::new(),
                bits => format!(", v_row[17:{bits}]"),
            },
        ),
        ("s_slot", if sizes.streamed { "" } else { "  assign s_slot_o  = prefill_i ? home_i : y_slot_2_q;\n" }.into()),
        ("new", UPDATED.to_string()),
        ("new1", (UPDATED - 1).to_string()),
        ("new2", (UPDATED - 2).to_string()),
    ];
    m.text(UPDATE, &vars);
    m.text(if many { SLOTS } else { ONE_SLOT }, &vars);
    let walk = wkv_walk(sizes);
    let instruction = [
        ("load_i", "go_i"),
        ("n_head_i", "n_head_i"),
        ("head_size_i", "head_size_i"),
        ("head_words_i", "head_words_i"),
    ];
    let connect = |own: [(&'static str, &'static str); 5], slots: [(&'static str, &'static str); 3]| {
        let slots = INPUTS.into_iter().chain(slots).filter(|_| many);
        instruction.into_iter().chain(own).chain(slots).collect::<Vec<_>>()
    };
    let own = [
        ("step_i", "take"),
        ("active_o", "active"),
        ("word_o", "dbk_addr_o"),
        ("first_o", "first"),
        ("last_o", "last"),
    ];
    m.instance(
        "u_walk",
        &walk,
        &connect(own, [("slot_o", "slot"), ("turn_o", "unused_turn"), ("head_o", "unused_head")]),
    );
    for lane in 0..vl {
        let slice = |word: &str, bits: usize| format!("{word}[{}:{}]", (lane + 1) * bits - 1, lane * bits);
        m.instance(
            &format!("u_lane_{lane}"),
            &wkv_lane(sw),
            &[
                ("clk_i", "clk_i"),
                ("en_i", &format!("stage_q[{}:2]", UPDATED - 1)),
                ("s_i", &slice("s_q", sw)),
                ("sa_i", "sa_q"),
                ("v_i", "v_q"),
                ("d_i", &slice("d_q", OPERAND_BITS)),
                ("b_i", &slice("b_q", OPERAND_BITS)),
                ("k_i", &slice("k_q", OPERAND_BITS)),
                ("shift_b_i", if many { "shift_b_q" } else { "shift_b_i" }),
                ("shift_vk_i", if many { "shift_vk_q" } else { "shift_vk_i" }),
                ("s_o", &slice("s_o", sw)),
                ("clipped_o", &format!("clipped[{lane}]")),
            ],
        );
    }
    m.text(READOUT, &vars);
    let own = [
        ("step_i", "r_read_o"),
        ("active_o", "y_active"),
        ("word_o", "r_addr_o"),
        ("first_o", "y_first"),
        ("last_o", "y_last"),
    ];
    m.instance("u_walk_y", &walk, &connect(own, [("slot_o", "y_slot"), ("turn_o", "y_turn"), ("head_o", "y_head")]));
    if many {
        let mut c =
            vec![("load_i", "go_i"), ("n_head_i", "n_head_i"), ("head_size_i", "head_size_i"), ("step_i", "take_row")];
        c.extend([("row_o", "v_row"), ("slot_o", "unused_v_slot")]);
        c.extend(INPUTS);
        m.instance("u_rows", &wkv_rows(sizes), &c);
    }
    m.instance(
        "u_y",
        &wkv_dot("wkv_dot_y", (vl, sw), VEC_BITS, false, many),
        &[
            ("valid_i", "we_o"),
            ("first_i", "y_first_q[2]"),
            ("last_i", "y_last_q[2]"),
            ("a_i", "s_o"),
            ("b_i", "r_q"),
            ("shift_i", if many { "shift_y_q" } else { "shift_y_i" }),
            ("valid_o", "y_final"),
            ("data_o", "y"),
            ("clipped_o", "y_clipped_o"),
        ],
    );
    m.instance(
        "u_y_queue",
        &fifo(VEC_BITS, sizes.row_queue()),
        &[
            ("in_valid_i", "y_final"),
            ("in_ready_o", "y_queue_ready"),
            ("in_data_i", "y"),
            ("out_valid_o", "y_valid_o"),
            ("out_ready_i", "y_ready_i"),
            ("out_data_o", "y_o"),
        ],
    );
    m.done()
}

const UPDATE: &str = r#"
  wire        active, first, last;
  wire        unused_walk = &{1'b0, active, first};
  reg  [{{rows}}:0]  rows_q;    // rows taken to their end whose y is not handed over; 2^{{rows}} at most
  reg  [{{new}}:1]  stage_q;   // bit n: a word is in the registers of stage n
  wire        take      = valid_i{{room}} && (!last || !rows_q[{{rows}}]);
  wire        take_row  = take && last;
  wire        hand_over = y_valid_o && y_ready_i;

  wire [{{vmsb}}:0] v_element;  // head * head_size + row
  reg  [{{sa}}:0] s_addr_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stage_q <= '0;
      rows_q  <= '0;
    end else begin
      stage_q <= {stage_q[{{new1}}:1], take};
      if (take_row != hand_over) rows_q <= take_row ? rows_q + 1'b1 : rows_q - 1'b1;
    end
  end

  // stage 1: beside the memories' outputs; stage 2: the lanes' operands; v and k come a stage later, because v is one of a word
  reg  [{{sword}}:0] s_1_q, s_q;
  reg  [{{s}}:0] sa_1_q, sa_q;
  reg  [{{lane}}:0] v_lane_1_q, v_lane_2_q;
  reg  [{{oword}}:0] d_q, b_q, k_2_q, v_2_q, k_q;
  reg  [{{omsb}}:0] v_q;
  wire [{{vl1}}:0] clipped;

  always_ff @(posedge clk_i) begin
    if (take) begin
      s_1_q      <= word_i;
      sa_1_q     <= sa_i;
      v_lane_1_q <= v_element[{{lane}}:0];
    end
    if (stage_q[1]) begin
      s_q        <= s_1_q;
      sa_q       <= sa_1_q;
      d_q        <= d_i;
      b_q        <= b_i;
      k_2_q      <= k_i;
      v_2_q      <= v_i;
      v_lane_2_q <= v_lane_1_q;
    end
    if (stage_q[2]) begin
      k_q <= k_2_q;
      v_q <= v_2_q[v_lane_2_q*{{obits}} +: {{obits}}];
    end
  end

  assign take_o      = take;
  assign take_last_o = take_row;
  assign v_addr_o    = v_element[{{vmsb}}:{{lb}}];
  assign we_o        = stage_q[{{new}}];
  assign s_addr_o    = s_addr_q;
  assign clips_o     = we_o ? {{clips}} : {{clip0}};
  assign idle_o      = (rows_q == '0);
"#;

/// Where rows and words lie, for one session.
const ONE_SLOT: &str = r#"

  reg  [{{vmsb}}:0] v_element_q;
  assign v_element = v_element_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      v_element_q <= '0;
      s_addr_q    <= '0;
    end else begin
      if (go_i) v_element_q <= '0;
      else if (take_row) v_element_q <= v_element_q + 1'b1;
      if (go_i) s_addr_q <= s_addr_i;
      else if (we_o) s_addr_q <= s_addr_q + 1'b1;
    end
  end
"#;

/// The same for several: each slot of a head begins where the head does, and brings its shifts to the stages that use them.
const SLOTS: &str = r#"

  wire        unused_turn, unused_head, y_turn, y_head;
  wire [{{slot}}:0] slot, y_slot, unused_v_slot;
  wire [17:0] v_row;
  wire        unused_row = &{1'b0{{unused_row}}};
  reg  [{{sa}}:0] head_addr_q;
  reg  [2:1]  y_turn_q, y_head_q;
  reg  [{{slot}}:0] slot_1_q, slot_2_q, slot_3_q, slot_4_q, y_slot_1_q, y_slot_2_q;
  reg  [5:0]  shift_b_q, shift_vk_q, shift_y_q;

  assign v_element = v_row[{{vmsb}}:0];
  assign slot_o    = slot;
  assign r_slot_o  = y_slot;
  assign s_of_o    = y_slot_2_q;
{{s_slot}}
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s_addr_q    <= '0;
      head_addr_q <= '0;
    end else if (go_i) begin
      s_addr_q    <= s_addr_i;
      head_addr_q <= s_addr_i;
    end else if (we_o) begin
      s_addr_q <= (y_turn_q[2] && !y_head_q[2]) ? head_addr_q : s_addr_q + 1'b1;
      if (y_turn_q[2] && y_head_q[2]) head_addr_q <= s_addr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    slot_1_q   <= slot;
    slot_2_q   <= slot_1_q;
    slot_3_q   <= slot_2_q;
    slot_4_q   <= slot_3_q;
    shift_b_q  <= shift_b_i[slot_3_q*6 +: 6];
    shift_vk_q <= shift_vk_i[slot_4_q*6 +: 6];
    y_turn_q   <= {y_turn_q[1], y_turn};
    y_head_q   <= {y_head_q[1], y_head};
    y_slot_1_q <= y_slot;
    y_slot_2_q <= y_slot_1_q;
    shift_y_q  <= shift_y_i[y_slot_1_q*6 +: 6];
  end
"#;

const READOUT: &str = r#"

  // y: r is read so late that it meets S'
  wire        y_active, y_first, y_last, y_final, y_queue_ready;
  wire [{{ymsb}}:0] y;
  wire        unused_y = &{1'b0, y_active, y_queue_ready};  // room in the queue was reserved when the row was taken
  reg  [2:1]  y_first_q, y_last_q;
  reg  [{{oword}}:0] r_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      y_first_q <= '0;
      y_last_q  <= '0;
    end else begin
      y_first_q <= {y_first_q[1], y_first};
      y_last_q  <= {y_last_q[1], y_last};
    end
  end

  always_ff @(posedge clk_i) begin
    if (stage_q[{{new1}}]) r_q <= r_i;
  end

  assign r_read_o = stage_q[{{new2}}];
"#;
