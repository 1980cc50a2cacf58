//! The pickle of a torch state dict, read by a small stack machine that can build tuples, lists, dicts, storages,
//! tensors, and objects without a meaning, and nothing else.
//!
//! A pickle is a program. Python's reader runs it, importing and calling whatever it names; this one executes nothing.
//! It knows the handful of names a state dict uses. Any other class or function makes an object that only holds what it
//! was given, as the arguments of a training run need; a name that serves to run code ends the reading. Every value lives in one flat arena and
//! refers to others by index, so no input can make it recurse; every opcode takes at least one byte, moves values or
//! makes one, and the number of opcodes is bounded, so no input can make it run long or grow large.

mod machine;

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::printable;
use super::{Dtype, ErrorKind};
use machine::Machine;

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
    /// A set, or an object whose class has no meaning here, with all that it was made of.
    Object(Vec<Id>),
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
    RebuildFromType,
    /// A class or function of no interest.
    Object,
    StorageType(Result<Dtype, &'static str>),
}

/// Modules with nothing that data need and much that runs code.
const CODE: &str =
    "os posix nt sys subprocess pty shutil socket importlib imp runpy code codeop ctypes pickle _pickle \
    marshal operator functools timeit webbrowser threading multiprocessing asyncio commands urllib http \
    ftplib smtplib tempfile glob io pip setuptools cProfile pdb bdb";
/// What data need of Python's own names.
const BUILTINS: &str = "set frozenset list dict tuple int float complex bool str bytes bytearray slice range object";

/// The object `module.name`; `None` if it serves to run code.
fn global(module: &str, name: &str) -> Option<Global> {
    let root = module.split('.').next().unwrap_or_default();
    let builtin = matches!(root, "builtins" | "__builtin__");
    let listed = |list: &str, word: &str| list.split(' ').any(|w| w == word);
    if listed(CODE, root) || builtin && !listed(BUILTINS, name) {
        return None;
    }
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_tensor") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch._tensor", "_rebuild_from_type_v2") => Global::RebuildFromType,
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
        ("torch.storage" | "torch", "UntypedStorage") => Global::StorageType(Err("untyped")),
        _ => Global::Object,
    })
}

/// Keys under which training programs keep the state dict, in the order in which they are looked for.
const WRAPPERS: &[&str] = &["state_dict", "model_state_dict", "model", "module"];
/// Parts of keys beside the state dict whose tensors belong to training and may be left out.
const OF_TRAINING: &[&str] = &["optim", "sched", "scaler", "rng", "random", "loops", "callbacks"];

/// The tensors of the state dict `bytes`, by name, wherever in the file training programs keep it.
///
/// # Errors
/// [`ErrorKind::Pickle`] with the byte where reading stopped, or [`ErrorKind::Tensor`].
pub(super) fn state_dict(bytes: &[u8]) -> Result<BTreeMap<String, PickledTensor>, ErrorKind> {
    let mut m = Machine::new(bytes);
    let mut start = 0;
    let top = m.run(&mut start).map_err(|what| ErrorKind::Pickle { offset: start, what })?;
    let end = |what: String| ErrorKind::Pickle { offset: start, what };
    let mut dict = top;
    // a wrapper can hold itself, so the number of wrappers is bounded
    for _ in 0..=WRAPPERS.len() {
        let items = m.items(dict).map_err(end)?;
        let is_tensor = |id: Id| matches!(m.arena[id], Value::Tensor { .. });
        if items.iter().any(|&(_, value)| is_tensor(value)) {
            return m.tensors(&items, start);
        }
        let wrapper =
            |name: &&str| items.iter().find(|(key, v)| *key == Some(name) && matches!(m.arena[*v], Value::Dict(_)));
        let Some(&(key, inner)) = WRAPPERS.iter().find_map(wrapper) else {
            let first = items.iter().find_map(|(key, _)| *key);
            let first = first.map_or("no keys".to_owned(), |k| format!("the first key {}", printable(k)));
            return Err(end(format!(
                "expected a dict from names to tensors, found one without tensors and with {first}"
            )));
        };
        let beside =
            items.iter().filter(|(k, _)| *k != key && !k.is_some_and(|k| OF_TRAINING.iter().any(|t| k.contains(t))));
        m.no_tensors_in(beside, &format!("beside `{}`", key.unwrap_or_default())).map_err(end)?;
        dict = inner;
    }
    Err(end("the wrappers around the state dict are too deep".into()))
}

/// A key of a dict, if it is a text, and its value.
type Item<'a> = (Option<&'a str>, Id);

impl Machine<'_> {
    /// The items of a dict; the last one of a key that comes twice, as in Python.
    fn items(&self, dict: Id) -> Result<Vec<Item<'_>>, String> {
        let Value::Dict(items) = &self.arena[dict] else {
            return Err("the pickle is not a dict of tensors".into());
        };
        let item = |&(key, value): &(Id, Id)| match &self.arena[key] {
            Value::Str(name) => Ok((Some(self.text(name)?), value)),
            _ => Ok((None, value)),
        };
        items.iter().map(item).collect()
    }

    /// The tensors among `items`, if the other items hold none.
    fn tensors(&self, items: &[Item<'_>], offset: usize) -> Result<BTreeMap<String, PickledTensor>, ErrorKind> {
        let end = |what: String| ErrorKind::Pickle { offset, what };
        let mut out = BTreeMap::new();
        let mut others = Vec::new();
        for &(name, value) in items {
            let (Some(name), Some(tensor)) = (name, self.tensor(value)) else {
                others.push((name, value));
                continue;
            };
            if name.len() > MAX_NAME {
                return Err(end(format!("a tensor's name has {} bytes, expected at most {MAX_NAME}", name.len())));
            }
            out.insert(name.to_owned(), tensor.map_err(|what| ErrorKind::Tensor { name: printable(name), what })?);
        }
        self.no_tensors_in(others.iter(), "beside the tensors").map_err(end)?;
        Ok(out)
    }

    /// Checks that no value of `items` holds a tensor at any depth, because it would be left out without a word.
    fn no_tensors_in<'i>(&self, items: impl Iterator<Item = &'i Item<'i>>, place: &str) -> Result<(), String> {
        let mut seen = vec![false; self.arena.len()];
        for &(key, value) in items {
            let mut work = vec![value];
            while let Some(id) = work.pop() {
                if std::mem::replace(&mut seen[id], true) {
                    continue;
                }
                match &self.arena[id] {
                    Value::Tensor { .. } | Value::Storage { .. } => {
                        let key = key.map_or("a key that is no text".to_owned(), |k| format!("key {}", printable(k)));
                        return Err(format!(
                            "{key} {place} holds tensors too; save the state dict alone, so that it is clear which tensors are meant"
                        ));
                    }
                    Value::Tuple(parts) | Value::List(parts) | Value::Object(parts) => work.extend(parts),
                    Value::Dict(items) => work.extend(items.iter().flat_map(|&(k, v)| [k, v])),
                    Value::Opaque | Value::Int(_) | Value::Bool | Value::Str(_) | Value::Global(_) => {}
                }
            }
        }
        Ok(())
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
