//! No two files of a crate import each other, directly or over other files. A module and its own child may.
//!
//! A file in a ring cannot be read, tested or moved without the others. The cure is a place of its own for what they share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// The folders that are free of rings: the sources of the crates.
const COVERED: [&str; 11] = [
    "records/src",
    "power/src",
    "golden-model/src",
    "rtl-gen/src",
    "explore/src",
    "sim-harness/src",
    "asic/src",
    "fpga/src",
    "flow/src",
    "reports/src",
    "src",
];

/// The path of a module from the root of its crate; empty for the root itself.
type Module = Vec<String>;

/// Source text by module.
type Sources = BTreeMap<Module, String>;

/// Reads every Rust file below `folder`, except files of tests.
fn read(folder: &Path, module: &Module, sources: &mut Sources) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("an entry of the folder").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name in Unicode").to_string();
        let child = || module.iter().cloned().chain([stem.clone()]).collect::<Module>();
        if path.is_dir() {
            read(&path, &child(), sources);
        } else if path.extension().is_some_and(|e| e == "rs") && stem != "tests" {
            let of_folder = ["mod", "lib", "main"].contains(&stem.as_str());
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            sources.insert(if of_folder { module.clone() } else { child() }, text);
        }
    }
}

/// The code of a file without comments and without the tests at its end, which may use what they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Every path of a `use` tree: `a::{b, c::{d, e}}` gives `a::b`, `a::c::d` and `a::c::e`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or("");
        return vec![path.split("::").map(|s| s.trim().to_string()).filter(|s| !s.is_empty()).collect()];
    };
    let prefix: Vec<String> = before.split("::").map(|s| s.trim().to_string()).filter(|s| !s.is_empty()).collect();
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let mut depth = 0;
    let branches = inside.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let leaves = branches.filter(|b| !b.trim().is_empty()).flat_map(expand);
    leaves.map(|leaf| prefix.iter().cloned().chain(leaf).collect()).collect()
}

/// Paths that code names outside of `use`: words joined by `::`.
fn inline(code: &str) -> Vec<Vec<String>> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let runs = code.split(|c: char| !word(c)).filter(|run| run.contains("::"));
    runs.map(|run| run.split("::").filter(|s| !s.is_empty()).map(str::to_string).collect()).collect()
}

/// The module that `path` in `module` leads to, if it is another file of the crate.
fn resolve(sources: &Sources, module: &Module, path: &[String]) -> Option<Module> {
    let supers = path.iter().take_while(|s| *s == "super").count();
    let start = match path.first()?.as_str() {
        "crate" => vec![],
        "super" => module[..module.len().checked_sub(supers)?].to_vec(),
        "self" => module.clone(),
        _ => module.clone(), // a child, or nothing of this crate
    };
    let named = path.iter().skip(supers.max(usize::from(["crate", "self"].contains(&path[0].as_str())))).cloned();
    let explicit = ["crate", "super", "self"].contains(&path[0].as_str());
    let full: Module = start.iter().cloned().chain(named).collect();
    let found = (0..=full.len()).rev().map(|n| full[..n].to_vec()).find(|m| sources.contains_key(m))?;
    let leads_on = explicit || found.len() > start.len();
    (leads_on && found != *module).then_some(found)
}

/// Which modules each module names, parents and children left out.
fn imports(sources: &Sources) -> BTreeMap<&Module, BTreeSet<Module>> {
    let related = |a: &Module, b: &Module| a.len() + 1 == b.len() && b.starts_with(a);
    let of = |(module, text): (&'_ Module, &String)| {
        let code = code(text);
        let mut paths = vec![];
        let mut rest = String::new();
        for statement in code.split_inclusive(';') {
            let tree = statement
                .trim_end_matches(';')
                .rsplit_once("use ")
                .filter(|(before, _)| before.is_empty() || before.ends_with(['\n', ' ', '}']));
            match tree.filter(|(_, tree)| !tree.contains(['(', '='])) {
                Some((before, tree)) => {
                    rest.push_str(before);
                    paths.extend(expand(tree));
                }
                None => rest.push_str(statement),
            }
        }
        paths.extend(inline(&rest));
        let found = paths.iter().filter_map(|path| resolve(sources, module, path));
        found.filter(|m| !related(module, m) && !related(m, module)).collect()
    };
    sources.iter().map(|(module, text)| (module, of((module, text)))).collect()
}

/// The shortest ring through each module that is in one, each ring once.
fn rings(sources: &Sources) -> BTreeSet<Vec<String>> {
    let imports = imports(sources);
    let mut rings = BTreeSet::new();
    for start in sources.keys() {
        let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(module) = queue.pop_front() {
            for next in &imports[module] {
                if !came_from.contains_key(next) {
                    came_from.insert(next, module);
                    queue.push_back(next);
                }
            }
        }
        if !came_from.contains_key(start) {
            continue;
        }
        let mut ring = vec![start];
        while came_from[ring[ring.len() - 1]] != start {
            ring.push(came_from[ring[ring.len() - 1]]);
        }
        ring.reverse();
        let first = ring.iter().enumerate().min_by_key(|(_, m)| **m).map_or(0, |(i, _)| i);
        ring.rotate_left(first);
        rings.insert(ring.into_iter().map(|m| m.join("::")).collect());
    }
    rings
}

#[test]
fn no_files_import_each_other() {
    for folder in COVERED {
        let mut sources = Sources::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &vec![], &mut sources);
        assert!(sources.len() > 4, "{folder}: {} files", sources.len());
        let rings = rings(&sources);
        let text: Vec<String> = rings.iter().map(|ring| ring.join(" -> ")).collect();
        assert!(rings.is_empty(), "files of {folder} import each other in a ring:\n{}", text.join("\n"));
    }
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let module = |name: &str| name.split("::").filter(|s| !s.is_empty()).map(str::to_string).collect();
    files.iter().map(|(name, text)| (module(name), text.to_string())).collect()
}

#[test]
fn a_planted_ring_is_found() {
    let found = |files: &[(&str, &str)]| rings(&sources(files)).into_iter().collect::<Vec<_>>();
    let root = ("", "pub mod a;\npub mod b;\nmod c;\n");
    let direct =
        found(&[root, ("a", "use crate::b::B;\n"), ("b", "pub struct B;\nuse super::a::{self, A};\n"), ("c", "")]);
    assert_eq!(direct, [["a", "b"]]);
    let long = found(&[
        root,
        ("a", "use crate::{c::C, x};\n"),
        ("b", "fn f() -> u32 { crate::a::f() }\n"),
        ("c", "pub use crate::b::{f as g, h};\n"),
    ]);
    assert_eq!(long, [["a", "c", "b"]]);
}

#[test]
fn parents_comments_and_tests_make_no_ring() {
    let files = [
        ("", "pub mod a;\nuse a::A;\n"),
        ("a", "mod child;\nuse child::C;\n/// See [`crate::b::B`].\nuse crate::A;\n"),
        ("a::child", "use super::A;\n"),
        ("b", "use crate::a::A;\n"),
    ];
    assert_eq!(rings(&sources(&files)), BTreeSet::new());
    let tested =
        [("a", "pub struct A;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n"), ("b", "use crate::a::A;\n")];
    assert_eq!(rings(&sources(&tested)), BTreeSet::new());
}
