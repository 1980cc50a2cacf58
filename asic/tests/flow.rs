//! The flow on a small design in Debian's library: figures add up, the netlist does what the RTL does, errors name their cure.

use asic::library::{Cells, DEFAULT};
use asic::memory::{Model, DEFAULT_BITS};
use asic::{Flow, Mapped};
use rand::{Rng, SeedableRng};
use records::asic::AsicRecord;
use records::power::{PowerRecord, ReplayRecord};
use rtl_gen::blocks::prim::fifo;
use rtl_gen::hdl::{instance, print_specialised, Module, Printed};
use sim_harness::dut::Dut;
use sim_harness::verilate::BuildOptions;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

/// A queue of flip-flops, then one with a memory that is cut out, then a rotating sum with an enable for 40 registers.
fn design() -> Printed {
    let (small, deep) = (fifo(24, 4), fifo(24, 64));
    let mut m = Module::new("small_chip", "Two queues and a sum.");
    m.input("valid_i", 1, "").output("ready_o", 1, "").input("data_i", 24, "");
    m.output("valid_o", 1, "").input("ready_i", 1, "").output("data_o", 40, "");
    m.body(
        "  wire mid_valid, mid_ready, end_valid;\n  wire [23:0] mid, last;\n  reg [39:0] sum_q;\n\
           assign valid_o = end_valid;\n  assign data_o = sum_q;\n\
           always_ff @(posedge clk_i or negedge rst_ni) begin\n    if (!rst_ni) sum_q <= '0;\n    \
         else if (end_valid && ready_i) sum_q <= {sum_q[38:0], sum_q[39]} + {16'd0, last};\n  end\n",
    );
    instance! { m, "u_small", small;
        in_valid_i: valid_i, in_ready_o: ready_o, in_data_i: data_i, out_valid_o: mid_valid, out_ready_i: mid_ready,
        out_data_o: mid,
    }
    instance! { m, "u_deep", deep;
        in_valid_i: mid_valid, in_ready_o: mid_ready, in_data_i: mid, out_valid_o: end_valid, out_ready_i: ready_i,
        out_data_o: last,
    }
    print_specialised(&m).expect("distinct modules")
}

fn cells() -> &'static Cells {
    static CELLS: OnceLock<Cells> = OnceLock::new();
    CELLS.get_or_init(|| Cells::load(&[DEFAULT.into()]).expect("scripts/setup installs qflow-tech-osu018"))
}

fn flow(cache: &std::path::Path) -> Flow<'static> {
    let cells = cells();
    Flow { cells, memory: Model::of(cells, DEFAULT_BITS), clock_mhz: 100.0, cache: cache.into(), progress: None }
}

fn mapped() -> &'static (AsicRecord, Mapped, tempfile::TempDir) {
    static MAPPED: OnceLock<(AsicRecord, Mapped, tempfile::TempDir)> = OnceLock::new();
    MAPPED.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (record, mapped) =
            asic::run::report("small", &design(), &flow(dir.path()), Default::default()).expect("the flow runs");
        (record, mapped, dir)
    })
}

#[test]
fn areas_add_up_and_the_path_is_named() {
    let (r, ..) = mapped();
    let a = &r.area;
    assert!((a.total_um2 - a.logic_um2 - a.memory_um2).abs() < 1e-6);
    let cells: f64 = r.cells.values().map(|c| c.um2).sum();
    assert!((cells - a.logic_um2).abs() < 1e-6 * cells, "{cells} {}", a.logic_um2);
    let modules: f64 = r.modules.iter().map(|m| m.own_um2 * m.instances as f64).sum();
    assert!((modules - a.logic_um2).abs() < 1e-6 * cells);
    let top = &r.blocks[0];
    assert_eq!((top.path.as_str(), top.n_cells), ("top", a.n_cells));
    let parts: f64 = r.blocks.iter().filter(|b| b.depth == 1).map(|b| b.logic_um2).sum();
    assert!(parts < top.logic_um2 && parts > 0.5 * top.logic_um2);
    // 4 words of 24 bits, pointers of both queues, 40 of the sum; the 64 words are a memory
    assert!((96 + 40..200).contains(&a.n_flip_flops), "{}", a.n_flip_flops);
    assert_eq!((a.memory_bits, r.memories.len(), r.memories[0].instances), (24 * 64, 1, 1));
    assert!((a.memory_um2 - 24.0 * 64.0 * DEFAULT_BITS.um2_per_bit).abs() < 1e-6);
    let worst = &r.timing.paths[0];
    assert!((1e3 / worst.period_ns - r.timing.fmax_mhz).abs() < 1e-9);
    assert!((worst.slack_ns - (10.0 - worst.period_ns)).abs() < 1e-6, "{worst:?}");
    let stages: f64 = worst.stages.iter().map(|s| s.delay_ns).sum();
    assert!((stages + worst.setup_ns - worst.period_ns).abs() < 0.01, "{worst:?}");
    assert!(worst.start_module.contains("fifo") || worst.start_module.contains("small_chip"), "{worst:?}");
}

#[test]
fn no_net_drives_more_than_sixteen_pins() {
    let (_, m, _) = mapped();
    assert!(m.worst_fanout <= asic::map::MAX_FANOUT, "{}", m.worst_fanout);
}

