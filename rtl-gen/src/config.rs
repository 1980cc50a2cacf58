//! Configuration files (`configs/*.toml`): what one build of the accelerator is and how large a model it can serve.

use crate::isa::{FORMATS, VALUES};
use golden_model::arithmetic::fixed;
use records::TextError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// One accelerator. All sizes are in the unit their name says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    /// Clock the reports convert cycles with; no part of the arithmetic.
    pub clock_mhz: u32,
    /// Weight stream, bits a beat: 128, 256 or 512.
    pub bus_bits: usize,
    pub axi_addr_bits: usize,
    pub max_burst_beats: usize,
    pub max_outstanding: usize,
    /// Texts that one pass over the weights works on: 1, 2, 4 or 8.
    #[serde(default = "number::<1, _>", skip_serializing_if = "is::<1, _>")]
    pub sessions: usize,
    /// State elements the recurrence handles a cycle; without it as [`Config::wkv_lanes`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wkv_lanes: Option<usize>,
    /// Where the state of a session lies between its tokens.
    #[serde(default, skip_serializing_if = "StateAt::is_chip")]
    pub state: StateAt,
    /// Registers through which a host reads and writes the state that the chip keeps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state_port: bool,
    /// Bits of the AXI4 IDs of `anser_top`; 0: it has neither IDs nor LOCK, CACHE, PROT and QOS, which some interconnects want.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub axi_id_bits: usize,
    pub limits: Limits,
    pub numbers: Numbers,
    pub memory: Memory,
}

/// Where a session's state (recurrence and session vectors) lies between its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateAt {
    /// In memories of the chip.
    #[default]
    Chip,
    /// In the memory the weights come from: read and written once a token, as many sessions as it has room for.
    Memory,
}

impl StateAt {
    fn is_chip(&self) -> bool {
        *self == StateAt::Chip
    }
}

/// The value of a field that a file leaves out.
fn number<const N: usize, T: From<u16>>() -> T {
    // every default fits
    T::from(N as u16)
}

/// Whether a field has the value that a file may leave out.
fn is<const N: usize, T: From<u16> + PartialEq>(value: &T) -> bool {
    *value == number::<N, T>()
}

/// Fields of a struct with their full names.
macro_rules! fields {
    ($of:expr, $prefix:literal: $($name:ident),*) => { [$((concat!($prefix, stringify!($name)), $of.$name)),*] };
}

/// What one build can serve; a model beyond a limit is refused with the limit's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub n_embd: usize,
    pub dim_ffn: usize,
    pub vmem_elements: usize,
    pub xmem_elements: usize,
    /// Elements of the recurrence state of one session.
    pub state_elements: usize,
    pub n_head: usize,
    pub param_fifo_beats: usize,
    pub weight_fifo_beats: usize,
    /// Beats of a state in memory that can wait for the recurrence. With several sessions it also bounds the largest head, in beats,
    /// because that is kept while one prompt is read in all slots.
    #[serde(default = "number::<256, _>", skip_serializing_if = "is::<256, _>")]
    pub state_fifo_beats: usize,
    pub dma_program: usize,
    pub mat_program: usize,
    pub vec_program: usize,
    pub wkv_program: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Bits of one WKV state element, 16 to 32.
    pub state_bits: usize,
}

/// The simulated memory; it changes cycles, never values.
///
/// If `ddr4` is set, it is that device behind a controller; otherwise an ideal memory of constant latency and bandwidth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Ideal memory: from an accepted read address to its first beat.
    pub latency_cycles: u32,
    pub bytes_per_cycle: f64,
    pub refresh_interval_cycles: u32,
    /// Cycles without data at each refresh; 0 for a memory of constant latency.
    pub refresh_cycles: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ddr4: Option<Ddr4>,
}

