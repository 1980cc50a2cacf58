  localparam int WORD_BITS    = LANES * STATE_BITS;
  localparam int ELEMENT_BITS = anser_pkg::MEMORY_ELEMENT_BITS;
  localparam int TAKEN_BITS   = $clog2(OUT_WORDS);

  wire [WORD_BITS-1:0] cut;            // what is kept of the word that comes
  wire [WORD_BITS-1:0] next, updated;
  reg  [2:1]           read_q;         // bit n: a word was read n cycles ago
  reg  [WORD_BITS-1:0] word_1_q, word_2_q, word_3_q;
  reg  [TAKEN_BITS:0]  taken_q;        // words taken that have not left, OUT_WORDS at most
  reg                  flush_q;
  wire                 unused_room;    // it was reserved with take_i
  wire                 leave = out_valid_o && out_ready_i;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    assign cut[l*STATE_BITS +: STATE_BITS] = in_data_i[l*ELEMENT_BITS +: STATE_BITS];
    assign out_data_o[l*STORED_BITS +: STORED_BITS] =
      {{(STORED_BITS-STATE_BITS){updated[l*STATE_BITS + STATE_BITS-1]}}, updated[l*STATE_BITS +: STATE_BITS]};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q  <= '0;
      taken_q <= '0;
      flush_q <= 1'b0;
    end else begin
      read_q <= {read_q[1], re_i};
      if (take_i != leave) taken_q <= take_i ? taken_q + 1'b1 : taken_q - 1'b1;
      if (finish_i) flush_q <= 1'b1;
      else if (flush_o) flush_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) word_1_q <= next;
    if (read_q[1]) word_2_q <= word_1_q;
    if (read_q[2]) word_3_q <= word_2_q;
  end

  assign rdata_o = word_3_q;
  assign room_o  = !taken_q[TAKEN_BITS];
  assign flush_o = flush_q && !out_valid_o;

  wire unused_signs = &{1'b0, in_data_i};  // memory holds more bits of an element
