//! Parts only the core uses: start and finish of a token with the done counts, and the operand exponents.

use crate::blocks::core::fetch::COUNT_BITS;
use crate::config::{Config, EXP_BITS};
use crate::hdl::Module;
use crate::isa::FORMATS;
use std::sync::Arc;

/// Starts and finishes a token, clears the state, counts finished instructions.
///
/// With the state in memory a cleared state is one that is read as 0, and a token also waits for its last write.
pub fn token_control(config: &Config) -> Arc<Module> {
    let (streamed, slots) = (config.streams_state(), config.sessions);
    let mut m = Module::new(
        "token_control",
        "Start and finish of a token; done counts.\n\
         clear_req_i and start_req_i (looked at while busy_o is low, may come together) clear the memories, then start a token.\n\
         start_o is high for one cycle; from the next one running_o is high, up to and with the cycle of finished_o (one cycle):\n\
         every unit has been handed its last instruction and has finished all it was handed.\n\
         Vectors over units: bit 0 dma, 1 mat, 2 vec, 3 wkv. Done counts are 0 from the cycle after start_o; a done pulse is\n\
         counted one cycle later; they stay at 4095 once there, which no wait field exceeds.",
    );
    m.input("start_req_i", 1, "").input("clear_req_i", 1, "").input("clear_busy_i", 1, "a memory is being cleared");
    m.input("handover_i", 4, "an instruction is handed over").input("done_i", 4, "an instruction is finished");
    m.input("last_handed_i", 4, "the last instruction has been handed over");
    m.output("start_o", 1, "").output("clear_o", 1, "").output("busy_o", 1, "").output("running_o", 1, "");
    m.output("finished_o", 1, "");
    if streamed {
        m.input("quiet_i", 1, "all state is written").output("zero_o", slots, "the state read by this token is 0");
        if slots > 1 {
            m.input("active_i", slots, "slots that are cleared").input("slots_i", slots, "slots whose state is read");
        }
    }
    for unit in &FORMATS[1..] {
        m.output(format!("count_{}_o", unit.name), COUNT_BITS, "done count");
    }
    m.text(
        r#"
  localparam [2:0] IDLE = 3'd0, CLEAR = 3'd1, SETTLE = 3'd2, WALK = 3'd3, START = 3'd4, RUN = 3'd5;

  reg  [2:0] state_q;
  reg        then_start_q;  // a start was asked for together with the clear
  wire [3:0] open;          // the unit holds instructions that are not finished

  assign start_o    = (state_q == START);
  assign clear_o    = (state_q == CLEAR);
  assign busy_o     = (state_q != IDLE);
  assign running_o  = (state_q == RUN);
  assign finished_o = running_o && (&last_handed_i) && (open == 4'b0000){{quiet}};

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
"#,
        &[("quiet", if streamed { " && quiet_i" } else { "" }.to_string())],
    );
    if streamed && slots > 1 {
        m.text(
            r#"

  reg [{{top}}:0] zero_q;  // from a clear to the end of the slot's next token
  assign zero_o = zero_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) zero_q <= '0;
    else if (clear_o) zero_q <= zero_q | active_i;
    else if (finished_o) zero_q <= zero_q & ~slots_i;
  end
"#,
            &[("top", (slots - 1).to_string())],
        );
    } else if streamed {
        m.text(
            r#"

  reg zero_q;  // from a clear to the end of the next token
  assign zero_o = zero_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) zero_q <= 1'b0;
    else if (clear_o) zero_q <= 1'b1;
    else if (finished_o) zero_q <= 1'b0;
  end
"#,
            &[],
        );
    }
    for (i, unit) in FORMATS.iter().enumerate() {
        let vars = [("u", unit.name.to_string()), ("i", i.to_string())];
        m.text(
            r#"

  reg [12:0] open_{{u}}_q;  // instructions handed over and not finished
  assign open[{{i}}] = (open_{{u}}_q != 13'd0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_{{u}}_q <= '0;
    else if (start_o) open_{{u}}_q <= '0;
    else if (handover_i[{{i}}] && !done_i[{{i}}]) open_{{u}}_q <= open_{{u}}_q + 13'd1;
    else if (!handover_i[{{i}}] && done_i[{{i}}]) open_{{u}}_q <= open_{{u}}_q - 13'd1;
  end
"#,
            &vars,
        );
        if i == 0 {
            continue; // nothing waits for dma
        }
        m.text(
            r#"

  reg [11:0] count_{{u}}_q;
  assign count_{{u}}_o = count_{{u}}_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_{{u}}_q <= '0;
    else if (start_o) count_{{u}}_q <= '0;
    else if (done_i[{{i}}] && !(&count_{{u}}_q)) count_{{u}}_q <= count_{{u}}_q + 12'd1;
  end
"#,
            &vars,
        );
    }
    m.done()
}

/// The exponents of the 16 matrix operand vectors.
pub fn xexp() -> Arc<Module> {
    let mut m = Module::combinational(
        "xexp",
        "Exponents of the 16 matrix operand vectors: written by the vector unit, read combinationally by the matrix unit.\n\
         A write is seen in the next cycle. No reset: an operand is written before it is used.",
    );
    m.input("clk_i", 1, "").input("we_i", 1, "").input("slot_i", 4, "").input("exp_i", EXP_BITS, "");
    m.input("sel_i", 4, "").output("exp_o", EXP_BITS, "");
    m.text(
        r#"
  reg [4:0] exp_q [0:15];

  always_ff @(posedge clk_i) begin
    if (we_i) exp_q[slot_i] <= exp_i;
  end

  assign exp_o = exp_q[sel_i];
"#,
        &[],
    );
    m.done()
}
