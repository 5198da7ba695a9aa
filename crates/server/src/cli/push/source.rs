use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::record_batch::RecordBatch;
use flate2::read::MultiGzDecoder;
use headwater_codec::write_rows::{RowsFormat, RowsWriter};
use indicatif::{ProgressBar, ProgressStyle};

use super::super::error::CliError;
use super::super::split::{FileFormat, Splitter};
use super::infer::Inferred;
use super::{Format, PushArgs};

/// Bytes of one request's body, about.
const BODY_BYTES: usize = 1 << 20;
/// Rows of one request at most, where they are narrow.
const BODY_ROWS_MAX: usize = 64 << 10;

/// A file, cut into bodies.
pub(super) struct Source {
    records: Records,
    /// What was taken out to look at and not sent yet.
    ahead: Option<Vec<u8>>,
    pub(super) bar: ProgressBar,
}

enum Records {
    Text(Box<Splitter<Box<dyn Read>>>, FileFormat),
    Batches { batches: Batches, schema: SchemaRef, rest: Option<RecordBatch> },
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

impl Source {
    /// Opens what the command names.
    pub(super) fn open(args: &PushArgs) -> Result<Source, CliError> {
        let text = |format, args: &PushArgs| {
            let (read, bar) = open_text(&args.file)?;
            let records = Records::Text(Box::new(Splitter::new(read, format, BODY_BYTES)), format);
            Ok(Source { records, ahead: None, bar })
        };
        match format_of(args)? {
            Format::Csv => text(FileFormat::Csv, args),
            Format::Ndjson => text(FileFormat::Ndjson, args),
            Format::Json => text(FileFormat::Json, args),
            Format::Arrow => Source::of_batches(arrow(&args.file)?),
        }
    }

    fn of_batches((schema, batches): (SchemaRef, Batches)) -> Result<Source, CliError> {
        let records = Records::Batches { batches, schema, rest: None };
        Ok(Source { records, ahead: None, bar: ProgressBar::hidden() })
    }

    /// What its bodies are.
    pub(super) fn content_type(&self) -> &'static str {
        match &self.records {
            Records::Text(_, FileFormat::Csv) => "text/csv",
            Records::Text(_, FileFormat::Ndjson) => "application/x-ndjson",
            Records::Text(_, FileFormat::Json) => "application/json",
            Records::Batches { .. } => "application/vnd.apache.arrow.stream",
        }
    }

    /// What its first records say about its columns. They are sent all the same.
    pub(super) fn infer(&mut self) -> Result<Inferred, CliError> {
        if let Records::Batches { schema, .. } = &self.records {
            return Inferred::from_schema(schema);
        }
        let head =
            self.next_body()?.ok_or_else(|| CliError::new("the file has no records to make a table of"))?;
        let inferred = match &self.records {
            Records::Text(_, format) => Inferred::from_text(&head, *format),
            Records::Batches { schema, .. } => Inferred::from_schema(schema),
        };
        self.ahead = Some(head);
        inferred
    }

    /// The next body; `None` at the end.
    pub(super) fn next_body(&mut self) -> Result<Option<Vec<u8>>, CliError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        match &mut self.records {
            Records::Text(splitter, _) => {
                splitter.next_body().map_err(|error| CliError::new(error.to_string()))
            }
            Records::Batches { batches, rest, .. } => {
                while rest.as_ref().is_none_or(|rows| rows.num_rows() == 0) {
                    match batches.next() {
                        None => return Ok(None),
                        Some(batch) => *rest = Some(batch.map_err(|error| unreadable(&error))?),
                    }
                }
                let Some(rows) = rest.take() else { return Ok(None) };
                let (body, after) = body_of(&rows)?;
                *rest = after;
                Ok(Some(body))
            }
        }
    }
}

/// The first rows of a batch as a body, and what is left of it.
fn body_of(rows: &RecordBatch) -> Result<(Vec<u8>, Option<RecordBatch>), CliError> {
    let bytes: usize = rows.columns().iter().map(|c| c.to_data().get_slice_memory_size().unwrap_or(0)).sum();
    let per_row = bytes / rows.num_rows() + 1;
    let count = (4 * BODY_BYTES / per_row).clamp(1, BODY_ROWS_MAX).min(rows.num_rows());
    let unwritable = |error| CliError::new(format!("rows cannot be sent: {error}"));
    let mut body = Vec::new();
    let mut writer = RowsWriter::new(RowsFormat::Arrow, rows.schema_ref()).map_err(unwritable)?;
    writer.write(&rows.slice(0, count), &mut body).map_err(unwritable)?;
    writer.end(&mut body).map_err(unwritable)?;
    let left = rows.num_rows() - count;
    Ok((body, (left > 0).then(|| rows.slice(count, left))))
}

fn format_of(args: &PushArgs) -> Result<Format, CliError> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let name = args.file.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        Some("json") => Ok(Format::Json),
        Some("arrow" | "arrows" | "feather" | "ipc") => Ok(Format::Arrow),
        _ => Err(CliError::new(format!("it is not clear how {name:?} is laid out"))
            .hint("add --format csv, ndjson, json or arrow")),
    }
}

fn opened(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| CliError::new(format!("{} cannot be read: {error}", path.display())))
}

fn unreadable(error: &impl std::fmt::Display) -> CliError {
    CliError::new(format!("the file cannot be read: {error}"))
}

fn arrow(path: &Path) -> Result<(SchemaRef, Batches), CliError> {
    const FILE_MAGIC: &[u8; 6] = b"ARROW1";
    if path == Path::new("-") {
        let reader = StreamReader::try_new(io::stdin(), None).map_err(|error| unreadable(&error))?;
        return Ok((reader.schema(), Box::new(reader)));
    }
    let mut file = opened(path)?;
    let mut magic = [0; FILE_MAGIC.len()];
    let is_file = file.read_exact(&mut magic).is_ok() && magic == *FILE_MAGIC;
    file.rewind().map_err(|error| unreadable(&error))?;
    if is_file {
        let reader = FileReader::try_new(file, None).map_err(|error| unreadable(&error))?;
        return Ok((reader.schema(), Box::new(reader)));
    }
    let reader = StreamReader::try_new(file, None).map_err(|error| unreadable(&error))?;
    Ok((reader.schema(), Box::new(reader)))
}

/// The file, decompressed if its name says so, and a bar that follows how much of it was read.
fn open_text(path: &Path) -> Result<(Box<dyn Read>, ProgressBar), CliError> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), ProgressBar::hidden()));
    }
    let file = opened(path)?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let style =
        ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes).with_style(style);
    let read = bar.wrap_read(file);
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let read: Box<dyn Read> = match extension.as_deref() {
        Some("gz") => Box::new(MultiGzDecoder::new(read)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::new(read).map_err(|error| unreadable(&error))?),
        _ => Box::new(read),
    };
    Ok((read, bar))
}
