  localparam int WORD_BITS    = LANES * STATE_BITS;
  localparam int ELEMENT_BITS = anser_pkg::OPERAND_BITS;
  localparam int OPERAND_BITS = LANES * ELEMENT_BITS;
  localparam int SHIFT_BITS   = anser_pkg::SHIFT_BITS;
  localparam int QUEUE_BITS   = $clog2(QUEUE_ROWS);
  localparam int LANE_BITS    = $clog2(LANES);
  localparam int ROW_BITS     = ADDR_BITS + LANE_BITS;  // address of an element of an operand

  // What depends on the number of sessions and on where their state lies is driven below.
  wire                       room;                          // what is written will find room
  wire [ROW_BITS-1:0]        v_element;                     // element of v of the row that is taken: head * head_size + row
  wire [SHIFT_BITS-1:0]      shift_b, shift_vk, shift_y;    // each of the word in the stage that uses it
  reg  [STATE_ADDR_BITS-1:0] s_addr_q;                      // of the word that is written

  wire                       last, unused_active, unused_first;
  reg  [QUEUE_BITS:0]        rows_q;   // rows taken to their end whose y is not handed over, QUEUE_ROWS at most
  reg  [UPDATED:1]           stage_q;  // bit n: a word is in the registers of stage n
  wire                       take      = valid_i && room && (!last || !rows_q[QUEUE_BITS]);
  wire                       take_row  = take && last;
  wire                       hand_over = y_valid_o && y_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stage_q <= '0;
      rows_q  <= '0;
    end else begin
      stage_q <= {stage_q[UPDATED-1:1], take};
      if (take_row != hand_over) rows_q <= take_row ? rows_q + 1'b1 : rows_q - 1'b1;
    end
  end

  // Stage 1 is beside the memories' outputs, stage 2 holds the lanes' operands; v and k come a stage later, because v is one element of
  // a word.
  reg  [WORD_BITS-1:0]    s_1_q, s_q;
  reg  [STATE_BITS-1:0]   sa_1_q, sa_q;
  reg  [LANE_BITS-1:0]    v_lane_1_q, v_lane_2_q;
  reg  [OPERAND_BITS-1:0] d_q, b_q, k_2_q, v_2_q, k_q;
  reg  [ELEMENT_BITS-1:0] v_q;
  wire [UPDATED-3:0]      lane_en = stage_q[UPDATED-1:2];
  wire [LANES-1:0]        clipped;
  reg  [CLIP_BITS-1:0]    clips;

  always_ff @(posedge clk_i) begin
    if (take) begin
      s_1_q      <= word_i;
      sa_1_q     <= sa_i;
      v_lane_1_q <= v_element[LANE_BITS-1:0];
    end
    if (stage_q[1]) begin
      s_q        <= s_1_q;
      sa_q       <= sa_1_q;
      d_q        <= d_i;
      b_q        <= b_i;
      k_2_q      <= k_i;
      v_2_q      <= v_i;
      v_lane_2_q <= v_lane_1_q;
    end
    if (stage_q[2]) begin
      k_q <= k_2_q;
      v_q <= v_2_q[v_lane_2_q*ELEMENT_BITS +: ELEMENT_BITS];
    end
  end

  always_comb begin
    clips = '0;
    for (int l = 0; l < LANES; l++) begin
      clips = clips + CLIP_BITS'(clipped[l]);
    end
  end

  assign take_o      = take;
  assign take_last_o = take_row;
  assign v_addr_o    = v_element[ROW_BITS-1:LANE_BITS];
  assign we_o        = stage_q[UPDATED];
  assign s_addr_o    = s_addr_q;
  assign clips_o     = we_o ? clips : '0;
  assign idle_o      = (rows_q == '0);

  // y: r is read so late that it meets S'.
  wire                           y_first, y_last, y_final;
  wire [anser_pkg::VEC_BITS-1:0] y;
  wire                           unused_y_active;
  wire                           unused_y_ready;  // room in the queue was reserved when the row was taken
  reg  [2:1]                     y_first_q, y_last_q;
  reg  [OPERAND_BITS-1:0]        r_q;
  wire                           sum_first = y_first_q[2];
  wire                           sum_last  = y_last_q[2];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      y_first_q <= '0;
      y_last_q  <= '0;
    end else begin
      y_first_q <= {y_first_q[1], y_first};
      y_last_q  <= {y_last_q[1], y_last};
    end
  end

  always_ff @(posedge clk_i) begin
    if (stage_q[UPDATED-1]) r_q <= r_i;
  end

  assign r_read_o = stage_q[UPDATED-2];
