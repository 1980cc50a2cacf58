//! `rtl`: the design as files a hardware engineer can take away.

use super::args::Rtl;
use super::model::{config_for, Model};
use super::print::Out;
use super::rtl_bench::{self, Bench};
use super::rtl_folder::{Older, MANIFEST};
use super::Error;
use golden_model::fast::Weights;
use golden_model::image::layout::StreamLayout;
use records::model::{Deliverable, Manifest, ProgramFiles};
use records::output::{check_folder, write};
use rtl_gen::config::Config;
use rtl_gen::delivery::{self, Design, Kind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn rtl(a: &Rtl, out: &Out) -> Result<ExitCode, Error> {
    let config = config_for(&a.config, a.sessions)?;
    check_folder(&a.output)?;
    let top = rtl_gen::blocks::core::top(&config);
    let plain = rtl_gen::hdl::print(&top)?;
    let printed = plain.renamed(&a.prefix)?;
    let compiled = match &a.model {
        Some(_) => Some(program(a, &config)?),
        None => None,
    };
    let (program, bench) = compiled.as_ref().map(|c| (c.files(), c.bench.files())).unzip();
    let delivered = delivery::files(&Design {
        config: &config,
        top: &top,
        printed: &plain,
        prefix: &a.prefix,
        version: env!("CARGO_PKG_VERSION"),
        program: program.as_ref(),
        bench: bench.as_ref(),
    })?;
    let names: Vec<String> = delivered.iter().map(|f| f.name.clone()).collect();
    let older = Older::of(&a.output);
    older.check_foreign(&names)?;
    older.remove();
    for (file, text) in &printed.files {
        write(&a.output.join(file), text)?;
    }
    for file in &delivered {
        write(&a.output.join(&file.name), &file.text)?;
    }
    if let Some(compiled) = &compiled {
        compiled.write(&config, &a.output)?;
    }
    let sources: Vec<String> = printed.files.keys().cloned().collect();
    let registers = delivered.iter().filter(|f| f.kind == Kind::Registers);
    let manifest = Manifest {
        files: sources.iter().cloned().chain(names).collect(),
        registers: registers.map(|f| f.name.clone()).collect(),
        sources,
        deliverables: delivered
            .into_iter()
            .map(|f| Deliverable { file: f.name, purpose: f.purpose, command: f.command })
            .collect(),
        top: printed.top,
        config: &config,
        generator: concat!("anser ", env!("CARGO_PKG_VERSION")).into(),
        instances: printed.instances,
        program,
        bench,
    };
    write(&a.output.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?)?;
    out.result(&manifest, || {
        let program = manifest.program.as_ref().map_or(String::new(), |p| {
            format!(", {} and programs of {} instructions", p.image, p.instructions.iter().sum::<usize>())
        });
        let bench = manifest.bench.as_ref().map_or(String::new(), |b| {
            format!(", {} that runs {} tokens on them (its first lines say how)", b.file, b.tokens)
        });
        format!(
            "{}: {} Verilog files listed in files.f, top {}{program}{bench}, and {} files for other tools; README.md says what each is for",
            a.output.display(),
            manifest.sources.len(),
            manifest.top,
            manifest.deliverables.len()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A model as its weight stream, its four programs, and the bench that runs them.
struct Compiled {
    weights: Arc<Weights>,
    program: rtl_gen::program::Program,
    bench: Bench,
}

fn program(a: &Rtl, config: &Config) -> Result<Compiled, Error> {
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
    /// Names and sizes of image and programs.
    fn files(&self) -> ProgramFiles {
        ProgramFiles {
            image: "image.bin".into(),
            code: rtl_gen::bench::program_files().into(),
            instructions: [0, 1, 2, 3].map(|i| self.program.code[i].len()),
            state_bytes: self.program.state.map_or(0, |s| s.useful_bytes()),
        }
    }

    /// Writes image, programs, the bench and its data.
    fn write(&self, config: &Config, folder: &Path) -> Result<(), Error> {
        let files = self.files();
        write(&folder.join(files.image), self.weights.emb.stream())?;
        for (name, instructions) in files.code.iter().zip(&self.program.code) {
            let words = rtl_gen::bench::words(instructions.iter().flatten().copied());
            write(&folder.join(name), words)?;
        }
        self.bench.write(config, self.weights.emb.stream(), folder)
    }
}
