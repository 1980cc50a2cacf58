  localparam int HEAD_BITS = anser_pkg::WKV_N_HEAD_BITS;

  reg                  walk_q;
  reg  [SLOT_BITS-1:0] slot_q;
  reg  [HEAD_BITS-1:0] head_q, heads_q;
  wire [HEAD_BITS-1:0] next_head = head_q + HEAD_BITS'(1);
  wire [SLOT_BITS-1:0] first, next;
  wire                 turn;  // no slot is left for this head

  assign slot_o = slot_q;
  assign head_o = head_q;
  assign last_o = !walk_q || (turn && next_head == heads_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walk_q  <= 1'b0;
      slot_q  <= '0;
      head_q  <= '0;
      heads_q <= '0;
    end else if (load_i) begin
      walk_q  <= walk_i;
      slot_q  <= (walk_i || !slots_i[slot_i]) ? first : slot_i;
      head_q  <= '0;
      heads_q <= heads_i;
    end else if (step_i) begin
      slot_q <= next;
      if (turn) head_q <= next_head;
    end
  end
