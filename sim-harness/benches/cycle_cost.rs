//! How much a cycle of the bench costs beside the design itself: `cargo bench -p sim-harness --bench cycle_cost`.

#[path = "../tests/common/mod.rs"]
mod common;

use rtl_gen::config::Config;
use sim_harness::dut::{BuildOptions, Dut};
use sim_harness::lockstep::{group_lanes, ExpectedToken, Group, OpNames};
use sim_harness::session::{Session, SessionError, SessionOptions, TokenOptions};
use std::sync::Arc;
use std::time::Instant;

fn main() {
    for text in [include_str!("../../configs/nano.toml"), include_str!("../../configs/wide.toml")] {
        let config = Config::parse(text, "config").unwrap();
        let image = vec![0x5Au8; 4096];
        let printed = rtl_gen::hdl::print(&common::stand_in(&config)).unwrap();
        let dut = || Dut::build(&printed, &BuildOptions::default()).unwrap();
        let mut alone = dut();
        alone.reset();
        let n = 2_000_000u64;
        let start = Instant::now();
        (0..n).for_each(|_| alone.tick());
        let design = start.elapsed().as_secs_f64() / n as f64 * 1e9;

        let options = SessionOptions { hang_cycles: n, ..Default::default() };
        let mut s = Session::new(dut(), &config, &image, Arc::new(OpNames::default()), options).unwrap();
        let start = Instant::now();
        let hang = s.token(common::HANG_TOKEN, None, TokenOptions::default());
        assert!(matches!(hang, Err(SessionError::Hang { .. })));
        let idle = start.elapsed().as_secs_f64() / n as f64 * 1e9;

        let mut e = ExpectedToken::new(&group_lanes(config.vlanes(), config.numbers.state_bits));
        for group in [Group::Vec, Group::WkvS, Group::WkvSa, Group::WkvY] {
            e.stream(group).push_unnamed(0, if group == Group::WkvS { 1000 } else { 0 }, common::BEATS);
        }
        let cycles = s.cycles();
        let start = Instant::now();
        for _ in 0..5000 {
            s.token(5, Some(&e), TokenOptions::default()).unwrap();
        }
        let busy = start.elapsed().as_secs_f64() / (s.cycles() - cycles) as f64 * 1e9;
        eprintln!("{}: design alone {design:.0} ns a cycle, in the session {idle:.0} ns idle, {busy:.0} ns with events and registers", config.name);
    }
}
