use std::io;
use std::path::Path;

use headwater_env::Disk;

/// Makes a folder below `root`, or `root` itself, so that it is still there after a power cut.
///
/// The names below `root` are synced even if they are there already: a process that was killed may have made them
/// without coming to the sync. Above `root` only what is missing is made and synced.
pub(super) fn create_durable(disk: &dyn Disk, dir: &Path, root: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = root.ancestors().filter(|above| !disk.exists(above)).collect();
    disk.create_dir_all(dir)?;
    let below = dir.ancestors().take_while(|above| above.starts_with(root) && *above != root);
    for made in below.chain(missing) {
        if let Some(parent) = made.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk.sync_dir(parent)?;
        }
    }
    Ok(())
}
