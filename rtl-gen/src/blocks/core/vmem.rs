//! Vector memory: two copies for two read ports, one arbitrated write port.

use crate::blocks::prim::ram_1w1r;
use crate::config::{Config, VEC_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

pub use crate::widths::WORD_ADDR_BITS;
/// Bits of the address of an element of vmem.
pub const ELEMENT_ADDR_BITS: usize = 18;

/// Cycles from an accepted word to the first read that sees it: one in the write register.
pub const WRITE_LATENCY: usize = 2;
/// The same of an element, which waits a cycle more, so that a word need not hear of it in the cycle in which it comes.
pub const ELEMENT_LATENCY: usize = WRITE_LATENCY + 1;

/// The unit `vmem` of `docs/hardware.md`: `vmem_words` words of VL elements of 27 bits.
pub fn vmem(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let word_bits = lanes * VEC_BITS;
    let depth = config.vmem_words();
    let addr = index_bits(depth);
    let slots = match config.sessions {
        1 => "",
        _ => "A write is carried out only with its *_en_i, which changes no handshake: all slices accept the same writes.\n",
    };
    let mut m = Module::new(
        "vmem",
        format!(
            "Vector memory: {depth} words of {lanes} elements of {VEC_BITS} bits, in two copies so that two words can be read a cycle.\n\
             Read: v*_data_o holds the word one cycle after v*_en_i and keeps it while v*_en_i is low; a read of the word being\n\
             written in the same cycle returns the old content.\n\
             Write: one element a cycle, d (matrix unit) before y (recurrence); a word, vw (vector unit), in every cycle but the one\n\
             after that of an element: vw_ready_o is a register. What is accepted in a cycle is seen by reads from {WRITE_LATENCY} (a word) or\n\
             {ELEMENT_LATENCY} (an element) cycles later on: it is registered before it goes to the memories, which are many and far apart.\n\
             clear_i (one cycle, everything idle) writes 0 to all words, {} cycles of clear_busy_o from the next cycle on;\n\
             in the last of them writes are accepted again.\n\
{slots}             Element address e is lane e % {lanes} of word e / {lanes}; addresses past the end are the program's mistake.",
            depth + 1
        ),
    );
    for p in ["va", "vb"] {
        m.input(format!("{p}_en_i"), 1, "").input(format!("{p}_addr_i"), WORD_ADDR_BITS, "word");
        m.output(format!("{p}_data_o"), word_bits, "");
    }
    for p in ["d", "y"] {
        m.input(format!("{p}_valid_i"), 1, "").output(format!("{p}_ready_o"), 1, "");
        m.input(format!("{p}_addr_i"), ELEMENT_ADDR_BITS, "element").input(format!("{p}_data_i"), VEC_BITS, "");
    }
    m.input("vw_valid_i", 1, "").output("vw_ready_o", 1, "");
    m.input("vw_addr_i", WORD_ADDR_BITS, "word").input("vw_data_i", word_bits, "");
    m.input("clear_i", 1, "").output("clear_busy_o", 1, "");
    if config.sessions > 1 {
        m.input("d_en_i", 1, "").input("y_en_i", 1, "").input("vw_en_i", 1, "write what is accepted");
    }

    let lane_bits = lanes.ilog2() as usize;
    m.text(
        r#"
  reg             clearing_q, clear_busy_q;
  reg  [{{amsb}}:0]   walk_q;

  // An element waits here for one cycle.
  reg             element_q, word_ok_q;  // word_ok_q: nothing is in the way of a word
  reg  [17:0]     element_addr_q;
  reg  [26:0]     element_data_q;

  wire            element  = (d_valid_i || y_valid_i) && !clearing_q;
  wire [{{lmsb}}:0]    lane_sel = {{one}} << element_addr_q[{{lbmsb}}:0];
{{kept}}  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      element_q <= 1'b0;
      word_ok_q <= 1'b1;
    end else begin
      element_q <= element;
      word_ok_q <= !element && !(clearing_q ? walk_q != {{last}} : clear_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (element) begin
      element_addr_q <= d_valid_i ? d_addr_i : y_addr_i;
      element_data_q <= d_valid_i ? d_data_i : y_data_i;
    end
  end

  wire [{{amsb}}:0]   waddr = clearing_q ? walk_q : element_q ? element_addr_q[{{etop}}:{{lb}}] : vw_addr_i[{{amsb}}:0];
  wire [{{wmsb}}:0]  wdata = clearing_q ? '0 : element_q ? { {{lanes}}{element_data_q} } : vw_data_i;
  wire [{{lmsb}}:0]    we    = clearing_q ? '1 : {{we}};

  assign d_ready_o    = !clearing_q;
  assign y_ready_o    = !clearing_q && !d_valid_i;
  assign vw_ready_o   = word_ok_q;
  assign clear_busy_o = clear_busy_q;

  // the write on its way to the memories
  reg  [{{lmsb}}:0]    we_q;
  reg  [{{amsb}}:0]   waddr_q;
  reg  [{{wmsb}}:0]  wdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      we_q         <= '0;
      clear_busy_q <= 1'b0;
    end else begin
      we_q         <= we;
      clear_busy_q <= clearing_q || clear_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (clearing_q || element_q || vw_valid_i) begin
      waddr_q <= waddr;
      wdata_q <= wdata;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clearing_q <= 1'b0;
      walk_q     <= '0;
    end else if (!clearing_q) begin
      clearing_q <= clear_i;
      walk_q     <= '0;
    end else begin
      walk_q     <= walk_q + {{aone}};
      clearing_q <= (walk_q != {{last}});
    end
  end
"#,
        &[
            ("amsb", (addr - 1).to_string()),
            ("aone", format!("{addr}'d1")),
            ("last", format!("{addr}'d{}", depth - 1)),
            (
                "kept",
                match config.sessions {
                    1 => "",
                    _ => KEPT,
                }
                .into(),
            ),
            ("lmsb", (lanes - 1).to_string()),
            ("one", format!("{lanes}'d1")),
            ("lanes", lanes.to_string()),
            ("lb", lane_bits.to_string()),
            ("lbmsb", (lane_bits - 1).to_string()),
            ("etop", (lane_bits + addr - 1).to_string()),
            ("wmsb", (word_bits - 1).to_string()),
            (
                "we",
                if config.sessions > 1 {
                    format!("element_q ? lane_sel & {{{lanes}{{element_en_q}}}} : {{{lanes}{{vw_valid_i && vw_en_i}}}}")
                } else {
                    format!("element_q ? lane_sel : {{{lanes}{{vw_valid_i}}}}")
                },
            ),
        ],
    );
    if addr < WORD_ADDR_BITS {
        for p in ["va", "vb", "vw"] {
            m.text(
                "  wire unused_{{p}}_addr = &{1'b0, {{p}}_addr_i[13:{{a}}]};",
                &[("p", p.into()), ("a", addr.to_string())],
            );
        }
    }
    if lane_bits + addr < ELEMENT_ADDR_BITS {
        m.text(
            "  wire unused_element_addr = &{1'b0, element_addr_q[17:{{a}}]};",
            &[("a", (lane_bits + addr).to_string())],
        );
    }
    let ram = ram_1w1r(VEC_BITS, depth);
    for port in ["a", "b"] {
        for lane in 0..lanes {
            let range = format!("[{}:{}]", VEC_BITS * lane + VEC_BITS - 1, VEC_BITS * lane);
            m.instance(
                &format!("u_{port}{lane}"),
                &ram,
                &[
                    ("we_i", &format!("we_q[{lane}]")),
                    ("waddr_i", "waddr_q"),
                    ("wdata_i", &format!("wdata_q{range}")),
                    ("re_i", &format!("v{port}_en_i")),
                    ("raddr_i", &format!("v{port}_addr_i[{}:0]", addr - 1)),
                    ("rdata_o", &format!("v{port}_data_o{range}")),
                ],
            );
        }
    }
    m.done()
}

/// Whether this slice carries out the element's write.
const KEPT: &str = r#"
  reg             element_en_q;
  always_ff @(posedge clk_i) begin
    if (element) element_en_q <= d_valid_i ? d_en_i : y_en_i;
  end
"#;
