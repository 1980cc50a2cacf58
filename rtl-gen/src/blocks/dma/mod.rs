//! The stream reader: dma instructions to AXI4 read bursts to the weight and parameter fifos.

pub mod columns;
pub mod state_order;
pub mod state_writer;

use crate::blocks::core::vmem::WORD_ADDR_BITS;
use crate::blocks::dma::columns::{COLUMN_BITS, RUN_BITS};
use crate::blocks::prim::fifo;
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::{dma_kind, DMA};
use std::sync::Arc;

/// Bits of a token number (the vocabulary is at most the 18 bits of `mat.rows`).
pub const TOKEN_BITS: usize = 18;

/// Beats of the longest burst: the largest power of two that `max_burst_beats` and a 4 KiB page allow.
///
/// Bursts end at multiples of it, so that one small subtraction keeps both limits.
pub fn burst_beats(config: &Config) -> usize {
    let limit = config.max_burst_beats.min(4096 / config.beat_bytes());
    1 << limit.ilog2()
}

/// The unit `dma` of `docs/hardware.md`.
pub fn dma(config: &Config) -> Arc<Module> {
    let burst = burst_beats(config);
    let beat_shift = config.beat_bytes().ilog2() as usize; // bytes to beats
    let unit_shift = 6 - beat_shift; // 64 B units to beats
    let unit_bits = config.axi_addr_bits - 6;
    let mut m = Module::new(
        "dma",
        format!(
            "Stream reader: turns dma instructions into AXI4 read bursts and routes the beats to the weight or parameter fifo.\n\
             Reads `len` units of 64 B from image_base_i + addr (EMBEDDING: + token_i of its slot * len), all in units of 64 B. COLUMNS asks\n\
             for the runs of columns of an operand (scan_*) and reads each run_* of them: len units a column, below 512.\n\
             Bursts: INCR, full width, at most {burst} beats, never across a multiple of {burst} beats (so never across 4 KiB),\n\
             at most {} in flight, one ID, asked for every other cycle at most; the next instruction's first one follows.\n\
             Latency: accepted instruction to arvalid 5 cycles; beats pass to the fifos in the cycle they arrive.\n\
             {}\
             done_o: one pulse an instruction, in order, with its last beat. An instruction of length 0 reads nothing and is done\n\
             when everything before it is. error_o: an accepted beat carried SLVERR or DECERR.",
            config.max_outstanding,
            match config.streams_state() {
                true if config.sessions > 1 => "STATE and SESSION count from state_base_i of a slot of slots_i: SESSION of its own slot, into the parameter fifo;\n\
                    STATE (cols heads of len units) of every one for each head, to wkv. A slot with its zero_i brings zeros.\n",
                true => "STATE and SESSION count from state_base_i; STATE goes to wkv, SESSION to the parameter fifo; with zero_i both bring zeros.\n",
                false => "",
            }
        ),
    );
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", DMA.bits, "");
    m.input("image_base_i", unit_bits, "64 B units").input("token_i", TOKEN_BITS * config.sessions, "slot 0 lowest");
    m.output("scan_o", 1, "find the columns of").output("scan_x_addr_o", WORD_ADDR_BITS, "operand").output(
        "scan_cols_o",
        16,
        "and its length",
    );
    m.input("run_valid_i", 1, "").output("run_ready_o", 1, "").input("run_first_i", COLUMN_BITS, "first column");
    m.input("run_len_i", RUN_BITS, "columns").input("run_last_i", 1, "no run follows");
    m.output("w_valid_o", 1, "weight fifo").input("w_ready_i", 1, "").output("w_data_o", config.bus_bits, "");
    m.output("p_valid_o", 1, "parameter fifo").input("p_ready_i", 1, "").output("p_data_o", config.bus_bits, "");
    if config.streams_state() {
        let n = config.sessions;
        m.input("state_base_i", n * unit_bits, if n > 1 { "64 B units, slot 0 lowest" } else { "64 B units" });
        m.input("zero_i", n, "all state read is 0; constant in a token");
        if n > 1 {
            m.input("slots_i", n, "slots whose state is read; constant in a token");
        }
        m.output("s_valid_o", 1, "state, to wkv").input("s_ready_i", 1, "").output("s_data_o", config.bus_bits, "");
    }
    m.output("done_o", 1, "").output("error_o", 1, "");
    m.output("beat_o", 1, "a beat is accepted").output("idle_o", 1, "no burst is outstanding");
    m.output("refused_o", 1, "a beat is offered and its fifo is full").output(
        "refused_param_o",
        1,
        if config.streams_state() { "it is the parameter fifo, or wkv's" } else { "it is the parameter fifo" },
    );
    m.output("m_axi_araddr_o", config.axi_addr_bits, "bytes").output("m_axi_arlen_o", 8, "beats - 1");
    m.output("m_axi_arsize_o", 3, "").output("m_axi_arburst_o", 2, "");
    m.output("m_axi_arvalid_o", 1, "").input("m_axi_arready_i", 1, "");
    m.input("m_axi_rdata_i", config.bus_bits, "").input("m_axi_rresp_i", 2, "").input("m_axi_rlast_i", 1, "");
    m.input("m_axi_rvalid_i", 1, "").output("m_axi_rready_o", 1, "");

    let lo = burst.ilog2() as usize;
    let left_bits = 24 + unit_shift;
    let beat_bits = unit_bits + unit_shift;
    let in_flight_bits = index_bits(config.max_outstanding + 1);
    let slots = config.sessions;
    let slot_states = config.streams_state() && slots > 1;
    let shifted = |x: &str| if unit_shift == 0 { x.to_string() } else { format!("{{{x}, {unit_shift}'b0}}") };
    let vars = [
        (
            "decode",
            DMA.decode_wires(
                "instr_i",
                &["last", "kind", "len", "addr", "wait_vec", "x_addr", "cols", "slot", "last_body"],
            ),
        ),
        ("fields", DMA.fields.iter().map(|f| f.1).sum::<usize>().to_string()),
        ("params", format!("3'd{}", dma_kind::PARAMS)),
        ("embedding", format!("3'd{}", dma_kind::EMBEDDING)),
        ("columns", format!("3'd{}", dma_kind::COLUMNS)),
        (
            "or_session",
            if config.streams_state() { format!(" || (f_kind == 3'd{})", dma_kind::SESSION) } else { String::new() },
        ),
        (
            "base",
            match config.streams_state() {
                true if slots > 1 => format!("(f_kind[2] ? {unit_bits}'d0 : image_base_i)"),
                true => "(f_kind[2] ? state_base_i : image_base_i)".into(),
                false => "image_base_i".into(),
            },
        ),
        ("session_base", if slot_states { " + session_base" } else { "" }.into()),
        ("piece", if slot_states { "{10'b0, state_head}" } else { "18'b0" }.into()),
        (
            "end",
            if slot_states { "a_columns_q ? run_last_i : state_last" } else { "!a_columns_q || run_last_i" }.into(),
        ),
        ("slot_token", if config.sessions > 1 { "token_i[a_slot_q*18 +: 18]" } else { "token_i" }.into()),
        (
            "unused_slot",
            match config.sessions {
                1 => "f_slot, ",
                2 => "f_slot[2:1], ",
                4 => "f_slot[2], ",
                _ => "",
            }
            .into(),
        ),
        ("umsb", (unit_bits - 1).to_string()),
        ("addr_ext", extend("f_addr", 32, unit_bits)),
        ("low_ext", extend("b_low_q", 27, unit_bits)),
        ("high_ext", extend("b_high", 36, unit_bits)),
        ("bmsb", (beat_bits - 1).to_string()),
        ("lmsb", (left_bits - 1).to_string()),
        ("start_beat", shifted("b_unit")),
        ("start_left", shifted("b_len_q")),
        ("lo", lo.to_string()),
        ("n_bits", (lo + 1).to_string()),
        ("used", if lo == 0 { "1'd0".into() } else { format!("{{1'b0, c_beat_q[{}:0]}}", lo - 1) }),
        ("burst", format!("{}'d{burst}", lo + 1)),
        ("boundary_ext", extend("to_boundary", lo + 1, left_bits)),
        ("n_ext_beat", extend("n_q", lo + 1, beat_bits)),
        ("n_ext_left", extend("n_q", lo + 1, left_bits)),
        ("n_ext9", extend("n_q", lo + 1, 9)),
        ("beat_zero", format!("{beat_shift}'b0")),
        ("arsize", format!("3'd{beat_shift}")),
        ("fmsb", (in_flight_bits - 1).to_string()),
        ("limit", format!("{in_flight_bits}'d{}", config.max_outstanding)),
        ("f_one", format!("{in_flight_bits}'d1")),
    ];
    let slot_msb = [("s", (index_bits(slots) - 1).to_string())];
    if slots > 1 {
        m.text("  reg  [{{s}}:0] a_slot_q;  // whose row stage a asks for", &slot_msb);
    }
    if slot_states {
        state_order::declare(&mut m, config);
    }
    m.text(BODY, &vars);
    if config.streams_state() {
        m.text(
            STATE,
            &[
                ("zero", if slots > 1 { "tag_zero" } else { "zero_i" }.to_string()),
                ("state", dma_kind::STATE.to_string()),
                ("session", dma_kind::SESSION.to_string()),
                ("bus", config.bus_bits.to_string()),
            ],
        );
    } else {
        m.text(NO_STATE, &[]);
    }
    if slots > 1 {
        m.text("\n  always_ff @(posedge clk_i) begin\n    if (a_load) a_slot_q <= f_slot[{{s}}:0];\n  end", &slot_msb);
    }
    if unit_bits < 36 {
        m.text("  wire unused_product = &{1'b0, b_high[35:{{u}}]};", &[("u", unit_bits.to_string())]);
    }
    if slot_states {
        state_order::connect(&mut m, config);
    }
    let (tag_bits, tag_in, tag_out) = match config.streams_state() {
        true if slots > 1 => (
            5,
            "{c_zero_q, c_to_q, c_param_q, c_final_q && c_end_q}",
            "{tag_zero, tag_session, tag_state, tag_param, tag_final}",
        ),
        true => (4, "{c_to_q, c_param_q, c_final_q && c_end_q}", "{tag_session, tag_state, tag_param, tag_final}"),
        false => (2, "{c_param_q, c_final_q && c_end_q}", "{tag_param, tag_final}"),
    };
    m.instance(
        "u_tags",
        &fifo(tag_bits, config.max_outstanding.next_power_of_two().max(2)),
        &[
            ("in_valid_i", "issue"),
            ("in_ready_o", "unused_tag_ready"),
            ("in_data_i", tag_in),
            ("out_valid_o", "tag_valid"),
            ("out_ready_i", "burst_end"),
            ("out_data_o", tag_out),
        ],
    );
    m.multipliers(3);
    m.done()
}

