//! A simulated chip for another program, over two byte streams such as its standard input and output.
//!
//! The other program sends requests and gets one answer to each, in order. All numbers are little-endian.
//!
//! ```text
//! request: kind (1 byte), a (8 bytes), b (8 bytes), and for PUT b bytes of data
//! answer:  status (1 byte), value (8 bytes), and for GET and LOGITS, and with status 2, as many bytes of data as value says
//! ```
//!
//! | kind | a | b | does | value |
//! |---|---|---|---|---|
//! | `R` | offset | | reads a register | what it holds |
//! | `W` | offset | value | writes a register | |
//! | `A` | bytes | | allocates memory | its address |
//! | `P` | address | bytes | puts data into memory | |
//! | `G` | address | bytes | gets data from memory | bytes |
//! | `I` | cycles | | runs until the interrupt is high, at most so long | 1 if it is |
//! | `L` | | | takes the logits that came, 32 bits each | bytes |
//! | `F` | beats | | fails the beat that is read so many beats from now | |
//! | `C` | | | | clock cycles since the reset |
//!
//! Status 0: done. 1: the chip refused the access (SLVERR). 2: the simulation cannot do it; the data is a sentence. What breaks a protocol
//! of the bus ends the simulation after its answer.

use sim_harness::bus::{BusChip, BusError};
use std::io::{self, Read, Write};

/// Data that one request may carry.
const LARGEST: u64 = 1 << 32;

/// Serves requests from `requests` until they end.
///
/// # Errors
/// A stream that fails, or a simulation that cannot go on; the other program has been told.
pub fn serve(chip: &mut BusChip, requests: &mut impl Read, answers: &mut impl Write) -> io::Result<()> {
    let mut head = [0; 17];
    loop {
        match requests.read(&mut head[..1])? {
            0 => return Ok(()),
            _ => requests.read_exact(&mut head[1..])?,
        }
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| head[at + i]));
        let (kind, a, b) = (head[0], number(1), number(9));
        let mut data = vec![];
        if kind == b'P' {
            if b > LARGEST {
                return Err(io::Error::other(format!("a request with {b} bytes, expected at most {LARGEST}")));
            }
            requests.take(b).read_to_end(&mut data)?;
            if data.len() as u64 != b {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let (status, value, data, end) = match answer(chip, kind, a, b, &data) {
            Ok((status, value, data)) => (status, value, data, None),
            Err(e) => {
                let said = e.to_string().into_bytes();
                (2, said.len() as u64, said, ends(&e).then(|| e.to_string()))
            }
        };
        answers.write_all(&[status])?;
        answers.write_all(&value.to_le_bytes())?;
        answers.write_all(&data)?;
        answers.flush()?;
        if let Some(said) = end {
            return Err(io::Error::other(said));
        }
    }
}

/// Whether an error leaves the simulation in no state to go on.
fn ends(e: &BusError) -> bool {
    !matches!(e, BusError::Offset(_) | BusError::NotAllocated { .. } | BusError::TooLarge { .. })
}

type Answer = (u8, u64, Vec<u8>);

fn answer(chip: &mut BusChip, kind: u8, a: u64, b: u64, data: &[u8]) -> Result<Answer, BusError> {
    let done = |value: u64| Ok((0, value, vec![]));
    let with = |data: Vec<u8>| Ok((0, data.len() as u64, data));
    match kind {
        b'R' => Ok(chip.read(a)?.map_or((1, 0, vec![]), |value| (0, value.into(), vec![]))),
        b'W' => Ok((u8::from(!chip.write(a, b as u32)?), 0, vec![])),
        b'A' => done(chip.allocate(a)?),
        b'P' => chip.put(a, data).and(done(0)),
        b'G' => with(chip.get(a, usize::try_from(b).unwrap_or(usize::MAX))?.to_vec()),
        b'I' => done(chip.wait(a)?.into()),
        b'L' => with(chip.take_logits().iter().flat_map(|l| l.to_le_bytes()).collect()),
        b'F' => {
            chip.fail_read(a);
            done(0)
        }
        b'C' => done(chip.cycles()),
        other => {
            let said = format!("request {:?}, expected one of R W A P G I L F C", char::from(other)).into_bytes();
            Ok((2, said.len() as u64, said))
        }
    }
}
