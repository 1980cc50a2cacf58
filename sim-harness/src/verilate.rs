//! From printed RTL to a loadable simulator: Verilator, a small C++ shim with a C interface, one shared library.
//!
//! The compiler is run directly instead of through Verilator's makefile, because Verilator's own runtime (seconds of
//! compilation, the same for every design) is then compiled once and kept: a small block builds in about a second.
//! Everything is cached under the hash of files, options and tools (see [`crate::cache`]).

use crate::cache;
use crate::toolchain::{Compiler, ToolError, Verilator};
use rtl_gen::hdl::Printed;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Raised whenever the shim or the flags change, so that old cache entries are not used.
const SHIM_VERSION: u32 = 1;
const SHIM: &str = include_str!("shim.cpp");
const LIBRARY: &str = "sim.so";

/// Told what is being done; never prints by itself.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How to build a simulator.
#[derive(Clone, Default)]
pub struct BuildOptions {
    /// Build the variant that can write FST waveforms (slower; needs the zlib and lz4 headers).
    pub trace: bool,
    /// The design is a mapped netlist: no lint, modules kept, and tracing counts toggles (SAIF) instead of writing a waveform.
    pub netlist: bool,
    /// Cache directory instead of [`cache::default_dir`].
    pub cache_dir: Option<PathBuf>,
    /// Called with a line at each step of a build; not called when the cache has it.
    pub progress: Option<Progress>,
}

impl std::fmt::Debug for BuildOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("BuildOptions")
            .field("trace", &self.trace)
            .field("netlist", &self.netlist)
            .field("cache_dir", &self.cache_dir)
            .finish_non_exhaustive()
    }
}

/// Why there is no simulator. `said` holds the last lines the tool printed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("verilator refuses {top}:\n{said}")]
    Verilate { top: String, said: String },
    #[error("the C++ compiler fails on {top} ({what}):\n{said}")]
    Compile { top: String, what: String, said: String },
    #[error("simulator cache {path}: {source}")]
    Io { path: String, source: io::Error },
    #[error("loading {path}: {why}")]
    Load { path: String, why: String },
}

/// One port as Verilator stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HeaderPort {
    name: String,
    bits: usize,
    input: bool,
}

/// The path of the shared library for `printed`, built if the cache lacks it.
pub fn build(printed: &Printed, options: &BuildOptions) -> Result<PathBuf, BuildError> {
    let job = Job { verilator: Verilator::find()?, compiler: Compiler::find()?, printed, options };
    let dir = options.cache_dir.clone().unwrap_or_else(cache::default_dir);
    let io_error = |source| BuildError::Io { path: dir.display().to_string(), source };
    let runtime = cache::get(&dir, &job.key("runtime", false), |work| job.build_runtime(work)).map_err(io_error)??;
    let entry =
        cache::get(&dir, &job.key("sim", true), |work| job.build_simulator(work, &runtime)).map_err(io_error)??;
    Ok(entry.join(LIBRARY))
}

struct Job<'a> {
    verilator: Verilator,
    compiler: Compiler,
    printed: &'a Printed,
    options: &'a BuildOptions,
}

