//! The ports of `anser_core` as raw storage, for the loop that runs once a clock cycle.
//!
//! Everything is looked up and its width checked once, in [`CorePorts::new`]; afterwards a port costs one load or store.

use crate::axi_lite::{LiteDrive, LiteSample};
use crate::axi_memory::{Beat, ReadAddress, MAX_BEAT_BYTES};
use crate::axi_write::{WriteBeat, WriteOutputs};
use crate::dut::DutError;
use crate::lockstep::{Group, Lanes};
use raw::{part, unpack, Raw};

mod find;
mod raw;

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
        if let Some(beat) = beat {
            a.rresp.set_byte(beat.resp);
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
        w.bresp.set_byte(out.bresp);
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

    /// The logit of slot 0 on offer and whether it is the last; and whether it is refused in this cycle.
    pub fn refused_logit(&self) -> (Option<(i32, bool)>, bool) {
        let [valid, ready, _, last] = self.logits;
        (valid.flag().then(|| (self.logit_of(0), last.flag())), !ready.flag())
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

    /// Returns which units took an instruction and which finished one this cycle, a bit each.
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
