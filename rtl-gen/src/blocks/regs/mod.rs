//! Host registers: AXI4-Lite slave, program loading, status and counters (`docs/hardware.md` §6).

pub mod counters;
pub mod state;

use crate::blocks::core::fetch::{COUNT_BITS, LANE_BITS};
use crate::blocks::dma::TOKEN_BITS;
pub use crate::blocks::regs::counters::{sat_bits, LOST, STALLS};
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::FORMATS;
use std::fmt::Write as _;
use std::sync::Arc;

/// Byte addresses of the registers.
pub mod reg {
    pub const ID: u32 = 0x00;
    pub const VERSION: u32 = 0x04;
    pub const CTRL: u32 = 0x08;
    pub const STATUS: u32 = 0x0C;
    pub const TOKEN_IN: u32 = 0x10;
    pub const TOKEN_OUT: u32 = 0x14;
    pub const IMAGE_BASE_LO: u32 = 0x18;
    pub const IMAGE_BASE_HI: u32 = 0x1C;
    pub const PROG_SELECT: u32 = 0x20;
    pub const PROG_DATA: u32 = 0x24;
    pub const CYCLES: u32 = 0x28;
    pub const SAT_MAT: u32 = 0x2C;
    pub const SAT_VEC: u32 = 0x30;
    pub const SAT_WKV: u32 = 0x34;
    pub const WEIGHT_BEATS: u32 = 0x38;
    /// After the stall counters.
    pub const SKIPPED_COLUMNS: u32 = 0x58;
    /// Bit s: slot s works on the next token.
    pub const ACTIVE: u32 = 0x5C;
    /// Of slot 0, which is at [`TOKEN_IN`], too; the others follow, 4 bytes each.
    pub const TOKENS_IN: u32 = 0x80;
    /// Of slot 0, which is at [`TOKEN_OUT`], too; the others follow, 4 bytes each.
    pub const TOKENS_OUT: u32 = 0xA0;
    /// Bit 4: the slots read tokens of one text that follow each other; bits 2:0: the slot of the first one, and of the text.
    pub const PREFILL: u32 = 0xC0;
    /// Slot whose state the next two are about, with the state in memory and several sessions.
    pub const STATE_SLOT: u32 = 0xC4;
    /// Where the state of the session lies, with the state in memory.
    pub const STATE_BASE_LO: u32 = 0xC8;
    pub const STATE_BASE_HI: u32 = 0xCC;
    /// [`crate::config::Config::fingerprint`] of the configuration the chip was made from.
    pub const CONFIG: u32 = 0xD0;
    /// The first of [`super::STALLS`]; the others follow, 4 bytes each.
    pub const STALLS: u32 = 0x3C;
    /// The first of [`super::LOST`]; the others follow, 4 bytes each.
    pub const LOST: u32 = 0x60;
}

/// Bits of CTRL.
pub mod ctrl {
    pub const START: u32 = 1;
    pub const CLEAR: u32 = 2;
    /// With START: logits leave on the stream.
    pub const LOGITS: u32 = 4;
    /// With START: the token ends before the last norm and the head; TOKEN_OUT stays.
    pub const NO_HEAD: u32 = 8;
}

/// Bits of STATUS.
pub mod status {
    pub const BUSY: u32 = 1;
    pub const DONE: u32 = 2;
    /// A read beat, or the response to a write, was SLVERR or DECERR; stays until written with 1.
    pub const READ_ERROR: u32 = 4;
}

/// PREFILL: on.
pub const PREFILL_ON: u32 = 1 << 4;

/// What ID and VERSION read.
pub const ID: u32 = 0x414E_5352;
pub const VERSION: u32 = 1;

