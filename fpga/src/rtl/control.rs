//! What the board does with a frame: registers, memory, and tokens without the host in between.

use crate::protocol::{command, status, HELLO};
use rtl_gen::hdl::Module;
use rtl_gen::registers::{bit, reg};
use std::sync::Arc;

/// The commands of `docs/fpga.md`; `unit_bits` bits number the 64 B units of the memory.
pub fn host_control(unit_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "host_control",
        "Executes the host's frames and answers each with one reply; SPEAK also sends one reply a token.\n\
         A frame whose command byte, sequence number included, is that of the frame executed last is answered again and not\n\
         executed again: the host repeats a frame when the reply was lost. HELLO is always executed.\n\
         tok_q is the token the chip gave last; owed_q: it was said and is still to be read by the chip, before anything else is.\n\
         more_i (a byte of the host waits) ends SPEAK after the token that is being computed.",
    );
    m.input("frame_valid_i", 1, "").output("frame_take_o", 1, "").input("frame_status_i", 2, "");
    m.input("frame_cmd_i", 8, "").input("frame_arg_i", 32, "");
    m.output("index_o", 4, "").input("word_i", 32, "").input("more_i", 1, "");
    m.output("reply_valid_o", 1, "").input("reply_ready_i", 1, "");
    m.output("reply_cmd_o", 8, "").output("reply_status_o", 3, "").output("reply_data_o", 32, "");
    m.output("lite_start_o", 1, "").output("lite_we_o", 1, "").output("lite_addr_o", 8, "");
    m.output("lite_wdata_o", 32, "").input("lite_done_i", 1, "").input("lite_rdata_i", 32, "");
    m.output("mem_valid_o", 1, "").input("mem_ready_i", 1, "");
    m.output("mem_beat_o", unit_bits + 2, "16 B units").output("mem_data_o", 128, "");
    m.output("busy_o", 1, "a frame is executed").output("error_o", 1, "the last frame was not");
    let hex = |v: u32| format!("8'h{v:02x}");
    m.text(
        BODY,
        &[
            ("ubits", unit_bits.to_string()),
            ("umsb", (unit_bits - 1).to_string()),
            ("hello", format!("4'h{:x}", command::HELLO)),
            ("read", format!("4'h{:x}", command::READ)),
            ("speak", format!("4'h{:x}", command::SPEAK)),
            ("words", format!("4'h{:x}", command::WRITE_WORDS)),
            ("memory", format!("4'h{:x}", command::WRITE_MEMORY)),
            ("feed", format!("4'h{:x}", command::FEED)),
            ("id", format!("32'h{HELLO:08x}")),
            ("done", format!("3'd{}", status::DONE)),
            ("token", format!("3'd{}", status::TOKEN)),
            ("unknown", format!("3'd{}", status::UNKNOWN)),
            ("read_error", format!("3'd{}", status::READ_ERROR)),
            ("ctrl", hex(reg::CTRL)),
            ("status", hex(reg::STATUS)),
            ("token_in", hex(reg::TOKEN_IN)),
            ("token_out", hex(reg::TOKEN_OUT)),
            ("start", format!("1'b{}", bit::CTRL::START)),
        ],
    );
    m.done()
}

