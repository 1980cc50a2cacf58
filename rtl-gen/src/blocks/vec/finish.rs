//! Bookkeeping of finished instructions of the vector unit.

use crate::blocks::prelude::*;

/// Reports instructions in order although a reduction finishes later than the words behind it.
pub fn vec_finish() -> Arc<Module> {
    let mut m = Module::new(
        "vec_finish",
        "Counts finished instructions and reports them in order, one done_o a cycle.\n\
         finish_i: the last word of an instruction is written; finish_red_i says that it is a reduction. A reduction, one at a time,\n\
         is open from open_red_i until both its last word and its last scalar (last_scalar_i) are written; instructions that finish\n\
         behind it in the meantime are reported after it. full_o: there is no room for instructions that are not issued yet; up to 4\n\
         more may be in the pipeline.\n\
         Latency: done_o comes one cycle after the event.",
    );
    ports! { m;
        open_red_i, finish_i, finish_red_i "with finish_i", last_scalar_i, red_busy_o, done_o, full_o, pending_o,
    }
    m.body(rtl!("vec/finish"));
    m.done()
}
