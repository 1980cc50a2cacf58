//! The accuracy page from the outside: it holds together, says what the record says, and refuses records that contradict themselves.

mod common;

use common::well_formed;
use records::accuracy::*;
use records::shared::{Saturations, Shape};
use records::RecordError;
use reports::accuracy::{accuracy_page, knee, sections};

fn setting(weights: &str, operand_bits: u32, state_bits: u32) -> Setting {
    Setting { weights: weights.into(), operand_bits, state_bits }
}

fn point(setting: Setting, kl: f64) -> GridPoint {
    GridPoint {
        setting,
        bits_per_token: 2.0 + kl,
        bits_per_byte: Some(2.0 + kl),
        loss_percent: 60.0 * kl - 0.001,
        loss_percent_se: 0.002,
        kl,
        kl_se: kl / 10.0,
        top1_agreement: 0.995,
        logit_error: kl.sqrt(),
        saturations: Saturations { mat: 0, vec: 1, wkv: 2 },
    }
}

fn range(bits: u32, frac_bits: i32, max: f64) -> Range {
    let limit = 2f64.powi(bits as i32 - 1 - frac_bits);
    Range {
        bits,
        frac_bits,
        limit,
        n_values: 1000,
        min: -max / 2.0,
        max,
        zeros: 0.01,
        p1: max / 1000.0,
        p50: max / 20.0,
        p99: max / 2.0,
        p99_9: max / 1.5,
        headroom_bits: Some((limit / max).log2()),
    }
}

/// Two layers, three widths of weights, a state sweep and two networks over positions.
fn record() -> AccuracyRecord {
    let mut grid = vec![];
    for (weights, kl) in [("w4", 7e-3), ("w8", 5e-5), ("w16", 1e-7)] {
        for (operands, factor) in [(8, 30.0), (12, 1.3), (16, 1.0)] {
            grid.push(point(setting(weights, operands, 24), kl * factor));
        }
        for (state, more) in [(16, 2e-4), (20, 6e-6), (22, 3e-7), (32, 1e-9)] {
            grid.push(point(setting(weights, 16, state), kl + more));
        }
    }
    let tap = |layer: u32, name: &str, frac, max, relative_error, at_rail| TapRecord {
        layer,
        name: name.into(),
        range: range(27, frac, max),
        at_rail,
        relative_error,
        max_error: 0.1,
    };
    let mut taps = vec![tap(0, "x.emb", 18, 3.0, 1e-5, 0)];
    for layer in 0..2 {
        let e = 1e-3 * f64::from(layer + 1);
        taps.extend([
            tap(layer, "ln1.h", 20, 5.0, e, 0),
            tap(layer, "S", 14, 76.0, 3.0 * e, 3),
            tap(layer, "ffn.x", 18, 9.0, e, 0),
        ]);
    }
    taps.push(tap(2, "logits", 17, 21.0, 4e-3, 0));
    let tensor = |name: &str, bits, frac, max| TensorRecord {
        name: name.into(),
        range: range(bits, frac, max),
        relative_error: 6e-3,
        max_error: 1e-3,
    };
    let run = |setting: Setting, slope: f64| DriftRun {
        setting,
        bins: (4..15)
            .map(|e| PositionBin {
                from: 1 << e,
                to: 2 << e,
                kl: 5e-5,
                kl_se: (e > 4).then_some(2e-6),
                logit_error: 7e-3,
                top1_agreement: 0.99,
                clipped: (e == 14).then_some(5),
            })
            .collect(),
        states: (0..128)
            .map(|i| StateSample { position: 256 * (i + 1), relative_error: 5e-3, by_layer: vec![4e-3, 6e-3] })
            .collect(),
        state_fit: Some(Fit { n_points: 128, mean: 5e-3, slope_per_doubling: slope, slope_se: 0.01 }),
        logit_fit: None,
    };
    AccuracyRecord {
        schema_version: 1,
        model: "goose".into(),
        shape: Shape {
            n_layer: 2,
            n_embd: 64,
            n_head: 2,
            head_size: 32,
            vocab_size: 256,
            dim_ffn: 256,
            n_params: 123_456,
        },
        text: "held-out.txt".into(),
        text_tokens: 20_000,
        calibration: None,
        float: FloatQuality { n_tokens: 8191, bits_per_token: 2.0, bits_per_byte: Some(2.0) },
        default: setting("w8", 16, 24),
        grid,
        taps: TapStudy { n_tokens: 1024, saturations: Saturations { mat: 1, vec: 2, wkv: 3 }, taps },
        tensors: vec![
            tensor("emb.weight", 16, 12, 4.0),
            tensor("blocks.0.att.key.weight", 8, 20, 0.5),
            tensor("blocks.1.att.key.weight", 8, 19, 0.9),
            tensor("head.weight", 8, 18, 1.1),
        ],
        drift: DriftStudy {
            n_tokens: 32_768,
            fit_from: 256,
            runs: vec![run(setting("w8", 16, 24), 0.011), run(setting("w8", 16, 16), 0.3)],
        },
        study_s: 99.0,
        command: "anser report accuracy".into(),
        date: "2026-11-21T00:00:00Z".into(),
        git_revision: Some("1831683".into()),
    }
}

