
  // The state is in memory: beats can also be state for the recurrence (bit 0 of to) or a session vector (bit 1).
  wire       is_session = (kind == anser_pkg::DMA_KIND_SESSION);
  wire       is_state   = (kind == anser_pkg::DMA_KIND_STATE);
  reg  [1:0] a_to_q, b_to_q, c_to_q;
  wire       tag_state, tag_session;
  wire       zero;  // the beat's slot starts from zeros

  assign to_params = (kind == anser_pkg::DMA_KIND_PARAMS) || (kind == anser_pkg::DMA_KIND_EMBEDDING) || is_session;

  always_ff @(posedge clk_i) begin
    if (a_load) a_to_q <= {is_session, is_state};
    if (b_load) b_to_q <= a_to_q;
    if (c_load) c_to_q <= b_to_q;
  end

  assign m_axi_rready_o  = stop_i || (tag_valid && (tag_state ? s_ready_i : tag_param ? p_ready_i : w_ready_i));
  assign w_valid_o       = m_axi_rvalid_i && tag_valid && !tag_param && !tag_state && !stop_i;
  assign s_valid_o       = m_axi_rvalid_i && tag_valid && tag_state && !stop_i;
  assign p_data_o        = m_axi_rdata_i & {BUS_BITS{!(tag_session && zero)}};
  assign s_data_o        = m_axi_rdata_i & {BUS_BITS{!zero}};
  assign refused_param_o = refused_o && (tag_param || tag_state);
