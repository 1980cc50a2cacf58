//! Records to test with, and what every page must be.
#![allow(dead_code)] // each test binary uses its part

use records::latency::{Counters, LatencyRecord, MemoryModel, OpSpan, PortCycles, Unit};
use records::shared::{Saturations, Shape};

pub fn op(unit: Unit, index: u32, layer: Option<u32>, name: &str, span: (u64, u64), weight_bytes: u64) -> OpSpan {
    OpSpan { unit, index, layer, name: name.into(), start_cycle: span.0, end_cycle: span.1, weight_bytes }
}

/// One layer and the head in 1000 cycles, small enough to work out by hand:
///
/// ```text
/// cycle   0   100 150 200         400 450  500     600   700      900 910   1000
/// mat             |-- att.k ------|        |-ffn.k-|-ffn.k--|      |logits|  (980)
/// vec     |ln1 |xk|      |---- ln2.h ------|            |-r2-|
/// wkv                       |att.y 300-420|              (650-720, 720 = end of r2)
/// ```
pub fn hand_made() -> LatencyRecord {
    use Unit::{Dma, Mat, Vec, Wkv};
    LatencyRecord {
        schema_version: 1,
        model: "hand".into(),
        config: "toy".into(),
        clock_mhz: 100.0,
        shape: Shape { n_layer: 1, n_embd: 16, n_head: 1, head_size: 16, vocab_size: 16, dim_ffn: 64, n_params: 5000 },
        bus_bytes: 16,
        weight_bytes_per_token: 8000,
        stream_bytes_per_token: 9600,
        skipped_columns: 0,
        skipped_bytes: 0,
        cycles_per_token: 1000,
        sessions: 1,
        tokens_measured: 3,
        cycles_all_tokens: vec![1000, 1010, 1000],
        memory: MemoryModel {
            dram: None,
            latency_cycles: 40,
            bytes_per_cycle: 16.0,
            refresh_interval_cycles: 780,
            refresh_cycles: 0,
        },
        counters: Counters { mat_waits_for_operand: 320, vec_busy: 500, ..Counters::default() },
        port: Some(PortCycles {
            beats: 600,
            lost_operand: 300,
            lost_memory: 60,
            lost_end: 40,
            ..PortCycles::default()
        }),
        saturations: Saturations::default(),
        ops: vec![
            op(Dma, 0, None, "weights", (0, 600), 0),
            op(Vec, 0, Some(0), "ln1.h", (0, 100), 32),
            op(Vec, 1, Some(0), "q.att.xk", (90, 150), 0),
            op(Mat, 0, Some(0), "att.k", (150, 400), 3000),
            op(Wkv, 0, Some(0), "att.y", (300, 420), 0),
            op(Vec, 2, Some(0), "ln2.h", (200, 500), 32),
            op(Mat, 1, Some(0), "ffn.k", (500, 600), 1500),
            op(Mat, 2, Some(0), "ffn.k", (590, 700), 1500),
            op(Vec, 3, Some(0), "ffn.r2", (650, 720), 0),
            op(Vec, 4, Some(1), "ln_out.h", (720, 896), 32),
            op(Mat, 3, Some(1), "logits", (900, 980), 1900),
        ],
        values_checked: Some(1234),
        mismatches: Some(0),
        command: "anser report latency hand --config toy".into(),
        date: "2025-11-21T10:00:00Z".into(),
        git_revision: None,
    }
}

/// Advances three units the way the chip does: in order, each op starting when what it needs is there.
struct Chip {
    ops: Vec<OpSpan>,
    /// First free cycle of mat, vec and wkv, and instructions so far.
    free: [u64; 3],
    count: [u32; 3],
    layer: u32,
}

