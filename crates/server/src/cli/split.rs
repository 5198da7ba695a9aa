use std::io::{self, Read};

use headwater_types::limits::RECORD_BYTES_MAX;

/// Bytes read from a file at a time.
const READ_BYTES: usize = 256 << 10;

/// How the records of a file are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// A header row, then a record per row; a quoted field may hold line ends.
    Csv,
    /// A JSON object per line.
    Ndjson,
    /// An array of JSON objects, or objects one after the other.
    Json,
}

/// Why a file cannot be cut.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// No record ends for too long.
    #[error("a record is longer than {RECORD_BYTES_MAX} bytes, or a quote is never closed")]
    RecordTooLong,
    /// Something follows the end of the array.
    #[error("something follows the end of the JSON array")]
    AfterArray,
}

/// Cuts a file between records into bodies of about a given size, each valid by itself.
#[derive(Debug)]
pub struct Splitter<R> {
    reader: R,
    body_bytes: usize,
    boundary: Boundary,
    /// What was read and not given out.
    pending: Vec<u8>,
    /// How much of `pending` the scan has seen.
    scanned: usize,
    /// Where in `pending` the last record ends that is known to be complete.
    complete: usize,
    /// The header row of a CSV file.
    header: Vec<u8>,
    /// Whether the first piece of the file has been given out.
    begun: bool,
    at_end: bool,
}

impl<R: Read> Splitter<R> {
    /// Cuts what the reader gives.
    pub fn new(reader: R, format: FileFormat, body_bytes: usize) -> Splitter<R> {
        let boundary = match format {
            FileFormat::Csv => Boundary::Line { quotes: true, in_quotes: false },
            FileFormat::Ndjson => Boundary::Line { quotes: false, in_quotes: false },
            FileFormat::Json => Boundary::Json(JsonScan::default()),
        };
        Splitter {
            reader,
            body_bytes,
            boundary,
            pending: Vec::new(),
            scanned: 0,
            complete: 0,
            header: Vec::new(),
            begun: false,
            at_end: false,
        }
    }

    /// The next body; `None` at the end.
    pub fn next_body(&mut self) -> Result<Option<Vec<u8>>, SplitError> {
        loop {
            self.fill()?;
            if self.takes_header() {
                self.header = self.cut_first_line();
            }
            let end = if self.at_end { self.pending.len() } else { self.complete };
            let records = self.pending.drain(..end).collect::<Vec<u8>>();
            self.scanned -= end;
            self.complete = 0;
            let body = self.wrapped(&records);
            self.begun |= !records.is_empty();
            if body.is_some() || self.at_end {
                return Ok(body);
            }
        }
    }

    /// Reads until a body's worth of complete records is there, or the end.
    fn fill(&mut self) -> Result<(), SplitError> {
        while !self.at_end && (self.complete == 0 || self.pending.len() < self.body_bytes) {
            if self.pending.len() - self.complete > RECORD_BYTES_MAX + self.body_bytes {
                return Err(SplitError::RecordTooLong);
            }
            let before = self.pending.len();
            self.pending.resize(before + READ_BYTES, 0);
            let read = self.reader.read(&mut self.pending[before..])?;
            self.pending.truncate(before + read);
            self.at_end = read == 0;
            while self.scanned < self.pending.len() {
                if self.boundary.ends_record(self.pending[self.scanned])? {
                    self.complete = self.scanned + 1;
                }
                self.scanned += 1;
            }
        }
        Ok(())
    }

    fn takes_header(&self) -> bool {
        matches!(self.boundary, Boundary::Line { quotes: true, .. }) && self.header.is_empty()
    }

    /// Takes the header row, which is a record of its own, off the front.
    fn cut_first_line(&mut self) -> Vec<u8> {
        let mut scan = Boundary::Line { quotes: true, in_quotes: false };
        let end = self.pending.iter().position(|byte| scan.ends_record(*byte).unwrap_or(false));
        let end = end.map_or(self.pending.len(), |newline| newline + 1);
        self.scanned -= end;
        self.complete = self.complete.saturating_sub(end);
        self.pending.drain(..end).collect()
    }

    /// Records as a body that is valid by itself; `None` if there are none.
    fn wrapped(&self, records: &[u8]) -> Option<Vec<u8>> {
        match &self.boundary {
            Boundary::Line { .. } if records.trim_ascii().is_empty() => None,
            Boundary::Line { .. } => Some([&self.header, records].concat()),
            Boundary::Json(scan) if scan.in_array => {
                let elements = records.trim_ascii();
                let elements = elements.strip_prefix(b"[").filter(|_| !self.begun).unwrap_or(elements);
                let elements = elements.strip_suffix(b"]").filter(|_| scan.array_ended).unwrap_or(elements);
                let elements = elements.trim_ascii();
                let elements = elements.strip_suffix(b",").unwrap_or(elements);
                (!elements.is_empty()).then(|| [b"[", elements, b"]"].concat())
            }
            Boundary::Json(_) => {
                let records = records.trim_ascii();
                (!records.is_empty()).then(|| records.to_vec())
            }
        }
    }
}

/// Finds out, byte by byte, where records end.
#[derive(Debug)]
enum Boundary {
    /// At line ends, except, where quotes count, inside them: a doubled quote closes and opens again.
    Line { quotes: bool, in_quotes: bool },
    /// After each element of the array, or each object.
    Json(JsonScan),
}

#[derive(Debug, Default)]
struct JsonScan {
    started: bool,
    in_array: bool,
    array_ended: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Boundary {
    fn ends_record(&mut self, byte: u8) -> Result<bool, SplitError> {
        match self {
            Boundary::Line { quotes, in_quotes } => {
                if *quotes && byte == b'"' {
                    *in_quotes = !*in_quotes;
                }
                Ok(byte == b'\n' && !*in_quotes)
            }
            Boundary::Json(scan) => scan.ends_record(byte),
        }
    }
}

impl JsonScan {
    fn ends_record(&mut self, byte: u8) -> Result<bool, SplitError> {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(false);
        }
        if byte.is_ascii_whitespace() {
            return Ok(!self.in_array && self.started && self.depth == 0);
        }
        if self.array_ended {
            return Err(SplitError::AfterArray);
        }
        if !self.started {
            self.started = true;
            self.in_array = byte == b'[';
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.array_ended = self.in_array && self.depth == 0;
            }
            _ => {}
        }
        Ok(match byte {
            b',' => self.in_array && self.depth == 1,
            b'}' => !self.in_array && self.depth == 0,
            _ => self.array_ended,
        })
    }
}

#[cfg(test)]
mod tests;
