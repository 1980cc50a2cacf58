//! The pickle of a torch state dict, read by a small stack machine that can build tuples, lists, dicts, storages and
//! tensors and nothing else.
//!
//! A pickle is a program. Python's reader runs it, importing and calling whatever it names; this one knows the handful
//! of names a state dict uses and stops at any other, and executes nothing. Every value lives in one flat arena and
//! refers to others by index, so no input can make it recurse; every opcode takes at least one byte, moves values or
//! makes one, and the number of opcodes is bounded, so no input can make it run long or grow large.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::error::printable;
use super::{Dtype, ErrorKind};

/// A state dict of 32 layers needs about 40,000.
const MAX_OPS: usize = 1 << 20;
const MAX_NAME: usize = 256;
const MAX_AXES: usize = 8;

/// A tensor of the state dict: a window on a storage, all sizes in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PickledTensor {
    /// Name of the storage: the archive member `data/{storage}` holds its bytes.
    pub storage: String,
    /// The number format, or the name of a storage type that no weight may have.
    pub dtype: Result<Dtype, String>,
    pub storage_len: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Index into the arena.
type Id = usize;

#[derive(Clone, Debug)]
enum Value {
    /// None, a float, or an object whose value does not matter.
    Opaque,
    Int(i64),
    Bool,
    /// A range of the pickle's bytes.
    Str(Range<usize>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage {
        dtype: Result<Dtype, &'static str>,
        key: Range<usize>,
        len: usize,
    },
    Tensor {
        storage: Id,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    },
}

/// The names a state dict may use.
#[derive(Clone, Copy, Debug)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    StorageType(Result<Dtype, &'static str>),
}

fn global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "FloatStorage") => Global::StorageType(Ok(Dtype::F32)),
        ("torch", "HalfStorage") => Global::StorageType(Ok(Dtype::F16)),
        ("torch", "BFloat16Storage") => Global::StorageType(Ok(Dtype::Bf16)),
        ("torch", "DoubleStorage") => Global::StorageType(Err("F64")),
        ("torch", "LongStorage") => Global::StorageType(Err("I64")),
        ("torch", "IntStorage") => Global::StorageType(Err("I32")),
        ("torch", "ShortStorage") => Global::StorageType(Err("I16")),
        ("torch", "CharStorage") => Global::StorageType(Err("I8")),
        ("torch", "ByteStorage") => Global::StorageType(Err("U8")),
        ("torch", "BoolStorage") => Global::StorageType(Err("BOOL")),
        _ => return None,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    arena: Vec<Value>,
    stack: Vec<Id>,
    /// Stack heights at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

