use super::*;
use rtl_gen::config::Config;

fn device() -> Ddr4 {
    let text = include_str!("../../configs/edge.toml");
    Config::parse(text, "edge.toml").unwrap().memory.ddr4.expect("edge has a DDR4 memory")
}

/// End of each access of a list, all known from the start.
fn ends(d: &Ddr4, accesses: &[(u64, bool)]) -> (Vec<u64>, DramStats) {
    let mut dram = Dram::new(d);
    (accesses.iter().map(|(addr, write)| dram.access(*addr, *write, 0, 0)).collect(), dram.stats())
}

fn ps(ns: f64) -> u64 {
    (ns * 1000.0).round() as u64
}

#[test]
fn a_first_access_opens_its_row() {
    let d = device();
    let burst = ps(8000.0 / f64::from(d.mega_transfers));
    let (end, stats) = ends(&d, &[(0, false), (64 * u64::from(d.bank_groups), false)]);
    assert_eq!(end[0], ps(d.trcd_ns) + ps(d.cl_ns) + burst);
    assert_eq!(end[1] - end[0], ps(d.tccd_l_ns).max(burst), "same bank group: the long interval");
    assert_eq!((stats.reads, stats.row_hits), (2, 1));
}

#[test]
fn a_row_conflict_costs_precharge_and_activation() {
    let d = device();
    // same group and bank, next row: all banks of all groups, one row each, lie between
    let row = u64::from(d.row_bytes) * u64::from(d.bank_groups * d.banks_per_group);
    let (end, stats) = ends(&d, &[(0, false), (row, false)]);
    let open = ps(d.tras_ns).max(ps(d.trcd_ns) + ps(d.trtp_ns)) - ps(d.trcd_ns);
    assert_eq!(end[1] - end[0], open + ps(d.trp_ns) + ps(d.trcd_ns));
    assert_eq!(stats.row_hits, 0);
}

/// A long sequential stream loses what refresh takes and next to nothing else.
#[test]
fn a_stream_loses_the_refreshes_only() {
    let d = device();
    let n = 400_000u64;
    let mut dram = Dram::new(&d);
    let mut end = 0u64;
    for i in 0..n {
        // a controller that sees 64 accesses ahead
        end = dram.access(64 * i, false, end.saturating_sub(64 * 3_000), 0);
    }
    let stats = dram.stats();
    let burst = 8000.0 / f64::from(d.mega_transfers);
    let share = n as f64 * burst * 1000.0 / end as f64;
    let refresh = 1.0 - (d.trfc_ns + d.trp_ns + d.trcd_ns + 8.0) / d.trefi_ns;
    assert!((refresh - 0.004..1.0 - d.trfc_ns / d.trefi_ns).contains(&share), "{share}, refresh alone {refresh}");
    assert!(stats.refreshes.abs_diff(end / ps(d.trefi_ns)) <= 1, "{stats:?}");
    assert!(stats.row_hits * 100 > n * 99, "{stats:?}");
}

#[test]
fn random_rows_are_slow() {
    let d = device();
    let mut dram = Dram::new(&d);
    let mut end = 0u64;
    let mut x = 1u64;
    for _ in 0..20_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        end = dram.access((x >> 20) % (1 << 30) / 64 * 64, false, end.saturating_sub(16 * 3_000), 0);
    }
    let burst = 8000.0 / f64::from(d.mega_transfers);
    let share = 20_000.0 * burst * 1000.0 / end as f64;
    assert!(share < 0.75, "random accesses reach {share} of the peak");
}

#[test]
fn turning_the_bus_around_costs_time() {
    let d = device();
    let n = 1000u64;
    let one_way: Vec<_> = (0..n).map(|i| (64 * i, false)).collect();
    let both: Vec<_> = (0..n).map(|i| (64 * i, i % 2 == 1)).collect();
    let batches: Vec<_> = (0..n).map(|i| (64 * i, i / 32 % 2 == 1)).collect();
    let [a, b, c] = [one_way, both, batches].map(|list| ends(&d, &list));
    let last = |r: &(Vec<u64>, DramStats)| r.0[n as usize - 1];
    assert!(last(&b) > 4 * last(&a), "alternating {} against {}", last(&b), last(&a));
    assert!(last(&c) > last(&a) && last(&c) * 3 < last(&b), "batches of 32: {}", last(&c));
    assert_eq!((a.1.turnarounds, b.1.turnarounds), (0, n - 1));
    assert_eq!(b.1.writes, n / 2);
}
