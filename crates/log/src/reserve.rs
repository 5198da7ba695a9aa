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

/// How large the reserve there is.
pub(crate) fn bytes_held(env: &Env, dir: &Path) -> io::Result<u64> {
    let path = dir.join(names::RESERVE);
    if env.disk.exists(&path) { env.disk.open(&path, OpenHow::Read)?.len() } else { Ok(0) }
}

/// Takes it, in place of a smaller one, which stays if there is no space for more.
pub(crate) fn take(env: &Env, dir: &Path, bytes: u64) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    let taking = dir.join(names::RESERVE_PREPARING);
    if env.disk.exists(&taking) {
        env.disk.remove(&taking)?;
    }
    let file = env.disk.open(&taking, OpenHow::CreateNew)?;
    let taken = file.allocate_zeroed(bytes).and_then(|()| file.sync());
    if taken.is_err() {
        env.disk.remove(&taking)?;
        return taken;
    }
    env.disk.rename(&taking, &dir.join(names::RESERVE))
}

/// Gives the space back to the volume.
pub(crate) fn give_up(env: &Env, dir: &Path) -> io::Result<()> {
    let path = dir.join(names::RESERVE);
    if env.disk.exists(&path) { env.disk.remove(&path) } else { Ok(()) }
}
