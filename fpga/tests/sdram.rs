//! The memory controller alone against the chip model: random reads and writes with gaps, a stream at full speed, refresh.

use fpga::board::{SdramCycles, ULX3S_85F};
use fpga::rtl::sdram::sdram;
use fpga::sim::sdram_chip::{Pins, SdramChip, Violation};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::hdl::print;
use sim_harness::dut::{BuildOptions, Dut, Port};
use std::collections::{BTreeMap, VecDeque};

/// Write data or none, and the beat.
type Request = Option<(Option<[u32; 4]>, u64)>;

struct Bench {
    dut: Dut,
    chip: SdramChip,
    out: Pins,
    ports: BTreeMap<&'static str, Port>,
}

const PORTS: [&str; 16] = [
    "req_valid_i",
    "req_ready_o",
    "req_we_i",
    "req_beat_i",
    "req_data_i",
    "rvalid_o",
    "rdata_o",
    "cs_no",
    "ras_no",
    "cas_no",
    "we_no",
    "ba_o",
    "addr_o",
    "dq_oe_o",
    "dq_o",
    "dq_i",
];

impl Bench {
    fn new(khz: u32) -> Self {
        Self::with(khz, &ULX3S_85F.sdram_timing.cycles(khz))
    }

    fn with(khz: u32, cycles: &SdramCycles) -> Self {
        let module = sdram(&ULX3S_85F.sdram, cycles);
        let mut dut = Dut::build(&print(&module).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let ports = PORTS.into_iter().map(|n| (n, dut.port(n).unwrap())).collect();
        let reset = dut.port("rst_ni").unwrap();
        dut.tick();
        dut.set(reset, 1);
        let chip = SdramChip::new(ULX3S_85F.sdram, ULX3S_85F.sdram_timing, khz, &[]);
        Bench { dut, chip, out: Pins::IDLE, ports }
    }

    fn get(&self, name: &str) -> u64 {
        self.dut.get(self.ports[name])
    }

    /// One clock with `request` on offer: whether it was taken, and what was read.
    fn clock(&mut self, request: Request) -> (bool, Option<[u32; 4]>) {
        self.try_clock(request).unwrap_or_else(|e| panic!("{e}"))
    }

    fn try_clock(&mut self, request: Request) -> Result<(bool, Option<[u32; 4]>), Violation> {
        let p = &self.ports;
        self.dut.set(p["req_valid_i"], u64::from(request.is_some()));
        if let Some((data, beat)) = request {
            self.dut.set(p["req_we_i"], u64::from(data.is_some()));
            self.dut.set(p["req_beat_i"], beat);
            self.dut.set_wide(p["req_data_i"], &data.unwrap_or([0xBAD; 4]));
        }
        self.dut.clock_low().unwrap();
        let taken = request.is_some() && self.get("req_ready_o") == 1;
        let mut words = [0; 4];
        let read = (self.get("rvalid_o") == 1).then(|| {
            self.dut.get_wide(self.ports["rdata_o"], &mut words);
            words
        });
        let high = |n| self.get(n) == 1;
        let now = Pins {
            cs: high("cs_no"),
            ras: high("ras_no"),
            cas: high("cas_no"),
            we: high("we_no"),
            bank: self.get("ba_o") as u8,
            addr: self.get("addr_o") as u16,
            dq: high("dq_oe_o").then(|| self.get("dq_o") as u16),
        };
        let pins = std::mem::replace(&mut self.out, now);
        let word = self.chip.clock(&pins)?;
        self.dut.clock_high().unwrap();
        self.dut.set(self.ports["dq_i"], u64::from(word.or(pins.dq).unwrap_or(0x5EED)));
        Ok((taken, read))
    }
}

/// Random beats from few rows of all banks, so that every order of open, closed and other row comes up.
fn random_traffic(khz: u32, seed: u64) {
    let mut bench = Bench::new(khz);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut memory: BTreeMap<u64, [u32; 4]> = BTreeMap::new();
    let mut expected: VecDeque<[u32; 4]> = VecDeque::new();
    let (mut pending, mut done) = (None, 0);
    let mut busy = true;
    for cycle in 0..300_000u64 {
        if rng.gen_bool(0.001) {
            busy = !busy;
        }
        if pending.is_none() && rng.gen_bool(if busy { 0.9 } else { 0.02 }) {
            let beat = rng.gen_range(0..3u64) << 13 | rng.gen_range(0..4u64) << 6 | rng.gen_range(0..4u64);
            let beat = if rng.gen_bool(0.05) { rng.gen_range(0..1 << 21) } else { beat };
            pending = Some((rng.gen_bool(0.4).then(|| rng.gen::<[u32; 4]>()), beat));
        }
        let (taken, read) = bench.clock(pending);
        if taken {
            if let Some((data, beat)) = pending.take() {
                match data {
                    Some(data) => drop(memory.insert(beat, data)),
                    None => expected.push_back(memory.get(&beat).copied().unwrap_or_default()),
                }
            }
        }
        if let Some(got) = read {
            let want =
                expected.pop_front().unwrap_or_else(|| panic!("seed {seed} cycle {cycle}: data nobody asked for"));
            assert_eq!(got, want, "{khz} kHz, seed {seed}, cycle {cycle}");
            done += 1;
        }
    }
    assert!(done > 3_000, "{done} reads in 300000 cycles");
    assert!(expected.len() < 4, "{} reads are not answered", expected.len());
    assert!(bench.chip.counts.refreshes > 300, "{:?}", bench.chip.counts);
}

#[test]
fn random_reads_and_writes_keep_every_time() {
    for seed in 0..2 {
        random_traffic(80_000, seed);
    }
}

#[test]
fn slow_and_fast_clocks_keep_every_time_too() {
    random_traffic(25_000, 7);
    random_traffic(100_000, 8);
}

#[test]
fn a_stream_takes_eight_cycles_a_beat() {
    let mut bench = Bench::new(80_000);
    let (mut beat, mut first, mut last, mut n) = (0, 0, 0, 0u64);
    for cycle in 0..100_000u64 {
        let (taken, read) = bench.clock(Some((None, beat)));
        beat += u64::from(taken);
        if read.is_some() {
            (first, last, n) = (if n == 0 { cycle } else { first }, cycle, n + 1);
        }
    }
    let bytes_per_cycle = 16.0 * (n - 1) as f64 / (last - first) as f64;
    // 2 at best; a refresh takes some twenty of 590 cycles
    assert!(bytes_per_cycle > 1.9, "{bytes_per_cycle} bytes a cycle");
}

/// The checks of the chip model can fail: a controller that believes in a faster chip, or a slower refresh, is caught.
///
/// tRC, tRAS and tRRD cannot be broken by a controller that reads eight words of every row it opens.
#[test]
fn a_hasty_controller_is_caught() {
    let khz = 100_000;
    let honest = ULX3S_85F.sdram_timing.cycles(khz);
    for (rule, cycles) in [
        ("tRCD", SdramCycles { rcd: 1, ..honest }),
        ("tRP", SdramCycles { rp: 1, ..honest }),
        ("tWR", SdramCycles { wr: 0, ..honest }),
        ("refresh", SdramCycles { refresh: 800, ..honest }),
        ("power-up", SdramCycles { power_up: 9_000, ..honest }),
        ("mode", SdramCycles { cas: 2, ..honest }),
        ("tRFC", SdramCycles { rfc: 2, ..honest }),
    ] {
        let mut bench = Bench::with(khz, &cycles);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let said = (0..60_000).find_map(|_| {
            let data = rng.gen_bool(0.5).then_some([1; 4]);
            bench.try_clock(Some((data, rng.gen_range(0..1u64 << 21)))).err()
        });
        let said = said.map_or_else(String::new, |v| v.to_string());
        assert!(said.contains(rule), "{rule}: {said:?}");
    }
}
