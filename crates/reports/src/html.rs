//! The latency page: one record as text, pictures and tables for someone who sees this accelerator for the first time.

use crate::family::Family;
use crate::page::{
    big_numbers, bytes, code_block, definitions, details, figure, paragraph, percent, table, thousands, BigNumber,
    Column, Figure, Html, Page,
};
use crate::palette::{self, Colour};
use crate::pictures::{bars, stream_utilisation, timeline, Bar, BarPart, BarsText, Timeline};
use crate::record::{LatencyRecord, Unit};
use crate::spans::{self, Gap, Interval};
use crate::summary::{LatencySummary, Share, ShareKind};
use crate::ReportError;

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// A record that fails [`LatencyRecord::check`], or a picture that cannot be drawn.
pub fn latency_page(record: &LatencyRecord) -> Result<String, ReportError> {
    let s = record.summary()?;
    let gaps = spans::mat_gaps(record);
    let revision = record.git_revision.as_ref().map_or(String::new(), |r| format!(" · revision {r}"));
    let mut page = Page::new(
        "Latency of one token",
        &[format!("{} on configuration {}", record.model, record.config), format!("{}{revision}", record.date)],
    );
    page.add(code_block(&record.command));
    page.add(big_numbers(&headline(record, &s)));
    page.section("In plain words", plain_words(record, &s));
    page.section("One token in time", timelines(record, &gaps)?);
    page.section("Where the cycles go", [shares_figure(&s)?, stalls_table(&s), ops_table(&s)]);
    page.section("Layer by layer", [layers_figure(&s)?, layers_table(&s)]);
    page.section("The weight stream", [stream_figure(record, &s)?, units_table(&s)]);
    page.section("How far to trust these numbers", trust(record, &s));
    page.section("What was run", [facts(record, &s), all_tokens(record)]);
    Ok(page.render())
}

fn headline(record: &LatencyRecord, s: &LatencySummary) -> Vec<BigNumber> {
    let number = |value, unit: &str, note| BigNumber { value, unit: unit.into(), note, alarm: false };
    let tokens = match (s.tokens_measured, s.cycles_min == s.cycles_max) {
        (1, _) => "one token measured".to_string(),
        (n, true) => format!("the same for each of {} tokens", thousands(n)),
        (n, false) => {
            format!("{} to {} over {} tokens", thousands(s.cycles_min), thousands(s.cycles_max), thousands(n))
        }
    };
    let mut numbers = vec![
        number(thousands(s.cycles_per_token), "cycles/token", tokens),
        number(
            rate(s.tokens_per_s),
            "tokens/s",
            format!(
                "{} µs a token, if the clock runs at {} MHz",
                thousands(s.us_per_token.round() as u64),
                s.clock_mhz
            ),
        ),
        number(
            percent(s.utilisation),
            "bus utilisation",
            format!("useful bytes over {} B × {} cycles", record.bus_bytes, thousands(s.cycles_per_token)),
        ),
    ];
    numbers.push(match (s.mismatches, s.values_checked) {
        (Some(mismatches), Some(checked)) => BigNumber {
            alarm: mismatches > 0,
            ..number(
                thousands(mismatches),
                "mismatches",
                format!("in {} values compared with the golden model", thousands(checked)),
            )
        },
        _ => number("–".into(), "mismatches", "this run compared no values".into()),
    });
    numbers
}

