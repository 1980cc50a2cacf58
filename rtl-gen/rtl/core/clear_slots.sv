  wire [SLOTS-1:0] clear_slots = {SLOTS{token_clear}} & regs_active;
