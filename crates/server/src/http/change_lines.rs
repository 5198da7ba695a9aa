use headwater_codec::json::{RowWriter, write_string};
use headwater_engine::{Change, ChangeKind, Cursor, ResetReason};
use headwater_types::ColumnType;

/// How changes are written.
#[derive(Clone, Copy, Debug)]
pub struct LineStyle {
    /// Server-sent events; otherwise one JSON object per line.
    pub is_sse: bool,
    /// Whether each line names its relation.
    pub names_relation: bool,
    /// Whether each line carries the cursor behind it.
    pub has_cursors: bool,
}

impl LineStyle {
    /// Whoever may come back is told where the stream and a snapshot in it begin, and where they end.
    #[must_use]
    pub fn tells_begin(&self) -> bool {
        self.is_sse || self.has_cursors
    }
}

/// Writes changes as lines of text, up to a number of lines.
#[derive(Debug)]
pub struct LineWriter {
    style: LineStyle,
    /// The next line carries its cursor, whatever the style.
    is_after_pause: bool,
    /// Lines that may still be written.
    left: u64,
}

impl LineWriter {
    /// A writer of at most `limit` lines; heartbeats do not count.
    #[must_use]
    pub fn new(style: LineStyle, limit: Option<u64>) -> LineWriter {
        LineWriter { style, is_after_pause: false, left: limit.unwrap_or(u64::MAX) }
    }

    /// Whether no further line may be written.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Appends a change's lines. Returns the cursor behind the last of them, if there is one.
    pub fn change(&mut self, change: &Change, out: &mut Vec<u8>) -> Option<Cursor> {
        let mut written = 0;
        match &change.kind {
            ChangeKind::Lines(lines) => {
                let name: &[u8] = if lines.is_delete { b"delete" } else { b"insert" };
                let rows = RowWriter::new(&lines.rows);
                for row in 0..lines.rows.num_rows() {
                    for _ in 0..lines.count(row).min(self.left) {
                        written += 1;
                        self.line(change, written, out, |out| {
                            out.push(b'"');
                            out.extend_from_slice(name);
                            out.extend_from_slice(b"\":");
                            rows.write_row(row, out);
                        });
                    }
                }
            }
            ChangeKind::Reset { reason, schema } if self.left > 0 => {
                written = 1;
                self.line(change, 1, out, |out| {
                    out.extend_from_slice(b"\"reset\":{\"reason\":\"");
                    out.extend_from_slice(reason_name(*reason).as_bytes());
                    out.extend_from_slice(b"\",\"columns\":");
                    write_columns(schema, out);
                    out.push(b'}');
                });
            }
            ChangeKind::End if self.left > 0 => {
                written = 1;
                self.line(change, 1, out, |out| {
                    out.extend_from_slice(b"\"end\":true");
                });
            }
            ChangeKind::Reset { .. } | ChangeKind::End => {}
        }
        change.cursor_after(written)
    }

    /// Appends a heartbeat: everything up to this cursor was told.
    pub fn heartbeat(&mut self, cursor: Cursor, out: &mut Vec<u8>) {
        self.is_after_pause = true;
        let lsn = cursor.position.lsn.0.saturating_sub(1);
        if self.style.is_sse {
            out.extend_from_slice(format!("event: heartbeat\nid: {cursor}\ndata: ").as_bytes());
        }
        out.extend_from_slice(
            format!("{{\"lsn\":{lsn},\"heartbeat\":true,\"cursor\":\"{cursor}\"}}\n").as_bytes(),
        );
        if self.style.is_sse {
            out.push(b'\n');
        }
    }

    /// Appends one line, the `number`-th of its change, with what `write` says happened.
    fn line(&mut self, change: &Change, number: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.left -= 1;
        let shows_cursor = self.style.has_cursors || std::mem::take(&mut self.is_after_pause);
        let cursor = (shows_cursor || self.style.is_sse).then(|| change.cursor_after(number)).flatten();
        let cursor = cursor.map(|cursor| cursor.to_string());
        if self.style.is_sse {
            if let Some(cursor) = &cursor {
                out.extend_from_slice(format!("id: {cursor}\n").as_bytes());
            }
            out.extend_from_slice(b"data: ");
        }
        out.extend_from_slice(b"{\"lsn\":");
        out.extend_from_slice(change.lsn.0.to_string().as_bytes());
        if self.style.names_relation {
            out.extend_from_slice(b",\"relation\":");
            write_string(change.relation.as_str(), out);
        }
        out.push(b',');
        write(out);
        if let Some(cursor) = cursor.filter(|_| shows_cursor) {
            out.extend_from_slice(format!(",\"cursor\":\"{cursor}\"").as_bytes());
        }
        out.extend_from_slice(if self.style.is_sse { b"}\n\n" } else { b"}\n" });
    }
}

fn reason_name(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::Created => "created",
        ResetReason::Changed => "changed",
        ResetReason::Behind => "behind",
        ResetReason::Snapshot => "snapshot",
    }
}

fn write_columns(schema: &arrow::datatypes::Schema, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, field) in schema.fields().iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"name\":" } else { b",{\"name\":" });
        write_string(field.name(), out);
        let column_type = ColumnType::from_arrow(field.data_type());
        let column_type = column_type.map_or_else(|| field.data_type().to_string(), |it| it.to_string());
        out.extend_from_slice(b",\"type\":");
        write_string(&column_type, out);
        out.extend_from_slice(format!(",\"nullable\":{}}}", field.is_nullable()).as_bytes());
    }
    out.push(b']');
}
