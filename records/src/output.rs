//! The one way in which the project writes a file.
//!
//! What is written goes to a temporary file first. A reader therefore sees either what the name held before or all of the
//! new content, and a command that is interrupted leaves the old content. What happens then depends on what the name stands for:
//!
//! | the name stands for | the content |
//! |---|---|
//! | nothing, or an ordinary file | gets the name; permissions of the old file are kept |
//! | a link | gets the name at the end of the link, which stays |
//! | a device or a pipe | is copied into it |
//! | a folder or a socket | is refused |

use crate::RecordError;
use std::fs::{File, FileType, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// Links that are followed before they count as a circle, as many as Linux follows.
const MAX_LINKS: usize = 40;
/// How long a pipe may lack a reader: one that was started together with this program needs a moment.
const READER: Duration = Duration::from_secs(5);

/// A file that is being written. It is gone again unless [`Output::finish`] is called.
pub struct Output {
    file: NamedTempFile,
    place: Place,
}

/// What a name stands for.
enum Place {
    /// An ordinary file, there or not, at the end of all links.
    File(PathBuf),
    Device(PathBuf),
    Pipe(PathBuf),
}

impl Output {
    /// Begins a file that will be found at `path`.
    ///
    /// # Errors
    /// A folder that is missing or cannot be written, or a name that stands for a folder, a socket or a circle of links.
    pub fn create(path: &Path) -> io::Result<Self> {
        let place = Place::of(path)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".anser-").permissions(Permissions::from_mode(0o666));
        let file = match &place {
            Place::File(path) => builder.tempfile_in(folder_of(path)),
            Place::Device(_) | Place::Pipe(_) => builder.tempfile(),
        };
        Ok(Self { file: file.map_err(plain)?, place })
    }

    /// The name under which the content lies until it is finished, for writers that want a name.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file, open for reading and writing.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts the content where it belongs.
    ///
    /// # Errors
    /// A disk that is full, a device that refuses the content, or a pipe that nobody reads.
    pub fn finish(self) -> io::Result<()> {
        let (path, mut target) = match self.place {
            Place::File(path) => {
                if let Ok(old) = path.metadata() {
                    self.file.as_file().set_permissions(old.permissions())?;
                }
                self.file.as_file().sync_all()?;
                return self.file.persist(path).map(drop).map_err(|e| plain(e.error));
            }
            Place::Device(path) => (path.clone(), OpenOptions::new().write(true).open(path)?),
            Place::Pipe(path) => (path.clone(), open_pipe(&path)?),
        };
        // opened by name, because a writer that wanted a name may have replaced the file
        let mut content = File::open(self.file.path())?;
        content.rewind()?;
        match io::copy(&mut content, &mut target) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                Err(io::Error::new(e.kind(), format!("the reader of {} has left", path.display())))
            }
            other => other.map(drop),
        }
    }
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let special = |kind: FileType| {
            if kind.is_dir() {
                return Err(io::Error::new(ErrorKind::IsADirectory, "is a folder, expected a file to write"));
            }
            Ok(match kind.is_fifo() {
                true => Self::Pipe(path.into()),
                false => Self::Device(path.into()),
            })
        };
        // `/dev/stdout` and `/proc/self/fd/3` are links whose text names nothing; the system follows them
        match path.metadata() {
            Ok(there) if there.is_file() => {}
            Ok(there) => return special(there.file_type()),
            Err(_) => {}
        }
        let mut place = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let folder = folder_of(&place).canonicalize()?;
            place = folder.join(place.file_name().unwrap_or_default());
            match place.symlink_metadata() {
                Ok(link) if link.is_symlink() && folder.starts_with("/proc") => return Ok(Self::Device(place)),
                Ok(link) if link.is_symlink() => place = folder.join(place.read_link()?),
                _ => return Ok(Self::File(place)),
            }
        }
        Err(io::Error::other(format!("more than {MAX_LINKS} links lead on from it, expected an end")))
    }
}

/// Opens a pipe for writing, once it has a reader.
fn open_pipe(path: &Path) -> io::Result<File> {
    use rustix::fs::{fcntl_setfl, OFlags};
    let begin = Instant::now();
    loop {
        match OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path) {
            Ok(file) => {
                fcntl_setfl(&file, OFlags::empty())?;
                return Ok(file);
            }
            Err(e) if e.raw_os_error() != Some(rustix::io::Errno::NXIO.raw_os_error()) => return Err(e),
            Err(_) if begin.elapsed() < READER => std::thread::sleep(Duration::from_millis(10)),
            Err(e) => return Err(io::Error::new(e.kind(), "a pipe that no program reads: start the reader first")),
        }
    }
}

/// Writes `bytes` to `path`, in a folder that is made if it is missing.
///
/// # Errors
/// [`RecordError::Write`], for the reasons of [`Output`].
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), RecordError> {
    write_parts(path, [bytes])
}

/// Writes one part after the other, as [`write()`].
///
/// # Errors
/// Fails where [`write()`] does.
pub fn write_parts(path: &Path, parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<(), RecordError> {
    let write = || {
        std::fs::create_dir_all(folder_of(path))?;
        let mut output = Output::create(path)?;
        for part in parts {
            output.file().write_all(part.as_ref())?;
        }
        output.finish()
    };
    write().map_err(|source| RecordError::Write { path: path.into(), source })
}

/// Fails now, not after minutes of work, if nothing can be written to `path`. Changes nothing.
///
/// # Errors
/// [`RecordError::Write`]: a folder that is missing or cannot be written, a device that cannot be written.
pub fn check_file(path: &Path) -> Result<(), RecordError> {
    let check = || match Output::create(path)?.place {
        Place::File(_) => Ok(()),
        Place::Device(path) | Place::Pipe(path) => Ok(rustix::fs::access(&path, rustix::fs::Access::WRITE_OK)?),
    };
    check().map_err(|source| RecordError::Write { path: path.into(), source })
}

/// Fails now, not after minutes of work, if no file can be written in the folder `path`. Makes nothing, so that a command that
/// fails leaves no empty folder.
///
/// # Errors
/// [`RecordError::Write`]: a file where the folder should be, or a folder around it that cannot be written.
pub fn check_folder(path: &Path) -> Result<(), RecordError> {
    let check = || {
        if path.exists() && !path.is_dir() {
            return Err(io::Error::new(ErrorKind::NotADirectory, "is a file, expected a folder to write to"));
        }
        let there = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("."));
        tempfile::tempfile_in(there).map(drop).map_err(plain)
    };
    check().map_err(|source| RecordError::Write { path: path.into(), source })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The error without the temporary name that tempfile adds.
fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or(&text))
}
