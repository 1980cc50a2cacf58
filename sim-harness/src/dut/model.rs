//! A design simulated in this program, behind the C interface that Verilator's models have.

use super::{Api, Dut, PortInfo, Storage};
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void, CString};

/// A design simulated in this program instead of by Verilator; see [`Dut::from_model`].
pub trait Model: Send {
    /// The ports in declaration order; called once.
    fn ports(&mut self) -> Vec<ModelPort>;
    /// Settles after inputs changed; a rising `clk_i` moves registers. The error ends the simulation.
    fn eval(&mut self) -> Result<(), String>;
}

/// Storage of a port of a [`Model`]: 32-bit words, least significant first, at least two, in place for the model's life.
pub struct ModelPort {
    pub name: String,
    pub bits: usize,
    pub input: bool,
    pub words: *mut u32,
}

/// A model, and what it said last.
struct Inside {
    model: Box<dyn Model>,
    error: CString,
}

unsafe extern "C" fn inside_destroy(handle: *mut c_void) {
    drop(unsafe { Box::from_raw(handle.cast::<Inside>()) });
}

unsafe extern "C" fn inside_eval(handle: *mut c_void) -> c_int {
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
    unsafe { &*handle.cast::<Inside>() }.error.as_ptr()
}

unsafe extern "C" fn inside_nothing(_: *mut c_void) {}

unsafe extern "C" fn inside_cannot_trace(_: *mut c_void, _: *const c_char) -> c_int {
    2
}

unsafe extern "C" fn inside_dump(_: *mut c_void, _: u64) {}

impl Dut {
    /// A design simulated in this program, under the same interface.
    pub fn from_model(mut model: Box<dyn Model>, top: &str) -> Self {
        let ports: Vec<PortInfo> = model
            .ports()
            .into_iter()
            .map(|p| {
                let storage = if p.bits <= 64 { Storage::U64 } else { Storage::Words(p.bits.div_ceil(32)) };
                PortInfo { name: p.name, bits: p.bits, input: p.input, storage, ptr: p.words.cast() }
            })
            .collect();
        let by_name: HashMap<_, _> = ports.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
        let clock = by_name.get("clk_i").map(|&i| ports[i].ptr);
        let handle = Box::into_raw(Box::new(Inside { model, error: CString::default() })).cast();
        let api = Api {
            destroy: inside_destroy,
            eval: inside_eval,
            finish: inside_nothing,
            error: inside_error,
            trace_open: inside_cannot_trace,
            trace_dump: inside_dump,
            trace_close: inside_nothing,
        };
        Dut { handle, api, ports, by_name, clock, top: top.into(), tracing: false, half_cycles: 0, _library: None }
    }
}
