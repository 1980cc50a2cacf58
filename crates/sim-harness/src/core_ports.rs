//! The ports of `anser_core` as raw storage, for the loop that runs once a clock cycle.
//!
//! Everything is looked up and its width checked once, in [`CorePorts::new`]; afterwards a port costs one load or store.

use crate::axi_lite::{LiteDrive, LiteSample};
use crate::axi_memory::{Beat, ReadAddress, MAX_BEAT_BYTES};
use crate::axi_write::{WriteBeat, WriteOutputs};
use crate::dut::{Dut, DutError, Storage};
use crate::lockstep::{lanes_of, Group, Lanes, Unit, GROUPS};
use rtl_gen::config::Config;
use rtl_gen::hdl::index_bits;

/// The design is not an `anser_core` of this configuration.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    #[error(transparent)]
    Missing(#[from] DutError),
    #[error("port {port} has {got} bits, expected {expected}")]
    Width { port: String, got: usize, expected: String },
}

/// Values of the widest event: a state word of 64 lanes.
const MAX_LANES: usize = 64;
/// Bytes that stand in for a missing port, and one that takes what is written.
const BLANK_BYTES: usize = 8 + 1;

/// One port's storage.
#[derive(Clone, Copy)]
pub(crate) struct Raw {
    ptr: *mut u8,
    storage: Storage,
    bits: usize,
}

impl Raw {
    /// Narrow ports only (up to 64 bits); a wider one gives its low 64 bits.
    #[inline(always)]
    pub(crate) fn get(self) -> u64 {
        // SAFETY: `ptr` is live storage of this kind: CorePorts is owned beside its Dut and made from it.
        unsafe {
            match self.storage {
                Storage::U8 => u64::from(*self.ptr),
                Storage::U16 => u64::from(*self.ptr.cast::<u16>()),
                Storage::U32 => u64::from(*self.ptr.cast::<u32>()),
                Storage::U64 => *self.ptr.cast::<u64>(),
                Storage::Words(_) => {
                    u64::from(*self.ptr.cast::<u32>()) | u64::from(*self.ptr.cast::<u32>().add(1)) << 32
                }
            }
        }
    }

    /// A 1- to 8-bit port.
    #[inline(always)]
    fn byte(self) -> u8 {
        // SAFETY: as in `get`; the low byte comes first in every storage (little-endian).
        unsafe { *self.ptr }
    }

    #[inline(always)]
    fn flag(self) -> bool {
        self.byte() != 0
    }

    #[inline(always)]
    fn set_byte(self, value: u8) {
        // SAFETY: as in `byte`.
        unsafe { *self.ptr = value }
    }

    fn set(self, value: u64) {
        let value = value & (u64::MAX >> (64 - self.bits.min(64)));
        // SAFETY: as in `get`.
        unsafe {
            match self.storage {
                Storage::U8 => *self.ptr = value as u8,
                Storage::U16 => *self.ptr.cast::<u16>() = value as u16,
                Storage::U32 => *self.ptr.cast::<u32>() = value as u32,
                Storage::U64 => *self.ptr.cast::<u64>() = value,
                Storage::Words(_) => {
                    *self.ptr.cast::<u32>() = value as u32;
                    *self.ptr.cast::<u32>().add(1) = (value >> 32) as u32;
                }
            }
        }
    }
}

struct Lite {
    awaddr: Raw,
    awvalid: Raw,
    awready: Raw,
    wdata: Raw,
    wstrb: Raw,
    wvalid: Raw,
    wready: Raw,
    bresp: Raw,
    bvalid: Raw,
    bready: Raw,
    araddr: Raw,
    arvalid: Raw,
    arready: Raw,
    rdata: Raw,
    rresp: Raw,
    rvalid: Raw,
    rready: Raw,
}

struct Axi {
    araddr: Raw,
    arlen: Raw,
    arsize: Raw,
    arburst: Raw,
    arvalid: Raw,
    arready: Raw,
    rdata: Raw,
    rresp: Raw,
    rlast: Raw,
    rvalid: Raw,
    rready: Raw,
}

/// The write channels, of a design that has them.
struct AxiWrite {
    awaddr: Raw,
    awlen: Raw,
    awsize: Raw,
    awburst: Raw,
    awvalid: Raw,
    awready: Raw,
    wdata: Raw,
    wstrb: Raw,
    wlast: Raw,
    wvalid: Raw,
    wready: Raw,
    bresp: Raw,
    bvalid: Raw,
    bready: Raw,
}

struct TracePort {
    valid: Raw,
    op: Raw,
    /// Word, row, address or segment; an exponent has none.
    index: Option<Raw>,
    /// One packed port, or the three of a scalar.
    data: [Option<Raw>; 3],
    lanes: Lanes,
    /// Whose event, where slots have their events one after the other; without it all have theirs at once, side by side.
    slot: Option<Raw>,
}

