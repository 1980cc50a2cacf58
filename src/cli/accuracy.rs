//! `report accuracy`: what integers cost against floating point, for every width a designer can choose.

use super::args::Accuracy;
use super::latency::{git_revision, now};
use super::model::{check_tokens, encode, held_out_text, Model};
use super::print::{bar, check_file, command_line, note, write_file, Out};
use super::quantise::MAX_CALIBRATION_TOKENS;
use super::Error;
use golden_model::arithmetic::fixed::OPERAND_BITS;
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape as ModelShape};
use golden_model::network::recipe::Rounding;
use golden_model::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, RANDOM_TOKENS};
use golden_model::quantise::gptq::TooLarge;
use golden_model::quantise::options::QuantOptions;
use golden_model::study::drift::{drift, Drift, Fit, Golden, SETTLED};
use golden_model::study::grid::{grid, Group, Quality};
use golden_model::study::spread::Summary;
use golden_model::study::taps::{taps, TapRange, Taps};
use golden_model::study::tensors::{tensors, TensorRange};
use golden_model::study::{reference_limit, Progress, Source};
use indicatif::ProgressBar;
use records::accuracy::{
    AccuracyRecord, DriftRun, DriftStudy, Fit as FitRecord, FloatQuality, GridPoint, PositionBin, Range, Setting,
    StateSample, TapRecord, TapStudy, TensorRecord, SCHEMA_VERSION,
};
use records::shared::{Saturations, Shape};
use std::process::ExitCode;
use std::time::Instant;

/// Widths of a matrix operand and of the state that are tried.
const OPERANDS: [u32; 5] = [8, 10, 12, 14, 16];
const STATES: [u32; 7] = [16, 18, 20, 22, 24, 28, 32];
/// Of the tokens read for positions, the share that the grid scores and that taps are looked at for.
const GRID_SHARE: usize = 2;
const TAP_SHARE: usize = 32;
const LEAST_TOKENS: usize = 64;

