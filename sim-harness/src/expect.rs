//! From the golden model's taps to the events the chip must show.
//!
//! The program says for every instruction which tap its output must equal; the golden step fills the taps; this module
//! copies them into the comparison's streams in program order. It looks values up and never computes one.

use crate::lockstep::{Columns, ExpectedToken, Group, OpName, OpNames, SatCounts};
use golden_model::network::integer_step::Tap;
use rtl_gen::isa;
use rtl_gen::program::emit::{OpInfo, ScalarKind, TapRef};
use rtl_gen::program::Program;
use std::collections::HashMap;

/// The taps of one token that the program refers to.
#[derive(Debug)]
pub struct TapRecorder {
    /// The index of each tap in `values`, by its name, for each layer.
    index: Vec<HashMap<String, usize>>,
    values: Vec<Vec<i32>>,
}

impl TapRecorder {
    /// A recorder for every tap that `program` names.
    pub fn new(program: &Program) -> Self {
        let mut recorder = TapRecorder { index: vec![], values: vec![] };
        for info in program.mat.iter().chain(&program.vec).chain(&program.wkv) {
            let state = info.state.iter().flat_map(|(s, sa)| [s, sa]);
            let scalar = info.scalar.iter().map(|(_, t)| t);
            for tap in info.values.iter().chain(&info.skips).chain(&info.exp).chain(scalar).chain(state) {
                recorder.add(tap);
            }
        }
        recorder
    }

    fn add(&mut self, tap: &TapRef) {
        if self.index.len() <= tap.layer {
            self.index.resize_with(tap.layer + 1, HashMap::new);
        }
        let next = self.values.len();
        if *self.index[tap.layer].entry(tap.name.clone()).or_insert(next) == next {
            self.values.push(vec![]);
        }
    }

    /// Forgets the values of the last token.
    pub fn clear(&mut self) {
        self.values.iter_mut().for_each(Vec::clear);
    }

    /// Returns the whole tap, or says that the golden model did not compute it (a bug of program or golden model).
    fn whole(&self, tap: &TapRef) -> Result<&[i32], MissingTap> {
        let found = self.index.get(tap.layer).and_then(|m| m.get(&tap.name)).map(|i| self.values[*i].as_slice());
        found.filter(|v| !v.is_empty()).ok_or_else(|| MissingTap { layer: tap.layer, name: tap.name.clone() })
    }

    fn part(&self, tap: &TapRef) -> Result<&[i32], MissingTap> {
        let whole = self.whole(tap)?;
        whole.get(tap.start..tap.start + tap.len).ok_or_else(|| MissingTap { layer: tap.layer, name: tap.name.clone() })
    }
}

impl Tap for TapRecorder {
    fn tap(&mut self, layer: usize, name: &'static str, values: &[i32]) {
        if let Some(i) = self.index.get(layer).and_then(|m| m.get(name)) {
            self.values[*i].clear();
            self.values[*i].extend_from_slice(values);
        }
    }
}

/// The program names a tap that the golden step does not have, or not in that size.
#[derive(Debug, thiserror::Error)]
#[error("the golden model has no tap {name} of the expected size in layer {layer}")]
pub struct MissingTap {
    pub layer: usize,
    pub name: String,
}

/// Names the token of a pass that an [`ExpectedToken`] is.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// The slot it is in.
    pub slot: usize,
    /// The pass goes on to the last norm and the head.
    pub head: bool,
    /// All slots read one text, which lives in one of them: what the others bring from memory, or would keep there, is not theirs.
    pub one_text: bool,
}

/// What the instructions that skip columns read if the tokens of `taps` are in the active slots.
pub fn columns(program: &Program, taps: &[&TapRecorder]) -> Result<Vec<Columns>, MissingTap> {
    let mut list = vec![];
    for (op, info) in program.mat.iter().enumerate() {
        let Some(tap) = &info.skips else { continue };
        let operands = taps.iter().map(|t| t.part(tap)).collect::<Result<Vec<_>, _>>()?;
        let met = |i: &usize| operands.iter().any(|o| o[*i] != 0);
        // one column is read even if all meet a zero
        let read = (0..tap.len).filter(met).count().max(1) as u64;
        let cols = isa::MAT.get(&program.code[1][op], "cols");
        list.push(Columns { op, read, skipped: cols - read });
    }
    Ok(list)
}

