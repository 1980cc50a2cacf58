//! The sequencer of the matrix unit: what each weight beat is.

use super::w4;
use crate::blocks::mat::Dims;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Takes the beats of the stream, tells scales from weights and drives the lanes.
pub(in crate::blocks) fn control(d: &Dims) -> Arc<Module> {
    let entry = index_bits(d.entries);
    let mut m = Module::new(
        "mat_control",
        format!(
            "Sequencer of the matrix unit: takes one weight beat a cycle, scale units into the scale queue, weights to the lanes.\n\
             Every format is two nested counters: beats of a tile in all tiles, or (columns) entries of a column in all columns.\n\
             Where scales and columns lie in a beat of 4-bit weights is mat_w4's business.\n\
             An instruction waits in a second set of registers while the one before runs, so no cycle lies between them.\n\
             A beat that completes sums is taken only when the drain is sure to have emptied the hand-over registers in time;\n\
             sums beyond the last row are never handed over. tiles, rows and cols are at least 1, cols a multiple of 4 (W4: 32).\n\
             Latency: a beat taken in cycle T is in the b stage (nibbles) in T+1, multiplies in T+2 (m stage) and accumulates in T+3\n\
             (c stage), where load_o hands over the sums of up to {} rows. w_ready_o does not depend on w_valid_i.",
            16 * d.groups
        ),
    );
    m.input("accept_i", 1, "an instruction; only with ready_o").output("ready_o", 1, "");
    m.input("columns_i", 1, "format W8_COLUMNS").input("w16_i", 1, "format W16").input("w4_i", 1, "format W4");
    m.input("skip_i", 1, "with columns_i: only the columns that come, to the one with x_last_i");
    m.input("shift_i", 7, "signed: shift - xexp")
        .input("cols_i", 16, "")
        .input("tiles_i", 14, "")
        .input("rows_i", 18, "");
    m.input("w_valid_i", 1, "").output("w_ready_o", 1, "");
    m.output("scale_push_o", 1, "the beat taken a cycle ago is scales to keep");
    m.input("x_lane_i", d.vl_bits(), "element of the column, with skip_i").input("x_last_i", 1, "");
    m.input("x_valid_i", 1, "").output("x_pop_o", 1, "").output("x_columns_o", 1, "").output(
        "x_index_o",
        d.vl_bits(),
        "",
    );
    m.output("x_w4_o", 1, "").output("x_gs_o", d.groups, "groups that hold scales of columns").output(
        "x_pair_o",
        d.groups * d.vl_bits(),
        "places of the two columns of a group",
    );
    m.output("en_a_o", 1, "this beat is weights").output("w16_o", 1, "of the beat on offer");
    m.output("en_b_o", 1, "").output("w4_o", 1, "b stage").output("en_m_o", 1, "").output("en_c_o", 1, "");
    m.output("from_zero_o", 1, "c stage").output("from_ram_o", 1, "c stage");
    m.output("ram_re_o", 1, "m stage").output("ram_raddr_o", entry, "");
    m.output("ram_we_o", 1, "c stage").output("ram_waddr_o", entry, "");
    m.input("hold_ok_i", 1, "the hand-over registers are free three cycles from now");
    m.output("loading_o", 1, "sums are complete in the a, b or m stage");
    m.output("load_o", 1, "c stage: the sums are complete; the next five describe them");
    m.output("load_columns_o", 1, "").output("load_w16_o", 1, "").output("load_shift_o", 7, "");
    m.output("load_rows_o", 7, "rows to drain").output("load_last_o", 1, "with them the instruction ends");
    m.output("stall_weights_o", 1, "a beat could be taken, none is there");
    m.output("stall_drain_o", 1, "the drain keeps the next beat from being taken");

    let vars = [
        ("vmsb", (d.vl_bits() - 1).to_string()),
        ("vbits", d.vl_bits().to_string()),
        ("emsb", (entry - 1).to_string()),
        ("ebits", entry.to_string()),
        ("groups", d.groups.to_string()),
        ("xlast", (d.vl - d.groups).to_string()),
        ("column_rows", (16 * d.groups).to_string()),
        // cols / groups, and tiles rounded up to 4, / groups; both 16 bits
        ("dense_beats", d.shifted_right("next_cols_q", 16)),
        ("w4_units", "w4_groups[14:2]".into()), // 64 B units a tile; cols is below 2^15 in every configuration
        ("w4_beats", format!("{{{}'d0, w4_units{}}}", 1 + d.groups.ilog2(), pad(4 / d.groups))),
        ("column_beats", format!("{{{}'d0, padded{}}}", 1 + d.groups.ilog2(), pad(4 / d.groups))),
    ];
    m.text(
        r#"
  // The instruction that waits.
  reg         next_q, next_columns_q, next_w16_q, next_w4_q, next_skip_q;
  reg  [6:0]  next_shift_q;
  reg  [15:0] next_cols_q;
  reg  [13:0] next_tiles_q;
  reg  [17:0] next_rows_q;

  // The instruction that runs.
  reg         run_q, columns_q, w16_q, w4_q, skip_q;
  reg  [6:0]  shift_q;
  reg         scale_q;                // the next beat is scales
  reg  [13:0] units_q;                // scale units left before weights come
  reg  [15:0] inner_q, inner_len_q;   // beats left in the tile; entries left in the column
  reg  [15:0] outer_q;                // tiles left; columns left
  reg  [17:0] rows_q;                 // rows not yet handed over
  reg  [1:0]  tile_q;                 // tile in its scale unit
  // what the counters will be compared with, known with them: the last beat, the only one, the last tile or column
  reg         inner_last_q, inner_one_q, outer_last_q;
  reg         closing_q;              // the beat ends a sum that is wanted (which beat that is is not known so early with skip)
  reg         wanted_q, last_rows_q;  // rows are left (none for padding tiles); no more than this tile has
  reg         first_q;                // sums start with this beat
  reg  [{{emsb}}:0] entry_q;
  reg  [{{vmsb}}:0] index_q;          // operand element in its word

  // Weights in the b, m and c stages.
  reg         b_q, b_zero_q, b_ram_q, b_load_q, b_columns_q, b_w16_q, b_w4_q, b_last_q;
  reg         m_q, m_zero_q, m_ram_q, m_load_q, m_columns_q, m_w16_q, m_last_q;
  reg         c_q, c_zero_q, c_ram_q, c_load_q, c_columns_q, c_w16_q, c_last_q;
  reg  [6:0]  b_shift_q, b_rows_q, m_shift_q, m_rows_q, c_shift_q, c_rows_q;
  reg  [{{emsb}}:0] b_entry_q, m_entry_q, c_entry_q;

  wire        inner_last = inner_last_q;
  wire        outer_last = skip_q ? x_last_i && x_valid_i : outer_last_q;
  wire        wanted     = wanted_q;
  wire [17:0] tile_rows  = columns_q ? 18'd{{column_rows}} : w16_q ? 18'd8 : 18'd16;
  wire [17:0] next_rows  = next_columns_q ? 18'd{{column_rows}} : next_w16_q ? 18'd8 : 18'd16;
  wire        last_rows  = last_rows_q;
  wire        complete   = skip_q ? x_last_i && wanted : closing_q;  // only of a beat that is taken

  wire        next_inner_last = inner_last ? inner_one_q : (inner_q == 16'd2);
  wire        next_outer_last = inner_last ? (outer_q == 16'd2) : outer_last_q;
  wire        unit_last;  // last beat of a scale unit
  wire        drain_ok = scale_q || !complete || hold_ok_i;
  wire        w4_needed, w4_pop;  // an operand word is still to be used; it goes with this beat

  assign w_ready_o = run_q && drain_ok && (scale_q || x_valid_i || (w4_q && !w4_needed));

  wire        take       = w_valid_i && w_ready_o;
  wire        take_scale = take && scale_q;
  wire        take_mac   = take && !scale_q;
  wire        tile_end   = take_mac && inner_last;
  wire        ends       = tile_end && outer_last;
  wire        start      = next_q && !run_q;  // not also when one ends: hundreds of registers would wait for the last beat
  wire        unit_done  = w16_q ? (tile_q == 2'd3) : tile_q[0];  // the tiles of this scale unit

  assign ready_o         = !next_q;
  reg         scale_push_q;

  assign scale_push_o    = scale_push_q;
  assign stall_weights_o = w_ready_o && !w_valid_i;
  assign stall_drain_o   = run_q && !drain_ok && (x_valid_i || !skip_q);

  // A word of the operand lasts VL columns, and never longer than a pass.
  wire        word_end   = columns_q ? (index_q == {{vbits}}'d{{vlast}}) : (index_q == {{vbits}}'d{{xlast}});
  assign x_columns_o = columns_q;
  assign x_index_o   = skip_q ? x_lane_i : index_q;
  assign x_pop_o     = take_mac && (w4_q ? w4_pop : columns_q ? inner_last && (word_end || outer_last || skip_q)
                                                  : inner_last || word_end);
  assign x_w4_o      = w4_q;

  wire [16:0] tiles_up   = {3'd0, next_tiles_q} + 17'd3;
  wire [12:0] padded     = tiles_up[14:2];  // groups of four tiles
  wire [18:0] rows_up    = {1'b0, next_rows_q} + 19'd31;
  wire [15:0] w4_groups  = {5'd0, next_cols_q[15:5]} + {1'b0, next_cols_q[15:5], 4'd0} + 16'd3;  // 17 every 32 columns
  wire [12:0] w4_units   = {{w4_units}};
  wire [15:0] beats      = next_columns_q ? {{column_beats}} : next_w4_q ? {{w4_beats}} : {{dense_beats}};

  wire unused_up = &{1'b0, tiles_up[16:15], tiles_up[1:0], rows_up[4:0], w4_groups[15],
                    w4_groups[1:0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q         <= 1'b0;
      next_columns_q <= 1'b0;
      next_w16_q     <= 1'b0;
      next_w4_q      <= 1'b0;
      next_skip_q    <= 1'b0;
      next_shift_q   <= 7'd0;
      next_cols_q    <= 16'd0;
      next_tiles_q   <= 14'd0;
      next_rows_q    <= 18'd0;
    end else if (accept_i) begin
      next_q         <= 1'b1;
      next_columns_q <= columns_i;
      next_w16_q     <= w16_i;
      next_w4_q      <= w4_i;
      next_skip_q    <= skip_i;
      next_shift_q   <= shift_i;
      next_cols_q    <= cols_i;
      next_tiles_q   <= tiles_i;
      next_rows_q    <= rows_i;
    end else if (start) begin
      next_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q       <= 1'b0;
      columns_q   <= 1'b0;
      w16_q       <= 1'b0;
      w4_q        <= 1'b0;
      skip_q      <= 1'b0;
      shift_q     <= 7'd0;
      scale_q     <= 1'b0;
      units_q     <= 14'd0;
      inner_q     <= 16'd0;
      inner_len_q <= 16'd0;
      outer_q     <= 16'd0;
      rows_q      <= 18'd0;
      inner_last_q <= 1'b0;
      inner_one_q  <= 1'b0;
      outer_last_q <= 1'b0;
      closing_q    <= 1'b0;
      wanted_q     <= 1'b0;
      last_rows_q  <= 1'b0;
      tile_q      <= 2'd0;
      first_q     <= 1'b0;
      entry_q     <= {{ebits}}'d0;
      index_q     <= {{vbits}}'d0;
    end else if (start) begin
      run_q       <= 1'b1;
      columns_q   <= next_columns_q;
      w16_q       <= next_w16_q;
      w4_q        <= next_w4_q;
      skip_q      <= next_skip_q;
      shift_q     <= next_shift_q;
      scale_q     <= 1'b1;
      units_q     <= next_columns_q ? rows_up[18:5] : 14'd1;
      inner_q     <= beats;
      inner_len_q <= beats;
      outer_q     <= next_columns_q ? next_cols_q : {2'd0, next_tiles_q};
      rows_q      <= next_rows_q;
      inner_last_q <= (beats == 16'd1);
      inner_one_q  <= (beats == 16'd1);
      outer_last_q <= next_columns_q ? (next_cols_q == 16'd1) : (next_tiles_q == 14'd1);
      closing_q    <= next_columns_q ? (next_cols_q == 16'd1) : (beats == 16'd1);
      wanted_q     <= 1'b1;
      last_rows_q  <= (next_rows_q <= next_rows);
      tile_q      <= 2'd0;
      first_q     <= 1'b1;
      entry_q     <= {{ebits}}'d0;
      index_q     <= {{vbits}}'d0;
    end else begin
      if (ends) run_q <= 1'b0;
      if (take_scale && unit_last) begin
        units_q <= units_q - 14'd1;
        if (units_q == 14'd1) scale_q <= 1'b0;
      end
      if (take_mac) begin
        inner_q <= inner_last ? inner_len_q : inner_q - 16'd1;
        inner_last_q <= next_inner_last;
        outer_last_q <= next_outer_last;
        closing_q    <= (columns_q ? next_outer_last : next_inner_last) && (complete ? !last_rows : wanted);
        if (inner_last) outer_q <= outer_q - 16'd1;
        if (complete) begin
          rows_q      <= rows_q - tile_rows;
          wanted_q    <= !last_rows;
          last_rows_q <= (rows_q <= {tile_rows[16:0], 1'b0});
        end
        first_q <= columns_q ? (first_q && !inner_last) : inner_last;
        if (columns_q) begin
          entry_q <= inner_last ? {{ebits}}'d0 : entry_q + {{ebits}}'d1;
          if (inner_last) index_q <= index_q + {{vbits}}'d1;  // VL is a power of two: wraps at a word's end
        end else begin
          index_q <= inner_last ? {{vbits}}'d0 : index_q + {{vbits}}'d{{groups}};
          if (inner_last) tile_q <= unit_done ? 2'd0 : tile_q + 2'd1;
          if (inner_last && unit_done) begin
            scale_q <= 1'b1;
            units_q <= 14'd1;
          end
        end
      end
    end
  end

  // A single entry (or tile) keeps its sum in the lanes: only two entries and more need the memory.
  wire in_ram = columns_q && !inner_one_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scale_push_q <= 1'b0;
      b_q      <= 1'b0;
      b_load_q <= 1'b0;
      m_q      <= 1'b0;
      m_load_q <= 1'b0;
      c_q      <= 1'b0;
      c_load_q <= 1'b0;
    end else begin
      scale_push_q <= take_scale && wanted;
      b_q      <= take_mac;
      b_load_q <= take_mac && complete;
      m_q      <= b_q;
      m_load_q <= b_load_q;
      c_q      <= m_q;
      c_load_q <= m_load_q;
    end
  end

  always_ff @(posedge clk_i) begin
    // with every cycle: b_q says whether it was a beat
    b_zero_q    <= first_q;
    b_ram_q     <= in_ram;
    b_entry_q   <= entry_q;
    b_columns_q <= columns_q;
    b_w16_q     <= w16_q;
    b_w4_q      <= w4_q;
    b_shift_q   <= shift_q;
    b_rows_q    <= last_rows ? rows_q[6:0] : tile_rows[6:0];
    b_last_q    <= last_rows;
    if (b_q) begin
      m_zero_q    <= b_zero_q;
      m_ram_q     <= b_ram_q;
      m_entry_q   <= b_entry_q;
      m_columns_q <= b_columns_q;
      m_w16_q     <= b_w16_q;
      m_shift_q   <= b_shift_q;
      m_rows_q    <= b_rows_q;
      m_last_q    <= b_last_q;
    end
    if (m_q) begin
      c_zero_q    <= m_zero_q;
      c_ram_q     <= m_ram_q;
      c_entry_q   <= m_entry_q;
      c_columns_q <= m_columns_q;
      c_w16_q     <= m_w16_q;
      c_shift_q   <= m_shift_q;
      c_rows_q    <= m_rows_q;
      c_last_q    <= m_last_q;
    end
  end

  assign loading_o      = (take_mac && complete) || b_load_q || m_load_q;
  assign en_a_o         = take_mac;
  assign w16_o          = w16_q;
  assign en_b_o         = b_q;
  assign w4_o           = b_w4_q;
  assign en_m_o         = m_q;
  assign en_c_o         = c_q;
  assign from_zero_o    = c_zero_q;
  assign from_ram_o     = c_ram_q;
  assign ram_re_o       = m_q && m_ram_q && !m_zero_q;
  assign ram_raddr_o    = m_entry_q;
  assign ram_we_o       = c_q && c_ram_q && !c_load_q;
  assign ram_waddr_o    = c_entry_q;
  assign load_o         = c_load_q;
  assign load_columns_o = c_columns_q;
  assign load_w16_o     = c_w16_q;
  assign load_shift_o   = c_shift_q;
  assign load_rows_o    = c_rows_q;
  assign load_last_o    = c_last_q;
"#,
        &[vars.as_slice(), &[("vlast", (d.vl - 1).to_string())]].concat(),
    );
    m.instance(
        "u_w4",
        &w4::sequence(d),
        &[
            ("start_i", "start && next_w4_q"),
            ("cols_i", "next_cols_q"),
            ("step_i", "take_mac && w4_q"),
            ("tile_last_i", "inner_last"),
            ("gs_o", "x_gs_o"),
            ("pair_o", "x_pair_o"),
            ("needed_o", "w4_needed"),
            ("pop_o", "w4_pop"),
        ],
    );
    unit_beats(&mut m, d.unit_beats);
    m.done()
}

/// The zero bits below a number that multiply it by 1, 2 or 4: the beats of four groups.
fn pad(beats: usize) -> &'static str {
    match beats {
        1 => "",
        2 => ", 1'd0",
        _ => ", 2'd0",
    }
}

/// Counts the `nb` beats of a scale unit.
fn unit_beats(m: &mut Module, nb: usize) {
    if nb == 1 {
        m.text("\n  assign unit_last = 1'b1;", &[]);
        return;
    }
    let bits = index_bits(nb);
    m.text(
        r#"
  reg  [{{msb}}:0]  beat_q;

  assign unit_last = (beat_q == {{bits}}'d{{last}});

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) beat_q <= {{bits}}'d0;
    else if (take_scale) beat_q <= beat_q + {{bits}}'d1;  // a power of two: wraps
  end
"#,
        &[("msb", (bits - 1).to_string()), ("bits", bits.to_string()), ("last", (nb - 1).to_string())],
    );
}