impl Job<'_> {
    fn key(&self, prefix: &str, with_design: bool) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes()); // lengths keep neighbouring texts apart
            hash.update(text);
        };
        add(&format!("{SHIM_VERSION} {}", std::env::consts::ARCH));
        add(SHIM);
        add(&self.verilator.version);
        add(&self.verilator.root.display().to_string());
        add(&self.compiler.version);
        self.compiler.options.iter().for_each(|o| add(o));
        self.cflags().iter().for_each(|f| add(f));
        if with_design {
            self.verilator_args().iter().for_each(|f| add(f));
            for (file, text) in &self.printed.files {
                add(file);
                add(text);
            }
        }
        let digest = hash.finalize();
        digest[..16].iter().fold(format!("{prefix}-"), |mut s, b| {
            let _ = write!(s, "{b:02x}");
            s
        })
    }

    fn verilator_args(&self) -> Vec<String> {
        let mut args: Vec<String> = [
            "--cc",
            "-O3",
            "--x-assign",
            "fast",
            "--x-initial",
            "fast",
            "--no-assert",
            "-Wall",
            "--prefix",
            "Vdut",
            "--Mdir",
            "obj",
        ]
        .map(String::from)
        .to_vec();
        if self.options.netlist {
            // hundreds of thousands of one-bit assignments: what matters is that they compile at all
            args.extend(["-Wno-lint", "-Wno-fatal", "-fno-inline", "--output-split", "40000"].map(String::from));
        }
        match (self.options.trace, self.options.netlist) {
            (true, false) => args.push("--trace-fst".into()),
            (true, true) => args.push("--trace-saif".into()),
            (false, _) => {}
        }
        args.extend(["--top-module".into(), self.printed.top.clone()]);
        args
    }

    /// Flags of every compilation; the optimisation level comes on top.
    fn cflags(&self) -> Vec<String> {
        let t = u8::from(self.options.trace);
        let include = self.verilator.root.join("include");
        let mut flags: Vec<String> = [
            "-std=gnu++20",
            "-fPIC",
            "-fvisibility=hidden",
            "-w",
            "-DVERILATOR=1",
            "-DVM_COVERAGE=0",
            "-DVM_SC=0",
            "-DVM_TIMING=0",
            "-DVM_TRACE_VCD=0",
            if self.traces_saif() { "-DVM_TRACE_SAIF=1" } else { "-DVM_TRACE_SAIF=0" },
            "-DVL_TIME_CONTEXT",
            "-DVL_USER_FATAL",
        ]
        .map(String::from)
        .to_vec();
        flags.extend([format!("-DVM_TRACE={t}"), format!("-DVM_TRACE_FST={}", u8::from(self.traces_fst()))]);
        flags.extend([format!("-I{}", include.display()), format!("-I{}/vltstd", include.display())]);
        if self.compiler.is_gcc() {
            flags.push("-fno-gnu-unique".into()); // several simulators in one process must not share symbols
        }
        flags
    }

    /// The shim for this kind of recording: Verilator's recorders differ in nothing but their names.
    fn shim(&self) -> String {
        match self.traces_saif() {
            true => SHIM.replace("verilated_fst_c.h", "verilated_saif_c.h").replace("VerilatedFstC", "VerilatedSaifC"),
            false => SHIM.into(),
        }
    }

    fn traces_fst(&self) -> bool {
        self.options.trace && !self.options.netlist
    }

    fn traces_saif(&self) -> bool {
        self.options.trace && self.options.netlist
    }

    fn say(&self, text: &str) {
        if let Some(progress) = &self.options.progress {
            progress(text);
        }
    }

    /// Verilator's own C++ files, the same for all designs.
    fn build_runtime(&self, work: &Path) -> Result<(), BuildError> {
        self.say("compiling the Verilator runtime (once)");
        let mut names = vec!["verilated", "verilated_threads"];
        if self.traces_fst() {
            names.push("verilated_fst_c");
        }
        if self.traces_saif() {
            names.push("verilated_saif_c");
        }
        let commands = names.iter().map(|name| {
            let source = self.verilator.root.join(format!("include/{name}.cpp"));
            self.compile(work, &source, &work.join(format!("{name}.o")), "-O2")
        });
        self.run_all("the Verilator runtime", commands.collect())
    }

    fn build_simulator(&self, work: &Path, runtime: &Path) -> Result<(), BuildError> {
        let top = &self.printed.top;
        self.say(&format!("verilator: {top}, {} modules", self.printed.files.len()));
        let io_error = |source| BuildError::Io { path: work.display().to_string(), source };
        for (file, text) in &self.printed.files {
            std::fs::write(work.join(file), text).map_err(io_error)?;
        }
        let mut command = self.verilator.command();
        command.current_dir(work).args(self.verilator_args()).args(self.printed.files.keys());
        let out = command.output().map_err(io_error)?;
        if !out.status.success() {
            return Err(BuildError::Verilate { top: top.clone(), said: last_lines(&out.stderr, &out.stdout) });
        }
        let obj = work.join("obj");
        let header = std::fs::read_to_string(obj.join("Vdut.h")).map_err(io_error)?;
        let ports = header_ports(&header);
        std::fs::write(obj.join("shim.cpp"), shim_text(&ports, self.options.trace, &self.shim())).map_err(io_error)?;
        let level = if self.options.netlist { "-O1" } else { "-O2" };
        let units = translation_units(&obj, level).map_err(io_error)?;
        self.say(&format!("compiling {top}: {} units", units.len()));
        let commands =
            units.iter().map(|(source, level)| self.compile(&obj, source, &source.with_extension("o"), level));
        self.run_all(top, commands.collect())?;
        let runtime = std::fs::read_dir(runtime).map_err(io_error)?.flatten().map(|e| e.path());
        let mut runtime: Vec<_> = runtime.filter(|p| p.extension().is_some_and(|e| e == "o")).collect();
        runtime.sort();
        let objects = units.iter().map(|(source, _)| source.with_extension("o")).chain(runtime);
        self.link(&obj, &work.join(LIBRARY), &objects.collect::<Vec<_>>())?;
        // Only the RTL and the library are worth keeping.
        std::fs::remove_dir_all(&obj).map_err(io_error)
    }

    /// Links `objects` to a library that needs nothing it does not name: what is missing is an error here, not when it is loaded.
    fn link(&self, dir: &Path, library: &Path, objects: &[PathBuf]) -> Result<(), BuildError> {
        let link = |more: &[&str]| {
            let mut link = self.compiler.command();
            link.current_dir(dir).args(["-shared", "-fPIC", "-pthread", "-Wl,-Bsymbolic"]);
            if cfg!(target_os = "linux") {
                link.arg("-Wl,-z,defs");
            }
            link.arg("-o").arg(library).args(objects);
            if self.traces_fst() {
                link.args(["-lz", "-llz4"]);
            }
            link.args(more);
            self.run_all(&self.printed.top, vec![("link".into(), link)])
        };
        match link(&[]) {
            // clang leaves some atomic operations to a library, which it does not name
            Err(BuildError::Compile { said, .. }) if said.contains("__atomic_") => link(&["-latomic"]),
            other => other,
        }
    }

    fn compile(&self, dir: &Path, source: &Path, object: &Path, level: &str) -> (String, Command) {
        let mut c = self.compiler.command();
        c.current_dir(dir).args(self.cflags()).args([level, "-I."]).arg("-c").arg(source).arg("-o").arg(object);
        (source.file_name().unwrap_or_default().to_string_lossy().into_owned(), c)
    }

    /// Runs the commands, as many at a time as there are cores; the first failure wins.
    fn run_all(&self, top: &str, commands: Vec<(String, Command)>) -> Result<(), BuildError> {
        let workers = std::thread::available_parallelism().map_or(1, |n| n.get()).min(commands.len());
        let queue: Vec<_> = commands.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<BuildError>> = Mutex::new(None);
        let work = || loop {
            let Some(entry) = queue.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let mut entry = entry.lock().unwrap_or_else(|e| e.into_inner());
            let (what, command) = &mut *entry;
            let said = match command.output() {
                Ok(out) if out.status.success() => continue,
                Ok(out) => last_lines(&out.stderr, &out.stdout),
                Err(e) => e.to_string(),
            };
            let error = BuildError::Compile { top: top.into(), what: what.clone(), said };
            failed.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(error);
            next.store(queue.len(), Ordering::Relaxed);
        };
        std::thread::scope(|s| {
            for _ in 0..workers {
                s.spawn(work);
            }
        });
        failed.into_inner().unwrap_or_else(|e| e.into_inner()).map_or(Ok(()), Err)
    }
}

