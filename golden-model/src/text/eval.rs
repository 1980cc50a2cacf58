//! How well a network predicts a text, and how close the integers stay to the floating-point network.

use crate::network::session::Session;
use crate::study::score::mean_and_error;
use crate::text::generate::{first_largest, log_softmax};

/// Quality over a text. Fields that end in `_se` are standard errors of means over tokens, from blocks of the text
/// ([`mean_and_error`]); they are absent for a single prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Predictions made: one less than the tokens of the text.
    pub n_tokens: usize,
    /// Mean −log2 of the probability given to the token that came.
    pub bits_per_token: f64,
    pub bits_per_token_se: Option<f64>,
    /// Bits per byte of text; absent for tokens without text.
    pub bits_per_byte: Option<f64>,
    /// The comparison with the reference, if there is one.
    pub against: Option<Against>,
}

/// A network's predictions of a text against those of a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// Bits a token more than the reference needs, token by token.
    pub loss_bits_per_token: f64,
    pub loss_bits_per_token_se: Option<f64>,
    /// Share of predictions whose likeliest token is the reference's, 0 to 1.
    pub top1_agreement: f64,
    pub top1_agreement_se: Option<f64>,
    /// Mean Kullback-Leibler divergence of the reference's distribution from the network's, in nats.
    pub kl: f64,
    pub kl_se: Option<f64>,
}

impl Against {
    /// The comparison of a network with itself.
    pub fn of_itself() -> Self {
        Self {
            loss_bits_per_token: 0.0,
            loss_bits_per_token_se: Some(0.0),
            top1_agreement: 1.0,
            top1_agreement_se: Some(0.0),
            kl: 0.0,
            kl_se: Some(0.0),
        }
    }
}

/// Why a text cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvalError<E: std::error::Error, R: std::error::Error> {
    #[error("{0} tokens, expected at least 2: one to start with and one to predict")]
    TooShort(usize),
    #[error(transparent)]
    Step(E),
    #[error("reference: {0}")]
    Reference(R),
}

/// Predicts every token of `tokens` from those before it. `reference` is compared with, if given; `bytes_of` is the length of a token's text;
/// `progress` is called after each prediction.
///
/// # Errors
/// If there are fewer than two tokens or a step fails.
pub fn evaluate<S: Session, R: Session>(
    session: &mut S,
    mut reference: Option<&mut R>,
    tokens: &[u32],
    bytes_of: impl Fn(u32) -> Option<usize>,
    mut progress: impl FnMut(usize),
) -> Result<Evaluation, EvalError<S::Error, R::Error>> {
    if tokens.len() < 2 {
        return Err(EvalError::TooShort(tokens.len()));
    }
    let n = tokens.len() - 1;
    let bits = |log_p: f64| -log_p / std::f64::consts::LN_2;
    let (mut nats, mut bits_of_each) = (0.0, vec![]);
    let (mut losses, mut agreed, mut divergences) = (vec![], vec![], vec![]);
    for (i, pair) in tokens.windows(2).enumerate() {
        let logits = session.step(pair[0]).map_err(EvalError::Step)?;
        let log_p = log_softmax(&logits, 1.0);
        // a text may hold a token the network lacks; the next step would refuse it, so it is refused here in the same words
        let Some(log_next) = log_p.get(pair[1] as usize) else {
            return Err(EvalError::Step(session.step(pair[1]).err().ok_or(EvalError::TooShort(i))?));
        };
        let log_next = *log_next;
        nats -= log_next;
        bits_of_each.push(bits(log_next));
        if let Some(reference) = &mut reference {
            let exact = reference.step(pair[0]).map_err(EvalError::Reference)?;
            agreed.push(f64::from(u8::from(first_largest(&exact) == first_largest(&logits))));
            let log_q = log_softmax(&exact, 1.0);
            losses.push(bits(log_next) - log_q.get(pair[1] as usize).map_or(f64::NAN, |q| bits(*q)));
            let weighted = |(q, p): (&f64, &f64)| if q.is_finite() { q.exp() * (q - p) } else { 0.0 };
            divergences.push(log_q.iter().zip(&log_p).map(weighted).sum::<f64>());
        }
        progress(i + 1);
    }
    let bits = nats / std::f64::consts::LN_2;
    let bytes: Option<usize> = tokens[1..].iter().map(|t| bytes_of(*t)).sum();
    let mean = |values: Vec<f64>| {
        let (mean, error) = mean_and_error(values.into_iter());
        (mean, error.is_finite().then_some(error))
    };
    let against = reference.is_some().then(|| {
        let (loss_bits_per_token, loss_bits_per_token_se) = mean(losses);
        let ((top1_agreement, top1_agreement_se), (kl, kl_se)) = (mean(agreed), mean(divergences));
        Against { loss_bits_per_token, loss_bits_per_token_se, top1_agreement, top1_agreement_se, kl, kl_se }
    });
    Ok(Evaluation {
        n_tokens: n,
        bits_per_token: bits / n as f64,
        bits_per_token_se: mean(bits_of_each).1,
        bits_per_byte: bytes.filter(|b| *b > 0).map(|b| bits / b as f64),
        against,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::session::TokenError;

    /// Gives the same logits after every token.
    struct Fixed(Vec<f64>);

    impl Session for Fixed {
        type Error = TokenError;
        fn vocab_size(&self) -> usize {
            self.0.len()
        }
        fn step(&mut self, token: u32) -> Result<Vec<f64>, TokenError> {
            let vocab_size = self.0.len();
            if token as usize >= vocab_size {
                Err(TokenError { token, vocab_size })
            } else {
                Ok(self.0.clone())
            }
        }
    }

    #[test]
    fn known_distributions() {
        let uniform = || Fixed(vec![7.0; 8]);
        let mut steps = vec![];
        let e = evaluate(&mut uniform(), None::<&mut Fixed>, &[0, 1, 2, 3, 4], |_| Some(2), |i| steps.push(i)).unwrap();
        assert!((e.bits_per_token - 3.0).abs() < 1e-12 && (e.bits_per_byte.unwrap() - 1.5).abs() < 1e-12, "{e:?}");
        assert_eq!((e.n_tokens, steps), (4, vec![1, 2, 3, 4]));

        // reference 1/2 1/4 1/4, network 1/4 1/4 1/2: KL = ln 2 / 4, the likeliest tokens differ
        let with = |p: [f64; 3]| Fixed(p.map(|p: f64| p.ln() + 5.0).to_vec());
        let mut reference = with([0.5, 0.25, 0.25]);
        let e =
            evaluate(&mut with([0.25, 0.25, 0.5]), Some(&mut reference), &[0, 2, 1, 1, 2], |_| None, |_| {}).unwrap();
        // bits of the tokens that came: 1 2 2 1 against 2 2 2 2
        let a = e.against.clone().unwrap();
        assert!((e.bits_per_token - 1.5).abs() < 1e-12 && (a.kl - 2f64.ln() / 4.0).abs() < 1e-12, "{a:?}");
        assert_eq!((a.top1_agreement, a.top1_agreement_se, e.bits_per_byte), (0.0, Some(0.0), None));
        assert!((a.loss_bits_per_token + 0.5).abs() < 1e-12, "{a:?}");
        // four blocks of one token: variance 1/3, of the mean 1/12
        let error = (1f64 / 12.0).sqrt();
        assert!((a.loss_bits_per_token_se.unwrap() - error).abs() < 1e-12, "{a:?}");
        assert!((e.bits_per_token_se.unwrap() - error).abs() < 1e-12, "{e:?}");
    }
}
