//! Sums over segments: a pipelined tree over the lanes, one accumulator, a queue of finished sums.

use crate::blocks::prim::fifo;
use crate::config::Config;
use crate::hdl::Module;
use std::sync::Arc;

/// Bits of a segment's sum: up to 2^17 elements (8191 words of 16) of products below 2^54, signed.
pub const ACC_BITS: usize = 72;
/// Finished sums that may wait for the scalar unit.
pub const QUEUE: usize = 4;

/// Lane sums and segment accumulator. The sender must not end more than [`QUEUE`] segments whose sums it has not seen popped.
pub fn vec_reduce(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new(
        "vec_reduce",
        format!(
            "Exact sum over each segment of the lanes' products (product_i, 56 bits) or results (27 bits).\n\
             A word enters in the cycle of its valid bit; *_end_i marks a segment's last word, *_last_i the instruction's.\n\
             The tree adds four numbers a stage; the accumulator is {ACC_BITS} bits: 2^17 elements below 2^54 never wrap.\n\
             Finished sums wait in a queue of {QUEUE}, popped by sum_ready_i. Nothing here stalls: vec keeps a credit for each segment.\n\
             Latency: {} cycles from a segment's last word to sum_valid_o.",
            stages(lanes) + 1
        ),
    );
    m.input("product_i", 1, "sum t, not o; stable while words are inside");
    m.input("t_valid_i", 1, "").input("t_end_i", 1, "").input("t_last_i", 1, "").input("t_i", lanes * 56, "");
    m.input("o_valid_i", 1, "").input("o_end_i", 1, "").input("o_last_i", 1, "").input("o_i", lanes * 27, "");
    m.output("sum_valid_o", 1, "").input("sum_ready_i", 1, "");
    m.output("sum_last_o", 1, "last segment of the instruction").output("sum_o", ACC_BITS, "signed");

    m.text(
        "  wire valid_0 = product_i ? t_valid_i : o_valid_i;\n  wire end_0   = product_i ? t_end_i : o_end_i;\n  wire last_0  = product_i ? t_last_i : o_last_i;\n",
        &[],
    );
    for l in 0..lanes {
        m.text(
            "  wire signed [55:0] s0_{{l}} = product_i ? $signed(t_i[{{t1}}:{{t0}}]) : $signed({ {29{o_i[{{o1}}]}}, o_i[{{o1}}:{{o0}}]});",
            &[
                ("l", l.to_string()),
                ("t1", (l * 56 + 55).to_string()),
                ("t0", (l * 56).to_string()),
                ("o1", (l * 27 + 26).to_string()),
                ("o0", (l * 27).to_string()),
            ],
        );
    }
    let (mut n, mut bits, mut stage) = (lanes, 56, 0);
    while n > 1 {
        let (next, fan) = (n.div_ceil(4), n.min(4));
        let grown = bits + if fan == 4 { 2 } else { 1 };
        stage += 1;
        let names: Vec<_> = (0..next).map(|i| format!("s{stage}_{i}")).collect();
        let sums: String = (0..next)
            .map(|i| {
                let terms: Vec<_> =
                    (i * fan..(i + 1) * fan).map(|j| extend(&format!("s{}_{j}", stage - 1), bits, grown)).collect();
                format!("      s{stage}_{i} <= {};\n", terms.join(" + "))
            })
            .collect();
        m.text(
            r#"
  // -- tree stage {{k}}
  reg signed [{{msb}}:0] {{names}};
  reg valid_{{k}}, end_{{k}}, last_{{k}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_{{k}} <= 1'b0;
    else valid_{{k}} <= valid_{{p}};
  end

  always_ff @(posedge clk_i) begin
    if (valid_{{p}}) begin
      end_{{k}}  <= end_{{p}};
      last_{{k}} <= last_{{p}};
{{sums}}    end
  end
"#,
            &[
                ("k", stage.to_string()),
                ("p", (stage - 1).to_string()),
                ("msb", (grown - 1).to_string()),
                ("names", names.join(", ")),
                ("sums", sums),
            ],
        );
        (n, bits) = (next, grown);
    }
    m.text(
        r#"
  // -- accumulator; cleared by the end of a segment
  reg signed [{{amsb}}:0] acc_q;
  wire signed [{{amsb}}:0] acc_next = acc_q + {{sum}};
  wire push = valid_{{k}} && end_{{k}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) acc_q <= '0;
    else if (valid_{{k}}) acc_q <= end_{{k}} ? '0 : acc_next;
  end

  wire unused_ready;
"#,
        &[
            ("amsb", (ACC_BITS - 1).to_string()),
            ("k", stage.to_string()),
            ("sum", extend(&format!("s{stage}_0"), bits, ACC_BITS)),
        ],
    );
    m.instance(
        "u_queue",
        &fifo(ACC_BITS + 1, QUEUE),
        &[
            ("in_valid_i", "push"),
            ("in_ready_o", "unused_ready"),
            ("in_data_i", &format!("{{last_{stage}, acc_next}}")),
            ("out_valid_o", "sum_valid_o"),
            ("out_ready_i", "sum_ready_i"),
            ("out_data_o", "{sum_last_o, sum_o}"),
        ],
    );
    m.done()
}

/// Register stages of the tree.
pub fn stages(lanes: usize) -> usize {
    (lanes.ilog2() as usize).div_ceil(2)
}

/// `name`, `from` bits signed, extended to `to` bits.
fn extend(name: &str, from: usize, to: usize) -> String {
    format!("$signed({{ {{{}{{{name}[{}]}}}}, {name}}})", to - from, from - 1)
}