/// The register block of `docs/hardware.md` §6.
pub fn regs(config: &Config) -> Arc<Module> {
    let unit_bits = config.axi_addr_bits - 6;
    let (slots, slot_bits) = (config.sessions, index_bits(config.sessions));
    let mut m = Module::new(
        "regs",
        "Host registers, AXI4-Lite slave, 32 bits, one write and one read at a time.\n\
         Write address and data may come in any order; only full words are written: a write with a strobe low is answered\n\
         SLVERR and changes nothing. Unused addresses read 0 and ignore writes, with OKAY.\n\
         Latency: a write takes effect one cycle after the later of address and data, its response follows one cycle later;\n\
         read data come two cycles after the address.\n\
         start_o and clear_o are one-cycle requests, given only while busy_i is low. Counters count from started_i to finished_i,\n\
         one cycle later: what they count comes from all over the core and is registered first.\n\
         Programs: prog_we_o[u] writes word prog_lane_o of instruction prog_idx_o of unit u (0 dma, 1 mat, 2 vec, 3 wkv).",
    );
    m.input("s_axil_awaddr_i", 8, "").input("s_axil_awvalid_i", 1, "").output("s_axil_awready_o", 1, "");
    m.input("s_axil_wdata_i", 32, "").input("s_axil_wstrb_i", 4, "");
    m.input("s_axil_wvalid_i", 1, "").output("s_axil_wready_o", 1, "");
    m.output("s_axil_bresp_o", 2, "").output("s_axil_bvalid_o", 1, "").input("s_axil_bready_i", 1, "");
    m.input("s_axil_araddr_i", 8, "").input("s_axil_arvalid_i", 1, "").output("s_axil_arready_o", 1, "");
    m.output("s_axil_rdata_o", 32, "").output("s_axil_rresp_o", 2, "");
    m.output("s_axil_rvalid_o", 1, "").input("s_axil_rready_i", 1, "");
    m.output("start_o", 1, "start a token").output("clear_o", 1, "clear the state first");
    m.output("logits_on_o", 1, "logits leave on the stream").output("no_head_o", 1, "the token ends before the head");
    m.output("token_o", TOKEN_BITS * slots, "slot 0 lowest");
    if slots > 1 {
        m.output("active_o", slots, "slots that work").output("prefill_o", 1, "they read one text");
        m.output("home_o", slot_bits, "slot of that text");
    }
    m.output("image_base_o", unit_bits, "64 B units");
    if config.streams_state() {
        m.output("state_base_o", slots * unit_bits, if slots > 1 { "64 B units, slot 0 lowest" } else { "64 B units" });
    }
    m.output("prog_we_o", 4, "").output("prog_lane_o", LANE_BITS, "").output("prog_idx_o", COUNT_BITS, "");
    m.output("prog_wdata_o", 32, "");
    m.input("busy_i", 1, "").input("started_i", 1, "a token starts").input("running_i", 1, "a token runs");
    m.input("finished_i", 1, "the token is finished").input("argmax_i", TOKEN_BITS * slots, "");
    m.input("read_error_i", 1, "").input("beat_i", 1, "a beat was received");
    let [sat_mat, sat_vec, sat_wkv] = sat_bits(config);
    m.input("sat_mat_i", sat_mat, "saturations of this cycle").input("sat_vec_i", sat_vec, "");
    m.input("sat_wkv_i", sat_wkv, "");
    m.input("event_i", STALLS.len(), "stall counters, in register order");
    m.input("lost_i", LOST.len(), "causes of a cycle without a beat, in register order; at most one");
    m.input("skipped_i", 15, "columns not read");

    let mut reads = String::new();
    let mut read = |at: u32, value: String| {
        let _ = writeln!(reads, "      6'h{:02x}: rdata_d = {value};", at / 4);
    };
    read(reg::ID, format!("32'h{ID:08x}"));
    read(reg::VERSION, format!("32'd{VERSION}"));
    read(reg::CONFIG, format!("32'h{:08x}", config.fingerprint()));
    read(reg::STATUS, "{29'b0, read_error_q, done_q, busy_i}".into());
    read(reg::TOKEN_IN, "token_read_0".into());
    read(reg::TOKEN_OUT, "argmax_read_0".into());
    if slots > 1 {
        for s in 0..slots {
            read(reg::TOKENS_IN + 4 * s as u32, format!("token_read_{s}"));
            read(reg::TOKENS_OUT + 4 * s as u32, format!("argmax_read_{s}"));
        }
        read(reg::ACTIVE, format!("{{{}'b0, active_q}}", 32 - slots));
        read(reg::PREFILL, format!("{{27'b0, prefill_q, {}'b0, home_q}}", 4 - slot_bits));
    }
    read(reg::IMAGE_BASE_LO, "base_lo".into());
    let high = config.axi_addr_bits - 32; // address bits in IMAGE_BASE_HI
    let pad = if high < 32 { format!("{}'b0, ", 32 - high) } else { String::new() };
    let base_hi = match high {
        0 => String::new(),
        _ => format!("  wire [31:0] base_hi = {{{pad}base_q[{}:32]}};", config.axi_addr_bits - 1),
    };
    if high > 0 {
        read(reg::IMAGE_BASE_HI, "base_hi".into());
    }
    if config.streams_state() {
        state::reads(config).into_iter().for_each(|(at, value)| read(at, value));
    }
    read(reg::PROG_SELECT, "{30'b0, select_q}".into());
    let counters = counters::counters(config);
    counters.reads.into_iter().for_each(|(at, value)| read(at, value));

    let mut last_lane = String::new();
    for (i, f) in FORMATS.iter().enumerate().take(3) {
        let _ = write!(last_lane, "(select_q == 2'd{i}) ? 3'd{} : ", f.bits / 32 - 1);
    }
    let _ = write!(last_lane, "3'd{}", FORMATS[3].bits / 32 - 1);
    let at = |a: u32| format!("6'h{:02x}", a / 4);
    let base_hi_write = match high {
        0 => String::new(),
        _ => format!(
            "      if (write && w_at_q == {}) base_q[{}:32] <= w_data_q[{}:0];",
            at(reg::IMAGE_BASE_HI),
            config.axi_addr_bits - 1,
            high - 1
        ),
    };
    if config.streams_state() {
        state::declare(&mut m, config);
    }
    m.text(
        BODY,
        &[
            ("abits", (config.axi_addr_bits - 1).to_string()),
            ("ctrl", at(reg::CTRL)),
            ("status", at(reg::STATUS)),
            ("tmsb", (TOKEN_BITS * slots - 1).to_string()),
            (
                "keep_argmax",
                match slots {
                    1 => "      if (finished_i && !no_head_q) argmax_q <= argmax_i;".into(),
                    _ => (0..slots)
                        .map(|s| {
                            let slice = format!("[{}:{}]", TOKEN_BITS * s + TOKEN_BITS - 1, TOKEN_BITS * s);
                            format!("      if (finished_i && !no_head_q && active_o[{s}]) argmax_q{slice} <= argmax_i{slice};")
                        })
                        .collect::<Vec<_>>()
                        .join("\n"),
                },
            ),
            ("token_writes", token_writes(slots)),
            ("token_reads", token_reads(slots)),
            ("base_lo", at(reg::IMAGE_BASE_LO)),
            ("base_hi", base_hi),
            ("base_hi_write", base_hi_write),
            ("prog_select", at(reg::PROG_SELECT)),
            ("prog_data", at(reg::PROG_DATA)),
            ("last_lane", last_lane),
            ("reads", reads.trim_end().to_string()),
            ("counters", counters.declare),
            ("processes", counters.processes.trim_end().to_string()),
        ],
    );
    if config.streams_state() {
        state::write(&mut m, config);
    }
    if slots > 1 {
        slot_registers(&mut m, slots, slot_bits);
    }
    m.done()
}