/// One trace event, unpacked.
pub(crate) struct Event {
    pub op: u32,
    pub index: u32,
    values: [i32; MAX_LANES],
    n: usize,
}

impl Default for Event {
    fn default() -> Self {
        Event { op: 0, index: 0, values: [0; MAX_LANES], n: 0 }
    }
}

impl Event {
    pub fn values(&self) -> &[i32] {
        &self.values[..self.n]
    }
}

/// All ports the session uses.
pub(crate) struct CorePorts {
    lite: Lite,
    axi: Axi,
    writes: Option<AxiWrite>,
    logits: [Raw; 4],
    slots: usize,
    apart: Option<Raw>,
    stall: Raw,
    traces: [TracePort; 7],
    start: Raw,
    done: Raw,
    /// Stands in for the test ports of a design that has none: reads 0, takes what is written
    _blank: Box<[u8; BLANK_BYTES]>,
}

// SAFETY: the storage belongs to a Dut, which may move between threads; a session owns both.
unsafe impl Send for CorePorts {}

impl CorePorts {
    /// Looks up every port of `docs/hardware.md` and checks the widths that depend on the configuration. A design without
    /// `stall_i` (`anser_top`) has no test ports at all: it is never stalled from inside and reports no event.
    pub fn new(dut: &Dut, config: &Config) -> Result<Self, PortsError> {
        let (bus_bits, slots) = (config.bus_bits, config.sessions);
        let raw = |name: &str| -> Result<Raw, PortsError> {
            let port = dut.port(name)?;
            let info = dut.info(port);
            Ok(Raw { ptr: dut.raw(port), storage: info.storage, bits: info.bits })
        };
        let sized = |name: &str, bits: usize| -> Result<Raw, PortsError> {
            let r = raw(name)?;
            match r.bits == bits {
                true => Ok(r),
                false => Err(PortsError::Width { port: name.into(), got: r.bits, expected: bits.to_string() }),
            }
        };
        let l = |name: &str| raw(&format!("s_axil_{name}"));
        let m = |name: &str| raw(&format!("m_axi_{name}"));
        let mut blank = Box::new([0u8; BLANK_BYTES]);
        let stand_in = blank.as_mut_ptr();
        let is_bare = dut.port("stall_i").is_err();
        let test_port = |name: &str, bits: usize| match is_bare {
            // the last byte takes what is written to stall_i, so that the others stay 0
            true if name == "stall_i" => {
                Ok(Raw { ptr: stand_in.wrapping_add(BLANK_BYTES - 1), storage: Storage::U8, bits })
            }
            true => Ok(Raw { ptr: stand_in, storage: Storage::U8, bits }),
            false => sized(name, bits),
        };
        let t = |name: &str, bits| test_port(&format!("trace_{name}_o"), bits);
        let lanes = lanes_of(config);
        let mut traces = vec![];
        for group in GROUPS {
            let (name, g) = (group.name(), lanes[group as usize]);
            let field = |f: &str, bits| t(&format!("{name}_{f}"), bits);
            let many = if matches!(group.unit(), Unit::Wkv) { 1 } else { slots };
            let packed = many * g.n * g.bits;
            let (index, data) = match group {
                Group::Vec => (Some(field("word", 13)?), [Some(field("data", packed)?), None, None]),
                Group::Sreg => {
                    let three = [
                        Some(field("mean", many * 27)?),
                        Some(field("mult", many * 27)?),
                        Some(field("shift", many * 6)?),
                    ];
                    (Some(field("seg", 8)?), three)
                }
                Group::Exp => (None, [Some(field("exp", packed)?), None, None]),
                Group::WkvS => (Some(field("addr", 20)?), [Some(field("data", packed)?), None, None]),
                Group::Mat | Group::WkvSa | Group::WkvY => {
                    (Some(field("row", 18)?), [Some(field("data", packed)?), None, None])
                }
            };
            let slot = match slots > 1 && many == 1 {
                true => Some(field("slot", index_bits(slots))?),
                false => None,
            };
            traces.push(TracePort { valid: field("valid", 1)?, op: field("op", 12)?, index, data, lanes: g, slot });
        }
        let Ok(traces) = traces.try_into() else { unreachable!("one a group") };
        Ok(CorePorts {
            lite: Lite {
                awaddr: l("awaddr")?,
                awvalid: l("awvalid")?,
                awready: l("awready")?,
                wdata: sized("s_axil_wdata", 32)?,
                wstrb: sized("s_axil_wstrb", 4)?,
                wvalid: l("wvalid")?,
                wready: l("wready")?,
                bresp: l("bresp")?,
                bvalid: l("bvalid")?,
                bready: l("bready")?,
                araddr: l("araddr")?,
                arvalid: l("arvalid")?,
                arready: l("arready")?,
                rdata: sized("s_axil_rdata", 32)?,
                rresp: l("rresp")?,
                rvalid: l("rvalid")?,
                rready: l("rready")?,
            },
            axi: Axi {
                araddr: m("araddr")?,
                arlen: sized("m_axi_arlen", 8)?,
                arsize: m("arsize")?,
                arburst: m("arburst")?,
                arvalid: m("arvalid")?,
                arready: m("arready")?,
                rdata: sized("m_axi_rdata", bus_bits)?,
                rresp: m("rresp")?,
                rlast: m("rlast")?,
                rvalid: m("rvalid")?,
                rready: m("rready")?,
            },
            writes: match dut.port("m_axi_awvalid") {
                Err(_) => None,
                Ok(_) => Some(AxiWrite {
                    awaddr: m("awaddr")?,
                    awlen: sized("m_axi_awlen", 8)?,
                    awsize: m("awsize")?,
                    awburst: m("awburst")?,
                    awvalid: m("awvalid")?,
                    awready: m("awready")?,
                    wdata: sized("m_axi_wdata", bus_bits)?,
                    wstrb: sized("m_axi_wstrb", bus_bits / 8)?,
                    wlast: m("wlast")?,
                    wvalid: m("wvalid")?,
                    wready: m("wready")?,
                    bresp: m("bresp")?,
                    bvalid: m("bvalid")?,
                    bready: m("bready")?,
                }),
            },
            logits: [
                raw("m_axis_logits_tvalid")?,
                raw("m_axis_logits_tready")?,
                sized("m_axis_logits_tdata", 32 * slots)?,
                raw("m_axis_logits_tlast")?,
            ],
            slots,
            apart: if slots > 1 { Some(t("apart", 1)?) } else { None },
            stall: test_port("stall_i", 8)?,
            start: t("start", 4)?,
            done: t("done", 4)?,
            traces,
            _blank: blank,
        })
    }

