//! Connections of an instance that follow a rule.

/// Connects each port to the signal of the same name.
pub fn same<'a>(ports: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    ports.iter().map(|p| (*p, *p)).collect()
}

/// Connects each port to the signal that is called as the port is without its `_i` or `_o`.
pub fn bare<'a>(ports: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let stem = |p: &'a str| p.strip_suffix("_i").or_else(|| p.strip_suffix("_o")).unwrap_or(p);
    ports.iter().map(|p| (*p, stem(p))).collect()
}
