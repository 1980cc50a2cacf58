//! Index of the largest of a stream of numbers.

use crate::hdl::Module;
use std::sync::Arc;

/// Keeps the index of the first largest of the numbers since `start_i`.
pub fn argmax(data_bits: usize, index_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        format!("argmax_{data_bits}_{index_bits}"),
        "Index of the largest number since start_i; of several equal ones the first that came; 0 while there was none.\n\
         Latency: index_o counts a number one cycle after its valid_i. start_i and valid_i do not meet.",
    );
    m.input("start_i", 1, "")
        .input("valid_i", 1, "")
        .input("index_i", index_bits, "")
        .input("data_i", data_bits, "signed");
    m.output("index_o", index_bits, "");
    m.text(
        r#"
  reg         seen_q;
  reg  [{{imsb}}:0] index_q;
  reg  [{{dmsb}}:0] best_q;

  assign index_o = index_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      seen_q  <= 1'b0;
      index_q <= {{ibits}}'d0;
      best_q  <= {{dbits}}'d0;
    end else if (start_i) begin
      seen_q  <= 1'b0;
      index_q <= {{ibits}}'d0;
    end else if (valid_i && (!seen_q || $signed(data_i) > $signed(best_q))) begin
      seen_q  <= 1'b1;
      index_q <= index_i;
      best_q  <= data_i;
    end
  end
"#,
        &[
            ("imsb", (index_bits - 1).to_string()),
            ("ibits", index_bits.to_string()),
            ("dmsb", (data_bits - 1).to_string()),
            ("dbits", data_bits.to_string()),
        ],
    );
    m.done()
}
