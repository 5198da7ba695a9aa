use std::collections::BTreeMap;
use std::sync::Arc;

use dbsp::storage::buffer_cache::FBuf;

use super::encoding::encode_notes;
use super::environment::environment;
use super::{CheckpointError, CircuitCheckpoint, PartRecord};
use crate::circuit::{Circuit, StepError};
use crate::parts::SavedParts;
use crate::storage::book::Book;

/// A checkpoint whose files may not be durable yet. Dropped without being committed, it leaves nothing behind.
#[derive(Debug)]
pub struct PreparedCheckpoint {
    number: u64,
    parts: Vec<PartRecord>,
    batches: Vec<String>,
    notes: BTreeMap<String, Arc<FBuf>>,
    book: Arc<Book>,
    is_committed: bool,
}

impl Circuit {
    /// Takes the state as it is between two steps. What lies in memory is written to files, so that this takes
    /// longer the more of it there is; the circuit goes on afterwards, while the checkpoint is committed elsewhere.
    pub fn prepare_checkpoint(&mut self) -> Result<PreparedCheckpoint, CheckpointError> {
        if self.change.is_some() {
            return Err(CheckpointError::Changing);
        }
        if self.running.is_broken {
            return Err(CheckpointError::Broken);
        }
        let book = self.book().map_err(|error| CheckpointError::Storage(error.to_string()))?;
        let book = book.ok_or(CheckpointError::NoStorage)?;
        let number = book.next_number();
        let saved = match &mut self.worker {
            Some(worker) => worker.save(number, book.clone()),
            None => Ok(SavedParts::default()),
        };
        let saved = saved.map_err(|error| {
            self.lose_parts();
            match self.blamed(error) {
                StepError::Panicked(reason) => CheckpointError::Panicked(reason),
                StepError::Storage(reason) => CheckpointError::Storage(reason),
            }
        })?;
        let notes = book.take_notes();
        let SavedParts { parts, batches } = saved;
        Ok(PreparedCheckpoint { number, parts, batches, notes, book, is_committed: false })
    }

    /// Files that only this checkpoint needed may go.
    pub fn release_checkpoint(&mut self, old: &CircuitCheckpoint) {
        if let Some(book) = &self.book {
            book.release(old.number);
        }
    }
}

impl PreparedCheckpoint {
    /// Makes the checkpoint durable. Once this returns, its description may be published.
    pub fn commit(mut self) -> Result<CircuitCheckpoint, CheckpointError> {
        let files = self.make_durable().map_err(|error| {
            // The book words it better; it was not a step that failed.
            CheckpointError::Storage(self.book.take_failure().unwrap_or_else(|| error.to_string()))
        })?;
        self.is_committed = true;
        Ok(CircuitCheckpoint {
            environment: environment(),
            number: self.number,
            parts: std::mem::take(&mut self.parts),
            files,
        })
    }

    fn make_durable(
        &self,
    ) -> Result<Vec<crate::storage::book::FileDigest>, feldera_storage::error::StorageError> {
        let mut files = Vec::with_capacity(self.batches.len() + 1);
        for batch in &self.batches {
            files.push(self.book.make_durable(batch)?);
        }
        files.push(self.book.write_notes(self.number, &encode_notes(&self.notes))?);
        self.book.sync_dir()?;
        Ok(files)
    }
}

impl Drop for PreparedCheckpoint {
    fn drop(&mut self) {
        if !self.is_committed {
            self.book.release(self.number);
        }
    }
}