fn plain_words(record: &LatencyRecord, s: &LatencySummary) -> Vec<Html> {
    let c = &record.shape;
    let slower = match record.memory.bytes_per_cycle {
        b if b < f64::from(record.bus_bytes) => {
            format!(" Part of it is the memory's: the simulated one brings at most {b} bytes a cycle, less than the bus could take.")
        }
        _ => String::new(),
    };
    vec![
        paragraph(&format!(
            "A token is one pass through the network: a token id goes in, the next one comes out. {} has {} layers of width {} \
             and {} parameters. To make one token the chip reads every weight once, {} of useful bytes, so time is \
             won or lost by keeping that stream of weights moving.",
            record.model,
            c.n_layer,
            c.n_embd,
            thousands(c.n_params),
            bytes(s.weight_bytes_per_token)
        )),
        paragraph(&format!(
            "A cycle is one tick of the chip's clock. In one cycle the bus brings at most {} bytes of weights. Even a perfect \
             chip would need {} cycles to read this model ({} with padding); this one took {}. The difference of {} cycles \
             is what this page explains.{slower}",
            record.bus_bytes,
            thousands(s.floor_cycles),
            bytes(s.stream_bytes_per_token),
            thousands(s.cycles_per_token),
            thousands(s.cycles_per_token.saturating_sub(s.floor_cycles))
        )),
        definitions(&[
            ("dma", "Reads weights and parameters from memory, in the order they are used.".into()),
            ("mat", "Multiplies matrices by vectors. It consumes the weight stream; when it stops, time is lost.".into()),
            ("vec", "Everything element by element: norms, token shift, tables for sigmoid, tanh and decay, scaling of operands.".into()),
            ("wkv", "The recurrence: reads and updates the state of each head, once a token.".into()),
            (
                "exposed",
                "Cycles in which no matrix instruction runs because the next one waits for a result of vec or wkv. Work that \
                 overlaps with a running matrix costs nothing; exposed work costs every one of its cycles."
                    .into(),
            ),
        ]),
    ]
}

fn family_legend(keep: impl Fn(Family) -> bool) -> Vec<(&'static Colour, &'static str)> {
    Family::ALL.into_iter().filter(|f| keep(*f)).map(|f| (f.colour(), f.label())).collect()
}

fn timelines(record: &LatencyRecord, gaps: &[Gap]) -> Result<Vec<Html>, ReportError> {
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
            }));
        }
    }
    Ok(parts)
}

/// From the end of what came before to the last matrix instruction of `layer`; none if it has none.
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
    match (share.kind, share.of) {
        (ShareKind::Mat, Some(f)) => (f.label().to_string(), f.colour()),
        (ShareKind::Exposed, Some(f)) => (format!("exposed: {}", f.label()), &palette::RED),
        _ => ("exposed: hand-over".to_string(), &palette::RED),
    }
}

fn shares_figure(s: &LatencySummary) -> Result<Html, ReportError> {
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
    let mut legend = family_legend(|f| s.shares.iter().any(|x| x.kind == ShareKind::Mat && x.of == Some(f)));
    legend.push((&palette::RED, "exposed: no matrix instruction runs"));
    Ok(figure(&Figure {
        title: "Each cycle counted once",
        reading: "Every cycle of the token belongs to exactly one bar, so the bars add up to cycles per token. Blue and green: a \
                  matrix instruction of that kind was running. Red: none was; the bar names the vec or wkv work that ran \
                  meanwhile, or the hand-over between instructions if nothing did. Shortening a red bar shortens the token; \
                  hidden vec or wkv work is in no bar at all.",
        picture: &bars(words, &rows)?,
        legend: &legend,
    }))
}

fn stalls_table(s: &LatencySummary) -> Html {
    let words = |cause: &str| match cause {
        "mat_waits_for_operand" => "mat waits for vec to write its operand",
        "mat_waits_for_weights" => "mat waits for weights from memory",
        "mat_waits_for_drain" => "mat waits for the drain of its previous tile",
        "vec_busy" => "vec works",
        "wkv_busy" => "wkv works",
        "memory_idle" => "no read request is outstanding",
        _ => "memory offers data, a fifo is full",
    };
    let rows: Vec<Vec<String>> =
        s.stalls.iter().map(|x| vec![words(x.cause).to_string(), thousands(x.cycles), percent(x.share)]).collect();
    table(
        "The chip's own counters for this token. Unlike the bars they may overlap, and waits inside a matrix instruction are \
         counted here only.",
        &[Column::text("counter"), Column::number("cycles", ""), Column::number("of the token", "")],
        &rows,
    )
}

