//! The column skip alone: operands with random zeros written before and during the walk, columns and runs taken under random stalls.

use rand::{seq::SliceRandom, Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::columns::{columns, RUN_COLUMNS};
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::dut::{BuildOptions, Dut};

/// Operands of one walk: what xmem holds from word `x_word` on.
struct Walk {
    x_word: usize,
    x: Vec<i16>,
    p_runs: f64,
    p_columns: f64,
    /// Words written before the walk starts, and how likely the next one is written in a cycle after that.
    early: usize,
    p_words: f64,
}

/// The columns that must come, and the runs `(first, len)`.
fn expected(x: &[i16]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut columns: Vec<usize> = (0..x.len()).filter(|c| x[*c] != 0).collect();
    if columns.is_empty() {
        columns.push(0);
    }
    let mut runs: Vec<(usize, usize)> = vec![];
    for c in &columns {
        match runs.last_mut() {
            Some((first, len)) if *first + *len == *c && !c.is_multiple_of(RUN_COLUMNS) => *len += 1,
            _ => runs.push((*c, 1)),
        }
    }
    (columns, runs)
}

/// Walks the operand while it is written; gives the cycles from the start to the last run, and from the last word written, if that was later.
fn walk(dut: &mut Dut, config: &Config, w: &Walk, rng: &mut ChaCha8Rng, place: &str) -> (u64, u64) {
    let vl = config.vlanes();
    let port = |n: &str| dut.port(n).unwrap();
    let (we, waddr, wdata) = (port("xw_en_i"), port("xw_addr_i"), port("xw_data_i"));
    let (start, x_addr, cols) = (port("start_i"), port("x_addr_i"), port("cols_i"));
    let run = ["run_valid_o", "run_ready_i", "run_first_o", "run_len_o", "run_last_o"].map(port);
    let col = ["col_valid_o", "col_ready_i", "col_o", "col_last_o"].map(port);
    let skipped = port("skipped_o");
    dut.set(run[1], 0);
    dut.set(col[1], 0);
    let n_words = w.x.len().div_ceil(vl);
    let write = |dut: &mut Dut, word: usize, of: &dyn Fn(usize) -> i16| {
        dut.set(we, 1);
        dut.set(waddr, word as u64);
        dut.set_lanes(wdata, 16, &(0..vl).map(|l| i32::from(of(l))).collect::<Vec<_>>());
    };
    // what follows the operand in its last word is 0, as the vector unit writes it
    let of = |word: usize| move |l: usize| w.x.get(word * vl + l).copied().unwrap_or(0);
    let other = if w.x_word > 0 { w.x_word - 1 } else { n_words };
    assert!(other < config.xmem_words(), "no room for another operand");
    write(dut, other, &|_| 1);
    dut.tick();
    for word in 0..w.early {
        write(dut, w.x_word + word, &of(word));
        dut.tick();
    }
    dut.set(we, 0);
    dut.set(start, 1);
    dut.set(x_addr, w.x_word as u64);
    dut.set(cols, w.x.len() as u64);
    dut.tick();
    dut.set(start, 0);
    let (mut written, mut last_word) = (w.early, 0);
    let (columns, runs) = expected(&w.x);
    let (mut got_columns, mut got_runs, mut covered, mut told, mut quiet) = (0, 0, 0, 0, 0);
    let mut last_run = 0;
    for cycle in 1..200_000 {
        // columns are only used after their weights were asked for
        let take_column = rng.gen_bool(w.p_columns) && got_columns < covered;
        let take_run = rng.gen_bool(w.p_runs);
        dut.set(we, 0);
        if written < n_words && rng.gen_bool(w.p_words) {
            write(dut, w.x_word + written, &of(written));
            (written, last_word) = (written + 1, cycle);
        }
        dut.set(run[1], u64::from(take_run));
        dut.set(col[1], u64::from(take_column));
        dut.clock_low().unwrap();
        told += dut.get(skipped);
        if take_run && dut.get(run[0]) == 1 {
            let (first, len) = (dut.get(run[2]) as usize, dut.get(run[3]) as usize);
            assert_eq!(Some(&(first, len)), runs.get(got_runs), "{place}: run {got_runs}");
            got_runs += 1;
            covered += len;
            assert_eq!(dut.get(run[4]) == 1, got_runs == runs.len(), "{place}: last run");
            last_run = cycle;
        }
        if take_column {
            assert_eq!(dut.get(col[0]), 1, "{place}: a run came before its columns");
            assert_eq!(Some(&(dut.get(col[2]) as usize)), columns.get(got_columns), "{place}: column {got_columns}");
            got_columns += 1;
            assert_eq!(dut.get(col[3]) == 1, got_columns == columns.len(), "{place}: last column");
        }
        dut.clock_high().unwrap();
        quiet = if got_columns == columns.len() { quiet + 1 } else { 0 };
        if quiet == 20 {
            assert_eq!(
                (got_runs, told as usize),
                (runs.len(), w.x.len() - columns.len()),
                "{place}: runs, columns skipped"
            );
            return (last_run, last_run - last_word);
        }
    }
    panic!("{place}: {got_runs} of {} runs, {got_columns} of {} columns", runs.len(), columns.len())
}

fn check(name: &str, seed: u64) {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let config = Config::load(&dir.join(format!("{name}.toml"))).unwrap();
    let mut dut =
        Dut::build(&print(&columns(&config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (vl, most) = (config.vlanes(), config.limits.dim_ffn);
    for round in 0..150 {
        let len = *[1, vl, 4 * rng.gen_range(1..=most / 4), most].choose(&mut rng).unwrap();
        let density = *[0.0, 0.02, 0.15, 0.5, 0.95, 1.0].choose(&mut rng).unwrap();
        let mut x: Vec<i16> = (0..len)
            .map(|_| if rng.gen_bool(density) { *[1, -1, i16::MIN, 256].choose(&mut rng).unwrap() } else { 0 })
            .collect();
        if round % 7 == 0 {
            // a single column, at an edge
            x.fill(0);
            let at = *[0, len - 1, len / 2].choose(&mut rng).unwrap();
            x[at] = 1;
        }
        let n_words = len.div_ceil(vl);
        let x_word = rng.gen_range(0..config.xmem_words() - n_words);
        let chance = |rng: &mut ChaCha8Rng| *[1.0, 1.0, 0.5, 0.05].choose(rng).unwrap();
        let early = *[0, n_words, rng.gen_range(0..=n_words)].choose(&mut rng).unwrap();
        let (p_runs, p_columns, p_words) = (chance(&mut rng), chance(&mut rng), chance(&mut rng));
        let w = Walk { x_word, x, p_runs, p_columns, early, p_words };
        walk(
            &mut dut,
            &config,
            &w,
            &mut rng,
            &format!("{name} seed {seed} round {round}, {len} columns, density {density}"),
        );
    }
    // nothing in the way: a cycle a word, or a column
    for (what, x, cycles) in [
        ("no column", vec![0; most], most / vl),
        ("every column", vec![1; most], most),
        ("one in sixteen", (0..most).map(|c| i16::from(c % 16 == 3)).collect(), most / vl.min(16)),
    ] {
        let mut w = Walk { x_word: 0, x, p_runs: 1.0, p_columns: 1.0, early: most / vl, p_words: 1.0 };
        let (took, _) = walk(&mut dut, &config, &w, &mut rng, &format!("{name}, {what}"));
        // and behind the writer
        w.early = 0;
        let (_, behind) = walk(&mut dut, &config, &w, &mut rng, &format!("{name}, {what}, behind the writer"));
        eprintln!("{name}: {what} of {most}: {took} cycles; {behind} after the last word");
        assert!(took <= cycles as u64 + 8, "{name}, {what}: {took} cycles");
        assert!(behind <= (cycles - most / vl) as u64 + 8, "{name}, {what}: {behind} cycles behind the writer");
    }
}

#[test]
fn columns_and_runs_are_those_of_the_operand() {
    check("nano", 1);
    check("wide", 2);
}
