  localparam int S_LANE_BITS = $clog2(S_LANES);
  localparam int V_LANE_BITS = $clog2(LANES);

  // What is under way. A read asks, waits for the slower of the two memories and picks; a write of S does that first, because S is written
  // in whole words.
  localparam [1:0] IDLE = 2'd0, FETCH = 2'd1, PUT = 2'd2;
  localparam [2:0] LAST = 3'(READ_CYCLES);  // cycles from the question to the word

  reg  [1:0]              state_q;
  reg  [2:0]              count_q;
  reg                     s_q;        // S, not vmem
  reg  [AT_BITS-1:0]      at_q;       // element
  reg                     writing_q;  // the element that is fetched is to be replaced
  reg  [31:0]             value_q;    // what was fetched, or is to be written
  reg  [S_WORD_BITS-1:0]  word_q;     // the word of S with the element replaced

  wire asks    = !busy_i && (state_q == IDLE);
  wire at_we   = asks && at_we_i;
  wire data_we = asks && data_we_i;
  wire data_re = asks && data_re_i;
  wire fetched = (state_q == FETCH) && (count_q == LAST);
  wire put     = (state_q == PUT) && (s_q || y_ready_i);

  // The lanes of the word that was fetched, sign-extended.
  wire [S_LANES*32-1:0] s_elements;
  wire [LANES*32-1:0]   v_elements;

  for (genvar l = 0; l < S_LANES; l++) begin : gen_s
    assign s_elements[l*32 +: 32] = 32'($signed(s_data_i[l*STATE_BITS +: STATE_BITS]));
  end
  for (genvar l = 0; l < LANES; l++) begin : gen_v
    assign v_elements[l*32 +: 32] = 32'($signed(va_data_i[l*anser_pkg::VEC_BITS +: anser_pkg::VEC_BITS]));
  end

  wire [S_LANE_BITS-1:0] s_lane = at_q[S_LANE_BITS-1:0];
  wire [V_LANE_BITS-1:0] v_lane = at_q[V_LANE_BITS-1:0];
  wire [STATE_BITS-1:0]  element = value_q[STATE_BITS-1:0];
  reg  [S_WORD_BITS-1:0] replaced;  // the word of S that was fetched, with the new element

  always_comb begin
    replaced = s_data_i;
    replaced[s_lane*STATE_BITS +: STATE_BITS] = element;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= IDLE;
      count_q   <= '0;
      writing_q <= 1'b0;
    end else begin
      case (state_q)
        IDLE: begin
          count_q   <= '0;
          writing_q <= data_we;
          if (data_we && !s_q) state_q <= PUT;
          else if (at_we || data_we || data_re) state_q <= FETCH;
        end
        FETCH: begin
          count_q <= count_q + 3'd1;
          if (fetched) state_q <= writing_q ? PUT : IDLE;
        end
        default: begin
          count_q   <= '0;
          writing_q <= 1'b0;
          if (put) state_q <= FETCH;  // the element behind the one that was written
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (at_we) begin
      s_q  <= data_i[31];
      at_q <= data_i[AT_BITS-1:0];
    end else if (data_re || put) begin
      at_q <= at_q + AT_BITS'(1);
    end
    if (data_we) value_q <= data_i;
    else if (fetched && !writing_q) value_q <= s_q ? s_elements[s_lane*32 +: 32] : v_elements[v_lane*32 +: 32];
    if (fetched) word_q <= replaced;
  end

  wire ask = (state_q == FETCH) && (count_q == 3'd0);

  assign data_o    = value_q;
  assign wait_o    = (state_q != IDLE);
  assign s_re_o    = ask && s_q;
  assign s_we_o    = (state_q == PUT) && s_q;
  assign s_addr_o  = S_ADDR_BITS'(at_q >> S_LANE_BITS);
  assign s_data_o  = word_q;
  assign va_en_o   = ask && !s_q;
  assign va_addr_o = anser_pkg::WORD_ADDR_BITS'(at_q >> V_LANE_BITS);
  assign y_valid_o = (state_q == PUT) && !s_q;
  assign y_addr_o  = anser_pkg::ELEMENT_ADDR_BITS'(at_q);
  assign y_data_o  = value_q[anser_pkg::VEC_BITS-1:0];

  wire unused_at = &{1'b0, data_i[30:AT_BITS]};
