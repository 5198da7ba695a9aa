//! The names of files and folders, and what became of them since a folder was last synced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    /// The file with this number.
    File(u64),
}

/// Names, by path.
pub(crate) type Names = BTreeMap<PathBuf, Node>;

/// One operation on a folder.
#[derive(Clone, Debug)]
pub(crate) enum FolderChange {
    Add { path: PathBuf, node: Node },
    Remove { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
}

impl FolderChange {
    /// The folder whose sync makes it durable. A rename between folders counts to the one it moves to.
    pub(crate) fn folder(&self) -> &Path {
        let path = match self {
            FolderChange::Add { path, .. } | FolderChange::Remove { path } => path,
            FolderChange::Rename { to, .. } => to,
        };
        path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn apply(&self, names: &mut Names) {
        match self {
            FolderChange::Add { path, node } => {
                names.insert(path.clone(), *node);
            }
            FolderChange::Remove { path } => {
                names.retain(|name, _| !name.starts_with(path));
            }
            FolderChange::Rename { from, to } => rename(names, from, to),
        }
    }
}

fn rename(names: &mut Names, from: &Path, to: &Path) {
    let moved: Vec<PathBuf> = names.keys().filter(|name| name.starts_with(from)).cloned().collect();
    if moved.is_empty() {
        return;
    }
    names.retain(|name, _| !name.starts_with(to));
    for old in moved {
        if let (Some(node), Ok(rest)) = (names.remove(&old), old.strip_prefix(from)) {
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            names.insert(new, node);
        }
    }
}

/// Drops names in folders that are not there.
pub(crate) fn drop_unreachable(names: &mut Names) {
    let reachable = |path: &Path| {
        path.ancestors().skip(1).all(|above| is_root(above) || names.get(above) == Some(&Node::Folder))
    };
    let lost: Vec<PathBuf> = names.keys().filter(|path| !reachable(path)).cloned().collect();
    for path in lost {
        names.remove(&path);
    }
}

/// The folder that all paths lie in, relative or absolute.
pub(crate) fn is_root(path: &Path) -> bool {
    path.as_os_str().is_empty() || path == Path::new("/") || path == Path::new(".")
}
