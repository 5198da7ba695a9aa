use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};

use headwater_env::{DirLock, Env, File, LockError};
use headwater_types::{Lsn, TimestampMicros};

use crate::chain::ChainPoint;
use crate::group;
use crate::header::SegmentHeader;
use crate::housekeeping::{Done, Housekeeping, Work};
use crate::manifest::{Manifest, SealedSegment};
use crate::marks::Marks;
use crate::options::LogOptions;
use crate::prepare::Prepared;
use crate::read;
use crate::recover::{Damage, Recovery, Segment};
use crate::reserve::{self, Reserve};
use crate::sector::SECTOR_BYTES;
use crate::store::{AppendError, CutError, LogStore, NewRecord, ReadError, RecordIterator};

/// How often the disk is asked for space, and the making of a segment tried again, while there is none.
const SPACE_CHECK_MICROS: i64 = 200_000;
/// Space that must be there beyond what a segment takes, for the manifest and for what the file system adds.
const SPACE_SLACK_BYTES: u64 = 64 << 10;

/// A log in the files of one folder, open for appending. Dropping it is as safe as a crash; [`FileLog::close`] also
/// writes down how far it was durable, so that the next start knows that nothing may be missing.
#[derive(Debug)]
pub struct FileLog {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) options: LogOptions,
    pub(crate) log_id: [u8; 16],
    /// Full segments, oldest first.
    pub(crate) sealed: Vec<Segment>,
    pub(crate) active: Active,
    /// The segment that comes after, if it has been made.
    pub(crate) prepared: Option<Prepared>,
    /// What the next group must be like. All before it is durable.
    pub(crate) point: ChainPoint,
    pub(crate) marks: Marks,
    pub(crate) housekeeping: Housekeeping,
    pub(crate) reserve: Reserve,
    /// Bytes of the reserve that was taken last; meaningless unless it is held.
    pub(crate) reserve_held_bytes: u64,
    /// Does the manifest on disk lack a full segment?
    pub(crate) is_manifest_due: bool,
    /// A sync failed: nothing is written or synced any more.
    pub(crate) is_closed: bool,
    /// When space was last looked for, and whether there was any.
    pub(crate) space: Cell<SpaceCheck>,
    /// The group being written; kept so that its memory is.
    pub(crate) buffer: Vec<u8>,
    pub(crate) _lock: Box<dyn DirLock>,
}

/// The segment that groups are appended to.
#[derive(Debug)]
pub(crate) struct Active {
    /// `sectors_used` and `end` are those of the last group.
    pub(crate) segment: Segment,
    pub(crate) file: Box<dyn File>,
}

/// The last look at the disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpaceCheck {
    at: Option<TimestampMicros>,
    has_space: bool,
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Acknowledged bytes have changed or are gone. Nothing in the folder was changed.
    #[error("{0}")]
    Damaged(#[from] Damage),
    /// A later version of Headwater wrote it.
    #[error(
        "{file} has format {found}, newer than this version of Headwater reads; use the version that wrote it"
    )]
    UnknownFormat {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
    },
    /// Somebody else has it open.
    #[error("the log in {} is in use by another process; stop that one first", dir.display())]
    Locked {
        /// The log's folder.
        dir: PathBuf,
    },
    /// The disk failed, or is full while a new log is made.
    #[error("cannot open the log: {0}")]
    Io(#[from] io::Error),
}

impl OpenError {
    pub(crate) fn from_lock(dir: &Path, error: LockError) -> OpenError {
        match error {
            LockError::Held => OpenError::Locked { dir: dir.to_owned() },
            LockError::Io(error) => OpenError::Io(error),
        }
    }
}

impl FileLog {
    /// Opens the log in `dir`, or makes one if there is none. All of it is read and verified; a torn last group is cut.
    pub fn open(env: &Env, dir: &Path, options: LogOptions) -> Result<(FileLog, Recovery), OpenError> {
        crate::open::open(env, dir, options)
    }

    /// The LSN of the newest record that the log in `dir` was marked as holding when it was last closed, cut, opened or
    /// changed segments; there may be more. Reads one small file and verifies nothing else. `None` if there is no log.
    pub fn marked_lsn(env: &Env, dir: &Path) -> Result<Option<Lsn>, OpenError> {
        if !env.disk.exists(&dir.join(crate::names::MANIFEST)) {
            return Ok(None);
        }
        let manifest = crate::open::read_manifest(env, dir)?;
        Ok(Some(Lsn(manifest.durable.lsn.0.saturating_sub(1))))
    }

    /// Writes down how far the log is durable, and closes it. The next start takes anything less for damage.
    pub fn close(mut self) -> io::Result<()> {
        self.mark_durable()
    }

