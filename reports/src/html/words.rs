//! The words of the latency page: what a newcomer needs, what was run, how far to trust it.

use crate::page::{
    bytes, definitions, details, origin, paragraph, percent, shape_words, table, thousands, Column, Html,
};
use crate::trust::SIMULATED;
use records::latency::LatencyRecord;
use records::summary::LatencySummary;

pub(super) fn plain_words(record: &LatencyRecord, s: &LatencySummary) -> Vec<Html> {
    let c = &record.shape;
    let slower = match record.memory.bytes_per_cycle {
        _ if record.memory.dram.is_some() => String::new(),
        b if b < f64::from(record.bus_bytes) => {
            format!(" Part of it is the memory's: the simulated one brings at most {b} bytes a cycle, less than the bus could take.")
        }
        _ => String::new(),
    };
    let texts = match s.sessions {
        1 => String::new(),
        n => format!(" Here {n} texts share each read of a weight: a pass makes one token of each, and is what this page calls a token."),
    };
    vec![
        paragraph(&format!(
            "A token is one pass through the network: a token id goes in, the next one comes out. {} has {} layers of width {} \
             and {} parameters. To make one token the chip reads every weight once, {} of useful bytes, so time is \
             won or lost by keeping that stream of weights moving.{texts}",
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

pub(super) fn trust(record: &LatencyRecord, s: &LatencySummary) -> Vec<Html> {
    let m = &record.memory;
    let refresh = match m.refresh_cycles {
        0 => "and never pauses".to_string(),
        n => format!("and pauses {n} cycles every {} (refresh)", thousands(u64::from(m.refresh_interval_cycles))),
    };
    let memory = match &m.dram {
        Some(d) => format!(
            "The memory: {}, with banks, rows, refresh and turnaround, at most {:.1} bytes a cycle of the chip, of which refresh takes {}. {} of \
             the accesses found their row open. Its controller keeps the order of requests and opens rows ahead of them; other masters on the \
             same memory are not simulated. A slower memory costs cycles, never correctness.",
            d.part,
            d.peak_bytes_per_cycle,
            percent(d.refresh_share),
            percent(d.row_hit_share)
        ),
        None => format!(
            "The memory. It delivers the first beat {} cycles after it accepts a read address, then at most {} bytes a cycle, {refresh}. \
             Real DRAM varies with page hits, refresh and other traffic; a slower memory costs cycles, never correctness.",
            m.latency_cycles, m.bytes_per_cycle
        ),
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
                memory,
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

pub(super) fn facts(record: &LatencyRecord, s: &LatencySummary) -> Html {
    let sat = &record.saturations;
    let mut rows = vec![
        ("Model", shape_words(&record.shape, &record.model)),
        ("Configuration", format!("{}: {} B a cycle, {} MHz", record.config, record.bus_bytes, s.clock_mhz)),
        (
            "Bytes a token",
            format!(
                "{} useful, {} with padding{}",
                thousands(s.weight_bytes_per_token),
                thousands(s.stream_bytes_per_token),
                match s.skipped_columns {
                    0 => String::new(),
                    n => format!("; {} not read: {} columns met a zero", thousands(s.skipped_bytes), thousands(n)),
                }
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
    ];
    rows.extend(origin(&record.command, &record.date, &record.git_revision));
    definitions(&rows)
}

pub(super) fn all_tokens(record: &LatencyRecord) -> Html {
    let rows: Vec<Vec<String>> =
        record.cycles_all_tokens.iter().enumerate().map(|(i, c)| vec![(i + 1).to_string(), thousands(*c)]).collect();
    let columns = [Column::number("token", ""), Column::number("cycles", "")];
    details("Cycles of each measured token", table("In the order they were simulated.", SIMULATED, &columns, &rows))
}
