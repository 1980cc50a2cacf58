
  localparam int VEC_BITS     = anser_pkg::VEC_BITS;
  localparam int OPERAND_BITS = anser_pkg::OPERAND_BITS;
  localparam int WORD_BITS    = anser_pkg::VEC_N_WORDS_BITS;
  localparam int AMAX_LSB     = OPERAND_BITS - 1;  // the bits of o ^ (o >>> sign) that S(amax) depends on

  reg                           en_q;
  reg  [WORD_BITS-1:0]          word_q;
  reg  [AMAX_BITS-1:0]          amax_q;
  reg  [AMAX_BITS-1:0]          magnitude;       // OR over the lanes
  reg  [SAT_BITS-1:0]           n_clipped;
  wire [LANES*OPERAND_BITS-1:0] mantissas;       // clip_16(o)
  wire [LANES*VEC_BITS-1:0]     mantissas_wide;  // the same, sign-extended

  wire to_xmem = (r_dest == anser_pkg::DEST_XMEM);
  wire to_wkv  = (r_dest == anser_pkg::DEST_WKV);
  wire refused = valid_i && to_vmem_i && !ready;
  wire commit  = valid_i && !refused;
  wire finish  = commit && last_i;
  wire [REC_D_ADDR_BITS-1:0] d_addr = r_d_addr + REC_D_ADDR_BITS'(word_q);

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire [VEC_BITS-1:0]     o        = o_i[l*VEC_BITS +: VEC_BITS];
    wire                    outside  = (o[VEC_BITS-1:OPERAND_BITS-1] != {(VEC_BITS-OPERAND_BITS+1){o[VEC_BITS-1]}});
    wire [OPERAND_BITS-1:0] mantissa = outside ? {o[VEC_BITS-1], {(OPERAND_BITS-1){!o[VEC_BITS-1]}}} : o[OPERAND_BITS-1:0];
    assign mantissas[l*OPERAND_BITS +: OPERAND_BITS] = mantissa;
    assign mantissas_wide[l*VEC_BITS +: VEC_BITS]    = {{(VEC_BITS-OPERAND_BITS){mantissa[OPERAND_BITS-1]}}, mantissa};
  end

  always_comb begin
    magnitude = '0;
    n_clipped = '0;
    for (int l = 0; l < LANES; l++) begin
      magnitude = magnitude | (o_i[l*VEC_BITS+AMAX_LSB +: AMAX_BITS] ^ {AMAX_BITS{o_i[l*VEC_BITS+VEC_BITS-1]}});
      n_clipped = n_clipped + SAT_BITS'(clip_i[l]);
    end
  end

  assign en_o       = en_q;
  assign commit_o   = commit;
  assign finish_o   = finish;
  assign amax_o     = amax_q;
  assign clipped_o  = (commit && to_vmem_i && here) ? n_clipped : '0;

  assign vw_valid_o = valid_i && to_vmem_i && !store;
  assign vw_addr_o  = d_addr;
  assign vw_data_o  = o_i;
  assign xw_en_o    = valid_i && to_xmem;  // vmem and memory refuse words, xmem and wkv do not
  assign xw_addr_o  = d_addr;
  assign xw_data_o  = mantissas;
  assign kw_en_o    = valid_i && to_wkv;
  assign kw_slot_o  = r_slot[anser_pkg::WKV_SLOT_BITS-1:0];
  assign kw_addr_o  = d_addr;
  assign kw_data_o  = mantissas;
  assign exp_we_o   = valid_i && last_i && (to_xmem || to_wkv);
  assign exp_wkv_o  = to_wkv;
  assign exp_slot_o = r_slot;
  assign exp_o      = r_exp;

  assign trace_vec_valid_o = commit;
  assign trace_vec_op_o    = r_op;
  assign trace_vec_word_o  = word_q;
  assign trace_vec_data_o  = (to_xmem || to_wkv) ? mantissas_wide : o_i;
  assign trace_exp_valid_o = exp_we_o;
  assign trace_exp_op_o    = r_op;
  assign trace_exp_exp_o   = r_exp;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q   <= 1'b1;
      word_q <= '0;
      amax_q <= '0;
    end else begin
      en_q <= !refused;
      if (commit) word_q <= last_i ? '0 : word_q + WORD_BITS'(1);
      if (start_i) amax_q <= '0;
      else if (valid_i && r_amax && here) amax_q <= magnitude | ((word_q == '0 && !r_amax_keep) ? '0 : amax_q);
    end
  end
