//! `rtl_gen::blocks::mat` alone in Verilator, against a restatement of `docs/hardware.md` §2: random instructions under
//! random stalls, and the throughput the unit promises, counted in cycles.

mod job;

use job::Job;
use rand::{seq::SliceRandom, Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::mat::{mat, max_cols};
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::isa::{mat_dest, mat_fmt};
use sim_harness::dut::{BuildOptions, Dut, Port};
use std::collections::VecDeque;

fn config(bus_bits: usize, n_embd: usize, dim_ffn: usize) -> Config {
    let mut config = Config::parse(include_str!("../../../configs/nano.toml"), "nano.toml").unwrap();
    config.bus_bits = bus_bits;
    config.limits.n_embd = n_embd;
    config.limits.dim_ffn = dim_ffn;
    config
}

/// Chances of an event in one cycle.
#[derive(Clone, Copy)]
struct Chances {
    instruction: f64,
    weights: f64,
    d_ready: f64,
    logit_ready: f64,
}

const ALWAYS: Chances = Chances { instruction: 1.0, weights: 1.0, d_ready: 1.0, logit_ready: 1.0 };

/// A row that has to come.
struct Row {
    op: u64,
    row: u64,
    addr: Option<u64>, // None: to the logits
    data: i64,
    clipped: bool,
    last: bool,
}

struct Bench {
    dut: Dut,
    config: Config,
    rng: ChaCha8Rng,
    xmem: Vec<i16>,
    cycle: u64,
    seed: u64,
}

macro_rules! ports {
    ($dut:expr, $($name:ident),*) => { $(let $name: Port = $dut.port(stringify!($name)).unwrap();)* };
}

/// What a token took.
#[derive(Debug, Default)]
struct Took {
    cycles: u64, // from the first instruction's acceptance to the last done_o
    beats: u64,
    lost_to_weights: u64,
    lost_to_drain: u64,
    rows: u64,
    clipped: u64,
}

impl Bench {
    fn new(config: Config, seed: u64) -> Self {
        let dut =
            Dut::build(&print(&mat(&config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        eprintln!("block_mat: bus {} seed {seed}", config.bus_bits);
        // The most negative number as far as an operand can be long, then stretches of extremes and random numbers.
        let kinds: Vec<u8> = (0..config.limits.xmem_elements / 64 + 1).map(|_| rng.gen_range(0..4)).collect();
        let widest = max_cols(&config);
        let xmem = (0..config.limits.xmem_elements)
            .map(|i| match kinds[i / 64] {
                _ if i < widest => i16::MIN,
                0 => i16::MIN,
                1 => *[i16::MIN, i16::MAX, 0, -1].choose(&mut rng).unwrap(),
                _ => rng.gen(),
            })
            .collect();
        let mut bench = Bench { dut, config, rng, xmem, cycle: 0, seed };
        bench.dut.reset();
        bench
    }

    /// One token: a start pulse, then the jobs; checks every row, the flags, argmax and done.
    fn token(&mut self, jobs: &[Job], mut chances: impl FnMut(u64, &mut ChaCha8Rng) -> Chances) -> Took {
        let Bench { dut, config, rng, xmem, cycle, seed } = self;
        ports!(
            dut,
            start_i,
            instr_valid_i,
            instr_ready_o,
            instr_i,
            instr_idx_i,
            done_o,
            w_valid_i,
            w_ready_o,
            w_data_i
        );
        ports!(dut, col_valid_i, col_ready_o, col_i, col_last_i);
        ports!(dut, xr_en_o, xr_addr_o, xr_data_i, xexp_sel_o, xexp_i, d_valid_o, d_ready_i, d_addr_o, d_data_o);
        ports!(dut, logit_valid_o, logit_ready_i, logit_data_o, logit_last_o, argmax_o, sat_o, busy_o);
        ports!(
            dut,
            stall_weights_o,
            stall_drain_o,
            trace_mat_valid_o,
            trace_mat_op_o,
            trace_mat_row_o,
            trace_mat_data_o
        );
        let vl = config.vlanes();
        let first_op = rng.gen_range(0..4096 - jobs.len());
        let words: Vec<Vec<u32>> = jobs.iter().map(|j| j.instruction(rng)).collect();
        let bytes: Vec<u8> = jobs.iter().flat_map(|j| j.stream(rng)).collect();
        let beats: Vec<Vec<u32>> = bytes
            .chunks(config.beat_bytes())
            .map(|beat| beat.chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect())
            .collect();

        // columns that are not skipped, and whether they are their instruction's last
        let mut columns: VecDeque<(usize, bool)> = (jobs.iter().filter_map(|j| j.columns.as_ref()))
            .flat_map(|c| c.iter().enumerate().map(|(i, column)| (*column, i + 1 == c.len())))
            .collect();
        let mut offer_column = false;
        dut.set(start_i, 1);
        dut.set(instr_valid_i, 0);
        dut.set(w_valid_i, 0);
        dut.tick();
        dut.set(start_i, 0);
        let (mut accepted, mut taken, mut done, mut quiet, mut idle) = (0, 0, 0, 0, 0);
        let mut rows: VecDeque<Row> = VecDeque::new();
        let (mut best, mut done_due) = (None::<(i64, u64)>, false);
        let (mut offer, mut offer_w, mut held) = (false, false, None);
        let mut xexp = [0u64; 16];
        let (mut took, mut first_cycle) = (Took::default(), 0);
        while done < jobs.len() || quiet < 20 {
            *cycle += 1;
            let place = format!("bus {} seed {seed} cycle {cycle}", config.bus_bits);
            let chance = chances(*cycle, rng);
            offer = accepted < jobs.len() && (offer || rng.gen_bool(chance.instruction));
            offer_w = taken < beats.len() && (offer_w || rng.gen_bool(chance.weights));
            dut.set(instr_valid_i, u64::from(offer));
            if offer {
                dut.set_wide(instr_i, &words[accepted]);
                dut.set(instr_idx_i, (first_op + accepted) as u64);
            }
            dut.set(w_valid_i, u64::from(offer_w));
            if offer_w {
                dut.set_wide(w_data_i, &beats[taken]);
            }
            offer_column = !columns.is_empty() && (offer_column || rng.gen_bool(chance.weights));
            dut.set(col_valid_i, u64::from(offer_column));
            if let Some((column, last)) = columns.front().filter(|_| offer_column) {
                dut.set(col_i, *column as u64);
                dut.set(col_last_i, u64::from(*last));
            }
            dut.set(d_ready_i, u64::from(rng.gen_bool(chance.d_ready)));
            dut.set(logit_ready_i, u64::from(rng.gen_bool(chance.logit_ready)));
            xexp[rng.gen_range(0..16)] = rng.gen_range(0..13); // only the value at acceptance counts
            dut.clock_low().unwrap();
            dut.set(xexp_i, xexp[dut.get(xexp_sel_o) as usize]);
            dut.eval();

            assert_eq!(dut.get(busy_o) == 1, !rows.is_empty(), "{place}: busy");
            if offer && dut.get(instr_ready_o) == 1 {
                let job = &jobs[accepted];
                let x = &xmem[job.x_addr * vl..][..job.cols];
                for (row, (data, clipped)) in job.rows(x, xexp[job.xexp] as u32).into_iter().enumerate() {
                    rows.push_back(Row {
                        op: (first_op + accepted) as u64,
                        row: row as u64,
                        addr: (job.dest == mat_dest::VMEM).then_some((job.d_addr + row) as u64),
                        data: i64::from(data),
                        clipped,
                        last: row + 1 == job.rows,
                    });
                }
                if accepted == 0 {
                    first_cycle = *cycle;
                }
                accepted += 1;
                offer = false;
            }
            if offer_column && dut.get(col_ready_o) == 1 {
                columns.pop_front();
                offer_column = false;
            }
            let beat = offer_w && dut.get(w_ready_o) == 1;
            assert_eq!(dut.get(stall_weights_o) == 1, dut.get(w_ready_o) == 1 && !offer_w, "{place}: stall_weights");
            assert!(dut.get(stall_drain_o) == 0 || dut.get(w_ready_o) == 0, "{place}: stall_drain with w_ready");
            took.lost_to_weights += dut.get(stall_weights_o);
            took.lost_to_drain += dut.get(stall_drain_o);
            if beat {
                taken += 1;
                offer_w = false;
            }

            // done comes in the cycle after the last row, and argmax is final then
            assert_eq!(dut.get(done_o) == 1, done_due, "{place}: done");
            if done_due {
                done += 1;
                took.cycles = *cycle - first_cycle;
                assert_eq!(dut.get(argmax_o), best.map_or(0, |b| b.1), "{place}: argmax after job {}", done - 1);
            }
            done_due = false;
            quiet = if done == jobs.len() { quiet + 1 } else { 0 };

            let to_vmem = dut.get(d_valid_o) == 1;
            let to_logits = dut.get(logit_valid_o) == 1;
            let data = if to_vmem { dut.get_signed(d_data_o) } else { dut.get_signed(logit_data_o) };
            assert!(!(to_vmem && to_logits), "{place}: both destinations");
            let now = (to_vmem || to_logits).then(|| (to_vmem, data, dut.get(d_addr_o)));
            assert!(held.is_none() || held == now, "{place}: an offered row changed, {held:?} to {now:?}");
            let take = (to_vmem && dut.get(d_ready_i) == 1) || (to_logits && dut.get(logit_ready_i) == 1);
            held = if take { None } else { now };
            assert_eq!(dut.get(trace_mat_valid_o) == 1, take, "{place}: trace");
            if take {
                let row = rows.pop_front().unwrap_or_else(|| panic!("{place}: a row too many"));
                let place =
                    format!("{place} op {} ({:?}) row {}", row.op, jobs[row.op as usize - first_op].fmt, row.row);
                assert_eq!(data, row.data, "{place}: data");
                assert_eq!(to_vmem, row.addr.is_some(), "{place}: destination");
                match row.addr {
                    Some(addr) => assert_eq!(dut.get(d_addr_o), addr, "{place}: address"),
                    None => assert_eq!(dut.get(logit_last_o) == 1, row.last, "{place}: logit_last"),
                }
                assert_eq!(dut.get(sat_o) == 1, row.clipped, "{place}: sat");
                assert_eq!(dut.get(trace_mat_op_o), row.op, "{place}: trace op");
                assert_eq!(dut.get(trace_mat_row_o), row.row, "{place}: trace row");
                assert_eq!(dut.get_signed(trace_mat_data_o), row.data, "{place}: trace data");
                if row.addr.is_none() && best.is_none_or(|b| row.data > b.0) {
                    best = Some((row.data, row.row));
                }
                done_due = row.last;
                took.rows += 1;
                took.clipped += u64::from(row.clipped);
            } else {
                assert_eq!(dut.get(sat_o), 0, "{place}: sat without a row");
            }

            let read = (dut.get(xr_en_o) == 1).then(|| dut.get(xr_addr_o) as usize);
            dut.clock_high().unwrap();
            if let Some(word) = read {
                let elements: Vec<i32> = xmem[word * vl..][..vl].iter().map(|&x| i32::from(x)).collect();
                dut.set_lanes(xr_data_i, 16, &elements);
            }
            idle = if beat || take { 0 } else { idle + 1 };
            assert!(
                idle < 5000,
                "{place}: nothing happens; {accepted} jobs accepted, {done} done, {taken} of {} beats taken",
                beats.len()
            );
        }
        assert_eq!(
            (taken, accepted, rows.len(), columns.len(), dut.get(busy_o)),
            (beats.len(), jobs.len(), 0, 0, 0),
            "seed {seed}: left over"
        );
        took.beats = taken as u64;
        took
    }
}

/// Chances that change every few hundred cycles, so that every queue is met full and empty.
fn moods() -> impl FnMut(u64, &mut ChaCha8Rng) -> Chances {
    let mut now = ALWAYS;
    move |cycle, rng| {
        if cycle % 256 == 0 {
            let mut one = || *[1.0, 1.0, 0.9, 0.5, 0.1].choose(rng).unwrap();
            now = Chances { instruction: one(), weights: one(), d_ready: one(), logit_ready: one() };
        }
        now
    }
}

fn check_random(config: Config, tokens: usize, seed: u64) {
    let mut bench = Bench::new(config, seed);
    let (mut rows, mut clipped) = (0, 0);
    for _ in 0..tokens {
        let n = bench.rng.gen_range(1..12);
        let jobs: Vec<Job> = (0..n).map(|_| Job::random(&mut bench.rng, &bench.config)).collect();
        let took = bench.token(&jobs, moods());
        rows += took.rows;
        clipped += took.clipped;
    }
    assert!(
        clipped * 20 > rows && clipped * 20 < rows * 19,
        "seed {seed}: {clipped} of {rows} rows clipped, a poor mix"
    );
}

#[test]
fn random_instructions_under_random_stalls_128() {
    check_random(config(128, 320, 512), 16, 1);
}

#[test]
fn random_instructions_under_random_stalls_256() {
    check_random(config(256, 304, 512), 12, 2);
}

#[test]
fn random_instructions_under_random_stalls_512() {
    check_random(config(512, 320, 512), 20, 3);
}

/// The smallest column store (two entries) and accumulators that the extremes fill to the last bit.
#[test]
fn random_instructions_in_the_smallest_unit() {
    check_random(config(512, 32, 64), 40, 4);
}

/// Rows and columns at full speed: cycles from acceptance to done against the beats that had to come.
#[test]
fn throughput_in_cycles() {
    for (bus_bits, seed) in [(128, 5), (512, 6)] {
        let mut bench = Bench::new(config(bus_bits, 320, 512), seed);
        let groups = bus_bits / 128;
        let job = |bench: &mut Bench, fmt, rows, cols| loop {
            let mut job = Job::random(&mut bench.rng, &bench.config);
            if job.fmt == fmt {
                let filled = (job.weights[0], job.scales[0]);
                job.weights = vec![filled.0; rows * cols];
                job.gs = vec![job.gs.first().copied().unwrap_or(0); rows * cols / 32];
                job.scales = vec![filled.1; rows];
                (job.rows, job.cols, job.dest, job.x_addr, job.d_addr) = (rows, cols, mat_dest::VMEM, 0, 0);
                job.columns = job.columns.map(|_| (0..cols).step_by(3).collect());
                break job;
            }
        };
        // From acceptance to the first beat, and from the last beat of a tile through its 16 rows to done. A cycle lies between two instructions.
        let constant = 2 + 12 + 16 + 2;
        for (what, fmt, rows, cols, n) in [
            ("square", mat_fmt::W8, 128, 128, 1),
            ("tiles of 16 beats", mat_fmt::W8, 320, 16 * groups, 1),
            ("tiles of 8 rows in 8 beats", mat_fmt::W16, 320, 8 * groups, 1),
            ("short instructions", mat_fmt::W8, 32, 32 * groups, 8),
            ("operand words of one beat", mat_fmt::W8, 64, 16 * groups + 4, 4),
            ("16-bit weights", mat_fmt::W16, 64, 64, 4),
            ("4-bit weights", mat_fmt::W4, 64, 320, 4),
            ("4-bit weights, 17 groups and 3 to fill up", mat_fmt::W4, 64, 32 * groups, 4),
        ] {
            let jobs: Vec<Job> = (0..n).map(|_| job(&mut bench, fmt, rows, cols)).collect();
            let took = bench.token(&jobs, |_, _| ALWAYS);
            eprintln!("bus {bus_bits}: {what}: {took:?}");
            assert!(took.cycles < took.beats + constant + jobs.len() as u64, "bus {bus_bits}, {what}: {took:?}");
            if what == "square" && bus_bits == 128 {
                assert!(took.beats <= 1024 + 32, "{took:?}");
            }
        }
        // Column by column, all of them and one in three: every entry is drained while the last column passes.
        for skips in [false, true] {
            let by_columns = loop {
                let job = job(&mut bench, mat_fmt::W8_COLUMNS, 320, 128);
                if job.columns.is_some() == skips {
                    break job;
                }
            };
            let took = bench.token(&[by_columns], |_, _| ALWAYS);
            eprintln!("bus {bus_bits}: columns, skipping {skips}: {took:?}");
            assert!(took.cycles <= took.beats + 320 + constant, "bus {bus_bits}, columns: {took:?}");
            assert_eq!(took.lost_to_weights, 0, "bus {bus_bits}, columns: {took:?}");
        }
        // Fewer beats than rows: the drain sets the pace, one row a cycle, and says so.
        let jobs = [job(&mut bench, mat_fmt::W8, 320, 4 * groups)];
        let took = bench.token(&jobs, |_, _| ALWAYS);
        eprintln!("bus {bus_bits}: narrow: {took:?}");
        assert!(
            took.cycles <= 320 + constant && took.lost_to_drain + took.beats + 16 > 320,
            "bus {bus_bits}, narrow: {took:?}"
        );
    }
}
