  localparam int HEADS_BITS = anser_pkg::WKV_N_HEAD_BITS;
  localparam int ROWS_BITS  = anser_pkg::WKV_HEAD_SIZE_BITS;
  localparam int WORDS_BITS = anser_pkg::WKV_HEAD_WORDS_BITS;

  reg                   active_q, first_q;
  reg  [WORDS_BITS-1:0] words_left_q;  // of this row, the present one included
  reg  [ROWS_BITS-1:0]  rows_left_q;   // of this head, the present one included
  reg  [HEADS_BITS-1:0] heads_left_q;
  reg  [ADDR_BITS-1:0]  word_q, row_start_q;

  wire [ADDR_BITS-1:0]  next_word = word_q + ADDR_BITS'(1);
  wire                  last_word = (words_left_q == WORDS_BITS'(1));
  wire                  last_row  = (rows_left_q == ROWS_BITS'(1));
  wire                  last_head = (heads_left_q == HEADS_BITS'(1));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q     <= 1'b0;
      first_q      <= 1'b0;
      words_left_q <= '0;
      rows_left_q  <= '0;
      heads_left_q <= '0;
      word_q       <= '0;
      row_start_q  <= '0;
    end else if (load_i) begin
      active_q     <= 1'b1;
      first_q      <= 1'b1;
      words_left_q <= head_words_i;
      rows_left_q  <= head_size_i;
      heads_left_q <= n_head_i;
      word_q       <= '0;
      row_start_q  <= '0;
    end else if (step_i) begin
      first_q <= last_word;
      if (!last_word) begin
        words_left_q <= words_left_q - WORDS_BITS'(1);
        word_q       <= next_word;
      end else begin
        words_left_q <= head_words_i;
        if (!last_row) begin
          rows_left_q <= rows_left_q - ROWS_BITS'(1);
          word_q      <= row_start_q;
        end else begin
          // the head once more, for the next slot, or the next head
          rows_left_q <= head_size_i;
          word_q      <= last_slot ? next_word : row_start_q;
          if (last_slot) begin
            heads_left_q <= heads_left_q - HEADS_BITS'(1);
            row_start_q  <= next_word;
            if (last_head) active_q <= 1'b0;
          end
        end
      end
    end
  end

  assign active_o = active_q;
  assign word_o   = word_q;
  assign first_o  = first_q;
  assign last_o   = last_word;
