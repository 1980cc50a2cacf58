//! Which module is the design, and how large it becomes.

use super::verilog::{Module, Source};
use crate::error::Error;
use crate::liberty::Library;
use std::collections::{HashMap, HashSet};
use std::path::Path;

const MAX_DEPTH: usize = 64;
/// Modules that stand in each other can make any number of instances of a few lines.
const MAX_INSTANCES: usize = 1 << 25;

/// The module to flatten: that of this name, or the only one with contents that no other instantiates.
pub(super) fn top<'s>(
    path: &Path,
    source: &'s Source,
    libraries: &[Library],
    wanted: Option<&str>,
) -> Result<&'s Module, Error> {
    let invalid = |what: String| Error::Invalid { path: path.into(), what };
    if let Some(name) = wanted {
        let modules = || source.order.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
        return source
            .modules
            .get(name)
            .ok_or_else(|| invalid(format!("no module {name}; the file has {}", modules())));
    }
    let used: HashSet<&str> =
        source.modules.values().flat_map(|m| m.instances.iter().map(|i| i.cell.as_str())).collect();
    let is_cell = |m: &&Module| libraries.iter().any(|l| l.cells.contains_key(&m.name));
    let free = source.order.iter().filter(|m| !used.contains(m.as_str())).filter_map(|m| source.modules.get(m));
    let free: Vec<&Module> = free.filter(|m| !is_cell(m)).collect();
    let full: Vec<&Module> = free.iter().copied().filter(|m| !m.is_empty()).collect();
    match (&full[..], &free[..]) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], []) => Err(invalid("the netlist has no top module: each is instantiated by another".into())),
        ([], several) | (several, _) => {
            let names: Vec<&str> = several.iter().map(|m| m.name.as_str()).collect();
            Err(invalid(format!(
                "no module instantiates {}; say which of them is the design (--top)",
                names.join(", ")
            )))
        }
    }
}

/// The number of instances in a module, those in its modules included.
pub(super) fn size<'s>(
    path: &Path,
    source: &'s Source,
    module: &'s Module,
    known: &mut HashMap<&'s str, usize>,
    depth: usize,
) -> Result<usize, Error> {
    let invalid = |what: String| Error::Invalid { path: path.into(), what };
    if let Some(size) = known.get(module.name.as_str()) {
        return Ok(*size);
    }
    if depth > MAX_DEPTH {
        return Err(invalid(format!("module {} is nested more than {MAX_DEPTH} deep", module.name)));
    }
    let mut total = module.instances.len();
    for child in module.instances.iter().filter_map(|i| source.modules.get(&i.cell)) {
        total += size(path, source, child, known, depth + 1)?;
        if total > MAX_INSTANCES {
            return Err(invalid(format!("module {} has more than {MAX_INSTANCES} instances", module.name)));
        }
    }
    known.insert(&module.name, total);
    Ok(total)
}
