  // ---- data: files in the folder that the simulator runs in ----

  reg [DATA_BITS-1:0] data [0:IMAGE_BEATS+STATES_BEATS-1];  // of the memory: the image, and states if they lie there
  reg [31:0] program_dma [0:DMA_WORDS-1];
  reg [31:0] program_mat [0:MAT_WORDS-1];
  reg [31:0] program_vec [0:VEC_WORDS-1];
  reg [31:0] program_wkv [0:WKV_WORDS-1];
  reg [31:0] tokens [0:TOKENS*SLOTS-1];           // the first token of each slot, the second of each, ...
  reg [31:0] expected_tokens [0:TOKENS*SLOTS-1];
  reg [32*SLOTS-1:0] expected_logits [0:TOKENS*VOCAB-1];  // of the first token, of the second, ...; slot 0 lowest

  reg [31:0] run_tokens, stall, seed;

  initial begin : options
    $readmemh("image.hex", data, 0, IMAGE_BEATS-1);
    $readmemh("program_dma.hex", program_dma);
    $readmemh("program_mat.hex", program_mat);
    $readmemh("program_vec.hex", program_vec);
    $readmemh("program_wkv.hex", program_wkv);
    $readmemh("tokens.hex", tokens);
    $readmemh("expected_tokens.hex", expected_tokens);
    $readmemh("expected_logits.hex", expected_logits);
    if ($value$plusargs("tokens=%d", run_tokens) == 0) run_tokens = TOKENS;
    if ($value$plusargs("stall=%d", stall) == 0) stall = 0;
    if ($value$plusargs("seed=%d", seed) == 0) seed = 0;
    // what is no number reads as x
    if ((run_tokens != 0 && run_tokens <= TOKENS) !== 1'b1)
      $fatal(1, "+tokens=%0d: expected 1 to %0d", run_tokens, TOKENS);
    if ((stall <= 99) !== 1'b1) $fatal(1, "+stall=%0d: expected a percentage from 0 to 99", stall);
    if (^seed === 1'bx) $fatal(1, "+seed=%0d: expected a number", seed);
    if ($test$plusargs("vcd") != 0) begin
      $dumpfile("tb.vcd");
      $dumpvars(0, anser_tb);
    end
  end

  // The next number of a 32-bit xorshift generator: the same stalls in every simulator. It never comes to 0.
  function automatic [31:0] after(input [31:0] number);
    reg [31:0] x;
    begin
      x = number ^ (number << 13);
      x = x ^ (x >> 17);
      after = x ^ (x << 5);
    end
  endfunction

  // Where a generator begins; `of` tells several of one seed apart.
  function automatic [31:0] first(input [31:0] of);
    first = after(after((seed + 1) * 32'd2654435761 + of * 32'd40504 | 1));
  endfunction

  function automatic stalls(input [31:0] number);
    stalls = number % 100 < stall;
  endfunction

  // ---- clock, reset and the chip ----

  reg clk_i, rst_ni;
  wire irq_o;

  initial begin : clock
    clk_i = 1'b0;
    forever #1 clk_i = !clk_i;
  end

  // Every process below reads at a rising edge what was there before it, and drives with <= what is there after it.
  // They are `always` and not `initial`, although none begins a second time: Verilator's `initial` takes <= for =.

  reg  [11:0] s_axil_awaddr, s_axil_araddr;
  reg        s_axil_awvalid, s_axil_wvalid, s_axil_arvalid;
  reg [31:0] s_axil_wdata;
  wire       s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid;
  wire [1:0] s_axil_bresp, s_axil_rresp;
  wire [31:0] s_axil_rdata;

  wire [ADDR_BITS-1:0] m_axi_araddr;
  wire [7:0] m_axi_arlen;
  wire [2:0] m_axi_arsize;
  wire [1:0] m_axi_arburst;
  wire       m_axi_arvalid, m_axi_rready;
  reg        m_axi_arready, m_axi_rvalid, m_axi_rlast;
  reg [DATA_BITS-1:0] m_axi_rdata;

  wire       m_axis_logits_tvalid, m_axis_logits_tlast;
  wire [32*SLOTS-1:0] m_axis_logits_tdata;
  reg        m_axis_logits_tready;

  // ---- host: AXI4-Lite, one register at a time ----

  reg [31:0] token;    // index of the one that runs
  reg        written;  // changes with every write that is done

  task automatic write(input [11:0] register, input [31:0] value);
    begin
      s_axil_awaddr <= register;
      s_axil_awvalid <= 1'b1;
      s_axil_wdata <= value;
      s_axil_wvalid <= 1'b1;
      @(posedge clk_i);
      while (s_axil_bvalid !== 1'b1) begin
        if (s_axil_awready) s_axil_awvalid <= 1'b0;
        if (s_axil_wready) s_axil_wvalid <= 1'b0;
        @(posedge clk_i);
      end
      if (s_axil_bresp !== 2'd0) $fatal(1, "write of register %03h: response %0d, expected 0", register, s_axil_bresp);
      written <= !written;
    end
  endtask

  task automatic read(input [11:0] register, output [31:0] value);
    begin
      s_axil_araddr <= register;
      s_axil_arvalid <= 1'b1;
      @(posedge clk_i);
      while (s_axil_rvalid !== 1'b1) begin
        if (s_axil_arready) s_axil_arvalid <= 1'b0;
        @(posedge clk_i);
      end
      if (s_axil_rresp !== 2'd0) $fatal(1, "read of register %03h: response %0d, expected 0", register, s_axil_rresp);
      if (^s_axil_rdata === 1'bx) $fatal(1, "register %03h reads %b", register, s_axil_rdata);
      value = s_axil_rdata;
    end
  endtask

  task automatic check(input [11:0] register, input [31:0] expected);
    reg [31:0] found;
    begin
      read(register, found);
      if (found !== expected) $fatal(1, "register %03h reads %08h, expected %08h", register, found, expected);
    end
  endtask

  always begin : host
    reg [31:0] i, slot, status, token_out, cycles, all_cycles;
    reg [63:0] state_base;
    rst_ni <= 1'b0;
    s_axil_awvalid <= 1'b0;
    s_axil_wvalid <= 1'b0;
    s_axil_arvalid <= 1'b0;
    written <= 1'b0;
    token = 0;
    all_cycles = 0;
    repeat (4) @(posedge clk_i);
    rst_ni <= 1'b1;
    check(REG_ID, ID);
    check(REG_VERSION, VERSION);
    check(REG_CONFIG, CONFIG);
    write(REG_PROG_SELECT, 32'd0);
    for (i = 0; i < DMA_WORDS; i = i + 1) write(REG_PROG_DATA, program_dma[i]);
    write(REG_PROG_SELECT, 32'd1);
    for (i = 0; i < MAT_WORDS; i = i + 1) write(REG_PROG_DATA, program_mat[i]);
    write(REG_PROG_SELECT, 32'd2);
    for (i = 0; i < VEC_WORDS; i = i + 1) write(REG_PROG_DATA, program_vec[i]);
    write(REG_PROG_SELECT, 32'd3);
    for (i = 0; i < WKV_WORDS; i = i + 1) write(REG_PROG_DATA, program_wkv[i]);
    write(REG_IMAGE_BASE_LO, IMAGE_BASE[31:0]);
    if (ADDR_BITS > 32) write(REG_IMAGE_BASE_HI, IMAGE_BASE[63:32]);
    write(REG_TOKEN_LIMIT, VOCAB);
    write(REG_IRQ_ENABLE, IRQ_DONE);
    state_base = STATES_BASE;
    if (STATES_BEATS != 0) begin
      for (slot = 0; slot < SLOTS; slot = slot + 1) begin
        if (SLOTS > 1) write(REG_STATE_SLOT, slot);
        write(REG_STATE_BASE_LO, state_base[31:0]);
        if (ADDR_BITS > 32) write(REG_STATE_BASE_HI, state_base[63:32]);
        state_base = state_base + STATE_BYTES;
      end
    end
    write(REG_CTRL, CTRL_CLEAR);
    status = STATUS_BUSY;
    while ((status & STATUS_BUSY) != 0) read(REG_STATUS, status);
    while (token < run_tokens) begin
      for (slot = 0; slot < SLOTS; slot = slot + 1)
        write(REG_TOKEN_IN + {slot[9:0], 2'd0}, tokens[token * SLOTS + slot]);
      write(REG_CTRL, CTRL_START | CTRL_LOGITS);
      status = 0;
      while ((status & STATUS_DONE) == 0 || logits != (token + 1) * VOCAB) begin
        repeat (32) @(posedge clk_i);
        read(REG_STATUS, status);
        if ((status & STATUS_ERRORS) != 0) $fatal(1, "token %0d: the chip ended it, STATUS is %08h", token, status);
      end
      if (irq_o !== 1'b1) $fatal(1, "token %0d: it is done, but there is no interrupt", token);
      write(REG_IRQ_STATUS, IRQ_DONE);
      repeat (3) @(posedge clk_i);
      if (irq_o !== 1'b0) $fatal(1, "token %0d: the interrupt was cleared and stays", token);
      read(REG_CYCLES, cycles);
      all_cycles = all_cycles + cycles;
      for (slot = 0; slot < SLOTS; slot = slot + 1) begin
        read(REG_TOKEN_OUT + {slot[9:0], 2'd0}, token_out);
        i = token * SLOTS + slot;
        if (token_out !== expected_tokens[i])
          $fatal(1, "token %0d, slot %0d: TOKEN_OUT is %0d, expected %0d", token, slot, token_out, expected_tokens[i]);
        $display("token %0d, slot %0d: %0d in, %0d out, %0d cycles", token, slot, tokens[i], token_out, cycles);
      end
      token = token + 1;
    end
    $display("PASS: %0d tokens, %0d logits, %0d cycles", token * SLOTS, logits * SLOTS, all_cycles);
    $finish(0);
  end

  // ---- memory: AXI4 read channel, bursts in order, a beat a cycle ----

  // A read request, and whether there is one.
  wire [ADDR_BITS+13:0] request = {m_axi_arvalid, m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst};

  function automatic [ADDR_BITS-1:0] beat_of(input [ADDR_BITS-1:0] address);
    beat_of = (address - IMAGE_BASE[ADDR_BITS-1:0]) >> BEAT_SIZE;
  endfunction

  // Ends the run if a burst is none, or reaches beats before `lowest` or behind the last one.
  task automatic check_burst(input [ADDR_BITS-1:0] address, input [7:0] len, input [2:0] size, input [1:0] burst,
                             input [ADDR_BITS-1:0] lowest);
    reg [ADDR_BITS-1:0] last;
    begin
      last = address + ({{ADDR_BITS-8{1'b0}}, len} << BEAT_SIZE);
      if (burst != 2'd1) $fatal(1, "burst at %h: type is %0d, expected 1", address, burst);
      if (size != BEAT_SIZE) $fatal(1, "burst at %h: size is %0d, expected %0d", address, size, BEAT_SIZE);
      if ({24'd0, len} >= MAX_BURST)
        $fatal(1, "burst at %h: len is %0d, expected less than %0d", address, len, MAX_BURST);
      if ((address >> BEAT_SIZE) << BEAT_SIZE != address) $fatal(1, "burst at %h: not aligned to a beat", address);
      if (address >> 12 != last >> 12) $fatal(1, "burst at %h, len %0d: crosses 4 KiB", address, len);
      if (beat_of(address) < lowest || beat_of(last) >= IMAGE_BEATS + STATES_BEATS)
        $fatal(1, "burst at %h, len %0d: outside what lies there", address, len);
    end
  endtask

  // Bursts that were accepted, a ring.
  reg [ADDR_BITS-1:0] next_beat [0:MAX_OUTSTANDING-1];
  reg [31:0] beats_left [0:MAX_OUTSTANDING-1];
  reg [31:0] from_cycle [0:MAX_OUTSTANDING-1];  // its first beat does not come before

  always begin : memory
    reg [31:0] cycle, bursts, oldest, newest, number;
    reg [ADDR_BITS+13:0] refused;  // the request of the last cycle, if it was not accepted
    cycle = 0;
    bursts = 0;
    oldest = 0;
    newest = 0;
    refused = 0;
    m_axi_arready <= 1'b0;
    m_axi_rvalid <= 1'b0;
    @(posedge rst_ni);
    number = first(32'd1);
    forever begin
      @(posedge clk_i);
      // the cycle that ends: a beat is taken, a request is accepted
      if (m_axi_rvalid && m_axi_rready) begin
        next_beat[oldest] = next_beat[oldest] + 1'b1;
        beats_left[oldest] = beats_left[oldest] - 1;
        if (beats_left[oldest] == 0) begin
          oldest = (oldest + 1) % MAX_OUTSTANDING;
          bursts = bursts - 1;
        end
      end
      if (refused != 0 && request != refused) $fatal(1, "the read at %h changed while it waited", m_axi_araddr);
      refused = m_axi_arvalid && !m_axi_arready ? request : 0;
      if (m_axi_arvalid && m_axi_arready) begin
        check_burst(m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, 0);
        next_beat[newest] = beat_of(m_axi_araddr);
        beats_left[newest] = {24'd0, m_axi_arlen} + 1;
        from_cycle[newest] = cycle + LATENCY;
        newest = (newest + 1) % MAX_OUTSTANDING;
        bursts = bursts + 1;
      end
      // the cycle that begins; a beat that was offered stays until it is taken
      cycle = cycle + 1;
      number = after(number);
      m_axi_arready <= bursts < MAX_OUTSTANDING && !stalls(number);
      if (!m_axi_rvalid || m_axi_rready) begin
        number = after(number);
        m_axi_rvalid <= bursts != 0 && from_cycle[oldest] <= cycle && !stalls(number);
        m_axi_rdata <= data[next_beat[oldest][INDEX_BITS-1:0]];
        m_axi_rlast <= beats_left[oldest] == 1;
      end
    end
  end

  // ---- logits: AXI4-Stream, each compared when it leaves ----

  reg [31:0] logits;  // that came of each slot, of all tokens

  always begin : stream
    reg [31:0] number, row, slot;
    reg [32*SLOTS:0] refused;  // a transfer of the last cycle that was not accepted
    reg [32*SLOTS-1:0] found, expected;
    logits <= 0;
    refused = 0;
    m_axis_logits_tready <= 1'b0;
    @(posedge rst_ni);
    number = first(32'd2);
    forever begin
      @(posedge clk_i);
      if (refused[32*SLOTS] && {m_axis_logits_tvalid, m_axis_logits_tdata} != refused)
        $fatal(1, "a logit changed while it waited");
      refused = {m_axis_logits_tvalid && !m_axis_logits_tready, m_axis_logits_tdata};
      if (m_axis_logits_tvalid && m_axis_logits_tready) begin
        row = logits - token * VOCAB;
        if (row >= VOCAB) $fatal(1, "token %0d: more logits than %0d", token, VOCAB);
        found = m_axis_logits_tdata;
        expected = expected_logits[logits];
        for (slot = 0; slot < SLOTS; slot = slot + 1) begin
          if (found[31:0] !== expected[31:0])
            $fatal(1, "token %0d, slot %0d, row %0d: found %0d, expected %0d", token, slot, row, $signed(found[31:0]),
                   $signed(expected[31:0]));
          found = found >> 32;
          expected = expected >> 32;
        end
        if (m_axis_logits_tlast !== (row == VOCAB - 1))
          $fatal(1, "token %0d, row %0d: tlast is %0d", token, row, m_axis_logits_tlast);
        logits <= logits + 1;
      end
      number = after(number);
      m_axis_logits_tready <= !stalls(number);
    end
  end

  // ---- nothing may hang ----

  always begin : watchdog
    reg [31:0] idle, patience;
    reg was_written;
    idle = 0;
    was_written = 1'b0;
    @(posedge rst_ni);
    // a handshake with stalls waits 100 / (100 - stall) cycles in the mean
    patience = HANG_CYCLES + 40 * stall / (100 - stall);
    forever begin
      @(posedge clk_i);
      idle = idle + 1;
      if ((m_axi_arvalid && m_axi_arready) || (m_axi_rvalid && m_axi_rready)) idle = 0;
      if ((m_axis_logits_tvalid && m_axis_logits_tready) || written != was_written) idle = 0;
      was_written = written;
      if (idle == patience)
        $fatal(1, "token %0d: nothing was read, written or sent for %0d cycles, %0d logits came", token, patience,
               logits - token * VOCAB);
    end
  end
