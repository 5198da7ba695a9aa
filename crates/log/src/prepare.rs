//! Making a segment: all zeros but its header, durable, and only then under its name.

use std::io;
use std::path::Path;

use headwater_env::{Env, File, OpenHow, kill_point};

use crate::header::SegmentHeader;
use crate::names;
use crate::sector::SECTOR_BYTES;

/// A segment that no group has been written to.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Box<dyn File>,
}

/// Makes it. If there is no space nothing is left behind. An empty segment of the same number is replaced.
pub(crate) fn prepare(env: &Env, dir: &Path, header: SegmentHeader) -> io::Result<Prepared> {
    let preparing = dir.join(names::preparing(header.number));
    if env.disk.exists(&preparing) {
        env.disk.remove(&preparing)?;
    }
    let file = env.disk.open(&preparing, OpenHow::CreateNew)?;
    if let Err(error) = fill(&*file, &header) {
        env.disk.remove(&preparing)?;
        return Err(error);
    }
    env.disk.rename(&preparing, &dir.join(names::segment(header.number)))?;
    env.disk.sync_dir(dir)?;
    kill_point::reach("log.segment.created");
    // Opened again under its own name: whoever watches the syncs of log files tells them by it.
    let file = env.disk.open(&dir.join(names::segment(header.number)), OpenHow::ReadWrite)?;
    Ok(Prepared { header, file })
}

fn fill(file: &dyn File, header: &SegmentHeader) -> io::Result<()> {
    file.allocate_zeroed(header.sectors * SECTOR_BYTES as u64)?;
    file.write_at(&header.encode(), 0)?;
    file.sync()
}
