//! A file, or what came by a pipe, as text that can be read from its beginning as often as a format needs.

use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use sha2::{Digest, Sha256};

use super::Error;
use super::encoding::TextScan;

/// Bytes that a format is detected by.
const HEAD_BYTES: u64 = 256 * 1024;
/// Bytes that a format which needs the whole text at once accepts.
const MAX_WHOLE_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of a pipe that are stored. Bounds the use of the disk.
const MAX_SPOOLED_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// How long a named pipe may be without a writer.
const PIPE_PATIENCE: Duration = Duration::from_secs(10);
const BUFFER_BYTES: usize = 64 * 1024;

/// Creates a file in a folder, without a name and with the mode 0600. The system deletes it when it is closed, also if the
/// process is killed.
pub fn private_file(folder: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    // Without a name it has the mode of other new files.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// A source of text. It is read in pieces, whatever its size.
#[derive(Clone, Debug)]
pub struct Input {
    content: Content,
    encoding: Option<&'static Encoding>,
    is_encoding_guessed: bool,
    bytes: u64,
    digest: [u8; 32],
    head: Arc<str>,
    bytes_read: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

impl Input {
    /// Opens a file. A pipe or a device is copied to a temporary file that only this user can read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(Error::Folder);
        }
        if kind.is_fifo() {
            return Self::spool(open_pipe(path.to_owned())?);
        }
        let file = File::open(path)?;
        if kind.is_file() { Self::new(Content::File(Arc::new(file))) } else { Self::spool(file) }
    }

    /// Copies a stream to a temporary file that only this user can read.
    pub fn spool(mut stream: impl Read) -> Result<Self, Error> {
        let mut file = private_file(&std::env::temp_dir())?;
        let mut head = Vec::new();
        stream.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        // What is no text is refused before it is copied: a device may go on for ever.
        TextScan::of(head.as_slice())?.check_start(&head)?;
        file.write_all(&head)?;
        let rest = io::copy(&mut stream.take(MAX_SPOOLED_BYTES), &mut file)?;
        if rest == MAX_SPOOLED_BYTES {
            return Err(Error::Endless { gigabytes: MAX_SPOOLED_BYTES >> 30 });
        }
        file.rewind()?;
        Self::new(Content::File(Arc::new(file)))
    }

    /// Text in memory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(Content::Memory(bytes.into()))
    }

    fn new(content: Content) -> Result<Self, Error> {
        let bytes_read = Arc::default();
        let mut head = Vec::new();
        content.reader(&bytes_read).take(HEAD_BYTES).read_to_end(&mut head)?;
        if let Some(format) = super::refused::unreadable_format(&head) {
            return Err(Error::Unreadable(format));
        }
        let mut digest = Sha256::new();
        let scan = TextScan::of(Digested(content.reader(&bytes_read), &mut digest))?;
        let encoding = scan.encoding()?;
        let mut input = Self {
            content,
            encoding,
            is_encoding_guessed: encoding.is_some() && !scan.has_bom(),
            bytes: scan.bytes,
            digest: digest.finalize().into(),
            head: "".into(),
            bytes_read,
        };
        input.head = input.read_head()?.into();
        input.bytes_read.store(0, Ordering::Relaxed);
        Ok(input)
    }

    /// The name of the encoding, if it was guessed.
    pub fn guessed_encoding(&self) -> Option<&'static str> {
        self.encoding.filter(|_| self.is_encoding_guessed).map(Encoding::name)
    }

    /// The text from its beginning, as UTF-8 without a byte order mark.
    pub fn reader(&self) -> Box<dyn BufRead + Send> {
        self.bytes_read.store(0, Ordering::Relaxed);
        let mut bytes =
            BufReader::with_capacity(BUFFER_BYTES, self.content.reader(&self.bytes_read));
        let Some(encoding) = self.encoding else {
            if bytes.fill_buf().is_ok_and(|start| start.starts_with(b"\xef\xbb\xbf")) {
                bytes.consume(3);
            }
            return Box::new(bytes);
        };
        let decoder = DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(bytes);
        Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
    }

    /// The whole text, for a format that cannot be read piece by piece. `format` is its name, for the error about
    /// a text that is too large for that.
    pub fn whole(&self, format: &'static str) -> Result<String, Error> {
        let mut text = String::new();
        self.reader().take(MAX_WHOLE_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_WHOLE_BYTES {
            return Err(Error::TooLarge { format, megabytes: MAX_WHOLE_BYTES >> 20 });
        }
        Ok(text)
    }

    /// The beginning of the text: whole lines, unless the first is longer.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Size in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The SHA-256 of the bytes.
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// How many bytes the newest reader has taken, for a progress bar.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    fn read_head(&self) -> Result<String, Error> {
        let mut head = Vec::new();
        self.reader().take(HEAD_BYTES).read_to_end(&mut head)?;
        let is_whole = (head.len() as u64) < HEAD_BYTES;
        if !is_whole && let Some(end) = head.iter().rposition(|byte| *byte == b'\n') {
            head.truncate(end + 1);
        }
        // A character may have been cut in two where the first line is longer.
        Ok(String::from_utf8_lossy(&head).into_owned())
    }
}

