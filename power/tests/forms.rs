//! Legal forms of every file: each is read with the same watts as the plain form, or refused by name.

use power::{analyse, ActivitySource, Inputs, Report};
use std::path::PathBuf;

const NETLIST: &str = "module top (a, y);\n  input a;\n  output y;\n  INV u (.A(a), .Y(y));\nendmodule\n";

const LIBRARY: &str = r#"library (forms) {
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW"; capacitive_load_unit (1, pf);
  nom_voltage : 1.0; nom_temperature : 25; nom_process : 1;
  cell (INV) {
    leakage_power () { when : "A"; value : 100; }
    leakage_power () { when : "!A"; value : 1; }
    pin (A) { direction : input; capacitance : 0.01; }
    pin (Y) { direction : output; function : "!A"; internal_power () { related_pin : "A"; power (scalar) { values ("1"); } } }
  }
  cell (AND) {
    leakage_power () { when : "B"; value : 50; }
    leakage_power () { when : "!B"; value : 5; }
    pin (A) { direction : input; capacitance : 0.01; }
    pin (B) { direction : input; capacitance : 0.01; }
    pin (Y) { direction : output; function : "A B"; internal_power () { related_pin : "A"; power (scalar) { values ("1"); } } }
  }
}
"#;

const HEADER: &str = "$timescale 1ns $end\n$scope module top $end\n$var wire 1 ! a $end\n$var wire 1 \" y $end\n$upscope $end\n$enddefinitions $end\n";
const CHANGES: &str = "#0\n0!\n1\"\n#10\n1!\n0\"\n#20\n0!\n1\"\n#100\n";

/// The files of one analysis, in a folder of their own.
struct Files {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().expect("temporary folder");
        let inputs = Inputs {
            netlist: PathBuf::new(),
            top: None,
            libraries: vec![],
            sdc: None,
            spef: None,
            activity: ActivitySource::Vcd(PathBuf::new()),
            scope: "top".into(),
        };
        let mut files = Files { folder, inputs };
        files.inputs.libraries = vec![files.write("cells.lib", LIBRARY)];
        files.netlist(NETLIST).vcd(&[HEADER, CHANGES].concat());
        files
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn netlist(&mut self, text: &str) -> &mut Files {
        self.inputs.netlist = self.write("n.v", text);
        self
    }

    fn vcd(&mut self, text: &str) -> &mut Files {
        self.inputs.activity = ActivitySource::Vcd(self.write("r.vcd", text));
        self
    }

    fn scope(&mut self, scope: &str) -> &mut Files {
        self.inputs.scope = scope.into();
        self
    }