    /// Gives the reserve's space to the volume, so that what makes room (a snapshot, then [`LogStore::cut_before`]) can
    /// be written to a full disk. Until [`FileLog::retake_reserve`] no new segment is made; appends go on while they
    /// fit into those that there are. Leave 64 KiB of the reserve for the manifest that the cut writes.
    pub fn release_reserve(&mut self) -> io::Result<()> {
        self.collect_done(Wait::UntilDone)?;
        if self.is_closed {
            return Ok(());
        }
        self.reserve = Reserve::Released;
        let released =
            reserve::give_up(&self.env, &self.dir).and_then(|()| self.env.disk.sync_dir(&self.dir));
        self.is_closed = released.is_err();
        released
    }

    /// Ends [`FileLog::release_reserve`]. If the space is not there yet the log takes it as soon as it is. Returns
    /// whether it holds its reserve now.
    pub fn retake_reserve(&mut self) -> bool {
        if self.reserve == Reserve::Released {
            self.reserve = Reserve::Missing;
        }
        if self.reserve == Reserve::Missing && !self.is_closed {
            let waited = self.collect_done(Wait::UntilDone);
            if waited.is_ok() && self.reserve == Reserve::Missing {
                let work = Work { reserve_bytes: self.reserve_due(), ..Work::default() };
                let done = work.run(&self.env, &self.dir);
                // A failure has closed the log; the next append says so.
                let _ = self.accept(done);
            }
        }
        self.reserve == Reserve::Held
    }

    /// Runs `work` with the reserve's space given to the volume.
    pub fn with_reserve_released<T>(&mut self, work: impl FnOnce(&mut FileLog) -> T) -> io::Result<T> {
        self.release_reserve()?;
        let result = work(self);
        self.retake_reserve();
        Ok(result)
    }

    /// Was the log closed by a failed sync?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Takes in what housekeeping has done. An error closes the log.
    pub(crate) fn collect_done(&mut self, wait: Wait) -> io::Result<()> {
        let done = match wait {
            Wait::No => self.housekeeping.poll(),
            Wait::UntilDone => self.housekeeping.wait(),
        };
        done.map_or(Ok(()), |done| self.accept(done))
    }