const BODY: &str = r#"
  localparam [3:0] IDLE = 4'd0, REPLY = 4'd1, WORDS = 4'd2, MEM = 4'd3, READ = 4'd4, FEED = 4'd5, SPEAK = 4'd6,
                   SAY = 4'd7, PUT = 4'd8, START = 4'd9, POLL = 4'd10, GET = 4'd11, BAD = 4'd12, HI = 4'd13;

  reg  [3:0]  state_q;
  reg         asked_q;      // the register access of this state is under way
  reg  [7:0]  last_q;       // command byte executed last, if known_q
  reg         known_q;
  reg  [2:0]  status_q;
  reg  [31:0] data_q;
  reg  [15:0] left_q;       // words, bytes or tokens to go
  reg  [5:0]  at_q;         // word or byte of the buffer
  reg  [13:0] said_q;       // tokens of this SPEAK
  reg  [17:0] tok_q, next_q;  // next_q goes into the chip
  reg         have_q, owed_q, clear_q, speaking_q, error_q;
  reg  [127:0] beat_q;
  reg         beat_full_q;

  reg         seen_q;       // the frame on offer has been looked at
  reg         fresh_q;      // and is not the last one again
  wire        begins = (state_q == IDLE) && seen_q;

  // FEED takes bytes, WRITE_WORDS and WRITE_MEMORY words
  wire        by_byte = (state_q == FEED);
  wire [7:0]  byte_now = (at_q[1:0] == 2'd0) ? word_i[7:0] : (at_q[1:0] == 2'd1) ? word_i[15:8]
                       : (at_q[1:0] == 2'd2) ? word_i[23:16] : word_i[31:24];
  assign      index_o = by_byte ? at_q[5:2] : at_q[3:0];

  // register accesses: each state that needs one asks once and goes on with its answer
  wire        access = (state_q == WORDS && left_q != '0) || (state_q == READ) || (state_q == PUT)
                     || (state_q == START) || (state_q == POLL) || (state_q == GET);
  assign lite_start_o = access && !asked_q;
  assign lite_we_o    = (state_q == WORDS) || (state_q == PUT) || (state_q == START);
  assign lite_addr_o  = (state_q == PUT) ? {{token_in}} : (state_q == START) ? {{ctrl}} : (state_q == POLL) ? {{status}}
                      : (state_q == GET) ? {{token_out}} : frame_arg_i[7:0];
  assign lite_wdata_o = (state_q == PUT) ? {14'b0, next_q} : (state_q == START) ? {30'b0, clear_q, {{start}}} : word_i;

  assign reply_valid_o  = (state_q == REPLY) || (state_q == SAY) || (state_q == BAD);
  assign reply_cmd_o    = frame_cmd_i;
  assign reply_status_o = (state_q == SAY) ? {{token}} : (state_q == BAD) ? {1'b0, frame_status_i} : status_q;
  assign reply_data_o   = (state_q == SAY) ? {said_q, tok_q} : (state_q == BAD) ? 32'b0 : data_q;
  assign frame_take_o   = ((state_q == REPLY) || (state_q == BAD)) && reply_ready_i;

  assign mem_valid_o = beat_full_q;
  assign mem_data_o  = beat_q;
  assign busy_o      = (state_q != IDLE);
  assign error_o     = error_q;

  // the beat after the one on offer is at word at_q, so the one on offer ends just before it
  wire [1:0]  beat = at_q[3:2] - 2'd1;
  assign mem_beat_o = {frame_arg_i[{{umsb}}:0], beat};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= IDLE;
      asked_q     <= 1'b0;
      seen_q      <= 1'b0;
      fresh_q     <= 1'b0;
      known_q     <= 1'b0;
      last_q      <= '0;
      status_q    <= '0;
      data_q      <= '0;
      left_q      <= '0;
      at_q        <= '0;
      said_q      <= '0;
      tok_q       <= '0;
      next_q      <= '0;
      have_q      <= 1'b0;
      owed_q      <= 1'b0;
      clear_q     <= 1'b0;
      speaking_q  <= 1'b0;
      error_q     <= 1'b0;
      beat_full_q <= 1'b0;
    end else begin
      asked_q <= access && !lite_done_i;
      seen_q  <= (state_q == IDLE) && frame_valid_i && !seen_q;
      fresh_q <= (frame_cmd_i != last_q) || !known_q || (frame_cmd_i[3:0] == {{hello}});
      case (state_q)
        IDLE: if (begins) begin
          at_q   <= '0;
          said_q <= '0;
          if (frame_status_i != 2'd0) begin
            error_q <= 1'b1;
            state_q <= BAD;  // status_q and data_q stay: the last reply may be asked for again
          end else if (!fresh_q) begin
            state_q <= REPLY;
          end else begin
            last_q     <= frame_cmd_i;
            known_q    <= 1'b1;
            status_q   <= {{done}};
            data_q     <= '0;
            error_q    <= 1'b0;
            speaking_q <= 1'b0;
            case (frame_cmd_i[3:0])
              {{hello}}: state_q <= HI;
              {{read}}: state_q <= READ;
              {{words}}: begin
                left_q  <= {11'b0, frame_arg_i[12:8]};
                state_q <= WORDS;
              end
              {{memory}}: begin
                left_q  <= 16'd16;
                state_q <= MEM;
              end
              {{feed}}: begin
                left_q  <= {9'b0, frame_arg_i[6:0]};
                clear_q <= frame_arg_i[8];
                if (frame_arg_i[8]) owed_q <= 1'b0;
                state_q <= FEED;
              end
              {{speak}}: begin
                left_q     <= frame_arg_i[15:0];
                speaking_q <= 1'b1;
                state_q    <= SPEAK;
                if (!have_q) begin
                  status_q <= {{unknown}};
                  error_q  <= 1'b1;
                  state_q  <= REPLY;
                end
              end
              default: begin
                status_q <= {{unknown}};
                error_q  <= 1'b1;
                state_q  <= REPLY;
              end
            endcase
          end
        end

        REPLY, BAD: if (reply_ready_i) state_q <= IDLE;

        HI: begin  // the host may begin when the memory can
          data_q <= {{id}};
          if (mem_ready_i) state_q <= REPLY;
        end

        WORDS: if (left_q == '0) begin
          state_q <= REPLY;
        end else if (lite_done_i) begin
          left_q <= left_q - 16'd1;
          at_q   <= at_q + 6'd1;
        end

        MEM: if (beat_full_q) begin
          if (mem_ready_i) beat_full_q <= 1'b0;
        end else if (left_q == '0) begin
          state_q <= REPLY;
        end else begin
          left_q      <= left_q - 16'd1;
          at_q        <= at_q + 6'd1;
          beat_full_q <= (at_q[1:0] == 2'd3);
        end

        READ: if (lite_done_i) begin
          data_q  <= lite_rdata_i;
          state_q <= REPLY;
        end

        FEED: begin
          data_q <= {14'b0, tok_q};
          if (owed_q) begin
            owed_q  <= 1'b0;
            next_q  <= tok_q;
            state_q <= PUT;
          end else if (left_q == '0) begin
            state_q <= REPLY;
          end else begin
            left_q  <= left_q - 16'd1;
            at_q    <= at_q + 6'd1;
            next_q  <= {10'b0, byte_now};
            state_q <= PUT;
          end
        end

        SPEAK: begin
          data_q <= {said_q, tok_q};
          if ((left_q == '0) || more_i) begin
            state_q <= REPLY;
          end else if (owed_q) begin
            owed_q  <= 1'b0;
            next_q  <= tok_q;
            state_q <= PUT;
          end else begin
            state_q <= SAY;
          end
        end

        SAY: if (reply_ready_i) begin
          owed_q  <= 1'b1;
          left_q  <= left_q - 16'd1;
          said_q  <= said_q + 14'd1;
          state_q <= SPEAK;
        end

        PUT: if (lite_done_i) state_q <= START;

        START: if (lite_done_i) begin
          clear_q <= 1'b0;
          state_q <= POLL;
        end

        POLL: if (lite_done_i && lite_rdata_i[1]) begin
          state_q <= GET;
          if (lite_rdata_i[2]) begin
            status_q <= {{read_error}};
            error_q  <= 1'b1;
            left_q   <= '0;
          end
        end

        default: if (lite_done_i) begin  // GET
          tok_q   <= lite_rdata_i[17:0];
          have_q  <= 1'b1;
          state_q <= speaking_q ? SPEAK : FEED;
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == MEM && !beat_full_q) beat_q <= {word_i, beat_q[127:32]};
  end

  wire unused = &{1'b0, frame_arg_i[31:{{ubits}}]};
"#;
