//! Every report of one chip on one page, made by running only what has changed.
//!
//! A page holds one record for each [`reports::all::Report`]. This crate decides which of them have to be made anew, runs those steps two
//! at a time, keeps what they return and writes the page:
//!
//! 1. [`Inputs::read`] hashes everything that a step may read: the configuration, the model, the text, the RTL, the program, the cell
//!    libraries, the versions of the tools, and the sources of the library that does the work. Together they are the step's key.
//! 2. [`run()`] looks for each step's record under its key, in the cache and beside the page. What is missing or was made from other
//!    inputs runs, and its record is kept at once.
//! 3. Then the records, their own pages and the large page are written. A step that could not run leaves a gap that the page names.
//!
//! The caller says how a record is made ([`Steps`]) and is told what happens; this crate prints nothing.

mod error;
mod job;
mod keys;
mod lanes;
mod page;
mod request;
mod store;
#[cfg(test)]
mod tests;

pub use error::FlowError;
pub use keys::{Inputs, Libraries, Sources};
pub use page::{run, Outcome, Page};
pub use request::{Request, Steps};
