//! Activity from a VCD file (IEEE 1364), read in one pass.
//!
//! What stands outside the wanted scope is passed over whatever its kind, because simulators write kinds of scopes and variables
//! that the standard does not have. The recording is the time from the first value in the scope on, without the stretches between
//! `$dumpoff` and `$dumpon`: the x that a simulator writes there are no values, and what happened meanwhile is unknown.

use super::scope::Scopes;
use super::{Activity, Measured};
use crate::error::Error;
use crate::units;
use records::{text, TextError};
use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

/// A vector wider than this is a typing error.
const MAX_WIDTH: usize = 1 << 20;

/// The counts of one bit, over the time that was recorded.
#[derive(Clone, Default)]
struct Bit {
    /// `0`, `1` or `x`; none before the first value
    value: Option<u8>,
    since: u64,
    high: u64,
    /// Changes, counted in halves of one, because a change from or to x or z is half a change
    half_changes: u64,
}

/// A net of the wanted scope: which scope of that name, its own name, its variable and its bit of it.
type Name = (usize, String, usize, usize);

pub(super) fn load(path: &Path, scope: &str) -> Result<Measured, Error> {
    parse(path, scope, text::open(path)?)
}

pub(super) fn parse(path: &Path, scope: &str, text: impl BufRead) -> Result<Measured, Error> {
    let mut tokens = Tokens { path, text, next_line: 1, line: 1, token: vec![], is_last: false };
    let mut header = Header { scopes: Scopes::new(scope), tick: None, variables: HashMap::new(), names: vec![] };
    while tokens.command()? != "$enddefinitions" {
        let words = tokens.words()?;
        header.declare(&tokens, words)?;
    }
    tokens.words()?;
    let chosen = header.scopes.choose(path)?;
    let no_tick = || Error::Invalid { path: path.into(), what: "the file has no $timescale".into() };
    let tick = header.tick.ok_or_else(no_tick)?;
    let mut recording = Recording::default();
    let mut bits = vec![vec![]; header.variables.len()];
    header.variables.values().for_each(|&(v, width)| bits[v] = vec![Bit::default(); width]);
    recording.read(&mut tokens, &header.variables, &mut bits)?;
    let (ticks, first) = (recording.ticks(), recording.first.unwrap_or(0));
    let ticks = ticks - first;
    let seconds = ticks as f64 * tick;
    let activity = |bit: &Bit| {
        let tail = if bit.value == Some(b'1') { ticks + first - bit.since } else { 0 };
        Activity { density: bit.half_changes as f64 / 2.0 / seconds, duty: (bit.high + tail) as f64 / ticks as f64 }
    };
    let nets = header.names.iter().filter(|(scope, ..)| *scope == chosen && ticks > 0);
    let mut measured = Measured::new(seconds, nets.map(|(_, name, v, i)| (name.clone(), activity(&bits[*v][*i]))));
    if recording.lost > 0 {
        let lost = recording.lost as f64 * tick;
        measured.notes.push(format!("the recording was off for {lost:.3e} s; the other {seconds:.3e} s count"));
    }
    Ok(measured)
}

struct Header<'a> {
    scopes: Scopes<'a>,
    /// Seconds
    tick: Option<f64>,
    /// By identifier code: a number and the bits
    variables: HashMap<Vec<u8>, (usize, usize)>,
    names: Vec<Name>,
}

