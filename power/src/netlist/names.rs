//! One spelling for the names of the same net in different files.

/// The name without escapes, hierarchy separated by dots: `\dpath.x[3] ` in Verilog, `dpath.x\[3\]` in SPEF and SAIF and
/// `dpath/x[3]` all become `dpath.x[3]`.
pub fn normal(name: &str) -> String {
    name.trim().chars().filter(|&c| c != '\\').map(|c| if c == '/' { '.' } else { c }).collect()
}
