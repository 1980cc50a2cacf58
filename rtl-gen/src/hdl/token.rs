//! The words of SystemVerilog text.

/// A word, number or operator, and the line it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// Operators of more than one character, longest first.
const OPERATORS: [&str; 17] =
    ["<<<", ">>>", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "+:", "~^", "'(", "::", "++", "+=", "'{"];

impl Token {
    /// Says whether the token is an identifier, a keyword, a scoped name or a system name.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
    }

    /// Returns width and value of a number. Digits that stand for unknown bits count as 0.
    pub fn number(&self) -> Option<(Option<usize>, i128)> {
        let text = self.text.replace('_', "");
        if let Ok(n) = text.parse() {
            return Some((None, n));
        }
        let (size, rest) = text.split_once('\'')?;
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        if size.is_empty() {
            return match rest {
                "0" => Some((None, 0)),
                "1" => Some((None, -1)),
                _ => None,
            };
        }
        let (base, digits) = rest.split_at_checked(1)?;
        let radix = match base {
            "d" => 10,
            "h" => 16,
            "b" => 2,
            _ => return None,
        };
        Some((Some(size.parse().ok()?), i128::from_str_radix(digits, radix).unwrap_or(0)))
    }
}

/// Splits `text` into tokens; comments and strings are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut list = vec![];
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    for (i, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        let mut rest = code.trim_start();
        while let Some(first) = rest.chars().next() {
            let n = if word(first) || (first == '\'' && rest[1..].starts_with(['0', '1'])) {
                let mut n = rest.find(|c| !word(c)).filter(|n| *n > 0).unwrap_or(rest.len());
                if first == '\'' {
                    n = 2;
                }
                let after = &rest[n..];
                // a sized number, 4'd3; a scoped name, pkg::NAME
                if first.is_ascii_digit() && after.starts_with('\'') && !after.starts_with("'(") {
                    n += 1 + after[1..].find(|c| !word(c)).unwrap_or(after.len() - 1);
                } else if let Some(name) = after.strip_prefix("::") {
                    n += 2 + name.find(|c| !word(c)).unwrap_or(name.len());
                }
                n
            } else if first == '"' {
                let end = rest[1..].find('"').map_or(rest.len(), |n| n + 2);
                rest = rest[end..].trim_start();
                continue;
            } else {
                OPERATORS.iter().find(|o| rest.starts_with(**o)).map_or(first.len_utf8(), |o| o.len())
            };
            list.push(Token { text: rest[..n].to_string(), line: i + 1 });
            rest = rest[n..].trim_start();
        }
    }
    list
}
