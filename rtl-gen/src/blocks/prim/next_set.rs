//! The next set bit of a vector, going round.

use crate::blocks::prelude::*;

/// Steps through the set bits of a vector of `bits` bits, 2 or more, from the lowest to the highest and round again.
pub fn next_set(bits: usize) -> Arc<Module> {
    assert!(bits >= 2, "next_set: {bits} bits");
    let mut m = Module::combinational(
        "next_set",
        "Steps through the set bits of set_i, from the lowest to the highest and round again; combinational.\n\
         first_o is the number of the lowest set bit, next_o that of the lowest one above bit at_i, and first_o if there is none;\n\
         last_o says that there is none. Where no bit is set, the highest number stands for it.",
    );
    m.param("WIDTH", bits, 2, "bits of the vector, 2 or more");
    ports! { m;
        set_i["WIDTH"], at_i["$clog2(WIDTH)"] "the present bit", first_o["$clog2(WIDTH)"], next_o["$clog2(WIDTH)"],
        last_o,
    }
    m.body(rtl!("prim/next_set"));
    m.done()
}
