//! The Python package that drives the chip on a board whose processor shares its memory, such as a Kria KV260 with PYNQ (`docs/kv260.md`).
//!
//! Its sources lie in `fpga/pynq`. What they know of the registers is `registers.py`, which is made for the configuration when the package is
//! written, so no address stands in them twice.

use rtl_gen::config::Config;

/// Boards the package was written for.
pub const BOARDS: [&str; 1] = ["kv260"];

macro_rules! sources {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../pynq/", $name)))),*] };
}

/// The files of the package that are the same for every configuration.
const SOURCES: [(&str, &str); 9] = sources! {
    "pyproject.toml" "README.md" "anser_pynq/__init__.py" "anser_pynq/driver.py" "anser_pynq/errors.py" "anser_pynq/model.py"
    "anser_pynq/text.py" "anser_pynq/board.py" "anser_pynq/simulated.py"
};

/// Every file of the package for a chip of `config`: its path and its text.
pub fn package(config: &Config) -> Vec<(&'static str, String)> {
    let own = SOURCES.iter().map(|(name, text)| (*name, text.to_string()));
    let registers = rtl_gen::registers::render::python(&rtl_gen::registers::all(config));
    own.chain([("anser_pynq/registers.py", registers)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtl_gen::registers::{bit, reg};

    #[test]
    fn the_package_has_the_projects_version_and_licence() {
        let project = SOURCES[0].1;
        assert!(project.contains(concat!("\nversion = \"", env!("CARGO_PKG_VERSION"), "\"\n")), "{project}");
        assert!(project.contains(concat!("\nlicense = \"", env!("CARGO_PKG_LICENSE"), "\"\n")), "{project}");
    }

    /// A number of the table that stood in the sources would stay when the table changes.
    #[test]
    fn no_source_repeats_an_address() {
        let offsets = rtl_gen::registers::all(&rtl_gen::registers::largest());
        for (name, text) in SOURCES.iter().filter(|(name, _)| name.ends_with(".py")) {
            for r in offsets.iter().filter(|r| r.offset >= 0x10) {
                let written = [format!("0x{:02x}", r.offset), format!("0x{:03x}", r.offset)];
                let words = text.split(|c: char| !c.is_ascii_alphanumeric());
                for word in words {
                    assert!(!written.contains(&word.to_lowercase()), "{name}: {word} is the address of {}", r.name);
                }
            }
        }
    }

    /// An error bit without an exception would be an error in silence.
    #[test]
    fn every_error_bit_has_an_exception() {
        let registers = rtl_gen::registers::all(&rtl_gen::registers::largest());
        let status = registers.iter().find(|r| r.offset == reg::STATUS).expect("STATUS");
        let errors = SOURCES.iter().find(|(name, _)| *name == "anser_pynq/errors.py").expect("a file").1;
        for field in status.fields.iter().filter(|f| bit::ERRORS >> f.lsb & 1 == 1) {
            assert!(errors.contains(&format!("\"{}\": ", field.name)), "{}", field.name);
        }
    }
}
