//! From printed RTL to one independent piece of RTLIL a module.
//!
//! Yosys reads everything, melts modules without a clock into their parents, cuts memories out and carries constants and
//! open outputs through the hierarchy (the trace ports of the core go here). Every module with a clock stays a module:
//! area by block is then exact, a lane is mapped once however often it stands in the design, and a change maps one module.
//!
//! The numbers Yosys gives to nameless things count through the whole design. Each piece gets numbers of its own, so that its
//! text is the same as long as the module is, and its hash is the key of what it is mapped to.

use crate::folder::Folder;
use crate::memory::Cut;
use crate::tools::Program;
use crate::Error;
use rtl_gen::hdl::Printed;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::process::Command;

/// How deep constants travel; more than the hierarchy is.
const ROUNDS: usize = 5;

/// One module before mapping.
#[derive(Clone, Debug)]
pub struct Piece {
    /// RTLIL of the module
    pub text: String,
    /// RTLIL of its ports alone, for those who contain it
    pub stub: String,
    pub children: BTreeSet<String>,
}

/// Modules without a clock, which have no existence of their own after this.
fn is_melted(text: &str) -> bool {
    !text.contains(" clk_i")
}

/// Splits `printed` into pieces, without the memories `cut`.
pub fn split(printed: &Printed, cut: &Cut, yosys: &Program, work: &Folder) -> Result<BTreeMap<String, Piece>, Error> {
    let mut script = String::new();
    for (file, text) in &printed.files {
        work.write(file, text)?;
        let _ = writeln!(script, "read_verilog -sv {file}");
    }
    let _ = writeln!(script, "hierarchy -check -top {}\nproc", printed.top);
    for (file, text) in &printed.files {
        let module = file.trim_end_matches(".sv");
        if cut.contains_key(module) {
            let _ = writeln!(script, "blackbox {module}");
        } else if !is_melted(text) {
            let _ = writeln!(script, "setattr -mod -set keep_hierarchy 1 {module}");
        }
    }
    script += "flatten\n";
    for _ in 0..ROUNDS {
        script += "opt_hier\nopt_clean\nopt -full\n";
    }
    script += "check\nwrite_rtlil front.il\n";
    run(yosys, &script, work, &printed.top)?;
    let path = work.path().join("front.il");
    let text = std::fs::read_to_string(&path).map_err(Error::io(path))?;
    Ok(pieces(&text))
}

/// Runs a script in `work`; the error holds the last lines Yosys said about `module`.
pub(crate) fn run(yosys: &Program, script: &str, work: &Folder, module: &str) -> Result<(), Error> {
    work.write("script.ys", script)?;
    let out = Command::new(&yosys.path).current_dir(work.path()).args(["-q", "script.ys"]).output();
    let out = out.map_err(Error::io(&yosys.path))?;
    if out.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let said = lines[lines.len().saturating_sub(12)..].join("\n");
    Err(Error::Yosys { module: module.into(), said })
}

fn pieces(text: &str) -> BTreeMap<String, Piece> {
    let mut pieces = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("module \\") else { continue };
        let mut body = vec![line];
        body.extend(lines.by_ref().take_while(|l| *l != "end"));
        let kept = body.iter().filter(|l| !l.trim_start().starts_with("attribute \\src"));
        let whole: String = kept.flat_map(|l| [*l, "\n"]).collect::<String>() + "end\n";
        let is_port = |l: &&&str| {
            l.starts_with("  wire ") && (l.contains(" input ") || l.contains(" output ") || l.contains(" inout "))
        };
        let ports: String = body.iter().filter(is_port).flat_map(|l| [*l, "\n"]).collect();
        let stub = format!("attribute \\blackbox 1\nmodule \\{name}\n{ports}end\n");
        let children = body.iter().filter_map(|l| l.strip_prefix("  cell \\")?.split(' ').next());
        let children = children.map(String::from).collect();
        pieces.insert(name.to_string(), Piece { text: renumbered(&whole), stub, children });
    }
    pieces
}

/// Numbers after a `$` inside a name, counted anew in the order they appear.
fn renumbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut new: HashMap<&str, usize> = HashMap::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let inside = before.chars().next_back().is_some_and(|c| !c.is_whitespace());
        let digits = after[1..].find(|c: char| !c.is_ascii_digit()).map_or(after.len(), |n| n + 1);
        out.push('$');
        if inside && digits > 1 {
            let next = new.len() + 1;
            let _ = write!(out, "{}", new.entry(&after[1..digits]).or_insert(next));
        } else {
            out.push_str(&after[1..digits]);
        }
        rest = &after[digits..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_does_not_depend_on_the_numbers_of_others() {
        let module = |n: usize| {
            format!("autoidx {n}\nattribute \\src \"a.sv:1\"\nmodule \\m\n  attribute \\src \"x\"\n  wire width 2 input 1 \\a\n  \
                     cell $add $add$a.sv:3${n}\n    connect \\Y $0\\q[1:0]\n  end\n  cell \\kid \\u_kid\n  end\n  cell $and $and${n}_Y${}\n  end\nend\n", n + 7)
        };
        let (a, b) = (pieces(&module(12)), pieces(&module(345)));
        assert_eq!(a["m"].text, b["m"].text);
        assert!(a["m"].text.contains("$0\\q[1:0]") && !a["m"].text.contains("src"));
        assert_eq!(a["m"].children.iter().collect::<Vec<_>>(), ["kid"]);
        assert_eq!(a["m"].stub, "attribute \\blackbox 1\nmodule \\m\n  wire width 2 input 1 \\a\nend\n");
    }
}
