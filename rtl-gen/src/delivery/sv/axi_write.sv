
  // ---- AXI4 master, write channels ----

  chip_maw_held: assert property (m_axi_awvalid && !m_axi_awready |=> m_axi_awvalid
                                  && $stable({m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst}))
    else $error("the chip took back or changed a write that waited");
  chip_mw_held: assert property (m_axi_wvalid && !m_axi_wready
                                 |=> m_axi_wvalid && $stable({m_axi_wdata, m_axi_wstrb, m_axi_wlast}))
    else $error("the chip took back or changed written data that waited");
  system_mb_held: assert property (m_axi_bvalid && !m_axi_bready |=> m_axi_bvalid && $stable(m_axi_bresp))
    else $error("the system took back or changed the response to a write that waited");

  chip_maw_incr: assert property (m_axi_awvalid |-> m_axi_awburst == 2'd1)
    else $error("a write at %h has burst type %0d, expected 1, INCR", m_axi_awaddr, m_axi_awburst);
  chip_maw_size: assert property (m_axi_awvalid |-> m_axi_awsize == BEAT_SIZE)
    else $error("a write at %h has size %0d, expected %0d, the whole bus", m_axi_awaddr, m_axi_awsize, BEAT_SIZE);
  chip_maw_aligned: assert property (m_axi_awvalid |-> m_axi_awaddr[BEAT_SIZE-1:0] == 0)
    else $error("a write at %h is not aligned to a beat", m_axi_awaddr);
  chip_maw_length: assert property (m_axi_awvalid |-> {24'd0, m_axi_awlen} < MAX_BURST)
    else $error("a write at %h has len %0d, expected less than %0d", m_axi_awaddr, m_axi_awlen, MAX_BURST);
  chip_maw_4k: assert property (m_axi_awvalid |-> {20'd0, m_axi_awaddr[11:0]} + ({24'd0, m_axi_awlen} << BEAT_SIZE) < 4096)
    else $error("a write at %h, len %0d, crosses 4 KiB", m_axi_awaddr, m_axi_awlen);
  chip_mw_strobes: assert property (m_axi_wvalid |-> &m_axi_wstrb)
    else $error("a write has strobes %b, expected all ones", m_axi_wstrb);

  // Addresses accepted, bursts whose data were taken, and responses taken. Data may be taken before the address is accepted, but not before
  // it is offered. The lengths by both wait in rings until they can be compared.
  localparam [31:0] RING = 2 * MAX_OUTSTANDING;
  reg [31:0] maw_q, mw_q, mb_q, mw_compared_q, mw_beats_q;
  reg [7:0]  maw_len_q [0:RING-1];
  reg [31:0] mw_len_q [0:RING-1];

  wire maw_begins   = m_axi_awvalid && m_axi_awready;
  wire mw_taken     = m_axi_wvalid && m_axi_wready;
  wire mw_ends      = mw_taken && m_axi_wlast;
  wire maw_ends     = m_axi_bvalid && m_axi_bready;
  wire mw_compared  = maw_q != mw_compared_q && mw_q != mw_compared_q;

  always @(posedge clk_i or negedge bus_rst_ni) begin
    if (!bus_rst_ni) begin
      maw_q <= 0;
      mw_q <= 0;
      mb_q <= 0;
      mw_compared_q <= 0;
      mw_beats_q <= 0;
    end else begin
      maw_q <= maw_q + {31'd0, maw_begins};
      mw_q  <= mw_q + {31'd0, mw_ends};
      mb_q  <= mb_q + {31'd0, maw_ends};
      mw_compared_q <= mw_compared_q + {31'd0, mw_compared};
      if (maw_begins) maw_len_q[maw_q % RING] <= m_axi_awlen;
      if (mw_taken) mw_beats_q <= m_axi_wlast ? 0 : mw_beats_q + 1;
      if (mw_ends) mw_len_q[mw_q % RING] <= mw_beats_q;
    end
  end

  chip_maw_outstanding: assert property (maw_q - mb_q <= MAX_OUTSTANDING)
    else $error("the chip has %0d writes in flight, expected at most %0d", maw_q - mb_q, MAX_OUTSTANDING);
  chip_mw_addressed: assert property (m_axi_wvalid |-> maw_q != mw_q || m_axi_awvalid)
    else $error("the chip sends data of a write whose address it has not offered");
  chip_mw_last: assert property (mw_compared |-> {24'd0, maw_len_q[mw_compared_q % RING]} == mw_len_q[mw_compared_q % RING])
    else $error("a write of len %0d came with %0d beats", maw_len_q[mw_compared_q % RING], mw_len_q[mw_compared_q % RING] + 1);
  system_mb_asked: assert property (m_axi_bvalid |-> mb_q != maw_q && mb_q != mw_q)
    else $error("the system answers a write that it does not have");

  chip_maw_reset: assert property (disable iff (1'b0) !on_q |-> !m_axi_awvalid && !m_axi_wvalid)
    else $error("the chip asks for a write in reset");
