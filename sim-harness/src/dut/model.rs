//! A design simulated in this program, behind the C interface that Verilator's models have.

use super::{Api, Dut, PortInfo, Storage};
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::atomic::AtomicU64;
use std::sync::Arc;

/// A design simulated in this program instead of by Verilator; see [`Dut::from_model`].
///
/// # Safety
/// A [`Dut`] reads and writes the words of [`Model::ports`] without atomic instructions, from safe code, at any time
/// between two calls of [`Model::eval`]. An implementation must therefore guarantee that
///
/// * nothing but `ports` and `eval` touches these words once they are handed out, on any thread;
/// * no two ports share words.
///
/// The other conditions (lifetime, alignment, size) are kept by the type of [`ModelPort::words`] and checked by
/// [`Dut::from_model`].
pub unsafe trait Model: Send {
    /// Returns the ports in declaration order. [`Dut::from_model`] calls it once.
    fn ports(&mut self) -> Vec<ModelPort>;
    /// Settles the design after inputs changed; a rising `clk_i` moves registers. An error ends the simulation.
    fn eval(&mut self) -> Result<(), String>;
}

/// One port of a [`Model`].
pub struct ModelPort {
    /// The port's name in the RTL.
    pub name: String,
    /// Width of the port, at least 1.
    pub bits: usize,
    /// Whether the bench drives the port.
    pub input: bool,
    /// The port's value, least significant word first: 64 bits a word, as many words as `bits` needs. The design's
    /// simulator and the [`Dut`] each hold a reference, so neither can outlive the storage.
    pub words: Arc<[AtomicU64]>,
}

/// What the C interface's handle points to: the model, its latest error, and the storage of its ports.
struct Inside {
    model: Box<dyn Model>,
    error: CString,
    _words: Vec<Arc<[AtomicU64]>>,
}

unsafe extern "C" fn inside_destroy(handle: *mut c_void) {
    // SAFETY: `Dut::from_model` made the handle with `Box::into_raw`, and `Drop for Dut` calls this once, as its last use.
    drop(unsafe { Box::from_raw(handle.cast::<Inside>()) });
}

unsafe extern "C" fn inside_eval(handle: *mut c_void) -> c_int {
    // SAFETY: the handle is the live `Inside` of a `Dut`, which calls this through `&mut self` only.
    let inside = unsafe { &mut *handle.cast::<Inside>() };
    match inside.model.eval() {
        Ok(()) => 0,
        Err(why) => {
            inside.error = CString::new(why.replace('\0', " ")).unwrap_or_default();
            1
        }
    }
}

unsafe extern "C" fn inside_error(handle: *mut c_void) -> *const c_char {
    // SAFETY: the handle is the live `Inside` of a `Dut`, and no call that changes it is under way.
    unsafe { &*handle.cast::<Inside>() }.error.as_ptr()
}

unsafe extern "C" fn inside_nothing(_: *mut c_void) {}

unsafe extern "C" fn inside_cannot_trace(_: *mut c_void, _: *const c_char) -> c_int {
    2
}

unsafe extern "C" fn inside_dump(_: *mut c_void, _: u64) {}

impl Dut {
    /// Returns a `Dut` whose design is simulated by `model`, under the name `top`.
    ///
    /// # Panics
    /// If a port of the model has no bits or too few words for them, or if `clk_i` is wider than one bit: a bug of the model.
    pub fn from_model(mut model: Box<dyn Model>, top: &str) -> Self {
        let mut words = vec![];
        let ports: Vec<PortInfo> = model
            .ports()
            .into_iter()
            .map(|p| {
                assert!(p.bits > 0, "{top}.{}: a port has at least one bit", p.name);
                assert!(p.bits <= 64 * p.words.len(), "{top}.{}: {} words for {} bits", p.name, p.words.len(), p.bits);
                assert!(p.name != "clk_i" || p.bits == 1, "{top}.clk_i has {} bits instead of 1", p.bits);
                let storage = if p.bits <= 64 { Storage::U64 } else { Storage::Words(p.bits.div_ceil(32)) };
                let ptr = p.words.as_ptr().cast_mut().cast();
                words.push(p.words);
                PortInfo { name: p.name, bits: p.bits, input: p.input, storage, ptr }
            })
            .collect();
        let by_name: HashMap<_, _> = ports.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
        let clock = by_name.get("clk_i").map(|&i| ports[i].ptr);
        let handle = Box::into_raw(Box::new(Inside { model, error: CString::default(), _words: words })).cast();
        let api = Api {
            destroy: inside_destroy,
            eval: inside_eval,
            finish: inside_nothing,
            error: inside_error,
            trace_open: inside_cannot_trace,
            trace_dump: inside_dump,
            trace_close: inside_nothing,
        };
        Dut { handle, api, ports, by_name, clock, top: top.into(), waveform: None, half_cycles: 0, _library: None }
    }
}
