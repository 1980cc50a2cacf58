//! Configures a board with a finished build, by openFPGALoader.

use crate::board::Board;
use crate::build::{BITSTREAM, FINISHED};
use crate::FpgaError;
use records::fpga::FpgaBuildRecord;
use sim_harness::toolchain::Program;
use std::path::Path;
use std::process::Command;

/// The program that talks to the board's JTAG port; Debian's package is `openfpgaloader`.
pub const LOADER: Program = Program { names: &["openFPGALoader"], variable: "ANSER_OPENFPGALOADER" };

/// The arguments that put the bitstream of `folder` into `board`: into its configuration memory, or with `flash` into the flash that it
/// starts from.
pub fn arguments(board: &Board, folder: &Path, flash: bool) -> Vec<String> {
    let mut list = vec!["-b".to_string(), board.loader.to_string()];
    list.extend(flash.then(|| "-f".to_string()));
    list.push(folder.join(BITSTREAM).display().to_string());
    list
}

/// Loads the build in `folder` and returns its record.
///
/// # Errors
/// A folder without a finished build, a build of another board or one that is slower than its clock, a machine without openFPGALoader (the
/// message holds the command to run where there is one), and a loader that fails.
pub fn load(board: &Board, folder: &Path, flash: bool) -> Result<FpgaBuildRecord, FpgaError> {
    let path = folder.join(FINISHED);
    if !path.is_file() || !folder.join(BITSTREAM).is_file() {
        return Err(FpgaError::NoBuild { folder: folder.display().to_string() });
    }
    let record: FpgaBuildRecord = records::fpga::read(&path)?;
    if record.board != board.name {
        return Err(FpgaError::OtherBoard {
            folder: folder.display().to_string(),
            found: record.board,
            asked: board.name,
        });
    }
    if !record.meets_clock {
        return Err(FpgaError::TooFast { clock_mhz: record.clock_mhz, fmax_mhz: record.fmax_mhz });
    }
    let arguments = arguments(board, folder, flash);
    let Ok(loader) = LOADER.find() else {
        return Err(FpgaError::NoLoader { command: format!("{} {}", LOADER.name(), arguments.join(" ")) });
    };
    let failed = |said: String| FpgaError::ToolFailed { tool: LOADER.name(), said };
    let done = Command::new(&loader).args(&arguments).output().map_err(|e| failed(e.to_string()))?;
    match done.status.success() {
        true => Ok(record),
        false => {
            let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_string());
            let hint = "is the board plugged in, and may this user open its USB device (on Debian: group plugdev)?";
            Err(failed(format!("{}\n{hint}", said.join("\n").trim())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::ULX3S_85F;

    #[test]
    fn the_command_names_board_and_file() {
        let of = |flash| arguments(&ULX3S_85F, Path::new("build/fpga"), flash).join(" ");
        assert_eq!(of(false), "-b ulx3s build/fpga/design.bit");
        assert_eq!(of(true), "-b ulx3s -f build/fpga/design.bit");
    }

    #[test]
    fn what_is_no_finished_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(&ULX3S_85F, folder.path(), false).unwrap_err();
        assert!(matches!(error, FpgaError::NoBuild { .. }), "{error}");
        assert!(error.to_string().contains("anser fpga build"), "{error}");
    }
}
