//! What must come: trace groups, operations by name, and the events of a token in order.

/// The trace groups, in the order of the table in `docs/hardware.md` §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Vec,
    Sreg,
    Exp,
    Mat,
    WkvS,
    WkvSa,
    WkvY,
}

pub const GROUPS: [Group; 7] =
    [Group::Vec, Group::Sreg, Group::Exp, Group::Mat, Group::WkvS, Group::WkvSa, Group::WkvY];

impl Group {
    /// The unit whose instruction index the group's events carry.
    pub fn unit(self) -> Unit {
        match self {
            Group::Vec | Group::Sreg | Group::Exp => Unit::Vec,
            Group::Mat => Unit::Mat,
            Group::WkvS | Group::WkvSa | Group::WkvY => Unit::Wkv,
        }
    }

    /// Trace port prefix without `trace_`.
    pub fn name(self) -> &'static str {
        ["vec", "sreg", "exp", "mat", "wkv_s", "wkv_sa", "wkv_y"][self as usize]
    }
}

/// The units, numbered as the host's program-select register does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Dma,
    Mat,
    Vec,
    Wkv,
}

pub const UNITS: [Unit; 4] = [Unit::Dma, Unit::Mat, Unit::Vec, Unit::Wkv];

impl Unit {
    pub fn name(self) -> &'static str {
        ["dma", "mat", "vec", "wkv"][self as usize]
    }
}

/// What an instruction is called in messages and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpName {
    pub layer: usize,
    /// Tap name of `docs/integer-step.md`.
    pub name: String,
    /// Kind of operation, for grouping in reports (`matrix`, `norm`, …).
    pub kind: String,
}

/// Names of every unit's instructions, indexed by [`Unit`] and instruction index.
#[derive(Debug, Clone, Default)]
pub struct OpNames(pub [Vec<OpName>; 4]);

impl OpNames {
    /// The name of an instruction, if the table has it.
    pub fn get(&self, unit: Unit, op: usize) -> Option<&OpName> {
        self.0[unit as usize].get(op)
    }
}

/// How many values an event of a group carries and how wide they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    pub n: usize,
    /// Bits of one value in the trace port; 1 to 32.
    pub bits: usize,
}

/// The lanes of every group for a chip of `vlanes` and `state_bits`. A scalar event is (mean, mult, shift).
pub fn group_lanes(vlanes: usize, state_bits: usize) -> [Lanes; 7] {
    let lanes = |n, bits| Lanes { n, bits };
    [
        lanes(vlanes, 27),
        lanes(3, 27),
        lanes(1, 5),
        lanes(1, 27),
        lanes(vlanes, state_bits),
        lanes(1, state_bits),
        lanes(1, 27),
    ]
}

/// The lanes of every group for a chip of `config`.
pub fn lanes_of(config: &rtl_gen::config::Config) -> [Lanes; 7] {
    let mut lanes = group_lanes(config.vlanes(), config.numbers.state_bits);
    lanes[Group::WkvS as usize].n = config.wkv_lanes();
    lanes
}

/// One instruction's events in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExpectedOp {
    pub op: u32,
    /// `word`, `row`, `addr` or `seg` of the first event; the following ones count up.
    pub first: u32,
    pub events: u32,
    /// Where the values start in the stream's flat array, `events` times lanes of them; `None`: not compared.
    pub start: Option<usize>,
    /// Values that are not padding of the last event.
    pub live: usize,
}

/// The events one group must produce in one token, in order.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(super) lanes: usize,
    pub(super) ops: Vec<ExpectedOp>,
    pub(super) values: Vec<i32>,
}

impl Stream {
    /// An empty stream of events of `lanes` values.
    pub fn new(lanes: usize) -> Self {
        Stream { lanes, ops: vec![], values: vec![] }
    }

    /// Appends the events of instruction `op`: the first one has index `first`. `values` are cut into events; the last
    /// event is padded with 0 (dead lanes).
    pub fn push(&mut self, op: usize, first: usize, values: impl IntoIterator<Item = i32>) {
        let start = self.values.len();
        self.values.extend(values);
        let live = self.values.len() - start;
        let events = live.div_ceil(self.lanes);
        self.values.resize(start + events * self.lanes, 0);
        self.append(ExpectedOp { op: op as u32, first: first as u32, events: events as u32, start: Some(start), live });
    }

    /// Appends `events` events of instruction `op` that must come, with values the golden model does not name (a pass
    /// that only reduces; its sum is compared as a scalar).
    pub fn push_unnamed(&mut self, op: usize, first: usize, events: usize) {
        self.append(ExpectedOp { op: op as u32, first: first as u32, events: events as u32, start: None, live: 0 });
    }

    fn append(&mut self, op: ExpectedOp) {
        if op.events > 0 {
            self.ops.push(op);
        }
    }

    /// The values of one event.
    #[inline(always)]
    pub(super) fn want(&self, op: &ExpectedOp, event: u32) -> Option<&[i32]> {
        let at = op.start? + event as usize * self.lanes;
        Some(&self.values[at..at + self.lanes])
    }

    /// Forgets all events and keeps the memory, for the next token.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.values.clear();
    }
}

/// Saturation counts of a token by unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SatCounts {
    pub mat: u64,
    pub vec: u64,
    pub wkv: u64,
}

/// Everything one token of one session must do.
#[derive(Debug, Clone)]
pub struct ExpectedToken {
    /// The stream of each [`Group`].
    pub streams: [Stream; 7],
    pub saturations: SatCounts,
    pub token_out: u32,
    /// Instructions that skip columns; their skipped columns are counted by the chip, too.
    pub columns: Vec<Columns>,
    /// Compared with the logits stream if the token was asked for logits; empty: not compared.
    pub logits: Vec<i32>,
}

/// What a mat instruction that skips columns reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The instruction.
    pub op: usize,
    pub read: u64,
    /// Columns in memory that are not read, those that fill up a tile included.
    pub skipped: u64,
}

impl ExpectedToken {
    /// A token without events.
    pub fn new(lanes: &[Lanes; 7]) -> Self {
        ExpectedToken {
            streams: lanes.map(|l| Stream::new(l.n)),
            saturations: SatCounts::default(),
            token_out: 0,
            columns: vec![],
            logits: vec![],
        }
    }

    pub fn stream(&mut self, group: Group) -> &mut Stream {
        &mut self.streams[group as usize]
    }

    /// Ready for the next token, memory kept.
    pub fn clear(&mut self) {
        self.streams.iter_mut().for_each(Stream::clear);
        self.saturations = SatCounts::default();
        self.columns.clear();
        self.logits.clear();
    }
}
