//! The lint helper: clean designs pass all three tools, and each tool's complaint comes through.

mod common;

use rtl_gen::blocks::{
    core::fetch, core::token as core_token, core::vmem, dma, dma::state_writer, mat, prim, regs, vec, wkv,
};
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Module, Printed};
use rtl_gen::isa;
use sim_harness::lint::{assert_clean, lint, Tool, TOOLS};

#[test]
fn primitives_and_the_stand_in_are_clean() {
    for m in [
        prim::ram_1w1r(8, 16),
        prim::fifo(8, 16),
        prim::fifo(24, 64),
        prim::round_shift(56, 6, 28),
        prim::round_shift(32, 5, 32),
        prim::saturate(29, 27),
        common::stand_in(&Config::parse(include_str!("../../configs/nano.toml"), "nano").unwrap()),
    ] {
        assert_clean(&print(&m).unwrap());
    }
}

#[test]
fn every_block_is_clean_in_both_shapes() {
    let texts = [include_str!("../../configs/nano.toml"), include_str!("../../configs/wide.toml")];
    for text in texts.into_iter().flat_map(|t| [t.to_string(), common::streamed(t)]) {
        let c = Config::parse(&text, "config").unwrap();
        for m in [
            core_token::token_control(&c),
            core_token::xexp(),
            dma::dma(&c),
            fetch::fetch(&isa::VEC, c.limits.vec_program, &["wait_mat", "wait_wkv"]),
            mat::mat(&c),
            regs::regs(&c),
            vec::vec(&c),
            vmem::vmem(&c),
            wkv::wkv(&c),
            state_writer::state_writer(&c),
        ] {
            assert_clean(&print(&m).unwrap());
        }
    }
}

fn complaints(body: &str) -> Vec<Tool> {
    let mut m = Module::new("bad", "Something is wrong with it.");
    m.input("a_i", 4, "").output("b_o", 4, "").body(body);
    // past the generator's own checks, which would refuse some of these
    let printed =
        Printed { files: [(format!("{}.sv", m.name), m.verilog())].into(), top: m.name, ..Printed::default() };
    let messages = lint(&printed, &TOOLS).unwrap();
    let mut tools: Vec<Tool> = messages.iter().map(|m| m.tool).collect();
    tools.dedup();
    tools
}

#[test]
fn every_tool_is_heard() {
    let clocked = "  wire unused = &{1'b0, clk_i, rst_ni};\n";
    assert_eq!(complaints(&format!("{clocked}  assign b_o = a_i;")), []);
    assert_eq!(complaints(&format!("{clocked}  assign b_o = nothing;")), TOOLS, "an undeclared name");
    assert_eq!(complaints(&format!("{clocked}  assign b_o = a_i[2:0];")), [Tool::Verilator], "a width");
    let two_drivers = format!("{clocked}  assign b_o = a_i;\n  assign b_o[0] = a_i[1] ^ a_i[2];");
    assert!(complaints(&two_drivers).contains(&Tool::Yosys), "two drivers");
}