fn ops_table(s: &LatencySummary) -> Html {
    let rows: Vec<Vec<String>> = s
        .ops
        .iter()
        .filter(|op| op.unit != Unit::Dma)
        .map(|op| {
            vec![
                op.name.clone(),
                op.unit.name().to_string(),
                op.n_ops.to_string(),
                thousands(op.busy_cycles),
                thousands(op.exposed_cycles),
                thousands(op.ran_exposed_cycles),
                thousands(op.weight_bytes),
            ]
        })
        .collect();
    let columns = [
        Column::text("op"),
        Column::text("unit"),
        Column::number("count", ""),
        Column::number("busy", "cycles"),
        Column::number("waited for", "cycles"),
        Column::number("ran exposed", "cycles"),
        Column::number("weights", "B"),
    ];
    let caption = "All operations, summed over layers. Busy: cycles in which at least one of them runs. Waited for: whole gaps of \
                   the mat unit that ended with this op, the last vec or wkv op to finish before the next matrix instruction \
                   starts. Ran exposed: cycles of such gaps in which this op itself ran (where two ran, the one that started first).";
    let most = s.ops.iter().find(|op| op.exposed_cycles > 0).map_or(String::new(), |op| {
        format!(" The matrix unit waited longest for {}: {} cycles.", op.name, thousands(op.exposed_cycles))
    });
    let sum = format!(
        "No matrix instruction runs in {} of {} cycles ({}); in {} of these nothing was awaited, an instruction was being handed over.{most}",
        thousands(s.exposed_cycles),
        thousands(s.cycles_per_token),
        percent(s.exposed_cycles as f64 / s.cycles_per_token as f64),
        thousands(s.hand_over_cycles)
    );
    Html::join([
        paragraph(&sum),
        details(&format!("All {} operations by name", rows.len()), table(caption, &columns, &rows)),
    ])
}

fn layers_figure(s: &LatencySummary) -> Result<Html, ReportError> {
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
    }))
}

fn layers_table(s: &LatencySummary) -> Html {
    let rows: Vec<Vec<String>> = s
        .layers
        .iter()
        .map(|l| {
            let numbers =
                [l.mat_cycles, l.exposed_cycles, l.mat_cycles + l.exposed_cycles, l.vec_busy_cycles, l.wkv_busy_cycles];
            std::iter::once(l.name.clone()).chain(numbers.map(thousands)).collect()
        })
        .collect();
    let columns = [
        Column::text("layer"),
        Column::number("mat", "cycles"),
        Column::number("exposed", "cycles"),
        Column::number("sum", "cycles"),
        Column::number("vec busy", "cycles"),
        Column::number("wkv busy", "cycles"),
    ];
    details(
        "The numbers",
        table("Mat and exposed add up to the token; vec and wkv overlap with them.", &columns, &rows),
    )
}

fn stream_figure(record: &LatencyRecord, s: &LatencySummary) -> Result<Html, ReportError> {
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
    Ok(figure(&Figure { title, reading: &reading, picture: &picture, legend: &[] }))
}

fn units_table(s: &LatencySummary) -> Html {
    let rows: Vec<Vec<String>> = s
        .units
        .iter()
        .map(|u| vec![u.unit.name().to_string(), u.n_ops.to_string(), thousands(u.busy_cycles), percent(u.busy_share)])
        .collect();
    let columns = [
        Column::text("unit"),
        Column::number("instructions", ""),
        Column::number("busy", "cycles"),
        Column::number("of the token", ""),
    ];
    table("How long each unit has an instruction in hand. It may wait inside one.", &columns, &rows)
}

