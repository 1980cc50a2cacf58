//! Activity from a VCD file.

use super::{not_found, parts, Activity, Measured};
use crate::error::Error;
use crate::netlist::names::normal;
use ::vcd::{Command, IdCode, Parser, ReferenceIndex, Value};
use records::text;
use std::collections::HashMap;
use std::io::{BufRead, ErrorKind};
use std::path::Path;

/// What is counted for one bit.
#[derive(Clone)]
struct Bit {
    value: Option<Value>,
    since: u64,
    high: u64,
    /// In halves: a change from or to x or z counts one
    half_changes: u64,
}

pub(super) fn load(path: &Path, scope: &str) -> Result<Measured, Error> {
    parse(path, scope, text::open(path)?)
}

pub(super) fn parse(path: &Path, scope: &str, text: impl BufRead) -> Result<Measured, Error> {
    let mut parser = Parser::new(text);
    let wanted = parts(scope);
    let mut here: Vec<String> = Vec::new();
    let mut scopes = Vec::new();
    let mut found = wanted.is_empty();
    let mut tick = None;
    // each code: its bits, most significant first
    let mut bits: HashMap<IdCode, Vec<Bit>> = HashMap::new();
    let mut names: Vec<(String, IdCode, usize)> = Vec::new();
    let (mut first, mut now) = (None, 0);
    loop {
        let line = parser.line() as usize;
        let command = match parser.next() {
            None => break,
            Some(Ok(command)) => command,
            Some(Err(e)) if e.kind() == ErrorKind::UnexpectedEof && first.is_some() => break, // cut off while recording
            Some(Err(e)) => return Err(Error::syntax(path, line, "a value change dump", e.to_string())),
        };
        match command {
            Command::Timescale(n, unit) => tick = Some(f64::from(n) / unit.divisor() as f64),
            Command::ScopeDef(_, name) => {
                here.push(name);
                found |= here.len() == wanted.len() && here.iter().zip(&wanted).all(|(a, b)| a == b);
                scopes.push(here.join("."));
            }
            Command::Upscope => _ = here.pop(),
            Command::VarDef(_, width, code, name, index) => {
                let inside = here.len() >= wanted.len() && here.iter().zip(&wanted).all(|(a, b)| a == b);
                if !inside || width == 0 || width > 1 << 20 {
                    continue;
                }
                let mut path = here[wanted.len()..].join(".");
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
                let path = normal(&path);
                let known = bits.entry(code).or_default();
                if known.len() < width as usize {
                    known.resize(width as usize, Bit { value: None, since: 0, high: 0, half_changes: 0 });
                }
                match index {
                    Some(ReferenceIndex::Range(from, to)) => {
                        let step = if from >= to { -1 } else { 1 };
                        names.extend(
                            (0..width as i64)
                                .map(|i| (format!("{path}[{}]", i64::from(from) + i * step), code, i as usize)),
                        );
                    }
                    Some(ReferenceIndex::BitSelect(bit)) => names.push((format!("{path}[{bit}]"), code, 0)),
                    None if width == 1 => names.push((path, code, 0)),
                    None => {
                        // `name[31:0]` written as one word, or a vector without its range
                        let range = path.strip_suffix(']').and_then(|p| p.rsplit_once('['));
                        let split = range
                            .and_then(|(n, r)| r.split_once(':').map(|(a, b)| (n, a.parse::<i64>(), b.parse::<i64>())));
                        let (base, from, to) = match split {
                            Some((n, Ok(a), Ok(b))) => (n, a, b),
                            _ => (path.as_str(), i64::from(width) - 1, 0),
                        };
                        let step = if from >= to { -1 } else { 1 };
                        names.extend(
                            (0..width as i64)
                                .map(|i| (format!("{base}[{}]", from.saturating_add(i * step)), code, i as usize)),
                        );
                    }
                }
            }
            Command::Timestamp(time) => {
                first.get_or_insert(time);
                if time < now {
                    return Err(Error::syntax(path, line, format!("a time of at least {now}"), format!("#{time}")));
                }
                now = time;
            }
            Command::ChangeScalar(code, value) => {
                if let Some(bits) = bits.get_mut(&code) {
                    bits.iter_mut().for_each(|b| b.change(now, value));
                }
            }
            Command::ChangeVector(code, value) => {
                if let Some(bits) = bits.get_mut(&code) {
                    // short values are extended on the left, with 0 unless the first is x or z
                    let fill = match value.get(0) {
                        Some(v @ (Value::X | Value::Z)) => v,
                        _ => Value::V0,
                    };
                    let missing = bits.len().saturating_sub(value.len());
                    let skip = value.len().saturating_sub(bits.len());
                    for (i, bit) in bits.iter_mut().enumerate() {
                        let v = if i < missing { fill } else { value.get(i - missing + skip).unwrap_or(fill) };
                        bit.change(now, v);
                    }
                }
            }
            _ => {}
        }
    }
    if !found {
        return Err(not_found(path, scope, scopes));
    }
    let tick = tick.ok_or_else(|| Error::Invalid { path: path.into(), what: "the file has no $timescale".into() })?;
    let start = first.unwrap_or(0);
    let ticks = (now - start) as f64;
    let seconds = ticks * tick;
    let activity = |bit: &Bit| {
        let tail = if bit.value == Some(Value::V1) { now - bit.since } else { 0 };
        Activity { density: bit.half_changes as f64 / 2.0 / seconds, duty: (bit.high + tail) as f64 / ticks }
    };
    let nets = if ticks > 0.0 {
        names.into_iter().filter_map(|(name, code, i)| Some((name, activity(bits.get(&code)?.get(i)?)))).collect()
    } else {
        HashMap::new()
    };
    Ok(Measured { nets, seconds })
}

