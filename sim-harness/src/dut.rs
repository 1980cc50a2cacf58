//! One simulated design: its ports by name, `eval`, `tick`, `reset`, waveforms.
//!
//! ```no_run
//! # fn main() -> Result<(), sim_harness::verilate::BuildError> {
//! use sim_harness::{dut::Dut, verilate::BuildOptions};
//! let printed = rtl_gen::hdl::print(&rtl_gen::blocks::prim::fifo(8, 16)).unwrap();
//! let mut dut = Dut::build(&printed, &BuildOptions::default())?;
//! let (valid, data) = (dut.port("in_valid_i").unwrap(), dut.port("in_data_i").unwrap());
//! dut.reset();
//! dut.set(valid, 1);
//! dut.set(data, 42);
//! dut.tick();
//! # Ok(()) }
//! ```

pub use crate::verilate::{BuildError, BuildOptions};
use records::output::Output;
use rtl_gen::hdl::Printed;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::path::{Path, PathBuf};

mod model;
mod values;
pub use model::{Model, ModelPort};

/// A port of one [`Dut`], found by name; only meaningful for the `Dut` that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(usize);

/// What is asked of a design that it cannot give.
#[derive(Debug, thiserror::Error)]
pub enum DutError {
    #[error("{top} has no port {name}; it has {ports}")]
    NoPort { top: String, name: String, ports: String },
    #[error("{top}: evaluation failed: {why}")]
    Eval { top: String, why: String },
    #[error("{top}: cannot write the waveform {path}: {why}")]
    Trace { top: String, path: String, why: String },
}

/// How Verilator stores a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    U8,
    U16,
    U32,
    U64,
    /// 32-bit words, least significant first.
    Words(usize),
}

/// A port's place in the model's memory.
#[derive(Clone, Debug)]
pub struct PortInfo {
    pub name: String,
    pub bits: usize,
    pub input: bool,
    pub storage: Storage,
    ptr: *mut u8,
}

impl PortInfo {
    /// Bits of the port's last storage element that are in use.
    fn mask(&self) -> u64 {
        let n = match self.storage {
            Storage::Words(_) => (self.bits - 1) % 32 + 1,
            _ => self.bits,
        };
        u64::MAX >> (64 - n)
    }

    /// 32-bit words that hold the port.
    pub fn words(&self) -> usize {
        self.bits.div_ceil(32)
    }
}

struct Api {
    destroy: unsafe extern "C" fn(*mut c_void),
    eval: unsafe extern "C" fn(*mut c_void) -> c_int,
    finish: unsafe extern "C" fn(*mut c_void),
    error: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    trace_dump: unsafe extern "C" fn(*mut c_void, u64),
    trace_close: unsafe extern "C" fn(*mut c_void),
}

/// One simulated design. Inputs start at 0.
pub struct Dut {
    handle: *mut c_void,
    api: Api,
    ports: Vec<PortInfo>,
    by_name: HashMap<String, usize>,
    clock: Option<*mut u8>,
    top: String,
    /// The waveform that is being written, and the name it was asked for under.
    waveform: Option<(Output, PathBuf)>,
    half_cycles: u64,
    // Keeps the code loaded; dropped after the model (Drop::drop runs before fields). None for a model in this program.
    _library: Option<libloading::Library>,
}

// SAFETY: a model is only used through its Dut; Verilator binds no model to a thread, and a `Model` is `Send`.
unsafe impl Send for Dut {}

type PortCallback = unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_void, u32, u32, u32);

unsafe extern "C" fn collect_port(
    user: *mut c_void,
    name: *const c_char,
    ptr: *mut c_void,
    bits: u32,
    bytes: u32,
    input: u32,
) {
    // SAFETY: `Dut::load` passes its own list as `user` and waits for the calls to end.
    let ports = unsafe { &mut *user.cast::<Vec<PortInfo>>() };
    // SAFETY: shim.cpp passes a string literal.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    let storage = match (bits, bytes) {
        (_, 1) => Storage::U8,
        (_, 2) => Storage::U16,
        (..=32, 4) => Storage::U32,
        (..=64, 8) => Storage::U64,
        _ => Storage::Words(bytes as usize / 4),
    };
    ports.push(PortInfo { name, bits: bits as usize, input: input != 0, storage, ptr: ptr.cast() });
}

