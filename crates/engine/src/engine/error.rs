//! Why something about workspaces as a whole was not done.

use std::path::PathBuf;

use headwater_log::sealed::SealedError;
use headwater_log::{OpenError as LogOpenError, ReadError};
use headwater_types::NameError;

use crate::program::SetProgramError;
use crate::push::PushError;
use crate::story::keep::RecoverError;

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("data folder {} is in use by another process", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk failed.
    #[error("data folder {}: {source}", dir.display())]
    Io {
        /// The folder.
        dir: PathBuf,
        /// What the disk said.
        source: std::io::Error,
    },
    /// A workspace's log cannot be opened.
    #[error("workspace {workspace:?}: {source}")]
    Log {
        /// The workspace.
        workspace: String,
        /// Why.
        source: headwater_log::OpenError,
    },
    /// A workspace's files cannot be read back.
    #[error("workspace {workspace:?}: {source}")]
    Recover {
        /// The workspace.
        workspace: String,
        /// Why.
        source: Box<RecoverError>,
    },
    /// There is no room for one more open workspace.
    #[error("{reason}")]
    NoRoom {
        /// What there is too little of.
        reason: String,
    },
    /// The list of workspaces cannot be set up.
    #[error("the list of workspaces cannot be set up: {0}")]
    SystemProgram(#[from] SetProgramError),
    /// A row of the list of workspaces makes no sense.
    #[error("the list of workspaces holds a bad name: {0}")]
    SystemName(#[from] NameError),
}

impl OpenError {
    /// Whether the files are not as they must be, so that opening once more would be in vain.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            OpenError::Locked { .. } | OpenError::Io { .. } | OpenError::NoRoom { .. } => false,
            OpenError::Log { source, .. } => {
                !matches!(source, LogOpenError::Locked { .. } | LogOpenError::Io(_))
            }
            OpenError::Recover { source, .. } => match &**source {
                RecoverError::Sealed(SealedError::Io { error, .. }) => {
                    error.kind() == std::io::ErrorKind::NotFound
                }
                other => !matches!(other, RecoverError::Log(ReadError::Io(_))),
            },
            OpenError::SystemProgram(_) | OpenError::SystemName(_) => true,
        }
    }
}

/// Why a workspace that is listed cannot be used now. Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownWorkspace),
    /// Its files are damaged.
    #[error("workspace {name:?} is damaged: {reason}")]
    Damaged {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It could not be opened, which may be otherwise a moment later.
    #[error("workspace {name:?} could not be opened: {reason}")]
    NotOpened {
        /// Its name.
        name: String,
        /// What is in the way.
        reason: String,
    },
    /// It is still being opened.
    #[error("workspace {name:?} is being opened")]
    Opening {
        /// Its name.
        name: String,
    },
    /// The server is stopping, or the workspace was deleted.
    #[error("workspace {name:?} is closing")]
    Closing {
        /// Its name.
        name: String,
    },
}

/// Why a workspace was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateWorkspaceError {
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is one of this name.
    #[error("workspace {name:?} exists already")]
    Exists {
        /// The name.
        name: String,
    },
    /// There are too many.
    #[error("there are {max} workspaces, the limit")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// It could not be written into the list of workspaces.
    #[error("the list of workspaces could not be changed: {0}")]
    System(#[from] PushError),
    /// Its folder could not be made, or it could not be opened.
    #[error(transparent)]
    Open(#[from] WorkspaceError),
}

/// Why a workspace was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteWorkspaceError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownWorkspace),
    /// It could not be taken out of the list of workspaces.
    #[error("the list of workspaces could not be changed: {0}")]
    System(#[from] PushError),
}

/// There is no workspace of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("workspace {name:?} does not exist")]
pub struct UnknownWorkspace {
    /// The name asked for.
    pub name: String,
    /// The names there are.
    pub known: Vec<String>,
}