    /// The AXI-Lite master's outputs.
    pub fn drive_lite(&self, d: LiteDrive) {
        let l = &self.lite;
        l.awaddr.set(d.addr.into());
        l.araddr.set(d.addr.into());
        l.wdata.set(d.wdata.into());
        l.wstrb.set(0xF);
        l.awvalid.set_byte(d.awvalid.into());
        l.wvalid.set_byte(d.wvalid.into());
        l.bready.set_byte(d.bready.into());
        l.arvalid.set_byte(d.arvalid.into());
        l.rready.set_byte(d.rready.into());
    }

    pub fn sample_lite(&self) -> LiteSample {
        let l = &self.lite;
        LiteSample {
            awready: l.awready.flag(),
            wready: l.wready.flag(),
            bvalid: l.bvalid.flag(),
            bresp: l.bresp.byte(),
            arready: l.arready.flag(),
            rvalid: l.rvalid.flag(),
            rresp: l.rresp.byte(),
            rdata: l.rdata.get() as u32,
        }
    }

    /// The memory's outputs. Data stay as they were while there is no beat.
    #[inline(always)]
    pub fn drive_axi(&self, arready: bool, beat: Option<Beat>) {
        let a = &self.axi;
        a.arready.set_byte(arready.into());
        a.rvalid.set_byte(beat.is_some().into());
        a.rresp.set_byte(0);
        if let Some(beat) = beat {
            // SAFETY: m_axi_rdata was checked to be as wide as a beat; both are little-endian bytes.
            unsafe {
                let data = beat.data();
                std::ptr::copy_nonoverlapping(data.as_ptr(), a.rdata.ptr, (a.rdata.bits / 8).min(data.len()))
            };
            a.rlast.set_byte(beat.last.into());
        }
    }

    /// The read address while it is valid, and rready.
    #[inline(always)]
    pub fn sample_axi(&self) -> (Option<ReadAddress>, bool) {
        let a = &self.axi;
        let address = a.arvalid.flag().then(|| ReadAddress {
            addr: a.araddr.get(),
            len: a.arlen.byte(),
            size: a.arsize.byte(),
            burst: a.arburst.byte(),
        });
        (address, a.rready.flag())
    }

    /// Whether the design writes to memory.
    pub fn writes(&self) -> bool {
        self.writes.is_some()
    }

    /// The memory's outputs on the write channels.
    pub fn drive_writes(&self, out: WriteOutputs) {
        let Some(w) = &self.writes else { return };
        w.awready.set_byte(out.awready.into());
        w.wready.set_byte(out.wready.into());
        w.bvalid.set_byte(out.bvalid.into());
        w.bresp.set_byte(0);
    }

