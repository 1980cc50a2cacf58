//! The memories of the RTL, cut out of the netlist, and what stands in for them.
//!
//! The printer says which modules are memories and how large. Each one deeper than [`REGISTER_WORDS`] is a black box to mapping. Its
//! area, delays and energies come from one of two models; both are written as a Liberty cell, so that timing and power read them
//! as they read any cell.
//!
//! **Macros** ([`Model::Macros`]). The library's macros have one port; the RTL's memory reads and writes in one cycle. What is
//! counted is a construction that does exactly that: two macros (A and B) a tile, each with room for all words, and one bit a
//! word that says which of them holds it. A write goes to the macro that is not being read and turns the bit; a read goes
//! where the bit points. No access ever waits. Counted are two macros a tile, and a flip-flop and three gate equivalents a
//! word for the bits; not counted in timing are the look-up of the bit before a read and the multiplexer behind the macros.
//! A read or a write costs one access of each macro in a row of tiles.
//!
//! **Bits** ([`Model::Bits`]). Libraries without macros: an area a bit, an energy a bit and a delay, all parameters.

use crate::library::{Cells, Memory};
use crate::Error;
use records::asic::{Bits, MemoryModel, Ram};
use rtl_gen::hdl::{Kind, Printed};
use std::collections::BTreeMap;
use std::fmt::Write;

pub use rtl_gen::blocks::prim::REGISTER_WORDS;

/// The assumptions about memories of a library without macros.
///
/// 17.4 um² a bit is the dual-port 2 KiB macro that OpenRAM compiled for the 130 nm SKY130 process
/// (`sky130_sram_2kbyte_1rw1r_32x512_8`, 683.1 um by 416.54 um for 16,384 bits); a process of another size scales it by the
/// square. Energy, leakage and delays are those of IHP's 130 nm `RM_IHPSG13_1P_1024x64` at its typical corner, divided by its bits.
pub const DEFAULT_BITS: Bits =
    Bits { um2_per_bit: 17.4, pj_per_bit: 1.6, nw_per_bit: 0.0121, clk_to_q_ns: 4.4, setup_ns: 0.2 };

/// How memories are built.
#[derive(Clone, Debug)]
pub enum Model {
    Macros(Vec<Memory>),
    Bits(Bits),
}

/// One kind of memory and what it costs.
#[derive(Clone, Debug)]
pub struct Plan {
    pub ram: Ram,
    pub clk_to_q_ns: f64,
    pub setup_ns: f64,
}

/// Memories that are cut out of a design: bits and words by module name.
pub type Cut = BTreeMap<String, (usize, usize)>;

/// The memories of `printed` that are cut out.
///
/// # Errors
/// A design that was printed with parameters, in which one module is memories of many sizes.
pub fn cut(printed: &Printed) -> Result<Cut, Error> {
    if printed.kinds.is_empty() {
        return Err(Error::Rtl("its modules have parameters; expected it printed with print_specialised".into()));
    }
    let deep = printed.kinds.iter().filter_map(|(module, kind)| match *kind {
        Kind::Memory { bits, words } if words > REGISTER_WORDS => Some((module.clone(), (bits, words))),
        _ => None,
    });
    Ok(deep.collect())
}

impl Model {
    /// Macros where the libraries have some.
    pub fn of(cells: &Cells, bits: Bits) -> Model {
        match cells.memories.is_empty() {
            true => Model::Bits(bits),
            false => Model::Macros(cells.memories.clone()),
        }
    }

    /// The model in words, for records and pages.
    pub fn words(&self) -> MemoryModel {
        match self {
            Model::Macros(_) => MemoryModel {
                kind: "macros".into(),
                text: "each memory with one read and one write port is two single-port macros a tile and one bit a word that tells \
                       which of the two holds it: exact and without a wait, at twice the macros. The look-up of that bit and the \
                       multiplexer behind the macros are in the area and not in the timing."
                    .into(),
                parameters: None,
            },
            Model::Bits(b) => MemoryModel {
                kind: "bits".into(),
                text: format!(
                    "the library has no memories: {} um2, {} pJ an access and {} nW a bit, {} ns from clock to data, {} ns setup, all assumed",
                    b.um2_per_bit, b.pj_per_bit, b.nw_per_bit, b.clk_to_q_ns, b.setup_ns
                ),
                parameters: Some(b.clone()),
            },
        }
    }

    /// How a memory of `words` words of `bits` bits is built: the tiling with the smallest area.
    pub fn plan(&self, module: &str, bits: usize, words: usize, cells: &Cells) -> Plan {
        let n = (bits * words) as f64;
        match self {
            Model::Bits(b) => Plan {
                ram: Ram {
                    module: module.into(),
                    bits,
                    words,
                    instances: 0,
                    area_um2: n * b.um2_per_bit,
                    leakage_w: n * b.nw_per_bit * 1e-9,
                    read_j: bits as f64 * b.pj_per_bit * 1e-12,
                    write_j: bits as f64 * b.pj_per_bit * 1e-12,
                    built_of: "bits".into(),
                    macros: 0,
                    capacity_used: 1.0,
                },
                clk_to_q_ns: b.clk_to_q_ns,
                setup_ns: b.setup_ns,
            },
            Model::Macros(memories) => {
                let tiles = |m: &Memory| (words.div_ceil(m.words), bits.div_ceil(m.bits));
                let area = |m: &Memory| {
                    let (rows, columns) = tiles(m);
                    2.0 * (rows * columns) as f64 * m.area_um2
                };
                let m = memories.iter().min_by(|a, b| area(a).total_cmp(&area(b))).unwrap_or(&memories[0]);
                let (rows, columns) = tiles(m);
                let n_macros = 2 * rows * columns;
                Plan {
                    ram: Ram {
                        module: module.into(),
                        bits,
                        words,
                        instances: 0,
                        area_um2: area(m) + words as f64 * (cells.flip_flop_um2 + 3.0 * cells.nand2_um2),
                        leakage_w: n_macros as f64 * m.leakage_w,
                        read_j: columns as f64 * m.read_j,
                        write_j: columns as f64 * m.write_j,
                        built_of: m.cell.clone(),
                        macros: n_macros,
                        capacity_used: n / (n_macros * m.words * m.bits) as f64,
                    },
                    clk_to_q_ns: m.clk_to_q_ns,
                    setup_ns: m.setup_ns,
                }
            }
        }
    }
}

