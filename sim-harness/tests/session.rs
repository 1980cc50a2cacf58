//! The bench itself, on a stand-in for the chip whose events are known from the image.

mod common;

use common::{stand_in, BEATS, HANG_TOKEN, STRAY_TOKEN};
use records::mismatch::{Fault, Place};
use rtl_gen::config::Config;
use sim_harness::dut::{BuildOptions, Dut};
use sim_harness::lockstep::{group_lanes, ExpectedToken, Group, OpName, OpNames, Unit};
use sim_harness::session::{PortsError, Session, SessionError, SessionOptions, TokenOptions, TokenResult};
use std::sync::Arc;

const NANO: &str = include_str!("../../configs/nano.toml");
const WIDE: &str = include_str!("../../configs/wide.toml");

fn config(text: &str) -> Config {
    Config::parse(text, "config").unwrap()
}

fn image() -> Vec<u8> {
    (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
}

/// `count` numbers of `bits` bits, packed from bit 0 of `bytes`, sign-extended.
fn cut(bytes: &[u8], at: usize, bits: usize, count: usize) -> Vec<i32> {
    let bit = |i: usize| i64::from(bytes[i / 8] >> (i % 8) & 1);
    (0..count)
        .map(|n| {
            let v = (0..bits).fold(0i64, |v, b| v | bit(at + n * bits + b) << b);
            (v << (64 - bits) >> (64 - bits)) as i32
        })
        .collect()
}

fn expected(config: &Config, image: &[u8], token: u32) -> ExpectedToken {
    let (vl, sw) = (config.vlanes(), config.numbers.state_bits);
    let mut e = ExpectedToken::new(&group_lanes(vl, sw));
    let beats: Vec<&[u8]> = image.chunks(config.beat_bytes()).take(BEATS).collect();
    let all = |at, bits, n| beats.iter().flat_map(|b| cut(b, at, bits, n)).collect::<Vec<_>>();
    let ys = all(0, 27, 1);
    e.stream(Group::Vec).push(0, 0, all(0, 27, vl));
    e.stream(Group::Mat).push(0, 0, ys[..8].to_vec());
    e.stream(Group::Mat).push(1, 0, ys[8..].to_vec());
    e.stream(Group::WkvS).push(0, 1000, all(0, sw, vl));
    e.stream(Group::WkvSa).push(0, 0, all(0, sw, 1));
    e.stream(Group::WkvY).push(0, 0, ys.clone());
    let last = beats[BEATS - 1];
    e.stream(Group::Sreg).push(0, 0, [cut(last, 0, 27, 1)[0], cut(last, 27, 27, 1)[0], cut(last, 54, 6, 1)[0] & 63]);
    e.stream(Group::Exp).push(0, 0, [cut(last, 60, 5, 1)[0] & 31]);
    e.saturations.mat = 3;
    e.token_out = token + 1;
    e.logits = ys;
    e
}

fn names() -> Arc<OpNames> {
    let mut names = OpNames::default();
    for (i, name) in ["att.r", "att.k"].iter().enumerate() {
        names.0[Unit::Mat as usize].push(OpName { layer: i, name: name.to_string(), kind: "matrix".into() });
    }
    Arc::new(names)
}

fn session<'a>(config: &Config, image: &'a [u8], options: SessionOptions) -> Session<'a> {
    let printed = rtl_gen::hdl::print(&stand_in(config)).unwrap();
    let dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    Session::new(dut, config, image, names(), options).unwrap_or_else(|e| panic!("{e}"))
}

fn run(config: &Config, expected: &ExpectedToken, options: SessionOptions) -> TokenResult {
    let image = image();
    let mut s = session(config, &image, options);
    s.load_programs(&[vec![vec![1, 2]], vec![], vec![vec![3]], vec![]], 256).unwrap();
    s.clear().unwrap();
    s.token(5, Some(expected), TokenOptions { logits: true, timeline: true }).unwrap()
}

#[test]
fn events_match_with_and_without_stalls_in_both_shapes() {
    for config in [config(NANO), config(WIDE)] {
        let e = expected(&config, &image(), 5);
        let mut cycles = vec![];
        for (stall, seed) in [(0.0, 0), (0.0, 1), (0.3, 2), (0.7, 3)] {
            let r = run(&config, &e, SessionOptions { stall, seed, ..Default::default() });
            let place = format!("{} stall {stall} seed {seed}", config.name);
            assert!(r.outcome.first.is_none(), "{place}: {}", r.outcome.first.unwrap());
            // per beat: vec and state words, and one value each of mat, sa and y; sreg, exp; 5 scalars; 2 + 16 of logits
            assert_eq!(
                r.outcome.values_checked as usize,
                BEATS * (2 * config.vlanes() + 3) + 3 + 1 + 5 + 18,
                "{place}"
            );
            assert_eq!((r.outcome.ops_checked, r.token_out, r.counters.weight_beats), (8, 6, 16), "{place}");
            assert_eq!(r.logits, e.logits, "{place}");
            assert_eq!(r.timeline.len(), 4, "{place}");
            assert!(r.timeline.iter().all(|s| s.start == 0 && s.end >= BEATS as u64));
            cycles.push(r.counters.cycles);
        }
        assert_eq!(cycles[0], cycles[1], "without stalls the seed changes nothing");
        assert!(cycles[0] < cycles[2] && cycles[2] < cycles[3], "stalls cost cycles: {cycles:?}");
    }
}