impl Header<'_> {
    fn declare(&mut self, tokens: &Tokens<impl BufRead>, words: Vec<String>) -> Result<(), Error> {
        match words.first().map_or("", String::as_str) {
            "$timescale" => {
                let text = words[1..].concat();
                let tick = units::scale(&text, "s").filter(|t| *t > 0.0);
                self.tick = Some(tick.ok_or_else(|| tokens.expected("a time such as 1ns", &text))?);
            }
            "$scope" => self.scopes.enter(words.get(2).map_or("", String::as_str)),
            "$upscope" => self.scopes.leave(),
            "$var" if self.scopes.is_inside() => self.variable(tokens, &words)?,
            _ => {}
        }
        Ok(())
    }

    fn variable(&mut self, tokens: &Tokens<impl BufRead>, words: &[String]) -> Result<(), Error> {
        let expected = |what: &str| tokens.expected(what, &words.join(" "));
        let [_, kind, width, code, reference @ ..] = words else {
            return Err(expected("$var with a type, a width, a code and a name"));
        };
        let (name, index) = match reference {
            [name, index @ ..] if !name.starts_with('[') => (name, index.concat()),
            _ => return Ok(()), // nothing can ask for a variable without a name
        };
        if matches!(kind.as_str(), "real" | "realtime" | "string" | "event" | "real_parameter") || width == "0" {
            return Ok(());
        }
        let width = width.parse().ok().filter(|w| *w <= MAX_WIDTH);
        let width: usize = width.ok_or_else(|| expected("a width of at most 1048576 bits"))?;
        let next = self.variables.len();
        let (variable, known) = *self.variables.entry(code.clone().into_bytes()).or_insert((next, width));
        if known != width {
            return Err(expected(&format!("{known} bits, as another variable with this code has")));
        }
        let Some((scope, name)) = self.scopes.name(&format!("{name}{index}")) else { return Ok(()) };
        // the last bracket is the range, unless the name is that of one element or bit
        let range = name.strip_suffix(']').and_then(|n| n.rsplit_once('[')).and_then(|(base, range)| {
            let (from, to) = range.split_once(':')?;
            Some((base, from.trim().parse::<i64>().ok()?, to.trim().parse::<i64>().ok()?))
        });
        let (base, from, to) = match range {
            None if width == 1 => {
                self.names.push((scope, name, variable, 0));
                return Ok(());
            }
            None => (name.as_str(), width as i64 - 1, 0),
            Some((_, from, to)) if from.abs_diff(to) != width as u64 - 1 => {
                return Err(expected("a range as wide as the variable"))
            }
            Some(range) => range,
        };
        let step = if from >= to { -1 } else { 1 };
        self.names.extend((0..width).map(|i| (scope, format!("{base}[{}]", from + i as i64 * step), variable, i)));
        Ok(())
    }
}

/// The time that passes while values are read, in ticks.
#[derive(Default)]
struct Recording {
    /// First and last time of the file
    times: Option<(u64, u64)>,
    /// Ticks while recording was off
    lost: u64,
    /// Recorded ticks before the first value
    first: Option<u64>,
    is_off: bool,
    /// After `$dumpon` values are stated anew: a difference is no change that was seen
    restates: bool,
}

impl Recording {
    /// Recorded ticks so far.
    fn ticks(&self) -> u64 {
        self.times.map_or(0, |(first, last)| last - first - self.lost)
    }

    fn read(
        &mut self,
        tokens: &mut Tokens<impl BufRead>,
        variables: &HashMap<Vec<u8>, (usize, usize)>,
        bits: &mut [Vec<Bit>],
    ) -> Result<(), Error> {
        let mut digits = Vec::new();
        while tokens.next()? {
            digits.clear();
            match tokens.token[0] {
                b'#' => {
                    let time = std::str::from_utf8(&tokens.token[1..]).ok().and_then(|t| t.parse().ok());
                    let time: u64 = time.ok_or_else(|| tokens.unexpected("a time"))?;
                    let (first, now) = self.times.unwrap_or((time, time));
                    if time < now && tokens.is_last {
                        break; // cut off in the middle of a number
                    }
                    if time < now {
                        return Err(tokens.unexpected(&format!("a time of at least {now}")));
                    }
                    self.lost += if self.is_off { time - now } else { 0 };
                    self.times = Some((first, time));
                    continue;
                }
                b'$' => {
                    match &tokens.token[..] {
                        b"$dumpoff" => self.is_off = true,
                        b"$dumpon" => (self.is_off, self.restates) = (false, true),
                        b"$end" => self.restates = false,
                        b"$dumpvars" | b"$dumpall" => {}
                        b"$comment" | b"$attrbegin" | b"$attrend" => _ = tokens.words()?,
                        _ => {
                            return Err(
                                tokens.unexpected("$dumpvars, $dumpall, $dumpon or $dumpoff of a four-state dump")
                            )
                        }
                    }
                    continue;
                }
                b'b' | b'B' | b'r' | b'R' | b's' | b'S' => {
                    digits.extend_from_slice(&tokens.token);
                    if !tokens.next()? {
                        break; // cut off
                    }
                }
                b'p' => {
                    return Err(tokens.unexpected("a four-state dump; this one is extended, as $dumpports writes it"))
                }
                digit => {
                    value(digit).ok_or_else(|| tokens.unexpected("a value change"))?;
                    digits.extend([b'b', digit]);
                    tokens.token.remove(0);
                }
            }
            let Some(&(variable, _)) =
                variables.get(&tokens.token).filter(|_| !self.is_off && matches!(digits[0], b'b' | b'B'))
            else {
                continue;
            };
            let t = self.ticks();
            self.first.get_or_insert(t);
            let given = digits[1..].iter().map(|&d| value(d)).collect::<Option<Vec<u8>>>().filter(|g| !g.is_empty());
            let given =
                given.ok_or_else(|| tokens.expected("digits 0, 1, x or z", &String::from_utf8_lossy(&digits)))?;
            // short values are extended on the left, with 0 unless the first is x or z
            let fill = if given[0] == b'x' { b'x' } else { b'0' };
            let n = bits[variable].len();
            for (i, bit) in bits[variable].iter_mut().enumerate() {
                let value = if i + given.len() < n { fill } else { given[i + given.len() - n] };
                bit.change(t, value, self.restates);
            }
        }
        Ok(())
    }
}

