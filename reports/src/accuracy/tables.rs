//! The tables of the accuracy page.

use super::figures::layer_name;
use super::{sweep, weights_name};
use crate::page::{details, percent, table, thousands, Column, Html};
use crate::pictures::scientific;
use crate::trust::{CALCULATED, SIMULATED};
use records::accuracy::{AccuracyRecord, GridPoint, Range};

fn grid_row(p: &GridPoint) -> Vec<String> {
    vec![
        weights_name(&p.setting.weights),
        p.setting.operand_bits.to_string(),
        p.setting.state_bits.to_string(),
        p.bits_per_byte.map_or("–".into(), |b| format!("{b:.5}")),
        format!("{:+.4} % ± {:.4}", p.loss_percent, p.loss_percent_se),
        format!("{} ± {}", scientific(p.kl), scientific(p.kl_se)),
        format!("{:.2} %", p.top1_agreement * 100.0),
        scientific(p.logit_error),
        thousands(p.saturations.mat + p.saturations.vec + p.saturations.wkv),
    ]
}

const GRID: [(&str, &str); 9] = [
    ("weights", ""),
    ("operands", "bits"),
    ("state", "bits"),
    ("bits/byte", ""),
    ("loss", "of bits"),
    ("KL", "nats"),
    ("top-1", ""),
    ("logits' error", ""),
    ("clipped", ""),
];

fn grid_table(caption: &str, points: &[&GridPoint]) -> Html {
    let columns: Vec<Column> = GRID
        .iter()
        .enumerate()
        .map(|(i, (name, unit))| if i == 0 { Column::text(name) } else { Column::number(name, unit) })
        .collect();
    table(caption, SIMULATED, &columns, &points.iter().map(|p| grid_row(p)).collect::<Vec<_>>())
}

pub(super) fn grid(record: &AccuracyRecord) -> Html {
    let float = match record.float.bits_per_byte {
        Some(b) => format!("{b:.5} bits/byte"),
        None => format!("{:.5} bits a token", record.float.bits_per_token),
    };
    let caption = format!(
        "Over {} predictions; floating point needs {float}. ± is one standard error. Loss is bits more than floating point needs, token by \
         token, so noise of the text cancels.",
        thousands(record.float.n_tokens)
    );
    let of_default = |p: &&GridPoint| p.setting.state_bits == record.default.state_bits;
    let points: Vec<&GridPoint> = record.grid.iter().filter(of_default).collect();
    details("The numbers", grid_table(&caption, &points))
}

pub(super) fn states(record: &AccuracyRecord) -> Html {
    let mut points: Vec<&GridPoint> = vec![];
    for p in &record.grid {
        let line = sweep(record, &p.setting);
        if line.len() > 1 && !points.iter().any(|q| std::ptr::eq(*q, line[0])) {
            points.extend(line);
        }
    }
    details("The numbers", grid_table("The same measures over the width of the state.", &points))
}

fn range_cells(r: &Range) -> Vec<String> {
    vec![
        format!("{}.{}", r.bits as i32 - r.frac_bits, r.frac_bits),
        scientific(r.limit),
        scientific(r.min),
        scientific(r.max),
        scientific(r.p1),
        scientific(r.p50),
        scientific(r.p99),
        scientific(r.p99_9),
        percent(r.zeros),
        r.headroom_bits.map_or("–".into(), |b| format!("{b:.1}")),
    ]
}

const RANGE: [&str; 10] = ["Q format", "limit", "min", "max", "1 %", "50 %", "99 %", "99.9 %", "zeros", "headroom"];

fn range_columns<'a>(first: &[Column<'a>], last: &[Column<'a>]) -> Vec<Column<'a>> {
    let unit = |name: &str| if name == "headroom" { "bits" } else { "" };
    let middle = RANGE.iter().map(|name| Column::number(name, unit(name)));
    first.iter().copied().chain(middle).chain(last.iter().copied()).collect()
}

pub(super) fn taps(record: &AccuracyRecord) -> Html {
    let row = |t: &records::accuracy::TapRecord| {
        let clipped = if t.at_rail == 0 { "0".into() } else { scientific(t.at_rail as f64 / t.range.n_values as f64) };
        [vec![t.name.clone(), layer_name(record, t.layer)], range_cells(&t.range), vec![clipped]].concat()
    };
    let rows: Vec<Vec<String>> = record.taps.taps.iter().map(row).collect();
    let s = &record.taps.saturations;
    let caption = format!(
        "Floating-point values of {} tokens against the formats of {}. Q a.b: a bits before the point with the sign, b after it. \
         Percentiles are of magnitudes, zeros included. Headroom: limit over the largest magnitude. Clipped: share of the integer values at an end of the \
         format. The counters over these tokens: mat {}, vec {}, wkv {}.",
        thousands(record.taps.n_tokens),
        record.default.name(),
        thousands(s.mat),
        thousands(s.vec),
        thousands(s.wkv)
    );
    let columns = range_columns(&[Column::text("value"), Column::text("layer")], &[Column::number("clipped", "")]);
    details(&format!("All {} activations", rows.len()), table(&caption, SIMULATED, &columns, &rows))
}

pub(super) fn tensors(record: &AccuracyRecord) -> Html {
    let row = |t: &records::accuracy::TensorRecord| {
        let errors = vec![scientific(t.relative_error), scientific(t.max_error)];
        [vec![t.name.clone(), t.range.bits.to_string()], range_cells(&t.range), errors].concat()
    };
    let rows: Vec<Vec<String>> = record.tensors.iter().map(row).collect();
    let caption = "Weights of the checkpoint and what rounding did to them. The Q format of a matrix is that of its scales with e = 0; the limit is \
                   that of the row with the largest scale. Error: RMS of the rounding over RMS of the tensor, and the largest one.";
    let first = [Column::text("tensor"), Column::number("bits", "")];
    let columns = range_columns(&first, &[Column::number("error", ""), Column::number("largest", "")]);
    details(&format!("All {} tensors", rows.len()), table(caption, CALCULATED, &columns, &rows))
}

pub(super) fn errors(record: &AccuracyRecord) -> Html {
    let n_layer = record.shape.n_layer;
    let mut names: Vec<&str> = vec![];
    for t in record.taps.taps.iter().filter(|t| t.layer < n_layer) {
        if !names.contains(&t.name.as_str()) {
            names.push(&t.name);
        }
    }
    let cell = |name: &str, layer: u32| {
        let tap = record.taps.taps.iter().find(|t| t.name == name && t.layer == layer);
        tap.map_or("–".to_string(), |t| scientific(t.relative_error))
    };
    let row = |name: &&str| {
        std::iter::once((*name).to_string()).chain((0..n_layer).map(|l| cell(name, l))).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = names.iter().map(row).collect();
    for t in record.taps.taps.iter().filter(|t| t.layer == n_layer) {
        let mut row = vec![format!("{} (head)", t.name)];
        row.resize(n_layer as usize, "–".into());
        row.push(scientific(t.relative_error));
        rows.push(row);
    }
    let layers: Vec<String> = (0..n_layer).map(|l| format!("layer {l}")).collect();
    let columns: Vec<Column> =
        std::iter::once(Column::text("value")).chain(layers.iter().map(|l| Column::number(l, ""))).collect();
    let caption = format!(
        "RMS of integer less floating point over RMS of floating point, {} tokens, {}, in the order in which the step computes the values. The head's \
         are in the last column.",
        thousands(record.taps.n_tokens),
        record.default.name()
    );
    details("All values, layer by layer", table(&caption, SIMULATED, &columns, &rows))
}
