//! What the parts of the simulated memory share: its timing, and a read burst before and after it was accepted.

use rtl_gen::config::{Config, Ddr4};

/// Timing of the memory and the limits it holds the master to.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryTiming {
    /// Bytes of a beat; a power of two.
    pub beat_bytes: usize,
    pub max_burst_beats: usize,
    /// Accepted bursts it queues; then arready is low.
    pub max_outstanding: usize,
    pub latency_cycles: u32,
    pub bytes_per_cycle: f64,
    pub refresh_interval_cycles: u32,
    /// 0: no refresh.
    pub refresh_cycles: u32,
    /// Probability of a random stall, for each cycle of arready and each beat's first offer.
    pub stall: f64,
    pub seed: u64,
    /// The device, and the chip's clock in MHz; without it the memory is ideal.
    pub ddr4: Option<(Ddr4, u32)>,
}

impl MemoryTiming {
    /// The memory of a configuration file, with random stalls of probability `stall`.
    pub fn of(config: &Config, stall: f64, seed: u64) -> Self {
        let m = &config.memory;
        MemoryTiming {
            beat_bytes: config.beat_bytes(),
            max_burst_beats: config.max_burst_beats,
            max_outstanding: config.max_outstanding,
            latency_cycles: m.latency_cycles,
            bytes_per_cycle: m.bytes_per_cycle,
            refresh_interval_cycles: m.refresh_interval_cycles,
            refresh_cycles: m.refresh_cycles,
            stall,
            seed,
            ddr4: m.ddr4.clone().map(|d| (d, config.clock_mhz)),
        }
    }
}

/// The address channel as the master drives it while arvalid is high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAddress {
    pub addr: u64,
    /// Beats minus one.
    pub len: u8,
    pub size: u8,
    pub burst: u8,
}

/// A read burst that was accepted.
pub(crate) struct Burst {
    /// Byte address of the next beat to offer.
    pub at: u64,
    pub beats: usize,
    /// Ideal memory: first cycle of data. DDR4: the cycle its address was accepted.
    pub ready_cycle: u64,
    /// DDR4: beats not asked of the device yet.
    pub to_ask: usize,
}