/// A DDR4 channel and its controller; intervals in ns, named as in JESD79-4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ddr4 {
    /// The device, for reports.
    pub part: String,
    /// Data bus; a burst of eight transfers has as many bytes.
    pub data_bits: u32,
    /// Million transfers a second.
    pub mega_transfers: u32,
    pub bank_groups: u32,
    pub banks_per_group: u32,
    /// Bytes of one row over all devices of the bus.
    pub row_bytes: u32,
    /// Interconnect, controller and PHY, both ways together, without the DRAM's own latency.
    pub controller_ns: f64,
    /// What the controller can hold of data that was not taken yet.
    pub read_buffer_bytes: u32,
    /// What the controller can hold of written data; it turns the bus around when half of it is full.
    #[serde(default = "number::<8192, _>", skip_serializing_if = "is::<8192, _>")]
    pub write_buffer_bytes: u32,
    pub cl_ns: f64,
    pub cwl_ns: f64,
    pub trcd_ns: f64,
    pub trp_ns: f64,
    pub tras_ns: f64,
    pub trrd_s_ns: f64,
    pub trrd_l_ns: f64,
    pub tfaw_ns: f64,
    pub tccd_l_ns: f64,
    pub trtp_ns: f64,
    pub twr_ns: f64,
    pub twtr_s_ns: f64,
    pub twtr_l_ns: f64,
    pub trfc_ns: f64,
    pub trefi_ns: f64,
}

