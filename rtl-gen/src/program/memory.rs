//! Where vectors live on the chip: a plan of vmem and xmem for one model.

use super::CompileError;
use crate::config::Config;
use golden_model::checkpoint::names::RANK_S;

/// A vector in vmem or xmem: first word, elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub word: usize,
    pub len: usize,
}

impl Slot {
    /// Words the vector occupies with `vlanes` elements a word.
    pub fn words(&self, vlanes: usize) -> usize {
        self.len.div_ceil(vlanes)
    }
}

/// Hands out words from 0 upwards.
#[derive(Debug)]
pub struct Allocator {
    vlanes: usize,
    next: usize,
}

impl Allocator {
    pub fn new(vlanes: usize) -> Self {
        Allocator { vlanes, next: 0 }
    }

    pub fn take(&mut self, len: usize) -> Slot {
        let slot = Slot { word: self.next, len };
        self.next += slot.words(self.vlanes);
        slot
    }

    pub fn used_words(&self) -> usize {
        self.next
    }
}

/// Dimensions the plan depends on; names as in the checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Dims {
    pub n_layer: usize,
    pub n_embd: usize,
    pub head_size: usize,
    pub dim_ffn: usize,
    pub vocab_size: usize,
    pub rank_w: usize,
    pub rank_a: usize,
    pub rank_v: usize,
    pub rank_g: usize,
    /// Whether the channel mix has DeepEmbed.
    pub deep_embed: bool,
}

impl Dims {
    pub fn n_head(&self) -> usize {
        self.n_embd / self.head_size
    }
}

/// Vmem: 27-bit vectors at rest.
#[derive(Debug)]
pub struct Vmem {
    pub x: Slot,
    pub h: Slot,
    /// Scratch of the chains norm and mix; two, so that a chain need not wait for its own last word.
    pub t: [Slot; 2],
    pub k: Slot,
    pub w1: Slot,
    pub a1: Slot,
    pub v1: Slot,
    pub g1: Slot,
    pub w2: Slot,
    pub a2: Slot,
    pub v2: Slot,
    pub v0: Slot,
    pub v_first: Slot,
    pub v: Slot,
    pub r: Slot,
    pub g: Slot,
    pub k0: Slot,
    pub kk: Slot,
    pub a: Slot,
    pub b: Slot,
    pub km: Slot,
    pub d: Slot,
    pub y: Slot,
    pub rk: Slot,
    pub yb: Slot,
    pub out: Slot,
    pub ffn_k: Slot,
    pub deep: Option<DeepVmem>,
    /// Session vectors, one a layer; with the state in memory all layers share one, filled just before it is needed.
    pub att_prev: Vec<Slot>,
    pub ffn_prev: Vec<Slot>,
}

/// Xmem: 16-bit matrix operands; the index in the name's comment is the exponent register.
#[derive(Debug)]
pub struct Xmem {
    pub mix: [Slot; 6], // k w a v r g: exponents 0..=5
    pub tw: Slot,       // 6
    pub a1: Slot,       // 7
    pub v1: Slot,       // 8
    pub sg: Slot,       // 9
    pub yg: Slot,       // 10
    pub ffn_xk: Slot,   // 11
    pub r2: Slot,       // 12
    pub h_out: Slot,    // 13
    pub deep: Option<DeepXmem>,
}

/// What DeepEmbed needs of vmem.
#[derive(Debug)]
pub struct DeepVmem {
    pub s1: Slot,
    pub ss: Slot,
    /// s2, then the gate.
    pub gate: Slot,
}

/// What DeepEmbed needs of xmem; h lies where the first operand of time mixing was.
#[derive(Debug)]
pub struct DeepXmem {
    pub s1: Slot, // 14
    pub ss: Slot, // 15
}

fn session_vectors(config: &Config, dims: &Dims, vmem: &mut Allocator) -> Vec<Slot> {
    match config.streams_state() {
        true => vec![vmem.take(dims.n_embd); dims.n_layer],
        false => (0..dims.n_layer).map(|_| vmem.take(dims.n_embd)).collect(),
    }
}

/// Plans both memories, or says which limit of the configuration the model exceeds.
pub fn plan(config: &Config, dims: &Dims) -> Result<(Vmem, Xmem), CompileError> {
    let d = dims.n_embd;
    // a head is whole words: scalars, sums and rows of the state belong to words, not to lanes
    let (head_size, vlanes) = (dims.head_size, config.wkv_lanes());
    if !head_size.is_multiple_of(vlanes) || head_size > 240 {
        return Err(CompileError::HeadSize { config: config.name.clone(), head_size, vlanes });
    }
    if config.streams_state() && !d.is_multiple_of(16) {
        return Err(CompileError::SessionVector { config: config.name.clone(), n_embd: d });
    }
    let mut v = Allocator::new(config.vlanes());
    let vmem = Vmem {
        x: v.take(d),
        h: v.take(d),
        t: [v.take(d), v.take(d)],
        k: v.take(d),
        w1: v.take(dims.rank_w),
        a1: v.take(dims.rank_a),
        v1: v.take(dims.rank_v),
        g1: v.take(dims.rank_g),
        w2: v.take(d),
        a2: v.take(d),
        v2: v.take(d),
        v0: v.take(d),
        v_first: v.take(d),
        v: v.take(d),
        r: v.take(d),
        g: v.take(d),
        k0: v.take(d),
        kk: v.take(d),
        a: v.take(d),
        b: v.take(d),
        km: v.take(d),
        d: v.take(d),
        y: v.take(d),
        rk: v.take(d),
        yb: v.take(d),
        out: v.take(d),
        ffn_k: v.take(dims.dim_ffn),
        deep: dims.deep_embed.then(|| DeepVmem { s1: v.take(RANK_S), ss: v.take(RANK_S), gate: v.take(dims.dim_ffn) }),
        att_prev: session_vectors(config, dims, &mut v),
        ffn_prev: session_vectors(config, dims, &mut v),
    };
    let mut x = Allocator::new(config.vlanes());
    let mut operand = |len: usize| x.take(len.next_multiple_of(4));
    let xmem = Xmem {
        mix: [operand(d), operand(d), operand(d), operand(d), operand(d), operand(d)],
        tw: operand(dims.rank_w),
        a1: operand(dims.rank_a),
        v1: operand(dims.rank_v),
        sg: operand(dims.rank_g),
        yg: operand(d),
        ffn_xk: operand(d),
        r2: operand(dims.dim_ffn),
        h_out: operand(d),
        deep: dims.deep_embed.then(|| DeepXmem { s1: operand(RANK_S), ss: operand(RANK_S) }),
    };
    let l = &config.limits;
    let state = dims.n_layer * d * dims.head_size;
    // while one prompt is read in all slots, each goes on with a head that the one before it left
    let kept = if config.streams_state() && config.sessions > 1 { head_size * head_size / vlanes } else { 0 };
    for (limit, needed, available) in [
        ("n_embd", d, l.n_embd),
        ("dim_ffn", dims.dim_ffn, l.dim_ffn),
        ("n_head", dims.n_head(), l.n_head),
        ("vmem_elements", v.used_words() * config.vlanes(), l.vmem_elements),
        ("xmem_elements", x.used_words() * config.vlanes(), l.xmem_elements),
        ("state_elements", state, l.state_elements),
        ("state_fifo_beats", kept, l.state_fifo_beats),
    ] {
        if needed > available {
            return Err(CompileError::Limit { config: config.name.clone(), limit, needed, available });
        }
    }
    Ok((vmem, xmem))
}
