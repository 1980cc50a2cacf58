//! What a simulation says about each net: how often it changes and how long it is 1.

mod saif;
mod scope;
mod vcd;

use crate::error::Error;
use crate::netlist::names::count;
use std::collections::HashMap;
use std::path::PathBuf;

/// Activity of a net.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// Transitions per second; a change from or to x counts half
    pub density: f64,
    /// Share of time at 1, 0 … 1
    pub duty: f64,
}

/// Where activity comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Vcd(PathBuf),
    Saif(PathBuf),
}

/// The activity that was measured in one scope.
#[derive(Debug)]
pub struct Measured {
    /// By net name relative to the scope, in the spelling of [`crate::netlist::names::normal`]
    pub nets: HashMap<String, Activity>,
    /// Seconds recorded
    pub seconds: f64,
    /// Sentences about the recording that a reader of the watts should know
    pub notes: Vec<String>,
}

impl Measured {
    /// Collects the activity that was counted in `seconds`. A name that comes with two different activities stands for two nets, so it is
    /// left out.
    pub fn new(seconds: f64, nets: impl IntoIterator<Item = (String, Activity)>) -> Measured {
        let mut all: HashMap<String, Option<Activity>> = HashMap::new();
        for (name, activity) in nets {
            all.entry(name).and_modify(|known| *known = known.filter(|k| *k == activity)).or_insert(Some(activity));
        }
        let doubtful = all.iter().filter(|(_, activity)| activity.is_none()).map(|(name, _)| name);
        let notes = count(doubtful, |n, such| {
            format!(
                "{n} names stand for several nets of the recording (such as {such}); no activity is taken from them"
            )
        });
        let nets = all.into_iter().filter_map(|(name, activity)| Some((name, activity?))).collect();
        Measured { nets, seconds, notes: notes.into_iter().collect() }
    }

    /// Reads the activity of the nets below `scope` (`top.dut` or `top/dut`).
    ///
    /// Fails when the file has no such scope (the message lists those it has) or covers no time.
    pub fn load(source: &Source, scope: &str) -> Result<Measured, Error> {
        let (Source::Vcd(path) | Source::Saif(path)) = source;
        let measured = match source {
            Source::Vcd(path) => vcd::load(path, scope),
            Source::Saif(path) => saif::load(path, scope),
        }?;
        if measured.seconds > 0.0 {
            return Ok(measured);
        }
        Err(Error::Invalid { path: path.clone(), what: "the recording covers no time".into() })
    }
}
