//! Reports: a record of a run goes in; a summary another program can read and a page a person can read come out.
//!
//! This crate reads what the crate `records` holds and runs nothing. It knows no RTL, no simulator and no clock: every number it prints is in
//! the record or follows from it by arithmetic written down here, so a page can be made again, years later, from the
//! committed JSON alone.
//!
//! | module | one purpose |
//! |---|---|
//! | [`spans`] | interval arithmetic: which unit ran when, when the matrix unit starved and for whom |
//! | [`family`] | groups op names into the dozen kinds of work a picture can show |
//! | [`summary`] | derives the numbers that `anser report latency --json` prints |
//! | [`palette`], [`pictures`] | colours for light and dark, SVG drawings (plotters) |
//! | [`trust`] | what a figure rests on: the badges beside it |
//! | [`words`] | numbers and names as words for people |
//! | [`page`] | the scaffolding every report shares: head, style, figures, tables |
//! | [`html`] | the latency page and the FPGA page |
//! | [`formats`] | the page of formats that a quantiser chose |
//! | [`accuracy`] | the page of an accuracy study |
//! | [`asic`], [`power`] | the pages of area and timing, and of power |
//! | [`explore`] | the page of a sweep over configurations |
//! | [`tracking`] | the page of state tracking |
//! | [`all`] | every report of one chip on one page |
//! | [`output`] | the files of a latency report |
//!
//! ```no_run
//! # fn main() -> Result<(), reports::ReportError> {
//! let record = records::latency::LatencyRecord::read("latency.json".as_ref())?;
//! println!("{} cycles a token", reports::summary::summary(&record)?.cycles_per_token);
//! reports::output::write_latency_report(&record, "build/latency".as_ref())?; // index.html, latency.json, summary.json
//! # Ok(())
//! # }
//! ```

pub mod accuracy;
pub mod all;
pub mod asic;
pub mod error;
pub mod explore;
pub mod family;
pub mod formats;
pub mod html;
pub mod output;
pub mod page;
pub mod palette;
pub mod pictures;
pub mod power;
pub mod spans;
pub mod summary;
pub mod tracking;
pub mod trust;
pub mod words;

pub use error::ReportError;