/// `name`, `from` bits wide, zero-extended or cut to `to` bits.
fn extend(name: &str, from: usize, to: usize) -> String {
    match to.cmp(&from) {
        std::cmp::Ordering::Equal => name.to_string(),
        std::cmp::Ordering::Less => format!("{name}[{}:0]", to - 1),
        std::cmp::Ordering::Greater => format!("{{{}'b0, {name}}}", to - from),
    }
}

const BODY: &str = r#"
{{decode}}
  wire unused_instr = &{1'b0, f_last, f_last_body, f_wait_vec, {{unused_slot}}instr_i[127:{{fields}}]};  // the fetch unit looks at them

  // Stage a: the instruction. Stage b: base + addr, and token * len (an embedding row has fewer than 2^18 units); of an
  // instruction by columns one run after the other, column * len.
  reg         a_valid_q, a_param_q, a_embed_q, a_columns_q;
  reg  [23:0] a_len_q;
  reg  [{{umsb}}:0] a_unit_q;
  reg         b_valid_q, b_param_q, b_end_q;  // end: with this piece the instruction ends
  reg  [23:0] b_len_q;
  reg  [{{umsb}}:0] b_unit_q;
  reg  [26:0] b_low_q, b_high_q;  // the product by the low and by the high half of len, to be added
  // Stage c: the bursts of one instruction.
  reg         c_valid_q, c_param_q, c_end_q;
  reg  [{{bmsb}}:0] c_beat_q;  // address of the next burst, in beats
  reg  [{{lmsb}}:0] c_left_q;  // beats still to be asked for
  // The address channel.
  reg         ar_valid_q;
  reg  [{{bmsb}}:0] ar_beat_q;
  reg  [7:0]  ar_len_q;
  reg  [{{fmsb}}:0] in_flight_q;  // bursts asked for or on offer, last beat not accepted yet

  wire tag_valid, tag_param, tag_final, unused_tag_ready;

  // The next burst, worked out in the cycle after its address and what is left are known.
  reg         c_known_q, c_final_q, c_empty_q;
  reg  [{{n_bits}}-1:0] n_q;
  wire [{{n_bits}}-1:0] to_boundary = {{burst}} - {{used}};
  wire last_burst = (c_left_q <= {{boundary_ext}});
  wire [8:0] n_minus_1 = {{n_ext9}} - 9'd1;
  wire unused_n = &{1'b0, n_minus_1[8]};

  wire issue   = c_known_q && !c_empty_q && (in_flight_q != {{limit}}) && !ar_valid_q;  // arready comes late
  wire skip    = c_known_q && c_empty_q && (in_flight_q == '0);
  wire c_load  = b_valid_q && (!c_valid_q || (issue && c_final_q) || skip);
  wire b_free  = !b_valid_q;  // not also when it goes on: the way from the bursts back to the program would be long
  wire b_load  = a_valid_q && b_free && (!a_columns_q || run_valid_i);
  wire a_end   = {{end}};
  wire a_load  = instr_valid_i && instr_ready_o;

  wire [35:0] b_high  = {b_high_q, 9'b0};
  wire [{{umsb}}:0] b_unit = b_unit_q + {{low_ext}} + {{high_ext}};

  assign instr_ready_o = !a_valid_q;
  assign run_ready_o   = a_valid_q && a_columns_q && b_free;
  assign scan_o        = a_load && (f_kind == {{columns}});
  assign scan_x_addr_o = f_x_addr;
  assign scan_cols_o   = f_cols;

  wire [17:0] token   = a_embed_q ? {{slot_token}} : a_columns_q ? {4'b0, run_first_i} : {{piece}};
  wire [13:0] run_len = {9'b0, run_len_i} * {5'b0, a_len_q[8:0]};

  wire beat      = m_axi_rvalid_i && m_axi_rready_o;
  wire burst_end = beat && m_axi_rlast_i;

  assign m_axi_araddr_o  = {ar_beat_q, {{beat_zero}}};
  assign m_axi_arlen_o   = ar_len_q;
  assign m_axi_arsize_o  = {{arsize}};
  assign m_axi_arburst_o = 2'b01;
  assign m_axi_arvalid_o = ar_valid_q;
  assign p_valid_o = m_axi_rvalid_i && tag_valid && tag_param;
  assign w_data_o  = m_axi_rdata_i;
  assign done_o    = (burst_end && tag_final) || skip;
  assign error_o   = beat && m_axi_rresp_i[1];
  assign beat_o    = beat;
  assign idle_o    = (in_flight_q == '0);
  assign refused_o = m_axi_rvalid_i && tag_valid && !m_axi_rready_o;
  wire unused_rresp = &{1'b0, m_axi_rresp_i[0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_valid_q   <= 1'b0;
      b_valid_q   <= 1'b0;
      c_valid_q   <= 1'b0;
      c_known_q   <= 1'b0;
      ar_valid_q  <= 1'b0;
      in_flight_q <= '0;
    end else begin
      if (a_load) a_valid_q <= 1'b1;
      else if (b_load && a_end) a_valid_q <= 1'b0;
      if (b_load) b_valid_q <= 1'b1;
      else if (c_load) b_valid_q <= 1'b0;
      if (c_load) c_valid_q <= 1'b1;
      else if ((issue && c_final_q) || skip) c_valid_q <= 1'b0;
      c_known_q <= c_valid_q && !issue && !skip;
      if (issue) ar_valid_q <= 1'b1;
      else if (m_axi_arready_i) ar_valid_q <= 1'b0;
      if (issue && !burst_end) in_flight_q <= in_flight_q + {{f_one}};
      else if (!issue && burst_end) in_flight_q <= in_flight_q - {{f_one}};
    end
  end

  always_ff @(posedge clk_i) begin
    if (a_load) begin
      a_param_q <= (f_kind == {{params}}) || (f_kind == {{embedding}}){{or_session}};
      a_embed_q <= (f_kind == {{embedding}});
      a_columns_q <= (f_kind == {{columns}});
      a_len_q   <= f_len;
      a_unit_q  <= {{base}} + {{addr_ext}};
    end
    if (b_load) begin
      b_param_q   <= a_param_q;
      b_end_q     <= a_end;
      b_len_q     <= a_columns_q ? {10'b0, run_len} : a_len_q;
      b_unit_q    <= a_unit_q{{session_base}};
      b_low_q     <= {9'b0, token} * {18'b0, a_len_q[8:0]};
      b_high_q    <= {9'b0, token} * {18'b0, a_len_q[17:9]};
    end
    if (c_load) begin
      c_param_q <= b_param_q;
      c_end_q   <= b_end_q;
      c_beat_q  <= {{start_beat}};
      c_left_q  <= {{start_left}};
    end else if (issue) begin
      c_beat_q  <= c_beat_q + {{n_ext_beat}};
      c_left_q  <= c_left_q - {{n_ext_left}};
    end
    c_final_q <= last_burst;
    c_empty_q <= (c_left_q == '0);
    n_q     <= last_burst ? c_left_q[{{lo}}:0] : to_boundary;
    if (issue) begin
      ar_beat_q <= c_beat_q;
      ar_len_q  <= n_minus_1[7:0];
    end
  end
"#;

/// Where a beat goes if there is no state in memory.
const NO_STATE: &str = r#"

  assign m_axi_rready_o  = tag_valid && (tag_param ? p_ready_i : w_ready_i);
  assign w_valid_o = m_axi_rvalid_i && tag_valid && !tag_param;
  assign p_data_o  = m_axi_rdata_i;
  assign refused_param_o = refused_o && tag_param;
"#;

/// The third way, and which pieces are state: bit 0 of `to` for wkv, bit 1 a session vector.
const STATE: &str = r#"

  reg  [1:0] a_to_q, b_to_q, c_to_q;
  wire       tag_state, tag_session;

  always_ff @(posedge clk_i) begin
    if (a_load) a_to_q <= {f_kind == 3'd{{session}}, f_kind == 3'd{{state}}};
    if (b_load) b_to_q <= a_to_q;
    if (c_load) c_to_q <= b_to_q;
  end

  assign m_axi_rready_o = tag_valid && (tag_state ? s_ready_i : tag_param ? p_ready_i : w_ready_i);
  assign w_valid_o = m_axi_rvalid_i && tag_valid && !tag_param && !tag_state;
  assign s_valid_o = m_axi_rvalid_i && tag_valid && tag_state;
  assign p_data_o  = m_axi_rdata_i & { {{bus}}{!(tag_session && {{zero}})}};
  assign refused_param_o = refused_o && (tag_param || tag_state);
  assign s_data_o  = m_axi_rdata_i & { {{bus}}{!{{zero}}}};
"#;
