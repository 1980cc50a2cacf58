//! Memories and multipliers of an elaborated design: counted in what the generator prints, not estimated.

use records::explore::Resources;
use rtl_gen::blocks::core::top;
use rtl_gen::config::Config;
use rtl_gen::hdl::{print_specialised, Kind, Printed};

/// Counts the design of `config`.
///
/// # Errors
/// If two modules of the design share a name, which is a fault of the generator.
pub fn resources(config: &Config) -> Result<Resources, String> {
    Ok(count(&print_specialised(&top(config))?))
}

fn count(printed: &Printed) -> Resources {
    let mut out = Resources::default();
    for (path, module) in &printed.instances {
        let bits = match printed.kinds.get(module) {
            Some(Kind::Memory { bits, words }) => (bits * words) as u64,
            _ => 0,
        };
        let multipliers = printed.multipliers.get(module).map_or(0, |n| *n as u64);
        let unit = unit(path);
        out.memory_bits += bits;
        out.multipliers += multipliers;
        if bits > 0 {
            *out.memory_bits_by_unit.entry(unit.clone()).or_default() += bits;
        }
        if multipliers > 0 {
            *out.multipliers_by_unit.entry(unit).or_default() += multipliers;
        }
    }
    out
}

/// `anser_top.u_core.u_vec.u_lane_3` belongs to `vec`, and so does `anser_top.u_core.u_slice_1.u_vec`; the state of the recurrence
/// stands by itself.
fn unit(path: &str) -> String {
    let mut parts = path.split('.').skip(2).map(|p| p.trim_start_matches("u_")).filter(|p| !p.starts_with("slice_"));
    let unit = parts.next().unwrap_or("core");
    match parts.next() {
        Some(part) if unit == "wkv" && part.starts_with("state") => "state".into(),
        _ => unit.trim_end_matches("_fetch").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str) -> Config {
        let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        Config::load(std::path::Path::new(&path)).expect("a configuration of the project")
    }

    #[test]
    fn memories_are_what_the_configuration_asks_for() {
        for name in ["nano", "wide", "edge"] {
            let c = config(name);
            let r = resources(&c).expect("elaborates");
            let state = (c.limits.state_elements * c.numbers.state_bits) as u64;
            let by = |unit: &str| r.memory_bits_by_unit.get(unit).copied().unwrap_or(0);
            assert!((state..state + state / 8 + 65_536).contains(&by("state")), "{name}: state {}", by("state"));
            // two read ports: each has a copy
            assert_eq!(by("vmem"), 2 * 27 * c.limits.vmem_elements as u64, "{name}");
            assert_eq!(by("xmem"), 16 * c.limits.xmem_elements as u64, "{name}");
            assert_eq!(r.memory_bits, r.memory_bits_by_unit.values().sum::<u64>());
        }
    }

    #[test]
    fn multipliers_follow_the_lanes() {
        let [nano, wide] = ["nano", "wide"].map(|n| resources(&config(n)).expect("elaborates"));
        for unit in ["mat", "vec", "wkv"] {
            let (n, w) = (nano.multipliers_by_unit[unit], wide.multipliers_by_unit[unit]);
            assert!(w > 2 * n && w <= 4 * n, "{unit}: {n} with 16 lanes, {w} with 64");
        }
        assert!(nano.multipliers_by_unit["mat"] >= config("nano").mac_lanes() as u64);
    }
}