    /// Takes in what one piece of housekeeping has done.
    pub(crate) fn accept(&mut self, done: Done) -> io::Result<()> {
        if done.is_manifest_written {
            self.is_manifest_due = false;
        }
        if let Some(bytes) = done.reserve_taken.filter(|_| self.reserve != Reserve::Released) {
            self.reserve = Reserve::Held;
            self.reserve_held_bytes = bytes;
        }
        if done.prepared.is_some() {
            self.prepared = done.prepared;
        }
        if done.is_out_of_space {
            self.space.set(SpaceCheck { at: Some(self.env.clock.now()), has_space: false });
        }
        match done.failure {
            Some(error) => {
                self.is_closed = true;
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// Starts whatever is due, unless something is under way or space was found lacking a moment ago.
    pub(crate) fn start_housekeeping(&mut self) {
        if self.is_closed || self.housekeeping.is_busy() || self.is_space_known_lacking() {
            return;
        }
        let may_prepare =
            self.prepared.is_none() && self.reserve != Reserve::Released && self.is_next_segment_near();
        let work = Work {
            manifest: self.is_manifest_due.then(|| self.manifest()),
            reserve_bytes: self.reserve_due(),
            prepare: may_prepare.then(|| self.next_header(0)),
        };
        if !work.is_empty() {
            self.housekeeping.start(&self.env, &self.dir, work);
        }
    }

    /// Is the active segment half full? Before, the next one would only take space.
    fn is_next_segment_near(&self) -> bool {
        self.active.segment.sectors_used * 2 >= self.active.segment.sectors
    }

    /// How large the reserve should be now.
    pub(crate) fn reserve_wanted_bytes(&self) -> u64 {
        if self.sealed.is_empty() && self.active.segment.number == 1 && !self.is_next_segment_near() {
            return 0;
        }
        self.options.reserve_bytes_at(self.active.segment.number)
    }

    /// How large a reserve is to be taken now, if there is none or it is too small.
    pub(crate) fn reserve_due(&self) -> Option<u64> {
        let wanted = self.reserve_wanted_bytes();
        match self.reserve {
            Reserve::Held => (self.reserve_held_bytes < wanted).then_some(wanted),
            Reserve::Missing => Some(wanted),
            Reserve::Released => None,
        }
    }

    /// The header of the segment after the active one, with room for a group of so many sectors.
    pub(crate) fn next_header(&self, group_sectors: u64) -> SegmentHeader {
        let number = self.active.segment.number + 1;
        let sectors = self.options.bytes_of_segment(number) / SECTOR_BYTES as u64;
        let mut salt = [0; 16];
        self.env.rng.fill(&mut salt);
        SegmentHeader {
            log_id: self.log_id,
            number,
            salt,
            predecessor_salt: self.active.segment.salt,
            sectors: sectors.max(1 + group_sectors).max(2),
        }
    }

    /// The manifest as it should be now.
    pub(crate) fn manifest(&self) -> Manifest {
        manifest_of(self.log_id, &self.sealed, &self.active.segment, self.point)
    }

    /// Space may have come back: look again at once.
    pub(crate) fn forget_want_of_space(&self) {
        self.space.set(SpaceCheck::default());
    }

    fn is_space_known_lacking(&self) -> bool {
        let check = self.space.get();
        !check.has_space && check.at.is_some_and(|at| self.is_recent(at))
    }

    fn is_recent(&self, at: TimestampMicros) -> bool {
        let age = self.env.clock.now().0.saturating_sub(at.0);
        (0..SPACE_CHECK_MICROS).contains(&age)
    }

    /// Would the volume take what is missing: the reserve and a segment for a group of so many sectors?
    fn has_space_for(&self, group_sectors: u64) -> bool {
        let check = self.space.get();
        if check.at.is_some_and(|at| self.is_recent(at)) {
            return check.has_space;
        }
        let reserve_bytes = self.reserve_due().unwrap_or(0);
        let number = self.active.segment.number + 1;
        let segment_bytes =
            self.options.bytes_of_segment(number).max((1 + group_sectors) * SECTOR_BYTES as u64);
        let needed = reserve_bytes.saturating_add(segment_bytes).saturating_add(SPACE_SLACK_BYTES);
        let has_space = self.env.disk.available_bytes(&self.dir).is_ok_and(|available| available >= needed);
        self.space.set(SpaceCheck { at: Some(self.env.clock.now()), has_space });
        has_space
    }
}

/// Whether to wait for housekeeping that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    No,
    UntilDone,
}

/// The manifest of a log with these segments that is durable up to `durable`.
pub(crate) fn manifest_of(
    log_id: [u8; 16],
    sealed: &[Segment],
    active: &Segment,
    durable: ChainPoint,
) -> Manifest {
    let first = sealed.first().unwrap_or(active);
    Manifest {
        log_id,
        first_segment: first.number,
        first_predecessor_salt: first.predecessor_salt,
        first: first.start,
        durable,
        sealed: sealed.iter().map(sealed_segment).collect(),
    }
}

fn sealed_segment(segment: &Segment) -> SealedSegment {
    SealedSegment {
        number: segment.number,
        salt: segment.salt,
        sectors_used: segment.sectors_used,
        end: segment.end,
        link_salt: segment.link.0,
        link_digest: segment.link.1,
    }
}

impl LogStore for FileLog {
    fn append(&mut self, expected_first: Lsn, records: &[NewRecord<'_>]) -> Result<(), AppendError> {
        crate::append::append(self, expected_first, records)
    }

    fn read_from(&self, from: Lsn) -> Result<RecordIterator, ReadError> {
        read::read_from(self, from)
    }

    fn mark_durable(&mut self) -> io::Result<()> {
        self.collect_done(Wait::UntilDone)?;
        if self.is_closed {
            return Ok(());
        }
        self.manifest().write(&self.env, &self.dir)
    }

    fn cut_before(&mut self, lsn: Lsn) -> Result<(), CutError> {
        crate::cut::cut_before(self, lsn)
    }

    fn first_lsn(&self) -> Lsn {
        self.sealed.first().unwrap_or(&self.active.segment).start.lsn
    }

    fn next_lsn(&self) -> Lsn {
        self.point.lsn
    }

    fn bytes_since(&self, lsn: Lsn) -> u64 {
        self.marks.bytes_since(lsn, self.point.lsn)
    }

    fn has_room(&self, payload_bytes: usize) -> bool {
        let group_sectors = group::sectors_for_payload(payload_bytes);
        // A closed log says so when it is appended to; want of room would be the wrong reason.
        self.is_closed
            || group_sectors <= self.active.segment.sectors - self.active.segment.sectors_used
            || self.prepared.as_ref().is_some_and(|prepared| group_sectors < prepared.header.sectors)
            || (self.reserve != Reserve::Released && self.has_space_for(group_sectors))
    }

    fn release_reserve(&mut self) -> io::Result<()> {
        FileLog::release_reserve(self)
    }

    fn retake_reserve(&mut self) {
        FileLog::retake_reserve(self);
    }
}