impl Content {
    fn reader(&self, bytes_read: &Arc<AtomicU64>) -> ContentReader {
        ContentReader { content: self.clone(), offset: 0, bytes_read: Arc::clone(bytes_read) }
    }
}

/// Reads a content from its beginning, independently of other readers of it.
struct ContentReader {
    content: Content,
    offset: u64,
    bytes_read: Arc<AtomicU64>,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.content {
            Content::File(file) => file.read_at(buffer, self.offset)?,
            Content::Memory(bytes) => {
                let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
                bytes.get(offset..).unwrap_or_default().read(buffer)?
            }
        };
        self.offset += read as u64;
        self.bytes_read.store(self.offset, Ordering::Relaxed);
        Ok(read)
    }
}

/// Hashes what is read through it.
struct Digested<'a, R>(R, &'a mut Sha256);

impl<R: Read> Read for Digested<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.update(&buffer[..read]);
        Ok(read)
    }
}

/// Opens a named pipe. To open one waits for its writer, which may never come.
fn open_pipe(path: std::path::PathBuf) -> Result<File, Error> {
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || sender.send(File::open(path)));
    match opened.recv_timeout(PIPE_PATIENCE) {
        Ok(file) => Ok(file?),
        Err(_) => Err(Error::NoWriter { seconds: PIPE_PATIENCE.as_secs() }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut text = String::new();
        Input::from_bytes(bytes).unwrap().reader().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_is_decoded_by_its_bytes() {
        assert_eq!(text(b"\xef\xbb\xbfcaf\xc3\xa9"), "café");
        assert_eq!(text(b"caf\xe9.example"), "café.example", "Latin-1");
        assert_eq!(text(b"\xff\xfec\0a\0f\0\xe9\0"), "café");
        assert_eq!(text(b"\xfe\xff\0c\0a\0f\0\xe9"), "café");
    }

    #[test]
    fn what_comes_by_a_pipe_is_stored_for_this_user_alone() {
        let input = Input::spool(b"a.example\n".as_slice()).unwrap();
        let Content::File(file) = &input.content else { panic!("{input:?}") };
        let file = file.metadata().unwrap();
        assert_eq!((file.nlink(), file.mode() & 0o777), (0, 0o600));
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let refused = |bytes: &[u8]| Input::from_bytes(bytes).unwrap_err();
        assert_eq!(refused(b"a\nb\0"), Error::NotText { line: 2 });
        // Other characters are UTF-8: the file is damaged, and no Latin-1.
        assert_eq!(
            refused("é é é\n\u{e9}".as_bytes().split_last().unwrap().1),
            Error::NotText { line: 2 }
        );
    }

    #[test]
    fn a_source_is_read_from_its_beginning_as_often_as_needed() {
        let input = Input::spool(&b"a.example\nb.example\n"[..]).unwrap();
        for _ in 0..2 {
            let lines: Vec<_> = input.reader().lines().map(Result::unwrap).collect();
            assert_eq!(lines, ["a.example", "b.example"]);
        }
        assert_eq!(input.bytes(), 20);
        assert_eq!(input.digest(), Input::from_bytes(b"a.example\nb.example\n").unwrap().digest());
    }

    #[test]
    fn a_device_without_an_end_is_refused_at_once() {
        let zero = Input::open(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(zero, Error::NotText { line: 1 });
    }

    #[test]
    fn a_folder_is_refused_by_name() {
        assert_eq!(Input::open(Path::new("/")).unwrap_err(), Error::Folder);
    }
}
