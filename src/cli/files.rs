//! Files that are read, and those that belong to the program: configurations, its own models and their text.
//!
//! They are part of the program, so that an installed one needs no other files. A project around the current folder goes first, so that a
//! changed or new file is used there ([`sim_harness::places`] has the whole rule).

use super::Error;
use golden_model::text::tokenizer::Tokenizer;
use records::text;
use sha2::{Digest, Sha256};
use sim_harness::{cache, places};
use std::path::{Path, PathBuf};

macro_rules! embedded {
    ($($name:literal)*) => { [$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $name)))),*] };
}

/// Each file by its path in the project.
const EMBEDDED: [(&str, &[u8]); 7] = embedded! {
    "configs/edge-large.toml" "configs/edge.toml" "configs/nano.toml" "configs/wide.toml"
    "models/shakespeare.safetensors" "models/text/tinyshakespeare.txt" "models/track-a5.safetensors"
};

/// The project's own model and the text it was trained on; the last 5 % of the text it has never seen.
pub const OWN_MODEL: &str = "models/shakespeare.safetensors";
pub const OWN_TEXT: &str = "models/text/tinyshakespeare.txt";
/// The project's own network for `report tracking`.
pub const OWN_TRACKER: &str = "models/track-a5.safetensors";

/// The path of the project's file `name`: that of the project around the current folder, else the program's own, which is written to
/// the cache once.
pub fn project_file(name: &str) -> Result<PathBuf, Error> {
    if let Some(path) = places::project_file(name) {
        return Ok(path);
    }
    let Some((_, bytes)) = EMBEDDED.iter().find(|(n, _)| *n == name) else {
        return Err(format!("{name}: neither in a project around this folder nor part of the program").into());
    };
    let hash: String = Sha256::digest(bytes).iter().take(16).map(|b| format!("{b:02x}")).collect();
    let (dir, file) = (cache::default_dir(), Path::new(name).file_name().unwrap_or_default());
    let made = cache::get(&dir, &format!("own-{hash}"), |work| std::fs::write(work.join(file), bytes));
    let entry = made.and_then(|inner| inner).map_err(|e| {
        format!(
            "{}: cannot be written: {e}; ANSER_CACHE names another folder for what the program keeps",
            dir.display()
        )
    })?;
    Ok(entry.join(file))
}

/// The names of the configurations, in order: those of the program, and those in `configs/` of the project around the current folder.
pub fn config_names() -> Vec<String> {
    let folder = places::project_file(EMBEDDED[0].0).and_then(|p| Some(p.parent()?.to_owned()));
    let files = folder.and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten();
    let there = files.filter_map(|f| f.file_name().into_string().ok());
    let own = EMBEDDED.iter().filter_map(|(name, _)| Some(name.strip_prefix("configs/")?.to_string()));
    let mut names: Vec<String> = there.chain(own).filter_map(|f| f.strip_suffix(".toml").map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the bytes of a file. The error names the file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()).into())
}

/// Returns the tokens of a text file. The error names the file.
pub fn encode(tokenizer: &Tokenizer, path: &Path) -> Result<Vec<u32>, Error> {
    tokenizer.encode(text::bytes(path)?).map_err(|e| format!("{}: {e}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtl_gen::config::Config;

    /// A mark says how a text is encoded; it is no part of the text. Other bytes and line ends are.
    #[test]
    fn a_mark_is_not_encoded() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        let tokens = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).expect("written");
            encode(&Tokenizer::for_vocab(256), file.path()).expect("tokens")
        };
        assert_eq!(tokens(b"\xef\xbb\xbfa\r\n\xff"), [97, 13, 10, 255]);
        assert_eq!(tokens(b"\xff\xfea\0\r\0\n\0"), [97, 13, 10]);
    }

    #[test]
    fn a_configuration_may_have_a_mark_and_windows_lines() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("temporary file");
        let plain = std::fs::read_to_string(project_file("configs/nano.toml").expect("a file")).expect("text");
        let config = |text: &str| {
            std::fs::write(file.path(), text).expect("written");
            Config::load(file.path()).map_err(|e| e.to_string())
        };
        let expected = format!("{:?}", config(&plain).expect("a configuration"));
        assert_eq!(
            format!("{:?}", config(&format!("\u{feff}{}", plain.replace('\n', "\r\n"))).expect("read")),
            expected
        );
        std::fs::write(file.path(), b"name = \"\xe4\"").expect("written");
        assert!(
            Config::load(file.path()).is_err_and(|e| e.to_string().contains(":1: expected UTF-8, found the byte 0xe4"))
        );
    }

    #[test]
    fn the_program_holds_every_configuration_and_model_of_the_project() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["configs", "models", "models/text"] {
            for file in std::fs::read_dir(root.join(folder)).expect("a folder").flatten() {
                let name = format!("{folder}/{}", file.file_name().to_string_lossy());
                let is_data = file.path().is_file() && !name.ends_with(".md");
                assert_eq!(EMBEDDED.iter().any(|(n, _)| *n == name), is_data, "{name}");
            }
        }
        assert_eq!(config_names(), ["edge", "edge-large", "nano", "wide"]);
    }
}
