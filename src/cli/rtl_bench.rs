//! What the bench of `anser rtl` runs, and the golden model's answers that it compares with.

use super::args::{Prompt, Rtl};
use super::generate::prompt_tokens;
use super::model::Model;
use super::print::{bar, write_file};
use super::Error;
use golden_model::network::integer_step::argmax;
use golden_model::network::model::QModel;
use golden_model::network::session::GoldenSession;
use records::model::BenchFiles;
use rtl_gen::bench::{self, Run, EXPECTED_LOGITS, EXPECTED_TOKENS, FILE, IMAGE, NAME, TOKENS};
use rtl_gen::config::Config;
use rtl_gen::program::Program;
use std::path::Path;

/// Tokens after the prompt, unless the user says how many: few, because not every simulator is fast.
const DEFAULT_TOKENS: u32 = 2;

/// The bench, ready to be written: text and data of each file.
pub struct Bench {
    top: String,
    text: String,
    data: [(&'static str, String); 4],
    tokens: usize,
    logits: usize,
}

/// The tokens that are read first.
pub fn prompt(a: &Rtl, model: &Model) -> Result<Vec<u32>, Error> {
    let prompt = Prompt { prompt: a.prompt.clone(), prompt_tokens: a.prompt_tokens.clone() };
    match (&prompt.prompt, &prompt.prompt_tokens) {
        (None, None) => Ok(vec![0]),
        _ => prompt_tokens(&prompt, model, &model.tokenizer()),
    }
}

/// Runs `golden` on the prompt and on what it says then, the most likely token each time. Every further slot has a text of its own: that
/// prompt with another first token.
pub fn make(
    a: &Rtl,
    config: &Config,
    golden: &QModel,
    prompt: &[u32],
    program: &Program,
    image: &[u8],
) -> Result<Bench, Error> {
    let run = Run {
        image_bytes: image.len(),
        program_words: [0, 1, 2, 3].map(|unit| program.code[unit].iter().map(Vec::len).sum()),
        state_bytes: program.state.map_or(0, |s| s.useful_bytes()),
        tokens: prompt.len() + a.tokens.unwrap_or(DEFAULT_TOKENS) as usize,
        vocab: golden.shape.vocab_size,
    };
    let module = bench::bench(config, &run)?;
    let mut printed = rtl_gen::hdl::print(&module)?.renamed(&a.prefix)?;
    let text = printed.files.shift_remove(&format!("{}{NAME}.sv", a.prefix)).unwrap_or_default();

    let slots = config.sessions;
    let bar = bar((run.tokens * slots) as u64, "expected values");
    let mut sessions: Vec<_> = (0..slots).map(|_| GoldenSession::new(golden)).collect();
    let (mut tokens, mut said, mut logits) = (vec![], vec![], vec![vec![]; slots]);
    for i in 0..run.tokens {
        for (slot, session) in sessions.iter_mut().enumerate() {
            let token = match prompt.get(i) {
                Some(token) if i == 0 => (*token as usize + slot) % run.vocab,
                Some(token) => *token as usize,
                None => said[said.len() - slots] as usize,
            };
            let of_token = session.step_integer(token as u32)?;
            tokens.push(token as u32);
            said.push(argmax(&of_token) as u32);
            logits[slot].extend(of_token.into_iter().map(|v| v as u32));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let data = [
        (IMAGE, bench::beats(config, image)),
        (TOKENS, bench::words(tokens)),
        (EXPECTED_TOKENS, bench::words(said)),
        (EXPECTED_LOGITS, bench::side_by_side(&logits)),
    ];
    Ok(Bench { top: printed.top, text, data, tokens: run.tokens, logits: run.tokens * run.vocab * slots })
}

impl Bench {
    /// Writes all files into `folder`.
    pub fn write(&self, folder: &Path) -> Result<BenchFiles, Error> {
        for (name, text) in &self.data {
            write_file(&folder.join(name), text.as_bytes())?;
        }
        write_file(&folder.join(FILE), self.text.as_bytes())?;
        Ok(BenchFiles {
            top: self.top.clone(),
            file: FILE.into(),
            data: [IMAGE, TOKENS, EXPECTED_TOKENS, EXPECTED_LOGITS].map(str::to_string).into(),
            tokens: self.tokens,
            logits: self.logits,
        })
    }
}