pub fn accuracy(a: &Accuracy, out: &Out) -> Result<ExitCode, Error> {
    if let Some(path) = &a.output {
        check_file(path)?;
    }
    let record = measure(a, command_line().join(" "))?;
    if let Some(path) = &a.output {
        write_file(path, reports::accuracy::accuracy_page(&record)?.as_bytes())?;
        note(format_args!("report written to {}", path.display()));
    }
    out.result(&record, || lines(&record))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the study and writes nothing.
pub fn measure(a: &Accuracy, command: String) -> Result<AccuracyRecord, Error> {
    let start = Instant::now();
    let (model, name) = Model::open(&a.model)?;
    let Model::Checkpoint(checkpoint) = &model else {
        return Err(
            "an .anser image holds integers only; the report compares with float and needs the checkpoint".into()
        );
    };
    let text = Text::read(a, &model)?;
    let weights = Weights::read(checkpoint)?;
    let bar = bar(0, "reading networks");
    let found = study(a, checkpoint, &weights, &text, &bar)?;
    bar.finish_and_clear();
    let mut record = record(found, &text, model.shape());
    record.model = name;
    record.command = command;
    record.calibration = a.calibrate.as_ref().map(|p| p.display().to_string());
    record.study_s = start.elapsed().as_secs_f64();
    record.check()?;
    Ok(record)
}

/// What is read, and how much of it for what.
struct Text {
    name: String,
    tokens: Vec<u32>,
    /// Bytes of each token; none for tokens without text.
    bytes: Vec<usize>,
    n_positions: usize,
    n_grid: usize,
    n_taps: usize,
}

impl Text {
    fn read(a: &Accuracy, model: &Model) -> Result<Self, Error> {
        let tokenizer = model.tokenizer();
        let vocab_size = model.shape().vocab_size;
        if !tokenizer.is_text() {
            return Err(
                format!("a vocabulary of {vocab_size} has no tokenizer, expected a model that reads text").into()
            );
        }
        let (name, tokens) = match &a.text {
            Some(path) => (path.display().to_string(), encode(&tokenizer, path)?),
            None => ("the held-out text of the project's own model".into(), tokenizer.encode(held_out_text()?)?),
        };
        check_tokens(&name, &tokens, model.shape())?;
        if tokens.len() < LEAST_TOKENS {
            return Err(format!("{name}: {} tokens, expected at least {LEAST_TOKENS}", tokens.len()).into());
        }
        let n_positions = a.max_tokens as usize;
        let part = |share: usize| (n_positions / share).max(LEAST_TOKENS).min(tokens.len());
        let (n_grid, n_taps) = (part(GRID_SHARE).min(reference_limit(vocab_size)), part(TAP_SHARE));
        let bytes = tokens.iter().map(|t| tokenizer.decode(&[*t]).len()).collect();
        Ok(Self { name, bytes, n_positions, n_grid, n_taps, tokens })
    }

    /// The text again and again, up to the number of positions.
    fn positions(&self) -> Vec<u32> {
        self.tokens.iter().copied().cycle().take(self.n_positions).collect()
    }
}

/// All results, still in the golden model's words.
struct Found {
    grid: Vec<Quality>,
    taps: Taps,
    tensors: Vec<TensorRange>,
    drifts: Vec<(QuantOptions, Drift)>,
}

fn study(
    a: &Accuracy,
    checkpoint: &Checkpoint,
    weights: &Weights,
    text: &Text,
    bar: &ProgressBar,
) -> Result<Found, Error> {
    let gptq = a.calibrate.is_some();
    let seen = match &a.calibrate {
        Some(path) => {
            let mut tokens =
                encode(&golden_model::text::tokenizer::Tokenizer::for_vocab(weights.shape.vocab_size), path)?;
            check_tokens(&path.display().to_string(), &tokens, &weights.shape)?;
            tokens.truncate(MAX_CALIBRATION_TOKENS);
            tokens
        }
        None => random_tokens(weights.shape.vocab_size, RANDOM_TOKENS),
    };
    let groups = groups(gptq);
    let drifts = drift_networks();
    let n_networks: usize = groups.iter().map(|g| g.operand_bits.len()).sum();
    let total = seen.len() + n_networks * (text.n_grid - 1) + text.n_taps + (1 + drifts.len()) * text.n_positions;
    bar.set_length(total as u64);
    let progress: Progress<'_> = &|n| bar.inc(n);
    let (ranges, operands) = if gptq {
        let (ranges, operands) = calibrate_operands(weights, &seen, false, |_| progress(1)).map_err(|e: TooLarge| e)?;
        (ranges, Some(operands))
    } else {
        (calibrate(weights, &seen, |_| progress(1)), None)
    };
    let source = Source { checkpoint, weights, ranges: &ranges, operands: operands.as_ref() };

    let mut runs = drifts.iter().map(|o| Ok(Golden::new(source.fast(o)?))).collect::<Result<Vec<_>, Error>>()?;
    let (by_position, reference) = drift(&source, &mut runs, &text.positions(), text.n_grid, progress)?;
    drop(runs);
    let quantised = source.quantise(&QuantOptions::default())?;
    let (grid, taps) = std::thread::scope(|scope| {
        let taps = scope.spawn(|| taps(&source, &quantised.model, &text.tokens[..text.n_taps], progress));
        let grid = grid(&source, &reference, &text.tokens[..text.n_grid], &groups, progress);
        (grid, taps.join())
    });
    let taps = taps.map_err(|_| "the study of ranges stopped unexpectedly")?;
    Ok(Found {
        grid: grid?,
        taps: taps?,
        tensors: tensors(&source, &quantised)?,
        drifts: drifts.into_iter().zip(by_position).collect(),
    })
}

/// Those followed over positions: the default and the narrowest state, each also with weights so wide that the state's own rounding shows.
fn drift_networks() -> Vec<QuantOptions> {
    let of = |(bits, state_bits)| QuantOptions { bits, state_bits, ..QuantOptions::default() };
    let default = QuantOptions::default();
    let widths = [default.bits, WeightBits::W16];
    widths.into_iter().flat_map(|bits| [(bits, default.state_bits), (bits, STATES[0])]).map(of).collect()
}

/// Every width of weights with every width of operands; every width of the state with the full width of operands.
fn groups(gptq: bool) -> Vec<Group> {
    let weights = |bits| QuantOptions { bits, ..QuantOptions::default() };
    let compensated = QuantOptions { round: Rounding::Gptq, ..weights(WeightBits::W4) };
    let mut all = vec![weights(WeightBits::W4)];
    all.extend(gptq.then_some(compensated));
    all.extend([weights(WeightBits::W8), weights(WeightBits::W16)]);
    let mut groups: Vec<Group> =
        all.iter().map(|options| Group { options: options.clone(), operand_bits: OPERANDS.to_vec() }).collect();
    for options in all {
        for state_bits in STATES.into_iter().filter(|s| *s != options.state_bits) {
            let options = QuantOptions { state_bits, ..options.clone() };
            groups.push(Group { options, operand_bits: vec![OPERAND_BITS] });
        }
    }
    groups
}

fn setting(o: &QuantOptions) -> Setting {
    let weights = match (o.bits, o.round) {
        (WeightBits::W4, Rounding::Plain) => "w4",
        (WeightBits::W4, Rounding::Gptq) => "w4-gptq",
        (WeightBits::W4Columns, _) => "w4-columns",
        (WeightBits::W8, _) => "w8",
        (WeightBits::W16, _) => "w16",
    };
    Setting { weights: weights.into(), operand_bits: o.operand_bits, state_bits: o.state_bits }
}

fn record(found: Found, text: &Text, s: &ModelShape) -> AccuracyRecord {
    let bytes: usize = text.bytes[1..text.n_grid].iter().sum();
    let n = (text.n_grid - 1) as f64;
    let per_byte = |bits: f64| (bytes > 0).then(|| bits * n / bytes as f64);
    // every network's loss is against the same floating-point bits
    let float_bits = found.grid.first().map_or(0.0, |q| q.bits_per_token - q.loss_bits);
    AccuracyRecord {
        schema_version: SCHEMA_VERSION,
        model: String::new(),
        shape: Shape {
            n_layer: s.n_layer as u32,
            n_embd: s.n_embd as u32,
            n_head: s.n_head as u32,
            head_size: s.head_size as u32,
            vocab_size: s.vocab_size as u32,
            dim_ffn: s.dim_ffn as u32,
            n_params: s.n_params(),
        },
        text: text.name.clone(),
        text_tokens: text.tokens.len() as u64,
        calibration: None,
        float: FloatQuality {
            n_tokens: text.n_grid as u64 - 1,
            bits_per_token: float_bits,
            bits_per_byte: per_byte(float_bits),
        },
        default: setting(&QuantOptions::default()),
        grid: found.grid.iter().map(|q| grid_point(q, float_bits, per_byte(q.bits_per_token))).collect(),
        taps: TapStudy {
            n_tokens: found.taps.n_tokens as u64,
            saturations: saturations(&found.taps.saturations),
            taps: found.taps.taps.iter().map(tap_record).collect(),
        },
        tensors: found.tensors.iter().map(tensor_record).collect(),
        drift: DriftStudy {
            n_tokens: text.n_positions as u64,
            fit_from: SETTLED as u64,
            runs: found.drifts.iter().map(|(o, d)| drift_run(o, d)).collect(),
        },
        study_s: 0.0,
        command: String::new(),
        date: now(),
        git_revision: git_revision(),
    }
}

fn saturations(s: &SaturationCounts) -> Saturations {
    Saturations { mat: s.mat.0, vec: s.vec.0, wkv: s.wkv.0 }
}

fn grid_point(q: &Quality, float_bits: f64, bits_per_byte: Option<f64>) -> GridPoint {
    let percent = |bits: f64| if float_bits > 0.0 { 100.0 * bits / float_bits } else { 0.0 };
    GridPoint {
        setting: setting(&q.options),
        bits_per_token: q.bits_per_token,
        bits_per_byte,
        loss_percent: percent(q.loss_bits),
        loss_percent_se: percent(q.loss_bits_se),
        kl: q.kl,
        kl_se: q.kl_se,
        top1_agreement: q.top1_agreement,
        logit_error: q.logit_error,
        saturations: saturations(&q.saturations),
    }
}

fn range(bits: u32, frac_bits: i32, limit: f64, v: &Summary) -> Range {
    let [p1, p50, p99, p99_9] = v.percentiles;
    let max = v.max_abs();
    Range {
        bits,
        frac_bits,
        limit,
        n_values: v.n_values,
        min: v.min,
        max: v.max,
        zeros: v.zeros,
        p1,
        p50,
        p99,
        p99_9,
        headroom_bits: (max > 0.0 && limit > 0.0).then(|| (limit / max).log2()),
    }
}

fn tap_record(t: &TapRange) -> TapRecord {
    TapRecord {
        layer: t.layer as u32,
        name: t.name.into(),
        range: range(t.format.bits, t.format.frac, t.format.limit(), &t.values),
        at_rail: t.at_rail,
        relative_error: t.relative_error,
        max_error: t.max_error,
    }
}

fn tensor_record(t: &TensorRange) -> TensorRecord {
    TensorRecord {
        name: t.name.clone(),
        range: range(t.bits, t.frac, t.limit, &t.values),
        relative_error: t.error.relative_rms,
        max_error: t.error.max_abs,
    }
}

fn drift_run(options: &QuantOptions, d: &Drift) -> DriftRun {
    let fit = |f: Option<Fit>| {
        f.map(|f| FitRecord {
            n_points: f.n_points as u64,
            mean: f.mean,
            slope_per_doubling: f.slope_per_doubling,
            slope_se: f.slope_se,
        })
    };
    DriftRun {
        setting: setting(options),
        bins: d
            .bins
            .iter()
            .map(|b| PositionBin {
                from: b.from as u64,
                to: b.to as u64,
                kl: b.kl,
                kl_se: b.kl_se.is_finite().then_some(b.kl_se),
                logit_error: b.logit_error,
                top1_agreement: b.top1_agreement,
                clipped: Some(b.clipped),
            })
            .collect(),
        states: d
            .states
            .iter()
            .map(|s| StateSample {
                position: s.position as u64,
                relative_error: s.relative_error,
                by_layer: s.by_layer.clone(),
            })
            .collect(),
        state_fit: fit(d.state_fit),
        logit_fit: fit(d.logit_fit),
    }
}

/// What a person sees without a page.
fn lines(r: &AccuracyRecord) -> String {
    let mut text = format!("{:10}{:>9}{:>7}{:>12}{:>12}{:>9}\n", "weights", "operands", "state", "loss", "KL", "top-1");
    for p in &r.grid {
        text += &format!(
            "{:10}{:>9}{:>7}{:>+10.3} %{:>12.2e}{:>7.2} %\n",
            p.setting.weights,
            p.setting.operand_bits,
            p.setting.state_bits,
            p.loss_percent,
            p.kl,
            p.top1_agreement * 100.0
        );
    }
    for run in &r.drift.runs {
        let Some(fit) = &run.state_fit else { continue };
        let verdict = if fit.grows() { "drifts" } else { "does not drift" };
        text += &format!(
            "state of {} bits {verdict}: its error changes by {:+.2} % ± {:.2} % a doubling of the position, to {}\n",
            run.setting.state_bits,
            fit.slope_per_doubling * 100.0,
            fit.slope_se * 100.0,
            r.drift.n_tokens
        );
    }
    text
}