impl Dut {
    /// Builds the simulator of `printed` (or takes it from the cache), loads it, and evaluates it once.
    pub fn build(printed: &Printed, options: &BuildOptions) -> Result<Self, BuildError> {
        let path = crate::verilate::build(printed, options)?;
        Self::load(&path, &printed.top)
            .map_err(|e| BuildError::Load { path: path.display().to_string(), why: e.to_string() })
    }

    fn load(path: &Path, top: &str) -> Result<Self, libloading::Error> {
        // SAFETY: the library was made by `verilate` from shim.cpp, whose functions have these types.
        unsafe {
            let library = libloading::Library::new(path)?;
            let create = *library.get::<unsafe extern "C" fn() -> *mut c_void>(b"anser_create\0")?;
            let list =
                *library.get::<unsafe extern "C" fn(*mut c_void, *mut c_void, PortCallback)>(b"anser_ports\0")?;
            let api = Api {
                destroy: *library.get(b"anser_destroy\0")?,
                eval: *library.get(b"anser_eval\0")?,
                finish: *library.get(b"anser_final\0")?,
                error: *library.get(b"anser_error\0")?,
                trace_open: *library.get(b"anser_trace_open\0")?,
                trace_dump: *library.get(b"anser_trace_dump\0")?,
                trace_close: *library.get(b"anser_trace_close\0")?,
            };
            let handle = create();
            let mut ports: Vec<PortInfo> = vec![];
            list(handle, (&raw mut ports).cast(), collect_port);
            let by_name: HashMap<_, _> = ports.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
            let clock = by_name.get("clk_i").map(|&i| ports[i].ptr);
            let top = top.to_string();
            Ok(Dut { handle, api, ports, by_name, clock, top, waveform: None, half_cycles: 0, _library: Some(library) })
        }
    }

