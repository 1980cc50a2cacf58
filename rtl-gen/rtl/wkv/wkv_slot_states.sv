
  // A memory for each slot. Those that are not read answer 0.
  wire [SLOT_BITS-1:0]       read_slot, write_slot;
  wire [SLOTS-1:0]           read_slots  = {SLOTS{read}} & (SLOTS'(1) << read_slot);
  wire [SLOTS-1:0]           write_slots = {SLOTS{write}} & (SLOTS'(1) << write_slot);
  wire [SLOTS-1:0]           clear_busy;
  wire [SLOTS*WORD_BITS-1:0] s_words;
  reg  [WORD_BITS-1:0]       s_any;

  always_comb begin
    s_any = '0;
    for (int s = 0; s < SLOTS; s++) begin
      s_any = s_any | s_words[s*WORD_BITS +: WORD_BITS];
    end
  end

  assign s_read       = s_any;
  assign clear_busy_o = |clear_busy;
  assign block        = clear_busy_o;
