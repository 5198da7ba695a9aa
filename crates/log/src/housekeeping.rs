//! What a log does between appends, off the caller's thread: record full segments in the manifest, take the reserve,
//! prepare the next segment. None of it is needed for the group that is being appended.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use headwater_env::disk::is_no_space;
use headwater_env::{Env, kill_point};

use crate::header::SegmentHeader;
use crate::manifest::Manifest;
use crate::prepare::{Prepared, prepare};
use crate::reserve;

/// What is to be done, in this order.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) manifest: Option<Manifest>,
    pub(crate) reserve_bytes: Option<u64>,
    pub(crate) prepare: Option<SegmentHeader>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Was the manifest written?
    pub(crate) is_manifest_written: bool,
    /// Bytes of the reserve that was taken.
    pub(crate) reserve_taken: Option<u64>,
    /// The segment that was prepared.
    pub(crate) prepared: Option<Prepared>,
    /// Was something left undone for want of space?
    pub(crate) is_out_of_space: bool,
    /// The disk failed; what came after was not tried.
    pub(crate) failure: Option<io::Error>,
}

/// The one piece of work that is under way, if any.
#[derive(Debug, Default)]
pub(crate) struct Housekeeping {
    pending: Option<Receiver<Done>>,
}

impl Housekeeping {
    /// Is something under way?
    pub(crate) fn is_busy(&self) -> bool {
        self.pending.is_some()
    }

    /// Starts work; nothing else may be under way.
    pub(crate) fn start(&mut self, env: &Env, dir: &Path, work: Work) {
        assert!(self.pending.is_none(), "one piece of work at a time");
        let (sender, receiver) = sync_channel(1);
        let (env_there, dir_there): (Env, PathBuf) = (env.clone(), dir.to_owned());
        env.disk.background(Box::new(move || {
            // The log may have been dropped in the meantime; then nobody waits for the answer.
            let _ = sender.send(work.run(&env_there, &dir_there));
        }));
        self.pending = Some(receiver);
    }

    /// What became of the work under way, if it is finished.
    pub(crate) fn poll(&mut self) -> Option<Done> {
        let done = match self.pending.as_ref()?.try_recv() {
            Ok(done) => done,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Done::lost(),
        };
        self.pending = None;
        Some(done)
    }

    /// Waits for the work under way.
    pub(crate) fn wait(&mut self) -> Option<Done> {
        Some(self.pending.take()?.recv().unwrap_or_else(|_| Done::lost()))
    }
}

impl Done {
    fn lost() -> Done {
        Done { failure: Some(io::Error::other("the thread that prepares segments died")), ..Done::default() }
    }
}

impl Work {
    /// Is there nothing to do?
    pub(crate) fn is_empty(&self) -> bool {
        self.manifest.is_none() && self.reserve_bytes.is_none() && self.prepare.is_none()
    }

    /// Does it, here and now. Want of space ends it, but is no failure: everything is as it was and can be tried again.
    pub(crate) fn run(self, env: &Env, dir: &Path) -> Done {
        let mut done = Done::default();
        if let Err(error) = self.run_into(env, dir, &mut done) {
            if is_no_space(&error) {
                done.is_out_of_space = true;
            } else {
                done.failure = Some(error);
            }
        }
        done
    }

    fn run_into(self, env: &Env, dir: &Path, done: &mut Done) -> io::Result<()> {
        if let Some(manifest) = self.manifest {
            manifest.write(env, dir)?;
            done.is_manifest_written = true;
            kill_point::reach("log.segment.sealed");
        }
        if let Some(bytes) = self.reserve_bytes {
            reserve::take(env, dir, bytes)?;
            done.reserve_taken = Some(bytes);
        }
        if let Some(header) = self.prepare {
            done.prepared = Some(prepare(env, dir, header)?);
        }
        Ok(())
    }
}
