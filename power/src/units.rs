//! Numbers with a unit, as every kind of file writes them: `1ns`, `100 ps`, `1e0pF`, `1 KOHM`.

/// The units of the numbers in a file. Constraints have those of the first library unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// Seconds
    pub time: f64,
    /// Farads
    pub cap: f64,
}

/// The value of `text` in SI units, where `unit` (`s`, `v`, `w`, `f`, `ohm`) may have a prefix from f to k; none if it is something
/// else. Upper and lower case mean the same: `m` is milli, except that it is mega before ohms.
pub fn scale(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let number = (0..=text.len()).rev().find_map(|end| {
        let head = text.get(..end)?.trim_end();
        let value = if head.is_empty() { Some(1.0) } else { head.parse().ok() };
        Some((value.filter(|v: &f64| v.is_finite())?, &text[end..]))
    });
    let (number, rest) = number?;
    let factor = match rest.trim().strip_suffix(unit)? {
        "" => 1.0,
        "k" => 1e3,
        "m" if unit == "ohm" => 1e6,
        "m" => 1e-3,
        "u" => 1e-6,
        "n" => 1e-9,
        "p" => 1e-12,
        "f" => 1e-15,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn case_blanks_and_exponents() {
        for (text, unit, want) in [
            ("1ns", "s", 1e-9),
            ("1NS", "s", 1e-9),
            ("100 ps", "s", 1e-10),
            ("1v", "v", 1.0),
            ("1mV", "v", 1e-3),
            ("10.0pW", "w", 1e-11),
            ("1e0pf", "f", 1e-12),
            ("1e-3 FF", "f", 1e-18),
            ("1 KOHM", "ohm", 1e3),
            ("2MOHM", "ohm", 2e6),
            ("s", "s", 1.0),
        ] {
            assert!(
                scale(text, unit).is_some_and(|v| (v / want - 1.0).abs() < 1e-12),
                "{text}: {:?}",
                scale(text, unit)
            );
        }
        for text in ["", "1", "1xs", "ns1", "infs", "nans", "1n", "µs"] {
            assert_eq!(scale(text, "s"), None, "{text}");
        }
    }
}
