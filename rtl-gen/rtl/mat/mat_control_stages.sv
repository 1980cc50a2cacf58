
  // What the beats in the b, m and c stages are.
  reg                  b_q, b_zero_q, b_ram_q, b_load_q, b_columns_q, b_w16_q, b_w4_q, b_last_q;
  reg                  m_q, m_zero_q, m_ram_q, m_load_q, m_columns_q, m_w16_q, m_last_q;
  reg                  c_q, c_zero_q, c_ram_q, c_load_q, c_columns_q, c_w16_q, c_last_q;
  reg [SHIFT_BITS-1:0] b_shift_q, m_shift_q, c_shift_q;
  reg [LOAD_BITS-1:0]  b_rows_q, m_rows_q, c_rows_q;
  reg [ENTRY_BITS-1:0] b_entry_q, m_entry_q, c_entry_q;

  // A single entry (or tile) keeps its sum in the lanes: only two entries and more need the memory.
  wire in_ram = columns_q && !inner_one_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      b_q      <= 1'b0;
      b_load_q <= 1'b0;
      m_q      <= 1'b0;
      m_load_q <= 1'b0;
      c_q      <= 1'b0;
      c_load_q <= 1'b0;
    end else begin
      b_q      <= take_mac;
      b_load_q <= take_mac && complete;
      m_q      <= b_q;
      m_load_q <= b_load_q;
      c_q      <= m_q;
      c_load_q <= m_load_q;
    end
  end

  always_ff @(posedge clk_i) begin
    // The b stage loads in every cycle: b_q says whether it was a beat.
    b_zero_q    <= first_q;
    b_ram_q     <= in_ram;
    b_entry_q   <= entry_q;
    b_columns_q <= columns_q;
    b_w16_q     <= w16_q;
    b_w4_q      <= w4_q;
    b_shift_q   <= shift_q;
    b_rows_q    <= last_rows ? rows_q[LOAD_BITS-1:0] : tile_rows[LOAD_BITS-1:0];
    b_last_q    <= last_rows;
    if (b_q) begin
      m_zero_q    <= b_zero_q;
      m_ram_q     <= b_ram_q;
      m_entry_q   <= b_entry_q;
      m_columns_q <= b_columns_q;
      m_w16_q     <= b_w16_q;
      m_shift_q   <= b_shift_q;
      m_rows_q    <= b_rows_q;
      m_last_q    <= b_last_q;
    end
    if (m_q) begin
      c_zero_q    <= m_zero_q;
      c_ram_q     <= m_ram_q;
      c_entry_q   <= m_entry_q;
      c_columns_q <= m_columns_q;
      c_w16_q     <= m_w16_q;
      c_shift_q   <= m_shift_q;
      c_rows_q    <= m_rows_q;
      c_last_q    <= m_last_q;
    end
  end

  assign loading_o      = (take_mac && complete) || b_load_q || m_load_q;
  assign en_a_o         = take_mac;
  assign w16_o          = w16_q;
  assign en_b_o         = b_q;
  assign w4_o           = b_w4_q;
  assign en_m_o         = m_q;
  assign en_c_o         = c_q;
  assign from_zero_o    = c_zero_q;
  assign from_ram_o     = c_ram_q;
  assign ram_re_o       = m_q && m_ram_q && !m_zero_q;
  assign ram_raddr_o    = m_entry_q;
  assign ram_we_o       = c_q && c_ram_q && !c_load_q;
  assign ram_waddr_o    = c_entry_q;
  assign load_o         = c_load_q;
  assign load_columns_o = c_columns_q;
  assign load_w16_o     = c_w16_q;
  assign load_shift_o   = c_shift_q;
  assign load_rows_o    = c_rows_q;
  assign load_last_o    = c_last_q;
