//! Numbers and names as words for people, and text that is safe in HTML.

use records::shared::Shape;

/// Text for HTML and for attribute values in double quotes.
pub fn escape(text: &str) -> String {
    let mut s = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => s += "&lt;",
            '>' => s += "&gt;",
            '&' => s += "&amp;",
            '"' => s += "&quot;",
            '\'' => s += "&#39;",
            // control characters have no place in HTML, not even as references
            c if c.is_control() && c != '\n' && c != '\t' => s.push('\u{FFFD}'),
            c => s.push(c),
        }
    }
    s
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut s = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            s.push(',');
        }
        s.push(d);
    }
    s
}

/// A fraction as a percentage with one digit after the point.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Bytes in a unit a person would choose: powers of 1000.
pub fn bytes(n: u64) -> String {
    match n {
        0..=9_999 => format!("{} B", thousands(n)),
        10_000..=999_999 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..=999_999_999 => format!("{:.2} MB", n as f64 / 1e6),
        _ => format!("{:.2} GB", n as f64 / 1e9),
    }
}

/// An energy in a unit with few digits.
pub fn joules(j: f64) -> String {
    match j {
        j if j >= 0.1 => format!("{j:.2} J"),
        j if j >= 1e-3 => format!("{:.2} mJ", j * 1e3),
        j if j >= 1e-7 => format!("{:.1} µJ", j * 1e6),
        j => format!("{:.1} nJ", j * 1e9),
    }
}

/// `the text, which may end so` as `The text, which may end so.`
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map_or(String::new(), |c| c.to_uppercase().collect());
    let end = if text.ends_with(['.', '!', '?', ':']) || text.is_empty() { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// The network `model` in one line.
pub fn shape_words(shape: &Shape, model: &str) -> String {
    format!(
        "{model}: {} layers, width {}, {} heads of {}, channel mix {}, vocabulary {}, {} parameters",
        shape.n_layer,
        shape.n_embd,
        shape.n_head,
        shape.head_size,
        shape.dim_ffn,
        thousands(u64::from(shape.vocab_size)),
        thousands(shape.n_params)
    )
}
