//! What a tool is doing, told from the lines it logs: the steps are minutes long and say nothing else.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Follows a log that grows.
pub struct Watch {
    file: File,
    at: u64,
    rest: String,
}

impl Watch {
    /// Watches `log` from its beginning; `None` if it cannot be read, which is no reason to stop a tool.
    pub fn new(log: &Path) -> Option<Self> {
        Some(Watch { file: File::open(log).ok()?, at: 0, rest: String::new() })
    }

    /// The latest thing begun since the last look, if any.
    pub fn look(&mut self) -> Option<String> {
        let mut bytes = vec![];
        self.file.seek(SeekFrom::Start(self.at)).ok()?;
        self.at += self.file.read_to_end(&mut bytes).ok()? as u64;
        self.rest += &String::from_utf8_lossy(&bytes);
        let whole = self.rest.rfind('\n').map_or(0, |i| i + 1);
        let text: String = self.rest.drain(..whole).collect();
        text.lines().rev().find_map(doing)
    }
}

/// What a line of Yosys or nextpnr says is being done; details after a comma.
fn doing(line: &str) -> Option<String> {
    if line.starts_with(|c: char| c.is_ascii_digit()) {
        let pass = line.split_once(". Executing ")?.1.split_whitespace().next()?;
        return Some(format!("mapping, {pass}"));
    }
    let said = line.strip_prefix("Info: ")?.trim_start();
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    if let Some(rest) = said.strip_prefix("at iteration #") {
        let phase = if rest.contains("temp = ") { "refinement" } else { "placement" };
        return Some(format!("{phase}, iteration {}", number(rest)));
    }
    if let Some(rest) = said.strip_prefix("iter=") {
        let overused = rest.split_once("overused=").map_or("", |r| r.1);
        return Some(format!("routing, iteration {}, {} wires wanted twice", number(rest), number(overused)));
    }
    [("Packing ", "packing"), ("Creating initial analytic placement", "placement"), ("Routing", "routing")]
        .into_iter()
        .find_map(|(start, what)| said.starts_with(start).then(|| what.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_told_in_plain_words() {
        for (line, want) in [
            ("3.41.2. Executing ABC9_OPS pass (helper functions for ABC9).", Some("mapping, ABC9_OPS")),
            ("Info: Packing IOs..", Some("packing")),
            ("Info: Creating initial analytic placement for 28192 cells, random wirelen = 1.", Some("placement")),
            ("Info:     at iteration #12, type ALL: wirelen solved = 1, spread = 2", Some("placement, iteration 12")),
            ("Info:   at iteration #5: temp = 0.000000, timing cost = 2", Some("refinement, iteration 5")),
            (
                "Info:     iter=3 wires=218000 overused=41 overuse=42 tmgfail=0 archfail=NA",
                Some("routing, iteration 3, 41 wires wanted twice"),
            ),
            ("Warning: something", None),
            ("Info: wirelen solved", None),
            ("", None),
        ] {
            assert_eq!(doing(line).as_deref(), want, "{line}");
        }
    }

    #[test]
    fn a_log_is_followed_line_by_line() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let mut watch = Watch::new(file.path()).expect("it is there");
        assert_eq!(watch.look(), None);
        write!(file, "Info: Packing IOs..\nInfo:   at iteration #4: te").expect("written");
        assert_eq!(watch.look().as_deref(), Some("packing"), "half a line tells nothing");
        writeln!(file, "mp = 0").expect("written");
        assert_eq!(watch.look().as_deref(), Some("refinement, iteration 4"));
        assert_eq!(watch.look(), None);
        assert!(Watch::new(Path::new("/no/such/log")).is_none());
    }
}
