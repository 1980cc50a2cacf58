//! What lies between the parts of the recurrence: wires, the rows that are final, the results handed over.

pub(super) const WIRES: &str = r#"
  wire        run, go, finish;
  wire [11:0] op;
  wire [7:0]  n_head, head_size;
  wire [5:0]  head_words;
  wire [{{shifts}}:0]  shift_sa, shift_b, shift_vk, shift_y;
  wire [19:0] s_addr;
  wire [17:0] y_addr;
  wire        unused_start = start_i;

  // pass 1 reads a state word, pass 2 takes it (take_last: end of a row), reads r and writes
  wire        read, old_valid, take, take_last, kk_read, r_read, write;
  wire [{{sa}}:0] read_addr, write_addr;
  wire [{{sword}}:0] s_read, s_old, s_new;
  wire [{{wa}}:0] kk_addr, dbk_addr, v_addr, r_addr;
  wire [{{oword}}:0] kk, d, b, k, v, r;
  wire        sa_valid, sa_clipped, y_clipped, idle_1, idle_2;
  wire [{{s}}:0] sa, sa_old;
  wire [{{cmsb}}:0]  s_clips;
"#;

/// Which row is final, and which one is handed over: one session.
pub(super) const ROWS: &str = r#"

  reg  [17:0] sa_row_q, y_row_q, y_addr_q;
  wire        hand_over = y_valid_o && y_ready_i;
  wire [17:0] sa_row = sa_row_q;
  wire [17:0] y_row  = y_row_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sa_row_q <= '0;
      y_row_q  <= '0;
      y_addr_q <= '0;
    end else begin
      if (go) sa_row_q <= '0;
      else if (sa_valid) sa_row_q <= sa_row_q + 18'd1;
      if (go) begin
        y_row_q  <= '0;
        y_addr_q <= y_addr;
      end else if (hand_over) begin
        y_row_q  <= y_row_q + 18'd1;
        y_addr_q <= y_addr_q + 18'd1;
      end
    end
  end

  assign y_addr_o = y_addr_q;
"#;

/// The same, several sessions.
pub(super) const SLOT_ROWS: &str = r#"

  wire        hand_over = y_valid_o && y_ready_i;
  wire [17:0] sa_row, y_row;

  assign y_addr_o = y_addr + y_row;
  assign trace_wkv_y_slot_o = y_slot_o;
"#;

/// The same with the state in memory.
pub(super) const STREAM_SLOT_WIRES: &str = r#"
  wire [{{slot}}:0] kk_slot, row_slot, r_slot;
  wire        words_left;  // of the last instruction, on the way out
"#;

/// Wires between the parts that only several sessions need.
pub(super) const SLOT_WIRES: &str = r#"
  wire [{{slot}}:0] kk_slot, row_slot, r_slot, read_slot, write_slot;
  wire [{{total}}:0] head_total;
  wire [{{top}}:0] clear_busy;
"#;

pub(super) const RESULTS: &str = r#"

  reg  [{{satmsb}}:0]  sat_q;

  // everything read was taken, everything taken was handed over; a row's last S word is written before its y is known
  assign finish = run && !go && idle_1 && idle_2;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sat_q <= '0;
    else sat_q <= {{s_clips}} + { {{satpad}}, sa_clipped} + { {{satpad}}, y_clipped};
  end

  assign done_o   = finish;
  assign busy_o   = run;
  assign sat_o    = sat_q;

  assign trace_wkv_s_valid_o  = write;
  assign trace_wkv_s_op_o     = op;
  assign trace_wkv_s_addr_o   = { {{s_pad}}write_addr};
  assign trace_wkv_s_data_o   = s_new;
  assign trace_wkv_sa_valid_o = sa_valid;
  assign trace_wkv_sa_op_o    = op;
  assign trace_wkv_sa_row_o   = sa_row;
  assign trace_wkv_sa_data_o  = sa;
  assign trace_wkv_y_valid_o  = hand_over;
  assign trace_wkv_y_op_o     = op;
  assign trace_wkv_y_row_o    = y_row;
  assign trace_wkv_y_data_o   = y_data_o;
"#;
