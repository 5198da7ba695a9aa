//! The reserve: a file of zeros that is given up when the disk is full, so that snapshots still fit and the log can be
//! cut.

use std::io;
use std::path::Path;

use headwater_env::{Env, OpenHow};

use crate::names;

/// Does the log hold its reserve?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserve {
    /// Yes.
    Held,
    /// No, for want of space; it is taken as soon as there is some.
    Missing,
    /// No, because the owner is using the space.
    Released,
}

/// Is there a reserve of this size? A larger one counts: a start on a full disk asks for little, and what an earlier one
/// took would be gone with the space.
pub(crate) fn is_held(env: &Env, dir: &Path, bytes: u64) -> io::Result<bool> {
    let path = dir.join(names::RESERVE);
    if bytes == 0 || !env.disk.exists(&path) {
        return Ok(bytes == 0);
    }
    Ok(env.disk.open(&path, OpenHow::Read)?.len()? >= bytes)
}

/// Takes it. If there is no space nothing is left behind.
pub(crate) fn take(env: &Env, dir: &Path, bytes: u64) -> io::Result<()> {
    give_up(env, dir)?;
    if bytes == 0 {
        return Ok(());
    }
    let path = dir.join(names::RESERVE);
    let file = env.disk.open(&path, OpenHow::CreateNew)?;
    let taken = file.allocate_zeroed(bytes).and_then(|()| file.sync());
    if taken.is_err() {
        env.disk.remove(&path)?;
    }
    taken
}

/// Gives the space back to the volume.
pub(crate) fn give_up(env: &Env, dir: &Path) -> io::Result<()> {
    let path = dir.join(names::RESERVE);
    if env.disk.exists(&path) { env.disk.remove(&path) } else { Ok(()) }
}