    fn report(&self) -> Report {
        analyse(&self.inputs).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The message, without the folder of the files.
    fn refused(&self) -> String {
        let message = analyse(&self.inputs).expect_err("this is refused").to_string();
        message.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// Compares the watts of two analyses, by cause.
fn same(what: &str, got: &Report, want: &Report) {
    let (g, w) = (&got.power.groups.total, &want.power.groups.total);
    for (cause, got, want) in [
        ("internal", g.internal, w.internal),
        ("switching", g.switching, w.switching),
        ("leakage", g.leakage, w.leakage),
    ] {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "{what}: {cause} {got:e} W instead of {want:e} W");
    }
    assert!(w.internal > 0.0 && w.leakage > 0.0);
}

fn has_note(report: &Report, part: &str) {
    assert!(report.power.notes.iter().any(|n| n.contains(part)), "{part}: {:?}", report.power.notes);
}

/// 100 ns with two transitions each: 1 pJ a transition; the input is high for a tenth of the time.
#[test]
fn the_plain_form_has_the_watts_of_its_sums() {
    let total = Files::new().report().power.groups.total;
    assert!(
        (total.internal - 2e-12 / 100e-9).abs() < 1e-18
            && (total.leakage - (0.1 * 100.0 + 0.9 * 1.0) * 1e-9).abs() < 1e-18
    );
}

#[test]
fn only_the_recorded_time_counts() {
    let plain = Files::new().report();
    let off = "$dumpoff\nx!\nx\"\n$end\n";
    for (what, text) in [
        ("off at the end", [HEADER, CHANGES, off].concat()),
        ("off for a while", [HEADER, CHANGES, off, "#10000\n$dumpon\n0!\n1\"\n$end\n"].concat()),
        ("off, on with other values", [HEADER, CHANGES, off, "#10000\n$dumpon\n1!\n0\"\n$end\n"].concat()),
        ("off to the end", [HEADER, CHANGES, off, "#10000\n"].concat()),
        (
            "off at first",
            [HEADER, "#0\n", off, "#500\n$dumpon\n0!\n1\"\n$end\n#510\n1!\n0\"\n#520\n0!\n1\"\n#600\n"].concat(),
        ),
        (
            "values before the time",
            [HEADER, "$dumpvars\n0!\n1\"\n$end\n#0\n#10\n1!\n0\"\n#20\n0!\n1\"\n#100\n"].concat(),
        ),
        (
            "values before a late time",
            [HEADER, "$dumpall\n0!\n1\"\n$end\n#7000\n#7010\n1!\n0\"\n#7020\n0!\n1\"\n#7100\n"].concat(),
        ),
        (
            "a late beginning",
            [HEADER, "#0\n#7000\n$dumpvars\n0!\n1\"\n$end\n#7010\n1!\n0\"\n#7020\n0!\n1\"\n#7100"].concat(),
        ),
        ("times cut off", [HEADER, CHANGES, "#1"].concat()),
        ("Windows", [HEADER, CHANGES].concat().replace('\n', "\r\n")),
    ] {
        same(what, &Files::new().vcd(&text).report(), &plain);
    }
    let cut = [HEADER, CHANGES, off, "#10000\n$dumpon\n0!\n1\"\n$end\n"].concat();
    has_note(&Files::new().vcd(&cut).report(), "was off for 9.900e-6 s");
}

#[test]
fn what_stands_beside_the_chip_is_passed_over() {
    let plain = Files::new().report();
    for foreign in [
        "$scope struct s $end $var logic 7 z l $end $upscope $end",
        "$scope interface i $end $upscope $end",
        "$scope module $end $var wire 1 ! q $end $upscope $end",
        "$var logic 1 z l $end $var real 64 r r $end $var wire 1 w $end",
        "$attrbegin misc 02 x 1 $end $attrend $end",
        "$version several\nwords $end",
    ] {
        let text = [HEADER, CHANGES].concat().replacen('\n', &format!("\n{foreign}\n"), 1);
        same(foreign, &Files::new().vcd(&text).report(), &plain);
        let inside = [HEADER, "#0\nr1.5 r\nsword s\nbx z\n1w\n", CHANGES].concat().replacen(
            "$upscope",
            &format!("{foreign}\n$upscope"),
            1,
        );
        same(foreign, &Files::new().vcd(&inside).report(), &plain);
    }
}

#[test]
fn every_scope_can_be_named() {
    let plain = Files::new().report();
    let nested = |scopes: &[&str]| {
        let open: String = scopes.iter().map(|s| format!("$scope module {s} $end\n")).collect();
        [HEADER, CHANGES].concat().replacen("$scope module top $end\n", &open, 1).replacen(
            "$upscope $end",
            &"$upscope $end ".repeat(scopes.len()),
            1,
        )
    };
    for (scopes, named) in [
        (&["t", "u"][..], "t.u"),
        (&["t", "u"], "t/u"),
        (&["t", "u.v"], "t.u.v"),
        (&["t", "u.v"], "t.\\u.v"),
        (&["t", "\\u/v[3]"], "t/u/v[3]"),
        (&["g[0]", "\\u[1]"], "g[0].u[1]"),
    ] {
        same(named, &Files::new().vcd(&nested(scopes)).scope(named).report(), &plain);
    }
    // u.v in t beside v in u in t: the second is still
    let both = nested(&["t", "\\u.v"]).replacen("$enddefinitions", "$scope module t $end $scope module u $end $scope module v $end $var wire 1 z a $end $upscope $end $upscope $end $upscope $end\n$enddefinitions", 1);
    same("escaped", &Files::new().vcd(&both).scope("t.\\u.v").report(), &plain);
    assert!(Files::new().vcd(&both).scope("t.u.v").report().power.annotated < 1.0);
    let message = Files::new().vcd(&both).scope("t.u.w").refused();
    assert_eq!(message, "r.vcd: no scope t.u.w; the file has t, t.\\u.v, t.u, t.u.v");
    let several = nested(&["t", "\\u.v"]).replacen(
        "$enddefinitions",
        "$scope module \\t.u $end $scope module v $end $upscope $end $upscope $end\n$enddefinitions",
        1,
    );
    assert!(Files::new().vcd(&several).scope("t.u.v").refused().contains("2 scopes are called t.u.v"));
}

#[test]
fn errors_of_a_recording_name_its_line() {
    for (from, to, want) in [
        ("#10\n1!", "#10\nq!", "r.vcd:11: expected a value change, found `q!`"),
        ("#20", "#2", "r.vcd:13: expected a time of at least 10, found `#2`"),
        ("#20", "#2x", "r.vcd:13: expected a time, found `#2x`"),
        ("#10\n1!", "#10\nb12 !", "r.vcd:11: expected digits 0, 1, x or z, found `b12`"),
        ("#10\n1!", "#10\npD 6 6 !", "r.vcd:11: expected a four-state dump"),
        ("1ns", "1 light-year", "r.vcd:1: expected a time such as 1ns"),
        (
            "$end\n$enddefinitions",
            "\n$enddefinitions",
            "r.vcd:7: expected a value change dump: declarations up to $enddefinitions, found `#0`",
        ),
        ("$var wire 1 ! a", "$var wire one ! a", "r.vcd:3: expected a width of at most 1048576 bits"),
        ("$var wire 1 ! a", "$var wire 2 ! a [3:0]", "r.vcd:3: expected a range as wide as the variable"),
    ] {
        let text = [HEADER, CHANGES].concat();
        assert!(text.contains(from), "{from}");
        let message = Files::new().vcd(&text.replacen(from, to, 1)).refused();
        assert!(message.starts_with(want), "{message}\ninstead of\n{want}");
    }
}

#[test]
fn a_netlist_may_be_written_in_many_ways() {
    let plain = Files::new().report();
    for text in [
        // directives and attributes
        "`timescale 1ns/1ps\n`ifdef STRONG\nmodule top (a, y); nothing\n`else\nmodule top (a, y);\n`endif\ninput a; output y;\n(* keep *) INV u (.A(a), .Y(y)); endmodule",
        // a black box of the library's cell
        "(* blackbox *) module INV (A, Y); input A; output Y; endmodule\nmodule top (a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule",
        // pins by place, whose order a black box says
        "module INV (A, Y); input A; output Y; endmodule\nmodule top (a, y); input a; output y; INV u (a, y); endmodule",
        // ports by place, of a module
        "module inner (i, o); input i; output o; INV u (.A(i), .Y(o)); endmodule\nmodule top (input a, output y); inner x (a, y); endmodule",
        // ports that are concatenations, with and without a name, and parts
        "module inner ({i, o}, .p({q[1:0]})); input i; output o; inout [1:0] q; INV u (.A(i), .Y(o)); endmodule\nmodule top (input a, output y); inner x ({a, y}, ); endmodule",
        "module inner (.p({i, o[1]})); input i; output [1:0] o; INV u (.A(i), .Y(o[1])); endmodule\nmodule top (input a, output y); inner x (.p({a, y})); endmodule",
        // pins that are nets of the same name
        "module inner (a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule\nmodule top (input a, output y); inner x (.a, .y); endmodule",
        // parameters, which nothing uses
        "module inner #(parameter W = 1, parameter [3:0] V = {2{2'd1}}) (input i, output o); localparam X = 3; INV #(.P(2)) u (.A(i), .Y(o)); endmodule\nmodule top (input a, output y); inner #(.W(4)) x (.i(a), .o(y)); defparam x.W = 2; endmodule",
        // an unused module without contents, and one that is a cell
        "module top (a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule\nmodule spare (p); input p; endmodule\nmodule AND (A, B, Y); input A, B; output Y; endmodule",
    ] {
        same(text, &Files::new().netlist(text).report(), &plain);
    }
}

#[test]
fn constants_tie_the_low_bit() {
    let of = |b: &str| Files::new().netlist(&format!("module top (input a, output y); {b} endmodule")).report();
    let pin = |value: &str| of(&format!("AND u (.A(a), .B({value}), .Y(y));"));
    let (low, high) = (pin("1'b0"), pin("1'b1"));
    assert!(low.power.groups.total.leakage < high.power.groups.total.leakage);
    for value in ["1", "3", "'b1", "'h3", "'1", "1 'b 1", "1'sd1", "'d5"] {
        same(value, &pin(value), &high);
    }
    for value in ["0", "2", "'b0", "'0", "1'bx", "1'dz", "'hfe"] {
        same(value, &pin(value), &low);
    }
    for (text, want) in [
        ("supply1 [1:0] h; AND u (.A(a), .B(h[1]), .Y(y));", &high),
        ("supply0 [1:0] h; AND u (.A(a), .B(h[1]), .Y(y));", &low),
        ("supply1 h; wire w; assign w = h; AND u (.A(a), .B(w), .Y(y));", &high),
        ("wire [3:0] w = 8; AND u (.A(a), .B(w[3]), .Y(y));", &high),
        ("wire [3:0] w; assign w = '1; AND u (.A(a), .B(w[3]), .Y(y));", &high),
        ("wire [3:0] w; assign w = {2{2'b10}}; AND u (.A(a), .B(w[2]), .Y(y));", &low),
    ] {
        same(text, &of(text), want);
    }
}

#[test]
fn a_netlist_that_could_be_read_in_two_ways_is_refused() {
    for (text, want) in [
        (
            "module m (input a); INV u (.A(a)); INV u (.A(a)); endmodule",
            "n.v:1: expected each instance name once in a module, found `u`",
        ),
        ("module m (input a); INV u (.A(a), .A(a)); endmodule", "n.v:1: expected each pin once"),
        ("module m (input a, input a); endmodule", "n.v:1: expected each port once, not a again"),
        (
            "module m (input a); INV u (a); endmodule",
            "n.v:1: expected connections by name, since a library does not order the pins of INV",
        ),
        (
            "module m (input [1:0] a); INV u (.A(a[2])); endmodule",
            "n.v:1: expected a part of a, which is [1:0], found `a[2:2]`",
        ),
        ("module m (input a); INV u (.A(a[0])); endmodule", "n.v:1: expected a part of a, which is a single bit"),
        (
            "module m (input a); INV u (.A({1'b0, 1})); endmodule",
            "n.v:1: expected a constant with its width inside braces",
        ),
        (
            "module m #(parameter W = 1) (input a); INV u (.A(W)); endmodule",
            "n.v:1: expected a constant; this reader evaluates no parameter",
        ),
        (
            "module m (input a); INV u (.A(`HIGH)); endmodule",
            "n.v:1: expected a netlist without included files and macros",
        ),
        (
            "module INV (input A); AND u (.A(A)); endmodule module m (input a); INV u (.A(a)); endmodule",
            "n.v: INV is a module with contents and a cell of library forms",
        ),
        (
            "module m (input a); INV u (.A(a)); endmodule module n (input a); INV u (.A(a)); endmodule",
            "n.v: no module instantiates m, n; say which of them is the design (--top)",
        ),
        (
            "module m (input a); n u (.a(a)); endmodule module n (input a); m u (.a(a)); endmodule",
            "n.v: the netlist has no top module",
        ),
        ("module m (input a); INV u [1:0] (.A(a)); endmodule", "n.v:1: expected single instances"),
        ("module m (input a); tri1 t; endmodule", "n.v:1: expected a mapped netlist"),
        (
            "module m (input a); wire w; assign w = 1'b0; assign w = 1'b1; endmodule",
            "n.v:1: expected one constant for a net, found `0 and 1`",
        ),
        ("module m (input a); INV u (.*); endmodule", "n.v:1: expected a pin name"),
    ] {
        let message = Files::new().netlist(text).refused();
        assert!(message.starts_with(want), "{message}\ninstead of\n{want}");
    }
}

#[test]
fn the_top_can_be_chosen() {
    let spare = format!("{NETLIST}module spare (p, q); input p; output q; AND w (.A(p), .B(p), .Y(q)); endmodule\n");
    let mut files = Files::new();
    files.netlist(&spare).inputs.top = Some("top".into());
    same("--top", &files.report(), &Files::new().report());
    files.inputs.top = Some("chip".into());
    assert_eq!(files.refused(), "n.v: no module chip; the file has top, spare");
}

/// The bits of q, the net `q[0]`, the net `u.y` and the net y in u are four nets; all drive something else.
#[test]
fn an_escaped_name_is_not_a_bit_nor_a_level() {
    let text = "module inner (input a, output y); INV i (.A(a), .Y(y)); endmodule\n\
        module top (input a, output \\u.y , output \\q[0] , output [1:0] q); wire w; inner u (.a(a), .y(w));\n\
        INV i1 (.A(a), .Y(\\u.y )); INV i2 (.A(a), .Y(\\q[0] )); INV i3 (.A(a), .Y(q[0])); INV \\i4 (.A(w), .Y(q[1])); endmodule";
    let report = Files::new().netlist(text).report();
    let outputs = |name: &str| report.instances.iter().filter(|i| i.name == name).count();
    assert_eq!((report.power.n_instances, outputs("i4"), outputs("u.i")), (5, 1, 1));
    // a, u.y, w which is y in u, q[0] twice, q[1]
    assert_eq!(report.power.n_nets, 6);
    has_note(&report, "2 names are spelled like those of another net once escapes are gone (such as q[0])");
    let plain = "module top (input a, output q0); wire [0:0] q; INV i (.A(a), .Y(q[0])); INV \\j (.A(\\q0 ), .Y(q0)); endmodule";
    assert_eq!(Files::new().netlist(plain).report().power.n_nets, 3);
}

#[test]
fn modules_without_contents_are_counted() {
    let text = "module RAM (p); input p; endmodule\nmodule top (a, y); input a; output y; INV u (.A(a), .Y(y)); RAM r (.p(a)); TAP t (); endmodule";
    let report = Files::new().netlist(text).report();
    has_note(
        &report,
        "1 instances of modules without contents, which are in no library (such as r of RAM), count nothing",
    );
    has_note(&report, "1 instances without a signal are of cells in no library (such as t of TAP) and count nothing");
}

#[test]
fn what_grows_without_end_is_refused() {
    let mut text = String::new();
    for i in 0..40 {
        text += &format!("module m{i} (input a); m{n} x (.a(a)); m{n} y (.a(a)); endmodule\n", n = i + 1);
    }
    text += "module m40 (input a); INV i (.A(a)); endmodule\n";
    assert!(Files::new().netlist(&text).refused().contains("instances"), "doubled forty times");
    let wide = format!("module m (input a); INV i (.A({}a{})); endmodule", "{4096{".repeat(20), "}}".repeat(20));
    assert!(Files::new().netlist(&wide).refused().contains("at most 1048576 bits"));
}

#[test]
fn units_of_a_library_are_read_whatever_their_case() {
    let plain = Files::new().report();
    for (from, to) in [
        ("\"1V\"", "\"1v\""),
        ("\"1V\"", "\"1000mV\""),
        ("\"1nW\"", "\"1nw\""),
        ("\"1nW\"", "1e3pW"),
        ("\"1ns\"", "\"1NS\""),
        ("(1, pf)", "(1e0, pF)"),
        ("(1, pf)", "(1000.0, \"ff\")"),
    ] {
        let mut files = Files::new();
        files.inputs.libraries = vec![files.write("cells.lib", LIBRARY.replacen(from, to, 1))];
        same(to, &files.report(), &plain);
    }
    let mut files = Files::new();
    files.inputs.libraries = vec![files.write("cells.lib", LIBRARY.replacen("\"1V\"", "\"1 W\"", 1))];
    assert_eq!(files.refused(), "cells.lib:2: expected voltage_unit such as \"1nv\", found `1 W`");
}

/// The input is high for a tenth of the time; nanowatts.
#[test]
fn leakage_by_condition_and_by_supply_pin() {
    let pins = "pg_pin (VDD) { pg_type : primary_power; } pg_pin (VDL) { pg_type : backup_power; } pg_pin (VSS) { pg_type : primary_ground; }";
    let group = |when: &str, pin: &str, value: f64| {
        let when = if when.is_empty() { String::new() } else { format!("when : \"{when}\";") };
        let pin = if pin.is_empty() { String::new() } else { format!("related_pg_pin : {pin};") };
        format!("leakage_power () {{ {when} {pin} value : {value}; }} ")
    };
    for (what, groups, want) in [
        ("both conditions", [group("A", "", 100.0), group("!A", "", 1.0)].concat(), 10.9),
        ("one, the rest of the cell", group("A", "", 100.0) + "cell_leakage_power : 10;", 19.0),
        ("one, the rest unconditional", group("A", "", 100.0) + &group("", "", 20.0), 28.0),
        ("unconditional", group("", "", 20.0), 20.0),
        ("of the cell", "cell_leakage_power : 10;".into(), 10.0),
        (
            "supplies add, ground does not",
            [group("A", "VDD", 100.0), group("!A", "VDD", 1.0), group("", "VDL", 3.0), group("", "VSS", 9.0)].concat(),
            13.9,
        ),
        (
            "the cell's rest counts once",
            [group("A", "VDD", 100.0), group("A", "VDL", 50.0)].concat() + "cell_leakage_power : 10;",
            24.0,
        ),
        (
            "a supply's own rest",
            [group("A", "VDD", 100.0), group("", "VDD", 2.0), group("", "VDL", 3.0)].concat()
                + "cell_leakage_power : 10;",
            14.8,
        ),
        ("parts of a whole", [group("A", "", 100.0), group("!A", "", 1.0), group("", "VDD", 40.0)].concat(), 10.9),
    ] {
        let start = LIBRARY.find("    leakage_power").expect("groups");
        let end = LIBRARY.find("    pin (A)").expect("pins");
        let text = [&LIBRARY[..start], pins, &groups, &LIBRARY[end..]].concat();
        let mut files = Files::new();
        files.inputs.libraries = vec![files.write("cells.lib", text)];
        let got = files.report().power.groups.total.leakage * 1e9;
        assert!((got - want).abs() < 1e-9, "{what}: {got} nW instead of {want} nW");
    }
}

#[test]
fn corners_that_differ_are_named() {
    let mut files = Files::new();
    let hot =
        LIBRARY.replace("library (forms)", "library (hot)").replace("nom_temperature : 25", "nom_temperature : 125");
    let (first, second) = (files.inputs.libraries[0].clone(), files.write("hot.lib", hot));
    files.inputs.libraries = vec![first, second];
    has_note(
        &files.report(),
        "the libraries are of different corners: forms (process 1, 1 V, 25 °C), hot (process 1, 1 V, 125 °C)",
    );
}

/// A register that halves its clock, and a gate behind it.
const DIVIDER: &str =
    "module top (clk, en, y);\n  input clk, en;\n  output y;\n  wire h, d;\n  INV n (.A(h), .Y(d));\n\
    DFF r (.C(clk), .D(d), .Q(h));\n  AND g (.A(h), .B(en), .Y(y));\nendmodule\n";

fn divider(sdc: &str) -> Files {
    let register = r#"cell (DFF) {
    ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    cell_leakage_power : 1;
    pin (C) { direction : input; clock : true; capacitance : 0.01; }
    pin (D) { direction : input; capacitance : 0.01; }
    pin (Q) { direction : output; function : "IQ"; internal_power () { related_pin : "C"; power (scalar) { values ("1"); } } }
  }
  cell (INV)"#;
    let mut files = Files::new();
    files.netlist(DIVIDER).inputs.libraries =
        vec![files.write("cells.lib", LIBRARY.replacen("cell (INV)", register, 1))];
    let changes: String = (0..20).map(|i| format!("#{}\n{}!\n", i * 5, i % 2)).collect();
    files.vcd(
        &(HEADER.replace(" a $end", " clk $end").replace(" y $end", " other $end") + "1\"\n" + &changes + "#100\n"),
    );
    files.inputs.sdc = Some(files.write("c.sdc", sdc));
    files
}

#[test]
fn generated_clocks_have_the_period_of_their_master() {
    let master = "create_clock -name clk -period 10 [get_ports clk]\n";
    for (line, want) in [
        ("create_generated_clock -name h -source [get_ports clk] -divide_by 2 [get_pins r/Q]", Some(20.0)),
        ("create_generated_clock -name h -source [get_pins r/C] -divide_by 4 r/Q", Some(40.0)),
        ("create_generated_clock -name h -master_clock [get_clocks clk] -multiply_by 2 [get_nets h]", Some(5.0)),
        ("create_generated_clock -name h -source clk -edges {1 3 5} [get_pins r/Q]", Some(20.0)),
        ("create_generated_clock -name h -source en -divide_by 2 [get_pins r/Q]", None),
        ("create_clock -name h -period 30 [get_pins r/Q]", Some(30.0)),
    ] {
        let report = divider(&[master, line].concat()).report();
        let clock = report.power.clocks.iter().find(|c| c.name == "h").expect("the generated clock");
        assert_eq!(clock.period_ns.map(|p| (p * 1e6).round() / 1e6), want, "{line}");
        // the gate behind the register is in the network of its clock
        assert!(report.instances.iter().any(|i| i.name == "g" && i.group == "clock"), "{line}");
        if want.is_none() {
            has_note(&report, "no clock reaches the source of the generated clock h");
        }
    }
    // a gate that a clock is declared behind: its output has that clock and not the one that comes in
    let behind = |factor: u32| {
        let lines = format!("create_clock -name h -period 30 [get_pins r/Q]\ncreate_generated_clock -name k -source [get_pins r/Q] -divide_by {factor} [get_pins g/Y]\n");
        let report = divider(&[master, &lines].concat()).report();
        report.instances.iter().find(|i| i.name == "g").map_or(0.0, |g| g.watts.internal)
    };
    assert!(behind(1) > 0.0 && (behind(1) / behind(3) - 3.0).abs() < 1e-9, "{:e} {:e}", behind(1), behind(3));
    let without = divider(master).report();
    assert!(without.instances.iter().any(|i| i.name == "g" && i.group == "combinational"));
}

#[test]
fn constants_of_the_constraints_hold_what_is_not_measured() {
    let leakage = |line: &str| {
        divider(&format!("create_clock -name clk -period 10 clk\n{line}\n")).report().power.groups.total.leakage * 1e9
    };
    let (low, high) = (leakage("set_case_analysis 0 [get_ports en]"), leakage("set_case_analysis 1 [get_ports en]"));
    assert!((high - low - 45.0).abs() < 1e-9, "{low} {high}");
    assert_eq!(leakage("set_case_analysis one [get_pins g/B]"), high);
    assert_eq!(leakage("set_logic_zero en"), low);
    let report = divider("create_clock -name clk -period 10 clk\nset_case_analysis 1 clk\n").report();
    has_note(&report, "1 nets that the constraints hold constant are not so in the simulation (such as clk)");
}

/// The driver's slew is 0.1 ns and 2 ns for each pF; the wanted cell's internal energy is 1 pJ and 1 for each ns.
#[test]
fn a_driving_cell_gives_its_slew() {
    let library = LIBRARY
        .replacen("nom_voltage", "lu_table_template (load) { variable_1 : total_output_net_capacitance; index_1 (\"0, 1\"); }\n power_lut_template (slew) { variable_1 : input_transition_time; index_1 (\"0, 1\"); }\n nom_voltage", 1)
        .replacen("power (scalar) { values (\"1\"); }", "power (slew) { values (\"1, 2\"); }", 1)
        .replacen("cell (AND) {", "cell (DRV) { pin (A) { direction : input; } pin (Y) { direction : output; function : \"A\"; timing () { related_pin : \"A\"; timing_sense : positive_unate; rise_transition (load) { values (\"0.1, 2.1\"); } fall_transition (load) { values (\"0.1, 2.1\"); } } } }\n cell (AND) {", 1);
    let internal = |sdc: &str| {
        let mut files = Files::new();
        files.inputs.libraries = vec![files.write("cells.lib", &library)];
        files.inputs.sdc = Some(files.write("c.sdc", sdc));
        files.report().power.groups.total.internal * 100e-9 / 2.0 * 1e12 // pJ a transition
    };
    for (sdc, want) in [
        ("", 1.0),
        ("set_input_transition 0.5 a", 1.5),
        ("set_driving_cell -lib_cell DRV [get_ports a]", 1.0 + 0.1 + 0.02),
        ("set_driving_cell -lib_cell forms/DRV -pin Y -from_pin A [all_inputs]", 1.0 + 0.1 + 0.02),
        ("set_driving_cell -lib_cell DRV [remove_from_collection [all_inputs] a]", 1.0),
        ("set_load 0.5 a\nset_driving_cell -lib_cell DRV a", 1.0 + 0.1 + 1.02),
        ("set_driving_cell -lib_cell DRV a\nset_input_transition 0.5 a", 1.5),
    ] {
        let got = internal(sdc);
        assert!((got - want).abs() < 1e-9, "{sdc}: {got} pJ instead of {want} pJ");
    }
    let mut files = Files::new();
    files.inputs.sdc = Some(files.write("c.sdc", "set_driving_cell -lib_cell NONE a"));
    assert_eq!(files.refused(), "c.sdc: the driving cell NONE is in none of the libraries");
}

#[test]
fn names_that_stand_for_nothing_are_counted() {
    let mut files = Files::new();
    files.inputs.sdc = Some(files.write(
        "c.sdc",
        "create_clock -name c -period 9 nothing\nset_load 1 {y z}\nset_case_analysis 0 u/Q\nset_input_transition 1 b",
    ));
    files.inputs.spef =
        Some(files.write("w.spef", "*SPEF \"x\"\n*C_UNIT 1 PF\n*D_NET a 0.1\n*END\n*D_NET b 0.1\n*END\n"));
    let text = [HEADER, CHANGES].concat().replacen("$upscope", "$var wire 2 v c $end\n$upscope", 1);
    let report = files.vcd(&text).report();
    has_note(&report, "4 names of the constraints stand for nothing in the netlist (such as b)");
    has_note(&report, "1 of 2 extracted wires are of no net of the netlist (such as b)");
    has_note(&report, "2 of 4 recorded names are of no net of the netlist (such as c[0])");
}
