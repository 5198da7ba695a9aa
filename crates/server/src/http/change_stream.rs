use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use headwater_engine::{Cursor, Follower, Heard};
use tokio::sync::OwnedSemaphorePermit;

use super::change_lines::{LineStyle, LineWriter};
use crate::app::App;

/// Time after which a browser comes back when a stream has ended.
const RETRY_MS: u32 = 1_000;

/// A change stream on its way to a client. Each piece is made when the client has taken the one before.
pub struct ChangeStream {
    app: Arc<App>,
    follower: Follower,
    writer: LineWriter,
    style: LineStyle,
    heartbeat: Duration,
    /// Behind everything that was written.
    told: Cursor,
    /// What is written before anything is told.
    first: Option<Bytes>,
    has_ended: bool,
    /// Whether rows of a snapshot are still coming: nobody can begin in their middle.
    is_in_snapshot: bool,
    _place: OwnedSemaphorePermit,
}

impl ChangeStream {
    /// A stream of what a follower is told. One that is new has no cursor yet.
    #[must_use]
    pub fn new(
        app: Arc<App>,
        follower: Follower,
        is_new: bool,
        style: LineStyle,
        heartbeat: Duration,
        limit: Option<u64>,
        place: OwnedSemaphorePermit,
    ) -> ChangeStream {
        let told = follower.cursor();
        let is_in_snapshot = follower.is_in_snapshot();
        let mut writer = LineWriter::new(style, limit);
        let mut first = Vec::new();
        if style.is_sse {
            first.extend_from_slice(format!("retry: {RETRY_MS}\n\n").as_bytes());
        }
        if is_new && style.tells_begin() && !is_in_snapshot {
            // Without it whoever is cut off before the first change would not know where to go on.
            writer.heartbeat(told, &mut first);
        }
        ChangeStream {
            app,
            follower,
            writer,
            style,
            heartbeat,
            told,
            first: Some(Bytes::from(first)).filter(|first| !first.is_empty()),
            has_ended: false,
            is_in_snapshot,
            _place: place,
        }
    }

    /// The stream as the body of an answer.
    #[must_use]
    pub fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, async |mut stream| {
            let piece = stream.next_piece().await?;
            Some((Ok::<Bytes, Infallible>(piece), stream))
        }))
    }

    /// The next piece of text; `None` at the end.
    async fn next_piece(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.has_ended {
            let heard = tokio::select! {
                biased;
                () = self.app.draining() => None,
                heard = self.follower.next(self.heartbeat) => Some(heard),
            };
            let piece = self.write(heard);
            if !piece.is_empty() {
                return Some(Bytes::from(piece));
            }
        }
        None
    }

    fn write(&mut self, heard: Option<Heard>) -> Vec<u8> {
        let mut text = Vec::new();
        match heard {
            Some(Heard::Lines(changes)) => {
                self.is_in_snapshot = self.follower.is_in_snapshot();
                for change in changes {
                    if change.is_snapshot_begin() && !self.style.tells_begin() {
                        continue;
                    }
                    if let Some(cursor) = self.writer.change(&change, &mut text) {
                        self.told = cursor;
                    }
                    if self.writer.is_done() {
                        self.end(&mut text);
                        return text;
                    }
                }
            }
            Some(Heard::SnapshotDone(cursor)) => {
                self.is_in_snapshot = false;
                self.told = cursor;
                if self.style.tells_begin() {
                    self.writer.heartbeat(cursor, &mut text);
                }
            }
            Some(Heard::Heartbeat(cursor)) => {
                self.told = cursor;
                self.writer.heartbeat(cursor, &mut text);
            }
            Some(Heard::Ended(cursor) | Heard::Closed(cursor)) => {
                self.told = cursor;
                self.end(&mut text);
            }
            None => self.end(&mut text),
        }
        text
    }

    /// The last piece. Whoever may come back is told where to go on.
    fn end(&mut self, text: &mut Vec<u8>) {
        self.has_ended = true;
        if self.style.tells_begin() && !self.is_in_snapshot {
            self.writer.heartbeat(self.told, text);
        }
    }
}
