//! The host link's frames, to the byte (`docs/fpga.md`). The RTL and the host both take their numbers from here.

/// First byte of a frame to the board.
pub const SYNC: u8 = 0xA5;
/// First byte of a reply.
pub const REPLY_SYNC: u8 = 0x5A;
/// What the board answers to [`Command::Hello`]: "AF", protocol version 2.
pub const HELLO: u32 = 0x4146_0002;
/// Bytes of data in a long frame.
pub const DATA_BYTES: usize = 64;
/// Bytes of a reply.
pub const REPLY_BYTES: usize = 9;

/// Lower four bits of the command byte; bit 3 says that 64 bytes of data follow. The upper four are a sequence number.
pub mod command {
    pub const HELLO: u8 = 0x0;
    pub const READ: u8 = 0x1;
    pub const SPEAK: u8 = 0x2;
    pub const WRITE_WORDS: u8 = 0x8;
    pub const WRITE_MEMORY: u8 = 0x9;
    pub const FEED: u8 = 0xA;
    pub const FEED_TOKENS: u8 = 0xB;
}

/// Status byte of a reply.
pub mod status {
    pub const DONE: u8 = 0;
    /// One token of a SPEAK; more replies follow.
    pub const TOKEN: u8 = 1;
    pub const CHECKSUM: u8 = 2;
    pub const CUT_SHORT: u8 = 3;
    pub const UNKNOWN: u8 = 4;
    /// The chip ended a token with an error; the data are its register STATUS.
    pub const ENDED: u8 = 5;
    /// The chip refused an access to a register.
    pub const REFUSED: u8 = 6;
}

/// What the host asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Identify; always executed, whatever its sequence number.
    Hello,
    /// Read a register of the chip (byte address).
    Read(u16),
    /// Say up to this many tokens, each in a reply of its own, then reply DONE.
    Speak(u16),
    /// Write up to 16 words to one register of the chip, one after the other.
    WriteWords(u16, Vec<u32>),
    /// Write 64 bytes to the memory; the number of the 64 B unit.
    WriteMemory(u32, Box<[u8; DATA_BYTES]>),
    /// Read up to 64 bytes as tokens; with `clear` start a new conversation first. The answer holds the next token.
    Feed { clear: bool, tokens: Vec<u8> },
    /// The same with up to 16 tokens of any number.
    FeedTokens { clear: bool, tokens: Vec<u32> },
}

impl Command {
    /// The frame with sequence number `seq` (of which 4 bits are used).
    ///
    /// What does not fit a frame (more than 16 words, or 64 tokens that are bytes) is cut; [`crate::link`] never asks for that.
    pub fn frame(&self, seq: u8) -> Vec<u8> {
        let (code, arg, data) = match self {
            Command::Hello => (command::HELLO, 0, None),
            Command::Read(addr) => (command::READ, u32::from(*addr), None),
            Command::Speak(n) => (command::SPEAK, u32::from(*n), None),
            Command::WriteWords(addr, words) => {
                (command::WRITE_WORDS, u32::from(*addr) | (words.len().min(16) as u32) << 16, Some(packed(words)))
            }
            Command::FeedTokens { clear, tokens } => {
                let arg = tokens.len().min(16) as u32 | u32::from(*clear) << 8;
                (command::FEED_TOKENS, arg, Some(packed(tokens)))
            }
            Command::WriteMemory(unit, data) => (command::WRITE_MEMORY, *unit, Some(**data)),
            Command::Feed { clear, tokens } => {
                let mut data = [0; DATA_BYTES];
                data.iter_mut().zip(tokens).for_each(|(d, t)| *d = *t);
                let arg = tokens.len().min(DATA_BYTES) as u32 | u32::from(*clear) << 8;
                (command::FEED, arg, Some(data))
            }
        };
        let mut frame = vec![SYNC, (seq << 4) | code];
        frame.extend(arg.to_le_bytes());
        frame.extend(data.iter().flatten());
        let crc = crc16(&frame[1..]);
        frame.extend(crc.to_le_bytes());
        frame
    }
}

/// The data of a frame that holds up to 16 words.
fn packed(words: &[u32]) -> [u8; DATA_BYTES] {
    let mut data = [0; DATA_BYTES];
    for (bytes, word) in data.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    data
}

/// A reply of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The command byte it answers, sequence number included.
    pub cmd: u8,
    pub status: u8,
    pub data: u32,
}

impl Reply {
    /// Reads a reply; `None` if sync byte or checksum are wrong.
    pub fn parse(bytes: &[u8; REPLY_BYTES]) -> Option<Reply> {
        let crc = u16::from_le_bytes([bytes[7], bytes[8]]);
        (bytes[0] == REPLY_SYNC && crc16(&bytes[1..7]) == crc).then(|| Reply {
            cmd: bytes[1],
            status: bytes[2],
            data: u32::from_le_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]),
        })
    }
}

/// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, most significant bit first, no final change.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |c, _| if c & 0x8000 != 0 { (c << 1) ^ 0x1021 } else { c << 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_catalogued_one() {
        assert_eq!(crc16(b"123456789"), 0x29B1, "check value of CRC-16/CCITT-FALSE");
    }

    #[test]
    fn frames_have_the_documented_bytes() {
        let frame = Command::WriteWords(0x24, vec![0x0403_0201]).frame(3);
        assert_eq!(frame.len(), 72);
        assert_eq!(frame[..11], [0xA5, 0x38, 0x24, 0, 1, 0, 1, 2, 3, 4, 0]);
        assert_eq!(Command::Speak(300).frame(0)[..6], [0xA5, 0x02, 44, 1, 0, 0]);
        assert_eq!(Command::Hello.frame(1).len(), 8);
        let frame = Command::FeedTokens { clear: true, tokens: vec![65_535, 3] }.frame(2);
        assert_eq!(frame[..14], [0xA5, 0x2B, 2, 1, 0, 0, 0xFF, 0xFF, 0, 0, 3, 0, 0, 0]);
        assert_eq!(Command::Feed { clear: true, tokens: vec![65; 5] }.frame(0)[2..6], [5, 1, 0, 0]);
    }

    #[test]
    fn a_changed_bit_is_no_reply() {
        let mut bytes = [REPLY_SYNC, 0x12, 0, 1, 2, 3, 4, 0, 0];
        let crc = crc16(&bytes[1..7]).to_le_bytes();
        bytes[7..].copy_from_slice(&crc);
        assert_eq!(Reply::parse(&bytes), Some(Reply { cmd: 0x12, status: 0, data: 0x0403_0201 }));
        for bit in 0..72 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Reply::parse(&bad), None, "bit {bit}");
        }
    }
}
