//! Threads that stay: a piece of work of some microseconds is shared without a system call.
//!
//! Workers look for work in a loop for a while, asking for weights that are needed soon, and only then go to sleep. The thread that has the work takes part itself and never waits
//! for a worker that has not begun, so a core that is busy with something else costs nothing but its help.

use super::ahead::Ahead;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Looks before a worker goes to sleep: about a tenth of a millisecond.
const LOOKS: u32 = 20_000;

type Work<'a> = dyn Fn(usize) + Sync + 'a;

/// `ticket`: number of the job above, then "closed", then how many workers are inside.
const INSIDE: u64 = (1 << 15) - 1;
const CLOSED: u64 = 1 << 15;
const JOB: u64 = 1 << 16;

struct Shared {
    ticket: AtomicU64,
    /// Next task of the job.
    next: AtomicUsize,
    tasks: AtomicUsize,
    /// The job's function while its ticket is not closed or workers are inside.
    work: Mutex<Option<WorkPointer>>,
    asleep: Mutex<usize>,
    wake: Condvar,
    n_asleep: AtomicUsize,
    /// What a thread that waits asks the memory for.
    ahead: Ahead,
    quit: AtomicBool,
    panicked: AtomicBool,
}

#[derive(Clone, Copy)]
struct WorkPointer(*const Work<'static>);

// SAFETY: the function behind the pointer is Sync, and `Pool::run` keeps it alive while any worker can call it.
unsafe impl Send for WorkPointer {}

/// A fixed number of threads, the caller's among them.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts a pool of `threads` threads, the caller included, at least 1. Where the system gives fewer, there are fewer.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            ticket: AtomicU64::new(CLOSED),
            next: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            work: Mutex::new(None),
            asleep: Mutex::new(0),
            wake: Condvar::new(),
            n_asleep: AtomicUsize::new(0),
            ahead: Ahead::default(),
            quit: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        let workers = (1..threads.min(1000)).map_while(|i| {
            let shared = shared.clone();
            std::thread::Builder::new().name(format!("step {i}")).spawn(move || worker(&shared)).ok()
        });
        let workers = workers.collect();
        Self { shared, workers }
    }

    /// Threads that take part, the caller's among them.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// From now on threads that wait ask for `bytes`, which are needed soon.
    pub fn ahead(&self, bytes: &[u8]) {
        self.shared.ahead.set(bytes);
    }

    /// Calls `f(0)`, `f(1)`, … `f(tasks − 1)`, each once, in any order on any thread, and returns when all have returned.
    ///
    /// # Panics
    /// If `f` does.
    pub fn run(&mut self, tasks: usize, f: &Work<'_>) {
        if self.workers.is_empty() || tasks < 2 {
            (0..tasks).for_each(f);
            return;
        }
        let s = &*self.shared;
        // SAFETY: only the lifetime changes; `Closing` below does not let this call end while a worker can use the pointer.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(f) };
        *s.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(WorkPointer(work));
        s.tasks.store(tasks, Ordering::Relaxed);
        s.next.store(0, Ordering::Relaxed);
        // nobody is inside: the last job was closed and left
        let last = s.ticket.load(Ordering::Relaxed);
        s.ticket.store((last & !CLOSED) + JOB, Ordering::SeqCst);
        if s.n_asleep.load(Ordering::SeqCst) > 0 {
            let _held = s.asleep.lock().unwrap_or_else(PoisonError::into_inner);
            s.wake.notify_all();
        }
        let closing = Closing(s);
        share(s, f);
        drop(closing);
        assert!(!s.panicked.swap(false, Ordering::Relaxed), "a worker of the step panicked");
    }

    /// Calls `f` for each of `items`, on several threads if `shared`.
    pub fn for_each<T: Send>(&mut self, items: &mut [T], shared: bool, f: &(dyn Fn(&mut T) + Sync)) {
        if !shared || items.len() < 2 {
            items.iter_mut().for_each(f);
            return;
        }
        let first = Items(items.as_mut_ptr());
        // SAFETY: `run` calls this once for each i below the length: no two tasks have the same item.
        self.run(items.len(), &|i| f(unsafe { &mut *first.at(i) }));
    }
}

