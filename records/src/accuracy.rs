//! The accuracy record: what a precision study leaves behind. `docs/accuracy.md` says how each figure is obtained.

use crate::input;
use crate::shared::{Saturations, Shape};
use crate::RecordError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The only `schema_version` of accuracy records this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// What each width costs against floating point, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyRecord {
    /// [`SCHEMA_VERSION`]; a reader refuses any other.
    pub schema_version: u32,
    /// Name of the model, for people.
    pub model: String,
    pub shape: Shape,
    /// Where the tokens came from.
    pub text: String,
    /// Tokens of that text; positions beyond it read it again from its start.
    pub text_tokens: u64,
    /// The text whose ranges set the formats; absent: pseudo-random tokens.
    #[serde(default)]
    pub calibration: Option<String>,
    pub float: FloatQuality,
    /// What the formats are unless a figure says otherwise.
    pub default: Setting,
    /// One entry for each combination of widths that was run, any order; the default is among them.
    pub grid: Vec<GridPoint>,
    pub taps: TapStudy,
    /// Every tensor, in the order of the image, at the default widths.
    pub tensors: Vec<TensorRecord>,
    pub drift: DriftStudy,
    /// Wall time of the study.
    pub study_s: f64,
    pub command: String,
    /// RFC 3339 by convention.
    pub date: String,
    #[serde(default)]
    pub git_revision: Option<String>,
}

/// Widths of one integer network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Number format of the matrices: `w4`, `w4-gptq`, `w8`, `w16`.
    pub weights: String,
    /// Bits of a matrix operand's mantissas.
    pub operand_bits: u32,
    /// Bits of an element of the recurrence's state.
    pub state_bits: u32,
}

impl Setting {
    /// `w8, operands 16, state 24`.
    pub fn name(&self) -> String {
        format!("{}, operands {}, state {}", self.weights, self.operand_bits, self.state_bits)
    }
}

/// The floating-point network over the tokens the grid is run on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatQuality {
    /// Predictions made.
    pub n_tokens: u64,
    pub bits_per_token: f64,
    /// Absent for tokens without text.
    #[serde(default)]
    pub bits_per_byte: Option<f64>,
}

/// One integer network over the same tokens. Fields that end in `_se` are standard errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridPoint {
    pub setting: Setting,
    pub bits_per_token: f64,
    #[serde(default)]
    pub bits_per_byte: Option<f64>,
    /// Bits more than floating point needs, in percent of its bits; below 0 is better than floating point.
    pub loss_percent: f64,
    pub loss_percent_se: f64,
    /// Mean Kullback-Leibler divergence from floating point, nats a token.
    pub kl: f64,
    pub kl_se: f64,
    /// Share of positions whose likeliest token is floating point's, 0 to 1.
    pub top1_agreement: f64,
    /// RMS of the difference of the logits over RMS of floating point's, both less their mean.
    pub logit_error: f64,
    pub saturations: Saturations,
}

/// Every named value of the step at the default widths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapStudy {
    pub n_tokens: u64,
    /// Clipped results over these tokens, as the chip counts them.
    pub saturations: Saturations,
    /// The taps in the order in which the step computes them.
    pub taps: Vec<TapRecord>,
}

/// One tap of one layer. Ranges are those of the floating-point values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapRecord {
    /// `n_layer` for the head.
    pub layer: u32,
    /// Name of the vector in `docs/integer-step.md`.
    pub name: String,
    #[serde(flatten)]
    pub range: Range,
    /// Integer values at an end of the format.
    pub at_rail: u64,
    /// RMS of integer less floating point over RMS of floating point.
    pub relative_error: f64,
    /// Largest difference.
    pub max_error: f64,
}

/// Values against a format.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    pub bits: u32,
    pub frac_bits: i32,
    /// Largest magnitude that fits.
    pub limit: f64,
    pub n_values: u64,
    pub min: f64,
    pub max: f64,
    /// Share of exact zeros.
    pub zeros: f64,
    /// Percentiles of the magnitude, zeros included.
    pub p1: f64,
    pub p50: f64,
    pub p99: f64,
    pub p99_9: f64,
    /// log2 of limit over the largest magnitude; absent if all values are zero.
    #[serde(default)]
    pub headroom_bits: Option<f64>,
}

impl Range {
    pub fn max_abs(&self) -> f64 {
        self.max.max(-self.min)
    }
}

/// One tensor of the checkpoint against what it became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorRecord {
    pub name: String,
    #[serde(flatten)]
    pub range: Range,
    /// RMS of the rounding error over RMS of the tensor.
    pub relative_error: f64,
    pub max_error: f64,
}