fn trust(record: &LatencyRecord, s: &LatencySummary) -> Vec<Html> {
    let m = &record.memory;
    let refresh = match m.refresh_cycles {
        0 => "and never pauses".to_string(),
        n => format!("and pauses {n} cycles every {} (refresh)", thousands(u64::from(m.refresh_interval_cycles))),
    };
    let checked = match (s.mismatches, s.values_checked) {
        (Some(0), Some(n)) => format!(
            "In this run {} values that the RTL computed were compared with the golden model, bit by bit, and all were equal: the \
             cycles counted here are cycles of a chip that computes the right thing.",
            thousands(n)
        ),
        (Some(bad), Some(n)) => format!(
            "In this run {} of {} values differed from the golden model: this chip does not compute the right thing, and its cycles mean little until it does.",
            thousands(bad),
            thousands(n)
        ),
        _ => "This run did not compare values with the golden model; that is the job of the lock-step co-simulation.".to_string(),
    };
    vec![
        definitions(&[
            (
                "Exact",
                "Cycle counts. The generated RTL itself was simulated, clock edge by clock edge; nothing is estimated or extrapolated. \
                 The same command gives the same numbers."
                    .into(),
            ),
            (
                "A model",
                format!(
                    "The memory. It delivers the first beat {} cycles after it accepts a read address, then at most {} bytes a cycle, {refresh}. \
                     Real DRAM varies with page hits, refresh and other traffic; a slower memory costs cycles, never correctness.",
                    m.latency_cycles, m.bytes_per_cycle
                ),
            ),
            (
                "An assumption",
                format!(
                    "The clock of {} MHz. It comes from the configuration and turns cycles into seconds; only timing analysis of a \
                     placed design can confirm it. Tokens a second leave out the host.",
                    s.clock_mhz
                ),
            ),
            (
                "Derived",
                "Exposed cycles. They follow from when instructions start and end, by the rules given with each table, not from a \
                 counter on the chip."
                    .into(),
            ),
        ]),
        paragraph(&checked),
    ]
}

fn facts(record: &LatencyRecord, s: &LatencySummary) -> Html {
    let c = &record.shape;
    let sat = &record.saturations;
    definitions(&[
        (
            "Model",
            format!(
                "{}: {} layers, width {}, {} heads of {}, channel mix {}, vocabulary {}, {} parameters",
                record.model,
                c.n_layer,
                c.n_embd,
                c.n_head,
                c.head_size,
                c.dim_ffn,
                thousands(u64::from(c.vocab_size)),
                thousands(c.n_params)
            ),
        ),
        ("Configuration", format!("{}: {} B a cycle, {} MHz", record.config, record.bus_bytes, s.clock_mhz)),
        (
            "Bytes a token",
            format!(
                "{} useful, {} with padding",
                thousands(s.weight_bytes_per_token),
                thousands(s.stream_bytes_per_token)
            ),
        ),
        ("Bandwidth used", format!("{:.2} GB/s of useful bytes at {} MHz", s.useful_gbytes_per_s, s.clock_mhz)),
        ("Utilisation", format!("{} useful, {} with padding", percent(s.utilisation), percent(s.stream_utilisation))),
        (
            "Clipped results",
            format!(
                "mat {}, vec {}, wkv {} (saturated as the golden model specifies)",
                thousands(sat.mat),
                thousands(sat.vec),
                thousands(sat.wkv)
            ),
        ),
        ("Command", record.command.clone()),
        ("Made", record.date.clone()),
        ("Revision", record.git_revision.clone().unwrap_or_else(|| "not recorded".into())),
    ])
}

fn all_tokens(record: &LatencyRecord) -> Html {
    let rows: Vec<Vec<String>> =
        record.cycles_all_tokens.iter().enumerate().map(|(i, c)| vec![(i + 1).to_string(), thousands(*c)]).collect();
    let columns = [Column::number("token", ""), Column::number("cycles", "")];
    details("Cycles of each measured token", table("In the order they were simulated.", &columns, &rows))
}

/// A rate with as many digits as it deserves.
fn rate(per_s: f64) -> String {
    if per_s >= 100.0 {
        thousands(per_s.round() as u64)
    } else {
        format!("{per_s:.2}")
    }
}
