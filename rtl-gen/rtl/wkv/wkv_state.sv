  localparam int BANK_ADDR_BITS = $clog2(BANK_WORDS);
  localparam int WIDE_BITS      = ADDR_BITS + BANK_ADDR_BITS;  // lets an address of a single bank be shifted to its bank's number, 0

  reg                  clear_q;
  reg  [ADDR_BITS-1:0] clear_addr_q;
  wire                 clearing = clear_q && !hold_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_q      <= 1'b0;
      clear_addr_q <= '0;
    end else if (clear_i) begin
      clear_q      <= 1'b1;
      clear_addr_q <= '0;
    end else if (clearing) begin
      clear_addr_q <= clear_addr_q + ADDR_BITS'(1);
      if (clear_addr_q == ADDR_BITS'(WORDS - 1)) clear_q <= 1'b0;
    end
  end

  assign clear_busy_o = clear_q;

  wire                 we    = we_i || clearing;
  wire [ADDR_BITS-1:0] waddr = clearing ? clear_addr_q : waddr_i;
  wire [WIDTH-1:0]     wdata = clearing ? '0 : wdata_i;

  // One bit a bank: a write or read is asked for now, and was one, two and three cycles ago.
  wire [BANKS-1:0]     write, read;
  reg  [BANKS-1:0]     write_q, read_q, read_1_q, read_2_q;
  reg  [ADDR_BITS-1:0] waddr_q, raddr_q;
  reg  [WIDTH-1:0]     wdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q  <= '0;
      read_q   <= '0;
      read_1_q <= '0;
      read_2_q <= '0;
    end else begin
      write_q  <= write;
      read_q   <= read;
      read_1_q <= read_q;
      read_2_q <= read_1_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (we) begin
      waddr_q <= waddr;
      wdata_q <= wdata;
    end
    if (re_i) raddr_q <= raddr_i;
  end

  // What the banks give, and their registers; bank 0 lowest.
  wire [BANKS*WIDTH-1:0] words;
  reg  [BANKS*WIDTH-1:0] words_q;
  reg  [WIDTH-1:0]       selected;

  for (genvar b = 0; b < BANKS; b++) begin : gen_bank
    assign write[b] = we && ((WIDE_BITS'(waddr) >> BANK_ADDR_BITS) == WIDE_BITS'(b));
    assign read[b]  = re_i && ((WIDE_BITS'(raddr_i) >> BANK_ADDR_BITS) == WIDE_BITS'(b));

    always_ff @(posedge clk_i) begin
      if (read_1_q[b]) words_q[b*WIDTH +: WIDTH] <= words[b*WIDTH +: WIDTH];
    end
  end

  always_comb begin
    selected = '0;
    for (int b = 0; b < BANKS; b++) begin
      selected = selected | ({WIDTH{read_2_q[b]}} & words_q[b*WIDTH +: WIDTH]);
    end
  end

  assign rdata_o = selected;

  wire unused_bank = &{1'b0, waddr_q, raddr_q};  // the bank's number was decoded before
