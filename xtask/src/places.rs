use std::env;
use std::path::{Path, PathBuf};

/// The folder of the whole repository.
pub(crate) fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the repository's top folder").to_path_buf()
}

/// Where environments and downloads are kept between runs, outside the repository.
pub(crate) fn cache() -> Result<PathBuf, String> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|v| !v.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").ok_or("HOME is not set: say where the cache folder is")?)
            .join(".cache"),
    };
    Ok(base.join("headwater"))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|v| !v.is_empty()) {
        Some(folder) => repository().join(folder),
        None => repository().join("target"),
    }
}

/// The binary under test, as the release profile builds it.
pub(crate) fn headwater() -> PathBuf {
    target().join("release").join("headwater")
}
