//! This chip beside published ones: their numbers as they published them.

use super::published::{Published, PUBLISHED};
use super::Records;
use crate::page::{figure, joules, link, paragraph, percent, table_of, Column, Figure, Html};
use crate::palette;
use crate::pictures::{sizes, SizeDot, SizesText};
use crate::summary::summary;
use crate::trust::{Trust, AT_ASSUMED_CLOCK};
use crate::ReportError;

/// Picture and table.
pub(super) fn parts(records: &Records) -> Result<Vec<Html>, ReportError> {
    Ok(vec![picture(records)?, table(records), paragraph(WORDS)])
}

const WORDS: &str = "Networks, number formats and processes differ, so no row is better than another because one number in it is. What can be \
    compared: the share of the memory's bandwidth that reaches the multipliers, and the parameters read a second. Joules a token of published \
    designs are quotients of two of their numbers. Cells with a dash: the source we could read does not say. Parameters of TeLLMe's network \
    and everything of HFRWKV but ratios are missing for that reason.";

/// What this chip's row rests on.
const THIS_CHIP: &[Trust] = &[Trust::Simulated, Trust::Mapped, Trust::Assumed];

/// Tokens a second over parameters.
fn picture(records: &Records) -> Result<Html, ReportError> {
    let mut dots: Vec<SizeDot> = PUBLISHED
        .iter()
        .filter_map(|p| {
            let (x, y) = (p.params?, p.tokens_per_s?);
            let tip = format!("{}: {} on {}, {y} tokens/s; {}", p.name, p.network, p.platform, p.nature);
            Some(SizeDot { name: p.name.into(), x, y, colour: palette::PUBLISHED, filled: false, tip })
        })
        .collect();
    if let Some(r) = &records.latency {
        let s = summary(r)?;
        dots.push(SizeDot {
            name: format!("{}, simulated", r.config),
            x: r.shape.n_params.max(1) as f64,
            y: s.tokens_per_s,
            colour: palette::LOGIC,
            filled: true,
            tip: format!("{} on {}: {:.1} tokens/s, simulated", r.model, r.config, s.tokens_per_s),
        });
    }
    let words = SizesText {
        title: "Size and speed",
        description: "Points over parameters and tokens a second, both logarithmic: published designs, and this one.",
        x: "parameters of the network",
        y: "tokens a second",
        product: " parameters/s",
    };
    let reading = "Left to right: size of the network. Upwards: tokens a second. Along a thin line the product is the same: parameters read a \
                   second, which is what a memory pays for. Rings are published, the disc is simulated here.";
    let legend = [(palette::PUBLISHED, "published, their numbers"), (palette::LOGIC, "this chip, simulated")];
    Ok(figure(&Figure {
        title: words.title,
        reading,
        picture: &sizes(words, &dots)?,
        legend: &legend,
        trust: AT_ASSUMED_CLOCK,
    }))
}

fn table(records: &Records) -> Html {
    let columns = [
        Column::text("design"),
        Column::number("speed", "tokens/s"),
        Column::number("energy", "a token"),
        Column::number("power", "W"),
        Column::number("bandwidth", "used"),
        Column::text("network"),
        Column::text("what they are"),
    ];
    let dash = || Html::text("–");
    let text = |t: Option<String>| t.map_or_else(dash, |t| Html::text(&t));
    let mut rows = vec![];
    if let Some(r) = &records.latency {
        let power = records.power.as_ref();
        let s = summary(r).ok();
        rows.push(vec![
            link("latency.json", &format!("this chip: {}", r.config)),
            text(s.as_ref().map(|s| format!("{:.1}", s.tokens_per_s))),
            text(power.map(|p| joules(p.j_per_token + p.external.j_per_token))),
            text(power.map(|p| format!("{:.3}", p.watts.total + p.external.j_per_token / p.seconds_per_token))),
            text(s.map(|s| percent(s.utilisation))),
            Html::text(&format!("{}, RWKV-7, {} parameters", r.model, crate::page::thousands(r.shape.n_params))),
            Html::text(
                "simulated; power of the mapped netlist without wires, external memory at a typical value added",
            ),
        ]);
    }
    let row = |p: &Published| {
        vec![
            link(p.url, p.name),
            text(p.tokens_per_s.map(|t| if t >= 1000.0 { crate::page::thousands(t as u64) } else { format!("{t}") })),
            text(p.j_per_token().map(joules)),
            text(p.watts.map(|w| format!("{w}"))),
            text(p.bandwidth.map(String::from)),
            Html::text(&format!("{}: {}", p.platform, p.network)),
            Html::text(&format!("{} ({})", p.nature, p.source)),
        ]
    };
    rows.extend(PUBLISHED.iter().map(row));
    table_of("Published numbers are their authors'; what each is stands beside it.", THIS_CHIP, &columns, &rows)
}