/// The planned memories as a Liberty library.
pub fn liberty(plans: &[Plan], cells: &Cells) -> String {
    let mut s = String::from(
        "library (anser_memories) {\n  delay_model : table_lookup;\n  time_unit : \"1ns\";\n  voltage_unit : \"1V\";\n  current_unit : \"1mA\";\n  \
         capacitive_load_unit (1,pf);\n  pulling_resistance_unit : \"1kohm\";\n  leakage_power_unit : \"1nW\";\n  default_max_transition : 10.0;\n",
    );
    let c = &cells.corner;
    let _ = writeln!(
        s,
        "  nom_voltage : {};\n  nom_temperature : {};\n  nom_process : {};",
        c.voltage_v, c.temperature_c, c.process
    );
    for edge in ["rise", "fall"] {
        let _ = writeln!(s, "  input_threshold_pct_{edge} : 50;\n  output_threshold_pct_{edge} : 50;\n  slew_lower_threshold_pct_{edge} : 20;\n  slew_upper_threshold_pct_{edge} : 80;");
    }
    let mut widths: Vec<usize> =
        plans.iter().flat_map(|p| [p.ram.bits, rtl_gen::hdl::index_bits(p.ram.words)]).collect();
    widths.sort_unstable();
    widths.dedup();
    for w in widths {
        let _ = writeln!(s, "  type (bus{w}) {{ base_type : array; data_type : bit; bit_width : {w}; bit_from : {}; bit_to : 0; downto : true; }}", w - 1);
    }
    for plan in plans {
        cell(&mut s, plan, cells);
    }
    s + "}\n"
}

fn cell(s: &mut String, plan: &Plan, cells: &Cells) {
    let r = &plan.ram;
    let address = rtl_gen::hdl::index_bits(r.words);
    let pf = cells.buffer_pf();
    let setup = ["rise", "fall"].map(|e| format!("{e}_constraint (scalar) {{ values (\"{:.4}\"); }}", plan.setup_ns));
    let setup = format!("timing () {{ related_pin : \"clk_i\"; timing_type : setup_rising; {} }}", setup.join(" "));
    let _ = writeln!(
        s,
        "  cell ({}) {{\n    area : {:.3};\n    cell_leakage_power : {:.4};\n    memory () {{ type : ram; address_width : {address}; word_width : {}; }}\n    \
         pin (clk_i) {{ direction : input; clock : true; capacitance : {pf:.6};",
        r.module,
        r.area_um2,
        r.leakage_w * 1e9,
        r.bits
    );
    // all of an access at the rising edge; an access of both ports is the sum, so conditions stay exact if independent
    for (when, joules) in
        [("we_i & !re_i", r.write_j), ("!we_i & re_i", r.read_j), ("we_i & re_i", r.write_j + r.read_j)]
    {
        let _ = writeln!(s, "      internal_power () {{ when : \"{when}\"; rise_power (scalar) {{ values (\"{:.6}\"); }} fall_power (scalar) {{ values (\"0\"); }} }}", joules * 1e12);
    }
    s.push_str("    }\n");
    for pin in ["we_i", "re_i"] {
        let _ = writeln!(s, "    pin ({pin}) {{ direction : input; capacitance : {pf:.6}; {setup} }}");
    }
    for (bus, width) in [("waddr_i", address), ("raddr_i", address), ("wdata_i", r.bits)] {
        let _ = writeln!(
            s,
            "    bus ({bus}) {{ bus_type : bus{width}; direction : input; capacitance : {pf:.6}; {setup} }}"
        );
    }
    let delays: String = ["rise", "fall"]
        .map(|e| {
            format!(
                "cell_{e} (scalar) {{ values (\"{:.4}\"); }} {e}_transition (scalar) {{ values (\"0.1\"); }} ",
                plan.clk_to_q_ns
            )
        })
        .concat();
    let _ = writeln!(s, "    bus (rdata_o) {{ bus_type : bus{}; direction : output; timing () {{ related_pin : \"clk_i\"; timing_type : rising_edge; {delays}}} }}\n  }}", r.bits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_deep_memories_are_cut() {
        let memory = |name: &str, bits, words| (name.to_string(), Kind::Memory { bits, words });
        let kinds = [
            memory("deep", 27, 4096),
            memory("small", 544, REGISTER_WORDS),
            ("ram_1w1r_9_64".to_string(), Kind::Logic),
        ];
        let printed = Printed { kinds: kinds.into(), ..Printed::default() };
        assert_eq!(cut(&printed).unwrap(), Cut::from([("deep".to_string(), (27, 4096))]));
        assert!(cut(&Printed::default()).is_err_and(|e| e.to_string().contains("print_specialised")));
    }
}
