//! The other end of a serial line, bit by bit: 8 data bits, no parity, one stop bit.

use std::collections::VecDeque;

/// Sends and receives bytes; its clock may be off by a part of a bit, as real ones are.
#[derive(Debug, Clone)]
pub struct Uart {
    clocks_per_bit: f64,
    sending: Option<(u16, u32, f64)>, // bits, how many are left, clocks left of this one
    queue: VecDeque<u8>,
    receiving: Option<(u16, u32, f64)>, // bits so far, how many, clocks to the next sample
    line_was: bool,
    /// Bytes received, oldest first.
    pub received: VecDeque<u8>,
    /// Bytes without a stop bit.
    pub framing_errors: u64,
}

impl Uart {
    /// `clocks_per_bit` of the simulated clock; a fraction makes the two ends drift as they do on a board.
    pub fn new(clocks_per_bit: f64) -> Self {
        Uart {
            clocks_per_bit,
            sending: None,
            queue: VecDeque::new(),
            receiving: None,
            line_was: true,
            received: VecDeque::new(),
            framing_errors: 0,
        }
    }

    /// Queues bytes to be sent one after the other.
    pub fn send(&mut self, bytes: &[u8]) {
        self.queue.extend(bytes);
    }

    /// Whether everything queued is on its way.
    pub fn sent(&self) -> bool {
        self.queue.is_empty() && self.sending.is_none()
    }

    /// One clock: takes the level of the line towards the host, gives the level towards the board.
    pub fn clock(&mut self, line: bool) -> bool {
        self.listen(line);
        let (bits, left, clocks) = match self.sending {
            Some(state) => state,
            None => match self.queue.pop_front() {
                Some(byte) => (u16::from(byte) << 1 | 0x200, 10, self.clocks_per_bit),
                None => return true,
            },
        };
        self.sending = match (clocks - 1.0, left) {
            (rest, _) if rest >= 0.5 => Some((bits, left, rest)),
            (_, 1) => None,
            (rest, _) => Some((bits >> 1, left - 1, rest + self.clocks_per_bit)),
        };
        bits & 1 == 1
    }

    fn listen(&mut self, line: bool) {
        let fell = self.line_was && !line;
        self.line_was = line;
        let Some((bits, n, clocks)) = self.receiving else {
            if fell {
                self.receiving = Some((0, 0, self.clocks_per_bit / 2.0));
            }
            return;
        };
        if clocks > 1.0 {
            self.receiving = Some((bits, n, clocks - 1.0));
            return;
        }
        let bits = bits | u16::from(line) << n;
        self.receiving = (n < 9).then_some((bits, n + 1, clocks - 1.0 + self.clocks_per_bit));
        if n == 9 {
            match (bits & 1, bits >> 9) {
                (0, 1) => self.received.push_back((bits >> 1) as u8),
                _ => self.framing_errors += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_heard_at_slightly_different_speeds() {
        let text: Vec<u8> = (0..=255).collect();
        for (a, b) in [(8.0, 8.0), (80.0, 80.0), (20.0, 20.4), (13.3, 13.1)] {
            let (mut sender, mut receiver) = (Uart::new(a), Uart::new(b));
            sender.send(&text);
            for _ in 0..(a * 10.0 * 260.0) as usize {
                let line = sender.clock(true);
                receiver.clock(line);
            }
            assert!(sender.sent());
            assert_eq!((receiver.received.make_contiguous(), receiver.framing_errors), (&mut text.clone()[..], 0));
        }
    }
}
