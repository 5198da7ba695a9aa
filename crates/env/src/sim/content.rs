//! The bytes of one file: as programs see them, and as they are on the platter.

use std::sync::Arc;

/// Bytes that a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// One file, whatever its name. Clones share their bytes until one of them writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// What programs read.
    pub(crate) live: Arc<Vec<u8>>,
    /// What a power cut leaves for certain.
    pub(crate) durable: Arc<Vec<u8>>,
    /// What a power cut may leave instead, in the order of writing.
    pub(crate) pending: Vec<Change>,
}

/// One unsynced change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// This sector has these bytes. They reach to the end of the sector or of the file.
    Sector { number: usize, bytes: Arc<[u8]> },
    /// The file has this length; what is added is zeros.
    Length(usize),
}

impl Content {
    pub(crate) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if end > self.live.len() {
            self.set_len(end);
        }
        let live = Arc::make_mut(&mut self.live);
        live[offset..end].copy_from_slice(bytes);
        for number in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            let start = number * SECTOR_BYTES;
            let sector = &live[start..live.len().min(start + SECTOR_BYTES)];
            self.pending.push(Change::Sector { number, bytes: sector.into() });
        }
    }

    pub(crate) fn set_len(&mut self, length: usize) {
        if length != self.live.len() {
            Arc::make_mut(&mut self.live).resize(length, 0);
            self.pending.push(Change::Length(length));
        }
    }

    pub(crate) fn sync(&mut self) {
        if !self.pending.is_empty() {
            self.durable = Arc::clone(&self.live);
            self.pending.clear();
        }
    }

    /// A sync that failed: nothing arrived, and the operating system holds everything for written.
    pub(crate) fn lose_pending(&mut self) {
        self.pending.clear();
    }

    /// What is there after a power cut, if of the pending changes those arrived that `arrives` says.
    pub(crate) fn after_power_cut(&self, mut arrives: impl FnMut() -> bool) -> Content {
        let mut durable = Arc::clone(&self.durable);
        for change in &self.pending {
            if arrives() {
                apply(Arc::make_mut(&mut durable), change);
            }
        }
        Content { live: Arc::clone(&durable), durable, pending: Vec::new() }
    }
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => file.resize(*length, 0),
        Change::Sector { number, bytes } => {
            // A sector past the end of the file has no place in it: it is lost with the length that did not arrive.
            let start = number * SECTOR_BYTES;
            if start < file.len() {
                let end = file.len().min(start + bytes.len());
                file[start..end].copy_from_slice(&bytes[..end - start]);
            }
        }
    }
}
