//! A token costs no allocation: once a runner and its threads have done a piece of work, the same work takes no memory.

mod common;

use common::{awkward_shape, random_pair};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::fast::isa::Isa;
use golden_model::fast::{from_model, Runner};
use golden_model::quantise::options::QuantOptions;
use golden_model::text::generate::Sampler;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Counts what all threads of this program ask for.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of the second of two equal pieces of work; several rounds give every thread a share of the first.
fn second_time(mut work: impl FnMut()) -> usize {
    (0..20).for_each(|_| work());
    let before = ASKED.load(Ordering::SeqCst);
    work();
    ASKED.load(Ordering::SeqCst) - before
}

// One test: another one on a second thread would be counted, too.
#[test]
fn steps_prompts_sessions_and_samples_allocate_nothing() {
    for (bits, value) in [(WeightBits::W4, Some(WeightBits::W4Columns)), (WeightBits::W8, None)] {
        let options = QuantOptions { bits, value, ..QuantOptions::default() };
        let (pair, tokens) = random_pair(&awkward_shape(), 3, 1.0, 40, &options);
        let weights = Arc::new(from_model(&pair.model).unwrap());
        for isa in Isa::all() {
            // one thread: with several, it is left to chance which of them meets a kind of work for the first time
            let mut runner = Runner::with_isa(weights.clone(), 1, isa);
            let mut session = runner.session();
            let step = second_time(|| assert!(!runner.step(&mut session, tokens[0]).unwrap().is_empty()));
            let prompt = second_time(|| assert!(!runner.prefill(&mut session, &tokens).unwrap().is_empty()));
            let mut sessions = vec![runner.session(); 7];
            let batch = second_time(|| runner.batch(&mut sessions, &tokens[..7], |_, _| {}).unwrap());
            assert_eq!([step, prompt, batch], [0; 3], "{bits:?}, {}: step, prompt, sessions", isa.name());
        }
    }
    let logits: Vec<f64> = (0..1000).map(|i| f64::from(i % 97) / 10.0).collect();
    for (temperature, top_p) in [(0.0, 1.0), (0.8, 1.0), (1.2, 0.9)] {
        let mut sampler = Sampler::new(temperature, top_p, 1).unwrap();
        let mut sum = 0;
        assert_eq!(second_time(|| sum += sampler.pick(&logits)), 0, "temperature {temperature}, top_p {top_p}");
    }
}
