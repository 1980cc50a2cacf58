//! Static timing by OpenSTA: constraints out, worst paths back, in words of the RTL.

use crate::folder::Folder;
use crate::library::Cells;
use crate::netlist::Netlist;
use crate::tools::Program;
use crate::Error;
use records::asic::{Path, Stage, Timing};
use std::fmt::Write as _;
use std::process::Command;

/// Part of the cache key; raised when constraints or the reading of paths change.
pub const VERSION: &str = "1";

/// Paths with different ends that are asked for.
const PATHS: usize = 40;

/// The clock and the loads behind the ports as SDC: ports are loaded like inner nets.
pub fn clock(cells: &Cells, clock_mhz: f64) -> String {
    let (period, load) = (1e3 / clock_mhz, 4.0 * cells.buffer_pf());
    format!("create_clock -name clk -period {period:.4} [get_ports clk_i]\nset_load {load:.6} [all_outputs]\n")
}

/// The constraints of timing as SDC: one ideal clock, reset not timed, ports driven and loaded like inner nets.
pub fn sdc(cells: &Cells, clock_mhz: f64) -> String {
    let clock = clock(cells, clock_mhz);
    let buffer = &cells.buffer.cell;
    format!("{clock}set_false_path -from [get_ports *rst_ni]\nset_driving_cell -lib_cell {buffer} [all_inputs]\n")
}

/// Times `netlist` in `work`, which gets the libraries as files.
pub fn analyse(
    netlist: &Netlist,
    cells: &Cells,
    memories: &str,
    clock_mhz: f64,
    sta: &Program,
    work: &Folder,
) -> Result<Timing, Error> {
    let mut script = String::new();
    for (name, text) in &cells.texts {
        work.write(name, text)?;
        let _ = writeln!(script, "read_liberty {name}");
    }
    work.write("memories.lib", memories)?;
    work.write("netlist.v", &netlist.verilog())?;
    let _ = write!(
        script,
        "read_liberty memories.lib\nread_verilog netlist.v\nlink_design {}\n{}\
         group_path -name registers -from [all_registers -clock_pins] -to [all_registers -data_pins]\n\
         report_checks -path_delay max -path_group registers -group_count {PATHS} -unique_paths_to_endpoint -format full_clock -digits 4\nexit\n",
        netlist.top,
        sdc(cells, clock_mhz)
    );
    work.write("sta.tcl", &script)?;
    let out = Command::new(&sta.path).current_dir(work.path()).args(["-no_splash", "-exit", "sta.tcl"]).output();
    let out = out.map_err(Error::io(&sta.path))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    // an error inside the script does not change the exit status of every version
    let errors: Vec<&str> = said.lines().filter(|l| l.contains("Error") || l.contains("not found")).take(8).collect();
    if !out.status.success() || !errors.is_empty() {
        return Err(Error::Timing { said: errors.join("\n") });
    }
    let mut paths = parse(&said, netlist, 1e3 / clock_mhz)?;
    paths.sort_by(|a, b| a.slack_ns.total_cmp(&b.slack_ns));
    let Some(worst) = paths.first() else {
        let found = said.lines().rev().take(4).collect::<Vec<_>>().join(" | ");
        return Err(Error::Unreadable { what: "OpenSTA", found: format!("no path: {found}") });
    };
    Ok(Timing { fmax_mhz: 1e3 / worst.period_ns, slack_ns: worst.slack_ns, paths })
}

/// One line of a path: nanoseconds of this step, the pin, its cell.
struct Step<'a> {
    delay: f64,
    pin: &'a str,
    cell: &'a str,
}

fn parse(text: &str, netlist: &Netlist, period: f64) -> Result<Vec<Path>, Error> {
    let mut paths = vec![];
    for part in text.split("Startpoint: ").skip(1) {
        let slack = part
            .lines()
            .find_map(|l| l.trim().strip_suffix("slack (MET)").or(l.trim().strip_suffix("slack (VIOLATED)")));
        let unreadable = |found: &str| Error::Unreadable { what: "OpenSTA", found: found.into() };
        let slack: f64 =
            slack.and_then(|s| s.trim().parse().ok()).ok_or_else(|| unreadable("a path without a slack"))?;
        let (launch, capture) =
            part.split_once("data arrival time").ok_or_else(|| unreadable("a path without an arrival"))?;
        let steps: Vec<Step> = launch.lines().filter_map(step).collect();
        let setup = capture.lines().find(|l| l.contains("library setup time"));
        let setup = setup.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0);
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Err(unreadable("an empty path")) };
        let (start, start_module) = place(first.pin, netlist);
        let (end, end_module) = place(last.pin, netlist);
        let mut path = Path {
            slack_ns: slack,
            period_ns: period - slack,
            start,
            start_module,
            end,
            end_module,
            setup_ns: -setup,
            ..Path::default()
        };
        // the last step is the data pin of the end
        for step in &steps[..steps.len() - 1] {
            let (instance, module) = holder(step.pin, netlist);
            let is_new = path.stages.last().is_none_or(|s| s.instance != instance);
            if is_new {
                path.stages.push(Stage { module, instance, ..Stage::default() });
            }
            if let Some(stage) = path.stages.last_mut() {
                stage.delay_ns += step.delay;
                // the first step of a path is the clock pin, which is no cell on the way
                let counts = !std::ptr::eq(step, first);
                stage.n_cells += usize::from(counts);
                stage.buffers += usize::from(counts && is_driver(step.cell));
                path.n_cells += usize::from(counts);
            }
        }
        paths.push(path);
    }
    Ok(paths)
}