/// A digit as 0, 1 or x, those of VHDL included.
fn value(digit: u8) -> Option<u8> {
    match digit.to_ascii_lowercase() {
        b'0' | b'l' => Some(b'0'),
        b'1' | b'h' => Some(b'1'),
        b'x' | b'z' | b'u' | b'w' | b'-' => Some(b'x'),
        _ => None,
    }
}

impl Bit {
    fn change(&mut self, t: u64, value: u8, restated: bool) {
        if let Some(old) = self.value.filter(|old| *old != value) {
            self.half_changes += if restated { 0 } else { 2 - u64::from(old == b'x' || value == b'x') };
            self.high += if old == b'1' { t - self.since } else { 0 };
        }
        if self.value != Some(value) {
            (self.value, self.since) = (Some(value), t);
        }
    }
}

/// Words between blanks, with their lines.
struct Tokens<'p, R> {
    path: &'p Path,
    text: R,
    next_line: usize,
    /// Line of `token`
    line: usize,
    token: Vec<u8>,
    /// Whether the file ended with `token`, without a blank behind it
    is_last: bool,
}

impl<R: BufRead> Tokens<'_, R> {
    fn expected(&self, what: &str, found: &str) -> Error {
        Error::syntax(self.path, self.line, what, found)
    }

    fn unexpected(&self, what: &str) -> Error {
        self.expected(what, &String::from_utf8_lossy(&self.token))
    }

    /// Reads the next token; false at the end of the file.
    fn next(&mut self) -> Result<bool, Error> {
        self.token.clear();
        loop {
            let buffer = self.text.fill_buf().map_err(|source| TextError::Io { path: self.path.into(), source })?;
            let blanks = match self.token.is_empty() {
                true => buffer.iter().take_while(|b| b.is_ascii_whitespace()).count(),
                false => 0,
            };
            let end = buffer[blanks..].iter().position(u8::is_ascii_whitespace).map(|n| blanks + n);
            let taken = end.unwrap_or(buffer.len());
            self.next_line += buffer[..blanks].iter().filter(|b| **b == b'\n').count();
            self.line = self.next_line;
            self.token.extend_from_slice(&buffer[blanks..taken]);
            self.is_last = buffer.is_empty();
            self.text.consume(taken);
            if end.is_some_and(|_| !self.token.is_empty()) || self.is_last {
                return Ok(!self.token.is_empty());
            }
        }
    }

    /// The next keyword of the header, which [`Tokens::words`] begins with.
    fn command(&mut self) -> Result<String, Error> {
        if !self.next()? || self.token[0] != b'$' {
            return Err(self.unexpected("a value change dump: declarations up to $enddefinitions"));
        }
        Ok(text::latin1_or_utf8(self.token.clone()))
    }

    /// The current token and those up to `$end`.
    fn words(&mut self) -> Result<Vec<String>, Error> {
        let (line, mut words) = (self.line, vec![]);
        while self.token != b"$end" {
            words.push(text::latin1_or_utf8(self.token.clone()));
            if !self.next()? {
                return Err(Error::syntax(self.path, line, format!("$end of {}", words[0]), ""));
            }
        }
        Ok(words)
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