#[test]
fn the_netlist_does_what_the_rtl_does() {
    let (_, m, dir) = mapped();
    let rtl = design();
    let netlist = asic::simulate::printed(&m.netlist, cells(), &rtl).expect("every cell has a function");
    let options = |netlist| BuildOptions { cache_dir: Some(dir.path().into()), netlist, ..BuildOptions::default() };
    let mut a = Dut::build(&rtl, &options(false)).expect("the RTL builds");
    let mut b = Dut::build(&netlist, &options(true)).expect("the netlist builds");
    let circuit = asic::flat::Circuit::new(&m.netlist, cells()).expect("a flat circuit");
    let mut c = Dut::from_model(Box::new(asic::interpret::Interpreter::new(circuit)), &m.netlist.top);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for dut in [&mut a, &mut b, &mut c] {
        dut.reset();
    }
    let mut moved = 0;
    for cycle in 0..3000 {
        let (valid, ready, data) = (rng.gen_bool(0.7), rng.gen_bool(0.6), rng.gen::<u32>() >> 8);
        let mut seen = vec![];
        for dut in [&mut a, &mut b, &mut c] {
            let set = |dut: &mut Dut, name: &str, v: u64| {
                let port = dut.port(name).expect("a port of both");
                dut.set(port, v);
            };
            set(dut, "valid_i", valid.into());
            set(dut, "ready_i", ready.into());
            set(dut, "data_i", data.into());
            dut.clock_low().expect("settles");
            seen.push(["ready_o", "valid_o", "data_o"].map(|p| dut.get(dut.port(p).expect("a port of both"))));
            dut.clock_high().expect("settles");
        }
        assert_eq!(seen[0], seen[1], "Verilator, cycle {cycle}");
        assert_eq!(seen[0], seen[2], "own simulator, cycle {cycle}");
        moved += u64::from(ready) & seen[0][1];
    }
    assert!(moved > 1000, "{moved}");
}

/// Drives the netlist for some cycles and gives its power.
fn power_of(valid: u64) -> PowerRecord {
    const CYCLES: u64 = 500;
    let (_, m, dir) = mapped();
    let circuit = asic::flat::Circuit::new(&m.netlist, cells()).expect("a flat circuit");
    let simulator = Arc::new(Mutex::new(asic::interpret::Interpreter::new(circuit)));
    // SAFETY: this function evaluates the simulator through `dut` alone.
    let shared = unsafe { asic::replay::Shared::new(simulator.clone(), Arc::new(|_| ())) };
    let mut dut = Dut::from_model(Box::new(shared), &m.netlist.top);
    dut.reset();
    simulator.lock().expect("one thread").start_counting();
    for cycle in 0..CYCLES {
        for (name, value) in [("valid_i", valid), ("ready_i", 1), ("data_i", cycle * 0x9E37 % 0xFF_FFFF)] {
            let port = dut.port(name).expect("a port");
            dut.set(port, value);
        }
        dut.clock_low().and_then(|()| dut.clock_high()).expect("settles");
    }
    let measured = simulator.lock().expect("one thread").stop_counting(100.0).expect("cycles were counted");
    assert!((measured.seconds - CYCLES as f64 * 1e-8).abs() < 1e-12);
    let clock = measured.nets["clk_i"];
    assert!((clock.density - 2e8).abs() < 1e-3 && (clock.duty - 0.5).abs() < 1e-9, "{clock:?}");
    let replay = ReplayRecord { tokens: 1, cycles: CYCLES, ..Default::default() };
    let work =
        asic::energy::Work { model: "none".into(), n_params: 1, stream_bytes_per_token: 64, sample: String::new() };
    let flow = flow(dir.path());
    asic::energy::measure("small", m, &flow, measured, replay, &work, Default::default()).expect("power").0
}

#[test]
fn toggles_become_watts_by_block() {
    let (busy, idle) = (power_of(1), power_of(0));
    assert!(busy.annotated > 0.99, "{}", busy.annotated);
    assert!(busy.watts.total > idle.watts.total && idle.watts.total > 0.0);
    // nothing is written or read in the idle chip; the busy one does both in every cycle
    let access = |r: &PowerRecord| r.memories[0].watts - r.memories[0].leakage_w;
    assert!(access(&idle) < 1e-3 * access(&busy), "{} {}", access(&idle), access(&busy));
    let per_cycle = 2.0 * 24.0 * DEFAULT_BITS.pj_per_bit * 1e-12;
    assert!((access(&busy) / (per_cycle * 1e8) - 1.0).abs() < 0.1, "{} {}", access(&busy), per_cycle * 1e8);
    let top = busy.blocks.iter().find(|b| b.depth == 0).expect("the top");
    assert!((top.total_w - busy.watts.total).abs() < 1e-9 * top.total_w);
    let parts: f64 = busy.blocks.iter().filter(|b| b.depth == 1).map(|b| b.total_w).sum();
    assert!(parts < top.total_w && parts > 0.5 * top.total_w, "{parts} of {}", top.total_w);
    assert!((busy.j_per_token - busy.watts.total * busy.seconds_per_token).abs() < 1e-20);
}

#[test]
fn a_second_run_maps_nothing() {
    let (first, _, dir) = mapped();
    let said = std::sync::Mutex::new(vec![]);
    let say = |t: &str| said.lock().expect("one thread").push(t.to_string());
    let flow = Flow { progress: Some(&say), ..flow(dir.path()) };
    let (second, _) = asic::run::report("small", &design(), &flow, Default::default()).expect("the flow runs");
    assert_eq!(serde_json::to_value(first).unwrap(), serde_json::to_value(&second).unwrap());
    assert!(said.lock().expect("one thread").is_empty(), "{said:?}");
}

#[test]
fn a_library_without_gates_is_refused_with_a_cure() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("empty.lib");
    std::fs::write(&path, "library (empty) { nom_voltage : 1; }").unwrap();
    let error = Cells::load(&[path]).unwrap_err().to_string();
    assert!(error.contains("NAND") && error.contains("--liberty"), "{error}");
}
