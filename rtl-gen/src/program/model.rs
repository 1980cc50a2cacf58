//! What the compiler sees of a quantised model.

use super::memory::Dims;
use super::{MatrixBlock, Model, ParamBlock};
use crate::isa::mat_fmt;
use golden_model::image::layout::{BlockKind, MatrixFormat, StreamLayout};
use golden_model::network::model::QModel;
use golden_model::network::tensors::Matrix;
use std::collections::BTreeMap;

/// Returns the compiler's view of `model`, whose tensors lie in memory as `layout` says.
pub fn view<M: Matrix>(model: &QModel<M>, layout: &StreamLayout) -> Model {
    let s = &model.shape;
    let mut params = BTreeMap::new();
    let mut matrices = BTreeMap::new();
    let mut embedding = (0, 0);
    for b in layout.blocks() {
        let (offset, len) = (b.offset_units as usize, b.len_units as usize);
        match b.kind {
            BlockKind::Embedding { stride_units, .. } => embedding = (offset, stride_units as usize),
            BlockKind::Order { .. } => {} // of a head in clusters, refused by `compile`
            BlockKind::Vector { .. } => {
                params.insert(b.name.clone(), ParamBlock { offset, len });
            }
            BlockKind::Matrix { rows, cols, format } => {
                let fmt = match format {
                    MatrixFormat::W8 => mat_fmt::W8,
                    MatrixFormat::W16 => mat_fmt::W16,
                    MatrixFormat::W8Columns => mat_fmt::W8_COLUMNS,
                    MatrixFormat::W4 => mat_fmt::W4,
                    MatrixFormat::W4Columns => crate::isa::W4_COLUMNS,
                };
                let (rows, cols) = (rows as usize, cols as usize);
                matrices.insert(b.name.clone(), MatrixBlock { offset, len, rows, cols, fmt });
            }
        }
    }
    Model {
        dims: Dims {
            n_layer: s.n_layer,
            n_embd: s.n_embd,
            head_size: s.head_size,
            dim_ffn: s.dim_ffn,
            vocab_size: s.vocab_size,
            rank_w: s.rank_w,
            rank_a: s.rank_a,
            rank_v: s.rank_v,
            rank_g: s.rank_g,
            deep_embed: s.deep_embed,
        },
        net: model.f.clone(),
        layers: model.layers.iter().map(|l| l.f.clone()).collect(),
        shifts: model.layers.iter().map(|l| l.shifts.clone()).collect(),
        net_shifts: model.shifts.clone(),
        params,
        matrices,
        embedding,
        image_units: layout.units() as usize,
        skip_columns: false,
    }
}
