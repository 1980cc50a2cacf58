//! `inspect` and `random`: checkpoints and images as files.

use super::args::{Inspect, Random};
use super::model::Model;
use super::print::Out;
use super::Error;
use golden_model::checkpoint::names::RANK_S;
use golden_model::checkpoint::random::{official_shape, write_random};
use golden_model::checkpoint::{Dtype, Shape, Spelling, TensorSpec};
use golden_model::network::model::is_own;
use golden_model::network::recipe::{Recipe, TensorRecord};
use records::model::{Inspected, RandomCheckpoint};
use records::output::check_file;
use std::process::ExitCode;

pub fn inspect(a: &Inspect, out: &Out) -> Result<ExitCode, Error> {
    let (model, name) = Model::open(&a.model)?;
    let s = model.shape();
    let format = match &model {
        Model::Checkpoint(c) => format!("{:?}", c.format()).to_lowercase(),
        Model::Image(_) => "anser image".into(),
    };
    let eps = match &model {
        Model::Checkpoint(c) => c.eps(),
        Model::Image(i) => i.formats().0.eps,
    };
    let seen = Inspected {
        model: name,
        format,
        n_layer: s.n_layer,
        n_embd: s.n_embd,
        n_head: s.n_head,
        head_size: s.head_size,
        vocab_size: s.vocab_size,
        dim_ffn: s.dim_ffn,
        rank_w: s.rank_w,
        rank_a: s.rank_a,
        rank_v: s.rank_v,
        rank_g: s.rank_g,
        deep_embed: s.deep_embed,
        n_params: s.n_params(),
        bytes_per_token: match &model {
            Model::Checkpoint(_) => bytes_per_token(s),
            Model::Image(i) => i.layout().bytes_per_token(i.formats().0.clusters),
        },
        recipe: match &model {
            Model::Checkpoint(_) => None,
            Model::Image(i) => i.formats().0.recipe.clone(),
        },
        state_elements: s.n_layer * s.n_embd * (s.head_size + 2),
        names: match &model {
            Model::Checkpoint(c) if c.spelling() == Spelling::HuggingFace => "hugging face".into(),
            Model::Checkpoint(c) if c.spelling() == Spelling::Gguf => "gguf".into(),
            _ => "official".into(),
        },
        dtypes: match &model {
            Model::Checkpoint(c) => c.dtypes().iter().map(Dtype::to_string).collect(),
            Model::Image(i) => i.layout().matrix_formats(),
        },
        ignored: match &model {
            Model::Checkpoint(c) => c.ignored().to_vec(),
            Model::Image(_) => vec![],
        },
        tied_head: matches!(&model, Model::Checkpoint(c) if c.tied_head()),
        norm_eps: eps.ln,
        group_norm_eps: eps.ln_x,
        tokenizer: model.tokenizer().name().into(),
    };
    out.result(&seen, || {
        format!(
            "{} ({})\n  n_layer {}  n_embd {}  n_head {}  head_size {}  dim_ffn {}  vocab_size {}\n  ranks w {} a {} v {} g {}{}\n  \
             {} parameters, {} bytes a token{}, {} state elements\n  \
             {} numbers, {} names, tokenizer: {}, epsilon {:e} (group norm {:e}){}{}{}",
            seen.model, seen.format, seen.n_layer, seen.n_embd, seen.n_head, seen.head_size, seen.dim_ffn, seen.vocab_size,
            seen.rank_w, seen.rank_a, seen.rank_v, seen.rank_g, if seen.deep_embed { "  DeepEmbed (RWKV-7a)" } else { "" }, seen.n_params, seen.bytes_per_token, if seen.recipe.is_some() { "" } else { " at W8" }, seen.state_elements,
            seen.dtypes.join(" "), seen.names, seen.tokenizer, seen.norm_eps, seen.group_norm_eps,
            if seen.tied_head { "\n  the head is the embedding" } else { "" },
            if seen.ignored.is_empty() { String::new() } else { format!("\n  ignored: {}", seen.ignored.join(" ")) },
            seen.recipe.as_ref().map_or(String::new(), tensors)
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// One line for each matrix whose output's error was measured.
pub fn tensors(recipe: &Recipe) -> String {
    let line = |t: &TensorRecord| {
        let branch = if t.format.branch > 0 { format!(" + branch of rank {}", t.format.branch) } else { String::new() };
        let form = format!("{:?} {:?}{branch}", t.format.bits, t.format.round).to_lowercase();
        let form = form.replace("columns", "-columns"); // as in JSON
        format!("\n  {:<32} {form:<32} {:>9} bytes, output error {:.3e}", t.tensor, t.bytes, t.output_error)
    };
    recipe.tensors.iter().map(line).collect()
}

/// W8 matrices with 16-bit row scales, 16-bit low-rank pairs and vectors, one row of the embedding and one matrix of DeepEmbed a layer.
fn bytes_per_token(shape: &Shape) -> u64 {
    let bytes = |t: TensorSpec| {
        let sizes: Vec<u64> = t.dims.iter().map(|d| shape.size(*d) as u64).collect();
        let leaf = t.name.rsplit('.').next().unwrap_or("").to_string();
        match sizes[..] {
            [_, cols] if t.name == "emb.weight" => 2 * cols,
            // folded into the tables of the embedding and of DeepEmbed
            _ if t.name.contains(".ln0.") || t.name.contains(".s_emb_x.") => 0,
            // a matrix of the token's own
            [_, numbers] if is_own(&t.name) => numbers + 2 * RANK_S as u64,
            // stored (in, out), so that rows of the chip's matrix are columns here
            [inner, outer] if ["w1", "w2", "a1", "a2", "v1", "v2", "g1", "g2", "s1", "s2"].contains(&leaf.as_str()) => {
                2 * inner * outer + 2 * outer
            }
            [rows, cols] if leaf == "weight" => rows * cols + 2 * rows,
            _ => 2 * sizes.iter().product::<u64>(),
        }
    };
    shape.tensors().map(bytes).sum()
}

pub fn random(a: &Random, out: &Out) -> Result<ExitCode, Error> {
    let mut shape = official_shape(a.layers, a.embd, a.head_size, a.vocab)?;
    if let Some(ffn) = a.ffn {
        shape.dim_ffn = ffn;
    }
    if let Some([w, a, v, g]) = &a.ranks {
        (shape.rank_w, shape.rank_a, shape.rank_g) = (*w, *a, *g);
        shape.rank_v = if shape.n_layer > 1 { *v } else { 0 };
    }
    shape.deep_embed = a.deep_embed;
    check_file(&a.output)?;
    let n_params = write_random(&a.output, &shape, Dtype::F16, a.seed)?;
    let written = RandomCheckpoint { output: a.output.display().to_string(), n_params };
    out.result(&written, || format!("{}: {} parameters", written.output, n_params))?;
    Ok(ExitCode::SUCCESS)
}
