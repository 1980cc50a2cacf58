//! Many configurations at once, and those that no other beats.

use crate::cycles;
use crate::fit::{fit, FitError};
use crate::resources::resources;
use crate::shape::outline;
use golden_model::checkpoint::Shape;
use rayon::prelude::*;
use records::explore::{Explored, Point, Weights};
use rtl_gen::config::Config;
use std::time::Instant;

/// What is varied; every combination is a point.
#[derive(Clone, Debug)]
pub struct Axes {
    pub bus_bits: Vec<usize>,
    pub clock_mhz: Vec<u32>,
    pub weights: Vec<Weights>,
    pub state_bits: Vec<usize>,
    /// Texts that share each read of a weight: 1, 2, 4 or 8.
    pub sessions: Vec<usize>,
    /// Memories by name: sections `[memory]` of configurations.
    pub memories: Vec<(String, rtl_gen::config::Memory)>,
}

impl Axes {
    /// Points of the sweep.
    pub fn n_points(&self) -> usize {
        let lists = [
            self.bus_bits.len(),
            self.clock_mhz.len(),
            self.weights.len(),
            self.state_bits.len(),
            self.sessions.len(),
            self.memories.len(),
        ];
        lists.iter().product()
    }
}

/// Why a point cannot be.
#[derive(Debug, thiserror::Error)]
pub enum PointError {
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error("rtl: {0}")]
    Rtl(String),
}

/// `config` with a model of `shape`; limits are what the model needs.
///
/// # Errors
/// A configuration or a model that cannot be, with the reason.
pub fn point(config: &Config, shape: &Shape, weights: Weights, memory: &str) -> Result<Point, PointError> {
    config.check_machine(&config.name).map_err(FitError::from)?;
    let model = outline(shape, weights, config.numbers.state_bits as u32);
    let (config, program) = fit(config, shape, &model)?;
    let cycles = cycles::token(&config, &program);
    let passes_per_s = f64::from(config.clock_mhz) * 1e6 / cycles.cycles_per_token as f64;
    Ok(Point {
        bus_bits: config.bus_bits,
        clock_mhz: config.clock_mhz,
        weights,
        state_bits: config.numbers.state_bits,
        memory: memory.into(),
        mac_lanes: config.mac_lanes(),
        vector_lanes: config.vlanes(),
        sessions: config.sessions,
        tokens_per_s: passes_per_s * config.sessions as f64,
        gbytes_per_s: cycles.beats as f64 * config.beat_bytes() as f64 * passes_per_s / 1e9,
        cycles,
        resources: resources(&config).map_err(PointError::Rtl)?,
        pareto: false,
        config: config.name,
    })
}

/// All combinations of `axes` on the base of `config`, on all cores; `done` is called after each. Combinations that cannot be are left out
/// and counted.
pub fn sweep(config: &Config, shape: &Shape, axes: &Axes, done: impl Fn() + Sync) -> (Vec<Point>, Vec<PointError>) {
    let mut list = vec![];
    for bus_bits in &axes.bus_bits {
        for clock_mhz in &axes.clock_mhz {
            for weights in &axes.weights {
                for state_bits in &axes.state_bits {
                    for sessions in &axes.sessions {
                        for (name, memory) in &axes.memories {
                            let mut c = Config {
                                name: format!("{}-{bus_bits}b-{clock_mhz}mhz", config.name),
                                bus_bits: *bus_bits,
                                clock_mhz: *clock_mhz,
                                sessions: *sessions,
                                memory: memory.clone(),
                                ..config.clone()
                            };
                            c.numbers.state_bits = *state_bits;
                            list.push((c, *weights, name));
                        }
                    }
                }
            }
        }
    }
    let results: Vec<_> = (list.par_iter())
        .map(|(c, weights, memory)| {
            let result = point(c, shape, *weights, memory);
            done();
            result
        })
        .collect();
    let (mut points, mut failed) = (vec![], vec![]);
    for result in results {
        match result {
            Ok(p) => points.push(p),
            Err(e) => failed.push(e),
        }
    }
    mark(&mut points);
    (points, failed)
}

/// No combination can be: each with its reason.
#[derive(Debug)]
pub struct NoneServes(pub Vec<PointError>);

impl std::fmt::Display for NoneServes {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "no configuration can serve this model: {}", reasons(&self.0).join("; "))
    }
}

impl std::error::Error for NoneServes {}

