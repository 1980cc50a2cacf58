//! A serial port: raw bytes at the board's speed.

use crate::link::{Line, LineError};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::termios::{tcflush, tcgetattr, tcsetattr, OptionalActions, QueueSelector};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// An open serial port.
pub struct SerialPort {
    file: File,
    name: String,
    waiting: std::collections::VecDeque<u8>,
}

impl SerialPort {
    /// Opens `path` at `baud`, 8 data bits, no parity, one stop bit, no flow control.
    ///
    /// # Errors
    /// A path that cannot be opened or that is no serial port, a speed it does not have.
    pub fn open(path: &Path, baud: u32) -> Result<Self, LineError> {
        let name = path.display().to_string();
        let fail = |what: &str, e: std::io::Error| {
            let hint = if e.kind() == ErrorKind::PermissionDenied { " (on Debian: be in group dialout)" } else { "" };
            LineError(format!("{name}: {what}: {e}{hint}"))
        };
        // without waiting for a modem's carrier, and not as this program's terminal
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags.bits() as i32).open(path);
        let file = file.map_err(|e| fail("cannot be opened", e))?;
        let mut settings = tcgetattr(&file).map_err(|e| fail("is no serial port", e.into()))?;
        settings.make_raw();
        settings.set_speed(baud).map_err(|e| fail(&format!("cannot run at {baud} baud"), e.into()))?;
        settings.control_modes |= rustix::termios::ControlModes::CREAD | rustix::termios::ControlModes::CLOCAL;
        settings.control_modes -= rustix::termios::ControlModes::CRTSCTS | rustix::termios::ControlModes::CSTOPB;
        tcsetattr(&file, OptionalActions::Now, &settings)
            .map_err(|e| fail(&format!("cannot run at {baud} baud"), e.into()))?;
        tcflush(&file, QueueSelector::IOFlush).map_err(|e| fail("cannot be emptied", e.into()))?;
        Ok(SerialPort { file, name, waiting: Default::default() })
    }

    /// Waits until the port can be read (or written); false after `limit`.
    fn wait(&self, what: PollFlags, limit: Duration) -> Result<bool, LineError> {
        let mut fds = [PollFd::new(&self.file, what)];
        let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
        match poll(&mut fds, Some(&limit)) {
            Ok(n) => Ok(n > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(e) => Err(LineError(format!("{}: {e}", self.name))),
        }
    }
}

impl Line for SerialPort {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), LineError> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::OUT, Duration::from_secs(5))? {
                        return Err(LineError(format!("{}: takes no more bytes", self.name)));
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(LineError(format!("{}: {e}", self.name))),
            }
        }
        Ok(())
    }

    fn receive(&mut self, limit: Duration) -> Result<Option<u8>, LineError> {
        if let Some(byte) = self.waiting.pop_front() {
            return Ok(Some(byte));
        }
        if !self.wait(PollFlags::IN, limit)? {
            return Ok(None);
        }
        let mut buffer = [0; 256];
        match self.file.read(&mut buffer) {
            Ok(0) => Err(LineError(format!("{}: is gone", self.name))),
            Ok(n) => {
                self.waiting.extend(&buffer[..n]);
                Ok(self.waiting.pop_front())
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
            Err(e) => Err(LineError(format!("{}: {e}", self.name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_port_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = SerialPort::open(file.path(), 1_000_000).err().unwrap().to_string();
        assert!(text.contains("is no serial port"), "{text}");
        let text = SerialPort::open(Path::new("/nowhere/ttyUSB9"), 1_000_000).err().unwrap().to_string();
        assert!(text.contains("/nowhere/ttyUSB9: cannot be opened"), "{text}");
    }
}