#[test]
fn the_page_says_what_the_record_says() {
    let record = record();
    let page = accuracy_page(&record).unwrap();
    let tags = well_formed(&page);
    assert_eq!((tags["figure"], tags["h1"]), (7, 1));
    assert_eq!(tags["svg"], 14, "every picture has a twin for phones");
    assert!(tags["desc"] == tags["svg"] && tags["table"] >= 7);
    for outside in ["http://", "https://", "url(", "@import", "<script", "<link", "src="] {
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(outside), "{outside}");
    }
    for shown in [
        "goose",
        "held-out.txt",
        "1831683",
        "8,191",
        "knee: 22",
        "+0.002 %",
        "KL 5e-5",
        "w8, operands 16, state 24",
        "read it again",
        "5 results clipped",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.contains("the state does not drift: its error does not change beyond"));
    assert!(page.contains("the state drifts: its error grows, +30.00 % ± 1.00 %"));
    let headings: Vec<&str> = sections(&record).unwrap().iter().map(|s| s.heading).collect();
    assert!(headings.iter().all(|h| page.contains(&format!("<h2>{h}</h2>"))), "{headings:?}");
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    records::output::write(&dir.join("accuracy.html"), &page).unwrap();
}

#[test]
fn the_knee_is_where_nothing_is_gained() {
    let mut record = record();
    assert_eq!(knee(&record).map(|k| k.0), Some(22)); // 20 bits: 5.6e-5, 22 bits: 5.03e-5, 32 bits: 5.0001e-5
    record.grid.iter_mut().filter(|p| p.setting.state_bits == 22).for_each(|p| p.kl *= 2.0);
    assert_eq!(knee(&record).map(|k| k.0), Some(24), "a wider one that is worse again ends the run");
    record.grid.retain(|p| p.setting.state_bits == 24);
    assert_eq!(knee(&record), None);
}

#[test]
fn a_record_survives_a_disk() {
    let record = record();
    let text = serde_json::to_string(&record).unwrap();
    let again = AccuracyRecord::from_json(&text, "here").unwrap();
    // the last bit of a number may change on the way; what is shown may not
    assert!(accuracy_page(&again).unwrap() == accuracy_page(&record).unwrap() && again.grid.len() == record.grid.len());
    let later = text.replacen("\"schema_version\":1", "\"schema_version\":2", 1);
    let error = AccuracyRecord::from_json(&later, "here").unwrap_err();
    assert!(matches!(error, RecordError::Schema { .. }), "{error}");
    assert!(matches!(AccuracyRecord::from_json("{", "here"), Err(RecordError::Parse { .. })));
    assert!(matches!(AccuracyRecord::read("/nowhere/at.json".as_ref()), Err(RecordError::Read { .. })));
    let unknown = text.replacen("\"study_s\"", "\"extra\":1,\"study_s\"", 1);
    assert!(matches!(AccuracyRecord::from_json(&unknown, "here"), Err(RecordError::Parse { .. })));
}

#[test]
fn contradictions_are_refused() {
    type Change = fn(&mut AccuracyRecord);
    let changes: [(&str, Change); 7] = [
        ("default", |r| r.default.state_bits = 25),
        ("float", |r| r.float.n_tokens = 0),
        ("grid: w4, operands 8, state 24", |r| r.grid[0].kl = f64::NAN),
        ("grid: w4, operands 8, state 24: top1_agreement", |r| r.grid[0].top1_agreement = 1.5),
        ("taps: x.emb: layer", |r| r.taps.taps[0].layer = 3),
        ("drift: w8, operands 16, state 24: bins", |r| r.drift.runs[0].bins[0].to = 0),
        ("drift: w8, operands 16, state 24: states", |r| r.drift.runs[0].states[0].by_layer.clear()),
    ];
    for (field, change) in changes {
        let mut bad = record();
        change(&mut bad);
        let error = accuracy_page(&bad).unwrap_err();
        assert!(
            matches!(&error, reports::ReportError::Record(RecordError::Invalid { field: f, .. }) if f == field),
            "{field}: {error}"
        );
    }
}

#[test]
fn sparse_and_hostile_records_still_make_a_page() {
    let nasty = "<x> & \"y\" </svg>";
    let mut bad = record();
    (bad.model, bad.text, bad.command, bad.date) = (nasty.into(), nasty.into(), nasty.into(), nasty.into());
    (bad.calibration, bad.git_revision) = (Some(nasty.into()), Some(nasty.into()));
    bad.taps.taps[1].name = nasty.into();
    bad.tensors[1].name = nasty.into();
    let nasty_weights = setting(nasty, 16, 24);
    bad.grid.push(point(nasty_weights, 0.0));
    let tags = well_formed(&accuracy_page(&bad).unwrap());
    assert!(!tags.contains_key("x"));

    let mut little = record();
    little.grid.retain(|p| p.setting == little.default);
    little.grid[0].kl = 0.0;
    little.taps.taps.clear();
    little.tensors.clear();
    for run in &mut little.drift.runs {
        (run.bins, run.states, run.state_fit) = (vec![], vec![], None);
    }
    let page = accuracy_page(&little).unwrap();
    well_formed(&page);
    assert!(page.contains("too few to tell") && page.contains("no width of the sweep"));
    little.drift.runs.clear();
    well_formed(&accuracy_page(&little).unwrap());
    let zeros = Range {
        min: 0.0,
        max: 0.0,
        p1: 0.0,
        p50: 0.0,
        p99: 0.0,
        p99_9: 0.0,
        headroom_bits: None,
        ..range(27, 20, 1.0)
    };
    let tap = TapRecord { layer: 0, name: "S".into(), range: zeros, at_rail: 0, relative_error: 0.0, max_error: 0.0 };
    little.taps.taps.push(tap);
    well_formed(&accuracy_page(&little).unwrap());
}