impl Chip {
    /// Runs `name` for `cycles` on `unit` once `after` has passed; returns its end.
    fn run(&mut self, unit: Unit, name: &str, cycles: u64, after: u64, bytes: u64) -> u64 {
        let u = match unit {
            Unit::Mat => 0,
            Unit::Vec => 1,
            _ => 2,
        };
        let start = self.free[u].max(after + 3);
        let end = start + cycles;
        self.ops.push(op(unit, self.count[u], Some(self.layer), name, (start, end), bytes));
        self.free[u] = if unit == Unit::Mat { end - 18 } else { end - 6 }; // drains and pipelines overlap a little
        self.count[u] += 1;
        end
    }

    fn vec(&mut self, names: &[&str], after: u64) -> u64 {
        names.iter().fold(after, |after, name| self.run(Unit::Vec, name, 48, after, 0))
    }

    fn mat(&mut self, name: &str, rows: u64, cols: u64, after: u64) -> u64 {
        self.run(Unit::Mat, name, rows * cols / 15 + rows / 8 + 24, after, rows * (cols + 2))
    }
}

/// A token of a six-layer model of width 144 that looks like a real one: about 45 vec ops, 17 mat ops and one wkv op a layer.
pub fn realistic() -> LatencyRecord {
    let (n_layer, d, ffn, rank) = (6, 144, 512, 24);
    let mut c = Chip { ops: vec![], free: [0; 3], count: [0; 3], layer: 0 };
    let mut x = c.vec(&["x.emb"], 40);
    for layer in 0..n_layer {
        c.layer = layer;
        let h = c.vec(&["ln1.rstd", "ln1.n", "ln1.g", "ln1.h"], x);
        let xk = c.vec(&["att.xk", "q.att.xk"], h);
        let k = c.mat("att.k", d, d, xk);
        let xw = c.vec(&["att.xw", "q.att.xw"], h);
        let w1 = c.mat("att.w1", rank, d, xw);
        let xa = c.vec(&["att.xa", "q.att.xa"], h);
        let a1 = c.mat("att.a1", rank, d, xa);
        let xv = c.vec(&["att.xv", "q.att.xv"], h);
        let v = c.mat("att.v0", d, d, xv);
        let v1 = c.mat("att.v1", rank, d, xv);
        let xr = c.vec(&["att.xr", "q.att.xr", "att.xg", "q.att.xg", "att.prev"], h);
        let kk = c.vec(&["att.k0", "att.l2", "att.kk", "q.att.kk"], k);
        let tw = c.vec(&["att.tw", "q.att.tw"], w1);
        let w2 = c.mat("att.w2", d, rank, tw);
        let qa = c.vec(&["max att.a1", "q.att.a1"], a1);
        let a2 = c.mat("att.a2", d, rank, qa);
        let qv = c.vec(&["max att.v1", "q.att.v1"], v1);
        let v2 = c.mat("att.v2", d, rank, qv);
        let r = c.mat("att.r", d, d, xr);
        let g1 = c.mat("att.g1", 2 * rank, d, xr);
        c.vec(&["att.d", "q.att.d"], w2);
        c.vec(&["att.a", "att.b", "q.att.b", "att.t", "att.km", "q.att.km"], a2.max(kk));
        c.vec(&["att.gate", "att.dv", "att.vg", "att.v", "q.att.v"], v2.max(v));
        let operands = c.vec(&["max att.r", "q.att.r"], r);
        let y = c.run(Unit::Wkv, "att.y", 900, operands, 0);
        let sg = c.vec(&["att.sg", "q.att.sg"], g1);
        c.mat("att.g", d, 2 * rank, sg);
        c.vec(&["att.rk", "att.bonus"], r);
        let yg = c.vec(
            &["att.yn.mean", "att.yn.rstd", "att.yn.n", "att.yn.g", "att.yn.h", "att.yb", "att.yg", "q.att.yg"],
            y,
        );
        let out = c.mat("att.out", d, d, yg);
        let xk = c.vec(&["att.x", "ln2.rstd", "ln2.n", "ln2.g", "ln2.h", "ffn.xk", "q.ffn.xk"], out);
        c.vec(&["ffn.prev"], xk);
        let mut r2 = 0;
        for _ in 0..4 {
            let piece = c.mat("ffn.k", ffn / 4, d, xk);
            r2 = c.vec(&["ffn.r2"], piece);
        }
        let q = c.run(Unit::Vec, "q.ffn.r2", 192, r2, 0);
        let out = c.mat("ffn.out", d, ffn, q);
        x = c.vec(&["ffn.x"], out);
    }
    c.layer = n_layer;
    let h = c.vec(&["ln_out.rstd", "ln_out.n", "ln_out.g", "ln_out.h", "q.ln_out.h"], x);
    let cycles = c.mat("logits", 256, d, h) + 12;
    // dma keeps a little ahead of mat, and fetches parameters between matrices
    let mut ops = c.ops;
    let mut dma: Vec<OpSpan> = vec![op(Unit::Dma, 0, None, "embedding", (1, 55), 0)];
    let mut at = 55;
    for m in ops.iter().filter(|o| o.unit == Unit::Mat) {
        let start = m.start_cycle.saturating_sub(280).max(at);
        let end = (start + m.weight_bytes / 16).max(m.end_cycle.saturating_sub(90)).max(start);
        dma.push(op(Unit::Dma, dma.len() as u32, m.layer, "weights", (start, end), m.weight_bytes));
        dma.push(op(Unit::Dma, dma.len() as u32, m.layer, "params", (end, end + 26), 384));
        at = end + 26;
    }
    for d in &mut dma {
        d.end_cycle = d.end_cycle.min(cycles);
        d.start_cycle = d.start_cycle.min(d.end_cycle);
    }
    let useful: u64 = ops.iter().map(|o| o.weight_bytes).sum::<u64>() + 2 * 144 * 24 * 6;
    ops.extend(dma);
    LatencyRecord {
        schema_version: 1,
        model: "shakespeare".into(),
        config: "nano".into(),
        clock_mhz: 100.0,
        shape: Shape {
            n_layer,
            n_embd: 144,
            n_head: 9,
            head_size: 16,
            vocab_size: 256,
            dim_ffn: 512,
            n_params: 1_485_752,
        },
        bus_bytes: 16,
        weight_bytes_per_token: useful,
        stream_bytes_per_token: useful + 21_000,
        skipped_columns: 0,
        skipped_bytes: 0,
        cycles_per_token: cycles,
        sessions: 1,
        tokens_measured: 16,
        cycles_all_tokens: vec![cycles; 16],
        memory: MemoryModel {
            dram: None,
            latency_cycles: 40,
            bytes_per_cycle: 16.0,
            refresh_interval_cycles: 780,
            refresh_cycles: 0,
        },
        counters: Counters {
            mat_waits_for_operand: 9_210,
            mat_waits_for_weights: 3120,
            mat_waits_for_drain: 1504,
            vec_busy: 21_000,
            wkv_busy: 5_400,
            memory_idle: 120,
            read_data_refused: 35_000,
        },
        port: None,
        saturations: Saturations::default(),
        ops,
        values_checked: Some(412_000),
        mismatches: Some(0),
        command: "anser report latency models/shakespeare.safetensors --config nano -o build/latency".into(),
        date: "2025-11-21T10:00:00Z".into(),
        git_revision: Some("c371fa2".into()),
    }
}

/// Walks the tags of a document: each one closed, in order; returns how often each was opened.
pub fn well_formed(html: &str) -> std::collections::BTreeMap<String, usize> {
    let mut open: Vec<&str> = vec![];
    let mut counts = std::collections::BTreeMap::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("doctype");
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>') || open.last() == Some(&"style"), "stray > in {:?}", &rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("every < has its >");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes something else");
            continue;
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "odd tag <{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        *counts.entry(name.to_string()).or_insert(0) += 1;
        if !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    counts
}
