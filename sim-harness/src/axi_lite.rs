//! An AXI4-Lite master that writes and reads one register at a time, with random gaps.
//!
//! The write address and the write data are offered at independent times and the answers are taken late at random, so
//! that a slave that needs them together, or assumes readiness, is found out. As in [`crate::axi_memory`], `drive` and
//! `sample` both belong before the clock edge of a cycle.

use crate::chance::Chance;

/// The master's outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiteDrive {
    pub awvalid: bool,
    pub wvalid: bool,
    pub bready: bool,
    pub arvalid: bool,
    pub rready: bool,
    /// awaddr and araddr.
    pub addr: u32,
    pub wdata: u32,
}

/// The slave's outputs, after the design has settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiteSample {
    pub awready: bool,
    pub wready: bool,
    pub bvalid: bool,
    pub bresp: u8,
    pub arready: bool,
    pub rvalid: bool,
    pub rresp: u8,
    pub rdata: u32,
}

/// The slave answered with an error, or where it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiteError {
    #[error("AXI-Lite {kind} of {addr:#04x}: response {resp}, expected 0 (OKAY)")]
    Response { kind: &'static str, addr: u32, resp: u8 },
    #[error("AXI-Lite: {channel}valid without a transaction that asks for it")]
    Unasked { channel: char },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write { address_done: bool, data_done: bool },
    Read { address_done: bool },
}

/// The master. Idle until [`AxiLite::write`] or [`AxiLite::read`] starts an access.
#[derive(Debug, Clone)]
pub struct AxiLite {
    access: Option<Access>,
    out: LiteDrive,
    gap: Chance,
}

impl AxiLite {
    /// `stall` is the probability of a gap, for each valid and ready and cycle; at most 0.9 is used, so that accesses end.
    pub fn new(stall: f64, seed: u64) -> Self {
        AxiLite { access: None, out: LiteDrive::default(), gap: Chance::new(seed, 3, stall.min(0.9)) }
    }

    /// Whether no access is under way.
    pub fn idle(&self) -> bool {
        self.access.is_none()
    }

    /// Starts a write of a whole register. Only when idle: an access under way would be forgotten.
    pub fn write(&mut self, addr: u32, data: u32) {
        debug_assert!(self.idle());
        self.access = Some(Access::Write { address_done: false, data_done: false });
        self.out = LiteDrive { addr, wdata: data, ..LiteDrive::default() };
    }

    /// Starts a read; only when idle.
    pub fn read(&mut self, addr: u32) {
        debug_assert!(self.idle());
        self.access = Some(Access::Read { address_done: false });
        self.out = LiteDrive { addr, ..LiteDrive::default() };
    }

    /// The outputs of this cycle. A valid once raised stays until its ready.
    pub fn drive(&mut self) -> LiteDrive {
        let o = &mut self.out;
        match self.access {
            None => *o = LiteDrive::default(),
            Some(Access::Write { address_done, data_done }) => {
                o.awvalid = !address_done && (o.awvalid || !self.gap.flip());
                o.wvalid = !data_done && (o.wvalid || !self.gap.flip());
                o.bready = !self.gap.flip();
            }
            Some(Access::Read { address_done }) => {
                o.arvalid = !address_done && (o.arvalid || !self.gap.flip());
                o.rready = !self.gap.flip();
            }
        }
        self.out
    }

    /// What the slave answered in this cycle. Gives the data of a finished access (0 for a write).
    pub fn sample(&mut self, s: LiteSample) -> Result<Option<u32>, LiteError> {
        let o = self.out;
        match &mut self.access {
            Some(Access::Write { address_done, data_done }) => {
                if s.bvalid && !(*address_done && *data_done) {
                    return Err(LiteError::Unasked { channel: 'b' });
                }
                let done = s.bvalid && o.bready;
                *address_done |= o.awvalid && s.awready;
                *data_done |= o.wvalid && s.wready;
                self.finish(done, "write", s.bresp, 0)
            }
            Some(Access::Read { address_done }) => {
                if s.rvalid && !*address_done {
                    return Err(LiteError::Unasked { channel: 'r' });
                }
                let done = s.rvalid && o.rready;
                *address_done |= o.arvalid && s.arready;
                self.finish(done, "read", s.rresp, s.rdata)
            }
            None => Ok(None),
        }
    }

    fn finish(&mut self, done: bool, kind: &'static str, resp: u8, data: u32) -> Result<Option<u32>, LiteError> {
        if !done {
            return Ok(None);
        }
        self.access = None;
        match resp {
            0 => Ok(Some(data)),
            _ => Err(LiteError::Response { kind, addr: self.out.addr, resp }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A slave that takes address and data in any order and answers a cycle later.
    #[derive(Default)]
    struct Slave {
        registers: BTreeMap<u32, u32>,
        aw: Option<u32>,
        w: Option<u32>,
        b: bool,
        r: Option<u32>,
    }

    impl Slave {
        fn outputs(&self) -> LiteSample {
            LiteSample {
                awready: self.aw.is_none(),
                wready: self.w.is_none(),
                bvalid: self.b,
                arready: self.r.is_none(),
                rvalid: self.r.is_some(),
                rdata: self.r.unwrap_or(0),
                ..Default::default()
            }
        }
        fn edge(&mut self, d: LiteDrive) {
            let s = self.outputs();
            if s.bvalid && d.bready {
                self.b = false;
            }
            if s.rvalid && d.rready {
                self.r = None;
            } else if d.arvalid && s.arready {
                self.r = Some(*self.registers.get(&d.addr).unwrap_or(&0));
            }
            if d.awvalid && s.awready {
                self.aw = Some(d.addr);
            }
            if d.wvalid && s.wready {
                self.w = Some(d.wdata);
            }
            if let (Some(a), Some(w), false) = (self.aw, self.w, self.b) {
                self.registers.insert(a, w);
                (self.aw, self.w, self.b) = (None, None, true);
            }
        }
    }

    fn run(master: &mut AxiLite, slave: &mut Slave) -> u32 {
        for _ in 0..1000 {
            let d = master.drive();
            let done = master.sample(slave.outputs()).unwrap();
            slave.edge(d);
            if let Some(data) = done {
                return data;
            }
        }
        panic!("no answer");
    }

    #[test]
    fn what_is_written_is_read_back_with_and_without_gaps() {
        for stall in [0.0, 0.5, 1.0] {
            let (mut master, mut slave) = (AxiLite::new(stall, 5), Slave::default());
            for i in 0..200 {
                master.write(4 * (i % 7), i * 17);
                run(&mut master, &mut slave);
                master.read(4 * (i % 7));
                assert_eq!(run(&mut master, &mut slave), i * 17, "stall {stall}");
            }
        }
    }

    #[test]
    fn an_error_response_and_an_unasked_answer_are_named() {
        let mut master = AxiLite::new(0.0, 1);
        master.read(0x30);
        master.drive();
        assert_eq!(
            master.sample(LiteSample { rvalid: true, ..Default::default() }),
            Err(LiteError::Unasked { channel: 'r' })
        );
        master.sample(LiteSample { arready: true, ..Default::default() }).unwrap();
        master.drive();
        let answer = LiteSample { rvalid: true, rresp: 2, ..Default::default() };
        assert_eq!(master.sample(answer), Err(LiteError::Response { kind: "read", addr: 0x30, resp: 2 }));
    }
}
