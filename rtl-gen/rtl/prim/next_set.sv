  localparam int INDEX_BITS = $clog2(WIDTH);

  wire [WIDTH-1:0]      above = set_i & ~((WIDTH'(2) << at_i) - WIDTH'(1));
  reg  [INDEX_BITS-1:0] first, next;

  always_comb begin
    first = INDEX_BITS'(WIDTH - 1);
    next  = INDEX_BITS'(WIDTH - 1);
    for (int i = WIDTH - 2; i >= 0; i--) begin
      if (set_i[i]) first = INDEX_BITS'(i);
      if (above[i]) next = INDEX_BITS'(i);
    end
  end

  assign first_o = first;
  assign last_o  = (above == '0);
  assign next_o  = last_o ? first : next;