/// The last 30 lines of what a tool printed, errors first choice.
pub(crate) fn last_lines(stderr: &[u8], stdout: &[u8]) -> String {
    let text = if stderr.is_empty() { stdout } else { stderr };
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The `VL_IN8(&name,msb,lsb);` lines of Verilator's model header.
fn header_ports(header: &str) -> Vec<HeaderPort> {
    let one = |line: &str| {
        let rest = line.trim().strip_prefix("VL_")?;
        let input = rest.starts_with("IN");
        let (kind, args) = rest.split_once("(&")?;
        if !(input || kind.starts_with("OUT")) {
            return None;
        }
        let mut args = args.split_once(')')?.0.split(',');
        let name = args.next()?.to_string();
        let msb: usize = args.next()?.trim().parse().ok()?;
        let lsb: usize = args.next()?.trim().parse().ok()?;
        Some(HeaderPort { name, bits: msb - lsb + 1, input })
    };
    header.lines().filter_map(one).collect()
}

fn shim_text(ports: &[HeaderPort], trace: bool, shim: &str) -> String {
    let mut text = format!("#define ANSER_TRACE {}\n#define ANSER_PORTS(P) \\\n", u8::from(trace));
    for p in ports {
        let _ = writeln!(text, "  P({}, {}, {}) \\", p.name, p.bits, u8::from(p.input));
    }
    text + "\n" + shim
}

/// Groups Verilator's files into units of about equal size: hot ones at `fast` together with the shim, the ones named
/// `__Slow` (constructors, run once) unoptimised. A small design becomes two units, because the headers cost more than the code.
fn translation_units(obj: &Path, fast: &'static str) -> io::Result<Vec<(PathBuf, &'static str)>> {
    const UNIT_BYTES: u64 = 400_000;
    let mut files: Vec<(String, u64)> = vec![];
    for entry in std::fs::read_dir(obj)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".cpp") {
            files.push((name, entry.metadata()?.len()));
        }
    }
    files.sort();
    let mut units = vec![];
    for (kind, level) in [("fast", fast), ("slow", "-O0")] {
        let mut text = String::new();
        let mut bytes = 0;
        let finish = |text: &mut String, units: &mut Vec<(PathBuf, &'static str)>| {
            let path = obj.join(format!("unit_{kind}_{}.cpp", units.len()));
            units.push((path.clone(), level));
            std::fs::write(path, std::mem::take(text))
        };
        for (name, size) in files.iter().filter(|(name, _)| name.contains("Slow") == (kind == "slow")) {
            if bytes > 0 && bytes + size > UNIT_BYTES {
                finish(&mut text, &mut units)?;
                bytes = 0;
            }
            let _ = writeln!(text, "#include \"{name}\"");
            bytes += size;
        }
        if !text.is_empty() {
            finish(&mut text, &mut units)?;
        }
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_the_model_header() {
        let header = "    VL_IN8(&clk_i,0,0);\n    VL_OUTW(&d_o,99,0,4);\n    VL_IN(&x,31,0);\n    VL_OUT64(&y,55,0);\n  foo(&bar);";
        let ports = header_ports(header);
        let got: Vec<_> = ports.iter().map(|p| (p.name.as_str(), p.bits, p.input)).collect();
        assert_eq!(got, [("clk_i", 1, true), ("d_o", 100, false), ("x", 32, true), ("y", 56, false)]);
    }
}
