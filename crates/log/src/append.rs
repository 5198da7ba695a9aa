//! Appending a group: one write and one sync, into zeros that are already there.

use headwater_env::kill_point;
use headwater_types::Lsn;

use crate::file_log::{Active, FileLog, Wait};
use crate::group;
use crate::housekeeping::Work;
use crate::prepare::Prepared;
use crate::recover::Segment;
use crate::reserve::Reserve;
use crate::sector::SECTOR_BYTES;
use crate::store::{AppendError, GROUP_BYTES_MAX, NewRecord};

/// A larger buffer is given back after the group that needed it.
const BUFFER_BYTES_KEPT: usize = 4 << 20;

pub(crate) fn append(log: &mut FileLog, expected: Lsn, records: &[NewRecord<'_>]) -> Result<(), AppendError> {
    if log.is_closed {
        return Err(AppendError::Closed);
    }
    if expected != log.point.lsn {
        return Err(AppendError::WrongLsn { expected, next: log.point.lsn });
    }
    if records.is_empty() {
        return Ok(());
    }
    let sectors = group::sectors_for(records);
    let bytes = sectors.saturating_mul(SECTOR_BYTES as u64);
    if bytes > GROUP_BYTES_MAX {
        return Err(AppendError::TooLarge { bytes });
    }
    log.collect_done(Wait::No).map_err(AppendError::SyncFailed)?;
    if sectors > log.active.segment.sectors - log.active.segment.sectors_used {
        change_segment(log, sectors)?;
    }
    write_group(log, records)?;
    log.start_housekeeping();
    Ok(())
}

fn write_group(log: &mut FileLog, records: &[NewRecord<'_>]) -> Result<(), AppendError> {
    let segment = &mut log.active.segment;
    group::encode(&mut log.buffer, records, &log.point, &segment.salt, segment.sectors_used);
    let offset = segment.sectors_used * SECTOR_BYTES as u64;
    let written = log.active.file.write_at(&log.buffer, offset).and_then(|()| {
        kill_point::reach("log.commit.written");
        log.active.file.sync()
    });
    if let Err(error) = written {
        log.is_closed = true;
        return Err(AppendError::SyncFailed(error));
    }
    kill_point::reach("log.commit.synced");
    let first_lsn = log.point.lsn;
    log.point = log.point.after(&log.buffer, records.len() as u64);
    log.marks.note(first_lsn, log.buffer.len() as u64);
    segment.sectors_used += (log.buffer.len() / SECTOR_BYTES) as u64;
    segment.end = log.point;
    segment.link = (segment.salt, log.point.digest);
    if log.buffer.capacity() > BUFFER_BYTES_KEPT {
        log.buffer = Vec::new();
    }
    Ok(())
}

/// Makes the prepared segment the active one. The full one is recorded in the manifest later, when a group of its
/// successor is durable: only then does it count as full.
fn change_segment(log: &mut FileLog, group_sectors: u64) -> Result<(), AppendError> {
    let Prepared { header, file } = take_prepared(log, group_sectors)?;
    let segment = Segment {
        number: header.number,
        salt: header.salt,
        predecessor_salt: header.predecessor_salt,
        sectors: header.sectors,
        sectors_used: 1,
        start: log.point,
        end: log.point,
        link: (header.salt, log.point.digest),
    };
    let full = std::mem::replace(&mut log.active, Active { segment, file });
    log.sealed.push(full.segment);
    log.is_manifest_due = true;
    Ok(())
}

/// The next segment, with room for the group; made here and now if it was not made ahead.
fn take_prepared(log: &mut FileLog, group_sectors: u64) -> Result<Prepared, AppendError> {
    let has_room = |prepared: &mut Prepared| group_sectors < prepared.header.sectors;
    if log.prepared.as_mut().is_none_or(|prepared| !has_room(prepared)) {
        log.collect_done(Wait::UntilDone).map_err(AppendError::SyncFailed)?;
    }
    if let Some(prepared) = log.prepared.take_if(has_room) {
        return Ok(prepared);
    }
    if log.reserve == Reserve::Released {
        return Err(AppendError::NoSpace);
    }
    let work = Work {
        manifest: None,
        reserve_bytes: log.reserve_due(),
        prepare: Some(log.next_header(group_sectors)),
    };
    let done = work.run(&log.env, &log.dir);
    log.accept(done).map_err(AppendError::SyncFailed)?;
    log.prepared.take_if(has_room).ok_or(AppendError::NoSpace)
}
