//! Clock and port delays for synthesis and timing, as SDC and as XDC.

use super::ports::Ports;
use super::{Design, File, Kind};
use crate::hdl::{Dir, Port};
use crate::notice::notice;
use std::fmt::Write as _;

/// Share of a clock cycle that is taken outside of the chip, before an input or after an output. Every input of a bus ends in logic before
/// its first register and every output comes from logic behind its last one, so a cycle is shared by both sides.
const OUTSIDE: f64 = 0.4;

/// `constraints.sdc` and `constraints.xdc`.
pub fn files(design: &Design, ports: &Ports) -> [File; 2] {
    [
        File::new(
            "constraints.sdc",
            Kind::Constraints,
            text(design, ports, ""),
            "clock and port delays for ASIC tools and FPGA tools that read SDC",
            "read_sdc constraints.sdc",
        ),
        File::new(
            "constraints.xdc",
            Kind::Constraints,
            text(design, ports, XDC),
            "the same for Vivado, for the chip on its own",
            "read_xdc -mode out_of_context constraints.xdc",
        ),
    ]
}

const XDC: &str =
    "# For synthesis of the chip on its own (out of context): in a block design the system gives clock and delays.\n";

fn text(design: &Design, ports: &Ports, more: &str) -> String {
    let mut s = notice("#");
    let period = 1000.0 / f64::from(design.config.clock_mhz);
    let clock = &ports.clock.name;
    let _ = write!(
        s,
        "#\n# Constraints of {}: configuration {} at {} MHz. Times are in ns.\n{more}\n\
         set clock_period {period:.3}\n\
         # The share of a cycle that the system takes before an input and after an output.\n\
         set outside {OUTSIDE}\n\
         set port_delay [expr $clock_period * $outside]\n\n\
         create_clock -name {clock} -period $clock_period [get_ports {clock}]\n",
        design.printed.top, design.config.name, design.config.clock_mhz
    );
    let (bus, own): (Vec<&Port>, Vec<&Port>) = ports.resets.iter().partition(|r| Some(*r) == ports.bus_reset());
    let groups = [
        ("The reset of the bus: asserted at any time, released with the clock by the system".to_string(), bus),
        ("The reset of the chip: at any time, because the chip brings it to its clock".to_string(), own.clone()),
        ("Interrupts".to_string(), ports.interrupts.iter().collect()),
    ];
    let buses = ports.buses.iter().map(|b| (format!("The bus {}", b.name), b.ports.iter().collect()));
    for (title, list) in groups.into_iter().chain(buses) {
        let lines = list.iter().map(|p| delay(p, clock)).collect::<String>();
        if !lines.is_empty() {
            let _ = write!(s, "\n# {title}.\n{lines}");
        }
        for reset in list.iter().filter(|p| own.contains(p)) {
            let _ = writeln!(s, "set_false_path -from [get_ports {}]", reset.name);
        }
    }
    s
}

fn delay(port: &Port, clock: &str) -> String {
    let side = if port.dir == Dir::In { "input" } else { "output" };
    // a port of several bits is named with an asterisk, which all tools take for its bits
    let name = if port.bits > 1 { format!("{{{}[*]}}", port.name) } else { port.name.clone() };
    format!("set_{side}_delay -clock {clock} $port_delay [get_ports {name}]\n")
}
