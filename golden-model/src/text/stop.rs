//! The end of a text: where a text of the user's choice comes, and where a character is not whole yet.

/// Ends a text where one of some texts comes. They may straddle tokens, so what could be the beginning of one is held back.
#[derive(Clone, Debug, Default)]
pub struct StopText {
    /// None of them is empty.
    stops: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl StopText {
    /// Stops at any of `stops`; empty ones are left out.
    pub fn new(stops: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let stops = stops.into_iter().map(Into::into).filter(|s: &Vec<u8>| !s.is_empty()).collect();
        Self { stops, held: vec![] }
    }

    /// Takes the bytes of one more token. Returns what belongs to the text for certain, and whether the text ends here; then the stop text
    /// and what follows it are left out.
    pub fn push(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        for byte in bytes {
            self.held.push(*byte);
            // the first that is complete ends the text, wherever the tokens are cut; of several the longest
            let complete = self.stops.iter().filter(|s| self.held.ends_with(s)).map(Vec::len).max();
            if let Some(length) = complete {
                self.held.truncate(self.held.len() - length);
                return (std::mem::take(&mut self.held), true);
            }
        }
        let begins = |n: &usize| self.stops.iter().any(|s| s.starts_with(&self.held[*n..]));
        let safe = (0..self.held.len()).find(begins).unwrap_or(self.held.len());
        (self.held.drain(..safe).collect(), false)
    }

    /// Returns what was held back when no more tokens come: it was no stop text after all.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// How many bytes at the end of `text` are the beginning of a UTF-8 character whose other bytes have not come: 0 to 3.
pub fn begun_character(text: &[u8]) -> usize {
    let last = text.iter().rev().take(3).enumerate().find(|(_, byte)| !(0x80..0xC0).contains(*byte));
    let Some((after, first)) = last else { return 0 };
    let whole = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    if whole > after + 1 {
        after + 1
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stop_text_may_straddle_tokens() {
        let mut stop = StopText::new(["User:", "\n\n"]);
        assert_eq!(stop.push(b"Hi\n"), (b"Hi".to_vec(), false));
        assert_eq!(stop.push(b"Us"), (b"\n".to_vec(), false));
        assert_eq!(stop.push(b"e"), (vec![], false));
        assert_eq!(stop.push(b"ful. Us"), (b"Useful. ".to_vec(), false));
        assert_eq!(stop.push(b"er: and"), (vec![], true));
        let mut stop = StopText::new(["abc"]);
        assert_eq!((stop.push(b"ab"), stop.finish()), ((vec![], false), b"ab".to_vec()), "it never came");
        assert_eq!(StopText::new([""]).push(b"a"), (b"a".to_vec(), false), "no stop text");
    }

    proptest! {
        /// However a text is cut into tokens, what comes out is the text before the stop text that is complete first.
        #[test]
        fn the_cuts_do_not_matter(text in "[ab]{0,24}", stops in prop::collection::vec("[ab]{1,4}", 0..3), cuts in prop::collection::vec(1usize..5, 24)) {
            let longest = |end: usize| stops.iter().filter(|s| text[..end].ends_with(s.as_str())).map(String::len).max();
            let expected = (0..=text.len()).find_map(|end| Some(end - longest(end)?));
            let (mut stop, mut rest, mut out, mut stopped) = (StopText::new(stops.clone()), text.as_bytes(), vec![], false);
            for n in cuts {
                let (token, more) = rest.split_at(n.min(rest.len()));
                rest = more;
                let (bytes, end) = stop.push(token);
                out.extend(bytes);
                stopped = end;
                if end || rest.is_empty() {
                    break;
                }
            }
            if !stopped {
                out.extend(stop.finish());
            }
            prop_assert_eq!(stopped, expected.is_some());
            prop_assert_eq!(out, text.as_bytes()[..expected.unwrap_or(text.len())].to_vec());
        }

        #[test]
        fn a_character_is_begun_until_its_last_byte(text: String) {
            let bytes = text.as_bytes();
            for n in 0..=bytes.len() {
                prop_assert_eq!(n - begun_character(&bytes[..n]), text.char_indices().map(|(i, c)| i + c.len_utf8()).filter(|e| *e <= n).max().unwrap_or(0));
            }
        }
    }
}
