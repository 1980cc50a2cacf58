  localparam int CREDIT_BITS = $clog2(DEPTH) + 1;
  localparam int OFFSET_BITS = 4;                        // of a byte in a beat
  localparam int TOP         = BEAT_BITS + OFFSET_BITS;  // address bits from here on are beyond the memory

  reg                           wait_q;  // a burst waits
  reg [ADDR_BITS-1:OFFSET_BITS] wait_addr_q;
  reg [7:0]                     wait_len_q;
  reg                           active_q, outside_q;
  reg [BEAT_BITS-1:0]           beat_q;
  reg [7:0]                     left_q;
  reg [CREDIT_BITS-1:0]         credit_q;     // beats that may still be asked for
  reg                           credit_ok_q;  // there is one

  wire         last   = (left_q == 8'd0);
  wire         ask    = mem_valid_o && mem_ready_i;
  wire         begins = wait_q && (!active_q || (ask && last));
  wire         data_valid, data_ready;
  wire [129:0] data;
  wire         taken = data_valid && data_ready;  // into the two entries in front, so that rready_i is not waited for
  wire [1:0]   tag, unused_ready;
  wire         unused_tag;

  wire [CREDIT_BITS-1:0] credit =
      (ask == taken) ? credit_q : ask ? credit_q - CREDIT_BITS'(1) : credit_q + CREDIT_BITS'(1);

  assign mem_valid_o = active_q && credit_ok_q;
  assign mem_beat_o  = beat_q;
  assign arready_o   = !wait_q;
  assign rresp_o[0]  = 1'b0;
  wire unused_addr = &{1'b0, araddr_i[OFFSET_BITS-1:0], unused_ready, unused_tag};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q    <= 1'b0;
      wait_q      <= 1'b0;
      credit_q    <= CREDIT_BITS'(DEPTH);
      credit_ok_q <= 1'b1;
    end else begin
      if (arvalid_i && arready_o) wait_q <= 1'b1;
      else if (begins) wait_q <= 1'b0;
      if (begins) active_q <= 1'b1;
      else if (ask && last) active_q <= 1'b0;
      credit_q    <= credit;
      credit_ok_q <= (credit != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (arready_o) begin
      wait_addr_q <= araddr_i[ADDR_BITS-1:OFFSET_BITS];
      wait_len_q  <= arlen_i;
    end
    if (begins) begin
      beat_q    <= wait_addr_q[TOP-1:OFFSET_BITS];
      left_q    <= wait_len_q;
      outside_q <= |wait_addr_q[ADDR_BITS-1:TOP];
    end else if (ask) begin
      beat_q <= beat_q + BEAT_BITS'(1);
      left_q <= left_q - 8'd1;
    end
  end
