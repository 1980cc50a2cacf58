//! The way of the state back to memory: words of vec and wkv to AXI4 write bursts.

use crate::blocks::dma::burst_beats;
use crate::blocks::prim::fifo;
use crate::config::{Config, VEC_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Bursts that may wait for the address channel; with fewer, short ones would hold up the words behind them.
const CUTS: usize = 16;

/// The AXI4 write master of a configuration with the state in memory.
pub fn state_writer(config: &Config) -> Arc<Module> {
    let (vl, stored) = (config.vlanes(), config.stored_bits());
    let burst = burst_beats(config);
    let depth = 2 * burst.max(32);
    let beat_shift = config.beat_bytes().ilog2() as usize; // bytes to beats
    let unit_shift = 6 - beat_shift; // 64 B units to beats
    let unit_bits = config.axi_addr_bits - 6;
    let beat_bits = unit_bits + unit_shift;
    let lo = burst.ilog2() as usize;
    let run_bits = lo.max(1); // a burst ends with its last beat, so it is never counted
    let slots = config.sessions;
    let (many, slot_bits) = (slots > 1, index_bits(slots));
    let in_flight = config.max_outstanding;
    let mut m = Module::new(
        "state_writer",
        format!(
            "Writes the state of a token to memory, in the order in which its words come: {vl} elements a beat, 32 bits each,\n\
             sign-extended. start_i sets the address to base_i (in units of 64 B); every beat follows the one before it.\n\
             r_* are words of the recurrence, v_* words of a session vector ({VEC_BITS} bits an element); r_* goes first. A word is taken\n\
             only if it will find room, and belongs to a burst from then on. A burst ends at a multiple of {burst} beats (so never\n\
             beyond 4 KiB), after a word with v_last_i, and after r_flush_i (a pulse that follows the last word); only then is it asked\n\
             for, so its data never pause. Bursts: INCR, full width, all strobes set, at most {in_flight} without response, one ID.\n\
             idle_o: every word taken is in memory (its response has come), and none is on offer. error_o: a response was SLVERR or\n\
             DECERR. Latency: end of a burst to awvalid 2 cycles, to wvalid 3; then one beat a cycle. {depth} beats wait here.{}",
            match many {
                true => "\nEach slot has an address of its own. A burst ends before a word of another slot, which is refused for a cycle unless the\n\
                    burst ended anyway. A session vector of a slot that is not in slots_i is taken and goes nowhere.",
                false => "",
            }
        ),
    );
    m.input("start_i", 1, "pulse: a token starts").input(
        "base_i",
        slots * unit_bits,
        if many { "64 B units, slot 0 lowest" } else { "64 B units" },
    );
    if many {
        m.input("slots_i", slots, "slots whose state is written").input("r_slot_i", slot_bits, "whose word");
        m.input("v_slot_i", slot_bits, "whose word");
    }
    m.input("r_valid_i", 1, "recurrence").output("r_ready_o", 1, "").input("r_data_i", vl * stored, "");
    m.input("r_flush_i", 1, "pulse");
    m.input("v_valid_i", 1, "session vector").output("v_ready_o", 1, "").input("v_data_i", vl * VEC_BITS, "");
    m.input("v_last_i", 1, "its last word");
    m.output("idle_o", 1, "").output("error_o", 1, "");
    m.output("m_axi_awaddr_o", config.axi_addr_bits, "bytes").output("m_axi_awlen_o", 8, "beats - 1");
    m.output("m_axi_awsize_o", 3, "").output("m_axi_awburst_o", 2, "");
    m.output("m_axi_awvalid_o", 1, "").input("m_axi_awready_i", 1, "");
    m.output("m_axi_wdata_o", config.bus_bits, "").output("m_axi_wstrb_o", config.beat_bytes(), "");
    m.output("m_axi_wlast_o", 1, "").output("m_axi_wvalid_o", 1, "").input("m_axi_wready_i", 1, "");
    m.input("m_axi_bresp_i", 2, "").input("m_axi_bvalid_i", 1, "").output("m_axi_bready_o", 1, "");

    let extend = |from: &str, bits: usize, to: usize| {
        let lane = |l: usize| {
            let (top, low) = ((l + 1) * bits - 1, l * bits);
            match to - bits {
                0 => format!("{from}[{top}:{low}]"),
                n => format!("{{{n}{{{from}[{top}]}}}}, {from}[{top}:{low}]"),
            }
        };
        (0..vl).rev().map(lane).collect::<Vec<_>>().join(", ")
    };
    let flight_bits = index_bits(in_flight + 1);
    let vars = [
        ("bmsb", (beat_bits - 1).to_string()),
        ("one", format!("{beat_bits}'d1")),
        ("base", bases(slots, unit_bits, unit_shift)),
        ("beats", (slots * beat_bits - 1).to_string()),
        ("slot", (slot_bits - 1).to_string()),
        ("b", beat_bits.to_string()),
        ("beat", if many { "beat" } else { "beat_q" }.into()),
        ("other", if many { OTHER } else { "" }.into()),
        ("ready", if many { "!close" } else { "!flush_q" }.into()),
        ("close", if many { "close" } else { "flush_q" }.into()),
        ("v_valid", if many { "(v_valid_i && kept)" } else { "v_valid_i" }.into()),
        ("v_ready", if many { "(in_ready || !kept)" } else { "in_ready" }.into()),
        ("this_beat", if many { format!("beat_q[slot*{beat_bits} +: {beat_bits}]") } else { "beat_q".into() }),
        ("rmsb", (run_bits - 1).to_string()),
        ("run_one", format!("{run_bits}'d1")),
        (
            "at_end",
            if lo == 0 { "1'b1".into() } else { format!("&{}[{}:0]", if many { "beat" } else { "beat_q" }, lo - 1) },
        ),
        ("len", if run_bits == 8 { "more".into() } else { format!("{{{}'b0, more}}", 8 - run_bits) }),
        ("dmsb", (vl * stored - 1).to_string()),
        ("vector", extend("v_data_i", VEC_BITS, stored)),
        ("wdata", extend("data", stored, 32)),
        ("cmsb", (beat_bits + 7).to_string()),
        ("fmsb", (flight_bits - 1).to_string()),
        ("limit", format!("{flight_bits}'d{in_flight}")),
        ("f_one", format!("{flight_bits}'d1")),
        ("zero", format!("{beat_shift}'b0")),
        ("size", format!("3'd{beat_shift}")),
        ("bytes", config.beat_bytes().to_string()),
    ];
    m.text("\n  // In: words get their place, and bursts their ends.", &[]);
    m.text(if many { SLOT_PLACES } else { PLACE }, &vars);
    m.text(BODY, &vars);
    if many {
        m.text("\n  always_ff @(posedge clk_i) if (accept) run_slot_q <= slot;", &[]);
    }
    m.instance(
        "u_data",
        &fifo(vl * stored, depth),
        &[
            ("in_valid_i", "accept"),
            ("in_ready_o", "data_room"),
            ("in_data_i", "word"),
            ("out_valid_o", "data_valid"),
            ("out_ready_i", "w_beat"),
            ("out_data_o", "data"),
        ],
    );
    m.instance(
        "u_cuts",
        &fifo(beat_bits + 8, CUTS),
        &[
            ("in_valid_i", "cut"),
            ("in_ready_o", "cut_room"),
            ("in_data_i", "{first, len}"),
            ("out_valid_o", "burst_valid"),
            ("out_ready_i", "load"),
            ("out_data_o", "burst"),
        ],
    );
    m.done()
}

/// STATE_BASE of every slot in beats.
fn bases(slots: usize, unit_bits: usize, unit_shift: usize) -> String {
    let one = |s: usize| format!("base_i[{}:{}]", (s + 1) * unit_bits - 1, s * unit_bits);
    match (slots, unit_shift) {
        (_, 0) => "base_i".into(),
        (1, n) => format!("{{base_i, {n}'b0}}"),
        (_, n) => {
            let all: Vec<_> = (0..slots).rev().map(|s| format!("{}, {n}'b0", one(s))).collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

const PLACE: &str = r#"  reg  [{{bmsb}}:0] beat_q, first_q;  // of the next word; of the first word of the burst under way
"#;

/// Several sessions: whose word comes, where it goes, and whether the burst under way must end before it.
const SLOT_PLACES: &str = r#"  reg  [{{beats}}:0] beat_q;            // of each slot's next word
  reg  [{{bmsb}}:0] first_q;           // of the first word of the burst under way
  reg  [{{slot}}:0] run_slot_q;         // whose burst that is
  wire [{{slot}}:0] slot = r_valid_i ? r_slot_i : v_slot_i;
  wire [{{bmsb}}:0] beat = beat_q[slot*{{b}} +: {{b}}];
  wire        kept = slots_i[v_slot_i];
"#;

/// And when it must.
const OTHER: &str = "  wire close    = flush_q || (run_q != '0 && run_slot_q != slot && (r_valid_i || v_valid_i));\n";

const BODY: &str = r#"  reg  [{{rmsb}}:0] run_q;            // words of the burst under way
  reg         flush_q;          // end it before another word comes
  wire        data_room, cut_room;
  wire [{{dmsb}}:0] word, data;

{{other}}  wire in_ready = data_room && cut_room && {{ready}};
  wire accept   = (r_valid_i || {{v_valid}}) && in_ready;
  wire at_end   = {{at_end}};
  wire begun    = (run_q != '0);
  wire cut      = (accept && at_end) || ({{close}} && begun && cut_room);
  wire [{{bmsb}}:0] first = begun ? first_q : {{beat}};
  wire [{{rmsb}}:0] more  = {{close}} ? run_q - {{run_one}} : run_q;  // words but one
  wire [7:0]  len   = {{len}};

  assign r_ready_o = in_ready;
  assign v_ready_o = {{v_ready}} && !r_valid_i;
  assign word      = r_valid_i ? r_data_i : { {{vector}}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q  <= '0;
      first_q <= '0;
      run_q   <= '0;
      flush_q <= 1'b0;
    end else begin
      if (start_i) beat_q <= {{base}};
      else if (accept) {{this_beat}} <= {{beat}} + {{one}};
      first_q <= first;
      if (cut) run_q <= '0;
      else if (accept) run_q <= run_q + {{run_one}};
      if (r_flush_i || (v_last_i && v_valid_i && v_ready_o)) flush_q <= 1'b1;
      else if (cut || !begun) flush_q <= 1'b0;
    end
  end

  // Out: addresses are a burst ahead of the data, so that a slave which wants them first costs nothing.
  reg         aw_valid_q, w_next_q, w_active_q;
  reg  [{{bmsb}}:0] aw_beat_q;
  reg  [7:0]  aw_len_q, w_len_q, w_left_q;  // of the burst whose data are next; beats of this one after the present
  reg  [{{fmsb}}:0] open_q;           // bursts without response
  wire        data_valid, burst_valid;
  wire [{{cmsb}}:0] burst;
  wire        w_beat = m_axi_wvalid_o && m_axi_wready_i;
  wire        w_end  = w_beat && m_axi_wlast_o;
  wire        follow = w_next_q && (!w_active_q || w_end);
  wire        load   = burst_valid && (!aw_valid_q || m_axi_awready_i) && (!w_next_q || follow) && (open_q != {{limit}});
  wire        answer = m_axi_bvalid_i && m_axi_bready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_next_q   <= 1'b0;
      w_active_q <= 1'b0;
      open_q     <= '0;
    end else begin
      if (load) aw_valid_q <= 1'b1;
      else if (m_axi_awready_i) aw_valid_q <= 1'b0;
      if (load) w_next_q <= 1'b1;
      else if (follow) w_next_q <= 1'b0;
      if (follow) w_active_q <= 1'b1;
      else if (w_end) w_active_q <= 1'b0;
      if (load && !answer) open_q <= open_q + {{f_one}};
      else if (!load && answer) open_q <= open_q - {{f_one}};
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      aw_beat_q <= burst[{{cmsb}}:8];
      aw_len_q  <= burst[7:0];
      w_len_q   <= burst[7:0];
    end
    if (follow) w_left_q <= w_len_q;
    else if (w_beat) w_left_q <= w_left_q - 8'd1;
  end

  assign m_axi_awaddr_o  = {aw_beat_q, {{zero}}};
  assign m_axi_awlen_o   = aw_len_q;
  assign m_axi_awsize_o  = {{size}};
  assign m_axi_awburst_o = 2'b01;
  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_wdata_o   = { {{wdata}}};
  assign m_axi_wstrb_o   = { {{bytes}}{1'b1}};
  assign m_axi_wlast_o   = (w_left_q == 8'd0);
  assign m_axi_wvalid_o  = w_active_q && data_valid;
  assign m_axi_bready_o  = 1'b1;
  wire   unused_bresp    = &{1'b0, m_axi_bresp_i[0]};

  assign idle_o  = !r_valid_i && !v_valid_i && !begun && !burst_valid && (open_q == '0);
  assign error_o = answer && m_axi_bresp_i[1];
"#;
