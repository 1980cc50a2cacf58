//! Primitives every unit is made of: memory, queue, rounding shift, saturation, multiplier.
//!
//! They have parameters and are printed once each. Where a function of the golden model is named, the module computes exactly that.

pub mod adder_level;
pub mod mul_pipe;
pub mod next_set;
use crate::blocks::prelude::*;

/// The deepest queue made of registers; deeper ones read through a memory.
pub const REGISTER_DEPTH: usize = 32;

/// Memories of up to this many words are flip-flops where memories are macros.
pub const REGISTER_WORDS: usize = 32;

/// Synchronous memory of `depth` words of `bits` bits with one write and one read port. `re_i` low holds `rdata_o`.
/// A read of the word being written in the same cycle returns the old content. It has no reset.
pub fn ram_1w1r(bits: usize, depth: usize) -> Arc<Module> {
    let depth = depth.max(2); // an address has at least one bit
    let mut m = Module::combinational(
        "ram_1w1r",
        "Memory of DEPTH words of WIDTH bits, one write and one read port.\n\
         Latency: rdata_o holds mem[raddr_i] one cycle after re_i, and keeps it while re_i is low.\n\
         Reading the word that is being written returns the old content. No reset.",
    );
    m.param("WIDTH", bits, 8, "bits of a word").param("DEPTH", depth, 2, "words, at least 2");
    ports! { m;
        clk_i, we_i, waddr_i["$clog2(DEPTH)"], wdata_i["WIDTH"], re_i, raddr_i["$clog2(DEPTH)"], rdata_o["WIDTH"],
    }
    m.body(rtl!("prim/ram_1w1r")).memory(bits, depth);
    m.done()
}

/// First-in first-out queue, valid/ready on both sides, first word falls through. `depth` is a power of two from 2 on.
/// Up to [`REGISTER_DEPTH`] entries are registers; a deeper queue reads through a memory, which costs a cycle.
pub fn fifo(bits: usize, depth: usize) -> Arc<Module> {
    assert!(depth.is_power_of_two() && depth >= 2, "fifo depth {depth}: a power of two from 2");
    let ram = depth > REGISTER_DEPTH;
    let (name, latency) = match ram {
        false => ("fifo", "an entry written into an empty queue is visible on out_* in the next cycle"),
        true => {
            ("fifo_ram", "an entry written into an empty queue is visible on out_* two cycles later, through a memory")
        }
    };
    let mut m = Module::new(
        name,
        format!(
            "Queue of DEPTH entries of WIDTH bits; valid/ready; order kept.\n\
             Latency: {latency}.\n\
             A transfer happens in a cycle with valid and ready both high; out_valid_o never drops without one."
        ),
    );
    m.param("WIDTH", bits, 8, "bits of an entry");
    m.param("DEPTH", depth, if ram { 2 * REGISTER_DEPTH } else { 2 }, "entries, a power of two");
    ports! { m; in_valid_i, in_ready_o, in_data_i["WIDTH"], out_valid_o, out_ready_i, out_data_o["WIDTH"] }
    m.body(rtl!("prim/fifo_control"));
    if ram {
        m.body(rtl!("prim/fifo_ram"));
        let params = [("WIDTH", "WIDTH"), ("DEPTH", "DEPTH")];
        let c =
            wires! { we_i: push, waddr_i: wptr_q, wdata_i: in_data_i, re_i: pop, raddr_i: rptr_q, rdata_o: out_data_o };
        m.instance_of("u_mem", &ram_1w1r(bits, depth), &params, c);
    } else {
        m.body(rtl!("prim/fifo"));
    }
    m.done()
}

/// A place for one entry that stays on offer until it is taken, whatever becomes of the side that gave it.
pub fn keep(bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "keep",
        "Keeps an entry of WIDTH bits on offer until it is taken. Its reset may be another one than that of the side that gives entries:\n\
         an entry that was accepted is not lost with that side.\n\
         Latency: 1 cycle; one entry a cycle.",
    );
    m.param("WIDTH", bits, 8, "bits of an entry");
    ports! { m; in_valid_i, in_ready_o, in_data_i["WIDTH"], out_valid_o, out_ready_i, out_data_o["WIDTH"] }
    m.body(rtl!("prim/keep"));
    m.done()
}

