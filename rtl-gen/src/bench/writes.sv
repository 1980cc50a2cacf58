
  // ---- memory: AXI4 write channels, for the state behind the image ----

  wire [ADDR_BITS-1:0] m_axi_awaddr;
  wire [7:0] m_axi_awlen;
  wire [2:0] m_axi_awsize;
  wire [1:0] m_axi_awburst;
  wire       m_axi_awvalid, m_axi_wlast, m_axi_wvalid, m_axi_bready;
  wire [DATA_BITS-1:0] m_axi_wdata;
  wire [DATA_BITS/8-1:0] m_axi_wstrb;
  reg        m_axi_awready, m_axi_wready, m_axi_bvalid;

  wire [ADDR_BITS+13:0] write_request =
      {m_axi_awvalid, m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst};

  // Bursts whose address was accepted and whose response was not taken, a ring. What they bring is in memory with the
  // response and not before: a chip that reads too early reads what was there.
  reg [ADDR_BITS-1:0] write_first [0:MAX_OUTSTANDING-1];
  reg [31:0] write_beats [0:MAX_OUTSTANDING-1];
  reg [31:0] write_from [0:MAX_OUTSTANDING-1];  // its response does not come before
  reg [DATA_BITS-1:0] write_data [0:MAX_OUTSTANDING*MAX_BURST-1];

  always begin : writes
    // bursts that wait for a response, and of these those that have all data; beats of the next one that came
    reg [31:0] cycle, bursts, complete, came, oldest, filling, newest, number, i;
    reg [ADDR_BITS-1:0] first_beat;
    reg [ADDR_BITS+13:0] refused;
    reg [DATA_BITS+1:0] refused_data;
    cycle = 0;
    bursts = 0;
    complete = 0;
    came = 0;
    oldest = 0;
    filling = 0;
    newest = 0;
    refused = 0;
    refused_data = 0;
    m_axi_awready <= 1'b0;
    m_axi_wready <= 1'b0;
    m_axi_bvalid <= 1'b0;
    @(posedge rst_ni);
    number = first(32'd3);
    forever begin
      @(posedge clk_i);
      // the cycle that ends: a response, a beat, an address
      if (m_axi_bvalid && m_axi_bready) begin
        oldest = (oldest + 1) % MAX_OUTSTANDING;
        bursts = bursts - 1;
        complete = complete - 1;
      end
      if (refused_data[DATA_BITS+1] && {m_axi_wvalid, m_axi_wlast, m_axi_wdata} != refused_data)
        $fatal(1, "written data changed while they waited");
      refused_data = {m_axi_wvalid && !m_axi_wready, m_axi_wlast, m_axi_wdata};
      if (m_axi_wvalid && m_axi_wready) begin
        write_data[filling * MAX_BURST + came] = m_axi_wdata;
        came = came + 1;
        if (m_axi_wstrb !== {DATA_BITS/8{1'b1}}) $fatal(1, "a write has wstrb %h, expected all ones", m_axi_wstrb);
        if (m_axi_wlast !== (came == write_beats[filling]))
          $fatal(1, "beat %0d of a write of %0d has wlast %0d", came, write_beats[filling], m_axi_wlast);
        if (came == write_beats[filling]) begin
          write_from[filling] = cycle + LATENCY;
          filling = (filling + 1) % MAX_OUTSTANDING;
          complete = complete + 1;
          came = 0;
        end
      end
      if (refused != 0 && write_request != refused)
        $fatal(1, "the write at %h changed while it waited", m_axi_awaddr);
      refused = m_axi_awvalid && !m_axi_awready ? write_request : 0;
      if (m_axi_awvalid && m_axi_awready) begin
        check_burst(m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, IMAGE_BEATS);
        write_first[newest] = beat_of(m_axi_awaddr);
        write_beats[newest] = {24'd0, m_axi_awlen} + 1;
        newest = (newest + 1) % MAX_OUTSTANDING;
        bursts = bursts + 1;
      end
      // the cycle that begins
      cycle = cycle + 1;
      number = after(number);
      m_axi_awready <= bursts < MAX_OUTSTANDING && !stalls(number);
      number = after(number);
      m_axi_wready <= complete < bursts && !stalls(number);
      number = after(number);
      if (!m_axi_bvalid || m_axi_bready) begin
        m_axi_bvalid <= 1'b0;
        if (complete != 0 && write_from[oldest] <= cycle && !stalls(number)) begin
          m_axi_bvalid <= 1'b1;
          first_beat = write_first[oldest];
          for (i = 0; i < write_beats[oldest]; i = i + 1) begin
            data[first_beat[INDEX_BITS-1:0]] = write_data[oldest * MAX_BURST + i];
            first_beat = first_beat + 1'b1;
          end
        end
      end
    end
  end
