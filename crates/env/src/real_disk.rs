use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::disk::{DirLock, Disk, Entry, File, LockError, OpenHow};
use crate::kill_point;

/// Zeros are written in pieces of this size, and synced piece by piece: a sync of the log that runs beside it then
/// waits for one piece at most.
const ZERO_PIECE_BYTES: usize = 1 << 20;

/// The operating system's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                // Renamed or removed since the folder was read: not there any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let name = entry.file_name().into_string().map_err(|name| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("file name {} is not UTF-8", name.display()),
                )
            })?;
            let bytes = if metadata.is_dir() { 0 } else { metadata.len() };
            entries.push(Entry { name, is_dir: metadata.is_dir(), bytes });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Box<dyn File>> {
        let mut options = fs::OpenOptions::new();
        match how {
            OpenHow::Read => options.read(true),
            OpenHow::ReadWrite => options.read(true).write(true),
            OpenHow::CreateNew => options.read(true).write(true).create_new(true),
        };
        let is_log = path.extension().is_some_and(|extension| extension == kill_point::LOG_FILE_EXTENSION);
        Ok(Box::new(RealFile { file: options.open(path)?, is_log }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>, LockError> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock(file))),
            Err(fs::TryLockError::WouldBlock) => Err(LockError::Held),
            Err(fs::TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let volume = rustix::fs::statvfs(dir)?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    fn background(&self, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }
}

#[derive(Debug)]
struct RealFile {
    file: fs::File,
    /// Only the syncs of log files are counted and failed by [`kill_point`].
    is_log: bool,
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if self.is_log && kill_point::sync_must_fail() {
            return Err(rustix::io::Errno::IO.into());
        }
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn allocate_zeroed(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(0)?;
        let zeros = vec![0; ZERO_PIECE_BYTES];
        let mut done = 0;
        while done < bytes {
            let piece = (bytes - done).min(ZERO_PIECE_BYTES as u64) as usize;
            self.file.write_all_at(&zeros[..piece], done)?;
            self.file.sync_data()?;
            done += piece as u64;
        }
        Ok(())
    }
}

/// Holds the advisory lock of the operating system, which ends with the process.
#[derive(Debug)]
#[expect(dead_code, reason = "the open file is the lock")]
struct RealLock(fs::File);

impl DirLock for RealLock {}