/// Fills `expected` with the events of one token; what all slots do together ([`columns`]) is left to the caller.
pub fn fill(
    expected: &mut ExpectedToken,
    program: &Program,
    which: Which,
    taps: &TapRecorder,
    saturations: SatCounts,
    token_out: u32,
) -> Result<(), MissingTap> {
    expected.clear();
    expected.saturations = saturations;
    expected.token_out = token_out;
    let [_, mats, vecs, _] = if which.head { program.code.each_ref().map(Vec::len) } else { program.body };
    for (op, info) in program.vec[..vecs].iter().enumerate() {
        if info.only.is_some_and(|slot| slot != which.slot) {
            // it happens in every slice, but is another session's
            let n_words = isa::VEC.get(&program.code[2][op], "n_words") as usize;
            expected.stream(Group::Vec).push_unnamed(op, 0, n_words);
            if info.scalar.is_some() {
                expected.stream(Group::Sreg).push_unnamed(op, 0, 1);
            }
            continue;
        }
        let code = &program.code[2][op];
        let in_memory = isa::VEC.get(code, "c_sel") == isa::c_sel::SESSION || isa::VEC.get(code, "store") == 1;
        match info.values.as_ref().filter(|_| !(which.one_text && in_memory)) {
            Some(tap) => expected.stream(Group::Vec).push(op, 0, taps.part(tap)?.iter().copied()),
            None => {
                let n_words = isa::VEC.get(code, "n_words") as usize;
                expected.stream(Group::Vec).push_unnamed(op, 0, n_words);
            }
        }
        if let Some(tap) = &info.exp {
            expected.stream(Group::Exp).push(op, 0, taps.part(tap)?.iter().copied());
        }
        if let Some((kind, tap)) = &info.scalar {
            scalars(expected, op, *kind, taps.whole(tap)?);
        }
    }
    for (op, info) in program.mat[..mats].iter().enumerate() {
        if let Some(tap) = &info.values {
            expected.stream(Group::Mat).push(op, 0, taps.part(tap)?.iter().copied());
        }
    }
    for (op, info) in program.wkv.iter().enumerate() {
        recurrence(expected, program, op, info, taps)?;
    }
    Ok(())
}

/// A scalar event is (mean, mult, shift), one a segment; what the instruction does not write is 0.
fn scalars(expected: &mut ExpectedToken, op: usize, kind: ScalarKind, values: &[i32]) {
    let stream = expected.stream(Group::Sreg);
    match kind {
        ScalarKind::Mean => stream.push(op, 0, values.iter().flat_map(|v| [*v, 0, 0])),
        ScalarKind::Value => stream.push(op, 0, values.iter().flat_map(|v| [0, *v, 0])),
        ScalarKind::Rsq => stream.push(op, 0, values.chunks(2).flat_map(|v| [0, v[0], v[1]])),
    }
}

fn recurrence(
    expected: &mut ExpectedToken,
    program: &Program,
    op: usize,
    info: &OpInfo,
    taps: &TapRecorder,
) -> Result<(), MissingTap> {
    if let Some((s, sa)) = &info.state {
        let s_addr = isa::WKV.get(&program.code[3][op], "s_addr") as usize;
        expected.stream(Group::WkvS).push(op, s_addr, taps.part(s)?.iter().copied());
        expected.stream(Group::WkvSa).push(op, 0, taps.part(sa)?.iter().copied());
    }
    if let Some(y) = &info.values {
        expected.stream(Group::WkvY).push(op, 0, taps.part(y)?.iter().copied());
    }
    Ok(())
}

/// Names of all instructions for messages and reports.
pub fn op_names(program: &Program) -> OpNames {
    let names = |list: &[OpInfo], kind: &str| {
        let name = |i: &OpInfo| OpName { layer: i.layer, name: i.name.clone(), kind: kind.into() };
        list.iter().map(name).collect::<Vec<_>>()
    };
    let dma = program.stream.iter().map(|p| OpName {
        layer: 0,
        name: ["weights", "params", "embedding", "columns", "state", "session", "token weights"]
            .get(p.kind as usize)
            .unwrap_or(&"?")
            .to_string(),
        kind: "stream".into(),
    });
    OpNames([
        dma.collect(),
        names(&program.mat, "matrix"),
        names(&program.vec, "vector"),
        names(&program.wkv, "recurrence"),
    ])
}
