//! Mapping of pieces to library cells, in parallel, each kept under the hash of all it was made from.

use crate::folder::{self, Folder};
use crate::front::{run, Piece};
use crate::library::Cells;
use crate::memory::Cut;
use crate::netlist::{Module, Netlist};
use crate::tools::Program;
use crate::{Error, Flow};
use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sim_harness::cache;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// A net drives at most this many pins, except clock, reset and what the library ties.
pub const MAX_FANOUT: usize = 16;

/// Returns the script of ABC: structural hashing, choices, delay-optimal mapping, buffers on every net above [`MAX_FANOUT`] sinks
/// (inputs of the logic, that is registers and ports, included), then sizes for the wanted period.
pub fn abc_script(period_ps: f64) -> String {
    format!(
        "strash\nifraig\nscorr\ndch -f\nmap -B 0.9 -D {period_ps:.0}\ntopo\nbuffer -p -N {MAX_FANOUT}\nupsize -D {period_ps:.0}\ndnsize -D {period_ps:.0}\n"
    )
}

/// Hex of a hash over texts; lengths keep neighbours apart.
pub(crate) fn key<'a>(prefix: &str, parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest[..16].iter().fold(format!("{prefix}-"), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

/// A module and its key.
type Entry<'a> = (&'a String, String);

/// Maps every piece of `flow` to cells.
pub fn map(
    pieces: &BTreeMap<String, Piece>,
    top: &str,
    memories: Cut,
    flow: &Flow,
    yosys: &Program,
) -> Result<Netlist, Error> {
    let cells = flow.cells;
    let recipe = recipe(cells, flow.clock_mhz);
    let wanted: Vec<&String> = pieces.keys().filter(|m| !memories.contains_key(*m)).collect();
    let stubs = |piece: &Piece| -> String { piece.children.iter().map(|c| pieces[c].stub.as_str()).collect() };
    let entries: Vec<Entry> = wanted
        .iter()
        .map(|&module| {
            let piece = &pieces[module];
            let (stubs, libraries) = (stubs(piece), cells.texts.iter().map(|(_, text)| text.as_str()));
            let own = [piece.text.as_str(), &stubs, &recipe.script, &recipe.abc, &recipe.constr, &yosys.version];
            (module, key("mapped", own.into_iter().chain(libraries)))
        })
        .collect();
    let have = |key: &str| flow.cache.join(key).join("module.json");
    let missing: Vec<&Entry> = entries.iter().filter(|(_, key)| !have(key).is_file()).collect();
    if !missing.is_empty() {
        flow.say(&format!("yosys: mapping {} of {} modules", missing.len(), entries.len()));
        batches(&missing, |m| pieces[m].text.len()).par_iter().try_for_each(|batch| -> Result<(), Error> {
            let own: BTreeSet<&String> = batch.iter().map(|(m, _)| *m).collect();
            let mut text: String = batch.iter().map(|(m, _)| pieces[*m].text.as_str()).collect();
            let children: BTreeSet<&String> = batch.iter().flat_map(|(m, _)| &pieces[*m].children).collect();
            children.difference(&own).for_each(|c| text += &pieces[*c].stub);
            let mapped = recipe.run(&text, cells, yosys, &format!("{} and others", batch[0].0))?;
            for (module, key) in batch {
                let json = serde_json::to_vec(&slim(&mapped["modules"][module.as_str()])).unwrap_or_default();
                let write = |dir: &Path| std::fs::write(dir.join("module.json"), &json);
                cache::get(&flow.cache, key, write).and_then(|r| r).map_err(Error::io(&flow.cache))?;
            }
            flow.say(&format!("yosys: mapped {}", own.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ")));
            Ok(())
        })?;
    }
    let modules = entries.par_iter().map(|(module, key)| {
        let path = have(key);
        Ok((module.to_string(), Module::from_json(module, &folder::json(&path, "yosys write_json")?)?))
    });
    let modules = modules.collect::<Result<BTreeMap<_, _>, Error>>()?;
    Ok(Netlist { top: top.into(), modules, memories })
}

/// A module without what nobody reads again: attributes, parameters and names of nameless things.
fn slim(module: &Value) -> Value {
    let mut module = module.clone();
    for (list, drop) in [("cells", &["attributes", "parameters", "hide_name"][..]), ("netnames", &["attributes"][..])] {
        let Some(entries) = module[list].as_object_mut() else { continue };
        if list == "netnames" {
            entries.retain(|_, v| v["hide_name"].as_u64() != Some(1));
        }
        for value in entries.values_mut().filter_map(Value::as_object_mut) {
            for key in drop {
                value.remove(*key);
            }
        }
    }
    module
}

/// Work for one run of Yosys each: enough of them to fill the cores, large modules first.
fn batches<'a>(missing: &[&'a Entry<'a>], size: impl Fn(&str) -> usize) -> Vec<Vec<&'a Entry<'a>>> {
    let n = (2 * rayon::current_num_threads()).min(missing.len());
    let mut sorted = missing.to_vec();
    sorted.sort_by_key(|m| std::cmp::Reverse(size(m.0)));
    let mut batches: Vec<(usize, Vec<&Entry>)> = (0..n).map(|_| (0, vec![])).collect();
    for m in sorted {
        if let Some(lightest) = batches.iter_mut().min_by_key(|b| b.0) {
            lightest.0 += size(m.0);
            lightest.1.push(m);
        }
    }
    batches.into_iter().map(|b| b.1).collect()
}

struct Recipe {
    script: String,
    abc: String,
    constr: String,
}

fn recipe(cells: &Cells, clock_mhz: f64) -> Recipe {
    let libraries: Vec<&String> =
        cells.texts.iter().filter(|(_, text)| has_logic(text)).map(|(name, _)| name).collect();
    let liberty: String = libraries.iter().map(|l| format!(" -liberty {l}")).collect();
    let dont: String = cells.dont_use.iter().map(|c| format!(" -dont_use {c}")).collect();
    // without -noabc, synth ends with ABC's generic script, which turns the carry trees it has made back into chains
    let script = format!(
        "read_rtlil in.il\nsynth -noabc\ndfflibmap{liberty}{dont}\nopt_clean\nabc{liberty}{dont} -constr c.constr -script abc.script\nopt_clean -purge\nwrite_json out.json\n"
    );
    let constr = format!("set_driving_cell {}\nset_load {:.6}\n", cells.buffer.cell, 4.0 * cells.buffer_pf());
    Recipe { script, abc: abc_script(1e6 / clock_mhz), constr }
}

/// Whether a library has gates at all, not only memories.
fn has_logic(text: &str) -> bool {
    text.contains("ff(") || text.contains("ff (") || text.contains("function")
}

impl Recipe {
    fn run(&self, rtlil: &str, cells: &Cells, yosys: &Program, what: &str) -> Result<Value, Error> {
        let work = Folder::new("map")?;
        work.write("in.il", rtlil)?;
        work.write("abc.script", &self.abc)?;
        work.write("c.constr", &self.constr)?;
        for (name, text) in cells.texts.iter().filter(|(_, text)| has_logic(text)) {
            work.write(name, text)?;
        }
        run(yosys, &self.script, &work, what)?;
        folder::json(&work.path().join("out.json"), "yosys write_json")
    }
}
