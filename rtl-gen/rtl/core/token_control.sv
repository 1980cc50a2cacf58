  localparam [2:0] IDLE = 3'd0, CLEAR = 3'd1, SETTLE = 3'd2, WALK = 3'd3, START = 3'd4, RUN = 3'd5;

  reg  [2:0] state_q;
  reg        then_start_q;  // a start was asked for together with the clear
  wire [3:0] open;          // the unit holds instructions that are not finished

  assign start_o    = (state_q == START);
  assign clear_o    = (state_q == CLEAR);
  assign busy_o     = (state_q != IDLE);
  assign running_o  = (state_q == RUN);
  assign finished_o = running_o && (&last_handed_i) && (open == 4'b0000) && quiet;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= IDLE;
      then_start_q <= 1'b0;
    end else begin
      case (state_q)
        IDLE: begin
          then_start_q <= start_req_i;
          if (clear_req_i) state_q <= CLEAR;
          else if (start_req_i) state_q <= START;
        end
        CLEAR:   state_q <= SETTLE;  // clear_busy_i may rise one cycle after the pulse
        SETTLE:  state_q <= WALK;
        WALK:    if (!clear_busy_i) state_q <= then_start_q ? START : IDLE;
        START:   state_q <= RUN;
        RUN:     if (finished_o) state_q <= IDLE;
        default: state_q <= IDLE;
      endcase
    end
  end

  for (genvar u = 0; u < 4; u++) begin : gen_unit
    reg [anser_pkg::COUNT_BITS:0] open_q;  // instructions handed over and not finished

    assign open[u] = (open_q != '0);

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) open_q <= '0;
      else if (start_o) open_q <= '0;
      else if (handover_i[u] && !done_i[u]) open_q <= open_q + (anser_pkg::COUNT_BITS + 1)'(1);
      else if (!handover_i[u] && done_i[u]) open_q <= open_q - (anser_pkg::COUNT_BITS + 1)'(1);
    end
  end

  // Nothing waits for dma, so only the others count.
  for (genvar u = 1; u < 4; u++) begin : gen_count
    reg [anser_pkg::COUNT_BITS-1:0] count_q;

    assign counts[u*anser_pkg::COUNT_BITS +: anser_pkg::COUNT_BITS] = count_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= '0;
      else if (start_o) count_q <= '0;
      else if (done_i[u] && !(&count_q)) count_q <= count_q + anser_pkg::COUNT_BITS'(1);
    end
  end