/// The tensors of the state dict `bytes`, by name.
///
/// # Errors
/// [`ErrorKind::Pickle`] with the byte where reading stopped, or [`ErrorKind::Tensor`].
pub(super) fn state_dict(bytes: &[u8]) -> Result<BTreeMap<String, PickledTensor>, ErrorKind> {
    let mut m = Machine { bytes, at: 0, arena: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    let mut start = 0;
    let top = m.run(&mut start).map_err(|what| ErrorKind::Pickle { offset: start, what })?;
    let end = |what: String| ErrorKind::Pickle { offset: start, what };
    let Value::Dict(items) = &m.arena[top] else {
        return Err(end("the pickle is not a dict of tensors".into()));
    };
    let mut out = BTreeMap::new();
    let mut keys = Vec::new();
    for &(key, value) in items {
        let Value::Str(name) = &m.arena[key] else { continue };
        let name = m.text(name).map_err(end)?;
        if name.len() > MAX_NAME {
            return Err(end(format!("a tensor's name has {} bytes, expected at most {MAX_NAME}", name.len())));
        }
        match m.tensor(value) {
            Some(tensor) => {
                out.insert(name.to_owned(), tensor.map_err(|what| ErrorKind::Tensor { name: printable(name), what })?);
            }
            None => keys.push(name),
        }
    }
    if out.is_empty() {
        let first = keys.first().map_or("no keys".to_owned(), |k| format!("the first key {}", printable(k)));
        return Err(end(format!("expected a dict from names to tensors, found one without tensors and with {first}")));
    }
    Ok(out)
}

impl Machine<'_> {
    /// Runs to STOP and gives the value on top. `start` follows the opcode at work, for the error text.
    fn run(&mut self, start: &mut usize) -> Result<Id, String> {
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
            b'G' => {
                self.take(8)?;
                self.push(Value::Opaque);
            }
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let v = self.number::<4>()? as u32 as i32;
                self.push(Value::Int(v.into()));
            }
            b'K' => self.push_number::<1>()?,
            b'M' => self.push_number::<2>()?,
            0x8a => {
                let n = self.take(1)?[0];
                let bytes = self.take(n.into())?;
                if n > 8 {
                    return Err(format!("an integer of {n} bytes, expected at most 8"));
                }
                let sign = bytes.last().map_or(0, |&b| if b >= 0x80 { 0xff } else { 0 });
                let mut le = [sign; 8];
                le[..bytes.len()].copy_from_slice(bytes);
                self.push(Value::Int(i64::from_le_bytes(le)));
            }
            b'X' | b'T' => self.push_str::<4>()?,
            0x8c | b'U' => self.push_str::<1>()?,
            0x8d => self.push_str::<8>()?,
            b'}' => self.push(Value::Dict(Vec::new())),
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
                self.dict()?.push((key, value));
            }
            b'u' => {
                let items = self.above_mark()?;
                if items.len() % 2 != 0 {
                    return Err("SETITEMS with a key that has no value".into());
                }
                self.dict()?.extend(items.chunks_exact(2).map(|kv| (kv[0], kv[1])));
            }
            b'a' => {
                let item = self.pop()?;
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.above_mark()?;
                self.list()?.extend(items);
            }
            b'b' => drop(self.pop()?), // attributes of an OrderedDict (`_metadata`)
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

    fn text(&self, range: &Range<usize>) -> Result<&str, String> {
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
                "names the Python object {}.{}, which a dict of tensors does not need; nothing was executed",
                printable(m),
                printable(n)
            )
        })?;
        self.push(Value::Global(known));
        Ok(())
    }

    /// The dict on top of the stack.
    fn dict(&mut self) -> Result<&mut Vec<(Id, Id)>, String> {
        let top = self.stack.last().copied();
        match top.map(|id| &mut self.arena[id]) {
            Some(Value::Dict(items)) => Ok(items),
            _ => Err("SETITEM finds no dict on the stack".into()),
        }
    }

    fn list(&mut self) -> Result<&mut Vec<Id>, String> {
        let top = self.stack.last().copied();
        match top.map(|id| &mut self.arena[id]) {
            Some(Value::List(items)) => Ok(items),
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

    /// Calls one of the known functions, each of which only makes a value.
    fn reduce(&mut self) -> Result<(), String> {
        let (args, function) = (self.pop()?, self.pop()?);
        let Value::Tuple(args) = &self.arena[args] else {
            return Err("REDUCE without a tuple of arguments".into());
        };
        let value = match (&self.arena[function], &args[..]) {
            (Value::Global(Global::OrderedDict), []) => Value::Dict(Vec::new()),
            (Value::Global(Global::RebuildParameter), &[tensor, ..]) => {
                self.stack.push(tensor);
                return Ok(());
            }
            (Value::Global(Global::RebuildTensor), &[storage, offset, shape, strides, ..]) => {
                let &Value::Int(offset) = &self.arena[offset] else {
                    return Err("a tensor's offset is not a number".into());
                };
                let offset = usize::try_from(offset).map_err(|_| format!("a tensor with offset {offset}"))?;
                Value::Tensor { storage, offset, shape: self.sizes(shape)?, strides: self.sizes(strides)? }
            }
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

    /// `None` if the value is not a tensor.
    fn tensor(&self, id: Id) -> Option<Result<PickledTensor, String>> {
        let Value::Tensor { storage, offset, shape, strides } = &self.arena[id] else {
            return None;
        };
        let Value::Storage { dtype, key, len } = &self.arena[*storage] else {
            return Some(Err("is built from something that is not a storage".into()));
        };
        if shape.len() != strides.len() {
            return Some(Err(format!("has {} sizes but {} strides", shape.len(), strides.len())));
        }
        Some(self.text(key).map(|key| PickledTensor {
            storage: key.to_owned(),
            dtype: dtype.map_err(str::to_owned),
            storage_len: *len,
            offset: *offset,
            shape: shape.clone(),
            strides: strides.clone(),
        }))
    }
}
