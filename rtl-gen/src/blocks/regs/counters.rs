//! Counters of the register block: what a token took, and what every cycle of it was.

use crate::blocks::regs::reg;
use crate::config::Config;
use crate::hdl::index_bits;
use std::fmt::Write;

/// The stall counters in register order: bit of `event_i`, and what a cycle counted there was.
pub const STALLS: [(&str, &str); 7] = [
    ("mat_waits_for_vec", "mat idle, its next instruction waits for vec"),
    ("mat_waits_for_weights", "mat waits for weights"),
    ("mat_waits_for_drain", "mat waits for its drain"),
    ("vec_busy", "vec busy"),
    ("wkv_busy", "wkv busy"),
    ("memory_idle", "no read request outstanding"),
    ("read_data_refused", "read data refused, a fifo is full"),
];

/// Cycles without a beat by cause, in register order: bit of `lost_i`, and why. Every cycle of a token is a beat or exactly one
/// of these, so that with WEIGHT_BEATS they add up to CYCLES.
pub const LOST: [(&str, &str); 8] = [
    ("lost_operand", "weights refused, mat waits for vec to write its operand"),
    ("lost_drain", "weights refused, mat waits for its drain"),
    ("lost_mat", "weights refused, mat takes none: it changes instructions, or takes less than a beat a cycle"),
    ("lost_params", "parameters refused, vec has no use for them yet; or state in memory, and wkv"),
    ("lost_memory", "asked for, but memory offers nothing"),
    ("lost_order", "nothing asked for, dma waits for vec"),
    ("lost_start", "nothing asked for yet, addresses are made"),
    ("lost_end", "nothing asked for any more, the last operations run"),
];

/// Bits of the saturations a cycle of mat, vec and wkv, all slots together.
pub fn sat_bits(config: &Config) -> [usize; 3] {
    let sum = |most: usize| index_bits(config.sessions * most + 1);
    match config.sessions {
        1 => [1, 6, crate::blocks::wkv::sat_bits(config.wkv_lanes())],
        _ => [sum(1), sum(63), crate::blocks::wkv::sat_bits(config.wkv_lanes())],
    }
}

/// SystemVerilog of the counters, and what each register reads.
pub(in crate::blocks) struct Counters {
    pub declare: String,
    pub processes: String,
    pub reads: Vec<(u32, String)>,
}

/// All counters of a configuration.
pub(in crate::blocks) fn counters(config: &Config) -> Counters {
    let [sat_mat, sat_vec, sat_wkv] = sat_bits(config);
    let (mut declare, mut reset, mut count, mut reads) = (String::new(), String::new(), String::new(), vec![]);
    let mut counter = |at: u32, name: &str, add: String, doc: &str| {
        reads.push((at, format!("{name}_q")));
        let _ = writeln!(declare, "  reg [31:0] {name}_q;  // {doc}");
        let _ = writeln!(reset, "      {name}_q <= '0;");
        let _ = writeln!(count, "      {name}_q <= {name}_q + {add};");
    };
    let add = |name: &str, bits: usize| format!("{{{}'b0, {name}}}", 32 - bits);
    counter(reg::CYCLES, "cycles", "32'd1".into(), "cycles of the token");
    counter(reg::SAT_MAT, "sat_mat", add("now_sat_mat_q", sat_mat), "saturations");
    counter(reg::SAT_VEC, "sat_vec", add("now_sat_vec_q", sat_vec), "");
    counter(reg::SAT_WKV, "sat_wkv", add("now_sat_wkv_q", sat_wkv), "");
    counter(reg::WEIGHT_BEATS, "beats", add("now_beat_q", 1), "beats received");
    for (i, (name, doc)) in STALLS.iter().enumerate() {
        counter(reg::STALLS + 4 * i as u32, name, add(&format!("now_event_q[{i}]"), 1), doc);
    }
    for (i, (name, doc)) in LOST.iter().enumerate() {
        counter(reg::LOST + 4 * i as u32, name, add(&format!("now_lost_q[{i}]"), 1), doc);
    }
    counter(reg::SKIPPED_COLUMNS, "skipped", add("now_skipped_q", 15), "columns not read");
    declare += "  // what the counters take next\n  reg         clear_counters_q, count_q;\n";
    let mut load = String::new();
    for (name, bits) in [
        ("sat_mat", sat_mat),
        ("sat_vec", sat_vec),
        ("sat_wkv", sat_wkv),
        ("beat", 1),
        ("event", STALLS.len()),
        ("lost", LOST.len()),
        ("skipped", 15),
    ] {
        let range = if bits == 1 { "      ".to_string() } else { format!("{:<6}", format!("[{}:0]", bits - 1)) };
        let _ = writeln!(declare, "  reg  {range} now_{name}_q;");
        let _ = writeln!(load, "    now_{name}_q <= {name}_i;");
    }
    let processes = PROCESSES.replace("{{load}}", &load).replace("{{reset}}", &reset).replace("{{count}}", &count);
    Counters { declare: declare.trim_end().into(), processes, reads }
}

const PROCESSES: &str = r#"  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_counters_q <= 1'b0;
      count_q          <= 1'b0;
    end else begin
      clear_counters_q <= started_i;
      count_q          <= running_i;
    end
  end

  always_ff @(posedge clk_i) begin
{{load}}  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
{{reset}}    end else if (clear_counters_q) begin
{{reset}}    end else if (count_q) begin
{{count}}    end
  end
"#;
