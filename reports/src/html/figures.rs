//! The figures of the latency page.

use super::tables::port_words;
use crate::family::Family;
use crate::page::{bytes, figure, paragraph, percent, thousands, Figure, Html};
use crate::palette::{self, Colour};
use crate::pictures::{bars, stream_utilisation, timeline, Bar, BarPart, BarsText, Timeline};
use crate::spans::{Gap, Interval};
use crate::trust::SIMULATED;
use crate::ReportError;
use records::latency::{LatencyRecord, Unit};
use records::summary::{LatencySummary, Share, ShareKind};

fn family_legend(keep: impl Fn(Family) -> bool) -> Vec<(&'static Colour, &'static str)> {
    Family::ALL.into_iter().filter(|f| keep(*f)).map(|f| (f.colour(), f.label())).collect()
}

pub(crate) fn timelines(record: &LatencyRecord, gaps: &[Gap]) -> Result<Vec<Html>, ReportError> {
    let present = |f: Family| record.ops.iter().any(|op| Family::of(op) == f);
    let mut legend = family_legend(present);
    legend.push((&palette::RED, "mat waits (exposed)"));
    let mat_of = |layer: u32| record.ops.iter().filter(move |op| op.unit == Unit::Mat && op.layer == Some(layer));
    let marks: Vec<(u64, String)> = (0..=record.shape.n_layer)
        .filter_map(|l| Some((mat_of(l).map(|op| op.start_cycle).min()?, record.layer_name(Some(l)))))
        .collect();
    // with many layers the names would run into each other: name every n-th
    let every = marks.len().div_ceil(12).max(1);
    let thinned: Vec<(u64, String)> = marks.iter().step_by(every).cloned().collect();
    let whole = Timeline {
        title: "Timeline of one token",
        description: "Four lanes, dma, mat, vec and wkv, over all cycles of the token; coloured where a unit works. The tables below hold the numbers.",
        record,
        gaps,
        window: (0, record.cycles_per_token),
        marks: &thinned,
        names: false,
    };
    let mut parts = vec![figure(&Figure {
        title: "The whole token",
        reading: "Left to right: cycles from the start of the token to its end. One lane a unit; colour tells the kind of work. \
                  Where lanes are filled one above the other, units work at the same time. Red in the mat lane: nothing to \
                  multiply, the token is waiting. A thin line marks the first matrix of each layer.",
        picture: &timeline(&whole)?,
        legend: &legend,
        trust: SIMULATED,
    })];
    // a layer from the middle: the first one is special and the last one runs into the head
    let middle = record.shape.n_layer / 2;
    if let Some(window) = layer_window(record, middle) {
        let title = format!("One layer: {}", record.layer_name(Some(middle)));
        let zoom = Timeline {
            title: &title,
            description: "The same four lanes for one layer, with the names of the longer operations.",
            window,
            marks: &marks,
            names: true,
            ..whole
        };
        parts.push(figure(&Figure {
            title: &title,
            reading: "The same picture over one layer, long enough to see single operations; the pointer on one shows its name and \
                      cycles. Read downwards: whatever vec or wkv does below a filled mat lane is hidden and costs nothing; what \
                      they do below red is exposed.",
            picture: &timeline(&zoom)?,
            legend: &legend,
            trust: SIMULATED,
        }));
        let of_layer = |g: &&Gap| g.next_mat.is_some_and(|i| record.ops[i].layer == Some(middle));
        if let Some(gap) = gaps.iter().filter(of_layer).max_by_key(|g| g.cycles()) {
            let title = format!("Its longest wait: {} cycles", thousands(gap.cycles()));
            let around = gap.cycles() / 3;
            let closer = Timeline {
                title: &title,
                description:
                    "The same four lanes around the longest stretch of that layer without a matrix instruction.",
                window: (gap.start.saturating_sub(around), (gap.end + around).min(record.cycles_per_token)),
                ..zoom
            };
            parts.push(figure(&Figure {
                title: &title,
                reading: "The chain of work between the last row of one matrix and the first column of the next, one step after the \
                          other. A step made shorter here is gained again in every layer of this shape.",
                picture: &timeline(&closer)?,
                legend: &[],
                trust: SIMULATED,
            }));
        }
    }
    Ok(parts)
}

/// Returns the cycles from the end of what came before to the last matrix instruction of `layer`, if it has one.
fn layer_window(record: &LatencyRecord, layer: u32) -> Option<Interval> {
    let mat = || record.ops.iter().filter(|op| op.unit == Unit::Mat);
    let own = || mat().filter(|op| op.layer == Some(layer) && op.end_cycle > op.start_cycle);
    let start = own().map(|op| op.start_cycle).min()?;
    let end = own().map(|op| op.end_cycle).max()?;
    // a little of both sides: the wait before the first matrix belongs to the layer
    let before = mat().filter(|op| op.end_cycle <= start).map(|op| op.end_cycle).max().unwrap_or(0);
    let margin = (end - start) / 50;
    Some((before.saturating_sub(margin), (end + margin).min(record.cycles_per_token)))
}

fn share_words(share: &Share) -> (String, &'static Colour) {
    match (share.kind, share.family.as_deref().and_then(Family::labelled)) {
        (ShareKind::Mat, Some(f)) => (f.label().to_string(), f.colour()),
        (ShareKind::Exposed, Some(f)) => (format!("exposed: {}", f.label()), &palette::RED),
        _ => ("exposed: nothing ran".to_string(), &palette::RED),
    }
}

