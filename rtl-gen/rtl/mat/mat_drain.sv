  localparam int VEC_BITS     = anser_pkg::VEC_BITS;
  localparam int SCALE_BITS   = anser_pkg::SCALE_BITS;
  localparam int M_BITS       = anser_pkg::SCALE_M_BITS;
  localparam int SHIFT_BITS   = anser_pkg::MAT_LOAD_SHIFT_BITS;
  localparam int SHIFT_E_BITS = SHIFT_BITS + 1;
  localparam int ROWS_BITS    = anser_pkg::MAT_LOAD_ROWS_BITS;
  localparam int LANE_BITS    = $clog2(anser_pkg::MAT_LANES);
  localparam int POS_BITS     = LANE_BITS + $clog2(GROUPS);
  localparam int GROUP_BITS   = POS_BITS + 1;  // one more, so that one group has a number
  localparam int CREDIT_BITS  = $clog2(OUT_ROWS + 1);

  // Rows of the hand-over registers.
  reg                   hold_q, columns_q, w16_q, last_q;
  reg [SHIFT_BITS-1:0]  shift_q;
  reg [ROWS_BITS-1:0]   left_q;
  reg [POS_BITS-1:0]    pos_q;      // row in the hand-over: group and lane (columns), lane, or pair (W16)
  reg [CREDIT_BITS-1:0] credits_q;  // free places in the output queue
  reg                   hold_ok_q;

  wire              row     = hold_q && credits_q != '0;
  wire              row_end = (left_q == ROWS_BITS'(1));
  wire [GROUPS-1:0] sel;
  wire [POS_BITS:0] group   = {1'b0, pos_q} >> LANE_BITS;

  assign row_o      = row;
  assign row_last_o = last_q && row_end;
  assign sel_o      = sel;
  assign pair_o     = w16_q ? pos_q[2:0] : pos_q[3:1];
  assign hold_ok_o  = hold_ok_q;

  for (genvar g = 0; g < GROUPS; g++) begin : gen_sel
    assign sel[g] = !columns_q || group == GROUP_BITS'(g);
  end

  // Four rows with a credit each are gone three cycles from now, whatever the receiver does; five a cycle earlier.
  localparam int SURE_ROWS = 5;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_ok_q <= 1'b0;
    end else begin
      hold_ok_q <= !loading_i && !load_i
                   && (!hold_q || (left_q <= ROWS_BITS'(SURE_ROWS) && credits_q >= CREDIT_BITS'(SURE_ROWS)));
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q    <= 1'b0;
      columns_q <= 1'b0;
      w16_q     <= 1'b0;
      last_q    <= 1'b0;
      shift_q   <= '0;
      left_q    <= '0;
      pos_q     <= '0;
      credits_q <= CREDIT_BITS'(OUT_ROWS);
    end else begin
      case ({row, free_i})
        2'b10:   credits_q <= credits_q - CREDIT_BITS'(1);
        2'b01:   credits_q <= credits_q + CREDIT_BITS'(1);
        default: credits_q <= credits_q;
      endcase
      if (load_i) begin
        hold_q    <= 1'b1;
        columns_q <= load_columns_i;
        w16_q     <= load_w16_i;
        last_q    <= load_last_i;
        shift_q   <= load_shift_i;
        left_q    <= load_rows_i;
        pos_q     <= '0;
      end else if (row) begin
        if (row_end) hold_q <= 1'b0;
        left_q <= left_q - ROWS_BITS'(1);
        pos_q  <= pos_q + POS_BITS'(1);
      end
    end
  end

  // Stage n of the pipeline holds what was registered n cycles after the row was chosen.
  reg [7:1] valid_q, end_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      end_q   <= '0;
    end else begin
      valid_q <= {valid_q[6:1], row};
      end_q   <= {end_q[6:1], row_last_o};
    end
  end

  // Stage 1: the groups' own registers. 2: groups added. 3: the row's value and the parts of its scale.
  reg                  w16_1_q, odd_1_q, w16_2_q, odd_2_q;
  reg [SHIFT_BITS-1:0] shift_1_q, shift_2_q, shift_3_q;
  reg [ACC_BITS-1:0]   even_sum, odd_sum, even_2_q, odd_sum_2_q;
  reg [SUM_BITS-1:0]   value_3_q;
  reg [M_BITS-1:0]     m_3_q;

  wire [SUM_BITS-1:0]     even_wide = SUM_BITS'($signed(even_2_q));
  wire [SUM_BITS-1:0]     odd_wide  = SUM_BITS'($signed(odd_sum_2_q));
  wire [SHIFT_E_BITS-1:0] shift_e   = {shift_2_q[SHIFT_BITS-1], shift_2_q} + SHIFT_E_BITS'(scale_i[SCALE_BITS-1:M_BITS]);  // -31 to 78

  wire [ACC_BITS-1:0] even_0 = even_i[ACC_BITS-1:0];
  wire [ACC_BITS-1:0] odd_0  = odd_i[ACC_BITS-1:0];

  always_comb begin
    even_sum = even_0;
    odd_sum  = odd_0;
    for (int g = 1; g < GROUPS; g++) begin
      even_sum = even_sum + even_i[g*ACC_BITS +: ACC_BITS];
      odd_sum  = odd_sum + odd_i[g*ACC_BITS +: ACC_BITS];
    end
  end

  always_ff @(posedge clk_i) begin
    if (row) begin
      w16_1_q   <= w16_q;
      odd_1_q   <= pos_q[0];
      shift_1_q <= shift_q;
    end
    if (valid_q[1]) begin
      w16_2_q     <= w16_1_q;
      odd_2_q     <= odd_1_q;
      shift_2_q   <= shift_1_q;
      even_2_q    <= even_sum;
      odd_sum_2_q <= odd_sum;
    end
    if (valid_q[2]) begin
      value_3_q <= w16_2_q ? even_wide + {odd_wide[SUM_BITS-9:0], 8'd0} : odd_2_q ? odd_wide : even_wide;
      m_3_q     <= scale_i[M_BITS-1:0];
      shift_3_q <= shift_e[SHIFT_BITS] ? '0 : shift_e[SHIFT_BITS-1:0];
    end
  end
