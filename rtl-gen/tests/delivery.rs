//! What integrators' tools read of a design, for every configuration of the project; the tools themselves run in `tests/cli/delivery`.

use records::model::{BenchFiles, ProgramFiles};
use rtl_gen::blocks::core::top;
use rtl_gen::config::Config;
use rtl_gen::delivery::{files, memories, Design, File};
use rtl_gen::hdl::print;
use std::path::Path;

fn config(name: &str) -> Config {
    let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Config::load(Path::new(&path)).expect("a configuration of the project")
}

/// The files of a configuration with a model, and the names of its RTL.
fn delivered(config: &Config, prefix: &str) -> (Vec<File>, Vec<String>) {
    let top = top(config);
    let printed = print(&top).expect("a design");
    let program = ProgramFiles {
        image: "image.bin".into(),
        code: rtl_gen::bench::program_files().into(),
        instructions: [1, 2, 3, 4],
        state_bytes: 0,
    };
    let bench = BenchFiles {
        top: format!("{prefix}tb"),
        file: "tb.sv".into(),
        data: ["image.hex", "tokens.hex"].map(String::from).into(),
        tokens: 1,
        logits: 2,
    };
    let design = Design {
        config,
        top: &top,
        printed: &printed,
        prefix,
        version: "1.2.3",
        program: Some(&program),
        bench: Some(&bench),
    };
    let sources = printed.renamed(prefix).expect("a prefix").files.keys().cloned().collect();
    (files(&design).expect("a place for every port"), sources)
}

fn all_configs() -> Vec<Config> {
    let several = Config { sessions: 4, ..config("nano") };
    let port = Config { state_port: true, ..config("nano") };
    let ids = Config { axi_id_bits: 4, ..config("edge-large") };
    [config("nano"), config("wide"), config("edge"), config("edge-large"), several, port, ids].into()
}

#[test]
fn the_page_names_every_file_and_every_text_says_its_licence() {
    for config in all_configs() {
        let (files, _) = delivered(&config, "anser_");
        let page = &files.iter().find(|f| f.name == "README.md").expect("a page").text;
        for file in files.iter().filter(|f| f.name != "README.md") {
            assert!(page.contains(&format!("| `{}` |", file.name)), "{}", file.name);
            let marked = file.text.contains("SPDX-License-Identifier: Apache-2.0");
            assert_eq!(marked, !file.name.ends_with(".f"), "{}", file.name);
        }
        for name in ["image.bin", "program_dma.hex", "tokens.hex", "tb.sv"] {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}

#[test]
fn another_prefix_leaves_no_module_of_the_first_one() {
    let (files, sources) = delivered(&config("edge-large"), "chip_");
    for file in &files {
        let words = file.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // names of files that are the same for every prefix, and of the device in registers.h
        let same = ["anser_cocotb"];
        for word in words.filter(|w| w.starts_with("anser_") && !same.contains(w)) {
            assert!(!sources.contains(&format!("chip_{}.sv", &word[6..])), "{}: {word}", file.name);
        }
        assert!(!file.text.contains("anser_top") && !file.text.contains("anser_tb"), "{}", file.name);
    }
    let list = files.iter().find(|f| f.name == "files.f").expect("a list");
    assert_eq!(list.text.lines().collect::<Vec<_>>(), sources);
}

#[test]
fn macros_are_there_for_every_memory_and_nothing_else() {
    for config in all_configs() {
        let (files, _) = delivered(&config, "anser_");
        let text = |name: &str| &files.iter().find(|f| f.name.ends_with(name)).unwrap_or_else(|| panic!("{name}")).text;
        let (boxes, model, memory) = (text("/macros.sv"), text("/macros_model.sv"), text("macro/anser_ram_1w1r.sv"));
        let deep: Vec<_> = memories::sizes(&top(&config)).into_iter().filter(|(_, words)| *words > 32).collect();
        assert!(deep.len() > 5, "{deep:?}");
        for (bits, words) in &deep {
            let module = format!("module anser_macro_{bits}x{words} (");
            assert!(boxes.contains(&module) && model.contains(&module), "{module}");
            assert!(memory.contains(&format!("WIDTH == {bits} && DEPTH == {words})")), "{bits}x{words}");
        }
        assert_eq!(boxes.matches("(* blackbox *)").count(), deep.len());
    }
}

#[test]
fn a_configuration_with_any_name_makes_a_name_that_tools_take() {
    let odd = Config { name: "my chip: \"2\"".into(), ..config("nano") };
    let (files, _) = delivered(&odd, "anser_");
    let core = &files.iter().find(|f| f.name == "anser.core").expect("a core").text;
    assert!(core.contains("name: \"anser:my_chip___2_:anser_top:1.2.3\""), "{core}");
    assert!(core.contains(r#"description: "RWKV-7 accelerator, configuration my chip: \"2\"""#), "{core}");
    let xml = &files.iter().find(|f| f.name == "component.xml").expect("a component").text;
    assert!(
        xml.contains("configuration my chip: \"2\"</ipxact:description>") && xml.contains(">my_chip___2_<"),
        "{xml}"
    );
}