/// The writes of TOKEN_IN; that of slot 0 has two addresses if there are others.
fn token_writes(slots: usize) -> String {
    let at = |a: u32| format!("w_at_q == 6'h{:02x}", a / 4);
    let one = |s: usize| {
        let own = at(reg::TOKENS_IN + 4 * s as u32);
        let condition = match (s, slots) {
            (0, 1) => at(reg::TOKEN_IN),
            (0, _) => format!("({} || {own})", at(reg::TOKEN_IN)),
            _ => own,
        };
        let slice = format!("[{}:{}]", TOKEN_BITS * s + TOKEN_BITS - 1, TOKEN_BITS * s);
        format!("      if (write && {condition}) token_q{slice} <= w_data_q[17:0];")
    };
    (0..slots).map(one).collect::<Vec<_>>().join("\n")
}

/// What TOKEN_IN and TOKEN_OUT of each slot read.
fn token_reads(slots: usize) -> String {
    let one = |(name, s): (&str, usize)| {
        let slice = format!("[{}:{}]", TOKEN_BITS * s + TOKEN_BITS - 1, TOKEN_BITS * s);
        format!("  wire [31:0] {name}_read_{s} = {{14'b0, {name}_q{slice}}};")
    };
    (0..slots).flat_map(|s| [("token", s), ("argmax", s)]).map(one).collect::<Vec<_>>().join("\n")
}

/// ACTIVE and PREFILL.
fn slot_registers(m: &mut Module, slots: usize, slot_bits: usize) {
    let at = |a: u32| format!("6'h{:02x}", a / 4);
    m.text(
        r#"

  // Slots.
  reg  [{{smsb}}:0] active_q;
  reg         prefill_q;
  reg  [{{hmsb}}:0] home_q;

  assign active_o  = active_q | { {{slots}}{prefill_q}};
  assign prefill_o = prefill_q;
  assign home_o    = home_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q  <= '1;
      prefill_q <= 1'b0;
      home_q    <= '0;
    end else begin
      if (write && w_at_q == {{active}} && (|w_data_q[{{smsb}}:0])) active_q <= w_data_q[{{smsb}}:0];
      if (write && w_at_q == {{prefill}}) begin
        prefill_q <= w_data_q[4];
        home_q    <= w_data_q[{{hmsb}}:0];
      end
    end
  end
"#,
        &[
            ("smsb", (slots - 1).to_string()),
            ("hmsb", (slot_bits - 1).to_string()),
            ("slots", slots.to_string()),
            ("active", at(reg::ACTIVE)),
            ("prefill", at(reg::PREFILL)),
        ],
    );
}

