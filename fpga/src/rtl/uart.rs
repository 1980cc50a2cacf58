//! The serial line: one byte at a time, 8 data bits, no parity, one stop bit.

use rtl_gen::blocks::prelude::*;

/// Says how long a bit is. Panics below [`FEWEST_CLOCKS`]: the middle of a bit could not be found.
fn clocks(m: &mut Module, clocks_per_bit: usize) {
    assert!(clocks_per_bit >= FEWEST_CLOCKS, "{clocks_per_bit} clocks a bit: expected {FEWEST_CLOCKS} or more");
    m.param("CLOCKS_PER_BIT", clocks_per_bit, FEWEST_CLOCKS, "clocks that a bit lasts");
}

/// The shortest bit.
const FEWEST_CLOCKS: usize = 4;

/// Receiver; it samples the middle of each bit. `clocks_per_bit` is at least 4.
pub fn uart_rx(clocks_per_bit: usize) -> Arc<Module> {
    let mut m = Module::new(
        "uart_rx",
        "Serial receiver, 8N1, least significant bit first.\n\
         The line passes two registers before it is used. A start bit that is gone at its middle is ignored; a byte without a\n\
         stop bit is dropped, and the checksum of the frame that it belonged to tells.\n\
         Latency: valid_o for one cycle, in the middle of the stop bit. The byte is not held: take it.",
    );
    clocks(&mut m, clocks_per_bit);
    ports! { m; rx_i "the line, not synchronous to clk_i", valid_o "one cycle", data_o[8] }
    m.body(rtl!("uart_rx"));
    m.done()
}

/// Sender, the counterpart of [`uart_rx`].
pub fn uart_tx(clocks_per_bit: usize) -> Arc<Module> {
    let mut m = Module::new(
        "uart_tx",
        "Serial sender, 8N1, least significant bit first; valid/ready.\n\
         Latency: the start bit begins in the cycle after the byte is taken; ready_o is low until the stop bit is over.",
    );
    clocks(&mut m, clocks_per_bit);
    ports! { m; valid_i, ready_o, data_i[8], tx_o "the line, a register" }
    m.body(rtl!("uart_tx"));
    m.done()
}
