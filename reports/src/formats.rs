//! The page of `anser quantize --report`: which format each matrix got, what it cost, and what else was tried.

use crate::page::{
    big_numbers, bytes, code_block, details, figure, paragraph, table, BigNumber, Column, Figure, Html, Page,
};
use crate::palette::{self, Colour};
use crate::pictures::{bars, Bar, BarPart, BarsText};
use crate::trust::{CALCULATED, SIMULATED};
use crate::ReportError;
use records::formats::{Format, FormatsRecord, Matrix};
use records::model::Check;

fn name(f: &Format) -> String {
    let rounding = if f.compensated { ", compensated" } else { "" };
    let branch = if f.branch > 0 { format!(" + branch of rank {}", f.branch) } else { String::new() };
    format!("W{}{rounding}{branch}", f.bits)
}

fn colour(f: &Format) -> &'static Colour {
    match (f.bits, f.branch) {
        (4, 0) => palette::W4,
        (4, _) => palette::W4_AND_BRANCH,
        _ => palette::W8,
    }
}

/// Noise over signal as a share, and in decibels of the signal above it.
fn noise(error: f64) -> String {
    if error > 0.0 {
        format!("{error:.2e} ({:.1} dB)", -10.0 * error.log10())
    } else {
        "0".into()
    }
}

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// If the picture cannot be drawn.
pub fn formats_page(r: &FormatsRecord) -> Result<String, ReportError> {
    let mut page = Page::new("Formats of the weights", &[r.model.clone(), r.date.clone()]);
    page.add(code_block(&r.command));
    page.add(big_numbers(&headline(r)));
    let worst = r.matrices.iter().max_by(|a, b| a.picked.output_error.total_cmp(&b.picked.output_error));
    let worst = worst.map_or(String::new(), |m| {
        format!(" The noisiest output is that of {}: {}.", m.tensor, noise(m.picked.output_error))
    });
    let text = format!(
        "The error of a matrix is that of its output on the calibration text: the sum of squares of (W − Ŵ) x over that of W x, \
         for every x the matrix met there. Errors of the weights themselves say little: a wrong weight that multiplies \
         almost nothing costs almost nothing.{worst}"
    );
    page.section("In plain words", [paragraph(&text), searched(r)]);
    page.section("Matrix by matrix", [picture(r)?, chosen(r)]);
    let tried = r.matrices.iter().filter(|m| !m.tried.is_empty());
    let tried: Vec<Html> = tried.map(|m| details(&m.tensor, alternatives(m))).collect();
    if !tried.is_empty() {
        page.section("What else was tried", tried);
    }
    Ok(page.render())
}

fn headline(r: &FormatsRecord) -> Vec<BigNumber> {
    let number = |value: String, unit: &str, note: String| BigNumber {
        value,
        unit: unit.into(),
        note,
        alarm: false,
        trust: CALCULATED,
    };
    let simulated = |value, unit: &str, note| BigNumber { trust: SIMULATED, ..number(value, unit, note) };
    let matrices: u64 = r.matrices.iter().map(|m| m.picked.bytes).sum();
    let mut all = vec![
        number(bytes(r.image_bytes), "image", format!("{} of them in the matrices below", bytes(matrices))),
        number(bytes(r.bytes_per_token), "a token", "read, if no column of ffn.value is skipped".into()),
    ];
    if let Some(c) = &r.check {
        let Check { tokens, float_bits_per_token: float, golden_bits_per_token: golden, kl, .. } = *c;
        let percent = |bits: f64| if float > 0.0 { 100.0 * bits / float } else { 0.0 };
        let error = c.loss_bits_per_token_se.map_or(String::new(), |e| format!("± {:.2} %; ", percent(e)));
        all.push(simulated(
            format!("{:+.2} %", percent(c.loss_bits_per_token)),
            "bits",
            format!("{error}{golden:.4} a token, float {float:.4}, over {tokens} tokens of the calibration text"),
        ));
        let error = c.kl_se.map_or(String::new(), |e| format!("± {e:.5}; "));
        let note = format!("{error}Kullback-Leibler divergence from float a token, on the same text");
        all.push(simulated(format!("{kl:.5}"), "nats", note));
    }
    all
}

fn searched(r: &FormatsRecord) -> Html {
    let Some(s) = r.search else { return paragraph("Formats were given, not searched for.") };
    let gap = if s.bound > 0.0 { (s.cost / s.bound - 1.0) * 100.0 } else { 0.0 };
    paragraph(&format!(
        "What an error does to the predictions differs from matrix to matrix. It was measured for each alone, as divergence from the exact \
         network, and the search spent its bytes where they take most of it away: {} of {}. All errors together let expect \
         {:.6} nats a token; no choice among the formats tried promises less than {:.6} within that budget, so at most {gap:.1} % \
         are left on the table.",
        bytes(s.bytes),
        bytes(s.budget_bytes),
        s.cost,
        s.bound
    ))
}