fn is_driver(cell: &str) -> bool {
    let c = cell.to_ascii_lowercase();
    c.contains("buf") || c.contains("inv")
}

/// `0.1475   0.3804 ^ u_core/u_dma/g12/Y (nand2)`
fn step(line: &str) -> Option<Step<'_>> {
    let mut words = line.split_whitespace();
    let delay = words.next()?.parse().ok()?;
    words.next()?.parse::<f64>().ok()?;
    matches!(words.next()?, "^" | "v").then_some(())?;
    let pin = words.next()?;
    let cell = words.next()?.strip_prefix('(')?.strip_suffix(')')?;
    Some(Step { delay, pin, cell })
}

/// The RTL instance a pin is in, and its module.
fn holder(pin: &str, netlist: &Netlist) -> (String, String) {
    let parts: Vec<&str> = pin.split('/').collect();
    let mut module = netlist.top.as_str();
    let mut path = vec![];
    for part in &parts[..parts.len().saturating_sub(2)] {
        let child = netlist.modules.get(module).and_then(|m| m.cells.iter().find(|c| c.name == *part));
        let Some(child) = child else { break };
        module = &child.kind;
        path.push(part.trim_start_matches("u_"));
    }
    (if path.is_empty() { "top".into() } else { path.join(".") }, module.to_string())
}

/// Where a path starts or ends: the register (or memory port) and the module it is in.
fn place(pin: &str, netlist: &Netlist) -> (String, String) {
    let (instance, module) = holder(pin, netlist);
    let parts: Vec<&str> = pin.split('/').collect();
    let cell = parts.len().checked_sub(2).map_or("", |i| parts[i]);
    let is_memory = netlist
        .modules
        .get(&module)
        .is_some_and(|m| m.cells.iter().any(|c| c.name == cell && netlist.memories.contains_key(&c.kind)));
    let pin = parts.last().copied().unwrap_or("");
    let name = if is_memory { format!("{}/{pin}", cell.trim_start_matches("u_")) } else { cell.to_string() };
    (format!("{instance}.{name}"), module)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Startpoint: u_a/x_q_reg_0 (rising edge-triggered flip-flop clocked by clk)\n\
        Endpoint: y_q_reg (rising edge-triggered flip-flop clocked by clk)\nPath Group: registers\nPath Type: max\n\n\
        \x20  Delay     Time   Description\n---\n  0.0000   0.0000   clock clk (rise edge)\n  0.0000   0.0000   clock network delay (ideal)\n\
        \x20 0.0000   0.0000 ^ u_a/x_q_reg_0/CLK (dff)\n  0.2000   0.2000 v u_a/x_q_reg_0/Q (dff)\n  0.3000   0.5000 ^ u_a/g1/Y (inv)\n\
        \x20 0.4000   0.9000 v g7/Y (nand2)\n  0.0000   0.9000 v y_q_reg/D (dff)\n           0.9000   data arrival time\n\n\
        \x20 5.0000   5.0000   clock clk (rise edge)\n -0.1000   4.9000   library setup time\n           4.9000   data required time\n---\n\
        \x20          4.0000   slack (MET)\n";

    #[test]
    fn a_path_is_told_in_words_of_the_rtl() {
        use crate::netlist::{Cell, Module};
        let cell = |name: &str, kind: &str| Cell { name: name.into(), kind: kind.into(), pins: vec![] };
        let top =
            Module { name: "t".into(), cells: vec![cell("u_a", "leaf"), cell("g7", "nand2")], ..Module::default() };
        let leaf = Module { name: "leaf".into(), ..Module::default() };
        let modules = [("t".to_string(), top), ("leaf".to_string(), leaf)].into();
        let paths = parse(TEXT, &Netlist { top: "t".into(), modules, ..Netlist::default() }, 5.0).expect("one path");
        let p = &paths[0];
        assert_eq!((p.start.as_str(), p.start_module.as_str(), p.end.as_str()), ("a.x_q_reg_0", "leaf", "top.y_q_reg"));
        assert!((p.period_ns - 1.0).abs() < 1e-9 && (p.setup_ns - 0.1).abs() < 1e-9 && p.n_cells == 3);
        let stages: Vec<_> = p.stages.iter().map(|s| (s.module.as_str(), s.n_cells, s.buffers)).collect();
        assert_eq!(stages, [("leaf", 2, 1), ("t", 1, 0)]);
        assert!((p.stages[0].delay_ns - 0.5).abs() < 1e-9);
    }
}
