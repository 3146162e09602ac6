//! Records of delimited cells, as RFC 4180 has them.
//!
//! Libraries for CSV forgive: they join text to a quoted cell, end an open quote with the file, and
//! count lines by LF alone. A record's line is part of its event's id here, and a cell that is
//! guessed is somebody's data, so this reader forgives nothing: a record that RFC 4180 doesn't
//! allow is refused, with the line it begins on, and the next one is read.
//!
//! LF and CRLF end a line. A lone CR ends one where the file's first line ends with one, as old
//! programs for the Mac write them; elsewhere it is a stray character. Each of the three counts as
//! one line end, within quotes too.

use super::encoding::{Filled, Text};
use super::row::{BadRow, SourceError};

/// The longest record, lines within quotes included, in bytes of UTF-8.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What stands between cells, an ASCII character; none when a line is one cell.
    pub delimiter: Option<u8>,
    /// Whether a cell may stand in quotation marks.
    pub quotes: bool,
}

/// A record's cells, without their quotation marks.
#[derive(Debug, Default)]
pub struct Record {
    /// The line of its first character, from 1.
    pub line: u64,
    text: String,
    /// Where in the text each cell ends.
    ends: Vec<usize>,
}

impl Record {
    /// The cells; at least one.
    pub fn cells(&self) -> Vec<&str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end]).collect()
    }
}

/// What ends the file's lines; the first line end tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    /// LF or CRLF.
    Lf,
    /// A lone CR too.
    Cr,
}

/// Where in a cell the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its first character.
    Start,
    /// Within one that has no quotation marks.
    Plain,
    /// Within quotation marks.
    Quoted,
    /// After a quotation mark that ends the cell, unless another follows.
    Closed,
}

/// What comes next in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Byte(u8),
    Malformed,
    End,
}

/// Reads records one after another.
pub struct Records {
    text: Text,
    piece: String,
    at: usize,
    malformed: bool,
    shape: Shape,
    line: u64,
    after_cr: bool,
    line_ends: Option<LineEnds>,
    record: Record,
    broken: bool,
}

impl Records {
    /// The records of a text.
    pub fn new(text: Text, shape: Shape) -> Records {
        Records {
            text,
            piece: String::new(),
            at: 0,
            malformed: false,
            shape,
            line: 1,
            after_cr: false,
            line_ends: None,
            record: Record::default(),
            broken: false,
        }
    }

    /// Reads what follows as records of another shape.
    pub fn reshape(&mut self, shape: Shape) {
        self.shape = shape;
    }

    /// The next record, an empty line being one with one empty cell; none at the end of the file,
    /// or after it broke.
    pub fn next_record(&mut self) -> Option<Result<&Record, SourceError>> {
        if self.broken {
            return None;
        }
        match self.read() {
            Ok(false) => None,
            Ok(true) => Some(Ok(&self.record)),
            Err(error) => {
                self.broken = matches!(error, SourceError::Broken(_));
                Some(Err(error))
            }
        }
    }

    fn read(&mut self) -> Result<bool, SourceError> {
        self.record.text.clear();
        self.record.ends.clear();
        self.record.line = self.line;
        let mut draft = Draft { place: Place::Start, opened: 0, problem: None, last_line: self.line };
        if self.peek()? == Next::End {
            return Ok(false);
        }
        while self.step(&mut draft)? {}
        self.record.ends.push(self.record.text.len());
        if draft.problem.is_none() && self.text.has_meaningless(&self.record.text) {
            draft.problem = Some(self.text.problem());
        }
        let Some(mut problem) = draft.problem else { return Ok(true) };
        if draft.last_line > self.record.line {
            problem.push_str(&format!("; the record goes to line {}", draft.last_line));
        }
        let bad = BadRow::new(self.record.line, problem);
        Err(SourceError::Bad(bad.with_cells(&[], &self.record.cells())))
    }

