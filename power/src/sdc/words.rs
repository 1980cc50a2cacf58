//! The Tcl underneath SDC: commands, words and arithmetic.

use super::MAX_DEPTH;
use crate::error::Error;
use std::path::Path;

/// Splits text into commands of raw words, each with its line. Brackets, braces and quotes keep a word together; a backslash takes
/// the meaning of the next character, and at the end of a line it joins the next line, in a comment too.
pub(super) fn commands(path: &Path, text: &str) -> Result<Vec<(usize, Vec<String>)>, Error> {
    let mut out = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let (mut line, mut start) = (1, 1);
    let mut open: Vec<char> = Vec::new();
    let mut is_comment = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        let next = if c == '\\' { chars.next() } else { None };
        line += usize::from(next == Some('\n'));
        let is_break = next == Some('\n');
        if is_comment {
            is_comment = c != '\n';
            continue;
        }
        let blank = is_break || c.is_whitespace() || c == ';';
        if open.is_empty() && blank {
            words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()));
            if matches!(c, '\n' | ';') && !words.is_empty() {
                out.push((start, std::mem::take(&mut words)));
            }
            continue;
        }
        if words.is_empty() && word.is_empty() {
            start = line;
            if c == '#' {
                is_comment = true;
                continue;
            }
        }
        let begins = word.chars().next_back().is_none_or(|p| p.is_whitespace() || matches!(p, '[' | ';'));
        match (c, open.last()) {
            ('{', Some('{')) | ('[', None | Some('[' | '"')) => open.push(c),
            ('{' | '"', None | Some('[')) if begins => open.push(c),
            ('"', Some('"')) | ('}', Some('{')) | (']', Some('[')) => _ = open.pop(),
            _ => {}
        }
        match next {
            _ if is_break => word.push(' '),
            Some(next) => word.extend([c, next]),
            None => word.push(c),
        }
    }
    if let Some(open) = open.first() {
        return Err(Error::syntax(path, start, format!("the end of what `{open}` begins"), ""));
    }
    words.extend(Some(word).filter(|w| !w.is_empty()));
    if !words.is_empty() {
        out.push((start, words));
    }
    Ok(out)
}

/// The value of an expression of numbers, `+ - * /` and parentheses; None when it is something else.
pub(super) fn arithmetic(text: &str) -> Option<f64> {
    let mut rest = text;
    let number = sum(&mut rest, 0)?;
    (rest.trim().is_empty() && number.is_finite()).then_some(number)
}

fn sum(text: &mut &str, depth: usize) -> Option<f64> {
    let mut value = product(text, depth)?;
    loop {
        *text = text.trim_start();
        match text.chars().next() {
            Some('+') => {
                *text = &text[1..];
                value += product(text, depth)?;
            }
            Some('-') => {
                *text = &text[1..];
                value -= product(text, depth)?;
            }
            _ => return Some(value),
        }
    }
}

fn product(text: &mut &str, depth: usize) -> Option<f64> {
    let mut value = factor(text, depth)?;
    loop {
        *text = text.trim_start();
        match text.chars().next() {
            Some('*') => {
                *text = &text[1..];
                value *= factor(text, depth)?;
            }
            Some('/') => {
                *text = &text[1..];
                value /= factor(text, depth)?;
            }
            _ => return Some(value),
        }
    }
}

fn factor(text: &mut &str, depth: usize) -> Option<f64> {
    *text = text.trim_start();
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(inner) = text.strip_prefix('(') {
        *text = inner;
        let value = sum(text, depth + 1)?;
        *text = text.trim_start().strip_prefix(')')?;
        return Some(value);
    }
    if let Some(inner) = text.strip_prefix('-') {
        *text = inner;
        return factor(text, depth + 1).map(|v| -v);
    }
    let mut end = text.len();
    for (i, c) in text.char_indices() {
        let exponent_sign = matches!(c, '+' | '-') && i > 0 && matches!(text.as_bytes()[i - 1], b'e' | b'E');
        if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || exponent_sign) {
            end = i;
            break;
        }
    }
    let (number, rest) = text.split_at(end);
    *text = rest;
    number.parse().ok()
}
