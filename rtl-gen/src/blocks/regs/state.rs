//! STATE_BASE: where the state of each slot's session lies, of a configuration with the state in memory.

use crate::blocks::regs::reg;
use crate::config::Config;
use crate::hdl::{index_bits, Module};

/// Address bits in the high register.
fn high_bits(config: &Config) -> usize {
    config.axi_addr_bits - 32
}

/// What reads of the registers give: byte address, value.
pub fn reads(config: &Config) -> Vec<(u32, String)> {
    let mut list = vec![(reg::STATE_BASE_LO, "state_base_lo".to_string())];
    if high_bits(config) > 0 {
        list.push((reg::STATE_BASE_HI, "state_base_hi".into()));
    }
    if config.sessions > 1 {
        let bits = index_bits(config.sessions);
        list.push((reg::STATE_SLOT, format!("{{{}'b0, state_slot_q}}", 32 - bits)));
    }
    list
}

/// The registers and their outputs.
pub fn declare(m: &mut Module, config: &Config) {
    let (top, high, slots) = (config.axi_addr_bits - 1, high_bits(config), config.sessions);
    let pad = if high < 32 { format!("{}'b0, ", 32 - high) } else { String::new() };
    let high_wire = |from: &str| match high {
        0 => String::new(),
        _ => format!("  wire [31:0] state_base_hi = {{{pad}{from}[{top}:32]}};"),
    };
    if slots == 1 {
        m.text(
            "  reg  [{{top}}:6] state_base_q;\n  wire [31:0] state_base_lo = {state_base_q[31:6], 6'b0};\n{{high_wire}}\n  assign state_base_o = state_base_q;",
            &[("top", top.to_string()), ("high_wire", high_wire("state_base_q"))],
        );
        return;
    }
    m.text(
        r#"
  reg  [{{smsb}}:0] state_slot_q;  // whose base the two registers show
  reg  [{{all}}:0] state_base_q;  // slot 0 lowest
  wire [{{top}}:6] state_base = state_base_q[state_slot_q*{{u}} +: {{u}}];
  wire [31:0] state_base_lo = {state_base[31:6], 6'b0};
{{high_wire}}
  assign state_base_o = state_base_q;
"#,
        &[
            ("smsb", (index_bits(slots) - 1).to_string()),
            ("all", (slots * (top - 5) - 1).to_string()),
            ("top", top.to_string()),
            ("u", (top - 5).to_string()),
            ("high_wire", high_wire("state_base")),
        ],
    );
}

/// What writes of the registers do.
pub fn write(m: &mut Module, config: &Config) {
    let at = |a: u32| format!("6'h{:02x}", a / 4);
    let (top, high, slots) = (config.axi_addr_bits - 1, high_bits(config), config.sessions);
    let unit = top - 5;
    let high_write = |to: String| match high {
        0 => String::new(),
        _ => format!("      if (write && w_at_q == {}) {to} <= w_data_q[{}:0];", at(reg::STATE_BASE_HI), high - 1),
    };
    let high_write = match slots {
        1 => high_write(format!("state_base_q[{top}:32]")),
        _ => high_write(format!("state_base_q[state_slot_q*{unit}+26 +: {high}]")),
    };
    let mut vars = vec![("low", at(reg::STATE_BASE_LO)), ("high_write", high_write)];
    if slots == 1 {
        m.text(ONE, &vars);
    } else {
        vars.extend([
            ("slot", at(reg::STATE_SLOT)),
            ("smsb", (index_bits(slots) - 1).to_string()),
            ("u", unit.to_string()),
        ]);
        m.text(SLOTS, &vars);
    }
}

const ONE: &str = r#"

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_base_q <= '0;
    end else begin
      if (write && w_at_q == {{low}}) state_base_q[31:6] <= w_data_q[31:6];
{{high_write}}
    end
  end
"#;

const SLOTS: &str = r#"

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_slot_q <= '0;
      state_base_q <= '0;
    end else begin
      if (write && w_at_q == {{slot}}) state_slot_q <= w_data_q[{{smsb}}:0];
      if (write && w_at_q == {{low}}) state_base_q[state_slot_q*{{u}} +: 26] <= w_data_q[31:6];
{{high_write}}
    end
  end
"#;
