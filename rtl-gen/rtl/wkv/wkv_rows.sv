  localparam int ROW_BITS   = anser_pkg::WKV_Y_ADDR_BITS;
  localparam int WORDS_BITS = anser_pkg::WKV_HEAD_WORDS_BITS;

  reg  [ROW_BITS-1:0]   row_q, head_row_q;
  wire [ROW_BITS-1:0]   next_row = row_q + ROW_BITS'(1);
  wire                  turn, head;
  wire [ADDR_BITS-1:0]  unused_word;
  wire                  unused_active, unused_first, unused_last;
  wire [WORDS_BITS-1:0] one_word = WORDS_BITS'(1);  // the walk visits rows

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q      <= '0;
      head_row_q <= '0;
    end else if (load_i) begin
      row_q      <= '0;
      head_row_q <= '0;
    end else if (step_i) begin
      row_q <= (turn && !head) ? head_row_q : next_row;
      if (turn && head) head_row_q <= next_row;
    end
  end

  assign row_o = row_q;