#[test]
fn a_difference_is_placed() {
    let config = config(NANO);
    let good = expected(&config, &image(), 5);

    // the fourth row of att.k is another one, and a later state element too
    let mut e = good.clone();
    let mut rows = good.logits[8..].to_vec();
    rows[3] ^= 1;
    e.streams[Group::Mat as usize].clear();
    e.stream(Group::Mat).push(0, 0, good.logits[..8].to_vec());
    e.stream(Group::Mat).push(1, 0, rows.clone());
    e.saturations.wkv = 1;
    let r = run(&config, &e, SessionOptions { stall: 0.2, seed: 4, ..Default::default() });
    let first = r.outcome.first.unwrap();
    assert_eq!((r.outcome.mismatches, first.fault, first.expected), (2, Fault::Value, Some(rows[3].into())));
    assert_eq!(first.got, Some(good.logits[11].into()));
    assert!(
        matches!(&first.place, Place::Op { group, op: 1, layer: 1, name, element: 3, .. } if group == "mat" && name == "att.k"),
        "{first}"
    );

    // one more instruction is expected than comes
    let mut e = good.clone();
    e.stream(Group::WkvY).push(1, 0, [1, 2]);
    let first = run(&config, &e, SessionOptions::default()).outcome.first.unwrap();
    assert!(matches!(&first.place, Place::Op { group, op: 1, element: 0, .. } if group == "wkv_y"), "{first}");
    assert_eq!(first.fault, Fault::Missing);

    // the chip gives another token
    let e = ExpectedToken { token_out: 9, ..good };
    let first = run(&config, &e, SessionOptions::default()).outcome.first.unwrap();
    assert_eq!((first.expected, first.got), (Some(9), Some(6)));
}

#[test]
fn a_chip_that_stops_is_reported_with_its_state() {
    let (config, image) = (config(NANO), image());
    let mut s = session(&config, &image, SessionOptions { hang_cycles: 500, ..Default::default() });
    let e = expected(&config, &image, 5);
    assert!(s.token(5, Some(&e), TokenOptions::default()).unwrap().outcome.first.is_none());
    let error = s.token(HANG_TOKEN, Some(&e), TokenOptions::default()).unwrap_err();
    assert!(matches!(error, SessionError::Hang { doing: "a token", .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("mat: 1 instructions taken, 0 finished")
            && text.contains("awaited: mat event 0 of op 0 att.r (layer 0)"),
        "{text}"
    );
}

#[test]
fn a_chip_that_only_waits_for_stalls_does_not_hang() {
    let (config, image) = (config(NANO), image());
    // a handshake waits 2,000 cycles in the mean
    let options = SessionOptions { hang_cycles: 500, stall: 0.9995, ..Default::default() };
    let e = expected(&config, &image, 5);
    let run = session(&config, &image, options.clone()).token(5, Some(&e), TokenOptions::default()).unwrap();
    assert!(run.outcome.first.is_none() && run.counters.cycles > 10_000, "{} cycles", run.counters.cycles);
    let mut s = session(&config, &image, options);
    assert!(matches!(s.token(HANG_TOKEN, None, TokenOptions::default()), Err(SessionError::Hang { .. })));
}

#[test]
fn a_stray_read_ends_the_run() {
    let (config, image) = (config(NANO), image());
    let mut s = session(&config, &image, SessionOptions::default());
    let error = s.token(STRAY_TOKEN, None, TokenOptions::default()).unwrap_err();
    assert!(matches!(error, SessionError::Memory { .. }), "{error}");
    assert!(error.to_string().contains("AXI read at 0x7fffffc0"), "{error}");
}

#[test]
fn another_design_is_refused_by_port() {
    let (nano, image) = (config(NANO), image());
    let build = |c: &Config| Dut::build(&rtl_gen::hdl::print(&stand_in(c)).unwrap(), &BuildOptions::default()).unwrap();
    let error = Session::new(build(&config(WIDE)), &nano, &image, names(), SessionOptions::default()).err().unwrap();
    assert!(matches!(&error, SessionError::Ports(PortsError::Width { .. })), "{error}");
}

/// A configuration with equal ports, whose programs mean something else, is refused.
#[test]
fn another_configuration_is_refused() {
    let (nano, image) = (config(NANO), image());
    let mut other = nano.clone();
    other.limits.n_embd /= 2;
    let dut = Dut::build(&rtl_gen::hdl::print(&stand_in(&other)).unwrap(), &BuildOptions::default()).unwrap();
    let error = Session::new(dut, &nano, &image, names(), SessionOptions::default()).err().unwrap();
    assert!(matches!(error, SessionError::OtherConfiguration { .. }), "{error}");
    // what does not bear on a program makes no difference
    other = Config { name: "other".into(), clock_mhz: 7, max_burst_beats: 16, ..nano.clone() };
    assert_eq!(other.fingerprint(), nano.fingerprint());
}

#[test]
fn a_waveform_is_written() {
    let (config, image) = (config(NANO), image());
    let dir = tempfile::tempdir().unwrap();
    let printed = rtl_gen::hdl::print(&stand_in(&config)).unwrap();
    let options = BuildOptions { trace: true, ..Default::default() };
    let dut = Dut::build(&printed, &options).unwrap_or_else(|e| panic!("{e}"));
    let mut s = Session::new(dut, &config, &image, names(), SessionOptions::default()).unwrap();
    let path = dir.path().join("t.fst");
    s.trace_open(&path).unwrap();
    s.token(5, None, TokenOptions::default()).unwrap();
    assert!(!path.exists(), "a waveform has its name once it is whole");
    s.trace_close().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 500);
    assert!(s.trace_open(&dir.path().join("no/such/dir.fst")).is_err());
}