    /// Takes the next characters into the record; false at the record's end.
    fn step(&mut self, draft: &mut Draft) -> Result<bool, SourceError> {
        let too_long = self.record.text.len() > RECORD_BYTES_MAX;
        if too_long && draft.place == Place::Quoted {
            return Err(self.left_open(draft, &format!("within {RECORD_BYTES_MAX} bytes")));
        }
        if too_long {
            draft.refuse(&format!("it is longer than {RECORD_BYTES_MAX} bytes"));
            self.record.text.clear();
            self.record.ends.clear();
        }
        let byte = match self.peek()? {
            Next::Byte(byte) => byte,
            Next::Malformed => {
                self.malformed = false;
                self.after_cr = false;
                draft.refuse(&self.text.problem());
                if draft.place != Place::Quoted {
                    draft.place = Place::Plain;
                }
                return Ok(true);
            }
            Next::End if draft.place == Place::Quoted => {
                return Err(self.left_open(draft, "until the file's end"));
            }
            Next::End => return Ok(false),
        };
        draft.last_line = self.line;
        if draft.place == Place::Quoted {
            match byte {
                b'"' => {
                    self.take(byte);
                    draft.place = Place::Closed;
                }
                b'\r' | b'\n' => {
                    self.take(byte);
                    self.record.text.push(char::from(byte));
                }
                _ => self.take_run(|byte| matches!(byte, b'"' | b'\r' | b'\n')),
            }
            return Ok(true);
        }
        match byte {
            b'\n' => {
                self.take(byte);
                self.line_ends.get_or_insert(LineEnds::Lf);
                return Ok(false);
            }
            b'\r' => return self.carriage_return(draft),
            b'"' if self.shape.quotes => {
                self.take(byte);
                match draft.place {
                    Place::Start => {
                        draft.place = Place::Quoted;
                        draft.opened = self.line;
                    }
                    Place::Closed => {
                        self.record.text.push('"');
                        draft.place = Place::Quoted;
                    }
                    Place::Plain | Place::Quoted => draft.refuse(
                        "a quotation mark is inside a cell that doesn't begin with one; if the mark is only a \
                         character, quote the whole cell and double the mark, or set quotes = false under \
                         [file] in the mapping",
                    ),
                }
            }
            byte if Some(byte) == self.shape.delimiter => {
                self.take(byte);
                self.record.ends.push(self.record.text.len());
                draft.place = Place::Start;
            }
            _ => {
                if draft.place == Place::Closed {
                    draft.refuse("text follows a closing quotation mark; double a mark inside a quoted cell");
                }
                draft.place = Place::Plain;
                let Shape { delimiter, quotes } = self.shape;
                self.take_run(|byte| {
                    matches!(byte, b'\r' | b'\n') || Some(byte) == delimiter || (quotes && byte == b'"')
                });
            }
        }
        Ok(true)
    }

    /// A CR outside of quotation marks; false when it ends the record.
    fn carriage_return(&mut self, draft: &mut Draft) -> Result<bool, SourceError> {
        self.take(b'\r');
        match self.peek()? {
            Next::Byte(b'\n') => {
                self.take(b'\n');
                self.line_ends.get_or_insert(LineEnds::Lf);
                return Ok(false);
            }
            Next::End => return Ok(false),
            Next::Byte(_) | Next::Malformed => {}
        }
        if *self.line_ends.get_or_insert(LineEnds::Cr) == LineEnds::Cr {
            return Ok(false);
        }
        draft.refuse(
            "it contains a lone CR, and the file's lines don't end with CR; quote a cell that contains a line \
                 break",
        );
        draft.place = Place::Plain;
        Ok(true)
    }

    fn left_open(&self, draft: &Draft, until: &str) -> SourceError {
        SourceError::Broken(format!(
            "the quotation mark opened in line {} is not closed {until}: no row from line {} on was sent",
            draft.opened, self.record.line
        ))
    }

    /// Looks at what comes next.
    fn peek(&mut self) -> Result<Next, SourceError> {
        if self.at < self.piece.len() {
            return Ok(Next::Byte(self.piece.as_bytes()[self.at]));
        }
        if self.malformed {
            return Ok(Next::Malformed);
        }
        self.at = 0;
        match self.text.fill(&mut self.piece) {
            Ok(Filled::Text) => Ok(Next::Byte(self.piece.as_bytes()[0])),
            Ok(Filled::Malformed) => {
                self.malformed = true;
                Ok(Next::Malformed)
            }
            Ok(Filled::End) => Ok(Next::End),
            Err(cause) => Err(SourceError::Broken(format!("in line {}: {cause}", self.line))),
        }
    }

    /// Takes the byte that comes next, an ASCII character, and counts it when it ends a line.
    fn take(&mut self, byte: u8) {
        self.at += 1;
        if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
    }

    /// Takes at least one character into the cell, and on to the first at which it ends.
    fn take_run(&mut self, ends: impl Fn(u8) -> bool) {
        let rest = &self.piece[self.at..];
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.record.text.push_str(&rest[..length]);
        self.at += length;
        self.after_cr = false;
    }
}

/// A record while it is read.
struct Draft {
    place: Place,
    /// The line of the quotation mark that opened last.
    opened: u64,
    /// The first thing that RFC 4180 doesn't allow.
    problem: Option<String>,
    /// The line of the character that was taken last.
    last_line: u64,
}

impl Draft {
    fn refuse(&mut self, problem: &str) {
        self.problem.get_or_insert_with(|| problem.to_owned());
    }
}
