
  // Vectors over the units: bit 0 dma, 1 mat, 2 vec, 3 wkv.
  wire [3:0] handover    = {wkv_fetch_instr_valid && wkv_instr_ready, vec_fetch_instr_valid && vec_instr_ready,
                            mat_fetch_instr_valid && mat_instr_ready, dma_fetch_instr_valid && dma_instr_ready};
  wire [3:0] done        = {wkv_done, vec_done, mat_done, dma_done};
  wire [3:0] last_handed = {wkv_fetch_finished, vec_fetch_finished, mat_fetch_finished, dma_fetch_finished};

  // The vector unit keeps an instruction on offer until its last word; it starts with the first.
  assign trace_start_o = {handover[3], vec_started, handover[1:0]};
  assign trace_done_o  = done;

  // The stall counters, by name.
  wire mat_waits_for_operand = mat_fetch_waiting && !mat_busy;
  wire mat_waits_for_weights = mat_stall_weights;
  wire mat_waits_for_drain   = mat_stall_drain;
  wire memory_idle           = dma_idle;
  wire read_data_refused     = dma_refused;

  // Why no beat comes in this cycle: a beat is offered and refused, or asked for, or there is nothing to ask for.
  wire refused_weights = dma_refused && !dma_refused_param;
  wire nothing_asked   = dma_idle && !dma_beat;
  wire lost_operand    = refused_weights && mat_waits_for_operand;
  wire lost_drain      = refused_weights && !mat_waits_for_operand && mat_stall_drain;
  wire lost_mat        = refused_weights && !mat_waits_for_operand && !mat_stall_drain;
  wire lost_params     = dma_refused_param;
  wire lost_memory     = !dma_idle && !dma_beat && !dma_refused;
  wire lost_order      = nothing_asked && !dma_fetch_finished && dma_fetch_waiting;
  wire lost_start      = nothing_asked && !dma_fetch_finished && !dma_fetch_waiting;
  wire lost_end        = nothing_asked && dma_fetch_finished;

  // A logit on offer stays there if the token is ended.
  assign m_axis_logits_tvalid = logits_out_valid;
  assign {m_axis_logits_tlast, m_axis_logits_tdata} = logits_out_data;

  wire unused_fetch = &{1'b0, dma_fetch_instr_idx, vec_fetch_waiting, wkv_fetch_waiting};
