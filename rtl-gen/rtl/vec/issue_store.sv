  // -- State in memory: an addend may be a session vector, which comes where parameters do, and a word may go there.
  wire is_session = (f_c_sel == anser_pkg::C_SESSION);

  reg is_wide_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) is_wide_q <= 1'b0;
    else is_wide_q <= is_session;
  end

  assign wide_o                  = is_wide_q;
  assign record_o[REC_STORE_LSB] = instr_i[anser_pkg::VEC_STORE_LSB];
