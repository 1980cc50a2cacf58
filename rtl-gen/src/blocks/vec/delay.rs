//! A shift register whose stages advance one by one.

use crate::blocks::prelude::*;

/// `bits` bits through `stages` registers; each has its own enable, so that only stages with a word in them switch.
pub fn vec_delay(bits: usize, stages: usize) -> Arc<Module> {
    let mut m = Module::combinational(
        "vec_delay",
        "Carries WIDTH bits through STAGES registers: en_i[0] loads the first from d_i, en_i[k] the next from the one before it.\n\
         Latency: STAGES cycles while all of en_i is high. No reset: data only, qualified by who drives en_i.",
    );
    m.param("WIDTH", bits, 1, "").param("STAGES", stages, 1, "at least 1");
    ports! { m; clk_i, en_i["STAGES"] "one bit a stage", d_i["WIDTH"], q_o["WIDTH"] "the last stage" }
    m.body(rtl!("vec/delay"));
    m.done()
}