impl Bit {
    fn change(&mut self, now: u64, value: Value) {
        if let Some(old) = self.value {
            if old == value {
                return;
            }
            let unknown = |v| matches!(v, Value::X | Value::Z);
            self.half_changes += if unknown(old) || unknown(value) { 1 } else { 2 };
            if old == Value::V1 {
                self.high += now - self.since;
            }
        }
        self.since = now;
        self.value = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "$timescale 1 ns $end $scope module t $end $scope module d $end $var wire 1 ! a $end\n\
        $var wire 4 \" \\v [3:0] $end $var wire 1 # \\x.y[2] $end $scope module u $end $var reg 1 ! q $end $upscope $end\n\
        $upscope $end $upscope $end $enddefinitions $end #10 0! b1 \" x# #12 1! #16 0! b1010 \" 1# #20 #30\n";

    #[test]
    fn counts_by_hand() {
        let m = parse(Path::new("t"), "t/d", TEXT.as_bytes()).expect("valid");
        assert!((m.seconds - 20e-9).abs() < 1e-20);
        // name, transitions, nanoseconds at 1
        for (name, transitions, high) in [
            ("a", 2.0, 4.0),
            ("u.q", 2.0, 4.0),
            ("v[0]", 1.0, 6.0),
            ("v[1]", 1.0, 14.0),
            ("v[2]", 0.0, 0.0),
            ("v[3]", 1.0, 14.0),
            ("x.y[2]", 0.5, 14.0),
        ] {
            let got = m.nets[name];
            assert!((got.density * 20e-9 - transitions).abs() < 1e-9, "{name} {got:?}");
            assert!((got.duty * 20.0 - high).abs() < 1e-9, "{name} {got:?}");
        }
    }

    #[test]
    fn a_missing_scope_lists_those_there_are() {
        let message = parse(Path::new("f.vcd"), "t.e", TEXT.as_bytes()).expect_err("no t.e").to_string();
        assert_eq!(message, "f.vcd: no scope t.e; the file has t, t.d, t.d.u");
    }
}