/// `round(x, shift) = floor_o + up_o`: arithmetic shift right, to nearest, ties to even
/// (`golden_model::arithmetic::fixed::round_shift`). The addition is left to the caller, whose pipeline may have an adder that takes
/// `up_o` as its carry. A shift by a multiple of 8 comes before the register inside and the rest, 0 to 7, after it: each is a stage's
/// work at 150 MHz.
pub fn round_shift(in_bits: usize, shift_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits <= in_bits, "round_shift {in_bits} to {out_bits}");
    assert!(in_bits >= 8 && shift_bits >= 4, "round_shift: {in_bits} bits, {shift_bits} shift bits");
    let mut m = Module::combinational(
        "round_shift",
        "round(x_i, shift_i) = floor_o + up_o: a signed number of IN_BITS bits divided by 2^shift_i, to nearest, ties to even.\n\
         The result must fit OUT_BITS bits (the upper bits are dropped); from a shift of IN_BITS on the sum is 0.\n\
         Latency: 1 cycle, half of the shift after the register; en_i low keeps the result. No reset: data only.",
    );
    m.param("IN_BITS", in_bits, 8, "8 or more").param("SHIFT_BITS", shift_bits, 4, "4 or more");
    m.param("OUT_BITS", out_bits, 8, "up to IN_BITS");
    ports! { m;
        clk_i, en_i "x_i and shift_i are taken", x_i["IN_BITS"] "signed", shift_i["SHIFT_BITS"],
        floor_o["OUT_BITS"] "signed", up_o,
    }
    m.body(rtl!("prim/round_shift"));
    m.done()
}

/// `sat_n`: clips a signed number to `out_bits` and says whether it had to (`golden_model::arithmetic::fixed::sat`).
pub fn saturate(in_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits < in_bits, "saturate {in_bits} to {out_bits}");
    let mut m = Module::combinational(
        "saturate",
        "Clips a signed number of IN_BITS bits to OUT_BITS bits; clipped_o tells that it was outside; combinational.",
    );
    m.param("IN_BITS", in_bits, 8, "").param("OUT_BITS", out_bits, 4, "below IN_BITS");
    ports! { m; x_i["IN_BITS"] "signed", y_o["OUT_BITS"] "signed", clipped_o }
    m.body(rtl!("prim/saturate"));
    m.done()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdl::{print, print_specialised};

    #[test]
    fn a_primitive_is_printed_once_whatever_its_parameters() {
        let mut top = Module::new("top", "");
        for (i, bits) in [8, 9].into_iter().enumerate() {
            let (data, out) = (format!("d{i}"), format!("q{i}"));
            top.wire(&data, bits).wire(&out, bits).body(&format!("  assign {data} = {out};"));
            instance! { top, format!("u_{i}"), fifo(bits, 64);
                in_valid_i: "1'b1", in_ready_o: "", out_valid_o: "", out_ready_i: "1'b1", in_data_i: &data, out_data_o: &out,
            }
        }
        let printed = print(&top).unwrap();
        let files: Vec<&str> = printed.files.keys().map(String::as_str).collect();
        assert_eq!(files, ["anser_fifo_ram.sv", "anser_ram_1w1r.sv", "anser_top.sv"]);
        assert!(printed.files["anser_top.sv"].contains("anser_fifo_ram #(.WIDTH(9), .DEPTH(64)) u_1 ("));
        assert!(printed.files["anser_fifo_ram.sv"].contains("anser_ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) u_mem ("));
        let special = print_specialised(&top).unwrap();
        assert_eq!(special.kinds["anser_ram_1w1r_9_64"], crate::hdl::Kind::Memory { bits: 9, words: 64 });
    }
}
