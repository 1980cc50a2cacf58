use super::*;
use crate::axi_memory::{AxiMemory, MemoryError};
use rtl_gen::config::Config;

const BASE: u64 = 0x1000;

fn config(ddr4: bool) -> Config {
    let text = match ddr4 {
        true => include_str!("../../configs/edge.toml"),
        false => include_str!("../../configs/nano.toml"),
    };
    Config::parse(text, "a configuration").unwrap()
}

fn write(addr: u64, beats: u64, size: u8) -> ReadAddress {
    ReadAddress { addr, len: (beats - 1) as u8, size, burst: 1 }
}

/// A master that offers everything at once; returns the cycles of the beats and of the responses.
fn run(memory: &mut AxiMemory, bursts: &[ReadAddress], n: usize) -> Result<(Vec<u64>, Vec<u64>), MemoryError> {
    let (mut beats_at, mut answers) = (vec![], vec![]);
    let (mut next, mut burst, mut beat) = (0, 0, 0u64);
    for cycle in 0..20_000 {
        memory.drive();
        let out = memory.drive_write();
        let data = vec![(burst * 16 + beat as usize) as u8; n];
        let last = bursts.get(burst).is_some_and(|b| beat == u64::from(b.len));
        let strobes = u64::MAX >> (64 - n);
        let offer = (burst < bursts.len()).then_some(WriteBeat { data: &data, strobes, last });
        memory.sample_write(bursts.get(next).copied(), offer, true)?;
        memory.sample(None, false)?;
        next += usize::from(out.awready && next < bursts.len());
        if out.wready && offer.is_some() {
            beats_at.push(cycle);
            (burst, beat) = if last { (burst + 1, 0) } else { (burst, beat + 1) };
        }
        if out.bvalid {
            answers.push(cycle);
        }
        if answers.len() == bursts.len() {
            return Ok((beats_at, answers));
        }
    }
    panic!("{} of {} responses", answers.len(), bursts.len());
}

#[test]
fn data_lie_in_memory_with_their_response() {
    for (ddr4, n) in [(false, 16usize), (true, 64)] {
        let config = config(ddr4);
        let size = n.trailing_zeros() as u8;
        let mut memory = AxiMemory::new(&[], 0, MemoryTiming::of(&config, 0.3, 1));
        memory.add_region(BASE, 8192);
        let bursts: Vec<_> = (0..12).map(|i| write(BASE + (11 - i) * 8 * n as u64, 8, size)).collect();
        run(&mut memory, &bursts, n).unwrap();
        for (i, b) in bursts.iter().enumerate() {
            for beat in 0..8 {
                let at = (b.addr - BASE) as usize + beat * n;
                let want = vec![(i * 16 + beat) as u8; n];
                assert_eq!(memory.region(BASE).unwrap()[at..at + n], want, "burst {i} beat {beat}");
            }
        }
        let stats = memory.stats();
        assert_eq!((stats.write_bursts, stats.write_beats), (12, 96));
    }
}

#[test]
fn the_ideal_memory_takes_a_beat_a_cycle_and_answers_after_its_latency() {
    let config = config(false);
    let mut memory = AxiMemory::new(&[], 0, MemoryTiming::of(&config, 0.0, 1));
    memory.add_region(BASE, 8192);
    let (beats, answers) = run(&mut memory, &[write(BASE, 64, 4), write(BASE + 1024, 64, 4)], 16).unwrap();
    assert!(beats.windows(2).all(|w| w[1] == w[0] + 1), "{beats:?}");
    let latency = u64::from(config.memory.latency_cycles);
    assert_eq!(answers, [beats[63] + latency, beats[127] + latency]);
}

/// 4 MiB at once: only bandwidth, refresh and the write buffer count.
#[test]
fn the_device_writes_as_fast_as_it_reads() {
    let config = config(true);
    let mut memory = AxiMemory::new(&[], 0, MemoryTiming::of(&config, 0.0, 1));
    memory.add_region(BASE, 1 << 20);
    let bursts: Vec<_> = (0..200).map(|i| write(BASE + i * 4096, 64, 6)).collect();
    let (beats, _) = run(&mut memory, &bursts, 64).unwrap();
    let cycles = (beats[beats.len() - 1] - beats[0]) as f64;
    // 21.3 GB/s less 4.5 % for refresh carry 1.06 beats a cycle: more than the port takes but while a refresh lasts
    let share = beats.len() as f64 / cycles;
    assert!((0.93..=1.0).contains(&share), "{share}");
    let d = memory.dram_stats().unwrap();
    assert!(d.writes >= 12_600 && d.reads == 0 && d.turnarounds == 0, "{d:?}");
}

#[test]
fn what_breaks_the_protocol_is_named() {
    let config = config(false);
    let good = write(BASE, 4, 4);
    for (address, said) in [
        (ReadAddress { burst: 0, ..good }, "INCR"),
        (ReadAddress { size: 3, ..good }, "full-width"),
        (write(BASE + 4096 - 32, 4, 4), "4 KiB"),
        (write(BASE + 8, 4, 4), "aligned"),
        (write(BASE, 65, 4), "at most 64"),
        (write(BASE + 8192, 4, 4), "no state"),
    ] {
        let mut memory = AxiMemory::new(&[], 0, MemoryTiming::of(&config, 0.0, 1));
        memory.add_region(BASE, 8192);
        let error = run(&mut memory, &[address], 16).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
    // one beat at a time: strobes, wlast, and data that change while they wait
    let data = [7u8; 16];
    let beat = |strobes, last| WriteBeat { data: &data, strobes, last };
    for (first, second, said) in [
        (beat(0x7FFF, false), None, "wstrb"),
        (beat(0xFFFF, true), None, "wlast"),
        (beat(0xFFFF, false), Some(beat(0xFFFF, true)), "changed"),
    ] {
        let mut memory = AxiMemory::new(&[], 0, MemoryTiming::of(&config, 0.0, 1));
        memory.add_region(BASE, 8192);
        let mut failed = None;
        for cycle in 0..9 {
            memory.drive();
            memory.drive_write();
            let offer = if cycle == 0 { first } else { second.unwrap_or(first) };
            let result = memory.sample_write((cycle == 0).then_some(good), Some(offer), true);
            memory.sample(None, false).unwrap();
            if let Err(e) = result {
                failed = Some(e.to_string());
                break;
            }
        }
        let failed = failed.unwrap_or_else(|| panic!("{said} went unnoticed"));
        assert!(failed.contains(said), "{said}: {failed}");
    }
}
