//! Bytes and texts as Python writes them, which is how RWKV's vocabularies list their tokens.

/// The bytes of a Python `'…'`, `"…"` or `b'…'` literal.
pub(super) fn python_literal(literal: &str) -> Option<Vec<u8>> {
    let (is_bytes, quoted) = literal.strip_prefix('b').map_or((false, literal), |rest| (true, rest));
    let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    unescape(quoted.strip_prefix(quote)?.strip_suffix(quote)?, is_bytes)
}

/// The bytes of what stands between the quotes of a Python `b'…'` literal.
pub(crate) fn unescape_bytes(text: &str) -> Option<Vec<u8>> {
    unescape(text, true)
}

/// Takes the escapes out of `text`; characters are bytes if `is_bytes`, else UTF-8.
fn unescape(text: &str, is_bytes: bool) -> Option<Vec<u8>> {
    let mut chars = text.chars();
    let mut out = Vec::new();
    let hex = |chars: &mut std::str::Chars, n: usize| -> Option<u32> {
        (0..n).try_fold(0, |v, _| Some(v * 16 + chars.next()?.to_digit(16)?))
    };
    while let Some(c) = chars.next() {
        let code = match c {
            '\\' => match chars.next()? {
                'n' => 10,
                'r' => 13,
                't' => 9,
                'x' => hex(&mut chars, 2)?,
                'u' if !is_bytes => hex(&mut chars, 4)?,
                c @ ('\\' | '\'' | '"') => c.into(),
                _ => return None,
            },
            c => c.into(),
        };
        if is_bytes {
            out.push(u8::try_from(code).ok()?);
        } else {
            out.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes());
        }
    }
    Some(out)
}
