//! The pictures of the accuracy page but those over positions.

use super::{grid_words, knee, sweep, weights, weights_name};
use crate::page::{figure, Figure, Html};
use crate::palette::{self, Colour, SERIES};
use crate::pictures::{
    heatmap, lines, ranges, scientific, Cell, Heatmap, LinePoint, Lines, RangeBox, RangeRow, RangesText, Series,
};
use crate::trust::{CALCULATED, SIMULATED};
use crate::ReportError;
use records::accuracy::{AccuracyRecord, Range, Setting};

/// KL divergences at and below this many nats are as pale as a cell gets.
const NO_KL: f64 = 1e-6;

pub(crate) fn widths(record: &AccuracyRecord) -> Result<Html, ReportError> {
    let of_grid = |weights: &str, bits: u32| {
        let state_bits = record.default.state_bits;
        record.point(&Setting { weights: weights.into(), operand_bits: bits, state_bits })
    };
    let mut bits: Vec<u32> = record.grid.iter().map(|p| p.setting.operand_bits).collect();
    bits.sort_unstable();
    bits.dedup();
    let worst = record.grid.iter().map(|p| p.kl).fold(10.0 * NO_KL, f64::max);
    let shade = |kl: f64| (kl.max(NO_KL) / NO_KL).log10() / (worst / NO_KL).log10();
    let names = weights(record);
    let cell = |weights: &str, bits: u32| {
        of_grid(weights, bits).map(|p| Cell {
            shade: shade(p.kl),
            lines: [
                format!("KL {}", scientific(p.kl)),
                format!("{:+.3} %", p.loss_percent),
                format!("± {:.3} %", p.loss_percent_se),
            ],
            tip: grid_words(p),
            framed: p.setting == record.default,
        })
    };
    let map = Heatmap {
        title: "KL divergence and loss by bits of weights and operands",
        description: "One row a width of weights, one column a width of operands; each cell has the KL divergence, and the loss in bits with its standard error.",
        x_axis: "bits of a matrix operand",
        columns: bits.iter().map(u32::to_string).collect(),
        rows: names.iter().map(|w| weights_name(w)).collect(),
        cells: names.iter().map(|w| bits.iter().map(|b| cell(w, *b)).collect()).collect(),
    };
    let reading = format!(
        "Down: bits of a weight. Across: bits of the vectors that meet the weights. In a cell: the KL divergence from floating point in \
         nats a token, which also is the colour; below it the bits of text more than floating point needs, and their standard error. \
         Darker is worse, on a logarithmic scale; at {} nats and below a cell is blank. The framed cell is the default. State {} bits, \
         {} predictions. A loss below twice its error, below zero too, is noise of this text; the KL divergence is the finer measure.",
        scientific(NO_KL),
        record.default.state_bits, record.float.n_tokens
    );
    Ok(figure(&Figure { title: map.title, reading: &reading, picture: &heatmap(&map)?, legend: &[], trust: SIMULATED }))
}

