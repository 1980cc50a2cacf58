//! Controller of a 16-bit SDRAM: 16-byte beats, banks opened ahead, refresh.

use crate::board::{SdramCycles, SdramShape};
use rtl_gen::hdl::{index_bits, Module};
use std::sync::Arc;

/// Words of one beat: burst length 8.
pub const BURST: u64 = 8;
/// Cycles by which the pads' registers delay a command, and read data on the way back.
pub const PAD_CYCLES: u64 = 1;

/// Times of one bank: what may be done to it when.
fn sdram_bank(row_bits: usize, t: &SdramCycles) -> Arc<Module> {
    let mut m = Module::new(
        "sdram_bank",
        format!(
            "Keeps the open row of one bank and the times until it may be used: column accesses tRCD = {} cycles after\n\
             ACTIVE, PRECHARGE tRAS = {} after ACTIVE and after a burst ({BURST} cycles, written ones tWR = {} more), ACTIVE\n\
             tRP = {} after PRECHARGE and tRC = {} after ACTIVE. Nothing is asked of it within tRFC of a REFRESH.\n\
             Latency: an event of this cycle is seen in the next one. *_ok_o: allowed in the next cycle, unless this one has an event.",
            t.rcd, t.ras, t.wr, t.rp, t.rc
        ),
    );
    m.input("act_i", 1, "").input("row_i", row_bits, "").input("pre_i", 1, "");
    m.input("read_i", 1, "").input("write_i", 1, "");
    m.output("open_o", 1, "").output("row_o", row_bits, "");
    m.output("col_ok_o", 1, "").output("pre_ok_o", 1, "").output("act_ok_o", 1, "");
    let counters = [
        ("col", "col_q", vec![("act_i", t.rcd)]),
        ("pre", "ras_q", vec![("act_i", t.ras)]),
        ("pre", "burst_q", vec![("read_i", BURST), ("write_i", BURST + t.wr)]),
        ("act", "rc_q", vec![("act_i", t.rc)]),
        ("act", "rp_q", vec![("pre_i", t.rp)]),
    ];
    let (mut declare, mut reset, mut count) = (String::new(), String::new(), String::new());
    let mut ok = std::collections::BTreeMap::from([("col", vec![]), ("pre", vec![]), ("act", vec![])]);
    // a wait of two cycles is over when the controller has looked again
    let most = |loads: &[(&str, u64)]| loads.iter().map(|l| l.1).max().unwrap_or(1);
    for (what, name, loads) in counters.iter().filter(|c| most(&c.2) > 2) {
        let bits = index_bits(most(loads) as usize);
        declare += &format!("  reg  [{}:0] {name};\n", bits - 1);
        reset += &format!("      {name} <= '0;\n");
        ok.entry(what).or_default().push(format!("({name} <= {bits}'d1)"));
        let mut chain = String::new();
        for (event, cycles) in loads {
            chain += &format!("if ({event}) {name} <= {bits}'d{};\n      else ", cycles - 1);
        }
        count += &format!("      {chain}if ({name} != '0) {name} <= {name} - {bits}'d1;\n");
    }
    let all = |terms: &[String]| if terms.is_empty() { "1'b1".to_string() } else { terms.join(" && ") };
    m.text(
        r#"
  reg         open_q;
  reg  [{{rmsb}}:0] row_q;
{{declare}}
  assign open_o   = open_q;
  assign row_o    = row_q;
  assign col_ok_o = {{col_ok}};
  assign pre_ok_o = {{pre_ok}};
  assign act_ok_o = {{act_ok}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      open_q <= 1'b0;
{{reset}}
    end else begin
      if (act_i) open_q <= 1'b1;
      else if (pre_i) open_q <= 1'b0;
{{count}}
    end
  end

  always_ff @(posedge clk_i) begin
    if (act_i) row_q <= row_i;
  end
"#,
        &[
            ("rmsb", (row_bits - 1).to_string()),
            ("declare", declare),
            ("col_ok", all(&ok["col"])),
            ("pre_ok", all(&ok["pre"])),
            ("act_ok", all(&ok["act"])),
            ("reset", reset.trim_end().to_string()),
            ("count", count.trim_end().to_string()),
        ],
    );
    m.done()
}

/// The controller for a chip of `shape` at a clock in whose cycles `t` is.
pub fn sdram(shape: &SdramShape, t: &SdramCycles) -> Arc<Module> {
    assert_eq!(shape.bank_bits, 2, "four banks");
    let beat_bits = shape.row_bits + 2 + shape.column_bits - 3;
    let beat_latency = t.cas + 2 * PAD_CYCLES + 1;
    let mut m = Module::new(
        "sdram",
        format!(
            "Controller of a 16-bit SDRAM of four banks. A request is one beat of 16 bytes, address in beats: row, bank, column;\n\
             so the next 2^column words lie in the next bank, whose row is opened while this one is read. Requests are served in\n\
             order: a stream of reads takes {BURST} cycles a beat, whatever rows it crosses, refresh apart.\n\
             Read data come in order as rvalid_o pulses and cannot be held back. The pads register commands, data out and data in\n\
             once each; the data of a read are sampled {beat_latency} cycles after its command is decided.\n\
             Refresh every {} cycles at the latest after the burst under way; power-up waits {} cycles.\n\
             dq_oe_o is high while dq_o drives the bus; one idle cycle lies between read data and written data.",
            t.refresh, t.power_up
        ),
    );
    m.input("req_valid_i", 1, "").output("req_ready_o", 1, "").input("req_we_i", 1, "");
    m.input("req_beat_i", beat_bits, "16 B units").input("req_data_i", 128, "");
    m.output("rvalid_o", 1, "").output("rdata_o", 128, "");
    m.output("cs_no", 1, "").output("ras_no", 1, "").output("cas_no", 1, "").output("we_no", 1, "");
    m.output("ba_o", 2, "").output("addr_o", shape.row_bits, "");
    m.output("dq_oe_o", 1, "").output("dq_o", 16, "").input("dq_i", 16, "");
    let wait_bits = index_bits(t.power_up.max(t.rfc) as usize + 1);
    let refresh_bits = index_bits(t.refresh as usize + 1);
    let turn = BURST + t.cas + 1;
    let turn_bits = index_bits(turn as usize + 1);
    let rrd_bits = index_bits(t.rrd.max(2) as usize + 1);
    let width = |bits: usize, v: u64| format!("{bits}'d{v}");
    m.text(
        BODY,
        &[
            ("bmsb", (beat_bits - 1).to_string()),
            ("rmsb", (shape.row_bits - 1).to_string()),
            ("row", format!("{}:{}", beat_bits - 1, shape.column_bits - 1)),
            ("bank", format!("{}:{}", shape.column_bits - 2, shape.column_bits - 3)),
            ("col", format!("{}:0", shape.column_bits - 4)),
            ("colpad", format!("{}'b0", shape.row_bits - shape.column_bits)),
            ("all", format!("{}'d{}", shape.row_bits, 1 << 10)),
            ("mode", format!("{}'d{}", shape.row_bits, (t.cas << 4) | 3)),
            ("wmsb", (wait_bits - 1).to_string()),
            ("w_one", width(wait_bits, 1)),
            ("w_power", width(wait_bits, t.power_up)),
            ("w_rp", width(wait_bits, t.rp - 1)),
            ("w_rfc", width(wait_bits, t.rfc - 1)),
            ("w_mrd", width(wait_bits, t.mrd - 1)),
            ("fmsb", (refresh_bits - 1).to_string()),
            ("f_load", width(refresh_bits, t.refresh)),
            ("f_one", width(refresh_bits, 1)),
            ("tmsb", (turn_bits - 1).to_string()),
            ("t_load", width(turn_bits, turn - 1)),
            ("t_one", width(turn_bits, 1)),
            ("dmsb", (rrd_bits - 1).to_string()),
            ("d_load", width(rrd_bits, t.rrd - 1)),
            ("d_one", width(rrd_bits, 1)),
            ("lmsb", (beat_latency - 1).to_string()),
            ("lnext", (beat_latency - 2).to_string()),
        ],
    );
    let bank = sdram_bank(shape.row_bits, t);
    for i in 0..4 {
        let at = |name: &str| format!("{name}[{i}]");
        m.instance(
            &format!("u_bank_{i}"),
            &bank,
            &[
                ("act_i", &format!("act && (prep_bank_q == 2'd{i})")),
                ("row_i", "prep_row_q"),
                ("pre_i", &format!("pre_all || (pre && (prep_bank_q == 2'd{i}))")),
                ("read_i", &format!("col && !cur_we_q && (cur_bank == 2'd{i})")),
                ("write_i", &format!("col && cur_we_q && (cur_bank == 2'd{i})")),
                ("open_o", &at("open")),
                ("row_o", &format!("row_{i}")),
                ("col_ok_o", &at("col_ok")),
                ("pre_ok_o", &at("pre_ok")),
                ("act_ok_o", &at("act_ok")),
            ],
        );
    }
    m.done()
}

const BODY: &str = r#"
  // Power-up: wait, PRECHARGE all, eight REFRESH, LOAD MODE; then RUN for ever.
  localparam [1:0] POWER = 2'd0, SET_UP = 2'd1, MODE = 2'd2, RUN = 2'd3;

  reg  [1:0]  init_q;
  reg  [{{wmsb}}:0] wait_q;
  reg         idle_q;         // that is 0
  reg  [3:0]  count_q;        // steps of SET_UP

  // The request being served and the one after it.
  reg         cur_valid_q, cur_we_q, nxt_valid_q, nxt_we_q;
  reg  [{{bmsb}}:0] cur_q, nxt_q;
  reg  [127:0] cur_data_q, nxt_data_q;
  wire [1:0]  cur_bank = cur_q[{{bank}}];
  wire [1:0]  nxt_bank = nxt_q[{{bank}}];

  // What rows and banks allow them in the next cycle, unless anything changes in this one (settle_q, of the cycle before).
  reg         settle_q;
  reg         ready_q;                     // the current request's row is open
  reg         want_pre_q, want_act_q;      // a row is to be closed, opened
  reg  [1:0]  prep_bank_q;
  reg  [{{rmsb}}:0] prep_row_q;
  reg         all_pre_q, all_act_q;        // for every bank
  wire [3:0]  open, col_ok, pre_ok, act_ok;
  wire [{{rmsb}}:0] row_0, row_1, row_2, row_3;

  reg  [2:0]  slot_q;         // cycles until the data bus takes the next burst
  reg  [{{tmsb}}:0] turn_q;         // cycles until it takes a written one
  reg  [{{dmsb}}:0] rrd_q;          // cycles until the next ACTIVE of any bank
  reg  [{{fmsb}}:0] refresh_q;      // cycles until a refresh is due
  reg         slot_ok_q, turn_ok_q, rrd_ok_q;  // the three are 0
  reg         due_q, closed_q;

  wire run     = (init_q == RUN);
  wire go      = run && !settle_q && idle_q && !due_q;
  wire col     = go && ready_q && slot_ok_q && (!cur_we_q || turn_ok_q);
  wire pre     = go && !col && want_pre_q;
  wire act     = go && !col && want_act_q && rrd_ok_q;

  // Refresh, and the same commands at power-up.
  wire still   = !settle_q && idle_q;
  wire pre_all = run ? (due_q && !closed_q && all_pre_q && still) : ((init_q == POWER) && idle_q);
  wire refresh = run ? (due_q && closed_q && all_act_q && still) : ((init_q == SET_UP) && idle_q);
  wire mode    = (init_q == MODE) && idle_q;

  // A row is opened for the current request, or if it has one, for the next in another bank.
  wire [3:0]  cur_hits = open & {row_3 == cur_q[{{row}}], row_2 == cur_q[{{row}}], row_1 == cur_q[{{row}}], row_0 == cur_q[{{row}}]};
  wire [3:0]  nxt_hits = open & {row_3 == nxt_q[{{row}}], row_2 == nxt_q[{{row}}], row_1 == nxt_q[{{row}}], row_0 == nxt_q[{{row}}]};
  wire cur_hit  = cur_hits[cur_bank];
  wire nxt_hit  = nxt_hits[nxt_bank];
  wire nxt_else = nxt_valid_q && (nxt_bank != cur_bank);

  assign req_ready_o = run && !nxt_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      init_q      <= POWER;
      wait_q      <= {{w_power}};
      idle_q      <= 1'b0;
      slot_ok_q   <= 1'b1;
      turn_ok_q   <= 1'b1;
      rrd_ok_q    <= 1'b1;
      count_q     <= '0;
      cur_valid_q <= 1'b0;
      nxt_valid_q <= 1'b0;
      settle_q    <= 1'b0;
      slot_q      <= '0;
      turn_q      <= '0;
      rrd_q       <= '0;
      refresh_q   <= {{f_load}};
      due_q       <= 1'b0;
      closed_q    <= 1'b0;
    end else begin
      if (pre_all) wait_q <= {{w_rp}};
      else if (refresh) wait_q <= {{w_rfc}};
      else if (mode) wait_q <= {{w_mrd}};
      else if (wait_q != '0) wait_q <= wait_q - {{w_one}};

      idle_q <= !(pre_all || refresh || mode) && (wait_q <= {{w_one}});

      if (init_q == POWER && pre_all) init_q <= SET_UP;
      if (init_q == SET_UP && refresh) begin
        count_q <= count_q + 4'd1;
        if (count_q == 4'd7) init_q <= MODE;
      end
      if (mode) init_q <= RUN;

      if (refresh_q == '0) refresh_q <= {{f_load}};
      else if (run) refresh_q <= refresh_q - {{f_one}};
      if (refresh_q == '0) due_q <= 1'b1;
      else if (refresh) due_q <= 1'b0;
      if (pre_all) closed_q <= 1'b1;
      else if (refresh) closed_q <= 1'b0;

      settle_q <= col || pre || act || pre_all || (req_valid_i && req_ready_o) || (nxt_valid_q && !cur_valid_q);
      if (col) slot_q <= 3'd7;
      else if (slot_q != '0) slot_q <= slot_q - 3'd1;
      if (col && !cur_we_q) turn_q <= {{t_load}};
      else if (turn_q != '0) turn_q <= turn_q - {{t_one}};
      if (act) rrd_q <= {{d_load}};
      else if (rrd_q != '0) rrd_q <= rrd_q - {{d_one}};
      slot_ok_q <= !col && (slot_q <= 3'd1);
      turn_ok_q <= !(col && !cur_we_q) && (turn_q <= {{t_one}});
      rrd_ok_q  <= !act && (rrd_q <= {{d_one}});

      if (col || !cur_valid_q) begin
        cur_valid_q <= nxt_valid_q;
        nxt_valid_q <= 1'b0;
      end
      if (req_valid_i && req_ready_o) nxt_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (col || !cur_valid_q) begin
      cur_q      <= nxt_q;
      cur_we_q   <= nxt_we_q;
      cur_data_q <= nxt_data_q;
    end
    if (req_valid_i && req_ready_o) begin
      nxt_q      <= req_beat_i;
      nxt_we_q   <= req_we_i;
      nxt_data_q <= req_data_i;
    end
    ready_q     <= cur_valid_q && cur_hit && col_ok[cur_bank];
    want_pre_q  <= cur_valid_q && (cur_hit ? nxt_else && !nxt_hit && open[nxt_bank] && pre_ok[nxt_bank]
                                           : open[cur_bank] && pre_ok[cur_bank]);
    want_act_q  <= cur_valid_q && (cur_hit ? nxt_else && !open[nxt_bank] && act_ok[nxt_bank]
                                           : !open[cur_bank] && act_ok[cur_bank]);
    prep_bank_q <= cur_hit ? nxt_bank : cur_bank;
    prep_row_q  <= cur_hit ? nxt_q[{{row}}] : cur_q[{{row}}];
    all_pre_q   <= (&pre_ok);
    all_act_q   <= (&act_ok);
  end

  // Commands: {ras, cas, we} low. Written words follow their command, the first with it.
  reg  [2:0]  cmd_q;
  reg  [1:0]  ba_q;
  reg  [{{rmsb}}:0] addr_q;
  reg         oe_q;
  reg  [15:0] dq_q;
  reg  [2:0]  write_left_q;
  reg  [111:0] write_q;

  assign cs_no   = 1'b0;
  assign ras_no  = cmd_q[2];
  assign cas_no  = cmd_q[1];
  assign we_no   = cmd_q[0];
  assign ba_o    = ba_q;
  assign addr_o  = addr_q;
  assign dq_oe_o = oe_q;
  assign dq_o    = dq_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cmd_q        <= 3'b111;
      oe_q         <= 1'b0;
      write_left_q <= '0;
    end else begin
      cmd_q <= (pre || pre_all) ? 3'b010 : act ? 3'b011 : refresh ? 3'b001 : mode ? 3'b000
             : col ? {2'b10, !cur_we_q} : 3'b111;
      oe_q  <= (col && cur_we_q) || (write_left_q != '0);
      if (col && cur_we_q) write_left_q <= 3'd7;
      else if (write_left_q != '0) write_left_q <= write_left_q - 3'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    ba_q   <= mode ? 2'd0 : col ? cur_bank : prep_bank_q;
    addr_q <= pre_all ? {{all}} : mode ? {{mode}} : act ? prep_row_q
            : col ? { {{colpad}}, cur_q[{{col}}], 3'b0} : '0;
    dq_q    <= col ? cur_data_q[15:0] : write_q[15:0];
    write_q <= col ? cur_data_q[127:16] : {16'b0, write_q[111:16]};
  end

  // Read data: a marker walks with each read; when it arrives, eight words do.
  reg  [{{lmsb}}:0] reads_q;
  reg         take_q, rvalid_q;
  reg  [2:0]  word_q;
  reg  [127:0] rdata_q;
  wire        take = reads_q[{{lmsb}}] || take_q;
  wire [2:0]  word = reads_q[{{lmsb}}] ? 3'd0 : word_q;

  assign rvalid_o = rvalid_q;
  assign rdata_o  = rdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reads_q  <= '0;
      take_q   <= 1'b0;
      word_q   <= '0;
      rvalid_q <= 1'b0;
    end else begin
      reads_q  <= {reads_q[{{lnext}}:0], col && !cur_we_q};
      take_q   <= take && (word != 3'd7);
      word_q   <= word + 3'd1;
      rvalid_q <= take && (word == 3'd7);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) rdata_q <= {dq_i, rdata_q[127:16]};
  end
"#;
