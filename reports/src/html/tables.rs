//! The tables of the latency page.

use crate::page::{details, paragraph, percent, table, thousands, Column, Html};
use crate::trust::SIMULATED;
use records::latency::{Unit, PORT_CYCLES, STALLS};
use records::summary::LatencySummary;

pub(super) fn stalls_table(s: &LatencySummary) -> Html {
    let words = |cause: &str| meaning(&STALLS, cause);
    let rows: Vec<Vec<String>> =
        s.stalls.iter().map(|x| vec![words(&x.cause).to_string(), thousands(x.cycles), percent(x.share)]).collect();
    table(
        "The chip's own counters for this token. Unlike the bars they may overlap, and waits inside a matrix instruction are \
         counted here only.",
        SIMULATED,
        &[Column::text("counter"), Column::number("cycles", ""), Column::number("of the token", "")],
        &rows,
    )
}

pub(super) fn port_words(cause: &str) -> &'static str {
    meaning(&PORT_CYCLES, cause)
}

/// What a counter counts, as its table says it.
fn meaning(table: &'static [(&'static str, &'static str)], name: &str) -> &'static str {
    table.iter().find(|(n, _)| *n == name).map_or("", |(_, doc)| doc)
}

pub(super) fn ops_table(s: &LatencySummary) -> Html {
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
        details(&format!("All {} operations by name", rows.len()), table(caption, SIMULATED, &columns, &rows)),
    ])
}

pub(super) fn layers_table(s: &LatencySummary) -> Html {
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
        table("Mat and exposed add up to the token; vec and wkv overlap with them.", SIMULATED, &columns, &rows),
    )
}

pub(super) fn units_table(s: &LatencySummary) -> Html {
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
    table("How long each unit has an instruction in hand. It may wait inside one.", SIMULATED, &columns, &rows)
}
