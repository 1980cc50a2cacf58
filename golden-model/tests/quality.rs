//! Text and quality of the trained network in integers, against floating point.

mod common;

use common::shakespeare;
use golden_model::network::integer_step::argmax;
use golden_model::network::session::{FloatSession, GoldenSession, Session};
use golden_model::quantise::options::QuantOptions;
use golden_model::text::eval::{evaluate, EvalError};
use golden_model::text::generate::{generate, GenerateError, Sampler};
use std::ops::ControlFlow;

#[test]
fn integers_predict_as_well_as_floats() {
    let (pair, text) = shakespeare(&QuantOptions::default());
    let text = &text[..400];
    let none = None::<&mut FloatSession>;
    let float = evaluate(&mut FloatSession::new(&pair.weights), none, text, |_| Some(1), |_| {}).unwrap();
    let mut session = GoldenSession::new(&pair.model);
    let golden =
        evaluate(&mut session, Some(&mut FloatSession::new(&pair.weights)), text, |_| Some(1), |_| {}).unwrap();
    eprintln!("float {float:?}\ngolden {golden:?} {:?}", session.saturations);
    assert_eq!((golden.n_tokens, golden.bits_per_byte), (399, Some(golden.bits_per_token)));
    assert!(float.bits_per_token < 3.0, "the network is not trained");
    assert!((golden.bits_per_token - float.bits_per_token).abs() < 0.005);
    let against = golden.against.unwrap();
    assert!(against.top1_agreement > 0.98 && against.kl < 1e-3);
    let difference = golden.bits_per_token - float.bits_per_token;
    assert!((against.loss_bits_per_token - difference).abs() < 1e-9);
    // token by token the two err together, so their difference is known better than either
    let (loss, own) = (against.loss_bits_per_token_se.unwrap(), float.bits_per_token_se.unwrap());
    assert!(loss > 0.0 && loss < 0.1 * own, "{loss} {own}");
    assert_eq!(float.against, None);
}

#[test]
fn greedy_text_is_the_chips_argmax() {
    let (pair, text) = shakespeare(&QuantOptions::default());
    let mut shown = vec![];
    let show = |t| {
        shown.push(t);
        ControlFlow::Continue(())
    };
    let mut whole = GoldenSession::new(&pair.model);
    generate(&mut whole, &mut vec![], &text[..8], 24, &mut Sampler::greedy(), show).unwrap();
    let mut session = GoldenSession::new(&pair.model);
    let mut fed = text[..8].to_vec();
    for i in 0..32 {
        let next = argmax(&session.step_integer(fed[i]).unwrap()) as u32;
        if i + 1 >= 8 && fed.len() < 32 {
            fed.push(next);
        }
    }
    assert_eq!(shown, fed[8..]);
    eprintln!("{:?}", String::from_utf8_lossy(&fed.iter().map(|t| *t as u8).collect::<Vec<_>>()));
}

#[test]
fn what_a_user_gets_wrong_is_an_error() {
    let (pair, _) = shakespeare(&QuantOptions::default());
    let session = || GoldenSession::new(&pair.model);
    let empty = generate(&mut session(), &mut vec![], &[], 3, &mut Sampler::greedy(), |_| ControlFlow::Continue(()));
    assert!(matches!(empty, Err(GenerateError::EmptyPrompt)));
    let unknown = session().step(256).unwrap_err().to_string();
    assert_eq!(unknown, "token 256, expected one below the vocabulary's 256");
    let none = || None::<&mut FloatSession<'_>>;
    assert!(matches!(evaluate(&mut session(), none(), &[1], |_| None, |_| {}), Err(EvalError::TooShort(1))));
    let last = evaluate(&mut session(), none(), &[1, 300], |_| None, |_| {}).unwrap_err().to_string();
    assert_eq!(last, "token 300, expected one below the vocabulary's 256");
}