    /// The write address and the beat while they are valid, and bready. `buffer` receives the beat's bytes.
    pub fn sample_writes<'b>(
        &self,
        buffer: &'b mut [u8; MAX_BEAT_BYTES],
    ) -> (Option<ReadAddress>, Option<WriteBeat<'b>>, bool) {
        let Some(w) = &self.writes else { return (None, None, false) };
        let address = w.awvalid.flag().then(|| ReadAddress {
            addr: w.awaddr.get(),
            len: w.awlen.byte(),
            size: w.awsize.byte(),
            burst: w.awburst.byte(),
        });
        let beat = w.wvalid.flag().then(|| {
            let n = (w.wdata.bits / 8).min(MAX_BEAT_BYTES);
            // SAFETY: m_axi_wdata has n bytes of little-endian storage, `buffer` at least as many.
            unsafe { std::ptr::copy_nonoverlapping(w.wdata.ptr, buffer.as_mut_ptr(), n) };
            WriteBeat { data: &buffer[..n], strobes: w.wstrb.get(), last: w.wlast.flag() }
        });
        (address, beat, w.bready.flag())
    }

    #[inline(always)]
    pub fn drive_stalls(&self, stalls: u8, tready: bool) {
        self.stall.set_byte(stalls);
        self.logits[1].set_byte(tready.into());
    }

    /// Whether a logit of each slot is handed over this cycle, and whether it is the last.
    #[inline(always)]
    pub fn logit(&self) -> Option<bool> {
        let [valid, ready, _, last] = self.logits;
        (valid.flag() && ready.flag()).then(|| last.flag())
    }

    /// The logit of `slot` that is handed over.
    pub fn logit_of(&self, slot: usize) -> i32 {
        part(self.logits[2], 32 * slot, 32)
    }

    /// Whether a slice did something else than the others in this cycle.
    #[inline(always)]
    pub fn apart(&self) -> bool {
        self.apart.is_some_and(Raw::flag)
    }

    /// The slots that an event of group number `g` belongs to, a bit each.
    #[inline(always)]
    pub fn slots_of(&self, g: usize) -> u8 {
        match self.traces[g].slot {
            Some(slot) => 1 << slot.byte(),
            None => ((1u32 << self.slots) - 1) as u8,
        }
    }

    /// Which units took an instruction and which finished one this cycle, a bit each.
    #[inline(always)]
    pub fn starts_and_dones(&self) -> (u8, u8) {
        (self.start.byte(), self.done.byte())
    }

    /// Bit g: group g has an event this cycle.
    #[inline(always)]
    pub fn events(&self) -> u8 {
        let mut any = 0;
        for (g, t) in self.traces.iter().enumerate() {
            any |= t.valid.byte() << g;
        }
        any
    }

    /// The event of group number `g`, as slot number `slot` has it, into `e`.
    #[inline]
    pub fn event(&self, g: usize, slot: usize, e: &mut Event) {
        let t = &self.traces[g];
        let slot = if t.slot.is_some() { 0 } else { slot };
        (e.op, e.index, e.n) = (t.op.get() as u32, t.index.map_or(0, |i| i.get() as u32), t.lanes.n);
        match t.data {
            [Some(mean), Some(mult), Some(shift)] => {
                let of_slot = |raw, bits: usize| part(raw, slot * bits, bits);
                e.values[..3].copy_from_slice(&[of_slot(mean, 27), of_slot(mult, 27), of_slot(shift, 6) & 63]);
            }
            [Some(data), ..] if g == Group::Exp as usize => e.values[0] = part(data, slot * 5, 5) & 31, // unsigned
            [Some(data), ..] => unpack(data, slot, t.lanes, &mut e.values),
            _ => {}
        }
    }
}

/// `bits` (1 to 32) bits of a port from bit `at` on, sign-extended.
#[inline(always)]
fn part(data: Raw, at: usize, bits: usize) -> i32 {
    let unused = 32 - bits as u32;
    let two = match data.storage {
        Storage::Words(n) => {
            let (words, i) = (data.ptr.cast::<u32>(), at / 32);
            // SAFETY: the storage holds n words, and the port has the bits asked for, so i is below n.
            unsafe {
                let high = if i + 1 < n { *words.add(i + 1) } else { 0 };
                (u64::from(*words.add(i)) | u64::from(high) << 32) >> (at % 32)
            }
        }
        _ => data.get() >> at,
    };
    ((two as u32) << unused) as i32 >> unused
}

/// Cuts the part of `slot` out of a packed port, into sign-extended lanes.
#[inline(always)]
fn unpack(data: Raw, slot: usize, lanes: Lanes, values: &mut [i32; MAX_LANES]) {
    let mut at = slot * lanes.n * lanes.bits;
    for value in &mut values[..lanes.n] {
        *value = part(data, at, lanes.bits);
        at += lanes.bits;
    }
}
