//! What a caller says: which page it wants, and how each record is made.

use records::shared::Origin;
use reports::all::Report;
use rtl_gen::config::Config;
use std::path::PathBuf;

/// The page that is wanted.
pub struct Request {
    /// What the page calls the model.
    pub model: String,
    pub config: Config,
    /// The steps that may run; none named means all but place and route.
    pub only: Vec<Report>,
    /// Whether place and route runs too, which takes half an hour and more.
    pub place_and_route: bool,
    /// Runs nothing: the page shows what there is.
    pub no_run: bool,
    /// Where a finished build for a board lies, if somebody made one.
    pub fpga_build: PathBuf,
    /// Where records are kept for later runs, whatever page they are for.
    pub cache: PathBuf,
    /// Folder of the page, the records and their own pages.
    pub output: PathBuf,
}

impl Request {
    /// Whether `step` is to run if its record is not there.
    pub fn wants(&self, step: Report) -> bool {
        match step {
            Report::PlaceAndRoute => self.place_and_route || self.only.contains(&step),
            _ => self.only.is_empty() || self.only.contains(&step),
        }
    }
}

/// How the records of a page are made. Two steps run at a time, so the functions are called from two threads.
pub trait Steps: Sync {
    /// Makes the record of `step` and returns it as JSON. The first line of an error stands on the page.
    ///
    /// # Errors
    /// Whatever keeps the step from running.
    fn make(&self, step: Report) -> Result<String, Box<dyn std::error::Error>>;

    /// The command that makes the same record by itself; the page shows it.
    fn command(&self, step: Report) -> String;

    /// Where the page comes from; asked for once, when the steps are done.
    fn origin(&self) -> Origin;

    /// Takes a line about how the run goes on.
    fn note(&self, text: &str);
}