    /// The top module's name.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// All ports in declaration order.
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// The port called `name`.
    pub fn port(&self, name: &str) -> Result<Port, DutError> {
        self.by_name.get(name).map(|&i| Port(i)).ok_or_else(|| DutError::NoPort {
            top: self.top.clone(),
            name: name.into(),
            ports: self.ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" "),
        })
    }

    /// Name, width and storage of a port.
    pub fn info(&self, port: Port) -> &PortInfo {
        &self.ports[port.0]
    }

    /// Address of the port's storage (see [`PortInfo::storage`]), valid as long as the `Dut` lives, for loops where even
    /// [`Dut::get`] is too much. An input written through it must not exceed the port's width.
    pub fn raw(&self, port: Port) -> *mut u8 {
        self.ports[port.0].ptr
    }

    /// Settles the design after inputs changed.
    ///
    /// # Panics
    /// If the model reports a fatal error (a combinational loop that does not settle): a bug of the RTL.
    /// [`Dut::try_eval`] returns it instead.
    #[inline]
    pub fn eval(&mut self) {
        if let Err(e) = self.try_eval() {
            panic!("{e}");
        }
    }

    /// [`Dut::eval`] with the model's fatal error as a value.
    #[inline]
    pub fn try_eval(&mut self) -> Result<(), DutError> {
        // SAFETY: `handle` is the live model.
        if unsafe { (self.api.eval)(self.handle) } == 0 {
            Ok(())
        } else {
            Err(self.eval_error())
        }
    }

    #[cold]
    fn eval_error(&self) -> DutError {
        // SAFETY: the shim keeps the text until the next error.
        let why = unsafe { CStr::from_ptr((self.api.error)(self.handle)) }.to_string_lossy().into_owned();
        DutError::Eval { top: self.top.clone(), why }
    }

    /// First half of [`Dut::tick`]: clock low, settle. Outputs that depend on inputs are final for this cycle afterwards.
    #[inline]
    pub fn clock_low(&mut self) -> Result<(), DutError> {
        self.clock_edge(0)
    }

    /// Second half of [`Dut::tick`]: the rising edge.
    #[inline]
    pub fn clock_high(&mut self) -> Result<(), DutError> {
        self.clock_edge(1)
    }

    #[inline]
    fn clock_edge(&mut self, level: u8) -> Result<(), DutError> {
        if let Some(clock) = self.clock {
            // SAFETY: `clock` is the storage of the 1-bit port clk_i.
            unsafe { *clock = level };
        }
        self.try_eval()?;
        if self.waveform.is_some() {
            // SAFETY: `handle` is the live model.
            unsafe { (self.api.trace_dump)(self.handle, self.half_cycles) };
            self.half_cycles += 1;
        }
        Ok(())
    }

    /// One clock cycle: low and settle, then the rising edge. Inputs set before are what the edge samples; outputs read
    /// after are post-edge. Panics as [`Dut::eval`] does. A design without `clk_i` is evaluated twice.
    #[inline]
    pub fn tick(&mut self) {
        if let Err(e) = self.clock_low().and_then(|()| self.clock_high()) {
            panic!("{e}");
        }
    }

    /// All inputs 0, every reset (a port that ends in `rst_ni`) low for three cycles, then high; one more cycle passes before it returns.
    pub fn reset(&mut self) {
        for i in 0..self.ports.len() {
            if self.ports[i].input {
                self.set(Port(i), 0);
            }
        }
        for _ in 0..3 {
            self.tick();
        }
        for i in 0..self.ports.len() {
            if self.ports[i].name.ends_with("rst_ni") {
                self.set(Port(i), 1);
            }
        }
        self.tick();
    }

    /// Starts an FST waveform; needs a build with [`BuildOptions::trace`]. One time unit is half a cycle, so that the
    /// rising edge of cycle n, counted by the caller and `cycle` now, stands at time 2n + 1.
    pub fn trace_open(&mut self, path: &Path, cycle: u64) -> Result<(), DutError> {
        self.half_cycles = 2 * cycle;
        let fail =
            |why: &str| DutError::Trace { top: self.top.clone(), path: path.display().to_string(), why: why.into() };
        let output = Output::create(path).map_err(|e| fail(&e.to_string()))?;
        let name = CString::new(output.path().as_os_str().as_encoded_bytes())
            .map_err(|_| fail("the name holds a zero byte"))?;
        // SAFETY: `handle` is the live model, `name` a C string.
        match unsafe { (self.api.trace_open)(self.handle, name.as_ptr()) } {
            0 => {
                self.waveform = Some((output, path.into()));
                Ok(())
            }
            1 => Err(fail("the file cannot be opened")),
            _ => Err(fail("this simulator was built without tracing")),
        }
    }

    /// Finishes the waveform, if one is open. A design that is dropped does the same, but cannot say that it failed.
    ///
    /// # Errors
    /// A file that cannot be put in its place, for instance on a full disk.
    pub fn trace_close(&mut self) -> Result<(), DutError> {
        let Some((output, path)) = self.waveform.take() else { return Ok(()) };
        // SAFETY: `handle` is the live model.
        unsafe { (self.api.trace_close)(self.handle) };
        output.finish().map_err(|e| DutError::Trace {
            top: self.top.clone(),
            path: path.display().to_string(),
            why: e.to_string(),
        })
    }
}

impl Drop for Dut {
    fn drop(&mut self) {
        let _ = self.trace_close();
        // SAFETY: the last use of the handle.
        unsafe {
            (self.api.finish)(self.handle);
            (self.api.destroy)(self.handle);
        }
    }
}

impl std::fmt::Debug for Dut {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Dut").field("top", &self.top).field("ports", &self.ports.len()).finish_non_exhaustive()
    }
}
