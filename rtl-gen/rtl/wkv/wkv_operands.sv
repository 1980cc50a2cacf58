  localparam int SLOT_BITS    = anser_pkg::WKV_SLOT_BITS;
  localparam int KW_ADDR_BITS = anser_pkg::WORD_ADDR_BITS;

  // A word of the recurrence is PARTS words of the vector unit, side by side.
  wire [ADDR_BITS-1:0] waddr = ADDR_BITS'(kw_addr_i >> $clog2(PARTS));
  wire [PARTS-1:0]     part_we;
  wire                 unused_kw_addr = &{1'b0, kw_addr_i};

  for (genvar p = 0; p < PARTS; p++) begin : gen_part
    assign part_we[p] = kw_en_i && ((kw_addr_i & KW_ADDR_BITS'(PARTS - 1)) == KW_ADDR_BITS'(p));
  end

  wire [PARTS-1:0] kk_we = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_KK)}};
  wire [PARTS-1:0] d_we  = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_D)}};
  wire [PARTS-1:0] b_we  = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_B)}};
  wire [PARTS-1:0] k_we  = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_K)}};
  wire [PARTS-1:0] v_we  = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_V)}};
  wire [PARTS-1:0] r_we  = part_we & {PARTS{kw_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_R)}};