const BODY: &str = r#"
  reg         aw_valid_q, w_valid_q, b_valid_q, b_error_q, w_full_q;
  reg  [5:0]  w_at_q;        // word address of the write
  reg  [31:0] w_data_q;
  reg         ar_valid_q, r_valid_q;
  reg  [5:0]  ar_at_q;
  reg  [31:0] rdata_d, rdata_q;
  wire unused_addr = &{1'b0, s_axil_awaddr_i[1:0], s_axil_araddr_i[1:0]};

  reg         logits_on_q, no_head_q, done_q, read_error_q;
  reg  [{{tmsb}}:0] token_q, argmax_q;
  reg  [{{abits}}:6] base_q;
  reg  [1:0]  select_q;
  reg  [2:0]  lane_q;      // next 32-bit word of the instruction
  reg  [11:0] idx_q;       // next instruction
{{counters}}

  // Writes: act once address and data are both here and the last response is taken.
  wire act   = aw_valid_q && w_valid_q && !b_valid_q;
  wire write = act && w_full_q;
  wire load  = write && (w_at_q == {{prog_data}});

  wire [2:0] last_lane = {{last_lane}};

  assign s_axil_awready_o = !aw_valid_q;
  assign s_axil_wready_o  = !w_valid_q;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = {b_error_q, 1'b0};

  assign start_o      = write && (w_at_q == {{ctrl}}) && w_data_q[0] && !busy_i;
  assign clear_o      = write && (w_at_q == {{ctrl}}) && w_data_q[1] && !busy_i;
  assign logits_on_o  = logits_on_q;
  assign token_o      = token_q;
  assign no_head_o    = no_head_q;
  assign image_base_o = base_q;
  assign prog_we_o    = load ? (4'b0001 << select_q) : 4'b0000;
  assign prog_lane_o  = lane_q;
  assign prog_idx_o   = idx_q;
  assign prog_wdata_o = w_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
      b_valid_q  <= 1'b0;
    end else begin
      if (act) aw_valid_q <= 1'b0;
      else if (s_axil_awvalid_i) aw_valid_q <= 1'b1;
      if (act) w_valid_q <= 1'b0;
      else if (s_axil_wvalid_i) w_valid_q <= 1'b1;
      if (act) b_valid_q <= 1'b1;
      else if (s_axil_bready_i) b_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_awvalid_i && s_axil_awready_o) w_at_q <= s_axil_awaddr_i[7:2];
    if (s_axil_wvalid_i && s_axil_wready_o) begin
      w_data_q <= s_axil_wdata_i;
      w_full_q <= &s_axil_wstrb_i;
    end
    if (act) b_error_q <= !w_full_q;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      logits_on_q  <= 1'b0;
      no_head_q    <= 1'b0;
      done_q       <= 1'b0;
      read_error_q <= 1'b0;
      token_q      <= '0;
      argmax_q     <= '0;
      base_q       <= '0;
      select_q     <= '0;
      lane_q       <= '0;
      idx_q        <= '0;
    end else begin
      if (start_o) logits_on_q <= w_data_q[2];
      if (start_o) no_head_q <= w_data_q[3];
      if (start_o) done_q <= 1'b0;
      else if (finished_i) done_q <= 1'b1;
{{keep_argmax}}
      if (read_error_i) read_error_q <= 1'b1;
      else if (write && w_at_q == {{status}} && w_data_q[2]) read_error_q <= 1'b0;
{{token_writes}}
      if (write && w_at_q == {{base_lo}}) base_q[31:6] <= w_data_q[31:6];
{{base_hi_write}}
      if (write && w_at_q == {{prog_select}}) begin
        select_q <= w_data_q[1:0];
        lane_q   <= '0;
        idx_q    <= '0;
      end else if (load) begin
        lane_q <= (lane_q == last_lane) ? 3'd0 : lane_q + 3'd1;
        if (lane_q == last_lane) idx_q <= idx_q + 12'd1;
      end
    end
  end

  // Reads.
  assign s_axil_arready_o = !ar_valid_q;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rdata_o   = rdata_q;
  assign s_axil_rresp_o   = 2'b00;
  wire answer = ar_valid_q && !r_valid_q;
  wire [31:0] base_lo = {base_q[31:6], 6'b0};
{{token_reads}}
{{base_hi}}

  always_comb begin
    case (ar_at_q)
{{reads}}
      default: rdata_d = 32'b0;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      r_valid_q  <= 1'b0;
    end else begin
      if (answer) ar_valid_q <= 1'b0;
      else if (s_axil_arvalid_i) ar_valid_q <= 1'b1;
      if (answer) r_valid_q <= 1'b1;
      else if (s_axil_rready_i) r_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_arvalid_i && s_axil_arready_o) ar_at_q <= s_axil_araddr_i[7:2];
    if (answer) rdata_q <= rdata_d;
  end

{{processes}}
"#;
