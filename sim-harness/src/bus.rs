//! The chip as a host's buses see it: registers that are read and written, memory that both sides use, an interrupt, and the stream of
//! logits. [`crate::session::Session`] is a host itself; here the host is somebody else's program, which may do as it likes.
//!
//! The design is `anser_top`, what a system integrates. Nothing is compared.

use crate::axi_lite::{AxiLite, LiteError};
use crate::axi_memory::{AxiMemory, MemoryError, MemoryTiming, MAX_BEAT_BYTES};
use crate::chance::Chance;
use crate::core_ports::{CorePorts, PortsError};
use crate::dut::{BuildError, BuildOptions, Dut, DutError, Port};
use rtl_gen::config::Config;

/// Cycles after which a register that has not answered is said to hang. An access waits for an element of the state or for stalls, never
/// for a token.
const ACCESS_CYCLES: u64 = 100_000;
/// Where the first piece of memory lies. The addresses have more than 32 bits if the chip's have, so that their high half is used.
const FIRST_ADDRESS: u64 = 0x8000_0000;
/// Pieces begin at multiples of this, as pages do; between two of them is a page that nobody may touch.
const PAGE: u64 = 4096;

/// Why the simulation cannot go on. What the chip refuses is none of these.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("rtl: {0}")]
    Print(String),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Ports(#[from] PortsError),
    #[error(transparent)]
    Dut(#[from] DutError),
    #[error("cycle {cycle}: {source}")]
    Memory { cycle: u64, source: MemoryError },
    #[error("cycle {cycle}: {source}")]
    Register { cycle: u64, source: LiteError },
    #[error("register {offset:#x} did not answer within {ACCESS_CYCLES} cycles")]
    Silent { offset: u32 },
    #[error("register offset {0:#x}, expected one of 12 bits")]
    Offset(u64),
    #[error("{bytes} bytes at {address:#x} are not within one piece of memory that was allocated")]
    NotAllocated { address: u64, bytes: usize },
    #[error("memory of {asked} bytes, expected 1 to {left} before the chip's addresses end")]
    TooLarge { asked: u64, left: u64 },
}

/// A simulated chip on its buses.
pub struct BusChip {
    dut: Dut,
    ports: CorePorts,
    irq: Port,
    memory: AxiMemory<'static>,
    lite: AxiLite,
    lite_was_busy: bool,
    tready: Chance,
    slots: usize,
    /// First address and length of each piece of memory.
    pieces: Vec<(u64, usize)>,
    next_address: u64,
    last_address: u64,
    /// Logits as they came, those of all slots of a row together.
    logits: Vec<i32>,
    cycle: u64,
}

impl BusChip {
    /// Builds `anser_top` of `config` and resets it. `stall` is the probability of a wait in every handshake of its ports.
    ///
    /// # Errors
    /// No simulator could be built.
    pub fn new(config: &Config, stall: f64, seed: u64, build: &BuildOptions) -> Result<Self, BusError> {
        let printed = rtl_gen::hdl::print(&rtl_gen::blocks::core::top(config)).map_err(BusError::Print)?;
        let mut dut = Dut::build(&printed, build)?;
        let ports = CorePorts::new(&dut, config)?;
        let irq = dut.port("irq_o")?;
        dut.reset();
        let last_address = u64::MAX >> (64 - config.axi_addr_bits);
        let wide = if config.axi_addr_bits > 33 { 1 << 33 } else { 0 };
        Ok(BusChip {
            memory: AxiMemory::new(&[], 0, MemoryTiming::of(config, stall, seed)),
            lite: AxiLite::new(stall, seed),
            lite_was_busy: true,
            tready: Chance::new(seed, 5, stall),
            slots: config.sessions,
            pieces: vec![],
            next_address: FIRST_ADDRESS + wide,
            last_address,
            logits: vec![],
            cycle: 0,
            dut,
            ports,
            irq,
        })
    }

    /// Reads the register at `offset`; `None` if the chip refuses.
    ///
    /// # Errors
    /// A chip that breaks a protocol or does not answer.
    pub fn read(&mut self, offset: u64) -> Result<Option<u32>, BusError> {
        let offset = register(offset)?;
        self.lite.read(offset);
        self.answer(offset)
    }

    /// Writes the register at `offset`. Returns whether the chip took it.
    ///
    /// # Errors
    /// Fails where [`BusChip::read`] does.
    pub fn write(&mut self, offset: u64, value: u32) -> Result<bool, BusError> {
        let offset = register(offset)?;
        self.lite.write(offset, value);
        Ok(self.answer(offset)?.is_some())
    }

    fn answer(&mut self, offset: u32) -> Result<Option<u32>, BusError> {
        for _ in 0..ACCESS_CYCLES {
            match self.step() {
                Ok(Some(value)) => return Ok(Some(value)),
                Ok(None) => {}
                Err(BusError::Register { source: LiteError::Response { .. }, .. }) => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        Err(BusError::Silent { offset })
    }

    /// Gives `bytes` of memory, and returns their address. They hold 0xA5, because a host must not rely on zeros.
    ///
    /// # Errors
    /// More than the chip can address.
    pub fn allocate(&mut self, bytes: u64) -> Result<u64, BusError> {
        let left = self.last_address.saturating_sub(self.next_address);
        if bytes == 0 || bytes > left.min(usize::MAX as u64 / 2) {
            return Err(BusError::TooLarge { asked: bytes, left });
        }
        let (address, length) = (self.next_address, bytes.next_multiple_of(64) as usize);
        self.memory.add_region(address, length);
        if let Some(region) = self.memory.region_mut(address) {
            region.fill(0xA5);
        }
        self.pieces.push((address, length));
        self.next_address = (address + bytes).next_multiple_of(PAGE) + PAGE;
        Ok(address)
    }

    fn piece(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], BusError> {
        let inside = |(base, length): &&(u64, usize)| {
            address.checked_sub(*base).is_some_and(|at| at <= *length as u64 && bytes <= *length - at as usize)
        };
        let base = self.pieces.iter().find(inside).map(|p| p.0);
        let region = base.and_then(|base| Some((base, self.memory.region_mut(base)?)));
        let (base, region) = region.ok_or(BusError::NotAllocated { address, bytes })?;
        Ok(&mut region[(address - base) as usize..][..bytes])
    }

    /// Puts `data` into memory at `address`.
    ///
    /// # Errors
    /// An address that was not allocated.
    pub fn put(&mut self, address: u64, data: &[u8]) -> Result<(), BusError> {
        self.piece(address, data.len())?.copy_from_slice(data);
        Ok(())
    }

    /// Returns `bytes` of memory at `address`.
    ///
    /// # Errors
    /// An address that was not allocated.
    pub fn get(&mut self, address: u64, bytes: usize) -> Result<&[u8], BusError> {
        Ok(self.piece(address, bytes)?)
    }

    /// Runs until the interrupt is high, at most `cycles` cycles. Returns whether it is.
    ///
    /// # Errors
    /// A chip that breaks a protocol.
    pub fn wait(&mut self, cycles: u64) -> Result<bool, BusError> {
        let mut left = cycles;
        while self.dut.get(self.irq) == 0 {
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            self.step()?;
        }
        Ok(true)
    }

    /// Takes the logits that have come since this was called last: of each row those of all slots, slot 0 first.
    pub fn take_logits(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.logits)
    }

    /// Answers the beat that is read `beats` beats from now with an error.
    pub fn fail_read(&mut self, beats: u64) {
        let now = self.memory.stats().beats;
        self.memory.fail_read(now.saturating_add(beats));
    }

    /// Clock cycles since the chip was reset.
    pub fn cycles(&self) -> u64 {
        self.cycle
    }

    /// Runs one clock cycle and returns the data of a register access that ended in it.
    fn step(&mut self) -> Result<Option<u32>, BusError> {
        let cycle = self.cycle;
        let failed = |source| BusError::Memory { cycle, source };
        let (arready, beat) = self.memory.drive();
        self.ports.drive_axi(arready, beat);
        if self.ports.writes() {
            self.ports.drive_writes(self.memory.drive_write());
        }
        let lite_busy = !self.lite.idle();
        if lite_busy || self.lite_was_busy {
            self.ports.drive_lite(self.lite.drive());
        }
        self.lite_was_busy = lite_busy;
        self.ports.drive_stalls(0, !(self.tready.active() && self.tready.flip()));
        self.dut.clock_low()?;

        let (address, rready) = self.ports.sample_axi();
        if self.ports.writes() {
            let mut buffer = [0; MAX_BEAT_BYTES];
            let (address, beat, bready) = self.ports.sample_writes(&mut buffer);
            self.memory.sample_write(address, beat, bready).map_err(failed)?;
        }
        self.memory.sample(address, rready).map_err(failed)?;
        if self.ports.logit().is_some() {
            self.logits.extend((0..self.slots).map(|slot| self.ports.logit_of(slot)));
        }
        let answer = if lite_busy { self.lite.sample(self.ports.sample_lite()) } else { Ok(None) };
        self.dut.clock_high()?;
        self.cycle += 1;
        answer.map_err(|source| BusError::Register { cycle, source })
    }
}

/// The offset of a register within the addresses that the chip decodes.
fn register(offset: u64) -> Result<u32, BusError> {
    match offset < 1 << rtl_gen::registers::ADDR_BITS {
        true => Ok(offset as u32),
        false => Err(BusError::Offset(offset)),
    }
}
