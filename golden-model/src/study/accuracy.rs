//! The whole precision study of one checkpoint, as the record of `anser report accuracy`.

use super::drift::{drift, Drift, Fit, Golden, SETTLED};
use super::grid::{grid, Group, Quality};
use super::spread::Summary;
use super::taps::{taps, TapRange, Taps};
use super::tensors::{tensors, TensorRange};
use super::{reference_limit, Progress, Source, StudyError};
use crate::arithmetic::fixed::OPERAND_BITS;
use crate::arithmetic::tensor::WeightBits;
use crate::arithmetic::vector_ops::SaturationCounts;
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{Checkpoint, Shape};
use crate::network::recipe::Rounding;
use crate::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, RANDOM_TOKENS};
use crate::quantise::options::QuantOptions;
use records::accuracy::{
    AccuracyRecord, DriftRun, DriftStudy, Fit as FitRecord, FloatQuality, GridPoint, PositionBin, Range, Setting,
    StateSample, TapRecord, TapStudy, TensorRecord, SCHEMA_VERSION,
};
use records::shared::{Origin, Saturations};
use std::time::Instant;

/// Widths of a matrix operand that are tried.
const OPERANDS: [u32; 5] = [8, 10, 12, 14, 16];
/// Widths of an element of the state that are tried.
const STATES: [u32; 7] = [16, 18, 20, 22, 24, 28, 32];
/// The grid scores the positions over this number.
const GRID_SHARE: usize = 2;
/// Taps are measured on the positions over this number.
const TAP_SHARE: usize = 32;
/// The fewest tokens that a text for a study has.
pub const LEAST_TOKENS: usize = 64;

/// A text to study on.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it comes from, for people.
    pub name: String,
    /// At least [`LEAST_TOKENS`], all of the vocabulary.
    pub tokens: Vec<u32>,
    /// Bytes of each token; 0 for a token without text.
    pub bytes: Vec<usize>,
}

/// A precision study that can be run.
pub struct Study<'a> {
    model: &'a str,
    checkpoint: &'a Checkpoint,
    weights: &'a Weights,
    text: &'a Text,
    /// Name and tokens of the text that sets the ranges.
    calibration: Option<(&'a str, &'a [u32])>,
    n_positions: usize,
    n_grid: usize,
    n_taps: usize,
}

