use headwater_types::limits::{
    DECODED_BYTES_MAX, QUARANTINE_PAYLOAD_BYTES_MAX, RECORD_BYTES_MAX, RECORDS_PER_REQUEST_MAX,
};
use headwater_types::{Decoded, Operation, RecordError, RecordErrorCode};

use crate::body_error::BodyError;
use crate::problem::Problem;

/// Where records go once their values are read: one table's rows, or those of several tables.
pub(crate) trait RecordSink {
    /// Makes the record that was read part of the result; runs that ended become operations.
    fn commit(&mut self, index: u32, operations: &mut Vec<Operation>) -> Result<(), Box<Problem>>;
    /// Forgets all that was read since the last commit.
    fn abandon(&mut self);
    /// Ends the last run.
    fn flush(&mut self, operations: &mut Vec<Operation>);
    /// Bytes of memory that all committed records took.
    fn decoded_bytes(&self) -> usize;
    /// Makes room for about so many more records like those read so far, in at most so many bytes per kind of buffer.
    fn reserve(&mut self, records: usize, bytes_max: usize);
}

/// The records of one request: the good as operations, the bad as errors, counted in request order.
#[derive(Debug)]
pub(crate) struct Records<S> {
    pub(crate) sink: S,
    operations: Vec<Operation>,
    errors: Vec<RecordError>,
    received: u32,
}

impl<S: RecordSink> Records<S> {
    pub(crate) fn new(sink: S) -> Records<S> {
        Records { sink, operations: Vec::new(), errors: Vec::new(), received: 0 }
    }

    /// Ends a record whose values have been read into the sink, or refused.
    ///
    /// `text` is the record as it came.
    #[inline]
    pub(crate) fn end(&mut self, text: &[u8], read: Result<(), Box<Problem>>) -> Result<(), BodyError> {
        let index = self.received;
        if index as usize == RECORDS_PER_REQUEST_MAX {
            return Err(BodyError::TooManyRecords);
        }
        self.received += 1;
        let ended = read
            .and_then(|()| check_length(text))
            .and_then(|()| self.sink.commit(index, &mut self.operations));
        if let Err(problem) = ended {
            self.sink.abandon();
            self.errors.push(record_error(index, *problem, text));
        }
        if self.sink.decoded_bytes() > DECODED_BYTES_MAX {
            return Err(BodyError::DecodedTooLarge);
        }
        Ok(())
    }

    /// Makes room after the first record, taking the rest of the body to be like it.
    pub(crate) fn reserve_after_first(&mut self, record_bytes: usize, body_bytes: usize) {
        if self.received == 1 {
            // Typed values seldom take more room than their text; where they do, columns grow as they go.
            self.sink.reserve(body_bytes / record_bytes.max(1), body_bytes);
        }
    }

    pub(crate) fn finish(mut self) -> Decoded {
        self.sink.flush(&mut self.operations);
        Decoded { operations: self.operations, errors: self.errors, received: u64::from(self.received) }
    }
}

fn check_length(text: &[u8]) -> Result<(), Box<Problem>> {
    if text.len() <= RECORD_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the record has {} bytes, at most {RECORD_BYTES_MAX} are taken", text.len());
    Err(Problem::new(RecordErrorCode::Range, message))
}

fn record_error(index: u32, problem: Problem, text: &[u8]) -> RecordError {
    let Problem { code, column, message, hint } = problem;
    RecordError { index, code, column, message, hint, payload: payload(text) }
}

/// The beginning of the record's text, as much as quarantine keeps.
fn payload(text: &[u8]) -> String {
    let head = &text[..text.len().min(QUARANTINE_PAYLOAD_BYTES_MAX + 4)];
    let mut payload = String::from_utf8_lossy(head).into_owned();
    payload.truncate(payload.floor_char_boundary(QUARANTINE_PAYLOAD_BYTES_MAX));
    payload
}
