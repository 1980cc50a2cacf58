//! Where output goes: with `--json` one object on standard output and nothing else there.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::Write;

pub struct Out {
    pub json: bool,
}

impl Out {
    /// The result as JSON, or as `text` for people.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), super::Error> {
        let mut stdout = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut stdout, value)?;
            writeln!(stdout)?;
        } else {
            let text = text();
            write!(stdout, "{text}{}", if text.is_empty() || text.ends_with('\n') { "" } else { "\n" })?;
        }
        Ok(())
    }

    /// Text as it comes; silent with `--json`.
    pub fn stream(&self, bytes: &[u8]) -> Result<(), super::Error> {
        if !self.json {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()?;
        }
        Ok(())
    }
}

/// A bar on standard error for work that may take over two seconds; invisible when standard error is no terminal.
pub fn bar(len: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what);
    bar
}

/// Writes a file under a temporary name in its folder, then renames it.
pub fn write_file(path: &std::path::Path, bytes: &[u8]) -> Result<(), super::Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|e| format!("{}: {e}", path.display()).into())
}
