//! The scales of the rows on their way through the matrix unit.

use crate::blocks::mat::Dims;
use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Queue of scale units (64 B, 32 scales), written by beats and read by rows.
pub(in crate::blocks) fn scales(d: &Dims) -> Arc<Module> {
    let (nb, per_beat) = (d.unit_beats, 8 * d.groups);
    let depth = d.scale_units * nb;
    let (addr, pos) = (index_bits(depth), index_bits(per_beat));
    let ram = ram_1w1r(16 * per_beat, depth);
    let mut m = Module::new(
        "mat_scales",
        format!(
            "Queue of {} scale units of 32 scales; a unit is {nb} beats. Written in beats (push_i), read in rows: row_i asks for the\n\
             next scale, row_last_i with it drops the rest of its unit. A unit must be complete before its first row_i.\n\
             It cannot overflow, so it has no ready: a column-wise matrix brings n_embd / 32 units, and two more may still be in\n\
             use when they come, because sums are handed over only when four rows at most are left of the ones before.\n\
             Latency: scale_o two cycles after row_i.",
            d.scale_units
        ),
    );
    m.input("push_i", 1, "").input("push_data_i", 16 * per_beat, "16-bit scales, first row lowest");
    m.input("row_i", 1, "").input("row_last_i", 1, "").output("scale_o", 16, "exponent 4 bits, multiplier 12 bits");
    // A unit is 1, 2 or 4 beats, so the beat inside it is the low bits of the address.
    let last_beat = match nb {
        1 => "raddr_q".to_string(),
        _ => format!("row_last_i ? (raddr_q | {addr}'d{}) : raddr_q", nb - 1),
    };
    m.text(
        r#"
  reg [{{amsb}}:0] waddr_q, raddr_q;
  reg [{{pmsb}}:0] pos_q, index_q;
  reg        read_q;
  reg [15:0] scale_q;

  wire [{{beat}}:0] word;

  wire beat_end   = (pos_q == {{pbits}}'d{{plast}});
  wire word_end   = row_last_i || beat_end;
  wire [{{amsb}}:0] last_beat = {{last_beat}};  // the one before the next to read

  assign scale_o = scale_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      waddr_q <= {{abits}}'d0;
      raddr_q <= {{abits}}'d0;
      pos_q   <= {{pbits}}'d0;
      index_q <= {{pbits}}'d0;
      read_q  <= 1'b0;
    end else begin
      if (push_i) waddr_q <= (waddr_q == {{abits}}'d{{alast}}) ? {{abits}}'d0 : waddr_q + {{abits}}'d1;
      if (row_i) begin
        index_q <= pos_q;
        pos_q   <= word_end ? {{pbits}}'d0 : pos_q + {{pbits}}'d1;
        if (word_end) raddr_q <= (last_beat == {{abits}}'d{{alast}}) ? {{abits}}'d0 : last_beat + {{abits}}'d1;
      end
      read_q <= row_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_q) scale_q <= word[{index_q, 4'd0} +: 16];
  end
"#,
        &[
            ("amsb", (addr - 1).to_string()),
            ("abits", addr.to_string()),
            ("alast", (depth - 1).to_string()),
            ("pmsb", (pos - 1).to_string()),
            ("pbits", pos.to_string()),
            ("plast", (per_beat - 1).to_string()),
            ("beat", (16 * per_beat - 1).to_string()),
            ("last_beat", last_beat),
        ],
    );
    m.instance(
        "u_mem",
        &ram,
        &[
            ("clk_i", "clk_i"),
            ("we_i", "push_i"),
            ("waddr_i", "waddr_q"),
            ("wdata_i", "push_data_i"),
            ("re_i", &format!("row_i && (pos_q == {pos}'d0)")),
            ("raddr_i", "raddr_q"),
            ("rdata_o", "word"),
        ],
    );
    m.done()
}