pub(crate) fn state_sweep(record: &AccuracyRecord) -> Result<Html, ReportError> {
    let mut settings: Vec<Setting> = vec![];
    for p in &record.grid {
        let of = Setting { state_bits: record.default.state_bits, ..p.setting.clone() };
        if !settings.contains(&of) && sweep(record, &of).len() > 2 {
            settings.push(of);
        }
    }
    let series: Vec<Series> = settings
        .iter()
        .map(|of| Series {
            colour: palette::weights(&of.weights),
            points: sweep(record, of)
                .into_iter()
                .map(|p| LinePoint { x: f64::from(p.setting.state_bits), y: p.kl, error: p.kl_se, tip: grid_words(p) })
                .collect(),
        })
        .collect();
    let names: Vec<String> =
        settings.iter().map(|s| format!("weights {}, operands {}", weights_name(&s.weights), s.operand_bits)).collect();
    let legend: Vec<(&'static Colour, &str)> =
        series.iter().map(|s| s.colour).zip(names.iter().map(String::as_str)).collect();
    let mut bits: Vec<u32> = record.grid.iter().map(|p| p.setting.state_bits).collect();
    bits.sort_unstable();
    bits.dedup();
    let knee = knee(record);
    let picture = lines(&Lines {
        title: "KL divergence by bits of the state",
        description: "One line a combination of weights and operands over the width of the recurrence's state.",
        x_axis: "bits of one element of the state",
        y_axis: "KL divergence from floating point, nats a token",
        x_ticks: bits.iter().map(|b| (f64::from(*b), b.to_string())).collect(),
        series: series.clone(),
        mark: knee.map(|(bits, _)| (f64::from(bits), format!("knee: {bits}"))),
    })?;
    let at = knee.map_or("No width has a KL divergence that no wider one improves.".to_string(), |(bits, _)| {
        format!(
            "The knee is the narrowest state from which on the default's KL divergence stays within 10 % of that of the widest: {bits} bits."
        )
    });
    let reading = format!(
        "Left of the knee the state's rounding dominates and every bit less costs; right of it weights and operands do, and a \
         wider state buys nothing. Better weights move the knee to the right. {at} Bars are one standard error."
    );
    Ok(figure(&Figure {
        title: "Quality by bits of the state",
        reading: &reading,
        picture: &picture,
        legend: &legend,
        trust: SIMULATED,
    }))
}

/// Taps worth a place in a picture; all are in the table.
const SHOWN: [&str; 17] = [
    "x.emb", "att.x", "ffn.x", "ln1.h", "att.k", "att.r", "att.v0", "att.g", "att.km", "att.sa", "S", "att.y",
    "att.yb", "att.yg", "ffn.k", "ffn.r2", "logits",
];

fn range_box(of: &str, r: &Range, step: f64, alarm: bool) -> RangeBox {
    let headroom = r.headroom_bits.map_or("all zero".to_string(), |b| format!("{b:.1} bits of headroom"));
    RangeBox {
        step,
        limit: r.limit,
        p1: r.p1,
        p50: r.p50,
        p99: r.p99,
        max: r.max_abs(),
        alarm,
        tip: format!(
            "{of}: magnitudes 1 % {}, 50 % {}, 99 % {}, largest {}; {} bits, {} of them fraction, up to {}; {headroom}",
            scientific(r.p1),
            scientific(r.p50),
            scientific(r.p99),
            scientific(r.max_abs()),
            r.bits,
            r.frac_bits,
            scientific(r.limit)
        ),
    }
}

const RANGE_LEGEND: [(&Colour, &str); 5] = [
    (palette::FREE, "what the format holds"),
    (&palette::CYAN, "1 % to largest"),
    (&palette::TEAL, "50 % to 99 %"),
    (&palette::INK, "largest"),
    (&palette::ORANGE, "largest, and values were clipped"),
];

pub(super) fn tap_ranges(record: &AccuracyRecord) -> Result<Html, ReportError> {
    let row = |name: &&str| {
        let of = record.taps.taps.iter().filter(|t| t.name == **name);
        let boxes: Vec<RangeBox> = of
            .map(|t| {
                range_box(
                    &format!("{} of {}", t.name, layer_name(record, t.layer)),
                    &t.range,
                    2f64.powi(-t.range.frac_bits),
                    t.at_rail > 0,
                )
            })
            .collect();
        RangeRow { label: (*name).to_string(), boxes }
    };
    let rows: Vec<RangeRow> = SHOWN.iter().map(row).filter(|r| !r.boxes.is_empty()).collect();
    let words = RangesText {
        title: "Activations against their formats",
        description: "One bar a layer for each of the main values of the step; where the values lie inside what the format can hold.",
    };
    let reading = format!(
        "Every bar is one layer, the first on top. Grey reaches from the smallest step of the format to its largest number; teal is \
         where the values of {} tokens lie in it. Room to the right is headroom for values not seen here; grey left of teal is \
         precision below the smallest values. Teal that reaches the left end of the grey is zero or rounded to it, as relu² often is.",
        record.taps.n_tokens
    );
    Ok(figure(&Figure {
        title: words.title,
        reading: &reading,
        picture: &ranges(words, &rows)?,
        legend: &RANGE_LEGEND,
        trust: SIMULATED,
    }))
}

pub(super) fn tensor_ranges(record: &AccuracyRecord) -> Result<Html, ReportError> {
    let mut rows: Vec<RangeRow> = vec![];
    for t in &record.tensors {
        let layer = t.name.strip_prefix("blocks.").and_then(|n| n.split_once('.'));
        let leaf = layer.map_or(t.name.as_str(), |l| l.1);
        let steps = f64::from((1u32 << (t.range.bits - 1)) - 1);
        let shown = range_box(&t.name, &t.range, t.range.limit / steps, false);
        match rows.iter_mut().find(|r| r.label == leaf) {
            Some(row) => row.boxes.push(shown),
            None => rows.push(RangeRow { label: leaf.to_string(), boxes: vec![shown] }),
        }
    }
    let words = RangesText {
        title: "Weights against their formats",
        description: "One bar a layer for each tensor; where the weights lie inside what the format can hold.",
    };
    let reading = "The same for weights. The grey of a matrix is that of its row with the largest scale; rows with smaller weights have a \
                   scale of their own, so their grey lies further left, down to 2^-15 of it.";
    let legend = &RANGE_LEGEND[..4];
    Ok(figure(&Figure { title: words.title, reading, picture: &ranges(words, &rows)?, legend, trust: CALCULATED }))
}

/// Taps whose errors are drawn layer by layer.
const ERRORS: [&str; 7] = ["ln1.h", "att.k", "att.r", "S", "att.y", "ffn.r2", "ffn.x"];

pub(super) fn layer_errors(record: &AccuracyRecord) -> Result<Html, ReportError> {
    let n_layer = record.shape.n_layer;
    let series: Vec<Series> = ERRORS
        .iter()
        .zip(SERIES)
        .map(|(name, colour)| Series {
            colour,
            points: record
                .taps
                .taps
                .iter()
                .filter(|t| t.name == *name)
                .map(|t| LinePoint {
                    x: f64::from(t.layer),
                    y: t.relative_error,
                    error: 0.0,
                    tip: format!(
                        "{} of {}: relative error {}",
                        t.name,
                        layer_name(record, t.layer),
                        scientific(t.relative_error)
                    ),
                })
                .collect(),
        })
        .collect();
    let picture = lines(&Lines {
        title: "Error by layer",
        description: "One line a value of the step over the layers: how far the integers are from floating point.",
        x_axis: "layer",
        y_axis: "RMS error over RMS of the value",
        x_ticks: (0..n_layer).map(|l| (f64::from(l), l.to_string())).collect(),
        series,
        mark: None,
    })?;
    let legend: Vec<(&'static Colour, &str)> = SERIES.into_iter().zip(ERRORS).collect();
    let reading = "How far each value is from its floating-point twin when both networks run by themselves: errors of earlier layers and tokens \
                   are in it. A line that rises from one layer to the next loses precision there. One decade is 3.3 bits.";
    Ok(figure(&Figure { title: "Error by layer", reading, picture: &picture, legend: &legend, trust: SIMULATED }))
}

pub(super) fn layer_name(record: &AccuracyRecord, layer: u32) -> String {
    if layer >= record.shape.n_layer {
        "the head".into()
    } else {
        format!("layer {layer}")
    }
}