impl<'a> Study<'a> {
    /// Plans a study of `checkpoint`, called `model`, over `n_positions` tokens; a shorter text is read again and again.
    ///
    /// If there is a `calibration` text (name and tokens), its vectors set the fixed-point ranges, and error-compensated rounding at 4 bits is
    /// tried too; without one, pseudo-random tokens set them.
    ///
    /// # Errors
    /// A text of fewer than [`LEAST_TOKENS`] tokens.
    pub fn new(
        (model, checkpoint, weights): (&'a str, &'a Checkpoint, &'a Weights),
        text: &'a Text,
        n_positions: usize,
        calibration: Option<(&'a str, &'a [u32])>,
    ) -> Result<Self, StudyError> {
        if text.tokens.len() < LEAST_TOKENS {
            return Err(StudyError::TooShort { found: text.tokens.len(), expected: LEAST_TOKENS });
        }
        let part = |share: usize| (n_positions / share).max(LEAST_TOKENS).min(text.tokens.len());
        let n_grid = part(GRID_SHARE).min(reference_limit(weights.shape.vocab_size));
        Ok(Study { model, checkpoint, weights, text, calibration, n_positions, n_grid, n_taps: part(TAP_SHARE) })
    }

    /// Tokens that go through any network during [`Study::run`], which tells its progress in this unit.
    pub fn total(&self) -> u64 {
        let n_networks: usize = groups(self.calibration.is_some()).iter().map(|g| g.operand_bits.len()).sum();
        let seen = self.calibration.map_or(RANDOM_TOKENS, |c| c.1.len());
        let followed = (1 + drift_networks().len()) * self.n_positions;
        (seen + n_networks * (self.n_grid - 1) + self.n_taps + followed) as u64
    }

    /// Runs the study on all cores.
    ///
    /// # Errors
    /// A checkpoint that cannot be quantised, tokens outside the vocabulary, or a record that contradicts itself.
    pub fn run(&self, origin: Origin, progress: Progress<'_>) -> Result<AccuracyRecord, StudyError> {
        let start = Instant::now();
        let found = self.find(progress)?;
        let mut record = record(found, self, origin);
        record.study_s = start.elapsed().as_secs_f64();
        record.check()?;
        Ok(record)
    }

    fn find(&self, progress: Progress<'_>) -> Result<Found, StudyError> {
        let (weights, text) = (self.weights, self.text);
        let (ranges, operands) = match self.calibration {
            Some((_, seen)) => {
                let (ranges, operands) = calibrate_operands(weights, seen, false, |_| progress(1))?;
                (ranges, Some(operands))
            }
            None => {
                let seen = random_tokens(weights.shape.vocab_size, RANDOM_TOKENS);
                (calibrate(weights, &seen, |_| progress(1)), None)
            }
        };
        let source = Source { checkpoint: self.checkpoint, weights, ranges: &ranges, operands: operands.as_ref() };
        let drifts = drift_networks();
        let mut runs =
            drifts.iter().map(|o| Ok(Golden::new(source.fast(o)?))).collect::<Result<Vec<_>, StudyError>>()?;
        let positions: Vec<u32> = text.tokens.iter().copied().cycle().take(self.n_positions).collect();
        let (by_position, reference) = drift(&source, &mut runs, &positions, self.n_grid, progress)?;
        drop(runs);
        let quantised = source.quantise(&QuantOptions::default())?;
        let (grid, taps) = rayon::join(
            || grid(&source, &reference, &text.tokens[..self.n_grid], &groups(operands.is_some()), progress),
            || taps(&source, &quantised.model, &text.tokens[..self.n_taps], progress),
        );
        Ok(Found {
            grid: grid?,
            taps: taps?,
            tensors: tensors(&source, &quantised)?,
            drifts: drifts.into_iter().zip(by_position).collect(),
        })
    }
}

impl From<&Shape> for records::shared::Shape {
    fn from(s: &Shape) -> Self {
        records::shared::Shape {
            n_layer: s.n_layer as u32,
            n_embd: s.n_embd as u32,
            n_head: s.n_head as u32,
            head_size: s.head_size as u32,
            vocab_size: s.vocab_size as u32,
            dim_ffn: s.dim_ffn as u32,
            n_params: s.n_params(),
        }
    }
}

/// Every result, still in the terms of the golden model.
struct Found {
    grid: Vec<Quality>,
    taps: Taps,
    tensors: Vec<TensorRange>,
    drifts: Vec<(QuantOptions, Drift)>,
}

/// Networks that are followed over positions: the default and the narrowest state, each also with weights so wide that the state's
/// own rounding shows.
fn drift_networks() -> Vec<QuantOptions> {
    let of = |(bits, state_bits)| QuantOptions { bits, state_bits, ..QuantOptions::default() };
    let default = QuantOptions::default();
    let widths = [default.bits, WeightBits::W16];
    widths.into_iter().flat_map(|bits| [(bits, default.state_bits), (bits, STATES[0])]).map(of).collect()
}

/// Networks of the grid: every width of weights with every width of operands, and every width of the state with the full width of
/// operands.
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

fn record(found: Found, study: &Study, origin: Origin) -> AccuracyRecord {
    let text = study.text;
    let bytes: usize = text.bytes[1..study.n_grid].iter().sum();
    let n = (study.n_grid - 1) as f64;
    let per_byte = |bits: f64| (bytes > 0).then(|| bits * n / bytes as f64);
    // every network's loss is against the same floating-point bits
    let float_bits = found.grid.first().map_or(0.0, |q| q.bits_per_token - q.loss_bits);
    AccuracyRecord {
        schema_version: SCHEMA_VERSION,
        model: study.model.into(),
        shape: (&study.weights.shape).into(),
        text: text.name.clone(),
        text_tokens: text.tokens.len() as u64,
        calibration: study.calibration.map(|c| c.0.to_string()),
        float: FloatQuality {
            n_tokens: study.n_grid as u64 - 1,
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
            n_tokens: study.n_positions as u64,
            fit_from: SETTLED as u64,
            runs: found.drifts.iter().map(|(o, d)| drift_run(o, d)).collect(),
        },
        study_s: 0.0,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
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
