  localparam int ROWS_BITS = anser_pkg::MAT_ROWS_BITS;

  wire                                  known, logits;  // an instruction is in the unit; its destination
  wire [anser_pkg::MAT_D_ADDR_BITS-1:0] d_addr;
  wire [anser_pkg::COUNT_BITS-1:0]         op;
  wire                                  valid, clipped, last;
  wire [anser_pkg::VEC_BITS-1:0]        data;
  reg  [ROWS_BITS-1:0]                  row_q;
  reg                                   done_q;

  wire take_d     = d_valid_o && d_ready_i;
  wire take_logit = logit_valid_o && logit_ready_i;
  wire take       = take_d || take_logit;
  wire take_last  = take && last;
  wire unused_in_ready;  // the sender counts free_o

  assign d_valid_o     = valid && known && !logits;
  assign d_addr_o      = d_addr + row_q;
  assign d_data_o      = data;
  assign logit_valid_o = valid && known && logits;
  assign logit_data_o  = data;
  assign logit_last_o  = last;
  assign free_o        = take;
  assign sat_o         = take && clipped;
  assign done_o        = done_q;
  assign busy_o        = known;
  assign trace_valid_o = take;
  assign trace_op_o    = op;
  assign trace_row_o   = row_q;
  assign trace_data_o  = data;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q  <= '0;
      done_q <= 1'b0;
    end else begin
      done_q <= take_last;
      if (take) row_q <= last ? '0 : row_q + ROWS_BITS'(1);
    end
  end