impl Ddr4 {
    /// The first field that makes no memory, its value and what it should be.
    fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        for (field, value) in fields!(self, "memory.ddr4.": data_bits, bank_groups, banks_per_group, row_bytes) {
            if !value.is_power_of_two() || value > 1 << 16 {
                return Some((field, value.to_string(), "a power of two up to 65536"));
            }
        }
        if self.data_bits < 8 || self.data_bits > self.row_bytes {
            return Some(("memory.ddr4.data_bits", self.data_bits.to_string(), "8 to memory.ddr4.row_bytes"));
        }
        if !(100..=10_000).contains(&self.mega_transfers) {
            return Some(("memory.ddr4.mega_transfers", self.mega_transfers.to_string(), "100 to 10000"));
        }
        for (field, value) in fields!(self, "memory.ddr4.": read_buffer_bytes, write_buffer_bytes) {
            if value < 256 {
                return Some((field, value.to_string(), "256 or more"));
            }
        }
        let intervals = fields!(
            self,
            "memory.ddr4.": controller_ns, cl_ns, cwl_ns, trcd_ns, trp_ns, tras_ns, trrd_s_ns, trrd_l_ns, tfaw_ns, tccd_l_ns, trtp_ns,
            twr_ns, twtr_s_ns, twtr_l_ns, trfc_ns
        );
        if let Some((field, value)) = intervals.into_iter().find(|(_, v)| !(0.0..=10_000.0).contains(v)) {
            return Some((field, value.to_string(), "0 to 10000 ns"));
        }
        // a refresh must leave time for accesses
        if !(4.0 * (self.trfc_ns + 100.0)..=1e6).contains(&self.trefi_ns) {
            return Some(("memory.ddr4.trefi_ns", self.trefi_ns.to_string(), "from 4 (trfc_ns + 100) to 1000000 ns"));
        }
        None
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Read(#[from] TextError),
    #[error("{path}, line {line}: {what}")]
    Parse { path: String, line: usize, what: String },
    #[error("{path}: {field} = {value}, expected {expected}")]
    Range { path: String, field: &'static str, value: String, expected: String },
}

/// Bits of an element of a vector at rest; the golden model says it.
pub const VEC_BITS: usize = fixed::VEC_BITS as usize;
/// Bits of an operand's mantissa; the golden model says it.
pub const OPERAND_BITS: usize = fixed::OPERAND_BITS as usize;
/// Bits of an operand's exponent, which is at most [`VEC_BITS`] − [`OPERAND_BITS`].
pub const EXP_BITS: usize = 5;

/// Makes the error of a field of the configuration that messages call `path`.
fn failure(path: &str) -> impl Fn(&'static str, &dyn ToString, &str) -> Result<(), ConfigError> + '_ {
    move |field, value, expected| {
        Err(ConfigError::Range { path: path.into(), field, value: value.to_string(), expected: expected.into() })
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Config {
    /// Reads and checks a configuration file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&records::text::read_utf8(path)?, &path.display().to_string())
    }

    /// Parses and checks the text of a configuration file; `path` is only for messages.
    pub fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|e| ConfigError::Parse {
            path: path.into(),
            line: e.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            what: e.message().replace('\n', ", "),
        })?;
        config.check(path)?;
        Ok(config)
    }

    /// Checks every field's range; `path` is only for messages.
    ///
    /// # Errors
    /// The first field that is out of its range, and what its range is.
    pub fn check(&self, path: &str) -> Result<(), ConfigError> {
        self.check_machine(path)?;
        self.check_limits(path)
    }

    /// Checks every field but the limits, which depend on the model that is served; `path` is only for messages.
    ///
    /// # Errors
    /// Fails where [`Config::check`] does.
    pub fn check_machine(&self, path: &str) -> Result<(), ConfigError> {
        let fail = failure(path);
        if ![128, 256, 512].contains(&self.bus_bits) {
            return fail("bus_bits", &self.bus_bits, "128, 256 or 512");
        }
        if ![1, 2, 4, 8].contains(&self.sessions) {
            return fail("sessions", &self.sessions, "1, 2, 4 or 8");
        }
        if self.state_port && (self.streams_state() || self.sessions > 1) {
            let expected = "false with state = \"memory\", which a host can reach, and with several sessions";
            return fail("state_port", &true, expected);
        }
        let (vl, wkv_lanes) = (self.vlanes(), self.wkv_lanes());
        if self.streams_state() && wkv_lanes != vl {
            let expected = format!("{vl}, bus_bits / 32, with state = \"memory\": a beat of it has as many elements");
            return fail("wkv_lanes", &wkv_lanes, &expected);
        }
        if ![vl, 2 * vl, 4 * vl].contains(&wkv_lanes) {
            return fail(
                "wkv_lanes",
                &wkv_lanes,
                &format!("{vl}, {} or {}: bus_bits / 32, or 2 or 4 times it", 2 * vl, 4 * vl),
            );
        }
        for (field, value, low, high) in [
            ("numbers.state_bits", self.numbers.state_bits, 16, 32),
            ("max_burst_beats", self.max_burst_beats, 1, 256),
            ("axi_addr_bits", self.axi_addr_bits, 32, 64),
            ("axi_id_bits", self.axi_id_bits, 0, 32),
            ("max_outstanding", self.max_outstanding, 1, 64),
            ("clock_mhz", self.clock_mhz as usize, 1, 10_000),
        ] {
            if !(low..=high).contains(&value) {
                return fail(field, &value, &format!("{low} to {high}"));
            }
        }
        let m = &self.memory;
        if m.latency_cycles > 1_000_000 {
            return fail("memory.latency_cycles", &m.latency_cycles, "up to 1000000");
        }
        if !(m.bytes_per_cycle.is_finite() && m.bytes_per_cycle >= 0.01) {
            return fail("memory.bytes_per_cycle", &m.bytes_per_cycle, "0.01 or more");
        }
        if m.refresh_cycles > 0 && m.refresh_cycles >= m.refresh_interval_cycles {
            let expected = format!("below memory.refresh_interval_cycles, {}", m.refresh_interval_cycles);
            return fail("memory.refresh_cycles", &m.refresh_cycles, &expected);
        }
        match m.ddr4.as_ref().and_then(Ddr4::fault) {
            Some((field, value, expected)) => fail(field, &value, expected),
            None => Ok(()),
        }
    }

    fn check_limits(&self, path: &str) -> Result<(), ConfigError> {
        let (fail, l, wkv_lanes) = (failure(path), &self.limits, self.wkv_lanes());
        for (field, value) in fields!(l, "limits.": param_fifo_beats, weight_fifo_beats, state_fifo_beats) {
            if !value.is_power_of_two() || value < 4 {
                return fail(field, &value, "a power of two from 4");
            }
        }
        for (field, value, max) in [
            ("limits.n_embd", l.n_embd, 4096),
            ("limits.dim_ffn", l.dim_ffn, 16384),
            ("limits.n_head", l.n_head, 240),
            ("limits.vmem_elements", l.vmem_elements, (1 << 14) * self.vlanes()),
            ("limits.xmem_elements", l.xmem_elements, (1 << 14) * self.vlanes()),
            ("limits.state_elements", l.state_elements, (1 << 20) * wkv_lanes),
        ] {
            if value == 0 || value > max || value % 16 != 0 {
                return fail(field, &value, &format!("a multiple of 16 up to {max}, what an instruction can address"));
            }
        }
        for (field, value) in [("limits.n_embd", l.n_embd), ("limits.state_elements", l.state_elements)] {
            if !value.is_multiple_of(wkv_lanes) {
                return fail(field, &value, &format!("a multiple of wkv_lanes, {wkv_lanes}"));
            }
        }
        for (field, value) in fields!(l, "limits.": dma_program, mat_program, vec_program, wkv_program) {
            if !(2..=4096).contains(&value) {
                return fail(field, &value, "2 to 4096 instructions");
            }
        }
        Ok(())
    }

    /// Elements the vector unit of one session handles a cycle.
    pub fn vlanes(&self) -> usize {
        self.bus_bits / 32
    }

    /// State elements the recurrence handles a cycle. It serves all sessions in turn, so it grows with them, up to four times; with the
    /// state in memory it takes a beat of it.
    pub fn wkv_lanes(&self) -> usize {
        let more = if self.streams_state() { 1 } else { self.sessions.min(4) };
        self.wkv_lanes.unwrap_or(self.vlanes() * more)
    }

    /// Byte lanes of the matrix unit of one session.
    pub fn mac_lanes(&self) -> usize {
        self.bus_bits / 8
    }

    /// 16-row groups a beat carries.
    pub fn groups(&self) -> usize {
        self.bus_bits / 128
    }

    /// What register CONFIG of a chip reads: the first 32 bits of SHA-256 over the instruction formats and every field that a program, or the
    /// host that loads it, depends on. Name, clock, burst length and the simulated memory are not among them.
    pub fn fingerprint(&self) -> u32 {
        // taken apart, so that whoever adds a field decides about it here
        let Config {
            name: _,
            clock_mhz: _,
            memory: _,
            max_burst_beats: _,
            max_outstanding: _,
            wkv_lanes: _,
            axi_id_bits: _,
            bus_bits,
            axi_addr_bits,
            sessions,
            state,
            state_port,
            limits,
            numbers,
        } = self;
        let wkv_lanes = self.wkv_lanes();
        let mut text = format!("{bus_bits} {axi_addr_bits} {sessions} {wkv_lanes} {state:?} {limits:?} {numbers:?}");
        if *state_port {
            text += " state_port";
        }
        for format in FORMATS {
            text += &format!(" {} {} {:?}", format.name, format.bits, format.fields);
        }
        for v in VALUES {
            text += &format!(" {} {} {:?}", v.unit, v.field, v.values);
        }
        let hash = Sha256::digest(text);
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    pub fn beat_bytes(&self) -> usize {
        self.bus_bits / 8
    }

    /// Words of the three memories of one session.
    pub fn vmem_words(&self) -> usize {
        self.limits.vmem_elements / self.vlanes()
    }
    pub fn xmem_words(&self) -> usize {
        self.limits.xmem_elements / self.vlanes()
    }
    pub fn state_words(&self) -> usize {
        self.limits.state_elements / self.wkv_lanes()
    }

    /// Whether the state of a session lies in external memory.
    pub fn streams_state(&self) -> bool {
        self.state == StateAt::Memory
    }

    /// Bits of an element that is written to memory: of the recurrence or of a session vector, whichever is longer.
    pub fn stored_bits(&self) -> usize {
        self.numbers.state_bits.max(VEC_BITS)
    }

    /// Tiles of 16 rows that the column-wise format can accumulate at once (rows up to n_embd).
    pub fn max_tiles(&self) -> usize {
        self.limits.n_embd.div_ceil(16)
    }
}
