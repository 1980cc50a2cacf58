
  // ---- AXI4-Stream master of the logits ----

  chip_t_held: assert property (m_axis_logits_tvalid && !m_axis_logits_tready
                                |=> m_axis_logits_tvalid && $stable({m_axis_logits_tdata, m_axis_logits_tlast}))
    else $error("the chip took back or changed a logit that waited");
  chip_t_reset: assert property (disable iff (1'b0) !on_q |-> !m_axis_logits_tvalid)
    else $error("the chip offers a logit in reset");
