//! State in memory for several slots: whose words leave, and, while one text is read in all slots, the way from one slot to the next.

use super::slots::{inputs, INPUTS};
use super::walk::wkv_walk;
use super::Sizes;
use crate::hdl::Module;
use std::sync::Arc;

/// [`super::stream::wkv_stream`] (`words`, the same widths and depth) for several slots.
pub fn wkv_stream_slots(sizes: &Sizes, stored_bits: usize, depth: usize, words: &Arc<Module>) -> Arc<Module> {
    let Sizes { vl, sw, .. } = *sizes;
    let mut m = Module::new(
        "wkv_stream_slots",
        format!(
            "Words of state for several slots, in the order of the walk, through wkv_stream, whose contract holds; out_slot_o is whose word\n\
             leaves. With prefill_i all slots work on the state of home_i: each head comes from outside once, for home_i; what the others\n\
             take is what the slot before them gave, which comes back at out_*'s end, and only the last one's words leave. So a head must\n\
             not have more than {depth} words, then there is room for one on its way round; of the next instruction no word is taken before\n\
             go_i. busy_o: words of an instruction are still to leave or to come round; go_i only without it."
        ),
    );
    m.input("in_valid_i", 1, "").output("in_ready_o", 1, "").input("in_data_i", 32 * vl, "");
    m.output("have_o", 1, "").input("re_i", 1, "").output("rdata_o", vl * sw, "");
    m.output("room_o", 1, "").input("take_i", 1, "").input("we_i", 1, "").input("wdata_i", vl * sw, "");
    m.output("out_valid_o", 1, "").input("out_ready_i", 1, "").output("out_data_o", vl * stored_bits, "");
    m.output("out_slot_o", sizes.slot_bits, "");
    m.input("finish_i", 1, "pulse, after the last we_i").output("flush_o", 1, "");
    m.input("go_i", 1, "pulse: start; the fields are stable from now on").input("n_head_i", 8, "").input(
        "head_size_i",
        8,
        "",
    );
    m.input("head_words_i", 6, "").output("busy_o", 1, "");
    inputs(&mut m, sizes);
    let back = (0..vl).rev().map(|l| match 32 - stored_bits {
        0 => format!("out_data_o[{}:{}]", 32 * l + 31, 32 * l),
        n => format!(
            "{{{n}{{out_data_o[{top}]}}}}, out_data_o[{top}:{}]",
            l * stored_bits,
            top = (l + 1) * stored_bits - 1
        ),
    });
    m.text(
        r#"
  // the walks of the words that come, while that matters, and of those that leave
  wire        coming, leaving, leave_last;
  wire [{{slot}}:0] come_slot, leave_slot;
  wire [{{wa}}:0] unused_come_word, unused_leave_word;
  wire        unused_come_first, unused_come_last, unused_come_turn, unused_come_head;
  wire        unused_leave_first, unused_leave_end, unused_leave_turn;

  wire        in_valid, in_ready, out_valid, out_ready;
  wire        round = prefill_i && !leave_last;  // the word goes to the next slot
  wire        here  = !prefill_i || (coming && come_slot == home_i);
  wire        come  = in_valid && in_ready;
  wire        leave = out_valid && out_ready;

  assign in_valid    = here ? in_valid_i : (out_valid && round);
  assign in_ready_o  = here && in_ready;
  assign out_ready   = round ? (!here && in_ready) : out_ready_i;
  assign out_valid_o = out_valid && !round;
  assign out_slot_o  = prefill_i ? home_i : leave_slot;
  assign busy_o      = leaving;
"#,
        &[("slot", (sizes.slot_bits - 1).to_string()), ("wa", (sizes.word_addr - 1).to_string())],
    );
    let walk = wkv_walk(sizes);
    for (name, load, step, outputs) in [
        (
            "u_come",
            "go_i && prefill_i",
            "come",
            [
                "coming",
                "unused_come_word",
                "unused_come_first",
                "unused_come_last",
                "come_slot",
                "unused_come_turn",
                "unused_come_head",
            ],
        ),
        (
            "u_leave",
            "go_i",
            "leave",
            [
                "leaving",
                "unused_leave_word",
                "unused_leave_first",
                "unused_leave_end",
                "leave_slot",
                "unused_leave_turn",
                "leave_last",
            ],
        ),
    ] {
        let mut c = vec![("load_i", load), ("n_head_i", "n_head_i"), ("head_size_i", "head_size_i")];
        c.extend([("head_words_i", "head_words_i"), ("step_i", step)]);
        c.extend(["active_o", "word_o", "first_o", "last_o", "slot_o", "turn_o", "head_o"].into_iter().zip(outputs));
        c.extend(INPUTS);
        m.instance(name, &walk, &c);
    }
    let in_data = format!("here ? in_data_i : {{{}}}", back.collect::<Vec<_>>().join(", "));
    let mut c = vec![("in_valid_i", "in_valid"), ("in_ready_o", "in_ready"), ("in_data_i", in_data.as_str())];
    c.extend([("out_valid_o", "out_valid"), ("out_ready_i", "out_ready"), ("out_data_o", "out_data_o")]);
    c.extend(
        ["have_o", "re_i", "rdata_o", "room_o", "take_i", "we_i", "wdata_i", "finish_i", "flush_o"].map(|p| (p, p)),
    );
    m.instance("u_words", words, &c);
    m.done()
}
