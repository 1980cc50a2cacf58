
  // The state is on the chip: beats are weights or parameters.
  assign to_params = (kind == anser_pkg::DMA_KIND_PARAMS) || (kind == anser_pkg::DMA_KIND_EMBEDDING);
  assign base      = image_base_i;

  assign m_axi_rready_o  = stop_i || (tag_valid && (tag_param ? p_ready_i : w_ready_i));
  assign w_valid_o       = m_axi_rvalid_i && tag_valid && !tag_param && !stop_i;
  assign p_data_o        = m_axi_rdata_i;
  assign refused_param_o = refused_o && tag_param;
