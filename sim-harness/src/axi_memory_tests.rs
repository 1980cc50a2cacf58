use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::{Config, Ddr4};

const BASE: u64 = 0x8000_0000;

fn timing() -> MemoryTiming {
    MemoryTiming {
        beat_bytes: 16,
        max_burst_beats: 64,
        max_outstanding: 4,
        latency_cycles: 10,
        bytes_per_cycle: 16.0,
        refresh_interval_cycles: 100,
        refresh_cycles: 0,
        stall: 0.0,
        seed: 1,
        ddr4: None,
    }
}

fn read(addr: u64, beats: u64) -> ReadAddress {
    ReadAddress { addr, len: (beats - 1) as u8, size: 4, burst: 1 }
}

fn image() -> Vec<u8> {
    (0..16384u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Reads `bursts` with a master that refuses data with probability `refuse`; returns the bytes and the cycle of each beat.
fn run(memory: &mut AxiMemory, bursts: &[ReadAddress], refuse: f64) -> (Vec<u8>, Vec<u64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let total: usize = bursts.iter().map(|b| usize::from(b.len) + 1).sum();
    let (mut got, mut at, mut next) = (vec![], vec![], 0);
    let mut held: Option<Beat> = None;
    for cycle in 0..200_000 {
        let (arready, beat) = memory.drive();
        if let Some(h) = held {
            assert_eq!(beat, Some(h), "a refused beat stays as it is");
        }
        let rready = !rng.gen_bool(refuse);
        let address = bursts.get(next).copied();
        memory.sample(address, rready).unwrap();
        next += usize::from(arready && address.is_some());
        held = beat.filter(|_| !rready);
        if let (Some(b), true) = (beat, rready) {
            got.extend_from_slice(b.data());
            at.push(cycle);
        }
        if at.len() == total {
            return (got, at);
        }
    }
    panic!("{} of {total} beats", at.len());
}

#[test]
fn data_comes_in_order_whatever_the_stalls() {
    let image = image();
    let bursts: Vec<_> = [(0, 64), (4096, 64), (1024, 1), (8192 + 16, 7), (2048, 64), (16384 - 16, 1)]
        .map(|(a, n)| read(BASE + a, n))
        .to_vec();
    let want: Vec<u8> = bursts
        .iter()
        .flat_map(|b| image[(b.addr - BASE) as usize..][..(usize::from(b.len) + 1) * 16].to_vec())
        .collect();
    for (stall, refuse, rate) in [(0.0, 0.0, 16.0), (0.3, 0.3, 16.0), (0.9, 0.0, 3.7), (0.0, 0.5, 40.0)] {
        let timing = MemoryTiming { stall, bytes_per_cycle: rate, refresh_cycles: 9, ..timing() };
        let mut memory = AxiMemory::new(&image, BASE, timing);
        assert_eq!(run(&mut memory, &bursts, refuse).0, want, "stall {stall} refuse {refuse} rate {rate}");
        assert_eq!(memory.stats().beats * 16, want.len() as u64);
        assert_eq!((memory.stats().bursts, memory.outstanding()), (6, 0));
    }
}

#[test]
fn latency_rate_and_refresh_are_what_they_say() {
    let image = image();
    let bursts = [read(BASE, 64), read(BASE + 1024, 64)];
    let (_, at) = run(&mut AxiMemory::new(&image, BASE, timing()), &bursts, 0.0);
    assert_eq!(at[0], 10, "first beat after the latency");
    assert_eq!(at[127] - at[0], 127, "then one beat a cycle, without a gap between bursts");

    let slow = MemoryTiming { bytes_per_cycle: 12.0, ..timing() };
    let (_, at) = run(&mut AxiMemory::new(&image, BASE, slow), &bursts, 0.0);
    let cycles = at[127] - at[0];
    assert!((167..=171).contains(&cycles), "127 beats at 3 in 4 cycles, took {cycles}");

    let refresh = MemoryTiming { refresh_cycles: 20, ..timing() };
    let (_, at) = run(&mut AxiMemory::new(&image, BASE, refresh), &bursts, 0.0);
    assert_eq!(at[127] - at[0], 127 + 20, "one refresh falls into the run");
    assert!(at.iter().all(|c| !(100..120).contains(c)));
}

#[test]
fn no_more_bursts_than_allowed_are_accepted() {
    let image = image();
    let mut memory = AxiMemory::new(&image, BASE, timing());
    for _ in 0..30 {
        memory.drive();
        memory.sample(Some(read(BASE, 4)), false).unwrap();
    }
    assert_eq!(memory.outstanding(), 4);
}

#[test]
fn a_broken_rule_is_named() {
    let image = image();
    let end = BASE + 16384;
    let good = read(BASE, 4);
    let cases = [
        (ReadAddress { burst: 0, ..good }, MemoryError::NotIncr { addr: BASE, got: 0 }),
        (ReadAddress { size: 3, ..good }, MemoryError::Size { addr: BASE, got: 3, expected: 4 }),
        (read(BASE, 65), MemoryError::TooLong { addr: BASE, beats: 65, max: 64 }),
        (read(BASE + 8, 1), MemoryError::Unaligned { addr: BASE + 8, beat_bytes: 16 }),
        (read(BASE + 4080, 2), MemoryError::Crosses4K { addr: BASE + 4080, bytes: 32 }),
        (read(end, 1), MemoryError::OutOfRange { addr: end, bytes: 16, base: BASE, end }),
        (read(BASE - 16, 1), MemoryError::OutOfRange { addr: BASE - 16, bytes: 16, base: BASE, end }),
    ];
    for (address, want) in cases {
        let mut memory = AxiMemory::new(&image, BASE, timing());
        memory.drive();
        assert_eq!(memory.sample(Some(address), true), Err(want));
    }
    let mut memory = AxiMemory::new(&image, BASE, MemoryTiming { stall: 1.0, ..timing() });
    memory.drive();
    memory.sample(Some(good), true).unwrap();
    memory.drive();
    assert_eq!(memory.sample(None, true), Err(MemoryError::Unstable { was: BASE, now: None }));
}

fn device() -> Ddr4 {
    let text = include_str!("../../configs/edge.toml");
    Config::parse(text, "edge.toml").unwrap().memory.ddr4.expect("edge has a DDR4 memory")
}

/// Values come in order through the device too, on buses narrower and wider than its burst, and never earlier than it can.
#[test]
fn a_device_delays_and_changes_nothing() {
    let image = image();
    for (beat_bytes, data_bits) in [(16, 64), (16, 16), (64, 64), (64, 16), (32, 64)] {
        let ddr4 = Some((Ddr4 { data_bits, ..device() }, 300));
        for (stall, refuse) in [(0.0, 0.0), (0.2, 0.3)] {
            let size = (beat_bytes as u64).trailing_zeros() as u8;
            let beats = |n: u64| n * 16 / beat_bytes as u64;
            let bursts: Vec<_> = [(0, 64), (4096, 64), (1024, 4), (8192, 8), (2048, 64)]
                .map(|(a, n)| ReadAddress { size, ..read(BASE + a, beats(n)) })
                .to_vec();
            let want: Vec<u8> = (bursts.iter())
                .flat_map(|b| image[(b.addr - BASE) as usize..][..(usize::from(b.len) + 1) * beat_bytes].to_vec())
                .collect();
            let timing = MemoryTiming { beat_bytes, stall, ddr4: ddr4.clone(), ..timing() };
            let mut memory = AxiMemory::new(&image, BASE, timing);
            let (got, at) = run(&mut memory, &bursts, refuse);
            assert_eq!(got, want, "{beat_bytes} bytes a beat, {data_bits} bits of data");
            assert!(at[0] > 20, "the first beat came after {} cycles", at[0]);
            let stats = memory.dram_stats().unwrap();
            let least = want.len() as u64 / u64::from(data_bits);
            assert!((least..=least + 8).contains(&stats.reads), "{} accesses for {} bytes", stats.reads, want.len());
        }
    }
}

/// The time a token takes does not depend on when it starts: after a pause the device is as it was before.
#[test]
fn equal_requests_after_a_pause_take_equal_times() {
    let image = image();
    let timing = MemoryTiming { ddr4: Some((device(), 300)), ..timing() };
    let mut memory = AxiMemory::new(&image, BASE, timing);
    let bursts: Vec<_> = (0..16).map(|i| read(BASE + 1024 * (i % 16), 64)).collect();
    let mut durations = vec![];
    for pause in [0, 117, 250, 1001, 9999] {
        for _ in 0..pause {
            memory.drive();
            memory.sample(None, true).unwrap();
        }
        durations.push(run(&mut memory, &bursts, 0.0).1);
    }
    assert!(durations.iter().all(|d| *d == durations[0]), "{durations:?}");
    assert!(memory.dram_stats().unwrap().row_hits > 0);
}
