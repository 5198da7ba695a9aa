//! Giving up the oldest segments.

use std::io;

use headwater_env::disk::is_no_space;
use headwater_env::kill_point;
use headwater_types::Lsn;

use crate::file_log::{FileLog, Wait, manifest_of};
use crate::manifest::Manifest;
use crate::names;
use crate::reserve::Reserve;
use crate::store::CutError;

/// The manifest names the new first segment before a file goes, so a crash between the two leaves files that the next
/// start removes.
pub(crate) fn cut_before(log: &mut FileLog, lsn: Lsn) -> Result<(), CutError> {
    if log.is_closed {
        return Err(CutError::Closed);
    }
    log.collect_done(Wait::UntilDone).map_err(CutError::Io)?;
    let cut_count = log.sealed.partition_point(|segment| segment.end.lsn <= lsn);
    if cut_count == 0 {
        return Ok(());
    }
    kill_point::reach("log.cut.before");
    let manifest = manifest_of(log.log_id, &log.sealed[cut_count..], &log.active.segment, log.point);
    write_manifest(log, &manifest)?;
    for segment in log.sealed.drain(..cut_count) {
        let path = log.dir.join(names::segment(segment.number));
        if let Err(error) = log.env.disk.remove(&path) {
            tracing::warn!(file = %path.display(), %error, "cannot remove a segment that was cut; the next start tries again");
        }
    }
    log.marks.cut_before(manifest.first.lsn);
    close_on_error(log, |log| log.env.disk.sync_dir(&log.dir))?;
    kill_point::reach("log.cut.after");
    log.forget_want_of_space();
    log.start_housekeeping();
    Ok(())
}

/// On a full disk the reserve makes room: it is taken again from what the cut gives back.
fn write_manifest(log: &mut FileLog, manifest: &Manifest) -> Result<(), CutError> {
    match manifest.write(&log.env, &log.dir) {
        Err(error) if is_no_space(&error) && log.reserve == Reserve::Held => {
            close_on_error(log, FileLog::release_reserve)?;
            log.reserve = Reserve::Missing;
            write_manifest(log, manifest)
        }
        Err(error) if is_no_space(&error) => Err(CutError::NoSpace),
        written => {
            close_on_error(log, |_| written)?;
            log.is_manifest_due = false;
            Ok(())
        }
    }
}

fn close_on_error(
    log: &mut FileLog,
    work: impl FnOnce(&mut FileLog) -> io::Result<()>,
) -> Result<(), CutError> {
    work(log).map_err(|error| {
        log.is_closed = true;
        CutError::Io(error)
    })
}
