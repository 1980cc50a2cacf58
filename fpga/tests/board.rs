//! The whole board in simulation: a model goes in over the serial line, text comes out of it, and it is golden's text.

use fpga::board::ULX3S_85F;
use fpga::link::{Host, Line, LineError, LinkError, LinkOptions};
use fpga::rtl::system::SystemOptions;
use fpga::sim::board::SimBoard;
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::checkpoint::Shape;
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::network::integer_step::{argmax, step, IntState, NoTaps};
use golden_model::network::model::QModel;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::random::random_model;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use rtl_gen::program::{compile, model::view, Program};
use rtl_gen::registers::reg;
use sim_harness::dut::BuildOptions;
use std::time::Duration;

const OPTIONS: SystemOptions = SystemOptions { clock_khz: 80_000, clocks_per_bit: 8, frame_timeout_cycles: 4_000 };
/// The waits that `OPTIONS` and the simulated clock need: a lost frame costs 24,000 cycles, not millions.
const LINK: LinkOptions = LinkOptions { reply: Duration::from_micros(300), token: Duration::from_millis(5), tries: 4 };

fn nano() -> Config {
    Config::parse(include_str!("../../configs/nano.toml"), "nano").unwrap()
}

/// A byte-level model with random weights: the golden model, its image and its programs.
fn model(seed: u64) -> (QModel, Vec<u8>, Program) {
    model_of(seed, 256)
}

fn model_of(seed: u64, vocab_size: usize) -> (QModel, Vec<u8>, Program) {
    let shape = Shape {
        n_layer: 2,
        n_embd: 32,
        n_head: 2,
        head_size: 16,
        vocab_size,
        dim_ffn: 64,
        rank_w: 8,
        rank_a: 8,
        rank_v: 8,
        rank_g: 8,
        deep_embed: false,
    };
    let golden = random_model(&shape, &QuantOptions::default(), seed).unwrap();
    let image = stream(&golden);
    let program = compile(&nano(), &view(&golden, &StreamLayout::of(&golden))).unwrap();
    (golden, image, program)
}

/// What golden says after `prompt`, greedily.
struct Golden {
    model: QModel,
    state: IntState,
    next: u32,
}

impl Golden {
    fn new(model: QModel) -> Self {
        Golden { state: IntState::new(&model), model, next: 0 }
    }
    fn read(&mut self, token: u32) {
        let mut sat = SaturationCounts::default();
        let logits = step(&self.model, token as usize, &mut self.state, &mut sat, &mut NoTaps);
        self.next = argmax(&logits) as u32;
    }
    fn speak(&mut self, n: usize) -> Vec<u32> {
        (0..n)
            .map(|i| {
                if i > 0 {
                    self.read(self.next);
                }
                self.next
            })
            .collect()
    }
}

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

