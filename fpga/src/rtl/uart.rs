//! The serial line: one byte at a time, 8 data bits, no parity, one stop bit.

use rtl_gen::hdl::{index_bits, Module};
use std::sync::Arc;

/// Receiver. `clocks_per_bit` is from 4 on; the middle of each bit is sampled.
pub fn uart_rx(clocks_per_bit: usize) -> Arc<Module> {
    let mut m = Module::new(
        "uart_rx",
        format!(
            "Serial receiver, 8N1, {clocks_per_bit} clocks a bit, least significant bit first.\n\
             The line passes two registers before it is looked at. A start bit that is gone at its middle is ignored; a byte\n\
             without a stop bit is dropped: what it belonged to is then found out by its checksum.\n\
             Latency: valid_o for one cycle, in the middle of the stop bit. The byte is not held: take it."
        ),
    );
    m.input("rx_i", 1, "the line, not synchronous to clk_i");
    m.output("valid_o", 1, "one cycle").output("data_o", 8, "");
    m.text(
        r#"
  reg  [2:0]  line_q;       // [1] is safe to use
  reg         busy_q, valid_q;
  reg  [3:0]  bit_q;        // 0 start, 1 to 8 data, 9 stop
  reg  [{{msb}}:0]  count_q;
  reg  [7:0]  shift_q;

  wire line   = line_q[1];
  wire falls  = line_q[2] && !line;
  wire sample = busy_q && (count_q == '0);

  assign valid_o = valid_q;
  assign data_o  = shift_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      line_q  <= 3'b111;
      busy_q  <= 1'b0;
      valid_q <= 1'b0;
      bit_q   <= '0;
      count_q <= '0;
    end else begin
      line_q  <= {line_q[1:0], rx_i};
      valid_q <= sample && (bit_q == 4'd9) && line;
      if (!busy_q) begin
        busy_q  <= falls;
        bit_q   <= '0;
        count_q <= {{half}};
      end else if (sample) begin
        count_q <= {{whole}};
        bit_q   <= bit_q + 4'd1;
        if ((bit_q == 4'd9) || (bit_q == 4'd0 && line)) busy_q <= 1'b0;
      end else begin
        count_q <= count_q - {{one}};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (sample && bit_q != 4'd9) shift_q <= {line, shift_q[7:1]};
  end
"#,
        &count_vars(clocks_per_bit),
    );
    m.done()
}

/// Sender, the counterpart of [`uart_rx`].
pub fn uart_tx(clocks_per_bit: usize) -> Arc<Module> {
    let mut m = Module::new(
        "uart_tx",
        format!(
            "Serial sender, 8N1, {clocks_per_bit} clocks a bit, least significant bit first; valid/ready.\n\
             Latency: the start bit begins in the cycle after the byte is taken; ready_o is low until the stop bit is over."
        ),
    );
    m.input("valid_i", 1, "").output("ready_o", 1, "").input("data_i", 8, "");
    m.output("tx_o", 1, "the line, a register");
    m.text(
        r#"
  reg  [3:0]  bits_q;      // bits still to be sent, the one on the line included
  reg  [{{msb}}:0]  count_q;
  reg  [8:0]  shift_q;     // bit 0 is on the line

  assign ready_o = (bits_q == 4'd0);
  assign tx_o    = shift_q[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bits_q  <= '0;
      count_q <= '0;
      shift_q <= '1;
    end else if (ready_o) begin
      if (valid_i) begin
        bits_q  <= 4'd10;
        count_q <= {{whole}};
        shift_q <= {data_i, 1'b0};
      end
    end else if (count_q == '0) begin
      bits_q  <= bits_q - 4'd1;
      count_q <= {{whole}};
      shift_q <= {1'b1, shift_q[8:1]};
    end else begin
      count_q <= count_q - {{one}};
    end
  end
"#,
        &count_vars(clocks_per_bit)[..3],
    );
    m.done()
}

/// A counter of one bit time: its top bit, its start for a whole bit, one, and its start for half a bit.
fn count_vars(clocks_per_bit: usize) -> [(&'static str, String); 4] {
    assert!(clocks_per_bit >= 4, "{clocks_per_bit} clocks a bit: too few to find its middle");
    let bits = index_bits(clocks_per_bit);
    [
        ("msb", (bits - 1).to_string()),
        ("whole", format!("{bits}'d{}", clocks_per_bit - 1)),
        ("one", format!("{bits}'d1")),
        // the edge is seen one cycle later than the samples after it
        ("half", format!("{bits}'d{}", (clocks_per_bit / 2) - 1)),
    ]
}
