//! What the bench of `anser rtl` runs, and the golden model's answers that it compares with.

use super::args::{Prompt, Rtl};
use super::generate::prompt_tokens;
use super::model::Model;
use super::print::bar;
use super::Error;
use golden_model::fast::{default_threads, Runner, Weights};
use golden_model::network::integer_step::argmax;
use records::model::BenchFiles;
use records::output::{write, write_parts};
use rtl_gen::bench::{self, Run, EXPECTED_LOGITS, EXPECTED_TOKENS, FILE, IMAGE, NAME, TOKENS};
use rtl_gen::config::Config;
use rtl_gen::program::Program;
use std::path::Path;
use std::sync::Arc;

/// Tokens after the prompt, unless the user says how many: few, because not every simulator is fast.
const DEFAULT_TOKENS: u32 = 2;
/// Beats of the image that are turned into text at once.
const PIECE_BEATS: usize = 1 << 16;

/// The bench, ready to be written: text and data of each file.
pub struct Bench {
    top: String,
    text: String,
    /// Tokens in, tokens out and logits; the image is written from the weights.
    data: [(&'static str, String); 3],
    tokens: usize,
    logits: usize,
}

/// The tokens that are read first.
pub fn prompt(a: &Rtl, model: &Model) -> Result<Vec<u32>, Error> {
    let prompt = Prompt { prompt: a.prompt.clone(), prompt_tokens: a.prompt_tokens.clone(), ..Prompt::default() };
    match (&prompt.prompt, &prompt.prompt_tokens) {
        (None, None) => Ok(vec![0]),
        _ => prompt_tokens(&prompt, model, &model.tokenizer()),
    }
}

/// Makes the bench of `weights` on `config`. Its expected values come from the golden model, which reads the prompt and then its own
/// most likely tokens. Every further slot has a text of its own: the same prompt with another first token.
pub fn make(
    a: &Rtl,
    config: &Config,
    weights: &Arc<Weights>,
    prompt: &[u32],
    program: &Program,
) -> Result<Bench, Error> {
    let run = Run {
        image_bytes: weights.emb.stream().len(),
        program_words: [0, 1, 2, 3].map(|unit| program.code[unit].iter().map(Vec::len).sum()),
        state_bytes: program.state.map_or(0, |s| s.useful_bytes()),
        tokens: prompt.len() + a.tokens.unwrap_or(DEFAULT_TOKENS) as usize,
        vocab: weights.shape.vocab_size,
    };
    let module = bench::bench(config, &run)?;
    let mut printed = rtl_gen::hdl::print(&module)?.renamed(&a.prefix)?;
    let text = printed.files.shift_remove(&format!("{}{NAME}.sv", a.prefix)).unwrap_or_default();

    let slots = config.sessions;
    let bar = bar((run.tokens * slots) as u64, "expected values");
    let mut golden = Runner::new(weights.clone(), default_threads());
    let mut sessions = vec![golden.session(); slots];
    let (mut tokens, mut said, mut logits) = (vec![], vec![], vec![vec![]; slots]);
    for i in 0..run.tokens {
        for (slot, session) in sessions.iter_mut().enumerate() {
            let token = match prompt.get(i) {
                Some(token) if i == 0 => (*token as usize + slot) % run.vocab,
                Some(token) => *token as usize,
                None => said[said.len() - slots] as usize,
            };
            let of_token = golden.step(session, token as u32)?;
            tokens.push(token as u32);
            said.push(argmax(of_token) as u32);
            logits[slot].extend(of_token.iter().map(|v| *v as u32));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let data = [
        (TOKENS, bench::words(tokens)),
        (EXPECTED_TOKENS, bench::words(said)),
        (EXPECTED_LOGITS, bench::side_by_side(&logits)),
    ];
    Ok(Bench { top: printed.top, text, data, tokens: run.tokens, logits: run.tokens * run.vocab * slots })
}

impl Bench {
    /// Names and sizes of the bench and its data.
    pub fn files(&self) -> BenchFiles {
        BenchFiles {
            top: self.top.clone(),
            file: FILE.into(),
            data: [IMAGE, TOKENS, EXPECTED_TOKENS, EXPECTED_LOGITS].map(str::to_string).into(),
            tokens: self.tokens,
            logits: self.logits,
        }
    }

    /// Writes all files into `folder`, among them the weight stream `image` as beats of `config`.
    pub fn write(&self, config: &Config, image: &[u8], folder: &Path) -> Result<(), Error> {
        // piece by piece, because its text is more than twice as long as the stream
        let pieces =
            image.chunks(PIECE_BEATS * config.beat_bytes()).map(|piece| bench::beats(config, piece).into_bytes());
        write_parts(&folder.join(IMAGE), pieces)?;
        for (name, text) in &self.data {
            write(&folder.join(name), text)?;
        }
        Ok(write(&folder.join(FILE), &self.text)?)
    }
}
