
  // ---- AXI4 master, read channels ----

  chip_mar_held: assert property (m_axi_arvalid && !m_axi_arready |=> m_axi_arvalid
                                  && $stable({m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst}))
    else $error("the chip took back or changed a read that waited");
  system_mr_held: assert property (m_axi_rvalid && !m_axi_rready
                                   |=> m_axi_rvalid && $stable({m_axi_rdata, m_axi_rresp, m_axi_rlast}))
    else $error("the system took back or changed read data that waited");

  // What a burst may be.
  chip_mar_incr: assert property (m_axi_arvalid |-> m_axi_arburst == 2'd1)
    else $error("a read at %h has burst type %0d, expected 1, INCR", m_axi_araddr, m_axi_arburst);
  chip_mar_size: assert property (m_axi_arvalid |-> m_axi_arsize == BEAT_SIZE)
    else $error("a read at %h has size %0d, expected %0d, the whole bus", m_axi_araddr, m_axi_arsize, BEAT_SIZE);
  chip_mar_aligned: assert property (m_axi_arvalid |-> m_axi_araddr[BEAT_SIZE-1:0] == 0)
    else $error("a read at %h is not aligned to a beat", m_axi_araddr);
  chip_mar_length: assert property (m_axi_arvalid |-> {24'd0, m_axi_arlen} < MAX_BURST)
    else $error("a read at %h has len %0d, expected less than %0d", m_axi_araddr, m_axi_arlen, MAX_BURST);
  chip_mar_4k: assert property (m_axi_arvalid |-> {20'd0, m_axi_araddr[11:0]} + ({24'd0, m_axi_arlen} << BEAT_SIZE) < 4096)
    else $error("a read at %h, len %0d, crosses 4 KiB", m_axi_araddr, m_axi_arlen);

  // Bursts that were accepted and whose last beat was not taken, a ring of their lengths; beats taken of the oldest one.
  reg [31:0] mar_q;
  reg [7:0]  mar_len_q [0:MAX_OUTSTANDING-1];
  reg [31:0] mar_newest_q, mar_oldest_q, mar_beats_q;

  wire mar_begins = m_axi_arvalid && m_axi_arready;
  wire mr_taken   = m_axi_rvalid && m_axi_rready;
  wire mar_ends   = mr_taken && m_axi_rlast;

  always @(posedge clk_i or negedge bus_rst_ni) begin
    if (!bus_rst_ni) begin
      mar_q <= 0;
      mar_newest_q <= 0;
      mar_oldest_q <= 0;
      mar_beats_q <= 0;
    end else begin
      mar_q <= mar_q + {31'd0, mar_begins} - {31'd0, mar_ends};
      if (mar_begins) begin
        mar_len_q[mar_newest_q] <= m_axi_arlen;
        mar_newest_q <= (mar_newest_q + 1) % MAX_OUTSTANDING;
      end
      if (mr_taken) mar_beats_q <= m_axi_rlast ? 0 : mar_beats_q + 1;
      if (mar_ends) mar_oldest_q <= (mar_oldest_q + 1) % MAX_OUTSTANDING;
    end
  end

  chip_mar_outstanding: assert property (mar_q <= MAX_OUTSTANDING)
    else $error("the chip has %0d reads in flight, expected at most %0d", mar_q, MAX_OUTSTANDING);
  system_mr_asked: assert property (m_axi_rvalid |-> mar_q != 0)
    else $error("the system sends read data that nobody asked for");
  system_mr_last: assert property (m_axi_rvalid && mar_q != 0
                                   |-> m_axi_rlast == (mar_beats_q == {24'd0, mar_len_q[mar_oldest_q]}))
    else $error("beat %0d of a read of len %0d has rlast %0d", mar_beats_q, mar_len_q[mar_oldest_q], m_axi_rlast);

  chip_mar_reset: assert property (disable iff (1'b0) !on_q |-> !m_axi_arvalid)
    else $error("the chip asks for a read in reset");
