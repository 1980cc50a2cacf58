//! The host registers alone: every register against a plain model, accesses with random gaps, program loading.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::regs::regs;
use rtl_gen::config::{Config, StateAt};
use rtl_gen::hdl::print;
use rtl_gen::isa::FORMATS;
use rtl_gen::registers::{all, bit, reg, stall, ID, LOST, STALLS, VERSION};
use sim_harness::axi_lite::{AxiLite, LiteError, LiteSample};
use sim_harness::dut::{BuildOptions, Dut, Port};

/// Values of the block's other inputs in one cycle, and the pulses it gave.
#[derive(Default, Clone)]
struct Bench {
    starts: usize,
    clears: usize,
    /// (unit, lane, instruction, word)
    loaded: Vec<(usize, u64, u64, u32)>,
}

struct Host {
    dut: Dut,
    lite: AxiLite,
    seen: Bench,
    refused: bool,
}

impl Host {
    fn new(config: &Config, stall: f64, seed: u64) -> Self {
        let mut dut =
            Dut::build(&print(&regs(config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        dut.reset();
        Host { dut, lite: AxiLite::new(stall, seed), seen: Bench::default(), refused: false }
    }

    fn port(&self, name: &str) -> Port {
        self.dut.port(name).unwrap()
    }

    fn put(&mut self, name: &str, value: u64) {
        let p = self.port(name);
        self.dut.set(p, value);
    }

    fn value(&self, name: &str) -> u64 {
        self.dut.get(self.port(name))
    }

    /// One cycle; the data of an access that ends in it.
    fn cycle(&mut self) -> Option<u32> {
        let d = self.lite.drive();
        for (name, v) in [("aw", d.awvalid), ("w", d.wvalid), ("ar", d.arvalid)] {
            self.put(&format!("s_axil_{name}valid_i"), u64::from(v));
        }
        self.put("s_axil_bready_i", u64::from(d.bready));
        self.put("s_axil_rready_i", u64::from(d.rready));
        // what is not valid is garbage
        self.put("s_axil_awaddr_i", u64::from(if d.awvalid { d.addr } else { 0x24 }));
        self.put("s_axil_araddr_i", u64::from(if d.arvalid { d.addr } else { 0x24 }));
        self.put("s_axil_wdata_i", u64::from(if d.wvalid { d.wdata } else { 0xDEAD_BEEF }));
        self.put("s_axil_wstrb_i", if d.wvalid { 15 } else { 0 });
        self.dut.clock_low().unwrap();
        self.seen.starts += self.value("start_o") as usize;
        self.seen.clears += self.value("clear_o") as usize;
        let we = self.value("prog_we_o");
        for unit in (0..4).filter(|u| we >> u & 1 == 1) {
            let word = (unit, self.value("prog_lane_o"), self.value("prog_idx_o"), self.value("prog_wdata_o") as u32);
            self.seen.loaded.push(word);
        }
        let bit = |n: &str| self.value(&format!("s_axil_{n}_o")) == 1;
        let sample = LiteSample {
            awready: bit("awready"),
            wready: bit("wready"),
            bvalid: bit("bvalid"),
            bresp: self.value("s_axil_bresp_o") as u8,
            arready: bit("arready"),
            rvalid: bit("rvalid"),
            rresp: self.value("s_axil_rresp_o") as u8,
            rdata: self.value("s_axil_rdata_o") as u32,
        };
        let done = self.lite.sample(sample);
        self.dut.clock_high().unwrap();
        match done {
            Err(LiteError::Response { resp: 2, .. }) => {
                self.refused = true;
                Some(0)
            }
            other => other.unwrap_or_else(|e| panic!("{e}")),
        }
    }

    /// The answer to the access that was begun; `None` if it is SLVERR.
    fn finish(&mut self) -> Option<u32> {
        self.refused = false;
        for _ in 0..1000 {
            if let Some(v) = self.cycle() {
                return (!self.refused).then_some(v);
            }
        }
        panic!("an access without an answer");
    }

    fn try_write(&mut self, at: u32, value: u32) -> bool {
        self.lite.write(at, value);
        self.finish().is_some()
    }

    fn write(&mut self, at: u32, value: u32) {
        assert!(self.try_write(at, value), "a write of {at:#x} was refused");
    }

    fn try_read(&mut self, at: u32) -> Option<u32> {
        self.lite.read(at);
        self.finish()
    }

    fn read(&mut self, at: u32) -> u32 {
        self.try_read(at).unwrap_or_else(|| panic!("a read of {at:#x} was refused"))
    }
}

fn config() -> Config {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    Config::load(&dir.join("nano.toml")).unwrap()
}

#[test]
fn registers_hold_what_the_reference_says() {
    for (bits, stall) in [(40, 0.0), (32, 0.4), (64, 0.7)] {
        let mut config = config();
        config.axi_addr_bits = bits;
        let mut h = Host::new(&config, stall, 11);
        let mut rng = ChaCha8Rng::seed_from_u64(bits as u64);
        let address_mask = u64::MAX >> (64 - bits) & !63;
        assert_eq!(h.read(reg::ID), ID);
        assert_eq!(h.read(reg::VERSION), VERSION);
        assert_eq!(h.read(reg::CONFIG), config.fingerprint());
        for round in 0..100 {
            let (token, base) = (rng.gen::<u32>() & 0x3_FFFF, rng.gen::<u64>());
            h.write(reg::TOKEN_IN, token);
            h.write(reg::IMAGE_BASE_LO, base as u32);
            assert_eq!(h.try_write(reg::IMAGE_BASE_HI, (base >> 32) as u32), bits > 32);
            // nothing of this is a place to write to
            for at in [reg::ID, reg::VERSION, reg::TOKEN_OUT, reg::CYCLES, reg::STALLS, 0x58, 0xFC] {
                assert!(!h.try_write(at, rng.gen()), "{at:#x}");
            }
            assert_eq!(h.read(reg::ID), ID, "round {round}");
            assert_eq!(h.read(reg::TOKEN_IN), token, "round {round}");
            assert_eq!(u64::from(h.read(reg::IMAGE_BASE_LO)), base & address_mask & 0xFFFF_FFFF, "round {round}");
            let high = h.try_read(reg::IMAGE_BASE_HI);
            assert_eq!(high.map(u64::from), (bits > 32).then_some((base & address_mask) >> 32), "round {round}");
            assert_eq!(h.value("token_o"), u64::from(token));
            assert_eq!(h.value("image_base_o"), (base & address_mask) >> 6);
            assert_eq!(h.read(reg::SKIPPED_COLUMNS), 0);
            for at in [0xFC, reg::CTRL, reg::PROG_DATA] {
                assert_eq!(h.try_read(at), None, "{at:#x}");
            }
        }
        assert_eq!((h.seen.starts, h.seen.clears, h.seen.loaded.len()), (0, 0, 0));
    }
}

#[test]
fn programs_arrive_word_by_word() {
    let mut h = Host::new(&config(), 0.3, 5);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for unit in [2usize, 0, 3, 1, 2] {
        let lanes = FORMATS[unit].bits / 32;
        let n = rng.gen_range(1..=config().limits.wkv_program);
        h.seen.loaded.clear();
        h.write(reg::PROG_SELECT, unit as u32);
        assert_eq!(h.read(reg::PROG_SELECT), unit as u32);
        let words: Vec<u32> = (0..n * lanes).map(|_| rng.gen()).collect();
        words.iter().for_each(|w| h.write(reg::PROG_DATA, *w));
        let want: Vec<_> =
            words.iter().enumerate().map(|(i, w)| (unit, (i % lanes) as u64, (i / lanes) as u64, *w)).collect();
        assert_eq!(h.seen.loaded, want, "unit {unit}");
    }
}

#[test]
fn a_token_is_started_once_and_counted() {
    let mut h = Host::new(&config(), 0.2, 9);
    ready(&mut h);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for token in 0..20 {
        let logits = rng.gen::<bool>();
        h.seen = Bench::default();
        h.write(
            reg::CTRL,
            bit::CTRL::START
                | if token % 3 == 0 { bit::CTRL::CLEAR } else { 0 }
                | if logits { bit::CTRL::LOGITS } else { 0 },
        );
        assert_eq!((h.seen.starts, h.seen.clears), (1, usize::from(token % 3 == 0)));
        assert_eq!(h.value("logits_on_o"), u64::from(logits));
        h.put("busy_i", 1);
        h.put("started_i", 1);
        h.cycle();
        h.put("started_i", 0);
        h.put("running_i", 1);
        let (mut cycles, mut sat, mut beats, mut skipped) = (0u32, [0u32; 3], 0u32, 0u32);
        let mut events = [0u32; STALLS.len()];
        let mut lost = [0u32; LOST.len()];
        let length = rng.gen_range(5..200);
        let asks_again = rng.gen_range(1..length);
        for i in 0..length {
            let (m, v, w, b, e) = (
                rng.gen_range(0..2),
                rng.gen_range(0..64),
                rng.gen_range(0..64),
                rng.gen_range(0..2),
                rng.gen_range(0..128),
            );
            for (name, value) in [("sat_mat_i", m), ("sat_vec_i", v), ("sat_wkv_i", w), ("beat_i", b), ("event_i", e)] {
                h.put(name, u64::from(value));
            }
            let columns = rng.gen_range(0..1 << 15);
            h.put("skipped_i", u64::from(columns));
            let causes = rng.gen_range(0..256);
            h.put("lost_i", u64::from(causes));
            lost.iter_mut().enumerate().for_each(|(k, c)| *c += causes >> k & 1);
            skipped += columns;
            h.put("finished_i", u64::from(i + 1 == length));
            h.put("argmax_i", 1000 + token);
            if i == asks_again {
                h.lite.write(reg::CTRL, bit::CTRL::START | bit::CTRL::CLEAR); // busy: nothing happens
            }
            h.cycle();
            cycles += 1;
            sat = [sat[0] + m, sat[1] + v, sat[2] + w];
            beats += b;
            events.iter_mut().enumerate().for_each(|(k, c)| *c += e >> k & 1);
        }
        h.put("finished_i", 0);
        h.put("running_i", 0);
        h.put("argmax_i", 7); // TOKEN_OUT keeps what it was at the end
        while !h.lite.idle() {
            h.cycle();
        }
        assert_eq!((h.seen.starts, h.seen.clears), (1, usize::from(token % 3 == 0)), "a start while busy");
        assert_eq!(h.value("logits_on_o"), u64::from(logits), "a start while busy");
        assert_eq!(h.read(reg::STATUS), bit::STATUS::BUSY | bit::STATUS::DONE);
        h.put("busy_i", 0);
        assert_eq!(h.read(reg::STATUS), bit::STATUS::DONE);
        assert_eq!(u64::from(h.read(reg::TOKEN_OUT)), 1000 + token);
        assert_eq!(h.read(reg::CYCLES), cycles);
        assert_eq!([reg::SAT_MAT, reg::SAT_VEC, reg::SAT_WKV].map(|at| h.read(at)), sat);
        assert_eq!(h.read(reg::WEIGHT_BEATS), beats);
        assert_eq!(h.read(reg::SKIPPED_COLUMNS), skipped);
        for (k, count) in events.iter().enumerate() {
            assert_eq!(h.read(stall(k)), *count, "{}", STALLS[k].0);
        }
        for (k, count) in lost.iter().enumerate() {
            assert_eq!(h.read(reg::LOST + 4 * k as u32), *count, "{}", LOST[k].0);
        }
    }
}

#[test]
fn a_read_error_stays_until_it_is_cleared() {
    let mut h = Host::new(&config(), 0.0, 1);
    ready(&mut h);
    assert_eq!(h.read(reg::STATUS), 0);
    h.put("read_error_i", 1);
    h.cycle();
    h.put("read_error_i", 0);
    assert_eq!(h.read(reg::STATUS), bit::STATUS::READ_ERROR);
    h.write(reg::CTRL, bit::CTRL::START);
    h.write(reg::STATUS, !bit::STATUS::READ_ERROR);
    assert_eq!(h.read(reg::STATUS), bit::STATUS::READ_ERROR, "a start, or a 0, does not clear it");
    h.write(reg::STATUS, bit::STATUS::READ_ERROR);
    assert_eq!(h.read(reg::STATUS), 0);
}

#[test]
fn a_partial_write_is_refused() {
    let mut h = Host::new(&config(), 0.0, 1);
    h.write(reg::TOKEN_IN, 77);
    for strobe in 0..15 {
        for (name, value) in
            [("awvalid", 1), ("wvalid", 1), ("awaddr", u64::from(reg::TOKEN_IN)), ("wdata", 5), ("wstrb", strobe)]
        {
            h.put(&format!("s_axil_{name}_i"), value);
        }
        h.dut.tick();
        h.put("s_axil_awvalid_i", 0);
        h.put("s_axil_wvalid_i", 0);
        while h.value("s_axil_bvalid_o") == 0 {
            h.dut.tick();
        }
        assert_eq!(h.value("s_axil_bresp_o"), 2, "strobe {strobe:#x}: SLVERR");
        h.put("s_axil_bready_i", 1);
        h.dut.tick();
        assert_eq!(h.read(reg::TOKEN_IN), 77, "strobe {strobe:#x}");
    }
}

#[test]
fn every_slot_has_a_state_base_of_its_own() {
    let mut config = config();
    (config.sessions, config.state) = (8, StateAt::Memory);
    let mut h = Host::new(&config, 0.2, 5);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut bases = [0u64; 8];
    for _ in 0..40 {
        let slot = rng.gen_range(0..8usize);
        h.write(reg::STATE_SLOT, slot as u32);
        let base = rng.gen::<u64>() & 0xFF_FFFF_FFFF;
        h.write(reg::STATE_BASE_LO, base as u32);
        h.write(reg::STATE_BASE_HI, (base >> 32) as u32);
        bases[slot] = base & !63; // in units of 64 bytes
    }
    let mut out = [0u32; 9];
    h.dut.get_wide(h.port("state_base_o"), &mut out);
    let bit = |i: usize| u64::from(out[i / 32] >> (i % 32) & 1);
    for (slot, base) in bases.into_iter().enumerate() {
        h.write(reg::STATE_SLOT, slot as u32);
        assert_eq!(h.read(reg::STATE_SLOT), slot as u32);
        let read = u64::from(h.read(reg::STATE_BASE_HI)) << 32 | u64::from(h.read(reg::STATE_BASE_LO));
        assert_eq!(read, base, "slot {slot}");
        assert_eq!((0..34).fold(0, |b, i| b | bit(34 * slot + i) << (6 + i)), base, "port of slot {slot}");
    }
}

/// A chip with a sound session in every slot and room for 256 tokens.
fn ready(h: &mut Host) {
    h.write(reg::TOKEN_LIMIT, 256);
    h.write(reg::INVALID, 0xFF);
}

/// Accesses that are answered SLVERR, each of which leaves the registers alone and is counted.
#[test]
fn what_is_refused_changes_nothing_and_is_counted() {
    let mut h = Host::new(&config(), 0.3, 21);
    ready(&mut h);
    h.write(reg::TOKEN_IN, 9);
    let refused = |h: &mut Host, n: u32| assert_eq!(h.read(reg::REFUSED), n);
    // addresses that are no register, or no multiple of 4; registers that cannot be written, or not be read
    for (i, at) in [0x58u32 + 1, 0x10 + 2, 0xFC, 0xFFC, reg::ID, reg::VERSION, reg::TOKEN_OUT, reg::CYCLES, reg::CONFIG]
        .into_iter()
        .enumerate()
    {
        assert!(!h.try_write(at, 5), "{at:#x}");
        refused(&mut h, i as u32 + 1);
    }
    for (i, at) in [0x11u32, 0x13, 0xFC, 0xFFC, reg::CTRL, reg::PROG_DATA].into_iter().enumerate() {
        assert_eq!(h.try_read(at), None, "{at:#x}");
        refused(&mut h, 10 + i as u32);
    }
    assert!(!h.try_write(reg::TOKEN_IN, 1 << 18 | 9), "a token that is too long to be one");
    // while the chip is busy
    h.put("busy_i", 1);
    let idle_only: Vec<_> = all(&config()).into_iter().filter(|r| r.idle_only).collect();
    assert!(idle_only.len() >= 6);
    for r in &idle_only {
        assert!(!h.try_write(r.offset, 0x40), "{}", r.name);
    }
    for bits in [bit::CTRL::START, bit::CTRL::CLEAR, bit::CTRL::START | bit::CTRL::CLEAR] {
        assert!(!h.try_write(reg::CTRL, bits));
    }
    h.write(reg::WATCHDOG, 7);
    h.write(reg::IRQ_ENABLE, 3);
    h.put("busy_i", 0);
    refused(&mut h, 15 + 1 + idle_only.len() as u32 + 3);
    assert_eq!((h.read(reg::TOKEN_IN), h.read(reg::IMAGE_BASE_LO), h.read(reg::TOKEN_LIMIT)), (9, 0, 256));
    assert_eq!((h.read(reg::PROG_SELECT), h.read(reg::WATCHDOG), h.read(reg::IRQ_ENABLE)), (0, 7, 3));
    assert_eq!((h.seen.starts, h.seen.clears, h.seen.loaded.len()), (0, 0, 0));
}

/// START needs a token of the vocabulary and a session that is sound, and takes DONE away in any case.
#[test]
fn a_token_is_started_only_if_it_can_be_answered() {
    let mut config = config();
    config.sessions = 4;
    let mut h = Host::new(&config, 0.2, 22);
    let done = |h: &mut Host| {
        h.put("finished_i", 1);
        h.cycle();
        h.put("finished_i", 0);
    };
    assert_eq!(h.read(reg::INVALID), 0xF, "nothing is known after a reset");
    assert!(!h.try_write(reg::CTRL, bit::CTRL::START | bit::CTRL::CLEAR), "no vocabulary yet");
    h.write(reg::STATUS, bit::ERRORS);
    h.write(reg::TOKEN_LIMIT, 100);
    h.write(reg::ACTIVE, 0b0110);
    assert!(!h.try_write(reg::ACTIVE, 0xF0), "none of the four slots");
    assert!(!h.try_write(reg::CTRL, bit::CTRL::START), "no session is sound");
    h.write(reg::CTRL, bit::CTRL::CLEAR);
    assert_eq!(h.read(reg::INVALID), 0b1001, "cleared are those at work");
    h.write(reg::CTRL, bit::CTRL::START);
    done(&mut h);
    for (slot, token, good) in [(1, 99, true), (2, 100, false), (2, 0, true), (1, 0x3_FFFF, false), (3, 100, false)] {
        assert_eq!(h.read(reg::STATUS), bit::STATUS::DONE, "slot {slot} token {token}");
        h.write(reg::TOKENS_IN + 4 * slot, token);
        let good = good || slot == 3; // which rests
        assert_eq!(h.try_write(reg::CTRL, bit::CTRL::START), good, "slot {slot} token {token}");
        assert_eq!(h.read(reg::STATUS), if good { 0 } else { bit::STATUS::TOKEN_ERROR });
        h.write(reg::TOKENS_IN + 4 * slot, 1);
        if !good {
            assert_eq!(h.read(reg::IRQ_STATUS) & 2, 2);
            h.write(reg::STATUS, bit::ERRORS);
            h.write(reg::CTRL, bit::CTRL::START);
        }
        h.write(reg::IRQ_STATUS, 3);
        done(&mut h);
    }
    h.write(reg::ACTIVE, 0b1000);
    assert!(!h.try_write(reg::CTRL, bit::CTRL::START), "slot 3 was never cleared");
    assert_eq!(h.read(reg::STATUS), 0, "the answer of the token before is not on offer");
    h.write(reg::INVALID, 0b1000);
    h.write(reg::CTRL, bit::CTRL::START);
}

/// Whatever ends a token: no DONE, TOKEN_OUT as it was, an abort, an interrupt, and a session that is not sound.
#[test]
fn a_token_that_is_ended_says_why_and_has_no_answer() {
    for (cause, want) in
        [("read", bit::STATUS::READ_ERROR), ("late", bit::STATUS::TIMEOUT), ("abort", bit::STATUS::ABORTED)]
    {
        for last in [false, true] {
            let mut h = Host::new(&config(), 0.0, 23);
            ready(&mut h);
            h.write(reg::IRQ_ENABLE, 2);
            h.write(reg::WATCHDOG, if cause == "late" { 50 } else { 0 });
            h.write(reg::CTRL, bit::CTRL::START);
            h.put("busy_i", 1);
            h.put("started_i", 1);
            h.cycle();
            h.put("started_i", 0);
            h.put("running_i", 1);
            h.put("argmax_i", 77);
            for _ in 0..40 {
                h.cycle();
            }
            assert_eq!((h.value("abort_o"), h.value("irq_o")), (0, 0), "{cause}");
            match cause {
                "read" => h.put("read_error_i", 1),
                "abort" => h.lite.write(reg::CTRL, bit::CTRL::ABORT),
                _ => {}
            }
            let mut cycles = 0;
            while h.value("abort_o") == 0 {
                // in the last cycle before the abort, and in that of the abort, the token comes to its end
                h.put("finished_i", u64::from(last && cause != "late" && (cause != "abort" || cycles >= 2)));
                h.cycle();
                h.put("read_error_i", 0);
                cycles += 1;
                assert!(cycles < 30, "{cause}: no abort");
            }
            h.put("finished_i", u64::from(last));
            h.cycle();
            h.put("finished_i", 0);
            h.put("running_i", 0);
            while !h.lite.idle() {
                h.cycle();
            }
            h.put("busy_i", 0);
            assert_eq!(h.read(reg::STATUS), want, "{cause} {last}");
            assert_eq!((h.read(reg::TOKEN_OUT), h.read(reg::INVALID)), (0, 1), "{cause} {last}");
            assert_eq!((h.read(reg::IRQ_STATUS), h.value("irq_o")), (2, 1), "{cause} {last}");
            h.write(reg::IRQ_STATUS, 2);
            h.cycle();
            assert_eq!(h.value("irq_o"), 0);
            assert!(!h.try_write(reg::CTRL, bit::CTRL::START), "{cause}: the session is not sound");
            h.write(reg::CTRL, bit::CTRL::START | bit::CTRL::CLEAR);
            assert_eq!(h.read(reg::STATUS), want, "error bits stay until they are cleared");
            h.write(reg::STATUS, want);
            assert_eq!((h.read(reg::STATUS), h.read(reg::INVALID)), (0, 0));
        }
    }
}

/// An abort of nothing does no harm, and one together with a start is refused.
#[test]
fn an_abort_while_idle_ends_nothing() {
    let mut h = Host::new(&config(), 0.0, 24);
    ready(&mut h);
    h.write(reg::CTRL, bit::CTRL::ABORT);
    assert_eq!((h.read(reg::STATUS), h.read(reg::INVALID), h.read(reg::IRQ_STATUS)), (0, 0, 0));
    assert!(!h.try_write(reg::CTRL, bit::CTRL::ABORT | bit::CTRL::START));
    assert!(!h.try_write(reg::CTRL, bit::CTRL::ABORT | bit::CTRL::CLEAR));
    assert_eq!((h.seen.starts, h.seen.clears), (0, 0));
}

/// A program longer than its memory is refused where it ends.
#[test]
fn a_program_that_does_not_fit_is_refused() {
    let config = config();
    let mut h = Host::new(&config, 0.0, 25);
    let depth =
        [config.limits.dma_program, config.limits.mat_program, config.limits.vec_program, config.limits.wkv_program];
    for unit in [3usize, 1] {
        h.seen.loaded.clear();
        h.write(reg::PROG_SELECT, unit as u32);
        let words = depth[unit] * FORMATS[unit].bits / 32;
        for word in 0..words as u32 {
            h.write(reg::PROG_DATA, word);
        }
        assert!(!h.try_write(reg::PROG_DATA, 0), "unit {unit}");
        assert_eq!(h.seen.loaded.len(), words, "unit {unit}");
        h.write(reg::PROG_SELECT, unit as u32);
        h.write(reg::PROG_DATA, 0);
    }
}

/// A reset of the chip alone: an access that was accepted is answered after it, and nothing is lost but what the registers held.
#[test]
fn a_reset_of_the_chip_leaves_the_bus_alone() {
    let mut h = Host::new(&config(), 0.0, 26);
    ready(&mut h);
    for gap in 0..6 {
        h.write(reg::WATCHDOG, 3);
        h.lite.write(reg::TOKEN_LIMIT, 40 + gap);
        for _ in 0..gap {
            h.cycle();
        }
        h.put("down_i", 1);
        h.put("rst_ni", 0);
        for _ in 0..5 {
            h.cycle();
        }
        h.put("rst_ni", 1);
        h.put("down_i", 0);
        while !h.lite.idle() {
            h.cycle();
        }
        assert_eq!(h.read(reg::WATCHDOG), 0);
        let limit = h.read(reg::TOKEN_LIMIT);
        assert!(limit == 40 + gap || limit == 0, "gap {gap}: {limit}");
    }
}
