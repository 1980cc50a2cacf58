//! Vector memory alone against a plain array: three writers at once, two readers, the clear walk.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::vmem::{vmem, ELEMENT_LATENCY, WRITE_LATENCY};
use rtl_gen::config::{Config, VEC_BITS};
use rtl_gen::hdl::print;
use sim_harness::dut::{BuildOptions, Dut};

/// `words`: vmem words, small so that addresses collide.
fn check(vlanes: usize, words: usize, seed: u64) {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let mut config = Config::load(&dir.join("nano.toml")).unwrap();
    config.bus_bits = 32 * vlanes;
    config.limits.vmem_elements = words * vlanes;
    let mut dut =
        Dut::build(&print(&vmem(&config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let port = |n: &str| dut.port(n).unwrap();
    let reads = ["va", "vb"].map(|p| ["en_i", "addr_i", "data_o"].map(|s| port(&format!("{p}_{s}"))));
    let elements = ["d", "y"].map(|p| ["valid_i", "ready_o", "addr_i", "data_i"].map(|s| port(&format!("{p}_{s}"))));
    let word = ["valid_i", "ready_o", "addr_i", "data_i"].map(|s| port(&format!("vw_{s}")));
    let (clear, clear_busy) = (port("clear_i"), port("clear_busy_o"));
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut model = vec![0i32; words * vlanes];
    // writes accepted and not in the memories yet: cycle in which they get there, first element, data
    let mut late: Vec<(usize, usize, Vec<i32>)> = vec![];
    let mut element_before = false; // an element was accepted a cycle ago
    let mut on_port = [None::<Vec<i32>>, None]; // what each read port shows
    let mut offers: [Option<(usize, Vec<i32>)>; 3] = [None, None, None]; // d, y, vw: address, data
    let mut clearing = 0; // cycles of the walk still to come
    let mut conflicts = [0; 3];
    for cycle in 0..30_000 {
        let place = format!("VL {vlanes}, {words} words, seed {seed}, cycle {cycle}");
        let starts_clear = clearing == 0 && (cycle == 0 || rng.gen_bool(0.0005));
        dut.set(clear, u64::from(starts_clear));
        for (i, offer) in offers.iter_mut().enumerate() {
            // nobody writes in the cycle a clear is asked for: everything is idle then
            if starts_clear {
                *offer = None;
            } else if offer.is_none() && rng.gen_bool(0.6) {
                let n = if i < 2 { 1 } else { vlanes };
                let limit = if i < 2 { words * vlanes } else { words };
                let data = (0..n).map(|_| rng.gen::<i32>() >> (32 - VEC_BITS)).collect();
                *offer = Some((rng.gen_range(0..limit), data));
            }
        }
        for (ports, offer) in [elements[0], elements[1], word].iter().zip(&offers) {
            dut.set(ports[0], u64::from(offer.is_some()));
            if let Some((at, data)) = offer {
                dut.set(ports[2], *at as u64);
                dut.set_lanes(ports[3], VEC_BITS, data);
            }
        }
        let mut next = on_port.clone();
        for (ports, shown) in reads.iter().zip(&mut next) {
            let (en, at) = (rng.gen_bool(0.7), rng.gen_range(0..words));
            dut.set(ports[0], u64::from(en));
            dut.set(ports[1], at as u64);
            if en {
                // during the walk the content is half cleared: not looked at
                *shown = (clearing == 0).then(|| model[at * vlanes..(at + 1) * vlanes].to_vec());
            }
        }
        dut.clock_low().unwrap();
        assert_eq!(dut.get(clear_busy) == 1, clearing > 0, "{place}: clear_busy_o");
        let mut element = false;
        for (i, ports) in [elements[0], elements[1], word].iter().enumerate() {
            let Some((at, data)) = &offers[i] else { continue };
            let ready = dut.get(ports[1]) == 1;
            let in_the_way = if i < 2 { element } else { element_before };
            assert_eq!(ready, clearing <= 1 && !in_the_way, "{place}: ready of writer {i}");
            conflicts[i] += usize::from(!ready && clearing <= 1);
            if ready {
                let (at, latency) = if i < 2 { (*at, ELEMENT_LATENCY) } else { (at * vlanes, WRITE_LATENCY) };
                element |= i < 2;
                late.push((cycle + latency - 1, at, data.clone()));
                offers[i] = None;
            }
        }
        element_before = element;
        for (_, at, data) in late.extract_if(.., |w| w.0 == cycle) {
            model[at..at + data.len()].copy_from_slice(&data);
        }
        dut.clock_high().unwrap();
        on_port = next;
        for (p, (ports, shown)) in reads.iter().zip(&on_port).enumerate() {
            if let Some(data) = shown {
                let got: Vec<i32> = (0..vlanes).map(|l| dut.lane(ports[2], l, VEC_BITS)).collect();
                assert_eq!(&got, data, "{place}: read port {p}");
            }
        }
        if starts_clear {
            clearing = words + 1;
            late.clear();
            model.fill(0);
        } else {
            clearing = clearing.saturating_sub(1);
        }
    }
    assert!(conflicts[0] == 0 && conflicts[1] > 0 && conflicts[2] > 0, "refused: {conflicts:?}");
}

#[test]
fn reads_see_what_was_written() {
    check(4, 8, 1);
    check(4, 13, 2); // not a power of two
    check(16, 4, 3);
}
