  // The bits that are lost are shifted out to the left rather than masked: a mask is a chain of gates, one after another.
  localparam int LOST_BITS = 1 << SHIFT_BITS;

  wire        [IN_BITS:0]     doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire signed [IN_BITS:0]     shifted = $signed(doubled) >>> shift_i;
  wire        [LOST_BITS-1:0] lost    = LOST_BITS'(x_i) << ~shift_i;  // the half bit to its top, what is below it below
  wire                        sticky  = |lost[LOST_BITS-2:0];
  wire                        up      = shifted[0] && (sticky || shifted[1]);

  assign y_o = shifted[OUT_BITS:1] + OUT_BITS'(up);

  wire unused_bits = &{1'b0, lost[LOST_BITS-1], shifted};
