//! What every step and verb leaves behind: plain structs that are written as JSON and read again.
//!
//! A program that measures fills a record; a program that shows (`reports`, or any other) reads it, years later if need be. So
//! nothing here runs, draws or knows a model, and the crate depends on no other crate of the project. Names of JSON fields are
//! an interface: they do not change while `schema_version` stays the same. Units are in the field names.
//!
//! | module | record of |
//! |---|---|
//! | [`latency`], [`summary`] | one token on the simulated chip, cycle by cycle, and the numbers that follow |
//! | [`accuracy`] | what each width of the integers costs against floating point |
//! | [`asic`] | area and timing in a cell library |
//! | [`power`] | watts of any netlist, and of the chip's own while it runs tokens |
//! | [`fpga`] | a build for a board, the board in simulation, the board itself, an estimate for a larger part |
//! | [`explore`] | a sweep over configurations |
//! | [`tracking`] | state tracking by length |
//! | [`all`] | `anser report all`: which of these a page holds, and how fresh each is |
//! | [`formats`] | the formats that a quantiser chose |
//! | [`run`], [`mismatch`] | `generate`, `logits`, `cosim`, `eval`, `bench`, and the first difference of a comparison |
//! | [`model`] | `inspect`, `random`, `quantize`, `rtl` |
//! | [`shared`] | what several of them hold |
//! | [`input`] | how records are read and printed |
//! | [`text`] | how every text file of the project is opened |
//! | [`output`] | how every file of the project is written |

pub mod accuracy;
pub mod all;
pub mod asic;
mod error;
pub mod explore;
pub mod formats;
pub mod fpga;
pub mod input;
pub mod latency;
pub mod mismatch;
pub mod model;
pub mod output;
pub mod power;
pub mod run;
pub mod shared;
pub mod summary;
pub mod text;
pub mod tracking;

pub use error::RecordError;
pub use text::TextError;
