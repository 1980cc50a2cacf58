//! The taps of a norm: both steps report its stages under these names.

/// Names of the taps of one norm.
#[derive(Clone, Copy, Debug)]
pub struct NormTaps {
    /// One mean a segment. The float step does not report it.
    pub mean: &'static str,
    /// Multiplier and shift of each segment, interleaved. The float step does not report them.
    pub rstd: &'static str,
    /// The normalised vector.
    pub n: &'static str,
    /// The vector times the gain.
    pub g: &'static str,
    /// The vector plus the bias: the result.
    pub h: &'static str,
}

macro_rules! norm_taps {
    ($name:literal) => {
        NormTaps {
            mean: concat!($name, ".mean"),
            rstd: concat!($name, ".rstd"),
            n: concat!($name, ".n"),
            g: concat!($name, ".g"),
            h: concat!($name, ".h"),
        }
    };
}

pub const LN1: NormTaps = norm_taps!("ln1");
/// The group norm `ln_x` of y.
pub const LN_X: NormTaps = norm_taps!("att.yn");
pub const LN2: NormTaps = norm_taps!("ln2");
pub const LN_OUT: NormTaps = norm_taps!("ln_out");
