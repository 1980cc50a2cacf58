//! The words of the accuracy page.

use super::{grid_words, knee};
use crate::page::{definitions, origin, paragraph, shape_words, thousands, Html};
use records::accuracy::AccuracyRecord;

pub(super) fn plain(record: &AccuracyRecord) -> Vec<Html> {
    let c = &record.shape;
    let mut parts = vec![paragraph(&format!(
        "{} has {} layers of width {} and {} parameters, trained in floating point. The chip computes with integers. This page \
         measures what that costs, for every width a designer can choose, on text the numbers can be checked with.",
        record.model,
        c.n_layer,
        c.n_embd,
        thousands(c.n_params)
    ))];
    if let Some(p) = record.point(&record.default) {
        parts.push(paragraph(&format!("The default is {}.", grid_words(p))));
    }
    if let Some((bits, _)) = knee(record) {
        parts.push(paragraph(&format!(
            "A state of {bits} bits is as good as the widest one at these weights and operands."
        )));
    }
    parts.push(definitions(&[
        ("weights", "Bits of an element of the large matrices. The low-rank pairs, the small vectors and the embedding always have 16; ffn.value and a small head have at least 8.".into()),
        ("operands", "Bits of the mantissas of a vector that enters a matrix; a vector shares one power-of-two exponent. Values at rest have 27 bits, the operands of the recurrence 16.".into()),
        ("state", "Bits of an element of the matrix S that each head carries from token to token.".into()),
        ("bits/byte", "How well the network predicts: the mean of −log2 of the probability it gave to what came, per byte of text. Less is better.".into()),
        ("KL", "Kullback-Leibler divergence of floating point's prediction from the integers', in nats a token: 0 if all probabilities are equal. It sees what bits/byte cannot.".into()),
        ("top-1", "Share of positions at which both find the same token likeliest.".into()),
    ]));
    parts
}

pub(super) fn trust(record: &AccuracyRecord) -> Vec<Html> {
    let again = match record.drift.n_tokens > record.text_tokens {
        true => format!(
            " The text has {} tokens, so positions beyond read it again: predictions there are easier, the comparison stays one of like with like.",
            thousands(record.text_tokens)
        ),
        false => String::new(),
    };
    vec![definitions(&[
        (
            "Exact",
            "The integer networks. They are the golden model, whose arithmetic is the chip's to the bit where the chip has the widths; the same command gives the same numbers on every machine.".into(),
        ),
        (
            "Only studied",
            "Operands below 16 bits and matrices of 16 bits run on the golden model only.".into(),
        ),
        (
            "Noise",
            format!(
                "{} predictions of one text. Standard errors come from the means of 32 consecutive blocks; a loss below twice its own is not told from none. Another text, or another network, has other numbers.",
                thousands(record.float.n_tokens)
            ),
        ),
        (
            "Ranges",
            format!("What {} tokens showed. Rare values lie beyond; that is what headroom is for. Percentiles are within 0.4 % of their value.", thousands(record.taps.n_tokens)),
        ),
        (
            "Position",
            format!("One text of {} tokens, read once by each network. Neighbouring positions share text and state, which the uncertainty allows for only as far as sixteenths of the text are independent.{again}", thousands(record.drift.n_tokens)),
        ),
        (
            "Reference",
            "Floating point is 32 bits wide and rounds too: errors below 1e-6 are partly its own.".into(),
        ),
    ])]
}

pub(super) fn facts(record: &AccuracyRecord) -> Html {
    let mut rows = vec![
        ("Model", shape_words(&record.shape, &record.model)),
        ("Text", format!("{}, {} tokens", record.text, thousands(record.text_tokens))),
        ("Ranges from", record.calibration.clone().unwrap_or_else(|| "256 pseudo-random tokens".into())),
        (
            "Tokens",
            format!(
                "grid {}, ranges and errors by layer {}, positions {}",
                thousands(record.float.n_tokens + 1),
                thousands(record.taps.n_tokens),
                thousands(record.drift.n_tokens)
            ),
        ),
        ("Networks", format!("{} in the grid, {} over positions", record.grid.len(), record.drift.runs.len())),
        ("Took", format!("{:.0} s", record.study_s)),
    ];
    rows.extend(origin(&record.command, &record.date, &record.git_revision));
    definitions(&rows)
}