fn board(memory: &[u8]) -> SimBoard {
    SimBoard::new(&nano(), &ULX3S_85F, &OPTIONS, memory, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_model_loaded_over_the_line_speaks_as_golden_does() {
    let (golden, image, program) = model(1);
    let mut host = Host::connect(board(&[]), &nano(), LINK).unwrap();
    host.load_memory(&image, 32 << 20, |_| ()).unwrap();
    assert_eq!(&host.line.chip.memory()[..image.len()], image, "the image in the SDRAM");
    host.load_programs(&program.code, program.tokens).unwrap();
    host.feed(&bytes("A goose"), true).unwrap();
    let said = host.speak(12, |_| true).unwrap();
    let mut expected = Golden::new(golden.clone());
    b"A goose".iter().for_each(|t| expected.read(u32::from(*t)));
    assert_eq!(said, expected.speak(12));
    assert_eq!(host.repeated, 0);

    // the conversation goes on: the last token said is read before the next words are
    host.feed(&bytes(" swims"), false).unwrap();
    expected.read(expected.next);
    b" swims".iter().for_each(|t| expected.read(u32::from(*t)));
    assert_eq!(host.speak(5, |_| true).unwrap(), expected.speak(5));

    // and begins anew
    host.feed(&bytes("A goose"), true).unwrap();
    assert_eq!(host.speak(3, |_| true).unwrap(), said[..3]);

    // told to be quiet
    let mut heard = 0;
    let said = host.speak(1000, |_| {
        heard += 1;
        heard < 4
    });
    assert!((4..8).contains(&said.unwrap().len()), "it went on speaking");
}

/// A line on which bytes are lost and changed, both ways.
struct Noisy {
    board: SimBoard,
    rng: ChaCha8Rng,
    p: f64,
}

impl Line for Noisy {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        let mut sent = vec![];
        for byte in bytes {
            match self.rng.gen_bool(self.p) {
                true if self.rng.gen_bool(0.5) => {}
                true => sent.push(byte ^ 1 << self.rng.gen_range(0..8)),
                false => sent.push(*byte),
            }
        }
        self.board.send(&sent)
    }
    fn receive(&mut self, limit: Duration) -> Result<Option<u8>, LineError> {
        match self.board.receive(limit)? {
            Some(byte) if self.rng.gen_bool(self.p) => match self.rng.gen_bool(0.5) {
                true => self.receive(limit),
                false => Ok(Some(byte ^ 1 << self.rng.gen_range(0..8))),
            },
            other => Ok(other),
        }
    }
}

#[test]
fn lost_and_changed_bytes_cost_time_and_nothing_else() {
    let (golden, image, program) = model(2);
    let line = Noisy { board: board(&[]), rng: ChaCha8Rng::seed_from_u64(3), p: 0.004 };
    let mut host = Host::connect(line, &nano(), LinkOptions { tries: 8, ..LINK }).unwrap();
    let some = 40 * 64;
    host.load_memory(&image[..some], 32 << 20, |_| ()).unwrap();
    assert_eq!(&host.line.board.chip.memory()[..some], &image[..some]);
    assert!(host.line.board.chip.memory()[some..].iter().all(|b| *b == 0), "a damaged frame was written somewhere");
    assert!(host.repeated > 3, "nothing was damaged");

    // a program word written twice, or a token read twice, would show in the text
    let mut host =
        Host::connect(Noisy { board: board(&image), ..host.line }, &nano(), LinkOptions { tries: 8, ..LINK }).unwrap();
    host.load_programs(&program.code, program.tokens).unwrap();
    host.feed(&bytes("Goose, goose"), true).unwrap();
    let mut expected = Golden::new(golden);
    b"Goose, goose".iter().for_each(|t| expected.read(u32::from(*t)));
    host.line.p = 0.0;
    assert_eq!(host.speak(6, |_| true).unwrap(), expected.speak(6));
}

/// Tokens beyond 255, in one text with others; one beyond the vocabulary is refused by the chip.
#[test]
fn a_large_vocabulary_travels_as_numbers() {
    let (golden, image, program) = model_of(4, 1000);
    let mut host = Host::connect(board(&image), &nano(), LINK).unwrap();
    host.load_programs(&program.code, program.tokens).unwrap();
    let mut expected = Golden::new(golden);
    let mut text: Vec<u32> = vec![999, 3, 4, 256, 255, 700];
    text.extend((0..20).map(|i| 300 + i)); // more than fit one frame
    for (i, part) in text.chunks(9).enumerate() {
        host.feed(part, i == 0).unwrap();
    }
    text.iter().for_each(|t| expected.read(*t));
    let said = host.speak(8, |_| true).unwrap();
    assert_eq!(said, expected.speak(8));
    assert!(said.iter().any(|t| *t > 255), "a test of large numbers: {said:?}");
    let error = host.feed(&[1000], false).unwrap_err();
    assert!(matches!(error, LinkError::NotNow { .. }), "{error}");
}

#[test]
fn a_token_lost_on_the_way_is_an_error_and_no_gap() {
    let (_, image, program) = model(1);
    let line = Noisy { board: board(&image), rng: ChaCha8Rng::seed_from_u64(5), p: 0.0 };
    let mut host = Host::connect(line, &nano(), LINK).unwrap();
    host.load_programs(&program.code, program.tokens).unwrap();
    host.feed(&bytes("x"), true).unwrap();
    host.line.p = 0.05;
    let said = host.speak(40, |_| true);
    assert!(matches!(said, Err(LinkError::LostToken { .. } | LinkError::Silent { .. })), "{said:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let (_, image, program) = model(1);
    let mut other = nano();
    other.limits.vec_program /= 2;
    let error = Host::connect(board(&image), &other, LINK).err().unwrap().to_string();
    assert!(error.contains("not of configuration nano: register CONFIG"), "{error}");
    let mut host = Host::connect(board(&image), &nano(), LINK).unwrap();
    let refused = host.speak(3, |_| true).unwrap_err().to_string();
    assert!(refused.contains("does not know this command, or not yet"), "{refused}");
    assert_eq!(host.read(reg::ID).unwrap(), 0x414E_5352);
    host.load_programs(&program.code, program.tokens).unwrap();
    // an image beyond the end of the 32 MB
    host.write(reg::IMAGE_BASE_LO, &[32 << 20]).unwrap();
    let error = host.feed(&bytes("a"), true).unwrap_err();
    assert!(matches!(error, LinkError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("the chip ended a token with READ_ERROR"), "{error}");
    // the conversation is lost with it: the board says no more of it until another one begins
    let error = host.feed(&bytes("b"), false).unwrap_err();
    assert!(matches!(error, LinkError::NotNow { .. }), "{error}");
    host.write(reg::IMAGE_BASE_LO, &[0]).unwrap();
    host.feed(&bytes("c"), true).unwrap();
    let huge = vec![0; 100];
    assert!(matches!(host.load_memory(&huge, 64, |_| ()), Err(LinkError::ImageSize { .. })));
}
