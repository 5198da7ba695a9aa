use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

/// Real zeros written ahead, so that a sync need not write the file's length.
const PREALLOCATED_BYTES: usize = 1 << 30;
/// When so much is written the log starts again at its beginning.
const WRAP_BYTES: usize = 1_000 << 20;

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Bodies handed over so far.
    handed_over: u64,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    handed_over: Condvar,
}

/// A log whose writer syncs everything that came while it synced before.
pub(crate) struct Log {
    shared: Arc<Shared>,
    synced: watch::Receiver<u64>,
}

/// The writer is gone: its file failed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Log {
    /// Makes and fills the file, and starts the writer.
    pub(crate) fn create(path: &str) -> io::Result<Log> {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
        let zeros = vec![0_u8; 1 << 20];
        for _ in 0..PREALLOCATED_BYTES / zeros.len() {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        file.rewind()?;
        let shared = Arc::new(Shared::default());
        let (sender, synced) = watch::channel(0);
        let writer = Arc::clone(&shared);
        std::thread::spawn(move || {
            if let Err(error) = write(&writer, &mut file, &sender) {
                eprintln!("the log failed: {error}");
            }
        });
        Ok(Log { shared, synced })
    }

    /// Returns when the body is synced.
    pub(crate) async fn append(&self, body: &[u8]) -> Result<(), Closed> {
        let number = {
            let mut waiting = self.shared.waiting.lock();
            let length = u32::try_from(body.len()).map_err(|_| Closed)?;
            waiting.bytes.extend_from_slice(&length.to_le_bytes());
            waiting.bytes.extend_from_slice(body);
            waiting.handed_over += 1;
            self.shared.handed_over.notify_one();
            waiting.handed_over
        };
        let mut synced = self.synced.clone();
        synced.wait_for(|done| *done >= number).await.map(|_| ()).map_err(|_| Closed)
    }
}

fn write(shared: &Shared, file: &mut File, synced: &watch::Sender<u64>) -> io::Result<()> {
    let mut group = Vec::new();
    let mut offset = 0;
    loop {
        let number = {
            let mut waiting = shared.waiting.lock();
            while waiting.bytes.is_empty() {
                shared.handed_over.wait(&mut waiting);
            }
            std::mem::swap(&mut waiting.bytes, &mut group);
            waiting.handed_over
        };
        file.write_all(&group)?;
        rustix::fs::fdatasync(&*file)?;
        offset += group.len();
        if offset > WRAP_BYTES {
            file.rewind()?;
            offset = 0;
        }
        group.clear();
        synced.send_replace(number);
    }
}
