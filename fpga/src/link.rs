//! The host's side of the link, over anything that carries bytes: a serial port or a simulated one.
//!
//! Every frame is answered. A frame without a good answer is sent again with the same sequence number, and the board
//! executes it once; so a byte lost on the way costs time and nothing else. Tokens are numbered within a SPEAK: a lost one
//! is an error, never a gap in the text.

use crate::protocol::{status, Command, Reply, DATA_BYTES, HELLO, REPLY_BYTES, REPLY_SYNC};
use rtl_gen::config::Config;
use rtl_gen::registers::{self, bit, reg};
use std::time::Duration;

/// Carries bytes both ways.
pub trait Line {
    /// Sends all of `bytes`.
    fn send(&mut self, bytes: &[u8]) -> Result<(), LineError>;
    /// The next byte, or `None` if none came within `limit`.
    fn receive(&mut self, limit: Duration) -> Result<Option<u8>, LineError>;
}

/// The line itself is broken.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LineError(pub String);

/// Why the board cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("{doing}: the board does not answer ({tries} tries of {limit_ms} ms each); is it configured, and is this its port?")]
    Silent { doing: &'static str, tries: usize, limit_ms: u128 },
    #[error("{doing}: {tries} frames in a row were damaged on the line")]
    Damaged { doing: &'static str, tries: usize },
    #[error("the board answers {found:#010x}, expected {HELLO:#010x}: another protocol, or another design")]
    OtherDesign { found: u32 },
    #[error("the bitstream is not of configuration {name}: register CONFIG reads {found:#010x}, expected {expected:#010x}; give the right --config, or build again")]
    OtherConfiguration { name: String, found: u32, expected: u32 },
    #[error("{doing}: the board does not know this command, or not yet")]
    Refused { doing: &'static str },
    #[error("{doing}: the chip ended a token with {}; were image and programs loaded for this configuration?", registers::status_names(*.status))]
    Ended { doing: &'static str, status: u32 },
    #[error("{doing}: the chip refused an access to a register; a conversation that was ended by an error must be begun anew")]
    NotNow { doing: &'static str },
    #[error("a token was lost on the line: number {found} came, expected {expected}")]
    LostToken { expected: u32, found: u32 },
    #[error("the image has {image} bytes, the board's memory {memory}")]
    ImageSize { image: usize, memory: u64 },
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct LinkOptions {
    /// For answers that come at once.
    pub reply: Duration,
    /// For each token the chip computes.
    pub token: Duration,
    /// Times a frame is sent.
    pub tries: usize,
}

impl Default for LinkOptions {
    fn default() -> Self {
        // a USB bridge may hold a short answer back for 16 ms
        LinkOptions { reply: Duration::from_millis(250), token: Duration::from_secs(5), tries: 5 }
    }
}

/// Frames sent before their answers are read, while memory is loaded.
const WINDOW: usize = 8;

/// A host connected to a board.
pub struct Host<L> {
    pub line: L,
    options: LinkOptions,
    seq: u8,
    /// Frames that had to be sent again.
    pub repeated: u64,
}

impl<L: Line> Host<L> {
    /// Connects: the board must name itself, and its chip `config`.
    pub fn connect(line: L, config: &Config, options: LinkOptions) -> Result<Self, LinkError> {
        let mut host = Host { line, options, seq: 0, repeated: 0 };
        // a frame that an earlier host left unfinished ends when these bytes are in, or by the board's own time limit
        host.line.send(&[0; 2])?;
        let found = host.ask("connecting", &Command::Hello)?;
        if found != HELLO {
            return Err(LinkError::OtherDesign { found });
        }
        let (found, expected) = (host.read(reg::CONFIG)?, config.fingerprint());
        if found != expected {
            return Err(LinkError::OtherConfiguration { name: config.name.clone(), found, expected });
        }
        Ok(host)
    }

    /// Reads a register of the chip.
    pub fn read(&mut self, addr: u32) -> Result<u32, LinkError> {
        self.ask("reading a register", &Command::Read(addr as u16))
    }

    /// Writes words to one register of the chip, one after the other.
    pub fn write(&mut self, addr: u32, words: &[u32]) -> Result<(), LinkError> {
        for words in words.chunks(DATA_BYTES / 4) {
            self.ask("writing a register", &Command::WriteWords(addr as u16, words.to_vec()))?;
        }
        Ok(())
    }

    /// Puts `image` into the board's memory from byte 0 on; `progress` is told how many bytes are there.
    pub fn load_memory(&mut self, image: &[u8], memory: u64, mut progress: impl FnMut(usize)) -> Result<(), LinkError> {
        if image.len() as u64 > memory {
            return Err(LinkError::ImageSize { image: image.len(), memory });
        }
        let units: Vec<Command> = (image.chunks(DATA_BYTES).enumerate())
            .map(|(unit, bytes)| {
                let mut data = [0; DATA_BYTES];
                data[..bytes.len()].copy_from_slice(bytes);
                Command::WriteMemory(unit as u32, Box::new(data))
            })
            .collect();
        for (i, window) in units.chunks(WINDOW).enumerate() {
            self.write_window(window)?;
            progress(((i * WINDOW + window.len()) * DATA_BYTES).min(image.len()));
        }
        Ok(())
    }

    /// Sends several writes, then reads their answers; what was not answered well is sent again by itself.
    fn write_window(&mut self, window: &[Command]) -> Result<(), LinkError> {
        let first = self.seq;
        let mut bytes = vec![];
        for command in window {
            bytes.extend(command.frame(self.next_seq()));
        }
        self.line.send(&bytes)?;
        let mut good = vec![false; window.len()];
        while good.iter().any(|g| !g) {
            match self.reply(self.options.reply)? {
                Some(r) if r.status == status::DONE => {
                    let i = usize::from((r.cmd >> 4).wrapping_sub(first) & 15);
                    if let Some(g) = good.get_mut(i) {
                        *g = true;
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        for (command, _) in window.iter().zip(good).filter(|(_, good)| !good) {
            self.repeated += 1;
            self.ask("loading the memory", command)?;
        }
        Ok(())
    }

    /// Loads the four programs, in the order of `rtl_gen::isa::FORMATS`, for a vocabulary of `tokens`, and says that the image is at
    /// byte 0, where it is after a reset.
    pub fn load_programs(&mut self, programs: &[Vec<Vec<u32>>; 4], tokens: usize) -> Result<(), LinkError> {
        self.write(reg::IMAGE_BASE_LO, &[0])?;
        self.write(reg::TOKEN_LIMIT, &[tokens as u32])?;
        for (unit, program) in programs.iter().enumerate() {
            self.write(reg::PROG_SELECT, &[unit as u32])?;
            let words: Vec<u32> = program.iter().flatten().copied().collect();
            self.write(reg::PROG_DATA, &words)?;
        }
        Ok(())
    }

    /// Lets the chip read tokens; `clear` begins a new conversation. Tokens that are bytes travel 64 to a frame, others 16.
    pub fn feed(&mut self, tokens: &[u32], clear: bool) -> Result<(), LinkError> {
        if clear {
            self.write(reg::STATUS, &[bit::ERRORS])?;
        }
        let is_byte = |t: &u32| *t < 256;
        let (mut left, mut clear) = (tokens, clear);
        while !left.is_empty() {
            let bytes = left.iter().take(DATA_BYTES).take_while(|t| is_byte(t)).count();
            let n =
                if bytes > 0 { bytes } else { left.iter().take(DATA_BYTES / 4).take_while(|t| !is_byte(t)).count() };
            let (now, later) = left.split_at(n);
            let command = match bytes {
                0 => Command::FeedTokens { clear, tokens: now.to_vec() },
                _ => Command::Feed { clear, tokens: now.iter().map(|t| *t as u8).collect() },
            };
            self.ask("reading the prompt", &command)?;
            (left, clear) = (later, false);
        }
        Ok(())
    }

    /// Lets the board speak up to `n` tokens by itself. `heard` is given each as it comes and says whether to go on.
    /// Gives what was said.
    pub fn speak(&mut self, n: u16, mut heard: impl FnMut(u32) -> bool) -> Result<Vec<u32>, LinkError> {
        let doing = "listening";
        let command = Command::Speak(n);
        let frame = command.frame(self.next_seq());
        self.line.send(&frame)?;
        let (mut said, mut stopped, mut damaged) = (vec![], false, 0);
        loop {
            let reply = match self.reply(self.options.token)? {
                // a damaged request may still have its command byte: what became of it is looked at first
                Some(reply) if matches!(reply.status, status::CHECKSUM | status::CUT_SHORT) => {
                    if said.is_empty() {
                        damaged += 1; // so nothing has begun
                        if damaged == self.options.tries {
                            return Err(LinkError::Damaged { doing, tries: damaged });
                        }
                        self.repeated += 1;
                        self.line.send(&frame)?;
                    }
                    continue;
                }
                Some(reply) if reply.cmd == frame[1] => reply,
                Some(_) => continue,
                None => {
                    let limit_ms = self.options.token.as_millis();
                    return Err(LinkError::Silent { doing, tries: 1, limit_ms });
                }
            };
            match reply.status {
                status::TOKEN => {
                    let (found, token) = (reply.data >> 18, reply.data & 0x3_FFFF);
                    let expected = said.len() as u32 & 0x3FFF;
                    if found != expected {
                        return Err(LinkError::LostToken { expected, found });
                    }
                    said.push(token);
                    if !heard(token) && !stopped {
                        stopped = true;
                        self.line.send(&[0])?;
                    }
                }
                status::DONE => {
                    let (found, expected) = (reply.data >> 18, said.len() as u32 & 0x3FFF);
                    return match found == expected {
                        true => Ok(said),
                        false => Err(LinkError::LostToken { expected, found }),
                    };
                }
                status::ENDED => return Err(LinkError::Ended { doing, status: reply.data }),
                status::REFUSED => return Err(LinkError::NotNow { doing }),
                _ => return Err(LinkError::Refused { doing }),
            }
        }
    }

    fn next_seq(&mut self) -> u8 {
        let seq = self.seq;
        self.seq = (self.seq + 1) & 15;
        seq
    }

    /// Sends a frame until it is answered; gives the answer's data.
    fn ask(&mut self, doing: &'static str, command: &Command) -> Result<u32, LinkError> {
        let frame = command.frame(self.next_seq());
        let tokens = match command {
            Command::Feed { tokens, .. } => tokens.len() as u32 + 1,
            Command::FeedTokens { tokens, .. } => tokens.len() as u32 + 1,
            _ => 0,
        };
        let limit = self.options.reply + self.options.token * tokens;
        let mut damaged = 0;
        for attempt in 0..self.options.tries {
            self.repeated += u64::from(attempt > 0);
            self.line.send(&frame)?;
            // answers to earlier frames that came too late are passed over
            while let Some(reply) = self.reply(limit)? {
                match reply.status {
                    status::CHECKSUM | status::CUT_SHORT => {
                        damaged += 1;
                        break;
                    }
                    _ if reply.cmd != frame[1] => continue,
                    status::DONE => return Ok(reply.data),
                    status::ENDED => return Err(LinkError::Ended { doing, status: reply.data }),
                    status::REFUSED => return Err(LinkError::NotNow { doing }),
                    _ => return Err(LinkError::Refused { doing }),
                }
            }
        }
        match damaged == self.options.tries {
            true => Err(LinkError::Damaged { doing, tries: damaged }),
            false => Err(LinkError::Silent { doing, tries: self.options.tries, limit_ms: limit.as_millis() }),
        }
    }

    /// The next whole reply; `None` if the line is silent for `limit`. Damaged ones are passed over.
    fn reply(&mut self, limit: Duration) -> Result<Option<Reply>, LinkError> {
        let mut bytes = [0u8; REPLY_BYTES];
        let mut n = 0;
        loop {
            // within a reply a byte follows at once
            let wait = if n == 0 { limit } else { limit.min(self.options.reply) };
            match self.line.receive(wait)? {
                None => return Ok(None),
                Some(byte) => bytes[n] = byte,
            }
            n += 1;
            if bytes[0] != REPLY_SYNC {
                n = 0;
            }
            if n == REPLY_BYTES {
                if let Some(reply) = Reply::parse(&bytes) {
                    return Ok(Some(reply));
                }
                // the sync byte may have been data: look for the next one within
                let next = bytes[1..].iter().position(|b| *b == REPLY_SYNC).map_or(REPLY_BYTES, |at| at + 1);
                bytes.copy_within(next.., 0);
                n = REPLY_BYTES - next;
            }
        }
    }
}