fn picture(r: &FormatsRecord) -> Result<Html, ReportError> {
    let rows: Vec<Bar> = r
        .matrices
        .iter()
        .map(|m| Bar {
            label: m.tensor.trim_end_matches(".weight").replace("blocks.", ""),
            parts: vec![BarPart {
                colour: colour(&m.picked),
                value: m.picked.bytes,
                tip: format!(
                    "{}: {}, {}, error {}",
                    m.tensor,
                    name(&m.picked),
                    bytes(m.picked.bytes),
                    noise(m.picked.output_error)
                ),
            }],
            value: format!("{:.1e}", m.picked.output_error),
        })
        .collect();
    let words = BarsText {
        title: "Bytes of each matrix",
        description:
            "One bar a matrix, as long as its bytes, coloured by its format, with the error of its output behind it.",
        axis: "bytes",
    };
    Ok(figure(&Figure {
        title: "Bytes of each matrix, and the error of its output",
        reading: "One bar a matrix, in the order of use; the number behind it is its error. A long bar of 8 bits is a matrix that 4 bits \
                  would have hurt more than others of its size.",
        picture: &bars(words, &rows)?,
        legend: &[
            (palette::W4, "4 bits"),
            (palette::W4_AND_BRANCH, "4 bits and a branch of 16"),
            (palette::W8, "8 bits"),
        ],
        trust: CALCULATED,
    }))
}

const COLUMNS: [(&str, &str); 2] = [("bytes", "B"), ("output error", "noise / signal")];

fn chosen(r: &FormatsRecord) -> Html {
    let rows: Vec<Vec<String>> = r
        .matrices
        .iter()
        .map(|m| vec![m.tensor.clone(), name(&m.picked), m.picked.bytes.to_string(), noise(m.picked.output_error)])
        .collect();
    let numbers = COLUMNS.map(|(name, unit)| Column::number(name, unit));
    let columns = [&[Column::text("matrix"), Column::text("format")][..], &numbers].concat();
    details("The numbers", table("What the image records of each matrix.", CALCULATED, &columns, &rows))
}

fn alternatives(m: &Matrix) -> Html {
    let row = |f: &Format| {
        let same = (f.bits, f.compensated, f.branch) == (m.picked.bits, m.picked.compensated, m.picked.branch);
        let mark = if same { "picked" } else { "" };
        vec![name(f), f.bytes.to_string(), noise(f.output_error), mark.into()]
    };
    let rows: Vec<Vec<String>> = m.tried.iter().map(row).collect();
    let numbers = COLUMNS.map(|(name, unit)| Column::number(name, unit));
    let columns = [&[Column::text("format")][..], &numbers, &[Column::text("")]].concat();
    table("", CALCULATED, &columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::formats::Search;

    fn record() -> FormatsRecord {
        let four = Format { bits: 4, compensated: true, branch: 0, bytes: 8960, output_error: 2e-3 };
        let branch = Format { branch: 4, bytes: 12000, output_error: 1e-3, ..four.clone() };
        let eight = Format { bits: 8, compensated: false, branch: 0, bytes: 16640, output_error: 1e-5 };
        let tried = vec![four.clone(), branch.clone(), eight];
        let matrix = |tensor: &str, picked| Matrix { tensor: tensor.into(), picked, tried: tried.clone() };
        FormatsRecord {
            model: "<m>".into(),
            command: "anser quantize".into(),
            date: "2026-11-21".into(),
            image_bytes: 1_000_000,
            bytes_per_token: 900_000,
            matrices: vec![matrix("blocks.0.att.key.weight", four), matrix("head.weight", branch)],
            search: Some(Search { budget_bytes: 22_000, bytes: 20_960, cost: 3e-3, bound: 2.9e-3 }),
            check: Some(Check {
                tokens: 512,
                float_bits_per_token: 2.0,
                golden_bits_per_token: 2.01,
                loss_bits_per_token: 0.01,
                loss_bits_per_token_se: Some(0.004),
                top1_agreement: 0.98,
                kl: 2e-3,
                kl_se: Some(1e-4),
            }),
        }
    }

    #[test]
    fn the_page_says_what_was_picked_and_tried() {
        let page = formats_page(&record()).unwrap();
        for word in
            ["W4, compensated + branch of rank 4", "W8", "+0.50 %", "at most 3.4 %", "&lt;m&gt;", "30.0 dB", "picked"]
        {
            assert!(page.contains(word), "{word}");
        }
        let plain = FormatsRecord { search: None, check: None, ..record() };
        assert!(formats_page(&plain).unwrap().contains("Formats were given"));
    }
}
