//! `docs/blocks.md` is made from the modules themselves: what each is, where it stands, what it takes.

use records::asic::AsicRecord;
use rtl_gen::blocks::core::top;
use rtl_gen::config::Config;
use rtl_gen::hdl::{Item, Module};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The mapping to library cells that the areas are from.
const RUN: &str = "reports/runs/2026-11-28-blocks";

/// One line for each unit: its folder, and what it is.
const UNITS: [(&str, &str); 7] = [
    ("core", "The core: what connects the units, programs and memories"),
    ("mat", "The matrix unit"),
    ("vec", "The vector unit"),
    ("wkv", "The recurrence"),
    ("dma", "The stream reader"),
    ("regs", "The registers"),
    ("prim", "Primitives that every unit uses"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What the page says of one module.
#[derive(Default)]
struct Block {
    doc: String,
    /// The file of its generator and those of its body, from the root of the project.
    files: Vec<String>,
    /// How often it stands in each parent, in one copy of the parent.
    parents: BTreeMap<String, usize>,
    instances: usize,
    um2: f64,
}

/// Every body by its text, with the path of its file.
fn bodies() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (unit, _) in UNITS {
        let folder = root().join("rtl-gen/rtl").join(unit);
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let name = entry.expect("an entry of the folder").file_name().into_string().expect("a name in Unicode");
            let path = format!("rtl-gen/rtl/{unit}/{name}");
            all.insert(read(&path).trim_matches('\n').to_string(), path);
        }
    }
    all
}

/// Adds `module`, of which there are `copies`, and everything in it.
fn collect(module: &Module, copies: usize, areas: &BTreeMap<String, f64>, blocks: &mut BTreeMap<String, Block>) {
    let block = blocks.entry(module.name.clone()).or_default();
    block.instances += copies;
    block.um2 += copies as f64 * areas.get(&module.specialised_name()).copied().unwrap_or(0.0);
    if block.doc.is_empty() {
        block.doc = module.doc.trim().to_string();
        block.files.push(module.source.to_string());
        let bodies = bodies();
        for item in &module.items {
            if let Item::Text(text) = item {
                block.files.extend(bodies.get(text.trim_matches('\n')).cloned());
            }
        }
    }
    let mut inside: BTreeMap<&str, usize> = BTreeMap::new();
    for i in &module.instances {
        *inside.entry(i.module.name.as_str()).or_default() += i.repeat.as_ref().map_or(1, |r| r.count);
    }
    for (child, count) in inside {
        blocks.entry(child.to_string()).or_default().parents.insert(module.name.clone(), count);
    }
    for i in &module.instances {
        collect(&i.module, copies * i.repeat.as_ref().map_or(1, |r| r.count), areas, blocks);
    }
}

fn short(module: &str) -> &str {
    module.strip_prefix("anser_").unwrap_or(module)
}

/// The first sentence of a contract.
fn first_sentence(doc: &str) -> String {
    let text = doc.replace('\n', " ");
    let end = text.find(['.', ';', ':']).unwrap_or(text.len());
    text[..end].replace('|', "\\|")
}

fn page(design: &Module, run: &AsicRecord) -> String {
    let areas: BTreeMap<String, f64> = run.modules.iter().map(|m| (m.module.clone(), m.own_um2)).collect();
    let mut blocks = BTreeMap::new();
    collect(design, 1, &areas, &mut blocks);
    let mut s = format!(
        "# Blocks\n\n\
         Every module of the chip in configuration nano: what it does, its contract and latency, its files, where it stands, and what it\n\
         takes. This page is made from the modules themselves; `ANSER_UPDATE=1 cargo test -p rtl-gen --test blocks` writes it.\n\
         [How a token becomes cycles](token-to-cycles.md) shows how the blocks work together.\n\n\
         The share is that of the module's own logic, all instances together and without the modules inside it, in the {:.2} mm² of logic\n\
         that [{}](../{RUN}/README.md) has on {} in library {}. Memories, {:.1} mm² of the chip, are not logic and not in it.\n",
        run.area.logic_um2 / 1e6,
        RUN.rsplit('/').next().unwrap_or(RUN),
        run.date.split('T').next().unwrap_or(""),
        run.corner.library,
        run.area.memory_um2 / 1e6,
    );
    for (unit, title) in UNITS {
        let of_unit =
            |b: &Block| b.files.first().is_some_and(|f| f.starts_with(&format!("rtl-gen/src/blocks/{unit}/")));
        let list: Vec<(&String, &Block)> = blocks.iter().filter(|(_, b)| of_unit(b)).collect();
        let _ = write!(s, "\n## {title}\n\n| block | what | instances | share of logic |\n|---|---|---|---|\n");
        for (name, b) in &list {
            let (name, what) = (short(name), first_sentence(&b.doc));
            let share = 100.0 * b.um2 / run.area.logic_um2;
            let _ = writeln!(s, "| [{name}](#{name}) | {what} | {} | {share:.1} % |", b.instances);
        }
        for (name, b) in &list {
            let _ = write!(s, "\n### {}\n\n", short(name));
            for line in b.doc.lines() {
                let _ = writeln!(s, "{}", if line.is_empty() { String::new() } else { format!("    {line}") });
            }
            let file = |f: &String| format!("[{}](../{f})", f.rsplit('/').next().unwrap_or(f));
            let files: Vec<String> = b.files.iter().map(file).collect();
            let parent = |(p, n): (&String, &usize)| match n {
                1 => format!("once in [{0}](#{0})", short(p)),
                n => format!("{n} times in [{0}](#{0})", short(p)),
            };
            let parents: Vec<String> = b.parents.iter().map(parent).collect();
            let placed = if parents.is_empty() { "the top".to_string() } else { parents.join(", ") };
            let _ = writeln!(s, "\nFiles: {}. Placed: {placed}.", files.join(", "));
        }
    }
    s
}

/// The design of configuration nano, and the page that it makes.
fn made() -> (Arc<Module>, String) {
    let config = Config::load(&root().join("configs/nano.toml")).expect("a configuration of the project");
    let run: AsicRecord = serde_json::from_str(&read(&format!("{RUN}/run.json"))).expect("a record");
    let design = top(&config);
    let page = page(&design, &run);
    (design, page)
}

#[test]
fn the_catalogue_of_blocks_is_that_of_the_modules() {
    let expected = made().1;
    let path = root().join("docs/blocks.md");
    if std::env::var_os("ANSER_UPDATE").is_some() {
        std::fs::write(&path, expected).expect("docs/blocks.md");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = expected.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(
        found == expected,
        "docs/blocks.md is not what the modules say, first at {changed:?}; ANSER_UPDATE=1 cargo test -p rtl-gen --test blocks writes it"
    );
}

#[test]
fn the_catalogue_has_every_module_once_and_where_it_stands() {
    let (design, page) = made();
    let printed = rtl_gen::hdl::print(&design).expect("it is wired right");
    for file in printed.files.keys().filter(|f| *f != "anser_pkg.sv") {
        let module = file.trim_end_matches(".sv");
        assert_eq!(page.matches(&format!("\n### {}\n", short(module))).count(), 1, "{file}");
        let instances = printed.instances.values().filter(|m| *m == module).count();
        let row = page.lines().find(|l| l.starts_with(&format!("| [{0}](#{0}) |", short(module)))).expect("its row");
        assert!(row.contains(&format!("| {instances} |")), "{instances} instances: {row}");
    }
}