pub(crate) fn shares_figure(s: &LatencySummary) -> Result<Html, ReportError> {
    let rows: Vec<Bar> = s
        .shares
        .iter()
        .map(|share| {
            let (label, colour) = share_words(share);
            let value = format!("{} ({})", thousands(share.cycles), percent(share.share));
            let tip = format!("{label}: {value} cycles");
            Bar { label, parts: vec![BarPart { colour, value: share.cycles, tip }], value }
        })
        .collect();
    let words = BarsText {
        title: "Where the cycles go",
        description: "Bars of cycles by kind of work, largest first; they add up to the whole token.",
        axis: "cycles",
    };
    let mut legend =
        family_legend(|f| s.shares.iter().any(|x| x.kind == ShareKind::Mat && x.family.as_deref() == Some(f.label())));
    legend.push((&palette::RED, "exposed: no matrix instruction runs"));
    Ok(figure(&Figure {
        title: "Each cycle counted once",
        reading: "Every cycle of the token belongs to exactly one bar, so the bars add up to cycles per token. Blue: a \
                  matrix instruction of that kind was running. Red: none was; the bar names the vec or wkv work that ran \
                  meanwhile, or says that nothing did (instructions being handed over). Shortening a red bar shortens the token; \
                  hidden vec or wkv work is in no bar at all.",
        picture: &bars(words, &rows)?,
        legend: &legend,
        trust: SIMULATED,
    }))
}

/// Cycles without a beat by cause; nothing if the record does not tell.
pub(super) fn port_figure(s: &LatencySummary) -> Result<Html, ReportError> {
    let Some(beats) = s.port.first() else { return Ok(Html::join([])) };
    let mut lost: Vec<_> = s.port[1..].iter().filter(|x| x.cycles > 0).collect();
    lost.sort_by_key(|x| std::cmp::Reverse(x.cycles));
    let rows: Vec<Bar> = lost
        .iter()
        .map(|x| {
            let label = port_words(&x.cause).to_string();
            let value = format!("{} ({:.2} %)", thousands(x.cycles), x.share * 100.0);
            let tip = format!("{label}: {value} cycles");
            Bar { label, parts: vec![BarPart { colour: &palette::RED, value: x.cycles, tip }], value }
        })
        .collect();
    let words = BarsText {
        title: "Why the bus carried nothing",
        description: "Bars of cycles without a data beat by cause, largest first.",
        axis: "cycles without a beat",
    };
    let total: u64 = lost.iter().map(|x| x.cycles).sum();
    let reading = format!(
        "The chip itself counts what its read port does in every cycle: {} carried data ({}), {} did not, and each of these has \
         exactly one cause. Weights are refused once their fifo is full, so a cause inside the chip shows only if it lasts longer than \
         what is already fetched.",
        thousands(beats.cycles),
        percent(beats.share),
        thousands(total)
    );
    Ok(figure(&Figure {
        title: "Every lost cycle by name",
        reading: &reading,
        picture: &bars(words, &rows)?,
        legend: &[],
        trust: SIMULATED,
    }))
}

pub(super) fn layers_figure(s: &LatencySummary) -> Result<Html, ReportError> {
    let rows: Vec<Bar> = s
        .layers
        .iter()
        .map(|l| {
            let part = |colour, value, what: &str| BarPart {
                colour,
                value,
                tip: format!("{}: {} cycles {what}", l.name, thousands(value)),
            };
            Bar {
                label: l.name.clone(),
                parts: vec![
                    part(&palette::BLUE, l.mat_cycles, "of matrix instructions"),
                    part(&palette::RED, l.exposed_cycles, "exposed"),
                ],
                value: thousands(l.mat_cycles + l.exposed_cycles),
            }
        })
        .collect();
    let words = BarsText {
        title: "Cycles per layer",
        description: "One bar a layer and one for the head: cycles of matrix instructions, then exposed cycles.",
        axis: "cycles",
    };
    Ok(figure(&Figure {
        title: "Cycles per layer",
        reading: "One bar a layer. Blue: a matrix instruction of the layer runs. Red: none runs, and the next one to run is this \
                  layer's. Layers of one shape should look alike; one that does not deserves a look.",
        picture: &bars(words, &rows)?,
        legend: &[(&palette::BLUE, "matrix instructions"), (&palette::RED, "exposed")],
        trust: SIMULATED,
    }))
}

pub(super) fn stream_figure(record: &LatencyRecord, s: &LatencySummary) -> Result<Html, ReportError> {
    let by_ops: u64 = record.ops.iter().filter(|op| op.unit != Unit::Dma).map(|op| op.weight_bytes).sum();
    if by_ops == 0 {
        return Ok(paragraph("The spans of this record say nothing about the bytes each op consumes, so the stream cannot be drawn over time."));
    }
    let mean = by_ops as f64 / (s.cycles_per_token as f64 * f64::from(record.bus_bytes));
    let title = "Use of the bus through the token";
    let description = "Line of the share of bus bytes consumed, in a moving window, over the cycles of the token.";
    let (picture, window) = stream_utilisation(title, description, record, mean)?;
    let reading = format!(
        "The share of bus capacity ({} B a cycle) that mat, vec and wkv consume, averaged over a window of {} cycles; at 100 % every \
         cycle takes a full beat. Each operation's bytes are spread evenly over its span, so short waits inside one are smoothed \
         away. Dips are exposed work or matrices too small to keep the lanes filled. Spans account for {} of {} useful bytes.",
        record.bus_bytes,
        thousands(window),
        bytes(by_ops),
        bytes(s.weight_bytes_per_token)
    );
    Ok(figure(&Figure { title, reading: &reading, picture: &picture, legend: &[], trust: SIMULATED }))
}
