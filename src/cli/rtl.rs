//! `rtl`: the design as files a hardware engineer can take away.

use super::args::Rtl;
use super::model::{config_for, Model};
use super::print::Out;
use super::rtl_bench::{self, Bench};
use super::Error;
use golden_model::fast::Weights;
use golden_model::image::layout::StreamLayout;
use records::model::{Manifest, ProgramFiles};
use records::output::{check_folder, write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn rtl(a: &Rtl, out: &Out) -> Result<ExitCode, Error> {
    let config = config_for(&a.config, a.sessions)?;
    check_folder(&a.output)?;
    let printed = rtl_gen::hdl::print(&rtl_gen::blocks::core::top(&config))?.renamed(&a.prefix)?;
    let program = match &a.model {
        Some(_) => Some(program(a, &config)?),
        None => None,
    };
    remove_older(&a.output);
    for (file, text) in &printed.files {
        write(&a.output.join(file), text)?;
    }
    let mut bench = None;
    let program = match program {
        Some(program) => {
            bench = Some(program.bench.write(&config, program.weights.emb.stream(), &a.output)?);
            Some(program.write(a)?)
        }
        None => None,
    };
    let registers = rtl_gen::registers::render::files(&rtl_gen::registers::all(&config));
    for (file, text) in &registers {
        write(&a.output.join(file), text)?;
    }
    let files: Vec<String> = printed.files.keys().cloned().collect();
    write(&a.output.join("files.f"), files.join("\n") + "\n")?;
    let manifest = Manifest {
        files,
        registers: registers.map(|(file, _)| file.to_string()).to_vec(),
        top: printed.top,
        config: &config,
        generator: concat!("anser ", env!("CARGO_PKG_VERSION")).into(),
        instances: printed.instances,
        program,
        bench,
    };
    write(&a.output.join("manifest.json"), serde_json::to_vec_pretty(&manifest)?)?;
    out.result(&manifest, || {
        let program = manifest.program.as_ref().map_or(String::new(), |p| {
            format!(", {} and programs of {} instructions", p.image, p.instructions.iter().sum::<usize>())
        });
        let bench = manifest.bench.as_ref().map_or(String::new(), |b| {
            format!(", {} that runs {} tokens on them (its first lines say how)", b.file, b.tokens)
        });
        format!(
            "{}: {} Verilog files listed in files.f, top {}, registers.rdl, .h and .py, manifest.json{program}{bench}",
            a.output.display(),
            manifest.files.len(),
            manifest.top
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Removes what an earlier run listed in its manifest, so that a folder never mixes two designs.
fn remove_older(folder: &Path) {
    let Ok(text) = std::fs::read(folder.join("manifest.json")) else { return };
    let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&text) else { return };
    let (program, bench) = (&manifest["program"], &manifest["bench"]);
    let lists = [&manifest["files"], &manifest["registers"], &program["code"], &bench["data"]];
    let lists = lists.into_iter().filter_map(|l| l.as_array()).flatten();
    for name in lists.chain([&program["image"], &bench["file"]]).filter_map(|n| n.as_str()) {
        // only plain names: a manifest cannot reach outside its folder
        if Path::new(name).file_name().is_some_and(|f| f == name) {
            let _ = std::fs::remove_file(folder.join(name));
        }
    }
}

/// A model as its weight stream, its four programs, and the bench that runs them.
struct Compiled {
    weights: Arc<Weights>,
    program: rtl_gen::program::Program,
    bench: Bench,
}

fn program(a: &Rtl, config: &rtl_gen::config::Config) -> Result<Compiled, Error> {
    let (model, _) = Model::open(&a.model)?;
    let prompt = rtl_bench::prompt(a, &model)?;
    let weights = Arc::new(model.fast(&model.numbers_for(config, &a.numbers))?);
    let mut view = rtl_gen::program::model::view(&*weights, &StreamLayout::of(&*weights));
    view.skip_columns = a.skip_columns;
    let program = rtl_gen::program::compile(config, &view)?;
    let bench = rtl_bench::make(a, config, &weights, &prompt, &program)?;
    Ok(Compiled { weights, program, bench })
}

impl Compiled {
    fn write(&self, a: &Rtl) -> Result<ProgramFiles, Error> {
        write(&a.output.join("image.bin"), self.weights.emb.stream())?;
        let code = rtl_gen::bench::program_files();
        for (name, instructions) in code.iter().zip(&self.program.code) {
            let words = rtl_gen::bench::words(instructions.iter().flatten().copied());
            write(&a.output.join(name), words)?;
        }
        let instructions = [0, 1, 2, 3].map(|i| self.program.code[i].len());
        Ok(ProgramFiles { image: "image.bin".into(), code: code.into(), instructions })
    }
}
