//! The smallest limits with which a configuration serves a model.

use crate::shape::outline;
use golden_model::checkpoint::Shape;
use records::explore::Weights;
use rtl_gen::config::{Config, ConfigError};
use rtl_gen::program::{compile, CompileError, Model, Program};

/// Why no limits do.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl FitError {
    /// Whether the model is larger than what instructions can address, so that another kind of chip may serve it.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Config(ConfigError::Range { field, .. }) if field.starts_with("limits."))
    }
}

/// `config` with limits that are what `model` needs, and the program for it. Fifos keep their size or grow.
///
/// # Errors
/// What a configuration cannot be, or a model that no limit serves.
pub fn fit(config: &Config, shape: &Shape, model: &Model) -> Result<(Config, Program), FitError> {
    config.check_machine(&config.name)?;
    let mut c = config.clone();
    let l = &mut c.limits;
    (l.n_embd, l.dim_ffn) = (shape.n_embd.next_multiple_of(16), shape.dim_ffn.next_multiple_of(16));
    (l.n_head, l.vmem_elements, l.xmem_elements, l.state_elements) = (16, 16, 16, 16);
    (l.dma_program, l.mat_program, l.vec_program, l.wkv_program) = (2, 2, 2, 2);
    loop {
        match compile(&c, model) {
            Ok(program) => {
                c.check(&c.name)?;
                return Ok((c, program));
            }
            Err(CompileError::Limit { limit, needed, .. }) if grow(&mut c, limit, needed) => {}
            // an address that no instruction can hold is a limit beyond its range, which says more
            Err(CompileError::Encode(what)) => {
                c.check(&c.name)?;
                return Err(CompileError::Encode(what).into());
            }
            Err(other) => return Err(other.into()),
        }
    }
}

/// The first of `known` that serves a model of `shape` in W8: those whose limits hold it as they are come before those that grow.
pub fn serving<'a>(known: &'a [Config], shape: &Shape) -> Option<&'a Config> {
    let model = |c: &Config| outline(shape, Weights::W8, c.numbers.state_bits as u32);
    let holds = |c: &&Config| compile(c, &model(c)).is_ok();
    let grows = |c: &&Config| fit(c, shape, &model(c)).is_ok();
    known.iter().find(holds).or_else(|| known.iter().find(grows))
}

/// Sets a limit to at least `needed`; false for a name that is no limit, or one that is as large already.
fn grow(c: &mut Config, limit: &str, needed: usize) -> bool {
    let l = &mut c.limits;
    let (field, value) = match limit {
        "n_head" => (&mut l.n_head, needed.next_multiple_of(16)),
        "vmem_elements" => (&mut l.vmem_elements, needed.next_multiple_of(64)),
        "xmem_elements" => (&mut l.xmem_elements, needed.next_multiple_of(64)),
        "state_elements" => (&mut l.state_elements, needed.next_multiple_of(64)),
        "param_fifo_beats" => (&mut l.param_fifo_beats, needed.next_power_of_two()),
        "state_fifo_beats" => (&mut l.state_fifo_beats, needed.next_power_of_two()),
        "dma_program" => (&mut l.dma_program, needed),
        "mat_program" => (&mut l.mat_program, needed),
        "vec_program" => (&mut l.vec_program, needed),
        "wkv_program" => (&mut l.wkv_program, needed),
        _ => return false,
    };
    let grows = value > *field;
    *field = (*field).max(value);
    grows
}
