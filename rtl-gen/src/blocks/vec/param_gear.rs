//! Parameter beats to parameter words, with the padding of each block dropped.

use crate::config::{Config, OPERAND_BITS, VEC_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Bits of an element that the gear hands out: a parameter, or with the state in memory also an element of a session vector.
pub fn element_bits(config: &Config) -> usize {
    match config.streams_state() {
        true => VEC_BITS,
        false => OPERAND_BITS,
    }
}

/// The gear between the parameter fifo and the vector pipeline: a beat is two words of VL 16-bit parameters, or one of VL session elements.
pub fn param_gear(config: &Config) -> Arc<Module> {
    let wide = config.streams_state();
    let lanes = config.vlanes();
    let word = lanes * OPERAND_BITS;
    let beat = config.bus_bits;
    let beats = 64 / config.beat_bytes(); // a unit of 64 bytes
    let pos = index_bits(2 * beats);
    let mut m = Module::new(
        "param_gear",
        format!(
            "Cuts {beat}-bit beats into words of {word} bits, low half first, and realigns to 64 bytes after each block.\n\
             valid_o: data_o is the next word. take_i (with valid_o) consumes it; take_i with last_i also drops the rest of the\n\
             64-byte unit, one beat a cycle, during which valid_o is low. start_i: the next beat is the first of a unit.\n\
             Latency 0: data_o is a half of p_data_i; p_ready_o is high in the cycle the beat's last word is taken.{}",
            match wide {
                true => "\nwide_i: a whole beat is one word of 32-bit elements. data_o has 27 bits an element, sign-extended.",
                false => "",
            }
        ),
    );
    m.input("start_i", 1, "");
    m.input("p_valid_i", 1, "").output("p_ready_o", 1, "").input("p_data_i", beat, "");
    m.output("valid_o", 1, "").output("data_o", lanes * element_bits(config), "").input("take_i", 1, "");
    m.input("last_i", 1, "");
    if wide {
        m.input("wide_i", 1, "with take_i");
    }
    let vars = [
        ("pmsb", (pos - 1).to_string()),
        ("pos", pos.to_string()),
        ("wmsb", (word - 1).to_string()),
        ("w", word.to_string()),
        ("bmsb", (beat - 1).to_string()),
        ("or_wide", if wide { " || wide_i" } else { "" }.to_string()),
        ("not_wide", if wide { " && !wide_i" } else { "" }.to_string()),
        ("step", if wide { format!("(wide_i ? {pos}'d2 : {pos}'d1)") } else { format!("{pos}'d1") }),
    ];
    m.text("  reg [{{pmsb}}:0] pos_q;  // word within the unit of 64 bytes; bit 0 is the half of the beat", &vars);
    let half = "pos_q[0] ? p_data_i[{{bmsb}}:{{w}}] : p_data_i[{{wmsb}}:0];";
    if wide {
        m.text(&format!("  wire [{{{{wmsb}}}}:0] half = {half}"), &vars);
        for l in 0..lanes {
            m.text(
                "  assign data_o[{{o1}}:{{o0}}] = wide_i ? p_data_i[{{s1}}:{{s0}}] : { {11{half[{{h1}}]}}, half[{{h1}}:{{h0}}]};",
                &[
                    ("o1", (27 * l + 26).to_string()),
                    ("o0", (27 * l).to_string()),
                    ("s1", (32 * l + 26).to_string()),
                    ("s0", (32 * l).to_string()),
                    ("h1", (16 * l + 15).to_string()),
                    ("h0", (16 * l).to_string()),
                ],
            );
        }
    } else {
        m.text(&format!("  assign data_o = {half}"), &vars);
    }
    if beats == 1 {
        m.text(
            r#"
  assign valid_o   = p_valid_i;
  assign p_ready_o = take_i && (pos_q[0] || last_i{{or_wide}});

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) pos_q <= '0;
    else if (start_i) pos_q <= '0;
    else if (take_i) pos_q <= !pos_q && !last_i{{not_wide}};
  end
"#,
            &vars,
        );
    } else {
        m.text(
            r#"
  reg drop_q;  // the rest of the unit is padding

  wire at_last_beat = &pos_q[{{pmsb}}:1];

  assign valid_o   = p_valid_i && !drop_q;
  assign p_ready_o = drop_q || (take_i && (pos_q[0] || last_i{{or_wide}}));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pos_q  <= '0;
      drop_q <= 1'b0;
    end else if (start_i) begin
      pos_q  <= '0;
      drop_q <= 1'b0;
    end else if (drop_q) begin
      if (p_valid_i) begin
        pos_q  <= pos_q + {{pos}}'d2;  // wraps to 0 after the last beat
        drop_q <= !at_last_beat;
      end
    end else if (take_i) begin
      pos_q  <= last_i ? ({pos_q[{{pmsb}}:1], 1'b0} + {{pos}}'d2) : (pos_q + {{step}});
      drop_q <= last_i && !at_last_beat;
    end
  end
"#,
            &vars,
        );
    }
    m.done()
}
