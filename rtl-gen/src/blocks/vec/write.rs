//! Write stage of the vector unit: where a word goes, its trace, exponents and amax.

use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::{dest, route};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the write stage needs of an instruction: `(field, bits)` from bit 0 upwards. `vec_issue` packs it.
const RECORD: [(&str, usize); 7] =
    [("op", 12), ("d_addr", 14), ("dest", 2), ("slot", 4), ("exp", 5), ("amax", 1), ("amax_keep", 1)];
/// And with several slices.
const RECORD_SLOTS: [(&str, usize); 2] = [("only", 4), ("route", 2)];

/// With the state in memory: the words go there and not to vmem.
const STORE: (&str, usize) = ("store", 1);

fn record(config: &Config) -> impl Iterator<Item = (&'static str, usize)> {
    let slots = if config.sessions > 1 { &RECORD_SLOTS[..] } else { &[] };
    RECORD.into_iter().chain(slots.iter().copied()).chain(config.streams_state().then_some(STORE))
}

/// Bits of an instruction's record.
pub fn record_bits(config: &Config) -> usize {
    record(config).map(|f| f.1).sum()
}

/// The last stage: hands the lanes' results over and holds the pipeline for every cycle in which vmem refuses one.
pub fn vec_write(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new(
        "vec_write",
        "Hands a finished word to vmem, xmem or an operand of wkv, and to the trace; latency 0 from the queue of results.\n\
         record_i belongs to the oldest instruction in the pipeline; its words are counted here. en_o is low in the cycle after\n\
         one in which a vmem write was refused, so a later read comes as many cycles later as the writes before it.\n\
         Everything else happens once, in the word's last cycle (commit_o); amax_o may know of it before. finish_o: the instruction's last word.\n\
         xmem and wkv get clip_16(o). The operand's exponent is written with the last word. amax_o: OR over live lanes of\n\
         o ^ (o >>> 26) of the instructions that keep it, from the cycle after a word's commit; start_i clears it.\n\
         Only the bits that S(amax) depends on are kept.\n\
         clipped_o: live lanes saturated in this cycle, vmem writes only.",
    );
    m.input("start_i", 1, "").input("valid_i", 1, "a word is here").input("to_vmem_i", 1, "").input("last_i", 1, "");
    m.input("record_i", record_bits(config), "").input("o_i", lanes * 27, "").input("clip_i", lanes, "");
    m.output("en_o", 1, "").output("commit_o", 1, "").output("finish_o", 1, "").output(
        "amax_o",
        11,
        "bits 25 to 15 of amax",
    );
    m.output("clipped_o", 6, "");
    m.output("vw_valid_o", 1, "").input("vw_ready_i", 1, "").output("vw_addr_o", 14, "").output(
        "vw_data_o",
        lanes * 27,
        "",
    );
    m.output("xw_en_o", 1, "").output("xw_addr_o", 14, "").output("xw_data_o", lanes * 16, "");
    m.output("kw_en_o", 1, "").output("kw_slot_o", 3, "").output("kw_addr_o", 14, "").output(
        "kw_data_o",
        lanes * 16,
        "",
    );
    m.output("exp_we_o", 1, "").output("exp_wkv_o", 1, "").output("exp_slot_o", 4, "").output("exp_o", 5, "");
    m.output("trace_vec_valid_o", 1, "").output("trace_vec_op_o", 12, "").output("trace_vec_word_o", 13, "");
    m.output("trace_vec_data_o", lanes * 27, "");
    m.output("trace_exp_valid_o", 1, "").output("trace_exp_op_o", 12, "").output("trace_exp_exp_o", 5, "");
    if config.sessions > 1 {
        m.input("slot_i", 3, "which slice this is").input("prefill_i", 1, "").input("home_i", 1, "first of the text");
        m.output("vw_en_o", 1, "this slice takes its word").output(
            "vw_ring_o",
            1,
            "it takes the word of the one before",
        );
        m.localparams(&[
            ("ROUTE_RING", 2, route::RING),
            ("ROUTE_LATER", 2, route::LATER),
            ("ROUTE_HOME", 2, route::HOME),
        ]);
    }
    m.localparams(&[("DEST_XMEM", 2, dest::XMEM), ("DEST_WKV", 2, dest::WKV)]);
    let store = config.streams_state();
    if store {
        m.output("sw_valid_o", 1, "word for memory, on vw_data_o").input("sw_ready_i", 1, "").output(
            "sw_last_o",
            1,
            "the instruction's last",
        );
        m.text("  assign sw_valid_o = valid_i && to_vmem_i && r_store;\n  assign sw_last_o  = last_i;", &[]);
    }
    m.text(&record_wires(config), &[]);
    if store && config.sessions > 1 {
        let bits = index_bits(config.sessions);
        m.output("sw_slot_o", bits, "the slice it is taken from");
        m.text(STORE_SLOT, &[("top", (bits - 1).to_string()), ("rest", bits.to_string())]);
    }
    m.text(if config.sessions > 1 { HERE } else { "" }, &[]);
    let here = if config.sessions > 1 { " && here" } else { "" }.to_string();
    m.text(
        r#"
  reg         en_q;
  reg  [12:0] word_q;
  reg  [10:0] amax_q;
  wire [{{word16}}:0] o16;       // clip_16(o)
  wire [{{word27}}:0] o16_wide;  // the same, sign-extended
  wire [10:0] magnitude;    // bits 25 to 15 of the OR over the lanes of o ^ (o >>> 26)
  wire [5:0]  n_clipped;

  wire to_xmem = (r_dest == DEST_XMEM);
  wire to_wkv  = (r_dest == DEST_WKV);
  wire refused = valid_i && to_vmem_i && !{{ready}};
  wire commit  = valid_i && !refused;
  wire finish  = commit && last_i;
  wire [13:0] d_addr = r_d_addr + {1'b0, word_q};

  assign en_o       = en_q;
  assign commit_o   = commit;
  assign finish_o   = finish;
  assign amax_o     = amax_q;
  assign clipped_o  = (commit && to_vmem_i{{here}}) ? n_clipped : 6'd0;

  assign vw_valid_o = valid_i && to_vmem_i{{not_store}};
  assign vw_addr_o  = d_addr;
  assign vw_data_o  = o_i;
  assign xw_en_o    = valid_i && to_xmem;  // only vmem refuses
  assign xw_addr_o  = d_addr;
  assign xw_data_o  = o16;
  assign kw_en_o    = valid_i && to_wkv;
  assign kw_slot_o  = r_slot[2:0];
  assign kw_addr_o  = d_addr;
  assign kw_data_o  = o16;
  assign exp_we_o   = valid_i && last_i && (to_xmem || to_wkv);
  assign exp_wkv_o  = to_wkv;
  assign exp_slot_o = r_slot;
  assign exp_o      = r_exp;

  assign trace_vec_valid_o = commit;
  assign trace_vec_op_o    = r_op;
  assign trace_vec_word_o  = word_q;
  assign trace_vec_data_o  = (to_xmem || to_wkv) ? o16_wide : o_i;
  assign trace_exp_valid_o = exp_we_o;
  assign trace_exp_op_o    = r_op;
  assign trace_exp_exp_o   = r_exp;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q   <= 1'b1;
      word_q <= '0;
      amax_q <= '0;
    end else begin
      en_q <= !refused;
      if (commit) word_q <= last_i ? 13'd0 : word_q + 13'd1;
      if (start_i) amax_q <= '0;
      else if (valid_i && r_amax{{here}}) amax_q <= magnitude | ((word_q == 13'd0 && !r_amax_keep) ? 11'd0 : amax_q);
    end
  end
"#,
        &[
            ("word16", (lanes * 16 - 1).to_string()),
            ("word27", (lanes * 27 - 1).to_string()),
            ("ready", if store { "(r_store ? sw_ready_i : vw_ready_i)" } else { "vw_ready_i" }.to_string()),
            ("not_store", if store { " && !r_store" } else { "" }.to_string()),
            ("here", here),
        ],
    );
    let (mut magnitude, mut clips) = (vec![], vec![]);
    for l in 0..lanes {
        m.text(
            r#"
  wire [26:0] o_{{l}}   = o_i[{{hi}}:{{lo}}];
  wire        out_{{l}} = (o_{{l}}[26:15] != {12{o_{{l}}[26]}});
  assign o16[{{x1}}:{{x0}}] = out_{{l}} ? {o_{{l}}[26], {15{!o_{{l}}[26]}}} : o_{{l}}[15:0];
  assign o16_wide[{{hi}}:{{lo}}] = { {11{o16[{{x1}}]}}, o16[{{x1}}:{{x0}}]};
"#,
            &[
                ("l", l.to_string()),
                ("hi", (27 * l + 26).to_string()),
                ("lo", (27 * l).to_string()),
                ("x1", (16 * l + 15).to_string()),
                ("x0", (16 * l).to_string()),
            ],
        );
        magnitude.push(format!("(o_{l}[25:15] ^ {{11{{o_{l}[26]}}}})"));
        clips.push(format!("{{5'b0, clip_i[{l}]}}"));
    }
    m.text(
        "  assign magnitude = {{m}};\n  assign n_clipped = {{c}};\n",
        &[("m", magnitude.join("\n    | ")), ("c", clips.join(" + "))],
    );
    m.done()
}

/// A session vector goes to memory from the one slice that its instruction is for.
const STORE_SLOT: &str = r#"
  wire [3:0] store_slot = r_only - 4'd1;
  assign sw_slot_o = store_slot[{{top}}:0];
  wire unused_store_slot = &{1'b0, store_slot[3:{{rest}}]};
"#;

/// Whether an instruction counts in this slice.
const HERE: &str = r#"
  wire this_one = (r_only == 4'd0) || (r_only == {1'b0, slot_i} + 4'd1);
  wire here     = this_one && !(r_route == ROUTE_LATER && (!prefill_i || home_i))
                  && !(r_route == ROUTE_HOME && prefill_i && !home_i);
  assign vw_en_o   = here;
  assign vw_ring_o = prefill_i && (r_route == ROUTE_RING);
"#;

/// The wires `r_<field>` of the record.
fn record_wires(config: &Config) -> String {
    let mut s = String::new();
    let mut at = 0;
    for (field, bits) in record(config) {
        let _ = match bits {
            1 => writeln!(s, "  wire r_{field} = record_i[{at}];"),
            _ => writeln!(s, "  wire [{}:0] r_{field} = record_i[{}:{at}];", bits - 1, at + bits - 1),
        };
        at += bits;
    }
    s
}
