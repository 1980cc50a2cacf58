//! Frames of the host link: what comes in is checked here, what goes out is wrapped here (`docs/fpga.md`).

use crate::protocol::{REPLY_SYNC, SYNC};
use rtl_gen::hdl::{index_bits, Module};
use std::sync::Arc;

/// One byte of the checksum CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, nothing reversed).
pub fn crc16() -> Arc<Module> {
    let mut m = Module::combinational(
        "crc16",
        "Checksum CRC-16/CCITT-FALSE, one byte further; combinational. The polynomial is x^16 + x^12 + x^5 + 1.",
    );
    m.input("crc_i", 16, "").input("byte_i", 8, "").output("crc_o", 16, "");
    m.text(
        r#"
  // The byte leaves the register through the taps 12 and 5 and through the 4 bits that come back within the byte.
  wire [7:0] in = crc_i[15:8] ^ byte_i;
  wire [7:0] x  = {in[7:4], in[3:0] ^ in[7:4]};
  assign crc_o  = {crc_i[7:0], 8'b0} ^ {x[3:0], 12'b0} ^ {3'b0, x, 5'b0} ^ {8'b0, x};
"#,
        &[],
    );
    m.done()
}

/// Bytes to checked frames; `timeout_cycles` without a byte end a frame that has begun.
pub fn frame_rx(timeout_cycles: usize) -> Arc<Module> {
    let mut m = Module::new(
        "frame_rx",
        format!(
            "Takes the host's bytes and gives its frames: sync, command, 4 bytes argument, 64 bytes data if command bit 3 is\n\
             set, 2 bytes checksum. Outside a frame everything but sync is dropped.\n\
             valid_o holds a frame until take_i: status_o 0 whole, 2 its checksum is wrong, 3 no byte for {timeout_cycles} cycles.\n\
             The data lie in a buffer of 16 words, word_o is word index_i, combinational. No byte is taken while a frame is held.\n\
             Latency: valid_o one cycle after the last byte is taken."
        ),
    );
    m.input("byte_valid_i", 1, "").output("byte_ready_o", 1, "").input("byte_i", 8, "");
    m.output("valid_o", 1, "").input("take_i", 1, "").output("status_o", 2, "");
    m.output("cmd_o", 8, "sequence number, command").output("arg_o", 32, "");
    m.input("index_i", 4, "").output("word_o", 32, "");
    let bits = index_bits(timeout_cycles + 1);
    m.text(
        r#"
  localparam [2:0] HUNT = 3'd0, CMD = 3'd1, ARG = 3'd2, DATA = 3'd3, CRC = 3'd4, HELD = 3'd5;

  reg  [2:0]  state_q;
  reg  [5:0]  count_q;     // bytes of this part so far
  reg  [1:0]  status_q;
  reg  [{{tmsb}}:0] idle_q;      // cycles since the last byte
  reg  [15:0] crc_q;
  reg  [7:0]  cmd_q;
  reg  [31:0] arg_q;
  reg  [23:0] word_q;      // first three bytes of a data word
  reg  [7:0]  crc_low_q;
  reg  [31:0] buffer [0:15];

  wire        take   = byte_valid_i && byte_ready_o;
  wire        begun = (state_q != HUNT) && (state_q != HELD);
  wire        late  = begun && (idle_q == {{timeout}});
  wire [15:0] crc_next;

  assign byte_ready_o = (state_q != HELD);
  assign valid_o      = (state_q == HELD);
  assign status_o     = status_q;
  assign cmd_o        = cmd_q;
  assign arg_o        = arg_q;
  assign word_o       = buffer[index_i];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= HUNT;
      count_q  <= '0;
      status_q <= '0;
      idle_q   <= '0;
    end else begin
      idle_q <= (take || !begun) ? '0 : idle_q + {{one}};
      if (take) begin
        count_q <= count_q + 6'd1;
        case (state_q)
          HUNT: if (byte_i == {{sync}}) state_q <= CMD;
          CMD: begin
            state_q <= ARG;
            count_q <= '0;
          end
          ARG: if (count_q == 6'd3) begin
            state_q <= cmd_q[3] ? DATA : CRC;
            count_q <= '0;
          end
          DATA: if (count_q == 6'd63) begin
            state_q <= CRC;
            count_q <= '0;
          end
          default: if (count_q == 6'd1) begin
            state_q  <= HELD;
            status_q <= ({byte_i, crc_low_q} == crc_q) ? 2'd0 : 2'd2;
          end
        endcase
      end else if (late) begin
        state_q  <= HELD;
        status_q <= 2'd3;
      end else if (take_i && valid_o) begin
        state_q <= HUNT;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      if (state_q == HUNT) crc_q <= 16'hffff;
      else if (state_q != CRC) crc_q <= crc_next;
      if (state_q == CMD) cmd_q <= byte_i;
      if (state_q == ARG) arg_q <= {byte_i, arg_q[31:8]};
      if (state_q == DATA) word_q <= {byte_i, word_q[23:8]};
      if (state_q == DATA && count_q[1:0] == 2'd3) buffer[count_q[5:2]] <= {byte_i, word_q};
      if (state_q == CRC) crc_low_q <= byte_i;
    end
  end
"#,
        &[
            ("tmsb", (bits - 1).to_string()),
            ("timeout", format!("{bits}'d{timeout_cycles}")),
            ("one", format!("{bits}'d1")),
            ("sync", format!("8'h{SYNC:02x}")),
        ],
    );
    m.instance("u_crc", &crc16(), &[("crc_i", "crc_q"), ("byte_i", "byte_i"), ("crc_o", "crc_next")]);
    m.done()
}

/// Replies to bytes.
pub fn reply_tx() -> Arc<Module> {
    let mut m = Module::new(
        "reply_tx",
        "Sends a reply: sync, command, status, 4 bytes data, 2 bytes checksum over all but sync; valid/ready on both sides.\n\
         Latency: the first byte is offered in the cycle after a reply is taken; ready_o is low until the last one is taken.",
    );
    m.input("valid_i", 1, "").output("ready_o", 1, "");
    m.input("cmd_i", 8, "").input("status_i", 3, "").input("data_i", 32, "");
    m.output("byte_valid_o", 1, "").input("byte_ready_i", 1, "").output("byte_o", 8, "");
    m.text(
        r#"
  reg  [3:0]  left_q;    // bytes still to be sent
  reg  [55:0] shift_q;   // sync and content, next byte lowest
  reg  [15:0] crc_q;
  wire [15:0] crc_next;

  wire sync  = (left_q == 4'd9);
  wire check = (left_q <= 4'd2);
  wire taken = byte_valid_o && byte_ready_i;

  assign ready_o      = (left_q == 4'd0);
  assign byte_valid_o = !ready_o;
  assign byte_o       = check ? crc_q[7:0] : shift_q[7:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) left_q <= '0;
    else if (ready_o) left_q <= valid_i ? 4'd9 : 4'd0;
    else if (taken) left_q <= left_q - 4'd1;
  end

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      shift_q <= {data_i, 5'b0, status_i, cmd_i, {{sync}}};
      crc_q   <= 16'hffff;
    end else if (taken) begin
      shift_q <= {8'b0, shift_q[55:8]};
      if (check) crc_q <= {8'b0, crc_q[15:8]};
      else if (!sync) crc_q <= crc_next;
    end
  end
"#,
        &[("sync", format!("8'h{REPLY_SYNC:02x}"))],
    );
    m.instance("u_crc", &crc16(), &[("crc_i", "crc_q"), ("byte_i", "shift_q[7:0]"), ("crc_o", "crc_next")]);
    m.done()
}
