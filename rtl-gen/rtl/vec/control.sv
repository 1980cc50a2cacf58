  reg  [LANE_STAGES:1]  v_q;   // stage k holds a word
  reg  [TABLE_STAGES:1] lv_q;  // stage k of the table path holds a word
  reg                   w_valid_q;
  reg                   w_to_vmem_q, w_red_q, w_seg_end_q, w_last_q;

  wire [TAG_BITS-1:0]                      tag_2, tag_product, tag_end, tag_table;  // in a stage; end, table: the last ones
  wire [anser_pkg::VEC_SHIFT_BITS-1:0]     shift_1;
  wire [anser_pkg::VEC_LUT_BITS-1:0]       lut_end;
  wire [anser_pkg::VEC_LUT_SHIFT_BITS-1:0] lut_shift_end;

  // v_en[k], lv_en[k]: stage k hands a word to stage k + 1. Stage 0 of the lanes is issue, stage 0 of the table path their last one.
  wire                                 to_table = (lut_end != anser_pkg::LUT_NONE);
  wire                                 leaves   = v_q[LANE_STAGES] && !to_table;
  wire [LANE_STAGES-1:0]               v        = {v_q[LANE_STAGES-1:1], go_i};
  wire [TABLE_STAGES:0]                lv       = {lv_q, v_q[LANE_STAGES] && to_table};
  wire [LANE_STAGES-1:0]               v_en     = v & {LANE_STAGES{en_i}};
  wire [TABLE_STAGES:0]                lv_en    = lv & {(TABLE_STAGES+1){en_i}};
  wire [anser_pkg::VEC_SHIFT_BITS-1:0] shift_2  = scalar_shift_i ? s_shift_i : shift_1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      v_q       <= '0;
      lv_q      <= '0;
      w_valid_q <= 1'b0;
    end else if (en_i) begin
      v_q       <= v;
      lv_q      <= lv[TABLE_STAGES-1:0];
      w_valid_q <= leaves || lv_q[TABLE_STAGES];
    end
  end

  wire [TAG_BITS-1:0] w_tag = lv_q[TABLE_STAGES] ? tag_table : tag_end;

  always_ff @(posedge clk_i) begin
    if (en_i && (lv_q[TABLE_STAGES] || v_q[LANE_STAGES])) begin
      w_to_vmem_q <= w_tag[TAG_TO_VMEM_LSB];
      w_red_q     <= w_tag[TAG_RED_LSB];
      w_seg_end_q <= w_tag[TAG_SEG_END_LSB];
      w_last_q    <= w_tag[TAG_LAST_LSB];
    end
  end

  for (genvar l = 0; l < LANES; l++) begin : gen_live
    assign live_o[l]     = (TAG_LIVE_BITS'(l) < tag_2[TAG_LIVE_LSB +: TAG_LIVE_BITS]);
    assign live_end_o[l] = (TAG_LIVE_BITS'(l) < tag_table[TAG_LIVE_LSB +: TAG_LIVE_BITS]);
  end

  assign v_o         = {v_q[LANE_STAGES] && en_i, v_en[LANE_STAGES-1:1]};
  assign lv_o        = lv_en;
  assign t_valid_o   = en_i && v_q[PRODUCT_STAGE] && tag_product[TAG_RED_LSB];
  assign t_end_o     = tag_product[TAG_SEG_END_LSB];
  assign t_last_o    = tag_product[TAG_LAST_LSB];
  assign w_valid_o   = w_valid_q;
  assign w_to_vmem_o = w_to_vmem_q;
  assign w_red_o     = w_red_q;
  assign w_seg_end_o = w_seg_end_q;
  assign w_last_o    = w_last_q;

  wire unused_tag = &{1'b0, w_tag[TAG_LIVE_LSB +: TAG_LIVE_BITS]};  // the lanes have used it