impl NoneServes {
    /// Whether the model is too large for what was tried, so that another kind of chip may serve it.
    pub fn is_too_large(&self) -> bool {
        self.0.iter().any(|e| matches!(e, PointError::Fit(why) if why.is_too_large()))
    }
}

fn reasons(failed: &[PointError]) -> Vec<String> {
    failed.iter().map(ToString::to_string).collect()
}

/// [`sweep`] as a record; `model` is what it calls the model.
///
/// # Errors
/// If not one combination can be.
pub fn explored(
    config: &Config,
    (model, shape): (&str, &Shape),
    axes: &Axes,
    done: impl Fn() + Sync,
) -> Result<Explored, NoneServes> {
    let start = Instant::now();
    let (points, failed) = sweep(config, shape, axes, done);
    if points.is_empty() {
        return Err(NoneServes(failed));
    }
    Ok(Explored {
        model: model.into(),
        n_layer: shape.n_layer,
        n_embd: shape.n_embd,
        head_size: shape.head_size,
        vocab_size: shape.vocab_size,
        dim_ffn: shape.dim_ffn,
        n_params: shape.n_params(),
        points,
        left_out: reasons(&failed),
        milliseconds: start.elapsed().as_secs_f64() * 1e3,
    })
}

/// Marks the points that nothing beats.
fn mark(points: &mut [Point]) {
    let key = |p: &Point| (-p.tokens_per_s, p.resources.multipliers as f64, p.resources.memory_bits as f64);
    let keys: Vec<_> = points.iter().map(key).collect();
    for (i, p) in points.iter_mut().enumerate() {
        let k = keys[i];
        p.pareto = !keys.iter().any(|o| o.0 <= k.0 && o.1 <= k.1 && o.2 <= k.2 && *o != k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use golden_model::checkpoint::random::official_shape;

    fn nano() -> Config {
        let path = format!("{}/../configs/nano.toml", env!("CARGO_MANIFEST_DIR"));
        Config::load(std::path::Path::new(&path)).expect("a configuration of the project")
    }

    fn axes(config: &Config) -> Axes {
        Axes {
            bus_bits: vec![128, 256, 512],
            clock_mhz: vec![100, 300],
            weights: vec![Weights::W8],
            state_bits: vec![24],
            sessions: vec![1],
            memories: vec![("ideal".into(), config.memory.clone())],
        }
    }

    #[test]
    fn wider_and_faster_is_faster_and_larger() {
        let config = Config { memory: rtl_gen::config::Memory { bytes_per_cycle: 64.0, ..nano().memory }, ..nano() };
        let shape = official_shape(3, 128, 32, 512).expect("a shape");
        let (points, failed) = sweep(&config, &shape, &axes(&config), || ());
        assert!(failed.is_empty(), "{failed:?}");
        assert_eq!(points.len(), 6);
        let of = |bus, mhz| points.iter().find(|p| p.bus_bits == bus && p.clock_mhz == mhz).expect("a point");
        for mhz in [100, 300] {
            assert!(of(512, mhz).tokens_per_s > 1.5 * of(256, mhz).tokens_per_s, "{points:?}");
            assert!(of(512, mhz).resources.multipliers > 2 * of(128, mhz).resources.multipliers);
        }
        assert!((of(128, 300).tokens_per_s / of(128, 100).tokens_per_s - 3.0).abs() < 1e-9);
        // at equal cost the faster clock wins
        assert!(points.iter().all(|p| p.pareto == (p.clock_mhz == 300)), "{points:?}");
    }

    #[test]
    fn sessions_share_the_weights() {
        let config = nano();
        let shape = official_shape(3, 128, 32, 512).expect("a shape");
        let all = Axes { bus_bits: vec![128], clock_mhz: vec![100], sessions: vec![1, 8], ..axes(&config) };
        let (points, failed) = sweep(&config, &shape, &all, || ());
        assert!(failed.is_empty() && points.len() == 2, "{failed:?}");
        let gain = points[1].tokens_per_s / points[0].tokens_per_s;
        assert!((6.0..8.0).contains(&gain), "{gain}");
        assert_eq!(
            points[1].cycles.beats,
            points[0].cycles.beats + 7 * 16,
            "an embedding row of 256 bytes for each more"
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        let shape = official_shape(2, 48, 24, 64).expect("a shape");
        let (points, failed) = sweep(&nano(), &shape, &axes(&nano()), || ());
        assert_eq!((points.len(), failed.len()), (4, 2), "24 is no multiple of 16 lanes: {failed:?}");
        assert!(failed[0].to_string().contains("multiple of 16"), "{}", failed[0]);
    }
}
