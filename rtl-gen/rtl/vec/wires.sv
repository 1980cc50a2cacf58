  localparam int VEC_BITS   = anser_pkg::VEC_BITS;
  localparam int SHIFT_BITS = anser_pkg::VEC_SHIFT_BITS;

  // -- Issue
  wire                  go, open, last, reduce;  // a word is issued; the instruction's first, last; part of a reduction
  wire                  begin_red;               // the reduction on offer is about to begin
  wire                  en;                      // the pipeline advances
  wire [TAG_BITS-1:0]   tag;
  wire [SHIFT_BITS-1:0] issue_shift;
  wire [AMAX_BITS-1:0]  amax;
  wire [SEG_BITS-1:0]   seg;

  // -- The instructions in the pipeline
  wire                   record_valid, record_ready;
  wire [RECORD_BITS-1:0] issue_record, record;  // of the instruction that begins; of the oldest
  wire                   red_busy, report_full, pending;
  wire                   drained  = !record_valid && !red_busy;
  wire                   open_red = open && reduce;

  // -- Parameters
  wire                        beat_valid, beat_ready, p_valid, take_params;
  wire [BUS_BITS-1:0]         beat;
  wire [LANES*PARAM_BITS-1:0] p_word;

  // -- The lanes' stages
  wire [LANE_STAGES-1:0]                   v;   // the stages that hand a word on, see vec_control
  wire [TABLE_STAGES:0]                    lv;
  wire [LANES-1:0]                         live, live_end, clip;
  wire [SHIFT_BITS-1:0]                    shift_6;
  wire [anser_pkg::VEC_PSHIFT_BITS-1:0]    pshift_7;
  wire [anser_pkg::VEC_LUT_SHIFT_BITS-1:0] lut_shift_l1;
  wire [anser_pkg::VEC_LUT_BITS-1:0]       lut_l4;
  wire [LANES*PRODUCT_BITS-1:0]            t;
  wire [LANES*VEC_BITS-1:0]                o;
  wire                                     t_valid, t_end, t_last;
  wire                                     w_valid, w_to_vmem, w_red, w_seg_end, w_last;
  wire                                     w_push = w_valid && en;
  wire                                     w_sum  = w_push && w_red;
  // An element of a session vector comes where a parameter does, but is not shifted.
  wire [anser_pkg::VEC_PSHIFT_BITS-1:0]    pshift = (f_c_sel == anser_pkg::C_P) ? f_pshift : '0;

  // -- The oldest finished word
  wire                      r_valid, r_to_vmem, r_red, r_last, unused_results_ready;
  wire [LANES-1:0]          r_clip;
  wire [LANES*VEC_BITS-1:0] r_o;
  wire                      commit, finish;  // a word is written; an instruction's last
  wire [SAT_BITS-1:0]       clipped;

  // -- Sums and scalars
  wire                  sum_valid, sum_last, pop_sum;
  wire [ACC_BITS-1:0]   sum;
  wire                  scalar_last, scalar_sat, mean_we, mult_we, shift_we, unused_scalar_busy;
  wire [SEG_BITS-1:0]   scalar_seg;
  wire [VEC_BITS-1:0]   scalar_value, s_mean, s_mult;
  wire [SHIFT_BITS-1:0] scalar_shift, s_shift;
