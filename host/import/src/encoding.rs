//! A file's bytes as text: in the encoding that its mark or its mapping says.
//!
//! Nothing is replaced: where bytes are no text, the reader of the text is told at that place, so
//! that the record they stand in can be refused and the next one read.

use std::io::{self, BufRead};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

use super::file_kind::peek;

/// Bytes that tell a mark, or UTF-16 without one.
const MARK_BYTES: usize = 4;
/// Bytes of text decoded at once; no encoding's character takes more than a few.
const TEXT_BYTES: usize = 64 * 1024;
/// Names that stand for another encoding in the web's list than they say.
const MISLEADING: &[&str] = &["ascii", "us-ascii", "ansi_x3.4-1968", "x-user-defined"];

/// What a mapping says of the encoding. A mark at the file's start is more certain and wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// This one.
    Known(&'static encoding_rs::Encoding),
    /// UTF-16, whose order of bytes the mark tells.
    Utf16ByMark,
}

impl Default for Encoding {
    fn default() -> Self {
        Encoding::Known(UTF_8)
    }
}

impl std::str::FromStr for Encoding {
    type Err = String;

    /// A name of the WHATWG's list, such as `windows-1252`, `iso-8859-15`, `utf-16le`.
    fn from_str(name: &str) -> Result<Encoding, String> {
        let label = name.trim().to_ascii_lowercase();
        let known = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        match known {
            Some(encoding) if encoding == UTF_16LE && label != "utf-16le" => Ok(Encoding::Utf16ByMark),
            Some(encoding) if !MISLEADING.contains(&label.as_str()) => Ok(Encoding::Known(encoding)),
            _ => Err(format!(
                "unsupported encoding {name:?}: utf-8, windows-1252, iso-8859-15, macintosh and others are \
             supported; convert other files to UTF-8 first, for example with iconv"
            )),
        }
    }
}

/// What [`Text::fill`] has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Some text.
    Text,
    /// Bytes that are none, which were passed over.
    Malformed,
    /// The end of the file.
    End,
}

/// A file's text, in pieces.
pub struct Text {
    reader: Box<dyn BufRead>,
    decoder: Decoder,
    encoding: &'static encoding_rs::Encoding,
    /// Nothing but marks was seen yet.
    at_start: bool,
    /// Malformed bytes follow the text that was given last.
    malformed: bool,
    ended: bool,
}

impl Text {
    /// Looks at the file's first bytes. Fails when they contradict the encoding, saying what to
    /// write in the mapping.
    pub fn new(reader: Box<dyn BufRead>, said: Encoding) -> io::Result<Result<Text, String>> {
        let (start, reader) = peek(reader, MARK_BYTES)?;
        Ok(chosen(&start, said).map(|encoding| Text {
            reader,
            decoder: encoding.new_decoder_without_bom_handling(),
            encoding,
            at_start: true,
            malformed: false,
            ended: false,
        }))
    }

    /// Puts the next piece of text instead of what was there.
    pub fn fill(&mut self, piece: &mut String) -> io::Result<Filled> {
        piece.clear();
        piece.reserve(TEXT_BYTES);
        loop {
            if std::mem::take(&mut self.malformed) {
                return Ok(Filled::Malformed);
            }
            if self.ended {
                return Ok(Filled::End);
            }
            let bytes = match self.reader.fill_buf() {
                Ok(bytes) => bytes,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            let last = bytes.is_empty();
            let (result, read) = self.decoder.decode_to_string_without_replacement(bytes, piece, last);
            self.reader.consume(read);
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.malformed = true,
            }
            if self.at_start && !piece.is_empty() {
                let marks = piece.len() - piece.trim_start_matches('\u{feff}').len();
                piece.drain(..marks);
                self.at_start = piece.is_empty();
            }
            if !piece.is_empty() {
                return Ok(Filled::Text);
            }
        }
    }

    /// What to tell of malformed bytes.
    pub fn problem(&self) -> String {
        if self.encoding == UTF_8 {
            return "it is not UTF-8; if the file comes from Windows or Excel, write \
                    encoding = \"windows-1252\" under [file] in the mapping"
                .to_owned();
        }
        format!("it has bytes that are invalid in {}: the file has another encoding", self.encoding.name())
    }

    /// Whether the text has a character that the encoding has no meaning for, though the decoder
    /// passes its byte on as a control character: `0x81` in windows-1252.
    pub fn has_meaningless(&self, text: &str) -> bool {
        let unicode = [UTF_8, UTF_16LE, UTF_16BE].contains(&self.encoding);
        !unicode && text.chars().any(|character| ('\u{80}'..='\u{9f}').contains(&character))
    }
}

/// The encoding, by the file's first bytes and what was said of it.
fn chosen(start: &[u8], said: Encoding) -> Result<&'static encoding_rs::Encoding, String> {
    match start {
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => {
            return Err("UTF-32 is not supported: save the file as UTF-8".to_owned());
        }
        [0xef, 0xbb, 0xbf, ..] => return Ok(UTF_8),
        [0xff, 0xfe, ..] => return Ok(UTF_16LE),
        [0xfe, 0xff, ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let unmarked = match start {
        [0, second, ..] if *second != 0 => Some("utf-16be"),
        [first, 0, ..] if *first != 0 => Some("utf-16le"),
        _ => None,
    };
    let utf_16 = |name: &str| {
        format!("the file looks like UTF-16 without a byte order mark: write encoding = {name:?}")
    };
    match (said, unmarked) {
        (Encoding::Known(encoding), _) if [UTF_16LE, UTF_16BE].contains(&encoding) => Ok(encoding),
        (_, Some(name)) => Err(utf_16(name)),
        (Encoding::Known(encoding), None) => Ok(encoding),
        (Encoding::Utf16ByMark, None) if start.is_empty() => Ok(UTF_16LE),
        (Encoding::Utf16ByMark, None) => {
            Err("the file has no UTF-16 byte order mark: write encoding = \"utf-16le\" or \"utf-16be\""
                .to_owned())
        }
    }
}
