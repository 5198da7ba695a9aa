//! Opening a workspace: its newest snapshots, then its log.
//!
//! Two ways lead over the log. *Light replay* lets the rows of many records take effect together and leaves the views
//! alone; it is right where nobody needs to see the states between. *Full replay* is the story run again, record by
//! record, with the circuit. So a workspace is opened in four steps, which [`recover`] takes one after the other:
//!
//! 1. the state file and the rows of the stored relations, each as of its own LSN ([`snapshots`]);
//! 2. light replay, so that the relations whose rows are older come to the LSN of the state file ([`light`]);
//! 3. the circuit over the tables as they then are, which gives the views their rows ([`circuit`]);
//! 4. full replay of the rest ([`full`]), which hands over again what the change log has not in its files.

/// The circuit of a state that has its tables.
mod circuit;
/// Why a workspace cannot be opened.
mod error;
/// Records taken again one by one, through the code that took them in.
mod full;
/// Records applied many at a time, without the views.
mod light;
/// What a record says of the program and the clocks.
mod logged;
/// The records of a log and what voids them.
mod records;
/// The state as the snapshots hold it.
mod snapshots;
/// Operations of many records that wait to be applied together.
mod waiting;

use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::LogStore;
use headwater_sql::CompileOptions;
use headwater_types::Lsn;

use super::manifest::{Manifest, read_manifest};
use super::snapshot_dir;
use crate::record::LogRecord;
use crate::state::State;
use crate::story::publish;
use full::FullReplay;
use light::LightReplay;
use records::Records;

pub use error::RecoverError;

/// A workspace as its files say.
pub(crate) struct Recovered {
    pub state: State,
    pub manifest: Manifest,
    /// The newest step, if applying it panicked before anybody could have seen it: it is to be skipped.
    pub panicked: Option<(Lsn, LogRecord, String)>,
}

/// Brings a workspace to the end of its log.
pub(crate) fn recover(
    env: &Env,
    workspace: &Path,
    log: &dyn LogStore,
    options: &CompileOptions,
) -> Result<Recovered, RecoverError> {
    let manifest = read_manifest(env, workspace)?;
    check_ends(&manifest, log)?;
    let mut records = Records::of(log, manifest.oldest_lsn().next())?;

    let mut state = snapshots::restore(env, workspace, &manifest, options)?;

    let mut light = LightReplay::new(&mut state, &manifest, options);
    while let Some((lsn, record)) = records.next_up_to(manifest.state_lsn)? {
        light.take(lsn, record)?;
    }
    light.finish()?;

    circuit::fill(&mut state)?;

    let newest = Lsn(log.next_lsn().0.saturating_sub(1));
    let changes = publish::open(env, workspace, &state, newest).map_err(RecoverError::Changes)?;
    state.changes = Some(Arc::clone(&changes));
    let mut full = FullReplay::new(&mut state, options, newest);
    while let Some((lsn, record)) = records.next_up_to(newest)? {
        full.take(lsn, record)?;
        changes.tend();
    }
    let panicked = full.panicked;

    remove_leftovers(env, workspace, &manifest);
    Ok(Recovered { state, manifest, panicked })
}

/// Removes what the manifest does not name: files of a round that a crash cut short, and of rounds before the last one.
fn remove_leftovers(env: &Env, workspace: &Path, manifest: &Manifest) {
    let dir = snapshot_dir(workspace);
    // There is no folder before the first round.
    let Ok(entries) = env.disk.list(&dir) else { return };
    for entry in entries.iter().filter(|entry| !manifest.files().contains(&entry.name.as_str())) {
        if let Err(error) = env.disk.remove(&dir.join(&entry.name)) {
            tracing::warn!(file = entry.name, %error, "a needless snapshot stays until the next start");
        }
    }
}

fn check_ends(manifest: &Manifest, log: &dyn LogStore) -> Result<(), RecoverError> {
    let (first, next) = (log.first_lsn(), log.next_lsn());
    if first > manifest.oldest_lsn().next() {
        return Err(RecoverError::Gap { first, snapshots: manifest.oldest_lsn() });
    }
    if next <= manifest.state_lsn {
        return Err(RecoverError::LogTooShort { next, snapshots: manifest.state_lsn });
    }
    Ok(())
}