/// Integer networks over a long text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftStudy {
    /// Tokens read; more than `text_tokens` if the text was read again.
    pub n_tokens: u64,
    /// Fits begin at this position.
    pub fit_from: u64,
    pub runs: Vec<DriftRun>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftRun {
    pub setting: Setting,
    /// Means over ranges of positions, in order.
    pub bins: Vec<PositionBin>,
    /// The state after so many tokens, in order.
    pub states: Vec<StateSample>,
    /// Line through the state's relative error; absent if the text is too short.
    #[serde(default)]
    pub state_fit: Option<Fit>,
    /// Line through the logits' relative error, in blocks of 256 tokens.
    #[serde(default)]
    pub logit_fit: Option<Fit>,
}

/// Predictions `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionBin {
    pub from: u64,
    pub to: u64,
    pub kl: f64,
    /// Absent in a bin of one position.
    #[serde(default)]
    pub kl_se: Option<f64>,
    pub logit_error: f64,
    pub top1_agreement: f64,
    /// Results clipped while these positions were read; older records do not say.
    #[serde(default)]
    pub clipped: Option<u64>,
}

/// RMS of integer less floating-point state over RMS of the floating-point state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateSample {
    pub position: u64,
    /// All layers together.
    pub relative_error: f64,
    pub by_layer: Vec<f64>,
}

/// A straight line through an error over log2 of the position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    pub n_points: u64,
    /// Mean of the error.
    pub mean: f64,
    /// Growth of the error with every doubling of the position, as a share of its mean.
    pub slope_per_doubling: f64,
    pub slope_se: f64,
}

impl Fit {
    /// Whether the error grows by more than two standard errors explain.
    pub fn grows(&self) -> bool {
        self.slope_per_doubling > 2.0 * self.slope_se
    }
}

impl AccuracyRecord {
    /// Reads and checks a record.
    ///
    /// # Errors
    /// A file that cannot be read, is no JSON, has another `schema_version`, lacks a field or contradicts itself.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let record: Self = input::read(path, SCHEMA_VERSION)?;
        record.check()?;
        Ok(record)
    }

    /// Parses and checks the text of a record, its version before anything else; `origin` is only for messages.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, RecordError> {
        let record: Self = input::parse(text, origin, SCHEMA_VERSION)?;
        record.check()?;
        Ok(record)
    }

    /// The run with these widths.
    pub fn point(&self, setting: &Setting) -> Option<&GridPoint> {
        self.grid.iter().find(|p| p.setting == *setting)
    }

    /// Checks that the fields agree with each other: what the pages rely on.
    pub fn check(&self) -> Result<(), RecordError> {
        let fail = |field: String, value: String, expected: &str| {
            let (model, config) = (self.model.clone(), self.default.name());
            Err(RecordError::Invalid { model, config, field, value, expected: expected.to_string() })
        };
        if self.schema_version != SCHEMA_VERSION {
            return fail("schema_version".into(), self.schema_version.to_string(), &SCHEMA_VERSION.to_string());
        }
        if self.point(&self.default).is_none() {
            return fail("default".into(), self.default.name(), "one of the settings of grid");
        }
        let finite = |v: f64| v.is_finite() && v >= 0.0;
        if !finite(self.float.bits_per_token) || self.float.n_tokens == 0 {
            return fail("float".into(), format!("{:?}", self.float), "bits of at least one prediction");
        }
        for p in &self.grid {
            if ![p.bits_per_token, p.kl, p.kl_se, p.loss_percent_se, p.logit_error].into_iter().all(finite)
                || !p.loss_percent.is_finite()
            {
                return fail(format!("grid: {}", p.setting.name()), format!("{p:?}"), "finite numbers");
            }
            if !(0.0..=1.0).contains(&p.top1_agreement) {
                let field = format!("grid: {}: top1_agreement", p.setting.name());
                return fail(field, p.top1_agreement.to_string(), "0 to 1");
            }
        }
        for t in &self.taps.taps {
            if t.layer > self.shape.n_layer {
                return fail(format!("taps: {}: layer", t.name), t.layer.to_string(), "at most n_layer, the head");
            }
            if !finite(t.range.limit) || !finite(t.relative_error) || t.range.limit == 0.0 {
                return fail(format!("taps: {} of layer {}", t.name, t.layer), format!("{t:?}"), "finite numbers");
            }
        }
        for run in &self.drift.runs {
            if run.bins.iter().any(|b| b.from >= b.to || b.to > self.drift.n_tokens) {
                return fail(
                    format!("drift: {}: bins", run.setting.name()),
                    "out of order".into(),
                    "from < to <= n_tokens",
                );
            }
            if run.states.iter().any(|s| s.by_layer.len() != self.shape.n_layer as usize || !finite(s.relative_error)) {
                let field = format!("drift: {}: states", run.setting.name());
                return fail(field, "by_layer or relative_error".into(), "one finite number a layer");
            }
        }
        Ok(())
    }
}