/// The first of some items that tasks share out.
struct Items<T>(*mut T);

// SAFETY: each item goes to one thread only, see `Pool::for_each`.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

/// Takes tasks until there are none.
fn share(s: &Shared, f: &Work<'_>) {
    let tasks = s.tasks.load(Ordering::Relaxed);
    loop {
        let task = s.next.fetch_add(1, Ordering::Relaxed);
        if task >= tasks {
            return;
        }
        f(task);
    }
}

/// Closes the job and waits until all workers have left it, also when the caller's own share panics.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let s = self.0;
        s.next.fetch_add(usize::MAX / 4, Ordering::Relaxed);
        s.ticket.fetch_or(CLOSED, Ordering::SeqCst);
        let mut looks = 0u32;
        while s.ticket.load(Ordering::Acquire) & INSIDE != 0 {
            looks += 1;
            if looks.is_multiple_of(1024) {
                std::thread::yield_now(); // the worker may need this very core
            }
            s.ahead.look();
            std::hint::spin_loop();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        {
            let _held = self.shared.asleep.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.wake.notify_all();
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join(); // `run` has reported a panic
        }
    }
}

/// A worker inside a job, which it leaves however it leaves.
struct Inside<'a>(&'a Shared);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        self.0.ticket.fetch_sub(1, Ordering::Release);
    }
}

fn worker(s: &Shared) {
    let mut done = 0; // number of the last job seen
    let mut looks = 0;
    while !s.quit.load(Ordering::Relaxed) {
        let ticket = s.ticket.load(Ordering::SeqCst);
        if ticket / JOB == done || ticket & CLOSED != 0 {
            looks += 1;
            if looks > LOOKS {
                sleep(s, done);
                looks = 0;
            }
            s.ahead.look();
            std::hint::spin_loop();
            continue;
        }
        if s.ticket.compare_exchange(ticket, ticket + 1, Ordering::SeqCst, Ordering::Relaxed).is_err() {
            continue;
        }
        (done, looks) = (ticket / JOB, 0);
        let inside = Inside(s);
        let work = *s.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(WorkPointer(work)) = work {
            // SAFETY: the ticket was open when this worker was counted in, so `run` waits for `inside` to end before its function does.
            share(s, unsafe { &*work });
        }
        drop(inside);
    }
}

/// Sleeps until there is a job after `done`.
fn sleep(s: &Shared, done: u64) {
    let mut held = s.asleep.lock().unwrap_or_else(PoisonError::into_inner);
    s.n_asleep.fetch_add(1, Ordering::SeqCst);
    *held += 1;
    loop {
        let ticket = s.ticket.load(Ordering::SeqCst);
        let work = ticket / JOB != done && ticket & CLOSED == 0;
        if work || s.quit.load(Ordering::SeqCst) {
            break;
        }
        held = s.wake.wait(held).unwrap_or_else(PoisonError::into_inner);
    }
    *held -= 1;
    s.n_asleep.fetch_sub(1, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for threads in [1, 2, 3, 8] {
            let mut pool = Pool::new(threads);
            for tasks in [0, 1, 2, 7, 100, 5000, 3] {
                for _ in 0..50 {
                    let runs: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                    pool.run(tasks, &|i| {
                        runs[i].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(runs.iter().all(|r| r.load(Ordering::Relaxed) == 1), "{threads} threads, {tasks} tasks");
                }
            }
        }
    }

    #[test]
    fn sleepers_wake_up() {
        let mut pool = Pool::new(4);
        for _ in 0..5 {
            // long enough for the workers to fall asleep on most machines; right in any case
            std::thread::sleep(std::time::Duration::from_millis(5));
            let sum = AtomicUsize::new(0);
            pool.run(1000, &|i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(sum.load(Ordering::Relaxed), 499_500);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let mut pool = Pool::new(2);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.run(64, &|i| assert_ne!(i, 13, "on purpose"));
        }));
        assert!(run.is_err());
    }
}
