//! The stack machine: runs the opcodes of a pickle over the arena of values.

use std::collections::HashMap;
use std::ops::Range;

use super::{global, Global, Id, Value, MAX_AXES, MAX_NAME, MAX_OPS};
use crate::checkpoint::error::printable;

pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    pub(super) arena: Vec<Value>,
    stack: Vec<Id>,
    /// Stack heights at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, arena: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() }
    }

    /// Runs to STOP and gives the value on top. `start` follows the opcode at work, for the error text.
    pub(super) fn run(&mut self, start: &mut usize) -> Result<Id, String> {
        for _ in 0..MAX_OPS {
            *start = self.at;
            let op = self.take(1)?[0];
            if op == b'.' {
                return self.pop();
            }
            self.step(op)?;
        }
        Err(format!("the pickle has more than {MAX_OPS} operations, far more than a state dict needs"))
    }

    fn step(&mut self, op: u8) -> Result<(), String> {
        match op {
            0x80 => drop(self.take(1)?), // PROTO
            0x95 => drop(self.take(8)?), // FRAME
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'N' => self.push(Value::Opaque),
            b'1' => drop(self.above_mark()?),
            b'2' => {
                let top = self.stack.last().copied().ok_or("DUP finds nothing on the stack")?;
                self.stack.push(top);
            }
            b'G' => self.skip(8)?,
            b'B' => self.skip_bytes::<4>()?,
            b'C' => self.skip_bytes::<1>()?,
            0x8e | 0x96 => self.skip_bytes::<8>()?,
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let v = self.number::<4>()? as u32 as i32;
                self.push(Value::Int(v.into()));
            }
            b'K' => self.push_number::<1>()?,
            b'M' => self.push_number::<2>()?,
            0x8a => {
                let n = self.take(1)?[0];
                if n > 8 {
                    return self.skip(n.into());
                }
                let bytes = self.take(n.into())?;
                let sign = bytes.last().map_or(0, |&b| if b >= 0x80 { 0xff } else { 0 });
                let mut le = [sign; 8];
                le[..bytes.len()].copy_from_slice(bytes);
                self.push(Value::Int(i64::from_le_bytes(le)));
            }
            0x8b => self.skip_bytes::<4>()?,
            b'X' | b'T' => self.push_str::<4>()?,
            0x8c | b'U' => self.push_str::<1>()?,
            0x8d => self.push_str::<8>()?,
            b'}' => self.push(Value::Dict(Vec::new())),
            0x8f => self.push(Value::Object(Vec::new())),
            0x90 => {
                let items = self.above_mark()?;
                self.object("ADDITEMS")?.extend(items);
            }
            0x91 => {
                let items = self.above_mark()?;
                self.push(Value::Object(items));
            }
            0x81 => self.new_object(1)?,
            0x92 => self.new_object(2)?,
            b']' => self.push(Value::List(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let items = self.above_mark()?;
                self.push(Value::Tuple(items));
            }
            b'q' => {
                let key = self.number::<1>()? as u32;
                self.memoize(key)?;
            }
            b'r' => {
                let key = self.number::<4>()? as u32;
                self.memoize(key)?;
            }
            0x94 => self.memoize(self.memo.len() as u32)?,
            b'h' => {
                let key = self.number::<1>()? as u32;
                self.recall(key)?;
            }
            b'j' => {
                let key = self.number::<4>()? as u32;
                self.recall(key)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.arena[module], &self.arena[name]) {
                    (Value::Str(m), Value::Str(n)) => self.push_global(m.clone(), n.clone())?,
                    _ => return Err("STACK_GLOBAL without two strings".into()),
                }
            }
            b'Q' => self.storage()?,
            b'R' => self.reduce()?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.above_mark()?;
                if items.len() % 2 != 0 {
                    return Err("SETITEMS with a key that has no value".into());
                }
                self.set_items(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.above_mark()?;
                self.list()?.extend(items);
            }
            b'b' => {
                // the attributes of a dict are torch's `_metadata`; an object keeps them
                let state = self.pop()?;
                if let Ok(parts) = self.object("BUILD") {
                    parts.push(state);
                }
            }
            _ => return Err(format!("opcode 0x{op:02x} is none that a state dict needs")),
        }
        Ok(())
    }

    fn take(&mut self, n: usize) -> Result<&[u8], String> {
        let range = self.take_range(n)?;
        Ok(&self.bytes[range])
    }

    fn take_range(&mut self, n: usize) -> Result<Range<usize>, String> {
        let left = self.bytes.len() - self.at;
        if n > left {
            return Err(format!("the pickle ends too early: {n} more bytes expected, {left} left"));
        }
        self.at += n;
        Ok(self.at - n..self.at)
    }

    /// An unsigned little-endian number of N bytes, N at most 8.
    fn number<const N: usize>(&mut self) -> Result<u64, String> {
        let mut le = [0u8; 8];
        le[..N].copy_from_slice(self.take(N)?);
        Ok(u64::from_le_bytes(le))
    }

    fn push_number<const N: usize>(&mut self) -> Result<(), String> {
        let v = self.number::<N>()? as i64; // N is 1 or 2
        self.push(Value::Int(v));
        Ok(())
    }

    fn push_str<const N: usize>(&mut self) -> Result<(), String> {
        let len = self.number::<N>()?;
        let range = self.take_range(usize::try_from(len).unwrap_or(usize::MAX))?;
        self.push(Value::Str(range));
        Ok(())
    }

    fn line(&mut self) -> Result<Range<usize>, String> {
        let rest = &self.bytes[self.at..];
        let n = rest.iter().take(MAX_NAME).position(|&b| b == b'\n').ok_or("a name without an end")?;
        let range = self.take_range(n)?;
        self.at += 1;
        Ok(range)
    }

    pub(super) fn text(&self, range: &Range<usize>) -> Result<&str, String> {
        std::str::from_utf8(&self.bytes[range.clone()])
            .map_err(|_| format!("the name at byte {} is not UTF-8", range.start))
    }

    fn push(&mut self, value: Value) {
        self.arena.push(value);
        self.stack.push(self.arena.len() - 1);
    }

    /// The top of the stack, above the last mark.
    fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("an operation finds nothing on the stack".into());
        }
        self.stack.pop().ok_or_else(|| "an operation finds nothing on the stack".into())
    }

    fn above_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("an operation finds no mark on the stack")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, n: usize) -> Result<(), String> {
        let mut items = Vec::with_capacity(n);
        for _ in 0..n {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Value::Tuple(items));
        Ok(())
    }

    fn memoize(&mut self, key: u32) -> Result<(), String> {
        let &top = self.stack.last().ok_or("MEMOIZE finds nothing on the stack")?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), String> {
        let &id = self.memo.get(&key).ok_or_else(|| format!("refers to memo {key}, which nothing has filled"))?;
        self.stack.push(id);
        Ok(())
    }

    fn push_global(&mut self, module: Range<usize>, name: Range<usize>) -> Result<(), String> {
        let (m, n) = (self.text(&module)?, self.text(&name)?);
        let known = global(m, n).ok_or_else(|| {
            format!(
                "names the Python object {}.{}, which can run code and which no checkpoint needs; nothing was executed",
                printable(m),
                printable(n)
            )
        })?;
        self.push(Value::Global(known));
        Ok(())
    }

    /// Puts keys and values, one after the other, into the dict or object on top of the stack.
    fn set_items(&mut self, items: &[Id]) -> Result<(), String> {
        let top = self.stack.last().copied();
        match top.map(|id| &mut self.arena[id]) {
            Some(Value::Dict(dict)) => dict.extend(items.chunks_exact(2).map(|kv| (kv[0], kv[1]))),
            Some(Value::Object(parts)) => parts.extend(items),
            _ => return Err("SETITEM finds no dict on the stack".into()),
        }
        Ok(())
    }

    /// The parts of the object on top of the stack.
    fn object(&mut self, op: &str) -> Result<&mut Vec<Id>, String> {
        let top = self.stack.last().copied();
        match top.map(|id| &mut self.arena[id]) {
            Some(Value::Object(parts)) => Ok(parts),
            _ => Err(format!("{op} finds no set or object on the stack")),
        }
    }

    /// Makes an object of the class and the `n` arguments on the stack, without calling anything.
    fn new_object(&mut self, n: usize) -> Result<(), String> {
        let mut parts = Vec::with_capacity(n);
        for _ in 0..n {
            parts.push(self.pop()?);
        }
        let class = self.pop()?;
        match &self.arena[class] {
            Value::Global(Global::OrderedDict) => self.push(Value::Dict(Vec::new())),
            Value::Global(_) => self.push(Value::Object(parts)),
            _ => return Err("NEWOBJ without a class".into()),
        }
        Ok(())
    }

    /// Passes over `n` bytes whose value does not matter.
    fn skip(&mut self, n: usize) -> Result<(), String> {
        self.take(n)?;
        self.push(Value::Opaque);
        Ok(())
    }

    fn skip_bytes<const N: usize>(&mut self) -> Result<(), String> {
        let n = self.number::<N>()?;
        self.skip(usize::try_from(n).unwrap_or(usize::MAX))
    }

    fn list(&mut self) -> Result<&mut Vec<Id>, String> {
        let top = self.stack.last().copied();
        match top.map(|id| &mut self.arena[id]) {
            Some(Value::List(items) | Value::Object(items)) => Ok(items),
            _ => Err("APPEND finds no list on the stack".into()),
        }
    }

    /// `('storage', type, key, device, length)`, torch's persistent id.
    fn storage(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let storage = match &self.arena[id] {
            Value::Tuple(items) => match items.iter().map(|&i| &self.arena[i]).collect::<Vec<_>>()[..] {
                [Value::Str(tag), Value::Global(Global::StorageType(dtype)), Value::Str(key), _, &Value::Int(len)]
                    if self.text(tag)? == "storage" && key.len() <= MAX_NAME =>
                {
                    let len = usize::try_from(len).map_err(|_| format!("a storage of length {len}"))?;
                    Some(Value::Storage { dtype: *dtype, key: key.clone(), len })
                }
                _ => None,
            },
            _ => None,
        };
        self.push(storage.ok_or("a persistent id that is not ('storage', type, key, device, length)")?);
        Ok(())
    }

    /// Does what one of the known functions would do, each of which only makes a value; any other call makes an object of its arguments.
    fn reduce(&mut self) -> Result<(), String> {
        let (args_id, function) = (self.pop()?, self.pop()?);
        let Value::Tuple(args) = &self.arena[args_id] else {
            return Err("REDUCE without a tuple of arguments".into());
        };
        let value = match (&self.arena[function], &args[..]) {
            (Value::Global(Global::OrderedDict), []) => Value::Dict(Vec::new()),
            (Value::Global(Global::RebuildParameter), &[tensor, ..]) => {
                self.stack.push(tensor);
                return Ok(());
            }
            (Value::Global(Global::RebuildFromType), &[rebuild, _, args, ..])
                if matches!(self.arena[rebuild], Value::Global(Global::RebuildTensor | Global::RebuildParameter)) =>
            {
                self.stack.extend([rebuild, args]);
                return self.reduce();
            }
            (Value::Global(Global::RebuildTensor), &[storage, offset, shape, strides, ..]) => {
                let &Value::Int(offset) = &self.arena[offset] else {
                    return Err("a tensor's offset is not a number".into());
                };
                let offset = usize::try_from(offset).map_err(|_| format!("a tensor with offset {offset}"))?;
                Value::Tensor { storage, offset, shape: self.sizes(shape)?, strides: self.sizes(strides)? }
            }
            (Value::Global(Global::Object), args) => Value::Object(args.to_vec()),
            (Value::Global(g), _) => return Err(format!("calls {g:?} with {} arguments", args.len())),
            _ => return Err("calls something that is not a function".into()),
        };
        self.push(value);
        Ok(())
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, String> {
        let Value::Tuple(items) = &self.arena[id] else {
            return Err("a tensor's shape or strides are not a tuple".into());
        };
        if items.len() > MAX_AXES {
            return Err(format!("a tensor with {} axes", items.len()));
        }
        let size = |&i: &Id| match self.arena[i] {
            Value::Int(v) => usize::try_from(v).map_err(|_| format!("a tensor with size or stride {v}")),
            _ => Err("a tensor's size or stride is not a number".into()),
        };
        items.iter().map(size).collect()
    }
}
