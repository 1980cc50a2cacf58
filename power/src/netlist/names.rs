//! One spelling for the names of the same net in different files.

/// The name without escapes, hierarchy separated by dots: `\dpath.x[3] ` in Verilog, `dpath.x\[3\]` in SPEF and SAIF and
/// `dpath/x[3]` all become `dpath.x[3]`.
pub fn normal(name: &str) -> String {
    name.chars().filter(|&c| c != '\\' && !c.is_whitespace()).map(|c| if c == '/' { '.' } else { c }).collect()
}

/// A note about how many names there are and the first of them; none without names.
pub(crate) fn count<'a>(
    names: impl Iterator<Item = &'a String>,
    note: impl Fn(usize, &str) -> String,
) -> Option<String> {
    let (n, first) = names.fold((0, None), |(n, first): (usize, Option<&String>), name| {
        (n + 1, Some(first.filter(|f| *f < name).unwrap_or(name)))
    });
    first.map(|first| note(n, first))
}
